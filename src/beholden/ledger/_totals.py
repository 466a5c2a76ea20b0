"""Totals of groups of accesses: how many, how many rows, the most persons of one, first and last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from beholden.ledger._lists import time_texts

__all__ = ["ADDED", "POSSIBLE", "DossierRow", "Part", "Sums"]

#: Totals that are added up; the others are the most or the least.
ADDED: Final = ("events", "possible", "counted", "low", "high")
#: A match of `Part`: the access may have reached what was asked about.
POSSIBLE: Final = 2
_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1

_I64 = npt.NDArray[np.int64]
_U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class DossierRow:
    """What one group of accesses amounts to.

    ``of`` says what is grouped by: ``all`` (one row, first), ``actor``, ``dataset``, ``activity``, ``field``,
    ``credential``, ``device``, ``app`` or ``ip``; ``name`` is which, null where the log does not say. ``events`` are
    accesses, of which ``possible`` may not have reached what was asked about; ``rows`` the rows they returned;
    ``subjects`` the distinct persons they named (only of ``all`` and ``actor``), and ``whole`` the most persons that one
    access reached without naming them all. Times are RFC 3339.
    """

    of: str
    name: str | None
    events: int
    possible: int
    rows: int | None
    subjects: int | None
    whole: int | None
    first: str
    last: str


@dataclass(slots=True)
class Sums:
    """Totals of groups that are numbered from 0."""

    events: _I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    possible: _I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    counted: _I64 = field(default_factory=lambda: np.zeros(0, np.int64))  # accesses that say how many rows
    low: _I64 = field(default_factory=lambda: np.zeros(0, np.int64))  # rows, of each its lower 32 bits
    high: _I64 = field(default_factory=lambda: np.zeros(0, np.int64))  # and the rest: a log may claim any number
    whole: _I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    first: _I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    last: _I64 = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def of(cls, group: _I64, part: Part, groups: int) -> Sums:
        """The totals of some accesses; ``group`` is the number of each one's group."""
        sums = cls()
        sums.grow(groups)
        sums.events, sums.possible, sums.counted = _by_state(np.bincount(group * 4 + part.state, minlength=groups * 4))
        np.add.at(sums.low, group, part.low)
        if part.high is not None:
            np.add.at(sums.high, group, part.high)
        if part.whole is not None:
            np.maximum.at(sums.whole, group, part.whole)
        np.minimum.at(sums.first, group, part.time)
        np.maximum.at(sums.last, group, part.time)
        return sums

    @classmethod
    def of_ranges(cls, starts: _I64, part: Part) -> Sums:
        """The same where each group's accesses stand together, and begin at ``starts``."""
        groups = len(starts)
        group = np.repeat(np.arange(groups), np.diff(np.append(starts, len(part.time))))
        return cls(
            *_by_state(np.bincount(group * 4 + part.state, minlength=groups * 4)),
            np.add.reduceat(part.low, starts),
            np.zeros(groups, np.int64) if part.high is None else np.add.reduceat(part.high, starts),
            np.full(groups, _LEAST) if part.whole is None else np.maximum.reduceat(part.whole, starts),
            np.minimum.reduceat(part.time, starts),
            np.maximum.reduceat(part.time, starts),
        )

    def grouped(self, group: _I64, groups: int) -> Sums:
        """The totals of groups of these groups."""
        sums = Sums()
        sums.grow(groups)
        for name in ADDED:
            np.add.at(getattr(sums, name), group, getattr(self, name))
        np.maximum.at(sums.whole, group, self.whole)
        np.minimum.at(sums.first, group, self.first)
        np.maximum.at(sums.last, group, self.last)
        return sums

    def merge(self, numbers: _I64, other: Sums, groups: int) -> None:
        """Add the totals of other groups, of which ``numbers`` are all different, to those of these numbers."""
        self.grow(groups)
        for name in ADDED:
            getattr(self, name)[numbers] += getattr(other, name)
        self.whole[numbers] = np.maximum(self.whole[numbers], other.whole)
        self.last[numbers] = np.maximum(self.last[numbers], other.last)
        self.first[numbers] = np.minimum(self.first[numbers], other.first)

    def take(self, groups: _I64) -> Sums:
        """Some of the groups."""
        return Sums(*(getattr(self, name)[groups] for name in (*ADDED, "whole", "first", "last")))

    def grow(self, groups: int) -> None:
        """Make room for so many groups."""
        more = groups - len(self.events)
        if more > 0:
            for name in ADDED:
                setattr(self, name, np.concatenate((getattr(self, name), np.zeros(more, np.int64))))
            least = np.full(more, _LEAST)
            self.whole = np.concatenate((self.whole, least))
            self.last = np.concatenate((self.last, least))
            self.first = np.concatenate((self.first, np.full(more, _MOST)))

    def rows(
        self, of: str, names: Sequence[str | None], groups: Sequence[int], subjects: _I64 | None
    ) -> list[DossierRow]:
        """Some groups for people, by their numbers, and ``names`` for each of these; the most accesses first."""
        order = sorted(range(len(groups)), key=lambda i: (-int(self.events[groups[i]]), str(names[i])))
        picked = np.array([groups[i] for i in order], np.int64)
        columns = (
            self.events, self.possible, self.low, self.high, self.counted, self.whole,
            np.zeros(len(self.events), np.int64) if subjects is None else subjects,
        )  # fmt: skip
        numbers = [column[picked].tolist() for column in columns]
        times = [time_texts(column[picked]) for column in (self.first, self.last)]
        return [
            DossierRow(
                of, names[i], events, possible, min(max((high << 32) + low, _LEAST), _MOST) if counted else None,
                None if subjects is None else persons, None if whole == _LEAST else whole, first, last,
            )
            for i, events, possible, low, high, counted, whole, persons, first, last in zip(
                order, *numbers, *times, strict=True
            )
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """Some accesses: what is added up.

    ``state`` has 1 for those that say how many rows and 2 for those that are only possible. ``low`` and ``high`` are the
    32 bits of their rows, ``high`` None where it is 0 for all; ``whole`` is the least number there is where it is not known,
    None if it is known of none.
    """

    state: _I64
    time: _I64
    low: _I64
    high: _I64 | None
    whole: _I64 | None

    @classmethod
    def of(
        cls, match: _U8, time: _I64, rows: tuple[_I64, npt.NDArray[np.bool_]], whole: tuple[_I64, npt.NDArray[np.bool_]]
    ) -> Part:
        """From values and which of them are known."""
        state = rows[1].astype(np.int64)
        if match.any():
            state += 2 * (match == POSSIBLE)
        numbers = rows[0] if rows[1].all() else np.where(rows[1], rows[0], 0)
        large = len(numbers) > 0 and (numbers.max() >> 32 != 0 or numbers.min() < 0)
        return cls(
            state, time, numbers & 0xFFFFFFFF if large else numbers, numbers >> 32 if large else None,
            np.where(whole[1], whole[0], _LEAST) if whole[1].any() else None,
        )  # fmt: skip


def _by_state(counts: _I64) -> tuple[_I64, _I64, _I64]:
    """How many there are in each group, how many are possible, and how many say how many rows."""
    states = counts.reshape(-1, 4)
    return states.sum(axis=1), states[:, 2] + states[:, 3], states[:, 1] + states[:, 3]
