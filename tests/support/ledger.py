"""Events for tests of the ledger, and a ledger to put them in."""

from __future__ import annotations

import functools
import hashlib
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from beholden.ledger import INPUT_EVENTS, Ed25519Signer, Ledger
from beholden.ledger.format import Layout
from beholden.ledger.uid_runs import run_range

ESTATE = "estate-1"
ORIGIN = "test.example/ledger"
SIGNER = Ed25519Signer(ORIGIN, bytes(range(32)))
NOW = 1_763_800_000_000_000
_START = 1_763_000_000_000_000


def uid_of(number: int) -> bytes:
    return hashlib.sha256(b"uid %d" % number).digest()[:10]


def event(number: int, source: str = "crm", **values: Any) -> dict[str, Any]:
    """An event that depends on nothing but its number; every nullable column is null now and then."""
    chance = random.Random(number)

    def maybe(value: Any) -> Any:
        return value if chance.random() < 0.7 else None

    row = {
        "time": _START + number * 1000,
        "source": source,
        "uid": uid_of(number),
        "class_uid": 6005,
        "activity": chance.choice(["read", "update"]),
        "scope": chance.choice(["subjects", "table"]),
        "actor": maybe(chance.randbytes(16)),
        "actor_kind": maybe("staff"),
        "on_behalf_of": maybe(chance.randbytes(16)),
        "credential": maybe(chance.randbytes(16)),
        "session": maybe(b"sess-%03d" % chance.randrange(5)),
        "device": maybe(chance.randbytes(16)),
        "ip": maybe(b"\n\0\0\1"),
        "app": maybe(chance.randbytes(16)),
        "store": maybe("crm"),
        "dataset": maybe(f"public.t{chance.randrange(3)}"),
        "fields": maybe(["id", "naïve", ""][: chance.randrange(4)]),
        "subjects": maybe([chance.randbytes(16) for _ in range(chance.randrange(3))]),
        "subject_count": maybe(chance.randrange(5)),
        "rows": maybe(chance.randrange(100)),
        "bytes": maybe(-1),
        "purpose": maybe(chance.randbytes(16)),
        "assignment": maybe(chance.randbytes(16)),
        "decision": maybe("d1"),
        "status": maybe("success"),
        "statement": maybe(chance.randbytes(16)),
        "literals": maybe(b""),
        "correlation": maybe(chance.randbytes(8)),
        "detail": maybe(chance.randbytes(9)),
    }
    return row | values


def batch_of(rows: Iterable[dict[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(rows), schema=INPUT_EVENTS)


@functools.cache
def events(start: int, stop: int) -> pa.RecordBatch:
    return batch_of(event(number) for number in range(start, stop))


def open_ledger(directory: Path, **options: Any) -> Ledger:
    known: dict[str, Any] = {
        "estate_id": ESTATE,
        "origin": ORIGIN,
        "signer": SIGNER,
        "clock": lambda: NOW,
        "create": True,
    }
    return Ledger.open(directory, **(known | options))


def uids_cover(layout: Layout, first_seq: int, next_seq: int) -> bool:
    """Whether runs of uids follow each other without gap from an event at or before the first to the last."""
    ranges = [run_range(path.name) for path in sorted(layout.uids.glob("*.uids"))]
    edges = [found[0] for found in ranges if found] + [next_seq]
    follow = all(found is not None and found[1] + 1 == edges[i + 1] for i, found in enumerate(ranges))
    return follow and edges[0] <= first_seq and (len(ranges) == 0 or edges[1] > first_seq)


def all_rows(ledger: Ledger) -> list[dict[str, Any]]:
    """Every event, sealed or not, in sequence order."""
    snapshot = ledger.tables()
    tables = [pq.read_table(path) for path in snapshot.segments]
    return [row for table in (*tables, snapshot.recent) for row in table.to_pylist()]
