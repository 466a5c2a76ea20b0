from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.estate import Rooms, rooms_in

from beholden.core.config_file import parse_config
from beholden.core.times import Window, format_time, parse_time
from beholden.core.unknown import Unknown
from beholden.ledger.gaps import gaps
from beholden.state.ingests import Account, finish_ingest, start_ingest

HOUR = 3_600_000_000
DAY = 24 * HOUR
START = parse_time("2026-11-02T00:00:00Z")  # a Monday
BUSY = 6

CONFIG = """
[[store]]
name = "crm"
url = "sqlite:///crm.db"
[[store]]
name = "shop"
url = "sqlite:///shop.db"
[[log]]
name = "crm-audit"
format = "pgaudit-csv"
store = "crm"
path = "a.csv"
[[log]]
name = "console"
format = "ocsf"
path = "b.jsonl"
"""


@pytest.fixture
def rooms(tmp_path):
    with rooms_in(tmp_path) as made:
        yield made


def ask(rooms: Rooms, *, start=None, end=None, stores=("crm",), now=START + 10 * DAY, config=CONFIG) -> list[Unknown]:
    return gaps(
        rooms.state,
        parse_config(config, Path()),
        rooms.ledger.tables(),
        window=Window(start, end),
        stores=stores,
        now=now,
    )


def work(days: range, hours: range = range(8, 18), **values) -> Iterator[dict[str, Any]]:
    """Events of busy hours."""
    for day in days:
        for hour in hours:
            for number in range(BUSY):
                time = START + day * DAY + hour * HOUR + number * 60_000_000
                yield {"time": time, "dataset": "customer", **values}


def of(found: list[Unknown], kind: str) -> list[tuple[str, str | None]]:
    return [(gap.reason, gap.since) for gap in found if gap.kind == kind]


def read_log(
    rooms: Rooms, *, log="crm-audit", source="crm", finished=True, file="a.csv", now=START, settles=(), **counts
) -> int:
    reading = start_ingest(rooms.state, log=log, source=source, file=file, format_="pgaudit-csv", now=now)
    if finished:
        finish_ingest(rooms.state, reading, Account(**counts), now=now, settles=settles)
    return reading


# Time before, after, and without events


def test_time_before_the_first_and_after_the_last_event(rooms: Rooms):
    rooms.keep(*work(range(1, 3)))
    first, last = START + DAY + 8 * HOUR, START + 2 * DAY + 17 * HOUR + (BUSY - 1) * 60_000_000
    before = ("nothing is recorded before the first event", format_time(first))
    after = ("nothing is recorded after the last event", format_time(last))
    both = (f"nothing is recorded before {format_time(first)}, nor after the last event", format_time(last))
    assert of(ask(rooms), "window") == [both]
    assert of(ask(rooms, start=first, end=last), "window") == []
    assert of(ask(rooms, start=first - 1, end=last), "window") == [before]
    assert of(ask(rooms, end=last), "window") == [before]
    assert of(ask(rooms, start=first), "window") == [after]
    assert of(ask(rooms, start=first, end=last + DAY), "window") == [after]
    assert of(ask(rooms, start=last + HOUR, end=last + 2 * HOUR), "window") == [after]
    assert of(ask(rooms, start=first, end=START + 90 * DAY, now=last), "window") == []  # not yet
    assert of(ask(rooms, start=first, end=START + 90 * DAY, now=last + 5), "window") == [after]
    assert of(ask(rooms, start=first - DAY, end=first - HOUR), "window") == [before]


def test_hours_after_the_last_event_are_not_quiet_but_unknown(rooms: Rooms):
    """Who asks about a day of which only the morning was read is told, however long ago it was."""
    rooms.keep(*work(range(5)), *work(range(5, 6), range(8, 12)))
    last = START + 5 * DAY + 11 * HOUR + (BUSY - 1) * 60_000_000
    asked = ask(rooms, start=START + 5 * DAY + 9 * HOUR, end=START + 5 * DAY + 18 * HOUR, now=START + 99 * DAY)
    assert of(asked, "window") == [("nothing is recorded after the last event", format_time(last))]


def test_hours_that_usually_have_events(rooms: Rooms):
    rooms.keep(*work(range(3)), *work(range(3, 4), range(8, 12)), *work(range(4, 5), range(10, 18)), *work(range(5, 7)))
    (gap,) = of(ask(rooms), "gap")
    assert gap == ("no event for 8 hours that usually have some", format_time(START + 3 * DAY + 12 * HOUR))


def test_nights_and_short_breaks_are_no_gap(rooms: Rooms):
    rooms.keep(*work(range(5)), *work(range(5, 6), range(8, 11)), *work(range(5, 6), range(13, 18)))
    assert of(ask(rooms), "gap") == []


def test_an_outage_of_days_is_one_gap(rooms: Rooms):
    rooms.keep(*work(range(4)), *work(range(7, 9)))
    (gap,) = of(ask(rooms), "gap")
    assert gap == ("no event for 30 hours that usually have some", format_time(START + 3 * DAY + 18 * HOUR))


def test_silence_is_not_told_from_two_days(rooms: Rooms):
    rooms.keep(*work(range(1)), *work(range(2, 3), range(8, 9)))
    assert of(ask(rooms), "gap") == []


def test_a_gap_counts_as_far_as_it_lies_in_the_window(rooms: Rooms):
    rooms.keep(*work(range(4)), *work(range(7, 9)))
    inside = ask(rooms, start=START + 4 * DAY, end=START + 5 * DAY)
    assert of(inside, "gap") == [("no event for 10 hours that usually have some", format_time(START + 4 * DAY))]
    assert of(ask(rooms, end=START + 4 * DAY), "gap") == []
    assert of(ask(rooms, start=START + 8 * DAY), "gap") == []
    assert of(ask(rooms, start=START + 4 * DAY + 15 * HOUR, end=START + 4 * DAY + 17 * HOUR), "gap") == []


def test_a_gap_of_an_hour_is_seen_in_a_window_that_begins_between_hours(rooms: Rooms):
    rooms.keep(*work(range(4)), *work(range(5, 7)))
    (gap,) = of(ask(rooms, start=START + 4 * DAY + 9 * HOUR + 1), "gap")
    assert gap == ("no event for 9 hours that usually have some", format_time(START + 4 * DAY + 9 * HOUR))


# Clocks that are wrong


def test_an_event_from_the_future_hides_nothing(rooms: Rooms):
    rooms.keep(*work(range(4)), *work(range(7, 9)), {"dataset": "customer", "time": "2150-01-01T00:00:00Z"})
    found = ask(rooms, now=START + 12 * DAY)
    assert [(gap.kind, gap.count) for gap in found if gap.kind == "clock"] == [("clock", 1)]
    assert len(of(found, "gap")) == 1
    (window,) = of(found, "window")
    assert window[0].endswith("nor after the last event")
    assert window[1] == format_time(START + 8 * DAY + 17 * HOUR + (BUSY - 1) * 60_000_000)


def test_clocks_that_differ_by_minutes_are_no_matter(rooms: Rooms):
    rooms.keep({"dataset": "customer", "time": START + 40 * 60_000_000})
    assert of(ask(rooms, now=START), "clock") == []


def test_a_record_that_lies_wholly_in_the_future(rooms: Rooms):
    rooms.keep(*({"dataset": "customer", "time": START + 20 * DAY + i * DAY} for i in range(9)))
    found = ask(rooms, now=START)
    assert [gap.count for gap in found if gap.kind == "clock"] == [9]
    assert of(found, "gap") == []


def test_an_event_from_long_ago_is_one_gap_and_quickly_said(rooms: Rooms):
    rooms.keep({"dataset": "customer", "time": "1971-01-01T00:00:00Z"}, *work(range(7)))
    found = ask(rooms)
    assert len(of(found, "gap")) == 1


def test_very_many_gaps_are_listed_up_to_a_limit(rooms: Rooms, monkeypatch):
    monkeypatch.setattr("beholden.ledger.gaps._GAPS_MAX", 2)
    rooms.keep(*work(range(5)), *(event for day in range(5, 9) for event in work(range(day, day + 1), range(8, 13))))
    rooms.keep(*work(range(9, 12), range(8, 18)))
    found = [gap for gap in ask(rooms, now=START + 12 * DAY) if gap.kind == "gap"]
    assert [gap.count for gap in found] == [None, None, 2]


def test_the_answer_does_not_depend_on_the_machines_time_zone(rooms: Rooms):
    rooms.keep(*work(range(4)), *work(range(6, 9)))
    rooms.ledger.seal()
    asked = "import sys; from tests.unit.ledger.test_gaps import say; say(sys.argv[1])"
    root = Path(__file__).parents[3]
    said = {
        subprocess.run(
            [sys.executable, "-c", asked, str(rooms.directory)],
            env=os.environ | {"TZ": zone, "PYTHONPATH": str(root)},
            capture_output=True, text=True, check=True, timeout=60,
        ).stdout
        for zone in ("UTC", "Asia/Kolkata", "America/St_Johns")
    }  # fmt: skip
    assert len(said) == 1
    assert "no event for 20 hours" in said.pop()


def say(directory: str) -> None:
    with rooms_in(Path(directory)) as rooms:
        for gap in ask(rooms):
            print(gap.line())  # noqa: T201 - what the test compares


# What was never read


def test_a_store_without_a_record(rooms: Rooms):
    rooms.keep({"dataset": "customer", "store": "crm"})
    reason = "no access to this store is on record: no log of it was read"
    found = ask(rooms, stores=("crm", "shop"))
    assert [gap.object for gap in found if gap.reason == reason] == ["shop"]
    assert [gap.object for gap in ask(rooms, stores=None) if gap.reason == reason] == ["shop"]
    assert reason not in {gap.reason for gap in ask(rooms)}


def test_a_log_that_was_read_and_tells_of_nothing(rooms: Rooms):
    read_log(rooms, records=3)
    (gap,) = [gap for gap in ask(rooms) if gap.object == "crm"]
    assert gap.reason == "no access to this store is on record: its log was read and tells of none"


def test_declared_logs_that_were_never_read(rooms: Rooms):
    read_log(rooms)
    never = [gap.object for gap in ask(rooms) if gap.reason == "declared but never read"]
    assert never == ["console"]  # it may speak of any store
    assert [gap.object for gap in ask(rooms, stores=("shop",)) if gap.reason == "declared but never read"] == never


def test_several_sources_of_one_store_are_told_apart(rooms: Rooms):
    rooms.keep(*work(range(2)), *work(range(2, 9), source="console"))
    found = [gap for gap in ask(rooms, now=START + 9 * DAY) if gap.kind == "window"]

    def end(days: int) -> int:
        return START + days * DAY + 17 * HOUR + (BUSY - 1) * 60_000_000

    assert [(gap.object, gap.since) for gap in found] == [
        ("console (crm)", format_time(end(8))),
        ("crm", format_time(end(1))),
    ]


def test_a_source_of_another_store_is_not_mentioned(rooms: Rooms):
    rooms.keep({"dataset": "a", "store": "crm"}, {"dataset": "b", "store": "shop", "source": "shop"})
    assert {gap.object for gap in ask(rooms) if gap.kind == "window"} == {"crm"}


def test_asked_about_everything_a_source_without_a_store_counts(rooms: Rooms):
    rooms.keep({"store": None, "dataset": None, "activity": "login", "scope": "none", "source": "sso"})
    assert "sso" in {gap.object for gap in ask(rooms, stores=None) if gap.kind == "window"}
    assert "sso" not in {gap.object for gap in ask(rooms) if gap.kind == "window"}


# What readings lack


def test_records_not_understood_and_put_right_are_counted(rooms: Rooms):
    read_log(rooms, not_understood={"truncated record": 2}, mended={"invalid UTF-8 replaced": 3})
    found = [gap for gap in ask(rooms) if gap.kind == "records"]
    assert [(gap.object, gap.reason, gap.count) for gap in found] == [
        ("crm-audit", "truncated record", 2),
        ("crm-audit", "kept, with a part that was put right: invalid UTF-8 replaced", 3),
    ]
    assert [gap for gap in ask(rooms, stores=("shop",)) if gap.kind == "records"] == []


def test_what_a_reading_left_counts_until_another_one_settles_it(rooms: Rooms):
    first = read_log(rooms, not_understood={"truncated record": 2})
    second = read_log(rooms, finished=False, now=START + 5)
    read_log(rooms, file="other.csv", not_understood={"not JSON": 1, "truncated record": 1})
    stopped = "a reading of it was stopped before the end"

    def left() -> list[tuple[str, int | None, str | None]]:
        return [
            (gap.reason, gap.count, gap.since) for gap in ask(rooms) if gap.kind == "records" or gap.reason == stopped
        ]

    everything = [(stopped, None, format_time(START + 5)), ("truncated record", 3, None), ("not JSON", 1, None)]
    assert left() == everything
    read_log(rooms)  # the same path says nothing of what lay there before
    assert left() == everything
    read_log(rooms, settles=[first, second])
    assert left() == [("not JSON", 1, None), ("truncated record", 1, None)]


def test_a_log_that_could_not_be_read_is_not_said_to_tell_of_nothing(rooms: Rooms):
    read_log(rooms, records=1, not_understood={"reading stopped: cannot be read (Permission denied)": 1})
    (gap,) = [gap for gap in ask(rooms) if gap.object == "crm"]
    assert gap.reason == "no access to this store is on record: no log of it was read"


def test_readings_of_other_sources_count_when_everything_is_asked_about(rooms: Rooms):
    read_log(rooms, log="sso", source="sso", not_understood={"not JSON": 1})
    assert [gap.object for gap in ask(rooms, stores=None) if gap.kind == "records"] == ["sso"]
    assert [gap for gap in ask(rooms) if gap.kind == "records"] == []
