"""How often what staff open has the shape of snooping: the look-alike rates of Boxwala et al. 2011, table 3."""

from __future__ import annotations

from typing import Final

import numpy as np

from beholden.retailer.balance import records_of
from beholden.retailer.chance import Bools, Ints
from beholden.retailer.homes import places
from beholden.retailer.life.console import Views
from beholden.retailer.world import World

__all__ = ["NEVER_DAYS", "Encounters", "relations"]

#: Days since the last encounter of a customer who has had none on record.
NEVER_DAYS: Final = 10_000


def relations(world: World, day: int, views: Views) -> dict[str, Bools]:
    """For each view of staff whether its customer has that relation to who looks.

    Family: another customer of the same surname at the actor's address. Neighbour: the same street and city, at another
    address. Co-worker: a customer who belongs to the staff that day, not the actor.
    """
    people, members, homes = world.people, world.staff.members, world.service.homes
    customers, at = np.unique(views.customer, return_inverse=True)
    own = np.array([one.customer for one in members], dtype=np.int64)
    employed = np.array([one.is_employed(day) for one in members], dtype=np.bool_)
    surname = np.array([one.surname for one in members], dtype=np.int64)
    is_self = own[views.actor] == views.customer
    together = homes.household(customers)[at] == homes.household(homes.home)[views.actor]
    same_name = people.names(customers)[1][at] == surname[views.actor]
    same_street = places(people, customers)[at] == places(people, homes.home)[views.actor]
    return {
        "famous": np.isin(views.customer, people.famous),
        "co-worker": np.isin(views.customer, own[employed & (own >= 0)]) & ~is_self,
        "family": together & same_name & ~is_self,
        "neighbour": same_street & ~together,
    }


class Encounters:
    """When each customer last dealt with the company on record: an order, a ticket, a case or a request.

    A hospital's encounter is a visit. A retailer's visits are orders: who looks at somebody who ordered last week looks
    at a customer of the company's, whether or not they called.
    """

    def __init__(self, world: World, first_day: int) -> None:
        """What was before ``first_day``, or before the history of orders, is not known."""
        self._world = world
        self._next = max(first_day, world.calendar.first_day)
        self._last = np.full(len(world.people), self._next - NEVER_DAYS, dtype=np.int32)

    def days_since(self, day: int, customer: Ints) -> Ints:
        """Days between a day and the last encounter of these customers; ask for days in their order.

        Tickets, cases and requests of that very day count, orders up to the day before.
        """
        orders, calendar = self._world.orders, self._world.calendar
        for on in range(self._next, day + 1):
            count = calendar.orders_on(on - 1)
            self._last[orders.customer(np.full(count, on - 1), np.arange(count))] = on - 1
            contacts = self._world.service.on(on)
            self._last[contacts.customer[contacts.ticket >= 0]] = on
            for ground in ("case", "request") if on in calendar.window else ():
                self._last[records_of(self._world, ground, on).customer] = on
        self._next = day + 1
        return day - self._last[customer].astype(np.int64)
