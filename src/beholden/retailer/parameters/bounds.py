"""What values a parameter can have: laws that stand in the types of the record's fields, and the check of them all.

A field is declared as ``name: Annotated[Share, "share of customers; assumed"] = 0.1``: the type carries the law
(``Share = Annotated[float, Bounds(0, 1)]``), the text says what it means and where the value comes from.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from numbers import Integral, Real
from typing import Annotated, Any, Final, Protocol, get_type_hints

from beholden.core.errors import UsageError

__all__ = [
    "GRADES", "AtScale", "Bounds", "Counts", "CountsByGrade", "Days", "Law", "Named", "OneOf", "PerDayAtScale", "Range",
    "Rate", "Row", "Share", "SharesByGrade", "Weights", "Yearly", "check_fields", "found_text", "laws_of", "meanings_of",
]  # fmt: skip

#: loud: nobody cared to hide; paced: within the actor's own 95th percentile; mimicry: with a valid-looking contact or
#: case. What depends on it has a value for each, in this order.
GRADES: Final = ("loud", "paced", "mimicry")

#: Longer texts are cut off in messages.
_SHOWN_MAX: Final = 60


class Law(Protocol):
    """What a value must be like."""

    def checked(self, value: object) -> Any:
        """The value as the record holds it; None where it breaks the law."""

    def read(self, words: Sequence[str]) -> object:
        """The value that these words stand for, which stood with commas between them; it may break the law."""

    @property
    def expected(self) -> str:
        """What a value must be, for messages and tables."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """One number from ``least`` to ``most``."""

    least: float
    most: float
    whole: bool = False

    def checked(self, value: object) -> Any:
        """The number; None for anything else, among it true, NaN and what lies outside."""
        if isinstance(value, bool) or not isinstance(value, Integral if self.whole else Real):
            return None
        number: Any = value  # types know nothing of the order of numbers that are not built in
        if not self.least <= number <= self.most:
            return None
        return int(number) if self.whole else float(number)

    def read(self, words: Sequence[str]) -> object:
        """The number; the text itself where it is none."""
        text = ",".join(words)
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                continue
        return text

    @property
    def expected(self) -> str:
        """Such as ``a whole number from 1 to 400``."""
        return f"a {'whole ' if self.whole else ''}number from {_plain(self.least)} to {_plain(self.most)}"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some texts."""

    texts: tuple[str, ...]

    def checked(self, value: object) -> Any:
        """The text; None for any other."""
        return value if isinstance(value, str) and value in self.texts else None

    def read(self, words: Sequence[str]) -> object:
        """The text."""
        return ",".join(words)

    @property
    def expected(self) -> str:
        """All of them."""
        return "one of: " + ", ".join(self.texts)


@dataclass(frozen=True, slots=True)
class Row:
    """A value of the same law for each of some things."""

    each: Law
    of: tuple[str, ...]

    def checked(self, value: object) -> Any:
        """The values as a tuple; None where one breaks the law, or there are more or fewer."""
        return _all_checked(self.each, value, len(self.of))

    def read(self, words: Sequence[str]) -> object:
        """The values, each of as many words."""
        share, rest = divmod(len(words), len(self.of))
        if rest or not share:
            return tuple(words)
        return tuple(self.each.read(words[at : at + share]) for at in range(0, len(words), share))

    @property
    def expected(self) -> str:
        """The things, and what each value must be."""
        return f"a value for each of {', '.join(self.of)}: {self.each.expected}"


@dataclass(frozen=True, slots=True)
class Range:
    """Two numbers, the lower one first; both ends belong to it."""

    each: Bounds

    def checked(self, value: object) -> Any:
        """The pair; None where it is none, or the higher one comes first."""
        pair = _all_checked(self.each, value, 2)
        return pair if pair is not None and pair[0] <= pair[1] else None

    def read(self, words: Sequence[str]) -> object:
        """The numbers."""
        return tuple(self.each.read([word]) for word in words)

    @property
    def expected(self) -> str:
        """The bounds of both."""
        return f"two numbers, the lower one first, each {self.each.expected}"


@dataclass(frozen=True, slots=True)
class Weights:
    """So many numbers that say how often each of some things is, in proportion to one another."""

    count: int
    each: Bounds = Bounds(0, 1_000_000, whole=True)

    def checked(self, value: object) -> Any:
        """The weights as a tuple; None where there are more or fewer, or nothing would ever be."""
        found = _all_checked(self.each, value, self.count)
        return found if found is not None and sum(found) > 0 else None

    def read(self, words: Sequence[str]) -> object:
        """The numbers."""
        return tuple(self.each.read([word]) for word in words)

    @property
    def expected(self) -> str:
        """How many, and their bounds."""
        return f"{self.count} weights, not all of them 0, each {self.each.expected}"


@dataclass(frozen=True, slots=True)
class Named:
    """Pairs of a name and a number, no name twice; what is not named has none."""

    names: tuple[str, ...]
    each: Bounds

    def checked(self, value: object) -> Any:
        """The pairs as tuples; None for a name that is unknown or stands twice, or a number outside the bounds."""
        if isinstance(value, str) or not isinstance(value, Sequence):
            return None
        found: dict[str, Any] = {}
        for pair in value:
            if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not isinstance(pair[0], str):
                return None
            number = self.each.checked(pair[1])
            if pair[0] not in self.names or pair[0] in found or number is None:
                return None
            found[pair[0]] = number
        return tuple(found.items())

    def read(self, words: Sequence[str]) -> object:
        """The pairs, each as ``name:number``."""
        split = [word.partition(":") for word in words]
        return tuple((name.strip(), self.each.read([number])) for name, _, number in split)

    @property
    def expected(self) -> str:
        """The names, and the bounds of the numbers."""
        return f"NAME:NUMBER for some of {', '.join(self.names)}, each {self.each.expected}"


Share = Annotated[float, Bounds(0, 1)]
#: How often something is done, by one person in a day or the like.
Rate = Annotated[float, Bounds(0, 500)]
#: How often something befalls one of many in a year.
Yearly = Annotated[float, Bounds(0, 12)]
Days = Annotated[int, Bounds(0, 400, whole=True)]
#: How many there are, or how much happens in a day, at scale 1: see `parameters` for how many at another scale.
AtScale = Annotated[int, Bounds(0, 10_000_000_000, whole=True)]
PerDayAtScale = Annotated[float, Bounds(0, 10_000_000_000)]
Counts = Annotated[tuple[int, int], Range(Bounds(1, 1000, whole=True))]
CountsByGrade = Annotated[
    tuple[tuple[int, int], tuple[int, int], tuple[int, int]], Row(Range(Bounds(1, 1000, whole=True)), GRADES)
]
SharesByGrade = Annotated[tuple[float, float, float], Row(Bounds(0, 1), GRADES)]


@cache
def laws_of(record: type) -> dict[str, Law]:
    """The law of every field of a record."""
    return {name: law for name, (law, _) in _declared(record)}


@cache
def meanings_of(record: type) -> dict[str, str]:
    """What every field of a record means."""
    return {name: meaning for name, (_, meaning) in _declared(record)}


def _declared(record: type) -> Iterator[tuple[str, tuple[Law, str]]]:
    hints = get_type_hints(record, include_extras=True)
    for one in fields(record):
        yield one.name, hints[one.name].__metadata__


def check_fields(record: Any, where: Mapping[str, str]) -> None:
    """Bring every field of a new record into the form that its law gives it; raises `UsageError` where one breaks it.

    ``where`` holds what messages call fields that are no ``parameter NAME``.
    """
    kind: type = type(record)
    for name, law in laws_of(kind).items():
        value = getattr(record, name)
        checked = law.checked(value)
        if checked is None:
            raise UsageError(where.get(name, f"parameter {name}"), found_text(value), expected=law.expected)
        if checked is not value:
            object.__setattr__(record, name, checked)


def found_text(value: object) -> str:
    """A value in a message: what can be anything is cut off."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**30:
        return "a number of more than 30 digits"
    text = _SHORT.repr(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 3]}..."


_SHORT: Final = reprlib.Repr()
_SHORT.maxlevel = 3


def _all_checked(each: Law, value: object, count: int) -> tuple[Any, ...] | None:
    """The checked parts of a list or tuple of that length; None where it is none, or one of them breaks the law."""
    if not isinstance(value, (list, tuple)) or len(value) != count:
        return None
    found = tuple(each.checked(one) for one in value)
    return None if None in found else found


def _plain(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"
