"""Segments say what they were given, and each column lies there in about the smaller of its two forms."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support.ledger import NOW, event

from beholden.core.errors import IntegrityError
from beholden.core.events import EVENTS
from beholden.ledger import segments
from beholden.ledger.files import Disk
from beholden.ledger.format import TILE_WIDTH, Layout
from beholden.ledger.segments import iterate_segment, read_tail, write_segment

ROWS = 70_000
ONE = {"seq": 0, "ingested": NOW} | event(1)


def tokens(values, width=16):
    """A value for each number; nothing about it is smaller than its bytes."""
    distinct, codes = np.unique(values, return_inverse=True)
    data = np.random.default_rng(9).bytes(len(distinct) * width)
    pool = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(distinct), [None, pa.py_buffer(data)])
    return pool.take(pa.array(codes))


def shapes():
    """How the values of a column may repeat."""
    chance = np.random.default_rng(3)
    return {
        "unique": np.arange(ROWS),
        "few": chance.integers(0, 50, ROWS),
        "some": chance.integers(0, ROWS // 20, ROWS),
        "many": chance.integers(0, ROWS // 2, ROWS),
        "near": np.arange(ROWS) // 8 * 8 + chance.integers(0, 3, ROWS),
    }


@pytest.fixture(scope="module")
def events():
    one = pa.Table.from_pylist([ONE], schema=EVENTS)
    table = pa.Table.from_arrays(
        [column.combine_chunks().take(pa.array([0] * ROWS)) for column in one.columns], schema=EVENTS
    )
    columns = dict(zip(EVENTS.names, table.columns, strict=True))
    made = {name: tokens(values) for name, values in shapes().items()}
    columns |= {"seq": pa.array(np.arange(ROWS)), "uid": tokens(np.arange(ROWS), 10)}
    columns |= {"actor": made["few"], "device": made["some"], "app": made["many"], "assignment": made["near"]}
    columns["credential"] = made["unique"]
    columns["subjects"] = pa.ListArray.from_arrays(pa.array(np.arange(ROWS + 1), pa.int32()), made["unique"])
    return pa.Table.from_arrays([columns[name] for name in EVENTS.names], schema=EVENTS)


@pytest.fixture
def layout(tmp_path):
    found = Layout(tmp_path)
    found.segments.mkdir()
    return found


def test_a_segment_reads_back_whole_and_by_its_tail(events, layout):
    segment = write_segment(Disk(), layout, events, NOW)
    path = layout.segments / segment.file
    assert pa.Table.from_batches(iterate_segment(path, segment.file)).equals(events)
    for rows in (1, 200, TILE_WIDTH, TILE_WIDTH + 1):
        assert read_tail(path, segment.file, rows).equals(events.slice(ROWS - rows))
    metadata = pq.ParquetFile(path).metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [ROWS - TILE_WIDTH, TILE_WIDTH]


@pytest.mark.parametrize("name", ["actor", "device", "app", "assignment", "credential", "subjects", "uid", "status"])
def test_a_column_takes_about_the_least_of_its_forms(events, name):
    field = EVENTS.field(name)
    alone = events.select([name])
    forms = {
        wanted: segments._written_bytes(alone, [segments._leaf(field)] if wanted else []) for wanted in (True, False)
    }
    assert forms[segments._wants_dictionary(events, field)] < 1.1 * min(forms.values())


def test_no_values_and_empty_lists_need_no_dictionary(events):
    field = EVENTS.field("subjects")
    empty = pa.array([[]] * 9, field.type)
    for column in (pa.nulls(9, field.type), empty):
        table = events.slice(0, 9).set_column(EVENTS.get_field_index("subjects"), field, column)
        assert segments._wants_dictionary(table, field) in {True, False}


def test_a_file_that_reads_back_differently_is_not_sealed(events, layout, monkeypatch):
    other = events.slice(0, 8).set_column(0, EVENTS.field("seq"), pa.array(np.arange(1, 9)))
    monkeypatch.setattr(segments, "_write_columns", lambda target, *_: pq.write_table(other, target))
    with pytest.raises(IntegrityError, match="what was written reads back differently"):
        write_segment(Disk(), layout, events.slice(0, 8), NOW)
    assert not list(layout.segments.glob("*.parquet"))
