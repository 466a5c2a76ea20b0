from __future__ import annotations

import hashlib
import json
import shutil

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support.ledger import ORIGIN, SIGNER, events, open_ledger

from beholden.core.errors import NotFoundError
from beholden.core.events import EVENTS
from beholden.ledger import Ed25519Signer
from beholden.ledger.canonical import leaf_hashes
from beholden.ledger.checkpoint import Checkpoint, sign_checkpoint
from beholden.ledger.files import sealed_json
from beholden.ledger.format import Layout
from beholden.ledger.manifest import Manifest, read_manifest
from beholden.ledger.tree import TreeBuilder
from beholden.ledger.verify import verify

SEGMENTS = ["segments/0000000000000000-0000000000000599.parquet", "segments/0000000000000600-0000000000000899.parquet"]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """900 sealed events in two segments, 20 in the write-ahead log."""
    directory = tmp_path_factory.mktemp("ledger") / "ledger"
    ledger = open_ledger(directory)
    for start, stop in ((0, 600), (600, 900)):
        ledger.append(events(start, stop))
        ledger.seal()
    ledger.append(events(900, 920))
    return directory


@pytest.fixture
def directory(template, tmp_path):
    return shutil.copytree(template, tmp_path / "ledger")


def found(directory, **options):
    report = verify(directory, key=SIGNER, **options)
    assert report.ok == (not report.findings)
    return {(finding.object, finding.reason) for finding in report.findings}


def rewrite(directory, index, change):
    """Alter the rows of a segment and make the manifest fit, as somebody with rights and knowledge would."""
    layout = Layout(directory)
    path = directory / SEGMENTS[index]
    rows = pq.read_table(path).to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=EVENTS), path)
    manifest, _ = read_manifest(layout)
    segments = list(manifest.segments)
    fields = {name: getattr(segments[index], name) for name in segments[index].__struct_fields__}
    fields |= {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "size_bytes": path.stat().st_size}
    segments[index] = type(segments[index])(**fields)
    altered = Manifest(next_seq=manifest.next_seq, segments=tuple(segments))
    layout.manifest.write_bytes(sealed_json(altered))


def test_a_sound_ledger_has_no_findings(directory):
    report = verify(directory, key=SIGNER, estate_id="estate-1")
    assert (report.ok, report.findings, report.notes) == (True, (), ())
    assert (report.events, report.segments, report.tiles, report.tree_size) == (920, 2, 2, 900)
    assert verify(directory, key=SIGNER, mode="quick").ok


def test_an_altered_event_is_placed_though_the_manifest_was_made_to_fit(directory):
    def change(rows):
        rows[10]["rows"] = 4711

    rewrite(directory, 1, change)
    assert verify(directory, key=SIGNER, mode="quick").ok
    assert found(directory) == {
        (SEGMENTS[0], "events 512 to 767 are not those the signed tree head covers"),
        (SEGMENTS[1], "events 512 to 767 are not those the signed tree head covers"),
    }


def test_an_altered_event_after_the_last_tile_is_placed(directory):
    def change(rows):
        rows[-1]["rows"] = 4711

    rewrite(directory, 1, change)
    ((name, reason),) = found(directory)
    assert name == SEGMENTS[1]
    assert reason.startswith("events 768 to 899 are not those the signed tree head covers")


def test_events_and_tiles_altered_together_do_not_fit_the_signature(directory):
    def change(rows):
        rows[0]["rows"] = 4711

    rewrite(directory, 0, change)
    builder = TreeBuilder()
    for segment in SEGMENTS:
        builder.extend(leaf_hashes(pq.read_table(directory / segment)))
    for tile in builder.edge():
        (directory / f"tile/{tile.level}/000.p/{tile.width}").write_bytes(tile.hashes)
    # The tiles now agree with the events, so these do not tell the place: it may be the last events, under no tile. The
    # index, which the ledger's key signed, does.
    tail = (
        "events 768 to 899 are not those the signed tree head covers, unless earlier ones were altered with their tiles"
    )
    index = SEGMENTS[0].replace("segments", "index").replace("parquet", "index")
    assert found(directory) == {(SEGMENTS[1], tail), (index, "does not match its segment")}


def test_dropped_swapped_and_doubled_records_are_found(directory):
    def drop(rows):
        del rows[5]

    def swap(rows):
        rows[5], rows[6] = rows[6], rows[5]

    def swap_and_number(rows):
        rows[5], rows[6] = rows[6] | {"seq": 5}, rows[5] | {"seq": 6}

    for change in (drop, swap, swap_and_number):
        again = shutil.copytree(directory, directory.parent / change.__name__)
        rewrite(again, 0, change)
        assert SEGMENTS[0] in {name for name, _ in found(again)}


def test_segments_gone_swapped_or_strange_are_named(directory):
    first, second = (directory / name for name in SEGMENTS)
    first.rename(directory / "kept")
    assert (SEGMENTS[0], "is missing") in found(directory)
    assert [name for name, _ in found(directory, mode="quick")] == [SEGMENTS[0]]
    second.rename(first)
    (directory / "kept").rename(second)
    assert {SEGMENTS[0], SEGMENTS[1]} <= {name for name, _ in found(directory)}
    shutil.copy(first, directory / "segments/0000000000005000-0000000000005299.parquet")
    stranger = "segments/0000000000005000-0000000000005299.parquet"
    assert (stranger, "is not listed in manifest.json") in found(directory)


def test_tiles_gone_cut_or_strange_are_named(directory):
    tile = directory / "tile/1/000.p/3"
    data = tile.read_bytes()
    tile.write_bytes(data[:-32])
    assert ("tile/1/000.p/3", "does not match the hashes of the records") in found(directory)
    tile.unlink()
    assert found(directory) == {("tile/1/000.p/3", "is missing")}
    tile.write_bytes(data)
    for name in ("tile/0/000", "tile/1/001", "tile/1/000.p/4", "tile/1/000.p/03", "tile/x", "tile/1/xyz"):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(data)
        assert found(directory) == {(name, "is no tile of this tree")}
        (directory / name).unlink()


def test_a_wrong_key_is_found(directory):
    wrong = Ed25519Signer(ORIGIN, bytes(32))
    names = {finding.object for finding in verify(directory, key=wrong).findings}
    assert names == {"key.pub", "checkpoint"}
    assert "ledger.json" in {name for name, _ in found(directory, estate_id="estate-2")}


def test_a_genuine_checkpoint_over_events_that_are_not_there_is_found(directory):
    head = Checkpoint(ORIGIN, 921, bytes(32))
    (directory / "checkpoint").write_bytes(sign_checkpoint(head, SIGNER))
    assert ("checkpoint", "covers 921 events, but 920 are held") in found(directory)


def test_a_manifest_that_forgets_events_is_found(directory):
    layout = Layout(directory)
    manifest, _ = read_manifest(layout)
    layout.manifest.write_bytes(sealed_json(Manifest(next_seq=600, segments=manifest.segments[:1])))
    assert "wal/0000000000000900.wal" in {name for name, _ in found(directory)}
    layout.manifest.write_bytes(sealed_json(Manifest(first_seq=600, next_seq=900, segments=manifest.segments[1:])))
    assert ("manifest.json", "begins with event 600; expected event 0") in found(directory)
    layout.manifest.write_bytes(sealed_json(Manifest(next_seq=900, segments=manifest.segments[1:])))
    assert {name for name, _ in found(directory)} >= {"manifest.json"}


def test_a_manifest_with_wrong_times_or_sources_is_found(directory):
    data = json.loads((directory / "manifest.json").read_bytes())["body"]
    data["segments"][0]["sources"][0]["source"] = "somebody"
    (directory / "manifest.json").write_bytes(sealed_json(msgspec.convert(data, Manifest)))
    assert {name for name, _ in found(directory)} == {"manifest.json"}


def test_no_ledger_is_said(tmp_path):
    with pytest.raises(NotFoundError):
        verify(tmp_path, key=SIGNER)
