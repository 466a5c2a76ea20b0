"""Verification: recompute everything the ledger claims and name each object that disagrees, with the reason.

It takes no lock, writes nothing and trusts nothing in the directory: the verifier key comes from the caller. Neither
state nor vault is needed. A program can be told
that all is well only about events that a signed tree head covers; events that are still in the write-ahead log are
protected against accidents, not against somebody who may write there (docs/reference/ledger-format.md).
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pyarrow as pa

from beholden.core.errors import BeholdenError, IntegrityError, NotFoundError
from beholden.ledger.canonical import leaf_hashes
from beholden.ledger.checkpoint import Checkpoint, PublicKey, VerifierKey, open_checkpoint, parse_verifier_key
from beholden.ledger.files import is_temporary, reading
from beholden.ledger.format import TILE_WIDTH, Layout
from beholden.ledger.index import check_index, index_path
from beholden.ledger.manifest import LedgerInfo, Manifest, Segment, read_info, read_manifest
from beholden.ledger.recovery import check_public_key, check_quickly, is_leftover_segment
from beholden.ledger.rehashed import TreeHashes, known_sizes, tile_place
from beholden.ledger.segments import iterate_segment, read_columns, source_spans
from beholden.ledger.snapshot import WalContent, check_sizes, read_checkpoint, read_wal
from beholden.ledger.tree import HASH_BYTES, read_tile, tile_path
from beholden.ledger.uids import projection_bytes, projection_path

__all__ = ["Finding", "VerifyReport", "stored_key", "verify"]

_TRIES_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """An object of the ledger (a path below its directory) and what is wrong with it."""

    object: str
    reason: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was checked and what was found.

    ``notes`` are harmless, and said: remains of stopped writers, files that nothing reads.
    """

    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    events: int
    segments: int
    tiles: int
    tree_size: int

    @property
    def ok(self) -> bool:
        """Nothing disagrees."""
        return not self.findings


def stored_key(directory: Path) -> PublicKey:
    """The key that lies in the ledger itself. Who can forge a ledger can put another one there: compare it.

    Raises:
        NotFoundError: there is no ledger.
        IntegrityError: the key is missing or was altered.
    """
    layout = Layout(Path(directory))
    with reading():
        try:
            key = parse_verifier_key(layout.public_key.read_text("utf-8").removesuffix("\n"))
        except (FileNotFoundError, NotADirectoryError):
            read_info(layout)
            raise IntegrityError("key.pub", "is missing", advice="ask for the estate's verifier key") from None
        except UnicodeDecodeError:
            key = None
    if key is None:
        raise IntegrityError("key.pub", "is not a verifier key", expected="one line, name+id+base64")
    return key


def verify(
    directory: Path,
    *,
    key: VerifierKey,
    estate_id: str | None = None,
    acknowledged: int = 0,
    mode: Literal["full", "quick"] = "full",
) -> VerifyReport:
    """Check a ledger against the key it should be signed with.

    ``quick`` compares the small files and sizes, as opening does. ``full`` reads everything: each segment's SHA-256
    and records, their order, the leaf hashes, tiles, root and signature, the write-ahead log's frames, the uids.
    Memory is bounded by one segment's uids, a few Parquet row groups and 32 bytes for every 256 events. A writer may
    go on meanwhile.

    Args:
        directory: where the ledger lies.
        key: whose signature counts.
        estate_id: whose ledger it should be; None takes its word.
        acknowledged: how many events it must hold at least.
        mode: how much to read.

    Raises:
        NotFoundError: there is no ledger.
        SourceError: a file cannot be read for want of rights.
        BeholdenError: it was written by a newer format.
    """
    layout = Layout(Path(directory))
    with reading():
        if mode == "quick":
            return _verify_quickly(layout, key)
        return _verify_fully(layout, key, estate_id, acknowledged)


def _verify_fully(layout: Layout, key: VerifierKey, estate_id: str | None, acknowledged: int) -> VerifyReport:
    """Once; again if it found something and the ledger changed meanwhile, for then that may be why."""
    for remaining in reversed(range(_TRIES_MAX)):
        before = _fingerprint(layout)
        run = _Verification(layout, key, estate_id, acknowledged)
        try:
            run.run()
        except FileNotFoundError:  # a seal removed it
            if not remaining:
                raise
            continue
        if not run.findings or _fingerprint(layout) == before:
            break
    return run.report()


def _fingerprint(layout: Layout) -> list[object]:
    """What every change of the ledger changes."""
    found: list[object] = []
    for path in (layout.manifest, layout.checkpoint, *sorted(layout.wal.glob("*.wal"))):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            found.append((path.name, path.stat().st_size if path.parent == layout.wal else path.read_bytes()))
    return found


def _verify_quickly(layout: Layout, key: VerifierKey) -> VerifyReport:
    run = _Verification(layout, key, None, 0)
    with run.catching():
        check_quickly(layout, _read_info(layout), key)
    return run.report()


def _read_info(layout: Layout) -> LedgerInfo:
    """As `read_info`; here a manifest is enough to know that there was a ledger."""
    try:
        return read_info(layout)
    except NotFoundError:
        if not layout.manifest.exists():
            raise
        raise IntegrityError("ledger.json", "is missing", advice="restore it from a backup") from None


class _Catching:
    """Turns an `IntegrityError` into a finding and goes on."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if not isinstance(error, IntegrityError):
            return False
        name, _, place = error.where.partition(" ")
        reason = f"{place}: {error.found}" if place else error.found
        self._findings.append(Finding(name, f"{reason}; expected {error.expected}" if error.expected else reason))
        return True


@dataclass(slots=True)
class _Verification:
    layout: Layout
    key: VerifierKey
    estate_id: str | None
    acknowledged: int
    findings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    manifest: Manifest | None = None
    checkpoint: Checkpoint | None = None
    wal: WalContent | None = None
    events: int = 0
    tiles: int = 0

    def report(self) -> VerifyReport:
        segments = len(self.manifest.segments) if self.manifest else 0
        size = self.checkpoint.size if self.checkpoint else 0
        return VerifyReport(tuple(self.findings), tuple(self.notes), self.events, segments, self.tiles, size)

    def catching(self) -> _Catching:
        return _Catching(self.findings)

    def run(self) -> None:
        self._read_small_files()
        self._look_for_strangers()
        held = self.manifest.next_seq if self.manifest else 0
        if self.manifest and self.checkpoint and self.wal:
            held += sum(batch.num_rows for batch in self.wal.batches)
            with self.catching():
                check_sizes(self.checkpoint, self.manifest.next_seq, held)
        if self.manifest is None:
            return
        hashes = TreeHashes(self.checkpoint.size if self.checkpoint else 0)
        whole = self._read_segments(self.manifest, hashes)
        for batch in self.wal.batches if self.wal else []:
            hashes.extend(leaf_hashes(batch))
            self.events += batch.num_rows
        hashes.finish()
        if whole and self.checkpoint:
            self._compare_tree(hashes, self.checkpoint)
        if not self.findings and self.events < self.acknowledged:
            missing = self.acknowledged - self.events
            name = next(iter(self.wal.torn), "wal") if self.wal else "wal"
            reason = f"{missing:,} events that log ingest acknowledged are missing; they were not sealed"
            self.findings.append(Finding(name, reason))

    def _read_small_files(self) -> None:
        info: LedgerInfo | None = None
        with self.catching():
            info = _read_info(self.layout)
            if self.estate_id not in {None, info.estate_id}:
                raise IntegrityError("ledger.json", "belongs to another estate")
        with self.catching():
            check_public_key(self.layout, self.key)
        with self.catching():
            self.manifest, _ = read_manifest(self.layout)
            if self.manifest.first_seq:
                raise IntegrityError("manifest.json", f"events before {self.manifest.first_seq} are missing")
        with self.catching():
            origin = info.origin if info else self.key.name
            self.checkpoint = open_checkpoint(read_checkpoint(self.layout), origin, self.key)
        estate_id = self.estate_id or (info.estate_id if info else None)
        if self.manifest and estate_id is not None:
            with self.catching():
                self.wal = read_wal(self.layout, estate_id, self.manifest.next_seq)
        for name, size_bytes in (self.wal.torn if self.wal else {}).items():
            self.notes.append(
                Finding(
                    name,
                    f"{size_bytes} bytes at its end are of a frame that is not whole: stopped while it was written, or cut off since",
                )
            )

    def _look_for_strangers(self) -> None:
        """Files nobody lists: remains of a stopped writer, or something put there. Tiles are looked at later."""
        manifest = self.manifest or Manifest()
        held = manifest.next_seq + sum(batch.num_rows for batch in (self.wal.batches if self.wal else []))
        listed = {segment.file for segment in manifest.segments}
        known = {
            self.layout.info,
            self.layout.manifest,
            self.layout.checkpoint,
            self.layout.public_key,
            self.layout.lock,
            self.layout.checked,
        }
        known |= {projection_path(self.layout, segment) for segment in manifest.segments}
        known |= {index_path(self.layout, segment) for segment in manifest.segments}
        known |= {path for path in self.layout.wal.glob("*.wal") if not path.name.startswith(".")}
        for path in self._files():
            name = self.layout.name(path)
            in_segments = path.parent == self.layout.segments
            leftover = in_segments and is_leftover_segment(path, manifest.next_seq, held)
            if path in known or (in_segments and (self.manifest is None or path.name in listed)):
                continue
            if is_temporary(path) or leftover:
                self.notes.append(Finding(name, "left unfinished by a writer that was stopped"))
            elif in_segments:
                self.findings.append(Finding(name, "is not listed in manifest.json"))
                if path.name.startswith(f"{manifest.next_seq:016d}-"):
                    reason = f"ends before event {manifest.next_seq}, where {name} goes on: an older one was put in its place"
                    self.findings.append(Finding("manifest.json", reason))
            else:
                self.notes.append(Finding(name, "is no part of the ledger: nothing reads it"))

    def _files(self) -> Iterator[Path]:
        for top in sorted(self.layout.root.iterdir()):
            if top != self.layout.tiles:
                yield from (path for path in sorted(top.rglob("*") if top.is_dir() else (top,)) if path.is_file())

    def _read_segments(self, manifest: Manifest, hashes: TreeHashes) -> bool:
        """Check every segment; False if the tree cannot be computed because one cannot be read."""
        whole = manifest.first_seq == 0
        for segment in manifest.segments:
            path = self.layout.segments / segment.file
            name = self.layout.name(path)
            read = False
            with self.catching():
                _check_file(path, name, segment)
            with self.catching():
                self._read_records(path, name, segment, hashes)
                read = True
            whole = whole and read
            if read:
                with self.catching():
                    self._check_uids(path, name, segment)
                with self.catching():
                    if not check_index(self.layout, segment, self.key):
                        index = self.layout.name(index_path(self.layout, segment))
                        self.notes.append(Finding(index, "is missing; the next seal makes it again"))
        return whole

    def _read_records(self, path: Path, name: str, segment: Segment, hashes: TreeHashes) -> None:
        seq = segment.first_seq
        for batch in iterate_segment(path, name):
            expected = pa.array(np.arange(seq, seq + batch.num_rows, dtype=np.int64))
            if not batch.column("seq").equals(expected):
                raise IntegrityError(name, f"its events are not numbered on from {seq}")
            seq += batch.num_rows
            self.events += batch.num_rows
            hashes.extend(leaf_hashes(batch))
        if seq != segment.last_seq + 1:
            raise IntegrityError(name, f"ends before event {seq}", expected=f"event {segment.last_seq} to be its last")
        spans = source_spans(read_columns(path, name, ["source", "time"]))
        times = (min(span.time_min for span in spans), max(span.time_max for span in spans))
        if spans != segment.sources or times != (segment.time_min, segment.time_max):
            raise IntegrityError("manifest.json", f"its sources or times of {segment.file} are not those of the events")

    def _check_uids(self, path: Path, name: str, segment: Segment) -> None:
        projection = projection_path(self.layout, segment)
        try:
            found = projection.read_bytes()
        except FileNotFoundError:
            self.notes.append(Finding(self.layout.name(projection), "is missing; the next writer makes it again"))
            return
        if found != projection_bytes(read_columns(path, name, ["uid"])["uid"]):
            raise IntegrityError(
                self.layout.name(projection), "does not match its segment; remove it, it is made again"
            )

    def _compare_tree(self, hashes: TreeHashes, checkpoint: Checkpoint) -> None:
        if hashes.size < checkpoint.size:
            return  # said already: events are missing
        if hashes.root == checkpoint.root:
            self._compare_tiles(hashes)
            return
        blocks = list(self._altered_blocks(hashes, checkpoint))
        for first in blocks:
            self._name_holders(first, first + TILE_WIDTH - 1, "are not those the signed tree head covers")
        if blocks:
            return
        tail = checkpoint.size - checkpoint.size % TILE_WIDTH
        if tail < checkpoint.size:
            reason = "are not those the signed tree head covers, unless earlier ones were altered with their tiles"
            self._name_holders(tail, checkpoint.size - 1, reason)
        else:
            reason = "the events do not have the signed root, and the tiles were altered with them"
            self.findings.append(Finding("checkpoint", reason))

    def _altered_blocks(self, hashes: TreeHashes, checkpoint: Checkpoint) -> Iterator[int]:
        """The first event of each block of 256 whose hash is not the one stored at level 1."""
        blocks = checkpoint.size // TILE_WIDTH
        for index in range(0, blocks, TILE_WIDTH):
            width = min(TILE_WIDTH, blocks - index)
            stored = _stored_hashes(self.layout, index // TILE_WIDTH, width)
            computed = hashes.tile(1, index // TILE_WIDTH, width) or b""
            for i in range(width):
                part = slice(i * HASH_BYTES, (i + 1) * HASH_BYTES)
                if stored[part] != computed[part]:
                    yield (index + i) * TILE_WIDTH

    def _name_holders(self, first: int, last: int, reason: str) -> None:
        segments = self.manifest.segments if self.manifest else ()
        names = [f"segments/{s.file}" for s in segments if s.first_seq <= last and s.last_seq >= first]
        self.findings += [Finding(name, f"events {first} to {last} {reason}") for name in names or ["wal"]]

    def _compare_tiles(self, hashes: TreeHashes) -> None:
        """The records are genuine: every stored tile must be computed from them, and every needed one be there."""
        files = (path for path in self.layout.tiles.rglob("*") if path.is_file())
        for path in sorted(files):
            name = self.layout.name(path)
            if is_temporary(path):
                self.notes.append(Finding(name, "left unfinished by a writer that was stopped"))
                continue
            try:
                data = path.read_bytes()
            except FileNotFoundError:  # a partial tile, and now there is a full one
                continue
            self.tiles += 1
            place = tile_place(name)
            expected = hashes.tile(*place) if place else None
            if expected is None:
                self.findings.append(Finding(name, "is no tile of this tree"))
            elif data != expected:
                self.findings.append(Finding(name, "does not match the hashes of the records"))
        sizes = known_sizes(self.manifest.segments if self.manifest else ())
        for level, index, width in hashes.needed(sizes):
            if not _is_there(self.layout, level, index, width):
                self.findings.append(Finding(tile_path(level, index, width), "is missing"))


def _check_file(path: Path, name: str, segment: Segment) -> None:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while data := file.read(1 << 20):
                digest.update(data)
    except FileNotFoundError:
        raise IntegrityError(name, "is missing") from None
    if digest.hexdigest() != segment.sha256:
        raise IntegrityError(name, "its SHA-256 is not the one in manifest.json")


def _stored_hashes(layout: Layout, index: int, width: int) -> bytes:
    try:
        return read_tile(layout, 1, index, width)
    except BeholdenError:
        return b""


def _is_there(layout: Layout, level: int, index: int, width: int) -> bool:
    """Whether a tile is stored; a partial one may go when the full one is there."""
    return any((layout.root / tile_path(level, index, found)).is_file() for found in {width, TILE_WIDTH})
