"""Which incidents happen in a company and when: what a run is for decides it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np

from beholden.core.errors import UsageError
from beholden.retailer.chance import DAY_US, stream
from beholden.retailer.incidents import GRADES, Incident, kinds, plan_of
from beholden.retailer.incidents.incident import slots
from beholden.retailer.world import World

__all__ = ["RUNS", "Run", "check_run", "scheduled"]

#: demo: a few loud ones, to look at. prevalence: as in life, at most one under way for every 300 staff. recall: each
#: kind in each grade once; twenty seeds give twenty of each. quiet: none, to count false alerts.
Run = Literal["demo", "prevalence", "recall", "quiet"]
RUNS: Final = ("demo", "prevalence", "recall", "quiet")
_DEMO: Final = ("card_export", "celebrity_spike", "personal_lookup", "personal_lookup")
#: Times that an incident is planned until it does not collide with another.
_PLANNED_MAX: Final = 8


def check_run(run: str) -> None:
    """Raise `UsageError` for a run that is none of `RUNS`."""
    if run not in RUNS:
        raise UsageError("run", f"'{run[:40]}' is unknown", expected="one of: " + ", ".join(RUNS))


def scheduled(world: World, run: str) -> list[Incident]:
    """The incidents of the window, each with a number; raises `UsageError` for a run that is none of `RUNS`."""
    check_run(run)
    if run == "quiet":
        return []
    if run == "prevalence":
        return _prevalence(world)
    wanted = [(kind, "loud") for kind in _DEMO]
    if run == "recall":
        wanted = [(kind, grade) for kind in kinds() for grade in GRADES]
    p = world.parameters
    found: list[Incident] = []
    for place, (kind, grade) in enumerate(wanted):
        rng = stream(p.seed, "schedule", place)
        # What needs time to unfold begins in the first part of the window.
        start = p.start + int(rng.random() * 0.4 * p.days) * DAY_US
        incident = _planned(world, found, (kind, grade), (place,), len(found), start)
        if incident is not None:
            found.append(incident)
    return found


def _prevalence(world: World) -> list[Incident]:
    """One after another in each of a few slots."""
    p = world.parameters
    side_by_side = slots(world)
    names = list(kinds())
    found: list[Incident] = []
    for slot in range(side_by_side):
        rng = stream(p.seed, "prevalence", slot)
        time, number = p.start + int(rng.exponential(p.quiet_days) * DAY_US), slot
        while time < p.end:
            kind, grade = names[int(rng.integers(len(names)))], GRADES[int(rng.integers(len(GRADES)))]
            incident = _planned(world, found, (kind, grade), (slot, number), number, time)
            if incident is not None:
                found.append(incident)
                time, number = incident.span[1], number + side_by_side
            time += int((1 + rng.exponential(p.quiet_days)) * DAY_US)
    return found


def _planned(
    world: World, found: Sequence[Incident], what: tuple[str, str], place: tuple[int, ...], number: int, start: int
) -> Incident | None:
    """An incident of that kind and grade from then on; None where there is no room for it beside those ``found``."""
    (kind, grade), p = what, world.parameters
    for again in range(_PLANNED_MAX):
        # Streams differ by how many numbers they have.
        rng = stream(p.seed, f"incident {kind}", *place, *([again] * again))
        incident = plan_of(kind)(world, rng, number, grade, start, p.end)
        if incident is None or not any(_at_once(incident, other) for other in found):
            return incident
    return None


def _at_once(one: Incident, other: Incident) -> bool:
    """Whether both put contacts on record in which the same agent would have served two customers at a time."""
    if one.contacts is None or other.contacts is None:
        return False
    a, b = one.contacts, other.contacts
    overlap = (a.opened[:, None] < b.closed) & (b.opened < a.closed[:, None])
    return bool(np.any(overlap & (a.agent[:, None] == b.agent)))
