"""Sealed segments: Parquet files that hold consecutive events in one row group, as small as zstd makes them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from beholden.core.errors import IntegrityError
from beholden.core.events import EVENTS
from beholden.ledger.files import Disk, temporary_name
from beholden.ledger.format import TILE_WIDTH, Layout
from beholden.ledger.manifest import Segment, SourceSpan, segment_name

__all__ = [
    "UNREADABLE",
    "describe_batches",
    "iterate_segment",
    "read_columns",
    "read_tail",
    "source_spans",
    "write_segment",
]

#: Parquet writes in small pieces; this much is given to the disk at a time.
_WRITE_BYTES: Final = 1 << 20
#: Rows read at a time.
_READ_ROWS: Final = 65_536
#: What Arrow raises over a file that is damaged: a name in its footer may be no text, a count absurd.
UNREADABLE: Final = (pa.ArrowException, OSError, ValueError, LookupError, TypeError, ArithmeticError, MemoryError)
#: Columns that rise, or nearly: differences are small.
_DELTA: Final = ("seq", "time", "ingested")
#: A dictionary may hold this much; what Parquet gives up a dictionary for by itself is less than it saves here.
_DICTIONARY_BYTES_MAX: Final = 64 << 20
#: Rows that are read as quickly as their last few.
_UNDIVIDED_MAX: Final = 65_536
#: Rows looked at to see how a column repeats: so many runs, evenly spread, of so many rows.
_SAMPLE_RUNS: Final = 16
_SAMPLE_ROWS: Final = 4096
#: Of a sample's values this share or less is distinct: a dictionary, whatever comes.
_REPEATING_MAX: Final = 1 / 64
#: This share or more is: no dictionary. Where it is so of 2^16, it is about so for 80 % of 2^20, and a dictionary with
#: the references to it takes more than the values.
_DISTINCT_MIN: Final = 0.985
#: All runs have this many times the distinct values of half of them, or less: the same ones come back everywhere, so
#: that of 2^20 rows two thirds at most are distinct.
_SHARED_MAX: Final = 1.8
#: Or this many times, or more: values come back only soon after, where zstd finds them without a dictionary.
_LOCAL_MIN: Final = 1.97


def write_segment(disk: Disk, layout: Layout, events: pa.Table, sealed: int) -> Segment:
    """Write a segment and read it back.

    When it returns the file is durable under its final name, equal to ``events`` as a reader sees it, and not yet
    part of the ledger: that it becomes by the manifest. An `OSError` leaves at most an unfinished file.
    """
    first_seq, last_seq = events["seq"][0].as_py(), events["seq"][-1].as_py()
    path = layout.segments / segment_name(first_seq, last_seq, disk.tag())
    temporary = temporary_name(path)
    with disk.create(temporary) as file:
        sink = _Sink(disk, file)
        _write_parquet(sink, events)
        disk.sync(file)
    _compare(temporary, layout.name(path), events)
    disk.replace(temporary, path)
    disk.sync_directory(layout.segments)
    spans = source_spans(events)
    return Segment(
        file=path.name,
        first_seq=first_seq,
        last_seq=last_seq,
        events=events.num_rows,
        size_bytes=sink.size_bytes,
        sha256=sink.sha256.hexdigest(),
        sealed=sealed,
        time_min=min(span.time_min for span in spans),
        time_max=max(span.time_max for span in spans),
        sources=spans,
    )


def iterate_segment(path: Path, name: str) -> Iterator[pa.RecordBatch]:
    """All events of a segment, a bounded number at a time.

    Raises:
        IntegrityError: it is missing or cannot be read as a segment.
    """
    try:
        for events in _batches(path, name):
            events.validate(full=True)  # a changed byte may leave a text that is none
            yield events
    except UNREADABLE:
        raise _unreadable(name) from None


def read_columns(path: Path, name: str, columns: list[str]) -> pa.Table:
    """Some columns of a whole segment; raises like `iterate_segment`."""
    try:
        with pq.ParquetFile(path) as file:
            return file.read(columns=columns)
    except UNREADABLE:
        raise _unreadable(name) from None


def read_tail(path: Path, name: str, rows: int) -> pa.Table:
    """The last ``rows`` events of a segment; raises like `iterate_segment`."""
    try:
        with pq.ParquetFile(path) as file:
            found = 0
            groups: list[int] = []
            for group in reversed(range(file.metadata.num_row_groups)):
                groups.insert(0, group)
                found += file.metadata.row_group(group).num_rows
                if found >= rows:
                    break
            return file.read_row_groups(groups).slice(max(0, found - rows)).cast(EVENTS)
    except UNREADABLE:
        raise _unreadable(name) from None


def source_spans(events: pa.Table) -> tuple[SourceSpan, ...]:
    """What each source gave, in order of their names."""
    times = events["time"].cast(pa.int64())
    delays = pc.subtract(events["ingested"].cast(pa.int64()), times)
    table = pa.table({"source": events["source"], "time": times, "delay": delays})
    found = [("time", "count"), *((name, kind) for name in ("time", "delay") for kind in ("min", "max"))]
    grouped = table.group_by("source").aggregate(found)
    return tuple(
        SourceSpan(
            source=row["source"],
            events=row["time_count"],
            time_min=row["time_min"],
            time_max=row["time_max"],
            delay_min=row["delay_min"],
            delay_max=row["delay_max"],
        )
        for row in grouped.sort_by("source").to_pylist()
    )


def describe_batches(batches: list[pa.RecordBatch]) -> pa.Table:
    """Batches as one table of `EVENTS`; none is an empty one."""
    return pa.Table.from_batches(batches, schema=EVENTS)


class _Sink:
    """Passes what Parquet writes to the disk and hashes it on the way."""

    closed = False

    def __init__(self, disk: Disk, file: BinaryIO) -> None:
        self._disk = disk
        self._file = file
        self.sha256 = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes) -> int:
        self._disk.write(self._file, data)
        self.sha256.update(data)
        self.size_bytes += len(data)
        return len(data)

    def tell(self) -> int:
        return self.size_bytes

    def flush(self) -> None:
        """Nothing is held back."""

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        """The file is closed by whoever opened it."""


def _write_parquet(sink: _Sink, events: pa.Table) -> None:
    dictionaries = [_leaf(field) for field in EVENTS if _wants_dictionary(events, field)]
    with pa.BufferedOutputStream(pa.PythonFile(sink, mode="w"), _WRITE_BYTES) as target:
        _write_columns(target, events, dictionaries)


def _write_columns(target: pa.NativeFile, columns: pa.Table, dictionaries: list[str]) -> None:
    """One row group, since a dictionary is worth more the more rows share it, and the tail that the next seal reads.

    Statistics for readers who would skip rows are not needed: derived files answer questions.
    """
    with pq.ParquetWriter(
        target,
        columns.schema,
        compression="zstd",
        compression_level=3,
        use_dictionary=dictionaries,
        dictionary_pagesize_limit=_DICTIONARY_BYTES_MAX,
        column_encoding={name: "DELTA_BINARY_PACKED" for name in _DELTA if name in columns.column_names},
        write_statistics=False,
    ) as writer:
        body = columns.num_rows - TILE_WIDTH if columns.num_rows > _UNDIVIDED_MAX else columns.num_rows
        for part in (columns.slice(0, body), columns.slice(body)):
            if part.num_rows:
                writer.write_table(part, row_group_size=part.num_rows)


def _wants_dictionary(events: pa.Table, field: pa.Field) -> bool:
    """Whether a column takes less room with a dictionary in these events: estates differ, so no column has its rule."""
    column = events[field.name]
    if field.name in _DELTA or column.null_count == len(column):
        return False
    runs = _sampled(column)
    values, distinct = _count(runs)
    if values and distinct <= _REPEATING_MAX * values:
        return True
    if len(runs) == _SAMPLE_RUNS and values > _SAMPLE_ROWS:
        growth = distinct / max(1, _count(runs[::2])[1])
        if distinct >= _DISTINCT_MIN * values or growth >= _LOCAL_MIN:
            return False
        if growth <= _SHARED_MAX:
            return True
    alone = events.select([field.name])
    return _written_bytes(alone, [_leaf(field)]) < _written_bytes(alone, [])


def _sampled(column: pa.ChunkedArray) -> list[pa.ChunkedArray]:
    if len(column) <= _SAMPLE_RUNS * _SAMPLE_ROWS:
        return [column]
    starts = np.linspace(0, len(column) - _SAMPLE_ROWS, _SAMPLE_RUNS).astype(np.int64).tolist()
    return [column.slice(start, _SAMPLE_ROWS) for start in starts]


def _count(runs: list[pa.ChunkedArray]) -> tuple[int, int]:
    """Values that are not null, and how many of them are distinct."""
    column = pa.chunked_array([chunk for run in runs for chunk in run.chunks], runs[0].type)
    values = pc.list_flatten(column) if pa.types.is_list(column.type) else column
    return len(values) - values.null_count, pc.count_distinct(values).as_py()


def _written_bytes(columns: pa.Table, dictionaries: list[str]) -> int:
    target = pa.MockOutputStream()
    _write_columns(target, columns, dictionaries)
    return int(target.size())


def _leaf(field: pa.Field) -> str:
    return f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name


def _batches(path: Path, name: str) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        if not file.schema_arrow.equals(EVENTS):
            raise IntegrityError(name, "does not have the columns of a segment")
        for batch in file.iter_batches(batch_size=_READ_ROWS):
            yield pa.RecordBatch.from_arrays(batch.columns, schema=EVENTS)


def _compare(path: Path, name: str, events: pa.Table) -> None:
    """Stop before the write-ahead log goes if the file does not say what it should."""
    row = 0
    try:
        for batch in _batches(path, name):
            if not pa.Table.from_batches([batch]).equals(events.slice(row, batch.num_rows)):
                raise IntegrityError(
                    name, "what was written reads back differently", advice="the events are kept as they were"
                )
            row += batch.num_rows
    except UNREADABLE:
        raise _unreadable(name) from None
    if row != events.num_rows:
        raise IntegrityError(name, f"{row} events read back", expected=f"{events.num_rows}")


def _unreadable(name: str) -> IntegrityError:
    return IntegrityError(name, "is missing or cannot be read as Parquet", advice="restore it from a backup")
