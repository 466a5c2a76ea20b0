"""``mapped``: an application's own JSON, CSV, Parquet or Arrow, read by a mapping file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from beholden.core.errors import SourceError
from beholden.logs._csv import Row, rows
from beholden.logs._documents import json_records
from beholden.logs._files import beginning
from beholden.logs._json import decode_object
from beholden.logs._mapped_record import Events
from beholden.logs._mapped_tables import read_table
from beholden.logs._source import Source, lines
from beholden.logs._tables import HEAD_BYTES, is_table
from beholden.logs.mapping import Mapping
from beholden.logs.reader import LogBatch, LogContext

__all__ = ["Mapped"]


class Mapped:
    """Reads JSON lines, JSON documents, CSV with a header, Parquet or Arrow IPC, as its mapping says."""

    format: str = "mapped"

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping

    def read(self, stream: BinaryIO, context: LogContext) -> Iterator[LogBatch]:
        """Batches in the order of the stream; see `beholden.logs.reader.Reader`."""
        if stream.seekable() and is_table(head := beginning(stream, HEAD_BYTES)):
            yield from read_table(stream, head, self._mapping, context)
            return
        source = Source(stream)
        events = Events(self._mapping, source, context)
        yield from self._csv(source, events) if self._mapping.format == "csv" else self._json(source, events)
        yield from events.account.finish()

    def _json(self, source: Source, events: Events) -> Iterator[LogBatch]:
        account = events.account
        for record in json_records(source, self._mapping.place):
            value = decode_object(record, account)
            if value is not None:
                events.take(record.number, value)
            if account.full:
                yield from account.batches()

    def _csv(self, source: Source, events: Events) -> Iterator[LogBatch]:
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
