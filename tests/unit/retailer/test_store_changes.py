"""What the window's events leave in the stores, ordinary ones and incidents alike."""

from __future__ import annotations

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

from beholden.core.times import parse_time
from beholden.retailer.chance import DAY_US
from beholden.retailer.events import Events
from beholden.retailer.incidents import Incident
from beholden.retailer.life.seller_desk import BANK, REINSTATE, SUSPEND, Acts
from beholden.retailer.life.sql import Statements
from beholden.retailer.parameters import PRESETS, checked_parameters
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
