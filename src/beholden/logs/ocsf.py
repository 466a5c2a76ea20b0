"""``ocsf``: records of the Open Cybersecurity Schema Framework, as JSON lines or one array.

Classes and enumerations: https://schema.ocsf.io (versions 1.0 to 1.9). What is taken from where: docs/reference/logs.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Final

from beholden.core.events import CLASS_UIDS
from beholden.logs._account import Account
from beholden.logs._documents import in_array, json_records
from beholden.logs._identity import ContentIdentity, identity_prefix, numbered
from beholden.logs._json import JsonRecord, decode_any_object, json_record
from beholden.logs._ocsf_columns import OddError, OrdinaryColumns, decode_ordinary
from beholden.logs._ocsf_record import COLUMNS, RefusedError, class_uid_of, dig, objects_of, row_of
from beholden.logs._paths import text_of
from beholden.logs._source import Line, Source, blocks
from beholden.logs.reader import LogBatch, LogContext

__all__ = ["Ocsf"]

#: Lines looked at together: what they become stays in the processor's cache.
_LINES: Final = 512
#: Fewer ordinary records than this between odd ones are read one by one as well.
_RUN_MIN: Final = 16


class Ocsf:
    """Reads OCSF records of the classes an access event may carry; others are noise."""

    format: str = "ocsf"

    def read(self, stream: BinaryIO, context: LogContext) -> Iterator[LogBatch]:
        """Batches in the order of the stream; see `beholden.logs.reader.Reader`."""
        source = Source(stream)
        account = Account(self.format, COLUMNS, source, frozenset({self.format, "JSON"}))
        records = _Records(account, context)
        if in_array(source):
            for record in json_records(source, None):
                yield from records.one(record)
        else:
            for block in blocks(source):
                yield from records.line(block) if isinstance(block, Line) else records.lines(block.number, block.texts)
        yield from account.finish()


class _Records:
    """Enters records into the account, in their order; gives out batches that have become full."""

    def __init__(self, account: Account, context: LogContext) -> None:
        self._account = account
        self._context = context
        self._prefix = identity_prefix(context.server, "u")
        self._content = ContentIdentity(context.server)
        self._columns = OrdinaryColumns()

    def one(self, record: JsonRecord) -> Iterator[LogBatch]:
        """A record by itself, whatever it is like."""
        account = self._account
        value = decode_any_object(record, account)
        if value is not None:
            try:
                class_uid = class_uid_of(value)
                if class_uid in CLASS_UIDS:
                    self._enter(record.number, value, class_uid)
                else:
                    account.noise("other class")
            except RefusedError as error:
                account.problem(record.number, str(error))
        if account.full:
            yield from account.batches()

    def _enter(self, number: int, value: dict[str, Any], class_uid: int) -> None:
        row, objects = row_of(value, class_uid, self._context), objects_of(value)
        uid = text_of(dig(value, "metadata", "uid"))
        identity = self._content.of(value) if uid is None else self._prefix + uid.encode()
        self._account.parsed(
            (number, numbered(identity, i), row[0], name, *row[1:]) for i, name in enumerate(objects or [None])
        )

    def line(self, line: Line) -> Iterator[LogBatch]:
        """One line by itself."""
        record = json_record(line)
        if record is not None:
            yield from self.one(record)

    def lines(self, number: int, texts: Sequence[bytes]) -> Iterator[LogBatch]:
        """Lines behind each other, the ordinary ones many at a time."""
        for start in range(0, len(texts), _LINES):
            part = texts[start : start + _LINES]
            yield from self._part(number + start, part, decode_ordinary(part))

    def _part(self, number: int, texts: Sequence[bytes], records: list[Any]) -> Iterator[LogBatch]:
        begin, end = 0, len(records)
        while begin < end:
            stop = begin
            while stop < end and records[stop] is not None:
                stop += 1
            if stop - begin >= _RUN_MIN:
                try:
                    uids, columns = self._columns.of(records[begin:stop])
                except OddError as odd:
                    for place in odd.places:
                        records[begin + place] = None
                    continue
                yield from self._run(number + begin, texts[begin:stop], uids, columns)
            else:
                stop = max(stop, begin + 1)
                for place in range(begin, stop):
                    yield from self.line(Line(number + place, texts[place]))
            begin = stop

    def _run(
        self, number: int, texts: Sequence[bytes], uids: list[str | None], columns: list[list[Any]]
    ) -> Iterator[LogBatch]:
        """Enter ordinary records, a record a line."""
        prefix, account = self._prefix, self._account
        begin, end = 0, len(texts)
        while begin < end:
            stop = min(end, begin + account.room)
            identities = [
                self._content.of_text(text) if uid is None else prefix + uid.encode()
                for uid, text in zip(uids[begin:stop], texts[begin:stop], strict=True)
            ]
            records = list(range(number + begin, number + stop))
            account.parsed_columns([records, identities, *(column[begin:stop] for column in columns)])
            if account.full:
                yield from account.batches()
            begin = stop
