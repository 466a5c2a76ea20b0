"""The company's tables, above all the warehouse's: columns, what they mean, and from what each is made.

The chain is: source databases and files -> ``raw_`` (landed as they are) -> ``stg_`` (cleaned) -> core (dimensions and
facts) -> ``mart_`` -> copies that teams keep, documented and not. `Column.origins` is the truth about lineage that the
jobs' SQL (`beholden.retailer.life.warehouse_jobs`) must bear out; stores take columns and meanings from here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Final

from beholden.retailer.parameters import Parameters
from beholden.retailer.staff import SERVICES
from beholden.retailer.table_forms import PLATFORM, WAREHOUSE, Column, Feed, Table, derived, feed_of, source
from beholden.retailer.warehouse_teams import team_tables

__all__ = ["WAREHOUSE", "Catalogue", "Column", "Table", "card_copy", "catalogue", "source"]


@dataclass(frozen=True)
class Catalogue:
    """All tables, each after those that it is made from."""

    tables: tuple[Table, ...]
    teams: int  # data teams, ``analyst-1`` to this
    services: int  # service accounts of the company

    @cached_property
    def by_path(self) -> dict[str, Table]:
        """Tables by ``database.table``."""
        return {table.path: table for table in self.tables}

    def of(self, database: str) -> tuple[Table, ...]:
        """Those of one database."""
        return self._of[database]

    def owned(self, team: str) -> tuple[Table, ...]:
        """Those of the warehouse that belong to a team."""
        return self._owned.get(team, ())

    @cached_property
    def _of(self) -> dict[str, tuple[Table, ...]]:
        return _grouped((table.database, table) for table in self.tables)

    @cached_property
    def _owned(self) -> dict[str, tuple[Table, ...]]:
        return _grouped((table.owner, table) for table in self.of(WAREHOUSE))

    def account(self, team: str) -> str:
        """The service account that runs a team's jobs; few teams share one where there are few accounts."""
        if not team.startswith("analyst-"):
            return "etl_nightly"
        own = self.services - len(SERVICES)
        return f"svc_{len(SERVICES) + (int(team.removeprefix('analyst-')) - 1) % own:02d}"


def _grouped(pairs: Iterable[tuple[str, Table]]) -> dict[str, tuple[Table, ...]]:
    found: dict[str, list[Table]] = {}
    for key, table in pairs:
        found.setdefault(key, []).append(table)
    return {key: tuple(tables) for key, tables in found.items()}


_SOURCES: Final = (
    source(
        "crm", "customer", "customer",
        "customer_id integer customer.id, first_name text customer.first_name, last_name text customer.last_name, "
        "email text customer.email, phone text customer.phone, street text customer.street, "
        "postal_code text customer.postal_code, city text customer.city, country text customer.country, "
        "date_of_birth date customer.date_of_birth, created_at timestamp customer.created_at", "engineer-2",
    ),
    source(
        "crm", "notes", "note",
        "note_id integer note.id, customer_id integer customer.id, author text staff.login, "
        "written_at timestamp note.time, body text note.body", "engineer-2",
    ),
    source(
        "orders", "seller", "seller",
        "seller_id integer seller.id, seller_name text seller.name, country text seller.country, since date seller.since",
    ),
    source(
        "orders", "orders", "order",
        "order_id integer order.id, customer_id integer customer.id, seller_id integer seller.id, "
        "ordered_at timestamp order.time, amount numeric(12,2) order.amount, status text order.status",
    ),
    source(
        "orders", "order_line", "line",
        "order_id integer order.id, line integer line.number, sku text line.sku, quantity integer line.quantity",
    ),
    source(
        "orders", "product_review", "review",
        "review_id integer review.id, customer_id integer customer.id, order_id integer order.id, sku text line.sku, "
        "stars integer review.stars, body text review.body, written_at timestamp review.time, "
        "edited_at timestamp review.edited, status text review.status, removed_at timestamp review.removed",
    ),
    source(
        "payments", "card", "card",
        "card_id integer card.id, customer_id integer customer.id, holder_name text card.holder, pan text card.number, "
        "expiry text card.expiry",
    ),
    source(
        "payments", "payment", "payment",
        "payment_id integer payment.id, order_id integer order.id, card_id integer card.id, "
        "amount numeric(12,2) order.amount, paid_at timestamp payment.time, status text payment.status",
    ),
)  # fmt: skip

#: Landed from a database: raw name -> its source.
_LANDED: Final = {
    "raw_crm_customer": "crm.customer",
    "raw_crm_notes": "crm.notes",
    "raw_seller": "orders.seller",
    "raw_orders": "orders.orders",
    "raw_order_line": "orders.order_line",
    "raw_review": "orders.product_review",
    "raw_payment": "payments.payment",
}
#: Landed from files of others.
_FILES: Final = (
    source(
        WAREHOUSE, "raw_shipment", "parcel",
        "order_id integer order.id, tracking_number text parcel.tracking_number, carrier text parcel.carrier, "
        "parcel_status integer parcel.status_code, shipped_at timestamp parcel.time",
    ),
    source(
        WAREHOUSE, "raw_contact", "contact",
        "contact_id integer contact.id, customer_id integer customer.id, order_id integer order.id, "
        "agent text staff.login, channel text contact.channel, reason text contact.reason, "
        "opened_at timestamp contact.opened, closed_at timestamp contact.closed",
    ),
    source(WAREHOUSE, "raw_status", "code", "status_code integer order.status_code, description text order.status"),
    source(
        WAREHOUSE, "forecast", "code",
        "scenario_code integer code, week integer week, units integer count, mean_error numeric(6,3) amount",
    ),
)  # fmt: skip

_SEGMENT: Final = (
    "case when c.created_at < date '2022-01-01' then 'gold' when c.created_at < date '2024-07-01' then 'silver' "
    "else 'new' end as segment @ text customer.segment"
)
#: name, grain, layer, form, sources by alias, relation, time of an append, columns that are grouped by, columns.
_SHARED: Final = (
    ("stg_customer", "customer", "staging", "replace", "c=raw_crm_customer", "", "", 0,
     ("c.customer_id", "trim(c.first_name) as first_name", "trim(c.last_name) as last_name", "lower(trim(c.email)) as email",
      "c.phone", "c.date_of_birth", "c.created_at")),
    ("stg_address", "customer", "staging", "replace", "c=raw_crm_customer", "", "", 0,
     ("c.customer_id", "trim(c.street) as street", "upper(c.postal_code) as postal_code", "c.city", "c.country")),
    ("stg_note", "note", "staging", "replace", "n=raw_crm_notes", "", "", 0,
     ("n.note_id", "n.customer_id", "n.author", "n.written_at", "n.body")),
    ("stg_seller", "seller", "staging", "ctas", "s=raw_seller", "", "", 0,
     ("s.seller_id", "trim(s.seller_name) as seller_name", "s.country", "s.since")),
    ("stg_order", "order", "staging", "replace", "o=raw_orders s=raw_status",
     "raw_orders o left join raw_status s on s.description = o.status", "", 0,
     ("o.order_id", "o.customer_id", "o.seller_id", "o.ordered_at", "o.amount",
      "coalesce(s.status_code, 0) as status_code")),
    ("stg_order_line", "line", "staging", "replace", "l=raw_order_line", "", "", 0,
     ("l.order_id", "l.line", "upper(l.sku) as sku", "l.quantity")),
    ("stg_review", "review", "staging", "replace", "r=raw_review", "", "", 0,
     ("r.review_id", "r.customer_id", "r.order_id", "upper(r.sku) as sku", "r.stars", "r.body", "r.written_at", "r.status")),
    ("stg_payment", "payment", "staging", "ctas", "p=raw_payment", "", "", 0,
     ("p.payment_id", "p.order_id", "p.card_id", "p.amount", "p.paid_at", "p.status")),
    ("stg_shipment", "parcel", "staging", "replace", "s=raw_shipment", "", "", 0,
     ("s.order_id", "s.tracking_number", "lower(s.carrier) as carrier", "s.parcel_status", "s.shipped_at")),
    ("stg_contact", "contact", "staging", "ctas", "k=raw_contact", "", "", 0,
     ("k.contact_id", "k.customer_id", "k.order_id", "k.agent", "k.channel", "k.reason", "k.opened_at", "k.closed_at")),
    ("dim_customer", "customer", "core", "merge", "c=stg_customer a=stg_address",
     "stg_customer c join stg_address a on a.customer_id = c.customer_id", "", 0,
     ("c.customer_id", "c.first_name || ' ' || c.last_name as full_name @ text customer.full_name", "c.email",
      "a.postal_code", "a.city", "a.country", _SEGMENT)),
    ("customer_profile", "customer", "core", "merge", "c=stg_customer", "", "", 0,
     ("c.customer_id", "c.first_name", "c.last_name", "c.email", "c.phone", "c.date_of_birth", "c.created_at")),
    ("customer_address", "customer", "core", "replace", "a=stg_address", "", "", 0,
     ("a.customer_id", "a.street", "a.postal_code", "a.city", "a.country")),
    ("customer_note", "note", "core", "append", "n=stg_note", "", "n.written_at", 0,
     ("n.note_id", "n.customer_id", "n.author", "n.written_at", "n.body")),
    ("dim_seller", "seller", "core", "merge", "s=stg_seller", "", "", 0, ("s.seller_id", "s.seller_name", "s.country")),
    ("dim_status", "code", "core", "ctas", "s=raw_status", "", "", 0, ("s.status_code", "s.description")),
    ("fact_order", "order", "core", "append", "o=stg_order", "", "o.ordered_at", 0,
     ("o.order_id", "o.customer_id", "o.seller_id", "o.ordered_at", "o.amount", "o.status_code")),
    ("fact_order_line", "line", "core", "append", "l=stg_order_line o=stg_order",
     "stg_order_line l join stg_order o on o.order_id = l.order_id", "o.ordered_at", 0,
     ("l.order_id", "l.line", "o.customer_id", "o.seller_id", "l.sku", "l.quantity", "o.ordered_at")),
    ("fact_review", "review", "core", "merge", "r=stg_review", "", "", 0,
     ("r.review_id", "r.customer_id", "r.order_id", "r.sku", "r.stars", "r.body", "r.written_at", "r.status")),
    ("fact_payment", "payment", "core", "append", "p=stg_payment o=stg_order",
     "stg_payment p join stg_order o on o.order_id = p.order_id", "p.paid_at", 0,
     ("p.payment_id", "p.order_id", "o.customer_id", "p.card_id", "p.amount", "p.paid_at", "p.status")),
    ("shipment", "parcel", "core", "append", "s=stg_shipment", "", "s.shipped_at", 0,
     ("s.order_id", "s.tracking_number", "s.carrier", "s.parcel_status", "s.shipped_at")),
    ("fact_contact", "contact", "core", "append", "k=stg_contact", "", "k.opened_at", 0,
     ("k.contact_id", "k.customer_id", "k.order_id", "k.agent", "k.channel", "k.reason", "k.opened_at", "k.closed_at")),
    ("agg_daily_sales", "day", "core", "append", "f=fact_order", "", "f.ordered_at", 1,
     ("cast(f.ordered_at as date) as day @ date day", "count(*) as orders @ integer count", "sum(f.amount) as revenue",
      "count(distinct f.customer_id) as customers @ integer count")),
    ("agg_seller_daily", "seller-day", "core", "append", "f=fact_order", "", "f.ordered_at", 2,
     ("f.seller_id", "cast(f.ordered_at as date) as day @ date day", "count(*) as orders @ integer count",
      "sum(f.amount) as revenue")),
    ("agg_customer_order", "buyer", "core", "ctas", "f=fact_order", "", "", 1,
     ("f.customer_id", "count(*) as orders @ integer count", "sum(f.amount) as revenue",
      "min(f.ordered_at) as first_order_at", "max(f.ordered_at) as last_order_at")),
    ("mart_customer_360", "customer", "mart", "ctas", "c=dim_customer p=customer_profile a=agg_customer_order",
     ("dim_customer c join customer_profile p on p.customer_id = c.customer_id "
      "left join agg_customer_order a on a.customer_id = c.customer_id"), "", 0,
     ("c.customer_id", "c.full_name", "c.email", "p.phone", "p.date_of_birth", "c.city", "c.country", "c.segment",
      "coalesce(a.orders, 0) as orders", "coalesce(a.revenue, 0) as revenue", "a.last_order_at")),
    ("mart_sales_by_country", "group", "mart", "replace", "f=fact_order c=dim_customer",
     "fact_order f join dim_customer c on c.customer_id = f.customer_id", "", 2,
     ("c.country", "cast(f.ordered_at as date) as day @ date day", "count(*) as orders @ integer count",
      "sum(f.amount) as revenue")),
    ("mart_seller_rank", "seller", "mart", "ctas", "d=agg_seller_daily s=dim_seller",
     "agg_seller_daily d join dim_seller s on s.seller_id = d.seller_id", "", 2,
     ("d.seller_id", "s.seller_name", "sum(d.revenue) as revenue", "sum(d.orders) as orders")),
    ("mart_contact_reasons", "group", "mart", "replace", "k=fact_contact", "", "", 2,
     ("k.reason", "k.channel", "count(*) as contacts @ integer count",
      "count(distinct k.customer_id) as customers @ integer count")),
)  # fmt: skip


def _shared() -> Iterable[Table]:
    known = {table.path: table for table in (*_SOURCES, *_FILES)}
    yield from _SOURCES
    for table in _FILES:
        yield Table(
            WAREHOUSE, table.name, table.grain, "raw" if table.name.startswith("raw_") else "core", PLATFORM,
            documented=True, columns=table.columns, feed=Feed("land", (), table.name),
        )  # fmt: skip
    for name, path in _LANDED.items():
        origin = known[path]
        columns = [f"x.{column.name}" for column in origin.columns]
        made = derived(known, name, origin.grain, "raw", columns, Feed("land", (("x", path),), path))
        known[made.path] = made
        yield made
    for name, grain, layer, form, sources, relation, time, group, specs in _SHARED:
        made = derived(known, name, grain, layer, specs, feed_of(form, sources, relation, time=time, group=group))
        known[made.path] = made
        yield made


def card_copy(name: str, owner: str) -> Table:
    """The table of names and card numbers that lies outside its zone, where somebody made one; no catalogue lists it."""
    columns = (
        "customer_ref integer customer.id, full_name text customer.full_name, card_number text card.number, "
        "campaign text text"
    )
    return replace(source(WAREHOUSE, name, "card", columns, owner), layer="copy", documented=False, share=0.4)


@lru_cache(maxsize=8)
def catalogue(parameters: Parameters) -> Catalogue:
    """The tables of a company of that size."""
    shared = tuple(_shared())
    teams = -(-parameters.staff_of("analyst") // 4)
    here = sum(table.database == WAREHOUSE for table in shared)
    own = team_tables(parameters, shared, teams, max(2 * teams, parameters.warehouse_tables - here))
    return Catalogue((*shared, *own), teams, parameters.service_accounts)
