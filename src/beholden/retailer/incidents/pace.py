"""How much each actor does on an ordinary day, and how much more would still be ordinary: what ``paced`` keeps within."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, TypeVar

import numpy as np

from beholden.retailer.chance import DAY_US, MINUTE_US, Ints, Rng
from beholden.retailer.events import Events
from beholden.retailer.life.accounts import visits_by_host
from beholden.retailer.life.buckets import accesses_of_day, chains_of_day
from beholden.retailer.life.console import contact_views
from beholden.retailer.life.gateway import calls_by_host
from beholden.retailer.life.seller_desk import desk_acts
from beholden.retailer.life.sql_lookalikes import lookalike_statements
from beholden.retailer.life.sql_people import people_statements
from beholden.retailer.life.sso import logins_of_day
from beholden.retailer.life.support_lookalikes import lookalike_views
from beholden.retailer.life.wiki import views_of_day
from beholden.retailer.world import World

__all__ = ["Shift", "daily_work", "moment_in", "room", "sampled", "shifts", "thinned", "usual_most"]

E = TypeVar("E", bound=Events)
#: A day and the part of somebody's shift that lies in the time asked for (microseconds).
Shift = tuple[int, int, int]

_ORDINARY: Final[dict[str, Callable[[World, int], Sequence[Ints]]]] = {
    "console": lambda world, day: [contact_views(world, day).actor, lookalike_views(world, day).actor],
    "seller-desk": lambda world, day: [desk_acts(world, day).actor],
    "gateway": lambda world, day: [calls.actor for _, calls in calls_by_host(world, day)],
    "accounts": lambda world, day: [seen.actor[seen.actor >= 0] for _, seen in visits_by_host(world, day)],
    "sql": lambda world, day: [
        people_statements(world, day).actor,
        lookalike_statements(world, day).actor,
        np.array([chain.who for chain in chains_of_day(world, day)], dtype=np.int64),
    ],
    "sso": lambda world, day: [logins_of_day(world, day).actor],
    "buckets": lambda world, day: [accesses_of_day(world, day).actor],
    "wiki": lambda world, day: [views_of_day(world, day).actor],
}
#: Shorter remains of a shift are not worked in.
_SHIFT_MIN_US: Final = 40 * MINUTE_US


@lru_cache(maxsize=4096)
def daily_work(world: World, log: str, day: int) -> Ints:
    """How many ordinary events each actor (by position; apps in the gateway's log) has in a log on a day."""
    actors = np.concatenate(_ORDINARY[log](world, day)).astype(np.int64)
    return np.bincount(actors, minlength=max(len(world.grants.identities), len(world.partners.apps)))


@lru_cache(maxsize=4096)
def usual_most(world: World, log: str, who: int) -> int:
    """The 95th percentile of an actor's daily work in a log, from those of the sampled days on which they are at work."""
    person = log != "gateway" and who < len(world.staff)
    days = sampled(world, [day for day in world.calendar.window if not person or world.staff.works(who, day)])
    counts = [int(daily_work(world, log, day)[who]) for day in days]
    return int(np.quantile(counts, world.parameters.pace_quantile)) if counts else 0


def sampled(world: World, days: Sequence[int]) -> list[int]:
    """Some of the days, the same for everybody as far as possible: making a whole day only to count it costs much."""
    window, most = np.array(world.calendar.window), world.parameters.pace_days
    common = set(window[np.unique(np.linspace(0, len(window) - 1, most).astype(np.int64))].tolist())
    return [day for day in days if day in common] or list(days[:1])


def room(world: World, log: str, who: int, day: int) -> int:
    """How much an actor may do on a day beyond their ordinary work and stay within `usual_most`.

    A program does the same every day and has no room in this sense: it gets a share (``pace_programs``) of its work.
    """
    most = usual_most(world, log, who)
    if log != "gateway" and who >= len(world.staff):
        return int(most * world.parameters.pace_programs)
    return max(0, most - int(daily_work(world, log, day)[who]))


def thinned(world: World, log: str, events: E) -> E:
    """Of each actor's events of a day only the first ones, as many as there is room for."""
    kept = np.zeros(len(events), dtype=np.bool_)
    day = events.time // DAY_US
    for who, on in sorted(set(zip(events.actor.tolist(), day.tolist(), strict=True))):
        here = np.flatnonzero((events.actor == who) & (day == on))
        kept[here[: room(world, log, who, on)]] = True
    return events.at(kept)


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
