"""Contacts of customers with the service, who handled them and when, and what the ticket system says about it."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from beholden.retailer.calendar import Calendar
from beholden.retailer.chance import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    SECOND_US,
    Bools,
    Floats,
    Ints,
    Rng,
    hours,
    in_order,
    lognormal,
    ranks,
    stream,
    weighted,
)
from beholden.retailer.homes import Homes
from beholden.retailer.orders import Orders
from beholden.retailer.parameters import Parameters
from beholden.retailer.people import People
from beholden.retailer.staff import SHIFT_US, Staff

__all__ = [
    "CHANNELS",
    "COLLEAGUE",
    "LATE",
    "NEVER",
    "REASONS",
    "RIGHT",
    "WRAP_UP_US",
    "Contacts",
    "Service",
    "written_up",
]

CHANNELS: Final = ("phone", "chat", "email")
_CHANNEL_WEIGHTS: Final = (62, 26, 12)
#: reason: mean minutes (trade figures). How often each is: `Parameters.contact_reasons`.
REASONS: Final = {
    "status": 3.0,
    "returns": 5.5,
    "refund": 4.0,
    "shipping": 6.0,
    "product": 4.0,
    "billing": 4.0,
    "other": 4.0,
}
#: How well the ticket covers the contact.
RIGHT, LATE, COLLEAGUE, NEVER = range(4)

_OPENS_HOUR: Final = 7
_CLOSES_HOUR: Final = 22
#: After a contact the agent writes it down.
WRAP_UP_US: Final = 45 * SECOND_US
_HANDLING_MIN_US: Final = 40 * SECOND_US
_LAG_DAYS_MAX: Final = 40
#: A famous customer calls at least and at most so often a day, however small or large the company is; assumed.
_FAMOUS_A_DAY: Final = (0.1, 1.0)
#: Share of ticket numbers that callers take who hang up before anybody answers; assumed.
_HUNG_UP: Final = 0.25
#: Milliseconds that it takes to write a ticket or a case down afterwards; assumed.
_WRITTEN_UP_MS: Final = (40_000, 300_000)
#: Contacts an agent can take on the busiest of days; further callers give up.
_CAPACITY: Final = 78
#: So long after the shift agents still serve who has waited for them; assumed.
_OVERTIME_US: Final = HOUR_US


@dataclass(frozen=True, slots=True)
class Contacts:
    """Contacts of one day in the order they were opened. ``ticket`` and ``logged_*`` are what the ticket system holds."""

    customer: Ints  # positions
    order_id: Ints  # what it is about, or -1
    agent: Ints  # positions among the staff
    opened: Ints
    closed: Ints
    channel: Ints
    reason: Ints
    quality: Ints  # RIGHT, LATE, COLLEAGUE or NEVER
    ticket: Ints  # number, or -1 where the contact was never logged
    logged_agent: Ints
    logged_opened: Ints
    logged_closed: Ints

    def __len__(self) -> int:
        return len(self.opened)

    def at(self, chosen: Ints | Bools) -> Contacts:
        """Those at these positions, or for which the mask is true."""
        return Contacts(**{one.name: getattr(self, one.name)[chosen] for one in fields(self)})


class Service:
    """The contact centre: who called on a day and who served them."""

    def __init__(
        self, parameters: Parameters, calendar: Calendar, people: People, orders: Orders, staff: Staff
    ) -> None:
        self._p = parameters
        self._calendar = calendar
        self._people = people
        self._orders = orders
        self._staff = staff
        self.homes = Homes(parameters, people, staff)
        self._known: dict[int, tuple[Contacts, Ints, Ints]] = {}

    def on(self, day: int) -> Contacts:
        """The contacts of a day; none outside the window. The last few days asked for are remembered."""
        return self._on(day)[0]

    def hung_up(self, day: int) -> tuple[Ints, Ints]:
        """Of callers who hung up unanswered on a day: the ticket number each took, and when; in that order."""
        return self._on(day)[1:]

    def _on(self, day: int) -> tuple[Contacts, Ints, Ints]:
        if day not in self._calendar.window:
            return _NONE, _EMPTY, _EMPTY
        if day not in self._known:
            if len(self._known) >= self._p.days_remembered:
                self._known.pop(next(iter(self._known)))
            self._known[day] = self._draw(day)
        return self._known[day]

    def expected(self, day: int) -> float:
        """How many contacts the orders of the days before a day make, as far as there are agents to take them."""
        return min(float(self._due(day).sum()) * self._p.contacts_per_order, self._capacity(day))

    def _due(self, day: int) -> Floats:
        """The orders of the days before that make their contacts on this day, by lag, by the law of the lag."""
        counts = [self._calendar.orders_on(day - lag) for lag in range(_LAG_DAYS_MAX)]
        return np.array(counts, dtype=np.float64) * self._lag_weights()

    def _draw(self, day: int) -> tuple[Contacts, Ints, Ints]:
        p = self._p
        rng = stream(p.seed, "contacts", day)
        customer, order_id, ordered = self._callers(rng, day)
        arrived = day * DAY_US + hours(rng, self._hours(day), len(customer))
        # Who ordered so late that nobody is there any more does not call that day.
        arrived = np.maximum(arrived, ordered + 10 * MINUTE_US)
        served = np.flatnonzero(self._hours(day)) * HOUR_US + day * DAY_US
        inside = np.isin(arrived - arrived % HOUR_US, served)
        order = np.flatnonzero(inside)[in_order(arrived[inside])]
        customer, order_id, arrived = customer[order], order_id[order], arrived[order]
        n = len(arrived)
        reason = weighted(rng, p.contact_reasons, n)
        mean = np.array(list(REASONS.values()), dtype=np.float64)[reason]
        # The trade figures are means; a lognormal's median is lower by this factor.
        median: Floats = mean * np.exp(-(p.handling_sigma**2) / 2)
        handling = (lognormal(rng, median, p.handling_sigma, n) * MINUTE_US).astype(np.int64)
        # What would be shorter than the shortest is by as much longer: no two contacts take exactly as long.
        handling = (_HANDLING_MIN_US + np.abs(handling - _HANDLING_MIN_US)) // 1000 * 1000 + WRAP_UP_US
        agent = self._assigned(rng, day, arrived, customer)
        customer, order_id = self._acquainted(day, agent, customer, order_id)
        opened, closed = _one_after_another(agent, arrived, handling)
        # Who still waits long after the shift has given up; so have the few who would have got themselves.
        ends = self._staff.shift_starts(day)[agent] + SHIFT_US
        served = np.flatnonzero((agent >= 0) & (closed < ends + _OVERTIME_US))
        order = served[in_order(opened[served])]
        n = len(order)
        nothing = np.zeros(n, dtype=np.int64)
        handled = Contacts(
            customer[order], order_id[order], agent[order], opened[order], closed[order],
            weighted(rng, _CHANNEL_WEIGHTS, n), reason[order], nothing, nothing, agent[order], opened[order], closed[order],
        )  # fmt: skip
        return self._noted(rng, day, handled)

    def _callers(self, rng: Rng, day: int) -> tuple[Ints, Ints, Ints]:
        """Who calls: customer, order and its time; about orders of the days before, by the law of the lag."""
        due = self._due(day)
        n = min(int(rng.poisson(due.sum() * self._p.contacts_per_order)), self._capacity(day))
        ordered_on = day - weighted(rng, due, n)
        count = np.array([self._calendar.orders_on(day - lag) for lag in range(_LAG_DAYS_MAX)], dtype=np.int64)
        place = (rng.random(n) * count[day - ordered_on]).astype(np.int64)
        famous = self._people.famous
        share = min(max(n * self._p.contacts_of_famous / len(famous), _FAMOUS_A_DAY[0]), _FAMOUS_A_DAY[1])
        famous = famous[rng.random(len(famous)) < share]
        buying = np.array([one.customer for one in self._staff.members if one.customer >= 0], dtype=np.int64)
        more = np.concatenate([famous, buying[rng.random(len(buying)) < self._p.staff_contacts_a_day]])
        more = more[: max(1, n // 4)]
        nobody = np.full(len(more), -1, dtype=np.int64)
        return (
            np.concatenate([self._orders.customer(ordered_on, place), more]),
            np.concatenate([self._orders.order_id(ordered_on, place), nobody]),
            np.concatenate([self._orders.time(ordered_on, place), nobody]),
        )

    def _capacity(self, day: int) -> int:
        return _CAPACITY * max(1, len(self._staff.at_work("agent", day)))

    def _lag_weights(self) -> Floats:
        """The share of contacts that come so many dates after the order: what is nearest to that many whole days."""
        edges = np.log(np.maximum(np.arange(_LAG_DAYS_MAX + 1) - 0.5, 1e-9) / self._p.contact_lag_median_days)
        share = np.array([_normal(edge / self._p.contact_lag_sigma) for edge in edges.tolist()])
        return np.diff(share)

    def _assigned(self, rng: Rng, day: int, arrived: Ints, customer: Ints) -> Ints:
        """An agent whose shift it is for each contact, in turn; -1 where that could only be the caller."""
        members = self._staff.members
        taken = np.empty(len(arrived), dtype=np.int64)
        hour = arrived // HOUR_US % 24
        for at in np.flatnonzero(np.bincount(hour)).tolist():
            turns = rng.permutation(self._staff.on_shift("agent", day, at))
            mine = np.flatnonzero(hour == at)
            taken[mine] = turns[(np.arange(len(mine)) + int(rng.integers(len(turns)))) % len(turns)]
        today = self._staff.at_work("agent", day).tolist()
        own = {members[i].customer: i for i in today if members[i].customer >= 0}
        for position in np.flatnonzero(np.isin(customer, list(own))).tolist():
            if taken[position] == own[int(customer[position])]:  # nobody serves themselves
                now = self._staff.on_shift("agent", day, int(hour[position])).tolist()
                taken[position] = next((i for i in now if i != taken[position]), -1)
        return taken

    def _hours(self, day: int) -> list[int]:
        """How much happens in each hour of the day while the centre is open and somebody is there."""
        there = set(self._staff.hours_covered("agent", day)) & set(range(_OPENS_HOUR, _CLOSES_HOUR))
        return [weight if hour in there else 0 for hour, weight in enumerate(self._p.order_hours)]

    def _acquainted(self, day: int, agent: Ints, customer: Ints, order_id: Ints) -> tuple[Ints, Ints]:
        """A few callers are family or neighbours of who serves them: they ask for whom they know, or it is chance."""
        p, n = self._p, len(agent)
        rng = stream(p.seed, "acquainted contacts", day)
        found = np.full(n, -1, dtype=np.int64)
        for share, known in (
            (p.contacts_of_neighbours, self.homes.neighbours),
            (p.contacts_of_relatives, self.homes.relatives),
        ):
            one = known[agent, rng.integers(0, known.shape[1], n)]
            # Whose first pick is nobody has somebody in the first column, if at all.
            one = np.where(one < 0, known[agent, 0], one)
            found = np.where((rng.random(n) < share) & (one >= 0), one, found)
        return np.where(found >= 0, found, customer), np.where(found >= 0, -1, order_id)

    def _noted(self, rng: Rng, day: int, handled: Contacts) -> tuple[Contacts, Ints, Ints]:
        n, p = len(handled), self._p
        draw = rng.random(n)
        edges = np.cumsum([p.logged_late, p.logged_for_colleague, p.never_logged])
        quality = np.select([draw < edges[0], draw < edges[1], draw < edges[2]], [LATE, COLLEAGUE, NEVER], RIGHT)
        beside = self._staff.beside(rng, "agent", handled.agent, handled.opened, day)
        quality = np.where((quality == COLLEAGUE) & (beside == handled.agent), RIGHT, quality)
        late = rng.integers(60_000, 3_600_000, n) * 1000
        opened = np.where(quality == LATE, handled.closed + late, handled.opened)
        # Tickets are numbered through the day, in the order in which they are opened; each day begins a new ten million.
        # Callers who hang up come by the same law: their numbers lie among the others as any do.
        gone = stream(p.seed, "hung up", day)
        left = np.sort(day * DAY_US + hours(gone, self._hours(day), int(gone.poisson(n * _HUNG_UP / (1 - _HUNG_UP)))))
        kept = np.flatnonzero(quality != NEVER)
        place = ranks(np.concatenate([opened[kept], left]))
        number = (day % 10_000) * 10_000_000 + 1 + place
        ticket = np.full(n, -1, dtype=np.int64)
        ticket[kept] = number[: len(kept)]
        noted = replace(
            handled,
            quality=quality.astype(np.int64),
            ticket=ticket,
            logged_agent=np.where(quality == COLLEAGUE, beside, handled.agent),
            logged_opened=opened,
            logged_closed=np.where(quality == LATE, opened + written_up(gone, n), handled.closed),
        )
        return noted, number[len(kept) :], left


def written_up(rng: Rng, count: int) -> Ints:
    """How long it takes to write a ticket or a case down afterwards (microseconds)."""
    return rng.integers(*_WRITTEN_UP_MS, count) * 1000


def _normal(value: float) -> float:
    """The distribution function of the standard normal law."""
    return 0.5 * (1 + math.erf(value / math.sqrt(2)))


def _one_after_another(agent: Ints, arrived: Ints, handling: Ints) -> tuple[Ints, Ints]:
    """When each contact begins and ends if an agent serves one at a time, first come first served.

    ``end_k = max over j <= k of (arrived_j + handling_j + ... + handling_k)``: a running maximum for each agent.
    """
    opened, closed = np.empty_like(arrived), np.empty_like(arrived)
    if not len(agent):
        return opened, closed
    order = in_order(agent)
    new = np.append(True, np.diff(agent[order]) != 0)
    group = np.cumsum(new) - 1
    lasted = handling[order]
    done = np.cumsum(lasted)
    done -= (done - lasted)[new][group]
    begun = arrived[order] - (done - lasted)
    # Each agent's numbers lie above those of the one before, so that one pass over all keeps them apart.
    apart = group * (int(begun.max()) - int(begun.min()) + 1)
    end = np.maximum.accumulate(begun + apart) - apart + done
    opened[order], closed[order] = end - lasted, end
    return opened, closed


_EMPTY: Final = np.empty(0, dtype=np.int64)
_NONE: Final = Contacts(*[_EMPTY] * len(fields(Contacts)))
