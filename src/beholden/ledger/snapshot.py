"""Reading without the lock: one consistent instant of a ledger that others may be writing to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa

from beholden.core.errors import IntegrityError, SourceError
from beholden.core.events import EVENTS
from beholden.engine import TableSource
from beholden.ledger.checkpoint import Checkpoint, VerifierKey, open_checkpoint
from beholden.ledger.format import Layout
from beholden.ledger.manifest import LedgerInfo, Manifest, read_manifest
from beholden.ledger.segments import describe_batches
from beholden.ledger.unchanged import Indexes
from beholden.ledger.wal import WalReader, scan_wal, wal_files

__all__ = ["Snapshot", "WalContent", "check_sizes", "read_checkpoint", "read_snapshot", "read_wal"]

#: A reader is overtaken only by a seal, which takes far longer than a reading.
_TRIES_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything the ledger held at one instant.

    ``segments`` are Parquet files that never change; ``recent`` has the events that are in none of them yet, in
    the same columns. The signed tree head covers the first ``checkpoint.size`` of the ``next_seq`` events.
    ``indexes`` are those of the segments that have one; see `beholden.ledger.candidates`.
    """

    segments: tuple[Path, ...]
    recent: pa.Table
    next_seq: int
    checkpoint: Checkpoint
    manifest: Manifest
    indexes: Indexes = field(default_factory=lambda: Indexes({}, ()))

    def source(self) -> TableSource:
        """All events, for the engine."""
        return TableSource(table=self.recent, parquet=self.segments, schema=EVENTS)


@dataclass(frozen=True, slots=True)
class WalContent:
    """The events that are not sealed, and bytes of frames that were never acknowledged, by file."""

    batches: list[pa.RecordBatch]
    torn: dict[str, int]


def read_snapshot(layout: Layout, info: LedgerInfo, key: VerifierKey, reader: WalReader | None = None) -> Snapshot:
    """Read one instant: repeated when a seal ends meanwhile, which shows in the manifest or the checkpoint.

    Each unsealed event is read from the log: 0.3 us; with a ``reader`` only those it has not read before.

    Events another process is about to acknowledge may be included.

    Raises:
        IntegrityError: the record disagrees with itself.
        SourceError: files cannot be read, or seals never let a reading through.
    """
    for _ in range(_TRIES_MAX):
        manifest, before = read_manifest(layout)
        checkpoint_bytes = read_checkpoint(layout)
        problem: IntegrityError | None = None
        wal: WalContent | None = None
        try:
            wal = read_wal(layout, info.estate_id, manifest.next_seq, reader)
        except FileNotFoundError:
            continue
        except IntegrityError as error:
            problem = error
        if read_manifest(layout)[1] != before or read_checkpoint(layout) != checkpoint_bytes:
            continue
        if wal is None:
            raise problem or IntegrityError("wal", "cannot be read")
        checkpoint = open_checkpoint(checkpoint_bytes, info.origin, key)
        next_seq = manifest.next_seq + sum(batch.num_rows for batch in wal.batches)
        check_sizes(checkpoint, manifest.next_seq, next_seq)
        paths = tuple(layout.segments / segment.file for segment in manifest.segments)
        return Snapshot(paths, describe_batches(wal.batches), next_seq, checkpoint, manifest)
    raise SourceError("ledger", "it changed during every attempt to read it", advice="try again")


def read_checkpoint(layout: Layout) -> bytes:
    """The bytes of the signed tree head."""
    try:
        return layout.checkpoint.read_bytes()
    except FileNotFoundError:
        raise IntegrityError("checkpoint", "is missing", advice="restore it from a backup") from None
    except OSError as error:
        raise SourceError("checkpoint", f"cannot be read ({error.strerror})") from None


def read_wal(layout: Layout, estate_id: str, next_seq: int, reader: WalReader | None = None) -> WalContent:
    """The events from ``next_seq`` on, as far as they are whole.

    Raises:
        IntegrityError: a frame is damaged, or events between the segments and the log are missing.
        FileNotFoundError: a seal removed a file meanwhile.
    """
    content = WalContent([], {})
    for path in wal_files(layout.wal):
        name = layout.name(path)
        scan = reader.scan(path, name, estate_id) if reader else scan_wal(path, name, estate_id)
        if scan.torn_bytes:
            content.torn[name] = scan.torn_bytes
        if scan.position is None or scan.position.next_seq <= next_seq:
            continue
        if scan.position.first_seq != next_seq:
            raise IntegrityError(name, f"begins with event {scan.position.first_seq}", expected=f"event {next_seq}")
        content.batches.extend(scan.batches)
        next_seq = scan.position.next_seq
    return content


def check_sizes(checkpoint: Checkpoint, sealed: int, held: int) -> None:
    """A tree head covers all that is sealed, and no more than is held."""
    if checkpoint.size < sealed:
        raise IntegrityError("checkpoint", f"covers {checkpoint.size} events", expected=f"all {sealed} that are sealed")
    if checkpoint.size > held:
        raise IntegrityError(
            "checkpoint",
            f"covers {checkpoint.size} events, but {held} are held",
            advice="events are missing: restore them",
        )
