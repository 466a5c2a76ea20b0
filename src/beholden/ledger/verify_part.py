"""Verification that reads less than all: what is new since a head that was verified before, or a random sample.

Neither takes the place of `verify`, which reads everything. Each says what it did not read.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from beholden.core.errors import IntegrityError, UsageError
from beholden.ledger.canonical import leaf_hashes
from beholden.ledger.checkpoint import Checkpoint, VerifierKey
from beholden.ledger.files import reading
from beholden.ledger.format import TILE_WIDTH
from beholden.ledger.heads import given_head
from beholden.ledger.manifest import read_info
from beholden.ledger.proof import StoredTree
from beholden.ledger.recovery import check_quickly
from beholden.ledger.rows import iterate_rows
from beholden.ledger.snapshot import read_wal
from beholden.ledger.tree import Tile, TreeBuilder, read_tile, stored_edge, tile_path
from beholden.ledger.unchanged import check_segment
from beholden.ledger.verify import Finding

__all__ = ["PartReport", "escape_chance", "verify_sample", "verify_since"]


@dataclass(frozen=True, slots=True)
class PartReport:
    """What was found in the part that was read.

    ``events`` were read of the ``total`` that the newest tree head covers; ``note`` are the bytes of that head.
    """

    findings: tuple[Finding, ...]
    events: int
    total: int
    note: bytes


def verify_since(directory: Path, *, key: VerifierKey, since: bytes, name: str) -> PartReport:
    """Check what is new since a tree head that was verified before and kept outside of the ledger.

    The stored tree has to have the old root at the old size; the new events, added to it, have to make the new root and
    the new tiles. Segments with new events are hashed; older ones are only looked at for their size.

    Args:
        directory: where the ledger lies.
        key: whose signatures count.
        since: the signed tree head of then.
        name: what to call it in a finding.

    Raises:
        NotFoundError: there is no ledger. IntegrityError: ``since`` is no tree head signed with this key.
    """
    findings: list[Finding] = []
    tree = _open(directory, key, findings)
    if tree is None:
        return PartReport(tuple(findings), 0, 0, b"")
    try:
        old = given_head(tree, since, name).checkpoint
    except IntegrityError as error:
        if error.where == name:  # not the ledger is wrong but the file
            raise
        findings.append(_finding(error))
        return PartReport(tuple(findings), 0, tree.newest.size, tree.note)
    findings += [_finding(wrong) for wrong in _check_new(tree, old)]
    return PartReport(tuple(findings), tree.newest.size - old.size, tree.newest.size, tree.note)


def verify_sample(directory: Path, *, key: VerifierKey, events: int, seed: int) -> PartReport:
    """Prove so many random events under the newest tree head. The same seed draws the same of the same ledger.

    Raises:
        NotFoundError: there is no ledger. UsageError: a sample of nothing.
    """
    if events < 1:
        raise UsageError("--sample", f"{events} is no number of events", expected="1 or more")
    findings: list[Finding] = []
    tree = _open(directory, key, findings)
    if tree is None:
        return PartReport(tuple(findings), 0, 0, b"")
    held = range(tree.manifest.first_seq, tree.newest.size)
    drawn = sorted(random.Random(seed).sample(held, min(events, len(held))))  # noqa: S311 - it has to be repeatable
    for number, group in itertools.groupby(drawn, lambda seq: seq // TILE_WIDTH):
        try:
            for _ in tree.prove_events(list(group), tree.newest):
                pass
        except IntegrityError as error:
            findings += _holders(tree, number * TILE_WIDTH, error)
    return PartReport(tuple(findings), len(drawn), len(held), tree.note)


def escape_chance(total: int, sampled: int, altered: int) -> float:
    """The chance that a sample misses an alteration of so many events, wherever they lie: none of them is drawn."""
    if altered + sampled > total:
        return 0.0
    return math.exp(
        sum(math.lgamma(part + 1) for part in (total - altered, total - sampled))
        - sum(math.lgamma(part + 1) for part in (total, total - altered - sampled))
    )


def _open(directory: Path, key: VerifierKey, findings: list[Finding]) -> StoredTree | None:
    """The tree, after a look at the small files and the sizes of the large ones."""
    try:
        tree = StoredTree.open(directory, key)
        with reading():
            check_quickly(tree.layout, read_info(tree.layout), key)
    except IntegrityError as error:
        findings.append(_finding(error))
        return None
    return tree


def _check_new(tree: StoredTree, old: Checkpoint) -> Iterator[IntegrityError]:
    try:
        builder = _tree_at(tree, old.size)
    except IntegrityError as error:
        yield error
        return
    if builder.root() != old.root:
        yield IntegrityError("tile", f"the first {old.size:,} events do not have the root that was verified before")
        return
    names = [f"segments/{segment.file}" for segment in tree.manifest.segments if segment.last_seq >= old.size]
    for segment in tree.manifest.segments:
        if segment.last_seq >= old.size:
            try:
                check_segment(tree.layout, segment)
            except IntegrityError as error:
                yield error
    try:
        for batch in _new_events(tree, old.size):
            yield from _compare(tree, builder.extend(leaf_hashes(batch)))
        yield from _compare(tree, builder.edge())
        with reading():
            read_wal(tree.layout, tree.info.estate_id, tree.manifest.next_seq)
    except IntegrityError as error:
        yield error
        return
    if builder.root() != tree.newest.root:
        for name in names or ["wal"]:
            yield IntegrityError(name, f"events {old.size} to {tree.newest.size - 1} do not lead to the signed root")


def _tree_at(tree: StoredTree, size: int) -> TreeBuilder:
    """The right edge of the tree of so many events, from stored tiles and the last block's records."""
    start = size - size % TILE_WIDTH
    leaves = leaf_hashes(tree.read(start, size)) if start < size else b""
    return TreeBuilder(size, [leaves, *stored_edge(tree.layout, size)])


def _new_events(tree: StoredTree, first: int) -> Iterator[pa.RecordBatch | pa.Table]:
    sealed = tree.manifest.next_seq
    if first < sealed:
        yield from iterate_rows(tree.layout, tree.manifest, first, sealed)
    if tree.newest.size > max(first, sealed):
        yield tree.read(max(first, sealed), tree.newest.size)


def _compare(tree: StoredTree, tiles: list[Tile]) -> Iterator[IntegrityError]:
    for tile in tiles:
        name = tile_path(tile.level, tile.index, tile.width)
        try:
            if read_tile(tree.layout, tile.level, tile.index, tile.width) != tile.hashes:
                yield IntegrityError(name, "does not match the hashes of the records")
        except IntegrityError as error:
            yield error


def _holders(tree: StoredTree, first: int, error: IntegrityError) -> list[Finding]:
    """The segments of a block that does not lead to the signed root: by itself, or for what else the proof is made of."""
    last = min(first + TILE_WIDTH, tree.newest.size) - 1
    names = [
        segment.file for segment in tree.manifest.segments if segment.first_seq <= last and segment.last_seq >= first
    ]
    if error.where != "checkpoint" or not names:
        return [_finding(error)]
    reason = f"events {first} to {last}, the last {TILE_WIDTH} or the tiles are not those the signed tree head covers"
    return [Finding(f"segments/{name}", reason) for name in names]


def _finding(error: IntegrityError) -> Finding:
    return Finding(error.where, f"{error.found}; expected {error.expected}" if error.expected else error.found)
