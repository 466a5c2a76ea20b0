"""Reviews of products, as the order system holds them: written before the window, and what its log says of them since.

Every review has a number of its own. What is deleted, by whomever, stays as a row that says when it was removed, and what
the log speaks of without having written it is from before the window. The program behind the shop's accounts does this
under an account of its own, which the order system's audit leaves out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np

from beholden.retailer.chance import (
    DAY_US,
    SECOND_US,
    Bools,
    Chance,
    Floats,
    Hashes,
    Ints,
    below,
    cumulated,
    iso,
    picked,
    uniform,
)
from beholden.retailer.life.accounts import DELETE, EDIT, POST, REVIEW_LAG_SIGMA, Visits, reviews_held
from beholden.retailer.orders import FIRST_ORDER_ID
from beholden.retailer.stores.rows import Rows, skus
from beholden.retailer.words import Words
from beholden.retailer.world import World

__all__ = ["ReviewLog", "review_rows"]

#: Reviews that were written before the window are of the last so many days; assumed.
_DAYS: Final = 900
_STARS: Final = cumulated((10, 5, 8, 17, 60))  # one to five; assumed
_BODIES: Final = (
    ("Broke on the second day.", "Not what the picture shows, sent back.", "Never again.", "Came late and damaged."),
    ("Works, but smells of plastic.", "Smaller than I thought.", "Two parts were missing.", "Too loud for me."),
    ("Does what it says, no more.", "Okay for the price.", "Good, but the manual is useless.", "Average."),
    ("Good value, a bit slow to arrive.", "Does its job well.", "Would take it again.", "Nice, colour is a shade off."),
    ("Great, second one I bought.", "Exactly as described.", "Everybody at home loves it.", "Fast and well packed.", "Perfect."),
)  # fmt: skip
_CHANGES: Final = np.array([POST, EDIT, DELETE])
_DENIED: Final = -1  # instead of an operation: the review is there, and nothing was done to it


@dataclass(frozen=True, slots=True)
class _States:
    """What became of each review of the log until a moment; moments in microseconds, -1 where that did not happen."""

    posted: Ints
    edited: Ints
    removed: Ints
    order: Ints  # that it was posted about


@dataclass(frozen=True)
class ReviewLog:
    """What was done to reviews in the window, or tried, one array a column, in the order of review and time."""

    review: Ints
    time: Ints
    operation: Ints
    order: Ints  # id of the order that a new one is about
    customer: Ints  # positions
    _known: dict[int, _States] = field(default_factory=dict, init=False, repr=False, compare=False)

    @staticmethod
    def changes(visits: Visits) -> list[tuple[int, int, int, int, int]]:
        """Those of some visits that name a review: review, time, operation, order, customer."""
        done = visits.at((visits.review >= 0) & np.isin(visits.operation, _CHANGES))
        operation = np.where(done.result == 0, done.operation, _DENIED)
        columns = (done.review, done.time, operation, done.order, done.customer)
        return list(zip(*(column.tolist() for column in columns), strict=True))

    @classmethod
    def of(cls, days: Iterable[Ints]) -> Self:
        """Those of all days together; a day's are rows of an array."""
        every = np.concatenate([np.empty((0, 5), dtype=np.int64), *(day.reshape(-1, 5) for day in days)])
        return cls(*every[np.lexsort((every[:, 1], every[:, 0]))].T)

    @property
    def numbers(self) -> Ints:
        """Its reviews, each once, in order."""
        return self.review[self._starts]

    @property
    def old(self) -> Bools:
        """Which of `numbers` were there before the window: something else than writing was done to them first."""
        first: Bools = self.operation[self._starts] != POST
        return first

    @property
    def owners(self) -> Ints:
        """Whose each of `numbers` is."""
        return self.customer[self._starts]

    @property
    def _starts(self) -> Ints:
        return np.flatnonzero(np.append(True, np.diff(self.review) != 0)[: len(self.review)])

    def until(self, moment: int) -> _States:
        """The state of `numbers` at a moment."""
        if moment not in self._known:
            self._known[moment] = self._until(moment)
        return self._known[moment]

    def _until(self, moment: int) -> _States:
        starts = self._starts
        if not len(starts):
            return _States(starts, starts, starts, starts)

        def last(operation: int, values: Ints) -> Ints:
            done = (self.operation == operation) & (self.time < moment)
            found: Ints = np.maximum.reduceat(np.where(done, values, -1), starts)
            return found

        return _States(
            posted=last(POST, self.time), edited=last(EDIT, self.time), removed=last(DELETE, self.time), order=last(POST, self.order)
        )  # fmt: skip


def review_rows(world: World, words: Words, customers: Rows, log: ReviewLog, until: int) -> Rows:
    """The reviews of these customers as they stood at a moment of the window or after it; ``time`` is when each was written.

    The customers are in order.
    """
    p = world.parameters
    chance = Chance(p.seed, "review")
    row, number = reviews_held(world, customers.number)
    untouched = uniform(chance(number, 0)) < p.reviews_held
    state = log.until(until)
    logged = np.flatnonzero(np.isin(log.owners, customers.number) & (log.old | (state.posted >= 0)))
    row = np.concatenate([row[untouched], np.searchsorted(customers.number, log.owners[logged])])
    number = np.concatenate([number[untouched], log.numbers[logged]])
    # Nothing in the order of a customer's reviews says which of them the log speaks of.
    at = np.lexsort((number, row))
    row, number, untouched = row[at], number[at], at < untouched.sum()
    posted, edited, removed, order = (
        np.concatenate([np.full(len(at) - len(logged), -1, dtype=np.int64), column[logged]])[at]
        for column in (state.posted, state.edited, state.removed, state.order)
    )
    ordered, before = _before(world, chance, customers.number[row], number)
    time = np.where(posted >= 0, posted, before)
    order = np.where(posted >= 0, order, ordered)
    # Reviews that nobody touched in the window may have been removed before.
    gone = untouched & (uniform(chance(number, 1)) < p.reviews_deleted)
    removed = np.where(gone, before + (uniform(chance(number, 2)) * (p.start - before)).astype(np.int64), removed)
    version = np.maximum(edited, time)
    makers: Mapping[str, Callable[[], Sequence[Any]]] = {
        "review.id": number.tolist,
        "customer.id": lambda: words.customer.values(customers.number[row] + 1),
        "order.id": order.tolist,
        "line.sku": lambda: skus(p.seed, order, np.zeros(len(order), dtype=np.int64)),
        "review.stars": lambda: _stars(chance(number, version)).tolist(),
        "review.body": lambda: _bodies(words, chance(number, version)),
        "review.time": lambda: iso(time),
        "review.edited": lambda: _moments(edited),
        "review.status": lambda: np.where(removed >= 0, "removed", "published").tolist(),
        "review.removed": lambda: _moments(removed),
    }
    return Rows(number, makers, time)


def _before(world: World, chance: Chance, customer: Ints, number: Ints) -> tuple[Ints, Ints]:
    """Of reviews written before the window: the order, of which the order system holds nothing any more, and when."""
    p = world.parameters
    held = world.calendar.first_day * DAY_US  # from then on there are orders
    first = np.maximum(world.people.joined(customer), held - _DAYS * DAY_US)
    share = uniform(chance(number, 3))
    ordered = first + (share * (held - first)).astype(np.int64)
    lag = np.maximum(1.0, p.review_lag_median_days * np.exp(REVIEW_LAG_SIGMA * _normal(chance(number, 4))))
    time = ordered + (lag * DAY_US).astype(np.int64)
    late = time >= p.start
    time[late] = ordered[late] + (uniform(chance(number[late], 5)) * (p.start - ordered[late])).astype(np.int64)
    back = ((held - ordered) / DAY_US * p.orders_a_day).astype(np.int64)
    return FIRST_ORDER_ID - 1 - back % (FIRST_ORDER_ID - 1), time // SECOND_US * SECOND_US


def _normal(hashes: Hashes) -> Floats:
    """Nearly normal numbers: sums of three uniform ones."""
    shifts = np.array([[0], [16], [32]], dtype=np.uint64)
    parts: Floats = ((hashes >> shifts) & np.uint64(0xFFFF)).astype(np.float64) / 65536.0
    found: Floats = 2 * (parts.sum(axis=0) - 1.5)
    return found


def _stars(hashes: Hashes) -> Ints:
    return 1 + picked(hashes, _STARS)


def _bodies(words: Words, hashes: Hashes) -> list[str]:
    texts = [[words.told(body) for body in bodies] for bodies in _BODIES]
    drawn = below(hashes << np.uint64(20), 1 << 20).tolist()
    return [
        texts[stars - 1][at % len(texts[stars - 1])] for stars, at in zip(_stars(hashes).tolist(), drawn, strict=True)
    ]


def _moments(time: Ints) -> list[str | None]:
    """Texts of moments; None for -1."""
    there = np.flatnonzero(time >= 0)
    found: list[str | None] = [None] * len(time)
    for place, text in zip(there.tolist(), iso(time[there]), strict=True):
        found[place] = text
    return found
