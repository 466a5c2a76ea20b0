"""An estate that lost a part: what is said, and that nothing is quietly made anew in its place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.support.command import Run, beholden
from tests.support.small_estate import EVENTS, audit_lines, make_estate

WITHOUT_LEDGER = [
    ["who", "--actor", "mortimer"],
    ["ledger", "verify"],
    ["ledger", "status"],
    ["ledger", "seal"],
    ["log", "ingest"],
    ["watch", "reasons"],
    ["init"],
]


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    return make_estate(tmp_path_factory.mktemp("template") / "estate")


@pytest.fixture
def estate(template, tmp_path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "estate"))


def lose_ledger(estate: Path, how: str) -> Path:
    ledger = estate / ".beholden" / "ledger"
    shutil.rmtree(ledger)
    if how == "emptied":
        ledger.mkdir()
    return ledger


@pytest.mark.parametrize("how", ["removed", "emptied"])
def test_a_lost_ledger_is_an_integrity_failure(estate, how):
    ledger = lose_ledger(estate, how)
    for command in WITHOUT_LEDGER:
        line = beholden(estate, *command).refused(5)
        assert line.startswith(f"ledger {ledger}: is gone, with {EVENTS} events that log ingest acknowledged"), command
        assert ("beholden init" in line) == (command == ["init"])
        assert list(ledger.iterdir() if ledger.exists() else []) == []


def test_a_lost_ledger_is_missed_without_the_master_key_too(estate):
    lose_ledger(estate, "removed")
    (estate / ".beholden" / "master.key").unlink()
    assert "is gone, with 12 events" in beholden(estate, "ledger", "verify").refused(5)


def test_a_ledger_that_is_lost_for_good_is_begun_anew_as_init_says(estate):
    lose_ledger(estate, "removed")
    assert "see: beholden init --help" in beholden(estate, "init").refused(5)
    assert "move the state (.beholden/state.db) away" in " ".join(beholden(estate, "init", "--help").out.split())
    (estate / ".beholden" / "state.db").rename(estate / "old.db")
    beholden(estate, "init", ok=True)
    beholden(estate, "scan", ok=True)
    assert beholden(estate, "log", "ingest", "--json", ok=True).items[0]["events_new"] == EVENTS
    assert beholden(estate, "ledger", "verify", "--json", ok=True).items == []


def test_a_ledger_that_never_held_events_is_made(tmp_path):
    beholden(tmp_path, "init", ok=True)
    shutil.rmtree(tmp_path / ".beholden" / "ledger")
    assert "there is no ledger" in beholden(tmp_path, "ledger", "status").refused(1)
    beholden(tmp_path, "init", ok=True)
    assert beholden(tmp_path, "ledger", "status", "--json", ok=True).items[0]["events"] == 0


def test_without_a_state_a_ledger_that_is_not_there_is_not_missed(estate):
    lose_ledger(estate, "removed")
    (estate / ".beholden" / "state.db").unlink()
    assert "there is no ledger" in beholden(estate, "ledger", "verify").refused(1)
    beholden(estate, "init", ok=True)


def warnings(run: Run) -> list[str]:
    return [line for line in run.err.splitlines() if "the vault was gone" in line]


def test_a_lost_vault_is_made_anew_and_said(estate):
    beholden(estate, "vault", "backup", "vault.backup", ok=True)
    (estate / "more.csv").write_text(audit_lines(3, first=500))
    beholden(estate, "log", "ingest", "--format", "pgaudit-csv", "--store", "crm", "more.csv", ok=True)
    (estate / ".beholden" / "vault.db").unlink()
    (line,) = warnings(beholden(estate, "init", ok=True))
    assert line == (
        f"the vault was gone and is empty now: the people of the {EVENTS + 3} events on record stay unnamed unless its "
        "backup is brought back with: beholden vault restore FILE"
    )
    assert warnings(beholden(estate, "init", ok=True)) == []
    beholden(estate, "vault", "restore", "vault.backup", ok=True)
    assert len(beholden(estate, "who", "--actor", "mortimer", "--events", "--json", ok=True).items) == EVENTS + 3


def test_a_new_vault_beside_an_empty_ledger_is_nothing_to_speak_of(tmp_path):
    assert warnings(beholden(tmp_path, "init", ok=True)) == []
    (tmp_path / ".beholden" / "vault.db").unlink()
    assert warnings(beholden(tmp_path, "init", ok=True)) == []
