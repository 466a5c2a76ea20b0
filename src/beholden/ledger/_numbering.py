"""Numbers for the values of a dimension, in the order in which they come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["Numbers", "TokenNumbers"]

_I64 = npt.NDArray[np.int64]
_U64 = npt.NDArray[np.uint64]
_U8 = npt.NDArray[np.uint8]
_TOKEN_BYTES: Final = 16


class Numbers:
    """For values of any kind, one by one."""

    def __init__(self) -> None:
        self._places: dict[Any, int] = {}

    def __len__(self) -> int:
        return len(self._places)

    @property
    def values(self) -> list[Any]:
        """In the order of their numbers."""
        return list(self._places)

    def of(self, values: Sequence[Any]) -> _I64:
        """The number of each value; new ones get the next."""
        places = self._places
        return np.array([places.setdefault(value, len(places)) for value in values], np.int64)


class TokenNumbers:
    """For tokens of 16 bytes and null, many at a time: sorted halves of tokens instead of a table of objects."""

    def __init__(self) -> None:
        self._heads: _U64 = np.empty(0, np.uint64)  # in order, each once
        self._tails: _U64 = np.empty(0, np.uint64)
        self._numbers: _I64 = np.empty(0, np.int64)
        self._others = Numbers()  # null, and tokens that share a head with another
        self._other_numbers: list[int] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def values(self) -> list[bytes | None]:
        """In the order of their numbers."""
        found: list[bytes | None] = [None] * self._count
        halves = np.stack([self._heads, self._tails], axis=1).astype(">u8").tobytes()
        for i, number in enumerate(self._numbers.tolist()):
            found[number] = halves[i * _TOKEN_BYTES : (i + 1) * _TOKEN_BYTES]
        for value, number in zip(self._others.values, self._other_numbers, strict=True):
            found[number] = value
        return found

    def of(self, values: Sequence[bytes | None]) -> _I64:
        """The number of each; new ones get the next."""
        tokens = [value for value in dict.fromkeys(values) if value is not None]
        rows = np.frombuffer(b"".join(tokens), np.uint8).reshape(-1, _TOKEN_BYTES)
        places = dict(zip(tokens, self.of_rows(rows).tolist(), strict=True))
        return np.array([self.null() if value is None else places[value] for value in values], np.int64)

    def null(self) -> int:
        """The number of null."""
        return self._other(None)

    def of_rows(self, rows: _U8) -> _I64:
        """The number of each of some distinct tokens, one row of bytes each."""
        halves = np.ascontiguousarray(rows).view(">u8").reshape(-1, 2).astype(np.uint64)
        heads, tails = halves[:, 0], halves[:, 1]
        found, is_known = self._found(heads, tails)
        new = ~is_known
        fresh, first = np.unique(heads[new], return_index=True)
        if len(fresh):
            numbers = self._count + np.arange(len(fresh))
            self._count += len(fresh)
            at = np.searchsorted(self._heads, fresh)
            self._heads = np.insert(self._heads, at, fresh)
            self._tails = np.insert(self._tails, at, tails[new][first])
            self._numbers = np.insert(self._numbers, at, numbers)
            found, _ = self._found(heads, tails)
        for i in np.flatnonzero(found < 0).tolist():
            found[i] = self._other(rows[i].tobytes())
        return found

    def _found(self, heads: _U64, tails: _U64) -> tuple[_I64, npt.NDArray[np.bool_]]:
        """The number of each token, -1 if it has none here; and whether its head is known."""
        if not len(self._heads):
            return np.full(len(heads), -1), np.zeros(len(heads), np.bool_)
        at = np.minimum(np.searchsorted(self._heads, heads), len(self._heads) - 1)
        is_known = self._heads[at] == heads
        return np.where(is_known & (self._tails[at] == tails), self._numbers[at], -1), is_known

    def _other(self, value: bytes | None) -> int:
        place = int(self._others.of([value])[0])
        if place == len(self._other_numbers):
            self._other_numbers.append(self._count)
            self._count += 1
        return self._other_numbers[place]
