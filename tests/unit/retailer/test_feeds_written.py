from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beholden.core.times import parse_time
from beholden.retailer.balance import GROUNDS, documented, records_of
from beholden.retailer.chance import DAY_US
from beholden.retailer.contacts import COLLEAGUE, LATE, NEVER
from beholden.retailer.feeds import WorkFeeds, write_personnel
from beholden.retailer.life.console import Views, contact_views
from beholden.retailer.life.records import Records, topic
from beholden.retailer.life.support_lookalikes import lookalike_views
from beholden.retailer.parameters import checked_parameters
from beholden.retailer.world import World

END = parse_time("2026-11-22T00:00:00Z")
FILES = {
    "contacts": ("ticket_id", "agent_id"),
    "cases": ("case_id", "investigator"),
    "reviews": ("review_id", "reviewer"),
    "requests": ("request_id", "handler"),
    "assignments": ("assignment_id", "assignee"),
}


def make_world() -> World:
    usual = checked_parameters(preset="retailer", scale=0.02, seed=6, days=30, end=END)
    return World(replace(usual, transferred=3.0, renamed=3.0, ticket_time_lost=0.02))


def write(world: World, directory: Path) -> Path:
    directory.mkdir()
    with WorkFeeds(world, directory) as feeds:
        for day in world.calendar.window:
            feeds.add(day)
    write_personnel(world, directory)
    return directory


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


@pytest.fixture(scope="module")
def feeds(world: World, tmp_path_factory) -> Path:
    return write(world, tmp_path_factory.mktemp("written") / "feeds")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_same_seed_gives_the_same_bytes(feeds: Path, tmp_path: Path) -> None:
    again = write(make_world(), tmp_path / "again")
    assert sorted(path.name for path in feeds.iterdir()) == sorted(
        [*(f"{name}.parquet" for name in FILES), "staff.csv", "staff_moves.csv", "team_members.csv"]
    )
    for path in feeds.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_keys_are_unique_and_intervals_make_sense(feeds: Path, name: str) -> None:
    table = pq.read_table(feeds / f"{name}.parquet")
    key = table[FILES[name][0]].to_pylist()
    assert len(set(key)) == len(key) > 0
    end = END // 1000
    for opened, closed in zip(times(table, "opened_at"), times(table, "closed_at"), strict=True):
        assert opened is None or closed is None or opened < closed
        assert opened is None or opened < end * 1000
        assert closed is None or closed < end * 1000
    assert pq.ParquetFile(feeds / f"{name}.parquet").num_row_groups <= 30


def test_tickets_are_dirty(world: World, feeds: Path) -> None:
    table = pq.read_table(feeds / "contacts.parquet")
    served = [world.service.on(day) for day in world.calendar.window]
    quality = np.concatenate([contacts.quality for contacts in served])
    assert len(table) <= np.sum(quality != NEVER) < len(quality)
    assert {LATE, COLLEAGUE} <= set(quality.tolist())
    assert 0.005 < table["opened_at"].null_count / len(table) < 0.05
    assert table.schema.field("opened_at").type == pa.timestamp("us", tz="UTC")


def test_the_case_system_writes_no_zone(feeds: Path) -> None:
    assert pq.read_schema(feeds / "cases.parquet").field("opened_at").type == pa.timestamp("us")


def test_what_the_files_explain_is_what_is_documented(world: World, feeds: Path) -> None:
    employees = {f"E{member.number}": who for who, member in enumerate(world.staff.members)}
    held: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for name, (_, actor) in FILES.items():
        table = pq.read_table(feeds / f"{name}.parquet")
        columns = [
            table[actor].to_pylist(),
            table["customer_id"].to_pylist(),
            times(table, "opened_at"),
            times(table, "closed_at"),
        ]
        for who, customer, opened, closed in zip(*columns, strict=True):
            if opened is not None and customer is not None:
                at = employees[who] if who in employees else login(world, who)
                held.setdefault((at, customer - 1), []).append((opened, END if closed is None else closed))
    views = [Views.joined([contact_views(world, day), lookalike_views(world, day)]) for day in world.calendar.window]
    for day, some in zip(world.calendar.window, views, strict=True):
        explained = [
            any(opened <= time < closed for opened, closed in held.get((who, customer), ()))
            for time, who, customer in zip(some.time.tolist(), some.actor.tolist(), some.customer.tolist(), strict=True)
        ]
        assert explained == (documented(world, day, some) > 0).tolist()


def test_what_incidents_add_stands_among_the_rest(world: World, tmp_path: Path) -> None:
    day = world.calendar.window[4]
    contacts, cases = world.service.on(day), records_of(world, "case", day)
    free = contacts.ticket[np.flatnonzero(np.diff(contacts.ticket) > 1)[0]] + 1
    padded = replace(contacts.at(np.array([3])), ticket=np.array([free]))
    at = cases.opened[len(cases) // 2] + 1000 if len(cases) else day * DAY_US
    own = Records(*(np.array([value]) for value in (0, 17, topic("chargeback"), at, at + DAY_US)))
    with WorkFeeds(world, tmp_path) as feeds:
        feeds.add(day, padded, {"case": own})
    tickets = pq.read_table(tmp_path / "contacts.parquet")["ticket_id"].to_pylist()
    assert f"CT{free}" in tickets
    assert len(set(tickets)) == len(tickets)
    table = pq.read_table(tmp_path / "cases.parquet")
    assert len(table) == len(cases) + 1
    assert 18 in table["customer_id"].to_pylist()
    assert table["case_id"].to_pylist() == sorted(table["case_id"].to_pylist())
    assert "case" in GROUNDS


def test_personnel_knows_people_by_number_and_by_their_last_log_in(world: World, feeds: Path) -> None:
    staff = {row["employee_id"]: row for row in rows(feeds / "staff.csv")}
    moves = rows(feeds / "staff_moves.csv")
    last = END // DAY_US - 1
    for member in world.staff.members:
        row = staff[f"E{member.number}"]
        assert row["login"] == member.login_on(last)
        assert row["team"] == member.team_on(last)
        assert bool(row["left"]) == (member.left is not None)
        assert row["street"]
    renamed = {row["employee_id"]: row for row in moves if row["change"] == "renamed"}
    assert renamed
    assert all(staff[who]["login"] == row["after"] != row["before"] for who, row in renamed.items())
    assert {"hired", "transferred", "renamed", "left"} <= {row["change"] for row in moves}
    assert all(row["effective"] <= row["entered"] for row in moves)
    assert len(moves) == len({(row["employee_id"], row["change"]) for row in moves})


def test_a_member_is_in_one_team_at_a_time(world: World, feeds: Path) -> None:
    spells: dict[str, list[dict[str, str]]] = {}
    for row in rows(feeds / "team_members.csv"):
        spells.setdefault(row["employee_id"], []).append(row)
    assert len(spells) == len(world.staff.members)
    assert any(len(mine) == 2 for mine in spells.values())
    for mine in spells.values():
        assert all(not row["until"] or row["since"] < row["until"] for row in mine)
        assert [row["until"] for row in mine[:-1]] == [row["since"] for row in mine[1:]]


def times(table: pa.Table, name: str) -> list[int | None]:
    whole: list[int | None] = table[name].cast(pa.int64()).to_pylist()
    return whole


def login(world: World, text: str) -> int:
    return next(who for who, one in enumerate(world.staff.members) if text in (one.login, one.new_login))
