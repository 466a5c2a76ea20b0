"""The databases' own logs.

``crm`` and ``payments``: PostgreSQL's CSV log (26 columns, version 14 on) with pgaudit's messages, a record for each
relation and ``log_rows``; https://www.postgresql.org/docs/current/runtime-config-logging.html and
https://github.com/pgaudit/pgaudit. ``orders``: MariaDB's server_audit with the events connect, query and table;
https://mariadb.com/kb/en/mariadb-audit-plugin-log-format/. ``warehouse``: a query gateway that writes OCSF Datastore
Activity (6005) as JSON lines; https://schema.ocsf.io.

All records of a statement are rendered as one text, so that its place is that of the first of them; they share the
statement id. The gateway writes no connections. Statements are written by the column; the few connections and errors
one by one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beholden.retailer.chance import DAY_US, SECOND_US, Bools, Ints, iso
from beholden.retailer.life.sql import APPS, CONNECT, CONNECTED, DISCONNECT, FAILURES, Statements
from beholden.retailer.life.sql_text import Sql
from beholden.retailer.log_files import LogKind
from beholden.retailer.render import chosen, iso_of, lines, numbers
from beholden.retailer.words import words_of
from beholden.retailer.world import World

__all__ = ["database_log"]

#: What renders the events of a log, as `LogKind.lines`.
Renderer: TypeAlias = Callable[[Statements, pa.Array], pa.Array]


def database_log(world: World, database: str, day: int) -> LogKind[Statements]:
    """The log of a database; its events must have gone through `beholden.retailer.life.sql.connected`."""
    logins = world.staff.logins(day)
    words = words_of(world.parameters.preset)
    name, programs = words.store(database), [words.told(app) for app in APPS]
    if database == "orders":
        rendered = _server_audit(name, logins, programs, day)
        return LogKind(database, f"{name}-audit-{{day}}.log", rendered, multiline=True)
    if database == "warehouse":
        rendered = _gateway(name, words.company.capitalize(), (logins, programs), len(world.staff.members))
        return LogKind(database, f"{name}-{{day}}.ocsf.jsonl", rendered)
    return LogKind(database, f"{name}-postgresql-{{day}}.csv", _csvlog(name, logins, programs), multiline=True)


class _Records(NamedTuple):
    """The records of some statements by the column, statement after statement."""

    statement: Ints  # position of each record's statement
    place: Ints  # 0 for a statement's first record
    piece: pa.Array  # what the record says that its statement's others do not
    flag: Bools

    @classmethod
    def of(cls, said: Sequence[Sql], pieces: Callable[[Sql], Iterable[tuple[str, bool]]]) -> _Records:
        """``pieces`` says ``piece`` and ``flag`` of the records of statements with the same command and tables."""
        known: dict[tuple[str, tuple[str, ...], tuple[str, ...]], int] = {}
        texts: list[tuple[str, bool]] = []
        ends = [0]
        shapes = []
        for one in said:
            key = one.command, one.reads, one.writes
            at = known.get(key)
            if at is None:
                at = known[key] = len(known)
                texts += pieces(one)
                ends.append(len(texts))
            shapes.append(at)
        shape, end = np.array(shapes, dtype=np.int64), np.array(ends, dtype=np.int64)
        height = np.diff(end)[shape]
        statement = np.repeat(np.arange(len(shape)), height)
        place = np.arange(len(statement)) - np.repeat(np.cumsum(height) - height, height)
        which = end[shape[statement]] + place
        flags = np.array([flag for _, flag in texts], dtype=np.bool_)
        return cls(statement, place, chosen([text for text, _ in texts], which), flags[which])

    def joined(self, records: pa.Array) -> pa.Array:
        """One text for each statement: its records, one after another."""
        ends = np.append(np.flatnonzero(self.place == 0), len(self.place))
        return pc.binary_join(pa.ListArray.from_arrays(pa.array(ends, pa.int32()), records), "")


def _merged(parts: Sequence[tuple[Ints, pa.Array]]) -> pa.Array:
    """Texts of several kinds of events, each kind with its positions, in the order of positions."""
    order = np.argsort(np.concatenate([at for at, _ in parts]))
    return pa.concat_arrays([texts for _, texts in parts]).take(pa.array(order))


# PostgreSQL


#: Class of a command's own record and of its table's; what is not here reads.
_WRITES: Final = {"INSERT": "WRITE,INSERT", "UPDATE": "WRITE,UPDATE", "DELETE": "WRITE,DELETE"}
_DEFINITIONS: Final = ("CREATE TABLE AS", "CREATE TABLE", "DROP TABLE", "ALTER TABLE")
_MESSAGES: Final = {
    "42703": 'column "{wrong}" does not exist',
    "42501": "permission denied for table {table}",
    "57014": "canceling statement due to statement timeout",
}


class _Session(NamedTuple):
    """What all records of a session say."""

    user: str
    address: str
    process: int
    start: int  # seconds since 1970
    program: str

    @property
    def port(self) -> int:
        """Of the client."""
        return 32_768 + (self.process * 7919 + self.start) % 28_000

    @property
    def started(self) -> str:
        """When it began, as the log has it."""
        return f"{iso(np.array([self.start * SECOND_US]))[0].replace('T', ' ')} UTC"

    @property
    def where(self) -> str:
        """Process, client and session as the log has them."""
        return f'{self.process},"{self.address}:{self.port}",{self.start:x}.{self.process:x}'


def _sessions(logins: list[str], programs: list[str], events: Statements) -> tuple[list[_Session], Ints]:
    """The sessions there are, and that of each event."""
    known: dict[tuple[int, int, int, str], int] = {}
    keys = zip(
        events.session.tolist(), events.actor.tolist(), events.app.tolist(), events.address.tolist(), strict=True
    )
    at = np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.int64)
    found = [
        _Session(logins[actor], address, session & (1 << 22) - 1, session >> 22, programs[app])
        for session, actor, app, address in known
    ]
    return found, at


def _csvlog(database: str, logins: list[str], programs: list[str]) -> Renderer:
    def rendered(events: Statements, _: pa.Array) -> pa.Array:
        said: list[Sql] = events.said.tolist()
        sessions, session = _sessions(logins, programs, events)
        special = np.array([one.command in CONNECTED for one in said], dtype=np.bool_) | (events.failure > 0)
        odd, plain = np.flatnonzero(special), np.flatnonzero(~special)
        some = events.at(odd)
        columns = zip(*(one.tolist() for one in (some.time, some.number, some.line, some.failure)), strict=True)
        unusual = [
            _csv_odd(database, sessions[at], one, f"{stamp.replace('T', ' ')} UTC", values)
            for at, one, stamp, values in zip(
                session[odd].tolist(), some.said, iso(some.time, "ms"), columns, strict=True
            )
        ]
        usual = _csv_statements(database, events.at(plain), sessions, session[plain])
        return _merged([(plain, usual), (odd, pa.array(unusual, pa.string()))])

    return rendered


def _csv_statements(database: str, events: Statements, sessions: list[_Session], session: Ints) -> pa.Array:
    """Records of statements that went well: ``AUDIT: SESSION,number,part,class,command,kind,name,text,..,rows``."""
    said: list[Sql] = events.said.tolist()
    records = _Records.of(said, _audited)
    which = pa.array(records.statement)
    process = np.array([one.process for one in sessions], dtype=np.int64)[session]
    writes = np.array([bool(one.writes) for one in said], dtype=np.bool_)
    changed = np.where(writes, 700_000 + events.time // SECOND_US % 90_000_000, 0)
    before = lines(
        iso_of(events.time, "ms", " "),
        chosen([f' UTC,"{one.user}","{database}",{one.where},' for one in sessions], session),
    )
    head = lines(
        ',"', pa.array([one.command for one in said], pa.string()), '",', chosen([one.started for one in sessions], session),
        ",", numbers(3 + process % 60), "/", numbers(events.number + process % 50_000), ",", numbers(changed),
        ',LOG,00000,"AUDIT: SESSION,', numbers(events.number), ",",
    )  # fmt: skip
    text = pa.array([one.text for one in said], pa.string())
    # pgaudit quotes the text within its message, the log quotes the message.
    quoted = lines('""', pc.replace_substring(text, '"', '""""'), '""')
    field = pc.if_else(pc.match_substring_regex(text, '[,"\n\r]'), quoted, text)
    rows = np.array([max(one.rows, 0) for one in said], dtype=np.int64)[records.statement]
    after = chosen([f'",,,,,,,,,"{one.program}","client backend",,0\n' for one in sessions], session)
    return records.joined(
        lines(
            before.take(which), numbers(events.line[records.statement] + records.place), head.take(which), records.piece,
            ",", field.take(which), ",<not logged>,", numbers(np.where(records.flag, rows, 0)), after.take(which),
        )
    )  # fmt: skip


def _csv_odd(database: str, session: _Session, sql: Sql, when: str, row: tuple[int, int, int, int]) -> str:
    """The records of a connection, or of a statement that failed; ``row``: time, number, line, failure."""
    time, number, line, failure = row
    where, started, user, program = session.where, session.started, session.user, session.program
    who = f'"{user}","{database}",{where}'
    host = f"host={session.address} port={session.port}"
    turn = f"{3 + session.process % 60}/{number + session.process % 50_000}"
    if sql.command == CONNECT:
        return (
            f'{when},,,{where},{line},"",{started},,0,LOG,00000,"connection received: {host}",,,,,,,,,"","not initialized",,0\n'
            f'{when},{who},{line + 1},"authentication",{started},{turn},0,LOG,00000,"connection authorized: user={user} '
            f'database={database} application_name={program}",,,,,,,,,"","client backend",,0\n'
        )
    if sql.command == DISCONNECT:
        seconds = max(0, time // 1000 - session.start * 1000)
        spent = f"{seconds // 3_600_000}:{seconds // 60_000 % 60:02d}:{seconds // 1000 % 60:02d}.{seconds % 1000:03d}"
        return (
            f'{when},{who},{line},"idle",{started},,0,LOG,00000,"disconnection: session time: {spent} user={user} '
            f'database={database} {host}",,,,,,,,,"{program}","client backend",,0\n'
        )
    state = FAILURES[failure]
    message = _MESSAGES[state].format(wrong=sql.wrong, table=sql.object)
    changed = 700_000 + time // SECOND_US % 90_000_000 if sql.writes else 0
    tag = f'"{sql.command}",{started},{turn},{changed}' if failure > 1 else f'"PARSE",{started},{turn},0'
    at = sql.text.find(sql.wrong) + 1 if sql.wrong else ""
    return (
        f'{when},{who},{line},{tag},ERROR,{state},{_quoted(message)},,,,,,{_quoted(sql.text)},{at},,"{program}",'
        f'"client backend",,0\n'
    )


def _audited(sql: Sql) -> Iterator[tuple[str, bool]]:
    """The audit's records of a statement: part of it, class, command, kind and name; whether it counts rows."""
    write = _WRITES.get(sql.command)
    if write is not None:
        for name in sql.writes:
            yield f"1,{write},TABLE,public.{name}", True
    for name in sql.reads:
        yield f"1,READ,SELECT,TABLE,public.{name}", True
    if sql.command in _DEFINITIONS:
        yield f"{1 + bool(sql.reads)},DDL,{sql.command},TABLE,public.{sql.writes[0]}", False
    elif sql.command == "COPY":
        if sql.writes:
            yield f"1,WRITE,INSERT,TABLE,public.{sql.writes[0]}", True
        yield f"2,{'WRITE' if sql.writes else 'READ'},COPY,,", False
    elif write is None and not sql.reads:
        yield f"1,READ,{sql.command},,", True


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
_ESCAPES: Final = (("\\", "\\\\"), ("'", "\\'"), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r"))
#: Failures after which the tables of others were never opened.
_UNOPENED: Final = ("42703", "42501")


def _server_audit(database: str, logins: list[str], programs: list[str], day: int) -> Renderer:
    server = f"{database}-db-1"
    closed = np.array([state in _UNOPENED for state in FAILURES])

    def pieces(sql: Sql) -> Iterator[tuple[str, bool]]:
        """A record for each table, then that of the text; those of connections are not flagged."""
        if sql.command in CONNECTED:
            yield f"0,{sql.command},{database},,0\n", False
            return
        event = _TABLE_EVENTS.get(sql.command, "WRITE")
        yield from ((f"{event},{database},{name},\n", False) for name in sql.writes)
        yield from ((f"READ,{database},{name},\n", False) for name in sql.reads)
        yield f"QUERY,{database},'", True

    def rendered(events: Statements, _: pa.Array) -> pa.Array:
        said: list[Sql] = events.said.tolist()
        sessions, session = _sessions(logins, programs, events)
        records = _Records.of(said, pieces)
        connecting = np.array([one.command in CONNECTED for one in said], dtype=np.bool_)
        kept = records.flag | connecting[records.statement] | ~closed[events.failure][records.statement]
        # Queries are numbered through the life of the server; so are connections.
        query = 40_000_000 + (day % 4000) * 2_000_000 + (events.time - day * DAY_US) // 50_000 + events.session % 13
        lead = lines(
            pc.strftime(
                pa.array(events.time, pa.timestamp("us")).cast(pa.timestamp("s"), safe=False), "%Y%m%d %H:%M:%S"
            ),
            chosen([f",{server},{one.user},{one.address},{one.process}," for one in sessions], session),
            pc.if_else(pa.array(connecting), "", lines(numbers(query), ",")),
        )
        text = pa.array([one.text for one in said], pa.string())
        for mark, escaped in _ESCAPES:
            text = pc.replace_substring(text, mark, escaped)
        text = lines(text, chosen([f"',{_NUMBERS[state]}\n" for state in FAILURES], events.failure))
        which = pa.array(records.statement)
        whole = lines(lead.take(which), records.piece, pc.if_else(pa.array(records.flag), text.take(which), ""))
        return records.joined(pc.if_else(pa.array(kept), whole, ""))

    return rendered


# The warehouse's gateway

#: Command -> OCSF activity_id of class 6005 and its name.
_ACTIVITIES: Final = {
    "SELECT": (4, "Query"), "INSERT": (5, "Write"), "UPDATE": (2, "Update"), "MERGE": (2, "Update"), "DELETE": (7, "Delete"),
    "TRUNCATE TABLE": (7, "Delete"), "DROP TABLE": (7, "Delete"), "ALTER TABLE": (2, "Update"), "CREATE TABLE": (6, "Create"),
    "CREATE TABLE AS": (6, "Create"),
}  # fmt: skip
_COPY_IN, _COPY_OUT = (5, "Write"), (1, "Read")
_STATUSES: Final = ('"status":"Success","status_id":1', '"status":"Failure","status_id":2')


def _gateway(database: str, vendor: str, names: tuple[list[str], list[str]], people: int) -> Renderer:
    logins, programs = names
    users = [
        f'}},"actor":{{"user":{{"name":"{login}",{_USERS[at >= people]}}},"session":{{"uid":"'
        for at, login in enumerate(logins)
    ]
    apps = [f'"}},"app_name":"{name}"}},"src_endpoint":{{"ip":"' for name in programs]
    product = f'","product":{{"name":"Query Gateway","vendor_name":"{vendor}"}}'
    kinds = [_json_activity(*found) for found in _KINDS]
    place = {found: at for at, found in enumerate(_KINDS)}
    middle = f'"}},"database":{{"name":"{database}","type":"Relational","type_id":1}},"query_info":{{"query_string":'

    def rendered(events: Statements, uids: pa.Array) -> pa.Array:
        said: list[Sql] = events.said.tolist()
        encode = json.JSONEncoder().encode
        kind = np.array([place[_activity(one)] for one in said], dtype=np.int64)
        counted = pa.array([f',"query_result_count":{one.rows}' if one.rows >= 0 else "" for one in said], pa.string())
        failed = events.failure > 0
        table = [
            f',"table":{{"name":"{one.object}"}}' if named and one.object else ""
            for one, named in zip(said, events.named.tolist(), strict=True)
        ]
        detail = [
            f',"status_detail":{encode(_MESSAGES[FAILURES[failure]].format(wrong=one.wrong, table=one.object))}' if failure else ""
            for one, failure in zip(said, events.failure.tolist(), strict=True)
        ]  # fmt: skip
        return lines(
            chosen(kinds, kind), numbers(events.time // 1000), ',"metadata":{"version":"1.3.0","uid":"', uids, product,
            chosen(users, events.actor), pa.array([f"{one:x}" for one in events.session.tolist()], pa.string()),
            chosen(apps, events.app), pa.array(events.address, pa.string()), middle,
            pa.array([encode(one.text) for one in said], pa.string()), pc.if_else(pa.array(failed), "", counted), "},",
            chosen(_STATUSES, failed.astype(np.int64)), pa.array(detail, pa.string()), pa.array(table, pa.string()), "}\n",
        )  # fmt: skip

    return rendered


_USERS: Final = ('"type":"User","type_id":1', '"type":"System","type_id":3')
_KINDS: Final = tuple(dict.fromkeys([*_ACTIVITIES.values(), _COPY_IN, _COPY_OUT]))


def _activity(sql: Sql) -> tuple[int, str]:
    if sql.command == "COPY":
        return _COPY_IN if sql.writes else _COPY_OUT
    return _ACTIVITIES[sql.command]


def _json_activity(activity: int, name: str) -> str:
    return (
        f'{{"class_uid":6005,"category_uid":6,"activity_id":{activity},"activity_name":"{name}",'
        f'"type_uid":{600_500 + activity},"severity_id":1,"time":'
    )
