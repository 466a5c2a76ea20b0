"""``stores/payments.db``: the cards on file and the payments made with them. The cardholder zone."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, Ints, iso, stream
from beholden.retailer.databases import Columns, new_database
from beholden.retailer.name_lists import GIVEN, SURNAMES
from beholden.retailer.people import plain_ascii
from beholden.retailer.world import World, slices

__all__ = ["FIRST_CARD_ID", "write_payments"]

FIRST_CARD_ID: Final = 700_001
_TABLES: Final = """
create table card (
  card_id integer primary key,
  customer_id integer not null,
  holder_name text not null,
  pan text not null,
  expiry text not null
);
create table payment (
  payment_id integer primary key,
  order_id integer not null,
  card_id integer references card (card_id),
  amount real not null,
  paid_at text not null,
  status text not null
)
"""
_INDEXES: Final = "create index card_customer_id on card (customer_id)"
_STATUSES: Final = ("settled", "settled", "settled", "settled", "authorised", "refused", "refunded")


def write_payments(world: World, path: Path) -> None:
    """Write the database."""
    with new_database(path) as database:
        database.define(_TABLES)
        database.fill("card", (_cards(world, *part) for part in slices(len(world.cards))))
        card_of = np.full(len(world.people), -1, dtype=np.int64)
        card_of[world.cards.customer] = np.arange(len(world.cards))
        database.fill("payment", (_payments(world, card_of, *part) for part in slices(len(world.orders))))
        database.define(_INDEXES)


def _cards(world: World, start: int, stop: int) -> Columns:
    cards, people, cut = world.cards, world.people, slice(start, stop)
    customer = cards.customer[cut]
    holders = [
        f"{plain_ascii(GIVEN[given])} {plain_ascii(SURNAMES[surname])}".upper()
        for given, surname in zip(people.given[customer].tolist(), people.surname[customer].tolist(), strict=True)
    ]
    month = world.parameters.start // DAY_US // 30 + cards.expiry_month[cut]
    expiry = [f"{m % 12 + 1:02d}/{1970 + m // 12 - 2000:02d}" for m in month.tolist()]
    return [
        range(FIRST_CARD_ID + start, FIRST_CARD_ID + stop),
        (customer + 1).tolist(),
        holders,
        [str(number) for number in cards.number[cut].tolist()],
        expiry,
    ]


def _payments(world: World, card_of: Ints, start: int, stop: int) -> Columns:
    orders, cut = world.orders, slice(start, stop)
    rng = stream(world.parameters.seed, f"payments {start}")
    card = card_of[orders.customer[cut]]
    paid = orders.time[cut] + rng.integers(1, 900, stop - start) * 1_000_000
    return [
        range(90_000_001 + start, 90_000_001 + stop),
        range(orders.first_id + start, orders.first_id + stop),
        [FIRST_CARD_ID + at if at >= 0 else None for at in card.tolist()],
        (orders.cents[cut] / 100).tolist(),
        iso(paid),
        [_STATUSES[i] for i in rng.integers(0, len(_STATUSES), stop - start).tolist()],
    ]
