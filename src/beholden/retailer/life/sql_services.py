"""Statements of programs: what the console and the shop write, the vault's look-ups, dashboards, nightly loads, backups.

The console's reads, and the orders themselves, are not audited: their servers leave those accounts' SELECTs and INSERTs
out of the log, as busy servers do. An edit in the console is one UPDATE on the CRM by ``console_app``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from beholden.retailer.chance import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Chance, Ints, iso, stream, uniform
from beholden.retailer.contacts import REASONS
from beholden.retailer.events import label
from beholden.retailer.life.console import OPERATIONS, SCREENS, Views
from beholden.retailer.life.sql import Statements, make_statements
from beholden.retailer.life.sql_queries import Author, Samples, asked
from beholden.retailer.life.sql_text import Draws, Sql, Style, day_text, exported, style_of, texted
from beholden.retailer.life.warehouse_jobs import feed_sql, job_times, landed_from, rows_of
from beholden.retailer.name_lists import STREETS
from beholden.retailer.warehouse_tables import WAREHOUSE, Table, catalogue
from beholden.retailer.world import World

__all__ = ["FIRST_PAYMENT_ID", "Known", "changed_contact", "console_updates", "service_statements"]

#: Payments are numbered as the orders that they are for.
FIRST_PAYMENT_ID: Final = 90_000_001
_CHANGING: Final = ("returns", "refund", "shipping")
_NEW_STATUS: Final = {"returns": "returned", "refund": "cancelled", "shipping": "shipped"}
#: Which field an edit of the profile changes.
_PROFILE_FIELDS: Final = ("email", "phone", "last_name")
_PROFILE_EDGES: Final = (0.55, 0.9)
_BACKUP_HOURS: Final = {"crm": 22.0, "orders": 22.5, "payments": 23.0, "warehouse": 5.5}
_LOAD_HOUR: Final = 0.6
_SUNDAY: Final = 3  # 1970-01-01 was a Thursday


def service_statements(world: World, day: int, views: Views) -> Statements:
    """Everything that programs said on a day whose console events are ``views``."""
    return Statements.joined([
        console_updates(world, day, views),
        _order_updates(world, day),
        _vault_calls(world, day),
        _dashboards(world, day),
        _loads(world, day),
        _backups(world, day),
    ])  # fmt: skip


def console_updates(world: World, day: int, views: Views) -> Statements:
    """One UPDATE for each edit that succeeded, some tens of milliseconds after the agent pressed the button."""
    rng = stream(world.parameters.seed, "console updates", day)
    edits = views.at((views.operation == OPERATIONS.index("edit")) & (views.result == 0))
    time = np.minimum(
        edits.time + (30 + 200 * _of(world, "delay", edits)).astype(np.int64) * 1000, (day + 1) * DAY_US - 1000
    )
    said = _edits(world, edits)
    actor = np.full(len(edits), world.staff.service("console_app"), dtype=np.int64)
    # The console's account did what it is for, whatever the agent had in mind: the agent's event bears the label.
    return make_statements(world, rng, day, time, actor, said)


def _of(world: World, what: str, edits: Views) -> np.typing.NDArray[np.float64]:
    return uniform(Chance(world.parameters.seed, f"console edit {what}")(edits.customer, edits.time // 1000))


def _edits(world: World, edits: Views) -> list[Sql]:
    kind, extra = _of(world, "kind", edits), _of(world, "value", edits)
    address = edits.screen == SCREENS.index("address")
    # Written by a program: always the same, but for the values.
    return [
        changed_contact(_PROGRAM, "address" if at_home else _PROFILE_FIELDS[sum(share >= edge for edge in _PROFILE_EDGES)], who, *own)
        for who, at_home, share, own in zip(
            (edits.customer + 1).tolist(), address.tolist(), kind.tolist(), _values(world, edits.customer, extra), strict=True
        )
    ]  # fmt: skip


def _values(world: World, customer: Ints, share: np.typing.NDArray[np.float64]) -> list[tuple[Known, int]]:
    """What is known of each customer, and a number to change it by."""
    text = world.people.text(customer)
    number = (share * 9000).astype(np.int64).tolist()
    known = map(Known, text.email, text.phone, text.last_name, text.street)
    return list(zip(known, number, strict=True))


class Known(NamedTuple):
    """What is known of a customer before it is changed."""

    email: str
    phone: str
    last_name: str
    street: str


def changed_contact(style: Style, field: str, customer: int, known: Known, number: int) -> Sql:
    """An UPDATE of one customer's ``email``, ``phone``, ``last_name`` or ``address``.

    ``customer`` is the customer's number; ``number`` (0 to 8999) says how the value becomes another one.
    """
    if field == "email":
        local, _, domain = known.email.partition("@")
        value = f"{local}{number % 89 + 10}@{domain}"
    elif field == "phone":
        value = f"{known.phone[:-2]}{number % 100:02d}"
    elif field == "last_name":
        value = known.last_name
    else:
        house = known.street.partition(" ")[0] if number % 3 == 0 else number % 239 + 1
        value = f"{house} {STREETS[number % len(STREETS)]}"
    text = _change(style, "street" if field == "address" else field).format(value, customer)
    return Sql("crm", text, "UPDATE", (), ("customer",), 1)


@lru_cache(maxsize=1024)
def _change(style: Style, column: str) -> str:
    """How somebody writes the change of a column; its value and the customer's number are left open."""
    where = "customer_id = '{}'" if style.quoted else "customer_id = {}"
    name = "public.customer" if style.qualified else "customer"
    return texted(style, [f"update {name}", f"set {column} = '{{}}'", f"where {where}"])


#: How programs write.
_PROGRAM: Final = Style(
    upper=True, broken=False, semicolon=False, alias=0, qualified=False, quoted=False, dates=0, comment=0
)


def _order_updates(world: World, day: int) -> Statements:
    """Half of the contacts about returns, refunds and parcels end in a change of the order."""
    rng = stream(world.parameters.seed, "order updates", day)
    contacts = world.service.on(day)
    names = list(REASONS)
    changing = np.isin(contacts.reason, [names.index(name) for name in _CHANGING]) & (contacts.order_id >= 0)
    changing &= rng.random(len(contacts)) < world.parameters.order_changes_by_contact
    mine = contacts.at(changing)
    time = np.minimum(mine.closed - rng.integers(500, 40_000, len(mine)) * 1000, (day + 1) * DAY_US - 1000)
    said = [
        Sql("orders", f"UPDATE orders SET status = '{_NEW_STATUS[names[reason]]}' WHERE order_id = {order}", "UPDATE", (), ("orders",), 1)
        for reason, order in zip(mine.reason.tolist(), mine.order_id.tolist(), strict=True)
    ]  # fmt: skip
    return make_statements(world, rng, day, time, np.full(len(mine), world.staff.service("orders_app")), said)


def _vault_calls(world: World, day: int) -> Statements:
    """The shop's own look-ups of cards and its payments; the vault's audit keeps a sample of them."""
    rng = stream(world.parameters.seed, "vault calls", day)
    kept = np.flatnonzero(rng.random(world.calendar.orders_on(day)) < world.parameters.vault_sampled)
    orders = world.orders.at(np.full(len(kept), day, dtype=np.int64), kept)
    held = world.cards.has_card(orders.customer)
    kept, time, customer = kept[held], orders.time[held], orders.customer[held]
    said: list[Sql] = []
    card = world.cards.card_id(customer).tolist()
    rows = zip(orders.order_id[held].tolist(), card, orders.cents[held].tolist(), iso(time), strict=True)
    for order, one, cents, at in rows:
        values = f"{FIRST_PAYMENT_ID - 40_000_001 + order}, {order}, {one}, {cents // 100}.{cents % 100:02d}, '{at}', 'authorised'"
        said.append(Sql("payments", f"SELECT pan, expiry FROM card WHERE card_id = {one}", "SELECT", ("card",), (), 1))
        said.append(Sql(
            "payments", f"INSERT INTO payment (payment_id, order_id, card_id, amount, paid_at, status) VALUES ({values})",
            "INSERT", (), ("payment",), 1,
        ))  # fmt: skip
    time = np.repeat(time, 2) + np.tile([0, 1], len(kept)) * rng.integers(20, 400, 2 * len(kept)) * 1000
    time = np.minimum(time, (day + 1) * DAY_US - 1000)
    return make_statements(world, rng, day, time, np.full(len(said), world.staff.service("payments_api")), said)


def _dashboards(world: World, day: int) -> Statements:
    """Each dashboard asks the same every hour, but for the dates."""
    p = world.parameters
    rng = stream(p.seed, "dashboards", day)
    tables = catalogue(p).by_path
    shown = [tables[f"{WAREHOUSE}.{name}"] for name in ("agg_daily_sales", "fact_order", "shipment", "mart_sales_by_country",
             "mart_contact_reasons", "agg_seller_daily")]  # fmt: skip
    who = world.staff.service("bi_dashboard")
    style = style_of(world, who)
    samples = Samples(world, day, rng)
    said: list[Sql] = []
    for place in range(p.dashboards):
        # The same chance each day: the same question.
        draws = Draws(stream(p.seed, "dashboard", place))
        said.append(asked(Author(style, draws, samples), shown[place % len(shown)], ()))
    hour = np.repeat(np.arange(24), p.dashboards)
    offset = np.tile(np.arange(p.dashboards) * 9 * SECOND_US, 24) + rng.integers(0, 8000, len(hour)) * 1000
    return make_statements(world, rng, day, day * DAY_US + hour * HOUR_US + offset, np.full(len(hour), who), said * 24)


def _loads(world: World, day: int) -> Statements:
    """The night: what changed is taken from the databases, landed, and worked through the warehouse's layers."""
    rng = stream(world.parameters.seed, "nightly loads", day)
    tables = catalogue(world.parameters)
    etl = world.staff.service("etl_nightly")
    style = style_of(world, etl)
    parts: list[tuple[int, int, Sql]] = []
    taken = [table for table in tables.of(WAREHOUSE) if table.feed and table.feed.form == "land" and table.feed.sources]
    for place, table in enumerate(taken):
        time = day * DAY_US + int(_LOAD_HOUR * HOUR_US) + place * 3 * MINUTE_US + int(rng.integers(60_000)) * 1000
        parts.append((time, etl, landed_from(style, table, day, rows_of(world, day, table, nightly=True))))
    for time, table in job_times(world, tables, day):
        who = world.staff.service(tables.account(table.owner))
        parts += [
            (time + after + int(rng.integers(1000)) * 1000, who, sql) for after, sql in feed_sql(world, table, day)
        ]
    time_, who_, said = zip(*parts, strict=True)
    return make_statements(world, rng, day, time_, who_, said, what=label("benign:nightly_etl"))


def _backups(world: World, day: int) -> Statements:
    """Every table of the three databases each night; the warehouse's core on Sundays."""
    rng = stream(world.parameters.seed, "backups", day)
    tables = catalogue(world.parameters)
    who = world.staff.service("backup")
    style = style_of(world, who)
    times: list[int] = []
    said: list[Sql] = []
    for database, hour in _BACKUP_HOURS.items():
        if database == WAREHOUSE and day % 7 != _SUNDAY:
            continue
        kept = [table for table in tables.of(database) if table.layer in {"source", "core"}]
        for place, table in enumerate(kept):
            times.append(day * DAY_US + int(hour * HOUR_US) + place * 40 * SECOND_US + int(rng.integers(30_000)) * 1000)
            said.append(_dumped(style, world, table, day))
    return make_statements(world, rng, day, times, [who] * len(said), said, what=label("benign:backup"))


def _dumped(style: Style, world: World, table: Table, day: int) -> Sql:
    rows = rows_of(world, day, table)
    if table.database == "orders":
        return Sql(
            "orders", f"SELECT /*!40001 SQL_NO_CACHE */ * FROM `{table.name}`", "SELECT", (table.name,), (), rows
        )
    if table.database == WAREHOUSE:
        return exported(
            style, WAREHOUSE, table.name, "", f"s3://meridian-backup/warehouse/{day_text(day)}/{table.name}.csv", rows
        )
    columns = ", ".join(column.name for column in table.columns)
    return Sql(table.database, f"COPY public.{table.name} ({columns}) TO stdout;", "COPY", (table.name,), (), rows)
