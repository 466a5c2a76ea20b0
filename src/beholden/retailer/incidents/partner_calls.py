"""What incidents ask of the partner API: orders, addresses and buyers, read below the ceilings as ordinary clients do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, SECOND_US, Bools, Ints, Rng
from beholden.retailer.events import INCIDENT
from beholden.retailer.life.gateway import (
    ADDRESS,
    BUYER,
    ENDPOINTS,
    LIST,
    ORDER,
    THROTTLED,
    TOKEN,
    Calls,
    api_calls,
    make_calls,
)
from beholden.retailer.orders import FIRST_ORDER_ID
from beholden.retailer.world import World

__all__ = ["PERSONAL", "Wanted", "days_of", "orders_of", "read_of", "records_read", "subjects_of", "swept"]

#: Endpoints that give away who bought.
PERSONAL: Final = (ADDRESS, BUYER)
#: Nothing is asked while the key's ordinary calls of that endpoint stand so close: within the time, so many.
_BUSY_US: Final = 60 * SECOND_US
_BUSY_CALLS: Final = 8
_AFTER_MS: Final = {ORDER: (0, 90), ADDRESS: (90, 600), BUYER: (150, 900)}
_LISTED_US: Final = 1_500_000  # as ordinary clients: the first record is read so long after the list
_PEOPLE_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """Orders to be read: ids, buyers (positions) and the seller of each (positions)."""

    order: Ints
    buyer: Ints
    seller: Ints

    def __len__(self) -> int:
        return len(self.order)

    def at(self, which: Ints | Bools) -> Wanted:
        """Those at these positions, or for which the mask is true."""
        return Wanted(self.order[which], self.buyer[which], self.seller[which])


@lru_cache(maxsize=1)
def _calls(world: World, day: int, apps: tuple[int, ...]) -> Calls:
    return api_calls(world, day, np.array(apps))


def _apps_of(world: World, keys: Ints) -> tuple[int, ...]:
    return tuple(np.unique(world.partners.keys.app[keys]).tolist())


def days_of(start: int, end: int) -> range:
    """The whole days within ``[start, end)``."""
    return range(-(-start // DAY_US), end // DAY_US)


def orders_of(world: World, sellers: Ints, days: Sequence[int]) -> Wanted:
    """The orders of these sellers on these days, as far as the calendar reaches."""
    wanted = np.zeros(len(world.sellers), dtype=np.bool_)
    wanted[sellers] = True
    parts = []
    for day in days:
        if day >= world.calendar.first_day and world.calendar.orders_on(day):
            seller = world.orders.seller(day, np.arange(world.calendar.orders_on(day)))
            place = np.flatnonzero(wanted[seller])
            on = np.full(len(place), day, dtype=np.int64)
            parts.append((world.orders.order_id(on, place), world.orders.customer(on, place), seller[place]))
    nothing = np.empty(0, dtype=np.int64)
    columns = zip((nothing, nothing, nothing), *parts, strict=True)
    return Wanted(*(np.concatenate(column) for column in columns))


def read_of(world: World, app: int, day: int) -> tuple[Calls, Ints]:
    """The orders that an app ordinarily reads on a day, and the buyers of these."""
    calls = _calls(world, day, (app,))
    mine = calls.at((calls.endpoint == ORDER) & (calls.status != THROTTLED))
    before = world.calendar.orders_before
    number = mine.order - FIRST_ORDER_ID
    at = np.searchsorted(before, number, side="right") - 1
    return mine, world.orders.customer(at + world.calendar.first_day, number - before[at])


def swept(
    rng: Rng, world: World, day: int, keys: Ints, wanted: Wanted, endpoints: Sequence[int], number: int, *,
    address: Ints | None = None, agent: int = -1,
) -> Calls:  # fmt: skip
    """A day on which a client goes through the orders of each key's seller: a token, the list, then each order.

    ``address`` holds the addresses it calls from, in turn by chance; without them, and without ``agent``, calls look
    like those of the key's app.
    """
    seller_of = world.partners.keys.seller[keys].tolist()
    times: list[Ints] = []
    rows: list[tuple[Ints, Ints, Ints]] = []  # key, order, buyer
    begun: list[tuple[int, int]] = []
    for key, seller in zip(keys.tolist(), seller_of, strict=True):
        mine = np.flatnonzero(wanted.seller == seller)
        steps = np.cumsum(rng.integers(*world.parameters.sweep_step_ms, len(mine), endpoint=True))
        spare = DAY_US // 1000 - int(steps[-1] if len(mine) else 0) - 60_000
        first = int(rng.integers(30_000, max(60_000, spare)))
        time = first + steps - steps[:1]
        inside = time < DAY_US // 1000 - 20_000
        if not inside.any():
            continue
        begun.append((first, key))
        times.append(time[inside])
        mine = mine[inside]
        rows.append((np.full(len(mine), key), wanted.order[mine], wanted.buyer[mine]))
    if not rows:
        return Calls.nothing()
    time = day * DAY_US + np.concatenate(times) * 1000
    key, order, buyer = (np.concatenate(column) for column in zip(*rows, strict=True))
    start = day * DAY_US + np.array([first for first, _ in begun]) * 1000
    of = np.array([one for _, one in begun], dtype=np.int64)
    parts = [
        _part(rng, start - rng.integers(2_000, 20_000, len(of)) * 1000, of, TOKEN),
        _part(rng, start - _LISTED_US, of, LIST),
        *(_part(rng, time, key, endpoint, order, buyer) for endpoint in endpoints),
    ]
    return _made(rng, world, day, parts, number, address, agent)


def records_read(
    rng: Rng, world: World, day: int, calls: Calls, buyer: Ints, endpoints: Sequence[int], number: int
) -> Calls:
    """Records of orders that an app has just read (``calls``), asked for right after; not those that it reads anyway."""
    every = _calls(world, day, _apps_of(world, calls.key))
    parts = []
    for endpoint in endpoints:
        anyway = every.order[every.endpoint == endpoint]
        more = ~np.isin(calls.order, anyway)
        parts.append(_part(rng, calls.time[more], calls.key[more], endpoint, calls.order[more], buyer[more]))
    return _made(rng, world, day, parts, number, None, -1)


_Part = tuple[Ints, Ints, Ints, Ints, Ints]


def _part(
    rng: Rng, time: Ints, key: Ints, endpoint: int, order: Ints | None = None, buyer: Ints | None = None
) -> _Part:
    none = np.full(len(time), -1, dtype=np.int64)
    later = rng.integers(*_AFTER_MS.get(endpoint, (0, 90)), len(time)) * 1000
    shown = buyer if buyer is not None and endpoint in PERSONAL else none
    return time + later, key, np.full(len(time), endpoint, dtype=np.int64), none if order is None else order, shown


def _made(
    rng: Rng, world: World, day: int, parts: Sequence[_Part], number: int, address: Ints | None, agent: int
) -> Calls:
    time, key, endpoint, order, buyer = (np.concatenate(column) for column in zip(*parts, strict=True))
    kept = np.flatnonzero((time < (day + 1) * DAY_US) & _clear(world, day, time, key, endpoint))
    kept = kept[np.argsort(time[kept], kind="stable")]
    time, key, endpoint, order, buyer = (column[kept] for column in (time, key, endpoint, order, buyer))
    calls = make_calls(
        rng, world, day, time, key, endpoint, order=order, buyer=buyer, what=INCIDENT, incident=number,
        address=None if address is None else address[rng.integers(0, len(address), len(time))],
        agent=None if agent < 0 else np.full(len(time), agent, dtype=np.int64),
    )  # fmt: skip
    return Calls.joined([calls])


def _clear(world: World, day: int, time: Ints, key: Ints, endpoint: Ints) -> Bools:
    """Where the key's ordinary calls of the endpoint leave room below the ceiling."""
    ordinary = _calls(world, day, _apps_of(world, key))
    ordinary = ordinary.at(np.isin(ordinary.key, key))
    code, theirs = key * len(ENDPOINTS) + endpoint, ordinary.key * len(ENDPOINTS) + ordinary.endpoint
    base = day * DAY_US
    at, placed = code * (4 * DAY_US) + time - base, np.sort(theirs * (4 * DAY_US) + ordinary.time - base)
    near = np.searchsorted(placed, at + _BUSY_US) - np.searchsorted(placed, at - _BUSY_US)
    return near < _BUSY_CALLS


def subjects_of(calls: Calls) -> tuple[str, ...]:
    """The buyers that the answers showed; the orders as a whole where they are very many."""
    buyers = np.unique(calls.buyer[calls.buyer >= 0])
    if len(buyers) > _PEOPLE_MAX:
        return ("orders/orders",)
    return tuple(f"customer:{one + 1}" for one in buyers.tolist())
