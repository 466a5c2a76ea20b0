"""Columns as a file holds them, turned into identifiers and times: whole columns at once, never a value in a text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.times import parse_time

__all__ = ["TIME", "Times", "identifiers", "times"]

TIME: Final = pa.timestamp("us", tz="UTC")

#: The same range as `beholden.core.times`: outside it a clock or a parser was wrong.
_FIRST: Final = pa.scalar(parse_time("1971-01-01T00:00:00Z"), pa.int64())
_LAST: Final = pa.scalar(parse_time("2199-12-31T23:59:59.999999Z"), pa.int64())
#: From here on a floating point number no longer holds every integer.
_EXACT_FLOAT: Final = float(2**53)


@dataclass(frozen=True, slots=True)
class Times:
    """A column of times.

    ``bad`` is true where a value is there but is no time; ``without_zone`` counts those that stated no zone and were
    taken as UTC (a date is its first microsecond).
    """

    values: pa.Array  # TIME
    bad: pa.Array  # bool, without nulls
    without_zone: int


def identifiers(column: pa.Array) -> pa.Array:
    """Identifiers as trimmed text; nothing and empty text are null. A whole number loses the ``.0`` of a float."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_floating(column.type):
        column = column.cast(pa.float64())
        column = pc.if_else(pc.is_nan(column), None, column)
        whole = pc.and_(pc.equal(column, pc.trunc(column)), pc.less(pc.abs(column), _EXACT_FLOAT))
        integers = pc.if_else(whole, column, None).cast(pa.int64()).cast(pa.string())
        column = pc.coalesce(integers, column.cast(pa.string()))
    elif pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        column = pa.array([value.hex() if value is not None else None for value in column.to_pylist()], pa.string())
    elif pa.types.is_nested(column.type):
        return pa.nulls(len(column), pa.string())
    text = pc.utf8_trim_whitespace(column.cast(pa.string()))
    return pc.if_else(pc.equal(text, ""), None, text)


def times(column: pa.Array) -> Times:
    """Times in microseconds UTC from timestamps, dates or ISO 8601 text; anything else is bad."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        values = column.cast(pa.timestamp("us", tz=getattr(kind, "tz", None)), safe=False).cast(TIME)
        zoned = pa.types.is_timestamp(kind) and kind.tz is not None
        return _checked(values, column, 0 if zoned else len(column) - column.null_count)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _from_text(identifiers(column))
    return _checked(pa.nulls(len(column), TIME), column, 0)


def _from_text(text: pa.Array) -> Times:
    try:
        return _checked(text.cast(TIME), text, 0)
    except pa.ArrowInvalid:
        pass
    try:
        return _checked(text.cast(pa.timestamp("us")).cast(TIME), text, len(text) - text.null_count)
    except pa.ArrowInvalid:
        return _one_by_one(text)


def _one_by_one(text: pa.Array) -> Times:
    """A column in which some values state a zone, some do not, and some are no time."""
    micros: list[int | None] = []
    without_zone = 0
    for value in text.to_pylist():
        found, assumed = _parse(value)
        micros.append(found)
        without_zone += assumed
    return _checked(pa.array(micros, pa.int64()).cast(TIME), text, without_zone)


def _parse(value: str | None) -> tuple[int | None, bool]:
    if value is None:
        return None, False
    try:
        return parse_time(value), False
    except ValueError:
        pass
    try:
        return parse_time(value, UTC), True
    except ValueError:
        return None, False


def _checked(values: pa.Array, given: Any, without_zone: int) -> Times:
    micros = values.cast(pa.int64())
    in_range = pc.and_(pc.greater_equal(micros, _FIRST), pc.less_equal(micros, _LAST))
    values = pc.if_else(in_range, values, None)
    return Times(values, pc.and_(pc.is_null(values), pc.is_valid(given)), without_zone)
