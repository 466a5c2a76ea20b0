"""The partner API's gateway: what the apps of third parties asked for, and the line its log has for each call.

An app looks for new orders of each of its sellers at its interval, then reads them one after another: the order, mostly
its address, now and then its buyer, as its purpose wants. Between these it sends feeds, asks for reports and renews its
tokens. Careful clients pace themselves below the ceilings; careless ones go on until the gateway answers 429.

Each connection is served by one of several hosts, which has a log of its own: the calls of a day are made host by
host, so that the largest day of the largest company needs no more memory than a host's share of it. What one connection
does is hashed from it and the day, so that the calls of some apps can be had without those of all.

The ceilings hold for one key and endpoint (`Parameters.list_rate`, ``record_rate`` and bursts). Half of a burst is all
that is used within a day, so that midnight, where days are made apart, never sees more than one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from beholden.retailer.chance import (
    DAY_US,
    HOUR_US,
    Bools,
    Chance,
    Floats,
    Hashes,
    Ints,
    Rng,
    below,
    cumulated,
    in_order,
    poisson,
    uniform,
)
from beholden.retailer.events import Events, label
from beholden.retailer.life.places import dotted_pieces
from beholden.retailer.log_files import LogKind
from beholden.retailer.render import Chosen, Decimal, chosen, given, lines, matrix, numbers
from beholden.retailer.words import words_of
from beholden.retailer.world import World

__all__ = [
    "ENDPOINTS",
    "STATUSES",
    "Calls",
    "api_calls",
    "calls_a_day",
    "calls_by_host",
    "gateway_log",
    "host_of",
    "make_calls",
]

#: name: method, path before and after the number of an order or a document, median size of an answer in bytes.
ENDPOINTS: Final = {
    "listOrders": ("GET", "/orders/v1/orders?updatedAfter=", "", 1900),
    "getOrder": ("GET", "/orders/v1/orders/", "", 1450),
    "getOrderAddress": ("GET", "/orders/v1/orders/", "/address", 420),
    "getBuyerInfo": ("GET", "/orders/v1/orders/", "/buyerInfo", 330),
    "submitFeed": ("POST", "/feeds/v1/feeds?document=", "", 160),
    "getFeed": ("GET", "/feeds/v1/feeds/", "", 240),
    "createReport": ("POST", "/reports/v1/reports?document=", "", 120),
    "getReport": ("GET", "/reports/v1/reports/", "", 5200),
    "token": ("POST", "/auth/v1/token?nonce=", "", 980),
}
LIST, ORDER, ADDRESS, BUYER, SEND_FEED, FEED, ASK_REPORT, REPORT, TOKEN = range(len(ENDPOINTS))
STATUSES: Final = (200, 400, 401, 403, 404, 429, 500, 503)
OK, FORBIDDEN, THROTTLED = (STATUSES.index(status) for status in (200, 403, 429))
#: How the errors that any call may meet divide: 400, 401, 403, 404, 429, 500, 503; assumed.
_ERRORS: Final = cumulated((22, 10, 3, 25, 0, 22, 18))
_TAIL_HOURS: Final = 2  # the longest interval: what was ordered later yesterday may be read today
_JITTER_MS: Final = 40_000
#: The lower half of what `_new_orders` finds.
_PLACE: Final = 0xFFFFFFFF
#: Orders looked at together.
_CHUNK: Final = 1 << 20
_FOLLOWED_DAYS: Final = 14  # for which calls of an app that moved are labelled so
_BIG: Final = 4 * DAY_US


@dataclass(frozen=True, slots=True)
class Calls(Events):
    """Calls of the partner API. ``actor`` is the position of the app among `Partners.apps`, no principal."""

    key: Ints  # positions among `Partners.keys`
    seller: Ints  # positions
    order: Ints  # order ids, or -1
    buyer: Ints  # positions of customers, or -1 where the answer holds nobody
    endpoint: Ints
    status: Ints  # positions in STATUSES
    address: Ints  # IPv4, as a number
    size_bytes: Ints
    agent: Ints  # positions in `Partners.agents`
    latency_ms: Ints

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """All of them in the order of time; within a millisecond in no order that tells where they came from."""
        columns = {one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)}
        mixed = Chance(0, "order of calls")(columns["order"], columns["key"] * len(ENDPOINTS) + columns["endpoint"])
        time = columns["time"] // 1000
        low = int(time.min()) if len(time) else 0
        order = in_order((time - low << 27) + (mixed >> np.uint64(37)).astype(np.int64))
        return cls(**{name: column[order] for name, column in columns.items()})


def make_calls(
    rng: Rng | Floats, world: World, day: int, time: Ints, key: Ints, endpoint: Ints, *, order: Ints, buyer: Ints,
    what: int | Ints | None = None, incident: int = -1, status: Ints | None = None, address: Ints | None = None,
    agent: Ints | None = None,
) -> Calls:  # fmt: skip
    """Calls of a day with those keys; what is not given is drawn as everyone's is: from ``rng``, or the rows of a matrix.

    ``order`` holds order ids or -1, ``buyer`` customers' positions or -1; who gets no answer sees no buyer.
    ``status`` is -1 where it is to be drawn.
    """
    p, partners, n = world.parameters, world.partners, len(time)
    app = partners.keys.app[key]
    draw = rng.random((3, n)) if isinstance(rng, Rng) else rng
    status = np.full(n, -1, dtype=np.int64) if status is None else status
    failed = np.flatnonzero((draw[0] < p.api_errors) & (status < 0))
    status = np.where(status < 0, OK, status)
    status[failed] = 1 + np.searchsorted(_ERRORS, draw[0][failed] / p.api_errors, side="right")
    answered = status == OK
    if address is None:
        address = _addresses(world, day, app, draw[1])
    medians = np.array([size for *_, size in ENDPOINTS.values()], dtype=np.float64)
    spread = np.exp(0.8 * (draw[2] - 0.5))
    return Calls(
        time=time,
        actor=app,
        label=_labels(world, day)[app]
        if what is None
        else np.broadcast_to(np.asarray(what, dtype=np.int64), (n,)).copy(),
        incident=np.full(n, incident, dtype=np.int64),
        key=key,
        seller=partners.keys.seller[key],
        order=order,
        buyer=np.where(answered, buyer, -1),
        endpoint=endpoint,
        status=status,
        address=address,
        size_bytes=np.where(answered, medians[endpoint] * spread, 90 + 40 * draw[2]).astype(np.int64),
        agent=partners.column("agent")[app] if agent is None else agent,
        latency_ms=(12 + 30 * spread * spread / (1.02 - draw[1])).astype(np.int64),
    )


def _addresses(world: World, day: int, app: Ints, draw: np.typing.NDArray[np.float64]) -> Ints:
    """One of the addresses of each app; those on the move call from two clouds."""
    partners = world.partners
    address = partners.column("first")[app] + (draw * partners.column("hosts")[app]).astype(np.int64)
    moved = partners.moving(day)
    if moved.any():
        beyond = draw * 4096 % 1 < moved[app]
        address = np.where(beyond, address + (partners.column("second") - partners.column("first"))[app], address)
    return address


def _labels(world: World, day: int) -> Ints:
    """What calls of each app are on that day."""
    since = day - world.partners.column("moved")
    labels = np.where(world.partners.many, label("benign:aggregator"), 0)
    return np.where((since >= 0) & (since < _FOLLOWED_DAYS), label("benign:developer_moved"), labels)


def host_of(world: World, connection: Ints) -> Ints:
    """Which host (from 0) serves each connection."""
    return connection % world.parameters.hosts


def api_calls(world: World, day: int, apps: Ints | None = None) -> Calls:
    """All ordinary calls of a day, in the order of time; of some apps (positions), if only theirs are wanted.

    Each connection's calls are the same whoever else is asked for, and whichever host is said to serve it.
    """
    if apps is None:
        return Calls.joined([calls for _, calls in calls_by_host(world, day)])
    return Calls.joined([_calls_of(world, day, _parts_of(world, day, apps))])


def calls_by_host(world: World, day: int) -> Iterator[tuple[int, Calls]]:
    """The ordinary calls of a day that each host serves, in the order of time, host by host."""
    active = world.partners.active(day)
    new, edges = _new_orders(world, day, active)
    hosts = host_of(world, np.arange(len(active)))
    for host in range(world.parameters.hosts):
        mine = np.flatnonzero(active & (hosts == host))
        parts = [*_records(world, day, new[edges[host] : edges[host + 1]]), *_polls(world, day, mine)]
        yield host, _calls_of(world, day, parts)


def calls_a_day(world: World, day: int, apps: Ints) -> Ints:
    """How many ordinary calls each of these apps makes on a day; 0 of the others."""
    count = np.zeros(len(world.partners.apps), dtype=np.int64)
    for time, connection, *_ in _parts_of(world, day, apps):
        count += np.bincount(world.partners.connections.app[connection[time < DAY_US]], minlength=len(count))
    return count


def _parts_of(world: World, day: int, apps: Ints) -> list[_Part]:
    """The calls of some apps, at all hosts."""
    active = world.partners.active(day) & np.isin(world.partners.connections.app, apps)
    return [*_records(world, day, _new_orders(world, day, active)[0]), *_polls(world, day, np.flatnonzero(active))]


def _calls_of(world: World, day: int, parts: Sequence[_Part]) -> Calls:
    time, connection, order, buyer, endpoint, status = (np.concatenate(column) for column in zip(*parts, strict=True))
    # Positions make the numbers different, so that every way of sorting them gives the same.
    sort = np.sort((time // 1000 << 32) + np.arange(len(time)))
    inside = sort[: int(np.searchsorted(sort, DAY_US // 1000 << 32))] & 0xFFFFFFFF
    time, connection, order, endpoint = day * DAY_US + time[inside], connection[inside], order[inside], endpoint[inside]
    hashes = Chance(world.parameters.seed, "partner answers")(time, connection * len(ENDPOINTS) + endpoint, order)
    draw = np.stack([uniform(hashes << np.uint64(shift)) for shift in (0, 21, 42)])
    return make_calls(
        draw, world, day, time, world.partners.key_on(connection, day), endpoint, order=order, buyer=buyer[inside],
        status=status[inside],
    )  # fmt: skip


#: Columns of calls: time within the day, connection, order, buyer, endpoint, status.
_Part = tuple[Ints, Ints, Ints, Ints, Ints, Ints]


def _part(time: Ints, connection: Ints, endpoint: int, order: Ints | None = None, buyer: Ints | None = None,
          status: int = -1) -> _Part:  # fmt: skip
    none = np.full(len(time), -1, dtype=np.int64)
    return (
        time, connection, none if order is None else order, none if buyer is None else buyer,
        np.full(len(time), endpoint, dtype=np.int64), none if status < 0 else np.full(len(time), status, dtype=np.int64),
    )  # fmt: skip


def _records(world: World, day: int, new: Ints) -> list[_Part]:
    """What is read of single orders, of those that are new."""
    partners, rates = world.partners, _rates(world, day)
    # Nothing here is drawn in turn: what an app reads of an order is the same whoever else is asked for.
    read, chance = (Chance(world.parameters.seed, f"partner {what}") for what in ("reads", "read"))
    connection = _connections(world, new)
    hashes = read(day, connection, new & _PLACE)
    kept = np.flatnonzero(uniform(hashes) < rates[:, 0][partners.connections.app[connection]])
    hashes = chance(hashes[kept].view(np.int64))
    connection, order, buyer, due = _due(world, day, new[kept])
    app = partners.connections.app[connection]
    asked, answered = _paced(world, connection, due, partners.column("step_us")[app])

    def drawn(what: int, which: Ints) -> Hashes:
        return chance(hashes[which].view(np.int64), what)

    refused = np.flatnonzero(answered > asked)
    refused = refused[uniform(drawn(ORDER, refused)) < 0.4]  # clients learn to wait
    time = answered + below(hashes << np.uint64(48), 90) * 1000
    draw = uniform(hashes)
    address, buyers = (
        np.flatnonzero(draw < rates[:, 1][app]),
        np.flatnonzero(uniform(hashes << np.uint64(24)) < rates[:, 2][app]),
    )
    strayed = np.flatnonzero((draw < world.parameters.buyers_asked_by_mistake) & (rates[:, 2][app] == 0))

    def after(which: Ints, endpoint: int, least: int, most: int) -> Ints:
        return time[which] + (least + below(drawn(endpoint, which), most - least)) * 1000

    return [
        _part(time, connection, ORDER, order),
        _part(after(address, ADDRESS, 90, 600), connection[address], ADDRESS, order[address], buyer[address]),
        _part(after(buyers, BUYER, 150, 900), connection[buyers], BUYER, order[buyers], buyer[buyers]),
        _part(asked[refused], connection[refused], ORDER, order[refused], status=THROTTLED),
        _part(after(strayed, BUYER, 150, 900), connection[strayed], BUYER, order[strayed], status=FORBIDDEN),
    ]


def _new_orders(world: World, day: int, active: Bools) -> tuple[Ints, Ints]:
    """Orders that an app finds at one of its looks of this day, and where those of each host begin.

    Only connections are asked for that are ``active``.

    Each is one number: the connection's place among the connections host by host, and in the lower half the order's
    place among those of this day and of the day before. So sorted numbers are in the order of hosts, of connections,
    and of time.
    """
    partners, calendar, hosts = world.partners, world.calendar, world.parameters.hosts
    before = calendar.orders_on(day - 1)
    tail = max(int(before * calendar.hours[24 - _TAIL_HOURS]) - 1, 0)
    count, phases = np.diff(partners.connections_before), _phases(world)
    asked = np.diff(np.append(0, np.cumsum(active))[partners.connections_before]) > 0
    intervals = partners.intervals[partners.connections.app]
    each = -(-len(partners.connections) // hosts)
    found = []
    for on, begin, end, offset in ((day - 1, tail, before, 0), (day, 0, calendar.orders_on(day), before)):
        for first in range(begin, end, _CHUNK):
            seller = _sellers(world, on, first, min(first + _CHUNK, end))
            some = np.flatnonzero(asked[seller])
            place, seller = first + some, seller[some]
            time = world.orders.time(on, place)
            many = count[seller]
            at = np.repeat(np.arange(len(place)), many)
            connection = np.arange(len(at)) + np.repeat(
                partners.connections_before[seller] - np.cumsum(many) + many, many
            )
            kept = np.flatnonzero(active[connection])
            at, connection = at[kept], connection[kept]
            look = (time[at] - phases[connection]) // intervals[connection] + 1
            today = np.flatnonzero(look * intervals[connection] // DAY_US == day)
            at, connection = at[today], connection[today]
            rank = host_of(world, connection) * each + connection // hosts
            found.append((rank << 32) + place[at] + offset)
    new = np.sort(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)
    return new, np.searchsorted(new, np.arange(hosts + 1) * each << 32)


@lru_cache(maxsize=8)
def _sellers(world: World, day: int, first: int, last: int) -> npt.NDArray[np.int32]:
    """Whose goods some orders of a day are; who asks for the calls of a few apps asks for the same day again soon."""
    return world.orders.seller(day, np.arange(first, last)).astype(np.int32)


def _place_of(world: World, day: int, place: Ints) -> tuple[Ints, Ints]:
    """Day and place in it of orders, given by their places among those of the day before and the day itself."""
    before = world.calendar.orders_on(day - 1)
    return np.where(place < before, day - 1, day), np.where(place < before, place, place - before)


def _connections(world: World, new: Ints) -> Ints:
    """The connections of what `_new_orders` found."""
    hosts = world.parameters.hosts
    each = -(-len(world.partners.connections) // hosts)
    rank = new >> 32
    return rank % each * hosts + rank // each


def _due(world: World, day: int, new: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Of orders that `_new_orders` found: connection, order id, customer, and when in the day the app has found it."""
    connection = _connections(world, new)
    on, within = _place_of(world, day, new & _PLACE)
    interval = world.partners.intervals[world.partners.connections.app[connection]]
    look = (world.orders.time(on, within) - _phases(world)[connection]) // interval + 1
    due = _look_time(world, connection, look) + 1_500_000 - day * DAY_US
    return connection, world.orders.order_id(on, within), world.orders.customer(on, within), due


def _paced(world: World, connection: Ints, due: Ints, step: Ints) -> tuple[Ints, Ints]:
    """When each record is asked for, one after another, and when the gateway first grants it.

    Rows stand in the order of (connection, due). A client asks ``step`` after the last at the earliest; the gateway
    grants by the rule of the leaky bucket: ``grant_k = max(asked_k, max over j <= k of (asked_j + (k - j) / rate)
    - (burst - 1) / rate)``. Both are running maxima within a connection.
    """
    p, n = world.parameters, len(connection)
    new = np.ones(n, dtype=np.bool_)
    new[1:] = connection[1:] != connection[:-1]
    group = np.cumsum(new)
    k = np.arange(n) - np.flatnonzero(new)[group - 1]
    apart = group * _BIG
    asked = np.maximum.accumulate(due - k * step + apart) - apart + k * step
    each, burst = round(1e6 / p.record_rate), p.record_burst // 2
    grant = np.maximum.accumulate(asked - k * each + apart) - apart + (k - burst + 1) * each
    return asked, np.maximum(asked, grant)


def _phases(world: World) -> Ints:
    """When in its interval each connection is looked at (microseconds)."""
    partners = world.partners
    hashes = Chance(world.parameters.seed, "partner looks")(np.arange(len(partners.connections)))
    room = partners.intervals[partners.connections.app] // 1000 - _JITTER_MS - 2000
    return (hashes >> np.uint64(11)).astype(np.int64) % room * 1000


def _look_time(world: World, connection: Ints, look: Ints) -> Ints:
    """When an app looks for a seller's new orders for the so manieth time since 1970."""
    jitter = below(Chance(world.parameters.seed, "partner look")(connection, look), _JITTER_MS) * 1000
    interval = world.partners.intervals[world.partners.connections.app[connection]]
    return look * interval + _phases(world)[connection] + jitter


def _polls(world: World, day: int, active: Ints) -> list[_Part]:
    """Looks for new orders, feeds, reports and tokens, of these connections."""
    partners, seed = world.partners, world.parameters.seed
    app = partners.connections.app[active]
    interval = partners.intervals[app]
    connection, look = _each(active, DAY_US // interval)
    look += day * DAY_US // partners.intervals[partners.connections.app[connection]]
    time = _look_time(world, connection, look) - day * DAY_US
    found = [_part(time, connection, LIST), *_storms(world, connection, look, time)]
    for column, ask, fetch in ((3, SEND_FEED, FEED), (4, ASK_REPORT, REPORT)):
        chance = Chance(seed, f"partner {tuple(ENDPOINTS)[ask]}")
        sent, k = _each(active, poisson(chance(active, day), _rates(world, day)[:, column][app]))
        hashes = chance(sent, day, k)
        time = below(hashes, DAY_US // 1000) * 1000
        found.append(_part(time, sent, ask))
        time = time + (5_000 + below(hashes << np.uint64(32), 115_000)) * 1000
        found.append(_part(time, sent, fetch))
    renewed, hour = _each(active, np.full(len(active), 24))
    hashes = Chance(seed, "partner tokens")(renewed, day * 24 + hour)
    kept = np.flatnonzero(uniform(hashes) < world.parameters.tokens_renewed)
    within = (_phases(world)[renewed[kept]] + below(hashes[kept] << np.uint64(24), 60_000) * 1000) % HOUR_US
    found.append(_part(hour[kept] * HOUR_US + within, renewed[kept], TOKEN))
    return found


def _rates(world: World, day: int) -> Floats:
    return world.once("partners' rates", day, lambda: world.partners.rates(day))


def _storms(world: World, connection: Ints, look: Ints, time: Ints) -> list[_Part]:
    """Careless clients repeat some of their looks: half a burst of them is answered, the rest refused."""
    p, partners, chance = world.parameters, world.partners, Chance(world.parameters.seed, "partner storms")
    careless = np.flatnonzero(partners.careless[partners.connections.app[connection]])
    hashes = chance(connection[careless], look[careless])
    some = np.flatnonzero(uniform(hashes) < p.careless_storms)
    least, most = p.storm_calls
    at, k = _each(careless[some], least + below(hashes[some] << np.uint64(24), most + 1 - least))
    again = time[at] + (k + 1) * 1_000_000 + below(chance(connection[at], look[at], k), 400) * 1000
    granted = k < p.list_burst // 2 - 1
    return [
        _part(again[granted], connection[at[granted]], LIST),
        _part(again[~granted], connection[at[~granted]], LIST, status=THROTTLED),
    ]


def _each(values: Ints, count: Ints) -> tuple[Ints, Ints]:
    """Each value so many times, and the number of each repetition from 0."""
    at = np.repeat(np.arange(len(values)), count)
    return values[at], np.arange(len(at)) - np.repeat(np.cumsum(count) - count, count)


def _of_keys(world: World) -> pa.Array:
    """What a line says of each key."""
    partners, keys = world.partners, world.partners.keys
    apps = [f'","app":"APP-{app.number}","key":"' for app in partners.apps]
    seller = words_of(world.parameters.preset).told('","seller":')
    return lines(chosen(apps, keys.app), partners.key_texts, seller, numbers(keys.seller + 1))


def _endings(world: World) -> pa.Array:
    """What stands behind the number of an order or a document, by endpoint, agent and status."""
    told, agents = words_of(world.parameters.preset).told, world.partners.agents
    texts = [told(f'{path}","ua":"{agent}') for _, _, path, _ in ENDPOINTS.values() for agent in agents]
    statuses = [f'"}},"st":{status},"bytes":' for status in STATUSES]
    place = np.arange(len(texts) * len(statuses))
    return lines(chosen(texts, place // len(statuses)), chosen(statuses, place % len(statuses)))


def gateway_log(world: World, host: int) -> LogKind[Calls]:
    """The log of one of the gateway's hosts: JSON lines, times in milliseconds since 1970. No text needs escaping."""
    partners, words = world.partners, words_of(world.parameters.preset)
    told, customer = words.told, words.customer
    of_key = world.once("gateway keys", 0, lambda: _of_keys(world))
    before = [told(f'{name}","m":"{method}","p":"{path}') for name, (method, path, _, _) in ENDPOINTS.items()]
    gateway = f',"gw":"gw-{host + 1}","req":{{"op":"'
    agents = len(partners.agents)
    behind = world.once("gateway endings", 0, lambda: _endings(world))
    documents = Chance(world.parameters.seed, "partner documents")

    def rendered(calls: Calls, uids: pa.Array) -> pa.Array:
        named = np.where(calls.order < 0, below(documents(calls.time, calls.key), 90_000_000) + 10_000_000, calls.order)
        buyer = given(calls.buyer >= 0, lambda at: customer.json(calls.buyer[at] + 1), "null")
        after = (calls.endpoint * agents + calls.agent) * len(STATUSES) + calls.status
        return lines(
            '{"t":', Decimal(calls.time // 1000), ',"src":"', *dotted_pieces(calls.address), of_key.take(pa.array(calls.key)),
            gateway, Chosen(before, calls.endpoint), Decimal(named), behind.take(pa.array(after)), Decimal(calls.size_bytes),
            ',"ms":', Decimal(calls.latency_ms), told(',"buyer":'), buyer, ',"rid":"', matrix(uids), '"}\n',
        )  # fmt: skip

    return LogKind("gateway", f"gateway-{host + 1}-{{day}}.jsonl", rendered, host=str(host + 1))
