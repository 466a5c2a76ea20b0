"""Bad input of every kind: one clear line, the exit code of the contract, no trace, no value of a person."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.command import Run, beholden, few_rights, start
from tests.support.postgres import postgres_server
from tests.support.small_estate import EVENTS, PLANTED, audit_lines, make_estate


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    return make_estate(tmp_path_factory.mktemp("template") / "estate")


@pytest.fixture
def estate(template, tmp_path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(template, tmp_path / "estate"))


def no_values(run: Run) -> None:
    assert [value for value in PLANTED if value in run.err.lower()] == []


def change_toml(estate: Path, old: str, new: str) -> None:
    path = estate / "beholden.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


# The estate itself


def test_no_estate_here(tmp_path):
    line = beholden(tmp_path, "scan").refused(1)
    assert line == f"estate at {tmp_path}: no beholden.toml here or in a directory above. Make one with: beholden init"
    gone = tmp_path / "gone"
    assert str(gone) in beholden(tmp_path, "--estate", str(gone), "ledger", "status").refused(1)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "estate"', "name = estate", "line 3"),
        ("[ledger]", "[ledgr]", "line 5: the file: the table has an unknown field `ledgr`"),
        ("keep_days = 2555", 'keep_days = "long"', "line 11: ledger.retention[0].keep_days: expected `int`, got `str`"),
        ("[[feed]]", '[[store]]\nname = "crm"\nurl = "file:x"\n[[feed]]', "store[1].name: is declared twice"),
        (
            'path = "audit.csv"',
            'path = "audit.csv"\ntime_zone = "Mars/Olympus"',
            "time_zone: 'Mars/Olympus' is unknown",
        ),
        ('store = "crm"', 'store = "crn"', "log[0].store: store 'crn' is not declared; expected crm"),
        ('format = "pgaudit-csv"', 'format = "mapped"', "format 'mapped' needs a mapping"),
    ],
)
def test_a_broken_beholden_toml_names_the_line(estate, old, new, words):
    change_toml(estate, old, new)
    line = beholden(estate, "log", "status").refused(2)
    assert line.startswith("beholden.toml")
    assert words in line


def test_a_beholden_toml_that_is_not_text(estate):
    (estate / "beholden.toml").write_bytes(b"\xff\xfe\x00")
    assert "is not UTF-8 text" in beholden(estate, "scan").refused(2)


def test_a_state_made_by_a_newer_program(estate):
    with sqlite3.connect(estate / ".beholden" / "state.db") as database:
        database.execute("update alembic_version set version_num = '9999'")
    database.close()
    run = beholden(estate, "map", "fields")
    assert run.code in {1, 4}
    assert "state.db: was written by a newer version of beholden" in run.refused(run.code)


def test_a_vault_made_by_a_newer_program(estate):
    with sqlite3.connect(estate / ".beholden" / "vault.db") as database:
        database.execute("update vault_meta set format = 99")
    database.close()
    run = beholden(estate, "who", "--actor", "anna")
    assert run.code in {1, 4}
    assert "vault.db: was written by a newer version of beholden (vault format 99)" in run.refused(run.code)


def test_a_ledger_made_by_a_newer_program(estate):
    path = estate / ".beholden" / "ledger" / "ledger.json"
    body = json.loads(path.read_text())["body"] | {"format": 99}
    raw = json.dumps(body, separators=(",", ":")).encode()
    path.write_bytes(b'{"body":' + raw + b',"sha256":"' + hashlib.sha256(raw).hexdigest().encode() + b'"}\n')
    assert "ledger.json: written by a newer format, 99; expected at most" in beholden(
        estate, "ledger", "status"
    ).refused(1)


def test_a_lost_master_key_is_not_replaced(estate):
    key = estate / ".beholden" / "master.key"
    kept = key.read_bytes()
    key.unlink()
    for arguments in (["who", "--actor", "anna"], ["ledger", "status"], ["init"]):
        line = beholden(estate, *arguments).refused(1)
        assert f"master key {key}: does not exist. Bring it back from its own backup" in line
    assert [gap["object"] for gap in beholden(estate, "ledger", "verify", "--json", ok=True).unknown] == ["key.pub"]
    assert not key.exists()
    key.write_bytes(kept)
    key.chmod(0o600)
    beholden(estate, "ledger", "verify", ok=True)


def test_a_wrong_master_key(estate):
    key = estate / ".beholden" / "master.key"
    key.write_text("00" * 32 + "\n")
    assert "this master key does not belong to it" in beholden(estate, "vault", "status").refused(4)
    for command in (("ledger", "verify"), ("ledger", "seal"), ("who", "--class", "email")):  # no word of a forger
        assert "this master key does not belong to it" in beholden(estate, *command).refused(4)
    key.write_text("not a key\n")
    line = beholden(estate, "vault", "status").refused(2)
    assert "does not hold a key; expected 32 bytes as 64 hex digits" in line
    assert "not a key\n" not in line


def test_people_met_after_the_backup_that_was_restored_are_unknown_and_not_forgotten(estate):
    beholden(estate, "vault", "backup", "old.backup", ok=True)
    (estate / "late.csv").write_text(audit_lines(2, first=30, user="quillfeather"))
    beholden(estate, "log", "ingest", "--format", "pgaudit-csv", "--store", "crm", "late.csv", ok=True)
    assert "shown as unknown" in beholden(estate, "vault", "restore", "old.backup", "--replace", ok=True).err
    rows = beholden(estate, "watch", "reasons", "--events", "--json", ok=True).items
    lost = [row["subject"] for row in rows if not row["subject"].startswith("customer:")]
    assert len(lost) == 2
    actors = {row["actor"] for row in beholden(estate, "who", "--class", "email", "--json", ok=True).items}
    for name in (*lost, *(actor for actor in actors if actor.startswith(("unknown", "forgotten")))):
        assert name.startswith("unknown (not in the vault: restored from a backup made at 20")


def test_a_master_key_that_others_can_read(estate):
    key = estate / ".beholden" / "master.key"
    key.chmod(0o644)
    line = beholden(estate, "vault", "status").refused(4)
    assert line.endswith(f"expected mode 0600. Run: chmod 600 {key}")
    key.chmod(0o640)
    run = beholden(estate, "vault", "status", ok=True)
    assert f"advice: master key {key} may be accessed by its group (mode 0640); run: chmod 600 {key}\n" in run.err


def test_an_estate_that_cannot_be_written(estate):
    paths = [estate, *estate.rglob("*")]
    before = {path: path.read_bytes() for path in paths if path.is_file()}
    for path in paths:
        path.chmod(path.stat().st_mode & 0o500)
    try:
        for arguments in (["scan"], ["log", "ingest"], ["ledger", "seal"], ["store", "add", "x", "file:x"]):
            run = beholden(estate, *arguments, before=few_rights)
            assert run.code != 0
            run.refused(run.code)
            no_values(run)
    finally:
        for path in paths:
            path.chmod(path.stat().st_mode | 0o600)
    assert {path: path.read_bytes() for path in estate.rglob("*") if path.is_file()} == before
    beholden(estate, "ledger", "verify", ok=True)


def test_an_estate_below_what_is_not_a_directory(tmp_path):
    (tmp_path / "file").write_text("x")
    line = beholden(tmp_path, "init", "file/estate").refused(2)
    assert line == f"{tmp_path}/file/estate: cannot be written (Not a directory). Choose another directory"


def test_a_directory_without_rights(tmp_path):
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o000)
    try:
        assert "ermission denied" in beholden(tmp_path, "init", "shut/estate", before=few_rights).refused(2)
        assert "ermission denied" in beholden(tmp_path, "--estate", "shut", "scan", before=few_rights).refused(1)
    finally:
        shut.chmod(0o700)


# Stores


def test_stores_that_cannot_be_read_do_not_hide_the_others(estate):
    (estate / "text.db").write_text("this is no database " * 200)
    (estate / "shut").mkdir()
    (estate / "shut" / "a.csv").write_text("email\nvashti@mail1.example\n")
    (estate / "shut").chmod(0o000)
    tables = {
        "missing": "sqlite:///nowhere.db",
        "text": "sqlite:///text.db",
        "unreachable": "postgresql://reader:hunter2@127.0.0.1:1/shop",
        "shut": "file:shut",
    }
    text = "".join(f'\n[[store]]\nname = "{name}"\nurl = "{url}"\n' for name, url in tables.items())
    (estate / "beholden.toml").write_text(text + (estate / "beholden.toml").read_text())
    try:
        run = beholden(estate, "scan", "--restart", "--json", before=few_rights)
    finally:
        (estate / "shut").chmod(0o700)
    assert run.code == 4
    rows = {row["store"]: row for row in run.items}
    assert (rows["crm"]["reachable"], rows["crm"]["scanned"], rows["crm"]["failed"]) == (True, 2, 0)
    reasons = {gap["object"]: gap["reason"] for gap in run.unknown}
    assert reasons.keys() == tables.keys()
    for name, reason in reasons.items():
        assert "\n" not in reason
        assert not reason.startswith(f"store {name}")  # it is said beside it
    assert "nothing listens at that host and port" in reasons["unreachable"]
    assert "hunter2" not in run.out + run.err
    no_values(run)
    tested = beholden(estate, "store", "test", "--json")
    assert tested.code == 4
    assert {row["store"]: row["reachable"] for row in tested.items}["crm"] is True
    assert "hunter2" not in tested.out + tested.err


def test_a_directory_of_files_that_is_not_there_is_said(estate):
    change_toml(estate, "[[log]]", '[[store]]\nname = "nodir"\nurl = "file:nodir"\n[[log]]')
    run = beholden(estate, "scan", "nodir", "--json")
    assert run.code == 4
    assert "nodir" in {gap["object"] for gap in run.unknown}


def test_a_store_of_an_unknown_kind_is_not_declared(estate):
    before = (estate / "beholden.toml").read_text()
    assert "no connector for 'oracle:'" in beholden(estate, "store", "add", "x", "oracle://h/x").refused(2)
    assert "is declared twice" in beholden(estate, "store", "add", "crm", "sqlite:///crm.db").refused(2)
    assert "not a valid name" in beholden(estate, "store", "add", "CRM!", "sqlite:///crm.db").refused(2)
    assert (estate / "beholden.toml").read_text() == before
    line = beholden(estate, "store", "add", "later", "sqlite:///later.db").refused(4)
    assert line.startswith("declared, but not readable yet: ")
    assert '"later"' in (estate / "beholden.toml").read_text()


def test_a_wrong_password_and_a_table_that_vanishes_while_it_is_scanned(tmp_path, tmp_path_factory):
    with postgres_server(tmp_path_factory.mktemp("server")) as url:
        with psycopg.connect(url(), autocommit=True) as owner:
            for name in "abz":
                owner.execute(f"create table {name} as select i as id, 'x' || i as title from generate_series(1, 50) i")
            owner.execute("create role locked_out login password 'the right one'")
            (hba,) = owner.execute("show hba_file").fetchone() or ("",)
            rules = Path(hba)
            rules.write_text(f"local all locked_out scram-sha-256\n{rules.read_text()}")
            owner.execute("select pg_reload_conf()")
        beholden(tmp_path, "init", ok=True)
        refused = beholden(
            tmp_path, "store", "add", "locked", url(user="locked_out"), BEHOLDEN_STORE_LOCKED_PASSWORD="hunter2"
        )
        assert "the server refused the password" in refused.refused(4)
        assert "hunter2" not in refused.err
        beholden(tmp_path, "store", "add", "shop", url(), ok=True)
        run = scan_while_a_table_vanishes(tmp_path, url())
    assert run.code == 4
    (row,) = run.items
    assert (row["datasets"], row["scanned"], row["failed"]) == (3, 2, 1)
    assert {gap["object"] for gap in run.unknown} == {"shop/public.z"}
    assert "there is no such table (any more)" in run.unknown[0]["reason"]


def scan_while_a_table_vanishes(directory: Path, url: str) -> Run:
    """Hold the scan at the first table, drop the last one, let go."""
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as other:
        holder.execute("lock table a in access exclusive mode")
        with start(directory, "scan", "shop", "--json") as process:
            waiting = "select count(*) from pg_locks where not granted"
            until(lambda: other.execute(waiting).fetchone() != (0,))
            other.execute("drop table z")
            holder.commit()
            out, err = process.communicate(timeout=60)
        return Run(process.returncode, out, err)


def until(condition, timeout_s=20.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_directory_of_a_store_without_rights_is_not_passed_over(estate):
    for name in ("open", "shut", "half"):
        (estate / "files" / name).mkdir(parents=True)
        (estate / "files" / name / "a.csv").write_text("id,name\n1,x\n")
    beholden(estate, "store", "add", "files", "file:files", ok=True)
    (estate / "files" / "shut").chmod(0o000)
    (estate / "files" / "half").chmod(0o400)  # its names can be read, and nothing else
    try:
        run = beholden(estate, "scan", "--json", before=few_rights)
    finally:
        (estate / "files" / "shut").chmod(0o700)
        (estate / "files" / "half").chmod(0o700)
    assert "could not read parts of files. The reasons are listed as unknown" in run.refused(4)
    scanned = {row["store"]: row["scanned"] for row in run.items}
    assert scanned == {"crm": 2, "files": 1}
    (reason,) = [gap["reason"] for gap in run.unknown if gap["object"] == "files"]
    assert reason == "directories that may not be read (1); files and links that may not be looked at (1)"
    beholden(estate, "scan", ok=True)


# Logs


def test_every_sort_of_bad_log_is_accounted_for_and_the_good_ones_are_read(estate):
    good = audit_lines(20, first=100)
    logs: dict[str, str | bytes] = {
        "cut.csv": good[:-200],
        "garbage.csv": good + "\0\1\2 vashti@mail1.example is not a record\n{]\n",
        "empty.csv": "",
        "other.csv": '{"class_uid": 6005, "time": 1, "actor": "mortimer"}\n' * 80,
        "cut.csv.gz": gzip.compress(good.encode())[:-30],
        "last.csv": audit_lines(5, first=900),
    }
    directory = estate / "logs"
    directory.mkdir()
    for name, content in logs.items():
        (directory / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    run = beholden(
        estate, "log", "ingest", "--format", "pgaudit-csv", "--store", "crm", "--json",
        *(str(directory / name) for name in [*logs, "missing.csv", "no*match.csv"]),
    )  # fmt: skip
    assert run.code == 4
    no_values(run)
    rows = {Path(row["file"]).name: row for row in run.items}
    assert rows.keys() == logs.keys()
    for row in rows.values():
        assert row["parsed"] + sum(row["noise"].values()) + sum(row["not_understood"].values()) == row["records"]
    assert (rows["cut.csv"]["parsed"], sum(rows["cut.csv"]["not_understood"].values())) == (19, 1)
    assert rows["garbage.csv"]["parsed"] == 20
    assert sum(rows["garbage.csv"]["not_understood"].values()) >= 1
    assert rows["empty.csv"]["records"] == 0
    assert rows["other.csv"]["parsed"] == 0
    assert rows["last.csv"]["events_new"] == 5
    assert any("reading stopped" in reason for reason in rows["cut.csv.gz"]["not_understood"])
    lines = [line for line in run.err.splitlines() if line.startswith("beholden: ")]
    for name, words in {
        "other.csv": "it looks like ocsf",
        "cut.csv.gz": "read it again when it is whole",
        "missing.csv": "no such file",
        "no*match.csv": "no such file",
    }.items():
        assert [words in line for line in lines if f"/{name}:" in line] == [True]
    events = beholden(estate, "ledger", "status", "--json").items[0]["events"]
    assert events == EVENTS + 20 + 5


def test_a_log_whose_name_is_no_text(estate):
    name = os.fsdecode(b"a\xff.csv")
    (estate / name).write_text(audit_lines(3, first=700))
    read = ("log", "ingest", "--format", "pgaudit-csv", "--store", "crm", name)
    assert beholden(estate, *read, "--json", ok=True).items[0]["events_new"] == 3
    assert "udcff.csv" in beholden(estate, *read, ok=True).out
    assert beholden(estate, "log", "status", "--json", ok=True).items[-1]["events_known"] == 3


def test_a_log_without_rights(estate):
    (estate / "audit.csv").chmod(0o000)
    try:
        line = beholden(estate, "log", "ingest", before=few_rights).refused(4)
        assert "audit.csv: cannot be read (Permission denied)" in line
    finally:
        (estate / "audit.csv").chmod(0o600)


@pytest.fixture
def directories(estate) -> Iterator[Path]:
    """Directories of logs, one of which cannot be read."""
    for number, name in enumerate(("a", "b", "c")):
        (estate / "lg" / name).mkdir(parents=True)
        (estate / "lg" / name / "x.csv").write_text(audit_lines(2, first=3000 + 10 * number))
    (estate / "lg" / "b").chmod(0o000)
    yield estate
    (estate / "lg" / "b").chmod(0o700)


@pytest.mark.parametrize("pattern", ["lg/*/*.csv", "lg/**/*.csv"])
def test_a_directory_without_rights_among_the_logs_is_said_and_the_others_are_read(directories, pattern):
    estate = directories
    read = ("log", "ingest", "--format", "pgaudit-csv", "--store", "crm", pattern, "--json")
    run = beholden(estate, *read, before=few_rights)
    line = run.refused(4)
    assert line == f"log directory {estate}/lg/b: cannot be read (Permission denied). No log in it was read"
    assert [row["events_new"] for row in run.items] == [2, 2]
    assert (f"log directory {estate}/lg/b", "cannot be read (Permission denied)") in [
        (gap["object"], gap["reason"]) for gap in run.unknown
    ]
    said = "a directory of it cannot be read (Permission denied)"
    who = ("who", "--dataset", "crm/main.customer", "--json")
    assert said in {gap["reason"] for gap in beholden(estate, *who, ok=True).unknown}
    (estate / "lg" / "b").chmod(0o700)
    run = beholden(estate, *read, before=few_rights, ok=True)
    assert sum(row["events_new"] for row in run.items) == 2
    assert said not in {gap["reason"] for gap in beholden(estate, *who, ok=True).unknown}


@pytest.mark.parametrize("pattern", ["lg/b/*.csv", "lg/b/x.csv", "lg/b/in/*.csv", "lg/[b]/*"])
def test_nothing_but_a_directory_without_rights_is_not_nothing(directories, pattern):
    estate = directories
    run = beholden(
        estate, "log", "ingest", "--format", "pgaudit-csv", "--store", "crm", pattern, "--json", before=few_rights
    )
    assert run.refused(4).startswith(f"log directory {estate}/lg/b: cannot be read (Permission denied)")
    assert run.items == []
    assert f"log directory {estate}/lg/b" in {gap["object"] for gap in run.unknown}
    options = ("--format", "pgaudit-csv", "--store", "crm", "--path", pattern)
    added = beholden(estate, "log", "add", "more", *options, before=few_rights, ok=True).err
    assert f"{estate}/lg/b: cannot be read" in added
    assert "0 files so far" in added


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "pgaudit"], "log format: 'pgaudit' is unknown; expected one of pgaudit-csv, pgaudit-json"),
        (["--format", "pgaudit-csv", "--time-zone", "Mars/Olympus"], "time zone: 'Mars/Olympus' is unknown"),
        (["--format", "mapped"], "log format mapped: no mapping"),
        (["--format", "mapped", "--mapping", "none.toml"], "none.toml: cannot be read (No such file or directory)"),
        (["--format", "mapped", "--mapping", "odd.toml"], "odd.toml: event.wen: is not a column of an event"),
        (["--store", "crm"], "log ingest: --store without --format"),
    ],
)
def test_settings_of_a_log_that_make_no_sense(estate, arguments, words):
    (estate / "odd.toml").write_text('[event]\ntime = "$.t"\nactivity = "read"\nwen = "$.x"\n')
    line = beholden(estate, "log", "ingest", *arguments, "audit.csv").refused(2)
    assert words in line
    assert "usage" not in line.lower()


def test_a_log_is_not_declared_with_a_mapping_that_cannot_be_read(estate):
    before = (estate / "beholden.toml").read_text()
    options = ("--format", "mapped", "--path", "audit.csv", "--mapping", "none.toml")
    assert "none.toml: cannot be read" in beholden(estate, "log", "add", "app", *options).refused(2)
    assert (estate / "beholden.toml").read_text() == before


# What is asked


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ["who"],
            2,
            "who: nothing is asked; expected --dataset, --class, --subject, --actor, --credential or --device",
        ),
        (["who", "--subject", "vashti@mail1.example"], 2, "person: not of the form kind:identifier"),
        (["who", "--subject", "quillfeather:1"], 2, "this kind of data subject is neither declared nor found"),
        (["who", "--subject", "customer:"], 2, "person: not of the form kind:identifier"),
        (["who", "--dataset", "customer:71830455"], 2, "--dataset: not the name of a dataset; expected STORE/PATH"),
        (["who", "--dataset", "shop/public.customer"], 1, "store shop: is not declared; expected one of: crm"),
        (["who", "--class", "customer:71830455"], 2, "--class: not the name of a class of data"),
        (["who", "--class", "emial"], 2, "class of data: 'emial' is unknown"),
        (["who", "--actor", "a", "--from", "2026-02-01", "--to", "2026-01-01"], 2, "--from is not before --to"),
        (["who", "--actor", "a", "--from", "vashti@mail1.example"], 2, "--from: not an ISO 8601 time; expected 2026-"),
        (["who", "--actor", "a", "--limit", "71830455x"], 2, "who --limit: not valid; expected a whole number from 1"),
        (["who", "--actor", "a", "--limit", "0"], 2, "who --limit: not valid"),
        (["who", "--actor", "a", "--resolve"], 2, "--resolve: needs a person to look for"),
        (["who", "customer:71830455"], 2, "who: the arguments do not fit; expected beholden who [OPTIONS]"),
        (["who", "--sbject", "customer:71830455"], 2, "who: no such option; expected --subject"),
        (["who", "--subject"], 2, "--subject: a value is missing"),
        (["hwo"], 2, "Did you mean: beholden who"),
        (["customer:71830455"], 2, "no such command; expected one of init, demo"),
        (["store", "ad"], 2, "store: no such command; expected one of add, list, test, grants. Did you mean: beholden"),
        (["store", "add", "x"], 2, "store add: URL is missing"),
        (["store", "grants", "oracle"], 2, "postgresql"),
        (["scan", "shop"], 1, "store shop: is not declared; expected one of: crm"),
        (["map", "where"], 2, "map where: CLASS is missing"),
        (["map", "where", "payment-card"], 2, "CLASS: not the name of a class of data; expected one of payment_card"),
        (["map", "dataset", "customer:71830455"], 2, "STORE/PATH: not the name of a dataset"),
        (["map", "fields", "--store", "shop"], 1, "store shop: is not declared"),
        (["log", "ingest", "shop"], 2, "log shop: is not declared; expected one of: audit"),
        (["feed", "check", "shop"], 1, "feed shop: is not declared; expected one of: tickets"),
        (["feed", "add", "t", "x.csv", "--kind", "odd"], 2, "feed[1].kind"),
        (["vault", "restore", "none.backup"], 1, "none.backup: does not exist"),
        (["vault", "backup", "audit.csv"], 2, "audit.csv: exists"),
        (["demo", "--preset", "farm"], 2, "demo --preset: not valid; expected one of retailer"),
        (["demo", "--scale", "1e6"], 2, "scale: 1000000.0; expected a number from 0.001 to 100"),
        (["demo", "--scale", "nan"], 2, "scale: nan; expected a number from 0.001 to 100"),
        (["demo", "--days", "-1"], 2, "days: -1; expected a whole number from 1 to 400"),
        (["demo", "--seed", "9223372036854775808"], 2, "expected a whole number from 0 to 9223372036854775807"),
        (["demo", "--end", "1999-12-31"], 2, "end: lies outside 2000 to 2100"),
        (["demo", "--set", "agents_min=0"], 2, "parameter agents_min: 0; expected a whole number from 2 to 2000"),
        (["demo", "--set", "absent=nan"], 2, "parameter absent: nan; expected a number from 0 to 0.9"),
        (
            ["demo", "--set", "contact_reasons=30,20,12"],
            2,
            "parameter contact_reasons: (30, 20, 12); expected 7 weights",
        ),
        (["demo", "--set", "statements_a_day=boss:3"], 2, "expected NAME:NUMBER for some of analyst, engineer"),
        (["demo", "--set", "agent_min=9"], 2, "parameter agent_min: is unknown; expected a name such as agents_min"),
        (["demo", "--set", "customer:71830455=1"], 2, "parameter: is unknown; expected a name in docs/reference"),
        (["demo", "--set", "seed=1"], 2, "parameter seed: cannot be changed like others; expected --seed"),
        (["demo", "--set", "agents_min"], 2, "demo --set: not valid; expected NAME=VALUE"),
        (["demo", "--set", "agents_min=9", "--set", "agents_min=8"], 2, "demo --set: agents_min is set twice"),
        (
            ["demo", "--set", "late_lines=1"],
            2,
            "parameters duplicate_lines, late_lines: 1.02 together; expected 1 at most",
        ),
    ],
)
def test_what_makes_no_sense_is_said_in_one_line_that_repeats_no_identifier(template, arguments, code, words):
    run = beholden(template, *arguments)
    assert words in run.refused(code)
    assert run.out == ""
    no_values(run)


def test_an_answer_that_is_cut_says_so(template):
    cut = beholden(template, "who", "--actor", "mortimer", "--events", "--limit", "3", "--json")
    assert cut.refused(4).startswith("answer: cut after 3 rows")
    assert (len(cut.items), json.loads(cut.out)["truncated"]) == (3, True)
    whole = beholden(template, "who", "--actor", "mortimer", "--events", "--limit", str(10**30), "--json", ok=True)
    assert (len(whole.items), json.loads(whole.out)["truncated"]) == (EVENTS, False)


def test_findings_fail_a_command_only_when_asked(estate):
    zone = '[[zone]]\nname = "vault"\nonly_here = ["email"]\n'
    (estate / "beholden.toml").write_text(zone + (estate / "beholden.toml").read_text())
    assert beholden(estate, "map", "zones").code == 0
    assert beholden(estate, "map", "zones", "--fail-on-findings").code == 3


def test_a_ledger_that_was_altered(estate):
    (segment,) = (estate / ".beholden" / "ledger" / "segments").glob("*.parquet")
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    run = beholden(estate, "ledger", "verify", "--json")
    assert run.refused(5).startswith("ledger: does not verify")
    assert segment.name in run.items[0]["object"]


# Output


def test_a_reader_that_stops_early_ends_the_command_quietly(template):
    command = f"{sys.executable} -m beholden map fields --all --json | head -c 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=template, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr) == ("{", "")
    assert done.returncode in {0, 1}


def test_output_that_cannot_be_written(template):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "beholden", "log", "formats", "--json"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "no space left on device" in done.stderr


def test_an_unexpected_exception_shows_its_place_and_nothing_it_says(template):
    program = (
        "import beholden.cli.map as m, beholden.atlas.queries as q, beholden.cli as c, sys\n"
        "def broken(*a, **k): raise ValueError('vashti@mail1.example 71830455')\n"
        "q.fields = broken\n"
        "sys.argv[1:] = ['map', 'fields']\n"
        "c.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=template, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("beholden: beholden.cli.map line ")
    assert "unexpected ValueError" in line
    assert "vashti" not in line
