"""An agent looks up somebody of the same surname: one to three views, no contact."""

from __future__ import annotations

import numpy as np

from beholden.retailer.chance import Rng
from beholden.retailer.incidents.incident import Incident, following, no_contact, seen_moment, views_of
from beholden.retailer.world import World

__all__ = ["plan"]


def plan(world: World, rng: Rng, number: int) -> Incident:
    """The agent and the customer are drawn; where nobody shares an agent's surname the next agent is tried."""
    p = world.parameters
    agents = rng.permutation(world.staff.role("agent")).tolist()
    who, subject = agents[0], 0
    for candidate in agents:
        same = np.flatnonzero(world.people.surname == world.staff.members[candidate].surname)
        same = no_contact(world, same[same != world.staff.members[candidate].customer])
        if len(same):
            who, subject = candidate, int(rng.choice(same))
            break
    times = following(rng, seen_moment(world, rng, who, p.start, p.end), int(rng.integers(1, 4)))
    views = views_of(rng, number, [(at, who, subject) for at in times if p.start <= at < p.end])
    return Incident(number, "personal_lookup", "loud", tuple(world.actor_names([who])), (subject,), views)
