"""A program's key stands on a page of the wiki; somebody reads it, and the key is used from a device nobody knows.

Loud: hundreds of objects in an hour or two, from far away. Paced: a little of what the program does in a day, for days.
Mimicry: from the company's own addresses with the program's usual software, and an assignment that names the trouble.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, Rng
from beholden.retailer.devices import stranger
from beholden.retailer.events import INCIDENT
from beholden.retailer.incidents.data_work import assigned_work, at_work, login_of
from beholden.retailer.incidents.incident import Incident, of_grade
from beholden.retailer.incidents.pace import thinned
from beholden.retailer.incidents.working_days import moment_in
from beholden.retailer.life.cloudtrail import COPY, GET
from beholden.retailer.life.places import address
from beholden.retailer.life.wiki import make_secret_use
from beholden.retailer.resources import BUCKETS
from beholden.retailer.world import World
from beholden.retailer.writings import wiki_pages

__all__ = ["plan"]

_READERS: Final = ("engineer", "analyst", "marketing", "it", "agent", "finance")
_FIXERS: Final = ("engineer", "analyst")
_PEOPLES_AGENTS: Final = (0, 1, 2, 4)
#: Whence: anybody's home, or a carrier's addresses.
_ELSEWHERE: Final = (("198.18.0.0", 1 << 17), ("100.96.0.0", 200))


def plan(world: World, rng: Rng, number: int, grade: str, start: int, end: int) -> Incident | None:
    """A page read and its key used; None where no page holds a key or nobody is at work."""
    p = world.parameters
    pages = [one for one in wiki_pages(p) if one.owner]
    roles = _FIXERS if grade == "mimicry" else _READERS
    need = [("wiki", 2)] if grade == "paced" else []
    found = at_work(world, rng, roles, start, start + max(DAY_US, (end - start) // 2), need=need)
    if not pages or found is None:
        return None
    reader, days = found
    page = pages[int(rng.integers(len(pages)))]
    owner = world.staff.service(page.owner)
    time = moment_in(rng, days[int(rng.integers(len(days)))], 10 * 60_000_000)
    if grade == "mimicry":
        place, agent = address(world.staff.members[reader].ip), 1 if owner % 2 == 0 else 3
    else:
        first, count = _ELSEWHERE[int(rng.integers(2))]
        place, agent = address(first) + int(rng.integers(count)), _PEOPLES_AGENTS[int(rng.integers(4))]
    device = stranger(rng, time // DAY_US, personal=True)
    use = make_secret_use(
        rng, world, reader, owner, page.path, time, device=device.hostname,
        address=place, agent=agent, calls=int(rng.integers(*of_grade(p.secret_calls, grade), endpoint=True)),
        spacing_minutes=float(rng.uniform(*of_grade(p.secret_minutes, grade))), what=INCIDENT, incident=number,
    )  # fmt: skip
    accesses, logins = use.accesses.between(start, end), use.logins.between(start, end)
    if grade == "paced":
        accesses, logins = thinned(world, "buckets", accesses), thinned(world, "sso", logins)
    views = use.views.between(start, end)
    if not len(accesses) or not len(logins):
        return None
    named = np.isin(accesses.operation, (GET, COPY))
    objects = zip(accesses.bucket[named].tolist(), accesses.key[named].tolist(), strict=True)
    return Incident(
        number, "wiki_secret", grade,
        actors=(login_of(world, reader, time // DAY_US), login_of(world, owner, time // DAY_US)),
        subjects=(page.path, *sorted({f"buckets/{BUCKETS[bucket]}/{key}" for bucket, key in objects})),
        events={"wiki": views, "sso": logins, "buckets": accesses},
        records={"assignment": assigned_work(world, rng, reader, "pipeline repair", time)} if grade == "mimicry" else {},
        devices=(device,) if grade == "mimicry" else (),
    )  # fmt: skip
