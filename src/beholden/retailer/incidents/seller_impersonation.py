"""Somebody of the staff acts as sellers to see what they see, and no case asks for it.

Loud: many sellers in a day or two, also by staff of the contact centre who kept the right from when agents did both.
Paced: one or a few sellers again and again, in the gaps of a day's work. Mimicry: the same with cases of one's own.
"""

from __future__ import annotations

import numpy as np

from beholden.retailer.chance import DAY_US, HOUR_US, Ints, Rng
from beholden.retailer.incidents.data_work import logins_of
from beholden.retailer.incidents.desk_work import Deed, acts_of, looked_at, on_record, within_room
from beholden.retailer.incidents.incident import Incident
from beholden.retailer.incidents.pace import room
from beholden.retailer.incidents.working_days import Shift, moment_in, shifts
from beholden.retailer.life.seller_desk import REPORT
from beholden.retailer.world import World

__all__ = ["plan"]


def plan(world: World, rng: Rng, number: int, grade: str, start: int, end: int) -> Incident | None:
    """Looks as sellers without a case; None where nobody of the desk is at work long enough."""
    found = _actor(world, rng, grade, start, end)
    if found is None:
        return None
    who, days = found
    if grade == "loud":
        first = int(rng.integers(len(days)))
        days = days[first : first + int(rng.integers(1, 3))]
        visits = int(rng.integers(8, 13)) * len(days)
        sellers = _some(world, rng, days[0][0], visits)
    else:
        count = min(len(days), int(rng.integers(*world.parameters.impersonation_days, endpoint=True)))
        days = [days[at] for at in np.sort(rng.permutation(len(days))[:count]).tolist()]
        visits = int(rng.integers(1, 3)) * len(days)
        sellers = _some(world, rng, days[0][0], int(rng.integers(1, 5)))
    deeds = _deeds(world, rng, who, days, sellers, visits)
    cases = None
    if grade == "paced":
        deeds = within_room(world, deeds)
    elif grade == "mimicry":
        deeds, cases = on_record(world, rng, deeds, "seller_impersonation", number, end)
    if not deeds:
        return None
    acts = acts_of(world, rng, number, deeds, end, cases)
    return Incident(
        number, "seller_impersonation", grade,
        actors=logins_of(world, acts.actor, acts.time),
        subjects=tuple(f"seller:{one + 1}" for one in np.unique(acts.seller).tolist()),
        events={"seller-desk": acts},
        seller_cases=cases,
    )  # fmt: skip


def _actor(world: World, rng: Rng, grade: str, start: int, end: int) -> tuple[int, list[Shift]] | None:
    """Who does it, and the shifts in which there is time; for paced ones those with room for at least one act."""
    day = start // DAY_US
    role = "agent" if grade == "loud" and rng.random() < world.parameters.impersonation_agents else "seller_support"
    for who in rng.permutation(world.staff.of_role(role, day)).tolist():
        days = [one for one in shifts(world, who, start, end) if world.staff.members[who].role_on(one[0]) == role]
        if grade == "paced":
            days = [one for one in days if room(world, ("seller-desk",), who, one[0])]
        if days:
            return who, days
    return None


def _some(world: World, rng: Rng, day: int, count: int) -> Ints:
    """Sellers by how often they have cases, who sold already."""
    sellers = world.sellers
    drawn = np.minimum(
        (rng.random(3 * count + 8) ** world.parameters.seller_cases_exponent * len(sellers)).astype(np.int64),
        len(sellers) - 1,
    )
    drawn = drawn[np.sort(np.unique(drawn, return_index=True)[1])]
    return drawn[sellers.since(drawn) <= day][:count]


def _deeds(world: World, rng: Rng, who: int, days: list[Shift], sellers: Ints, visits: int) -> list[Deed]:
    found = []
    for at in range(visits):
        ending = REPORT if rng.random() < world.parameters.impersonation_reports else -1
        operations = looked_at(rng, as_seller=True, ending=ending)
        time = moment_in(rng, days[at % len(days)], HOUR_US // 4)
        found.append(Deed(who, int(sellers[at % len(sellers)]), operations, time))
    return sorted(found, key=lambda deed: deed.time)
