"""Somebody comes upon a canary: a record that nobody has a reason to open, and nothing tells it from the others.

In the console, or on a database by those who work there. Loud: they go through the records one number after another.
Paced: a few records, within their own habits. Mimicry: with a contact on record, or a piece of work.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from beholden.retailer.canaries import canaries
from beholden.retailer.chance import SECOND_US, Ints, Rng
from beholden.retailer.incidents.cover import assignments_over
from beholden.retailer.incidents.incident import Incident, following, of_grade
from beholden.retailer.incidents.looks import LOOKERS, Looks
from beholden.retailer.incidents.pace import room
from beholden.retailer.incidents.spoken import Said, spoken
from beholden.retailer.incidents.working_days import actor_names, employed, moment, work_days
from beholden.retailer.life.sql_deeds import lookups
from beholden.retailer.world import World

__all__ = ["plan"]

_TABLES: Final = {"engineer": "crm.customer", "it": "crm.customer", "analyst": "warehouse.customer_profile"}
_STAFF_TRIED: Final = 12
_DAYS_TRIED: Final = 8


def plan(world: World, rng: Rng, number: int, grade: str, start: int, end: int) -> Incident | None:
    """One of the staff and a canary among what they read; None where nobody finds the time."""
    ways = (
        [_on_database, _in_console]
        if rng.random() < world.parameters.canary_on_databases
        else [_in_console, _on_database]
    )
    for way in ways:
        found = way(world, rng, number, grade, (start, end))
        if found is not None:
            return found
    return None


def _read(world: World, rng: Rng, grade: str) -> Ints:
    """The records that are read, in their order: one of them is a canary."""
    canary = int(rng.choice(canaries(world)))
    count = int(rng.integers(*of_grade(world.parameters.canary_browsed, grade), endpoint=True))
    at = int(rng.integers(count))
    if grade == "loud":
        return np.clip(np.arange(canary - at, canary - at + count), 0, len(world.people) - 1)
    read = rng.integers(0, len(world.people), count)
    read[at] = canary
    return read


def _in_console(world: World, rng: Rng, number: int, grade: str, within: tuple[int, int]) -> Incident | None:
    read = _read(world, rng, grade)
    canary = int(read[np.isin(read, canaries(world))][0])
    for who in employed(world, rng, LOOKERS[grade], *within)[:_STAFF_TRIED]:
        looks = Looks(world, rng, "canary_read", number, grade)
        days = rng.permutation(np.array(work_days(world, who, *within), dtype=np.int64))[:_DAYS_TRIED].tolist()
        if grade == "loud":
            time = following(rng, moment(rng, world, who, days[0], len(read) * 40 * SECOND_US), len(read))
            for at, customer in zip(time, read.tolist(), strict=True):
                looks.put(np.array([at]), who, customer, np.array([-1]))
            return looks.incident()
        if looks.add(who, canary, days, int(rng.integers(1, 4))):
            for other in np.setdiff1d(read, [canary]).tolist():
                looks.add(who, other, days, int(rng.integers(1, 3)))
            return looks.incident()
    return None


def _on_database(world: World, rng: Rng, number: int, grade: str, within: tuple[int, int]) -> Incident | None:
    read = _read(world, rng, grade)
    canary = int(read[np.isin(read, canaries(world))][0])
    for who in employed(world, rng, _TABLES, *within)[:_STAFF_TRIED]:
        for day in rng.permutation(np.array(work_days(world, who, *within), dtype=np.int64))[:_DAYS_TRIED].tolist():
            free = room(world, ("sql",), who, day) if grade == "paced" else len(read)
            if not free:
                continue
            chosen = np.unique(np.append(read[: free - 1], canary)) if free < len(read) else read
            path = _TABLES[world.staff.members[who].role_on(day)]
            said = lookups(world, rng, who, day, path, chosen)
            time = following(rng, moment(rng, world, who, day, len(said) * 40 * SECOND_US), len(said))
            rows: list[Said] = [(int(at), who, sql, "") for at, sql in zip(time, said, strict=True)]
            events = spoken(world, rng, rows, number)
            assert events is not None, "a canary at least is read"  # noqa: S101 - it is among them
            return Incident(
                number=number, kind="canary_read", grade=grade, actors=actor_names(world, events),
                subjects=tuple(f"customer:{one + 1}" for one in np.unique(chosen).tolist()), events={"sql": events},
                records={"assignment": assignments_over(rng, world, who, events.time)} if grade == "mimicry" else {},
            )  # fmt: skip
    return None
