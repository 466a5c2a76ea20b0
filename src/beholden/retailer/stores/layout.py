"""Which tables each store has, in the company's words, with their keys, references and indexes.

The catalogue (`warehouse_tables`) has the tables that statements and jobs speak of. Here stand those that only the
programs themselves use: former addresses and households in the CRM, accounts, bank accounts and cases of sellers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from beholden.core.errors import UsageError
from beholden.retailer.parameters import Parameters
from beholden.retailer.warehouse_tables import WAREHOUSE, Table, catalogue, source
from beholden.retailer.words import Words, words_of

__all__ = ["FILLED", "PAST", "STORES", "Layout", "Placed", "layout_with", "schema_of"]

STORES: Final = ("crm", "orders", "payments", "sellers", "warehouse")
_OWN: Final = (
    source(
        "crm", "address_history", "move",
        "customer_id integer customer.id, street text move.street, postal_code text customer.postal_code, "
        "city text customer.city, country text customer.country, valid_from timestamp move.since, "
        "valid_until timestamp move.time", "engineer-2",
    ),
    source(
        "crm", "household", "member",
        "household_id integer household.id, customer_id integer customer.id, since timestamp household.since", "engineer-2",
    ),
    source(
        "sellers", "account", "seller",
        "seller_id integer seller.id, legacy_code text seller.code, brand text seller.name, owner_name text seller.owner, "
        "company text seller.company, country text seller.country, street text seller.street, city text seller.city, "
        "contact_email text seller.email, device_fingerprint text seller.device, since date seller.since, "
        "state text seller.state",
    ),
    source(
        "sellers", "bank_account", "seller",
        "seller_id integer seller.id, holder text seller.company, iban text seller.iban, fingerprint text seller.bank, "
        "changed_at timestamp seller.banked",
    ),
    source(
        "sellers", "seller_case", "case",
        "case_id text case.id, seller_id integer seller.id, handler text staff.login, topic text case.topic, "
        "opened_at timestamp case.opened, closed_at timestamp case.closed",
    ),
)  # fmt: skip
#: What was otherwise once, by the meaning of the column: temporary tables by which copies made long ago get what was
#: true then. Customer, value, and until when it was so.
PAST: Final = {
    "customer.street": source(WAREHOUSE, "past_street", "move", "customer_id integer customer.id, street text move.street, until timestamp move.time"),
    **{
        f"customer.{name}": source(WAREHOUSE, f"past_{name}", f"other {name}", f"customer_id integer customer.id, {name} text past.{name}, until timestamp past.time")
        for name in ("email", "phone", "postal_code")
    },
}  # fmt: skip

#: Grains whose rows come from the world; tables of others are made from tables.
FILLED: Final = (
    "customer",
    "note",
    "seller",
    "order",
    "line",
    "review",
    "card",
    "payment",
    "parcel",
    "contact",
    "move",
    "member",
    "case",
)
#: What identifies a row, by grain.
_KEYS: Final = {
    "customer": ("customer.id",), "note": ("note.id",), "seller": ("seller.id",), "order": ("order.id",),
    "line": ("order.id", "line.number"), "card": ("card.id",), "payment": ("payment.id",), "parcel": ("order.id",),
    "review": ("customer.id", "review.id"),  # those of a customer lie together
    "contact": ("contact.id",), "case": ("case.id",),
    "move": ("customer.id", "move.time"),
    **dict.fromkeys(("other email", "other phone", "other postal_code"), ("customer.id", "past.time")),
}  # fmt: skip
#: Database and meaning of a column -> the table it refers to.
_REFERENCES: Final = {
    ("crm", "customer.id"): "customer", ("orders", "seller.id"): "seller", ("orders", "order.id"): "orders",
    ("payments", "card.id"): "card", ("sellers", "seller.id"): "account", (WAREHOUSE, "customer.id"): "dim_customer",
    (WAREHOUSE, "seller.id"): "dim_seller",
}  # fmt: skip
#: Tables with an index, and the meaning of its column.
_INDEXES: Final = {
    "crm.customer": "customer.last_name", "crm.notes": "customer.id", "orders.orders": "customer.id",
    "payments.card": "customer.id", "warehouse.fact_order": "customer.id",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Placed:
    """A table as it is called in its store. ``canonical`` is the catalogue's; the rest are names of columns."""

    table: Table
    canonical: Table
    key: tuple[str, ...] = ()
    references: tuple[tuple[str, str, str], ...] = ()  # column, table, its column
    index: str = ""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.table.name


@dataclass(frozen=True)
class Layout:
    """The tables of a company; ``extra`` are those that somebody left there."""

    parameters: Parameters
    extra: tuple[Table, ...] = ()

    @property
    def words(self) -> Words:
        """What things are called."""
        return words_of(self.parameters.preset)

    @cached_property
    def tables(self) -> tuple[Placed, ...]:
        """All tables, each after those that it is made from or refers to."""
        return tuple(map(self.placed, (*catalogue(self.parameters).tables, *_OWN, *self.extra)))

    def of(self, store: str) -> tuple[Placed, ...]:
        """Those of one store."""
        return tuple(one for one in self.tables if one.canonical.database == store)

    @property
    def derived(self) -> tuple[Placed, ...]:
        """Those of the warehouse that are made from others of it by their own query."""
        return tuple(one for one in self.of(WAREHOUSE) if _is_derived(one.canonical))

    @property
    def filled(self) -> tuple[Placed, ...]:
        """Those whose rows come from the world."""
        return tuple(one for one in self.tables if not _is_derived(one.canonical))

    def placed(self, table: Table) -> Placed:
        """A table in the company's words."""
        words = self.words
        columns = tuple(
            replace(
                column,
                name=words.name(column.name),
                sql_type=words.customer.sql_type if column.meaning == "customer.id" else column.sql_type,
            )
            for column in table.columns
        )
        own = table.layer in {"source", "core"}
        meanings = _KEYS.get(table.grain, ()) if own and not (table.feed and table.feed.group) else ()
        names = [table.has(meaning) for meaning in meanings]
        indexed = table.has(_INDEXES.get(table.path, ""))
        return Placed(
            replace(table, database=words.store(table.database), name=words.name(table.name), columns=columns),
            table,
            key=tuple(words.name(name) for name in names if name) if all(names) else (),
            references=tuple(self._references(table)) if own else (),
            index=words.name(indexed) if indexed else "",
        )

    def _references(self, table: Table) -> Iterable[tuple[str, str, str]]:
        words = self.words
        for column in table.columns:
            target = _REFERENCES.get((table.database, column.meaning))
            first = column.name == table.has(column.meaning)
            outlived = table.grain == "review" and column.meaning == "order.id"  # orders are not kept for ever
            if target and target != table.name and first and not outlived:
                yield words.name(column.name), words.name(target), words.name(column.meaning.replace(".", "_"))


def layout_with(parameters: Parameters, extra: Sequence[Table]) -> Layout:
    """The layout with further tables; of several of the same name the first is there.

    Raises:
        UsageError: one of them is called like another table, or of a grain that the world has no rows of.
    """
    layout = Layout(parameters, tuple({table.path: table for table in reversed(extra)}.values())[::-1])
    paths = [placed.table.path for placed in layout.tables]
    known = {placed.canonical.grain for placed in layout.tables[: len(paths) - len(layout.extra)]}
    for table, path in zip(layout.extra, paths[len(paths) - len(layout.extra) :], strict=True):
        if paths.count(path) > 1:
            raise UsageError(f"table {path}", "is there already", expected="a name of its own")
        if table.database not in STORES or table.grain not in known:
            raise UsageError(f"table {path}", f"database {table.database}, grain {table.grain}", expected="known ones")
    return layout


def schema_of(postgres: str | None) -> str:
    """The schema in which tables of the stores stand, of SQLite's files or of the PostgreSQL that a URL names."""
    return "main" if postgres is None else "public"


def _is_derived(table: Table) -> bool:
    if table.database != WAREHOUSE or table.feed is None or table.feed.form == "land":
        return False
    return table.layer != "core" or bool(table.feed.group) or table.grain not in FILLED
