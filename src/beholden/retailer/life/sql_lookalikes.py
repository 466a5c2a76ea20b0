"""Work on databases that has the shape of theft or tampering: exports, rebuilt tables, corrections by hand, emergencies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, HOUR_US, SECOND_US, Chance, Rng, below, stream, uniform
from beholden.retailer.events import label
from beholden.retailer.life.assignments import correction_day
from beholden.retailer.life.investigations import privacy_views
from beholden.retailer.life.sql import Statements, make_statements
from beholden.retailer.life.sql_deeds import filed, rebuilt
from beholden.retailer.life.sql_people import author_of, moments_of_work
from beholden.retailer.life.sql_queries import Samples, looked_up
from beholden.retailer.life.sql_services import Known, changed_contact
from beholden.retailer.life.sql_text import (
    Draws,
    Sql,
    assigned,
    day_text,
    selected,
    style_of,
)
from beholden.retailer.life.warehouse_jobs import feed_sql
from beholden.retailer.warehouse_tables import WAREHOUSE, Table, catalogue
from beholden.retailer.world import World

__all__ = ["lookalike_statements", "on_call"]

_EXPORT_DAYS: Final = (1, 2, 3)  # of a month: when its figures are taken
#: The postal reform: old first digits, new ones.
_REFORM: Final = (("13", "14"), ("69", "68"), ("75", "76"))


def lookalike_statements(world: World, day: int) -> Statements:
    """All of them, and the copies that people make by hand."""
    return Statements.joined([
        _by_hand(world, day), _period_end(world, day), _migrations(world, day), _corrections(world, day),
        _mass_correction(world, day), _break_glass(world, day), _privacy(world, day),
    ])  # fmt: skip


def on_call(world: World, day: int) -> int:
    """Who of IT is on call in the night to ``day`` (a week at a time); -1 where nobody is employed."""
    team = world.staff.of_role("it", day)
    return int(team[day // 7 % len(team)]) if len(team) else -1


def _made(world: World, rng: Rng, day: int, parts: Sequence[tuple[int, int, Sql]], what: str) -> Statements:
    time, who, said = zip(*parts, strict=True) if parts else ((), (), ())
    return make_statements(world, rng, day, time, who, said, what=label(what))


def _by_hand(world: World, day: int) -> Statements:
    """Copies of tables that somebody of a team made once, today."""
    rng = stream(world.parameters.seed, "copies by hand", day)
    staff = world.staff
    parts: list[tuple[int, int, Sql]] = []
    for table in catalogue(world.parameters).of(WAREHOUSE):
        if table.feed is None or table.feed.every or table.feed.first != day:
            continue
        analysts = staff.at_work("analyst", day).tolist() or staff.of_role("analyst", day).tolist()
        team = [who for who in analysts if staff.members[who].team_on(day) == table.owner] or analysts
        who = team[int(rng.integers(len(team)))]
        start = moments_of_work(rng, world, who, day, 1)[0]
        parts += [(start + after, who, sql) for after, sql in feed_sql(world, table, day, style_of(world, who))]
    return make_statements(world, rng, day, *_columns(parts), failing=False)


def _columns(parts: Sequence[tuple[int, int, Sql]]) -> tuple[Sequence[int], Sequence[int], Sequence[Sql]]:
    time, who, said = zip(*parts, strict=True) if parts else ((), (), ())
    return time, who, said


def _period_end(world: World, day: int) -> Statements:
    """Finance takes whole tables in the first days of a month; more of them after a quarter."""
    rng = stream(world.parameters.seed, "period end", day)
    date = day_text(day)
    year, month, of_month = (int(part) for part in date.split("-"))
    parts: list[tuple[int, int, Sql]] = []
    if of_month in _EXPORT_DAYS:
        tables = catalogue(world.parameters).by_path
        quarter = month % 3 == 1
        last = np.datetime64(f"{year:04d}-{month:02d}") - (3 if quarter else 1)
        names = ("fact_order", "fact_payment", "agg_seller_daily", "mart_seller_rank", "dim_seller")
        for who in world.staff.at_work("finance", day).tolist():
            for time, name in zip(
                moments_of_work(rng, world, who, day, 1 + 2 * quarter), rng.permutation(names), strict=False
            ):
                table = tables[f"{WAREHOUSE}.{name}"]
                parts.append((time, who, _exported(world, who, table, day, str(last))))
    return _made(world, rng, day, parts, "benign:period_end_export")


def _exported(world: World, who: int, table: Table, day: int, since: str) -> Sql:
    time = table.has("order.time") or table.has("payment.time") or table.has("day")
    where = f"{time} >= '{since}-01'" if time else ""
    return filed(world, who, table, day, place=f"s3://meridian-finance/{since}/{table.name}.csv", where=where)


def _migrations(world: World, day: int) -> Statements:
    """An engineer rebuilds a table: CREATE TABLE AS, drop, rename; in the warehouse or in the CRM."""
    p = world.parameters
    rng = stream(p.seed, "migrations", day)
    parts: list[tuple[int, int, Sql]] = []
    team = world.staff.at_work("engineer", day)
    for _ in range(int(rng.poisson(p.migrations_a_month / 30))):
        if not len(team):
            break
        tables = catalogue(p)
        databases = (WAREHOUSE, WAREHOUSE, "crm")
        kept = [table for table in tables.of(databases[int(rng.integers(3))]) if table.layer in {"core", "source"}]
        who = int(team[rng.integers(len(team))])
        time = moments_of_work(rng, world, who, day, 1)[0]
        for sql in rebuilt(world, who, kept[int(rng.integers(len(kept)))], day):
            parts.append((time, who, sql))
            time += int(rng.integers(8_000, 90_000)) * 1000
    return make_statements(world, rng, day, *_columns(parts), what=label("benign:schema_migration"), failing=False)


def _corrections(world: World, day: int) -> Statements:
    """IT puts single customers right on the CRM's own database, after a look; what a bypass of the console looks like."""
    p = world.parameters
    rng = stream(p.seed, "direct corrections", day)
    team = world.staff.at_work("it", day)
    draws, samples = Draws(rng), Samples(world, day, rng)
    customer = catalogue(p).by_path["crm.customer"]
    parts: list[tuple[int, int, Sql]] = []
    for _ in range(int(rng.poisson(max(0.4, p.direct_corrections_a_day_at_full_scale * p.scale)))):
        if not len(team):
            break
        who, at = int(team[rng.integers(len(team))]), draws.below(len(samples.people.email))
        people, number = samples.people, samples.customers[at]
        author = author_of(world, samples, draws, who)
        time = moments_of_work(rng, world, who, day, 1)[0]
        field = draws.one(("email", "email", "phone", "last_name", "address"))
        known = Known(people.email[at], people.phone[at], people.last_name[at], people.street[at])
        parts.append(
            (
                time,
                who,
                looked_up(
                    author, customer, "customer_id", [number], draws.one(((), ("customer_id", "email", "phone")))
                ),
            )
        )
        parts.append(
            (
                time + (15_000 + draws.below(60_000)) * 1000,
                who,
                changed_contact(author.style, field, number, known, draws.below(9000)),
            )
        )
    return make_statements(world, rng, day, *_columns(parts))


def _mass_correction(world: World, day: int) -> Statements:
    """On the day of the mass correction its author counts, then changes postal codes by the thousand in one statement."""
    planned = correction_day(world)
    rng = stream(world.parameters.seed, "mass correction on the database", day)
    parts: list[tuple[int, int, Sql]] = []
    if planned is not None and planned[0] == day:
        who = planned[1]
        style = style_of(world, who)
        time = moments_of_work(rng, world, who, day, 1)[0]
        for old, new in _REFORM:
            rows = max(1, round(world.parameters.customers * 0.01 * (0.5 + rng.random())))
            where = [f"country = 'FR' and postal_code like '{old}%'"]
            parts.append((time, who, selected(style, "crm", "customer", ["count(*)"], where, rows=1)))
            time += int(rng.integers(20_000, 200_000)) * 1000
            value = f"postal_code = '{new}' || substr(postal_code, 3)"
            parts.append((time, who, assigned(style, "crm", "customer", [value], where[0], rows=rows)))
            time += int(rng.integers(60_000, 540_000)) * 1000
    return make_statements(world, rng, day, *_columns(parts), what=label("benign:mass_correction"), failing=False)


def _break_glass(world: World, day: int) -> Statements:
    """The one on call works on the CRM's database at night under their own name."""
    p = world.parameters
    chance = Chance(p.seed, "break glass")(day, np.arange(2))
    rng = stream(p.seed, "break glass", day)
    who = on_call(world, day)
    parts: list[tuple[int, int, Sql]] = []
    if who >= 0 and uniform(chance)[0] < p.break_glass_a_month / 30:
        draws, samples = Draws(rng), Samples(world, day, rng)
        tables = catalogue(p).by_path
        time = day * DAY_US + HOUR_US + int(below(chance, 3 * 3600)[1]) * SECOND_US + int(rng.integers(1000)) * 1000
        for _ in range(4 + int(rng.poisson(6))):
            author = author_of(world, samples, draws, who)
            some = draws.several(samples.customers, 1 + draws.below(12))
            table = tables[draws.one(("crm.customer", "crm.customer", "crm.notes"))]
            parts.append((time, who, looked_up(author, table, "customer_id", some)))
            if draws.chance(0.2):
                time += int(rng.integers(5_000, 90_000)) * 1000
                where = f"customer_id in ({', '.join(map(str, some))})"
                sql = assigned(author.style, "crm", "customer", ["phone = trim(phone)"], where, rows=len(some))
                parts.append((time, who, sql))
            time += int(rng.integers(5_000, 240_000)) * 1000
    return _made(world, rng, day, parts, "benign:break_glass")


def _privacy(world: World, day: int) -> Statements:
    """Privacy staff read the person they look up in the console in every database too."""
    rng = stream(world.parameters.seed, "privacy on databases", day)
    views = privacy_views(world, day)
    first: list[int] = (
        np.unique(np.stack([views.actor, views.customer]), axis=1, return_index=True)[1].tolist() if len(views) else []
    )
    tables = catalogue(world.parameters).by_path
    draws, samples = Draws(rng), Samples(world, day, rng)
    parts: list[tuple[int, int, Sql]] = []
    for at in sorted(first):
        who, time = int(views.actor[at]), int(views.time[at])
        for path in (
            "crm.customer",
            "crm.notes",
            "orders.orders",
            "payments.card",
            "warehouse.customer_profile",
            "warehouse.fact_order",
        ):
            columns = ("card_id", "customer_id", "expiry") if path == "payments.card" else ()
            author = author_of(world, samples, draws, who)
            time += int(rng.integers(8_000, 60_000)) * 1000
            parts.append(
                (time, who, looked_up(author, tables[path], "customer_id", [int(views.customer[at]) + 1], columns))
            )
    parts = [part for part in parts if part[0] < (day + 1) * DAY_US]
    return _made(world, rng, day, parts, "benign:privacy_request")
