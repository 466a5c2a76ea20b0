from __future__ import annotations

import io
import json
from zoneinfo import ZoneInfo

import pytest

from beholden.core.times import format_time
from beholden.logs import LogContext, open_reader
from beholden.logs._pgaudit import _Statements
from beholden.logs._pgtime import LogTimes


def quote(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def audit(class_="READ", command="SELECT", kind="TABLE", name="public.customer", text="select 1", **more):
    rest = f",{more['rows']}" if "rows" in more else ""
    ids = more.get("ids", "1,1")
    return (
        f"AUDIT: {more.get('type', 'SESSION')},{ids},{class_},{command},{kind},{name},{quote(text)},"
        f"{more.get('bound', '<not logged>')}{rest}"
    )


def csv_line(message: str, **more) -> bytes:
    columns = [
        more.get("time", "2026-11-22 12:44:35.138 UTC"), quote(more.get("user", "agent")), '"shop"', "17",
        quote(more.get("host", "[local]")), more.get("session", "6b02e3b3.2475"), str(more.get("line", 1)), '"SELECT"',
        "2026-11-22 12:44:35 UTC", "3/1", "0", more.get("severity", "LOG"), more.get("state", "00000"), quote(message),
        "", "", "", "", "", quote(more["query"]) if "query" in more else "", "", "", '"console"', '"client backend"',
        "", "0",
    ]  # fmt: skip
    return ",".join(columns[: more.get("columns", 26)]).encode() + b"\n"


def json_line(message: str, **more) -> bytes:
    host, _, port = more.get("host", "[local]").rpartition(":")
    record = {
        "timestamp": more.get("time", "2026-11-22 12:44:35.138 UTC"), "user": more.get("user", "agent"),
        "dbname": "shop", "remote_host": host or port, "session_id": more.get("session", "6b02e3b3.2475"),
        "line_num": more.get("line", 1), "error_severity": more.get("severity", "LOG"),
        "state_code": more.get("state", "00000"), "message": message, "application_name": "console",
    }  # fmt: skip
    if "query" in more:
        record["statement"] = more["query"]
    return json.dumps(record).encode() + b"\n"


def read(raw: bytes, format_: str = "pgaudit-csv", zone: str | None = None):
    context = LogContext("crm", ZoneInfo(zone) if zone else None)
    batches = list(open_reader(format_).read(io.BytesIO(raw), context))
    assert len(batches) == 1
    return batches[0]


def only(raw: bytes, **more):
    batch = read(raw, **more)
    assert batch.problems == ()
    (event,) = batch.events.to_pylist()
    return event


@pytest.fixture
def sample(shared_data):
    return shared_data / "logs"


def test_the_real_sample_is_fully_accounted_for(sample):
    batch = read((sample / "pg15_pgaudit.csv").read_bytes())
    assert (batch.records, batch.parsed, batch.problems) == (843, 684, ())
    assert batch.noise == {"connection": 33, "catalogue": 126}
    assert batch.events.num_rows == 684


def test_both_forms_of_the_real_sample_say_the_same(sample):
    csv = read((sample / "pg15_pgaudit.csv").read_bytes())
    json_ = read((sample / "pg15_pgaudit.jsonl").read_bytes(), "pgaudit-json")
    assert (csv.records, csv.parsed, csv.noise) == (json_.records, json_.parsed, json_.noise)
    events = [batch.events.drop_columns(["record"]).to_pylist() for batch in (csv, json_)]
    for rows in events:  # the two logs were not written in quite the same order
        rows.sort(key=lambda row: row["identity"])
    assert events[0] == events[1]


MESSAGES = [
    (audit(), {}),
    (audit(text="select \"a\",\n'b'\r\n from customer", rows=7), {"host": "10.0.0.1:5000"}),
    (audit("WRITE", "UPDATE", ids="3,2", type="OBJECT"), {"host": "2001:db8::1:5000", "line": 12}),
    (audit(text="caf\u00e9 \U0001f600 \\ \t"), {"user": ""}),
    ("connection received: host=[local]", {}),
    ("no such table", {"severity": "ERROR", "state": "42P01", "query": "select"}),
    ("AUDIT: nonsense", {}),
]


@pytest.mark.parametrize(("message", "more"), MESSAGES, ids=range(len(MESSAGES)))
def test_csv_and_json_of_one_record_say_the_same(message, more):
    csv, json_ = read(csv_line(message, **more)), read(json_line(message, **more), "pgaudit-json")
    assert csv.events.equals(json_.events)
    assert (csv.noise, csv.problems) == (json_.noise, json_.problems)


def test_a_record_becomes_an_event():
    event = only(csv_line(audit(rows=3), host="10.0.0.1:5000", line=9))
    assert {key: value for key, value in event.items() if value is not None and key != "time"} == {
        "record": 1, "identity": b"3:crmn:6b02e3b3.2475/9", "actor": "agent", "session": "6b02e3b3.2475",
        "ip": "10.0.0.1", "app": "console", "class_uid": 6005, "activity": "read", "object": "public.customer",
        "rows": 3, "status": "success", "statement": "select 1", "statement_ref": "6b02e3b3.2475/1", "database": "shop",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("class_", "command", "text", "activity", "class_uid"),
    [
        ("READ", "SELECT", "select 1", "read", 6005),
        ("READ", "SELECT", "  /* a */ -- b\n COPY customer to stdout", "export", 6005),
        ("READ", "SELECT", "select 'copy customer'", "read", 6005),
        ("READ", "COPY", "copy customer to stdout", "export", 6005),
        ("READ", "PREPARE", "prepare p as select", "other", 6005),
        ("WRITE", "INSERT", "insert", "create", 6005),
        ("WRITE", "COPY", "copy customer from stdin", "create", 6005),
        ("WRITE", "UPDATE", "update", "update", 6005),
        ("WRITE", "MERGE", "merge", "update", 6005),
        ("WRITE", "DELETE", "delete", "delete", 6005),
        ("WRITE", "TRUNCATE TABLE", "truncate", "delete", 6005),
        ("DDL", "CREATE TABLE AS", "create", "create", 6005),
        ("DDL", "SELECT INTO", "select", "create", 6005),
        ("DDL", "DROP TABLE", "drop", "other", 6005),
        ("ROLE", "GRANT", "grant", "grant", 3005),
        ("ROLE", "REVOKE ROLE", "revoke", "revoke", 3005),
        ("ROLE", "ALTER ROLE", "alter", "other", 6005),
        ("MISC_SET", "SET", "set", "other", 6005),
        ("FUNCTION", "EXECUTE", "select f()", "other", 6005),
    ],
)
def test_activities(class_, command, text, activity, class_uid):
    event = only(csv_line(audit(class_, command, text=text)))
    assert (event["activity"], event["class_uid"]) == (activity, class_uid)
    assert (event["detail"] is not None) == (activity in ("other", "grant", "revoke"))


@pytest.mark.parametrize(
    ("message", "more", "reason"),
    [
        (audit(name="pg_catalog.pg_class"), {}, "catalogue"),
        (audit(name="pg_toast.pg_toast_17"), {}, "catalogue"),
        ("connection authenticated: identity=x", {}, "connection"),
        ("disconnection: session time: 0:00:00", {}, "connection"),
        ("password authentication failed", {"severity": "FATAL", "state": "28P01"}, "connection"),
        ("disk full", {"severity": "ERROR", "state": "53100"}, "server"),
        ("checkpoint starting: time", {}, "server"),
        ("duration: 1 ms  statement: select 1", {}, "statement log"),
        ("no such table", {"severity": "ERROR", "state": "42P01", "query": "select secret"}, "failed statement"),
    ],
)
def test_noise(message, more, reason):
    batch = read(csv_line(message, **more))
    assert (batch.records, batch.noise, batch.events.num_rows) == (1, {reason: 1}, 0)


@pytest.mark.parametrize(
    "line",
    [
        csv_line("AUDIT: SESSION,1,1,READ"),
        csv_line('AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.x,"open'),
        csv_line(audit("SECRET", "SELECT")),
        csv_line(audit(ids="x,1")),
        csv_line(audit(rows="many")),
        csv_line(audit(), severity="SECRET"),
        csv_line(audit(), time="2026-13-22 12:44:35.138 UTC"),
        csv_line(audit(), time="2026-11-22 12:44:35.138 CET"),
        csv_line(audit(), columns=25),
        csv_line(audit(), line="9" * 30),
    ],
)
def test_problems(line):
    batch = read(line)
    assert (batch.records, batch.parsed, batch.noise, len(batch.problems)) == (1, 0, {}, 1)
    assert "SECRET" not in batch.problems[0].reason


@pytest.mark.parametrize("columns", [23, 24, 26])
def test_columns_of_all_versions(columns):
    assert only(csv_line(audit(), columns=columns))["app"] == "console"


def test_a_statement_logged_once_is_filled_in():
    first, second = (audit(ids="7,1", name=f"public.t{i}") for i in (1, 2))
    later = second.replace('"select 1",<not logged>', "<previously logged>,<previously logged>")
    other = later.replace("7,1", "8,1")
    raw = csv_line(first) + csv_line(later, line=2) + csv_line(other, line=3) + csv_line(later, line=4, session="1.2")
    statements = read(raw).events.column("statement").to_pylist()
    assert statements == ["select 1", "select 1", None, None]


@pytest.mark.parametrize(
    ("bound", "parameters"),
    [
        ("<not logged>", None),
        ("<none>", None),
        ("<long param suppressed>", None),
        ("16", ["16"]),
        ('"16,,a b"', ["16", None, "a b"]),
        (quote('"O\'Hara, ""Q""",5'), ['O\'Hara, "Q"', "5"]),
    ],
)
def test_values_of_bind_parameters(bound, parameters):
    assert only(csv_line(audit(bound=bound)))["parameters"] == parameters


def test_values_logged_once_are_filled_in():
    first = audit(ids="7,1", bound="16")
    later = first.replace('"select 1",16', "<previously logged>,<previously logged>")
    events = read(csv_line(first) + csv_line(later, line=2)).events.column("parameters").to_pylist()
    assert events == [["16"], ["16"]]


def test_remembered_statements_are_bounded():
    statements = _Statements()
    for i in range(10):
        statements.said(("s", str(i), "1"), "x" * 5_000_000)
    kept = [statements.said(("s", str(i), "1"), "<previously logged>") is not None for i in range(10)]
    assert kept == [False] * 4 + [True] * 6


def test_a_statement_cannot_cut_its_own_record_short():
    forged = csv_line(audit("WRITE", "DELETE", name="public.forged"), user="victim").decode()
    bare = "2026-11-22 12:44:35.138 UTC,,,17,,6b02e3b3.2475,99,,"
    raw = csv_line(audit(text=f"select 1 /*\n{forged}\n{bare}\n*/")) + csv_line(audit(), line=2)
    events = read(raw).events.to_pylist()
    assert [(event["actor"], event["object"]) for event in events] == [("agent", "public.customer")] * 2


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-11-22 12:44:35.138 UTC", None, "2026-11-22T12:44:35.138000Z"),
        ("2026-11-22 12:44:35.138 GMT", "Europe/Berlin", "2026-11-22T12:44:35.138000Z"),
        ("2026-11-22 12:44:35 +03", None, "2026-11-22T09:44:35.000000Z"),
        ("2026-11-22 12:44:35.1 -0330", None, "2026-11-22T16:14:35.100000Z"),
        ("2026-11-22 12:44:35.138+05:30", None, "2026-11-22T07:14:35.138000Z"),
        ("2026-11-22 12:44:35.138 CET", "Europe/Berlin", "2026-11-22T11:44:35.138000Z"),
        ("2026-10-25 02:30:00.000 CEST", "Europe/Berlin", "2026-10-25T00:30:00.000000Z"),
        ("2026-10-25 02:30:00.000 CET", "Europe/Berlin", "2026-10-25T01:30:00.000000Z"),
    ],
)
def test_times(text, zone, expected):
    times = LogTimes(ZoneInfo(zone) if zone else None)
    assert [format_time(times.micros(text)) for _ in range(2)] == [expected] * 2


@pytest.mark.parametrize(
    ("text", "zone", "reason"),
    [
        ("2026-11-22 12:44:35.138 CET", None, "time zone unknown: set time_zone"),
        ("2026-11-22 12:44:35.138 CEST", "Europe/Berlin", "does not occur in the time_zone"),
        ("2026-11-22 12:44:35.138 CET", "UTC", "does not occur in the time_zone"),
        ("2026-02-30 12:44:35.138 UTC", None, "not an ISO 8601 time"),
        ("2026-02-30 12:44:35.138 CET", "Europe/Berlin", "not an ISO 8601 time"),
        ("1900-01-01 12:44:35.138 UTC", None, "out of range"),
        ("2026-11-22 12:44:35.138 +99", None, "out of range"),
        ("yesterday", None, "not of the form"),
    ],
)
def test_times_that_are_refused(text, zone, reason):
    with pytest.raises(ValueError, match=reason) as caught:
        LogTimes(ZoneInfo(zone) if zone else None).micros(text)
    assert "2026-" not in str(caught.value).replace("2026-11-22 12:44:35.138 UTC", "")


def test_a_log_full_of_unknown_zones_says_what_to_set():
    from beholden.core.errors import SourceError

    raw = csv_line(audit(), time="2026-11-22 12:44:35.138 CET") * 60
    with pytest.raises(SourceError, match="set time_zone"):
        read(raw)
