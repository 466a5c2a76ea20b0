"""``mapped``: an application's own JSON or CSV, read by a mapping file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final

from beholden.core.errors import SourceError
from beholden.logs._account import Account
from beholden.logs._columns import RefusedError
from beholden.logs._csv import Row, rows
from beholden.logs._documents import json_records
from beholden.logs._identity import ContentIdentity, identity_prefix, numbered
from beholden.logs._json import decode_object
from beholden.logs._paths import text_of
from beholden.logs._source import Source, lines
from beholden.logs._times import time_reader
from beholden.logs.mapping import Mapping
from beholden.logs.reader import LogBatch, LogContext

__all__ = ["Mapped"]

#: Columns that every row has; the mapping's own follow.
_FIRST: Final = ("record", "identity", "time", "object")
#: Columns of a mapping that are not copied as they are.
_SPECIAL: Final = ("time", "uid", "dataset", "subject")


class Mapped:
    """Reads JSON lines, JSON documents or CSV with a header, as its mapping says."""

    format: str = "mapped"

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping

    def read(self, stream: BinaryIO, context: LogContext) -> Iterator[LogBatch]:
        """Batches in the order of the stream; see `beholden.logs.reader.Reader`."""
        source = Source(stream)
        events = _Events(self._mapping, source, context)
        yield from self._csv(source, events) if self._mapping.format == "csv" else self._json(source, events)
        yield from events.account.finish()

    def _json(self, source: Source, events: _Events) -> Iterator[LogBatch]:
        account = events.account
        for record in json_records(source, self._mapping.place):
            value = decode_object(record, account)
            if value is not None:
                events.take(record.number, value)
            if account.full:
                yield from account.batches()

    def _csv(self, source: Source, events: _Events) -> Iterator[LogBatch]:
        account, frame = events.account, _Header()
        for row in rows(lines(source), frame):
            if row.problem is not None:
                account.problem(row.number, row.problem)
            elif row.fields is frame.header:
                _check_header(row)
            elif row.fields == frame.header:
                account.noise("header")
            else:
                if row.mended:
                    account.mended("invalid UTF-8 replaced")
                events.take(row.number, dict(zip(frame.header, row.fields, strict=True)))
            if account.full:
                yield from account.batches()


class _Header:
    """The first row names the columns; every other has as many."""

    stray = ""  # any line may begin a record

    def __init__(self) -> None:
        self.header: list[str] = []

    def begins(self, _line: bytes) -> bool:
        return True

    def accepts(self, fields: list[str], *, ended: bool) -> bool:
        if not self.header:
            self.header = fields
            return True
        return len(fields) == len(self.header) and ended  # without its newline the last value may be cut


def _check_header(row: Row) -> None:
    if len(set(row.fields)) != len(row.fields):
        raise SourceError(
            "log read as mapped", "two columns of the header have the same name", expected="CSV with a header"
        )


class _Events:
    """Turns decoded records into rows of events."""

    def __init__(self, mapping: Mapping, source: Source, context: LogContext) -> None:
        columns = mapping.columns
        self._skip = mapping.skip
        self._time_of = columns["time"]
        self._time = time_reader(mapping.time_format, context.time_zone)
        self._uid = columns.get("uid")
        self._dataset = columns.get("dataset")
        self._subject = columns.get("subject")
        copied = {name: get for name, get in columns.items() if name not in _SPECIAL}
        names = [*copied, *(["subjects"] if self._subject else [])]
        self._getters: list[Callable[[Any], Any]] = list(copied.values())
        self._activity = names.index("activity") if "activity" in names else None
        self._statement = names.index("statement") if "statement" in names else None
        self._prefix = identity_prefix(context.server, "u")
        self._content = ContentIdentity(context.server)
        alike = {"JSON", "ocsf", "pgaudit-json"} if mapping.format == "json" else {"pgaudit-csv"}
        self.account = Account("mapped", (*_FIRST, *names), source, frozenset(alike))

    def take(self, number: int, record: dict[str, Any]) -> None:
        """Enter one record: its events, noise with its reason, or a problem."""
        for rule in self._skip:
            if text_of(rule.get(record)) in rule.values:
                self.account.noise(rule.reason)
                return
        try:
            self.account.parsed(self._rows(number, record))
        except (RefusedError, ValueError) as error:  # both are ours and quote nothing
            self.account.problem(number, str(error))

    def _rows(self, number: int, record: dict[str, Any]) -> list[tuple[Any, ...]]:
        stated = self._time_of(record)
        if stated is None or stated == "":
            raise RefusedError("time: missing")
        time = self._time(stated)
        values = [get(record) for get in self._getters]
        if self._subject is not None:
            subject = self._subject(record)
            values.append(None if subject is None else [subject])
        if all(at is None or values[at] is None for at in (self._activity, self._statement)):
            raise RefusedError("activity: missing")
        uid = self._uid(record) if self._uid is not None else None
        identity = self._content.of(record) if uid is None else self._prefix + uid.encode()
        datasets = self._dataset(record) if self._dataset is not None else None
        if type(datasets) is not list:
            return [(number, identity, time, datasets, *values)]
        return [
            (number, numbered(identity, i), time, dataset, *values) for i, dataset in enumerate(dict.fromkeys(datasets))
        ]
