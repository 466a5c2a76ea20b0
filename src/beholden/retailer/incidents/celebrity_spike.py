"""Several agents look up somebody famous within two days, with no contact that would be a reason."""

from __future__ import annotations

from typing import Final

from beholden.retailer.chance import DAY_US, Rng
from beholden.retailer.incidents.incident import Incident, following, seen_moment, views_of
from beholden.retailer.world import World

__all__ = ["plan"]

#: Share of the agents who give in.
_CURIOUS: Final = 0.6
_CURIOUS_MAX: Final = 12


def plan(world: World, rng: Rng, number: int) -> Incident:
    """One famous customer; each curious agent opens one to three screens during a shift of theirs."""
    p = world.parameters
    subject = int(world.people.famous[0])
    agents = world.staff.role("agent")
    count = min(_CURIOUS_MAX, round(len(agents) * _CURIOUS))
    curious = rng.permutation(agents)[:count].tolist()
    news = p.start + int(p.days * 0.6) * DAY_US
    events = []
    for who in curious:
        time = seen_moment(world, rng, who, news, min(news + 2 * DAY_US, p.end))
        events += [(at, who, subject) for at in following(rng, time, int(rng.integers(1, 4)))]
    views = views_of(rng, number, [event for event in events if p.start <= event[0] < p.end])
    return Incident(number, "celebrity_spike", "loud", tuple(world.actor_names(curious)), (subject,), views)
