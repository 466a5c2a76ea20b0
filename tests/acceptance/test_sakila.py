"""A real database and its real audit log: who touched what, exactly."""

from __future__ import annotations

import gzip
import json
import shutil

from tests.acceptance.conftest import EstateUnderTest

LOGS = "logs"


def groups(run):
    return {(row["actor"], row["activity"], row["match"]): row for row in run.json()["items"]}


def test_who_touched_the_customers(sakila):
    found = groups(sakila.run("who", "--dataset", "sakila/public.customer", "--json"))
    assert {actor for actor, _, _ in found} == {"agent_app", "dba_oncall", "etl", "postgres"}
    reads = found["agent_app", "read", "named"]
    assert (reads["events"], reads["subjects"]) == (300, 122)
    assert found["agent_app", "update", "named"]["events"] == 30
    assert found["dba_oncall", "read", "named"]["events"] == 1
    export = found["etl", "export", "named"]
    assert (export["events"], export["rows"]) == (1, 599)
    assert found["postgres", "read", "named"]["rows"] == 599  # CREATE TABLE AS
    dump = found["postgres", "export", "named"]
    assert (dump["events"], dump["rows"]) == (1, 599)  # pg_dump's COPY: no object, 0 rows in the log


def test_the_analyst_read_rentals_alone(sakila):
    found = sakila.run("who", "--actor", "analyst", "--json").json()["items"]
    assert [(row["dataset"], row["events"]) for row in found] == [("public.rental", 40)]


def test_who_touched_one_customer(sakila):
    run = sakila.run("who", "--subject", "customer:1", "--json")
    items = run.json()["items"]
    named = [row for row in items if row["match"] == "named"]
    assert [(row["actor"], row["dataset"], row["events"]) for row in named] == [("agent_app", "public.customer", 54)]
    assert named[0]["also"] == ["sakila/public.address"]
    included = {(row["actor"], row["dataset"], row["activity"]) for row in items if row["match"] == "included"}
    assert included == {
        ("etl", "public.customer", "export"),
        ("postgres", "public.customer", "read"),
        ("postgres", "public.customer", "export"),
    }
    possible = {(row["actor"], row["dataset"], row["events"]) for row in items if row["match"] == "possible"}
    assert possible == {("dba_oncall", "public.customer", 1)}


def test_an_address_is_its_customers(sakila, tmp_path):
    """It has no identifier of a customer; the customer's row refers to it."""
    estate = EstateUnderTest(tmp_path / "estate")
    shutil.copytree(sakila.directory, estate.directory)
    reads = {
        "exporter": "select * from address",
        "hers": "select phone from address where address_id = 5",
        "his": "select phone from address where address_id = 6",
        "joined": "select a.phone from address a join customer using (address_id) where customer_id = 1",
        "counter": "select count(*) from address",
        "places": "select * from city",
        "clerk": "select * from rental where staff_id = 1 and exists (select 1 from customer where customer_id = 2)",
    }
    lines = [
        json.dumps({"at": f"2027-01-01T00:00:0{i}Z", "who": who, "sql": sql}) + "\n"
        for i, (who, sql) in enumerate(reads.items())
    ]
    (tmp_path / "app.jsonl").write_text("".join(lines))
    (tmp_path / "app.toml").write_text('[event]\ntime = "$.at"\nactor = "$.who"\nstatement = "$.sql"\n')
    log = ("--store", "sakila", "--mapping", str(tmp_path / "app.toml"), str(tmp_path / "app.jsonl"))
    estate.run("log", "ingest", "--format", "mapped", *log)
    ask = ("who", "--subject", "customer:1", "--from", "2027-01-01T00:00:00Z", "--json")
    found = {row["actor"]: row["match"] for row in estate.run(*ask).json()["items"]}
    assert found == {
        "joined": "named", "exporter": "included", "hers": "possible", "his": "possible", "clerk": "possible",
    }  # fmt: skip
    resolved = {row["actor"]: row["match"] for row in estate.run(*ask, "--resolve").json()["items"]}
    assert resolved == {"joined": "named", "exporter": "included", "hers": "named", "clerk": "possible"}


def test_a_predicate_is_resolved_when_asked(sakila):
    smith = sakila.run("who", "--subject", "customer:1", "--resolve", "--json").json()["items"]
    assert ("dba_oncall", "named") in {(row["actor"], row["match"]) for row in smith}
    other = sakila.run("who", "--subject", "customer:2", "--resolve", "--json").json()["items"]
    assert "dba_oncall" not in {row["actor"] for row in other}


def test_events_are_listed_one_by_one(sakila):
    run = sakila.run("who", "--dataset", "sakila/public.customer", "--events", "--json")
    rows = run.json()["items"]
    assert len(rows) == 334
    assert {"seq", "uid", "time", "actor", "store", "dataset", "activity", "fields", "rows", "match"} <= set(rows[0])
    assert len({row["uid"] for row in rows}) == 334
    assert rows[0]["fields"] == ["customer_id", "first_name", "last_name", "email"]


def test_every_record_is_accounted_for(sakila):
    (row,) = sakila.run("log", "status", "--json").json()["items"][:1]
    assert row["records"] == 843
    assert row["parsed"] + sum(row["noise"].values()) + sum(row["not_understood"].values()) == 843
    assert row["not_understood"] == {}


def test_the_json_log_a_second_reading_and_a_rotated_half_add_nothing(sakila, shared_data, tmp_path):
    before = sakila.run("ledger", "status", "--json").json()["items"][0]["events"]
    csv = shared_data / LOGS / "pg15_pgaudit.csv"
    json_log = shared_data / LOGS / "pg15_pgaudit.jsonl"
    lines = json_log.read_bytes().splitlines(keepends=True)
    (tmp_path / "rotated.json.1").write_bytes(b"".join(lines[400:]))
    with gzip.open(tmp_path / "rotated.json.2.gz", "wb") as file:
        file.write(b"".join(lines[:400]))
    sakila.run("log", "ingest", "--format", "pgaudit-csv", "--store", "sakila", str(csv))
    sakila.run("log", "ingest", "--format", "pgaudit-json", "--store", "sakila", str(json_log))
    for name in ("rotated.json.1", "rotated.json.2.gz"):
        sakila.run("log", "ingest", "--format", "pgaudit-json", "--store", "sakila", str(tmp_path / name))
    assert sakila.run("ledger", "status", "--json").json()["items"][0]["events"] == before


def test_the_record_seals_and_verifies(sakila):
    sakila.run("ledger", "seal")
    assert "verified" in sakila.run("ledger", "verify").err
    assert groups(sakila.run("who", "--dataset", "sakila/public.customer", "--json"))["agent_app", "read", "named"]


def test_where_the_e_mail_addresses_lie(sakila):
    items = sakila.run("map", "where", "email", "--json").json()["items"]
    assert "public.customer" in {row["dataset"] for row in items}


def test_a_log_read_before_the_first_scan_names_the_same_people(tmp_path, real_databases, shared_data):
    estate = EstateUnderTest(tmp_path)
    estate.run("init")
    estate.run("store", "add", "sakila", real_databases("sakila"))
    log = shared_data / LOGS / "pg15_pgaudit.csv"
    estate.run("log", "ingest", "--format", "pgaudit-csv", "--store", "sakila", str(log))
    estate.run("scan")
    items = estate.run("who", "--subject", "customer:1", "--json").json()["items"]
    named = {(row["actor"], row["dataset"]): row["events"] for row in items if row["match"] == "named"}
    assert named["agent_app", "public.customer"] == 54
    assert {row["actor"] for row in items if row["match"] == "possible"} == {"dba_oncall"}


def test_events_that_were_acknowledged_and_are_gone_are_missed(tmp_path, real_databases, shared_data):
    estate = EstateUnderTest(tmp_path)
    estate.run("init")
    estate.run("store", "add", "sakila", real_databases("sakila"))
    log = shared_data / LOGS / "pg15_pgaudit.csv"
    estate.run("log", "ingest", "--format", "pgaudit-csv", "--store", "sakila", str(log))
    for path in (tmp_path / ".beholden" / "ledger" / "wal").iterdir():
        path.unlink()
    run = estate.run("ledger", "verify", ok=False)
    assert run.code == 5
    assert "are missing" in run.out


def test_a_lost_state_is_made_anew_for_the_ledger_that_is_there(tmp_path, real_databases, shared_data):
    estate = EstateUnderTest(tmp_path)
    estate.run("init")
    estate.run("store", "add", "sakila", real_databases("sakila"))
    estate.run("scan")
    log = shared_data / LOGS / "pg15_pgaudit.csv"
    estate.run("log", "ingest", "--format", "pgaudit-csv", "--store", "sakila", str(log))
    for name in ("state.db", "state.db-wal", "state.db-shm"):
        (tmp_path / ".beholden" / name).unlink(missing_ok=True)
    estate.run("init")
    estate.run("scan")
    assert groups(estate.run("who", "--dataset", "sakila/public.customer", "--json"))["agent_app", "read", "named"]
