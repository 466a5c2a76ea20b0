from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlglot

from beholden.atlas.classify.checks import iban, luhn
from beholden.core.config import Config
from beholden.core.config_file import parse_config
from beholden.core.errors import BeholdenError, UsageError
from beholden.core.times import parse_time
from beholden.feeds import open_feed
from beholden.logs import LogContext, expand, load_mapping, open_log, open_reader
from beholden.retailer.canaries import canaries
from beholden.retailer.chance import DAY_US
from beholden.retailer.day import logs_of_day
from beholden.retailer.devices import write_devices
from beholden.retailer.feeds import WorkFeeds, write_personnel
from beholden.retailer.feeds.partners import SellerCaseWriter, write_partner_registers
from beholden.retailer.grants import write_grants
from beholden.retailer.life.console import contact_views
from beholden.retailer.life.sql_day import day_statements
from beholden.retailer.log_files import write_day
from beholden.retailer.parameters import PRESETS, checked_parameters
from beholden.retailer.planted import write_planted
from beholden.retailer.stores import WrittenStores, write_stores
from beholden.retailer.stores.layout import STORES, Layout
from beholden.retailer.stores.warehouse import loaded_until
from beholden.retailer.toml import write_configuration
from beholden.retailer.warehouse_tables import card_copy, catalogue
from beholden.retailer.words import WORDS, words_of
from beholden.retailer.world import World
from beholden.stores import open_store

END = parse_time("2026-11-22T00:00:00Z")
COPY = card_copy("marketing_export_2024", "marketing")


def make_world(preset: str = "retailer", **changed: Any) -> World:
    usual = checked_parameters(preset=preset, scale=0.003, seed=5, days=6, end=END)
    return World(replace(usual, **changed))


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


@pytest.fixture(scope="module")
def companies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[World, Path, WrittenStores]]:
    found = {}
    for preset in PRESETS:
        directory, made = tmp_path_factory.mktemp(preset), make_world(preset)
        written = write_stores(made, directory, extra=[COPY])
        write_configuration(made, directory)
        found[preset] = made, directory, written
    return found


@pytest.fixture(scope="module")
def company(companies: dict[str, tuple[World, Path, WrittenStores]]) -> Path:
    return companies["retailer"][1]


def rows_of(directory: Path, store: str, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{directory / 'stores' / store}.db?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def everything(directory: Path) -> dict[str, list[tuple[Any, ...]]]:
    found = {}
    for path in sorted((directory / "stores").iterdir()):
        for (name,) in rows_of(
            directory, path.stem, "select name from sqlite_master where type = 'table' order by name"
        ):
            found[f"{path.stem}/{name}"] = rows_of(directory, path.stem, f'select * from "{name}"')
    return found


# Rows


def test_the_same_world_gives_the_same_bytes_and_slices_do_not_matter(company, tmp_path, monkeypatch) -> None:
    write_stores(make_world(), tmp_path / "again", extra=[COPY])
    for path in (company / "stores").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / "stores" / path.name).read_bytes(), path.name
    for module in ("world", "stores.writing"):
        monkeypatch.setattr(f"beholden.retailer.{module}.WRITE_ROWS", 1900)
    write_stores(make_world(), tmp_path / "sliced", extra=[COPY])
    assert everything(tmp_path / "sliced") == everything(company)


def test_every_table_of_the_catalogue_is_there_with_its_columns(companies) -> None:
    for world, directory, written in companies.values():
        layout = Layout(world.parameters, (COPY,))
        assert len({(one.table.database, one.name) for one in layout.tables}) == len(layout.tables)
        assert {one.table.path for one in layout.tables} >= {
            f"{layout.words.store(one.database)}.{layout.words.name(one.name)}"
            for one in catalogue(world.parameters).tables
        }
        for placed in layout.tables:
            store = placed.table.database
            found = rows_of(directory, store, f"select name from pragma_table_info('{placed.name}')")
            assert [name for (name,) in found] == [column.name for column in placed.table.columns]
            [(count,)] = rows_of(directory, store, f"select count(*) from {placed.name}")
            assert written.rows[f"{store}/{placed.name}"] == count
            # Written without what the logs did: no review is of the last night.
            assert count > 0 or placed.canonical.name in {"raw_review", "stg_review"}, placed.table.path
        assert not written.left_out


def test_customers_orders_and_payments_are_those_of_the_world(world, company) -> None:
    people = world.people.text(world.people.famous[:1])
    number = int(world.people.famous[0]) + 1
    assert rows_of(
        company, "crm", f"select first_name, last_name, email from customer where customer_id = {number}"
    ) == [(people.first_name[0], people.last_name[0], people.email[0])]
    day = world.calendar.window[2]
    orders = world.orders.on(day, 0, 40)
    for i in range(40):
        [(customer, seller, amount)] = rows_of(
            company,
            "orders",
            f"select customer_id, seller_id, amount from orders where order_id = {orders.order_id[i]}",
        )
        assert (customer - 1, seller - 1, round(amount * 100)) == (
            orders.customer[i],
            orders.seller[i],
            orders.cents[i],
        )
    [(payment, card)] = rows_of(
        company, "payments", f"select payment_id, card_id from payment where order_id = {orders.order_id[0]}"
    )
    assert payment - orders.order_id[0] == 50_000_000
    held = world.cards.has_card(orders.customer[:1])[0]
    assert card == (world.cards.card_id(orders.customer[:1])[0] if held else None)


def test_numbers_that_look_like_cards_and_accounts_are_valid_ones_of_nobody(company) -> None:
    pans = pa.array([pan for (pan,) in rows_of(company, "payments", "select pan from card")])
    assert all(luhn(pans))
    ibans = pa.array([text for (text,) in rows_of(company, "sellers", "select iban from bank_account")])
    assert all(iban(ibans))
    assert all(text.as_py()[4:12] == "00000000" for text in ibans)


def test_card_numbers_lie_outside_their_zone_in_the_one_table_that_an_incident_left(world, company) -> None:
    [(number,)] = rows_of(company, "payments", "select pan from card limit 1 offset 9")
    pans = {pan for (pan,) in rows_of(company, "payments", "select pan from card")}
    copied = {pan for (pan,) in rows_of(company, "warehouse", f"select card_number from {COPY.name}")}
    assert copied < pans
    assert len(copied) / len(pans) == pytest.approx(COPY.share, abs=0.05)
    holding = {name for name, rows in everything(company).items() if any(number in row for row in rows)}
    assert holding <= {"payments/card", f"warehouse/{COPY.name}"}


def test_the_warehouse_ends_with_the_last_night(world, company) -> None:
    [(last,)] = rows_of(company, "warehouse", "select max(ordered_at) from fact_order")
    [(newest,)] = rows_of(company, "orders", "select max(ordered_at) from orders")
    assert parse_time(last + "Z") < loaded_until(world) <= parse_time(newest + "Z") < END
    for name in ("raw_orders", "stg_order"):
        [(count, first)] = rows_of(company, "warehouse", f"select count(*), min(ordered_at) from {name}")
        assert 0 < count <= world.parameters.staging_rows_max
        assert parse_time(first + "Z") >= loaded_until(world) - DAY_US


def test_copies_of_jobs_hold_what_is_and_copies_by_hand_what_was(tmp_path) -> None:
    world = make_world(
        customers_moved=0.5, customers_readdressed=0.5, table_copies_by_hand=0.5, warehouse_tables_at_full_scale=900
    )
    write_stores(world, tmp_path)
    crm = {
        row[0]: row for row in rows_of(tmp_path, "crm", "select customer_id, street, email, created_at from customer")
    }
    first = rows_of(tmp_path, "warehouse", "select min(ordered_at) from fact_order")[0][0]
    stale = old = 0
    for table in catalogue(world.parameters).of("warehouse"):
        customer, copied = table.has("customer.id"), table.has("customer.street") or table.has("customer.email")
        if table.layer != "copy" or table.feed is None or customer is None:
            continue
        time = table.has("order.time") or table.has("payment.time") or table.has("contact.opened")
        chained = any(path.split(".")[1].startswith(("raw", "stg")) or "_20" in path for _, path in table.feed.sources)
        found = rows_of(tmp_path, "warehouse", f"select {customer}, {time or copied or customer} from {table.name}")
        day = table.feed.first
        made = "9" if table.feed.every else str(_iso_day(day))
        if table.feed.every == 0:
            assert all(crm[number][3] < made for number, _ in found)
        if time and table.feed.every == 0:
            assert all(value < made for _, value in found)
            old += sum(value < first for _, value in found)
        elif copied and not time:
            at = 1 if table.has("customer.street") else 2
            other = sum(crm[number][at] != value for number, value in found)
            assert table.feed.every == 0 or chained or other == 0, table.name
            stale += other
    assert stale > 0
    assert old > 0


def _iso_day(day: int) -> str:
    import datetime as dt

    return (dt.date(1970, 1, 1) + dt.timedelta(day)).isoformat()


def test_marts_hold_what_their_expressions_say(company) -> None:
    [(orders, revenue)] = rows_of(company, "warehouse", "select count(*), sum(amount) from fact_order")
    assert rows_of(company, "warehouse", "select sum(orders), round(sum(revenue), 1) from agg_daily_sales") == [
        (orders, round(revenue, 1))
    ]
    counted = rows_of(company, "warehouse", "select customer_id, count(*) from fact_order group by 1 order by 1")
    assert rows_of(company, "warehouse", "select customer_id, orders from agg_customer_order order by 1") == counted
    names = rows_of(
        company, "crm", "select first_name || ' ' || last_name, postal_code from customer order by customer_id"
    )
    assert (
        rows_of(company, "warehouse", "select full_name, postal_code from dim_customer order by customer_id") == names
    )


def test_large_companies_are_cut_to_the_newest_orders_and_say_so(tmp_path) -> None:
    world = make_world(store_rows_max=3000, team_rows_max=500)
    written = write_stores(world, tmp_path)
    assert max(written.rows.values()) <= 3000 + len(world.people.famous) + len(canaries(world))
    known = {int(one) + 1 for one in (*world.people.famous, *canaries(world))}
    assert known <= {number for (number,) in rows_of(tmp_path, "crm", "select customer_id from customer")}
    assert written.rows["crm/customer"] >= 3000
    [(oldest, newest)] = rows_of(tmp_path, "orders", "select min(order_id), max(order_id) from orders")
    assert newest - 40_000_000 == world.calendar.orders_before[-1] == oldest - 40_000_000 + 2999
    assert rows_of(tmp_path, "orders", "select max(order_id) from order_line") == [(newest,)]
    assert len(written.left_out) == 4
    assert all(re.search(r"\d", sentence) for sentence in written.left_out)


# Names


def test_statements_of_the_sql_life_fit_the_stores_of_every_preset(world, companies) -> None:
    day = world.calendar.window[3]
    known = catalogue(world.parameters).by_path
    statements = [
        one
        for one in day_statements(world, day, contact_views(world, day)).said
        if not one.wrong and all(f"{one.database}.{name}" in known for name in (*one.reads, *one.writes))
    ]
    for preset, (_, directory, _) in companies.items():
        words, seen = words_of(preset), set()
        connections = {
            store: sqlite3.connect(f"file:{directory / 'stores' / words.store(store)}.db?mode=ro", uri=True)
            for store in STORES
        }
        for sql in statements:
            shape = re.sub(r"\d+|'[^']*'", "0", sql.text)
            if sql.command not in {"SELECT", "UPDATE", "INSERT", "DELETE"} or (sql.database, shape) in seen:
                continue
            seen.add((sql.database, shape))
            text = words.said(sql.text).replace("public.", "")
            dialect = "mysql" if sql.database == "orders" else "postgres"
            explained = sqlglot.transpile(text, read=dialect, write="sqlite")[0]
            connections[sql.database].execute(f"explain {explained}")
        assert len(seen) > 60
        for connection in connections.values():
            connection.close()


def test_ids_of_customers_are_the_presets_own_wherever_statements_name_them() -> None:
    text = "select c.email from customer c where c.customer_id in (17, 18) and note = 'customer_id = 17' order by 1"
    assert words_of("retailer").said(text) == text
    assert words_of("grocer").said(text) == (
        "select c.email from member c where c.member_id in ('G-AF14C1', 'G-E68E72') and remark = 'customer_id = 17' order by 1"
    )
    assert words_of("bank").said("update customer set email = 'x' where customer_id = '9'") == (
        "update client set email = 'x' where client_id = 'K000000009'"
    )
    import numpy as np

    for words in WORDS.values():
        ids = words.customer.texts(np.arange(1, 200_000, 7)).to_pylist()
        assert len(set(ids)) == len(ids)
        assert {len(one) for one in ids} == {len(ids[0])} or not words.customer.digits


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(UsageError, match="preset: 'library' is unknown"):
        words_of("library")


# Configuration


@pytest.fixture(scope="module", params=PRESETS)
def configured(request, companies) -> tuple[World, Path, Config]:
    world, directory, _ = companies[request.param]
    return world, directory, parse_config((directory / "beholden.toml").read_text("utf-8"), directory)


def test_the_configuration_names_stores_and_fields_that_are_there(configured) -> None:
    world, directory, config = configured
    (directory / "exports").mkdir(exist_ok=True)
    (directory / "exports" / "a.csv").write_text("a,b\n1,2\n")
    (directory / "wiki").mkdir(exist_ok=True)
    (directory / "wiki" / "page.md").write_text("A page.\n")
    fields = set()
    for store in config.store:
        connector = open_store(store, root=directory, environ={})
        for info in connector.datasets():
            fields |= {f"{store.name}/{info.path}#{field.name}" for field in info.fields}
            fields.add(f"{store.name}/{info.path}")
        connector.close()
    named = [name for one in config.subject for name in (one.key, *one.names, *one.emails, *one.aliases)]
    assert len(named) > 20
    assert fields.issuperset(named)
    assert "documents/wiki/page.md" in fields
    assert "exports/a.csv" in fields
    words = words_of(world.parameters.preset)
    assert {store.name for store in config.store} >= {words.store(store) for store in STORES}
    assert [zone.name for zone in config.zone if zone.only_here] == ["cardholder"]


def test_the_product_reads_every_log_as_the_configuration_says(configured) -> None:
    world, directory, config = configured
    (directory / "logs").mkdir(exist_ok=True)
    day = world.calendar.window[4]
    for kind, events in logs_of_day(world, [], day):
        write_day(kind, events, day, world.parameters, directory / "logs", ())
    tables = {store: [f"main.{one.name}" for one in Layout(world.parameters).of(store)] for store in STORES}
    seen = set()
    for log in config.log:
        mapping = load_mapping(directory / log.mapping) if log.mapping else None
        reader = open_reader(log.format, mapping=mapping)
        files = expand(log.path, directory).files
        assert files, log.name
        records = problems = 0
        for path in files:
            with open_log(path) as stream:
                for batch in reader.read(stream, LogContext(log.server or log.name, None)):
                    records += batch.records
                    problems += len(batch.problems)
                    if log.name == "console":
                        seen |= set(
                            zip(*(batch.events.column(name).to_pylist() for name in ("store", "object")), strict=True)
                        )
        assert records > 0, log.name
        assert problems <= 2, log.name
    words = words_of(world.parameters.preset)
    known = {(words.store(store), table) for store, names in tables.items() for table in names}
    assert len(seen) == 3
    assert seen <= known


def test_every_feed_of_the_configuration_can_be_opened(companies, tmp_path) -> None:
    world, directory, _ = companies["retailer"]
    config = parse_config((directory / "beholden.toml").read_text("utf-8"), tmp_path)
    feeds = tmp_path / "feeds"
    feeds.mkdir()
    day = world.calendar.window[4]
    with WorkFeeds(world, feeds) as work, SellerCaseWriter(world, feeds) as cases:
        work.add(day)
        cases.add(day)
    write_personnel(world, feeds)
    write_partner_registers(world, feeds)
    write_grants(world.grants, feeds)
    write_devices(world.parameters, world.staff, world.devices, feeds)
    write_planted(world, tmp_path)
    assert {f"feeds/{path.name}" for path in feeds.iterdir()} == {feed.source for feed in config.feed}
    for one in config.feed:
        feed = open_feed(one, root=tmp_path)
        rows = sum(len(batch) for batch in feed.intervals())
        assert feed.rows == 0 or rows / feed.rows > (0.5 if one.kind == "device" else 0.9), (one.name, feed.problems)


def test_urls_of_servers_are_written_without_their_passwords(world, tmp_path) -> None:
    write_configuration(
        world,
        tmp_path,
        postgres="postgresql://ann:verysecret@db.example:5433/x?sslmode=require&password=verysecret",
        mariadb="mariadb://u:p@h",
    )
    text = (tmp_path / "beholden.toml").read_text("utf-8")
    assert "verysecret" not in text
    config = parse_config(text, tmp_path)
    assert config.store_named("crm").url == "postgresql://ann@db.example:5433/crm?sslmode=require"
    assert "orders" not in {store.name for store in config.store}
    assert config.subject[0].key == "crm/public.customer#customer_id"


# Refusals


def test_files_that_are_there_already_and_tables_that_do_not_fit_are_refused(world, company, tmp_path) -> None:
    with pytest.raises(UsageError, match=r"database crm.db: is there already"):
        write_stores(world, company)
    (tmp_path / "stores").mkdir()
    (tmp_path / "stores" / "orders.db").symlink_to(tmp_path / "nowhere" / "orders.db")
    with pytest.raises(BeholdenError, match=r"database orders.db: cannot be written \(SQLITE_CANTOPEN\)"):
        write_stores(world, tmp_path)
    with pytest.raises(UsageError, match="is there already"):
        write_stores(world, tmp_path, extra=[card_copy("dim_customer", "marketing")])
    with pytest.raises(UsageError, match="grain nobody"):
        write_stores(world, tmp_path, extra=[replace(COPY, grain="nobody")])
