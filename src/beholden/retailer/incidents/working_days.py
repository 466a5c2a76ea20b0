"""When somebody is at work: what lets an incident keep to the actor's own hours (how much they do there: `pace`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, MINUTE_US, Rng
from beholden.retailer.events import Events
from beholden.retailer.life.places import identity_name
from beholden.retailer.life.records import SHIFT_US
from beholden.retailer.world import World

__all__ = ["Shift", "actor_names", "employed", "moment", "moment_in", "shifts", "work_days"]

#: A day and the part of somebody's shift that lies in the time asked for (microseconds).
Shift = tuple[int, int, int]

_TRIES: Final = 50
#: Shorter remains of a shift are not worked in.
_SHIFT_MIN_US: Final = 40 * MINUTE_US


def shifts(world: World, who: int, start: int, end: int) -> list[Shift]:
    """The days within ``[start, end)`` on which somebody is at work, each with the part of the shift inside."""
    found = []
    for day in range(start // DAY_US, (end - 1) // DAY_US + 1):
        if world.staff.works(who, day):
            first, last = world.staff.shift_of(who, day)
            first, last = max(first, start), min(last, end)
            if last - first >= _SHIFT_MIN_US:
                found.append((day, first, last))
    return found


def moment_in(rng: Rng, shift: Shift, spare: int = 0) -> int:
    """A moment of the shift, in whole milliseconds, at least ``spare`` microseconds before its end where it is long enough."""
    _, first, last = shift
    return int(rng.integers(-(-first // 1000), max(first + MINUTE_US, last - spare) // 1000)) * 1000


def work_days(world: World, who: int, start: int, end: int) -> list[int]:
    """The days on which somebody is at work, whose whole shift lies in ``[start, end)``."""
    return list(_days_of_work(world, who, start, end))


def _days_of_work(world: World, who: int, start: int, end: int) -> Iterator[int]:
    for day in range(start // DAY_US, -(-end // DAY_US)):
        if world.staff.works(who, day):
            begins, ends = world.staff.shift_of(who, day)
            if start <= begins and ends <= end:
                yield day


def employed(world: World, rng: Rng, roles: Iterable[str], start: int, end: int) -> list[int]:
    """Who holds one of these roles from ``start`` to ``end`` and is at work meanwhile, in any order."""
    first, last = start // DAY_US, (end - 1) // DAY_US
    wanted = set(roles)
    found = [
        who
        for who, member in enumerate(world.staff.members)
        if member.is_employed(first)
        and member.is_employed(last)
        and {member.role_on(first), member.role_on(last)} <= wanted
        and next(_days_of_work(world, who, start, end), None) is not None
    ]
    order: list[int] = rng.permutation(np.array(found, dtype=np.int64)).tolist()
    return order


def moment(rng: Rng, world: World, who: int, day: int, lasting: int = 0) -> int:
    """A moment of somebody's working day, so long before its end, outside the hours whose console log was lost."""
    begins = world.staff.shift_of(who, day)[0]
    start, end = world.gap
    found = begins
    for _ in range(_TRIES):
        found = begins + int(rng.integers(max(1, (SHIFT_US - lasting) // 1000))) * 1000
        if found + lasting < start or found >= end:
            break
    return found


def actor_names(world: World, *events: Events) -> tuple[str, ...]:
    """What logs call whoever of the company did these, each name once, in the order in which they appear."""
    seen: dict[str, None] = {}
    for one in events:
        keys = np.stack([one.time // DAY_US, one.actor])
        first = np.unique(keys, axis=1, return_index=True)[1]
        for at in np.sort(first).tolist():
            day, who = int(keys[0, at]), int(keys[1, at])
            if who >= 0:
                service = len(world.staff) <= who < len(world.staff) + len(world.staff.services)
                seen[("service:" if service else "") + identity_name(world, who, day)] = None
    return tuple(seen)
