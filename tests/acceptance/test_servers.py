"""Logs of a whole server, stores out of reach when their log is read, and segments that are not what was sealed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.acceptance.conftest import EstateUnderTest
from tests.support.postgres import UrlBuilder, postgres_server

TABLES = """
create table customer (customer_id integer primary key, first_name text, email text, tier text);
create view gold as select * from customer where tier = 'gold';
create schema "Crm Data";
create table "Crm Data"."Kunden" ("KundenNr" integer primary key, "Vor name" text, "E-Mail" text);
"""
MAPPING = '[event]\ntime = "$.at"\nactor = "$.who"\nstatement = "$.sql"\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[UrlBuilder]:
    with postgres_server(tmp_path_factory.mktemp("postgres")) as url:
        with psycopg.connect(url(), autocommit=True) as connection:
            for name in ("shop", "second", "other"):
                connection.execute(f"create database {name}")
        for name in ("shop", "second"):
            with psycopg.connect(url(name)) as connection:
                connection.execute(TABLES)
                for i in range(1, 41):
                    row = (i, f"Name{i}", f"user{i}@shop.example", "gold" if i % 4 == 0 else "plain")
                    connection.execute("insert into customer values (%s, %s, %s, %s)", row)
                    connection.execute('insert into "Crm Data"."Kunden" values (%s, %s, %s)', row[:3])
        yield url


def record(line: int, actor: str, database: str, audit: str) -> str:
    """A record of csvlog with pgaudit's message: ``CLASS,COMMAND,TYPE,OBJECT,STATEMENT``."""
    time, session = f"2026-11-20 10:00:{line:02d}.000 UTC", f"bbbb{line:04x}.1"
    message = f'"AUDIT: SESSION,1,1,{audit.replace(chr(34), chr(34) * 2)},<none>,0"'
    return f"{time},{actor},{database},4000,10.0.0.1:5555,{session},1,SELECT,{time},3/1,0,LOG,00000,{message},,,,,,,,,app,client backend,,0"


def quoted(sql: str) -> str:
    return f'"{sql.replace(chr(34), chr(34) * 2)}"'


def written(path: Path, *records: tuple[str, str, str]) -> Path:
    lines = [record(i, actor, database, audit) for i, (actor, database, audit) in enumerate(records, 1)]
    path.write_text("\n".join(lines) + "\n")
    return path


def estate(directory: Path, url: UrlBuilder, *databases: str) -> EstateUnderTest:
    directory.mkdir(exist_ok=True)
    made = EstateUnderTest(directory)
    made.run("init")
    for name in databases:
        made.run("store", "add", name, url(name))
    declare_customers(made, "shop/public.customer#customer_id", "shop/public.customer#email")
    made.run("scan")
    return made


def declare_customers(made: EstateUnderTest, key: str, email: str) -> None:
    with (made.directory / "beholden.toml").open("a") as file:
        file.write(f'\n[[subject]]\nkind = "customer"\nkey = "{key}"\nemails = ["{email}"]\n')


def actors(made: EstateUnderTest, *question: str) -> dict[str, str]:
    rows = made.run("who", *question, "--json").json()["items"]
    return {row["actor"]: row["match"] for row in rows}


READ = "READ,SELECT,,,select * from customer where customer_id = 5"


def test_each_database_of_a_server_is_a_store_of_its_own(server, tmp_path):
    made = estate(tmp_path / "e", server, "shop", "second")
    log = written(
        tmp_path / "log.csv",
        ("own", "shop", READ), ("beside", "second", READ), ("nowhere", "other", READ), ("capital", "SHOP", READ),
        ("copier", "other", "READ,COPY,,,copy public.customer to stdout"),
    )  # fmt: skip
    told = made.run("log", "ingest", "--format", "pgaudit-csv", "--store", "shop", str(log), "--json").json()
    assert told["items"][0]["noise"] == {"another database": 3}
    assert actors(made, "--dataset", "shop/public.customer") == {"own": "named"}
    assert actors(made, "--dataset", "second/public.customer") == {"beside": "named"}
    assert actors(made, "--subject", "customer:5") == {"own": "named"}


def test_two_stores_on_one_database_do_not_take_in_the_others(server, tmp_path):
    made = estate(tmp_path / "e", server, "shop")
    made.run("store", "add", "again", server("shop"))
    log = written(tmp_path / "log.csv", ("own", "shop", READ), ("nowhere", "other", READ))
    told = made.run("log", "ingest", "--format", "pgaudit-csv", "--store", "shop", str(log), "--json").json()
    assert told["items"][0]["noise"] == {"another database": 1}
    assert actors(made, "--dataset", "shop/public.customer") == {"own": "named"}


def test_a_log_that_two_stores_claim_is_read_once(server, tmp_path):
    made = estate(tmp_path / "e", server, "shop", "second")
    log = written(tmp_path / "log.csv", ("own", "shop", READ), ("beside", "second", READ))
    for store in ("shop", "second"):
        made.run("log", "add", f"log-{store}", "--format", "pgaudit-csv", "--store", store, "--path", str(log))
    refused = made.run("log", "ingest", ok=False)
    assert refused.code == 2
    assert "would count twice" in refused.err
    with log.open("a") as file:
        file.write(record(9, "late", "shop", READ) + "\n")
    made.run("log", "ingest", ok=False)
    rows = made.run("who", "--dataset", "shop/public.customer", "--json").json()["items"]
    assert {row["actor"]: row["events"] for row in rows} == {"own": 1, "late": 1}
    assert actors(made, "--dataset", "second/public.customer") == {"beside": "named"}


def test_what_a_neighbours_log_could_not_say_is_told_of_the_store(server, tmp_path):
    made = estate(tmp_path / "e", server, "shop")
    made.run("store", "add", "second", server("second").replace("/second", "/nosuch"), ok=False)
    log = written(tmp_path / "log.csv", ("own", "shop", READ), ("beside", "nosuch", READ))
    assert made.run("log", "ingest", "--format", "pgaudit-csv", "--store", "shop", str(log), ok=False).code == 4
    unknown = made.run("who", "--dataset", "second/public.customer", "--json").json()["unknown"]
    assert any("schema of its store is not known" in one["reason"] for one in unknown)
    assert not any("no log of it was read" in one["reason"] for one in unknown)


def test_names_that_differ_in_case_are_two_datasets(server, tmp_path):
    with psycopg.connect(server("second")) as connection:
        connection.execute('create table if not exists "Customer" (id integer primary key, mail text)')
    made = estate(tmp_path / "e", server, "second")
    sql = 'copy (select c.email from customer c join "Customer" d on d.id = c.customer_id) to stdout'
    log = written(tmp_path / "log.csv", ("dumper", "second", f"READ,SELECT,,,{quoted(sql)}"))
    made.run("log", "ingest", "--format", "pgaudit-csv", "--store", "second", str(log))
    assert actors(made, "--dataset", "second/public.customer") == {"dumper": "named"}
    assert actors(made, "--dataset", "second/public.Customer") == {"dumper": "named"}


def test_a_log_of_one_database_is_its_stores_whatever_that_is_called(server, tmp_path):
    made = estate(tmp_path / "e", server, "shop")
    log = written(tmp_path / "log.csv", ("own", "production", READ), ("twice", "production", READ))
    made.run("log", "ingest", "--format", "pgaudit-csv", "--store", "shop", str(log))
    assert actors(made, "--dataset", "shop/public.customer") == {"own": "named", "twice": "named"}


def test_of_several_foreign_databases_somebody_must_say_which_is_meant(server, tmp_path):
    made = estate(tmp_path / "e", server, "shop")
    log = written(tmp_path / "log.csv", ("own", "production", READ), ("nowhere", "other", READ))
    ingest = ("log", "ingest", "--format", "pgaudit-csv", "--store", "shop", str(log))
    refused = made.run(*ingest, ok=False)
    assert refused.code == 4
    assert "give --database" in refused.err
    assert actors(made, "--dataset", "shop/public.customer") == {}
    made.run(*ingest, "--database", "production")
    answer = made.run("who", "--dataset", "shop/public.customer", "--json").json()
    assert [row["actor"] for row in answer["items"]] == ["own"]
    assert not [one for one in answer["unknown"] if one["kind"] == "records"]


def test_a_copy_of_a_dataset_with_a_quoted_name_is_the_dataset_s(server, tmp_path):
    made = estate(tmp_path / "e", server, "shop")
    log = written(
        tmp_path / "log.csv",
        ("dumper", "shop", f'READ,COPY,,,{quoted("""COPY "Crm Data"."Kunden" ("KundenNr", "Vor name") TO stdout;""")}'),
    )
    made.run("log", "ingest", "--format", "pgaudit-csv", "--store", "shop", str(log))
    (row,) = made.run("who", "--dataset", "shop/Crm Data.Kunden", "--json").json()["items"]
    assert (row["actor"], row["activity"], row["rows"]) == ("dumper", "export", 40)


@pytest.fixture
def lite(tmp_path) -> EstateUnderTest:
    """A SQLite store with a view that leaves people out, and the log of an application."""
    database = sqlite3.connect(tmp_path / "crm.db")
    database.execute("create table Customer (CustomerId integer primary key, first_name text, email text, tier text)")
    rows = [(i, f"Name{i}", f"user{i}@shop.example", "gold" if i % 4 == 0 else "plain") for i in range(1, 41)]
    database.executemany("insert into Customer values (?, ?, ?, ?)", rows)
    database.execute("create view v_gold as select * from Customer where tier = 'gold'")
    database.commit()
    database.close()
    made = EstateUnderTest(tmp_path)
    made.run("init")
    (tmp_path / "map.toml").write_text(MAPPING)
    made.run("store", "add", "crm", "sqlite:///crm.db")
    declare_customers(made, "crm/main.Customer#CustomerId", "crm/main.Customer#email")
    return made


def statements(made: EstateUnderTest, said: dict[str, str]) -> tuple[str, ...]:
    rows = [
        f'{{"at": "2026-11-20T10:00:{i:02d}Z", "who": "{who}", "sql": "{sql}"}}'
        for i, (who, sql) in enumerate(said.items())
    ]
    (made.directory / "app.jsonl").write_text("\n".join(rows) + "\n")
    return ("log", "ingest", "--format", "mapped", "--mapping", "map.toml", "--store", "crm", "app.jsonl")


def test_statements_on_a_store_out_of_reach_wait_until_its_schema_is_known(lite):
    ingest = statements(lite, {"viewer": "select * from v_gold", "whole": "select * from customer"})
    (lite.directory / "crm.db").rename(lite.directory / "away.db")
    refused = lite.run(*ingest, ok=False)
    assert refused.code == 4
    assert "schema is not known" in refused.err
    (lite.directory / "away.db").rename(lite.directory / "crm.db")
    lite.run("scan")
    assert "is not known yet" in lite.run("who", "--subject", "customer:5", "--json").out
    first = lite.run(*ingest, "--json").json()["items"][0]
    assert (first["events_new"], first["events_known"]) == (2, 0)
    answer = lite.run("who", "--subject", "customer:5", "--json")
    assert {row["actor"]: row["match"] for row in answer.json()["items"]} == {"viewer": "possible", "whole": "included"}
    assert "is not known yet" not in answer.out
    assert lite.run(*ingest, "--json").json()["items"][0]["events_new"] == 0


def test_a_view_made_since_the_scan_is_judged_by_the_next_one(lite):
    lite.run("scan")
    with sqlite3.connect(lite.directory / "crm.db") as database:
        database.execute("create view v_plain as select * from Customer where tier = 'plain'")
    database.close()
    lite.run(*statements(lite, {"viewer": "select * from v_plain"}))
    lite.run("scan")
    assert actors(lite, "--subject", "customer:8") == {"viewer": "possible"}


def test_a_view_that_is_gone_is_said_to_be(lite):
    lite.run("scan")
    lite.run(*statements(lite, {"viewer": "select * from v_gold"}))
    with sqlite3.connect(lite.directory / "crm.db") as database:
        database.execute("drop view v_gold")
    database.close()
    lite.run("scan")
    answer = lite.run("who", "--subject", "customer:8", "--json").json()
    assert [one["object"] for one in answer["unknown"] if "found it no more" in one["reason"]] == ["crm/main.v_gold"]


def test_a_damaged_projection_lets_nothing_in_twice(lite):
    lite.run("scan")
    ingest = statements(lite, {f"actor{i}": f"select * from customer where CustomerId = {i}" for i in range(1, 9)})
    lite.run(*ingest)
    lite.run("ledger", "seal")
    (path,) = (lite.directory / ".beholden" / "ledger" / "uids").glob("*.uids")
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    data[90] ^= 1
    path.write_bytes(data)
    told = lite.run(*ingest, "--json").json()["items"][0]
    assert (told["events_new"], told["events_known"]) == (0, 8)


def test_a_question_whether_somebody_is_there_is_possible(lite):
    lite.run("scan")
    said = {
        "there": "select 1 from customer where email = 'user5@shop.example'",
        "exists": "select exists (select 1 from customer where email = 'user5@shop.example')",
        "tier": "select tier, count(*) from customer where email = 'user5@shop.example' group by tier",
        "summed": "select sum(case when CustomerId = 5 and tier = 'gold' then 1 else 0 end) from customer",
        "patterned": "select count(*) from customer where lower(email) like 'user5@%'",
        "flagged": "select sum(email = 'user5@shop.example') from customer",
        "statistic": "select tier, count(*) from customer group by tier",
        "later": "select tier, count(*) from customer where CustomerId > 10 group by tier",
        "filled": "select count(*) from customer where email <> '' and CustomerId is not null",
        "joined": "select c.tier, count(*) from customer c, customer d where c.CustomerId = d.CustomerId group by c.tier",
    }
    lite.run(*statements(lite, said))
    assert actors(lite, "--subject", "customer:5") == dict.fromkeys(
        ("there", "exists", "tier", "summed", "patterned", "flagged"), "possible"
    )


@pytest.mark.parametrize("place", [100, 200, -200])
def test_no_answer_is_read_from_a_segment_that_was_altered(lite, place):
    lite.run("scan")
    lite.run(*statements(lite, {f"actor{i}": f"select * from customer where CustomerId = {i}" for i in range(1, 9)}))
    lite.run("ledger", "seal")
    assert len(actors(lite, "--subject", "customer:5")) == 1
    (segment,) = (lite.directory / ".beholden" / "ledger" / "segments").glob("*.parquet")
    data = bytearray(segment.read_bytes())
    data[place] ^= 1
    segment.write_bytes(data)
    refused = lite.run("who", "--subject", "customer:5", ok=False)
    assert refused.code == 5
    assert segment.name in refused.err


def test_a_statistic_about_one_kind_of_person_is_none_of_another(tmp_path):
    database = sqlite3.connect(tmp_path / "crm.db")
    database.execute("create table clerk (clerk_id text primary key, name text)")
    database.execute("create table customer (customer_id text primary key, email text)")
    database.execute(
        "create table rental (rental_id integer, customer_id text references customer, clerk_id text references clerk)"
    )
    database.executemany(
        "insert into customer values (?, ?)", [(f"C{i}", f"user{i}@shop.example") for i in range(1, 41)]
    )
    database.executemany("insert into clerk values (?, ?)", [("A1", "Anna Meier"), ("B2", "Bernd Maier")])
    database.executemany("insert into rental values (?, ?, ?)", [(i, f"C{i}", "A1") for i in range(1, 41)])
    database.commit()
    database.close()
    made = EstateUnderTest(tmp_path)
    made.run("init")
    (tmp_path / "map.toml").write_text(MAPPING)
    made.run("store", "add", "crm", "sqlite:///crm.db")
    declare_customers(made, "crm/main.customer#customer_id", "crm/main.customer#email")
    with (tmp_path / "beholden.toml").open("a") as file:
        file.write('\n[[subject]]\nkind = "clerk"\nkey = "crm/main.clerk#clerk_id"\n')
    made.run("scan")
    made.run(*statements(made, {
        "manager": "select count(*) from rental where clerk_id = 'A1'",
        "ranger": "select count(*) from rental where clerk_id between 'A1' and 'B2' or rental_id is null",
        "grouper": "select clerk_id, count(*) from rental group by clerk_id",
        "flagger": "select sum(case when clerk_id = 'A1' then 1 else 0 end) from rental",
        "folder": "select count(*) from rental where upper(customer_id) = 'C5'",
        "pattern": "select count(*) from customer where customer_id like 'C5%'",
    }))  # fmt: skip
    assert actors(made, "--subject", "customer:C5") == {"folder": "possible", "pattern": "possible"}
    assert "manager" not in actors(made, "--subject", "customer:C5", "--resolve")
    found = actors(made, "--subject", "clerk:A1")
    assert (found["manager"], found["grouper"], found["flagger"]) == ("named", "included", "possible")
