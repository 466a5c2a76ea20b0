"""Reading the index of a segment: which of its events may match, and these as the columns of events they are."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from beholden.core.events import EVENTS
from beholden.ledger.index.build import COLUMNS, NO_COUNT, NO_ROWS, NO_SUBJECTS, NO_TIME, dataset_key
from beholden.ledger.index.columns import BLOCK_ROWS, I64, U64, ColumnReader, signed
from beholden.ledger.index.file import IndexFile
from beholden.ledger.index.summary import Summary, unpacked
from beholden.ledger.index.tokens import TokenDictionary, fixed_array

__all__ = ["INDEXED", "SegmentIndex"]

#: What an index knows of an event; the rest is in the segment.
INDEXED: Final = pa.schema(
    [
        EVENTS.field(name)
        for name in (
            "seq", "time", "activity", "actor", "credential", "store", "dataset", "fields", "subjects", "scope",
            "subject_count", "rows", "statement", "correlation",
        )
    ]
)  # fmt: skip
#: Sections of which the bytes depend on who compressed them.
_COMPRESSED: Final = {"columns", "places", "hours"}
_PLACE: Final = {name: i for i, name in enumerate(COLUMNS)}
_TOKENS: Final = {
    "actor": "actors", "credential": "credentials", "statement": "statements", "correlation": "correlations",
    "subject": "subjects",
}  # fmt: skip
_VALUES: Final = {"activity": "activities", "scope": "scopes", "fields": "fields"}


class SegmentIndex:
    """Events of a segment by their place in the index: in order of store and dataset, then of the segment."""

    def __init__(self, file: IndexFile) -> None:
        self._file = file
        self.header = file.header
        self.events = self.header.events
        self._dictionaries: dict[str, TokenDictionary] = {}
        self._values: dict[str, list[Any]] = {}

    @classmethod
    def open(cls, path: Path) -> SegmentIndex:
        """Open a file that was checked."""
        return cls(IndexFile.open(path))

    def again(self) -> SegmentIndex:
        """The same, mapped anew if it is a file: what is read of it leaves the memory with it."""
        return SegmentIndex(self._file.again())

    def equals(self, other: SegmentIndex) -> bool:
        """Whether two say the same, however they are compressed."""
        one, two = (
            msgspec.structs.replace(index.header, sections=dict.fromkeys(index.header.sections, (0, 0)))
            for index in (self, other)
        )
        plain = self.header.sections.keys() - _COMPRESSED
        return (
            one == two
            and all(np.array_equal(self._file.section(name), other._file.section(name)) for name in sorted(plain))
            and self.summary.packed() == other.summary.packed()
            and all(
                np.array_equal(self._columns.block(column, number), other._columns.block(column, number))
                for column in range(len(COLUMNS))
                for number in range(len(self._named) - 1)
            )
        )

    # Ways in

    @property
    def datasets(self) -> int:
        """How many there are; their places count from 0."""
        return len(self._ranges)

    def name_of(self, place: int) -> tuple[str | None, str | None]:
        """Store and dataset at a place."""
        found: tuple[str | None, str | None] = msgspec.json.decode(self._key(place), type=tuple[str | None, str | None])
        return found

    def place_of(self, store: str, dataset: str) -> int | None:
        """The place of a dataset; None if no event names it."""
        key = dataset_key(store, dataset)
        place = bisect.bisect_left(range(self.datasets), key, key=self._key)
        return place if place < self.datasets and self._key(place) == key else None

    @property
    def summary(self) -> Summary:
        """How far its sources' records reach."""
        return unpacked(self._file.section("hours"))

    def tokens(self, column: str) -> TokenDictionary:
        """The distinct values of a column of tokens; ``subject`` for those of persons named."""
        if column not in self._dictionaries:
            width = 8 if column == "correlation" else 16
            self._dictionaries[column] = TokenDictionary(self._file.section(_TOKENS[column]), width)
        return self._dictionaries[column]

    def values(self, column: str) -> list[Any]:
        """The distinct values of ``activity``, ``scope`` or ``fields``."""
        if column not in self._values:
            self._values[column] = msgspec.json.decode(self._file.section(_VALUES[column]).tobytes())
        return self._values[column]

    def codes(self, column: str, wanted: Iterable[bytes | str]) -> I64:
        """The codes of those values that occur, for `column`."""
        if column in _VALUES:
            known = self.values(column)
            return np.array([known.index(value) + 1 for value in wanted if value in known], np.int64)
        tokens = self.tokens(column)
        places = (tokens.find(value) for value in wanted if isinstance(value, bytes))
        return np.array([place + 1 for place in places if place is not None], np.int64)

    def range_of(self, place: int) -> tuple[int, int]:
        """The events of one dataset: first, and one past the last."""
        end = self._ranges[place + 1, 0] if place + 1 < self.datasets else self.events
        return int(self._ranges[place, 0]), int(end)

    def reached(self, place: int) -> tuple[int, int] | None:
        """The first and last time at which rows of a dataset were reached, or may have been; None for never."""
        first, last = int(self._ranges[place, 1]), int(self._ranges[place, 2])
        return None if first == NO_TIME else (first, last)

    def naming(self, token: bytes) -> I64:
        """The events that name a person."""
        code = self.tokens("subject").find(token)
        found = [np.empty(0, np.int64)]
        if code is None:
            return found[0]
        for number in range(len(self._named) - 1):
            inside = self._columns.find(_PLACE["subject"], number, code)
            if len(inside):
                ends = np.cumsum(self._columns.block(_PLACE["named"], number).astype(np.int64))
                found.append(np.unique(np.searchsorted(ends, inside, "right")) + number * BLOCK_ROWS)
        return np.concatenate(found)

    # Values

    def column(self, name: str, events: I64) -> U64:
        """The codes of a column for some events, in rising order."""
        place = _PLACE[name]
        values, start = np.zeros(len(events), np.uint64), 0
        for number, here in self._by_block(events):
            if isinstance(here, slice):
                end = start + here.stop - here.start
                self._columns.fill(values[start:end], place, number, here)
            else:
                end = start + len(here)
                values[start:end] = self._columns.take(place, number, here)
            start = end
        return values

    def rows(self, events: I64) -> I64:
        """The rows of some events in the segment."""
        return self._rising("row", events)

    def times(self, events: I64) -> I64:
        """Their times, in microseconds."""
        return self._rising("time", events) * self.header.time_unit

    def numbers(self, column: str, events: I64, flags: U64 | None = None) -> tuple[I64, npt.NDArray[np.bool_]]:
        """The values of ``rows`` or ``subject_count``, 0 for null; and which are not null. ``flags`` if they were read."""
        null = np.uint64(NO_ROWS if column == "rows" else NO_COUNT)
        if flags is None:
            flags = self.column("flags", events)
        return signed(self.column(column, events)), (flags & null) == 0

    def places(self, events: I64) -> tuple[I64, I64]:
        """The places of the datasets of some events, in rising order, and how many of the events each has."""
        counts = np.diff(np.searchsorted(events, np.append(self._ranges[:, 0], self.events)))
        held = np.flatnonzero(counts)
        return held, counts[held]

    def subjects(self, events: I64) -> tuple[I64, I64]:
        """How many persons each event names, and their places among the tokens."""
        read: list[tuple[int, I64 | slice, I64]] = []
        for number, here in self._by_block(events):
            read.append((number, here, self._columns.block(_PLACE["named"], number).view(np.int64)))
        named = np.concatenate([np.empty(0, np.int64), *(counts[here] for _, here, counts in read)])
        places, start = np.zeros(int(named.sum()), np.uint64), 0
        for number, here, counts in read:
            ends = np.cumsum(counts)
            if isinstance(here, slice):  # one after the other
                first = int(ends[here.start] - counts[here.start])
                end = start + int(ends[here.stop - 1]) - first
                if end > start:
                    inside = slice(first, first + end - start)
                    self._columns.fill(places[start:end], _PLACE["subject"], number, inside)
            else:
                lengths = counts[here]
                until = np.cumsum(lengths)
                end = start + int(until[-1])
                if end > start:
                    rows = np.repeat((ends[here] - lengths) - (until - lengths), lengths) + np.arange(end - start)
                    places[start:end] = self._columns.take(_PLACE["subject"], number, rows)
            start = end
        return named, places.view(np.int64)

    def table(self, events: I64) -> pa.Table:
        """Some events, in rising order, as the columns of `INDEXED`."""
        flags = self.column("flags", events)
        named, subjects = self.subjects(events)
        places, counts = self.places(events)
        names = [self.name_of(i) for i in places.tolist()]
        place = np.repeat(np.arange(len(places)), counts)
        columns = {
            "seq": pa.array(self.rows(events) + self.header.first_seq),
            "time": pa.array(self.times(events)),
            "store": pa.array([store for store, _ in names], pa.string()).take(pa.array(place)),
            "dataset": pa.array([path for _, path in names], pa.string()).take(pa.array(place)),
            "subjects": pa.ListArray.from_arrays(
                pa.array(np.concatenate(([0], np.cumsum(named))).astype(np.int32)),
                fixed_array(self.tokens("subject").rows[subjects], 16),
                mask=pa.array((flags & np.uint64(NO_SUBJECTS)) > 0),
            ),
        }
        for name in ("rows", "subject_count"):
            numbers, known = self.numbers(name, events, flags)
            columns[name] = pa.array(numbers, mask=~known)
        for name in ("actor", "credential", "statement", "correlation"):
            codes = self.column(name, events).astype(np.int64)
            held = self.tokens(name).rows
            if len(held):
                columns[name] = fixed_array(held[np.maximum(codes, 1) - 1], held.shape[1], codes > 0)
            else:
                columns[name] = pa.nulls(len(codes), INDEXED.field(name).type)
        for name in _VALUES:
            type_ = INDEXED.field(name).type
            held_values = pa.array([None, *self.values(name)], type_)
            columns[name] = held_values.take(pa.array(self.column(name, events).astype(np.int64)))
        return pa.Table.from_arrays([columns[field.name].cast(field.type) for field in INDEXED], schema=INDEXED)

    def keys_of(self, places: I64) -> list[bytes]:
        """The datasets at some places, as `dataset_key` has them."""
        names = self._file.section("names").tobytes()
        ends = [0, *self._ranges[:, 3].tolist()]
        return [names[ends[place] : ends[place + 1]] for place in places.tolist()]

    def _key(self, place: int) -> bytes:
        start = self._ranges[place - 1, 3] if place else 0
        return self._file.section("names")[start : self._ranges[place, 3]].tobytes()

    def _rising(self, name: str, events: I64) -> I64:
        """A column of differences."""
        place = _PLACE[name]
        parts = [np.cumsum(signed(self._columns.block(place, number)))[here] for number, here in self._by_block(events)]
        return np.concatenate([np.empty(0, np.int64), *parts])

    def _by_block(self, events: I64) -> Iterator[tuple[int, I64 | slice]]:
        """The numbers of the blocks that some events, in rising order, lie in, and their rows there."""
        if len(events) and events[-1] - events[0] + 1 == len(events):  # all between
            first, end = int(events[0]), int(events[-1]) + 1
            for number in range(first // BLOCK_ROWS, (end - 1) // BLOCK_ROWS + 1):
                start = number * BLOCK_ROWS
                yield number, slice(max(first - start, 0), min(end - start, BLOCK_ROWS))
            return
        cuts = np.flatnonzero(np.diff(events // BLOCK_ROWS)) + 1
        for part in np.split(events, cuts) if len(events) else ():
            number = int(part[0]) // BLOCK_ROWS
            yield number, part - number * BLOCK_ROWS

    @cached_property
    def _ranges(self) -> npt.NDArray[np.int64]:
        return self._file.section("ranges").view("<i8").reshape(-1, 4).astype(np.int64)

    @cached_property
    def _named(self) -> npt.NDArray[np.int64]:
        """Persons named before each block, and in all."""
        return self._file.section("blocks").view("<i8").astype(np.int64)

    @cached_property
    def _columns(self) -> ColumnReader:
        sizes = [min(BLOCK_ROWS, self.events - start) for start in range(0, self.events, BLOCK_ROWS)]
        blocks = [sizes] * (len(COLUMNS) - 1) + [np.diff(self._named).tolist()]
        places = self._file.section("places").view("<u4").reshape(-1, 8, 2)
        return ColumnReader(self._file.section("columns"), places, blocks)
