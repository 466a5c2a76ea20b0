"""The Merkle tree of RFC 6962, kept as C2SP tlog-tiles (https://c2sp.org/tlog-tiles) of height 8.

Tiles of level 0 are not stored: their hashes are computed from the records when they are wanted. A tile's content
depends on nothing but the events before its end, so writing it twice writes the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from beholden.core.errors import IntegrityError
from beholden.ledger.format import TILE_WIDTH, Layout
from beholden.ledger.merkle import EMPTY_ROOT, HASH_BYTES, node_hash, perfect_root

__all__ = ["EMPTY_ROOT", "HASH_BYTES", "Tile", "TreeBuilder", "perfect_root", "read_tile", "stored_edge", "tile_path"]

_TILE_BYTES: Final = TILE_WIDTH * HASH_BYTES


@dataclass(frozen=True, slots=True)
class Tile:
    """Some consecutive hashes of one level; full with 256, partial with fewer."""

    level: int
    index: int
    hashes: bytes

    @property
    def width(self) -> int:
        """Hashes in it."""
        return len(self.hashes) // HASH_BYTES


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """The path of a tile below the ledger: ``tile/1/x001/x234/067`` or ``tile/1/003.p/17``."""
    elements = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        elements.insert(0, f"x{index % 1000:03d}")
    path = f"tile/{level}/{'/'.join(elements)}"
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


class TreeBuilder:
    """Appends leaf hashes to a tree of which only the right edge is in memory: at most 255 hashes a level.

    Args:
        size: leaves already in the tree.
        edge: for each level from 0 up, the hashes in its rightmost tile: ``size // 256**level % 256`` of them.
    """

    def __init__(self, size: int = 0, edge: list[bytes] | None = None) -> None:
        self.size = size
        self._edge = [bytearray(hashes) for hashes in edge or []]
        for level, hashes in enumerate(self._edge):
            if len(hashes) != (size >> 8 * level) % TILE_WIDTH * HASH_BYTES:
                raise ValueError("the edge does not belong to a tree of this size")

    def extend(self, leaves: bytes) -> list[Tile]:
        """Add leaf hashes, 32 bytes each; returns the tiles of level 1 and above that became full, in order."""
        if len(leaves) % HASH_BYTES:
            raise ValueError("leaf hashes have 32 bytes")
        full: list[Tile] = []
        before = self.size
        self.size += len(leaves) // HASH_BYTES
        self._push(0, before, leaves, full)
        return full

    def extend_blocks(self, hashes: bytes) -> list[Tile]:
        """Add blocks of 256 leaves by their hashes of level 1; as `extend`. The tree must end with a whole block."""
        if self.size % TILE_WIDTH or len(hashes) % HASH_BYTES:
            raise ValueError("the tree does not end with a whole block, or a hash has not 32 bytes")
        if not self._edge:
            self._edge.append(bytearray())
        full: list[Tile] = []
        before = self.size // TILE_WIDTH
        self.size += len(hashes) // HASH_BYTES * TILE_WIDTH
        self._push(1, before, hashes, full)
        return full

    def edge(self) -> list[Tile]:
        """The partial tiles of level 1 and above that a tree of this size has."""
        return [
            Tile(level, self.size >> 8 * (level + 1), bytes(hashes))
            for level, hashes in enumerate(self._edge)
            if level and hashes
        ]

    def root(self) -> bytes:
        """MTH of RFC 6962 over all leaves."""
        root = b""
        for hashes in self._edge:
            position = len(hashes)
            count = position // HASH_BYTES
            for bit in range(8):
                if count >> bit & 1:
                    start = position - (HASH_BYTES << bit)
                    subtree = perfect_root(bytes(hashes[start:position]))
                    root = node_hash(subtree, root) if root else subtree
                    position = start
        return root or EMPTY_ROOT

    def _push(self, level: int, before: int, hashes: bytes, full: list[Tile]) -> None:
        """Add ``hashes`` to a level that held ``before`` of them."""
        if level == len(self._edge):
            self._edge.append(bytearray())
        pending = self._edge[level]
        pending += hashes
        first = before // TILE_WIDTH
        whole = len(pending) // _TILE_BYTES
        if not whole:
            return
        tiles = [bytes(pending[i * _TILE_BYTES : (i + 1) * _TILE_BYTES]) for i in range(whole)]
        del pending[: whole * _TILE_BYTES]
        if level:
            full.extend(Tile(level, first + i, tile) for i, tile in enumerate(tiles))
        self._push(level + 1, first, b"".join(perfect_root(tile) for tile in tiles), full)


def read_tile(layout: Layout, level: int, index: int, width: int) -> bytes:
    """The first ``width`` hashes of a stored tile.

    A partial tile may be gone once a fuller one is there (tlog-tiles allows it): the fuller one begins the same.

    Raises:
        IntegrityError: none is stored, or one is of the wrong size.
    """
    for path in _candidates(layout, level, index, width):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        if len(data) != _stored_width(path) * HASH_BYTES:
            raise IntegrityError(layout.name(path), f"{len(data)} bytes", expected=f"{HASH_BYTES} for each hash")
        return data[: width * HASH_BYTES]
    raise IntegrityError(
        tile_path(level, index, width), "the tile is missing", advice="restore it, or run: beholden ledger verify"
    )


def stored_edge(layout: Layout, size: int) -> list[bytes]:
    """The stored hashes of levels 1 and up in the rightmost tiles of a tree of ``size``; level 1 comes first."""
    edge: list[bytes] = []
    level = 1
    while size >> 8 * level:
        width = (size >> 8 * level) % TILE_WIDTH
        edge.append(read_tile(layout, level, size >> 8 * (level + 1), width) if width else b"")
        level += 1
    return edge


def _candidates(layout: Layout, level: int, index: int, width: int) -> Iterator[Path]:
    full = layout.root / tile_path(level, index)
    if width < TILE_WIDTH:
        yield layout.root / tile_path(level, index, width)
    yield full
    wider = full.with_name(f"{full.name}.p")
    if wider.is_dir():
        widths = sorted(int(path.name) for path in wider.iterdir() if path.name.isdecimal())
        yield from (wider / str(found) for found in widths if found > width)


def _stored_width(path: Path) -> int:
    return int(path.name) if path.parent.suffix == ".p" else TILE_WIDTH
