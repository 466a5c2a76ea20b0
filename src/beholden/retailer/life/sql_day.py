"""Everything that is said to the company's databases on a day, incidents apart."""

from __future__ import annotations

from collections.abc import Sequence

from beholden.retailer.chance import DAY_US, stream
from beholden.retailer.life.console import Views
from beholden.retailer.life.sql import Statements, make_statements
from beholden.retailer.life.sql_lookalikes import lookalike_statements
from beholden.retailer.life.sql_people import people_statements
from beholden.retailer.life.sql_services import service_statements
from beholden.retailer.life.sql_text import Sql
from beholden.retailer.world import World

__all__ = ["day_statements"]


def day_statements(
    world: World, day: int, views: Views, others: Sequence[tuple[int, int, Sql]] = ()
) -> Statements:  # fmt: skip
    """The ordinary statements of a day to all databases.

    ``views`` is all that happened in the console, incidents included: their edits are written by the console's
    account. ``others`` are statements (time, who, text) that belong to what other logs have: the warehouse's part of
    copies into buckets.

    For a log: join those of incidents, take one database's with `beholden.retailer.life.sql.connected`, and write
    them with `beholden.retailer.life.sql_formats.database_log`.
    """
    rng = stream(world.parameters.seed, "statements of other logs", day)
    times, actors, said = zip(*others, strict=True) if others else ((), (), ())
    parts = [
        service_statements(world, day, views),
        people_statements(world, day),
        lookalike_statements(world, day),
        make_statements(world, rng, day, times, actors, said, failing=False),
    ]
    return Statements.joined(parts).between(day * DAY_US, (day + 1) * DAY_US)
