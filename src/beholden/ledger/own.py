"""What the ledger writes about itself: prunings and legal holds are events like any other, under the same tree.

Such an event has the source `LEDGER_SOURCE`, names nobody in its columns, and has what it tells in ``detail``, as JSON
that is not encrypted: an auditor without the vault must be able to read which events were removed under which policy.
Persons in it are tokens; texts that people wrote are encrypted by the caller before they come here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.events import DEFAULT_CLASS_UID
from beholden.core.times import parse_time
from beholden.ledger.format import INPUT_EVENTS, Layout
from beholden.ledger.manifest import Manifest
from beholden.ledger.records import HoldRecord, PruneRecord, ReleaseRecord
from beholden.ledger.segments import read_columns

__all__ = ["LEDGER_SOURCE", "OwnEvent", "encode_record", "own_batch", "own_count", "own_events", "read_own"]

#: The source of events the ledger writes itself; no log's server can be called so, for the colon.
LEDGER_SOURCE: Final = "beholden:ledger"
_COLUMNS: Final = ["seq", "time", "source", "detail"]
_Record = PruneRecord | HoldRecord | ReleaseRecord


class _Kind(msgspec.Struct, frozen=True):
    kind: str


_KINDS: Final[dict[str, type[_Record]]] = {"prune": PruneRecord, "hold": HoldRecord, "release": ReleaseRecord}


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """One of the ledger's own events; ``time`` in microseconds, ``detail`` as it is on record."""

    seq: int
    time: int
    detail: bytes
    record: _Record


def encode_record(record: _Record) -> bytes:
    """A record as ``detail`` holds it: the same bytes for the same content."""
    return msgspec.json.encode(record)


def own_batch(record: _Record, *, now: int, activity: Literal["delete", "other"]) -> pa.RecordBatch:
    """The event that tells of ``record``, for `Ledger.append`; the same event again for the same record."""
    detail = encode_record(record)
    uid_type = INPUT_EVENTS.field("uid").type
    row = {
        "time": now,
        "source": LEDGER_SOURCE,
        "uid": hashlib.sha256(detail).digest()[: uid_type.byte_width],
        "class_uid": DEFAULT_CLASS_UID,
        "activity": activity,
        "scope": "none",
        "status": "success",
        "detail": detail,
    }
    return pa.RecordBatch.from_pylist([row], schema=INPUT_EVENTS)


def read_own(layout: Layout, manifest: Manifest, recent: pa.Table) -> Iterator[OwnEvent]:
    """The ledger's own events, oldest first; only segments that have some are read.

    Raises:
        IntegrityError: such a segment cannot be read.
    """
    for segment in manifest.segments:
        if any(span.source == LEDGER_SOURCE for span in segment.sources):
            yield from own_events(read_columns(layout.segments / segment.file, f"segments/{segment.file}", _COLUMNS))
    yield from own_events(recent)


def own_events(events: pa.Table | pa.RecordBatch) -> Iterator[OwnEvent]:
    """Those of ``events`` that the ledger wrote itself. Kinds this version does not know are passed over."""
    table = pa.Table.from_batches([events]) if isinstance(events, pa.RecordBatch) else events
    found = table.select(_COLUMNS).filter(pc.equal(table["source"], LEDGER_SOURCE))
    for row in found.to_pylist():
        detail: bytes = row["detail"] or b""
        try:
            known = _KINDS.get(msgspec.json.decode(detail, type=_Kind).kind)
            if known is not None:
                record = msgspec.json.decode(detail, type=known)
                yield OwnEvent(row["seq"], parse_time(row["time"].isoformat()), detail, record)
        except msgspec.DecodeError:
            continue


def own_count(manifest: Manifest) -> int:
    """How many sealed events the ledger wrote itself, pruned ones included: no account of ingest has them."""
    held = sum(span.events for segment in manifest.segments for span in segment.sources if span.source == LEDGER_SOURCE)
    return held + (manifest.pruned.record.own_events if manifest.pruned else 0)
