"""An agent takes out a few records a day for weeks, each under the number of a contact that was about somebody else.

Loud: several times as many a day, under the first number that comes to hand. Paced: five to ten, fewer on busy days,
each under a number of its own among those of the agent's contacts that day. Mimicry: five to ten, each with a contact
on record that nobody had.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, MINUTE_US, Ints, Rng
from beholden.retailer.incidents.incident import Incident, following
from beholden.retailer.incidents.looks import Looks
from beholden.retailer.incidents.pace import room
from beholden.retailer.incidents.working_days import employed, moment, work_days
from beholden.retailer.world import World

__all__ = ["plan"]

_DAYS_MIN: Final = 4
_STAFF_TRIED: Final = 6


def plan(world: World, rng: Rng, number: int, grade: str, start: int, end: int) -> Incident | None:
    """One agent, for weeks or as long as there is."""
    p = world.parameters
    wanted = start + int(rng.integers(*p.exfiltration_days, endpoint=True)) * DAY_US
    last = min(end, wanted)
    for who in employed(world, rng, ("agent",), start, last)[:_STAFF_TRIED]:
        looks = Looks(world, rng, "slow_exfiltration", number, grade)
        taken = [
            _of_day(world, rng, looks, (who, day), grade)
            for day in work_days(world, who, start, last)
            if rng.random() >= p.exfiltration_days_off
        ]
        if sum(count > 0 for count in taken) >= _DAYS_MIN:
            return looks.incident()
    return None


def _of_day(world: World, rng: Rng, looks: Looks, which: tuple[int, int], grade: str) -> int:
    """What one takes on a day: how many records."""
    who, day = which
    p = world.parameters
    count = int(rng.integers(*p.exfiltrated_a_day, endpoint=True))
    count *= int(rng.integers(*p.exfiltrated_loud_times, endpoint=True)) if grade == "loud" else 1
    customers = rng.integers(0, len(world.people), count)
    views = 1 + (rng.random(count) < p.exfiltrated_twice).astype(np.int64)
    if grade == "mimicry":
        return sum(
            _covered(looks, which, customer, times)
            for customer, times in zip(customers.tolist(), views.tolist(), strict=True)
        )
    if grade == "paced":
        kept = np.cumsum(views) <= room(world, ("console",), who, day)
        customers, views = customers[kept], views[kept]
    tickets, since = _own(world, who, day)
    if not len(customers) or not len(tickets):
        return 0
    at = (
        rng.integers(0, len(tickets), 1).repeat(len(customers))
        if grade == "loud"
        else rng.permutation(len(tickets))[: len(customers)]
    )
    taken = 0
    for customer, times, one in zip(customers.tolist(), views.tolist(), at.tolist(), strict=False):
        begins = moment(rng, world, who, day, 2 * MINUTE_US)
        # A number can be given only once it is there.
        begins = max(begins, int(since[one]) + int(rng.integers(10_000, 600_000)) * 1000)
        time = following(rng, begins, times)
        if int(time[-1]) >= world.staff.shift_of(who, day)[1] or _lost(world, time):
            continue
        looks.put(time, who, customer, np.full(times, tickets[one], dtype=np.int64))
        taken += 1
    return taken


def _covered(looks: Looks, which: tuple[int, int], customer: int, count: int) -> int:
    who, day = which
    found = looks.cover.contact(who, customer, day, count)
    if found is not None:
        looks.put(found[0], who, customer, found[1])
    return int(found is not None)


def _own(world: World, who: int, day: int) -> tuple[Ints, Ints]:
    """The tickets of somebody's contacts of a day, and when each was opened."""
    contacts = world.service.on(day)
    mine = contacts.at((contacts.agent == who) & (contacts.ticket >= 0))
    return mine.ticket, mine.opened


def _lost(world: World, time: Ints) -> bool:
    return bool(((time >= world.gap[0]) & (time < world.gap[1])).any())
