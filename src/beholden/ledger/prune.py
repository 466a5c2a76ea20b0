"""Pruning: whole segments go from the old end, under declared policies, and the ledger itself says so for good.

Order of the durable steps, and what a stop after each leaves:

1. the event that tells of it, sealed     a ledger that said it may remove events and has them all
2. what is kept of them (``pruned/``)     files the manifest does not know; removed or written again
3. manifest                               the events are gone; their files are unlisted, removed by the next writer
4. segments and what was made of them     done

Before step 1 the events are compared with the signed tree: who altered one, or the manifest that says how old it is,
must not have a pruning cover that up. Events of one pruning are never gone in part: step 3 is one file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from beholden.core.errors import IntegrityError
from beholden.ledger.canonical import leaf_hashes
from beholden.ledger.checkpoint import Checkpoint
from beholden.ledger.compact import remove_segments, tree_sizes
from beholden.ledger.files import Disk, replace_file, sealed_json
from beholden.ledger.format import TILE_WIDTH, Layout
from beholden.ledger.holds import Holds
from beholden.ledger.manifest import Manifest, Pruned, Segment
from beholden.ledger.own import LEDGER_SOURCE, OwnEvent, encode_record, read_own
from beholden.ledger.pruned import (
    NO_FILE,
    block_start,
    cut_leaves,
    cut_tile,
    nodes_bytes,
    nodes_path,
    sha256_of,
    write_kept,
)
from beholden.ledger.records import PruneRecord
from beholden.ledger.rehashed import stored_blocks
from beholden.ledger.retention import PrunePlan
from beholden.ledger.seal import tail_leaves
from beholden.ledger.segments import describe_batches, iterate_segment, read_columns, source_spans
from beholden.ledger.tree import HASH_BYTES, TreeBuilder, perfect_root
from beholden.ledger.unchanged import check_segment

__all__ = ["Prepared", "PruneResult", "finish_prune", "logged_prune", "prepare_prune"]

_BLOCK_BYTES = TILE_WIDTH * HASH_BYTES


@dataclass(frozen=True, slots=True)
class PruneResult:
    """What was removed, and the plan it followed; ``seq`` is the event that tells of it, None if nothing went."""

    plan: PrunePlan
    seq: int | None
    first_seq: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A pruning that may begin: what the event will say, and what is kept."""

    record: PruneRecord
    nodes: tuple[Path, bytes]
    leaves: bytes


def prepare_prune(
    layout: Layout, manifest: Manifest, checkpoint: Checkpoint, plan: PrunePlan, holds: Holds
) -> Prepared:
    """Compare the events that may go with the signed tree, and work out what is kept of them. Changes nothing.

    Raises:
        IntegrityError: they are not what was sealed, or the tiles do not give the signed root.
    """
    before = manifest.pruned.record if manifest.pruned else None
    first_seq, last_seq = manifest.first_seq, plan.segments[-1].last_seq
    start, end = block_start(first_seq), block_start(last_seq + 1)
    blocks = _checked_blocks(layout, manifest, checkpoint)
    sizes = [size for size in tree_sizes(layout, manifest.segments) if size <= last_seq + 1]
    heads = [*(before.heads if before else ()), *sizes]
    wanted: dict[int, list[int]] = {}
    for size in heads:
        wanted.setdefault(block_start(size), []).append(size)
    kept: list[tuple[int, bytes, list[int]]] = []
    leaves = b""
    at = start
    for block in _blocks_of(layout, manifest, plan.segments):
        whole = len(block) == _BLOCK_BYTES
        expected = blocks[at // TILE_WIDTH * HASH_BYTES :][:HASH_BYTES] if whole else b""
        if whole and perfect_root(block) != expected:
            raise _altered(plan.segments, at)
        if not whole and not _continues(layout, manifest, last_seq + 1, block, blocks):
            raise _altered(plan.segments, at)
        if whole and at in wanted:
            kept.append((at, block, wanted[at]))
        leaves = b"" if whole else block
        at += TILE_WIDTH
    data = nodes_bytes(start, end, before.nodes if before else NO_FILE, kept)
    record = PruneRecord(
        first_seq=first_seq,
        last_seq=last_seq,
        time_max=max([segment.time_max for segment in plan.segments] + ([before.time_max] if before else [])),
        own_events=_own_events(plan.segments) + (before.own_events if before else 0),
        policies=tuple(policy.record for policy in plan.policies),
        nodes=sha256_of(data),
        heads=tuple(wanted.get(end, ())),
        holds=holds.in_force,
    )
    return Prepared(record, (nodes_path(layout, first_seq, last_seq), data), leaves)


def finish_prune(disk: Disk, layout: Layout, manifest: Manifest, prepared: Prepared, event: OwnEvent) -> Manifest:
    """Steps 2 to 4, after the event is sealed; returns the manifest that then holds.

    When it returns what is kept and the manifest are durable. Files that cannot be removed are not listed any more,
    and removed by the next writer.

    Raises:
        OSError: a write failed; nothing was removed.
    """
    first_seq = prepared.record.last_seq + 1
    write_kept(disk, layout, prepared.nodes, first_seq, prepared.leaves)
    after = manifest.pruned_by(Pruned(seq=event.seq, time=event.time, record=prepared.record))
    replace_file(disk, layout.manifest, sealed_json(after))
    with contextlib.suppress(OSError):
        remove_segments(disk, layout, [one for one in manifest.segments if one.last_seq < first_seq])
        old = cut_tile(layout, manifest.first_seq)
        if old is not None and old != cut_tile(layout, first_seq):
            disk.remove(old)
    return after


def logged_prune(layout: Layout, manifest: Manifest, record: PruneRecord) -> OwnEvent:
    """The sealed event that says what ``record`` says, word for word.

    Raises:
        IntegrityError: there is none: nobody may take these events for pruned.
    """
    detail = encode_record(record)
    for event in read_own(layout, manifest, describe_batches([])):
        if event.detail == detail:
            return event
    raise IntegrityError(
        "manifest.json", f"says that events before {record.last_seq + 1} were pruned, which no event on record says",
        advice="restore it, and the segments it leaves out, from a backup",
    )  # fmt: skip


def _checked_blocks(layout: Layout, manifest: Manifest, checkpoint: Checkpoint) -> bytes:
    """The stored hashes of level 1, once they are known to give the signed root."""
    blocks = stored_blocks(layout, manifest.next_seq // TILE_WIDTH)
    tree = TreeBuilder()
    tree.extend_blocks(blocks)
    tree.extend(tail_leaves(layout, manifest))
    if tree.size != checkpoint.size or tree.root() != checkpoint.root:
        raise IntegrityError(
            "tile/1", "the stored hashes do not give the signed root",
            advice="nothing was removed. Find what was altered with: beholden ledger verify",
        )  # fmt: skip
    return blocks


def _blocks_of(layout: Layout, manifest: Manifest, segments: Sequence[Segment]) -> Iterator[bytes]:
    """The leaves of these oldest segments by blocks of 256; those kept of a cut block come first. The last may be cut.

    Each segment is compared with what the manifest says of it, since retention and holds went by that.
    """
    pending = bytearray(cut_leaves(layout, manifest.first_seq))
    for segment in segments:
        name = f"segments/{segment.file}"
        check_segment(layout, segment)
        if source_spans(read_columns(layout.segments / segment.file, name, ["source", "time"])) != segment.sources or (
            segment.time_min != min(span.time_min for span in segment.sources)
            or segment.time_max != max(span.time_max for span in segment.sources)
        ):
            raise IntegrityError("manifest.json", f"its sources or times of {segment.file} are not those of the events")
        for batch in iterate_segment(layout.segments / segment.file, name):
            pending += leaf_hashes(batch)
            while len(pending) >= _BLOCK_BYTES:
                yield bytes(pending[:_BLOCK_BYTES])
                del pending[:_BLOCK_BYTES]
    if pending:
        yield bytes(pending)


def _continues(layout: Layout, manifest: Manifest, seq: int, leaves: bytes, blocks: bytes) -> bool:
    """Whether the leaves before event ``seq`` in its block are the tree's, by those of the events after them."""
    start = block_start(seq)
    if start + TILE_WIDTH > manifest.next_seq:
        return tail_leaves(layout, manifest).startswith(leaves)
    rest = bytearray(leaves)
    for segment in manifest.segments:
        if segment.first_seq >= seq and len(rest) < _BLOCK_BYTES:
            batch = next(iterate_segment(layout.segments / segment.file, f"segments/{segment.file}"))
            rest += leaf_hashes(batch.slice(0, TILE_WIDTH - len(rest) // HASH_BYTES))
    return perfect_root(bytes(rest)) == blocks[start // TILE_WIDTH * HASH_BYTES :][:HASH_BYTES]


def _own_events(segments: Sequence[Segment]) -> int:
    return sum(span.events for segment in segments for span in segment.sources if span.source == LEDGER_SOURCE)


def _altered(segments: Sequence[Segment], at: int) -> IntegrityError:
    named = next((one.file for one in segments if one.last_seq >= at), segments[-1].file)
    return IntegrityError(
        f"segments/{named}", f"events from {at} on are not those the signed tree head covers",
        advice="nothing was removed. Find what was altered with: beholden ledger verify",
    )  # fmt: skip
