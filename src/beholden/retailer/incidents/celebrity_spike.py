"""A celebrity is in the news, and colleagues look: each one to three times, some again on another day.

Loud: most of those at work, within two days. Paced: as many, over a week or so, nobody beyond their own habits.
Mimicry: fewer, each with a contact of the celebrity on record.
"""

from __future__ import annotations

from typing import Final

from beholden.retailer.chance import DAY_US, Rng
from beholden.retailer.incidents.incident import Incident, of_grade
from beholden.retailer.incidents.looks import LOOKERS, Looks
from beholden.retailer.incidents.working_days import employed, work_days
from beholden.retailer.world import World

__all__ = ["plan"]

_TRIES: Final = 12


def plan(world: World, rng: Rng, number: int, grade: str, start: int, end: int) -> Incident | None:
    """One of the famous; None where at no time three colleagues looked."""
    p = world.parameters
    for _ in range(_TRIES):
        subject = int(rng.choice(world.people.famous))
        lasting = int(rng.integers(*of_grade(p.spike_days, grade), endpoint=True)) * DAY_US
        first = start + int(rng.random() * max(0, end - start - lasting))
        looks, curious = _looks(world, rng, number, grade, subject, (first, min(end, first + lasting)))
        if curious >= p.curious_min:
            return looks.incident()
    return None


def _looks(
    world: World, rng: Rng, number: int, grade: str, subject: int, news: tuple[int, int]
) -> tuple[Looks, int]:  # fmt: skip
    """What colleagues looked at while it was news, and how many of them did."""
    staff = employed(world, rng, LOOKERS[grade], *news)
    p = world.parameters
    share = p.curious_colleagues * (0.7 if grade == "mimicry" else 1.0) * (0.7 + 0.5 * rng.random())
    looks = Looks(world, rng, "celebrity_spike", number, grade)
    curious = 0
    for who in staff[: min(p.curious_max, round(len(staff) * share))]:
        days = work_days(world, who, *news)
        looked = looks.add(who, subject, days, int(rng.integers(1, 4)))
        if looked and rng.random() < p.curious_again:
            looks.add(who, subject, days, int(rng.integers(1, 3)))
        curious += looked > 0
    return looks, curious
