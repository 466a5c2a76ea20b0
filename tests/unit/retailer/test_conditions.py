"""Look-alikes that come upon any event: each label holds where what it says is so, and nowhere else."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from beholden.core.times import parse_time
from beholden.retailer.chance import SECOND_US
from beholden.retailer.conditions import CONDITIONS, clock_ahead_us, first_of, texts_of
from beholden.retailer.day import write_day_of
from beholden.retailer.output import CHANGES
from beholden.retailer.parameters import Parameters, checked_parameters
from beholden.retailer.world import World

END = parse_time("2026-11-22T00:00:00Z")


def parameters(days: int = 28, **changes: Any) -> Parameters:
    given = checked_parameters(preset="retailer", scale=0.003, seed=4, days=days, end=END)
    return replace(given, **changes)


def day_of(world: World, day: int, directory: Path) -> list[dict[str, Any]]:
    for name in ("logs", "truth/events", CHANGES):
        (directory / name).mkdir(parents=True)
    write_day_of(world, [], day, directory)
    rows = [row for path in sorted(directory.glob("truth/events/*.parquet")) for row in pq.read_table(path).to_pylist()]
    return [{**row, "also": (row["also"] or "").split()} for row in rows]


@pytest.fixture(scope="module")
def world() -> World:
    return World(parameters(lost_lines=0.01, clocks_off=0.5, renamed=2.0))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("meridian")


@pytest.fixture(scope="module")
def rows(world: World, directory: Path) -> list[dict[str, Any]]:
    return day_of(world, world.calendar.window[-1], directory)


def test_events_with_two_lines_with_none_and_with_late_ones_say_so(rows: list[dict[str, Any]]) -> None:
    lines = Counter((row["log"], row["uid"]) for row in rows if row["file"] is not None)
    late = {(row["log"], row["uid"]) for row in rows if row["file"] is not None and "-late" in row["file"]}
    assert set(lines.values()) == {1, 2}
    assert late
    for row in rows:
        event = row["log"], row["uid"]
        assert ("benign:duplicate_event" in row["also"]) == (lines[event] == 2)
        assert ("benign:late_event" in row["also"]) == (event in late)
        assert ("benign:missing_event" in row["also"]) == (row["file"] is None) == (event not in lines)


def test_the_most_telling_is_the_label_of_what_would_be_ordinary(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if row["label"] in CONDITIONS:
            assert row["label"] == row["also"][0]
        assert row["label"] != "ordinary" or not row["also"]
    assert {row["label"] for row in rows if row["also"]} - set(CONDITIONS)


def test_a_clock_that_is_off_moves_all_lines_of_its_log(
    world: World, directory: Path, rows: list[dict[str, Any]]
) -> None:
    day = world.calendar.window[-1]
    moved: set[int] = set()
    for file in {row["file"] for row in rows if row["log"] == "gateway" and row["file"]}:
        mine = [row for row in rows if row["file"] == file]
        host = file.split("-")[1]
        ahead = clock_ahead_us(world.parameters, "gateway", host, day)
        lines = (directory / "logs" / file).read_text().splitlines()
        for row in mine:
            said = json.loads(lines[row["record"] - 1])["t"] * 1000
            assert said - ahead == row["time"].timestamp() * 1_000_000
            assert ("benign:clock_skew" in row["also"]) == (ahead != 0)
        moved.add(ahead)
    assert moved
    assert all(abs(ahead) >= SECOND_US for ahead in moved if ahead)


def test_clocks_are_off_as_often_and_as_far_as_the_parameters_say() -> None:
    given = parameters()
    ahead = np.array(
        [clock_ahead_us(given, "console", str(host), 7 * week) for week in range(80) for host in range(50)]
    )
    off = ahead[ahead != 0] / SECOND_US
    assert abs(len(off) / len(ahead) - given.clocks_off) < 4 * (given.clocks_off / len(ahead)) ** 0.5
    assert abs(np.median(np.abs(off)) - given.clocks_off_median_s) < 3
    assert np.abs(off).min() >= 1
    assert np.abs(off).max() <= given.clocks_off_most_s
    assert abs((off > 0).mean() - 0.5) < 0.1
    assert not any(clock_ahead_us(given, "sso", "", 7 * week) for week in range(200))  # others keep its time


def test_a_clock_stays_as_far_off_for_a_week_and_is_then_set() -> None:
    given = parameters(clocks_off=1.0)
    weeks = [{clock_ahead_us(given, "console", "", 7 * week + day) for day in range(7)} for week in range(2900, 2906)]
    assert all(len(week) == 1 for week in weeks)
    assert len(set.union(*weeks)) == 6


def test_who_has_another_log_in_than_before_is_labelled_from_that_day(world: World, rows: list[dict[str, Any]]) -> None:
    day = world.calendar.window[-1]
    renamed = [one for one in world.staff.members if one.renamed is not None and one.is_employed(day)]
    assert renamed
    assert any("benign:renamed_user" in row["also"] for row in rows)
    assert not any("benign:renamed_user" in row["also"] for row in rows if row["log"] == "gateway")


def test_the_days_of_a_promotion_are_labelled_and_no_others(world: World, tmp_path: Path) -> None:
    first = world.calendar.promotions[0]
    for day, expected in ((first - 1, False), (first, True), (first + 2, True), (first + 3, False)):
        rows = day_of(world, day, tmp_path / str(day))
        assert {"benign:promotion_load" in row["also"] for row in rows} == {expected}


def test_addresses_with_many_behind_them_are_labelled(directory: Path, rows: list[dict[str, Any]]) -> None:
    by_file: dict[str, list[str]] = {}
    checked = 0
    for row in rows:
        if row["log"] != "accounts" or row["file"] is None:
            continue
        lines = by_file.setdefault(row["file"], (directory / "logs" / row["file"]).read_text().splitlines())
        address = [int(part) for part in json.loads(lines[row["record"] - 1])["ip"].split(".")]
        shared = address[:2] == [100, 64] and address[2] < 8
        assert ("benign:shared_address" in row["also"]) == shared
        checked += shared
    assert checked


def test_a_statement_never_stands_before_its_session_by_the_same_clock(tmp_path: Path) -> None:
    world = World(parameters(days=3, clocks_off=1.0))
    day_of(world, world.calendar.window[1], tmp_path)
    seen = 0
    for line in next(tmp_path.glob("logs/crm-postgresql-*.csv")).read_text().splitlines():
        parts = line.split(",")
        if len(parts) > 9 and parts[5].count(".") == 1 and parts[0].startswith("20"):
            begun = int(parts[5].split(".")[0], 16)
            assert parse_time(parts[0].replace(" UTC", "Z").replace(" ", "T")) >= begun * SECOND_US
            seen += 1
    assert seen
    assert clock_ahead_us(world.parameters, "crm", "", world.calendar.window[1]) != 0


def test_what_holds_is_told_in_a_fixed_order() -> None:
    bits = np.array([0, 1, 2, 0b1000_0010], dtype=np.uint8)
    assert texts_of(bits).to_pylist() == [None, CONDITIONS[0], CONDITIONS[1], f"{CONDITIONS[1]} {CONDITIONS[7]}"]
    assert first_of(bits).tolist() == [-1, 0, 1, 1]
