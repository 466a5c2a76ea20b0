"""What appending, sealing and verifying cost: CPU us an event, bytes an event.

python bench/ledger_append.py [EVENTS]    (200,000 unless said; made from a seed, the same every time)
"""

from __future__ import annotations

import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from beholden.core.limits import BATCH_ROWS
from beholden.core.times import system_clock
from beholden.ledger import INPUT_EVENTS, Ed25519Signer, Ledger
from beholden.ledger.verify import verify

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


def make_events(count: int) -> pa.RecordBatch:
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
    return pa.RecordBatch.from_arrays(
        [columns[name].cast(INPUT_EVENTS.field(name).type) for name in INPUT_EVENTS.names], schema=INPUT_EVENTS
    )


def main(count: int) -> None:
    """Print the table."""
    events = make_events(count)
    signer = Ed25519Signer("bench.example/ledger", bytes(32))
    with tempfile.TemporaryDirectory() as directory:
        ledger = Ledger.open(
            Path(directory) / "ledger",
            estate_id="bench",
            origin=signer.name,
            signer=signer,
            clock=system_clock,
            create=True,
        )

        def append() -> None:
            for start in range(0, count, BATCH_ROWS):
                ledger.append(events.slice(start, BATCH_ROWS))

        print(f"{count:,} events, batches of {BATCH_ROWS:,}; {platform.machine()}, Python {platform.python_version()}")
        measure("append", count, append)
        print(f"{'':24}{ledger.status().wal_bytes / count:8.1f} bytes an event in the write-ahead log")
        measure("append again, unsealed", count, append)
        measure("seal", count, ledger.seal)
        measure("append again, sealed", count, append)
        status = ledger.status()
        measure("verify", count, lambda: verify(Path(directory) / "ledger", key=signer))
        print(f"{'':24}{status.segment_bytes / count:8.1f} bytes an event in segments")
        print(f"{'':24}{status.tile_bytes / count:8.3f} bytes an event in tiles")
        print(f"{'':24}{status.uid_bytes / count:8.1f} bytes an event in uid projections")
        print(f"{'':24}{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MiB at most in memory")


def measure(name: str, count: int, work: Callable[[], Any]) -> None:
    """Run once; print CPU and wall time."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{name:24}{cpu / count * 1e6:8.2f} us CPU an event {wall / count * 1e6:8.2f} us wall")


if __name__ == "__main__":
    main(int(sys.argv[1].replace(",", "")) if len(sys.argv) > 1 else 200_000)
