"""Canary customers: records planted among the others that stand for nobody, so that every look at one is an alarm.

They are named, live and joined as everybody; they order nothing (`Orders` leaves them out), so nobody calls about them.
"""

from __future__ import annotations

import numpy as np

from beholden.retailer.chance import Ints
from beholden.retailer.world import World

__all__ = ["canaries"]


def canaries(world: World) -> Ints:
    """Their positions, in order: those of the last ranks, but for the famous and the staff's own."""
    p = world.parameters
    last = world.people.by_rank(1 - (np.arange(p.canaries) + 0.5) / p.customers)
    buying = np.array([one.customer for one in world.staff.members], dtype=np.int64)
    return np.setdiff1d(last, np.concatenate([world.people.famous, buying]))
