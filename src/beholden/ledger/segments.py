"""Sealed segments: Parquet files that hold consecutive events, zstd, with bloom filters on what is searched by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from beholden.core.errors import IntegrityError
from beholden.core.events import EVENTS
from beholden.ledger.files import Disk, temporary_name
from beholden.ledger.format import Layout
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

#: Rows a reader must touch at least; also the grain of statistics and bloom filters.
_ROW_GROUP_ROWS: Final = 131_072
#: Parquet writes in small pieces; this much is given to the disk at a time.
_WRITE_BYTES: Final = 1 << 20
_BLOOM_FPP: Final = 0.05
#: What Arrow raises over a file that is damaged: a name in its footer may be no text, a count absurd.
UNREADABLE: Final = (pa.ArrowException, OSError, ValueError, LookupError, TypeError, ArithmeticError, MemoryError)
#: What questions name: person, actor, dataset, event.
_BLOOMED: Final = {"subjects.list.element": "subjects", "actor": "actor", "dataset": "dataset", "uid": "uid"}
#: Columns whose values hardly repeat: a dictionary would only be built to be thrown away.
_PLAIN: Final = ("uid", "literals", "correlation", "detail")
#: Columns that rise, or nearly: differences are small.
_DELTA: Final = ("seq", "time", "ingested")
_DICTIONARY: Final = [
    f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name
    for field in EVENTS
    if field.name not in {*_PLAIN, *_DELTA}
]


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
        with pq.ParquetFile(path) as file:
            if not file.schema_arrow.equals(EVENTS):
                raise IntegrityError(name, "does not have the columns of a segment")
            for batch in file.iter_batches(batch_size=65536):
                events = pa.RecordBatch.from_arrays(batch.columns, schema=EVENTS)
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
    times = pa.table({"source": events["source"], "time": events["time"].cast(pa.int64())})
    grouped = times.group_by("source").aggregate([("time", "count"), ("time", "min"), ("time", "max")])
    return tuple(
        SourceSpan(source=row["source"], events=row["time_count"], time_min=row["time_min"], time_max=row["time_max"])
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
    with pa.BufferedOutputStream(pa.PythonFile(sink, mode="w"), _WRITE_BYTES) as target:
        pq.write_table(
            events,
            target,
            row_group_size=_ROW_GROUP_ROWS,
            compression="zstd",
            compression_level=3,
            use_dictionary=_DICTIONARY,
            column_encoding=dict.fromkeys(_DELTA, "DELTA_BINARY_PACKED"),
            bloom_filter_options=_bloom_options(events),
        )


def _bloom_options(events: pa.Table) -> dict[str, dict[str, float]]:
    options = {}
    for leaf, column in _BLOOMED.items():
        array = events[column].combine_chunks()
        distinct = pc.count_distinct(pc.list_flatten(array) if pa.types.is_list(array.type) else array).as_py()
        if distinct:
            options[leaf] = {"ndv": min(distinct, _ROW_GROUP_ROWS), "fpp": _BLOOM_FPP}
    return options


def _compare(path: Path, name: str, events: pa.Table) -> None:
    """Stop before the write-ahead log goes if the file does not say what it should."""
    row = 0
    for batch in iterate_segment(path, name):
        expected = events.slice(row, batch.num_rows)
        if not pa.Table.from_batches([batch]).equals(expected):
            raise IntegrityError(
                name, "what was written reads back differently", advice="the events are kept as they were"
            )
        row += batch.num_rows
    if row != events.num_rows:
        raise IntegrityError(name, f"{row} events read back", expected=f"{events.num_rows}")


def _unreadable(name: str) -> IntegrityError:
    return IntegrityError(name, "is missing or cannot be read as Parquet", advice="restore it from a backup")
