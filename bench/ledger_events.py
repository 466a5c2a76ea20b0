"""Events for the ledger's benches: made up from a seed, or the reference generator's from its Parquet files."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from beholden.core.limits import BATCH_ROWS
from beholden.ledger import INPUT_EVENTS

__all__ = ["busy_events", "reference_events"]

_TOKENS = {"actor": 300, "app": 3, "statement": 200}
_TEXTS = {
    "source": ("crm-1", "crm-2", "warehouse"),
    "activity": ("read", "read", "read", "read", "update", "export"),
    "actor_kind": ("staff", "service"),
    "ip": tuple(bytes((10, 0, i // 250, i % 250)) for i in range(900)),
    "store": ("crm", "warehouse"),
    "dataset": tuple(f"public.table_{i}" for i in range(40)),
    "scope": ("subjects", "predicate", "table"),
    "status": ("success",) * 20 + ("failure",),
}


def reference_events(files: str, count: int) -> list[pa.RecordBatch]:
    """The first ``count`` events of the reference generator, as batches of `INPUT_EVENTS`.

    ``files`` are its Parquet files, a path with or without ``*``.
    """
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    query = Path(__file__).with_name("ledger_reference.sql").read_text("utf-8")
    table = connection.sql(query, params={"files": files, "events": count}).to_arrow_table()
    columns = [table[field.name].combine_chunks().cast(field.type) for field in INPUT_EVENTS]
    return _batches(pa.RecordBatch.from_arrays(columns, schema=INPUT_EVENTS))


def busy_events(count: int) -> list[pa.RecordBatch]:
    """Events of a busy company: 40 tables, 300 actors, 50,000 customers, one event in five with encrypted parts."""
    chance = np.random.default_rng(1)

    def tokens(number: int) -> pa.Array:
        return pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(16), number, [None, pa.py_buffer(chance.bytes(number * 16))]
        )

    def hashes(column: str, number: int) -> pa.Array:
        type_ = INPUT_EVENTS.field(column).type
        data = pa.py_buffer(chance.bytes(number * type_.byte_width))
        return pa.FixedSizeBinaryArray.from_buffers(type_, number, [None, data])

    def picked(values: pa.Array, number: int = count) -> pa.Array:
        return values.take(pa.array(chance.integers(0, len(values), number)))

    def sometimes(length: int) -> pa.Array:
        return pa.array([chance.bytes(length) if share < 0.2 else None for share in chance.random(count)], pa.binary())

    columns: dict[str, pa.Array] = {field.name: pa.nulls(count, field.type) for field in INPUT_EVENTS}
    columns |= {name: picked(pa.array(values)) for name, values in _TEXTS.items()}
    columns |= {name: picked(tokens(number)) for name, number in _TOKENS.items()}
    edges = np.concatenate(([0], np.cumsum(chance.integers(0, 2, count)))).astype(np.int32)
    columns["subjects"] = pa.ListArray.from_arrays(pa.array(edges), picked(tokens(50_000), int(edges[-1])))
    columns["fields"] = picked(pa.array([["id", "email", "name"], ["id"], None], INPUT_EVENTS.field("fields").type))
    moments = 1_760_000_000_000_000 + np.cumsum(chance.integers(0, 200_000, count))
    columns["time"] = pa.array(moments).cast(INPUT_EVENTS.field("time").type)
    columns["uid"] = hashes("uid", count)
    columns["session"] = picked(hashes("session", 2000))
    columns["class_uid"] = pa.array(np.full(count, 6005, np.int32))
    columns["rows"] = columns["subject_count"] = pa.array(chance.integers(0, 50, count))
    columns["assignment"] = picked(tokens(max(1, count // 10)))
    columns["literals"] = sometimes(44)
    arrays = [columns[name].cast(INPUT_EVENTS.field(name).type) for name in INPUT_EVENTS.names]
    return _batches(pa.RecordBatch.from_arrays(arrays, schema=INPUT_EVENTS))


def _batches(events: pa.RecordBatch) -> list[pa.RecordBatch]:
    """As readers of logs make them: each batch with its own memory, not a view into a large one."""
    parts = pa.Table.from_batches([events]).to_batches(max_chunksize=BATCH_ROWS)
    return [pa.ipc.read_record_batch(part.serialize(), INPUT_EVENTS) for part in parts]
