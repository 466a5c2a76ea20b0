"""The ledger: append access events, seal them, read them. docs/reference/ledger-format.md has the files.

Any number of processes may hold a `Ledger` on one directory. Writers take turns under an operating-system lock, one
call at a time; readers take none and never wait. The directory must be on a local disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self, TypeVar

import pyarrow as pa

from beholden.core.errors import BeholdenError, IntegrityError, NotFoundError, SourceError, UsageError
from beholden.core.limits import SEGMENT_EVENTS_MAX
from beholden.core.times import Clock
from beholden.ledger.accept import check_batch, number_events
from beholden.ledger.checkpoint import Checkpoint, Signer, open_checkpoint, sign_checkpoint, verifier_key
from beholden.ledger.compact import compact
from beholden.ledger.files import Disk, lock_file, reading, replace_file, sealed_json, write_error
from beholden.ledger.format import LOCK_TIMEOUT_S, WAL_BYTES_MAX, Layout
from beholden.ledger.holds import Holds, read_holds
from beholden.ledger.index import write_indexes
from beholden.ledger.manifest import LedgerInfo, Manifest, read_info, read_manifest
from beholden.ledger.own import own_batch
from beholden.ledger.prune import PruneResult, finish_prune, logged_prune, prepare_prune
from beholden.ledger.records import HoldRecord, ReleaseRecord
from beholden.ledger.recovery import check_quickly, clear_leftovers
from beholden.ledger.retention import Policy, PrunePlan, check_clock, plan
from beholden.ledger.seal import load_tree, seal_events
from beholden.ledger.segments import describe_batches
from beholden.ledger.snapshot import Snapshot, check_sizes, read_checkpoint, read_snapshot, read_wal
from beholden.ledger.status import LedgerStatus, read_status
from beholden.ledger.tree import EMPTY_ROOT, TreeBuilder
from beholden.ledger.uids import KnownUids
from beholden.ledger.unchanged import check_unchanged
from beholden.ledger.wal import WalPosition, WalReader, encode_frame, file_header, scan_wal, wal_files, wal_name

__all__ = ["AppendResult", "Ledger", "SealResult", "Snapshot"]

_Answer = TypeVar("_Answer")
#: A reader is overtaken only by a merge or a pruning, which are rare.
_TRIES_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class AppendResult:
    """How many events of a batch were new, how many known; the new ones are ``[first_seq, next_seq)``."""

    new: int
    known: int
    first_seq: int
    next_seq: int


@dataclass(frozen=True, slots=True)
class SealResult:
    """How many events were sealed into how many segments, and the tree head that now covers all sealed events."""

    events: int
    segments: int
    checkpoint: Checkpoint


@dataclass(slots=True)
class _Writer:
    """What the holder of the lock knows; valid as long as the files are the ones it was made from."""

    manifest: Manifest
    manifest_stat: tuple[int, int, int]
    checkpoint: Checkpoint
    known: KnownUids
    wal: WalPosition | None = None
    tree: TreeBuilder | None = None

    @property
    def next_seq(self) -> int:
        return self.wal.next_seq if self.wal else self.manifest.next_seq

    @property
    def unsealed(self) -> int:
        return self.next_seq - self.manifest.next_seq


class Ledger:
    """One estate's record of accesses. Make one with `Ledger.open`.

    Attributes:
        cut_bytes: bytes of never acknowledged frames that this object cut off after a crash of some writer.
    """

    def __init__(
        self, layout: Layout, info: LedgerInfo, *, signer: Signer, clock: Clock, disk: Disk,
        segment_events_max: int, lock_timeout_s: float,
    ) -> None:  # fmt: skip
        self._layout = layout
        self._info = info
        self._signer = signer
        self._clock = clock
        self._disk = disk
        self._segment_events_max = segment_events_max
        self._lock_timeout_s = lock_timeout_s
        self._turn = threading.Lock()
        self._writer: _Writer | None = None
        self._reader = WalReader()
        self._reading = threading.Lock()
        self.cut_bytes = 0

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        estate_id: str,
        origin: str,
        signer: Signer,
        clock: Clock,
        create: bool = False,
        disk: Disk | None = None,
        segment_events_max: int = SEGMENT_EVENTS_MAX,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
    ) -> Self:
        """Open the ledger in ``directory`` and check it cheaply: the files that must agree do.

        Takes no lock and changes nothing, unless ``create`` is given and there is no ledger: then, when it returns,
        an empty one with a signed tree head is durable. What a stopped writer left behind is cleared at the next
        `append` or `seal`.

        Raises:
            NotFoundError: there is none.
            UsageError: it is of another estate or another origin.
            BeholdenError: it was written by a newer format.
            IntegrityError: its parts do not agree; the error names the file.
            SourceError: it cannot be read, or not be created.
        """
        layout = Layout(Path(directory))
        disk = disk or Disk()
        if signer.name != origin:
            raise UsageError("ledger key", f"its name is {signer.name}", expected=f"the ledger's origin, {origin}")
        if create:
            wanted = LedgerInfo(estate_id=estate_id, origin=origin, created=clock())
            _create(disk, layout, wanted, signer, lock_timeout_s)
        info = read_info(layout)
        if info.estate_id != estate_id:
            raise UsageError(
                "ledger.json", "this ledger belongs to another estate", advice="check ledger.url in beholden.toml"
            )
        if info.origin != origin:
            raise UsageError(
                "ledger.json", f"its origin is {info.origin}", expected=origin,
                advice="the origin of a ledger cannot change; set ledger.origin back",
            )  # fmt: skip
        with reading():
            check_quickly(layout, info, signer)
        return cls(
            layout, info, signer=signer, clock=clock, disk=disk,
            segment_events_max=segment_events_max, lock_timeout_s=lock_timeout_s,
        )  # fmt: skip

    def append(self, batch: pa.RecordBatch) -> AppendResult:
        """Add the events of ``batch`` that are not known yet, in its order, with the next sequence numbers.

        Durable when it returns: every event of the batch, in the write-ahead log, on disk. An event is known if one
        with its ``source`` and ``uid`` is held already or stands earlier in the batch. If it raises, nothing of
        the batch was acknowledged and it can be given again. A write-ahead log that has grown to a segment's size
        is sealed first.

        Args:
            batch: the columns of `INPUT_EVENTS`, in any order.

        Raises:
            UsageError: the batch is malformed; nothing of it was taken.
            ReadOnlyError: the ledger can only be read.
            SourceError: another writer holds the lock for too long, or a write failed (disk full).
            IntegrityError: the record disagrees with itself.
        """
        batch = check_batch(batch)
        with self._writing("ledger append", "nothing of this batch was taken") as writer:
            if self._is_wal_full(writer):
                self._seal(writer)
            return self._append(writer, batch)

    def seal(self) -> SealResult:
        """Move all events of the write-ahead log into segments and sign a new tree head over them.

        Durable when it returns: segments, tiles, tree head and manifest. If it raises, every acknowledged event is
        still held, in the write-ahead log, and sealing can be tried again.

        Raises:
            ReadOnlyError: the ledger can only be read.
            SourceError: another writer holds the lock for too long, or a write failed (disk full).
            IntegrityError: the record disagrees with itself; nothing was signed.
        """
        with self._writing("ledger seal", "all events are kept in the write-ahead log") as writer:
            result = self._seal(writer)
            self._compact(writer)
            return result

    def plan_prune(self, policies: Sequence[Policy]) -> PrunePlan:
        """Which sealed segments are past every policy and under no hold, and what keeps the rest. Changes nothing.

        Raises:
            IntegrityError: a segment cannot be read.
        """
        snapshot = self.tables()
        with reading():
            holds = read_holds(self._layout, snapshot.manifest, snapshot.recent)
            return plan(self._layout, snapshot.manifest, policies, holds, self._clock())

    def prune(self, policies: Sequence[Policy], *, trust_clock: bool = False) -> PruneResult:
        """Remove the oldest segments as far as they are past every policy and under no hold.

        Durable when it returns: an event, sealed, that says which events went under which policies; what is kept of
        them for proofs; a manifest without them. Their files are removed. If it raises, no event was removed.

        Args:
            policies: how long events stay; without one nothing goes.
            trust_clock: go by the clock though it is far from the record's own times.

        Raises:
            UsageError: the clock is behind the newest seal, or more than 31 days ahead of it.
            ReadOnlyError: the ledger can only be read.
            SourceError: another writer holds the lock for too long, or a write failed (disk full).
            IntegrityError: the events that may go are not those that were sealed.
        """
        with self._writing("ledger prune", "no event was removed") as writer:
            self._seal(writer)
            before = writer.manifest
            holds = read_holds(self._layout, before, describe_batches([]))
            chosen = plan(self._layout, before, policies, holds, self._clock())
            if not chosen.segments:
                return PruneResult(chosen, None, before.first_seq)
            if not trust_clock:
                check_clock(before, self._clock())
            prepared = prepare_prune(self._layout, before, writer.checkpoint, chosen, holds)
            self._append(writer, check_batch(own_batch(prepared.record, now=self._clock(), activity="delete")))
            self._seal(writer)
            event = logged_prune(self._layout, writer.manifest, prepared.record)
            self._take(writer, finish_prune(self._disk, self._layout, writer.manifest, prepared, event))
            return PruneResult(chosen, event.seq, writer.manifest.first_seq)

    def holds(self) -> Holds:
        """Every legal hold on record, those released too.

        Raises:
            IntegrityError: the record disagrees with itself.
        """
        snapshot = self.tables()
        with reading():
            return read_holds(self._layout, snapshot.manifest, snapshot.recent)

    def record(self, record: HoldRecord | ReleaseRecord) -> None:
        """Write a hold, or the release of one, as an event of the ledger's own.

        Durable and under a signed tree head when it returns; the same record again changes nothing.

        Raises:
            as `append` and `seal`; nothing is recorded then.
        """
        with self._writing("ledger hold", "the hold is as it was") as writer:
            self._append(writer, check_batch(own_batch(record, now=self._clock(), activity="other")))
            self._seal(writer)

    def tables(self) -> Snapshot:
        """Everything the ledger holds at one instant, without waiting for writers.

        Durable: every event it returns, except those another process is acknowledging at this moment. Unsealed events
        are decoded once for this object, 0.3 us each, and stay in memory until they are sealed. Its files may go when
        segments are merged or pruned: see `ask`.
        """
        with reading():
            for remaining in reversed(range(_TRIES_MAX)):
                with self._reading:
                    snapshot = read_snapshot(self._layout, self._info, self._signer, self._reader)
                try:
                    indexes = check_unchanged(self._layout, snapshot.manifest, self._signer)
                except (IntegrityError, FileNotFoundError):
                    if not remaining or self._is_current(snapshot):
                        raise
                else:
                    break
            return replace(snapshot, indexes=indexes)

    def ask(self, question: Callable[[Snapshot], _Answer]) -> _Answer:
        """The answer to a question over `tables`, asked again when its files were merged or pruned away meanwhile.

        Raises:
            SourceError: that happened each time.
            BeholdenError: what ``question`` raised while the files were all there.
        """
        for _ in range(_TRIES_MAX):
            snapshot = self.tables()
            try:
                return question(snapshot)
            except (BeholdenError, FileNotFoundError):
                if all(path.exists() for path in snapshot.segments) or self._is_current(snapshot):
                    raise
        raise SourceError(
            "ledger", "segments were merged or pruned during every attempt to read it", advice="try again"
        )

    def status(self) -> LedgerStatus:
        """The ledger in numbers; reads the unsealed events, not the segments."""
        return read_status(self._layout, self.tables())

    @contextlib.contextmanager
    def _writing(self, where: str, kept: str) -> Iterator[_Writer]:
        """Hold the lock, know the present state, and turn failed writes into one line.

        What is known is forgotten unless the turn ends well: the files are then read again.
        """
        with self._turn:
            known, self._writer = self._writer, None
            try:
                with lock_file(self._layout.lock, self._lock_timeout_s):
                    writer = self._refresh(known)
                    yield writer
                    self._writer = writer
            except OSError as error:
                raise write_error(where, error, kept) from None

    def _refresh(self, known: _Writer | None) -> _Writer:
        """Take over what other writers did since this one last held the lock, and clear what a crash left."""
        stat = _stat(self._layout.manifest)
        if known is not None and known.manifest_stat == stat:
            self._read_wal(known)
            return known
        manifest, _ = read_manifest(self._layout)
        checkpoint = open_checkpoint(read_checkpoint(self._layout), self._info.origin, self._signer)
        uids = known.known if known else KnownUids(self._disk, self._layout)
        uids.set_segments(manifest)
        writer = _Writer(manifest, stat, checkpoint, uids)
        self._read_wal(writer)
        check_sizes(checkpoint, manifest.next_seq, writer.next_seq)
        clear_leftovers(self._disk, self._layout, manifest, writer.next_seq)
        return writer

    def _read_wal(self, writer: _Writer) -> None:
        """Read on from where this writer knows the log; cut off a torn tail, remove a file that is all sealed."""
        for path in wal_files(self._layout.wal):
            if writer.wal and path.name < writer.wal.path.name:
                continue
            name = self._layout.name(path)
            start = writer.wal if writer.wal and writer.wal.path == path else None
            scan = scan_wal(path, name, self._info.estate_id, start)
            if scan.position is None or scan.position.next_seq <= writer.manifest.next_seq:
                self._disk.remove(path)
                continue
            if start is None and scan.position.first_seq != writer.next_seq:
                raise IntegrityError(
                    name, f"begins with event {scan.position.first_seq}", expected=f"event {writer.next_seq}"
                )
            if scan.torn_bytes:
                with self._disk.open(path) as file:
                    self._disk.truncate(file, scan.position.offset)
                self.cut_bytes += scan.torn_bytes
            for batch in scan.batches:
                writer.known.add(writer.known.keys(batch))
            writer.wal = scan.position

    def _write_frame(self, writer: _Writer, events: pa.RecordBatch) -> None:
        """Durable when it returns; on an error nothing of it remains that a reader would take for an event."""
        at = writer.wal if self._disk.extends_files else None
        if at is None:
            header = file_header(writer.next_seq, self._info.estate_id)
            path = self._layout.wal / wal_name(writer.next_seq)
            at = WalPosition(path, 0, hashlib.sha256(header).digest(), writer.next_seq, writer.next_seq)
            opened = self._disk.create(path)
        else:
            header = b""
            opened = self._disk.open(at.path)
        frame, digest = encode_frame(events, at.next_seq, at.digest)
        with opened as file:
            try:
                file.seek(at.offset)
                self._disk.write(file, header + frame)
                self._disk.sync(file)
                if header:
                    self._disk.sync_directory(self._layout.wal)
            except OSError:
                with contextlib.suppress(OSError):
                    self._disk.truncate(file, at.offset)
                raise
        end = at.offset + len(header) + len(frame)
        frame_at = at.offset + len(header)
        writer.wal = WalPosition(at.path, end, digest, at.first_seq, at.next_seq + events.num_rows, frame_at)

    def _append(self, writer: _Writer, batch: pa.RecordBatch) -> AppendResult:
        keys, first_rows = writer.known.keys(batch).sorted_distinct()
        new = ~writer.known.contains(keys)
        rows = first_rows[new]
        rows.sort()
        first_seq = writer.next_seq
        if len(rows):
            fresh = batch if len(rows) == batch.num_rows else batch.take(pa.array(rows))
            self._write_frame(writer, number_events(fresh, first_seq, self._clock()))
            writer.known.add(keys.take(new))
        return AppendResult(len(rows), batch.num_rows - len(rows), first_seq, writer.next_seq)

    def _is_current(self, snapshot: Snapshot) -> bool:
        return read_manifest(self._layout)[0] == snapshot.manifest

    def _is_wal_full(self, writer: _Writer) -> bool:
        bytes_held = writer.wal.offset if writer.wal else 0
        return writer.unsealed >= self._segment_events_max or bytes_held >= WAL_BYTES_MAX

    def _seal(self, writer: _Writer) -> SealResult:
        if not writer.unsealed:
            return SealResult(0, 0, writer.checkpoint)
        content = read_wal(self._layout, self._info.estate_id, writer.manifest.next_seq)
        events = describe_batches(content.batches)
        tree, writer.tree = writer.tree or load_tree(self._layout, writer.manifest), None
        before = writer.manifest
        sealed = seal_events(
            self._disk, self._layout, events, manifest=before, checkpoint=writer.checkpoint, tree=tree,
            signer=self._signer, now=self._clock(), segment_events_max=self._segment_events_max,
        )  # fmt: skip
        with contextlib.suppress(OSError):  # a file that stays is ignored, and removed by the next writer
            for path in wal_files(self._layout.wal):
                self._disk.remove(path)
            self._disk.sync_directory(self._layout.wal)
        writer.manifest, writer.checkpoint, writer.tree = sealed.manifest, sealed.checkpoint, sealed.tree
        writer.manifest_stat = _stat(self._layout.manifest)
        writer.wal = None
        writer.known.seal(sealed.manifest)
        self._index(writer)
        return SealResult(events.num_rows, len(sealed.manifest.segments) - len(before.segments), sealed.checkpoint)

    def _compact(self, writer: _Writer) -> None:
        """Merge small segments where there are many. Nobody's seal fails for it."""
        self._take(writer, compact(self._disk, self._layout, writer.manifest, self._segment_events_max))
        self._index(writer)

    def _index(self, writer: _Writer) -> None:
        """Make the indexes that are missing. Where there is no room questions ask the segments, and the next seal tries again."""
        with contextlib.suppress(OSError):
            write_indexes(self._disk, self._layout, writer.manifest.segments, self._signer)

    def _take(self, writer: _Writer, manifest: Manifest) -> None:
        """Go on with a manifest that was just written and has the same end."""
        if manifest is not writer.manifest:
            writer.manifest, writer.manifest_stat = manifest, _stat(self._layout.manifest)
            writer.known.set_segments(manifest)


def _create(disk: Disk, layout: Layout, info: LedgerInfo, signer: Signer, lock_timeout_s: float) -> None:
    """Make an empty ledger unless there is one. ``ledger.json`` is last: without it there is none."""
    try:
        disk.make_directory(layout.root)
        with lock_file(layout.lock, lock_timeout_s):
            if _exists(layout):
                return
            for directory in (layout.wal, layout.segments, layout.uids):
                disk.make_directory(directory)
            replace_file(disk, layout.public_key, f"{verifier_key(signer)}\n".encode())
            replace_file(disk, layout.checkpoint, sign_checkpoint(Checkpoint(info.origin, 0, EMPTY_ROOT), signer))
            replace_file(disk, layout.manifest, sealed_json(Manifest()))
            replace_file(disk, layout.info, sealed_json(info))
    except OSError as error:
        raise write_error(f"ledger {layout.root.name}", error, "no ledger was made") from None


def _exists(layout: Layout) -> bool:
    with contextlib.suppress(NotFoundError):
        read_info(layout)
        return True
    return False


def _stat(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
