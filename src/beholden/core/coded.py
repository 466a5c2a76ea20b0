"""Columns as distinct values and codes, so that what depends on a value alone is worked out once for each."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["Coded", "combined", "taken"]

_Codes = npt.NDArray[np.int64]


class Coded:
    """A column as its distinct ``values`` and, for each row, which of them it has in ``codes``; -1 is null."""

    __slots__ = ("codes", "values")

    def __init__(self, column: pa.Array) -> None:
        self.values: list[Any] = []
        if column.null_count == len(column):
            self.codes: _Codes = np.full(len(column), -1, np.int64)
            return
        encoded = column.dictionary_encode()
        self.values = encoded.dictionary.to_pylist()
        self.codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)

    def where(self, chosen: list[int]) -> npt.NDArray[np.bool_]:
        """Which rows have one of the values with these codes."""
        return np.isin(self.codes, chosen)


def combined(*columns: Coded) -> tuple[list[tuple[Any, ...]], _Codes]:
    """The distinct combinations of several columns' values (None is null), and which of them each row has."""
    keys = np.zeros(len(columns[0].codes), np.int64)
    for column in columns:
        keys = keys * (len(column.values) + 1) + (column.codes + 1)
        if len(columns) > 2:  # so that no number of columns overflows
            _, keys = np.unique(keys, return_inverse=True)
    _, first, codes = np.unique(keys, return_index=True, return_inverse=True)
    of_each = []
    for column in columns:
        known = [*column.values, None]  # which a code of -1 finds
        of_each.append([known[code] for code in column.codes[first].tolist()])
    values = list(zip(*of_each, strict=True))
    return values, codes


def taken(values: pa.Array, codes: _Codes, first: int = 0) -> pa.Array:
    """For each row the value at its code, counted from ``first``; null where the code is -1."""
    missing = codes < 0
    if missing.any():
        return values.take(pa.array(codes + first, mask=missing))
    return values.take(pa.array(codes + first))
