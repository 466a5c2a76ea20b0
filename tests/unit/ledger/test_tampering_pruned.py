"""A pruned ledger with merged segments: whatever befalls one of its files is named."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import msgspec
import pytest
from tests.support.ledger import NOW, SIGNER, events, open_ledger

from beholden.core.errors import IntegrityError
from beholden.core.selectors import Selector
from beholden.ledger.files import sealed_json
from beholden.ledger.format import Layout
from beholden.ledger.manifest import read_manifest
from beholden.ledger.pruned import nodes_path
from beholden.ledger.retention import Policy
from beholden.ledger.verify import VerifyReport, verify

DAY = 86_400_000_000
STEP = 29
POLICY = Policy(Selector.parse("*"), 12, "accountability")


@pytest.fixture(scope="module")
def pruned(tmp_path_factory) -> Path:
    """Two prunings of which both cut a block, merged segments, events that wait."""
    directory: Path = tmp_path_factory.mktemp("pruned") / "ledger"
    day = 0
    ledger = open_ledger(directory, clock=lambda: NOW + day * DAY, segment_events_max=300)
    for day in range(46):
        ledger.append(events(day * STEP, (day + 1) * STEP))
        ledger.seal()
        if day in (25, 42):
            assert ledger.prune([POLICY]).seq is not None
    ledger.append(events(46 * STEP, 47 * STEP))
    return directory


@pytest.fixture
def directory(pruned, tmp_path) -> Path:
    return Path(shutil.copytree(pruned, tmp_path / "ledger"))


def check(directory: Path) -> VerifyReport:
    return verify(directory, key=SIGNER, estate_id="estate-1", acknowledged=47 * STEP)


def names(directory: Path) -> set[str]:
    return {finding.object for finding in check(directory).findings}


def files(directory: Path) -> list[str]:
    found = (path for path in directory.rglob("*") if path.is_file())
    return sorted(path.relative_to(directory).as_posix() for path in found if path.name not in ("lock", "checked.json"))


def test_it_is_sound_before_and_has_every_kind_of_file(directory):
    report = check(directory)
    assert (report.findings, report.notes) == ((), ())
    manifest, _ = read_manifest(Layout(directory))
    assert manifest.first_seq % 256
    assert max(segment.events for segment in manifest.segments) > STEP + 1
    kinds = {name.split("/")[0] for name in files(directory)}
    assert kinds == {
        "ledger.json",
        "key.pub",
        "checkpoint",
        "manifest.json",
        "segments",
        "tile",
        "wal",
        "uids",
        "index",
        "pruned",
    }
    assert len(list((directory / "pruned").iterdir())) == 2
    assert len(list((directory / "tile/0").rglob("*.p/*"))) == 1


def test_every_flipped_byte_is_named(directory):
    chance = random.Random(4)
    for name in files(directory):
        path = directory / name
        data = path.read_bytes()
        for place in {0, len(data) - 1, chance.randrange(len(data)), chance.randrange(len(data))}:
            path.write_bytes(data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :])
            assert name in names(directory), place
        path.write_bytes(data)


@pytest.mark.parametrize("change", ["delete", "empty", "shorten", "lengthen"])
def test_what_befalls_a_file_is_named(directory, change):
    for name in files(directory):
        path = directory / name
        data = path.read_bytes()
        if change == "delete":
            path.unlink()
        else:
            path.write_bytes({"empty": b"", "shorten": data[:-1], "lengthen": data + b"\0"}[change])
        found = names(directory)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        if (change == "delete" and name.startswith(("uids/", "index/"))) or (
            change == "lengthen" and name.startswith("wal/")
        ):
            assert found == set(), name
        elif name.startswith("pruned/") and change == "delete":
            assert found & {name, "pruned"}, name
        elif name.startswith("wal/") and change in ("delete", "empty"):
            assert found == {"wal"}, name
        else:
            assert name in found, name


def test_a_stolen_list_of_heads_or_a_swapped_file_of_nodes(directory):
    first, second = sorted((directory / "pruned").iterdir())
    one, other = first.read_bytes(), second.read_bytes()
    for path, data in ((first, other), (second, one)):
        kept = path.read_bytes()
        path.write_bytes(data)
        assert f"pruned/{path.name}" in names(directory)
        path.write_bytes(kept)
    layout = Layout(directory)
    manifest, _ = read_manifest(layout)
    assert manifest.pruned is not None
    lighter = msgspec.structs.replace(manifest.pruned.record, heads=())
    claim = msgspec.structs.replace(manifest, pruned=msgspec.structs.replace(manifest.pruned, record=lighter))
    layout.manifest.write_bytes(sealed_json(claim))
    assert names(directory) == {"manifest.json"}


def test_leftovers_of_a_stopped_pruning_are_noted_and_removed(directory):
    layout = Layout(directory)
    manifest, _ = read_manifest(layout)
    next_one = nodes_path(layout, manifest.first_seq, manifest.first_seq + 400)
    next_one.write_bytes(b"x")
    segment = layout.segments / manifest.segments[0].file
    shutil.copy(segment, layout.segments / "0000000000000000-0000000000000028.parquet")
    shutil.copy(segment, layout.segments / f"{manifest.first_seq:016d}-{manifest.first_seq + 1:016d}.parquet")
    report = check(directory)
    assert report.findings == ()
    assert len(report.notes) == 3
    open_ledger(directory, clock=lambda: NOW + 47 * DAY).seal()
    assert not next_one.exists()
    report = check(directory)
    assert (report.findings, report.notes) == ((), ())


def test_an_older_manifest_stops_the_ledger_and_loses_nothing(directory, tmp_path):
    """One of before a merge names segments that are gone: what holds their events now is not removed for it."""
    layout = Layout(directory)
    manifest, data = read_manifest(layout)
    merged = max(manifest.segments, key=lambda segment: segment.events)
    place = manifest.segments.index(merged)
    half = merged.first_seq + merged.events // 2
    parts = [
        msgspec.structs.replace(
            merged, file=f"{first:016d}-{last:016d}.parquet", first_seq=first, last_seq=last, events=last + 1 - first,
            sources=(msgspec.structs.replace(merged.sources[0], events=last + 1 - first),),
        )
        for first, last in ((merged.first_seq, half - 1), (half, merged.last_seq))
    ]  # fmt: skip
    older = msgspec.structs.replace(
        manifest, segments=(*manifest.segments[:place], *parts, *manifest.segments[place + 1 :])
    )
    layout.manifest.write_bytes(sealed_json(older))
    assert {f"segments/{part.file}" for part in parts} | {f"segments/{merged.file}"} <= names(directory)
    layout.manifest.write_bytes(data)
    ledger = open_ledger(directory, clock=lambda: NOW + 47 * DAY)
    layout.manifest.write_bytes(sealed_json(older))
    with pytest.raises(IntegrityError, match="is not listed in manifest"):
        ledger.seal()
    assert (layout.segments / merged.file).exists()
