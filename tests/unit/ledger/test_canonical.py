from __future__ import annotations

import hashlib
import re
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.support.ledger import batch_of, event, events

from beholden.core.events import EVENTS
from beholden.ledger.accept import check_batch, number_events
from beholden.ledger.canonical import canonical_records, leaf_hashes

DOCUMENT = Path(__file__).parents[3] / "docs" / "reference" / "ledger-format.md"
EXAMPLE = {
    "seq": 7, "time": 1763815475138000, "ingested": 1763815480000000, "source": "crm-db1",
    "uid": bytes.fromhex("00010203040506070809"), "class_uid": 6005, "activity": "read",
    "actor": bytes.fromhex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"), "decision": "", "store": "crm",
    "dataset": "public.customer", "fields": ["email", "é"],
    "subjects": [bytes.fromhex("b0b1b2b3b4b5b6b7b8b9babbbcbdbebf")], "scope": "subjects", "rows": -1,
}  # fmt: skip


def numbered(batch: pa.RecordBatch, first_seq: int = 0) -> pa.RecordBatch:
    return number_events(check_batch(batch), first_seq, 1_763_800_000_000_000)


def encode_as_documented(row: dict[str, object]) -> bytes:
    """The document's rules, written once more and without any of the program's code."""

    def value(item: object) -> bytes:
        if isinstance(item, datetime):
            item = (item - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        if isinstance(item, int):
            return struct.pack(">q", item)
        if isinstance(item, str):
            return item.encode()
        if isinstance(item, list):
            return struct.pack(">I", len(item)) + b"".join(prefixed(element) for element in item)
        assert isinstance(item, bytes)
        return item

    def prefixed(item: object) -> bytes:
        return b"\xff\xff\xff\xff" if item is None else struct.pack(">I", len(value(item))) + value(item)

    return b"\x02" + b"".join(prefixed(row[name]) for name in EVENTS.names)


def test_the_documents_example_is_what_the_program_computes():
    record, leaf = re.findall(r"^((?:[0-9a-f]{2})+)$", DOCUMENT.read_text(), re.MULTILINE)[:2]
    batch = pa.RecordBatch.from_pylist([EXAMPLE], schema=EVENTS)
    assert canonical_records(batch)[0].hex() == record
    assert leaf_hashes(batch).hex() == leaf
    assert encode_as_documented(batch.to_pylist()[0]).hex() == record


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (0, 300), (17, 290)])
def test_records_are_encoded_as_documented(start, stop):
    batch = numbered(events(0, 300)).slice(start, stop - start)
    expected = [encode_as_documented(row) for row in batch.to_pylist()]
    assert canonical_records(batch) == expected
    assert leaf_hashes(batch) == b"".join(hashlib.sha256(b"\0" + record).digest() for record in expected)


def test_a_table_of_many_chunks_and_rows_gives_the_same_hashes_as_its_parts():
    parts = [numbered(events(i, i + 700), i) for i in range(0, 21000, 700)]
    assert leaf_hashes(pa.Table.from_batches(parts)) == b"".join(leaf_hashes(part) for part in parts)


def test_null_and_empty_differ():
    rows = [
        event(1, decision=decision, fields=fields, literals=literals)
        for decision, fields, literals in [
            (None, [], b""),
            ("", None, b""),
            ("", [], None),
            ("", [], b""),
            ("", [""], b""),
        ]
    ]
    batch = numbered(batch_of(rows))
    same = pa.RecordBatch.from_arrays([pa.array([0] * 5), *batch.columns[1:]], schema=EVENTS)
    assert len(set(canonical_records(same))) == 5


def test_what_lies_under_a_null_is_not_in_the_record():
    """Arrow allows bytes and elements under a null; two arrays that are equal must have one record."""
    plain = numbered(events(0, 3))
    rows = plain.to_pylist()
    mask = pa.array([False, True, False])
    names = [field.name for field in EVENTS if field.nullable]
    columns = []
    for field, array in zip(EVENTS, plain.columns, strict=True):
        values: Any = {"fields": ["x", "yy"], "subjects": [b"s" * 16] * 2}.get(field.name)
        if values is not None:
            data = pa.array(values * 3, field.type.value_type)
            array = pa.ListArray.from_arrays(pa.array([0, 2, 4, 6], pa.int32()), data, mask=mask)  # noqa: PLW2901 - the same column
        elif field.name == "detail":
            offsets = pa.py_buffer(b"".join(i.to_bytes(4, "little") for i in (0, 2, 5, 6)))
            valid = pa.py_buffer(b"\x05")
            array = pa.Array.from_buffers(pa.binary(), 3, [valid, offsets, pa.py_buffer(b"abcdef")])  # noqa: PLW2901 - the same column
        columns.append(array)
    assert {"fields", "subjects", "detail"} < set(names)
    batch = pa.RecordBatch.from_arrays(columns, schema=EVENTS)
    rows = batch.to_pylist()
    assert rows[1]["fields"] is rows[1]["subjects"] is rows[1]["detail"] is None
    assert canonical_records(batch) == [encode_as_documented(row) for row in rows]


def test_values_of_many_lengths_are_encoded_as_documented():
    lengths = [*range(40), *[5] * 40, 70_000, 0, 65_536]
    rows = [
        event(i, detail=bytes([i % 256]) * length, dataset="d" * (length % 300)) for i, length in enumerate(lengths)
    ]
    batch = numbered(batch_of(rows))
    assert canonical_records(batch) == [encode_as_documented(row) for row in batch.to_pylist()]


def test_columns_must_be_those_of_the_ledger():
    with pytest.raises(TypeError):
        leaf_hashes(events(0, 1))
