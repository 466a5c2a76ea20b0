"""Legitimate look-ups that have the shape of snooping: no contact of one's own stands behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from beholden.retailer.cards import Cards
from beholden.retailer.chance import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Ints, Rng, stream
from beholden.retailer.contacts import Contacts
from beholden.retailer.parameters import Parameters
from beholden.retailer.staff import Staff
from beholden.retailer.views import Views, label, make_views

__all__ = ["Cases", "call_backs", "fraud_reviews", "quality_reviews", "training"]


@dataclass(frozen=True, slots=True)
class Cases:
    """Fraud cases as the case system holds them."""

    investigator: Ints  # positions among the staff
    customer: Ints  # positions
    opened: Ints
    closed: Ints  # -1 while open


def call_backs(parameters: Parameters, contacts: Contacts) -> Views:
    """The same agent opens the customer again some hours later, to ring back; no ticket is opened for it."""
    rng = stream(parameters.seed, "call-backs")
    after = contacts.closed + rng.integers(10, 150, len(contacts)) * MINUTE_US
    chosen = np.flatnonzero((rng.random(len(contacts)) < parameters.call_backs) & (after < parameters.end))
    at = np.repeat(chosen, 1 + rng.poisson(0.4, len(chosen)))
    time = after[at] + rng.integers(0, 180_000, len(at)) * 1000
    time = np.minimum(time, parameters.end - SECOND_US)
    return make_views(rng, time, contacts.agent[at], contacts.customer[at], what=label("benign:call_back"))


def quality_reviews(parameters: Parameters, staff: Staff, contacts: Contacts) -> Views:
    """Supervisors replay some contacts of each agent within the following days."""
    rng = stream(parameters.seed, "quality reviews")
    # A small team's contacts are reviewed at the rate of a large one's, not until hardly another is left.
    share = parameters.reviews_an_agent_month / (parameters.contacts_an_agent_day * 30 * 5 / 7)
    busy = parameters.contacts_a_day * parameters.days / parameters.working_days_of_agents
    share *= max(1.0, min(parameters.contacts_an_agent_day / busy, 2.5))
    chosen = np.flatnonzero(rng.random(len(contacts)) < share).tolist()
    supervisors = staff.role("supervisor")
    time: list[int] = []
    actor: list[int] = []
    customer: list[int] = []
    for at in chosen:
        who = int(supervisors[int(contacts.agent[at]) % len(supervisors)])
        after = int(contacts.closed[at]) + HOUR_US
        start = staff.moment_at_work(rng, who, after, after + 3 * DAY_US)
        for step in range(2 + int(rng.poisson(1.0))):
            time.append(start + step * int(rng.integers(8_000, 50_000)) * 1000)
            actor.append(who)
            customer.append(int(contacts.customer[at]))
    return _views(rng, parameters, time, actor, customer, "benign:quality_review")


def fraud_reviews(parameters: Parameters, staff: Staff, cards: Cards) -> tuple[Views, Cases]:
    """Fraud staff go from a customer to those who share a card; most of it, not all, has a case."""
    rng = stream(parameters.seed, "fraud reviews")
    mean = parameters.fraud_cases_a_day_at_full_scale * parameters.scale * parameters.days
    team = staff.role("fraud")
    time: list[int] = []
    actor: list[int] = []
    customer: list[int] = []
    cases: list[tuple[int, int, int, int]] = []
    for _ in range(int(rng.poisson(mean))):
        who = int(team[rng.integers(len(team))])
        opened = staff.moment_at_work(rng, who, parameters.start, parameters.end)
        linked = cards.shared[:, rng.integers(cards.shared.shape[1])].tolist()
        closed = opened + int(rng.integers(2, 72)) * HOUR_US
        if rng.random() >= parameters.fraud_without_case:
            cases += [(who, person, opened, closed if closed < parameters.end else -1) for person in linked]
        for step in range(2 + int(rng.poisson(2.0))):
            time.append(opened + (60 + step * int(rng.integers(20, 200))) * SECOND_US + int(rng.integers(1000)) * 1000)
            actor.append(who)
            customer.append(int(linked[step % 2]))
    views = _views(rng, parameters, time, actor, customer, "benign:fraud_review")
    columns = np.array(sorted(cases, key=lambda case: case[2]), dtype=np.int64).reshape(-1, 4).T
    return views, Cases(*columns)


def training(parameters: Parameters, staff: Staff) -> Views:
    """New hires open the same few customers in their first days."""
    rng = stream(parameters.seed, "training")
    pupils = staff.role("trainee").tolist()
    examples = rng.integers(0, parameters.customers, 4).tolist()
    time: list[int] = []
    actor: list[int] = []
    customer: list[int] = []
    for who in pupils:
        start = staff.moment_at_work(rng, who, parameters.start, parameters.start + 3 * DAY_US)
        for step, person in enumerate(examples * 2):
            time.append(start + step * int(rng.integers(20, 120)) * SECOND_US + int(rng.integers(1000)) * 1000)
            actor.append(who)
            customer.append(person)
    return _views(rng, parameters, time, actor, customer, "benign:training")


def _views(
    rng: Rng, parameters: Parameters, time: list[int], actor: list[int], customer: list[int], what: str
) -> Views:
    """What falls into the window."""
    columns = [np.array(column, dtype=np.int64) for column in (time, actor, customer)]
    inside = (columns[0] >= parameters.start) & (columns[0] < parameters.end)
    return make_views(rng, *(column[inside] for column in columns), what=label(what))
