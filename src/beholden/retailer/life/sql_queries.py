"""Queries as people make them up: any table, any of the usual shapes, with conditions that fit what the columns mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from beholden.retailer.chance import Rng
from beholden.retailer.life.sql_text import Draws, Sql, Style, aliased, date, named, selected, texted
from beholden.retailer.life.warehouse_jobs import rows_of
from beholden.retailer.orders import STATUSES
from beholden.retailer.people import PeopleText
from beholden.retailer.warehouse_tables import Column, Table
from beholden.retailer.world import World

__all__ = ["Author", "Samples", "asked", "looked_up"]

#: Ids, and people whose texts, conditions of a day are about.
_IDS, _TEXTS = 4096, 192


@dataclass(frozen=True)
class Samples:
    """What conditions of a day are about: ids and texts that exist."""

    world: World
    day: int
    rng: Rng

    @cached_property
    def customers(self) -> list[int]:
        """Numbers of customers."""
        numbers: list[int] = (1 + self.rng.integers(0, len(self.world.people), _IDS)).tolist()
        return numbers

    @cached_property
    def people(self) -> PeopleText:
        """The texts of the first of them."""
        return self.world.people.text(np.array(self.customers[:_TEXTS]) - 1)

    @cached_property
    def orders(self) -> list[int]:
        """Ids of orders of the last two weeks."""
        calendar = self.world.calendar
        first = max(calendar.first_day, self.day - 14)
        days = np.array([one for one in range(first, self.day + 1) if calendar.orders_on(one)] or [first])
        at = days[self.rng.integers(0, len(days), _IDS)]
        held = {one: max(1, calendar.orders_on(one)) for one in days.tolist()}
        count = np.array([held[one] for one in at.tolist()])
        ids: list[int] = self.world.orders.order_id(at, (self.rng.random(_IDS) * count).astype(np.int64)).tolist()
        return ids


@dataclass(frozen=True, slots=True)
class Author:
    """Somebody about to write: their habits, the chance of this statement, the day's samples."""

    style: Style
    draws: Draws
    samples: Samples

    @property
    def world(self) -> World:
        """The company."""
        return self.samples.world

    @property
    def day(self) -> int:
        """The day."""
        return self.samples.day

    def number(self, value: int) -> str:
        """A number as they write it."""
        return f"'{value}'" if self.style.quoted else str(value)

    def text(self, value: str) -> str:
        """A text as a literal."""
        return "'" + value.replace("'", "''") + "'"

    def since(self, days: int = 60) -> str:
        """A recent day as a literal."""
        return date(self.style, self.day - 1 - self.draws.below(days))


#: A condition on a column, and the share of rows that meet it (-1: one in so many is a single one).
Condition = tuple[str, float]


def _listed(author: Author, name: str, values: Sequence[int]) -> Condition:
    draws = author.draws
    if draws.chance(0.75):
        return f"${name} = {author.number(draws.one(values))}", -1.0
    chosen = draws.several(values, 2 + draws.below(8))
    return f"${name} in ({', '.join(map(author.number, chosen))})", -float(len(chosen))


def _coded(*codes: int) -> Callable[[Author, str], Condition]:
    return lambda author, name: (f"${name} = {author.number(author.draws.one(codes))}", 1 / len(codes))


def _worded(author: Author, name: str, words: Sequence[str]) -> Condition:
    draws = author.draws
    if draws.chance(0.7):
        return f"${name} = {author.text(draws.one(words))}", 1 / len(words)
    chosen = draws.some(words, 2)
    return f"${name} in ({', '.join(map(author.text, chosen))})", len(chosen) / len(words)


def _timed(author: Author, name: str) -> Condition:
    draws, style = author.draws, author.style
    back = 2 + draws.below(30)
    start = date(style, author.day - back)
    kind = draws.below(4)
    if kind == 0:
        end = date(style, author.day - back // 2)
        return f"${name} between {start} and {end}", min(1.0, back / 60)
    if kind == 1:
        return f"${name} >= {start} and ${name} < {date(style, author.day)}", min(1.0, back / 30)
    return f"${name} >= {start}" if kind == 2 else f"${name} > {start}", min(1.0, back / 30)


def _surname(author: Author, name: str) -> Condition:
    draws = author.draws
    surname = draws.one(author.samples.people.last_name)
    kind = draws.below(4)
    if kind == 0:
        return f"${name} like {author.text(surname[:3] + '%')}", 0.01
    if kind == 1:
        return f"lower(${name}) = {author.text(surname.lower())}", 0.005
    return f"${name} = {author.text(surname)}", 0.005


def _full_name(author: Author, name: str) -> Condition:
    people, at = author.samples.people, author.draws.below(_TEXTS)
    if author.draws.chance(0.5):
        return f"${name} like {author.text('% ' + people.last_name[at])}", 0.005
    return f"${name} = {author.text(people.first_name[at] + ' ' + people.last_name[at])}", 0.0001


def _email(author: Author, name: str) -> Condition:
    draws = author.draws
    address = draws.one(author.samples.people.email)
    local, _, domain = address.partition("@")
    kind = draws.below(4)
    if kind == 0:
        return f"${name} like {author.text('%@' + domain)}", 0.1
    if kind == 1:
        return f"${name} like {author.text(local[:4] + '%')}", 0.001
    if kind == 2:
        return f"lower(${name}) = lower({author.text(address)})", -1.0
    return f"${name} = {author.text(address)}", -1.0


def _prefixed(values: Callable[[PeopleText], list[str]], length: int) -> Callable[[Author, str], Condition]:
    def made(author: Author, name: str) -> Condition:
        value = author.draws.one(values(author.samples.people))
        if author.draws.chance(0.5):
            return f"${name} like {author.text(value[:length] + '%')}", 0.01
        return f"${name} = {author.text(value)}", 0.001

    return made


def _words(*words: str) -> Callable[[Author, str], Condition]:
    return lambda author, name: _worded(author, name, words)


def _above(*values: int) -> Callable[[Author, str], Condition]:
    return lambda author, name: (f"${name} > {author.draws.one(values)}", 0.2)


#: What a condition on a column of some meaning looks like.
_CONDITIONS: Final[dict[str, Callable[[Author, str], Condition]]] = {
    "customer.id": lambda author, name: _listed(author, name, author.samples.customers),
    "order.id": lambda author, name: _listed(author, name, author.samples.orders),
    "seller.id": lambda author, name: _listed(author, name, range(1, author.world.parameters.sellers + 1)),
    "order.status_code": _coded(10, 20, 30, 40, 50, 60),
    "parcel.status_code": _coded(100, 200, 250, 300, 404),
    "code": _coded(*range(1000, 1040)),
    "customer.country": _words("US", "GB", "DE", "FR"),
    "seller.country": _words("US", "GB", "DE", "FR"),
    "customer.segment": _words("gold", "silver", "new"),
    "parcel.carrier": _words("northline", "parcelway", "swiftvan", "seapost"),
    "contact.channel": _words("phone", "chat", "email"),
    "contact.reason": _words("status", "returns", "refund", "shipping", "product", "billing"),
    "order.status": _words(*STATUSES),
    "payment.status": _words("settled", "authorised", "refused", "refunded"),
    "review.status": _words("published", "removed"),
    "review.stars": _coded(1, 2, 3, 4, 5),
    "customer.last_name": _surname,
    "customer.full_name": _full_name,
    "customer.email": _email,
    "customer.phone": _prefixed(lambda people: people.phone, 6),
    "customer.postal_code": _prefixed(lambda people: people.postal_code, 2),
    "customer.city": _prefixed(lambda people: people.city, 3),
    "customer.street": _prefixed(lambda people: people.street, 5),
    "order.amount": _above(20, 50, 100, 250, 500),
    "count": _above(1, 2, 5, 10),
    "week": _above(4, 8, 20, 40),
    **dict.fromkeys(("order.time", "day", "payment.time", "parcel.time", "contact.opened", "note.time", "review.time",
                     "customer.created_at", "seller.since"), _timed),
}  # fmt: skip
_KEYS: Final = ("customer.id", "order.id", "seller.id", "payment.id", "contact.id", "code")
_GROUPED: Final = frozenset(
    {"customer.country", "customer.segment", "parcel.carrier", "contact.channel", "contact.reason", "order.status",
     "payment.status", "review.status", "review.stars", "order.status_code", "parcel.status_code", "seller.id", "seller.name", "day", "customer.city",
     "code", "week", "seller.country"}
)  # fmt: skip
_SUMMED: Final = frozenset({"order.amount", "count", "line.quantity", "amount"})
_DIRECT: Final = frozenset({"customer.email", "customer.phone", "customer.street", "customer.full_name", "card.number"})


def asked(author: Author, table: Table, others: Sequence[Table]) -> Sql:
    """Somebody's query of a table, perhaps joined with one of the others."""
    shape = author.draws.uniform()
    grouped = [column for column in table.columns if column.meaning in _GROUPED]
    if shape < 0.3 and grouped:
        return _summary(author, table, grouped)
    if shape < 0.45:
        joined = [(other, key) for other in others if other is not table and (key := _common(table, other))]
        if joined:
            return _joined(author, table, *author.draws.one(joined))
    if shape < 0.55:
        return _peek(author, table)
    if shape < 0.62 and grouped:
        return _with_clause(author, table, grouped)
    if shape < 0.7:
        return _counted(author, table)
    return _listing(author, table)


def looked_up(author: Author, table: Table, key: str, values: Sequence[int], columns: Sequence[str] = ()) -> Sql:
    """The rows of these ids: all columns unless some are named."""
    listed = (
        f"${key} = {author.number(values[0])}"
        if len(values) == 1
        else f"${key} in ({', '.join(map(author.number, values))})"
    )
    names = [f"${name}" for name in columns] or ["*"]
    return selected(author.style, table.database, table.name, names, [listed], rows=len(values), draws=author.draws)


def _conditions(author: Author, table: Table, most: int) -> tuple[list[str], int]:
    """Up to so many conditions, and how many rows are left."""
    total = max(1, rows_of(author.world, author.day, table))
    able = [column for column in table.columns if column.meaning in _CONDITIONS]
    wheres, left = [], float(total)
    for column in author.draws.some(able, 1 + author.draws.below(most)) if most else []:
        text, share = _CONDITIONS[column.meaning](author, column.name)
        wheres.append(text)
        # A condition on an id leaves as many rows as it names, or a few where the id is not the table's own.
        left = min(left, -share * (1 + author.draws.below(3))) if share < 0 else left * share
    return wheres, round(left * (0.6 + 0.8 * author.draws.uniform()))


def _summary(author: Author, table: Table, grouped: list[Column]) -> Sql:
    draws = author.draws
    by = draws.some(grouped, 1 + draws.below(2))
    measures = ["count(*)" if draws.chance(0.6) else "count(*) as n"]
    summed = [column.name for column in table.columns if column.meaning in _SUMMED]
    if summed and draws.chance(0.6):
        name = draws.one(summed)
        measures.append(
            draws.one((f"sum(${name})", f"sum(${name}) as total", f"round(avg(${name}), 2)", f"max(${name})"))
        )
    wheres = _conditions(author, table, 2)[0] if draws.chance(0.7) else []
    limit = draws.one((0, 0, 10, 20, 100))
    return selected(
        author.style, table.database, table.name, [*(f"${one.name}" for one in by), *measures], wheres,
        group=draws.one((", ".join(f"${one.name}" for one in by), ", ".join(str(i + 1) for i in range(len(by))))),
        order=draws.one(("", f"{len(by) + 1} desc", "1")), limit=limit, rows=4 + draws.below(60), draws=draws,
    )  # fmt: skip


def _peek(author: Author, table: Table) -> Sql:
    limit = author.draws.one((5, 10, 50, 100, 100, 500, 1000))
    rows = min(limit, rows_of(author.world, author.day, table))
    return selected(author.style, table.database, table.name, ["*"], limit=limit, rows=rows, draws=author.draws)


def _counted(author: Author, table: Table) -> Sql:
    draws = author.draws
    key = table.columns[0].name
    what = draws.one(
        ("count(*)", "count(*)", f"count(distinct ${key})", f"min(${key}), max(${key})", "count(1) as cnt")
    )
    wheres = _conditions(author, table, 2)[0] if draws.chance(0.7) else []
    return selected(author.style, table.database, table.name, [what], wheres, rows=1, draws=draws)


def _listing(author: Author, table: Table) -> Sql:
    draws = author.draws
    columns = draws.some(table.columns, 2 + draws.below(4))
    if draws.chance(0.8):  # most take no more of people than they need
        plain = [column for column in columns if column.meaning not in _DIRECT]
        columns = plain or columns
    wheres, rows = _conditions(author, table, 2)
    limit = draws.one((0, 100, 200, 500, 1000)) if rows > 200 else draws.one((0, 0, 0, 10, 50))
    names = ["*"] if draws.chance(0.12) else [f"${column.name}" for column in columns]
    order = f"${columns[0].name}{draws.one(('', ' desc'))}" if draws.chance(0.3) else ""
    return selected(
        author.style, table.database, table.name, names, wheres, order=order, limit=limit, rows=rows, draws=draws
    )  # fmt: skip


def _common(one: Table, other: Table) -> tuple[str, str] | None:
    """Names of the columns by which two tables can be joined."""
    if one.database != other.database:
        return None
    for meaning in _KEYS:
        left, right = one.has(meaning), other.has(meaning)
        if left and right:
            return left, right
    return None


def _joined(author: Author, table: Table, other: Table, keys: tuple[str, str]) -> Sql:
    """Two tables by their common id; aliases are letters, or the names in short."""
    draws, database = author.draws, table.database
    a, b = draws.one(
        (("a", "b"), ("t1", "t2"), ("x", "y"), (table.name[:4].rstrip("_"), other.name[:4].rstrip("_") + "2"))
    )
    columns = [f"{a}.{column.name}" for column in draws.some(table.columns, 2 + draws.below(2))]
    columns += [f"{b}.{column.name}" for column in draws.some(other.columns[1:], 1 + draws.below(2))]
    wheres, rows = _conditions(author, table, 2)
    how = draws.one(("join", "join", "left join", "inner join"))
    on = f"using ({keys[0]})" if keys[0] == keys[1] and draws.chance(0.3) else f"on {b}.{keys[1]} = {a}.{keys[0]}"
    if on.startswith("using"):  # the joined column belongs to neither
        columns = [keys[0] if one.endswith(f".{keys[0]}") else one for one in columns]
    limit = draws.one((100, 200, 1000)) if rows > 300 else 0
    clauses = [
        f"select {', '.join(dict.fromkeys(columns))}",
        f"from {named(author.style, database, table.name)} {a}",
        f"{how} {named(author.style, database, other.name)} {b} {on}",
    ]
    if wheres:
        clauses.append("where " + " and ".join(wheres).replace("$", f"{a}."))
    if limit:
        clauses.append(f"limit {limit}")
    text = texted(author.style, clauses, draws)
    return Sql(database, text, "SELECT", (table.name, other.name), (), min(rows, limit) if limit else rows)


def _with_clause(author: Author, table: Table, grouped: list[Column]) -> Sql:
    draws = author.draws
    by = draws.one(grouped).name
    name = draws.one(("t", "base", "agg", "sub", "src"))
    wheres = _conditions(author, table, 1)[0]
    relation, before = aliased(author.style, table.database, table.name)
    inner = [
        f"select ${by} as {by}, count(*) as n",
        f"from {relation}",
        *([f"where {' and '.join(wheres)}"] if wheres else []),
        f"group by ${by}",
    ]
    clauses = [
        f"with {name} as ({' '.join(inner)})".replace("$", before),
        f"select {by}, n from {name}",
        f"where n > {draws.one((1, 5, 10, 100))}",
        "order by n desc",
    ]
    text = texted(author.style, clauses, draws)
    return Sql(table.database, text, "SELECT", (table.name,), (), draws.below(20))
