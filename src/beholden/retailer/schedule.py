"""Which incidents happen in a company and when: what a run is for decides it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal

import numpy as np

from beholden.core.errors import UsageError
from beholden.retailer.chance import DAY_US, stream
from beholden.retailer.incidents import GRADES, Incident, kinds, plan_of
from beholden.retailer.incidents.incident import slots
from beholden.retailer.life.gateway import Calls
from beholden.retailer.sellers import State
from beholden.retailer.world import World

__all__ = ["RUNS", "Run", "check_run", "scheduled", "with_states_of"]

#: demo: a few loud ones, to look at. prevalence: as in life, at most one under way for every 300 staff. recall: each
#: kind in each grade once; twenty seeds give twenty of each. quiet: none, to count false alerts.
Run = Literal["demo", "prevalence", "recall", "quiet"]
RUNS: Final = ("demo", "prevalence", "recall", "quiet")
_DEMO: Final = ("card_export", "celebrity_spike", "personal_lookup", "personal_lookup")
#: Kinds that decide about sellers.
_DECIDING: Final = frozenset({"bribed_ring"})
#: Beginnings that are tried for an incident of the recall run until there is room for it.
_BEGUN_MAX: Final = 6
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
    # Who decides about sellers goes first: what others read of orders follows from that.
    for place in sorted(range(len(wanted)), key=lambda at: wanted[at][0] not in _DECIDING):
        rng = stream(p.seed, "schedule", place)
        for again in range(_BEGUN_MAX):
            # What needs time to unfold begins in the first part of the window.
            start = p.start + int(rng.random() * 0.4 * p.days) * DAY_US
            incident = _planned(with_states_of(world, found), found, wanted[place], (place, again), len(found), start)
            if incident is not None:
                found.append(incident)
                break
    return found


def with_states_of(world: World, incidents: Sequence[Incident]) -> World:
    """The company in which sellers sell or not as these incidents have decided."""
    states = tuple(state for one in incidents for state in one.states)
    return world if states == world.states else _with_states(world, states)


@lru_cache(maxsize=2)
def _with_states(world: World, states: tuple[State, ...]) -> World:
    return World(world.parameters, states)


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
            incident = _planned(with_states_of(world, found), found, (kind, grade), (slot, number), number, time)
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
        if incident is None or not any(_at_once(incident, one) or _at_odds(incident, one) for one in found):
            return incident
    return None


def _at_once(one: Incident, other: Incident) -> bool:
    """Whether both put contacts on record in which the same agent would have served two customers at a time."""
    if one.contacts is None or other.contacts is None:
        return False
    a, b = one.contacts, other.contacts
    overlap = (a.opened[:, None] < b.closed) & (b.opened < a.closed[:, None])
    return bool(np.any(overlap & (a.agent[:, None] == b.agent)))


def _at_odds(one: Incident, other: Incident) -> bool:
    """Whether one decides about sellers whose orders the other had read later, by the word of another company."""
    calls = other.events.get("gateway")
    if not one.states or not isinstance(calls, Calls):
        return False
    return any(bool(np.any((calls.seller == seller) & (calls.time >= time))) for seller, _, time in one.states)
