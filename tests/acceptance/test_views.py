"""Data that is reached under another name: through views, through views over views, and in partitions."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.acceptance.conftest import EstateUnderTest
from tests.support.postgres import UrlBuilder, postgres_server

TABLES = """
create table customer (
    customer_id integer primary key, first_name text, last_name text, email text, active integer,
    recommended_by integer references customer (customer_id)
);
create table orders (order_id integer primary key, customer_id integer references customer (customer_id), total integer);
create table film (film_id integer primary key, title text);
create view v_customer as select * from customer;
create view v_short as select v.customer_id as "No of customer", v.email as mail, v.recommended_by as friend from v_customer v;
create view v_mail as select email from customer where active = 1;
create view v_ordered as select o.order_id, c.customer_id, c.email from orders o join customer c using (customer_id);
create view v_film as select * from film;
"""
PARTITIONS = """
create table bill (bill_id integer, customer_id integer references customer (customer_id), due date) partition by range (due);
create table bill_2025 partition of bill for values from ('2025-01-01') to ('2026-01-01');
create table bill_2026 partition of bill for values from ('2026-01-01') to ('2027-01-01');
create view v_bill as select * from bill;
create materialized view m_customer as select customer_id, email from customer;
create role looker login;
grant usage on schema public to looker;
grant select on all tables in schema public to looker;
"""
MAPPING = '[event]\ntime = "$.at"\nactor = "$.who"\nstatement = "$.sql"\nstore = "crm"\n'
NAMES = ["Anna", "Bernd", "Clara", "Dirk", "Elena", "Frank", "Greta", "Hugo"]


def people() -> list[tuple[object, ...]]:
    return [
        (i, NAMES[i % 8], "Meier", f"{NAMES[i % 8].lower()}{i}@shop.example", i % 3, max(1, i - 1))
        for i in range(1, 81)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[UrlBuilder]:
    with postgres_server(tmp_path_factory.mktemp("postgres")) as url:
        yield url


def scanned(directory: Path, url: str) -> EstateUnderTest:
    made = EstateUnderTest(directory)
    made.run("init")
    made.run("store", "add", "crm", url)
    made.run("scan")
    return made


@pytest.fixture(scope="module")
def lite(tmp_path_factory) -> EstateUnderTest:
    directory = tmp_path_factory.mktemp("lite")
    database = sqlite3.connect(directory / "crm.db")
    database.executescript(TABLES)
    database.executemany("insert into customer values (?, ?, ?, ?, ?, ?)", people())
    database.executemany("insert into orders values (?, ?, 5)", [(i, i) for i in range(1, 40)])
    database.commit()
    database.close()
    made = scanned(directory, "sqlite:///crm.db")
    read_statements(made, {
        "viewer": "select * from v_customer where customer_id = 5",
        "deep": 'select mail from v_short where "No of customer" = 5',
        "friend": "select mail from v_short where friend = 5",
        "lister": "select * from v_customer",
        "mailer": "select * from v_mail",
        "counter": "select count(*) from v_customer",
        "changer": "delete from v_customer where customer_id = 6",
        "orderer": "select email from v_ordered where customer_id = 5",
        "both": "select v.email from v_customer v join customer c on c.customer_id = v.customer_id where c.customer_id = 7",
        "filmer": "select * from v_film",
        "maker": "create view v_new as select * from v_customer",
    })  # fmt: skip
    return made


@pytest.fixture(scope="module")
def full(tmp_path_factory, server) -> EstateUnderTest:
    """PostgreSQL, read as a role that may read tables and views and nothing else."""
    with psycopg.connect(server(), autocommit=True) as connection:
        connection.execute("create database crm")
    with psycopg.connect(server("crm")) as connection:
        connection.execute(TABLES + PARTITIONS)
        with connection.cursor() as cursor:
            cursor.executemany("insert into customer values (%s, %s, %s, %s, %s, %s)", people())
            cursor.execute("insert into bill select i, i, date '2025-06-01' + i * 5 from generate_series(1, 80) i")
        connection.execute("refresh materialized view m_customer")
    made = scanned(tmp_path_factory.mktemp("full"), server("crm", user="looker"))
    read_statements(made, {
        "viewer": "select * from public.v_customer where customer_id = 5",
        "stored": "select email from m_customer where customer_id = 5",
        "dumper": "copy public.bill_2025 (bill_id, customer_id, due) to stdout",
        "under": "select * from v_bill",
    })  # fmt: skip
    read_audit(made, [
        ("audited", ["public.v_customer", "public.customer"], "select * from v_customer where customer_id = 8"),
        ("exporter", ["public.v_customer", "public.customer"], "copy (select * from v_customer) to stdout"),
        ("billing", ["public.bill", "public.bill_2026"], "select * from bill b join bill_2026 c using (bill_id)"),
        ("backup", ["public.bill_2026"], "copy public.bill_2026 to stdout"),
    ])  # fmt: skip
    return made


def read_statements(estate: EstateUnderTest, statements: dict[str, str]) -> None:
    lines = [
        {"at": f"2026-11-20T10:00:{i:02}Z", "who": who, "sql": sql} for i, (who, sql) in enumerate(statements.items())
    ]
    (estate.directory / "app.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (estate.directory / "app.toml").write_text(MAPPING)
    estate.run("log", "ingest", "--format", "mapped", "--mapping", "app.toml", "--store", "crm", "app.jsonl")


def read_audit(estate: EstateUnderTest, statements: list[tuple[str, list[str], str]]) -> None:
    """PostgreSQL's own log: a record for each relation of a statement."""
    out = io.StringIO()
    for number, (user, relations, sql) in enumerate(statements, 1):
        for place, name in enumerate(relations):
            audit = io.StringIO()
            kind = "VIEW" if ".v_" in name else "TABLE"
            csv.writer(audit).writerow(["SESSION", number, 1, "READ", "SELECT", kind, name, sql, "<not logged>"])
            at = f"2026-11-21 10:00:{number:02}.000 UTC"
            csv.writer(out).writerow([
                at, user, "crm", 900 + number, "[local]", f"6b02e3b3.{900 + number}", place + 1, "SELECT", at, "3/1", 0,
                "LOG", "00000", "AUDIT: " + audit.getvalue().rstrip("\r\n"), *[""] * 8, "console", "client backend", "", 0,
            ])  # fmt: skip
    (estate.directory / "audit.csv").write_text(out.getvalue())
    estate.run("log", "ingest", "--format", "pgaudit-csv", "--store", "crm", "audit.csv")


def who(estate: EstateUnderTest, *question: str) -> dict[str, list[tuple[str, str]]]:
    """By actor: dataset and match of every access that answers."""
    items: list[dict[str, Any]] = estate.run("who", *question, "--events", "--json").json()["items"]
    found: dict[str, list[tuple[str, str]]] = {}
    for item in items:
        found.setdefault(item["actor"], []).append((item["dataset"].partition(".")[2], item["match"]))
    return found


def test_a_question_about_a_table_finds_what_went_through_views(lite):
    assert who(lite, "--dataset", "crm/main.customer") == {
        "viewer": [("v_customer", "included")],
        "deep": [("v_short", "included")],
        "friend": [("v_short", "included")],
        "lister": [("v_customer", "included")],
        "mailer": [("v_mail", "included")],
        "counter": [("v_customer", "included")],
        "changer": [("v_customer", "included")],
        "orderer": [("v_ordered", "included")],
        "both": [("customer", "named")],
    }
    assert who(lite, "--dataset", "crm/main.orders") == {"orderer": [("v_ordered", "included")]}
    assert who(lite, "--dataset", "crm/main.film") == {"filmer": [("v_film", "included")]}


def test_a_question_about_a_view_is_not_about_its_table(lite):
    found = who(lite, "--dataset", "crm/main.v_customer")
    assert found["viewer"] == [("v_customer", "named")]
    assert found["deep"] == [("v_short", "included")]
    assert "orderer" not in found
    assert "mailer" not in found


def test_a_question_about_a_person_knows_them_in_views(lite):
    assert who(lite, "--subject", "customer:5") == {
        "viewer": [("v_customer", "named")],
        "deep": [("v_short", "named")],
        "friend": [("v_short", "possible")],
        "lister": [("v_customer", "included")],
        "mailer": [("v_mail", "possible")],
        "orderer": [("v_ordered", "named")],
    }
    assert who(lite, "--subject", "customer:6")["changer"] == [("v_customer", "named")]
    assert who(lite, "--subject", "customer:7")["both"] == [("v_customer", "named")]
    assert "viewer" not in who(lite, "--subject", "customer:7")


def test_a_person_in_a_table_is_found_in_its_views(lite):
    assert who(lite, "--subject", "customer:5", "--dataset", "crm/main.customer")["viewer"] == [("v_customer", "named")]
    assert who(lite, "--subject", "customer:5", "--dataset", "crm/main.film") == {}


def test_a_question_about_a_class_finds_views(lite):
    found = who(lite, "--class", "email")
    assert {"viewer", "deep", "lister", "mailer", "orderer"} <= found.keys()
    assert "filmer" not in found


def test_in_postgresql_views_are_followed_by_a_role_that_may_only_read(full):
    assert who(full, "--dataset", "crm/public.customer") == {
        "viewer": [("v_customer", "included")],
        "stored": [("m_customer", "included")],
        "audited": [("customer", "named")],
        "exporter": [("customer", "named")],
    }
    found = who(full, "--subject", "customer:5")
    assert found["viewer"] == [("v_customer", "named")]
    assert found["stored"] == [("m_customer", "named")]
    assert [match for _, match in found["exporter"]] == ["included"]
    assert len(who(full, "--subject", "customer:8")["audited"]) == 1


def test_a_table_is_its_partitions(full):
    assert who(full, "--dataset", "crm/public.bill") == {
        "dumper": [("bill_2025", "named")],
        "under": [("v_bill", "included")],
        "billing": [("bill", "named")],
        "backup": [("bill_2026", "named")],
    }
    assert who(full, "--dataset", "crm/public.bill_2025") == {
        "dumper": [("bill_2025", "named")],
        "under": [("v_bill", "possible")],
        "billing": [("bill", "possible")],
    }


def test_what_a_view_is_made_of_is_nowhere_kept(lite, full):
    for estate in (lite, full):
        for path in (estate.directory / ".beholden").rglob("*"):
            if path.is_file():
                assert b'No of customer\\" from' not in path.read_bytes()
                assert b"v.customer_id as" not in path.read_bytes().lower()
