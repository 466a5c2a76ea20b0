"""Staff of the seller desk who are paid by one owner of several brands, for as long as it lasts.

They leak reports on rivals, suspend rivals, and reinstate the owner's brands, who comes back under new ones. Loud: often
and without cases. Paced: in the gaps of each one's work. Mimicry: with cases that they open themselves.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, HOUR_US, Ints, Rng, weighted
from beholden.retailer.incidents.data_work import logins_of
from beholden.retailer.incidents.desk_work import Deed, acts_of, looked_at, on_record, within_room
from beholden.retailer.incidents.incident import Incident, of_grade
from beholden.retailer.incidents.working_days import moment_in, shifts
from beholden.retailer.life.seller_desk import REINSTATE, REPORT, SUSPEND
from beholden.retailer.world import World

__all__ = ["plan"]

#: What they do, in the order of `IncidentParameters.ring_deeds`.
_LEAK, _LOOK, _SUSPENSION, _HELP = range(4)
_DAYS_MIN: Final = 7  # a ring needs time


def plan(world: World, rng: Rng, number: int, grade: str, start: int, end: int) -> Incident | None:
    """Months of favours for one cluster; None where the desk or the time is too small, or no owner has two brands."""
    p = world.parameters
    day = start // DAY_US
    support = [who for who in world.staff.of_role("seller_support", day).tolist() if shifts(world, who, start, end)]
    size = min(max(p.ring_min, round(p.ring_at_full_scale * p.scale)), p.ring_at_full_scale)
    brands = _beneficiaries(world, rng, day)
    if len(support) < size or brands is None or end - start < _DAYS_MIN * DAY_US:
        return None
    ring = rng.permutation(support)[:size].tolist()
    rivals = _rivals(world, rng, brands, (start, end))
    if not len(rivals):
        return None
    deeds = _decided(world, rng, _wanted(world, rng, grade, ring, (start, end)), brands, rivals)
    cases = None
    if grade == "paced":
        deeds = within_room(world, deeds)
    elif grade == "mimicry":
        deeds, cases = on_record(world, rng, deeds, "bribed_ring", number, end)
    if len({deed.who for deed in deeds}) < p.ring_min:
        return None
    acts = acts_of(world, rng, number, deeds, end, cases)
    changed = acts.at(np.isin(acts.operation, [SUSPEND, REINSTATE]) & (acts.result == 0))
    touched = np.unique(acts.seller)
    return Incident(
        number, "bribed_ring", grade,
        actors=logins_of(world, acts.actor, acts.time),
        subjects=tuple(f"seller:{one + 1}" for one in np.unique(np.concatenate([touched, brands])).tolist()),
        events={"seller-desk": acts},
        seller_cases=cases,
        states=tuple(
            (seller, "suspended" if operation == SUSPEND else "reinstated", time)
            for seller, operation, time in zip(
                changed.seller.tolist(), changed.operation.tolist(), changed.time.tolist(), strict=True
            )
        ),
    )  # fmt: skip


def _beneficiaries(world: World, rng: Rng, day: int) -> Ints | None:
    """The brands of one owner, preferably of one who opened a brand after another was suspended."""
    sellers = world.sellers
    every = [sellers.members(one) for one in sellers.clusters.tolist()]
    several = [brands for one in every if len(brands := one[sellers.since(one) <= day]) > 1]
    if not several:
        return None
    back = [brands for brands in several if _came_back(world, brands, day)]
    some = back or several
    return some[int(rng.integers(len(some)))]


def _came_back(world: World, brands: Ints, day: int) -> bool:
    every = world.sellers.suspensions
    closed = every.start[np.isin(every.seller, brands) & (every.end < 0)]
    return (
        len(closed) > 0
        and bool(np.any(world.sellers.since(brands) * DAY_US > closed.min()))
        and int(closed.min()) < day * DAY_US
    )


def _rivals(world: World, rng: Rng, brands: Ints, span: tuple[int, int]) -> Ints:
    """Sellers about as popular as the owner's brands, who sell all the time unless the ring steps in."""
    near = max(10, len(world.sellers) // 50)
    most = world.parameters.ring_rivals[1]
    tried = rng.choice(brands, 6 * most) + rng.integers(-near, near + 1, 6 * most)
    tried = np.clip(tried, 0, len(world.sellers) - 1)
    tried = tried[np.sort(np.unique(tried, return_index=True)[1])]
    begun = world.sellers.since(tried) <= span[0] // DAY_US
    trading = tried[begun & ~world.sellers.ever_barred(*span)[tried] & ~np.isin(tried, brands)]
    return trading[: int(rng.integers(*world.parameters.ring_rivals, endpoint=True))]


def _is_barred(world: World, seller: int, time: int) -> bool:
    return bool(world.sellers.barred(np.array([seller]), np.array([time]))[0])


def _wanted(world: World, rng: Rng, grade: str, ring: list[int], span: tuple[int, int]) -> list[tuple[int, int, int]]:
    """When who does what, in the order of time."""
    p = world.parameters
    a_week = of_grade(p.ring_deeds_a_week, grade)
    found = []
    for who in ring:
        days = [
            one for one in shifts(world, who, *span) if world.staff.members[who].role_on(one[0]) == "seller_support"
        ]
        count = min(3 * len(days), 1 + int(rng.poisson(a_week * len(days) / 5)))
        kinds = weighted(rng, p.ring_deeds, count).tolist()
        found += [(moment_in(rng, days[int(rng.integers(len(days)))], HOUR_US // 3), who, kind) for kind in kinds]
    return sorted(found)


def _decided(world: World, rng: Rng, wanted: list[tuple[int, int, int]], brands: Ints, rivals: Ints) -> list[Deed]:
    """The deeds: nobody is suspended who is already, and reinstated who is not."""
    every = world.sellers.suspensions
    for_good = every.seller[(every.end < 0) | (every.end >= world.parameters.end)]
    # Whom another ring sets free is free at the end.
    asked = (wanted[0][0], world.parameters.end - 1) if wanted else ()
    closed = [
        one for one in brands.tolist() if one in for_good and asked and all(_is_barred(world, one, at) for at in asked)
    ]
    free = set(rivals.tolist())
    found = []
    for time, who, kind in wanted:
        rival, brand = int(rivals[rng.integers(len(rivals))]), int(brands[rng.integers(len(brands))])
        seller, ending, as_seller = rival, -1, kind == _LOOK
        if kind == _LEAK:
            ending, as_seller = REPORT, rng.random() < 0.3
        elif kind == _SUSPENSION and rival in free:
            ending = SUSPEND
            free.remove(rival)
        elif kind == _HELP:
            seller = brand
            if closed:
                seller, ending = closed.pop(), REINSTATE
        found.append(Deed(who, seller, looked_at(rng, as_seller=as_seller, ending=ending), time))
    return found
