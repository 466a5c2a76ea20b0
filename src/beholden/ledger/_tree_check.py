"""The stored tree against the one the records make: what differs, and whose fault it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from beholden.core.errors import BeholdenError, IntegrityError
from beholden.ledger._findings import Catching, Finding
from beholden.ledger.checkpoint import Checkpoint
from beholden.ledger.compact import tree_sizes
from beholden.ledger.files import is_temporary
from beholden.ledger.format import TILE_WIDTH, Layout
from beholden.ledger.manifest import Manifest
from beholden.ledger.own import read_own
from beholden.ledger.pruned import block_start, cut_tile, read_nodes_files
from beholden.ledger.records import PruneRecord
from beholden.ledger.rehashed import TreeHashes, tile_place
from beholden.ledger.segments import describe_batches
from beholden.ledger.tree import HASH_BYTES, read_tile, tile_path

__all__ = ["TreeCheck"]


@dataclass(slots=True)
class TreeCheck:
    """Compares ``hashes``, of all records, with the signed root and the stored tiles."""

    layout: Layout
    manifest: Manifest
    checkpoint: Checkpoint
    hashes: TreeHashes
    findings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    tiles: int = 0

    def run(self) -> None:
        """Compare root and tiles with those the records make."""
        hashes, checkpoint = self.hashes, self.checkpoint
        if hashes.size < checkpoint.size:
            return  # said already: events are missing
        if hashes.root == checkpoint.root:
            self._compare_tiles()
            return
        blocks = list(self._altered_blocks())
        for first in blocks:
            if first < block_start(self.manifest.first_seq):
                self._name_pruned_tile(first // TILE_WIDTH)
                continue
            self._name_holders(first, first + TILE_WIDTH - 1, "are not those the signed tree head covers")
            self._name_cut_tile(first)
        if blocks or self._name_pruned_tiles():
            return
        tail = checkpoint.size - checkpoint.size % TILE_WIDTH
        if tail < checkpoint.size:
            reason = "are not those the signed tree head covers, unless earlier ones were altered with their tiles"
            self._name_holders(tail, checkpoint.size - 1, reason)
            self._name_cut_tile(tail)
        else:
            reason = "the events do not have the signed root, and the tiles were altered with them"
            self.findings.append(Finding("checkpoint", reason))

    def _name_pruned_tiles(self) -> bool:
        """Name tiles of level 1 over pruned events that the level above disagrees with; else those that may be it."""
        first_seq = self.manifest.first_seq
        blocks = first_seq // TILE_WIDTH
        found = False
        for index in range(-(-blocks // TILE_WIDTH)):
            width = min(TILE_WIDTH, blocks - index * TILE_WIDTH)
            above = _stored_hashes(self.layout, index // TILE_WIDTH, index % TILE_WIDTH + 1, level=2)
            computed = self.hashes.tile(2, index // TILE_WIDTH, index % TILE_WIDTH + 1)
            if computed is not None and above == computed:
                continue
            certain = computed is not None and bool(above)
            reason = "its hashes of pruned events do not give " + (
                "the hash above it" if certain else "the signed root"
            )
            self.findings.append(Finding(tile_path(1, index, width), reason))
            found |= certain
        return found

    def _name_pruned_tile(self, block: int) -> None:
        """Two tiles of level 1 disagree about a pruned block, and the one that was believed gives another root."""
        index = block // TILE_WIDTH
        width = min(TILE_WIDTH, self.manifest.first_seq // TILE_WIDTH - index * TILE_WIDTH)
        reason = f"its hash of events {block * TILE_WIDTH} on is not that of a wider tile, nor gives the signed root"
        self.findings.append(Finding(tile_path(1, index, width), reason))

    def _name_cut_tile(self, block: int) -> None:
        """The leaves kept of a block that a pruning cut may be what was altered, rather than the events after them."""
        cut = cut_tile(self.layout, self.manifest.first_seq)
        if cut is not None and block == block_start(self.manifest.first_seq):
            reason = "its leaves, or the events after them, are not those the signed tree head covers"
            self.findings.append(Finding(self.layout.name(cut), reason))

    def _altered_blocks(self) -> Iterator[int]:
        """The first event of each block of 256 whose hash is not the one stored at level 1."""
        blocks = self.checkpoint.size // TILE_WIDTH
        for index in range(0, blocks, TILE_WIDTH):
            width = min(TILE_WIDTH, blocks - index)
            stored = _stored_hashes(self.layout, index // TILE_WIDTH, width)
            computed = self.hashes.tile(1, index // TILE_WIDTH, width) or b""
            for i in range(width):
                part = slice(i * HASH_BYTES, (i + 1) * HASH_BYTES)
                if stored[part] != computed[part]:
                    yield (index + i) * TILE_WIDTH

    def _name_holders(self, first: int, last: int, reason: str) -> None:
        segments = self.manifest.segments
        names = [f"segments/{s.file}" for s in segments if s.first_seq <= last and s.last_seq >= first]
        self.findings += [Finding(name, f"events {first} to {last} {reason}") for name in names or ["wal"]]

    def _compare_tiles(self) -> None:
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
            if self._is_of_pruning(path):
                continue
            place = tile_place(name)
            expected = self.hashes.tile(*place) if place else None
            if expected is None:
                self.findings.append(Finding(name, "is no tile of this tree"))
            elif data != expected:
                self.findings.append(Finding(name, "does not match the hashes of the records"))
        sizes = self._known_sizes()
        for level, index, width in self.hashes.needed(sizes):
            if not _is_there(self.layout, level, index, width):
                self.findings.append(Finding(tile_path(level, index, width), "is missing"))

    def _is_of_pruning(self, path: Path) -> bool:
        """Whether a tile is the one of level 0 that a pruning leaves, which gave the root; or one that another left."""
        if path == cut_tile(self.layout, self.manifest.first_seq):
            return True
        left: set[Path | None] = set()
        place = tile_place(self.layout.name(path), lowest=0)
        if place is not None and place[0] == 0:
            with Catching(self.findings):
                for event in read_own(self.layout, self.manifest, describe_batches([])):
                    if isinstance(event.record, PruneRecord):
                        ends = (event.record.first_seq, event.record.last_seq + 1)
                        left.update(cut_tile(self.layout, seq) for seq in ends)
        if path in left:
            self.notes.append(Finding(self.layout.name(path), "left unfinished by a writer that was stopped"))
        return path in left

    def _known_sizes(self) -> list[int]:
        """Sizes of tree heads that were signed, as far as segments and what is kept of pruned ones show them."""
        found: set[int] = set()
        with Catching(self.findings):
            found.update(tree_sizes(self.layout, self.manifest.segments))
        with contextlib.suppress(IntegrityError):  # said already
            for file in read_nodes_files(self.layout, self.manifest):
                found.update(file.sizes)
        return sorted(found)


def _stored_hashes(layout: Layout, index: int, width: int, level: int = 1) -> bytes:
    try:
        return read_tile(layout, level, index, width)
    except BeholdenError:
        return b""


def _is_there(layout: Layout, level: int, index: int, width: int) -> bool:
    """Whether a tile is stored; a partial one may go when the full one is there."""
    return any((layout.root / tile_path(level, index, found)).is_file() for found in {width, TILE_WIDTH})
