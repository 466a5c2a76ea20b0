"""How often what staff open has the shape of snooping: the look-alike rates of Boxwala et al. 2011, table 3."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from beholden.retailer.chance import Bools
from beholden.retailer.homes import places
from beholden.retailer.life.console import Views
from beholden.retailer.world import World

__all__ = ["EXPECTED_RATES", "RECENT_DAYS", "look_alike_rates"]

#: Per 10^6 accesses, as published (of health records; of a retailer's nothing is published).
EXPECTED_RATES: Final = {
    "famous": 142.0,
    "co-worker": 93.0,
    "family": 876.0,
    "neighbour": 5538.0,
    "no recent contact": 166.0,
}
RECENT_DAYS: Final = 30


def look_alike_rates(world: World, days: Iterable[int], views_on: Callable[[World, int], Views]) -> dict[str, float]:
    """The rates per 10^6 accesses over some days; ``views_on`` gives all console views of a day.

    Family: another customer of the same surname at the actor's address. Neighbour: the same street and city, at another
    address. Co-worker: a customer who belongs to the staff, not the actor. No recent contact: the customer had no
    contact in the `RECENT_DAYS` up to the end of the day; where the window begins later, since then, which counts too
    many. Accounts of programs have no relations and are left out.
    """
    total = 0
    found = dict.fromkeys(EXPECTED_RATES, 0)
    for day in days:
        views = views_on(world, day)
        views = views.at(views.actor < len(world.staff))
        total += len(views)
        for name, hits in _relations(world, day, views).items():
            found[name] += int(np.sum(hits))
    return {name: count / max(1, total) * 1e6 for name, count in found.items()}


def _relations(world: World, day: int, views: Views) -> dict[str, Bools]:
    """For each view whether it has that relation."""
    people, members, homes = world.people, world.staff.members, world.service.homes
    customers, at = np.unique(views.customer, return_inverse=True)
    own = np.array([one.customer for one in members], dtype=np.int64)
    surname = np.array([one.surname for one in members], dtype=np.int64)
    is_self = own[views.actor] == views.customer
    together = homes.household(customers)[at] == homes.household(homes.home)[views.actor]
    same_name = people.names(customers)[1][at] == surname[views.actor]
    same_street = places(people, customers)[at] == places(people, homes.home)[views.actor]
    recent = np.zeros(len(customers), dtype=np.bool_)
    for before in range(day - RECENT_DAYS, day + 1):
        recent |= np.isin(customers, world.service.on(before).customer)
    return {
        "famous": np.isin(views.customer, people.famous),
        "co-worker": np.isin(views.customer, own[own >= 0]) & ~is_self,
        "family": together & same_name & ~is_self,
        "neighbour": same_street & ~together,
        "no recent contact": ~recent[at],
    }
