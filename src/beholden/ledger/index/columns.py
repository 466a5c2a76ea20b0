"""Columns of integers, packed so that any few rows of a million can be read without the rest.

A column is cut into blocks of 2^14 rows. Of a block the first bytes of all values stand together, then all second bytes
and so on ("planes"): a plane of equal bytes takes nothing, one that zstd can shorten is a zstd frame, one of random
bytes stays as it is. Values are unsigned; what may be negative is zigzag-coded, what rises is stored as differences.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["BLOCK_ROWS", "I64", "U64", "ColumnReader", "ColumnWriter", "distinct", "signed", "zigzag"]

#: Rows of a block: what is read at least of a column.
BLOCK_ROWS: Final = 1 << 14
_PLANES: Final = 8
#: A zstd frame must be shorter than its plane by this part, or it is not worth unpacking.
_GAIN: Final = 0.85
_LEVEL: Final = 1
#: Of a block fewer rows than one in so many are taken one by one.
_FEW: Final = 4

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
_U8 = npt.NDArray[np.uint8]


def zigzag(values: I64) -> U64:
    """Signed to unsigned, small to small: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return ((values << 1) ^ (values >> 63)).view(np.uint64)


def signed(values: U64) -> I64:
    """What `zigzag` coded."""
    return (values >> np.uint64(1)).view(np.int64) ^ -(values & np.uint64(1)).view(np.int64)


def distinct(values: I64, end: int) -> tuple[I64, I64]:
    """The distinct values, all from 0 to below ``end``, in order, and the place of each value among them."""
    if end > 4 * len(values):
        held, places = np.unique(values, return_inverse=True)
        return held, places
    held = np.flatnonzero(np.bincount(values, minlength=end))
    rank = np.zeros(end, np.int64)
    rank[held] = np.arange(len(held))
    return held, rank[values]


class ColumnWriter:
    """Packs columns one after the other; ``data`` is their planes, ``places`` where each plane lies.

    ``places`` has, for each column, block and plane, the offset in ``data`` and the length; a length of 0 means that all
    bytes are equal, to the number that stands in place of the offset.
    """

    def __init__(self) -> None:
        self._codec = pa.Codec("zstd", _LEVEL)
        self._parts: list[bytes] = []
        self._size = 0
        self._places: list[npt.NDArray[np.uint32]] = []

    def add(self, blocks: list[U64]) -> int:
        """Pack a column, block by block; returns its number among the columns."""
        places = np.zeros((len(blocks), _PLANES, 2), np.uint32)
        for i, block in enumerate(blocks):
            width = (int(block.max()).bit_length() + 7) // 8 if len(block) else 0
            planes = block.astype("<u8", copy=False).view(np.uint8).reshape(-1, 8)
            for k in range(width):
                places[i, k] = self._plane(np.ascontiguousarray(planes[:, k]))
        self._places.append(places)
        return len(self._places) - 1

    def _plane(self, plane: _U8) -> tuple[int, int]:
        if (plane == plane[0]).all():
            return int(plane[0]), 0
        packed = self._codec.compress(plane, asbytes=True)
        stored = packed if len(packed) < _GAIN * len(plane) else plane.tobytes()
        offset = self._size
        self._parts.append(stored)
        self._size += len(stored)
        return offset, len(stored)

    def data(self) -> bytes:
        """All planes."""
        return b"".join(self._parts)

    def places(self) -> bytes:
        """Where they lie, 32-bit little-endian."""
        return b"".join(places.astype("<u4").tobytes() for places in self._places)


class ColumnReader:
    """Reads what a `ColumnWriter` packed.

    Args:
        data, places: its parts.
        blocks: for each column the number of values in each of its blocks.
    """

    def __init__(self, data: _U8, places: npt.NDArray[np.uint32], blocks: list[list[int]]) -> None:
        self._codec = pa.Codec("zstd")
        self._data = data
        self._sizes = blocks
        first = 0
        self._places: list[npt.NDArray[np.uint32]] = []
        self._widths: list[list[int]] = []
        used = (places[:, :, 0] | places[:, :, 1]) != 0
        widths = (used * np.arange(1, _PLANES + 1)).max(axis=1, initial=0).tolist()
        for sizes in blocks:
            self._places.append(places[first : first + len(sizes)])
            self._widths.append(widths[first : first + len(sizes)])
            first += len(sizes)

    def block(self, column: int, number: int) -> U64:
        """One block of a column."""
        values = np.zeros(self._sizes[column][number], np.uint64)
        self.fill(values, column, number, slice(None))
        return values

    def fill(self, values: U64, column: int, number: int, rows: slice) -> None:
        """Put the values between two rows of a block into ``values``, which are zeros."""
        planes = values.view(np.uint8).reshape(-1, 8)
        for k in range(self._width(column, number)):
            offset, length = self._places[column][number, k].tolist()
            if length:
                planes[:, k] = self.plane(column, number, k)[rows]
            elif offset:
                planes[:, k] = offset

    def take(self, column: int, number: int, rows: I64) -> U64:
        """Some values of a block."""
        if len(rows) * _FEW > self._sizes[column][number]:
            return self.block(column, number)[rows]
        values = np.zeros(len(rows), np.uint64)
        for k in range(self._width(column, number)):
            offset, length = self._places[column][number, k].tolist()
            if length:
                values |= self.plane(column, number, k)[rows].astype(np.uint64) << np.uint64(8 * k)
            else:
                values |= np.uint64(offset << 8 * k)
        return values

    def _width(self, column: int, number: int) -> int:
        """The planes of a block that are not all zeros."""
        return self._widths[column][number]

    def plane(self, column: int, number: int, k: int) -> _U8:
        """The bytes of one plane of a block."""
        size = self._sizes[column][number]
        offset, length = self._places[column][number, k].tolist()
        if not length:
            return np.full(size, offset, np.uint8)
        stored = self._data[offset : offset + length]
        if length == size:
            return stored
        return np.frombuffer(self._codec.decompress(pa.py_buffer(stored), size), np.uint8)

    def find(self, column: int, number: int, value: int) -> npt.NDArray[np.int64]:
        """Where a value stands in a block; looks at whole planes only while there is any place left."""
        found: npt.NDArray[np.int64] | None = None
        for k in range(_PLANES):
            wanted = value >> 8 * k & 0xFF
            offset, length = self._places[column][number, k].tolist()
            if not length:
                if offset != wanted:
                    return np.empty(0, np.int64)
                continue
            plane = self.plane(column, number, k)
            found = np.flatnonzero(plane == wanted) if found is None else found[plane[found] == wanted]
            if not len(found):
                return found
        return np.arange(self._sizes[column][number]) if found is None else found
