"""A writer is killed at a seeded point; nothing it acknowledged is lost, nothing is doubled, the ledger opens."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.ledger import SIGNER, all_rows, events, open_ledger, uid_of
from tests.support.ledger_child import SEGMENT_EVENTS_MAX, STEP, SteppingDisk, write_all

from beholden.ledger.verify import verify

ROOT = Path(__file__).parents[2]
STOP = 9 * STEP


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """How many durable steps the whole of the work has."""
    disk = SteppingDisk(lambda _step, _file, _data: None)
    write_all(tmp_path_factory.mktemp("whole") / "ledger", 0, STOP, disk, lambda _line: None)
    return disk.steps


def survive(directory, kill_at, seed):
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.ledger_child", directory, "0", str(STOP), str(kill_at), str(seed)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == -9, done.stderr
    acknowledged = max((int(line.split()[1]) for line in done.stdout.splitlines()), default=0)
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


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 300))
def test_two_hundred_kills_lose_and_double_nothing(tmp_path, steps, seed):
    survive(tmp_path / "ledger", random.Random(seed).randrange(steps), seed)
