"""How PostgreSQL's types become Arrow's, and how a text is compared with them so that an index helps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from beholden.stores._columns import batch_of, cut_strings, text_array
from beholden.stores._postgresql_catalog import Field, sql_name

__all__ = ["RowShape", "find_cast"]

# Oids of built-in types are fixed (src/include/catalog/pg_type.dat).
_BOOL: Final = 16
_BYTEA: Final = 17
_INTEGERS: Final = {21: "int2", 23: "int4", 20: "int8"}
_INTEGER_BITS: Final = {21: 16, 23: 32, 20: 64}
#: Types whose values the driver gives as Arrow wants them.
_DIRECT: Final = {
    **dict.fromkeys(_INTEGERS, pa.int64()),
    _BOOL: pa.bool_(),
    _BYTEA: pa.binary(),
    700: pa.float32(),
    701: pa.float64(),
}
_TEXTS: Final = {25: "text", 1043: "text", 1042: "bpchar"}
_DATE: Final = 1082
_TIMES: Final = {1114: pa.timestamp("us"), 1184: pa.timestamp("us", "UTC")}
_NUMERIC: Final = 1700
_UUID: Final = 2950

#: PostgreSQL counts from 2000-01-01, Arrow from 1970-01-01.
_EPOCH_DAYS: Final = 10_957
_DAY_US: Final = 86_400_000_000
#: 0001-01-01 and 9999-12-31 as days since 2000-01-01: what every program can show.
_DAYS_MIN: Final = -730_119
_DAYS_MAX: Final = 2_921_939

_INTEGER_TEXT: Final = re.compile(r"(?:0|-?[1-9][0-9]{0,18})\Z")
_NUMERIC_TEXT: Final = re.compile(r"-?[0-9]{1,100}(?:\.[0-9]{1,100})?\Z|NaN\Z|-?Infinity\Z")
_UUID_TEXT: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


class RowShape:
    """The columns of one SELECT: their names and expressions as SQL, and how fetched rows become a batch."""

    def __init__(self, fields: Sequence[Field], chars_max: int) -> None:
        self._names = [field.info.name for field in fields]
        self._types = [field.type_oid for field in fields]
        self._chars_max = chars_max
        self._no_time = 0
        self._cut = 0
        self.names = ", ".join(sql_name(name) for name in self._names)
        self.columns = ", ".join(
            _expression(sql_name(name), oid, chars_max + 1) for name, oid in zip(self._names, self._types, strict=True)
        )

    def build(self, rows: Sequence[tuple[Any, ...]]) -> pa.RecordBatch:
        """A batch of these rows."""
        columns = zip(*rows, strict=True) if rows else [()] * len(self._names)
        arrays = [self._array(values, oid) for values, oid in zip(columns, self._types, strict=True)]
        batch, cut = cut_strings(batch_of(arrays, self._names, len(rows)), self._chars_max)
        self._cut += cut
        return batch

    def left_out(self) -> dict[str, int]:
        """What the batches so far do not show, by reason."""
        return {
            f"values cut after {self._chars_max} characters": self._cut,
            "dates that are infinite or outside the years 1 to 9999 given as null": self._no_time,
        }

    def _array(self, values: Sequence[Any], oid: int) -> pa.Array:
        if oid in _DIRECT:
            return pa.array(values, _DIRECT[oid])
        if oid == _DATE:
            return self._since_2000(pa.array(values, pa.int32()), 1).cast(pa.date32())
        if oid in _TIMES:
            return self._since_2000(pa.array(values, pa.int64()), _DAY_US).cast(_TIMES[oid])
        return text_array(values)

    def _since_2000(self, counts: pa.Array, per_day: int) -> pa.Array:
        """Counts from 1970; null where no date of the years 1 to 9999 stands."""
        low = pa.scalar(_DAYS_MIN * per_day, counts.type)
        high = pa.scalar((_DAYS_MAX + 1) * per_day - 1, counts.type)
        inside = pc.and_(pc.greater_equal(counts, low), pc.less_equal(counts, high))
        shown = pc.if_else(inside, counts, pa.scalar(None, counts.type))
        self._no_time += shown.null_count - counts.null_count
        return pc.add(shown, pa.scalar(_EPOCH_DAYS * per_day, counts.type))


def _expression(column: str, oid: int, units: int) -> str:
    """What to select: natural types as they are, anything else as text; long values are cut on the server."""
    if oid == _BYTEA:
        return f"substring({column}::bytea FROM 1 FOR {units})"
    if oid in _DIRECT or oid in _TIMES or oid == _DATE:
        return column
    return f"left({column}::text, {units})"


def find_cast(field: Field, values: Sequence[str]) -> tuple[str, list[object]]:
    """A condition for "as text, equals one of" and its parameters.

    The text comparison alone would read a whole table. Where the type allows, a comparison in the type itself stands
    before it: that one can use an index, and finds at least the same rows.
    """
    column = sql_name(field.info.name)
    # Equal by bytes: a nondeterministic collation calls other texts equal too.
    exact = f'{column}::text COLLATE "C" = ANY(%s::text[])'
    typed = _typed(field.type_oid, values)
    if typed is None:
        return exact, [list(values)]
    type_name, candidates = typed
    return f"({column} = ANY(%s::{type_name}[]) AND {exact})", [candidates, list(values)]


def _typed(oid: int, values: Sequence[str]) -> tuple[str, list[str]] | None:
    if oid in _INTEGERS:
        bound = 2 ** (_INTEGER_BITS[oid] - 1)
        numbers = [value for value in values if _INTEGER_TEXT.match(value) and -bound <= int(value) < bound]
        return _INTEGERS[oid], numbers
    if oid in _TEXTS:
        return _TEXTS[oid], list(values)
    if oid == _NUMERIC:
        return "numeric", [value for value in values if _NUMERIC_TEXT.match(value)]
    if oid == _UUID:
        return "uuid", [value for value in values if _UUID_TEXT.match(value)]
    return None
