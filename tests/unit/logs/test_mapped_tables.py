"""Parquet and Arrow files give what the same rows give as JSON lines."""

from __future__ import annotations

import contextlib
import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beholden.core.errors import SourceError
from beholden.logs import LogBatch, LogContext, Mapping, open_reader
from beholden.logs._tables import DAMAGED
from beholden.logs.mapping import parse_mapping

PATHS = """
[event]
time = "$.at"
uid = "$.id"
actor = ["$.user.login", "$.user.number"]
activity = { path = "$.op", values = { view = "read", edit = "update" } }
dataset = "public.$.table"
subject = "customer:$.customer"
rows = "$.rows"
fields = "$.columns[*].name"
status = { path = "$.error", default = "failure", missing = "success" }
purpose = "$.why"
detail = "$.note"
class_uid = "$.class"
bytes = "$.size"
[skip]
"$.op" = ["ping"]
"$.quiet" = [true]
"""
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROW = {"at": "2026-11-22T12:00:00Z", "id": "e1", "user": {"login": "ann"}, "op": "view", "table": "t", "customer": 7}


def mapping(text: str = PATHS) -> Mapping:
    return parse_mapping(text, name="m")


def parquet(table: pa.Table, **how: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **how)
    return sink.getvalue()


def arrow(table: pa.Table, *, stream: bool = False) -> bytes:
    sink = io.BytesIO()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def read(raw: bytes, text: str = PATHS, zone: Any = None) -> list[LogBatch]:
    return list(open_reader("mapped", mapping=mapping(text)).read(io.BytesIO(raw), LogContext("desk", zone)))


def rows_of(batches: list[LogBatch]) -> list[dict[str, Any]]:
    for batch in batches:
        batch.events.validate(full=True)
        assert batch.records == batch.parsed + sum(batch.noise.values()) + len(batch.problems)
    return [row for batch in batches for row in batch.events.to_pylist()]


def outcome(batches: list[LogBatch]) -> Any:
    return (
        rows_of(batches),
        sum(batch.records for batch in batches),
        [problem for batch in batches for problem in batch.problems],
        [batch.noise for batch in batches],
    )


TEXT = st.sampled_from(["a", "", "view", "edit", "ping", "\N{SNOWMAN}", None])
NUMBER = st.sampled_from([0, 1, 6005, 17, -1, 2**40, None])
TIMES = st.sampled_from(
    ["2026-11-22T12:00:00Z", "2026-11-22T13:00:00+01:00", "2026-11-22", "", "x", "0001-01-01T00:00:00Z", None]
)
ROWS = st.fixed_dictionaries(
    {
        "at": TIMES,
        "id": TEXT,
        "user": st.one_of(st.none(), st.fixed_dictionaries({"login": TEXT, "number": NUMBER})),
        "op": st.sampled_from(["view", "edit", "ping", "odd", None]),
        "table": TEXT,
        "customer": NUMBER,
        "rows": NUMBER,
        "columns": st.one_of(st.none(), st.lists(st.fixed_dictionaries({"name": TEXT}), max_size=2)),
        "error": TEXT,
        "why": TEXT,
        "note": TEXT,
        "class": NUMBER,
        "size": st.sampled_from([1.0, 1.5, -2.0, None]),
        "quiet": st.sampled_from([True, False, None]),
    }
)  # fmt: skip
TYPES = pa.schema(
    {
        "at": pa.string(),
        "id": pa.string(),
        "user": pa.struct({"login": pa.string(), "number": pa.int64()}),
        "op": pa.string(),
        "table": pa.string(),
        "customer": pa.int64(),
        "rows": pa.int64(),
        "columns": pa.list_(pa.struct({"name": pa.string()})),
        "error": pa.string(),
        "why": pa.string(),
        "note": pa.string(),
        "class": pa.int64(),
        "size": pa.float64(),
        "quiet": pa.bool_(),
    }
)


@settings(max_examples=200, deadline=None)
@given(st.lists(ROWS, max_size=8), st.booleans(), st.booleans())
def test_a_table_is_read_as_its_rows_in_json(rows, as_parquet, with_uid):
    text = PATHS if with_uid else PATHS.replace('uid = "$.id"\n', "")
    table = pa.Table.from_pylist(rows, schema=TYPES)
    lines = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    assert outcome(read(parquet(table) if as_parquet else arrow(table), text)) == outcome(read(lines, text))


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array(["a"], pa.large_string()), "a"),
        (pa.array(["a"]).dictionary_encode(), "a"),
        (pa.array([b"a"], pa.binary()), "a"),
        (pa.array([b"\xff"], pa.binary()), None),
        (pa.array(["a"], pa.string_view()), "a"),
        (pa.array([7], pa.uint8()), "7"),
        (pa.array([2**64 - 1], pa.uint64()), str(2**64 - 1)),
        (pa.array([Decimal(17)], pa.decimal128(10, 0)), "17"),
        (pa.array([Decimal("17.50")], pa.decimal128(10, 2)), "17.50"),
        (pa.array([1.5], pa.float32()), "1.5"),
        (pa.array([date(2026, 11, 22)]), "2026-11-22"),
        (pa.array([AT], pa.timestamp("ns", "UTC")), "2026-11-22T12:00:00+00:00"),
        (pa.array([AT.replace(tzinfo=None)], pa.timestamp("s")), "2026-11-22T12:00:00"),
        (pa.array([timedelta(seconds=1)], pa.duration("s")), "1"),
        (pa.array([True]), "true"),
        (pa.nulls(1), None),
        (pa.array([["a"]]), None),
        (pa.array([{"a": 1}]), None),
    ],
)
@pytest.mark.parametrize("form", [parquet, arrow])
def test_every_type_is_text_or_refused(column, expected, form):
    if form is parquet and pa.types.is_duration(column.type):
        return  # Parquet has none
    table = pa.table({**{name: [value] for name, value in ROW.items()}, "why": column})
    batches = read(form(table))
    if expected is None and column.null_count == 0 and not pa.types.is_list(column.type):
        (problem,) = batches[0].problems
        assert problem.reason.startswith("purpose: ")
    else:
        (row,) = rows_of(batches)
        assert row["purpose"] == (expected or ("a" if pa.types.is_list(column.type) else None))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_are_moments(unit):
    def times(column: pa.Array, zone: Any = None) -> Any:
        table = pa.table({"at": column, "op": ["view"] * len(column)})
        (batch,) = read(parquet(table), '[event]\ntime = "$.at"\nactivity = "read"', zone)
        return [row["time"] for row in rows_of([batch])], [problem.reason for problem in batch.problems]

    berlin = ZoneInfo("Europe/Berlin")
    local = pa.array([datetime(2026, 11, 22, 13)], pa.timestamp(unit))  # noqa: DTZ001 - without a zone on purpose
    assert times(pa.array([AT], pa.timestamp(unit, "America/New_York"))) == ([AT], [])
    assert times(local, berlin) == ([AT], [])
    assert times(local, UTC) == ([AT + timedelta(hours=1)], [])
    assert times(local) == ([], ["time zone unknown: set time_zone"])
    if unit == "us":
        far = pa.array([2**62, -(2**62), 0, None]).cast(pa.timestamp("us", "UTC"))
        assert times(far) == ([], ["the year is out of range"] * 3 + ["time: missing"])


def test_numbers_are_moments_where_the_mapping_says_so():
    text = 'time_format = "epoch_ms"\n[event]\ntime = "$.at"\nactivity = "read"'
    table = pa.table({"at": pa.array([1_795_348_800_000, 17, None, 2**62], pa.uint64())})
    (batch,) = read(parquet(table), text)
    assert [row["time"] for row in rows_of([batch])] == [AT]
    assert [(p.record, p.reason) for p in batch.problems] == [
        (2, "the year is out of range"), (3, "time: missing"), (4, "the year is out of range"),
    ]  # fmt: skip


def many(count: int) -> pa.Table:
    return pa.Table.from_pylist([{**ROW, "id": f"e{i}"} for i in range(count)])


@pytest.mark.parametrize("form", [parquet, arrow, lambda table: arrow(table, stream=True)])
def test_batches_are_bounded_and_rows_numbered(form):
    batches = read(form(many(20_000)))
    assert max(batch.records for batch in batches) == 8192
    rows = rows_of(batches)
    assert [row["record"] for row in rows] == list(range(1, 20_001))
    assert len({row["identity"] for row in rows}) == 20_000


def test_without_an_identifier_the_whole_row_is_it():
    text = PATHS.replace('uid = "$.id"\n', "")
    table = many(50)
    first, again, stream = (
        rows_of(read(raw, text)) for raw in (parquet(table), parquet(table, row_group_size=7), arrow(table))
    )
    assert len({row["identity"] for row in first}) == 50
    assert first == again == stream


@pytest.mark.parametrize("raw", [parquet(many(100)), arrow(many(100))])
def test_a_file_that_is_cut_is_named(raw):
    with pytest.raises(SourceError, match="cut short or damaged"):
        read(raw[:-9])


def test_a_stream_that_is_cut_keeps_what_came_before():
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, many(1).schema) as writer:
        for _ in range(3):
            writer.write_table(many(10))
    batches = open_reader("mapped", mapping=mapping()).read(io.BytesIO(sink.getvalue()[:-300]), LogContext("desk"))
    assert [next(batches).parsed, next(batches).parsed] == [10, 10]
    with pytest.raises(SourceError, match="cut short or damaged"):
        next(batches)


def test_a_damaged_part_costs_itself_alone():
    raw = bytearray(parquet(many(300), row_group_size=100, compression="zstd", use_dictionary=False))
    meta = pq.ParquetFile(io.BytesIO(raw)).metadata
    at = meta.row_group(1).column(1).data_page_offset
    raw[at : at + 40] = bytes(40)
    batches = read(bytes(raw))
    assert sum(batch.parsed for batch in batches) == 200
    assert [(p.record, p.reason) for batch in batches for p in batch.problems] == [(101, DAMAGED)]
    assert {row["record"] for row in rows_of(batches)} == {*range(1, 101), *range(201, 301)}


def test_texts_that_are_not_utf8_are_mended():
    bad = pa.array([b"a\xffb", b"c", None]).view(pa.string())
    table = pa.table({"at": [ROW["at"]] * 3, "op": ["view"] * 3, "id": ["1", "2", "3"], "why": bad})
    (batch,) = read(arrow(table))
    assert [row["purpose"] for row in rows_of([batch])] == ["a\N{REPLACEMENT CHARACTER}b", "c", None]
    assert batch.mended == {"invalid UTF-8 replaced": 1}


def test_two_columns_of_one_name_and_records_are_refused():
    table = pa.Table.from_arrays([pa.array(["x"]), pa.array(["y"])], names=["at", "at"])
    with pytest.raises(SourceError, match="same name"):
        read(arrow(table))
    with pytest.raises(SourceError, match="one record a row"):
        read(parquet(many(1)), 'records = "$[*]"\n' + PATHS)


def test_a_file_of_which_nothing_is_understood_says_why():
    with pytest.raises(SourceError, match="time: missing"):
        read(parquet(pa.table({"when": ["x"] * 60})))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([parquet(many(30), row_group_size=10), arrow(many(30)), arrow(many(30), stream=True)]), st.data()
)
def test_any_damage_is_a_problem_or_an_error(raw, data):
    damaged = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(8, len(damaged)))
    with contextlib.suppress(SourceError):
        rows_of(read(bytes(damaged[: cut if data.draw(st.booleans()) else None])))
