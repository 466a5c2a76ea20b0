from __future__ import annotations

import csv
import gzip
import io
import json
import random
import tempfile
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.estate import GivenReader, Rooms, make_world, one_batch, raw_batch, raw_event, rooms_in
from tests.support.ledger import NOW, all_rows

from beholden.core.errors import IntegrityError, SourceError
from beholden.core.names import Person
from beholden.ledger import Ledger
from beholden.ledger import ingest as ingest_module
from beholden.ledger.format import StatementValues
from beholden.logs import LogBatch, load_mapping, open_reader
from beholden.logs.reader import Problem
from beholden.state.ingests import ingest_rows, problem_rows
from beholden.state.templates import templates_by_id
from beholden.vault import IDENTIFIER_BYTES_MAX

KEY = "select email from customer where customer_id = {}"
TOO_LONG = "x" * IDENTIFIER_BYTES_MAX


@pytest.fixture
def rooms(tmp_path):
    with rooms_in(tmp_path) as made:
        yield made


def balanced(account) -> bool:
    return bool(account.records == account.parsed + account.noise.total() + account.not_understood.total())


# What one record becomes


def test_an_event_carries_tokens_and_a_template_and_no_value(rooms: Rooms):
    raw = raw_event(
        statement=KEY.format(16) + " and last_name = 'Quillfeather'",
        actor="mortimer",
        actor_kind="staff",
        credential="ak-1",
        on_behalf_of="customer:9",
        session="s1-mortimer",
        device="mortimer-laptop",
        app="console of mortimer",
        ip="mortimer.example",
        purpose="asked by a@b.example",
        rows=1,
        assignment="TICKET-1",
        detail="a note",
        activity="query",
    )
    account, stopped = rooms.ingest(GivenReader([one_batch(raw)]))
    assert (stopped, account.parsed, account.events_new) == (None, 1, 1)
    (row,) = all_rows(rooms.ledger)
    named = ("actor", "credential", "device", "app", "purpose", "assignment", "on_behalf_of")
    people = rooms.vault.identities([*(row[name] for name in named), *row["subjects"]])
    assert set(people.values()) == {
        Person("actor", "mortimer"),
        Person("credential", "ak-1"),
        Person("device", "mortimer-laptop"),
        Person("app", "console of mortimer"),
        Person("purpose", "asked by a@b.example"),
        Person("assignment", "TICKET-1"),
        Person("customer", "9"),
        Person("customer", "16"),
    }
    assert (row["scope"], row["rows"]) == ("subjects", 1)
    assert (len(row["uid"]), len(row["session"]), len(row["ip"])) == (10, 8, 10)
    texts = templates_by_id(rooms.state, [row["statement"]])
    assert texts[row["statement"]] == ("postgres", "select email from customer where customer_id = ? and last_name = ?")
    values = msgspec.json.decode(rooms.vault.decrypt([row["literals"]])[0] or b"", type=StatementValues)
    assert values == (("16", "Quillfeather"), (), ())
    assert rooms.vault.decrypt([row["detail"]]) == [b"a note"]
    assert not any(value in repr(row) for value in ("mortimer", "Quillfeather", "TICKET", "ak-1", "a note", "a@b"))


def test_literals_die_with_each_person_that_their_event_names(rooms: Rooms):
    rows = [
        raw_event(1, statement=KEY.format(16), activity="read"),
        raw_event(2, statement=KEY.format("16 or customer_id = 17"), activity="read"),
        raw_event(3, statement="select email from customer where customer_id in (16, $1)", activity="read"),
        raw_event(4, statement=KEY.format(17), activity="read"),
        raw_event(5, object="customer", actor="16", actor_kind="customer", activity="login", detail="from home"),
        raw_event(6, object="customer", actor="anna", on_behalf_of="customer:16", activity="read", detail="called"),
        raw_event(7, object="customer", actor="anna", actor_kind="staff", activity="read", detail="looked around"),
    ]
    rooms.ingest(GivenReader([one_batch(*rows)]))
    events = all_rows(rooms.ledger)
    blobs = [row["literals"] or row["detail"] for row in events]
    subjects = [row["subjects"] for row in events]
    assert None not in rooms.vault.decrypt(blobs, subjects)
    rooms.vault.forget([Person("customer", "16")], reason="asked")
    readable = [text is not None for text in rooms.vault.decrypt(blobs, subjects)]
    assert readable == [False, False, False, True, False, False, True]


def test_the_address_a_customer_acts_from_is_kept_as_a_pseudonym(rooms: Rooms):
    rows = [
        raw_event(1, object="customer", actor="16", actor_kind="customer", activity="login", ip="198.51.100.7"),
        raw_event(2, object="customer", actor="anna", actor_kind="staff", activity="read", ip="198.51.100.7"),
    ]
    rooms.ingest(GivenReader([one_batch(*rows)]))
    own, staff = (row["ip"] for row in all_rows(rooms.ledger))
    assert len(own) == 10
    assert staff == bytes([198, 51, 100, 7])


def test_a_statement_that_is_not_understood_is_kept_whole_and_encrypted(rooms: Rooms):
    sql = "select email from customer where ((last_name = 'Quillfeather'"
    account, _ = rooms.ingest(
        GivenReader([one_batch(raw_event(statement=sql, object="customer", activity="read", statement_ref="a/1"))])
    )
    assert account.parsed == 1
    (row,) = all_rows(rooms.ledger)
    assert row["statement"] is None
    assert rooms.vault.decrypt([row["literals"]]) == [msgspec.json.encode(((sql,), (), ()))]
    assert row["scope"] == "predicate"


def test_bound_values_are_kept_encrypted_and_name_persons(rooms: Rooms):
    sql = "select email from customer where customer_id = $1 and last_name = $2"
    rows = [
        raw_event(1, statement=sql, parameters=["16", "Quillfeather"], activity="read"),
        raw_event(2, statement=sql, parameters=[None, "Quillfeather"], activity="read"),
    ]
    rooms.ingest(GivenReader([one_batch(*rows)]))
    known, open_ = all_rows(rooms.ledger)
    assert set(rooms.vault.identities(known["subjects"]).values()) == {Person("customer", "16")}
    assert (known["scope"], open_["scope"], open_["subjects"]) == ("subjects", "predicate", None)
    assert rooms.vault.decrypt([known["literals"]]) == [b'[[],[],["16","Quillfeather"]]']
    assert "Quillfeather" not in repr((known, open_))


def test_a_statement_without_literals_has_none(rooms: Rooms):
    rooms.ingest(GivenReader([one_batch(raw_event(statement="select * from customer", activity="read"))]))
    (row,) = all_rows(rooms.ledger)
    assert (row["literals"], row["scope"]) == (None, "table")


def test_an_escape_that_is_half_a_character_stops_nothing(rooms: Rooms):
    rows = [
        raw_event(1, statement="select name from member where code = E'\\uD800'", activity="read"),
        raw_event(2, statement=KEY.format(1), activity="read"),
    ]
    account, stopped = rooms.ingest(GivenReader([one_batch(*rows)]))
    assert (stopped, account.events_new) == (None, 2)
    first, _ = all_rows(rooms.ledger)
    assert rooms.vault.decrypt([first["literals"]]) == [b'[["?"],[],[]]']


def test_records_of_one_statement_share_a_correlation(rooms: Rooms):
    view = "select name from customer_list where id = 16"
    both = "select 1 from customer c join rental r on r.customer_id = c.customer_id where c.customer_id = 1"
    rows = [
        raw_event(1, statement=view, object="public.customer_list", activity="read", statement_ref="a/1"),
        raw_event(2, statement=view, object="public.customer", activity="read", statement_ref="a/1"),
        raw_event(3, statement=KEY.format(1), object="public.customer", activity="read", statement_ref="a/2"),
        raw_event(4, statement=both, activity="query"),
    ]
    rooms.ingest(GivenReader([one_batch(*rows)]))
    seen = [(row["dataset"], row["correlation"]) for row in all_rows(rooms.ledger)]
    assert seen[0][1] == seen[1][1] is not None  # the text names the view alone
    assert seen[2][1] is None
    assert seen[3][1] == seen[4][1] not in (None, seen[0][1])


# The account


def test_records_that_touch_no_dataset_are_noise_and_those_not_understood_say_why(rooms: Rooms):
    rows = [
        raw_event(1, statement="select 1", activity="read"),
        raw_event(2, statement="do $$ begin delete from customer; end $$", activity="other"),
        raw_event(3, statement=KEY.format(1), activity="read"),
    ]
    account, _ = rooms.ingest(GivenReader([one_batch(*rows)]))
    assert (account.records, account.parsed) == (3, 1)
    assert account.noise == {"no dataset": 1}
    assert account.not_understood == {"statement not understood: runs code that is not in the statement": 1}
    assert account.problems[0][0] == 2


@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        ({"actor": TOO_LONG}, "identifier too long"),
        ({"subjects": [f"customer:{TOO_LONG}"]}, "identifier too long"),
        ({"subjects": ["customer:"]}, "subjects: not kind:identifier"),
        ({"on_behalf_of": "nobody"}, "on_behalf_of: not kind:identifier"),
    ],
)
def test_one_hostile_record_does_not_stop_a_file(rooms: Rooms, hostile, reason):
    rows = [raw_event(number, activity="read", object="customer") for number in (1, 2, 3)]
    rows[1] |= hostile
    account, stopped = rooms.ingest(GivenReader([one_batch(*rows)]))
    assert stopped is None
    assert (account.parsed, account.events_new) == (2, 2)
    assert account.not_understood == {reason: 1}
    (kept,) = ingest_rows(rooms.state)
    assert problem_rows(rooms.state, kept.ingest_id) == [(2, reason)]


def test_a_record_over_two_batches_is_accounted_for_once(rooms: Rooms):
    rows = [raw_event(5, activity="read", object=f"t{i}", subjects=["customer:"]) for i in range(3)]
    batches = [LogBatch(raw_batch(rows[:2]), 1, 1), LogBatch(raw_batch(rows[2:]), 0, 0)]
    account, _ = rooms.ingest(GivenReader(batches))
    assert (account.records, account.parsed, account.not_understood.total()) == (1, 0, 1)


def test_what_was_mended_is_counted_beside(rooms: Rooms):
    batches = [one_batch(raw_event(i, activity="read", object="customer"), mended={"invalid UTF-8": 1}) for i in (1, 2)]
    account, _ = rooms.ingest(GivenReader(batches))
    assert account.mended == {"invalid UTF-8": 2}
    assert balanced(account)
    (row,) = ingest_rows(rooms.state)
    assert row.mended == {"invalid UTF-8": 2}


_PROBLEMS = st.lists(st.sampled_from(["truncated record", "not JSON"]), max_size=2)
_EVENTS = st.fixed_dictionaries(
    {"activity": st.sampled_from(["read", "update", "other", "query"])},
    optional={
        "object": st.sampled_from(["customer", "rental", "nowhere", 'odd "name', "customer_list"]),
        "statement": st.sampled_from(
            [KEY.format(3), "select 1", "selec", "select * from customer", "delete from rental", "begin", "", "'", "("]
        ),
        "statement_ref": st.sampled_from(["a/1", "a/2"]),
        "subjects": st.lists(st.sampled_from(["customer:1", "customer:", "seller:2", "x"]), max_size=2),
        "actor": st.sampled_from(["a", "", TOO_LONG]),
        "store": st.sampled_from(["crm", "elsewhere"]),
        "rows": st.integers(0, 2**63 - 1),
    },
)


@st.composite
def log_batches(draw) -> list[LogBatch]:
    """Batches as a reader may give them; a record gives up to two events."""
    batches, number = [], 1
    for _ in range(draw(st.integers(0, 3))):
        rows, parsed = [], draw(st.integers(0, 4))
        for _ in range(parsed):
            rows += [raw_event(number, **values) for values in draw(st.lists(_EVENTS, min_size=1, max_size=2))]
            number += 1
        noise = draw(st.dictionaries(st.sampled_from(["catalogue", "connection"]), st.integers(1, 9), max_size=2))
        problems = tuple(Problem(number + i, reason) for i, reason in enumerate(draw(_PROBLEMS)))
        number += len(problems)
        batches.append(LogBatch(raw_batch(rows), parsed + sum(noise.values()) + len(problems), parsed, noise, problems))
    return batches


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(log_batches(), st.booleans())
def test_every_record_is_accounted_for(batches, stops):
    with tempfile.TemporaryDirectory() as directory, rooms_in(Path(directory)) as rooms:
        account, stopped = rooms.ingest(GivenReader(batches, SourceError("log", "broke off") if stops else None))
        assert balanced(account)
        assert account.parsed >= 0
        assert account.records == sum(batch.records for batch in batches) + stops
        assert (stopped is not None) == stops
        assert account.events_new == len(all_rows(rooms.ledger))
        (row,) = ingest_rows(rooms.state)
        assert (row.records, row.parsed, row.noise) == (account.records, account.parsed, dict(account.noise))
        assert row.records == row.parsed + sum(row.noise.values()) + sum(row.not_understood.values())
        again, _ = rooms.ingest(GivenReader(batches))
        assert (again.events_new, again.events_known) == (0, account.events_new + account.events_known)


# Readings that stop


def test_a_file_that_breaks_off_keeps_what_was_read_and_says_so(rooms: Rooms):
    batches = [one_batch(raw_event(i, activity="read", object="customer")) for i in (1, 2)]
    account, stopped = rooms.ingest(GivenReader(batches, SourceError("log", "the file broke off")))
    assert stopped is not None
    assert stopped.found == "the file broke off"
    assert (account.records, account.parsed, account.events_new) == (3, 2, 2)
    assert account.not_understood == {"reading stopped: the file broke off": 1}
    (row,) = ingest_rows(rooms.state)
    assert row.not_understood == {"reading stopped: the file broke off": 1}


def test_a_compressed_file_that_is_cut_keeps_what_was_read(rooms: Rooms, tmp_path):
    log = tmp_path / "audit.csv.gz"
    whole = gzip.compress("".join(audit_line(i, KEY.format(i)) for i in range(1, 3001)).encode())
    log.write_bytes(whole[: len(whole) // 2])
    account, stopped = rooms.ingest(open_reader("pgaudit-csv", mapping=None), path=log)
    assert isinstance(stopped, SourceError)
    assert 100 < account.events_new < 3000
    assert balanced(account)
    log.write_bytes(whole)
    again, _ = rooms.ingest(open_reader("pgaudit-csv", mapping=None), path=log)
    assert (again.events_known, again.events_new + again.events_known) == (account.events_new, 3000)


def test_a_file_that_is_not_there_leaves_an_account(rooms: Rooms, tmp_path):
    account, stopped = rooms.ingest(GivenReader([]), path=tmp_path / "absent.log")
    assert isinstance(stopped, SourceError)
    assert (account.records, account.not_understood.total()) == (1, 1)


def test_a_file_whose_name_is_no_text_is_read(rooms: Rooms, tmp_path):
    path = Path(str(tmp_path) + "/caf\udce9.log")
    path.touch()
    account, stopped = rooms.ingest(GivenReader([one_batch(raw_event(activity="read", object="customer"))]), path=path)
    assert (stopped, account.events_new) == (None, 1)
    (row,) = ingest_rows(rooms.state)
    assert row.file.endswith("caf\\udce9.log")


def test_events_that_cannot_be_kept_are_not_counted_as_parsed(rooms: Rooms, monkeypatch):
    """The account speaks of what is in the ledger, not of what was in the file."""
    batches = [one_batch(raw_event(i, activity="read", object="customer")) for i in (1, 2)]
    append, calls = Ledger.append, []

    def full(ledger, events):
        calls.append(events)
        if len(calls) == 2:
            raise SourceError("ledger", "the disk is full")
        return append(ledger, events)

    monkeypatch.setattr(Ledger, "append", full)
    account, stopped = rooms.ingest(GivenReader(batches))
    assert stopped is not None
    assert (account.parsed, account.events_new, account.records) == (1, 1, 2)
    assert account.not_understood == {"reading stopped: the disk is full": 1}


def test_a_reading_killed_between_batches_can_be_repeated(rooms: Rooms):
    batches = [one_batch(raw_event(i, activity="read", object="customer")) for i in range(1, 5)]
    for stop_after in range(4):
        with pytest.raises(KeyboardInterrupt):
            rooms.ingest(GivenReader(batches[:stop_after], KeyboardInterrupt()))
    assert [row.finished for row in ingest_rows(rooms.state)] == [None] * 4
    account, _ = rooms.ingest(GivenReader(batches))
    assert (account.events_new, account.events_known) == (1, 3)
    assert len(all_rows(rooms.ledger)) == 4


def test_a_damaged_record_is_no_unreadable_log(rooms: Rooms, monkeypatch):
    def damaged(*_):
        raise IntegrityError("wal", "is damaged")

    monkeypatch.setattr(Ledger, "append", damaged)
    with pytest.raises(IntegrityError):
        rooms.ingest(GivenReader([one_batch(raw_event(activity="read", object="customer"))]))
    (row,) = ingest_rows(rooms.state)
    assert row.finished is None


def test_a_batch_too_large_for_the_ledger_goes_in_pieces(rooms: Rooms, monkeypatch):
    monkeypatch.setattr(ingest_module, "APPEND_BYTES_MAX", 4000)
    rows = [raw_event(i, activity="read", object="customer", session="s" * 200) for i in range(40)]
    sizes = []
    append = Ledger.append

    def noting(ledger, events):
        sizes.append(len(events))
        return append(ledger, events)

    monkeypatch.setattr(Ledger, "append", noting)
    account, _ = rooms.ingest(GivenReader([one_batch(*rows)]))
    assert account.events_new == 40
    assert len(sizes) > 4
    assert [row["time"] for row in all_rows(rooms.ledger)] == sorted(row["time"] for row in all_rows(rooms.ledger))


# Real formats


def audit_line(
    number: int, sql: str, obj: str = "public.customer", what: tuple[str, str] = ("READ", "SELECT"), line: int = 0
) -> str:
    message = io.StringIO()
    csv.writer(message).writerow(["SESSION", number, 1, *what, "TABLE", obj, sql, "<not logged>", 0])
    row = io.StringIO()
    stamp = (
        f"2026-11-{1 + number // 86400:02d} {number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000 UTC"
    )
    csv.writer(row).writerow(
        [stamp, "agent", "crm", 100, "10.0.0.9:5000", "aaaa.1", line or number, "SELECT", stamp, "3/1", 0, "LOG",
         "00000", "AUDIT: " + message.getvalue().rstrip("\r\n"), *[""] * 8, "console", "client backend", "", 0]
    )  # fmt: skip
    return row.getvalue().replace("\r\n", "\n")


def as_json(line: str) -> str:
    (row,) = csv.reader([line])
    names = {0: "timestamp", 1: "user", 2: "dbname", 5: "session_id", 11: "error_severity", 13: "message"}
    record = {name: row[place] for place, name in names.items()} | {"line_num": int(row[6]), "pid": int(row[3])}
    record |= {"remote_host": "10.0.0.9", "remote_port": 5000, "application_name": row[22]}
    return json.dumps(record) + "\n"


def test_one_event_in_two_formats_is_one_event(rooms: Rooms, tmp_path):
    random.seed(3)
    lines = [audit_line(i, KEY.format(random.randrange(9))) for i in range(1, 40)]
    (tmp_path / "a.csv").write_text("".join(lines))
    (tmp_path / "a.json").write_text("".join(map(as_json, lines)))
    first, _ = rooms.ingest(open_reader("pgaudit-csv", mapping=None), path=tmp_path / "a.csv")
    second, _ = rooms.ingest(open_reader("pgaudit-json", mapping=None), path=tmp_path / "a.json")
    assert (first.events_new, second.events_new, second.events_known) == (39, 0, 39)


def test_a_copy_of_a_query_that_the_log_tells_twice_is_one_access(rooms: Rooms, tmp_path):
    sql = "copy (select * from customer) to stdout"
    lines = [audit_line(7, sql, line=1), audit_line(7, sql, obj="", what=("READ", "COPY"), line=2)]
    (tmp_path / "a.csv").write_text("".join(lines))
    account, _ = rooms.ingest(open_reader("pgaudit-csv", mapping=None), path=tmp_path / "a.csv")
    assert (account.parsed, account.events_new, account.events_known) == (2, 1, 1)
    (row,) = all_rows(rooms.ledger)
    assert (row["activity"], row["scope"], row["rows"], row["subject_count"]) == ("export", "table", 599, 599)


def test_a_log_read_before_and_after_the_first_scan_adds_each_event_once(rooms: Rooms, tmp_path):
    sql = "select c.email, a.phone from customer c join address a using (address_id) where c.customer_id = 3"
    mapping = tmp_path / "map.toml"
    mapping.write_text(
        '[event]\ntime = "$.t"\nactor = "$.who"\nstore = "crm"\nactivity = "query"\nstatement = "$.sql"\n'
    )
    log = tmp_path / "app.jsonl"
    log.write_text(json.dumps({"t": "2026-11-20T11:00:00Z", "who": "ann", "sql": sql}) + "\n")
    reader = open_reader("mapped", mapping=load_mapping(mapping))
    first, _ = rooms.ingest(reader, make_world(schema={}), path=log)
    second, _ = rooms.ingest(reader, path=log)
    assert (first.events_new, second.events_new, second.events_known) == (2, 0, 2)


def test_times_are_kept_to_the_microsecond(rooms: Rooms):
    rooms.ingest(GivenReader([one_batch(raw_event(activity="read", object="customer", time=NOW + 123_457))]))
    (row,) = all_rows(rooms.ledger)
    assert pa.scalar(row["time"], pa.timestamp("us", tz="UTC")).value == NOW + 123_457
