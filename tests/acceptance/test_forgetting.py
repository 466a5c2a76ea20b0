"""People are forgotten, and a thief who has everything else finds none of them again.

Each attack is made twice: before, when it has to find people, and after, when it must not. What remains to a thief who
keeps raw lines or lists of contacts is counted as well, so that nobody is deceived: docs/decisions/0003-what-erasure-reaches.md.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from beholden.core.names import Person
from beholden.core.times import parse_time
from beholden.logs._identity import identity_prefix
from beholden.vault import MasterKey, WrongKeyError, check_backup
from tests.support.command import Run, beholden
from tests.support.robbed import MUST_FIND_NOBODY, REMAINING, Robbed
from tests.support.thief import Line, Visit

FIRST = 71830455
PEOPLE = [FIRST + place for place in range(12)]
ERASED = PEOPLE[:6]
STAFF = ("mortimer", "ludmilla")
MAPPING = """[event]
time = "$.t"
uid = "$.id"
actor = "$.who"
actor_kind = "$.kind"
subject = "customer:$.cust"
store = "crm"
dataset = "main.customer"
activity = { path = "$.op", values = { view = "read", sign_in = "login" } }
assignment = "$.ticket"
credential = "$.key"
session = "$.session"
device = "$.device"
ip = "$.ip"
app = "desk"
purpose = "$.note"
detail = "$.note"
"""


def name_of(customer: int) -> str:
    return f"Quillfeather{customer % 97}"


def email_of(customer: int) -> str:
    return f"vashti.{customer}@planted.example"


def desk_lines() -> Iterator[dict[str, Any]]:
    """The application's own log: staff open customers' records under tickets, customers sign in."""
    for place, customer in enumerate(PEOPLE):
        for visit in range(3):
            staff = STAFF[place % 2]
            yield {
                "id": f"d{place}-{visit}", "t": f"2026-11-20T{8 + visit:02d}:{place * 4:02d}:{visit:02d}.{place:03d}Z",
                "who": staff, "kind": "staff", "cust": customer, "op": "view", "ticket": f"TICKET-{customer}",
                "session": f"{staff}/{place}/{visit}", "ip": "10.0.0.9", "note": f"asked by {email_of(customer)}",
            }  # fmt: skip
            yield {
                "id": f"c{place}-{visit}", "t": f"2026-11-20T{12 + visit:02d}:{place * 4:02d}:{visit:02d}.{place:03d}Z",
                "who": str(customer), "kind": "customer", "cust": customer, "op": "sign_in", "device": f"phone-{customer}",
                "key": f"ak-{customer}", "session": f"s-{customer}-{visit}", "ip": f"198.51.100.{place + 1}",
                "note": f"signed in {name_of(customer)}",
            }  # fmt: skip
    for place, customer in enumerate(PEOPLE):  # somebody else's record under this ticket
        yield {
            "id": f"x{place}", "t": f"2026-11-20T16:{place:02d}:00.000Z", "who": "mortimer", "kind": "staff", "op": "view",
            "cust": PEOPLE[-1 - place], "ticket": f"TICKET-{customer}", "ip": "10.0.0.9",
        }  # fmt: skip


def statements() -> Iterator[str]:
    for customer in PEOPLE:
        yield f"select * from customer where customer_id = {customer}"
        yield f"update customer set email = '{email_of(customer)}' where customer_id = {customer}"
    yield f"update customer set email = '{email_of(PEOPLE[0])}' where customer_id in ({PEOPLE[0]}, {PEOPLE[11]})"
    yield "select * from customer"
    yield "select count(*) from customer"


def sql_log() -> str:
    text = io.StringIO()
    for number, sql in enumerate(statements(), 1):
        message = io.StringIO()
        kind = sql.split()[0].upper()
        csv.writer(message).writerow(
            ["SESSION", number, 1, "READ", kind, "TABLE", "main.customer", sql, "<not logged>", 1]
        )
        stamp = f"2026-11-20 18:{number // 60:02d}:{number % 60:02d}.123 UTC"
        csv.writer(text, lineterminator="\n").writerow(
            [stamp, "mortimer", "crm", 100, "10.0.0.9:5000", "aaaa.1", number, kind, stamp, "3/1", 0, "LOG", "00000",
             "AUDIT: " + message.getvalue().rstrip("\r\n"), "", "", "", "", "", "", "", "", "psql", "client backend",
             "", 0]
        )  # fmt: skip
    return text.getvalue()


def contacts() -> Iterator[dict[str, Any]]:
    for place, customer in enumerate(PEOPLE):
        yield {
            "ticket": f"TICKET-{customer}", "agent": STAFF[place % 2], "customer": customer,
            "opened": f"2026-11-20T08:{place * 4:02d}:00Z", "closed": f"2026-11-20T08:{place * 4 + 3:02d}:00Z",
        }  # fmt: skip


def lines() -> Iterator[Line]:
    for line in desk_lines():
        named = {"ip": "ip", "session": "session", "device": "device", "credential": "key"}
        yield Line(
            f"customer:{line['cust']}", parse_time(line["t"]), line["kind"] == "customer",
            identity_prefix("desk", "u") + line["id"].encode(),
            {column: line[name] for column, name in named.items() if name in line},
        )  # fmt: skip


def visits() -> Iterator[Visit]:
    for row in contacts():
        yield Visit(f"customer:{row['customer']}", row["ticket"], parse_time(row["opened"]), parse_time(row["closed"]))


def questions() -> Iterator[tuple[str, ...]]:
    yield ("who", "--dataset", "crm/main.customer", "--json")
    yield ("who", "--actor", "mortimer", "--events", "--json")
    for customer in PEOPLE:
        if customer not in ERASED:
            yield ("who", "--subject", f"customer:{customer}", "--events", "--json")


class Case(NamedTuple):
    """The estate after people were forgotten, and what was seen before."""

    robbed: Robbed
    sources: Path
    found: dict[str, int]  # by each attack, before
    with_key: dict[str, int]
    readable: set[str]
    answers: dict[tuple[str, ...], list[dict[str, Any]]]
    forgotten: Run

    def run(self, *arguments: str, ok: bool = True) -> Run:
        done = beholden(self.robbed.directory, *arguments, ok=ok)
        self.robbed.talk.extend((done.err, done.out))
        return done


@pytest.fixture(scope="module")
def case(tmp_path_factory) -> Case:
    """Everything is read and sealed, proofs are given out, a thief looks around; then half of the people are forgotten."""
    sources = tmp_path_factory.mktemp("sources")
    directory = tmp_path_factory.mktemp("forgetting")
    write_sources(sources)
    people = [f"customer:{customer}" for customer in ERASED]
    texts = {
        f"customer:{one}": [str(one), name_of(one), email_of(one), f"TICKET-{one}", f"phone-{one}", f"ak-{one}"]
        for one in ERASED
    }
    robbed = Robbed(
        directory, people, [line for line in lines() if line.person in texts],
        [visit for visit in visits() if visit.person in texts], texts,
    )  # fmt: skip
    mapped = ("--format", "mapped", "--mapping", str(sources / "desk.toml"), "--store", "crm", "--server", "desk")
    for arguments in (
        ("init",),
        ("store", "add", "crm", f"sqlite:///{sources / 'crm.db'}"),
        ("scan",),
        ("log", "ingest", *mapped, str(sources / "desk.jsonl")),
        ("log", "ingest", "--format", "pgaudit-csv", "--store", "crm", str(sources / "sql.csv")),
        ("ledger", "seal"),
        ("vault", "backup", str(directory / ".beholden" / "before.backup")),
    ):
        robbed.talk.append(beholden(directory, *arguments, ok=True).err)
    robbed.look_around()
    answers = {question: beholden(directory, *question, ok=True).items for question in questions()}
    found = robbed.guessed({**MUST_FIND_NOBODY, **REMAINING})
    found["files"] = len(robbed.found_in_files(robbed.files()))
    found["sources"] = len(robbed.found_in_files({path.name: path.read_bytes() for path in sources.iterdir()}))
    with_key, readable = robbed.guessed_with_the_master_key(), robbed.readable()
    listed = sources / "forget.txt"
    listed.write_text("# of November\n" + "".join(f"customer:{customer}\n" for customer in ERASED[1:]))
    done = beholden(
        directory, "vault", "forget", people[0], f"customer:{FIRST + 99}", people[0], "--file", str(listed),
        "--reason", "requests of November", "--by", "ludmilla", "--json", ok=True,
    )  # fmt: skip
    robbed.talk.extend((done.out, done.err))
    return Case(robbed, sources, found, with_key, readable, answers, done)


def write_sources(directory: Path) -> None:
    with closing(sqlite3.connect(directory / "crm.db")) as database, database:
        database.execute("create table customer (customer_id integer primary key, first_name, last_name, email)")
        rows = [(customer, "Vashti", name_of(customer), email_of(customer)) for customer in PEOPLE]
        database.executemany("insert into customer values (?, ?, ?, ?)", rows)
    (directory / "desk.jsonl").write_text("".join(json.dumps(line) + "\n" for line in desk_lines()))
    (directory / "desk.toml").write_text(MAPPING)
    (directory / "sql.csv").write_text(sql_log())


def test_what_is_said_of_it_counts_and_names_nobody(case):
    (item,) = case.forgotten.items
    counts = {name: item[name] for name in ("asked", "forgotten", "unknown", "held", "scrubbed", "on_record")}
    assert counts == {"asked": 7, "forgotten": 6, "unknown": 1, "held": 0, "scrubbed": True, "on_record": True}
    # of each a ticket, another under which their record was opened, a phone, a key, and two purposes
    assert item["also"] == 6 * 6
    (status,) = case.run("vault", "status", "--json").items
    assert (status["forgotten"], status["erasures_untold"]) == (42, 0)
    assert status["last_backup"] is not None


def test_the_attacks_find_people_while_nobody_is_forgotten(case):
    assert case.found["tickets the vault still names, and the list of contacts"] == 6
    assert case.found["devices and keys the vault still names"] == 6
    assert case.found["files"] == 6  # rows of the vault
    assert case.found["sources"] == 6  # texts
    # the ledger never had these in a form that the others find: the same code finds them with the key
    assert case.with_key == {"uids": 6, "sessions": 6, "addresses": 6}
    assert len(case.readable) == 6


def test_the_attacks_find_nobody_who_is_forgotten(case):
    assert case.robbed.guessed(MUST_FIND_NOBODY) == dict.fromkeys(MUST_FIND_NOBODY, 0)


def test_no_file_and_no_word_names_anybody_who_is_forgotten(case):
    files = case.robbed.files()
    assert {"vault.db", "state.db", "before.backup", "ledger/manifest.json"} <= files.keys()
    assert case.robbed.found_in_files(files) == {}


def test_no_text_that_named_them_can_be_read_with_every_key_that_is_left(case):
    assert case.robbed.readable() == set()


def test_a_backup_made_before_opens_with_the_master_key_alone(case):
    with pytest.raises(WrongKeyError):
        check_backup(case.robbed.home / "before.backup", MasterKey(bytes(32)))


def test_what_remains_to_a_thief_with_raw_lines_or_lists_of_contacts_is_known(case):
    """Not a promise but a fact to be told; when it changes, tell it anew in decision 3."""
    assert case.robbed.guessed(REMAINING) == dict.fromkeys(REMAINING, 6)


def test_every_proof_given_before_holds_and_the_ledger_verifies(case):
    assert len(case.robbed.proofs) > 6 * 6
    case.run("ledger", "seal")
    assert case.robbed.proofs_that_hold() == len(case.robbed.proofs)
    assert case.run("ledger", "verify", "--json").items == []


def test_the_answers_about_others_stay(case):
    for question, before in case.answers.items():
        after = case.run(*question).items
        if "--actor" in question:  # who asked for the erasure is another
            assert after == before
        else:
            assert [row | {"actor": ""} for row in after] == [row | {"actor": ""} for row in before]
            changed = {row["actor"] for row in after} - {row["actor"] for row in before}
            assert changed <= {"forgotten"}


def test_who_says_that_somebody_was_forgotten(case):
    done = case.run("who", "--subject", f"customer:{ERASED[0]}", "--json")
    assert {row["match"] for row in done.items} <= {"included", "possible"}
    assert any("was forgotten" in unknown["reason"] for unknown in done.unknown)
    never = case.run("who", "--subject", f"customer:{FIRST + 99}", "--json")
    assert not any("was forgotten" in unknown["reason"] for unknown in never.unknown)


def test_the_erasure_is_an_event_that_says_who_asked_and_how_many(case):
    rows = case.run("who", "--actor", "ludmilla", "--events", "--json").items
    (row,) = [row for row in rows if row["dataset"] is None]
    assert (row["activity"], row["fields"]) == ("delete", None)
    (event,) = [event for event in case.robbed.events() if event["source"] == "beholden:vault"]
    assert (event["subject_count"], event["subjects"], event["literals"]) == (6, None, None)
    for token in case.robbed.truth.values():
        assert token not in event["detail"]


def test_reading_the_logs_again_joins_nothing(case, tmp_path):
    """They name the people still: somebody new, of whom nothing is on record."""
    copy = Robbed(
        Path(shutil.copytree(case.robbed.directory, tmp_path / "estate")), case.robbed.people, case.robbed.lines,
        case.robbed.visits, case.robbed.texts, truth=case.robbed.truth,
    )  # fmt: skip
    arguments = ("--format", "pgaudit-csv", "--store", "crm", str(case.sources / "sql.csv"))
    (read,) = beholden(copy.directory, "log", "ingest", *arguments, "--json", ok=True).items
    assert read["events_new"] == 0
    assert copy.guessed(MUST_FIND_NOBODY) == dict.fromkeys(MUST_FIND_NOBODY, 0)


@pytest.mark.parametrize("lost", ["nothing", "vault"])
def test_an_older_backup_brings_nobody_back(case, tmp_path, lost):
    copy = Path(shutil.copytree(case.robbed.directory, tmp_path / "estate"))
    if lost == "vault":
        for file in (copy / ".beholden").glob("vault.db*"):
            file.unlink()
    backup = str(copy / ".beholden" / "before.backup")
    done = beholden(copy, "vault", "restore", backup, "--replace", ok=True)
    assert "42 of them forgotten after the backup was made" in done.err
    robbed = Robbed(
        copy, case.robbed.people, case.robbed.lines, case.robbed.visits, case.robbed.texts, truth=case.robbed.truth,
        secrets=case.robbed.secrets,
    )  # fmt: skip
    assert robbed.guessed(MUST_FIND_NOBODY) == dict.fromkeys(MUST_FIND_NOBODY, 0)
    assert robbed.found_in_files(robbed.files()) == {}
    assert robbed.readable() == set()
    with robbed.vault() as vault:
        assert vault.find([Person.parse(text) for text in robbed.people]) == [None] * 6
        assert set(vault.forgotten(robbed.truth.values())) == set(robbed.truth.values())
    others = ("who", "--subject", f"customer:{PEOPLE[6]}", "--events", "--json")
    assert len(beholden(copy, *others, ok=True).items) == len(case.answers[others])


def test_without_vault_and_ledger_it_is_said_that_erasures_are_unknown(case, tmp_path):
    copy = Path(shutil.copytree(case.robbed.directory, tmp_path / "estate"))
    for file in (copy / ".beholden").glob("vault.db*"):
        file.unlink()
    shutil.rmtree(copy / ".beholden" / "ledger")
    done = beholden(copy, "vault", "restore", str(copy / ".beholden" / "before.backup"), ok=True)
    assert "neither a vault nor a ledger was there to read erasures from" in done.err
