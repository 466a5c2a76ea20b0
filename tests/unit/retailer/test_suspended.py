"""No order is a suspended seller's: in no store, no log and no copy."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from beholden.core.errors import BeholdenError
from beholden.core.times import parse_time
from beholden.retailer import build_company
from beholden.retailer.chance import DAY_US, Ints
from beholden.retailer.day import logs_of_day
from beholden.retailer.life.gateway import Calls
from beholden.retailer.orders import FIRST_ORDER_ID
from beholden.retailer.parameters import checked_parameters
from beholden.retailer.planted import write_planted
from beholden.retailer.schedule import scheduled, with_states_of
from beholden.retailer.stores import write_stores
from beholden.retailer.stores.layout import Layout
from beholden.retailer.world import World

END = parse_time("2026-11-22T00:00:00Z")


def world_of(scale: float = 0.005, days: int = 6, **changed: Any) -> World:
    return World(replace(checked_parameters(preset="retailer", scale=scale, seed=4, days=days, end=END), **changed))


def placed(world: World, order_id: Ints) -> tuple[Ints, Ints]:
    """Day and place of orders by their ids."""
    number, before = np.asarray(order_id, dtype=np.int64) - FIRST_ORDER_ID, world.calendar.orders_before
    at = np.searchsorted(before, number, side="right") - 1
    return at + world.calendar.first_day, number - before[at]


def misplaced(world: World, order_id: Any, seller: Any) -> int:
    """How many of these orders have a seller who was suspended then, or who is not the order's."""
    day, place = placed(world, order_id)
    position = np.asarray(seller, dtype=np.int64) - 1
    wrong = world.sellers.suspended(position, world.orders.time(day, place))
    return int(np.sum(wrong | (world.orders.seller(day, place) != position)))


@pytest.fixture(scope="module")
def world() -> World:
    """A company in which one seller in four is suspended, and whose teams copied by hand."""
    found = world_of(sellers_suspended_a_year=2.0, never_reinstated=0.3, table_copies_by_hand=1.0)
    assert 0.15 < found.sellers.suspended(np.arange(len(found.sellers)), found.parameters.start).mean() < 0.5
    return found


def test_no_store_has_an_order_of_a_suspended_seller(world: World, tmp_path: Path) -> None:
    write_stores(world, tmp_path)
    checked, before = set(), 0
    for one in Layout(world.parameters).tables:
        means = {column.meaning: column.name for column in one.table.columns}
        if not {"order.time", "seller.id"} <= means.keys():
            continue
        query = f'select "{means["seller.id"]}", "{means["order.time"]}" from "{one.name}"'
        with closing(sqlite3.connect(tmp_path / "stores" / f"{one.table.database}.db")) as connection:
            rows = connection.execute(query).fetchall()
        seller = np.array([number for number, _ in rows], dtype=np.int64) - 1
        # Copies that were made long ago have orders of then, so the time is that of the row.
        time = np.array([text[:23] for _, text in rows], dtype="datetime64[us]").astype(np.int64)
        assert not world.sellers.suspended(seller, time).any(), one.name
        checked |= {f"{one.table.database}.{one.name}"} if rows else set()
        before += int(np.sum(time < world.calendar.first_day * DAY_US))
    assert {"orders.orders", "warehouse.raw_orders", "warehouse.fact_order"} <= checked
    assert before, "no copy has orders of former times"
    with closing(sqlite3.connect(tmp_path / "stores" / "warehouse.db")) as connection:
        sums = connection.execute("select seller_id, day, orders from agg_seller_daily").fetchall()
    seller, day = np.array([(one, parse_time(f"{date}T00:00:00Z")) for one, date, _ in sums], dtype=np.int64).T - [
        [1],
        [0],
    ]
    # Who may not sell on a whole day has sold nothing on it.
    every = world.sellers.suspensions
    closed = {
        one: (a, b) for one, a, b in zip(every.seller.tolist(), every.start.tolist(), every.end.tolist(), strict=True)
    }
    for one, date in zip(seller.tolist(), day.tolist(), strict=True):
        start, end = closed.get(one, (date + 1, 0))
        assert not (start <= date and (end < 0 or end >= date + DAY_US))


def test_no_log_has_one(world: World) -> None:
    calls = 0
    for day in world.calendar.window:
        for _, events in logs_of_day(world, [], day):
            if isinstance(events, Calls):
                known = events.at(events.order >= FIRST_ORDER_ID)
                calls += len(known)
                assert not misplaced(world, known.order, known.seller + 1)
    assert calls > 100


def test_whom_an_incident_suspends_sells_nothing_from_then_on_and_whom_it_frees_sells_again() -> None:
    base = world_of(0.01, 14)
    states = tuple(state for one in scheduled(base, "recall") for state in one.states)
    shut = {seller: time for seller, state, time in states if state == "suspended"}
    assert len(shut) == sum(state == "suspended" for _, state, _ in states) > 3  # nobody twice
    freed = {seller: time for seller, state, time in states if state == "reinstated"}
    for seller, time in freed.items():
        assert base.sellers.suspended(np.array([seller]), time)[0]
    world = with_states_of(base, scheduled(base, "recall"))
    sold = {seller: [0, 0] for seller in shut}
    again = dict.fromkeys(freed, 0)
    for day in world.calendar.window:
        orders = world.orders.on(day)
        for seller, time in shut.items():
            mine = orders.time[orders.seller == seller]
            sold[seller][0] += int(np.sum(mine < time))
            sold[seller][1] += int(np.sum(mine >= time))
        for seller, time in freed.items():
            again[seller] += int(np.sum(orders.seller == seller))
            assert not np.any(orders.time[orders.seller == seller] < time)
    assert all(after == 0 for _, after in sold.values())
    assert any(before for before, _ in sold.values())
    assert not freed or any(again.values())


def test_no_ring_sets_free_whom_another_has_freed_and_every_company_has_room_for_rings() -> None:
    for seed in (777, 5, 8):
        world = World(checked_parameters(preset="retailer", scale=0.01, seed=seed, days=14, end=END))
        rings = [one for one in scheduled(world, "recall") if one.kind == "bribed_ring"]
        assert len(rings) == 3
        done = [(seller, state) for one in rings for seller, state, _ in one.states]
        assert len(done) == len(set(done))


def test_registers_and_apps_know_what_incidents_decided(tmp_path: Path) -> None:
    build_company(tmp_path / "company", scale=0.01, seed=4, days=14, end=END, run="recall")
    world = World(checked_parameters(preset="retailer", scale=0.01, seed=4, days=14, end=END))
    world = with_states_of(world, scheduled(world, "recall"))
    shut = {seller: time for seller, state, time in world.states if state == "suspended"}
    assert shut
    for seller, time in shut.items():
        for day in range(time // DAY_US + 1, world.calendar.window[-1] + 1):
            connections = np.flatnonzero(world.partners.connections.seller == seller)
            assert not world.partners.active(day)[connections].any()
    with (tmp_path / "company" / "feeds" / "sellers.csv").open(newline="") as file:
        listed = {row["seller_number"]: row["status"] for row in csv.DictReader(file) if row["seller_number"]}
    with closing(sqlite3.connect(tmp_path / "company" / "stores" / "sellers.db")) as connection:
        held = {str(number): state for number, state in connection.execute("select seller_id, state from account")}
    differ = {int(number) - 1 for number, status in listed.items() if held[number] != status}
    # Some rows of the register are of some weeks ago, whoever changed the state since.
    assert len(differ) < len({seller for seller, _, _ in world.states})


def test_what_incidents_read_at_the_partner_api_is_the_sellers_own() -> None:
    base = world_of(0.01, 14)
    incidents = scheduled(base, "recall")
    world = with_states_of(base, incidents)
    read = 0
    for one in incidents:
        calls = one.events.get("gateway")
        if isinstance(calls, Calls):
            known = calls.at((calls.order >= FIRST_ORDER_ID) & (calls.status == 0))
            day, place = placed(world, known.order)
            assert np.array_equal(world.orders.seller(day, place), known.seller), one.kind
            read += len(known)
    assert read > 100


def test_no_copy_has_one(world: World, tmp_path: Path) -> None:
    write_planted(world, tmp_path)
    paths = sorted((tmp_path / "exports").rglob("*.parquet"))
    # Some files were cut off.
    tables = [pq.read_table(path) for path in paths if path.read_bytes().endswith(b"PAR1")]
    tables = [table for table in tables if {"order_ref", "seller"} <= set(table.column_names)]
    assert tables
    for table in tables:
        assert not misplaced(world, table["order_ref"].to_numpy(), table["seller"].to_numpy())


def test_other_sellers_get_as_many_orders_more_as_the_law_says() -> None:
    usual, many = world_of(1.0), world_of(1.0, sellers_suspended_a_year=1.5)
    day = usual.calendar.window[0]
    before, after = usual.orders.on(day), many.orders.on(day)
    assert np.array_equal(before.time, after.time)
    # Only those whose seller was suspended in either company were drawn again.
    same = before.seller == after.seller
    drawn = many.sellers.suspended(before.seller, after.time) | usual.sellers.suspended(after.seller, before.time)
    assert (same | drawn).all()
    free = ~many.sellers.suspended(np.arange(len(many.sellers)), (day + 1) * DAY_US)
    share = np.bincount(after.seller, minlength=len(free))[free].reshape(-1)
    law = np.bincount(before.seller, minlength=len(free))[free]
    for part in (0.01, 0.1):
        head = int(part * len(law))
        assert share[:head].sum() / share.sum() == pytest.approx(law[:head].sum() / law.sum(), abs=0.01)


def test_a_company_whose_sellers_may_hardly_sell_is_refused_in_one_line() -> None:
    world = world_of(0.001, sellers_suspended_a_year=12.0, never_reinstated=1.0)
    every = world.sellers.suspensions
    closed = replace(every, seller=np.arange(len(world.sellers)), start=np.zeros(len(world.sellers), dtype=np.int64),
                     end=np.full(len(world.sellers), -1))  # fmt: skip
    world.sellers.__dict__["suspensions"] = closed
    with pytest.raises(BeholdenError, match="sellers: hardly any may sell"):
        world.orders.on(world.calendar.window[0])
