from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beholden.core.config import FeedConfig
from beholden.core.errors import ConfigError, SourceError, UsageError
from beholden.feeds import INTERVALS, Feed, open_feed, subject_column

HEADER = "ticket,agent,customer,from,to\n"


def config(source: str, **other: Any) -> FeedConfig:
    columns = {"key": "ticket", "actor": "agent", "subject": "customer:customer", "opened": "from", "closed": "to"}
    return FeedConfig(name="tickets", source=source, kind="contact", **{**columns, **other})


def rows(feed: Feed) -> list[dict[str, Any]]:
    batches = list(feed.intervals())
    assert all(batch.schema == INTERVALS for batch in batches)
    return [row for batch in batches for row in batch.to_pylist()]


def csv_feed(tmp_path: Path, text: str, **other: Any) -> Feed:
    (tmp_path / "t.csv").write_text(HEADER + text, encoding="utf-8")
    return open_feed(config("t.csv", **other), root=tmp_path)


def test_a_csv_row_becomes_an_interval(tmp_path: Path) -> None:
    feed = csv_feed(tmp_path, "T1,a.b,17,2026-11-22T10:00:00Z,2026-11-22T11:05:00+01:00\n")
    assert feed.columns() == ("ticket", "agent", "customer", "from", "to")
    assert rows(feed) == [
        {
            "key": "T1",
            "actor": "a.b",
            "subject_kind": "customer",
            "subject": "17",
            "opened": datetime(2026, 11, 22, 10, tzinfo=UTC),
            "closed": datetime(2026, 11, 22, 10, 5, tzinfo=UTC),
        }
    ]
    assert (feed.rows, feed.problems, feed.assumed) == (1, {}, {})


def test_identifiers_keep_leading_zeros_and_lose_only_the_spaces_around_them(tmp_path: Path) -> None:
    feed = csv_feed(tmp_path, " T1 ,007,0017,2026-11-22T10:00:00Z,\n")
    assert [(r["key"], r["actor"], r["subject"], r["closed"]) for r in rows(feed)] == [("T1", "007", "0017", None)]


def test_what_cannot_be_understood_is_counted_by_reason_and_the_rest_kept(tmp_path: Path) -> None:
    good = "T1,a,17,2026-11-22T10:00:00Z,2026-11-22T10:05:00Z\n"
    bad = [
        "T2,a,17,,2026-11-22T10:05:00Z\n",
        "T3,a,17,yesterday,2026-11-22T10:05:00Z\n",
        "T4,a,17,2026-11-22T10:00:00Z,never\n",
        "T5,a,17,2026-11-22T10:00:00Z,2026-11-22T09:00:00Z\n",
        "T6,,,2026-11-22T10:00:00Z,\n",
        "T7,a,17,0026-11-22T10:00:00Z,\n",
        "T8,a,17\n",
    ]
    feed = csv_feed(tmp_path, good + "".join(bad))
    assert [r["key"] for r in rows(feed)] == ["T1"]
    assert feed.problems == {
        "there is no opening time": 1,
        "the opening time is not a time": 2,
        "the closing time is not a time": 1,
        "it closes before it opens": 1,
        "it names neither an actor nor a subject": 1,
        "the row has another number of columns than the header": 1,
    }
    assert feed.rows == 8
    assert "yesterday" not in repr(feed.problems)
    assert len(rows(feed)) == 1, "a second reading starts from the top"
    assert feed.problems.total() == 7


@pytest.mark.parametrize(
    ("opened", "closed", "assumed"),
    [
        ("2026-11-22 10:00:00", "2026-11-22 10:05", 2),
        ("2026-11-22", "", 1),
        ("2026-11-22T10:00:00", "2026-11-22T10:05:00Z", 1),
        ("2026-11-22T10:00:00Z", "", 0),
    ],
)
def test_a_time_without_a_zone_is_utc_and_that_is_said(tmp_path: Path, opened: str, closed: str, assumed: int) -> None:
    feed = csv_feed(tmp_path, f"T1,a,17,{opened},{closed}\n")
    (row,) = rows(feed)
    assert row["opened"].date() == date(2026, 11, 22)
    assert sum(feed.assumed.values()) == assumed


def test_zoned_unzoned_and_broken_times_may_stand_in_one_column(tmp_path: Path) -> None:
    feed = csv_feed(tmp_path, "1,a,1,2026-11-22T10:00:00Z,\n2,a,2,2026-11-22 10:00:00,\n3,a,3,x,\n")
    assert [r["opened"].hour for r in rows(feed)] == [10, 10]
    assert feed.assumed.total() == 1
    assert feed.problems == {"the opening time is not a time": 1}


def parquet_feed(tmp_path: Path, columns: dict[str, Any], **other: Any) -> Feed:
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    return open_feed(config("t.parquet", **other), root=tmp_path)


@pytest.mark.parametrize(
    ("kind", "assumed"),
    [
        (pa.timestamp("us", tz="UTC"), 0),
        (pa.timestamp("ns", tz="Europe/Berlin"), 0),
        (pa.timestamp("ms"), 2),
        (pa.date32(), 2),
    ],
)
def test_parquet_times_of_every_kind(tmp_path: Path, kind: pa.DataType, assumed: int) -> None:
    when = pa.array([datetime(2026, 11, 22, tzinfo=UTC), None], pa.timestamp("us", tz="UTC")).cast(kind)
    columns = {"ticket": [1, 2], "agent": ["a", "b"], "customer": [17.0, float("nan")], "from": when, "to": when}
    feed = parquet_feed(tmp_path, columns)
    assert [(r["key"], r["subject"], r["opened"]) for r in rows(feed)] == [
        ("1", "17", datetime(2026, 11, 22, tzinfo=UTC))
    ]
    assert sum(feed.assumed.values()) == assumed
    assert feed.problems == {"there is no opening time": 1}


def test_a_column_of_another_type_is_no_time(tmp_path: Path) -> None:
    columns = {"ticket": ["1"], "agent": ["a"], "customer": [1], "from": [1_763_000_000], "to": [None]}
    feed = parquet_feed(tmp_path, columns)
    assert rows(feed) == []
    assert feed.problems == {"the opening time is not a time": 1}


def test_columns_that_are_not_named_stay_empty(tmp_path: Path) -> None:
    feed = csv_feed(tmp_path, "T1,a,17,2026-11-22,\n", actor=None, subject=None, opened=None, closed=None)
    assert rows(feed) == [
        {"key": "T1", "actor": None, "subject_kind": None, "subject": None, "opened": None, "closed": None}
    ]
    feed = csv_feed(tmp_path, "T1,a,17,2026-11-22,\n", key=None, actor=None, subject=None, opened=None, closed=None)
    assert rows(feed) == []
    assert len(feed.columns()) == 5


def test_json_lines_with_garbage_between_them(tmp_path: Path) -> None:
    lines = [
        '{"ticket": 1, "agent": "a", "customer": 17, "from": "2026-11-22T10:00:00Z", "to": null}',
        "",
        "not json",
        "[1]",
        '{"ticket": "2", "agent": "b", "customer": 18.0, "from": "2026-11-22T10:00:00Z"}',
        '{"ticket": 3, "agent": {"id": 1}, "customer": [1], "from": "2026-11-22T10:00:00Z", "to": true}',
    ]
    (tmp_path / "t.jsonl").write_text("\n".join(lines), encoding="utf-8")
    feed = open_feed(config("t.jsonl"), root=tmp_path)
    assert [(r["key"], r["actor"], r["subject"]) for r in rows(feed)] == [("1", "a", "17"), ("2", "b", "18")]
    assert feed.problems == {"the line is not a JSON object": 2, "the closing time is not a time": 1}
    assert feed.rows == 5


def test_many_rows_come_in_bounded_batches(tmp_path: Path) -> None:
    text = "".join(f"T{i},a,{i},2026-11-22T10:00:00Z,\n" for i in range(20_000))
    batches = list(csv_feed(tmp_path, text).intervals())
    assert max(map(len, batches)) <= 8192
    assert sum(map(len, batches)) == 20_000


@pytest.mark.parametrize("source", ["crm/public.tickets", "tickets.xlsx", "tickets"])
def test_other_sources_are_refused(tmp_path: Path, source: str) -> None:
    with pytest.raises(UsageError, match=r"feed tickets: source .*expected a \.parquet, \.csv or \.jsonl file"):
        open_feed(config(source), root=tmp_path)


def test_a_missing_file_names_the_feed(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"feed tickets: no file none\.csv"):
        open_feed(config("none.csv"), root=tmp_path)
    (tmp_path / "dir.csv").mkdir()
    with pytest.raises(SourceError, match=r"feed tickets: dir\.csv (cannot be read|is)"):
        open_feed(config("dir.csv"), root=tmp_path)


def test_a_missing_column_names_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="feed tickets: column 'agent_id' is not there; expected one of: ticket, ag"):
        csv_feed(tmp_path, "", actor="agent_id")
    (tmp_path / "t.csv").write_text("ticket,agent,agent,customer,from,to\n", encoding="utf-8")
    with pytest.raises(SourceError, match="column 'agent' appears twice"):
        open_feed(config("t.csv"), root=tmp_path)


@pytest.mark.parametrize("subject", ["customer", "customer:", ":customer", "Customer:customer"])
def test_a_subject_without_its_kind_is_refused(tmp_path: Path, subject: str) -> None:
    with pytest.raises(ConfigError, match=r"feed tickets: subject: is not of the form kind:column"):
        csv_feed(tmp_path, "", subject=subject)


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe secret@example.com"])
def test_a_file_that_is_not_what_its_name_says(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"t.{suffix}"
    path.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        list(open_feed(config(path.name), root=tmp_path).intervals())
    assert caught.value.line().startswith("feed tickets: ")
    assert "secret" not in caught.value.line()


def test_a_parquet_file_damaged_in_the_middle_is_one_clear_line(tmp_path: Path) -> None:
    when = pa.array([datetime(2026, 11, 22, tzinfo=UTC)] * 1000, pa.timestamp("us", tz="UTC"))
    columns = {"ticket": list(range(1000)), "agent": ["a"] * 1000, "customer": [1] * 1000, "from": when, "to": when}
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table(columns), path, compression="zstd")
    content = bytearray(path.read_bytes())
    content[4:2000] = bytes(1996)
    path.write_bytes(content)
    feed = open_feed(config("t.parquet"), root=tmp_path)
    with pytest.raises(SourceError, match="feed tickets: its file cannot be read as parquet"):
        list(feed.intervals())


def test_the_first_row_of_a_file_without_a_header_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("T1,Anna Quist,anna@example.com,2026-11-22\n", encoding="utf-8")
    with pytest.raises(SourceError, match="a first row of column names") as caught:
        open_feed(config("t.csv"), root=tmp_path)
    assert "Anna" not in caught.value.line()


def test_the_kind_of_person_is_known_before_anything_is_read(tmp_path: Path) -> None:
    assert csv_feed(tmp_path, "").subject_kind == "customer"
    assert csv_feed(tmp_path, "", subject=None).subject_kind is None
    assert subject_column(config("t.csv")) == ("customer", "customer")
    with pytest.raises(ConfigError, match="kind:column"):
        subject_column(config("t.csv", subject="customer"))
