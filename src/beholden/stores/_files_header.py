"""Whether the first row of delimited text names the fields or is already a record.

Taking a record for names would write a person's values down as names of fields, so doubt is decided against a header.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

__all__ = ["has_header"]

#: A column is of a kind, and a mask is a column's, when so large a share of its values is.
_MOST: Final = 0.8
#: A manner of writing is foreign to a column in which no more of the values have it.
_FEW: Final = 0.2
#: Narrower rows are often equal by nature.
_REPEATED_FIELDS_MIN: Final = 3
#: Numbers that rise by equal steps (years, weeks) head the columns of a cross table.
_STEPS_MIN: Final = 3
_WORDS_MAX: Final = 5
#: No field is called by more, not even by a question of a survey; of values no more is looked at.
_CHARS_MAX: Final = 300

_ABSENT: Final = frozenset({"", "-", "--", "?", ".", "null", "none", "nil", "na", "n/a", "nan", "\\n", "#n/a"})
_BOOLEANS: Final = frozenset({"true", "false", "yes", "no", "ja", "nein", "oui", "non", "si", "y", "n", "t", "f"})

#: What no field is called, wherever it stands: a mail address, a number of a person, a card or an account.
_TELLING: Final = re.compile(
    r".*[^\s@]@[^\s@]+\.[^\W\d_]{2,}.*"
    r"|\+[\d ()./-]{7,}"
    r"|(?:[ ()./-]*\d){9,}[ ()./-]*"
    r"|[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7} ?[A-Z0-9]{0,4}",
    re.DOTALL,
)
_TIME: Final = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp][Mm])?(?: ?(?:Z|UTC|[+-]\d{2}:?\d{2}|[+-]\d{2}))?"
_KINDS: Final = (
    ("date", re.compile(rf"(?:\d{{4}}([-/.])\d{{1,2}}\1\d{{1,2}}|\d{{1,2}}([-/.])\d{{1,2}}\2\d{{2,4}})(?:[T ]{_TIME})?")),
    ("time", re.compile(_TIME)),
    ("year", re.compile(r"(?:1[89]|20|21)\d{2}(?:[-/](?:1[89]|20|21)\d{2})?")),
    ("number", re.compile(r"[-+(]?[$€£¥]? ?(?:\d[\d.,' ]*|[.,]\d+)(?:[eE][-+]?\d+)? ?(?:[%$€£¥]|EUR|USD)?\)?")),
    ("address", re.compile(r"(?:\d{1,3}\.){3}\d{1,3}(?:/\d+)?|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){3,7}")),
    ("code", re.compile(r"\{?[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\}?|(?=.*\d)[0-9A-Fa-f]{16,}")),
    ("link", re.compile(r"[A-Za-z][A-Za-z+.-]+://\S+")),
)  # fmt: skip
_TEXT: Final = "text"
_MIXED: Final = "mixed"

_NOT_LETTERS: Final = re.compile(r"[\W\d_]+")
_CAMEL: Final = re.compile(r"(?<=[a-zß-ÿ])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_MACHINE_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+|[a-z]+(?:[A-Z][a-z0-9]*)+")
_DIGITS: Final = re.compile(r"\d")
_LETTERS: Final = re.compile(r"[^\W\d_]+")

#: Words that fields are called by and that are seldom values.
_WORDS: Final = frozenset((Path(__file__).parent / "_files_header_words.txt").read_text("utf-8").split())


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first of these rows is a header, as far as the others tell.

    Every cell of the first row speaks for a name (a text above numbers, a word that fields are called by) or for a
    value (a number above numbers, a text that stands below it again); the sides are counted. A mail address, a phone
    or card number among them settles it, and so does a very long text. Where nothing speaks, only words in small letters
    make a header.

    Args:
        rows: the first rows; those of another length than the first one do not count.
    """
    first = [cell.strip() for cell in rows[0]]
    if any(len(cell) > _CHARS_MAX or (_TELLING.fullmatch(cell) and _kind(cell) != "date") for cell in first):
        return False
    repeats = len(first) >= _REPEATED_FIELDS_MIN  # a header that stands in the file again: files were put together
    below = [row for row in rows[1:] if len(row) == len(first) and not (repeats and row == rows[0])]
    columns = [_Column([row[i][:_CHARS_MAX].strip() for row in below]) for i in range(len(first))]
    stepping = _stepping([cell for cell in first if _kind(cell) in {"year", "number"}])
    names = values = 0
    for cell, column in zip(first, columns, strict=True):
        kind = _kind(cell)
        if kind == _TEXT:
            names += column.is_named_by(cell)
            values += column.kind in {_TEXT, _MIXED} and column.holds(cell)
        elif kind and not (stepping and kind in {"year", "number"}):
            values += column.kind == kind or not below
    texts = [(cell, column) for cell, column in zip(first, columns, strict=True) if _kind(cell) == _TEXT]
    names += _written_unlike(texts)
    if names != values:
        return names > values
    return not values and bool(texts) and all(_manner(cell) == "lower" for cell, _ in texts)


class _Column:
    """The values below a cell of the first row."""

    def __init__(self, values: Sequence[str]) -> None:
        self.values = [value for value in values if value.lower() not in _ABSENT]
        kinds = Counter(_kind(value) for value in self.values)
        if kinds["year"] < len(self.values):  # some numbers are years by chance
            kinds["number"] += kinds.pop("year", 0)
        kind, often = kinds.most_common(1)[0] if kinds else ("", 0)
        self.kind = kind if often >= _MOST * len(self.values) else _MIXED

    def holds(self, cell: str) -> bool:
        """Whether a text is one of these: it stands here again, or is built of digits and marks like most."""
        if cell in self.values:
            return True
        mask = _mask(cell)
        return "9" in mask and self._share(lambda value: _mask(value) == mask) >= _MOST

    def is_named_by(self, cell: str) -> bool:
        """Whether a text is likely the name of these: they are of another kind, or it is a word for a field."""
        if cell in self.values:
            return False
        if _in_words(cell) or (self.kind not in {_TEXT, _MIXED, ""} and not _is_mostly_digits(cell)):
            return True
        machine_names = self._share(lambda value: _MACHINE_NAME.fullmatch(value) is not None)
        return _MACHINE_NAME.fullmatch(cell) is not None and machine_names <= _FEW

    def is_unlike(self, manner: str) -> bool:
        """Whether hardly any value is written in this manner."""
        return bool(self.values) and self._share(lambda value: _manner(value) == manner) <= _FEW

    def _share(self, holds: Callable[[str], bool]) -> float:
        return sum(map(holds, self.values)) / len(self.values) if self.values else 0.0


def _kind(cell: str) -> str:
    if cell.lower() in _ABSENT:
        return ""
    if cell.lower() in _BOOLEANS:
        return "boolean"
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(cell)), _TEXT)


def _mask(text: str) -> str:
    """``AB-1234`` -> ``A-9999``: digits and marks in their places, letters without their number."""
    return _LETTERS.sub("A", _DIGITS.sub("9", text))


def _in_words(cell: str) -> bool:
    """Whether it is made of words for fields; half of them do in ``BillingCity``, as one would not write a value."""
    words = [word for word in _NOT_LETTERS.split(_CAMEL.sub(" ", cell)) if word]
    known = sum(word.lower() in _WORDS for word in words)
    joined = len(words) > 1 and not any(sign.isspace() for sign in cell)
    return 0 < len(words) <= _WORDS_MAX and (2 * known >= len(words) if joined else known == len(words))


def _is_mostly_digits(text: str) -> bool:
    return 2 * sum(sign.isdigit() for sign in text) > sum(sign.isalnum() for sign in text)


def _manner(text: str) -> str:
    if not text.isidentifier():
        return ""
    return "lower" if text.islower() else "upper" if text.isupper() else ""


def _written_unlike(texts: Sequence[tuple[str, _Column]]) -> bool:
    """Whether all texts of the row are written in one manner, small or capital, and most columns are not."""
    manners = {_manner(cell) for cell, _ in texts}
    if len(manners) != 1 or "" in manners:
        return False
    (manner,) = manners
    return 2 * sum(column.is_unlike(manner) for _, column in texts) >= len(texts)


def _stepping(cells: Sequence[str]) -> bool:
    """Whether these are whole numbers that rise by equal steps."""
    if len(cells) < _STEPS_MIN or not all(cell.isascii() and cell.isdecimal() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    steps = {after - before for before, after in pairwise(numbers)}
    return len(steps) == 1 and steps != {0}
