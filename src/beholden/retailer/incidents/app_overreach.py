"""A developer's app reads personal fields that its declared need does not take.

Loud: right after each order, and weeks of earlier orders besides, though it declared nothing of the kind. Paced: after
so many of the orders that it does no more than on its busier days. Mimicry: it declared the record for some of its
orders, and reads it for all of them.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from beholden.retailer.chance import Rng
from beholden.retailer.incidents.incident import Incident, of_grade
from beholden.retailer.incidents.pace import calls_room, thinned_calls
from beholden.retailer.incidents.partner_calls import (
    PERSONAL,
    days_of,
    orders_of,
    read_of,
    records_read,
    subjects_of,
    swept,
)
from beholden.retailer.life.gateway import ORDER, Calls
from beholden.retailer.partners import App
from beholden.retailer.world import World

__all__ = ["plan"]

_WHOLE: Final = 0.99  # an app that declares a record for so many of its orders cannot read much more of it
_ORDERS_MIN: Final = 5  # a day, or there is nothing to reach for


def plan(world: World, rng: Rng, number: int, grade: str, start: int, end: int) -> Incident | None:
    """Some days of reading too much; None where no app declares less than it could read, or no whole day is left."""
    every = days_of(start, end)
    wanted = of_grade(world.parameters.overreach_days, grade)
    length = min(len(every), int(rng.integers(*wanted, endpoint=True)))
    if length < 1:
        return None
    first = every[int(rng.integers(len(every) - length + 1))]
    days = range(first, first + length)
    for at in rng.permutation(len(world.partners.apps)).tolist():
        endpoints = _reached(world.partners.apps[at], grade, days)
        if not endpoints or not _busy(world, at, days):
            continue
        whole = Calls.joined(
            [_day(world, rng, grade, (at, endpoints), day, number, first=day == first) for day in days]
        )
        if len(whole):
            return Incident(
                number, "app_overreach", grade,
                actors=(f"app:{world.partners.apps[at].number}",),
                subjects=subjects_of(whole),
                events={"gateway": whole},
            )  # fmt: skip
    return None


def _reached(app: App, grade: str, days: range) -> tuple[int, ...]:
    """The endpoints that it reads and should not; in mimicry those that it declared for fewer orders."""
    purpose = app.purpose_on(days[0])
    if app.purpose_on(days[-1]) is not purpose:
        return ()
    shares = dict(zip(PERSONAL, (purpose.address, purpose.buyer), strict=True))
    if grade == "mimicry":
        return tuple(one for one, share in shares.items() if 0 < share < _WHOLE)
    return tuple(one for one, share in shares.items() if share == 0)


def _busy(world: World, app: int, days: range) -> bool:
    """Whether its sellers sell enough on the first day for anything to be read."""
    connections = world.partners.connections
    mine = np.flatnonzero((connections.app == app) & world.partners.active(days[0]))
    return len(mine) > 0 and len(orders_of(world, connections.seller[mine], [days[0]])) >= _ORDERS_MIN


def _day(
    world: World, rng: Rng, grade: str, reach: tuple[int, tuple[int, ...]], day: int, number: int, *, first: bool
) -> Calls:  # fmt: skip
    app, endpoints = reach
    read, buyer = read_of(world, app, day)
    connections = world.partners.connections
    mine = np.flatnonzero((connections.app == app) & world.partners.active(day))
    parts = []
    if len(read):
        left = np.arange(len(read))
        if grade == "paced":
            left = np.sort(rng.permutation(left)[: calls_room(world, (app,), app, day) // len(endpoints)])
        parts.append(records_read(rng, world, day, read.at(left), buyer[left], endpoints, number))
    if not len(read) or (grade == "loud" and first):
        keys = world.partners.key_on(mine, day)
        back = (
            range(day - world.parameters.overreach_back_days, day) if grade == "loud" and first else range(day - 1, day)
        )
        wanted = orders_of(world, connections.seller[mine], back)
        if grade == "paced":
            spare = max(0, calls_room(world, (app,), app, day) - 2 * len(keys)) // (1 + len(endpoints))
            wanted = wanted.at(np.sort(rng.permutation(len(wanted))[:spare]))
        parts.append(swept(rng, world, day, keys, wanted, (ORDER, *endpoints), number))
    calls = Calls.joined(parts)
    return thinned_calls(world, (app,), calls) if grade == "paced" else calls
