"""Parquet and Arrow IPC files as batches of rows whose values are those JSON has, and times.

Dictionaries are decoded; numbers are 64-bit integers or floating point; decimals with a fraction, dates, and numbers
that fit neither are text. What cannot be read is said once for its row group or batch, and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from beholden.core.errors import SourceError
from beholden.core.limits import BATCH_ROWS

__all__ = ["DAMAGED", "HEAD_BYTES", "Rows", "is_table", "table_rows"]

#: Reason of the problem that a part of a file is.
DAMAGED: Final = "a part of the file is damaged: none of its rows were read"

#: So many bytes tell such a file from every other.
HEAD_BYTES: Final = 8

_PARQUET: Final = b"PAR1"
_FILE: Final = b"ARROW1"
_STREAM: Final = b"\xff\xff\xff\xff"
_UNREADABLE: Final = (pa.ArrowException, OSError, EOFError, ValueError, OverflowError, RecursionError)
_TIME: Final = pa.timestamp("us", tz="UTC")
#: The years 1 to 9999.
_FIRST: Final = -62_135_596_800_000_000
_LAST: Final = 253_402_300_799_000_000
_NAIVE: Final = pa.timestamp("us")


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows behind each other; or, without a ``batch``, a part that could not be read, which counts as one record."""

    number: int  # of the first row, from 1
    batch: pa.RecordBatch | None
    mended: int = 0  # values that were not UTF-8


def is_table(head: bytes) -> bool:
    """Whether a file that begins so is Parquet or Arrow IPC."""
    return head.startswith((_PARQUET, _FILE, _STREAM))


def table_rows(stream: BinaryIO, head: bytes) -> Iterator[Rows]:
    """The rows of a file in order, at most ``limits.BATCH_ROWS`` at a time.

    Args:
        stream: at its beginning; must be able to seek.
        head: how it begins.

    Raises:
        SourceError: the file is no such file after all, is cut short, or has two columns of one name.
    """
    parts = _parquet(stream) if head.startswith(_PARQUET) else _arrow(stream, is_file=head.startswith(_FILE))
    number = 1
    for rows, batches in parts:
        read = 0
        try:
            for batch in batches:
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    part, mended = _plain(batch.slice(start, BATCH_ROWS))
                    yield Rows(number + read, part, mended)
                    read += part.num_rows
        except _UNREADABLE:
            yield Rows(number + read, None)
        number += max(rows, read)


def _parquet(stream: BinaryIO) -> Iterator[tuple[int, Iterator[pa.RecordBatch]]]:
    try:
        file = pq.ParquetFile(stream, pre_buffer=False)
        schema = file.schema_arrow
    except _UNREADABLE:
        raise _broken("Parquet") from None
    _check_names(schema, "Parquet")
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        yield rows, file.iter_batches(BATCH_ROWS, row_groups=[group])


def _arrow(stream: BinaryIO, *, is_file: bool) -> Iterator[tuple[int, Iterator[pa.RecordBatch]]]:
    try:
        reader = pa.ipc.open_file(stream) if is_file else pa.ipc.open_stream(stream)
    except _UNREADABLE:
        raise _broken("Arrow") from None
    _check_names(reader.schema, "Arrow")
    if is_file:
        for place in range(reader.num_record_batches):
            yield 1, (reader.get_batch(one) for one in (place,))
        return
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return
        except _UNREADABLE:
            raise _broken("Arrow") from None
        yield batch.num_rows, iter([batch])


def _check_names(schema: pa.Schema, kind: str) -> None:
    try:
        names = schema.names
    except UnicodeDecodeError:
        raise _broken(kind) from None
    if len(set(names)) != len(names):
        raise SourceError("log read as mapped", "two columns of the file have the same name")


def _broken(kind: str) -> SourceError:
    return SourceError(
        "log read as mapped",
        f"the {kind} file is cut short or damaged",
        advice="what came before it was kept; read it again when it is whole",
    )


def _plain(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, int]:
    """The batch with the values that JSON has, and how many of them were not UTF-8."""
    mended = 0
    columns = []
    for column in batch.columns:
        valid, count = _valid(column)
        mended += count
        columns.append(_plain_array(valid))
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names), mended


def _valid(column: pa.Array) -> tuple[pa.Array, int]:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return _mended(column)
    return column, 0


def _mended(column: pa.Array) -> tuple[pa.Array, int]:
    """A column of texts of which some are not UTF-8. Raises `pa.ArrowInvalid` when something else is wrong with it."""
    if pa.types.is_dictionary(column.type):
        values, _ = _mended(column.dictionary)
        column.indices.validate(full=True)
        return values.take(column.indices), 1
    wide = pa.types.is_large_string(column.type)
    if not wide and not pa.types.is_string(column.type):
        raise pa.ArrowInvalid
    data = column.view(pa.large_binary() if wide else pa.binary())
    data.validate(full=True)
    raw = data.to_pylist()
    texts = [None if item is None else item.decode(errors="replace") for item in raw]
    changed = sum(text is not None and text.encode() != item for item, text in zip(raw, texts, strict=True))
    return pa.array(texts, pa.string()), changed


def _plain_array(array: pa.Array) -> pa.Array:
    type_ = array.type
    if isinstance(type_, pa.BaseExtensionType):
        return _plain_array(array.storage)
    if pa.types.is_dictionary(type_) or pa.types.is_run_end_encoded(type_):
        decoded = array.dictionary_decode() if pa.types.is_dictionary(type_) else pc.run_end_decode(array)
        return _plain_array(decoded)
    if type_ in (pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.null()):
        return array
    if pa.types.is_struct(type_):
        parts = [_plain_array(part) for part in array.flatten()]
        names = [type_.field(place).name for place in range(type_.num_fields)]
        if len(set(names)) != len(names):
            raise pa.ArrowInvalid
        return pa.StructArray.from_arrays(parts, names=names, mask=array.is_null()) if parts else array
    if _is_list(type_):
        return _plain_list(array)
    return _plain_values(array)


def _plain_values(array: pa.Array) -> pa.Array:
    type_ = array.type
    if pa.types.is_timestamp(type_):
        return _plain_times(array)
    if pa.types.is_floating(type_):
        return array.cast(pa.float64())
    if _is_whole(array):
        return array.cast(pa.int64())
    try:
        return array.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return array  # values that are no text, number or truth value: what asks for one says so


def _is_whole(array: pa.Array) -> bool:
    """Whether the values are whole numbers that fit into 64 bits with a sign."""
    type_ = array.type
    if type_ == pa.uint64():
        largest = pc.max(array).as_py()
        return bool(largest is None or largest < 1 << 63)
    return bool(
        pa.types.is_integer(type_) or (pa.types.is_decimal(type_) and type_.scale == 0 and type_.precision <= 18)
    )


def _plain_times(array: pa.Array) -> pa.Array:
    """Microseconds; times no calendar has become its last or first, which are out of range wherever one is read."""
    per_unit = {"s": 1_000_000, "ms": 1000, "us": 1}.get(array.type.unit)
    values = array.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    values = values // 1000 if per_unit is None else np.clip(values, _FIRST // per_unit, _LAST // per_unit) * per_unit
    micros = pa.array(values, mask=array.is_null().to_numpy(zero_copy_only=False))
    return micros.cast(_NAIVE if array.type.tz is None else _TIME)


def _is_list(type_: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(type_)
        or pa.types.is_large_list(type_)
        or pa.types.is_fixed_size_list(type_)
        or pa.types.is_list_view(type_)
        or pa.types.is_large_list_view(type_)
    )


def _plain_list(array: pa.Array) -> pa.Array:
    lengths = pc.fill_null(pc.list_value_length(array), 0)
    ends = pc.cumulative_sum(lengths.cast(pa.int32()))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    return pa.ListArray.from_arrays(offsets, _plain_array(array.flatten()), mask=array.is_null())
