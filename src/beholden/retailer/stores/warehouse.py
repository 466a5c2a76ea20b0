"""Tables of the warehouse that are made from others of it: by the query of their own job, as long as it ran.

What somebody copied once, by hand, is as things were on that day: only who was a customer then, with the addresses of
then, and orders of then, which nothing else holds any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US
from beholden.retailer.life.sql_text import day_text
from beholden.retailer.orders import FIRST_ORDER_ID
from beholden.retailer.stores.database import Database
from beholden.retailer.stores.layout import PAST, Layout, Placed
from beholden.retailer.warehouse_tables import Column, Table, catalogue
from beholden.retailer.world import World

__all__ = ["derive", "loaded_until"]

#: Meanings of times that belong to orders: those before our history are made from later ones.
_TIMES: Final = ("order.time", "payment.time", "parcel.time", "contact.opened", "contact.closed")
#: Newest first where rows are of these.
_NEWEST: Final = frozenset({"order", "line", "payment", "parcel", "contact"})
_MORE: Final = 3
_CONTACTS_A_DAY: Final = 10_000_000  # tickets of each day begin a new ten million


def loaded_until(world: World) -> int:
    """What came later (microseconds) waits for the next night."""
    return world.parameters.end - DAY_US


def derive(world: World, layout: Layout, placed: Placed, database: Database, made: dict[str, str]) -> int:
    """Fill a table from those before it; returns how many rows it has.

    ``made`` remembers the queries of tables that jobs make: teams ask the same, and the second table is the first again.
    """
    p, table = world.parameters, placed.canonical
    feed = table.feed
    assert feed is not None  # noqa: S101 - only what is fed is derived
    relation, where = feed.relation, [feed.where] if feed.where else []
    by_hand = not feed.every
    if by_hand:
        source = catalogue(p).by_path[feed.sources[0][1]]
        relation, more = _as_of(world, database, source, feed.sources[0][0], feed.first)
        where += more
    items = ", ".join(column.expression for column in table.columns)
    clauses = [f"select {items} from {relation}"]
    if where:
        clauses.append("where " + " and ".join(where))
    if feed.group:
        clauses.append("group by " + ", ".join(str(i + 1) for i in range(feed.group)))
    most = p.staging_rows_max if table.layer == "staging" else p.team_rows_max
    if table.layer == "core":
        most = p.store_rows_max
    clauses.append(f"order by 1{' desc' if table.grain in _NEWEST else ''} limit {most}")
    select = layout.words.said(" ".join(clauses))
    if not by_hand:
        first = made.setdefault(select, placed.name)
        select = select if first == placed.name else f"select * from {first}"
    rows = database.derive(placed, select)
    if by_hand:
        for statement in _outdated(table, feed.first):
            database.run(layout.words.said(statement))
    return rows


def _as_of(world: World, database: Database, source: Table, alias: str, day: int) -> tuple[str, list[str]]:
    """The source as it was on a day: what stands for it behind FROM, and conditions."""
    if source.feed is not None and not source.feed.every:
        return f"{source.name} {alias}", []  # a copy as old as that, which has not changed since
    before = f"timestamp '{day_text(day)} 00:00:00'"
    where = []
    customer = source.has("customer.id")
    if customer:
        # The newer ones are the fewer.
        newer = f"select customer_id from customer_profile where created_at >= {before}"
        where.append(f"{alias}.{customer} not in ({newer})")
    where += [f"{alias}.{column.name} < {before}" for column in source.columns if column.meaning == "note.time"]
    back = loaded_until(world) // DAY_US - day
    first = world.calendar.first_day
    if day > first + 1:
        name = next((column.name for column in source.columns if column.meaning in _TIMES), "")
        return f"{source.name} {alias}", [*where, *([f"{alias}.{name} < {before}"] if name else [])]
    items = ", ".join(_earlier(world, database, column, back) for column in source.columns)
    # A condition on the copy leaves fewer of them.
    most = _MORE * world.parameters.team_rows_max
    newest = f"order by 1 desc limit {most}"
    seller = source.has("seller.id")
    if seller and (stopped := _suspended_before(world, most, back)):
        where.append(f"{alias}.{seller} not in ({stopped})")
    return f"(select {items} from (select * from {source.name} {newest}) o) {alias}", where


def _suspended_before(world: World, orders: int, days: int) -> str:
    """The numbers of sellers who were suspended at some time while the last so many orders would have been placed then."""
    calendar, every = world.calendar, world.sellers.suspensions
    first = int(np.searchsorted(calendar.orders_before, calendar.orders_before[-2] - orders, side="right")) - 1
    start = (calendar.first_day + max(first, 0) - days) * DAY_US
    during = (every.start < loaded_until(world) - days * DAY_US) & ((every.end < 0) | (every.end > start))
    return ", ".join(map(str, np.sort(every.seller[during] + 1).tolist()))


def _earlier(world: World, database: Database, column: Column, days: int) -> str:
    """A column as it would have been that many days earlier: other ids, other times."""
    name, p = column.name, world.parameters
    if column.meaning in _TIMES:
        return f"{database.shifted.format(column=name, days=days)} as {name}"
    whole = FIRST_ORDER_ID - 1
    if column.meaning == "order.id":
        return f"({name} - {round(days * p.orders_a_day) % whole}) % {whole} as {name}"
    if column.meaning == "payment.id":
        return f"{name} - {round(days * p.orders_a_day) % whole} as {name}"
    if column.meaning == "contact.id":
        return f"{name} - {days * _CONTACTS_A_DAY} as {name}"
    return name


def _outdated(table: Table, day: int) -> Sequence[str]:
    """Statements that put back what was otherwise on that day."""
    customer = table.has("customer.id")
    if customer is None:
        return ()
    found = []
    for meaning, past in PAST.items():
        column = table.has(meaning)
        if column is not None:
            value, after = past.columns[1].name, f"until > timestamp '{day_text(day)} 00:00:00'"
            # Of several that came later the first replaced what was there.
            then = f"select h.{value} from {past.name} h where h.customer_id = {table.name}.{customer} and h.{after}"
            known = f"select customer_id from {past.name} where {after}"
            found.append(
                f"update {table.name} set {column} = ({then} order by h.until limit 1) where {customer} in ({known})"
            )
    return found
