"""The partner API's gateway: what the apps of third parties asked for, and the line its log has for each call.

An app looks for new orders of each of its sellers at its interval, then reads them one after another: the order, mostly
its address, now and then its buyer, as its purpose wants. Between these it sends feeds, asks for reports and renews its
tokens. Careful clients pace themselves below the ceilings; careless ones go on until the gateway answers 429.

Each connection is served by one of several hosts, which has a log of its own: the calls of a day are made host by
host, so that the largest day of the largest company needs no more memory than a host's share of it.

The ceilings hold for one key and endpoint (`Parameters.list_rate`, ``record_rate`` and bursts). Half of a burst is all
that is used within a day, so that midnight, where days are made apart, never sees more than one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
import pyarrow as pa

from beholden.retailer.chance import DAY_US, HOUR_US, Chance, Ints, Rng, below, cumulated, stream
from beholden.retailer.events import Events, label
from beholden.retailer.life.places import dotted_pieces
from beholden.retailer.log_files import LogKind
from beholden.retailer.render import Chosen, Decimal, chosen, given, lines, matrix, numbers
from beholden.retailer.words import words_of
from beholden.retailer.world import World

__all__ = ["ENDPOINTS", "STATUSES", "Calls", "api_calls", "calls_by_host", "gateway_log", "host_of", "make_calls"]

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
        order = np.argsort((time - low << 27) + (mixed >> np.uint64(37)).astype(np.int64), kind="stable")
        return cls(**{name: column[order] for name, column in columns.items()})


def make_calls(
    rng: Rng, world: World, day: int, time: Ints, key: Ints, endpoint: Ints, *, order: Ints, buyer: Ints,
    what: int | Ints | None = None, incident: int = -1, status: Ints | None = None, address: Ints | None = None,
    agent: Ints | None = None,
) -> Calls:  # fmt: skip
    """Calls of a day with those keys; what is not given is drawn as everyone's is.

    ``order`` holds order ids or -1, ``buyer`` customers' positions or -1; who gets no answer sees no buyer.
    ``status`` is -1 where it is to be drawn.
    """
    p, partners, n = world.parameters, world.partners, len(time)
    app = partners.keys.app[key]
    draw = rng.random((3, n))
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


def api_calls(world: World, day: int) -> Calls:
    """All ordinary calls of a day, in the order of time."""
    return Calls.joined([calls for _, calls in calls_by_host(world, day)])


def calls_by_host(world: World, day: int) -> Iterator[tuple[int, Calls]]:
    """The ordinary calls of a day that each host serves, in the order of time, host by host."""
    hosts = world.parameters.hosts
    new, edges = _new_orders(world, day)
    for host in range(hosts):
        yield host, _calls_of(world, day, host, new[edges[host] : edges[host + 1]])


def _calls_of(world: World, day: int, host: int, new: Ints) -> Calls:
    rng = stream(world.parameters.seed, "partner api", day, host)
    parts = [*_records(rng, world, day, new), *_polls(rng, world, day, host)]
    time, connection, order, buyer, endpoint, status = (np.concatenate(column) for column in zip(*parts, strict=True))
    # Positions make the numbers different, so that every way of sorting them gives the same.
    sort = np.sort((time // 1000 << 32) + np.arange(len(time)))
    inside = sort[: int(np.searchsorted(sort, DAY_US // 1000 << 32))] & 0xFFFFFFFF
    connection = connection[inside]
    return make_calls(
        rng, world, day, day * DAY_US + time[inside], world.partners.key_on(connection, day), endpoint[inside],
        order=order[inside], buyer=buyer[inside], status=status[inside],
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


def _records(rng: Rng, world: World, day: int, new: Ints) -> list[_Part]:
    """What is read of single orders, of those that are new."""
    partners, rates = world.partners, world.partners.rates(day)
    wanted = rates[:, 0][partners.connections.app[_connections(world, new)]]
    connection, order, buyer, due = _due(world, day, new[rng.random(len(new)) < wanted])
    app = partners.connections.app[connection]
    asked, answered = _paced(world, connection, due, partners.column("step_us")[app])
    refused = np.flatnonzero(answered > asked)
    refused = refused[rng.random(len(refused)) < 0.4]  # clients learn to wait
    time = answered + rng.integers(0, 90, len(answered)) * 1000
    draw = rng.random(len(time))
    address, buyers = np.flatnonzero(draw < rates[:, 1][app]), np.flatnonzero(rng.random(len(time)) < rates[:, 2][app])
    strayed = np.flatnonzero((draw < world.parameters.buyers_asked_by_mistake) & (rates[:, 2][app] == 0))

    def after(which: Ints, least: int, most: int) -> Ints:
        later: Ints = time[which] + rng.integers(least, most, len(which)) * 1000
        return later

    return [
        _part(time, connection, ORDER, order),
        _part(after(address, 90, 600), connection[address], ADDRESS, order[address], buyer[address]),
        _part(after(buyers, 150, 900), connection[buyers], BUYER, order[buyers], buyer[buyers]),
        _part(asked[refused], connection[refused], ORDER, order[refused], status=THROTTLED),
        _part(after(strayed, 150, 900), connection[strayed], BUYER, order[strayed], status=FORBIDDEN),
    ]


def _new_orders(world: World, day: int) -> tuple[Ints, Ints]:
    """Orders that an app finds at one of its looks of this day, and where those of each host begin.

    Each is one number: the connection's place among the connections host by host, and in the lower half the order's
    place among those of this day and of the day before. So sorted numbers are in the order of hosts, of connections,
    and of time.
    """
    partners, calendar, hosts = world.partners, world.calendar, world.parameters.hosts
    before = calendar.orders_on(day - 1)
    tail = max(int(before * calendar.hours[24 - _TAIL_HOURS]) - 1, 0)
    count = np.diff(partners.connections_before)
    active, phases = partners.active(day), _phases(world)
    intervals = partners.intervals[partners.connections.app]
    each = -(-len(partners.connections) // hosts)
    found = []
    for first in range(tail, before + calendar.orders_on(day), _CHUNK):
        place = np.arange(first, min(first + _CHUNK, before + calendar.orders_on(day)))
        on, within = _place_of(world, day, place)
        seller, time = world.orders.seller(on, within), world.orders.time(on, within)
        many = count[seller]
        at = np.repeat(np.arange(len(place)), many)
        connection = np.arange(len(at)) + np.repeat(partners.connections_before[seller] - np.cumsum(many) + many, many)
        kept = np.flatnonzero(active[connection])
        at, connection = at[kept], connection[kept]
        look = (time[at] - phases[connection]) // intervals[connection] + 1
        today = np.flatnonzero(look * intervals[connection] // DAY_US == day)
        at, connection = at[today], connection[today]
        found.append((host_of(world, connection) * each + connection // hosts << 32) + place[at])
    new = np.sort(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)
    return new, np.searchsorted(new, np.arange(hosts + 1) * each << 32)


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
    on, within = _place_of(world, day, new & 0xFFFFFFFF)
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


def _polls(rng: Rng, world: World, day: int, host: int) -> list[_Part]:
    """Looks for new orders, feeds, reports and tokens, at one host."""
    partners = world.partners
    active = np.flatnonzero(partners.active(day))
    active = active[host_of(world, active) == host]
    app = partners.connections.app[active]
    interval = partners.intervals[app]
    connection, look = _each(active, DAY_US // interval)
    first = day * DAY_US // partners.intervals[partners.connections.app[connection]]
    time = _look_time(world, connection, first + look) - day * DAY_US
    found = [_part(time, connection, LIST), *_storms(rng, world, connection, time)]
    for column, ask, fetch in ((3, SEND_FEED, FEED), (4, ASK_REPORT, REPORT)):
        sent, _ = _each(active, rng.poisson(partners.rates(day)[:, column][app]))
        time = rng.integers(0, DAY_US // 1000, len(sent)) * 1000
        found.append(_part(time, sent, ask))
        time = time + rng.integers(5_000, 120_000, len(time)) * 1000
        found.append(_part(time, sent, fetch))
    renewed, hour = _each(active, np.full(len(active), 24))
    kept = np.flatnonzero(rng.random(len(renewed)) < world.parameters.tokens_renewed)
    within = (_phases(world)[renewed[kept]] + rng.integers(0, 60_000, len(kept)) * 1000) % HOUR_US
    found.append(_part(hour[kept] * HOUR_US + within, renewed[kept], TOKEN))
    return found


def _storms(rng: Rng, world: World, connection: Ints, time: Ints) -> list[_Part]:
    """Careless clients repeat some of their looks: half a burst of them is answered, the rest refused."""
    p, partners = world.parameters, world.partners
    careless = partners.careless[partners.connections.app[connection]]
    some = np.flatnonzero(careless & (rng.random(len(careless)) < p.careless_storms))
    at, k = _each(some, rng.integers(*p.storm_calls, len(some), endpoint=True))
    again = time[at] + (k + 1) * 1_000_000 + rng.integers(0, 400, len(k)) * 1000
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
