"""A writer is killed at a seeded point; nothing it acknowledged is lost, nothing is doubled, the ledger opens."""

from __future__ import annotations

import random
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from tests.support.ledger import SIGNER, all_rows, events, open_ledger, uid_of
from tests.support.ledger_child import (
    KEEP_STEP,
    POLICY,
    SEGMENT_EVENTS_MAX,
    STEP,
    SteppingDisk,
    keep_all,
    write_all,
)

from beholden.ledger.format import Layout
from beholden.ledger.manifest import read_manifest
from beholden.ledger.own import LEDGER_SOURCE
from beholden.ledger.verify import verify

ROOT = Path(__file__).parents[2]
STOP = 9 * STEP
KEEP_STOP = 26 * KEEP_STEP


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """How many durable steps the whole of the work has."""
    disk = SteppingDisk(lambda _step, _file, _data: None)
    write_all(tmp_path_factory.mktemp("whole") / "ledger", 0, STOP, disk, lambda _line: None)
    return disk.steps


@pytest.fixture(scope="module")
def keep_steps(tmp_path_factory):
    """As `steps`, of work in which segments are merged and pruned: the numbers of those that do one of the two."""
    keeping: list[int] = []

    def look(step, _file, _data):
        if {"compact", "prune"} & {frame.name for frame in traceback.extract_stack()}:
            keeping.append(step)

    disk = SteppingDisk(look)
    directory = tmp_path_factory.mktemp("kept") / "ledger"
    keep_all(directory, 0, KEEP_STOP, disk, lambda _line: None)
    rows = all_rows(open_ledger(directory))
    assert {row["activity"] for row in rows if row["source"] == LEDGER_SOURCE} == {"delete"}
    assert max(segment.events for segment in read_manifest(Layout(directory))[0].segments) > 2 * KEEP_STEP
    return keeping


def kill(directory, stop, kill_at, seed, *work):
    """Work that is killed at a step; returns how many events it acknowledged."""
    arguments = [directory, "0", str(stop), str(kill_at), str(seed), *work]
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.ledger_child", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == -9, done.stderr
    return max((int(line.split()[1]) for line in done.stdout.splitlines()), default=0)


def survive(directory, kill_at, seed):
    acknowledged = kill(directory, STOP, kill_at, seed)
    ledger = open_ledger(directory, segment_events_max=SEGMENT_EVENTS_MAX)
    held = [row["uid"] for row in all_rows(ledger)]
    assert held in ([uid_of(i) for i in range(acknowledged)], [uid_of(i) for i in range(acknowledged + STEP)])
    assert verify(directory, key=SIGNER).findings == ()
    for start in range(0, STOP, STEP):
        ledger.append(events(start, start + STEP))
    ledger.seal()
    assert [row["uid"] for row in all_rows(ledger)] == [uid_of(i) for i in range(STOP)]
    report = verify(directory, key=SIGNER)
    assert (report.findings, report.notes, report.tree_size) == ((), (), STOP)


@pytest.mark.parametrize("seed", range(12))
def test_a_kill_loses_and_doubles_nothing(tmp_path, steps, seed):
    chance = random.Random(seed)
    survive(tmp_path / "ledger", int(steps * (seed + chance.random()) / 12), seed)


def survive_keeping(directory, kill_at, seed):
    """Nothing is lost that was acknowledged and is not past its policy; what is said of prunings is said once."""
    acknowledged = kill(directory, KEEP_STOP, kill_at, seed, "keep")
    held = told_and_held(directory)
    if held:
        end = next(end for end in (acknowledged, acknowledged + KEEP_STEP) if held[-1] == uid_of(end - 1))
        assert held == [uid_of(i) for i in range(end - len(held), end)]
    else:
        end = acknowledged
    past = end // KEEP_STEP - POLICY.keep_days  # days of which every event is past the policy, at most
    assert end - len(held) <= max(0, past * KEEP_STEP)
    assert verify(directory, key=SIGNER).findings == ()
    keep_all(directory, end, KEEP_STOP, SteppingDisk(lambda *_: None), lambda _line: None)
    held = told_and_held(directory)
    assert held == [uid_of(i) for i in range(KEEP_STOP - len(held), KEEP_STOP)]
    assert len(held) < KEEP_STOP
    report = verify(directory, key=SIGNER)
    assert (report.findings, report.notes) == ((), ())


def told_and_held(directory):
    """The uids of events that are not the ledger's own, of which each is there once."""
    rows = all_rows(open_ledger(directory, clock=lambda: 0))
    own = [row["uid"] for row in rows if row["source"] == LEDGER_SOURCE]
    assert len(own) == len(set(own))
    return [row["uid"] for row in rows if row["source"] != LEDGER_SOURCE]


@pytest.mark.parametrize("seed", range(12))
def test_a_kill_while_merging_and_pruning_loses_nothing(tmp_path, keep_steps, seed):
    chance = random.Random(seed)
    survive_keeping(tmp_path / "ledger", keep_steps[int(len(keep_steps) * (seed + chance.random()) / 12)], seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 200))
def test_a_hundred_kills_lose_and_double_nothing(tmp_path, steps, seed):
    survive(tmp_path / "ledger", random.Random(seed).randrange(steps), seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 300))
def test_a_hundred_kills_while_merging_and_pruning_lose_nothing(tmp_path, keep_steps, seed):
    survive_keeping(tmp_path / "ledger", random.Random(seed).choice(keep_steps), seed)
