"""One column of a sample as the rules see it: distinct text values, how they look, what kind they are."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from beholden.atlas.classify.checks import Mask
from beholden.core.limits import VALUE_CHARS_MAX

__all__ = ["Column", "Kind", "masked_shape"]

#: What the values are, whatever the store calls the type: text that is all numbers counts as numbers.
Kind = Literal["text", "integer", "decimal", "boolean", "date", "time", "binary", "none"]

#: Distinct values looked at; a sample of `SAMPLE_ROWS` never reaches it.
_DISTINCT_MAX: Final = 20_000
_SHAPE_CHARS_MAX: Final = 40
_SHAPES_SHOWN: Final = 2
_SHAPE_VALUES_MAX: Final = 200
#: A letter run in a shape is cut here, so that a shape does not tell how long a name is.
_LETTER_RUN_MAX: Final = 3
_INTEGER: Final = r"^[+-]?[0-9]{1,30}$"
_DECIMAL: Final = r"^[+-]?([0-9]+[.,]?[0-9]*|[.,][0-9]+)([eE][+-]?[0-9]+)?$"
_DATE: Final = (
    r"^((1[89]|20|21)[0-9]{2}[-/.](0?[1-9]|1[0-2])[-/.](0?[1-9]|[12][0-9]|3[01])"
    r"|(0?[1-9]|[12][0-9]|3[01])[-/. ](0?[1-9]|1[0-2])[-/. ](1[89]|20|21)[0-9]{2}"
    r"|(0?[1-9]|1[0-2])/(0?[1-9]|[12][0-9]|3[01])/(1[89]|20|21)?[0-9]{2})"
    r"([ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?( ?(Z|UTC|[+-][0-9]{2}:?[0-9]{0,2}))?)?$"
)
_TIME: Final = r"^[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?$"
_BOOLEAN: Final = frozenset({"t", "f", "true", "false", "yes", "no", "y", "n"})


@dataclass(frozen=True)
class Column:
    """Distinct, trimmed, non-blank values of one field as text, capped in length."""

    name: str
    rows: int
    present: int  # rows whose value is neither null nor blank
    values: pa.StringArray
    declared: Kind  # by the Arrow type alone

    @classmethod
    def of(cls, name: str, array: pa.Array) -> Column:
        """Read a column of any type; invalid UTF-8 is replaced, nested values become JSON, long ones are cut."""
        text, declared = _as_text(array)
        text = pc.utf8_trim_whitespace(text)
        text = text.filter(pc.fill_null(pc.not_equal(text, ""), fill_value=False))
        distinct = pc.unique(text).slice(0, _DISTINCT_MAX)
        return cls(name=name, rows=len(array), present=len(text), values=distinct, declared=declared)

    @property
    def distinct(self) -> int:
        """How many distinct values there are to look at."""
        return len(self.values)

    @property
    def empty(self) -> bool:
        """Whether no value was there at all."""
        return self.present == 0

    @cached_property
    def kind(self) -> Kind:
        """What the values are: the declared kind, or what all texts turn out to be."""
        if self.declared != "text" or not self.distinct:
            return self.declared
        if (
            self.distinct <= len(_BOOLEAN) and set(self.folded.to_pylist()) <= _BOOLEAN and self.distinct == 2
        ):  # a boolean has two values
            return "boolean"
        patterns: tuple[tuple[Kind, str], ...] = (
            ("integer", _INTEGER), ("decimal", _DECIMAL), ("date", _DATE), ("time", _TIME),
        )  # fmt: skip
        probe = self.values.slice(0, 20)
        for kind, pattern in patterns:
            if pc.all(pc.match_substring_regex(probe, pattern=pattern)).as_py() and self.share(pattern) >= 0.98:
                return kind
        return "text"

    @cached_property
    def folded(self) -> pa.StringArray:
        """The values in lower case."""
        return pc.utf8_lower(self.values)

    @cached_property
    def words_mean(self) -> float:
        """Mean number of words a value."""
        if not self.distinct:
            return 0.0
        return float(pc.mean(pc.count_substring_regex(self.values, pattern=r"\pL{2,}")).as_py())

    @cached_property
    def chars_mean(self) -> float:
        """Mean number of characters a value."""
        return float(pc.mean(pc.utf8_length(self.values)).as_py()) if self.distinct else 0.0

    def matches(self, pattern: str) -> Mask:
        """Which distinct values the pattern occurs in."""
        mask: Mask = pc.match_substring_regex(self.values, pattern=pattern).to_numpy(zero_copy_only=False)
        return mask

    def share(self, pattern: str) -> float:
        """The share of distinct values the pattern occurs in."""
        return float(np.mean(self.matches(pattern))) if self.distinct else 0.0

    def shapes(self, mask: Mask | None = None) -> str:
        """The commonest masked shapes with their counts; never a value."""
        values = self.values if mask is None else self.values.filter(pa.array(mask))
        seen = Counter(masked_shape(value) for value in values.slice(0, _SHAPE_VALUES_MAX).to_pylist())
        return ", ".join(f"{shape} ({count})" for shape, count in seen.most_common(_SHAPES_SHOWN))


def masked_shape(value: str) -> str:
    """A value with every letter and digit hidden: ``Aaa.aaa@aaa.aa``, ``9999 9999``."""
    shape: list[str] = []
    run = 0
    for char in value[:_SHAPE_CHARS_MAX]:
        category = unicodedata.category(char)
        if category.startswith(("L", "M")):
            mark = "A" if category == "Lu" else "a"
            run = run + 1 if shape and shape[-1] == mark else 1
            if run > _LETTER_RUN_MAX:
                continue
        elif category.startswith("N"):
            mark = "9"
        elif char.isascii() and char.isprintable():
            mark = char
        else:
            mark = "?"
        shape.append(mark)
    return "".join(shape) + ("…" if len(value) > _SHAPE_CHARS_MAX else "")


def _as_text(array: pa.Array) -> tuple[pa.StringArray, Kind]:
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    kind = array.type
    if pt.is_dictionary(kind):
        return _as_text(array.dictionary_decode())
    if pt.is_null(kind):
        return pa.array([], pa.string()), "none"
    if pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind):
        return _valid_text(array), "text"
    if pt.is_binary(kind) or pt.is_large_binary(kind) or pt.is_binary_view(kind) or pt.is_fixed_size_binary(kind):
        return _binary_as_text(array)
    if pt.is_nested(kind):
        rows = (json.dumps(value, ensure_ascii=False, default=str) if value else None for value in array.to_pylist())
        return pa.array([row and row[:VALUE_CHARS_MAX] for row in rows], pa.string()), "text"
    return _cast(array), _scalar_kind(kind)


def _scalar_kind(kind: pa.DataType) -> Kind:
    if pt.is_boolean(kind):
        return "boolean"
    if pt.is_integer(kind):
        return "integer"
    if pt.is_floating(kind) or pt.is_decimal(kind):
        return "decimal"
    if pt.is_date(kind) or pt.is_timestamp(kind):
        return "date"
    if pt.is_time(kind) or pt.is_duration(kind) or pt.is_interval(kind):
        return "time"
    return "text"


def _cast(array: pa.Array) -> pa.StringArray:
    try:
        return array.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([None if value is None else str(value) for value in array.to_pylist()], pa.string())


def _valid_text(array: pa.Array) -> pa.StringArray:
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return _decoded(array.cast(pa.binary()).to_pylist())
    return pc.utf8_slice_codeunits(array.cast(pa.large_string()), 0, VALUE_CHARS_MAX).cast(pa.string())


def _decoded(values: list[bytes | None]) -> pa.StringArray:
    return pa.array(
        [None if value is None else value[: 4 * VALUE_CHARS_MAX].decode("utf-8", "replace")[:VALUE_CHARS_MAX]
         for value in values],
        pa.string(),
    )  # fmt: skip


def _binary_as_text(array: pa.Array) -> tuple[pa.StringArray, Kind]:
    """Bytes that are text all through are read as text; others stay unread, and their column says so."""
    values = [None if value is None else value[: 4 * VALUE_CHARS_MAX] for value in array.to_pylist()]
    sampled = [value for value in values if value][:100]
    if sampled and all(_is_text(value) for value in sampled):
        return _decoded(values), "text"
    return pa.array([None if not value else "binary" for value in values], pa.string()), "binary"


def _is_text(value: bytes) -> bool:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char in "\r\n\t" for char in text)
