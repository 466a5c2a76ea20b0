"""Somebody inside signs in to customers' accounts and deletes the reviews they wrote.

The form simulated is the smallest that leaves an honest trace: assisted sign-ins, which every agent can make and which
the shop's own log has with who made them. Each is preceded by a look at the customer in the console.
Loud: some agents, hundreds of accounts a day until all are done. Paced: within each one's own habits, looks included.
Mimicry: each with a contact on record.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from beholden.retailer.chance import MINUTE_US, SECOND_US, Ints, Rng
from beholden.retailer.events import INCIDENT
from beholden.retailer.incidents.cover import Cover
from beholden.retailer.incidents.incident import Incident
from beholden.retailer.incidents.pace import room
from beholden.retailer.incidents.working_days import actor_names, employed, moment, work_days
from beholden.retailer.life.accounts import ASSISTED, DELETE, Visits, make_visits, reviews_of_incident
from beholden.retailer.life.console import Views, make_views
from beholden.retailer.parameters import Parameters
from beholden.retailer.world import World

__all__ = ["plan"]

_DONE_MIN: Final = 4
_REVIEWS_MAX: Final = 4
_LASTING: Final = 4 * MINUTE_US

#: An account: by whom, whose, the moments of its look, sign-in and deletions, and the ticket each carries.
_Done = tuple[int, int, Ints, Ints]


def plan(world: World, rng: Rng, number: int, grade: str, start: int, end: int) -> Incident | None:
    """Some agents and many accounts; None where they come to too few."""
    p = world.parameters
    wanted = max(p.misused_accounts_min, round(p.misused_accounts_at_full_scale * p.scale * (0.7 + 0.6 * rng.random())))
    customers = rng.permutation(np.unique(rng.integers(0, len(world.people), 2 * wanted)))[:wanted].tolist()
    agents = employed(world, rng, ("agent",), start, end)[: int(rng.integers(*p.misusing_agents, endpoint=True))]
    cover = Cover(world, rng, "account_misuse", number)
    done: list[_Done] = []
    for who in agents:
        share = -(-wanted // len(agents))
        mine: list[_Done] = []
        for day in work_days(world, who, start, end):
            left = min(share - len(mine), len(customers))
            if left:
                chosen = [customers.pop() for _ in range(min(left, _count(p, rng, grade)))]
                mine += _of_day(world, rng, grade, (who, day, chosen), cover)
        done += mine
    if len(done) < _DONE_MIN:
        return None
    views, visits = _events(world, rng, number, done)
    return Incident(
        number=number,
        kind="account_misuse",
        grade=grade,
        actors=actor_names(world, visits),
        subjects=tuple(f"customer:{one + 1}" for one in np.unique(visits.customer).tolist()),
        events={"console": views, "accounts": visits},
        contacts=cover.contacts,
    )


def _count(p: Parameters, rng: Rng, grade: str) -> int:
    a_day = p.misused_a_day_loud if grade == "loud" else p.misused_a_day
    return int(rng.integers(*a_day, endpoint=True))


def _of_day(world: World, rng: Rng, grade: str, which: tuple[int, int, list[int]], cover: Cover) -> list[_Done]:
    """The accounts that an agent gets done on a day."""
    who, day, customers = which
    steps = 2 + np.minimum(1 + rng.poisson(world.parameters.misused_reviews_more, len(customers)), _REVIEWS_MAX)
    found: list[_Done] = []
    left = room(world, ("console", "accounts"), who, day) if grade == "paced" else 0
    time = moment(rng, world, who, day, min(6 * 60, len(customers)) * MINUTE_US)
    for customer, count in zip(customers, steps.tolist(), strict=True):
        if grade == "mimicry":
            covered = cover.contact(who, customer, day, count)
            if covered is not None:
                found.append((who, customer, *covered))
            continue
        if grade == "paced":
            if count > left:
                continue
            left -= count
            time = moment(rng, world, who, day, _LASTING)
        times = time + np.cumsum(np.append(0, rng.integers(5_000, 45_000, count - 1))) * 1000
        if int(times[-1]) < world.staff.shift_of(who, day)[1]:
            found.append((who, customer, times, np.full(count, -1, dtype=np.int64)))
        time = int(times[-1]) + int(rng.integers(4_000, 40_000)) * 1000 + SECOND_US
    return found


def _events(world: World, rng: Rng, number: int, done: list[_Done]) -> tuple[Views, Visits]:
    """The first moment of each account is a look, the second the sign-in, the others deletions."""
    count = np.array([len(times) for *_, times, _ in done], dtype=np.int64)
    row = np.repeat(np.arange(len(done)), count)
    step = np.arange(len(row)) - (np.cumsum(count) - count)[row]
    who, customer = (np.array([one[at] for one in done], dtype=np.int64)[row] for at in (0, 1))
    time, ticket = (np.concatenate([one[at] for one in done]) for at in (2, 3))
    look, inside = step == 0, step > 0
    views = make_views(rng, time[look], who[look], customer[look], what=INCIDENT, ticket=ticket[look], incident=number)
    operation = np.where(step == 1, ASSISTED, DELETE)
    review = np.full(len(row), -1, dtype=np.int64)
    deleted = np.flatnonzero(step > 1)
    review[deleted] = reviews_of_incident(world, number, len(deleted))
    visits = make_visits(
        rng, world, time[inside], customer[inside], operation[inside], what=INCIDENT, incident=number, actor=who[inside],
        review=review[inside], ticket=ticket[inside],
    )  # fmt: skip
    return Views.joined([views]), Visits.joined([visits])
