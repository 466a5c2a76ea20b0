"""What `log add`, `log ingest`, `feed add` and `feed check` say of a source that is not what it was said to be."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.command import Run, beholden
from tests.support.small_estate import audit_lines, make_estate

from beholden.cli import cli
from beholden.cli.init import make_estate as init_estate
from beholden.core.errors import BeholdenError

MAPPING = """\
[event]
time = "$.t"
uid = "$.id"
actor = "$.who"
activity = "read"
dataset = "iam/$.what"
"""
OCSF = {"class_uid": 6005, "activity_id": 1, "time": 1763600000000, "file": {"name": "people.csv"}}


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    return make_estate(tmp_path_factory.mktemp("logs") / "estate")


@pytest.fixture
def estate(template, tmp_path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "estate", copy_function=shutil.copy2))


def ask(estate: Path, *arguments: str) -> Run:
    """Run a command within this process; an error becomes its line."""
    done = CliRunner().invoke(cli, ["--estate", str(estate), *arguments], standalone_mode=False)
    if isinstance(done.exception, BeholdenError):
        return Run(done.exception.exit_code, done.stdout, done.stderr + f"beholden: {done.exception.line()}\n")
    code = done.return_value if isinstance(done.return_value, int) else done.exit_code
    return Run(code, done.stdout, done.stderr)


def trail(path: Path, *ids: int) -> str:
    records = [{"t": f"2026-11-20T10:00:{i:02d}Z", "id": f"e{i}", "who": "root", "what": "key"} for i in ids]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return str(path)


# Nothing understood


@pytest.mark.parametrize(
    ("content", "format_", "words"),
    [
        (
            "garbage\nmore of it\n",
            "ocsf",
            "not one of its 2 records could be read as ocsf (not valid JSON). See: beholden",
        ),
        ("garbage", "pgaudit-csv", "not one of its 1 records could be read as pgaudit-csv"),
        (json.dumps(OCSF) + "\n", "mapped", "it looks like ocsf. Read it with --format ocsf"),
        ('{"x": 1}\n', "mapped", "could be read as mapped (time: missing). See: beholden log formats"),
    ],
)
def test_a_log_of_which_nothing_was_understood_was_not_read(estate, content, format_, words):
    (estate / "odd.log").write_text(content)
    (estate / "m.toml").write_text(MAPPING)
    options = ["--store", "crm", *(["--mapping", str(estate / "m.toml")] if format_ == "mapped" else [])]
    run = ask(estate, "log", "ingest", "--format", format_, *options, str(estate / "odd.log"), "--json")
    assert words in run.refused(4)
    (row,) = run.items
    assert sum(row["not_understood"].values()) == row["records"] > 0
    assert run.unknown


def test_a_log_in_another_format_says_so_once(estate):
    run = ask(estate, "log", "ingest", "--format", "pgaudit-json", "--store", "crm", str(estate / "audit.csv"))
    assert "it looks like pgaudit-csv" in run.refused(4)


def test_a_log_of_which_something_was_understood_was_read(estate):
    (estate / "half.csv").write_text(audit_lines(1, first=300) + "garbage\nmore\n")
    (estate / "other.json").write_text('{"class_uid": 1001}\n')
    run = ask(estate, "log", "ingest", "--format", "pgaudit-csv", "--store", "crm", str(estate / "half.csv"), "--json")
    assert run.code == 0
    assert run.items[0]["parsed"] == 1
    assert sum(row["count"] for row in run.unknown) == 2
    run = ask(estate, "log", "ingest", "--format", "ocsf", "--store", "crm", str(estate / "other.json"), "--json")
    assert (run.code, run.items[0]["noise"]) == (0, {"other class": 1})


# What was not read stays told


def records(estate: Path) -> dict[str, int]:
    """What `who` says of records that were not understood."""
    run = ask(estate, "who", "--dataset", "crm/main.customer", "--json")
    return {gap["reason"]: gap["count"] for gap in run.unknown if gap["kind"] == "records"}


def test_a_rotated_log_takes_no_unknown_records_with_it(estate):
    path = estate / "audit.csv"
    path.write_text(audit_lines(3, first=300) + "garbage\nmore\n")
    assert ask(estate, "log", "ingest").code == 0
    (reason,) = before = records(estate)
    assert before[reason] == 2
    path.rename(estate / "audit.csv.1")
    path.write_text(audit_lines(3, first=400))
    assert ask(estate, "log", "ingest").code == 0
    assert records(estate) == before
    assert sum(gap["count"] for gap in ask(estate, "log", "status", "--json").unknown) == 2
    path.write_bytes(b"")  # copied away and cut
    assert ask(estate, "log", "ingest").code == 0
    assert records(estate) == before


def test_a_wrong_format_hides_no_unknown_records_and_is_made_good(estate):
    path = estate / "audit.csv"
    path.write_text(audit_lines(3, first=300) + "garbage\nmore\n")
    read = ["log", "ingest", "--store", "crm", "--format"]
    assert ask(estate, *read, "pgaudit-csv", str(path)).code == 0
    before = records(estate)
    assert ask(estate, *read, "pgaudit-json", str(path)).code == 4
    assert before.items() < records(estate).items()
    assert ask(estate, *read, "pgaudit-csv", str(path)).code == 0
    assert records(estate) == before


# What is not a log


def test_a_pipe_is_refused(estate):
    os.mkfifo(estate / "pipe")
    run = ask(estate, "log", "ingest", "--format", "ocsf", str(estate / "pipe"))
    assert "pipe: is not a regular file" in run.refused(4)


@pytest.mark.parametrize("arguments", [["log", "ingest", "x.json"], ["log", "add", "app", "--path", "x.json"]])
def test_a_mapped_log_asks_for_its_mapping(estate, arguments):
    before = (estate / "beholden.toml").read_text()
    run = ask(estate, *arguments, "--format", "mapped")
    assert run.refused(2).startswith("log format mapped: no mapping; expected --mapping FILE")
    assert (estate / "beholden.toml").read_text() == before


# Whose accesses


def test_a_log_that_names_no_store_is_said_and_one_can_be_given(estate):
    (estate / "m.toml").write_text(MAPPING)
    first = trail(estate / "a.jsonl", 1, 2)
    options = ["log", "ingest", "--format", "mapped", "--mapping", str(estate / "m.toml"), "--json"]
    run = ask(estate, *options, first)
    assert run.code == 0
    assert "who --dataset finds none" in " ".join(gap["reason"] for gap in run.unknown)
    run = ask(estate, *options, "--store", "aws", trail(estate / "b.jsonl", 3, 4))
    assert (run.code, run.items[0]["events_new"]) == (0, 2)
    assert [(gap["kind"], gap["object"]) for gap in run.unknown] == [("store", "aws")]
    (estate / "s.toml").write_text(MAPPING + 'store = "cloud"\n')
    options[5] = str(estate / "s.toml")
    run = ask(estate, *options, trail(estate / "c.jsonl", 5))
    assert (run.code, run.unknown) == (0, [])
    events = ask(estate, "who", "--actor", "root", "--events", "--json").items
    assert sorted(str(event["store"]) for event in events) == ["None", "None", "aws", "aws", "cloud"]
    (estate / "o.json").write_text(json.dumps(OCSF))
    run = ask(estate, "log", "ingest", "--format", "ocsf", "--store", "Not a name", str(estate / "o.json"))
    assert "store name: not a valid name" in run.refused(2)
    run = ask(estate, "log", "ingest", "--format", "pgaudit-csv", "--store", "aws", str(estate / "audit.csv"))
    assert "store aws: is not declared" in run.refused(1)


def test_a_log_without_a_store_is_said_when_it_is_declared(estate):
    (estate / "m.toml").write_text(MAPPING)
    trail(estate / "a.jsonl", 1)
    run = ask(estate, "log", "add", "app", "--format", "mapped", "--mapping", "m.toml", "--path", "a.jsonl")
    assert run.code == 0
    assert "log app: names no store" in run.err


# Whose record


def test_a_file_read_as_another_servers_record_is_not_read_twice(estate):
    audit = str(estate / "audit.csv")
    os.utime(audit)  # the copy is newer than the reading in its ledger
    ask(estate, "log", "ingest")
    (estate / "new.csv").write_text(audit_lines(2, first=400))
    options = ["log", "ingest", "--format", "pgaudit-csv", "--store", "crm", "--json"]
    run = ask(estate, *options, "--server", "pg2", audit, str(estate / "new.csv"))
    line = run.refused(2)
    assert "audit.csv: is read as the record of 'crm'; as that of 'pg2' its events would count twice" in line
    assert [(Path(row["file"]).name, row["events_new"]) for row in run.items] == [("new.csv", 2)]
    assert ask(estate, *options, "--server", "crm", audit).items[0]["events_new"] == 0
    text = (estate / "beholden.toml").read_text()
    (estate / "beholden.toml").write_text(text.replace('store = "crm"', 'store = "crm"\nserver = "pg3"', 1))
    assert "as that of 'pg3'" in ask(estate, "log", "ingest", "--json").refused(2)
    run = ask(estate, "log", "ingest", "--another-server", "--json")
    assert (run.code, run.items[0]["events_new"]) == (0, 12)
    run = ask(estate, "log", "ingest", "--json")  # what was done is done; now nothing is added
    assert (run.code, run.items[0]["events_new"]) == (0, 0)


def test_a_path_that_holds_another_file_now_may_be_another_servers(estate):
    options = ["log", "ingest", "--format", "pgaudit-csv", "--store", "crm", "--json"]
    path = estate / "today.csv"
    path.write_text(audit_lines(2, first=500))
    assert ask(estate, *options, str(path)).code == 0
    path.write_text(audit_lines(3, first=600))
    run = ask(estate, *options, "--server", "pg2", str(path))
    assert (run.code, run.items[0]["events_new"]) == (0, 3)


# Feeds about persons nobody knows


def test_a_feed_about_an_unknown_kind_of_person_is_said(estate):
    options = ["contacts.csv", "--kind", "contact", "--actor", "agent", "--opened", "opened"]
    run = ask(estate, "feed", "add", "odd", *options, "--subject", "custmer:customer")
    assert run.code == 0
    said = "its subject kind 'custmer' is neither declared nor proposed by a scan (known: customer)"
    assert f"feed odd: {said}" in run.err
    run = ask(estate, "feed", "check", "--json")
    assert run.code == 0
    assert [gap["object"] for gap in run.unknown if said in gap["reason"]] == ["odd"]
    assert [row["rows"] for row in run.items] == [1, 1]


def test_a_feed_with_a_malformed_subject_is_not_declared(estate):
    before = (estate / "beholden.toml").read_text()
    run = ask(estate, "feed", "add", "odd", "contacts.csv", "--kind", "contact", "--subject", "customer")
    assert "feed odd: subject: is not of the form kind:column" in run.refused(2)
    assert (estate / "beholden.toml").read_text() == before


# A new estate


def test_what_init_points_to_is_there_for_everybody(tmp_path, monkeypatch):
    run = beholden(tmp_path, "init", ok=True)
    assert "docs/" not in run.err + (tmp_path / "beholden.toml").read_text()
    assert f"keep a copy of the master key elsewhere now: {tmp_path / '.beholden' / 'master.key'}" in run.err
    for command in (["vault", "backup"], ["store", "add"], ["log", "add"], ["feed", "add"]):
        assert "docs/" not in beholden(tmp_path, *command, "--help", ok=True).out
    monkeypatch.setenv("ESTATE_KEY", "")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "beholden.toml").write_text('[vault]\nmaster_key = "env:ESTATE_KEY"\n')
    with pytest.raises(BeholdenError, match="ESTATE_KEY"):
        init_estate(tmp_path / "other")
