"""When somebody is at work and how much they do there: what lets an incident keep to the actor's own habits.

*Room* is what is left of a working day up to the 95th percentile of the actor's ordinary days, counted in the logs that
the incident touches: who is paced does no more than this.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, Ints, Rng
from beholden.retailer.events import Events
from beholden.retailer.incidents.pace import daily_work, sampled
from beholden.retailer.life.places import identity_names
from beholden.retailer.life.records import SHIFT_US
from beholden.retailer.world import World

__all__ = ["actor_names", "employed", "moment", "ordinary", "room", "usual_most", "work_days"]

_TRIES: Final = 50


def ordinary(world: World, logs: Sequence[str], day: int) -> Ints:
    """How many events each identity has in these logs on a day without incidents."""
    size = len(world.grants.identities)
    counts = [daily_work(world, log, day)[:size] for log in logs]
    total: Ints = np.sum(counts, axis=0, dtype=np.int64)
    return total


def usual_most(world: World, logs: Sequence[str], who: int) -> int:
    """The 95th percentile of what somebody does in these logs on a working day."""
    p = world.parameters
    counts = [ordinary(world, logs, day)[who] for day in sampled(world, work_days(world, who, p.start, p.end))]
    return int(np.quantile(counts, p.pace_quantile)) if counts else 0


def room(world: World, logs: Sequence[str], who: int, day: int) -> int:
    """How many events more somebody can have that day and still be within their own habits."""
    return max(0, usual_most(world, logs, who) - int(ordinary(world, logs, day)[who]))


def work_days(world: World, who: int, start: int, end: int) -> list[int]:
    """The days on which somebody is at work, whose whole shift lies in ``[start, end)``."""
    found = []
    for day in range(start // DAY_US, -(-end // DAY_US)):
        begins, ends = world.staff.shift_of(who, day)
        if start <= begins and ends <= end and world.staff.works(who, day):
            found.append(day)
    return found


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
        and work_days(world, who, start, end)
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
                seen[("service:" if service else "") + identity_names(world, day)[who]] = None
    return tuple(seen)
