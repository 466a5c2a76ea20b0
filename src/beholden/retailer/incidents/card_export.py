"""Somebody in marketing takes the whole card table out of its zone; colleagues use the copy for months."""

from __future__ import annotations

from typing import Final

from beholden.retailer.chance import DAY_US, MINUTE_US, Rng
from beholden.retailer.incidents.incident import Incident, views_of
from beholden.retailer.statements import PAYMENTS, WAREHOUSE, Statement
from beholden.retailer.views import INCIDENT
from beholden.retailer.warehouse import copied_cards
from beholden.retailer.world import World

__all__ = ["plan"]

_COLUMNS: Final = "(customer_ref, full_name, card_number, campaign)"


def plan(world: World, rng: Rng, number: int) -> Incident:
    """The export from the vault, the load into the warehouse through a staging table, and the reads that follow."""
    p = world.parameters
    table = world.copied_table
    rows = len(copied_cards(world))
    team = world.staff.role("marketing").tolist()
    taker = world.staff.members[team[0]].login
    start = world.staff.moment_at_work(rng, team[0], p.start, p.start + max(1, p.days // 4) * DAY_US)
    steps = [
        (0, PAYMENTS, "select customer_id, holder_name, pan from card", "card", len(world.cards)),
        (
            12 * MINUTE_US,
            WAREHOUSE,
            f"create table {table} (customer_ref integer, full_name text, card_number text, campaign text)",
            table,
            None,
        ),
        (
            14 * MINUTE_US,
            WAREHOUSE,
            f"insert into {table} {_COLUMNS} select customer_id, holder_name, pan, 'loyalty' from stg_upload",
            table,
            rows,
        ),
        (16 * MINUTE_US, WAREHOUSE, "drop table stg_upload", "stg_upload", None),
    ]
    taken = [
        Statement(
            start + after + int(rng.integers(60_000)) * 1000, taker, database, sql, about, count, INCIDENT, number
        )
        for after, database, sql, about, count in steps
    ]
    readers = [*team[:3], int(world.staff.role("analyst")[1])]
    used = [
        _read(world, rng, number, who, start, rows)
        for who in readers
        for _ in range(1 + int(rng.poisson(2.0)))
        if start + DAY_US < p.end
    ]
    statements = tuple(row for row in (*taken, *used) if p.start <= row.time < p.end)
    actors = tuple(dict.fromkeys(row.actor for row in statements))
    return Incident(number, "card_export", "loud", actors, (), views_of(rng, number, []), statements)


def _read(world: World, rng: Rng, number: int, who: int, start: int, rows: int) -> Statement:
    table = world.copied_table
    time = world.staff.moment_at_work(rng, who, start + DAY_US, world.parameters.end)
    time = max(time, start + DAY_US)
    one = int(rng.integers(len(world.people))) + 1
    sql, count = (
        (f"select full_name, card_number from {table} where campaign = 'loyalty'", rows),
        (f"select * from {table} where customer_ref = {one}", 1),
        (f"select count(*) from {table}", 1),
        (f"select full_name, card_number from {table} limit 500", min(rows, 500)),
    )[int(rng.integers(4))]
    return Statement(time, world.staff.members[who].login, WAREHOUSE, sql, table, count, INCIDENT, number)
