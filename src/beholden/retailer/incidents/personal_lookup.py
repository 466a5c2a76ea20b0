"""Somebody looks up a celebrity, or one they know: an ex, a relative, a neighbour, a colleague. One to three looks.

There was no contact. Loud: on any day at work. Paced: on a day with room for it. Mimicry: the agent has a contact on
record that nobody had, fraud staff a case.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from beholden.retailer.chance import Rng
from beholden.retailer.incidents.incident import Incident
from beholden.retailer.incidents.looks import LOOKERS, Looks
from beholden.retailer.incidents.working_days import employed, work_days
from beholden.retailer.world import World

__all__ = ["plan"]

_DAYS_TRIED: Final = 12
_STAFF_TRIED: Final = 12


def plan(world: World, rng: Rng, number: int, grade: str, start: int, end: int) -> Incident | None:
    """One of the staff, one they should not have opened."""
    for who in employed(world, rng, LOOKERS[grade], start, end)[:_STAFF_TRIED]:
        looks = Looks(world, rng, "personal_lookup", number, grade)
        days = rng.permutation(np.array(work_days(world, who, start, end), dtype=np.int64))[:_DAYS_TRIED].tolist()
        if looks.add(who, _subject(world, rng, who), days, int(rng.integers(1, 4))):
            return looks.incident()
    return None


def _subject(world: World, rng: Rng, who: int) -> int:
    """Whom they look up; a celebrity where they know nobody of the kind drawn."""
    homes, members = world.service.homes, world.staff.members
    weights = np.array(world.parameters.lookup_relations)
    kind = int(rng.choice(len(weights), p=weights / weights.sum()))
    known = [world.people.famous]
    known += [homes.relatives[who], homes.neighbours[who]]
    known.append(np.array([one.customer for at, one in enumerate(members) if at != who], dtype=np.int64))
    known.append(rng.integers(0, len(world.people), 4))
    found = known[kind][known[kind] >= 0]
    return int(rng.choice(found if len(found) else world.people.famous))
