"""What `who` cannot say, it says: an empty answer never stands for what nobody looked at."""

from __future__ import annotations

import json
import shutil
import sqlite3

import pytest

from tests.acceptance.conftest import EstateUnderTest

TABLES = """
create table customer (customer_id integer primary key, first_name text, last_name text, email text);
create table survey (survey_id integer primary key, email text, answer text);
"""
NAMES = ["Anna", "Bernd", "Clara", "Dirk", "Elena", "Frank", "Greta", "Hugo"]
MAPPING = '[event]\ntime = "$.at"\nactor = "$.who"\nstatement = "$.sql"\nstore = "crm"\n'


@pytest.fixture
def estate(tmp_path) -> EstateUnderTest:
    database = sqlite3.connect(tmp_path / "crm.db")
    database.executescript(TABLES)
    people = [(i, NAMES[i % 8], "Meier", f"{NAMES[i % 8].lower()}{i}@shop.example") for i in range(80)]
    database.executemany("insert into customer values (?, ?, ?, ?)", people)
    database.executemany("insert into survey values (?, ?, 'yes')", [(i, f"guest{i}@shop.example") for i in range(80)])
    database.commit()
    database.close()
    made = EstateUnderTest(tmp_path)
    made.run("init")
    made.run("store", "add", "crm", "sqlite:///crm.db")
    made.run("scan")
    (tmp_path / "app.toml").write_text(MAPPING)
    return made


def read_log(estate: EstateUnderTest, **statements: str) -> None:
    lines = [
        {"at": f"2026-11-20T10:00:0{i}Z", "who": who, "sql": sql} for i, (who, sql) in enumerate(statements.items())
    ]
    (estate.directory / "app.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    log = ("--format", "mapped", "--mapping", "app.toml", "--store", "crm", "app.jsonl")
    estate.run("log", "ingest", *log)


def unknown(estate: EstateUnderTest, *question: str) -> dict[str, str]:
    """For each object, all that is said of it."""
    found: dict[str, str] = {}
    for gap in estate.run("who", *question, "--json").json()["unknown"]:
        found[gap["object"]] = f"{found.get(gap['object'], '')}|{gap['reason']}"
    return found


def test_data_that_no_kind_of_person_is_tied_to(estate):
    read_log(estate, peeker="select email from survey")
    found = unknown(estate, "--subject", "customer:5")
    assert "personal data tied to no kind of person" in found["crm/main.survey"]
    assert "no person of this identifier was made out" in found["customer"]


def test_datasets_on_record_that_no_scan_has_seen(estate):
    read_log(estate, peeker="select * from customer_copy where customer_id = 5")
    for question in (("--subject", "customer:5"), ("--class", "email")):
        assert "accesses are on record" in unknown(estate, *question)["crm/main.customer_copy"]


def test_stores_and_datasets_that_were_never_looked_at(estate):
    read_log(estate, peeker="select 1 from customer where customer_id = 5")
    estate.run("store", "add", "other", "sqlite:///other.db", ok=False)
    with sqlite3.connect(estate.directory / "crm.db") as database:
        database.execute("create view broken as select missing from nowhere")
    estate.run("scan", "crm", ok=False)
    for question in (("--subject", "customer:5"), ("--class", "email")):
        found = unknown(estate, *question)
        assert "never scanned" in found["other"]
        assert "crm/main.broken" in found


def test_a_declared_key_that_is_nowhere(estate):
    read_log(estate, peeker="select 1 from customer where customer_id = 5")
    with (estate.directory / "beholden.toml").open("a") as file:
        file.write('\n[[subject]]\nkind = "client"\nkey = "crm/main.customer#client_id"\n')
    assert "no scan has seen its key" in unknown(estate, "--subject", "client:5")["client"]


def test_actors_of_a_vault_that_was_lost(estate):
    read_log(estate, peeker="select * from customer where customer_id = 5")
    for path in (estate.directory / ".beholden").glob("vault.db*"):
        path.unlink()
    estate.run("init")
    assert "no name (any more) for 1 of those on record" in unknown(estate, "--actor", "peeker")["actor"]
    shutil.rmtree(estate.directory / ".beholden" / "spill", ignore_errors=True)


def test_statements_on_a_store_that_nobody_declared(estate):
    (estate.directory / "any.toml").write_text('[event]\ntime = "$.at"\nactor = "$.who"\nstatement = "$.sql"\n')
    (estate.directory / "any.jsonl").write_text(
        '{"at": "2026-11-20T10:00:00Z", "who": "y1", "sql": "delete from person"}\n'
    )
    log = ("--format", "mapped", "--mapping", "any.toml", "--store", "elsewhere", "any.jsonl")
    estate.run("log", "ingest", *log)
    (row,) = estate.run("who", "--actor", "y1", "--json").json()["items"]
    assert (row["store"], row["activity"], row["events"]) == ("elsewhere", "query", 1)


def test_a_store_that_resolve_cannot_ask(estate):
    read_log(estate, peeker="select * from customer where last_name = 'Meier'")
    (estate.directory / "crm.db").rename(estate.directory / "gone.db")
    run = estate.run("who", "--subject", "customer:5", "--resolve", "--json", ok=False)
    assert run.code == 4
    assert [row["match"] for row in run.json()["items"]] == ["possible"]
