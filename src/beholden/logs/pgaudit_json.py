"""``pgaudit-json``: PostgreSQL's jsonlog (version 15 on) with the messages of pgaudit.

Keys: https://www.postgresql.org/docs/current/runtime-config-logging.html (JSON-format log output).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

import msgspec

from beholden.logs._account import Account
from beholden.logs._json import decode_record, json_lines
from beholden.logs._pgaudit import COLUMNS, AuditLog, ServerRecord
from beholden.logs._source import Source
from beholden.logs.reader import LogBatch, LogContext

__all__ = ["PgauditJson"]


class _Jsonlog(msgspec.Struct, frozen=True, gc=False):
    """The keys that matter here; PostgreSQL leaves out those without a value."""

    timestamp: str
    session_id: str
    line_num: int
    error_severity: str
    message: str = ""
    user: str = ""
    dbname: str = ""
    remote_host: str = ""
    state_code: str = ""
    statement: str = ""
    application_name: str = ""


_DECODER: Final = msgspec.json.Decoder(_Jsonlog)


class PgauditJson:
    """Reads jsonlog files."""

    format: str = "pgaudit-json"

    def read(self, stream: BinaryIO, context: LogContext) -> Iterator[LogBatch]:
        """Batches in the order of the stream; see `beholden.logs.reader.Reader`."""
        source = Source(stream)
        account = Account(self.format, COLUMNS, source, frozenset({self.format, "JSON"}))
        audit = AuditLog(account, context)
        for record in json_lines(source):
            value = decode_record(_DECODER, record, account)
            if value is not None:
                audit.take(_record(record.number, value))
            if account.full:
                yield from account.batches()
        yield from account.finish()


def _record(number: int, value: _Jsonlog) -> ServerRecord:
    return ServerRecord(
        number=number,
        time=value.timestamp,
        user=value.user,
        database=value.dbname,
        host=value.remote_host,
        session=value.session_id,
        line=str(value.line_num),
        severity=value.error_severity,
        sqlstate=value.state_code,
        message=value.message,
        query=value.statement,
        app=value.application_name,
    )
