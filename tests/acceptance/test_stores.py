"""Three kinds of store and a cloud's log in one estate: all of them looked at, all of it accounted for."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import EstateUnderTest

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "read-cloudtrail.md"
#: Fields that anybody would name at once, by class.
OBVIOUS = {
    "email": {
        "chinook/main.Customer#Email",
        "chinook/main.Employee#Email",
        "adventureworks/person.emailaddress.csv#emailaddress",
        "adventureworks/dw.prospectivebuyer.csv#emailaddress",
    },
    "person_name": {
        "chinook/main.Customer#FirstName",
        "chinook/main.Customer#LastName",
        "northwind/public.employees#first_name",
        "northwind/public.employees#last_name",
        "northwind/public.customers#contact_name",
        "adventureworks/dw.prospectivebuyer.csv#lastname",
    },
    "phone": {"chinook/main.Customer#Phone", "northwind/public.employees#home_phone"},
    "payment_card": {"adventureworks/sales.creditcard.csv#cardnumber"},
    "date_of_birth": {"northwind/public.employees#birth_date", "chinook/main.Employee#BirthDate"},
}


def records(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())
    return found


@pytest.fixture(scope="module")
def trail(shared_data) -> list[Path]:
    return sorted((shared_data / "logs" / "cloudtrail_stratus").glob("*.json"))


@pytest.fixture(scope="module")
def estate(tmp_path_factory, real_databases, shared_data, trail) -> EstateUnderTest:
    """The estate, declared by commands alone."""
    directory = tmp_path_factory.mktemp("stores")
    estate = EstateUnderTest(directory)
    estate.run("init")
    shutil.copyfile(shared_data / "stores" / "_sql" / "Chinook.sqlite", directory / "chinook.db")
    tables = directory / "adventureworks"
    tables.mkdir()
    for path in (shared_data / "stores" / "adventureworks").glob("*.csv"):
        if path.name != "ground_truth.csv":
            shutil.copyfile(path, tables / path.name)
    for name, url in (
        ("northwind", real_databases("northwind")),
        ("chinook", "sqlite:///chinook.db"),
        ("adventureworks", "file:adventureworks"),
    ):
        assert "it answers" in estate.run("store", "add", name, url).err
    mapping = re.search(r"```toml\n( *records = .*?)```", HOW_TO.read_text(), re.DOTALL)
    assert mapping is not None
    text = mapping[1].replace('"$.Records[*]"', '"$[*]"', 1)  # the samples are plain arrays
    (directory / "cloudtrail.toml").write_text(text)
    estate.run(
        "log", "add", "cloudtrail", "--format", "mapped", "--mapping", "cloudtrail.toml",
        "--path", str(trail[0].parent / "*.json"),
    )  # fmt: skip
    return estate


@pytest.fixture(scope="module")
def scanned(estate) -> dict[str, Any]:
    answer: dict[str, Any] = estate.run("scan", "--json").json()
    return answer


def test_every_dataset_is_looked_at_or_it_says_why_not(estate, scanned):
    stores = {row["store"]: row for row in scanned["items"]}
    assert stores.keys() == {"northwind", "chinook", "adventureworks"}
    assert stores["northwind"]["datasets"] == 14
    assert stores["chinook"]["datasets"] == 11
    assert stores["adventureworks"]["datasets"] == len(list((estate.directory / "adventureworks").iterdir()))
    for row in stores.values():
        assert row["reachable"]
        assert (row["scanned"], row["skipped"], row["failed"]) == (row["datasets"], 0, 0)
        assert row["fields_unclassified"] == 0
    assert all(gap["kind"] == "dataset" and gap["reason"] for gap in scanned["unknown"])
    again = estate.run("map", "coverage", "--json").json()
    assert [row["scanned"] for row in again["items"]] == [row["scanned"] for row in scanned["items"]]


@pytest.mark.parametrize("class_", OBVIOUS)
def test_what_anybody_would_see_is_found(estate, scanned, class_):
    rows = estate.run("map", "fields", "--class", class_, "--json").json()["items"]
    found = {f"{row['store']}/{row['dataset']}#{row['field']}" for row in rows}
    assert OBVIOUS[class_] - found == set()
    holding = estate.run("map", "where", class_, "--json").json()["items"]
    datasets = {name.partition("#")[0] for name in OBVIOUS[class_]}
    assert datasets <= {f"{row['store']}/{row['dataset']}" for row in holding}


def test_nothing_personal_is_claimed_of_music_or_currencies(estate, scanned):
    for dataset in ("chinook/main.Track", "chinook/main.Genre", "adventureworks/sales.currency.csv"):
        rows = estate.run("map", "dataset", dataset, "--json").json()["items"]
        assert {row["class"] for row in rows} == {"none"}


@pytest.fixture(scope="module")
def ingested(estate, scanned) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = estate.run("log", "ingest", "--json").json()["items"]
    return rows


def test_every_record_of_the_trail_is_accounted_for(ingested, trail):
    found = {Path(row["file"]).name: row for row in ingested}
    assert found.keys() == {path.name for path in trail}
    for path in trail:
        row = found[path.name]
        assert row["records"] == len(records(path))
        assert row["parsed"] + sum(row["noise"].values()) + sum(row["not_understood"].values()) == row["records"]
        assert row["not_understood"] == {}


def test_the_table_has_one_row_for_the_trail(estate, ingested):
    lines = estate.run("log", "ingest").out.splitlines()
    assert len(lines) == 2
    assert "35 files" in lines[1]


def test_what_an_actor_touched_is_answered(estate, ingested, trail):
    read = Counter(
        record["requestParameters"]["secretId"]
        for path in trail
        for record in records(path)
        if record["eventName"] == "GetSecretValue" and record["userIdentity"].get("userName") == "christophe"
    )
    run = estate.run("who", "--actor", "christophe", "--json").json()
    reads = {row["dataset"]: row["events"] for row in run["items"] if row["activity"] == "read"}
    assert sum(read.values()) > 0
    assert {f"secretsmanager/{name}": count for name, count in read.items()}.items() <= reads.items()
    assert {row["actor"] for row in run["items"]} == {"christophe"}
    assert {row["rows"] for row in run["items"]} == {None}  # a trail does not say how many
    events = estate.run("who", "--actor", "christophe", "--events", "--json").json()["items"]
    assert len(events) == sum(row["events"] for row in run["items"])
    assert len({row["uid"] for row in events}) == len(events)


def test_a_store_that_only_a_log_knows_can_be_asked_for(estate, ingested):
    events = estate.run("who", "--actor", "christophe", "--events", "--json").json()["items"]
    assert {row["store"] for row in events} == {"aws"}
    (dataset, *_) = [row["dataset"] for row in events if row["dataset"]]
    run = estate.run("who", "--dataset", f"aws/{dataset}", "--json").json()
    assert "christophe" in {row["actor"] for row in run["items"]}
    assert "no scan has seen this dataset" in {gap["reason"] for gap in run["unknown"]}
    refused = estate.run("who", "--dataset", f"asw/{dataset}", ok=False)
    assert refused.code == 1
    assert "store asw: is not declared" in refused.err


def test_who_of_a_store_without_a_log_says_that_no_log_was_read(estate, ingested):
    run = estate.run("who", "--class", "email", "--json").json()
    assert run["items"] == []
    reasons = {gap["object"]: gap["reason"] for gap in run["unknown"]}
    assert reasons["chinook"] == "no access to this store is on record: no log of it was read"


def test_all_of_it_seals_and_verifies(estate, ingested):
    estate.run("ledger", "seal")
    assert "verified" in estate.run("ledger", "verify").err
