"""Every command that answers does so in the contract's form: tried on a small estate, checked against its schema."""

from __future__ import annotations

import csv
import io
import os
import pty
import re
import select
import shutil
import subprocess
import sys
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner
from tests.support.command import Run, beholden
from tests.support.small_estate import EVENTS, audit_lines, make_estate

from beholden.cli import cli
from beholden.cli.schemas import answer_type, column_names

#: Command -> noun and arguments of each of its answers.
ANSWERS: dict[str, list[tuple[str, list[str]]]] = {
    "store list": [("stores", [])],
    "store test": [("stores", [])],
    "scan": [("coverage", [])],
    "map fields": [("fields", []), ("fields", ["--class", "health"])],
    "map where": [("where", ["email"]), ("where", ["health"])],
    "map dataset": [("fields", ["crm/main.customer"])],
    "map zones": [("zones", [])],
    "map coverage": [("coverage", [])],
    "log formats": [("log-formats", [])],
    "log ingest": [("ingested", [])],
    "log status": [("ingested", [])],
    "feed check": [("feeds", [])],
    "who": [
        ("who", ["--actor", "mortimer"]),
        ("who", ["--subject", "customer:71830456"]),
        ("who-events", ["--class", "email", "--events"]),
        ("who-dossier", ["--class", "email", "--dossier"]),
        ("who-dossier", ["--actor", "nobody", "--dossier"]),
        ("who", ["--actor", "nobody"]),
    ],
    "watch reasons": [("reasons", []), ("unexplained", ["--events"])],
    "ledger prove": [("ledger-proof", ["3"])],
    "ledger status": [("ledger-status", [])],
    "ledger verify": [("ledger-verify", [])],
    "ledger prune": [("ledger-prune", ["--dry-run"]), ("ledger-prune", [])],
    "ledger hold list": [("ledger-holds", []), ("ledger-holds", ["--all"])],
    "vault status": [("vault", [])],
    "vault forget": [("forgotten", ["customer:424242", "--reason", "asked"])],
    "upgrade": [("upgrade", ["--check"])],
}
CASES = [(command, noun, arguments) for command, answers in ANSWERS.items() for noun, arguments in answers]


def ask(estate: Path, *arguments: str, **environment: str) -> Run:
    """Run a command within this process, which knows all modules already; it must succeed."""
    done = CliRunner().invoke(cli, ["--estate", str(estate), *arguments], env=environment)
    assert done.exit_code == 0, (done.stderr, done.exception)
    return Run(done.exit_code, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def estate(tmp_path_factory) -> Path:
    made = make_estate(tmp_path_factory.mktemp("answers") / "estate")
    with (made / "beholden.toml").open("a") as file:
        file.write('\n[[zone]]\nname = "vault"\nonly_here = ["email"]\n')
    return made


def commands_with(option: str) -> set[str]:
    """Every command that takes an option."""
    found = set()

    def walk(group: click.Group, path: list[str]) -> None:
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if isinstance(command, click.Group):
                walk(command, [*path, name])
            elif command is not None and any(option in param.opts for param in command.params):
                found.add(" ".join([*path, name]))

    walk(cli, [])
    return found


def test_every_command_that_answers_is_tried_here():
    assert commands_with("--json") == commands_with("--csv") == set(ANSWERS)


@pytest.mark.parametrize(("command", "noun", "arguments"), CASES, ids=str)
def test_json_and_csv_are_what_the_schema_says(estate, command, noun, arguments):
    text = ask(estate, *command.split(), *arguments, "--json").out
    answer = msgspec.json.decode(text, type=answer_type(noun))
    assert msgspec.json.decode(msgspec.json.encode(answer)) == msgspec.json.decode(text)  # no key beyond the type's
    table = list(csv.reader(io.StringIO(ask(estate, *command.split(), *arguments, "--csv").out)))
    assert table[0] == column_names(noun)
    assert len(table) == 1 + len(msgspec.json.decode(text)["items"])


def test_times_in_json_are_rfc_3339(estate):
    for arguments in (["ledger", "status"], ["vault", "status"], ["who", "--actor", "mortimer", "--events"]):
        for item in ask(estate, *arguments, "--json").items:
            times = [value for key, value in item.items() if re.search("time|first|last|created", key) and value]
            assert times
            assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", value) for value in times)


@pytest.mark.parametrize("width", [80, 160])
def test_tables_can_be_read_on_a_terminal_of_that_width(estate, width):
    for arguments in (["who", "--actor", "mortimer"], ["map", "fields"], ["ledger", "status"], ["log", "status"]):
        run = ask(estate, *arguments, COLUMNS=str(width))
        assert max(map(len, run.out.splitlines())) <= width
        assert len(run.out.splitlines()) > 1
    assert "2026-11-20T00:00:12" in ask(estate, "who", "--actor", "mortimer", COLUMNS="80").out


def test_a_scan_ends_with_what_it_found(estate):
    said = beholden(estate, "scan", ok=True).err
    assert re.search(r"^fields with personal data: .*email 1", said, re.MULTILINE)
    assert re.search(r"^next: beholden map where \w+ \(or: map fields, map zones\)$", said, re.MULTILINE)
    elsewhere = ask(estate, "scan").err
    assert f"next: beholden --estate {estate} map where" in elsewhere


def test_a_class_that_is_not_found_is_answered_with_those_that_are(estate):
    run = ask(estate, "map", "where", "health")
    assert re.match(r"no scanned dataset holds health; found so far: .*email 1", run.out)


def test_an_actor_whom_no_log_names_is_said(estate):
    said = ask(estate, "who", "--actor", "mortimer", "--actor", "mortimor").err
    assert "unknown: actor: no log read so far names the actor asked about; check how the logs write it (1)" in said
    assert "mortimor" not in said
    assert "names the actor" not in ask(estate, "who", "--actor", "mortimer").err


def test_many_files_of_one_log_are_one_row(estate):
    directory = estate / "many"
    directory.mkdir()
    for number in range(10):
        (directory / f"{number}.csv").write_text(audit_lines(2, first=5000 + 10 * number))
    options = ("--format", "pgaudit-csv", "--path", "many/*.csv", "--store", "crm")
    assert "10 files so far" in ask(estate, "log", "add", "many", *options).err
    lines = ask(estate, "log", "ingest", "many").out.splitlines()
    assert [line.split() for line in lines[1:]] == [["many", "10", "files", "20", "20", "-", "-", "20", "0"]]
    assert len(ask(estate, "log", "ingest", "many", "--json").items) == 10


def test_a_restore_says_what_it_did(estate):
    backup = str(estate / "vault.backup")
    assert "no backup was ever made" in ask(estate, "vault", "status").err
    ask(estate, "vault", "backup", backup)
    assert "no backup was ever made" not in ask(estate, "vault", "status").err
    assert "knows" in beholden(estate, "vault", "restore", backup).refused(2)
    said = ask(estate, "vault", "restore", backup, "--replace").err
    people = len(ask(estate, "who", "--actor", "mortimer", "--events", "--json").items)
    assert people >= EVENTS
    assert re.search(r"^\d+ people restored from the backup of \d{4}-\d\d-\d\dT", said)
    assert "0 stay forgotten, 0 of them forgotten after the backup was made" in said
    assert "erasures" not in said
    (estate / ".beholden" / "vault.db").unlink()
    said = ask(estate, "vault", "restore", backup).err
    assert "erasures" not in said  # the ledger has them
    (estate / ".beholden" / "vault.db").unlink()
    shutil.move(estate / ".beholden" / "ledger", estate / "elsewhere")
    said = ask(estate, "vault", "restore", backup).err
    shutil.move(estate / "elsewhere", estate / ".beholden" / "ledger")
    assert "neither a vault nor a ledger was there to read erasures from" in said


def on_terminal(directory: Path, *arguments: str) -> str:
    """What a command writes to a terminal."""
    main, side = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "beholden", *arguments],
        cwd=directory, stdin=subprocess.DEVNULL, stdout=side, stderr=side,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    ) as process:  # fmt: skip
        os.close(side)
        text = b""
        while process.poll() is None or select.select([main], [], [], 0)[0]:
            if select.select([main], [], [], 0.1)[0]:
                try:
                    text += os.read(main, 65536)
                except OSError:  # the other side is closed
                    break
        process.wait(60)
    os.close(main)
    assert process.returncode == 0, text
    return text.decode()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scan"], "scanning"),
        (["log", "ingest"], "reading"),
        (["demo", "--build-only", "--out", "small", "--scale", "0.001", "--days", "1"], "building Meridian"),
    ],
    ids=["scan", "log ingest", "demo"],
)
def test_progress_is_shown_on_a_terminal_and_nowhere_else(estate, arguments, words):
    assert words in on_terminal(estate, *arguments)
    if arguments[0] != "demo":  # it would not build into the same place again
        run = beholden(estate, *arguments, ok=True)
        assert words not in run.out + run.err
        assert "\x1b" not in run.out + run.err
