"""Powerful accounts that nobody used are taken over, for months: new places, new devices, more and more reach.

They belonged to leavers, contractors, programs long replaced. They sign in from abroad and open customers' exports, those
with an account in the warehouse look customers up there. They have no days of their own to keep to: paced means within
the 95th percentile of those who use the buckets on a day. Mimicry: a piece of work is on record for one of IT or
engineering who might have used them (a borrowed reason), the hours are that person's, the country is a site's.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from beholden.retailer.chance import DAY_US, MINUTE_US, Ints, Rng
from beholden.retailer.devices import stranger
from beholden.retailer.events import INCIDENT, Events
from beholden.retailer.incidents.cover import assignments_over
from beholden.retailer.incidents.foreign_reads import Visit, bucket_reads, warehouse_reads
from beholden.retailer.incidents.incident import Incident, of_grade
from beholden.retailer.incidents.pace import daily_work
from beholden.retailer.incidents.working_days import actor_names, employed, moment, work_days
from beholden.retailer.life.places import COUNTRIES, address
from beholden.retailer.life.sso import Logins, make_logins
from beholden.retailer.world import World

__all__ = ["plan"]

_RIGHTS: Final = (("read", "buckets/meridian-exports"), ("read", "buckets/team-growth"))
_DAYS_MIN: Final = 5
_PEERS_DAYS: Final = 6
#: Where strangers come from: homes and hotels, as everybody does who is not in the office.
_PLACES: Final = ((address("198.18.0.0"), 1 << 17), (address("203.0.113.0"), 254))
_SITES: Final = 4


def plan(world: World, rng: Rng, number: int, grade: str, start: int, end: int) -> Incident | None:
    """Some of the accounts that are asleep; None where there are none, or no time."""
    p = world.parameters
    asleep = _asleep(world, rng, start // DAY_US)
    if not asleep or end - start < _DAYS_MIN * DAY_US:
        return None
    count = max(1, round(p.taken_over_at_full_scale * p.scale * (0.6 + 0.8 * rng.random())))
    sponsors = employed(world, rng, ("it", "engineer"), start, end)[:1]
    if grade == "mimicry" and not sponsors:
        return None
    most = _peers(world, rng) if grade == "paced" else of_grade(p.takeover_calls, grade)[1]
    visits: list[Visit] = []
    logins: list[Logins] = []
    for who in asleep[: max(count, int(rng.integers(1, 3)))]:
        mine, signed = _of_account(world, rng, number, grade, (who, most, sponsors[0] if sponsors else -1, start, end))
        visits += mine
        logins += signed
    if not visits:
        return None
    visits.sort(key=lambda one: (int(one[0][0]), one[1]))
    events: dict[str, Events] = {
        "sso": Logins.joined(logins).between(start, end),
        "buckets": bucket_reads(world, rng, visits, number),
    }
    known = len(world.staff) + len(world.staff.services)
    asking = [_asking(rng, visit, of_grade(p.takeover_queries, grade)) for visit in visits if visit[1] < known]
    statements, customers = warehouse_reads(world, rng, [visit for visit in asking if len(visit[0])], number)
    if statements is not None:
        events["sql"] = statements
    times = np.concatenate([time for time, *_ in visits])
    return Incident(
        number=number,
        kind="dormant_takeover",
        grade=grade,
        actors=actor_names(world, *events.values()),
        subjects=("buckets/customer exports", *(f"customer:{one + 1}" for one in customers.tolist())),
        events=events,
        records={"assignment": assignments_over(rng, world, sponsors[0], times)} if grade == "mimicry" else {},
    )


def _asleep(world: World, rng: Rng, day: int) -> list[int]:
    """Identities with rights to the exports that nobody uses, in any order."""
    grants = world.grants
    idle = [*grants.dormant(), *range(len(world.staff) + len(world.staff.services), len(grants.identities))]
    order = rng.permutation(np.array(idle, dtype=np.int64)).tolist()
    return [who for who in order if any(grants.can(who, right, name, day) for right, name in _RIGHTS)]


def _peers(world: World, rng: Rng) -> int:
    """What those who use the buckets at all do on a day, at most, but for one in twenty."""
    days = rng.permutation(np.array(world.calendar.window))[:_PEERS_DAYS].tolist()
    counts = np.concatenate([daily_work(world, "buckets", day) for day in days])
    return max(2, int(np.quantile(counts[counts > 0], 0.95))) if counts.any() else 2


def _of_account(
    world: World, rng: Rng, number: int, grade: str, which: tuple[int, int, int, int, int]
) -> tuple[list[Visit], list[Logins]]:  # fmt: skip
    """The visits to one account, and its sign-ins: the first after some wrong passwords."""
    who, most, sponsor, start, end = which
    p = world.parameters
    lasting = int(p.takeover_minutes * MINUTE_US)
    device = stranger(rng, start // DAY_US, personal=True).hostname
    base, size = _PLACES[int(rng.integers(len(_PLACES)))]
    home = base + 1 + int(rng.integers(size - 1))
    country = int(rng.integers(_SITES)) if grade == "mimicry" else int(rng.integers(_SITES, len(COUNTRIES)))
    visits: list[Visit] = []
    logins: list[Logins] = []
    worked = set(work_days(world, sponsor, start, end)) if grade == "mimicry" else None
    day = start // DAY_US + int(rng.integers(1, 4))
    while day < end // DAY_US:
        if worked is None or day in worked:
            first = (
                moment(rng, world, sponsor, day, lasting)
                if worked
                else day * DAY_US + int(rng.integers(22 * 3_600_000)) * 1000
            )
            # Behind one address a while, then behind another of the same kind.
            place = home if rng.random() < 0.8 else base + 1 + int(rng.integers(size - 1))
            calls = min(int(rng.integers(*of_grade(p.takeover_calls, grade), endpoint=True)), most)
            after = np.sort(rng.integers(30_000, lasting // 1000, calls)) * 1000
            visits.append((first + after, who, place))
            tries = int(rng.integers(1, 4)) if not logins else 0
            before = first - np.cumsum(rng.integers(5_000, 40_000, tries)) * 1000
            # A wrong password brings no second factor.
            failed: dict[str, Any] = {name: np.full(tries, value) for name, value in (("result", 1), ("factor", 0))}
            shared: dict[str, Any] = {
                "what": INCIDENT,
                "incident": number,
                "device": device,
                "address": place,
                "country": country,
            }
            logins.append(make_logins(rng, world, np.array([first]), np.array([who]), **shared))
            logins.append(make_logins(rng, world, before, np.full(tries, who), **failed, **shared))
        day += int(rng.integers(*of_grade(p.takeover_every_days, grade), endpoint=True))
    inside = [one for one in visits if start <= int(one[0][0]) and int(one[0][-1]) < end]
    return inside, logins


def _asking(rng: Rng, visit: Visit, mean: float) -> Visit:
    """Some moments of a visit at which the warehouse is asked too."""
    time, who, place = visit
    count = min(len(time), int(rng.poisson(mean)))
    kept: Ints = np.sort(rng.permutation(time)[:count])
    return kept + rng.integers(500, 4_000, count) * 1000, who, place
