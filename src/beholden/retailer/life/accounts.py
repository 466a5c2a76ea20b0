"""Customers' accounts in the shop: who signed in, set a password anew, wrote or deleted a review, and the log of it.

Several hosts serve them, each with a log of its own; whatever comes next may be served by another.

Most of it customers do themselves. Agents can sign in to an account on a customer's behalf (an *assisted* sign-in),
which the shop logs with who they are; they do so in some contacts, and now and then delete a review when asked to.
All volumes are assumed: no log of the kind is public.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from beholden.core.errors import BeholdenError
from beholden.retailer.chance import (
    DAY_US,
    SECOND_US,
    Chance,
    Ints,
    Rng,
    below,
    lognormal,
    moments,
    stream,
    uniform,
)
from beholden.retailer.contacts import LATE, RIGHT
from beholden.retailer.events import Events, label
from beholden.retailer.life.places import CARRIERS, CARRIERS_SHARED, dotted_pieces, places_on
from beholden.retailer.life.records import following
from beholden.retailer.log_files import LogKind
from beholden.retailer.render import Chosen, given, instants, lines, matrix, numbers
from beholden.retailer.words import words_of
from beholden.retailer.world import World

__all__ = [
    "ASSISTED", "DELETE", "EDIT", "OPERATIONS", "POST", "RESET", "REVIEW_LAG_SIGMA", "SIGN_IN", "Visits", "account_visits",
    "accounts_log", "assisted_visits", "host_of", "make_visits", "reviews_held", "reviews_of_day", "reviews_of_incident",
    "visits_by_host",
]  # fmt: skip

OPERATIONS: Final = ("sign_in", "assisted_sign_in", "password_reset", "review_post", "review_edit", "review_delete")
SIGN_IN, ASSISTED, RESET, POST, EDIT, DELETE = range(len(OPERATIONS))
_RESULTS: Final = ("ok", "wrong password", "denied")
_CLIENTS: Final = (
    "shop-app/8.4 Android", "shop-app/8.4 iOS", "web/Chrome Windows", "web/Safari macOS", "web/Firefox Linux", "console-assist/3",
)  # fmt: skip
_CLIENT_EDGES: Final = (0.34, 0.62, 0.84, 0.95, 1.0)
_ASSIST: Final = len(_CLIENTS) - 1
#: Customers come from the addresses kept for carriers, some of them behind few shared ones; assumed.
_CARRIER_BITS: Final = 22
REVIEW_LAG_SIGMA: Final = 0.6  # of the days from the order to the review; assumed
_CHANGED_S: Final = 7200  # after which a new review is changed no more; assumed
_FIRST_REVIEW: Final = 10_000_000_001
_REVIEW_BITS: Final = 36  # all numbers have eleven digits
#: Keys of reviews' numbers: of those that customers have room for, more than the largest company needs; then so many of
#: those that incidents deal with; then so many of all other ones.
_FIRST_OF_INCIDENTS: Final = 1 << 34
_FIRST_OF_DAYS: Final = 1 << 35
_KEYS: Final = 1 << 34
_KEYS_OF_INCIDENT: Final = 1 << 21  # so that there is room for eight thousand incidents
_WAYS: Final = (POST, DELETE, ASSISTED)
_REVIEWS_MAX: Final = 4
#: How numbers are scattered: by so many bits downwards, times an odd number.
_REVIEW_ROUNDS: Final = ((16, 0x9E3779B1), (13, 0xC9A5D3E7), (15, 0xB5297A4D))


@dataclass(frozen=True, slots=True)
class Visits(Events):
    """What was done in customers' accounts. ``actor`` is -1 where it was the customer; else who of the staff."""

    customer: Ints  # positions
    operation: Ints
    review: Ints  # number, or -1
    ticket: Ints  # or -1
    result: Ints
    address: Ints
    client: Ints
    order: Ints  # id of the order that a new review is about, or -1; the order system knows it, the log does not


def make_visits(
    rng: Rng, world: World, time: Ints, customer: Ints, operation: Ints | int, *, what: int | Ints = 0, incident: int = -1,
    actor: Ints | None = None, review: Ints | None = None, ticket: Ints | None = None, result: Ints | None = None,
    address: Ints | None = None, client: Ints | None = None, order: Ints | None = None,
) -> Visits:  # fmt: skip
    """Those operations in those accounts at those times; what is not given is drawn as everyone's is.

    Where ``actor`` names somebody of the staff the address is where they are that day.
    """
    n = len(time)
    who = np.full(n, -1, dtype=np.int64) if actor is None else actor
    where, usual = _whereabouts(world, time, customer)
    helped = who >= 0
    for day in np.unique(time[helped] // DAY_US).tolist():
        here = helped & (time // DAY_US == day)
        where[here] = places_on(world, day).address[who[here]]
    nothing = np.full(n, -1, dtype=np.int64)
    denied = np.where(rng.random(n) < world.parameters.accounts_denied, 2, 0)
    return Visits(
        time=time,
        actor=who,
        label=_filled(what, n),
        incident=np.full(n, incident, dtype=np.int64),
        customer=customer,
        operation=_filled(operation, n),
        review=nothing if review is None else review,
        ticket=nothing if ticket is None else ticket,
        result=denied if result is None else result,
        address=where if address is None else address,
        client=np.where(helped, _ASSIST, usual) if client is None else client,
        order=nothing if order is None else order,
    )


def _filled(value: Ints | int, n: int) -> Ints:
    return np.full(n, value, dtype=np.int64) if isinstance(value, int) else value


def _whereabouts(world: World, time: Ints, customer: Ints) -> tuple[Ints, Ints]:
    """Address and client of each customer: one address for a household, another each week behind a carrier."""
    seed = world.parameters.seed
    home = Chance(seed, "account homes")(world.service.homes.household(customer))
    roaming = Chance(seed, "account roaming")(customer, time // (7 * DAY_US))
    shared = uniform(roaming) < world.parameters.customers_roaming
    where = np.where(shared, below(roaming << np.uint64(20), CARRIERS_SHARED), below(home, 1 << _CARRIER_BITS))
    drawn = uniform(Chance(seed, "account clients")(customer, shared.astype(np.int64)))
    return CARRIERS + where, np.searchsorted(_CLIENT_EDGES, drawn, side="right").astype(np.int64)


def reviews_held(world: World, customer: Ints) -> tuple[Ints, Ints]:
    """Every number that these customers have room for before the window, with the place of the customer in ``customer``."""
    room = 1 + below(Chance(world.parameters.seed, "reviews")(customer), _REVIEWS_MAX)
    row = np.repeat(np.arange(len(customer)), room)
    place = np.arange(len(row)) - np.repeat(np.cumsum(room) - room, room)
    return row, _review_numbers(world, customer[row] * _REVIEWS_MAX + place)


def reviews_of_day(world: World, day: int, host: int, operation: int, count: int) -> Ints:
    """Numbers of so many reviews that are posted, or deleted though they are from before the window.

    Each is given out once: nobody else, on no other day, gets it. ``operation`` is `POST`, `DELETE`, or `ASSISTED` where
    agents delete.
    """
    p, way = world.parameters, _WAYS.index(operation)
    place = (np.arange(count) * len(_WAYS) + way) * p.hosts + host
    return _review_numbers(world, _FIRST_OF_DAYS + _within(place * p.days + day - world.calendar.window[0]))


def reviews_of_incident(world: World, incident: int, count: int) -> Ints:
    """Numbers of so many reviews from before the window for one incident, as `reviews_of_day` has them."""
    key = incident * _KEYS_OF_INCIDENT + _within(np.arange(count), _KEYS_OF_INCIDENT)
    return _review_numbers(world, _FIRST_OF_INCIDENTS + _within(key))


def _within(key: Ints, most: int = _KEYS) -> Ints:
    """The keys, which ascend, if they are below that."""
    if len(key) and key[-1] >= most:
        raise BeholdenError(
            "simulated company: reviews",
            "more are written or deleted than have a number",
            expected=f"keys of them below {most:,}",
            advice="choose a smaller scale, or lower reviews_written or reviews_deleted",
        )
    return key


def _review_numbers(world: World, key: Ints) -> Ints:
    """A number of its own for each key, in no order and all of one length: every step can be undone."""
    mask = np.uint64((1 << _REVIEW_BITS) - 1)
    state = key.astype(np.uint64) ^ (Chance(world.parameters.seed, "review numbers")() & mask)
    for shift, factor in _REVIEW_ROUNDS:
        state = ((state ^ (state >> np.uint64(shift))) * np.uint64(factor)) & mask
    number: Ints = (state ^ (state >> np.uint64(16))).astype(np.int64)
    return _FIRST_REVIEW + number


def host_of(world: World, visits: Visits) -> Ints:
    """Which host (from 0) serves what was not already made for one: any, whoever comes."""
    return below(Chance(world.parameters.seed, "account hosts")(visits.time, visits.customer), world.parameters.hosts)


def account_visits(world: World, day: int) -> Visits:
    """Everything that customers and agents did in accounts on a day, in the order of time."""
    return Visits.joined([visits for _, visits in visits_by_host(world, day)])


def visits_by_host(world: World, day: int) -> Iterator[tuple[int, Visits]]:
    """What customers and agents did in accounts on a day, in the order of time, host by host."""
    for host in range(world.parameters.hosts):
        yield host, _visits_at(world, day, host)


def _visits_at(world: World, day: int, host: int) -> Visits:
    if day not in world.calendar.window:
        return Visits.nothing()
    rng = stream(world.parameters.seed, "account visits", day, host)
    parts = [*_sign_ins(rng, world, day, host), *_reviews(rng, world, day, host), assisted_visits(world, day, host)]
    return Visits.joined(parts).between(day * DAY_US, (day + 1) * DAY_US)


def _customers(rng: Rng, world: World, day: int, count: int) -> Ints:
    """Customers in proportion to what they order."""
    place = rng.integers(0, max(1, world.calendar.orders_on(day)), count)
    return world.orders.customer(np.full(count, day, dtype=np.int64), place)


def _sign_ins(rng: Rng, world: World, day: int, host: int) -> list[Visits]:
    """Before some orders, and without any; some with a new password first, some after a wrong one."""
    p, orders = world.parameters, np.arange(host, world.calendar.orders_on(day), world.parameters.hosts)
    place = orders[rng.random(len(orders)) < p.account_logins]
    ordered = np.full(len(place), day, dtype=np.int64)
    looking = int(rng.poisson(len(orders) * p.account_visits))
    time = np.concatenate([
        world.orders.time(ordered, place) - rng.integers(20_000, 1_500_000, len(place)) * 1000,
        day * DAY_US + world.calendar.time_of_day(rng.random(looking)),
    ])  # fmt: skip
    customer = np.concatenate([world.orders.customer(ordered, place), _customers(rng, world, day, looking)])
    reset = np.flatnonzero(rng.random(len(time)) < p.account_resets)
    failed = np.flatnonzero(rng.random(len(time)) < p.account_login_failures)
    wrong = np.ones(len(failed), dtype=np.int64)
    before = time[failed] - rng.integers(5_000, 60_000, len(failed)) * 1000
    return [
        make_visits(rng, world, time, customer, SIGN_IN),
        make_visits(rng, world, before, customer[failed], SIGN_IN, result=wrong),
        make_visits(rng, world, time[reset] - rng.integers(40_000, 600_000, len(reset)) * 1000, customer[reset], RESET),
    ]


def _reviews(rng: Rng, world: World, day: int, host: int) -> list[Visits]:
    """Reviews written and changed, some soon withdrawn; old ones deleted, one or several, after a sign-in as a rule.

    Whom the shop does not let write gets no number.
    """
    p = world.parameters
    orders = world.calendar.orders_on(day) / p.hosts
    n = int(rng.poisson(orders * p.reviews_written))
    lag = np.maximum(1, lognormal(rng, p.review_lag_median_days, REVIEW_LAG_SIGMA, n)).astype(np.int64)
    ordered = np.maximum(day - lag, world.calendar.first_day)
    counts = np.array([max(1, world.calendar.orders_on(one)) for one in ordered.tolist()], dtype=np.int64)
    place = (rng.random(n) * counts).astype(np.int64)
    author, order = world.orders.customer(ordered, place), world.orders.order_id(ordered, place)
    time = day * DAY_US + world.calendar.time_of_day(rng.random(n))
    denied = rng.random(n) < p.accounts_denied
    written = np.where(denied, -1, reviews_of_day(world, day, host, POST, n))
    changed = np.flatnonzero((rng.random(n) < 0.1) & ~denied)
    later = time[changed] + rng.integers(60, _CHANGED_S, len(changed)) * SECOND_US
    withdrawn = np.flatnonzero((rng.random(n) < p.reviews_withdrawn) & ~denied)
    last = time[withdrawn] + rng.integers(_CHANGED_S, 2 * _CHANGED_S, len(withdrawn)) * SECOND_US
    gone = int(rng.poisson(orders * p.reviews_written * p.reviews_deleted))
    owner = _customers(rng, world, day, gone)
    begins = day * DAY_US + world.calendar.time_of_day(rng.random(gone))
    row, deleted = following(rng, begins, 1 + rng.poisson(0.4, gone), (5, 90))
    old = reviews_of_day(world, day, host, DELETE, len(row))
    signed = np.flatnonzero(rng.random(gone) < 0.7)
    before = begins[signed] - rng.integers(8_000, 240_000, len(signed)) * 1000
    return [
        make_visits(rng, world, time, author, POST, review=written, order=order, result=denied * 2),
        make_visits(rng, world, later, author[changed], EDIT, review=written[changed]),
        make_visits(rng, world, last, author[withdrawn], DELETE, review=written[withdrawn]),
        make_visits(rng, world, before, owner[signed], SIGN_IN),
        make_visits(rng, world, deleted, owner[row], DELETE, review=old),
    ]


def assisted_visits(world: World, day: int, host: int) -> Visits:
    """Agents sign in to the account of the customer they talk to; a late ticket's number no line can carry.

    No other visits have an actor.
    """
    rng = stream(world.parameters.seed, "assisted visits", day, host)
    p, contacts = world.parameters, world.service.on(day)
    mine = contacts.at(np.arange(host, len(contacts), p.hosts))
    mine = mine.at(rng.random(len(mine)) < p.assisted_sign_ins)
    n = len(mine)
    draw = rng.random(n)
    more = np.flatnonzero(draw < p.assisted_resets + p.assisted_deletions)
    at = np.concatenate([np.arange(n), more])
    deletes = draw[more] >= p.assisted_resets
    operation = np.concatenate([np.full(n, ASSISTED), np.where(deletes, DELETE, RESET)])
    middle = moments(rng, mine.opened + 4 * SECOND_US, mine.closed - 12 * SECOND_US)
    time = np.concatenate([middle, moments(rng, middle[more] + 3 * SECOND_US, mine.closed[more] - 2 * SECOND_US)])
    review = np.full(len(at), -1, dtype=np.int64)
    deleted = np.flatnonzero(operation == DELETE)
    review[deleted] = reviews_of_day(world, day, host, ASSISTED, len(deleted))
    noted = (rng.random(len(at)) < p.ticket_noted) & (mine.quality[at] == RIGHT)
    what = np.where(mine.quality[at] == LATE, label("benign:late_contact"), 0)
    return make_visits(
        rng, world, time, mine.customer[at], operation, what=what, actor=mine.agent[at], review=review,
        ticket=np.where(noted, mine.ticket[at], -1),
    )  # fmt: skip


def accounts_log(world: World, day: int, host: int) -> LogKind[Visits]:
    """One host's log of accounts of a day: JSON lines. Log-ins, numbers and addresses need no escaping."""
    by = [*(f'"{login}"' for login in world.staff.logins(day)), "null"]
    words = words_of(world.parameters.preset)
    ends = [f'","client":"{words.told(name)}","result":"{result}"}}\n' for name in _CLIENTS for result in _RESULTS]

    def rendered(visits: Visits, uids: pa.Array) -> pa.Array:
        ticket = given(
            visits.ticket >= 0,
            lambda at: lines(f'"{words.ticket}', numbers(visits.ticket[at]), '","review":'),
            'null,"review":',
        )
        review = given(
            visits.review >= 0, lambda at: lines('"R', numbers(visits.review[at]), '","ip":"'), 'null,"ip":"'
        )
        return lines(
            '{"at":"', instants(visits.time), 'Z","entry":"', matrix(uids), '","account":', words.customer.json(visits.customer + 1),
            ',"event":"', Chosen(OPERATIONS, visits.operation), '","by":', Chosen(by, visits.actor % len(by)), ',"ticket":',
            ticket, review, *dotted_pieces(visits.address), Chosen(ends, visits.client * len(_RESULTS) + visits.result),
        )  # fmt: skip

    return LogKind("accounts", f"accounts-{host + 1}-{{day}}.jsonl", rendered, host=str(host + 1))
