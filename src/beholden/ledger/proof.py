"""Proofs out of a ledger's directory: stored tiles of level 1 and above, and level 0 computed from the records.

A proof reads at most two blocks of 256 records, the one with the event and the last of the tree, and a few tiles.
Nothing is believed: a proof that does not lead to the signed root is not given out, so that neither an altered
tile nor an altered record makes a wrong one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import pyarrow as pa

from beholden.core.errors import IntegrityError, NotFoundError, SourceError, UsageError
from beholden.ledger.canonical import canonical_records, leaf_hashes
from beholden.ledger.checkpoint import Checkpoint, VerifierKey, open_checkpoint
from beholden.ledger.files import reading
from beholden.ledger.format import TILE_WIDTH, Layout
from beholden.ledger.manifest import LedgerInfo, Manifest, read_info, read_manifest
from beholden.ledger.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    Span,
    consistency_spans,
    inclusion_spans,
    is_consistent,
    is_included,
    join_subtrees,
    leaf_hash,
    outside_spans,
    perfect_root,
    perfect_subtrees,
)
from beholden.ledger.pruned import cut_leaves, head_nodes
from beholden.ledger.rows import read_rows
from beholden.ledger.segments import describe_batches
from beholden.ledger.snapshot import check_sizes, read_checkpoint, read_snapshot, read_wal
from beholden.ledger.tree import read_tile

__all__ = ["EventProof", "StoredTree"]

#: A reader is overtaken only by a seal, which takes far longer than a reading.
_TRIES_MAX: Final = 50
#: A tile has so many levels of the tree.
_TILE_LEVELS: Final = 8


@dataclass(frozen=True, slots=True)
class EventProof:
    """That the tree ``head`` has this record at position ``seq``.

    ``event`` is the event's one row, ``path`` the inclusion proof from the leaf's sibling up.
    """

    seq: int
    record: bytes
    path: tuple[bytes, ...]
    head: Checkpoint
    event: pa.Table


@dataclass(slots=True)
class StoredTree:
    """The tree of a ledger as its files make it at one instant. Make one with `StoredTree.open`.

    Attributes:
        newest: the newest tree head, signature checked; ``note`` are its bytes.
        blocks: leaf hashes of the blocks of 256 events that were computed, by their number.
        nodes: hashes kept of pruned events, by the first event and how many.
    """

    layout: Layout
    info: LedgerInfo
    key: VerifierKey
    manifest: Manifest
    newest: Checkpoint
    note: bytes
    recent: pa.Table
    blocks: dict[int, bytes] = field(default_factory=dict)
    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)

    @classmethod
    def open(cls, directory: Path, key: VerifierKey) -> Self:
        """Read the manifest and the newest tree head; no event, unless the head covers some that are in no segment.

        Raises:
            NotFoundError: there is no ledger.
            IntegrityError: the small files disagree, or the head is not signed with this key.
            SourceError: seals never let a reading through.
        """
        layout = Layout(Path(directory))
        with reading():
            info = read_info(layout)
            for _ in range(_TRIES_MAX):
                manifest, _ = read_manifest(layout)
                note = read_checkpoint(layout)
                newest = open_checkpoint(note, info.origin, key)
                if newest.size <= manifest.next_seq:
                    check_sizes(newest, manifest.next_seq, manifest.next_seq)
                    return cls(layout, info, key, manifest, newest, note, describe_batches([]))
                snapshot = read_snapshot(layout, info, key)  # a seal is under way, or was stopped: the log has the rest
                if snapshot.checkpoint == newest:
                    return cls(layout, info, key, snapshot.manifest, newest, note, snapshot.recent)
        raise SourceError("ledger", "it changed during every attempt to read it", advice="try again")

    def read(self, first: int, stop: int) -> pa.Table:
        """The events ``[first, stop)`` of the tree."""
        sealed = self.manifest.next_seq
        parts = []
        if first < min(stop, sealed):
            parts.append(read_rows(self.layout, self.manifest, first, min(stop, sealed)))
        if stop > sealed:
            low = max(first, sealed)
            parts.append(self.recent.slice(low - sealed, stop - low))
        return pa.concat_tables(parts)

    def prove_event(self, seq: int, head: Checkpoint) -> EventProof:
        """The inclusion proof of one event in the tree of ``head``, checked against its root.

        Args:
            seq: the event's number.
            head: a tree head of this ledger whose signature was checked; not larger than the newest.

        Raises:
            UsageError: there is no such event, or it is not sealed under this head.
            NotFoundError: it was pruned.
            IntegrityError: record or tiles are not those that were signed.
        """
        return next(self.prove_events([seq], head))

    def prove_events(self, seqs: Sequence[int], head: Checkpoint) -> Iterator[EventProof]:
        """The inclusion proof of each of these events, which are in order; raises like `prove_event`."""
        self._check_seq(seqs[0], head)
        self._check_seq(seqs[-1], head)
        for number, group in itertools.groupby(seqs, lambda seq: seq // TILE_WIDTH):
            start = max(number * TILE_WIDTH, self.manifest.first_seq)
            block = self.read(start, min((number + 1) * TILE_WIDTH, self.newest.size))
            if start == number * TILE_WIDTH:
                self.blocks[number] = leaf_hashes(block)
            for seq in group:
                yield self._prove(seq, block.slice(seq - start, 1), head)

    def _prove(self, seq: int, event: pa.Table, head: Checkpoint) -> EventProof:
        (record,) = canonical_records(event)
        path = tuple(self.span_hash(span) for span in inclusion_spans(seq, head.size))
        if not is_included(leaf_hash(record), seq, head.size, path, head.root):
            raise self._disagrees(f"event {seq}", head)
        return EventProof(seq, record, path, head, event)

    def prove_consistency(self, old_size: int, head: Checkpoint) -> tuple[bytes, ...]:
        """The consistency proof from the tree of ``old_size`` events to ``head``, checked as far as it can be.

        Raises:
            UsageError: the old tree is larger. NotFoundError: events it needs were pruned.
            IntegrityError: the stored tree does not have the signed root.
        """
        if not 0 <= old_size <= head.size:
            raise UsageError(
                "ledger prove", f"a tree of {old_size:,} events is not within one of {head.size:,}",
                expected=f"0 to {head.size}",
            )  # fmt: skip
        if old_size in {0, head.size}:
            return ()
        self._take_nodes(old_size)
        path = tuple(self.span_hash(span) for span in consistency_spans(old_size, head.size))
        if not is_consistent(old_size, self.root(old_size), head.size, head.root, path):
            raise self._disagrees(f"the first {old_size} events", head)
        return path

    def prove_range(self, first: int, stop: int, head: Checkpoint) -> tuple[bytes, ...]:
        """The hashes of `merkle.outside_spans`; whoever has the records checks them with `merkle.range_root`."""
        self._check_seq(first, head)
        self._check_seq(stop - 1, head)
        return tuple(self.span_hash(span) for span in outside_spans(first, stop, head.size))

    def root(self, size: int) -> bytes:
        """The root of the first ``size`` events, as the files make it; nobody may have signed it."""
        self._take_nodes(size)
        return self.span_hash((0, size)) if size else EMPTY_ROOT

    def span_hash(self, span: Span) -> bytes:
        """The hash of a subtree of RFC 6962 over the events ``[start, stop)``."""
        return join_subtrees([self._perfect(level, index) for level, index in perfect_subtrees(span)])

    def _perfect(self, level: int, index: int) -> bytes:
        """The hash of 2^level events, the ``index``-th so many: from one tile."""
        tile_level, rest = divmod(level, _TILE_LEVELS)
        start, count = index << rest, 1 << rest
        if not tile_level and (start, count) in self.nodes:
            return self.nodes[start, count]
        tile, offset = divmod(start, TILE_WIDTH)
        if tile_level:
            width = min(TILE_WIDTH, (self.newest.size >> _TILE_LEVELS * tile_level) - tile * TILE_WIDTH)
            hashes = read_tile(self.layout, tile_level, tile, width)
        else:
            hashes = self._leaves(tile)
        return perfect_root(hashes[offset * HASH_BYTES : (offset + count) * HASH_BYTES])

    def _take_nodes(self, size: int) -> None:
        """What was kept for a tree head that ends among pruned events."""
        block = size // TILE_WIDTH * TILE_WIDTH
        if block < size and block + TILE_WIDTH <= self.manifest.first_seq:
            self.nodes |= head_nodes(self.layout, self.manifest, size)

    def _leaves(self, block: int) -> bytes:
        """The leaf hashes of a block of 256 events, or of as many as the tree has."""
        if block not in self.blocks:
            first = block * TILE_WIDTH
            stop = min(first + TILE_WIDTH, self.newest.size)
            if first >= self.manifest.first_seq:
                self.blocks[block] = leaf_hashes(self.read(first, stop))
            elif stop > self.manifest.first_seq:  # where pruning cut, the leaves of what is gone are kept
                held = leaf_hashes(self.read(self.manifest.first_seq, stop))
                self.blocks[block] = cut_leaves(self.layout, self.manifest.first_seq) + held
            else:
                raise self._pruned()
        return self.blocks[block]

    def _check_seq(self, seq: int, head: Checkpoint) -> None:
        if 0 <= seq < self.manifest.first_seq:
            raise self._pruned()
        if 0 <= seq < head.size:
            return
        with reading():
            waiting = read_wal(self.layout, self.info.estate_id, self.manifest.next_seq).batches
        held = self.manifest.next_seq + sum(batch.num_rows for batch in waiting)
        if not 0 <= seq < max(held, self.newest.size):
            raise UsageError(
                "ledger", f"there is no event {seq:,}", expected=f"a number from {self.manifest.first_seq} to {held - 1}"
                if held > self.manifest.first_seq else "an event",
            )  # fmt: skip
        if seq >= self.newest.size:
            raise UsageError("ledger", f"event {seq:,} is not sealed yet", advice="seal first: beholden ledger seal")
        raise UsageError("ledger", f"event {seq:,} is not among the first {head.size:,}, which this tree head covers")

    def _pruned(self) -> NotFoundError:
        return NotFoundError(
            "ledger", f"its events before {self.manifest.first_seq:,} were pruned",
            advice="proofs that were given out before still hold",
        )  # fmt: skip

    def _disagrees(self, what: str, head: Checkpoint) -> IntegrityError:
        return IntegrityError(
            "checkpoint", f"{what}: records and tiles do not lead to the signed root of {head.size} events",
            advice="find what was altered with: beholden ledger verify",
        )  # fmt: skip
