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

#: Of each number of sixteen bits the four digits, as they lie in memory.
_FOUR_DIGITS: Final = np.frombuffer(b"".join(b"%04x" % i for i in range(1 << 16)), dtype=np.uint32)


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
    count, width = len(hashes[0]), 16 * len(hashes)
    digits = np.empty((count, len(hashes), 4), dtype=np.uint32)
    for place, one in enumerate(hashes):
        for part in range(4):
            digits[:, place, part] = _FOUR_DIGITS[(one >> np.uint64(48 - 16 * part)) & np.uint64(0xFFFF)]
    offsets = np.arange(0, width * count + 1, width, dtype=np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(digits))
