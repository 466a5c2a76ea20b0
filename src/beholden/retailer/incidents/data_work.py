"""What incidents do with data as ordinary people at work do: statements, log-ins, and pieces of work put on record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, MINUTE_US, Ints, Rng
from beholden.retailer.events import INCIDENT
from beholden.retailer.incidents.pace import room
from beholden.retailer.incidents.working_days import Shift, moment_in, shifts
from beholden.retailer.life.records import Records, topic
from beholden.retailer.life.sql import Statements, make_statements
from beholden.retailer.life.sql_text import Sql
from beholden.retailer.world import World

__all__ = ["Said", "assigned_work", "at_work", "login_of", "logins_of", "said"]

#: A statement: when, by whom (a position), and what.
Said = tuple[int, int, Sql]
#: An assignment ends so many minutes after it began: a day to fifteen, as ordinary ones do.
_ASSIGNED_MINUTES: Final = (24 * 60, 15 * 24 * 60)
_BEFORE_MINUTES: Final = (20, 40 * 60)
_JUST_BEFORE_MS: Final = (60_000, 40 * 60_000)


def said(world: World, rng: Rng, number: int, parts: Sequence[Said], start: int, end: int) -> Statements:
    """The events of these statements that lie in ``[start, end)``; none of them fails."""
    inside = sorted((part for part in parts if start <= part[0] < end), key=lambda part: part[:2])
    found = [Statements.nothing()]
    for day in sorted({part[0] // DAY_US for part in inside}):
        times, actors, texts = zip(*(part for part in inside if part[0] // DAY_US == day), strict=True)
        found.append(
            make_statements(world, rng, day, times, actors, texts, what=INCIDENT, incident=number, failing=False)
        )
    return Statements.joined(found)


def at_work(
    world: World, rng: Rng, roles: Sequence[str], start: int, end: int, *, need: Sequence[tuple[str, int]] = ()
) -> tuple[int, list[Shift]] | None:
    """Somebody of these roles and their shifts in ``[start, end)``, those with room for so much work in the logs of ``need``."""
    day = start // DAY_US
    team = np.concatenate([world.staff.of_role(role, day) for role in roles])
    for who in rng.permutation(team).tolist():
        days = [
            one for one in shifts(world, who, start, end)
            if world.staff.members[who].role_on(one[0]) in roles
            and all(room(world, (log,), who, one[0]) >= least for log, least in need)
        ]  # fmt: skip
        if days:
            return who, days
    return None


def login_of(world: World, who: int, day: int) -> str:
    """What logs call a principal on a day; programs by ``service:NAME``."""
    if who >= len(world.staff):
        return f"service:{world.staff.services[who - len(world.staff)]}"
    return world.staff.members[who].login_on(day)


def logins_of(world: World, actors: Ints, times: Ints) -> tuple[str, ...]:
    """What logs call each of these actors at these times, each once, by position."""
    pairs = sorted(set(zip(actors.tolist(), (times // DAY_US).tolist(), strict=True)))
    return tuple(dict.fromkeys(login_of(world, who, day) for who, day in pairs))


def assigned_work(world: World, rng: Rng, who: int, what: str, before: int, *, customer: int = -1) -> Records:
    """An assignment of that topic, given to somebody in the hours before a moment."""
    opened = before - int(rng.integers(*_BEFORE_MINUTES)) * MINUTE_US
    days = shifts(world, who, max(opened, world.parameters.start), before)
    if days:
        opened = min(moment_in(rng, days[-1]), before - 1000)
    else:
        opened = before - int(rng.integers(*_JUST_BEFORE_MS)) * 1000
    closed = opened + int(rng.integers(*_ASSIGNED_MINUTES)) * MINUTE_US
    columns = [np.array([one], dtype=np.int64) for one in (who, customer, topic(what), opened, closed)]
    return Records(*columns)
