"""A ledger of many events, made quickly: the same rows again and again, each under a uid of its own."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa

from beholden.ledger import INPUT_EVENTS, Ledger
from tests.support.ledger import events, open_ledger

__all__ = ["append_many", "ledger_of"]

_ROWS = 1024


def append_many(ledger: Ledger, start: int, stop: int) -> None:
    """Append the events [start, stop); what they are depends on their numbers alone."""
    column = INPUT_EVENTS.get_field_index("uid")
    kind = INPUT_EVENTS.field(column).type
    for first in range(start, stop, 65536):
        count = min(65536, stop - first)
        rows = pa.Table.from_batches([events(0, _ROWS)] * (count // _ROWS + 1)).slice(0, count).combine_chunks()
        uids = random.Random(first).randbytes(kind.byte_width * count)
        rows = rows.set_column(
            column, INPUT_EVENTS.field(column), pa.Array.from_buffers(kind, count, [None, pa.py_buffer(uids)])
        )
        ledger.append(rows.to_batches()[0])


def ledger_of(directory: Path, *sizes: int, segment_events_max: int = 1 << 20) -> list[bytes]:
    """A ledger that was sealed at each of these sizes; returns the signed tree heads."""
    ledger = open_ledger(directory, segment_events_max=segment_events_max)
    heads = []
    for before, size in zip((0, *sizes), sizes, strict=False):
        append_many(ledger, before, size)
        ledger.seal()
        heads.append((directory / "checkpoint").read_bytes())
    return heads
