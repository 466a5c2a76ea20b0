"""Orders: each is found by its day and its place in the day, without drawing the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from beholden.core.errors import BeholdenError
from beholden.retailer.calendar import Calendar
from beholden.retailer.chance import DAY_US, Bools, Chance, Floats, Ints, Weights, below, cumulated, picked, uniform
from beholden.retailer.parameters import Parameters
from beholden.retailer.people import People
from beholden.retailer.sellers import Sellers

__all__ = ["FIRST_ORDER_ID", "STATUSES", "OrderColumns", "Orders", "popularity"]

FIRST_ORDER_ID: Final = 40_000_001
STATUSES: Final = ("placed", "paid", "shipped", "delivered", "returned", "cancelled")
_STATUSES: Final = cumulated((2, 3, 12, 74, 6, 3))
#: How unequal customers are: the share of orders that the first ``x`` of them place is ``x ** (1 / this)``; assumed.
_INEQUALITY: Final = 1.8
_MEDIAN_CENTS: Final = 3200.0
_DRAWN_MAX: Final = 100  # times that an order's seller is drawn until one is found who may sell
_LINES: Final = cumulated((55, 33, 10, 2))  # of an order: one, two, three, four; assumed


@dataclass(frozen=True, slots=True)
class OrderColumns:
    """Some orders as columns. ``customer`` and ``seller`` are positions."""

    order_id: Ints
    customer: Ints
    seller: Ints
    time: Ints
    cents: Ints
    status: Ints
    lines: Ints

    def __len__(self) -> int:
        return len(self.order_id)


class Orders:
    """All orders of the history and the window, as a function of (day, place in the day)."""

    def __init__(self, calendar: Calendar, people: People, sellers: Sellers) -> None:
        p = calendar.parameters
        self._calendar = calendar
        self._people = people
        self._ordering = 1 - p.canaries / p.customers  # the last in rank are nobody's: see `canaries`
        self._every = sellers
        self._by_popularity = Weights(popularity(p))
        self._customer, self._seller, self._moment, self._rest = (
            Chance(p.seed, f"order {what}") for what in ("customer", "seller", "moment", "rest")
        )

    def __len__(self) -> int:
        return int(self._calendar.orders_before[-1])

    def on(self, day: int, start: int = 0, stop: int | None = None) -> OrderColumns:
        """The orders of a day in the order of time; those at places ``[start, stop)``."""
        count = self._calendar.orders_on(day)
        place = np.arange(start, count if stop is None else min(stop, count))
        return self.at(np.full(len(place), day, dtype=np.int64), place)

    def at(self, day: Ints, place: Ints) -> OrderColumns:
        """The orders at these places of these days."""
        rest = self._rest(day, place)
        return OrderColumns(
            order_id=self.order_id(day, place),
            customer=self.customer(day, place),
            seller=self.seller(day, place),
            time=self.time(day, place),
            cents=self._cents(rest),
            status=picked(rest << np.uint64(20), _STATUSES),
            lines=1 + picked(rest << np.uint64(40), _LINES),
        )

    def order_id(self, day: Ints, place: Ints) -> Ints:
        """Ids follow one another through the days."""
        before: Ints = self._calendar.orders_before[day - self._calendar.first_day]
        return FIRST_ORDER_ID + before + place

    def customer(self, day: Ints, place: Ints) -> Ints:
        """Who ordered; few order much, and their ids are as good as any."""
        share = uniform(self._customer(day, place)) ** _INEQUALITY
        return self._people.by_rank(share * self._ordering)

    def seller(self, day: Ints | int, place: Ints) -> Ints:
        """Whose goods were ordered: nobody's who might not sell at that moment."""
        found = self._by_popularity(self._seller(day, place))
        at = np.flatnonzero(self._ever_barred[found])
        on = np.broadcast_to(day, found.shape)
        for again in range(1, _DRAWN_MAX):
            at = at[self._every.barred(found[at], self.time(on[at], place[at]))]
            if not len(at):
                return found
            found[at] = self._by_popularity(self._seller(on[at], place[at], again))
        raise BeholdenError(
            "simulated company: sellers", "hardly any may sell", expected="most of them are not suspended at a time"
        )

    @cached_property
    def _ever_barred(self) -> Bools:
        """Which sellers may not sell at some time that the calendar covers."""
        return self._every.ever_barred(self._calendar.first_day * DAY_US, self._calendar.parameters.end)

    def time(self, day: Ints | int, place: Ints) -> Ints:
        """When; within a day places follow the time."""
        count = self._calendar.orders[day - self._calendar.first_day]
        share = (place + uniform(self._moment(day, place))) / np.maximum(count, 1)
        return day * DAY_US + self._calendar.time_of_day(share)

    @staticmethod
    def _cents(rest: np.typing.NDArray[np.uint64]) -> Ints:
        # The sum of three uniforms is near enough to a normal for prices.
        bits = np.uint64(0xFFFF)
        total = sum(((rest >> np.uint64(shift)) & bits).astype(np.float64) for shift in (0, 16, 32)) / 65536.0
        return np.maximum(99, _MEDIAN_CENTS * np.exp(0.9 * 2.0 * (total - 1.5))).astype(np.int64)


def popularity(parameters: Parameters) -> Floats:
    """How much is bought of each seller, by position: relative numbers, the most popular first."""
    p, rank = parameters, np.arange(1, parameters.sellers + 1, dtype=np.float64)
    head, tail = p.seller_head * p.sellers, p.seller_tail * p.sellers
    weights: Floats = (rank + head) ** -p.seller_rank_exponent * np.exp(-rank / tail)
    return weights


def tracking_numbers(seed: int, order_id: Ints) -> Ints:
    """Sixteen digits that are no card numbers: one in ten passes the Luhn check by chance."""
    return 10**15 + below(Chance(seed, "tracking")(order_id), 9 * 10**15)
