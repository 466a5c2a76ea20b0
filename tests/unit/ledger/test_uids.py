"""Known events stay known, whatever befalls the runs they are known by; and no others are."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from tests.support.ledger import SIGNER, batch_of, event, events, open_ledger
from tests.unit.ledger.test_disk_full import FullDisk

from beholden.ledger import uids
from beholden.ledger.files import Disk
from beholden.ledger.manifest import Manifest
from beholden.ledger.uid_runs import Entries, open_run, run_name, run_range, write_run
from beholden.ledger.uids import chosen_runs
from beholden.ledger.verify import verify

STEP = 7


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "ledger"


@pytest.fixture(autouse=True)
def three_runs_become_one(monkeypatch):
    monkeypatch.setattr(uids, "_FAN_IN", 3)


def grow(directory, seals, **options):
    ledger = open_ledger(directory, **options)
    for start in range(0, seals * STEP, STEP):
        ledger.append(events(start, start + STEP))
        ledger.seal()
    return ledger


def runs(directory):
    return sorted(run_range(path.name) for path in (directory / "uids").glob("*.uids"))


def assert_known(directory, count, ledger=None):
    """By the writer that is open and by another."""
    for writer in (ledger, open_ledger(directory)) if ledger else (open_ledger(directory),):
        keys = [*(event(i) for i in range(count)), event(0, "web"), event(count)]
        known = writer.append(batch_of(keys[:count])).known
        assert known == count
        before = writer.tables().next_seq
        assert writer.append(batch_of(keys)).new == count + 2 - before if before > count else 2


def test_runs_of_one_size_become_one_and_cover_all(directory):
    ledger = grow(directory, 14)
    found = runs(directory)
    assert len(found) < 6
    assert [first for first, _ in found] == [0, *(last + 1 for _, last in found[:-1])]
    assert found[-1][1] == 14 * STEP - 1
    assert verify(directory, key=SIGNER).findings == ()
    assert_known(directory, 14 * STEP, ledger)


@pytest.mark.parametrize("which", [0, 1, -1])
@pytest.mark.parametrize("damage", ["gone", "cut", "flipped", "foreign"])
def test_a_run_that_is_damaged_is_made_again(directory, which, damage):
    ledger = grow(directory, 11)
    assert len(runs(directory)) > 2
    path = directory / "uids" / run_name(*runs(directory)[which])
    data = path.read_bytes()
    foreign = sorted((directory / "uids").glob("*.uids"))[which - 1].read_bytes()
    path.unlink()
    broken = {"cut": data[:-3], "flipped": data[:90] + bytes([data[90] ^ 1]) + data[91:], "foreign": foreign}
    if damage in broken:
        path.write_bytes(broken[damage])
        assert [finding.object for finding in verify(directory, key=SIGNER).findings] == [f"uids/{path.name}"]
    else:
        assert [note.object for note in verify(directory, key=SIGNER).notes] == [f"uids/{path.name}"]
    assert_known(directory, 11 * STEP, ledger)
    report = verify(directory, key=SIGNER)
    assert (report.findings, report.notes) == ((), ())


def test_a_run_made_whole_with_other_uids_is_named(directory):
    grow(directory, 2)
    path = directory / "uids" / run_name(*runs(directory)[0])
    right = open_run(path).entries
    low = right.low.copy()
    low[3] ^= 1
    for wrong in (
        Entries(right.high, low, right.code, right.sources),
        Entries(right.high, right.low, right.code, ("web",)),
        Entries(np.sort(right.high ^ np.uint64(1 << 60)), right.low, right.code, right.sources),
    ):
        write_run(Disk(), path, [wrong])
        assert [finding.object for finding in verify(directory, key=SIGNER).findings] == [f"uids/{path.name}"]


def test_what_a_stopped_merge_left_is_removed(directory):
    grow(directory, 2)
    left = directory / "left"
    shutil.copytree(directory / "uids", left)
    grow(directory, 3)
    assert len(runs(directory)) == 1
    for path in left.iterdir():
        shutil.copy(path, directory / "uids" / path.name)
    report = verify(directory, key=SIGNER)
    assert (report.findings, {note.object for note in report.notes}) == (
        (),
        {path.relative_to(directory).as_posix() for path in (*left.iterdir(), *(directory / "uids" / p.name for p in left.iterdir()))},
    )  # fmt: skip
    assert_known(directory, 3 * STEP)
    assert not {path.name for path in left.glob("*.uids")} & {path.name for path in (directory / "uids").iterdir()}


def test_an_unknown_source_and_uids_that_begin_alike_are_told_apart(directory):
    ledger = open_ledger(directory)
    alike = [event(i, source, uid=bytes(8) + i.to_bytes(2, "big")) for i in range(20) for source in ("crm", "web")]
    for start in range(0, 40, 4):
        ledger.append(batch_of(alike[start : start + 4]))
        ledger.seal()
    assert ledger.append(batch_of(alike)).known == 40
    others = [event(i, "hr", uid=bytes(8) + i.to_bytes(2, "big")) for i in range(20)]
    assert open_ledger(directory).append(batch_of(others)).new == 20


def test_without_room_for_a_run_events_stay_known(directory):
    grow(directory, 2)
    for step in range(60):
        copy = directory.parent / str(step)
        shutil.copytree(directory, copy)
        disk = FullDisk(None)
        ledger = open_ledger(copy, disk=disk)
        ledger.append(events(2 * STEP, 3 * STEP))
        steps = disk.steps
        disk.fails_at = steps + step
        try:
            ledger.seal()
        except Exception as error:  # noqa: BLE001 - what it says is test_disk_full's
            assert "disk is full" in str(error)  # noqa: PT017 - it need not be raised
        disk.fails_at = None
        assert_known(copy, 3 * STEP, ledger)
        assert verify(copy, key=SIGNER).findings == ()
        shutil.rmtree(copy)
        if disk.steps < steps + step:
            break


def test_runs_outlive_segments_that_were_removed_or_merged():
    manifest = Manifest(first_seq=100, next_seq=1000)
    assert chosen_runs([(0, 49), (50, 199), (200, 999), (200, 299), (1000, 1001)], manifest) == [(50, 199), (200, 999)]
    assert chosen_runs([(0, 99), (990, 1000)], manifest) == []
