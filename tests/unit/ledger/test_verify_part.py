"""Verification of a part: it finds what it reads, and says what it did not."""

from __future__ import annotations

import itertools
import random
import shutil
from pathlib import Path

import pytest
from tests.support.ledger import ORIGIN, SIGNER, batch_of, event, events, open_ledger
from tests.support.many import ledger_of

from beholden.core.errors import IntegrityError, UsageError
from beholden.ledger import Ed25519Signer
from beholden.ledger.verify_part import PartReport, escape_chance, verify_sample, verify_since

SIZES = (300, 1000, 1300)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, list[bytes]]:
    directory = tmp_path_factory.mktemp("part") / "ledger"
    return directory, ledger_of(directory, *SIZES)


def since(directory: Path, head: bytes) -> PartReport:
    return verify_since(directory, key=SIGNER, since=head, name="kept")


def objects(report: PartReport) -> list[str]:
    return sorted({finding.object for finding in report.findings})


def test_what_is_new_is_read_and_no_more(made):
    directory, heads = made
    for size, head in zip(SIZES, heads, strict=True):
        report = since(directory, head)
        assert (report.findings, report.events, report.total) == ((), 1300 - size, 1300)
        assert report.note == heads[-1]


def test_with_events_that_wait_and_a_seal_that_was_stopped(tmp_path):
    ledger = open_ledger(tmp_path / "ledger")
    ledger.append(events(0, 300))
    ledger.seal()
    head = (tmp_path / "ledger" / "checkpoint").read_bytes()
    ledger.append(events(300, 700))
    assert since(tmp_path / "ledger", head).events == 0
    stopped = Path(shutil.copytree(tmp_path / "ledger", tmp_path / "stopped"))
    ledger.seal()
    shutil.copytree(tmp_path / "ledger" / "tile", stopped / "tile", dirs_exist_ok=True)
    shutil.copy(tmp_path / "ledger" / "checkpoint", stopped)
    report = since(stopped, head)
    assert (report.findings, report.events) == ((), 400)


@pytest.mark.parametrize("number", range(12))
def test_a_flipped_bit_in_what_is_new_is_found_and_named(made, tmp_path, number):
    directory, heads = made
    chance = random.Random(number)
    copy = Path(shutil.copytree(directory, tmp_path / "copy"))
    file = chance.choice(
        [
            copy / "checkpoint",
            copy / "manifest.json",
            copy / "tile/1/000.p/5",
            *sorted((copy / "segments").iterdir())[1:],
        ]
    )
    data = bytearray(file.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    file.write_bytes(data)
    found = objects(since(copy, heads[0]))
    assert file.relative_to(copy).as_posix() in found, found


def test_a_ledger_that_does_not_continue_the_old_head(made, tmp_path):
    _, heads = made
    for counts, object_ in {(300, 400): "tile", (200,): "checkpoint", (500,): "tile"}.items():
        ledger = open_ledger(tmp_path / f"forged{counts[-1]}")
        for start, stop in itertools.pairwise((0, *counts)):
            ledger.append(batch_of(event(i, "other") for i in range(start, stop)))
            ledger.seal()
        assert objects(since(tmp_path / f"forged{counts[-1]}", heads[0])) == [object_]


def test_a_head_that_is_none_is_no_finding_of_the_ledger(made):
    directory, heads = made
    for head in (b"", heads[0].replace(b"300\n", b"301\n"), b"x" * 99):
        with pytest.raises(IntegrityError) as refused:
            since(directory, head)
        assert refused.value.where == "kept"
    other = verify_since(directory, key=Ed25519Signer(ORIGIN, bytes(32)), since=heads[0], name="kept")
    assert objects(other) == ["checkpoint"]


def test_a_missing_segment_is_named(made, tmp_path):
    directory, heads = made
    for part in ("segments", "tile"):
        copy = Path(shutil.copytree(directory, tmp_path / part))
        shutil.rmtree(copy / part)
        assert objects(since(copy, heads[0]))[0].startswith(part)


def test_a_sample_is_the_same_for_the_same_seed(made):
    report = verify_sample(made[0], key=SIGNER, events=20, seed=7)
    assert (report.findings, report.events, report.total) == ((), 20, 1300)
    everything = verify_sample(made[0], key=SIGNER, events=10**6, seed=7)
    assert everything.events == 1300
    with pytest.raises(UsageError, match="0 is no number of events"):
        verify_sample(made[0], key=SIGNER, events=0, seed=7)


def test_a_sample_finds_an_altered_segment_with_the_chance_it_says(made, tmp_path):
    """Other events in a segment, all else genuine; those who do not draw one of its blocks do not find it."""
    copy = Path(shutil.copytree(made[0], tmp_path / "copy"))
    forged = open_ledger(tmp_path / "forged")
    forged.append(batch_of(event(i, "other") for i in range(300)))
    forged.seal()
    (segment,) = copy.glob("segments/*0000-*0299.parquet")
    alike = next((tmp_path / "forged" / "segments").iterdir())
    assert alike.name == segment.name
    content = alike.read_bytes()
    segment.write_bytes(content)
    assert objects(verify_sample(copy, key=SIGNER, events=5, seed=1)) == [f"segments/{segment.name}"]  # by its size
    from beholden.ledger.files import sealed_json
    from beholden.ledger.format import Layout
    from beholden.ledger.manifest import Manifest, read_manifest

    theirs, ours = read_manifest(Layout(tmp_path / "forged"))[0], read_manifest(Layout(copy))[0]
    manifest = Manifest(next_seq=1300, segments=(theirs.segments[0], *ours.segments[1:]))
    (copy / "manifest.json").write_bytes(sealed_json(manifest))
    missed = 0
    for seed in range(15):
        found = objects(verify_sample(copy, key=SIGNER, events=4, seed=seed))
        assert not found or f"segments/{segment.name}" in found
        missed += not found
    assert 1 <= missed <= 15 * escape_chance(1300, 4, 300) * 1.5


def test_the_chance_is_that_of_drawing_without_replacement():
    assert escape_chance(10, 3, 0) == pytest.approx(1)
    assert escape_chance(10, 3, 1) == pytest.approx(0.7)
    assert escape_chance(10, 3, 2) == pytest.approx(7 / 10 * 6 / 9)
    assert escape_chance(10, 3, 8) == 0
    assert escape_chance(10, 10, 1) == 0
