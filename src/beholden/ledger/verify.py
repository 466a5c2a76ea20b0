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

from beholden.core.errors import IntegrityError, NotFoundError
from beholden.ledger._findings import Catching, Finding
from beholden.ledger._tree_check import TreeCheck
from beholden.ledger.canonical import leaf_hashes
from beholden.ledger.checkpoint import Checkpoint, PublicKey, VerifierKey, open_checkpoint, parse_verifier_key
from beholden.ledger.files import is_temporary, reading
from beholden.ledger.format import TILE_WIDTH, Layout
from beholden.ledger.heads import check_heads
from beholden.ledger.index import check_index, index_path
from beholden.ledger.manifest import LedgerInfo, Manifest, Segment, read_info, read_manifest
from beholden.ledger.own import own_count, own_events
from beholden.ledger.proof import StoredTree
from beholden.ledger.prune import logged_prune
from beholden.ledger.pruned import cut_leaves, nodes_chain, read_nodes_files
from beholden.ledger.recovery import check_public_key, check_quickly, is_leftover, is_leftover_segment
from beholden.ledger.rehashed import TreeHashes, stored_blocks
from beholden.ledger.segments import iterate_segment, read_columns, source_spans
from beholden.ledger.snapshot import WalContent, check_sizes, read_checkpoint, read_wal
from beholden.ledger.uids_check import UidsCheck

__all__ = ["Finding", "VerifyReport", "stored_key", "verify"]

_TRIES_MAX: Final = 10


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
    uids: UidsCheck = field(init=False)
    events: int = 0
    tiles: int = 0
    own_waiting: int = 0

    def report(self) -> VerifyReport:
        segments = len(self.manifest.segments) if self.manifest else 0
        size = self.checkpoint.size if self.checkpoint else 0
        return VerifyReport(tuple(self.findings), tuple(self.notes), self.events, segments, self.tiles, size)

    def catching(self) -> Catching:
        return Catching(self.findings)

    def run(self) -> None:
        self._read_small_files()
        self.uids = UidsCheck(self.layout, self.manifest or Manifest())
        self._look_for_strangers()
        held = self.manifest.next_seq if self.manifest else 0
        if self.manifest and self.checkpoint and self.wal:
            held += sum(batch.num_rows for batch in self.wal.batches)
            with self.catching():
                check_sizes(self.checkpoint, self.manifest.next_seq, held)
        if self.manifest is None:
            return
        hashes = self._pruned_part(self.manifest)
        whole = self._read_segments(self.manifest, hashes) and hashes.size >= self.manifest.next_seq
        for batch in self.wal.batches if self.wal else []:
            hashes.extend(leaf_hashes(batch))
            self.events += batch.num_rows
            self.own_waiting += sum(1 for _ in own_events(batch))
        hashes.finish()
        if whole and self.checkpoint:
            check = TreeCheck(self.layout, self.manifest, self.checkpoint, hashes)
            check.run()
            self.findings += check.findings
            self.notes += check.notes
            self.tiles = check.tiles
        if whole and not self.findings:
            self._check_cosigned()
        self._check_indexes(self.manifest)
        accounted = self.manifest.first_seq + self.events - own_count(self.manifest) - self.own_waiting
        if not self.findings and accounted < self.acknowledged:
            missing = self.acknowledged - accounted
            name = next(iter(self.wal.torn), "wal") if self.wal else "wal"
            reason = f"{missing:,} events that log ingest acknowledged are missing; they were not sealed"
            self.findings.append(Finding(name, reason))

    def _pruned_part(self, manifest: Manifest) -> TreeHashes:
        """What stands for the events that are gone: an event on record that says so, and the hashes kept of them.

        The hashes are taken as they are stored: the signed root tells whether they are right.
        """
        size = self.checkpoint.size if self.checkpoint else 0
        if manifest.pruned is None:
            return TreeHashes(size)
        with self.catching():
            event = logged_prune(self.layout, manifest, manifest.pruned.record)
            if (event.seq, event.time) != (manifest.pruned.seq, manifest.pruned.time):
                raise IntegrityError("manifest.json", "its event and time of the last pruning are not those on record")
        with self.catching():
            for _ in read_nodes_files(self.layout, manifest):
                pass
        with self.catching():
            blocks = stored_blocks(self.layout, manifest.first_seq // TILE_WIDTH)
            return TreeHashes(size, blocks, cut_leaves(self.layout, manifest.first_seq))
        return TreeHashes(size)

    def _check_cosigned(self) -> None:
        """Do the tree heads that witnesses cosigned belong to this ledger?"""
        with self.catching():
            for error in check_heads(StoredTree.open(self.layout.root, self.key)):
                if not isinstance(error, IntegrityError):
                    self.notes.append(Finding(error.where, error.found))
                    continue
                with self.catching():
                    raise error

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
        known |= {self.layout.checked_uids, *self.uids.paths()}
        known |= {index_path(self.layout, segment) for segment in manifest.segments}
        known |= set(nodes_chain(self.layout, manifest.first_seq).values())
        known |= {path for path in self.layout.cosigned.glob("*") if not is_temporary(path)}
        known |= {path for path in self.layout.wal.glob("*.wal") if not path.name.startswith(".")}
        for path in self._files():
            name = self.layout.name(path)
            in_segments = path.parent == self.layout.segments
            if path in known or (in_segments and (self.manifest is None or path.name in listed)):
                continue
            if is_temporary(path) or self._is_leftover(path, manifest, held):
                self.notes.append(Finding(name, "left unfinished by a writer that was stopped"))
            elif in_segments:
                self.findings.append(Finding(name, "is not listed in manifest.json"))
                if path.name.startswith(f"{manifest.next_seq:016d}-"):
                    reason = f"ends before event {manifest.next_seq}, where {name} goes on: an older one was put in its place"
                    self.findings.append(Finding("manifest.json", reason))
            else:
                self.notes.append(Finding(name, "is no part of the ledger: nothing reads it"))

    def _is_leftover(self, path: Path, manifest: Manifest, held: int) -> bool:
        if path.parent == self.layout.segments:
            with contextlib.suppress(IntegrityError):  # what the manifest says of a pruning is looked at by itself
                return is_leftover_segment(self.layout, path, manifest, held)
            return False
        return path.parent == self.layout.pruned and is_leftover(self.layout, path, manifest)

    def _files(self) -> Iterator[Path]:
        for top in sorted(self.layout.root.iterdir()):
            if top != self.layout.tiles:
                yield from (path for path in sorted(top.rglob("*") if top.is_dir() else (top,)) if path.is_file())

    def _read_segments(self, manifest: Manifest, hashes: TreeHashes) -> bool:
        """Check every segment; False if the tree cannot be computed because one cannot be read."""
        whole = True
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
                    self.uids.compare(segment, read_columns(path, name, ["uid", "source"]))
        for path, reason in self.uids.findings():
            self.findings.append(Finding(self.layout.name(path), reason))
        for path in self.uids.missing():
            self.notes.append(Finding(self.layout.name(path), "is missing; the next writer makes it again"))
        return whole

    def _check_indexes(self, manifest: Manifest) -> None:
        """Of segments that are right: of an altered one it is known already that its index does not fit."""
        wrong = {finding.object for finding in self.findings}
        for segment in manifest.segments if self.checkpoint else ():
            if f"segments/{segment.file}" in wrong:
                continue
            with self.catching():
                if not check_index(self.layout, segment, self.key):
                    name = self.layout.name(index_path(self.layout, segment))
                    self.notes.append(Finding(name, "is missing; the next seal makes it again"))

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
        spans = source_spans(read_columns(path, name, ["source", "time", "ingested"]))
        times = (min(span.time_min for span in spans), max(span.time_max for span in spans))
        if spans != segment.sources or times != (segment.time_min, segment.time_max):
            raise IntegrityError("manifest.json", f"its sources or times of {segment.file} are not those of the events")


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
