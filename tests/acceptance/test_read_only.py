"""An estate that can only be read: copied for an auditor, mounted read-only, or on a disk without room."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.command import beholden, few_rights, little_room
from tests.support.small_estate import PLANTED, audit_lines, make_estate

READING = [
    ["who", "--actor", "mortimer", "--json"],
    ["who", "--subject", "customer:71830456", "--events", "--json"],
    ["map", "fields", "--json"],
    ["map", "where", "email", "--json"],
    ["map", "dataset", "crm/main.customer", "--json"],
    ["map", "zones", "--json"],
    ["map", "coverage", "--json"],
    ["watch", "reasons", "--json"],
    ["watch", "reasons", "--events", "--json"],
    ["ledger", "status", "--json"],
    ["ledger", "verify", "--json"],
    ["log", "status", "--json"],
    ["vault", "status", "--json"],
    ["store", "list", "--json"],
    ["feed", "check", "--json"],
]
WRITING = [
    ["scan"],
    ["log", "ingest"],
    ["ledger", "seal"],
    ["store", "add", "x", "file:x"],
    ["log", "add", "x", "--format", "ocsf", "--path", "x"],
    ["feed", "add", "x", "contacts.csv", "--kind", "contact", "--actor", "agent", "--subject", "customer:customer"],
]


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    """An estate with events that are sealed and events that are not."""
    estate = make_estate(tmp_path_factory.mktemp("template") / "estate")
    (estate / "more.csv").write_text(audit_lines(3, first=500))
    beholden(estate, "log", "ingest", "--format", "pgaudit-csv", "--store", "crm", "more.csv", ok=True)
    return estate


@pytest.fixture(scope="module")
def answers(template) -> dict[str, str]:
    """What the estate says while it can be written to."""
    return {" ".join(command): timeless(beholden(template, *command, ok=True).out) for command in READING}


@pytest.fixture
def estate(template, tmp_path) -> Iterator[Path]:
    estate = Path(shutil.copytree(template, tmp_path / "estate"))
    yield estate
    for path in (estate, *estate.rglob("*")):
        path.chmod(path.stat().st_mode | 0o700)


def timeless(out: str) -> str:
    """Without how long ago something was looked at."""
    return re.sub(r'"age_s": \d+', "", out)


def freeze(estate: Path) -> None:
    """Take away every right to write; skip where this user needs none."""
    for path in (estate, *estate.rglob("*")):
        path.chmod(path.stat().st_mode & 0o555)
    tried = subprocess.run(
        [sys.executable, "-c", "import sys; open(sys.argv[1], 'w')", str(estate / "new")],
        preexec_fn=few_rights, check=False, capture_output=True,
    )  # fmt: skip
    if tried.returncode == 0:
        pytest.skip("rights on files do not bind this user, who cannot give them up")


def files(estate: Path) -> dict[str, bytes]:
    return {os.fspath(path): path.read_bytes() for path in estate.rglob("*") if path.is_file()}


def test_every_question_is_answered_as_before(estate, answers):
    freeze(estate)
    before = files(estate)
    for command in READING:
        run = beholden(estate, *command, before=few_rights, ok=True)
        assert timeless(run.out) == answers[" ".join(command)]
    assert files(estate) == before


def test_every_change_is_refused_in_one_line(estate):
    freeze(estate)
    before = files(estate)
    for command in WRITING:
        run = beholden(estate, *command, before=few_rights)
        assert run.refused(1).startswith(f"estate {estate}: is read-only: "), command
        assert [value for value in PLANTED if value in run.err.lower()] == []
    assert "cannot be written to" in beholden(estate, "init", before=few_rights).refused(1)
    assert files(estate) == before


def test_the_vault_is_backed_up_elsewhere_and_not_restored(estate, tmp_path):
    freeze(estate)
    run = beholden(estate, "vault", "backup", str(tmp_path / "a.backup"), before=few_rights, ok=True)
    assert "it does not know of this backup" in run.err
    line = beholden(estate, "vault", "restore", str(tmp_path / "a.backup"), "--replace", before=few_rights).refused(1)
    assert line.startswith(f"estate {estate}: is read-only: vault ")


def test_a_disk_without_any_room(estate, answers):
    """No byte can be written to any file, neither here nor in the directory for temporary ones."""
    for command in (command for command in READING if command[0] in {"who", "watch", "ledger", "vault"}):
        run = beholden(estate, *command, before=little_room(0), ok=True)
        assert timeless(run.out) == answers[" ".join(command)]
    for command in (["scan"], ["log", "ingest"]):
        assert "the disk failed" in beholden(estate, *command, before=little_room(0)).refused(4)
    assert "events are kept" in beholden(estate, "ledger", "seal", before=little_room(0)).refused(4)
    beholden(estate, "ledger", "verify", ok=True)


@pytest.mark.parametrize("room", ["state", "vault"])
def test_a_log_that_was_not_written_back(estate, room):
    """SQLite's own: left by a process that was killed, or by a copy of an estate in use."""
    inside = estate / ".beholden"
    command = ["map", "fields"] if room == "state" else ["vault", "status"]
    kept = estate / "kept"
    kept.mkdir()
    with closing(sqlite3.connect(inside / f"{room}.db")) as database:
        database.execute("create table more (number)")
        database.commit()
        for path in inside.glob(f"{room}.db*"):
            shutil.copy(path, kept)
    for path in kept.iterdir():
        path.replace(inside / path.name)
    freeze(estate)
    beholden(estate, *command, before=few_rights, ok=True)  # with the shared memory beside it the log can be read
    inside.chmod(0o700)
    (inside / f"{room}.db-shm").unlink()
    inside.chmod(0o500)
    line = beholden(estate, *command, before=few_rights).refused(4)
    assert line.startswith(
        f"{room} {inside / room}.db: is read-only, and {room}.db-wal beside it holds changes that were not written back"
    )
