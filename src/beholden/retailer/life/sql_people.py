"""Statements of people at work: who asks which database, how often, about what."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from beholden.retailer.cards import FIRST_CARD_ID
from beholden.retailer.chance import HOUR_US, Ints, Rng, stream
from beholden.retailer.events import label
from beholden.retailer.life.records import SHIFT_US
from beholden.retailer.life.sql import Statements, make_statements
from beholden.retailer.life.sql_deeds import copied, filed, removed, uploaded, vault_export
from beholden.retailer.life.sql_queries import Author, Samples, asked, looked_up
from beholden.retailer.life.sql_text import DATABASES, Draws, Sql, day_text, style_of, texted
from beholden.retailer.warehouse_tables import WAREHOUSE, Catalogue, Table, catalogue, source
from beholden.retailer.world import World

__all__ = ["author_of", "moments_of_work", "own_work", "people_statements", "statements_a_day"]

#: Role -> databases and how much of the role's work they are.
_WORK: Final[dict[str, tuple[tuple[str, float], ...]]] = {
    "analyst": (("warehouse", 1.0),),
    "marketing": (("warehouse", 1.0),),
    "engineer": (("orders", 0.45), ("warehouse", 0.4), ("crm", 0.15)),
    "fraud": (("payments", 0.7), ("orders", 0.2), ("crm", 0.1)),
    "finance": (("warehouse", 0.7), ("payments", 0.3)),
    "it": (("orders", 0.4), ("crm", 0.4), ("payments", 0.2)),
}
#: Shared tables, by how much people ask of them.
_SHARED: Final = (
    ("fact_order", 30), ("dim_customer", 14), ("dim_seller", 6), ("agg_daily_sales", 12), ("shipment", 8),
    ("fact_contact", 6), ("mart_customer_360", 6), ("mart_sales_by_country", 6), ("mart_seller_rank", 4), ("forecast", 4),
    ("agg_customer_order", 4), ("agg_seller_daily", 4), ("fact_payment", 3), ("fact_order_line", 4), ("dim_status", 2),
    ("customer_profile", 2), ("customer_address", 2), ("customer_note", 1), ("stg_order", 1),
)  # fmt: skip
#: Roles that take data out or in now and then; what of.
_CHORES: Final = frozenset({"analyst", "marketing", "fraud"})
_CARD_FILES: Final = (("card_id", "customer_id", "expiry"), ("customer_id", "holder_name", "pan"), ("card_id", "pan"))
#: Kinds of chores as shares of them: files below the first, lists below the second; assumed.
_FILED, _UPLOADED = 0.4, 0.7
_SCRATCH: Final = ("stg_upload", "tmp_list", "scratch", "test_import")
_UPLOADS: Final = (
    "customer_id integer customer.id, score numeric(6,3) amount", "email text customer.email, campaign text text",
    "sku text line.sku, price numeric(12,2) order.amount", "customer_id integer customer.id, full_name text customer.full_name",
)  # fmt: skip
_SHARED_EDGES: Final = np.cumsum([weight for _, weight in _SHARED]).tolist()


@dataclass(frozen=True)
class _Shelf:
    """The tables as people find them on a day."""

    tables: Catalogue
    day: int

    @cached_property
    def shared(self) -> list[Table]:
        """Those of the warehouse that everybody asks, as in `_SHARED`."""
        return [self.tables.by_path[f"{WAREHOUSE}.{name}"] for name, _ in _SHARED]

    @cached_property
    def others(self) -> list[Table]:
        """All teams' marts and copies."""
        kept = self.tables.of(WAREHOUSE)
        return [table for table in kept if table.layer in {"mart", "copy"} and table.exists(self.day)]

    @cached_property
    def about_somebody(self) -> dict[str, list[Table]]:
        """By database, those that have customers' or orders' ids."""
        return {
            database: [one for one in self.tables.of(database) if one.has("customer.id") or one.has("order.id")]
            for database in DATABASES
        }


def author_of(world: World, samples: Samples, draws: Draws, principal: int) -> Author:
    """Somebody about to write a statement."""
    return Author(style_of(world, principal, draws), draws, samples)


class _Task(NamedTuple):
    """What somebody has to do at databases on a day: how often, which of it chores, and what kind of chore each is."""

    who: int
    role: str
    what: int  # a label
    chores: list[bool]
    kinds: list[float]


def people_statements(world: World, day: int) -> Statements:
    """What everybody asked in the course of their work, those included who moved and still use what they could do."""
    rng = stream(world.parameters.seed, "people's statements", day)
    tables = catalogue(world.parameters)
    draws, samples, shelf = Draws(rng), Samples(world, day, rng), _Shelf(tables, day)
    parts: list[tuple[int, int, Sql, int]] = []
    for who, role, what, chores, kinds in _tasks(world, day):
        begins = moments_of_work(rng, world, who, day, len(chores))
        for begin, chore, kind in zip(begins, chores, kinds, strict=True):
            author = author_of(world, samples, draws, who)
            if not chore:
                parts.append((begin, who, _work_of(author, shelf, who, role), what))
                continue
            time = begin
            for sql in _chore(author, tables, who, role, kind):
                parts.append((time, who, sql, what))
                time += (9_000 + draws.below(40_000)) * 1000
    times, actors, said, labels = zip(*parts, strict=True) if parts else ((), (), (), ())
    return make_statements(world, rng, day, times, actors, said, what=np.array(labels, dtype=np.int64))


def statements_a_day(world: World, day: int) -> Ints:
    """How many statements of a day each member of the staff says in the course of their work."""
    count = np.zeros(len(world.staff), dtype=np.int64)
    for who, role, _, chores, kinds in _tasks(world, day):
        count[who] += sum(_steps_of(role, kind) if chore else 1 for chore, kind in zip(chores, kinds, strict=True))
    return count


def _tasks(world: World, day: int) -> Iterator[_Task]:
    """Everybody's, from a stream of their own: so they can be counted without any statement being made."""
    p, staff = world.parameters, world.staff
    rng = stream(p.seed, "people's tasks", day)
    for role, mean in p.statements_a_day:
        team = staff.at_work(role, day)
        count = rng.poisson(mean, len(team))
        share = p.data_chores if role in _CHORES else 0.0
        chores = (rng.random(int(count.sum())) < share).tolist()
        kinds = rng.random(len(chores)).tolist()
        last = np.cumsum(count)
        for who, begin, end in zip(team.tolist(), (last - count).tolist(), last.tolist(), strict=True):
            yield _Task(who, role, 0, chores[begin:end], kinds[begin:end])
    # Those who moved to another role still ask what the old one let them, on some days.
    what = label("benign:transferred_staff")
    for who, member in enumerate(staff.members):
        if member.moved is None or day < member.moved or member.role not in _WORK or member.role == member.role_on(day):
            continue
        if staff.works(who, day) and rng.random() < p.old_rights_on_databases:
            times = int(rng.integers(1, 4))
            yield _Task(who, member.role, what, [False] * times, [0.0] * times)


def moments_of_work(rng: Rng, world: World, who: int, day: int, count: int) -> list[int]:
    """When somebody asks: some bouts of work in a shift, in each a few minutes from one statement to the next."""
    start, end = world.staff.shift_of(who, day)
    bouts = np.sort(rng.random(1 + count // 5)) * (SHIFT_US - HOUR_US)
    time = bouts[rng.integers(0, len(bouts), count)] + np.cumsum(rng.exponential(0.04 * HOUR_US, count)) % (
        HOUR_US * 0.9
    )
    times: list[int] = (np.minimum(start + time.astype(np.int64), end - 1000) // 1000 * 1000).tolist()
    return times


def _work_of(author: Author, shelf: _Shelf, who: int, role: str) -> Sql:
    """One statement of somebody's daily work in a role."""
    draws = author.draws
    database = _one_of(draws, _WORK[role])
    if database == WAREHOUSE:
        member = author.world.staff.members[who]
        return _on_warehouse(author, shelf, member.team_on(author.day), role)
    if role == "fraud" and database == "payments":
        return _on_vault(author, shelf.tables)
    kept = shelf.tables.of(database)
    if role in {"it", "engineer"} and draws.chance(0.6):
        table = draws.one(shelf.about_somebody[database])
        about_order = table.has("order.id")
        key = about_order or table.has("customer.id") or ""
        values = author.samples.orders if about_order else author.samples.customers
        some = draws.several(values, 1 if draws.chance(0.8) else 2 + draws.below(5))
        return looked_up(author, table, key, some)
    return asked(author, draws.one([one for one in kept if one.name != "card"]), kept)


def own_work(tables: Catalogue, team: str, day: int) -> list[Table]:
    """The tables of a team in the warehouse that exist on a day."""
    return [table for table in tables.owned(team) if table.exists(day)]


def _on_warehouse(author: Author, shelf: _Shelf, team: str, role: str) -> Sql:
    draws, day, p = author.draws, author.day, author.world.parameters
    share = draws.uniform()
    own = own_work(shelf.tables, team, day) if share < p.queries_own_tables and role == "analyst" else []
    shared = shelf.shared
    if own:
        return asked(author, draws.one(own), shared[:3])
    if share > 1 - p.queries_other_tables or (role == "marketing" and share > 0.6):
        return asked(author, draws.one(shelf.others), shared[:3])
    at = bisect_right(_SHARED_EDGES, draws.uniform() * _SHARED_EDGES[-1])
    return asked(author, shared[min(at, len(shared) - 1)], shared)


def _on_vault(author: Author, tables: Catalogue) -> Sql:
    """Fraud staff: one customer's cards, who shares a card, what was paid with it."""
    draws = author.draws
    card, payment = tables.by_path["payments.card"], tables.by_path["payments.payment"]
    kind = draws.uniform()
    some = draws.several(author.samples.customers, 1 if draws.chance(0.7) else 2 + draws.below(5))
    if kind < 0.4:
        return looked_up(
            author, card, "customer_id", some, draws.one(((), ("card_id", "holder_name", "expiry"), ("card_id", "pan")))
        )
    if kind < 0.6:
        orders = draws.several(author.samples.orders, 1 + draws.below(4))
        return looked_up(author, payment, "order_id", orders, ("payment_id", "card_id", "amount", "status"))
    if kind < 0.8:
        a, b = draws.one((("a", "b"), ("c1", "c2")))
        clauses = [
            f"select {a}.customer_id, {b}.customer_id, {a}.card_id, {b}.card_id", f"from card {a}",
            f"join card {b} on {a}.pan = {b}.pan and {a}.card_id <> {b}.card_id",
            f"where {a}.customer_id = {author.number(some[0])}",
        ]  # fmt: skip
        return Sql("payments", texted(author.style, clauses, draws), "SELECT", ("card",), (), draws.below(3))
    return asked(author, payment, (card,))


def _steps_of(role: str, kind: float) -> int:
    """How many statements a chore of that kind (a share) takes."""
    return 1 if role == "fraud" or kind < _FILED else 4 if kind < _UPLOADED else 2


def _chore(author: Author, tables: Catalogue, who: int, role: str, kind: float) -> list[Sql]:
    """What takes data out or in: a file for somebody, a list that is uploaded, joined and dropped, a scratch copy."""
    draws, world, day = author.draws, author.world, author.day
    if role == "fraud":
        first = FIRST_CARD_ID + draws.below(world.parameters.customers)
        least, most = world.parameters.cards_a_file
        where = f"card_id between {first} and {first + least + draws.below(most - least + 1)}"
        return [vault_export(world, who, day, draws.one(_CARD_FILES), where=where, rows=100 + draws.below(2400))]
    team = world.staff.members[who].team_on(day)
    kept = own_work(tables, team, day) or [
        tables.by_path[f"{WAREHOUSE}.{name}"] for name in ("dim_customer", "mart_customer_360")
    ]
    table = draws.one(kept)
    if kind < _FILED:
        return [filed(world, who, table, day)]
    name = f"{draws.one(_SCRATCH)}_{day_text(day)[5:].replace('-', '')}_{draws.below(1000)}"
    if kind < _UPLOADED:
        upload = source(WAREHOUSE, name, "group", draws.one(_UPLOADS), team)
        return [
            *uploaded(world, who, upload, day, 20 + draws.below(90_000)),
            asked(author, upload, ()),
            removed(world, who, name),
        ]
    return [copied(world, who, table, name, day), removed(world, who, name)]


def _one_of(draws: Draws, weights: tuple[tuple[str, float], ...]) -> str:
    left = draws.uniform()
    for name, weight in weights:
        left -= weight
        if left < 0:
            return name
    return weights[-1][0]
