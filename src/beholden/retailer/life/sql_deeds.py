"""Things done to data in more than one statement, by whoever does them: copies, files, uploads, changes, rows of look-ups.

Ordinary work and incidents are made of the same ones; what they were is said to `make_statements`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from beholden.retailer.chance import Ints, Rng
from beholden.retailer.life.sql_queries import Author, Samples, looked_up
from beholden.retailer.life.sql_services import Known, changed_contact
from beholden.retailer.life.sql_text import Draws, Sql, copied_table, created, day_text, exported, style_of, texted
from beholden.retailer.life.warehouse_jobs import LANDING, rows_of
from beholden.retailer.staff import SERVICES
from beholden.retailer.warehouse_tables import WAREHOUSE, Table, catalogue
from beholden.retailer.world import World

__all__ = [
    "contact_changes", "copied", "filed", "lookups", "rebuilt", "removed", "unused_accounts", "uploaded", "vault_export",
]  # fmt: skip

_CHANGED: Final = ("email", "phone", "last_name", "address")


def copied(world: World, who: int, source: Table, target: str, day: int, columns: Sequence[str] = ()) -> Sql:
    """A table made from another by CREATE TABLE AS; all columns unless some are named (``name`` or ``name as other``)."""
    query = [f"select {', '.join(columns) or '*'}", f"from {source.name}"]
    rows = rows_of(world, day, source)
    return copied_table(style_of(world, who), source.database, target, (source.name,), query, rows)


def filed(
    world: World, who: int, table: Table, day: int, *, place: str = "", columns: Sequence[str] = (), where: str = "", rows: int = -1
) -> Sql:  # fmt: skip
    """A table written to a file: in the bucket of the author's team, if no other place is given."""
    team = world.staff.members[who].team_on(day) if who < len(world.staff.members) else "shared"
    place = place or f"s3://meridian-team-{team}/{table.name}_{day_text(day).replace('-', '')}.csv"
    rows = rows_of(world, day, table) if rows < 0 else rows
    return exported(style_of(world, who), table.database, table.name, ", ".join(columns), place, rows, where)


def uploaded(world: World, who: int, table: Table, day: int, rows: int) -> list[Sql]:
    """A table made in the warehouse and filled from a file that its author uploaded."""
    style = style_of(world, who)
    defined = ", ".join(f"{column.name} {column.sql_type}" for column in table.columns)
    place = f"{LANDING}/uploads/{world.staff.logins(day)[who]}/{table.name}.csv"
    load = texted(style, [f"copy {table.name}", f"from '{place}'", "with (format csv, header true)"])
    return [created(style, WAREHOUSE, table.name, defined), Sql(WAREHOUSE, load, "COPY", (), (table.name,), rows)]


def removed(world: World, who: int, table: str, database: str = WAREHOUSE) -> Sql:
    """A table dropped."""
    return Sql(database, texted(style_of(world, who), [f"drop table {table}"]), "DROP TABLE", (), (table,))


def rebuilt(world: World, who: int, table: Table, day: int, ending: str = "new") -> list[Sql]:
    """A table copied, dropped, and the copy given its name."""
    made = copied(world, who, table, f"{table.name}_{ending}", day)
    renamed = texted(style_of(world, who), [f"alter table {table.name}_{ending} rename to {table.name}"])
    gone = removed(world, who, table.name, table.database)
    return [made, gone, Sql(table.database, renamed, "ALTER TABLE", (), (f"{table.name}_{ending}",))]


def vault_export(
    world: World, who: int, day: int, columns: Sequence[str] = ("customer_id", "holder_name", "pan"), *,
    where: str = "", rows: int = -1,
) -> Sql:  # fmt: skip
    """Cards taken out of the vault's database to the author's own machine; the whole table without ``where``."""
    card = catalogue(world.parameters).by_path["payments.card"]
    return filed(world, who, card, day, place="stdout", columns=columns, where=where, rows=rows)


def contact_changes(world: World, rng: Rng, who: int, customer: Ints, field: str = "email") -> list[Sql]:
    """One UPDATE on the CRM for each of these customers (positions): ``email``, ``phone``, ``last_name`` or ``address``."""
    text = world.people.text(customer)
    known = map(Known, text.email, text.phone, text.last_name, text.street)
    number = rng.integers(0, 9000, len(customer)).tolist()
    style = style_of(world, who, Draws(rng))  # as they write it this once: all of them alike
    return [
        changed_contact(style, field, one + 1, *rest)
        for one, *rest in zip(customer.tolist(), known, number, strict=True)
    ]  # fmt: skip


def lookups(
    world: World, rng: Rng, who: int, day: int, path: str, customer: Ints, *, at_a_time: int = 1, columns: Sequence[str] = ()
) -> list[Sql]:  # fmt: skip
    """Queries of a table (``database.table``) for these customers (positions), so many in each."""
    table = catalogue(world.parameters).by_path[path]
    key = table.has("customer.id")
    assert key is not None, path  # noqa: S101 - a caller's mistake: only tables about customers are looked up by them
    draws, samples = Draws(rng), Samples(world, day, rng)
    numbers = (customer + 1).tolist()
    return [
        looked_up(
            Author(style_of(world, who, draws), draws, samples), table, key, numbers[at : at + at_a_time], columns
        )
        for at in range(0, len(numbers), at_a_time)
    ]


def unused_accounts(world: World) -> Ints:
    """Positions of the service accounts that no job runs under: powerful, and asleep. None in the smallest companies."""
    tables = catalogue(world.parameters)
    used = {tables.account(f"analyst-{team + 1}") for team in range(tables.teams)}
    names = [name for name in world.staff.services[len(SERVICES) :] if name not in used]
    return np.array([world.staff.service(name) for name in names], dtype=np.int64)
