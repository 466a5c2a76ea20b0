"""The company: who belongs to it and what it works with. Everything that happens is a function of it and of the day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeVar

from beholden.retailer.calendar import Calendar
from beholden.retailer.cards import Cards
from beholden.retailer.chance import DAY_US, HOUR_US
from beholden.retailer.contacts import Service
from beholden.retailer.devices import Devices
from beholden.retailer.grants import Grants
from beholden.retailer.hiring import make_staff
from beholden.retailer.orders import Orders
from beholden.retailer.parameters import Parameters
from beholden.retailer.partners import Partners
from beholden.retailer.people import People
from beholden.retailer.sellers import Sellers, State
from beholden.retailer.staff import Staff

__all__ = ["WRITE_ROWS", "World", "slices"]

T = TypeVar("T")

#: Things of days that are kept in memory (see `World.once`).
_KEPT_MAX: Final = 512
#: Rows turned into texts at a time.
WRITE_ROWS = 50_000


@dataclass(frozen=True)
class World:
    """Everything that logs, stores, feeds and incidents are made from; each part is made when first asked for."""

    parameters: Parameters
    states: tuple[State, ...] = ()  # what incidents do to sellers: it changes who sells
    _days: dict[tuple[str, int], Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, what: str, day: int, make: Callable[[], T]) -> T:
        """Something of a day that several ask for: made by the first, kept until some other days are made."""
        key = what, day
        if key not in self._days:
            if len(self._days) >= _KEPT_MAX:
                self._days.pop(next(iter(self._days)))
            self._days[key] = make()
        found: T = self._days[key]
        return found

    @cached_property
    def calendar(self) -> Calendar:
        """The days and their levels."""
        return Calendar(self.parameters)

    @cached_property
    def people(self) -> People:
        """The customers."""
        return People(self.parameters)

    @cached_property
    def orders(self) -> Orders:
        """What they order."""
        return Orders(self.calendar, self.people, self.sellers)

    @cached_property
    def staff(self) -> Staff:
        """Those who work there, and the accounts of programs."""
        return make_staff(self.parameters, self.people)

    @cached_property
    def cards(self) -> Cards:
        """The cards on file."""
        return Cards(self.parameters, self.people)

    @cached_property
    def grants(self) -> Grants:
        """Who may do what."""
        return Grants(self.parameters, self.staff)

    @cached_property
    def devices(self) -> Devices:
        """The company's devices."""
        return Devices(self.parameters, self.staff)

    @cached_property
    def sellers(self) -> Sellers:
        """Who sells there."""
        return Sellers(self.parameters, self.states)

    @cached_property
    def partners(self) -> Partners:
        """Developers, their apps, and the keys that sellers gave them."""
        return Partners(self.parameters, self.sellers)

    @cached_property
    def service(self) -> Service:
        """The contact centre."""
        return Service(self.parameters, self.calendar, self.people, self.orders, self.staff)

    @property
    def gap(self) -> tuple[int, int]:
        """When the console's log was lost: four hours of the afternoon in the middle of the window."""
        start = self.parameters.start + self.parameters.days // 2 * DAY_US + 13 * HOUR_US
        return start, start + 4 * HOUR_US


def slices(count: int) -> Iterator[tuple[int, int]]:
    """``[start, stop)`` pairs that cover ``count`` rows, `WRITE_ROWS` at a time."""
    for start in range(0, count, WRITE_ROWS):
        yield start, min(start + WRITE_ROWS, count)
