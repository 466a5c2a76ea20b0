"""The account of a reading: every record is parsed, noise or a problem; events leave in batches of bounded size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import pyarrow as pa

from beholden.core.errors import SourceError
from beholden.core.events import RAW_EVENTS
from beholden.core.limits import BATCH_ROWS
from beholden.logs._sniff import looks_like
from beholden.logs._source import Source
from beholden.logs.reader import LogBatch, Problem

__all__ = ["Account"]

#: A log whose first records are all problems is of another format.
_FIRST_RECORDS: Final = 50


class Account:
    """Collects the outcome of each record of one log and gives it out as batches.

    Args:
        format_: the reader's format, for errors.
        columns: columns of ``RAW_EVENTS`` that the reader fills, in the order of its rows; the others are null.
        source: the log, for what it looks like and whether it broke off.
        alike: what the reader's own logs may look like (see ``_sniff``).
    """

    def __init__(self, format_: str, columns: tuple[str, ...], source: Source, alike: frozenset[str]) -> None:
        self._format = format_
        self._alike = alike
        self._columns = columns
        self._source = source
        self._understood = False
        self._failed = 0  # problems so far, until something was understood
        self._reset()

    def _reset(self) -> None:
        self._rows: list[tuple[Any, ...]] = []
        self._pieces: list[pa.RecordBatch] = []  # the rows before these
        self._records = 0
        self._parsed = 0
        self._noise: Counter[str] = Counter()
        self._problems: list[Problem] = []
        self._mended: Counter[str] = Counter()

    def parsed(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """A record that gave these rows."""
        self._understood = True
        self._records += 1
        self._parsed += 1
        self._rows.extend(rows)

    def parsed_columns(self, columns: Sequence[Sequence[Any]]) -> None:
        """Records that gave a row each, by columns; at most as many as there is `room` for."""
        self._understood = True
        self._records += len(columns[0])
        self._parsed += len(columns[0])
        self._close_rows()
        self._pieces.append(self._batch(columns))  # at once, while the values are in the processor's cache

    def parsed_events(self, events: pa.RecordBatch) -> None:
        """Records that gave a row each, as ``RAW_EVENTS``; at most as many as there is `room` for."""
        self._understood = True
        self._records += events.num_rows
        self._parsed += events.num_rows
        self._close_rows()
        self._pieces.append(events)

    def noise(self, reason: str) -> None:
        """A record that was understood and tells of no access."""
        self._understood = True
        self._records += 1
        self._noise[reason] += 1

    def problem(self, record: int, reason: str) -> None:
        """A record that was not understood. Raises `SourceError` when none of the first ones was."""
        self._records += 1
        self._problems.append(Problem(record, reason))
        if not self._understood:
            self._failed += 1
            if self._failed >= _FIRST_RECORDS:
                raise self._other_format()

    def mended(self, what: str) -> None:
        """Something of the next record was put right so that it could be read."""
        self._mended[what] += 1

    @property
    def full(self) -> bool:
        """Whether it is time to give out a batch."""
        return self._records >= BATCH_ROWS

    @property
    def room(self) -> int:
        """How many records still go into this batch."""
        return BATCH_ROWS - self._records

    def batches(self) -> Iterator[LogBatch]:
        """What was collected since the last time."""
        if not self._records:
            return
        self._close_rows()
        records, parsed = self._records, self._parsed
        events = pa.concat_batches(self._pieces or [pa.RecordBatch.from_pylist([], schema=RAW_EVENTS)])
        noise, problems, mended = dict(self._noise), tuple(self._problems), dict(self._mended)
        self._reset()
        yield LogBatch(events.slice(0, BATCH_ROWS), records, parsed, noise, problems, mended)
        for start in range(BATCH_ROWS, events.num_rows, BATCH_ROWS):  # records that tell of very many datasets
            yield LogBatch(events.slice(start, BATCH_ROWS), 0, 0)

    def _close_rows(self) -> None:
        if self._rows:
            self._pieces.append(self._batch(list(zip(*self._rows, strict=True))))
            self._rows = []

    def finish(self) -> Iterator[LogBatch]:
        """The rest. Raises `SourceError` when the log broke off or is plainly of another format."""
        if self._failed and not self._understood and self._looks_other() is not None:
            raise self._other_format()
        yield from self.batches()
        if self._source.broken is not None:
            raise SourceError(
                f"log read as {self._format}",
                self._source.broken,
                advice="what came before it was kept; read it again when it is whole",
            )

    def _other_format(self) -> SourceError:
        reasons = Counter(problem.reason for problem in self._problems)
        found = f"not one of the first {self._failed} records could be read ({reasons.most_common(1)[0][0]})"
        looks = self._looks_other()
        if looks is None:
            return SourceError(f"log read as {self._format}", found, advice="check the log's format and settings")
        return SourceError(
            f"log read as {self._format}", f"{found}; it looks like {looks}", advice="check the log's format"
        )

    def _looks_other(self) -> str | None:
        looks = looks_like(self._source.head)
        return None if looks in self._alike else looks

    def _batch(self, columns: Sequence[Sequence[Any]]) -> pa.RecordBatch:
        """Rows by the reader's columns, as ``RAW_EVENTS``."""
        given = dict(zip(self._columns, columns, strict=True))
        arrays = [
            pa.array(given[field.name], field.type) if field.name in given else pa.nulls(len(columns[0]), field.type)
            for field in RAW_EVENTS
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=RAW_EVENTS)
