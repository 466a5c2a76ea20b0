"""Fraud and privacy staff: they look at people who have not called, mostly with a case or a request on record."""

from __future__ import annotations

from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, HOUR_US, MINUTE_US, Ints, Rng, hours, stream
from beholden.retailer.events import label
from beholden.retailer.life.console import SCREENS, Views, make_views
from beholden.retailer.life.records import Records, following, in_shift, topic
from beholden.retailer.world import World

__all__ = ["cases_of", "first_looks", "fraud_work", "looks_of_cases", "privacy_requests", "privacy_views"]

_CASE_TOPICS: Final = ("shared card", "chargeback", "account takeover")
_REQUEST_TOPICS: Final = ("access", "erasure", "rectification")
#: Seconds from opening a case to the first look; assumed.
_FIRST_LOOK_SECONDS: Final = (8, 240)
#: Fraud and privacy staff have the weekend off and do the week's work in five days.
_WEEK: Final = 7 / 5
#: Requests wait up to so many days before somebody is told off to handle them, and up to so many more for them to come.
_WAIT_DAYS: Final = 4
_HANDLED_WITHIN_DAYS: Final = 8


def fraud_work(world: World, day: int) -> tuple[Views, Records]:
    """From a customer to those who share the card or the address, and back: hub and spokes. Most of it has a case."""
    return world.once("fraud work", day, lambda: _fraud_work(world, day))


def _fraud_work(world: World, day: int) -> tuple[Views, Records]:
    p, staff = world.parameters, world.staff
    team = staff.at_work("fraud", day)
    if day not in world.calendar.window or not len(team):
        return Views.nothing(), Records.nothing()
    rng = stream(p.seed, "fraud work", day)
    n = int(rng.poisson(p.fraud_cases_a_day_at_full_scale * p.scale * _WEEK))
    linked = _linked(world, rng, day, n)
    n = len(linked)
    actor = team[rng.integers(0, len(team), n)]
    opened = in_shift(rng, staff, actor, day, HOUR_US)
    count = looks_of_cases(rng, n)
    row, time = following(rng, opened + first_looks(rng, n), count, (20, 200))
    step = np.arange(len(row)) - (np.cumsum(count) - count)[row]
    spokes = np.sum(linked >= 0, axis=1) - 1
    customer = linked[row, np.where(step % 2 == 0, 0, 1 + step // 2 % spokes[row])]
    views = make_views(rng, time, actor[row], customer, what=label("benign:fraud_review"))
    on_record = rng.random(n) >= p.fraud_without_case
    seen = np.unique(np.stack([row, customer]), axis=1)
    seen = seen[:, on_record[seen[0]]]
    return views.between(day * DAY_US, (day + 1) * DAY_US), cases_of(rng, p.case_hours, actor, opened, seen[0], seen[1])


def looks_of_cases(rng: Rng, count: int) -> Ints:
    """How many looks each of so many cases takes: at whom it is about and, every other one, at those linked to them."""
    looks: Ints = 2 + rng.poisson(2.0, count)
    return looks


def first_looks(rng: Rng, count: int) -> Ints:
    """How long after opening a case somebody first looks (microseconds)."""
    least, most = _FIRST_LOOK_SECONDS
    return rng.integers(least * 1000, most * 1000, count) * 1000


def cases_of(rng: Rng, hours_open: tuple[int, int], actor: Ints, opened: Ints, case: Ints, customer: Ints) -> Records:
    """Cases by whom and when each was opened; a record for each person in one: ``case`` is its position, and who it is."""
    n = len(opened)
    closed = opened + rng.integers(*hours_open, n, endpoint=True) * HOUR_US + rng.integers(0, 3_600_000, n) * 1000
    what = np.array([topic(name) for name in _CASE_TOPICS])[rng.choice(3, n, p=(0.6, 0.25, 0.15))]
    return Records.joined([Records(actor[case], customer, what[case], opened[case], closed[case])])


def _linked(world: World, rng: Rng, day: int, count: int) -> Ints:
    """A row for each case: the customer it is about, then who shares the card and who lives with either; -1 last."""
    pairs = world.cards.shared_pairs(day, 2 * count)
    if not pairs.shape[1]:
        return np.empty((0, 4), dtype=np.int64)
    hub, partner = pairs[:, rng.choice(pairs.shape[1], count, replace=count > pairs.shape[1])]
    mates = np.stack([world.people.housemate(hub), world.people.housemate(partner)], axis=1)
    mates = np.where((mates == hub[:, None]) | (mates == partner[:, None]), -1, mates)
    return np.concatenate([hub[:, None], partner[:, None], -np.sort(-mates, axis=1)], axis=1)


def privacy_requests(world: World, day: int) -> Records:
    """Requests that came in on a day, with who handled them; those written down late open only then."""
    return _requests(world, day)[0]


def privacy_views(world: World, day: int) -> Views:
    """Privacy staff read one person everywhere: every screen, and some of them again."""
    rng = stream(world.parameters.seed, "privacy views", day)
    parts = []
    for received in range(day - _HANDLED_WITHIN_DAYS, day + 1):
        requests, handled = _requests(world, received)
        mine = handled // DAY_US == day
        parts.append((requests.actor[mine], requests.customer[mine], handled[mine]))
    actor, customer, handled = (np.concatenate(column) for column in zip(*parts, strict=True))
    count = len(SCREENS) + rng.poisson(2.0, len(handled))
    row, time = following(rng, handled, count, (10, 120))
    step = np.arange(len(row)) - (np.cumsum(count) - count)[row]
    screen = np.where(step < len(SCREENS), step, rng.integers(0, len(SCREENS), len(row)))
    views = make_views(rng, time, actor[row], customer[row], what=label("benign:privacy_request"), screen=screen)
    return Views.joined([views]).between(day * DAY_US, (day + 1) * DAY_US)


def _requests(world: World, day: int) -> tuple[Records, Ints]:
    """The requests of a day in the order in which they are on record, and when each was handled."""
    return world.once("privacy requests", day, lambda: _requests_of(world, day))


def _requests_of(world: World, day: int) -> tuple[Records, Ints]:
    p, staff = world.parameters, world.staff
    nothing = Records.nothing(), np.empty(0, dtype=np.int64)
    if day not in world.calendar.window:
        return nothing
    rng = stream(p.seed, "privacy requests", day)
    n = int(rng.poisson(p.privacy_requests_a_day_at_full_scale * p.scale))
    received = day * DAY_US + hours(rng, world.parameters.order_hours, n)
    customer = rng.integers(0, len(world.people), n)
    wait = rng.integers(1, _WAIT_DAYS + 1, n)
    actor, handled = np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for days in range(1, _WAIT_DAYS + 1):
        here = np.flatnonzero(wait == days)
        dates = range(day + days, day + _HANDLED_WITHIN_DAYS + 1)
        date = next((one for one in dates if len(staff.at_work("privacy", one))), None)
        if date is not None:
            team = staff.at_work("privacy", date)
            actor[here] = team[rng.integers(0, len(team), len(here))]
            handled[here] = in_shift(rng, staff, actor[here], date, HOUR_US)
    # Sent by post, or to somebody else: registered when the work was done.
    late = rng.random(n) < p.requests_logged_late
    after = handled + rng.integers(60, 300, n) * MINUTE_US
    opened = np.where(late, after, received)
    closed = after + rng.integers(1, 48 * 60, n) * MINUTE_US
    what = np.array([topic(name) for name in _REQUEST_TOPICS])[rng.choice(3, n, p=(0.5, 0.4, 0.1))]
    known = np.flatnonzero(actor >= 0)
    order = known[np.argsort(opened[known], kind="stable")]
    return Records(actor, customer, what, opened, closed).at(order), handled[order]
