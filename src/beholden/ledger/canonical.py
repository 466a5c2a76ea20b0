"""The canonical record: the bytes of an event that its leaf in the tree is the hash of.

Byte for byte in docs/reference/ledger-format.md, with a worked example. In short: a version byte, then every column
of `beholden.core.events.EVENTS` in order, each as a 4-byte big-endian length and that many bytes; the length
0xFFFFFFFF is null. Integers and times are 8 bytes, big-endian, two's complement. A list is a 4-byte count and then
each element as a length and its bytes.

Leaf = SHA-256(0x00 || record), as RFC 6962 section 2.1 has it. A column is encoded for many events at once: where
each of its values begins is known from the lengths, and NumPy copies all values of one length in one step. About
0.4 us an event, plus 0.6 for hashlib.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from beholden.core.events import EVENTS

__all__ = ["RECORD_VERSION", "canonical_records", "leaf_hashes"]

#: First byte of every record. A change of columns, their order or their encoding is a new version.
RECORD_VERSION: Final = 2

_NULL: Final = 0xFFFFFFFF
_NULL_BYTES: Final = b"\xff\xff\xff\xff"
_LEAF_PREFIX: Final = b"\x00"
#: Rows encoded at a time: enough that a step's overhead does not count, few enough that the records stay in the cache.
_ROWS: Final = 8192
#: Fewer values of one length than this are copied one by one.
_GROUP_MIN: Final = 8

_Numbers: TypeAlias = npt.NDArray[Any]
_Bytes: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Part:
    """What some columns put into every record: how many bytes for each row, and how to write them."""

    sizes: int | _Numbers
    write: Callable[[_Bytes, _Numbers], None]


def canonical_records(events: pa.RecordBatch | pa.Table) -> list[bytes]:
    """The canonical record of each event; for tests, proofs and export, where bytes and not only hashes are wanted."""
    return [bytes(view[start:end]) for view, edges in _encoded(events) for start, end in itertools.pairwise(edges)]


def leaf_hashes(events: pa.RecordBatch | pa.Table) -> bytes:
    """The leaf hash of each event, 32 bytes each, one after the other.

    Args:
        events: rows with exactly the columns of `EVENTS`, in its order and types.
    """
    sha256 = hashlib.sha256
    digests: list[bytes] = []
    for view, edges in _encoded(events, _LEAF_PREFIX):
        digests += [sha256(view[start:end]).digest() for start, end in itertools.pairwise(edges)]
    return b"".join(digests)


def _encoded(events: pa.RecordBatch | pa.Table, prefix: bytes = b"") -> Iterator[tuple[memoryview, list[int]]]:
    """Records of some rows, one after the other, and where each begins and ends."""
    if not events.schema.equals(EVENTS):
        raise TypeError("a canonical record needs exactly the columns of EVENTS")
    table = pa.Table.from_batches([events]) if isinstance(events, pa.RecordBatch) else events
    for batch in table.to_batches(max_chunksize=_ROWS):
        if batch.num_rows:
            yield _encode(batch, prefix)


def _encode(batch: pa.RecordBatch, prefix: bytes) -> tuple[memoryview, list[int]]:
    parts: list[_Part] = []
    constant = prefix + bytes([RECORD_VERSION])
    for array in batch.columns:
        if array.null_count == len(array):
            constant += _NULL_BYTES
            continue
        if constant:
            parts.append(_constant(constant))
            constant = b""
        parts.append(_column(array))
    if constant:
        parts.append(_constant(constant))
    sizes = np.zeros(batch.num_rows, np.int64)
    for part in parts:
        sizes += part.sizes
    edges = np.zeros(batch.num_rows + 1, np.int64)
    np.cumsum(sizes, out=edges[1:])
    records = np.empty(edges[-1], np.uint8)
    at = edges[:-1].copy()
    for part in parts:
        part.write(records, at)
        at += part.sizes
    return records.data, edges.tolist()


def _column(array: pa.Array) -> _Part:
    valid = array.is_valid().to_numpy(zero_copy_only=False) if array.null_count else None
    if pa.types.is_list(array.type):
        return _list(array, valid)
    if (values := _fixed_values(array)) is not None:
        return _fixed(values, valid)
    return _variable(array, valid)


def _constant(data: bytes) -> _Part:
    item = np.frombuffer(data, f"V{len(data)}")[0]

    def write(records: _Bytes, at: _Numbers) -> None:
        _items(records, len(data))[at] = item

    return _Part(len(data), write)


def _fixed(values: _Bytes, valid: _Numbers | None) -> _Part:
    """Values of one width, a row of bytes each, behind their length."""
    rows, width = values.shape
    data = np.empty(rows, np.dtype([("length", ">u4"), ("value", f"V{width}")]))
    data["length"], data["value"] = width, values.view(f"V{width}").ravel()
    items = data.view(f"V{4 + width}")

    def write(records: _Bytes, at: _Numbers) -> None:
        _put(records, at, items, valid)

    return _Part(4 + width if valid is None else np.where(valid, 4 + width, 4), write)


def _variable(array: pa.Array, valid: _Numbers | None) -> _Part:
    """Texts or bytes behind their length."""
    starts, lengths, data = _texts(array)
    if valid is not None:  # what lies under a null may have bytes
        lengths = np.where(valid, lengths, 0)
    prefixes = _big_endian(lengths if valid is None else np.where(valid, lengths, _NULL))

    def write(records: _Bytes, at: _Numbers) -> None:
        _items(records, 4)[at] = prefixes
        _copy(data, starts, lengths, records, at + 4)

    return _Part(lengths + 4, write)


def _list(array: pa.ListArray, valid: _Numbers | None) -> _Part:
    """Length, count, and each element behind its length; the elements of all rows are written at once."""
    edges = _offsets(array)
    counts = edges[1:] - edges[:-1]
    if valid is not None:  # what lies under a null may have elements; flatten leaves them out
        counts = np.where(valid, counts, 0)
    elements = array.flatten()
    ends = np.cumsum(counts)
    part = _column(elements) if len(elements) else _Part(0, lambda _records, _at: None)
    before = np.zeros(len(elements) + 1, np.int64)  # bytes of all elements before each
    np.cumsum(np.broadcast_to(part.sizes, len(elements)), out=before[1:])
    row_before, row_after = before[ends - counts], before[ends]
    sizes = row_after - row_before + 8
    heads = _big_endian(np.column_stack((sizes - 4, counts)))

    def write(records: _Bytes, at: _Numbers) -> None:
        _put(records, at, heads, valid)
        part.write(records, np.repeat(at + 8 - row_before, counts) + before[:-1])

    return _Part(sizes if valid is None else np.where(valid, sizes, 4), write)


def _put(records: _Bytes, at: _Numbers, items: _Numbers, valid: _Numbers | None) -> None:
    """Write an item of one width for each row; a null's length where there is none."""
    if valid is not None:
        _items(records, 4)[at.take(np.flatnonzero(~valid))] = np.frombuffer(_NULL_BYTES, "V4")[0]
        rows = np.flatnonzero(valid)
        at, items = at.take(rows), items[rows]
    _items(records, items.dtype.itemsize)[at] = items


def _copy(data: _Bytes, starts: _Numbers, lengths: _Numbers, records: _Bytes, at: _Numbers) -> None:
    """Copy a piece of ``data`` for each row, all pieces of one length together."""
    longest = int(lengths.max())
    if longest == lengths.min():
        if longest:
            _items(records, longest)[at] = _items(data, longest)[starts]
        return
    order = np.argsort(lengths.astype(np.uint16) if longest < 1 << 16 else lengths, kind="stable")
    ordered = lengths[order]
    edges = [0, *(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1).tolist(), len(order)]
    for first, end in itertools.pairwise(edges):
        rows = order[first:end]
        length = int(ordered[first])
        if length and len(rows) < _GROUP_MIN:
            for source, target in zip(starts[rows].tolist(), at[rows].tolist(), strict=True):
                records[target : target + length] = data[source : source + length]
        elif length:
            _items(records, length)[at[rows]] = _items(data, length)[starts[rows]]


def _items(data: _Bytes, width: int) -> _Numbers:
    """``data`` as overlapping items of ``width`` bytes, one beginning at each byte."""
    return np.ndarray((len(data) - width + 1,), f"V{width}", data, strides=(1,))


def _big_endian(numbers: _Numbers) -> _Numbers:
    """Each row of numbers as one item, 4 bytes a number."""
    data = numbers.astype(">u4")
    return data.view(f"V{data.nbytes // len(data)}").ravel()


def _fixed_values(array: pa.Array) -> _Bytes | None:
    """The values as rows of bytes, if all have the same number."""
    if pa.types.is_fixed_size_binary(array.type):
        data, width = np.frombuffer(array.buffers()[1], np.uint8), array.type.byte_width
        return data[array.offset * width : (array.offset + len(array)) * width].reshape(-1, width)
    if pa.types.is_integer(array.type) or pa.types.is_timestamp(array.type):
        numbers = np.frombuffer(array.buffers()[1], f"<i{array.type.bit_width // 8}")
        return numbers[array.offset : array.offset + len(array)].astype(">i8").view(np.uint8).reshape(-1, 8)
    return None


def _texts(array: pa.Array) -> tuple[_Numbers, _Numbers, _Bytes]:
    """Where each value begins, how long it is, and the bytes of all."""
    edges, data = _offsets(array), array.buffers()[2]
    return edges[:-1], edges[1:] - edges[:-1], np.frombuffer(data or b"", np.uint8)


def _offsets(array: pa.Array) -> _Numbers:
    raw = np.frombuffer(array.buffers()[1], np.int32)
    return raw[array.offset : array.offset + len(array) + 1].astype(np.int64)
