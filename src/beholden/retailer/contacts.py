"""Contacts of customers with the service, who handled them and when, and what the ticket system says about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from beholden.retailer.chance import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    SECOND_US,
    Floats,
    Ints,
    Rng,
    hours,
    lognormal,
    stream,
    weighted,
)
from beholden.retailer.orders import Orders
from beholden.retailer.parameters import ORDER_HOURS, Parameters
from beholden.retailer.people import People
from beholden.retailer.staff import Staff

__all__ = ["CHANNELS", "COLLEAGUE", "LATE", "NEVER", "RIGHT", "Contacts", "make_contacts"]

CHANNELS: Final = ("phone", "chat", "email")
_CHANNEL_WEIGHTS: Final = (62, 26, 12)
#: reason: weight, mean minutes (trade figures).
REASONS: Final = {
    "status": (30, 3.0),
    "returns": (20, 5.5),
    "refund": (12, 4.0),
    "shipping": (12, 6.0),
    "product": (12, 4.0),
    "billing": (8, 4.0),
    "other": (6, 4.0),
}
#: How well the ticket covers the contact.
RIGHT, LATE, COLLEAGUE, NEVER = range(4)

_OPENS_HOUR: Final = 7
_CLOSES_HOUR: Final = 22
_WRAP_UP_US: Final = 45 * SECOND_US
_HANDLING_MIN_US: Final = 40 * SECOND_US


@dataclass(frozen=True, slots=True)
class Contacts:
    """Contacts in the order they were opened. ``ticket`` and ``logged_*`` are what the ticket system holds."""

    customer: Ints  # positions
    agent: Ints  # positions among the staff
    opened: Ints
    closed: Ints
    channel: Ints
    reason: Ints
    quality: Ints  # RIGHT, LATE, COLLEAGUE or NEVER
    logged_agent: Ints
    logged_opened: Ints
    logged_closed: Ints

    def __len__(self) -> int:
        return len(self.opened)

    @property
    def ticket(self) -> Ints:
        """The ticket's number; there is none where the contact was never logged."""
        return np.where(self.quality == NEVER, -1, 4_000_000 + np.cumsum(self.quality != NEVER))


def make_contacts(parameters: Parameters, people: People, staff: Staff, orders: Orders) -> Contacts:
    """Draw the contacts of the window, hand them to agents at work, and note them as well as life allows."""
    rng = stream(parameters.seed, "contacts")
    about = np.flatnonzero(rng.random(len(orders)) < parameters.contacts_per_order)
    lag: Floats = lognormal(rng, parameters.contact_lag_median_days, parameters.contact_lag_sigma, len(about))
    ordered = orders.time[about]
    arrived = _opening_times(rng, ordered, ordered + (lag * DAY_US).astype(np.int64))
    inside = (arrived >= parameters.start) & (arrived < parameters.end)
    order = np.argsort(arrived[inside], kind="stable")
    arrived = arrived[inside][order]
    customer = orders.customer[about[inside][order]]
    n = len(arrived)
    _give_contacts_to(rng, customer, np.concatenate([np.repeat(people.famous, 2), _buying_agents(staff)]))
    reason = weighted(rng, [weight for weight, _ in REASONS.values()], n)
    mean = np.array([minutes for _, minutes in REASONS.values()], dtype=np.float64)[reason]
    # The trade figures are means; a lognormal's median is lower by this factor.
    median = mean * np.exp(-(parameters.handling_sigma**2) / 2)
    handling = (lognormal(rng, median, parameters.handling_sigma, n) * MINUTE_US).astype(np.int64)
    handling = np.maximum(handling, _HANDLING_MIN_US) // 1000 * 1000 + _WRAP_UP_US
    agent = _assigned(rng, staff, arrived, customer)
    opened, closed = _one_after_another(agent, arrived, handling)
    order = np.argsort(opened, kind="stable")
    handled = Contacts(
        customer=customer[order],
        agent=agent[order],
        opened=opened[order],
        closed=closed[order],
        channel=weighted(rng, _CHANNEL_WEIGHTS, n),
        reason=reason[order],
        quality=np.zeros(n, dtype=np.int64),
        logged_agent=agent[order],
        logged_opened=opened[order],
        logged_closed=closed[order],
    )
    return _noted(rng, parameters, staff, handled)


def _opening_times(rng: Rng, ordered: Ints, due: Ints) -> Ints:
    """The day a contact is due, at an hour the centre is open, never before the order itself."""
    open_hours = [w if _OPENS_HOUR <= hour < _CLOSES_HOUR else 0 for hour, w in enumerate(ORDER_HOURS)]
    time: Ints = due - due % DAY_US + hours(rng, open_hours, len(due))
    return np.where(time < ordered + 10 * MINUTE_US, time + DAY_US, time)


def _buying_agents(staff: Staff) -> Ints:
    return np.array([member.customer for member in staff.members if member.customer >= 0], dtype=np.int64)


def _give_contacts_to(rng: Rng, customer: Ints, chosen: Ints) -> None:
    """Let certain customers have a contact each: the famous and staff who buy call the service like everyone else."""
    chosen = chosen[: len(customer) // 4]
    customer[rng.choice(len(customer), len(chosen), replace=False)] = chosen


def _assigned(rng: Rng, staff: Staff, arrived: Ints, customer: Ints) -> Ints:
    """An agent at work in that hour for each contact, in turn; the day's other agents where nobody's shift covers it."""
    agents = staff.role("agent").tolist()
    taken = np.empty(len(arrived), dtype=np.int64)
    slots = arrived // HOUR_US
    edges = np.flatnonzero(np.diff(slots, prepend=-1)).tolist()
    for first, last in zip(edges, [*edges[1:], len(arrived)], strict=True):
        day, hour = divmod(int(slots[first]), 24)
        today = [i for i in agents if staff.members[i].works(day)] or agents
        now = [i for i in today if staff.members[i].shift <= hour < staff.members[i].shift + 8] or today
        turns = rng.permutation(np.array(now, dtype=np.int64))
        taken[first:last] = turns[(np.arange(last - first) + int(rng.integers(len(now)))) % len(now)]
    own = {member.customer: at for at, member in enumerate(staff.members) if member.customer >= 0}
    for position in np.flatnonzero(np.isin(customer, list(own))).tolist():
        if taken[position] == own[int(customer[position])]:  # nobody serves themselves
            taken[position] = next(i for i in agents if i != taken[position])
    return taken


def _one_after_another(agent: Ints, arrived: Ints, handling: Ints) -> tuple[Ints, Ints]:
    """When each contact begins and ends if an agent serves one at a time, first come first served.

    ``end_k = max over j <= k of (arrived_j + handling_j + ... + handling_k)``: a running maximum for each agent.
    """
    opened, closed = np.empty_like(arrived), np.empty_like(arrived)
    for who in np.unique(agent):
        mine = np.flatnonzero(agent == who)
        done = np.cumsum(handling[mine])
        end = np.maximum.accumulate(arrived[mine] - (done - handling[mine])) + done
        opened[mine], closed[mine] = end - handling[mine], end
    return opened, closed


def _noted(rng: Rng, parameters: Parameters, staff: Staff, handled: Contacts) -> Contacts:
    n = len(handled)
    p = parameters
    draw = rng.random(n)
    edges = np.cumsum([p.logged_late, p.logged_for_colleague, p.never_logged])
    quality = np.select([draw < edges[0], draw < edges[1], draw < edges[2]], [LATE, COLLEAGUE, NEVER], RIGHT)
    late = rng.integers(60, 3600, n) * SECOND_US
    opened = np.where(quality == LATE, handled.closed + late, handled.opened)
    agents = staff.role("agent")
    other = agents[(np.searchsorted(agents, handled.agent) + rng.integers(1, len(agents), n)) % len(agents)]
    return replace(
        handled,
        quality=quality,
        logged_agent=np.where(quality == COLLEAGUE, other, handled.agent),
        logged_opened=opened,
        logged_closed=np.where(quality == LATE, opened + 2 * MINUTE_US, handled.closed),
    )
