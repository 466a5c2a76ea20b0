"""Kinds of incident, registered by name: each plans one incident in the ordinary form of the company's events.

A kind is a function ``plan(world, rng, number) -> Incident``; a new one is a module and a line here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from beholden.retailer.chance import Rng, stream
from beholden.retailer.incidents import card_export, celebrity_spike, personal_lookup
from beholden.retailer.incidents.incident import Incident
from beholden.retailer.world import World

__all__ = ["KINDS", "Incident", "plan_incidents"]

KINDS: Final[dict[str, Callable[[World, Rng, int], Incident]]] = {
    "card_export": card_export.plan,
    "celebrity_spike": celebrity_spike.plan,
    "personal_lookup": personal_lookup.plan,
}

#: What happens in one small company; prevalence, recall and quiet runs will choose for themselves.
_SCHEDULE: Final = ("card_export", "celebrity_spike", "personal_lookup", "personal_lookup")


def plan_incidents(world: World) -> list[Incident]:
    """The incidents of this company's window, numbered from 0."""
    return [
        KINDS[kind](world, stream(world.parameters.seed, f"incident {number}"), number)
        for number, kind in enumerate(_SCHEDULE)
    ]
