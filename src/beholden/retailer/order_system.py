"""``stores/orders.db``: orders, their lines, and the sellers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from beholden.retailer.chance import iso, stream
from beholden.retailer.databases import Columns, new_database
from beholden.retailer.orders import STATUSES
from beholden.retailer.world import World, slices

__all__ = ["seller_names", "write_orders"]

_TABLES: Final = """
create table seller (
  seller_id integer primary key,
  seller_name text not null,
  country text not null,
  since text not null
);
create table orders (
  order_id integer primary key,
  customer_id integer not null,
  seller_id integer not null references seller (seller_id),
  ordered_at text not null,
  amount real not null,
  status text not null
);
create table order_line (
  order_id integer not null references orders (order_id),
  line integer not null,
  sku text not null,
  quantity integer not null,
  primary key (order_id, line)
) without rowid
"""
_INDEXES: Final = "create index orders_customer_id on orders (customer_id)"
_TRADES: Final = ("Trading", "Goods", "Outlet", "Supply", "Direct", "Store", "Works", "Market")
_GOODS: Final = (
    "Lamp",
    "Garden",
    "Kitchen",
    "Cycle",
    "Paper",
    "Toy",
    "Audio",
    "Linen",
    "Tool",
    "Camping",
    "Pet",
    "Tea",
)
_SKUS: Final = 40_000


def write_orders(world: World, path: Path) -> None:
    """Write the database."""
    with new_database(path) as database:
        database.define(_TABLES)
        database.fill("seller", [_sellers(world)])
        database.fill("orders", (_orders(world, *part) for part in slices(len(world.orders))))
        database.fill("order_line", _lines(world))
        database.define(_INDEXES)


def seller_names(world: World) -> list[str]:
    """Names of shops: goods and trade, with a number where two would be the same."""
    rng = stream(world.parameters.seed, "seller names")
    n = world.parameters.sellers
    goods, trades = rng.integers(0, len(_GOODS), n).tolist(), rng.integers(0, len(_TRADES), n).tolist()
    pairs = enumerate(zip(goods, trades, strict=True), 1)
    return [f"{_GOODS[good]} {_TRADES[trade]} {number}" for number, (good, trade) in pairs]


def _sellers(world: World) -> Columns:
    rng = stream(world.parameters.seed, "sellers")
    n = world.parameters.sellers
    since = world.parameters.start - rng.integers(30, 4000, n) * 86_400_000_000
    countries = np.array(["US", "GB", "DE", "FR", "CN"])[rng.integers(0, 5, n)].tolist()
    return [range(1, n + 1), seller_names(world), countries, iso(since, "D")]


def _orders(world: World, start: int, stop: int) -> Columns:
    orders, cut = world.orders, slice(start, stop)
    return [
        range(orders.first_id + start, orders.first_id + stop),
        (orders.customer[cut] + 1).tolist(),
        (orders.seller[cut] + 1).tolist(),
        iso(orders.time[cut]),
        (orders.cents[cut] / 100).tolist(),
        [STATUSES[i] for i in orders.status[cut].tolist()],
    ]


def _lines(world: World) -> Iterator[Columns]:
    rng = stream(world.parameters.seed, "order lines")
    for start, stop in slices(len(world.orders)):
        count = world.orders.lines[start:stop]
        n = int(count.sum())
        order = np.repeat(np.arange(start, stop), count)
        first = np.repeat(np.cumsum(count) - count, count)
        skus = [f"SK-{sku:05d}" for sku in (rng.pareto(1.1, n) * 50).astype(np.int64) % _SKUS]
        quantity = 1 + rng.poisson(0.2, n)
        yield [
            (order + world.orders.first_id).tolist(),
            (np.arange(n) - first + 1).tolist(),
            skus,
            quantity.tolist(),
        ]
