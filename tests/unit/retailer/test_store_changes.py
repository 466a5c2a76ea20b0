"""What the window's events leave in the stores, ordinary ones and incidents alike."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.meridian import logs_and_changes

from beholden.core.errors import BeholdenError
from beholden.core.times import parse_time
from beholden.retailer.chance import DAY_US, iso
from beholden.retailer.copies import planned_copies
from beholden.retailer.events import Events
from beholden.retailer.extracts import extracts_of, write_extract
from beholden.retailer.incidents import Incident
from beholden.retailer.life.accounts import (
    ASSISTED,
    DELETE,
    POST,
    Visits,
    reviews_held,
    reviews_of_day,
    reviews_of_incident,
)
from beholden.retailer.life.cloudtrail import COPY, PUT, Accesses
from beholden.retailer.life.seller_desk import BANK, REINSTATE, SUSPEND, Acts
from beholden.retailer.life.sql import Statements
from beholden.retailer.parameters import PRESETS, checked_parameters
from beholden.retailer.planted import write_planted
from beholden.retailer.resources import BUCKETS
from beholden.retailer.schedule import scheduled
from beholden.retailer.stores import Changes, write_stores
from beholden.retailer.stores.warehouse import loaded_until
from beholden.retailer.warehouse_tables import catalogue
from beholden.retailer.words import WORDS, words_of
from beholden.retailer.world import World

END = parse_time("2026-11-22T00:00:00Z")


@dataclass(frozen=True)
class Company:
    world: World
    incidents: Sequence[Incident]
    logs: Sequence[Events]  # of all days and of all logs
    changes: Changes
    directory: Path  # with what happened; below "still" the same as if nothing had

    def rows(self, store: str, query: str, *, still: bool = False) -> list[tuple[Any, ...]]:
        path = self.directory / ("still/stores" if still else "stores") / f"{store}.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()

    def incident(self, kind: str) -> list[Incident]:
        return [one for one in self.incidents if one.kind == kind]


@pytest.fixture(scope="module")
def companies(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Company]:
    @cache
    def made(preset: str) -> Company:
        directory = tmp_path_factory.mktemp("changed")
        # A window that is long enough for a mass correction.
        usual = checked_parameters(preset=preset, scale=0.004, seed=3, days=28, end=END)
        world = World(replace(usual, sellers_suspended_a_year=1.0))
        incidents = scheduled(world, "recall")
        logs, changed = logs_and_changes(world, incidents, directory)
        write_stores(world, directory, changes=changed)
        write_stores(world, directory / "still")
        return Company(world, incidents, logs, changed, directory)

    return made


@pytest.fixture(scope="module")
def company(companies: Callable[[str], Company]) -> Company:
    return companies("retailer")


def said_to(company: Company, database: str, until: int) -> list[str]:
    """The UPDATEs that did not fail, in the order of time."""
    found = []
    for log in [log for log in company.logs if isinstance(log, Statements)]:
        for at, one in enumerate(log.said):
            if one.database == database and one.command == "UPDATE" and not log.failure[at]:
                found.append((int(log.time[at]), one.text.replace("public.", "")))
    return [text for time, text in sorted(found, key=lambda pair: pair[0]) if time < until]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("database", "table"), [("crm", "customer"), ("orders", "orders")])
def test_a_store_is_what_its_statements_make_of_it(companies, preset, database, table) -> None:
    company, words = companies(preset), words_of(preset)
    store, query = words.store(database), f"select * from {words.name(table)} order by 1"
    with closing(sqlite3.connect(":memory:")) as connection:
        with closing(sqlite3.connect(company.directory / "still" / "stores" / f"{store}.db")) as still:
            still.backup(connection)
        statements = said_to(company, database, END)
        assert len(statements) > 50
        for text in statements:
            connection.execute(text)
        assert connection.execute(query).fetchall() != company.rows(store, query, still=True)
        assert connection.execute(query).fetchall() == company.rows(store, query)


@pytest.mark.parametrize("preset", PRESETS)
def test_orders_are_in_the_state_that_was_said_last(companies, preset) -> None:
    company, words = companies(preset), words_of(preset)
    said: dict[int, tuple[int, str]] = {}
    for log in company.logs:
        if not isinstance(log, Statements):
            continue
        for at, one in enumerate(log.said):
            if one.database == "orders" and one.command == "UPDATE" and not log.failure[at]:
                found = re.search(r"set \w+ = '(\w+)' where \w+ = (\d+)", one.text, re.IGNORECASE)
                assert found, one.text  # another way to change orders: the stores must learn to read it
                said[int(found[2])] = max(said.get(int(found[2]), (0, "")), (int(log.time[at]), found[1]))
    order, status = words.name("order_id"), words.name("status")
    held = dict(company.rows(words.store("orders"), f"select {order}, {status} from {words.name('orders')}"))
    assert len(said) > 50
    assert {number: held.get(number) for number in said} == {number: word for number, (_, word) in said.items()}


def reviews_said(company: Company, until: int) -> dict[int, dict[str, Any]]:
    """What the log makes of each review that it speaks of, act by act."""
    acts = []
    for log in company.logs:
        if isinstance(log, Visits):
            done = log.at((log.result == 0) & (log.review >= 0) & (log.time < until))
            columns = (done.time, done.review, done.operation, done.customer, done.order)
            acts += list(zip(*(column.tolist() for column in columns), strict=True))
    found: dict[int, dict[str, Any]] = {}
    for time, number, operation, customer, order in sorted(acts):
        text = iso(np.array([time]))[0]
        one = found.setdefault(number, {"customer": customer, "removed_at": None, "edited_at": None})
        if operation == POST:
            one |= {"written_at": text, "order": order}
        else:
            assert one["removed_at"] is None
            one["removed_at" if operation == DELETE else "edited_at"] = text
    return found


@pytest.mark.parametrize("preset", PRESETS)
def test_reviews_are_what_the_accounts_log_makes_of_them(companies, preset) -> None:
    company, words = companies(preset), words_of(preset)
    columns = ("review_id", "customer_id", "order_id", "written_at", "edited_at", "removed_at", "status")
    query = f"select {', '.join(map(words.name, columns))} from {words.name('product_review')}"
    rows = {row[0]: dict(zip(columns, row, strict=True)) for row in company.rows(words.store("orders"), query)}
    said = reviews_said(company, END)
    start = iso(np.array([company.world.parameters.start]))[0]
    assert len([one for one in said.values() if one["removed_at"]]) > 20
    for number, one in said.items():
        row = rows[number]
        assert words.customer.number(str(row["customer_id"])) - 1 == one["customer"]
        assert (row["edited_at"], row["removed_at"]) == (one["edited_at"], one["removed_at"])
        assert row["written_at"] == one["written_at"] if "written_at" in one else row["written_at"] < start
    owner = dict(company.rows(words.store("orders"), f"select {words.name('order_id')}, {words.name('customer_id')} from {words.name('orders')}"))  # fmt: skip
    for number, row in rows.items():
        assert (row["status"] == "removed") == (row["removed_at"] is not None)
        assert all(row["written_at"] <= row[name] for name in ("edited_at", "removed_at") if row[name])
        if number not in said:
            assert max(filter(None, (row["written_at"], row["removed_at"]))) < start
            assert row["edited_at"] is None
        # A review is about an order of the customer's, or about one that is not kept any more.
        assert owner.get(row["order_id"], row["customer_id"]) == row["customer_id"]
    assert len(rows) > 3 * len(said)


def test_reviews_that_insiders_removed_are_removed_as_others_are(company) -> None:
    removed = dict(company.rows("orders", "select review_id, removed_at from product_review where removed_at <> ''"))
    misused: set[int] = set()
    for one in company.incident("account_misuse"):
        visits = one.events["accounts"]
        assert isinstance(visits, Visits)
        misused |= set(visits.review[(visits.operation == DELETE) & (visits.result == 0)].tolist())
    assert misused <= set(removed)
    assert set(removed) - misused


@pytest.mark.parametrize("preset", PRESETS)
def test_every_review_has_a_number_that_no_other_had(companies, preset) -> None:
    company, words = companies(preset), words_of(preset)
    visits = Visits.joined([log for log in company.logs if isinstance(log, Visits)])
    done = visits.at((visits.result == 0) & (visits.review >= 0))
    posted, deleted = (done.at(done.operation == one) for one in (POST, DELETE))
    for once in (posted, deleted):
        assert len(np.unique(once.review)) == len(once) > 20
    # Some of what is deleted is new, most is old.
    new = np.isin(deleted.review, posted.review)
    assert 0 < new.mean() < 0.5
    began = dict(zip(posted.review.tolist(), posted.time.tolist(), strict=True))
    for number, time, operation in zip(done.review.tolist(), done.time.tolist(), done.operation.tolist(), strict=True):
        assert (operation == POST) == (began.get(number) == time)
        assert began.get(number, 0) <= time
    # Whom the shop lets write nothing has no review; what it does not let delete is there, and stays.
    assert (visits.review[(visits.operation == POST) & (visits.result != 0)] < 0).all()
    query = f"select {words.name('review_id')}, {words.name('status')} from {words.name('product_review')}"
    rows = company.rows(words.store("orders"), query)
    status = dict(rows)
    assert len(status) == len(rows)
    assert set(visits.review[visits.review >= 0].tolist()) <= set(status)
    assert {status[number] for number in deleted.review.tolist()} == {"removed"}
    assert {len(str(number)) for number in status} == {len(str(posted.review[0]))}


def test_numbers_of_reviews_do_not_meet_whatever_they_stand_for(company) -> None:
    world = company.world
    parts = [reviews_held(world, np.arange(2000))[1]]
    parts += [reviews_of_incident(world, incident, 300) for incident in range(60)]
    parts += [
        reviews_of_day(world, day, host, operation, 40)
        for day in world.calendar.window
        for host in range(world.parameters.hosts)
        for operation in (POST, DELETE, ASSISTED)
    ]
    every = np.concatenate(parts)
    assert len(np.unique(every)) == len(every)
    for incident, count in ((0, 5_000_000), (10_000, 1)):
        with pytest.raises(BeholdenError, match="more are written or deleted"):
            reviews_of_incident(world, incident, count)


def test_the_warehouse_has_the_reviews_of_the_last_load(company) -> None:
    until = loaded_until(company.world)
    said = reviews_said(company, until)
    removed = {number for number, one in said.items() if one["removed_at"]}
    rows = company.rows("warehouse", "select review_id, written_at, status from fact_review")
    assert max(time for _, time, _ in rows) < iso(np.array([until]))[0]
    assert removed <= {number for number, _, status in rows if status == "removed"}
    here = {number: (time, status) for number, time, status in rows}
    for number, one in said.items():
        assert here[number][1] == ("removed" if one["removed_at"] else "published")
        assert here[number][0] == one.get("written_at", here[number][0])


def test_the_warehouse_holds_what_was_when_it_was_loaded(company) -> None:
    with closing(sqlite3.connect(company.directory / "still" / "stores" / "crm.db")) as still:
        for text in said_to(company, "crm", loaded_until(company.world)):
            still.execute(text)
        expected = still.execute("select customer_id, email, phone from customer order by 1").fetchall()
        still.rollback()
    assert company.rows("warehouse", "select customer_id, email, phone from customer_profile order by 1") == expected


def test_tampered_profiles_and_ordinary_edits_both_changed(company) -> None:
    query = "select customer_id, email from customer"
    before, after = dict(company.rows("crm", query, still=True)), dict(company.rows("crm", query))
    changed = {number for number, email in after.items() if before[number] != email}
    tampered = {
        int(one.partition(":")[2]) for incident in company.incident("profile_tampering") for one in incident.subjects
    }
    assert len(company.incident("profile_tampering")) == 3
    # A few statements of people fail.
    assert len(tampered & changed) > 0.9 * len(tampered)
    assert len(changed - tampered) > 0.1 * len(tampered)
    # Both are changed in the same way: nothing but the events says whose work it was.
    for number in changed:
        old, new = before[number].split("@"), after[number].split("@")
        assert (new[0][:-2], new[1]) == (old[0], old[1])
        assert new[0][-2:].isdigit()


def test_a_mass_correction_leaves_its_postal_codes(company) -> None:
    query = "select count(*) from customer where country = 'FR' and substr(postal_code, 1, 2) in ('13', '69', '75')"
    [(before,)], [(after,)] = company.rows("crm", query, still=True), company.rows("crm", query)
    assert before > 0
    assert after == 0


def test_sellers_are_in_the_state_of_the_last_act(company) -> None:
    state: dict[int, tuple[int, str]] = {}
    banked: dict[int, int] = {}
    for acts in company.logs:
        if not isinstance(acts, Acts):
            continue
        for at in np.flatnonzero(acts.result == 0).tolist():
            seller, time, operation = int(acts.seller[at]) + 1, int(acts.time[at]), int(acts.operation[at])
            if operation in {SUSPEND, REINSTATE}:
                word = "suspended" if operation == SUSPEND else "active"
                state[seller] = max(state.get(seller, (0, "")), (time, word))
            elif operation == BANK:
                banked[seller] = max(banked.get(seller, 0), time)
    held = dict(company.rows("sellers", "select seller_id, state from account"))
    touched = {seller for one in company.incident("bribed_ring") for seller, _, _ in one.states}
    assert {seller + 1 for seller in touched} <= set(state)
    assert set(state) - {seller + 1 for seller in touched}
    assert {seller: held[seller] for seller in state} == {seller: word for seller, (_, word) in state.items()}
    query = "select seller_id, iban, fingerprint, changed_at from bank_account"
    for now, before in zip(company.rows("sellers", query), company.rows("sellers", query, still=True), strict=True):
        if now[0] in banked:
            assert parse_time(now[3] + "Z") == banked[now[0]] // 1_000_000 * 1_000_000
            assert not set(now[1:]) & set(before[1:])
        else:
            assert now == before
    assert banked


def test_files_in_buckets_are_those_that_the_log_tells_of(company) -> None:
    left = [file for one in company.incidents for file in one.files]
    write_planted(company.world, company.directory, left, company.changes)
    lines = (company.directory / "truth" / "copies.jsonl").read_text("utf-8").splitlines()
    rows = {row["place"]: row for row in map(json.loads, lines)}
    told = set()
    for log in [log for log in company.logs if isinstance(log, Accesses)]:
        put = log.at(np.isin(log.operation, (PUT, COPY)) & (log.error == 0))
        pairs = zip(put.bucket.tolist(), put.key.tolist(), strict=True)
        told |= {f"exports/{BUCKETS[at]}/{key}" for at, key in pairs if re.search(r"/[a-z]+_\d{3}(_sheet)?\.csv$", key)}
    told -= {copy.place for copy in planned_copies(company.world.parameters, company.world.staff)}  # written anew
    extracts = {one.place: one for one in extracts_of(company.world, left)}
    assert told == set(extracts)
    assert told <= set(rows)
    assert {place for place in told if not (company.directory / place).is_file()} == set()
    kinds = {one.number: one.kind for one in company.incidents}
    assert {kinds[row["incident"]] for row in rows.values() if row["incident"] is not None} >= {"copy_chain"}
    assert not [row for row in rows.values() if row["incident"] is not None and row["documented"]]
    register = (company.directory / "feeds" / "copies_register.csv").read_text("utf-8")
    assert not [one for one in left if f"{one.bucket}/{one.key}" in register]


def test_files_taken_out_of_the_warehouse_hold_what_its_tables_held(company) -> None:
    left = [file for one in company.incidents for file in one.files]
    crm = ("customer_id", "email", "phone", "street", "postal_code", "city", "country", "date_of_birth")
    checked = 0
    for one in extracts_of(company.world, left):
        path = company.directory / one.place
        path.parent.mkdir(parents=True, exist_ok=True)
        count = write_extract(company.world, one, company.changes, path)
        assert 0 < count <= one.rows
        if one.database != "warehouse" or one.form == "spreadsheet":
            continue
        with path.open(encoding="utf-8", newline="") as file:
            found = list(csv.DictReader(file))
        assert list(found[0]) == [column.name for column in catalogue(company.world.parameters).by_path[f"warehouse.{one.table}"].columns]  # fmt: skip
        common = [name for name in crm if name in found[0]]
        with closing(sqlite3.connect(":memory:")) as was:
            with closing(sqlite3.connect(company.directory / "still" / "stores" / "crm.db")) as still:
                still.backup(was)
            for text in said_to(company, "crm", one.read // DAY_US * DAY_US):
                was.execute(text)
            query = f"select {', '.join(common)} from customer where customer_id between ? and ? order by 1"
            expected = was.execute(query, (one.first + 1, one.first + one.rows)).fetchall()
        assert [tuple(row[name] for name in common) for row in found] == [tuple(map(str, row)) for row in expected]
        checked += 1
    assert checked > 5


def test_former_addresses_follow_one_another_without_gap(company) -> None:
    spans = defaultdict(list)
    for customer, since, until in company.rows(
        "crm", "select customer_id, valid_from, valid_until from address_history"
    ):
        spans[customer].append((since, until))
    joined = dict(company.rows("crm", "select customer_id, created_at from customer"))
    assert max(map(len, spans.values())) > 1
    for customer, rows in spans.items():
        rows.sort()
        assert rows[0][0] == joined[customer]
        assert [until for _, until in rows[:-1]] == [since for since, _ in rows[1:]]


def test_copies_made_before_the_window_know_nothing_of_it(company) -> None:
    first = company.world.calendar.window[0]
    by_hand = [
        table
        for table in catalogue(company.world.parameters).of("warehouse")
        if table.layer == "copy" and table.feed is not None and not table.feed.every and table.feed.first < first
    ]
    assert by_hand
    for table in by_hand:
        query = f"select * from {table.name}"
        assert company.rows("warehouse", query) == company.rows("warehouse", query, still=True), table.name


def test_nothing_changes_before_it_happened(company) -> None:
    assert loaded_until(company.world) == END - DAY_US
    for columns in company.changes.columns.values():
        for column in columns.values():
            assert len(column.last(company.world.parameters.start)[0]) == 0


def test_ids_are_read_back_as_the_numbers_they_were_made_of() -> None:
    number = np.concatenate([np.arange(1, 3000), np.array([2**24 - 1, 2**24, 2**24 + 1, 30_000_000])])
    for words in WORDS.values():
        assert [words.customer.number(text) for text in words.customer.texts(number).to_pylist()] == number.tolist()
