"""Flows that must balance: if they did not, explanations would hold, or fail, by chance."""

from __future__ import annotations

import math

import numpy as np

from beholden.core.errors import BeholdenError
from beholden.retailer.chance import DAY_US
from beholden.retailer.lookalikes import Cases
from beholden.retailer.views import Views
from beholden.retailer.world import World

__all__ = ["check_balance", "documented"]

#: Below so many views a share says nothing.
_VIEWS_MIN = 2000


def check_balance(world: World, views: Views, cases: Cases) -> None:
    """Raise `BeholdenError` if orders, contacts, working days and views do not fit together."""
    p, contacts = world.parameters, world.contacts
    in_window = int(np.sum(world.orders.time >= p.start))
    # Lags carry contacts over days of other levels: a fifth of the mean, and five standard deviations of a count.
    _near("contacts", len(contacts), in_window * p.contacts_per_order, 0.25)
    _near("views", len(views), len(contacts) * (1 + p.views_per_contact_extra) * 1.09, 0.12)
    a_day = len(contacts) / p.working_days_of_agents
    if a_day > p.contacts_an_agent_day * 1.4:
        _fail("contacts an agent and working day", f"{a_day:.1f}", f"about {p.contacts_an_agent_day} at most")
    busy = float(np.sum(contacts.closed - contacts.opened)) / (p.working_days_of_agents * 8 * DAY_US / 24)
    if busy > 0.85:
        _fail("share of agents' time on contacts", f"{busy:.2f}", "0.85 at most")
    share = float(np.mean(documented(world, views, cases))) if len(views) else 1.0
    if len(views) >= _VIEWS_MIN and not 0.89 <= share <= 0.95:
        _fail("share of views with a documented reason", f"{share:.3f}", "0.90 to 0.94")


def documented(world: World, views: Views, cases: Cases) -> np.typing.NDArray[np.bool_]:
    """Whether the ticket or the case system holds, for each view, that actor and customer at that time."""
    contacts = world.contacts
    kept = contacts.ticket >= 0
    still_open = np.where(cases.closed < 0, world.parameters.end, cases.closed)
    actor = np.concatenate([contacts.logged_agent[kept], cases.investigator])
    customer = np.concatenate([contacts.customer[kept], cases.customer])
    opened = np.concatenate([contacts.logged_opened[kept], cases.opened])
    closed = np.concatenate([contacts.logged_closed[kept], still_open])
    size = len(world.people)
    pair = actor * size + customer
    found = np.zeros(len(views), dtype=np.bool_)
    order = np.argsort(pair, kind="stable")
    wanted = views.actor * size + views.customer
    first = np.searchsorted(pair[order], wanted, "left")
    last = np.searchsorted(pair[order], wanted, "right")
    # Few pairs have several intervals: look at the first of each pair, then the second, and so on.
    for step in range(int(np.max(last - first, initial=0))):
        at = order[np.minimum(first + step, len(order) - 1)]
        found |= (first + step < last) & (opened[at] <= views.time) & (views.time < closed[at])
    return found


def _near(what: str, found: float, mean: float, share: float) -> None:
    if abs(found - mean) > share * mean + 5 * math.sqrt(mean) + 5:
        _fail(what, f"{found:.0f}", f"about {mean:.0f}")


def _fail(what: str, found: str, expected: str) -> None:
    raise BeholdenError(f"simulated company: {what}", f"{found}: the flows do not balance", expected=expected)
