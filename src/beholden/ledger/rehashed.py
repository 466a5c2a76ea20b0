"""The tree as the records make it, to compare with the one that is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from beholden.ledger.format import TILE_WIDTH, Layout
from beholden.ledger.tree import HASH_BYTES, Tile, TreeBuilder, read_tile, tile_path

__all__ = ["TreeHashes", "stored_blocks", "tile_place"]


class TreeHashes:
    """All hashes of level 1 and above over the records, and the root at the signed size.

    Of pruned events there are no records: ``blocks`` are the stored hashes of level 1 over whole blocks of them, in
    order, and ``leaves`` the kept ones of the block that the pruning cut. If the root is the signed one, they are right.
    """

    def __init__(self, signed_size: int, blocks: bytes = b"", leaves: bytes = b"") -> None:
        self._builder = TreeBuilder()
        self._levels: dict[int, bytearray] = {1: bytearray(blocks)}
        self._signed_size = signed_size
        self._keep(tile for tile in self._builder.extend_blocks(blocks) if tile.level > 1)
        self.root = self._builder.root() if not signed_size else b""
        self.extend(leaves)

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._builder.size

    def extend(self, leaves: bytes) -> None:
        """Add leaf hashes."""
        rest = (self._signed_size - self.size) * HASH_BYTES
        for part in (leaves[:rest], leaves[rest:]) if 0 < rest <= len(leaves) else (leaves,):
            self._keep(self._builder.extend(part))
            if self.size == self._signed_size:
                self.root = self._builder.root()

    def finish(self) -> None:
        """No more leaves: the right edge belongs to the levels too."""
        self._keep(self._builder.edge())

    def _keep(self, tiles: Iterable[Tile]) -> None:
        """A tile that the given blocks began has those of level 1 already."""
        for tile in tiles:
            known = self._levels.setdefault(tile.level, bytearray())
            known.extend(tile.hashes[len(known) - tile.index * TILE_WIDTH * HASH_BYTES :])

    def tile(self, level: int, index: int, width: int) -> bytes | None:
        """What a tile must hold; None if the tree has no such tile."""
        start = index * TILE_WIDTH * HASH_BYTES
        hashes = bytes(self._levels.get(level, b"")[start : start + width * HASH_BYTES])
        return hashes if len(hashes) == width * HASH_BYTES else None

    def needed(self, sizes: Iterable[int]) -> Iterator[tuple[int, int, int]]:
        """Level, index and width of each tile that is stored once trees of these sizes and the signed one were."""
        level = 1
        while count := self._signed_size >> 8 * level:
            yield from ((level, index, TILE_WIDTH) for index in range(count // TILE_WIDTH))
            edges = {divmod(size >> 8 * level, TILE_WIDTH) for size in (*sizes, self._signed_size)}
            yield from ((level, index, width) for index, width in sorted(edges) if width)
            level += 1


def stored_blocks(layout: Layout, count: int) -> bytes:
    """The stored hashes of the first ``count`` blocks of 256 leaves: tiles of level 1, the widest of each.

    Raises:
        IntegrityError: a tile is missing or of the wrong size.
    """
    whole, rest = divmod(count, TILE_WIDTH)
    parts = [read_tile(layout, 1, index, TILE_WIDTH) for index in range(whole)]
    return b"".join(parts) + (read_tile(layout, 1, whole, rest) if rest else b"")


def tile_place(name: str, lowest: int = 1) -> tuple[int, int, int] | None:
    """Level, index and width from a tile's path; None if it is not one, or of a level that is not stored."""
    elements = name.split("/")[1:]
    width = TILE_WIDTH
    if len(elements) > 2 and elements[-2].endswith(".p") and elements[-1].isdecimal():
        width = int(elements.pop())
        elements[-1] = elements[-1].removesuffix(".p")
    digits = [element.removeprefix("x") for element in elements[1:]]
    if len(elements) < 2 or not all(part.isascii() and part.isdecimal() for part in (elements[0], *digits)):
        return None
    level, index = int(elements[0]), int("".join(digits))
    right = level >= lowest and name == tile_path(level, index, width)
    return (level, index, width) if right else None
