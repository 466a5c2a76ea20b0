"""Commands that are stopped in the middle: no room, killed, two at once. Nothing is lost, nothing is half-written."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import Run, beholden, little_room, start
from tests.support.small_estate import EVENTS, PLANTED, audit_lines, make_estate

#: Records of the large log: several batches, so that a reading can be stopped between them.
RECORDS = 17_000
TOTAL = EVENTS + RECORDS


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    """An estate, and beside it a log that was not read yet."""
    estate = make_estate(tmp_path_factory.mktemp("template") / "estate")
    (estate / "large.csv").write_text(audit_lines(RECORDS, first=1000))
    return estate


@pytest.fixture
def estate(template, tmp_path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "estate"))


INGEST = ("log", "ingest", "--format", "pgaudit-csv", "--store", "crm", "large.csv")


def status(estate: Path) -> dict[str, int]:
    row: dict[str, int] = beholden(estate, "ledger", "status", "--json", ok=True).items[0]
    return row


def check_whole(estate: Path) -> None:
    """Every event once, sealed, and the record verifies."""
    beholden(estate, *INGEST, ok=True)
    beholden(estate, "ledger", "seal", ok=True)
    row = status(estate)
    assert (row["events"], row["sealed"]) == (TOTAL, TOTAL)
    assert "verified" in beholden(estate, "ledger", "verify", ok=True).err


def refused_for_room(run: Run) -> str:
    """One of the ways of saying that there was no room."""
    assert run.code in {1, 4}
    line = run.refused(run.code)
    assert [value for value in PLANTED if value in run.err.lower()] == []
    return line


@pytest.mark.parametrize("room_bytes", [1_200_000, 60_000])
def test_ingest_without_room_is_repeated_when_there_is_some(estate, room_bytes):
    refused_for_room(beholden(estate, *INGEST, before=little_room(room_bytes)))
    assert status(estate)["events"] < TOTAL
    check_whole(estate)


def test_seal_without_room_is_repeated_when_there_is_some(estate):
    beholden(estate, *INGEST, ok=True)
    line = refused_for_room(beholden(estate, "ledger", "seal", before=little_room(100_000)))
    assert "all events are kept in the write-ahead log" in line.lower()
    assert status(estate)["events"] == TOTAL
    check_whole(estate)


@pytest.mark.parametrize("room_bytes", [100, 4_000, 70_000])
def test_init_without_room_is_repeated_when_there_is_some(tmp_path, room_bytes):
    run = beholden(tmp_path, "init", before=little_room(room_bytes))
    run.refused(run.code)
    assert not list(tmp_path.glob("*.new"))
    beholden(tmp_path, "init", ok=True)
    beholden(tmp_path, "ledger", "verify", ok=True)


def test_scan_without_room_is_repeated_when_there_is_some(tmp_path):
    database = sqlite3.connect(tmp_path / "wide.db")
    for number in range(20):
        database.execute(f"create table t{number} ({', '.join(f'email_{i}' for i in range(12))})")
    database.close()
    beholden(tmp_path, "init", ok=True)
    beholden(tmp_path, "store", "add", "wide", "sqlite:///wide.db", ok=True)
    refused = beholden(tmp_path, "scan", before=little_room(100_000))
    assert refused.code in {1, 4}
    assert "disk" in refused.err
    run = beholden(tmp_path, "scan", "--json", ok=True)
    assert (run.items[0]["scanned"], run.items[0]["fields"], run.unknown) == (20, 240, [])


def test_declaring_without_room_changes_nothing(estate):
    before = (estate / "beholden.toml").read_text()
    line = refused_for_room(beholden(estate, "store", "add", "x", "file:.", before=little_room(100)))
    assert line.endswith("beholden.toml: cannot be changed (File too large)")
    assert (estate / "beholden.toml").read_text() == before
    assert not list(estate.glob("*.new"))


def test_two_declarations_at_once_are_both_kept(estate):
    with (
        start(estate, "store", "add", "one", "file:.") as first,
        start(estate, "store", "add", "two", "file:.") as second,
    ):
        assert (first.wait(60), second.wait(60)) == (0, 0)
    stores = {row["store"] for row in beholden(estate, "store", "list", "--json", ok=True).items}
    assert stores == {"crm", "one", "two"}


def kill_when(estate: Path, condition, *arguments: str) -> None:
    """Start a command and kill it as soon as the condition holds."""
    with start(estate, *arguments) as process:
        deadline = time.monotonic() + 60
        while not condition():
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert process.returncode == -signal.SIGKILL


def test_ingest_that_is_killed_is_repeated(estate):
    wal = estate / ".beholden" / "ledger" / "wal"
    kill_when(estate, lambda: any(path.stat().st_size > 0 for path in wal.glob("*")), *INGEST)
    said = beholden(estate, "log", "status", "--json", ok=True)
    assert [gap["reason"] for gap in said.unknown] == ["this reading was stopped before its end; read it again"]
    kept = status(estate)["events"]
    assert EVENTS <= kept < TOTAL
    run = beholden(estate, *INGEST, "--json", ok=True)
    assert (run.items[0]["events_known"], run.items[0]["events_new"]) == (kept - EVENTS, TOTAL - kept)
    check_whole(estate)


@pytest.fixture
def heeded() -> Iterator[None]:
    """Control-C counts again: whatever was started in the background of a shell ignores it, and hands that on."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
def test_control_c_is_one_line_and_keeps_what_was_finished(estate):
    wal = estate / ".beholden" / "ledger" / "wal"
    with start(estate, *INGEST) as process:
        while not any(path.stat().st_size > 0 for path in wal.glob("*")):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.strip()) == (130, "", "beholden: stopped; what was finished is kept")
    assert status(estate)["events"] > EVENTS
    check_whole(estate)


def test_seal_that_is_killed_is_repeated(estate):
    beholden(estate, *INGEST, ok=True)
    segments = estate / ".beholden" / "ledger" / "segments"
    before = set(segments.iterdir())
    kill_when(estate, lambda: set(segments.iterdir()) != before, "ledger", "seal")
    assert status(estate)["events"] == TOTAL
    check_whole(estate)


def test_a_scan_that_is_killed_goes_on_where_it_was(estate):
    state = estate / ".beholden" / "state.db-wal"
    kill_when(estate, lambda: state.exists() and state.stat().st_size > 0, "scan", "--restart")
    run = beholden(estate, "scan", "--json", ok=True)
    assert (run.items[0]["scanned"], run.unknown) == (2, [])


def test_two_readings_of_one_file_at_once_keep_each_event_once(estate):
    with start(estate, *INGEST, "--json") as first, start(estate, *INGEST, "--json") as second:
        runs = [(process.communicate(timeout=120), process.returncode) for process in (first, second)]
    assert [code for _, code in runs] == [0, 0], runs
    check_whole(estate)
