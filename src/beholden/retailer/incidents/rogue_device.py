"""A device that belongs to nobody joins the office's network, signs in as one of the staff, and reads.

Loud: at any hour, hundreds of objects. Paced: in the hours of the one whose account it is, and no more than fits that
one's habits. Mimicry: a piece of work of that person is on record.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, MINUTE_US, Ints, Rng
from beholden.retailer.devices import stranger
from beholden.retailer.events import INCIDENT, Events
from beholden.retailer.incidents.cover import assignments_over
from beholden.retailer.incidents.foreign_reads import Visit, bucket_reads, warehouse_reads
from beholden.retailer.incidents.incident import Incident, of_grade
from beholden.retailer.incidents.pace import room
from beholden.retailer.incidents.working_days import actor_names, employed, moment, work_days
from beholden.retailer.life.cloudtrail import ROLES_ASSUMED
from beholden.retailer.life.places import address
from beholden.retailer.life.sso import APPS, Logins, make_logins
from beholden.retailer.world import World

__all__ = ["plan"]

_STAFF_TRIED: Final = 8
_OFFICE: Final = address("10.20.0.0")


def plan(world: World, rng: Rng, number: int, grade: str, start: int, end: int) -> Incident | None:
    """One device and one account, on some days."""
    p = world.parameters
    for who in employed(world, rng, ROLES_ASSUMED, start, end)[:_STAFF_TRIED]:
        days = work_days(world, who, start, end)
        shuffled = rng.permutation(np.array(days, dtype=np.int64))
        chosen = sorted(shuffled[: int(rng.integers(*p.rogue_days, endpoint=True))].tolist())
        place = _lease(world, rng, start // DAY_US)
        visits = [visit for day in chosen if len((visit := _visit(world, rng, grade, (who, day, place, end)))[0])]
        if not visits:
            continue
        split = [_split(rng, visit, p.rogue_on_warehouse) for visit in visits]
        events: dict[str, Events] = {}
        read = [one for one, _ in split if len(one[0])]
        if read:
            events["buckets"] = bucket_reads(world, rng, read, number)
        said, customers = warehouse_reads(world, rng, [one for _, one in split if len(one[0])], number)
        if said is not None:
            events["sql"] = said
        device = stranger(rng, int(visits[0][0][0]) // DAY_US)
        device = device if device.hostname else stranger(rng, device.since, personal=True)
        events["sso"] = _sign_ins(world, rng, number, visits, device.hostname)
        times = np.concatenate([one.time for one in events.values()])
        return Incident(
            number=number,
            kind="rogue_device",
            grade=grade,
            actors=actor_names(world, events["sso"]),
            subjects=("buckets/customer exports", *(f"customer:{one + 1}" for one in customers.tolist())),
            events=events,
            records={"assignment": assignments_over(rng, world, who, times)} if grade == "mimicry" else {},
            devices=(device,),
        )
    return None


def _lease(world: World, rng: Rng, day: int) -> int:
    """An address of the office's network that nobody employed has."""
    taken = {
        address(ip)
        for member, ip in zip(world.staff.members, world.staff.addresses, strict=False)
        if member.is_employed(day)
    }
    desks = max(1, -(-len(world.staff) // 200))
    found = _OFFICE + 20
    for _ in range(200):
        found = _OFFICE + int(rng.integers(desks)) * 256 + 20 + int(rng.integers(200))
        if found not in taken:
            break
    return found


def _visit(world: World, rng: Rng, grade: str, which: tuple[int, int, int, int]) -> Visit:
    """When it calls on a day: after a sign-in, for an hour or two."""
    who, day, place, end = which
    p = world.parameters
    lasting = int(of_grade(p.rogue_minutes, grade) * MINUTE_US)
    calls = int(rng.integers(*of_grade(p.rogue_calls, grade), endpoint=True))
    if grade == "paced":
        calls = min(calls, room(world, ("buckets", "sql"), who, day))
    if grade == "loud":
        first = day * DAY_US + int(rng.integers(20 * 3_600_000)) * 1000
    else:
        first = moment(rng, world, who, day, lasting + MINUTE_US)
    times: Ints = np.sort(first + rng.integers(40_000, lasting // 1000, calls) * 1000)
    return times[times < end], who, place


def _split(rng: Rng, visit: Visit, share: float) -> tuple[Visit, Visit]:
    """What it opens in buckets and what it asks the warehouse."""
    time, who, place = visit
    asked = rng.random(len(time)) < share
    return (time[~asked], who, place), (time[asked], who, place)


def _sign_ins(world: World, rng: Rng, number: int, visits: list[Visit], hostname: str) -> Logins:
    """A sign-in shortly before what is read on each day."""
    time = np.array([int(one[0][0]) - int(rng.integers(3_000, 39_000)) * 1000 for one in visits], dtype=np.int64)
    who = np.array([one[1] for one in visits], dtype=np.int64)
    app = np.array([APPS.index("buckets"), APPS.index("warehouse")])[rng.integers(0, 2, len(visits))]
    made = make_logins(
        rng, world, time, who, what=INCIDENT, incident=number, device=hostname, address=visits[0][2], country=0, app=app,
    )  # fmt: skip
    return Logins.joined([made])
