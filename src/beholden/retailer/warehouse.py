"""``stores/warehouse.db``: dimensions and facts for analysis, and one table that lies outside its zone.

Much in it only looks like personal data.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, Ints, iso, stream
from beholden.retailer.databases import Columns, new_database
from beholden.retailer.name_lists import GIVEN, SURNAMES
from beholden.retailer.order_system import seller_names
from beholden.retailer.orders import STATUSES
from beholden.retailer.world import World, slices

__all__ = ["copied_cards", "write_warehouse"]

_TABLES: Final = """
create table dim_customer (
  customer_id integer primary key,
  full_name text not null,
  email text,
  postal_code text,
  city text,
  country text,
  segment text not null
);
create table dim_seller (seller_id integer primary key, seller_name text not null);
create table dim_status (status_code integer primary key, description text not null);
create table fact_order (
  order_id integer primary key,
  customer_id integer not null references dim_customer (customer_id),
  seller_id integer not null references dim_seller (seller_id),
  ordered_at text not null,
  amount real not null,
  status_code integer not null references dim_status (status_code)
);
create table shipment (
  order_id integer primary key,
  tracking_number text not null,
  carrier text not null,
  parcel_status integer not null,
  shipped_at text not null
);
create table agg_daily_sales (
  day text primary key,
  orders integer not null,
  revenue real not null,
  customers integer not null
);
create table forecast (
  scenario_code integer not null,
  week integer not null,
  units integer not null,
  mean_error real not null,
  primary key (scenario_code, week)
);
create table stg_order (
  order_id integer,
  customer_id integer,
  seller_id integer,
  ordered_at text,
  amount real,
  status_code integer
)
"""
_INDEXES: Final = "create index fact_order_customer_id on fact_order (customer_id)"
_SEGMENTS: Final = ("gold", "silver", "new", "dormant")
_CARRIERS: Final = ("northline", "parcelway", "swiftvan", "seapost")
_FIRST_SCENARIO: Final = 1000
_SCENARIOS: Final = 40
_WEEKS: Final = 12
#: Share of the cards on file that the marketing copy holds.
_COPIED: Final = 0.4


def copied_cards(world: World) -> Ints:
    """Positions of the cards in the table outside its zone."""
    rng = stream(world.parameters.seed, "copied cards")
    return np.flatnonzero(rng.random(len(world.cards)) < _COPIED).astype(np.int64)


def write_warehouse(world: World, path: Path) -> None:
    """Write the database."""
    rng = stream(world.parameters.seed, "warehouse")
    with new_database(path) as database:
        database.define(_TABLES)
        segment = rng.integers(0, len(_SEGMENTS), len(world.people))
        database.fill("dim_customer", (_people(world, segment, *part) for part in slices(len(world.people))))
        database.fill("dim_seller", [[range(1, world.parameters.sellers + 1), seller_names(world)]])
        database.fill("dim_status", [[range(10, 10 * len(STATUSES) + 1, 10), STATUSES]])
        database.fill("fact_order", (_orders(world, *part) for part in slices(len(world.orders))))
        database.fill("shipment", _shipments(world))
        database.fill("agg_daily_sales", [_daily(world)])
        database.fill("forecast", [_forecast(world)])
        database.define(
            f"create table {world.copied_table} (customer_ref integer, full_name text, card_number text, campaign text)"
        )
        database.fill(world.copied_table, _copied(world))
        database.define(_INDEXES)


def _people(world: World, segment: Ints, start: int, stop: int) -> Columns:
    text = world.people.text(start, stop)
    return [
        text.customer_id,
        [f"{first} {last}" for first, last in zip(text.first_name, text.last_name, strict=True)],
        text.email,
        text.postal_code,
        text.city,
        text.country,
        [_SEGMENTS[i] for i in segment[start:stop].tolist()],
    ]


def _orders(world: World, start: int, stop: int) -> Columns:
    orders, cut = world.orders, slice(start, stop)
    return [
        range(orders.first_id + start, orders.first_id + stop),
        (orders.customer[cut] + 1).tolist(),
        (orders.seller[cut] + 1).tolist(),
        iso(orders.time[cut]),
        (orders.cents[cut] / 100).tolist(),
        (10 * (orders.status[cut] + 1)).tolist(),
    ]


def _shipments(world: World) -> Iterator[Columns]:
    rng = stream(world.parameters.seed, "shipments")
    for start, stop in slices(len(world.orders)):
        n = stop - start
        # Sixteen digits that are no card numbers: one in ten passes the Luhn check by chance.
        tracking = rng.integers(10**15, 10**16, n)
        shipped = world.orders.time[start:stop] + rng.integers(4, 60, n) * 3_600_000_000
        yield [
            range(world.orders.first_id + start, world.orders.first_id + stop),
            [str(number) for number in tracking.tolist()],
            [_CARRIERS[i] for i in rng.integers(0, len(_CARRIERS), n).tolist()],
            rng.choice(np.array([100, 200, 250, 300, 404]), n).tolist(),
            iso(shipped),
        ]


def _daily(world: World) -> Columns:
    orders = world.orders
    days, at = np.unique(orders.time // DAY_US, return_inverse=True)
    revenue = np.bincount(at, weights=orders.cents) / 100
    pairs = np.unique(np.stack([at, orders.customer]), axis=1)
    return [
        iso(days * DAY_US, "D"),
        np.bincount(at).tolist(),
        np.round(revenue, 2).tolist(),
        np.bincount(pairs[0]).tolist(),
    ]


def _forecast(world: World) -> Columns:
    rng = stream(world.parameters.seed, "forecast")
    scenario = np.repeat(np.arange(_FIRST_SCENARIO, _FIRST_SCENARIO + _SCENARIOS), _WEEKS)
    n = len(scenario)
    error = np.round(rng.random(n) * 12, 3)
    week = np.tile(np.arange(1, _WEEKS + 1), _SCENARIOS)
    return [scenario.tolist(), week.tolist(), rng.integers(10, 90_000, n).tolist(), error.tolist()]


def _copied(world: World) -> Iterator[Columns]:
    chosen = copied_cards(world)
    for start, stop in slices(len(chosen)):
        part = chosen[start:stop]
        customer = world.cards.customer[part]
        given, surname = world.people.given[customer].tolist(), world.people.surname[customer].tolist()
        yield [
            (customer + 1).tolist(),
            [f"{GIVEN[first]} {SURNAMES[last]}" for first, last in zip(given, surname, strict=True)],
            [str(number) for number in world.cards.number[part].tolist()],
            ["loyalty"] * len(part),
        ]
