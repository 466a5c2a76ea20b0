"""What a record of PostgreSQL's server log says about accesses, where pgaudit writes into it.

Both forms of the log (csvlog, jsonlog) come here, so that one record gives the same identity and event in either.
Message format: https://github.com/pgaudit/pgaudit, section Format.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

from beholden.logs._account import Account
from beholden.logs._csv import split_csv
from beholden.logs._identity import identity_prefix
from beholden.logs._pgtime import LogTimes
from beholden.logs.reader import LogContext

__all__ = ["COLUMNS", "AuditLog", "ServerRecord"]

COLUMNS: Final = (
    "record", "identity", "time", "actor", "session", "ip", "app", "class_uid", "activity", "object", "rows", "status",
    "statement", "parameters", "statement_ref", "database", "detail",
)  # fmt: skip

_ACTIVITIES: Final = {
    ("READ", "SELECT"): "read",
    ("READ", "COPY"): "export",
    ("WRITE", "INSERT"): "create",
    ("WRITE", "UPDATE"): "update",
    ("WRITE", "MERGE"): "update",
    ("WRITE", "DELETE"): "delete",
    ("WRITE", "TRUNCATE"): "delete",
    ("WRITE", "TRUNCATE TABLE"): "delete",
    ("WRITE", "COPY"): "create",
    ("DDL", "CREATE TABLE AS"): "create",
    ("DDL", "SELECT INTO"): "create",
    ("DDL", "CREATE MATERIALIZED VIEW"): "create",
    ("ROLE", "GRANT"): "grant",
    ("ROLE", "GRANT ROLE"): "grant",
    ("ROLE", "REVOKE"): "revoke",
    ("ROLE", "REVOKE ROLE"): "revoke",
}
_CLASSES: Final = frozenset({"READ", "WRITE", "DDL", "ROLE", "FUNCTION", "MISC", "MISC_SET"})
#: What pgaudit writes where a text or its parameters would stand.
_NOT_THERE: Final = ("<not logged>", "<none>", "<long param suppressed>", "")
_LOGGED_BEFORE: Final = "<previously logged>"
_CATALOGUE: Final = ("pg_catalog.", "information_schema.", "pg_toast.")
_SEVERITIES: Final = frozenset({"LOG", "INFO", "NOTICE", "WARNING", *(f"DEBUG{level}" for level in range(1, 6))})
_FAILURES: Final = frozenset({"ERROR", "FATAL", "PANIC"})
#: SQLSTATEs of a connection that failed: connection, authorization, no such database, too many, server shut down.
_FAILED_CONNECTION: Final = ("08", "28", "3D", "53300", "57P")
_CONNECTION: Final = ("connection ", "disconnection: ", "replication connection ")
_STATEMENT_LOG: Final = ("statement: ", "execute ", "duration: ", "parse ", "bind ", "fastpath function call: ")
_SESSION: Final = re.compile(r"[0-9a-f]{1,16}\.[0-9a-f]{1,16}")
_COPY: Final = re.compile(r"(?:\s|--[^\n]*\n|/\*(?>.*?\*/))*+copy\b", re.IGNORECASE | re.DOTALL)
_NUMBER_DIGITS_MAX: Final = 18  # fits 64 bits
_GRANTS: Final = frozenset({"grant", "revoke"})


@dataclass(slots=True)
class ServerRecord:
    """The columns of a server log record that matter here, as text; '' where the record has none."""

    number: int  # first physical line, from 1
    time: str
    user: str
    database: str
    host: str  # name or address, without the port; [local] for a Unix socket
    session: str
    line: str
    severity: str
    sqlstate: str
    message: str
    query: str  # the statement an error belongs to
    app: str


class _Statements:
    """What the last statements said, for records that say ``<previously logged>``. Bounded in number and size."""

    _COUNT: Final = 4096
    _CHARS: Final = 32 * 1024 * 1024

    def __init__(self) -> None:
        self._texts: OrderedDict[tuple[str, ...], str] = OrderedDict()
        self._chars = 0

    def said(self, key: tuple[str, ...], logged: str) -> str | None:
        """What stands in a record, or stood in an earlier one of the statement; None where neither does."""
        if logged == _LOGGED_BEFORE:
            return self._texts.get(key)
        if logged in _NOT_THERE:
            return None
        self._chars += len(logged) - len(self._texts.pop(key, ""))
        self._texts[key] = logged
        while len(self._texts) > self._COUNT or self._chars > self._CHARS:
            self._chars -= len(self._texts.popitem(last=False)[1])
        return logged


class AuditLog:
    """Takes the records of one log in their order and enters each into the account."""

    def __init__(self, account: Account, context: LogContext) -> None:
        self._account = account
        self._times = LogTimes(context.time_zone)
        self._prefix = identity_prefix(context.server, "n")
        self._statements = _Statements()

    def take(self, record: ServerRecord) -> None:
        """Enter one record: an event, noise with its reason, or a problem."""
        if not _SESSION.fullmatch(record.session) or not _is_number(record.line):
            self._account.problem(record.number, "session id or line number is not PostgreSQL's")
        elif record.severity in _FAILURES:
            self._account.noise(_failure(record))
        elif record.severity not in _SEVERITIES:
            self._account.problem(record.number, "severity is not one of PostgreSQL's")
        elif not record.message.startswith("AUDIT: "):
            self._account.noise(_chatter(record.message))
        else:
            self._audit(record)

    def _audit(self, record: ServerRecord) -> None:
        fields = split_csv(record.message[7:])
        if fields is None or len(fields) not in (9, 10) or fields[0] not in ("SESSION", "OBJECT"):
            self._account.problem(record.number, "AUDIT message is not of pgaudit's form")
            return
        _, statement_id, part, class_, command, kind, name, text, bound = fields[:9]
        rows = fields[9] if len(fields) == 10 else ""
        if not (_is_number(statement_id) and _is_number(part) and (not rows or _is_number(rows))):
            self._account.problem(record.number, "AUDIT message: a number was expected")
        elif class_ not in _CLASSES:
            self._account.problem(record.number, "AUDIT message: class is not one of pgaudit's")
        elif name.startswith(_CATALOGUE):
            self._account.noise("catalogue")
        else:
            key = (record.session, statement_id, part)
            statement = self._statements.said(key, text)
            parameters = _parameters(self._statements.said((*key, "parameters"), bound))
            what = (class_, command, kind)
            self._event(record, f"{record.session}/{statement_id}", what, name, (statement, parameters), rows)

    def _event(
        self,
        record: ServerRecord,
        statement_ref: str,
        what: tuple[str, str, str],
        name: str,
        said: tuple[str | None, list[str | None] | None],
        rows: str,
    ) -> None:
        statement, parameters = said
        try:
            time = self._times.micros(record.time)
        except ValueError as error:
            self._account.problem(record.number, str(error))
            return
        activity = _ACTIVITIES.get(what[:2], "other")
        if activity == "read" and statement is not None and _COPY.match(statement):
            activity = "export"
        row: tuple[Any, ...] = (
            record.number,
            b"%b%b/%d" % (self._prefix, record.session.encode(), int(record.line)),
            time,
            record.user or None,
            record.session,
            None if record.host in ("", "[local]") else record.host,
            record.app or None,
            3005 if activity in _GRANTS else 6005,
            activity,
            name or None,
            int(rows) if rows else None,
            "success",
            statement,
            parameters,
            statement_ref,
            record.database or None,
            " ".join(part for part in what if part) if activity in ("other", "grant", "revoke") else None,
        )
        self._account.parsed((row,))


def _parameters(logged: str | None) -> list[str | None] | None:
    """The values bound to $1, $2 ..; pgaudit writes nothing for a null and for an empty text: neither names anybody."""
    values = None if logged is None else split_csv(logged)
    return None if values is None else [value or None for value in values]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS_MAX


def _failure(record: ServerRecord) -> str:
    if record.query:
        return "failed statement"
    return "connection" if record.sqlstate.startswith(_FAILED_CONNECTION) else "server"


def _chatter(message: str) -> str:
    if message.startswith(_CONNECTION):
        return "connection"
    return "statement log" if message.startswith(_STATEMENT_LOG) else "server"
