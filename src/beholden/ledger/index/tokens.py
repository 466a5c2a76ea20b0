"""Sorted dictionaries of random tokens: a token is found by where it must stand, since tokens are random numbers."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["TokenDictionary", "fixed_array", "fixed_bytes", "sorted_distinct"]

_I64 = npt.NDArray[np.int64]
_U8 = npt.NDArray[np.uint8]
#: Standard deviations of the place of a random token that are looked at first; the rest is only looked at if need be.
_NEAR: Final = 4


def fixed_bytes(array: pa.Array) -> _U8:
    """The bytes of a fixed-size binary array without nulls, one row each; a view."""
    width = array.type.byte_width
    _, data = array.buffers()
    if data is None:
        return np.empty((0, width), np.uint8)
    start = array.offset * width
    return np.frombuffer(data, np.uint8)[start : start + len(array) * width].reshape(-1, width)


def fixed_array(values: _U8, width: int, valid: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """The Arrow array of some rows of bytes; rows that are not ``valid`` are null."""
    mask = None
    if valid is not None and not valid.all():
        mask = pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(width), len(values), [mask, pa.py_buffer(np.ascontiguousarray(values))]
    )


def sorted_distinct(values: _U8) -> tuple[_U8, _I64]:
    """The distinct rows of bytes (8 or 16 each) in order, and the place of each row among them."""
    if not len(values):
        return values, np.empty(0, np.int64)
    parts = np.ascontiguousarray(values).view(">u8").reshape(len(values), -1).astype(np.uint64)
    order = np.argsort(parts[:, 0])
    ordered = parts[order]
    equal = ordered[1:, 0] == ordered[:-1, 0]
    if parts.shape[1] > 1 and (equal & (ordered[1:, 1] != ordered[:-1, 1])).any():  # half of a token twice
        order = np.lexsort((parts[:, 1], parts[:, 0]))
        ordered = parts[order]
        equal = (ordered[1:] == ordered[:-1]).all(axis=1)
    new = np.concatenate(([True], ~equal))
    codes = np.empty(len(values), np.int64)
    codes[order] = np.cumsum(new) - 1
    return values[order[new]], codes


class TokenDictionary:
    """Distinct tokens in order, as they lie in a file."""

    def __init__(self, data: _U8, width: int) -> None:
        self.rows = data.reshape(-1, width)
        self.heads = data.view(">u8")[:: width // 8]  # the first 8 bytes of each

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, token: bytes) -> int | None:
        """The place of a token, or None."""
        head = int.from_bytes(token[:8], "big")
        for low, high in self._windows(head):
            place = low + int(np.searchsorted(self.heads[low:high], np.uint64(head)))
            while place < high and int(self.heads[place]) == head:
                if self.rows[place].tobytes() == token:
                    return place
                place += 1
        return None

    def _windows(self, head: int) -> list[tuple[int, int]]:
        """Where to look: near the place that a random number of that size has, if it must be there, or everywhere."""
        size = len(self)
        expected = head * size >> 64
        reach = _NEAR * int(size**0.5) // 2 + 2
        low, high = max(0, expected - reach), min(size, expected + reach)
        inside = (low == 0 or int(self.heads[low]) < head) and (high == size or int(self.heads[high - 1]) > head)
        return [(low, high)] if inside and low < high else [(0, size)]
