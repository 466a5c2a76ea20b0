"""Forgetting is killed at every one of its durable steps: nothing is claimed that was not done, nothing done is lost."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.estate import MASTER, rooms_in
from tests.support.forgetting_child import ERASED, REASON, forget, prepare
from tests.support.ledger import NOW, SIGNER, all_rows

from beholden.ledger.forgetting import ERASURES, erased_tokens, tell_erasures
from beholden.ledger.verify import verify
from beholden.state.ingests import ingest_rows
from beholden.vault import ErasureSeals

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    directory: Path = tmp_path_factory.mktemp("prepared") / "rooms"
    directory.mkdir()
    with rooms_in(directory) as rooms:
        prepare(rooms)
    return directory


def child(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.support.forgetting_child", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def steps(prepared, tmp_path_factory) -> int:
    """How many durable steps the whole has."""
    done = child(str(shutil.copytree(prepared, tmp_path_factory.mktemp("whole") / "rooms")))
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def survive(directory: Path, kill_at: int, seed: int) -> None:
    done = child(str(directory), str(kill_at), str(seed))
    assert done.returncode == -9, done.stderr
    with rooms_in(directory) as rooms:
        told = [row for row in all_rows(rooms.ledger) if row["source"] == ERASURES]
        found = rooms.vault.find(ERASED)
        assert len(set(map(bool, found))) == 1  # all of them or nobody
        if told:
            assert not any(found)
        if any(found):
            assert rooms.vault.untold() == []
        else:
            tell_erasures(rooms.vault, rooms.ledger, rooms.state, lambda: NOW)
            assert len([row for row in all_rows(rooms.ledger) if row["source"] == ERASURES]) == 1
        forget(rooms)
        assert rooms.vault.find(ERASED) == [None] * len(ERASED)
        assert rooms.vault.untold() == []
        (event,) = [row for row in all_rows(rooms.ledger) if row["source"] == ERASURES]
        assert event["subject_count"] == len(ERASED)
        gone = erased_tokens(directory / "ledger", SIGNER, ErasureSeals(MASTER))
        assert rooms.vault.forgotten(gone).keys() == gone
        assert {stone.reason for stone in rooms.vault.forgotten(gone).values()} == {REASON}
        assert len(gone) == 2 * len(ERASED)  # and their tickets
        assert sum(row.events_new for row in ingest_rows(rooms.state)) <= 1
        rooms.ledger.seal()
    assert verify(directory / "ledger", key=SIGNER).findings == ()


@pytest.mark.parametrize("seed", range(4))
def test_a_kill_claims_and_loses_nothing(prepared, tmp_path, steps, seed):
    kill_at = int(steps * (seed + random.Random(seed).random()) / 4)
    survive(Path(shutil.copytree(prepared, tmp_path / "rooms")), kill_at, seed)


@pytest.mark.slow
def test_a_kill_at_any_step_claims_and_loses_nothing(prepared, tmp_path, steps):
    for kill_at in range(steps):
        survive(Path(shutil.copytree(prepared, tmp_path / f"rooms{kill_at}")), kill_at, kill_at)
