"""How much each actor does on an ordinary day, and how much more would still be ordinary: what ``paced`` keeps within.

*Room* is what is left of a day up to the 95th percentile of the actor's ordinary days, counted in the logs that the
incident touches. Days are counted without being made: nobody needs the columns of events to know how many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, TypeVar

import numpy as np

from beholden.retailer.chance import DAY_US, Ints
from beholden.retailer.events import Events
from beholden.retailer.incidents.working_days import work_days
from beholden.retailer.life.accounts import assisted_visits
from beholden.retailer.life.buckets import accesses_a_day, chains_of_day
from beholden.retailer.life.console import contact_views_a_day
from beholden.retailer.life.gateway import calls_a_day
from beholden.retailer.life.seller_desk import desk_acts
from beholden.retailer.life.sql_lookalikes import lookalike_statements
from beholden.retailer.life.sql_people import statements_a_day
from beholden.retailer.life.sso import logins_of_day
from beholden.retailer.life.support_lookalikes import lookalike_views
from beholden.retailer.life.wiki import views_of_day
from beholden.retailer.world import World

__all__ = ["Apps", "calls_room", "daily_work", "room", "thinned", "thinned_calls"]

E = TypeVar("E", bound=Events)
#: Apps (positions) whose calls are counted together, as counting many costs little more than counting one.
Apps = tuple[int, ...]


def _counted(*parts: Ints) -> Ints:
    """How often each actor occurs."""
    return np.bincount(np.concatenate(parts).astype(np.int64))


#: How many events each actor has in a log on a day without incidents: in as many parts as there are, as long as they are.
_ORDINARY: Final[dict[str, Callable[[World, int], Sequence[Ints]]]] = {
    "console": lambda world, day: [contact_views_a_day(world, day), _counted(lookalike_views(world, day).actor)],
    "seller-desk": lambda world, day: [_counted(desk_acts(world, day).actor)],
    "accounts": lambda world, day: [
        _counted(*(assisted_visits(world, day, host).actor for host in range(world.parameters.hosts)))
    ],
    "sql": lambda world, day: [
        statements_a_day(world, day),
        _counted(lookalike_statements(world, day).actor, np.array([one.who for one in chains_of_day(world, day)])),
    ],
    "sso": lambda world, day: [_counted(logins_of_day(world, day).actor)],
    "buckets": lambda world, day: [accesses_a_day(world, day)],
    "wiki": lambda world, day: [_counted(views_of_day(world, day).actor)],
}


@lru_cache(maxsize=4096)
def daily_work(world: World, log: str, day: int) -> Ints:
    """How many ordinary events each identity (by position) has in a log on a day."""
    found = np.zeros(len(world.grants.identities), dtype=np.int64)
    for part in _ORDINARY[log](world, day):
        found[: len(part)] += part
    return found


@lru_cache(maxsize=4096)
def _calls(world: World, apps: Apps, day: int) -> Ints:
    return calls_a_day(world, day, np.array(apps))


def room(world: World, logs: Sequence[str], who: int, day: int) -> int:
    """How many events more an identity can have in these logs on a day and still be within their own habits.

    A program does the same every day and has no room in this sense: it gets a share (``pace_programs``) of its work.
    """
    most = _usual_most(world, tuple(logs), who)
    if who >= len(world.staff):
        return int(most * world.parameters.pace_programs)
    return max(0, most - sum(int(daily_work(world, log, day)[who]) for log in logs))


def calls_room(world: World, apps: Apps, app: int, day: int) -> int:
    """The same of an app at the gateway; ``apps`` are all that are asked for, this one among them."""
    return max(0, _usual_most_calls(world, apps, app) - int(_calls(world, apps, day)[app]))


@lru_cache(maxsize=4096)
def _usual_most(world: World, logs: tuple[str, ...], who: int) -> int:
    """The 95th percentile of what an identity does in these logs on a day, of staff on one on which they are at work."""
    p = world.parameters
    days: Sequence[int] = world.calendar.window
    if who < len(world.staff):
        days = work_days(world, who, p.start, p.end)
    counts = [sum(int(daily_work(world, log, day)[who]) for log in logs) for day in _sampled(world, days)]
    return int(np.quantile(counts, p.pace_quantile)) if counts else 0


@lru_cache(maxsize=4096)
def _usual_most_calls(world: World, apps: Apps, app: int) -> int:
    counts = [int(_calls(world, apps, day)[app]) for day in _sampled(world, world.calendar.window)]
    return int(np.quantile(counts, world.parameters.pace_quantile))


def _sampled(world: World, days: Sequence[int]) -> list[int]:
    """Some of the days, the same for everybody as far as possible: what was counted for one is known for all."""
    window, most = np.array(world.calendar.window), world.parameters.pace_days
    common = set(window[np.unique(np.linspace(0, len(window) - 1, most).astype(np.int64))].tolist())
    return [day for day in days if day in common] or list(days[:1])


def thinned(world: World, log: str, events: E) -> E:
    """Of each identity's events of a day only the first ones, as many as there is room for."""
    return _first(events, lambda who, day: room(world, (log,), who, day))


def thinned_calls(world: World, apps: Apps, calls: E) -> E:
    """The same of calls of these apps."""
    return _first(calls, lambda app, day: calls_room(world, apps, app, day))


def _first(events: E, most: Callable[[int, int], int]) -> E:
    kept = np.zeros(len(events), dtype=np.bool_)
    day = events.time // DAY_US
    for who, on in sorted(set(zip(events.actor.tolist(), day.tolist(), strict=True))):
        here = np.flatnonzero((events.actor == who) & (day == on))
        kept[here[: most(who, on)]] = True
    return events.at(kept)
