"""Texts by the column: half a microsecond a line, where Python's own formatting takes ten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beholden.retailer.chance import Hashes, Ints

__all__ = ["Text", "chosen", "hexadecimal_of", "iso_of", "lines", "numbers"]

#: A column of texts, or one text for all lines.
Text: TypeAlias = Any  # pyarrow has no types of its own: an array of strings, or a str

_DIGITS: Final = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def lines(*pieces: Text) -> pa.Array:
    """Each line is its pieces, one after another; at least one of them is a column."""
    return pc.binary_join_element_wise(*pieces, "")


def numbers(values: Ints) -> pa.Array:
    """Whole numbers as decimal texts."""
    return pa.array(values).cast(pa.string())


def chosen(texts: Sequence[str], positions: Ints) -> pa.Array:
    """For each position its text."""
    return pa.array(texts, pa.string()).take(pa.array(positions))


def iso_of(times: Ints, unit: str = "ms", separator: str = "T") -> pa.Array:
    """Times in microseconds as ISO 8601 texts without a zone, to the second (``s``), ``ms`` or ``us``."""
    stamps = pa.array(times, pa.timestamp("us")).cast(pa.timestamp(unit), safe=False).cast(pa.string())
    return stamps if separator == " " else pc.replace_substring(stamps, " ", separator)


def hexadecimal_of(*hashes: Hashes) -> pa.Array:
    """Sixteen hexadecimal digits of each hash, those of several hashes one after another."""
    count = len(hashes[0])
    raw = np.concatenate([one.astype(">u8").view(np.uint8).reshape(count, 8) for one in hashes], axis=1)
    digits = np.empty((count, 2 * raw.shape[1]), dtype=np.uint8)
    digits[:, 0::2], digits[:, 1::2] = _DIGITS[raw >> 4], _DIGITS[raw & 15]
    offsets = np.arange(0, digits.size + 1, digits.shape[1] or 1, dtype=np.int32)[: count + 1]
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets.tobytes()), pa.py_buffer(digits.tobytes()))
