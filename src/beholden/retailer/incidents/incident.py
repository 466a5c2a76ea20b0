"""What every kind of incident hands over: events in ordinary form, and what the truth tables say about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from beholden.retailer.chance import Ints, Rng
from beholden.retailer.statements import Statement
from beholden.retailer.views import INCIDENT, Views, make_views
from beholden.retailer.world import World

__all__ = ["Incident", "following", "no_contact", "seen_moment", "views_of"]

_TRIES: Final = 50


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. ``grade`` is ``loud``, ``paced`` or ``mimicry``; ``subjects`` are positions of customers."""

    number: int
    kind: str
    grade: str
    actors: tuple[str, ...]
    subjects: tuple[int, ...]
    views: Views
    statements: tuple[Statement, ...] = ()


def views_of(rng: Rng, number: int, events: list[tuple[int, int, int]]) -> Views:
    """Console views from (time, actor, customer); screens and operations are drawn as everyone's are."""
    columns = np.array(events, dtype=np.int64).reshape(-1, 3).T
    return make_views(rng, *columns, what=INCIDENT, incident=number)


def no_contact(world: World, customers: Ints) -> Ints:
    """Those of the customers who had no contact in the window."""
    return customers[~np.isin(customers, world.contacts.customer)]


def seen_moment(world: World, rng: Rng, who: int, earliest: int, latest: int) -> int:
    """A moment at work outside the hours whose log was lost: what happened then would leave no trace to find."""
    start, end = world.gap
    time = world.staff.moment_at_work(rng, who, earliest, latest)
    for _ in range(_TRIES):
        if not start <= time < end:
            break
        time = world.staff.moment_at_work(rng, who, earliest, latest)
    return time


def following(rng: Rng, time: int, count: int) -> list[int]:
    """``count`` moments from ``time`` on, some seconds apart, each with milliseconds of its own."""
    gaps = rng.integers(4_000, 40_000, count - 1) * 1000
    return [time, *(time + np.cumsum(gaps)).tolist()]
