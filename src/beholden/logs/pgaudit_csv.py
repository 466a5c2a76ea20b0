"""``pgaudit-csv``: PostgreSQL's csvlog with the messages of pgaudit.

Column layout: https://www.postgresql.org/docs/current/runtime-config-logging.html (CSV-format log output); 23 columns
up to version 12, 24 in 13, 26 from 14 on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from beholden.logs._account import Account
from beholden.logs._csv import rows
from beholden.logs._pgaudit import COLUMNS, AuditLog, ServerRecord
from beholden.logs._source import Source, lines
from beholden.logs.reader import LogBatch, LogContext

__all__ = ["PgauditCsv"]

_LAYOUTS: Final = (23, 24, 26)
_FIELD: Final = rb'(?:"(?:[^"]|"")*+"|[^",]*+)'
#: Time, user, database, process, connection, session id, session line: how every record begins.
_HEAD: Final = re.compile(
    rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[^,\"]{0,40},"
    + rb",".join((_FIELD, _FIELD, rb"\d*", _FIELD, rb'"?[0-9a-f]+\.[0-9a-f]+"?', rb"\d+,"))
)


class _Csvlog:
    """How records of csvlog look; all of one file have the same number of columns."""

    stray = "no csvlog record begins with this line"

    def __init__(self) -> None:
        self._columns = 0

    def begins(self, line: bytes) -> bool:
        return _HEAD.match(line) is not None

    def accepts(self, fields: list[str], *, ended: bool) -> bool:
        if len(fields) not in _LAYOUTS or (not ended and self._columns not in (0, len(fields))):
            return False
        self._columns = len(fields)
        return True


class PgauditCsv:
    """Reads csvlog files."""

    format: str = "pgaudit-csv"

    def read(self, stream: BinaryIO, context: LogContext) -> Iterator[LogBatch]:
        """Batches in the order of the stream; see `beholden.logs.reader.Reader`."""
        source = Source(stream)
        account = Account(self.format, COLUMNS, source, frozenset({self.format}))
        audit = AuditLog(account, context)
        for row in rows(lines(source), _Csvlog()):
            if row.problem is not None:
                account.problem(row.number, row.problem)
            else:
                if row.mended:
                    account.mended("invalid UTF-8 replaced")
                audit.take(_record(row.number, row.fields))
            if account.full:
                yield from account.batches()
        yield from account.finish()


def _record(number: int, fields: list[str]) -> ServerRecord:
    host, colon, port = fields[4].rpartition(":")
    return ServerRecord(
        number=number,
        time=fields[0],
        user=fields[1],
        database=fields[2],
        host=host if colon and port.isdigit() else fields[4],
        session=fields[5],
        line=fields[6],
        severity=fields[11],
        sqlstate=fields[12],
        message=fields[13],
        query=fields[19],
        app=fields[22],
    )
