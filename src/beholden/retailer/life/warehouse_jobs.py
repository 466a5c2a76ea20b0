"""The jobs that fill the warehouse: the SQL of each table's feed, and when it runs at night.

From these statements alone a table's lineage can be found; `Column.origins` says what it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, HOUR_US, SECOND_US, Chance, uniform
from beholden.retailer.life.sql_text import Sql, Style, copied_table, day_text, exported, inserted, style_of, texted
from beholden.retailer.warehouse_tables import WAREHOUSE, Catalogue, Column, Table
from beholden.retailer.world import World

__all__ = ["LANDING", "feed_sql", "job_times", "landed_from", "rows_of", "runs_on"]

#: Where files wait to be loaded.
LANDING: Final = "s3://meridian-landing"
#: Hours (UTC) at which each layer's jobs run, and for how long they are started.
_HOURS: Final = {"raw": (1.0, 0.4), "staging": (1.5, 0.4), "core": (2.0, 0.5), "mart": (2.75, 1.0), "copy": (4.0, 1.5)}
_LAYERS: Final = tuple(_HOURS)


def runs_on(table: Table, day: int) -> bool:
    """Whether a job fills the table on that day."""
    feed = table.feed
    return feed is not None and feed.every > 0 and day > feed.first and day % feed.every == 0


def job_times(world: World, catalogue: Catalogue, day: int) -> list[tuple[int, Table]]:
    """The jobs of a night in the order of time: each runs after those that make what it reads."""
    tables = [table for table in catalogue.of(WAREHOUSE) if runs_on(table, day)]
    shares = uniform(Chance(world.parameters.seed, "job times")(day, np.arange(len(tables)))).tolist()
    found: list[tuple[int, Table]] = []
    count = dict.fromkeys(_LAYERS, 0)
    for table in tables:
        count[table.layer] += 1
    place = dict.fromkeys(_LAYERS, 0)
    for table, share in zip(tables, shares, strict=True):
        # In a layer the jobs follow one another as in the catalogue, where each stands after its sources.
        start, length = _HOURS[table.layer]
        moment = start + length * (place[table.layer] + share) / count[table.layer]
        place[table.layer] += 1
        found.append((day * DAY_US + int(moment * HOUR_US) // 1000 * 1000, table))
    return found


def rows_of(world: World, day: int, table: Table, *, nightly: bool = False) -> int:
    """About how many rows the table has on a day, or gets that night."""
    rows = world.once(
        f"rows of each grain, nightly {nightly}", day, lambda: _rows_of_grains(world, day, nightly=nightly)
    )
    return round(rows[table.grain] * table.share)


def _rows_of_grains(world: World, day: int, *, nightly: bool) -> dict[str, int]:
    p, calendar = world.parameters, world.calendar
    at = min(max(day - calendar.first_day, 0), len(calendar.days))
    orders = calendar.orders_on(day - 1) if nightly else int(calendar.orders_before[at])
    days = 1 if nightly else at
    # Of the room that customers have for some (`accounts`), two and a half each on average.
    reviews = round(orders * p.reviews_written + (0 if nightly else 2.5 * p.reviews_held * p.customers))
    return {
        "customer": p.customers, "note": p.customers // 10, "order": orders, "line": orders * 3 // 2, "seller": p.sellers,
        "card": round(p.customers * p.card_holders), "payment": orders, "parcel": orders,
        "contact": round(orders * p.contacts_per_order), "review": reviews, "day": days, "seller-day": min(orders, days * p.sellers * 2 // 3),
        "buyer": min(orders, p.customers * 2 // 3), "group": 40, "code": 12,
    }  # fmt: skip


def feed_sql(world: World, table: Table, day: int, style: Style | None = None) -> Iterator[tuple[int, Sql]]:
    """The statements that fill a table on a day, with how much later than the first each runs (microseconds)."""
    feed = table.feed
    assert feed is not None  # noqa: S101 - only what is fed is filled
    style = style or _style(world, table)
    rows = rows_of(
        world, day, table, nightly=feed.form in {"append", "land"} and table.grain not in {"customer", "seller"}
    )
    name = table.name
    if feed.form == "land":
        yield 0, Sql(WAREHOUSE, texted(style, [f"truncate table {name}"]), "TRUNCATE TABLE", (), (name,))
        yield 20 * SECOND_US, _landing(style, table, day, rows)
        return
    query = _query(table, day)
    sources = [path.partition(".")[2] for _, path in feed.sources]
    names = [column.name for column in table.columns]
    if feed.form == "ctas":
        if feed.every:
            yield 0, Sql(WAREHOUSE, texted(style, [f"drop table if exists {name}"]), "DROP TABLE", (), (name,))
        yield 2 * SECOND_US, copied_table(style, WAREHOUSE, name, sources, query, rows)
    elif feed.form == "merge":
        yield 0, _merge(style, table, sources, query, rows)
    else:
        if feed.form == "replace":
            yield 0, Sql(WAREHOUSE, texted(style, [f"truncate table {name}"]), "TRUNCATE TABLE", (), (name,))
        yield 3 * SECOND_US, inserted(style, WAREHOUSE, name, names, sources, query, rows)


def _style(world: World, table: Table) -> Style:
    """Jobs of a team are written in its manner."""
    # The habits of accounts that do not exist, so that they are nobody's.
    return style_of(world, 10_000_000 + sum(map(ord, table.owner)) * 1000 + len(table.owner))


def _landing(style: Style, table: Table, day: int, rows: int) -> Sql:
    feed = table.feed
    origin = feed.relation.replace(".", "/") if feed is not None and feed.sources else f"files/{table.name}"
    place = f"{LANDING}/{origin}/{day_text(day)}/"
    names = ", ".join(column.name for column in table.columns)
    text = texted(style, [f"copy {table.name} ({names})", f"from '{place}'", "with (format csv, header true)"])
    return Sql(WAREHOUSE, text, "COPY", (), (table.name,), rows)


def landed_from(style: Style, table: Table, day: int, rows: int) -> Sql:
    """What the source database is asked for, so that the raw table can be loaded."""
    assert table.feed is not None  # noqa: S101 - a landed table has a feed
    database, _, name = table.feed.relation.partition(".")
    columns = ", ".join(column.name for column in table.columns)
    time = {"orders": "ordered_at", "payment": "paid_at", "product_review": "written_at"}.get(name)
    since = day_text(day - 1)
    where = f"{time} >= '{since}'" if time else ""
    if database != "orders":
        return exported(style, database, name, columns, "stdout", rows, where)
    clauses = [f"select {columns}", f"from {name}", *([f"where {where}"] if where else [])]
    return Sql(database, texted(style, clauses), "SELECT", (name,), (), rows)


def _query(table: Table, day: int) -> list[str]:
    """The clauses of the query behind a table."""
    feed = table.feed
    assert feed is not None  # noqa: S101 - see feed_sql
    conditions = [feed.where] if feed.where else []
    if feed.time and feed.form == "append":
        start, end = day_text(day - 1), day_text(day)
        conditions.append(f"{feed.time} >= timestamp '{start} 00:00:00' and {feed.time} < timestamp '{end} 00:00:00'")
    clauses = ["select " + ", ".join(map(_item, table.columns)), f"from {feed.relation}"]
    if conditions:
        clauses.append("where " + " and ".join(conditions))
    if feed.group:
        clauses.append("group by " + ", ".join(str(i + 1) for i in range(feed.group)))
    return clauses


def _item(column: Column) -> str:
    plain = column.expression.rpartition(".")[2] == column.name
    return column.expression if plain else f"{column.expression} as {column.name}"


def _merge(style: Style, table: Table, sources: list[str], query: list[str], rows: int) -> Sql:
    key, *others = (column.name for column in table.columns)
    clauses = [
        f"merge into {table.name} t",
        f"using ({' '.join(query)}) s",
        f"on t.{key} = s.{key}",
        "when matched then update set " + ", ".join(f"{name} = s.{name}" for name in others),
        f"when not matched then insert ({', '.join([key, *others])}) values ({', '.join(f's.{name}' for name in [key, *others])})",
    ]
    return Sql(WAREHOUSE, texted(style, clauses), "MERGE", tuple(sources), (table.name,), rows)
