"""The databases' own logs.

``crm`` and ``payments``: PostgreSQL's CSV log (26 columns, version 14 on) with pgaudit's messages, a record for each
relation and ``log_rows``; https://www.postgresql.org/docs/current/runtime-config-logging.html and
https://github.com/pgaudit/pgaudit. ``orders``: MariaDB's server_audit with the events connect, query and table;
https://mariadb.com/kb/en/mariadb-audit-plugin-log-format/. ``warehouse``: a query gateway that writes OCSF Datastore
Activity (6005) as JSON lines; https://schema.ocsf.io.

All records of a statement are rendered as one text, so that its place is that of the first of them; they share the
statement id. The gateway writes no connections.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import pyarrow as pa

from beholden.retailer.chance import DAY_US, SECOND_US, iso
from beholden.retailer.life.sql import APPS, CONNECT, CONNECTED, DISCONNECT, FAILURES, Statements
from beholden.retailer.life.sql_text import Sql
from beholden.retailer.log_files import LogKind
from beholden.retailer.staff import Staff
from beholden.retailer.world import World

__all__ = ["database_log"]

_ORDERS_HOST: Final = "orders-db-1"


def database_log(world: World, database: str, day: int) -> LogKind[Statements]:
    """The log of a database; its events must have gone through `beholden.retailer.life.sql.connected`."""
    if database == "orders":
        return LogKind("orders", "orders-audit-{day}.log", _server_audit(world, day), multiline=True)
    if database == "warehouse":
        return LogKind("warehouse", "warehouse-{day}.ocsf.jsonl", _gateway(world, day))
    return LogKind(database, f"{database}-postgresql-{{day}}.csv", _csvlog(world, day), multiline=True)


class _Row(NamedTuple):
    """One event, as the formats want it."""

    sql: Sql
    time: int
    actor: int
    session: int
    number: int
    line: int
    app: int
    address: str
    failure: int
    named: int


def _rows(events: Statements) -> Iterator[_Row]:
    names = ("time", "actor", "session", "number", "line", "app")
    return map(
        _Row, events.said, *(getattr(events, name).tolist() for name in names), events.address, events.failure.tolist(),
        events.named.tolist(),
    )  # fmt: skip


# PostgreSQL


#: Class of a command's own record and of its table's; what is not here reads.
_WRITES: Final = {"INSERT": "WRITE,INSERT", "UPDATE": "WRITE,UPDATE", "DELETE": "WRITE,DELETE"}
_DEFINITIONS: Final = ("CREATE TABLE AS", "CREATE TABLE", "DROP TABLE", "ALTER TABLE")
_MESSAGES: Final = {
    "42703": 'column "{wrong}" does not exist',
    "42501": "permission denied for table {table}",
    "57014": "canceling statement due to statement timeout",
}


def _csvlog(world: World, day: int) -> Any:
    logins = world.staff.logins(day)

    def rendered(events: Statements, _: pa.Array) -> pa.Array:
        times = iso(events.time, "ms")
        started = [text.replace("T", " ") for text in iso((events.session >> 22) * SECOND_US)]
        return pa.array(
            [_csv_records(logins, row, *texts) for row, *texts in zip(_rows(events), times, started, strict=True)],
            pa.string(),
        )

    return rendered


def _csv_records(logins: list[str], row: _Row, stamp: str, started: str) -> str:
    sql, time, actor, session, number, line, app, address, failure, _ = row
    start, process = session >> 22, session & (1 << 22) - 1
    port = 32_768 + (process * 7919 + start) % 28_000
    user, name = logins[actor], APPS[app]
    when = f"{stamp.replace('T', ' ')} UTC"
    where = f'{process},"{address}:{port}",{start:x}.{process:x}'
    who = f'"{user}","{sql.database}",{where}'
    host = f"host={address} port={port}"
    turn = f"{3 + process % 60}/{number + process % 50_000}"
    if sql.command == CONNECT:
        return (
            f'{when},,,{where},{line},"",{started} UTC,,0,LOG,00000,"connection received: {host}",,,,,,,,,"","not initialized",,0\n'
            f'{when},{who},{line + 1},"authentication",{started} UTC,{turn},0,LOG,00000,"connection authorized: user={user} '
            f'database={sql.database} application_name={name}",,,,,,,,,"","client backend",,0\n'
        )
    if sql.command == DISCONNECT:
        seconds = max(0, time // 1000 - start * 1000)
        spent = f"{seconds // 3_600_000}:{seconds // 60_000 % 60:02d}:{seconds // 1000 % 60:02d}.{seconds % 1000:03d}"
        return (
            f'{when},{who},{line},"idle",{started} UTC,,0,LOG,00000,"disconnection: session time: {spent} user={user} '
            f'database={sql.database} {host}",,,,,,,,,"{name}","client backend",,0\n'
        )
    changed = 700_000 + time // SECOND_US % 90_000_000 if sql.writes else 0
    head = f'"{sql.command}",{started} UTC,{turn},{changed}'
    if failure:
        state = FAILURES[failure]
        message = _MESSAGES[state].format(wrong=sql.wrong, table=sql.object)
        tag = head if failure > 1 else f'"PARSE",{started} UTC,{turn},0'
        at = sql.text.find(sql.wrong) + 1 if sql.wrong else ""
        return (
            f'{when},{who},{line},{tag},ERROR,{state},{_quoted(message)},,,,,,{_quoted(sql.text)},{at},,"{name}",'
            f'"client backend",,0\n'
        )
    text = _field(sql.text)
    records = []
    for place, (part, what, rows) in enumerate(_audited(sql)):
        message = f"AUDIT: SESSION,{number},{part},{what},{text},<not logged>,{rows}"
        records.append(
            f'{when},{who},{line + place},{head},LOG,00000,{_quoted(message)},,,,,,,,,"{name}","client backend",,0\n'
        )
    return "".join(records)


def _audited(sql: Sql) -> Iterator[tuple[int, str, int]]:
    """The audit's records of a statement: part of it, class, command, kind and name, and rows."""
    rows = max(sql.rows, 0)
    write = _WRITES.get(sql.command)
    if write is not None:
        for name in sql.writes:
            yield 1, f"{write},TABLE,public.{name}", rows
    for name in sql.reads:
        yield 1, f"READ,SELECT,TABLE,public.{name}", rows
    if sql.command in _DEFINITIONS:
        yield 1 + bool(sql.reads), f"DDL,{sql.command},TABLE,public.{sql.writes[0]}", 0
    elif sql.command == "COPY":
        if sql.writes:
            yield 1, f"WRITE,INSERT,TABLE,public.{sql.writes[0]}", rows
        yield 2, f"{'WRITE' if sql.writes else 'READ'},COPY,,", 0
    elif write is None and not sql.reads:
        yield 1, f"READ,{sql.command},,", rows


def _field(text: str) -> str:
    """A text as pgaudit writes it within its message."""
    return _quoted(text) if any(mark in text for mark in ',"\n\r') else text


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


# MariaDB

#: SQLSTATE -> MariaDB's number of the error.
_NUMBERS: Final = {"": 0, "42703": 1054, "42501": 1142, "57014": 1969}
_TABLE_EVENTS: Final = {
    "CREATE TABLE AS": "CREATE",
    "CREATE TABLE": "CREATE",
    "DROP TABLE": "DROP",
    "ALTER TABLE": "ALTER",
}
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r"})


def _server_audit(world: World, day: int) -> Any:
    logins = world.staff.logins(day)

    def rendered(events: Statements, _: pa.Array) -> pa.Array:
        # Queries are numbered through the life of the server; so are connections.
        first = 40_000_000 + (day % 4000) * 2_000_000
        query_ids = (first + (events.time - day * DAY_US) // 50_000 + events.session % 13).tolist()
        columns = zip(_rows(events), iso(events.time), query_ids, strict=True)
        return pa.array([_audit_records(logins, *one) for one in columns], pa.string())

    return rendered


def _audit_records(logins: list[str], row: _Row, stamp: str, query: int) -> str:
    sql = row.sql
    when = f"{stamp[:10].replace('-', '')} {stamp[11:]}"
    connection = row.session & (1 << 22) - 1
    head = f"{when},{_ORDERS_HOST},{logins[row.actor]},{row.address},{connection}"
    if sql.command in CONNECTED:
        return f"{head},0,{sql.command},{sql.database},,0\n"
    state = FAILURES[row.failure]
    records = []
    if state not in {"42703", "42501"}:  # the tables of others are never opened
        event = _TABLE_EVENTS.get(sql.command, "WRITE")
        records += [f"{head},{query},{event},{sql.database},{name},\n" for name in sql.writes]
        records += [f"{head},{query},READ,{sql.database},{name},\n" for name in sql.reads]
    records.append(f"{head},{query},QUERY,{sql.database},'{sql.text.translate(_ESCAPES)}',{_NUMBERS[state]}\n")
    return "".join(records)


# The warehouse's gateway

#: Command -> OCSF activity_id of class 6005 and its name.
_ACTIVITIES: Final = {
    "SELECT": (4, "Query"), "INSERT": (5, "Write"), "UPDATE": (2, "Update"), "MERGE": (2, "Update"), "DELETE": (7, "Delete"),
    "TRUNCATE TABLE": (7, "Delete"), "DROP TABLE": (7, "Delete"), "ALTER TABLE": (2, "Update"), "CREATE TABLE": (6, "Create"),
    "CREATE TABLE AS": (6, "Create"),
}  # fmt: skip
_COPY_IN, _COPY_OUT = (5, "Write"), (1, "Read")


def _gateway(world: World, day: int) -> Any:
    logins, staff = world.staff.logins(day), world.staff

    def rendered(events: Statements, uids: pa.Array) -> pa.Array:
        columns = zip(_rows(events), uids.to_pylist(), strict=True)
        return pa.array([_ocsf(staff, logins, row, uid) for row, uid in columns], pa.string())

    return rendered


def _ocsf(staff: Staff, logins: list[str], row: _Row, uid: str) -> str:
    sql, failure = row.sql, row.failure
    copy = _COPY_IN if sql.writes else _COPY_OUT
    activity, name = copy if sql.command == "COPY" else _ACTIVITIES[sql.command]
    kind = ("User", 1) if row.actor < len(staff.members) else ("System", 3)
    query: dict[str, object] = {"query_string": sql.text}
    if not failure and sql.rows >= 0:
        query["query_result_count"] = sql.rows
    event: dict[str, object] = {
        "class_uid": 6005,
        "category_uid": 6,
        "activity_id": activity,
        "activity_name": name,
        "type_uid": 600_500 + activity,
        "severity_id": 1,
        "time": row.time // 1000,
        "metadata": {
            "version": "1.3.0",
            "uid": uid,
            "product": {"name": "Query Gateway", "vendor_name": "Meridian Retail"},
        },
        "actor": {
            "user": {"name": logins[row.actor], "type": kind[0], "type_id": kind[1]},
            "session": {"uid": f"{row.session:x}"},
            "app_name": APPS[row.app],
        },
        "src_endpoint": {"ip": row.address},
        "database": {"name": sql.database, "type": "Relational", "type_id": 1},
        "query_info": query,
        "status": "Failure" if failure else "Success",
        "status_id": 2 if failure else 1,
    }
    if failure:
        event["status_detail"] = _MESSAGES[FAILURES[failure]].format(wrong=sql.wrong, table=sql.object)
    if row.named and sql.object:
        event["table"] = {"name": sql.object}
    return json.dumps(event, separators=(",", ":")) + "\n"
