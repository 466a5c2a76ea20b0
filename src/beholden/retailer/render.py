"""Texts by the column: a quarter of a microsecond a line, where Python's own formatting takes ten.

Joining costs by the piece, not by the byte: `lines` puts what always has the same length together before it joins, and
adds texts that all lines share to a neighbour that has few different ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from beholden.retailer.chance import DAY_US, SECOND_US, Bools, Hashes, Ints

__all__ = [
    "Bytes", "Chosen", "Decimal", "Text", "chosen", "given", "hexadecimal_of", "instants", "iso_of", "lines", "matrix",
    "numbers",
]  # fmt: skip

#: Texts of one length, a row each.
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A piece of lines: for each line one of a few texts, by its position."""

    texts: Sequence[str]
    positions: Ints


@dataclass(frozen=True, slots=True)
class Decimal:
    """A piece of lines: whole numbers as decimal texts."""

    values: Ints


#: A piece of lines: a text for all of them, or a column: of an Arrow array's texts, of texts of one length, or one of those above.
Text: TypeAlias = Any  # pyarrow has no types of its own

#: Of each number of sixteen bits, read with its bytes the other way round, the four hexadecimal digits, as they lie in
#: memory; and of each below 10,000 the decimal ones.
_FOUR_DIGITS: Final = np.frombuffer(b"".join(b"%04x" % i for i in range(1 << 16)), dtype=np.uint32)[
    np.arange(1 << 16, dtype=np.uint16).view(">u2").astype(np.int64)
]
_FOUR_DECIMALS: Final = np.frombuffer(b"".join(b"%04d" % i for i in range(10_000)), dtype=np.uint32)
#: Numbers below this are looked up where there are at least so many.
_SMALL: Final = 1 << 16
_SMALL_MIN: Final = 1 << 13


def lines(*pieces: Text) -> pa.Array:
    """Each line is its pieces, one after another; at least one of them is a column."""
    whole: list[Text] = []
    run: list[str | Bytes] = []
    for piece in map(_plain, pieces):
        if isinstance(piece, str | np.ndarray):
            run.append(piece)
        else:
            whole += [*_together(run), piece]
            run = []
    whole += _together(run)
    # What all lines share goes into the texts before it, or else into those behind it.
    columns: list[Text] = []
    for at, piece in enumerate(whole):
        if isinstance(piece, Chosen | Decimal):
            before = whole[at - 1] if at and isinstance(whole[at - 1], str) and not _takes(whole, at - 2) else ""
            after = whole[at + 1] if at + 1 < len(whole) and isinstance(whole[at + 1], str) else ""
            columns += _between(before, piece, after)
        elif not isinstance(piece, str) or not (_takes(whole, at - 1) or _takes(whole, at + 1)):
            columns.append(piece)
    return columns[0] if len(columns) == 1 else pc.binary_join_element_wise(*columns, "")


def _takes(pieces: Sequence[Text], at: int) -> bool:
    """Whether there is a piece at that place that takes in the text beside it."""
    return 0 <= at < len(pieces) and isinstance(pieces[at], Chosen | Decimal)


def _plain(piece: Text) -> Text:
    """Numbers that have as many digits one as another become texts of one length."""
    if isinstance(piece, Decimal) and len(piece.values):
        least, most = int(piece.values.min()), int(piece.values.max())
        if least > 0 and len(str(least)) == len(str(most)) and most >= _SMALL:
            return _decimals(piece.values, len(str(most)))
    return piece


def _together(run: Sequence[str | Bytes]) -> list[Text]:
    """Neighbours as one piece: a text for all lines, or a column if there is one among them."""
    if not run:
        return []
    if all(isinstance(one, str) for one in run):
        return ["".join(one for one in run if isinstance(one, str))]
    return [_fixed(run)]


def _fixed(run: Sequence[str | Bytes]) -> pa.Array:
    """Texts of one length as an Arrow array: each is these parts, one after another."""
    rows = next(len(one) for one in run if not isinstance(one, str))
    parts = [one.encode() if isinstance(one, str) else one for one in run]
    widths = [len(one) if isinstance(one, bytes) else one.shape[1] for one in parts]
    whole = np.empty(rows, dtype=[(str(at), f"V{width}") for at, width in enumerate(widths)])
    for at, (one, width) in enumerate(zip(parts, widths, strict=True)):
        whole[str(at)] = np.void(one) if isinstance(one, bytes) else np.ascontiguousarray(one).view(f"V{width}").ravel()
    offsets = np.arange(0, sum(widths) * rows + 1, sum(widths), dtype=np.int32)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(whole.view(np.uint8)))


def _between(before: str, piece: Chosen | Decimal, after: str) -> list[Text]:
    """A column with a text before and one after, as one piece where that costs less."""
    if isinstance(piece, Chosen):
        texts = [f"{before}{text}{after}" for text in piece.texts] if before or after else piece.texts
        return [chosen(texts, piece.positions)]
    values = piece.values
    if len(values) >= _SMALL_MIN and values.min() >= 0 and values.max() < _SMALL:
        return [_small(before, after).take(pa.array(values))]
    return [one for one in (before, numbers(values), after) if not isinstance(one, str) or one]


@lru_cache(maxsize=64)
def _small(before: str, after: str) -> pa.Array:
    """The small numbers, each with a text before and one after."""
    return pc.binary_join_element_wise(before, numbers(np.arange(_SMALL)), after, "")


def numbers(values: Ints) -> pa.Array:
    """Whole numbers as decimal texts."""
    return pa.array(values).cast(pa.string())


def _decimals(values: Ints, count: int) -> Bytes:
    """Whole numbers from 0, below 10 to that power, as so many digits."""
    groups = -(-count // 4)
    found = np.empty((len(values), groups), dtype=np.uint32)
    rest = values
    for place in range(groups - 1, 0, -1):
        whole = rest // 10_000
        found[:, place] = _FOUR_DECIMALS[rest - whole * 10_000]
        rest = whole
    found[:, 0] = _FOUR_DECIMALS[rest]
    return found.view(np.uint8)[:, 4 * groups - count :]


def chosen(texts: Sequence[str], positions: Ints) -> pa.Array:
    """For each position its text."""
    return pa.array(texts, pa.string()).take(pa.array(positions))


def given(which: Bools, texts: Callable[[Ints], pa.Array], other: str) -> pa.Array:
    """For each line for which the mask is true its text, asked for by the positions of these; another for the rest."""
    at = np.flatnonzero(which)
    place = np.zeros(len(which), dtype=np.int64)
    place[at] = np.arange(1, len(at) + 1)
    return pa.concat_arrays([pa.array([other], pa.string()), texts(at)]).take(pa.array(place))


def iso_of(times: Ints, unit: str = "ms", separator: str = "T") -> pa.Array:
    """Times in microseconds as ISO 8601 texts without a zone, to the second (``s``), ``ms`` or ``us``."""
    stamps = pa.array(times, pa.timestamp("us")).cast(pa.timestamp(unit), safe=False).cast(pa.string())
    return stamps if separator == " " else pc.replace_substring(stamps, " ", separator)


def instants(times: Ints, separator: str = "T") -> Bytes:
    """Times in microseconds, all of them of a few days, as ISO 8601 texts without a zone, to the millisecond."""
    if not len(times):
        return np.empty((0, 23), dtype=np.uint8)
    day = times // DAY_US
    second, rest = np.divmod(times - day * DAY_US, SECOND_US)
    first = int(day.min())
    days = np.arange(first, int(day.max()) + 1).astype("datetime64[D]")
    dates = np.array([f"{one}{separator}".encode() for one in np.datetime_as_string(days)], dtype="V11")
    found = np.empty(len(times), dtype=[("date", "V11"), ("clock", "V8"), ("rest", "V4")])
    found["date"] = dates[day - first]
    found["clock"] = _clock()[second]
    found["rest"] = _thousandths()[rest // 1000]
    return found.view(np.uint8).reshape(len(times), 23)


@cache
def _clock() -> npt.NDArray[np.void]:
    """The seconds of a day as ``HH:MM:SS``."""
    texts = [f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}" for second in range(86_400)]
    return np.frombuffer("".join(texts).encode(), dtype="V8")


@cache
def _thousandths() -> npt.NDArray[np.void]:
    """The milliseconds of a second as ``.mmm``."""
    return np.frombuffer("".join(f".{part:03d}" for part in range(1000)).encode(), dtype="V4")


def hexadecimal_of(*hashes: Hashes) -> pa.Array:
    """Sixteen hexadecimal digits of each hash, those of several hashes one after another."""
    count, width = len(hashes[0]), 16 * len(hashes)
    words = np.stack(hashes, axis=1).astype(">u8").view(np.uint16)
    digits = np.take(_FOUR_DIGITS, words, mode="clip")
    offsets = np.arange(0, width * count + 1, width, dtype=np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(digits))


def matrix(texts: pa.Array) -> Bytes:
    """Texts that are all of one length, as `hexadecimal_of` makes them, without copying them."""
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    held = np.frombuffer(texts.buffers()[2], dtype=np.uint8)[int(offsets[0]) : int(offsets[-1])]
    return held.reshape(len(texts), -1) if len(texts) else np.empty((0, 0), dtype=np.uint8)
