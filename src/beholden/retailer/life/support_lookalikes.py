"""Legitimate look-ups in the console that have the shape of snooping: no contact of one's own stands behind them.

Each kind is a function of (world, day); `lookalike_views` is all of them.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from beholden.retailer.chance import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    SECOND_US,
    Bools,
    Chance,
    Ints,
    Rng,
    lognormal,
    stream,
    uniform,
)
from beholden.retailer.contacts import Contacts
from beholden.retailer.events import label
from beholden.retailer.life.assignments import correction, training
from beholden.retailer.life.console import Views, make_views
from beholden.retailer.life.investigations import fraud_work, privacy_views
from beholden.retailer.life.records import SHIFT_US, Records, following, in_shift, shift_starts, topic
from beholden.retailer.world import World

__all__ = ["CONSOLE_ROLES", "call_backs", "lookalike_views", "old_rights", "quality_reviews", "self_views"]

#: Who opens the console as part of their work.
CONSOLE_ROLES: Final = frozenset({"agent", "supervisor", "fraud", "seller_support", "privacy"})
#: A contact is replayed by the fourth day after it.
_REVIEWED_WITHIN_DAYS: Final = 4
_DAYS_A_MONTH: Final = 30


def lookalike_views(world: World, day: int) -> Views:
    """All of a day's look-alikes in the order of time."""
    return Views.joined(
        [
            call_backs(world, day),
            quality_reviews(world, day)[0],
            fraud_work(world, day)[0],
            training(world, day)[0],
            privacy_views(world, day),
            old_rights(world, day),
            self_views(world, day),
            correction(world, day)[0],
        ]
    )


def call_backs(world: World, day: int) -> Views:
    """The agent opens the customer again to ring back: some hours later, or on the next day. No ticket is opened."""
    parts = [_call_backs_after(world, source) for source in (day - 1, day)]
    return Views.joined(parts).between(day * DAY_US, (day + 1) * DAY_US)


def _call_backs_after(world: World, source: int) -> Views:
    """The call-backs that the contacts of a day lead to, on that day and the next."""
    p, staff = world.parameters, world.staff
    contacts = world.service.on(source)
    rng = stream(p.seed, "call-backs", source)
    chosen = contacts.at(rng.random(len(contacts)) < p.call_backs)
    n, ends = len(chosen), shift_starts(staff, chosen.agent, source) + SHIFT_US
    wait = (lognormal(rng, p.call_back_median_minutes, 0.8, n) * 60_000).astype(np.int64) * 1000
    first = chosen.closed + np.maximum(wait, 4 * MINUTE_US)
    tomorrow = (rng.random(n) < p.call_backs_next_day) | (first >= ends)
    first = np.where(tomorrow, in_shift(rng, staff, chosen.agent, source + 1, 10 * MINUTE_US), first)
    there = np.array([staff.works(who, source + 1) for who in chosen.agent.tolist()], dtype=np.bool_)
    happens = np.flatnonzero(there | ~tomorrow)
    row, time = following(rng, first[happens], 1 + rng.poisson(0.4, len(happens)), (5, 180))
    at = happens[row]
    ticket = np.where(rng.random(n) < p.call_back_noted, chosen.ticket, -1)[at]
    return _in_order(
        make_views(rng, time, chosen.agent[at], chosen.customer[at], what=label("benign:call_back"), ticket=ticket)
    )


def quality_reviews(world: World, day: int) -> tuple[Views, Records]:
    """Supervisors replay contacts of the days before; a review is on record, some only when the looking was done."""
    return world.once("quality reviews", day, lambda: _quality_reviews(world, day))


def _quality_reviews(world: World, day: int) -> tuple[Views, Records]:
    p, staff = world.parameters, world.staff
    rng = stream(p.seed, "review views", day)
    parts = [_to_review(world, source, day) for source in range(day - _REVIEWED_WITHIN_DAYS, day)]
    actor, customer, ticket = (np.concatenate(column) for column in zip(*parts, strict=True))
    n = len(actor)
    begins = in_shift(rng, staff, actor, day, 20 * MINUTE_US)
    row, time = following(rng, begins, 2 + rng.poisson(1.0, n), (8, 50))
    noted = np.where(rng.random(len(row)) < p.ticket_noted, ticket[row], -1)
    views = make_views(rng, time, actor[row], customer[row], what=label("benign:quality_review"), ticket=noted)
    late = rng.random(n) < p.reviews_logged_late
    before, after = rng.integers(5, 240, n) * SECOND_US, rng.integers(30, 20 * 60, n) * MINUTE_US
    opened = np.where(late, begins + after, begins - before)
    closed = np.maximum(opened, begins + 10 * MINUTE_US) + rng.integers(60, 1200, n) * SECOND_US
    what = np.full(n, topic("quality review"), dtype=np.int64)
    reviews = Records.joined([Records(actor, customer, what, opened, closed)])
    return _in_order(views).between(day * DAY_US, (day + 1) * DAY_US), reviews


def _to_review(world: World, source: int, day: int) -> tuple[Ints, Ints, Ints]:
    """Supervisor, customer and ticket of those contacts of the one day that are replayed on the other.

    Each agent has a supervisor, who does it on the first day at work after the contact.
    """
    p, staff = world.parameters, world.staff
    contacts = world.service.on(source)
    supervisors = staff.of_role("supervisor", source)
    if not len(supervisors):
        return supervisors, supervisors, supervisors
    share = p.reviews_an_agent_month * p.agents / (_DAYS_A_MONTH * p.contacts_a_day)
    chosen = contacts.at(uniform(Chance(p.seed, "reviewed")(source, np.arange(len(contacts)))) < share)
    first = np.array(
        [
            next((later for later in range(source + 1, day + 1) if staff.works(who, later)), -1)
            for who in supervisors.tolist()
        ],
        dtype=np.int64,
    )
    mine = chosen.agent % len(supervisors)
    now = np.flatnonzero(first[mine] == day)
    return supervisors[mine[now]], chosen.customer[now], chosen.ticket[now]


def old_rights(world: World, day: int) -> Views:
    """Who was transferred still helps the old team out: they open what a former colleague has on the line."""
    p, staff = world.parameters, world.staff
    rng = stream(p.seed, "old rights", day)
    contacts = world.service.on(day)
    teams = np.array([member.team_on(day) for member in staff.members], dtype=np.object_)
    events: list[tuple[int, int, int, int]] = []
    for who, member in enumerate(staff.members):
        if member.moved is None or day < member.moved or member.role not in CONSOLE_ROLES:
            continue
        if not staff.works(who, day) or rng.random() >= p.old_rights_console:
            continue
        start, end = staff.shift_of(who, day)
        asked = _asked_about(rng, contacts, (start, end - HOUR_US // 4), teams == member.team)
        if asked < 0:
            continue
        time = int(contacts.opened[asked]) + int(rng.integers(20, 400)) * SECOND_US + int(rng.integers(1000)) * 1000
        noted = rng.random() < p.call_back_noted
        for _ in range(int(rng.integers(1, 4))):
            events.append((time, who, int(contacts.customer[asked]), int(contacts.ticket[asked]) if noted else -1))
            time += int(rng.integers(4_000, 40_000)) * 1000
    time_, actor, customer, ticket = np.array(sorted(events), dtype=np.int64).reshape(-1, 4).T
    return make_views(rng, time_, actor, customer, what=label("benign:transferred_staff"), ticket=ticket)


def _asked_about(rng: Rng, contacts: Contacts, within: tuple[int, int], team: Bools) -> int:
    """The position of a contact in those hours, of that team (a mask of the staff) where it has one; -1 where there is none."""
    near = np.flatnonzero((contacts.opened >= within[0]) & (contacts.opened < within[1]))
    same = near[team[contacts.agent[near]]]
    found = same if len(same) else near
    return int(found[rng.integers(len(found))]) if len(found) else -1


def self_views(world: World, day: int) -> Views:
    """Staff who called the service themselves look at how it was written down."""
    p, staff = world.parameters, world.staff
    rng = stream(p.seed, "self views", day)
    contacts = world.service.on(day)
    own = {one.customer: who for who, one in enumerate(staff.members) if one.customer >= 0}
    events: list[tuple[int, int, int]] = []
    for at in np.flatnonzero(np.isin(contacts.customer, list(own))).tolist():
        who = own[int(contacts.customer[at])]
        start, end = staff.shift_of(who, day)
        time = (
            max(start, int(contacts.closed[at]))
            + int(rng.integers(60, 7200)) * SECOND_US
            + int(rng.integers(1000)) * 1000
        )
        wants = rng.random() < p.self_views and staff.members[who].role_on(day) in CONSOLE_ROLES
        if not wants or not staff.works(who, day) or time >= end:
            continue
        for _ in range(int(rng.integers(1, 3))):
            events.append((time, who, int(contacts.customer[at])))
            time += int(rng.integers(4_000, 40_000)) * 1000
    time_, actor, customer = np.array(sorted(events), dtype=np.int64).reshape(-1, 3).T
    return make_views(rng, time_, actor, customer, what=label("benign:staff_customer"))


def _in_order(views: Views) -> Views:
    return Views.joined([views])
