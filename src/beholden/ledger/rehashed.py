"""The tree as the records make it, to compare with the one that is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from beholden.ledger.format import TILE_WIDTH
from beholden.ledger.manifest import Segment
from beholden.ledger.tree import HASH_BYTES, TreeBuilder, tile_path

__all__ = ["TreeHashes", "known_sizes", "tile_place"]


class TreeHashes:
    """All hashes of level 1 and above over the records, and the root at the signed size."""

    def __init__(self, signed_size: int) -> None:
        self._builder = TreeBuilder()
        self._levels: dict[int, bytearray] = {}
        self._signed_size = signed_size
        self.root = self._builder.root() if not signed_size else b""

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._builder.size

    def extend(self, leaves: bytes) -> None:
        """Add leaf hashes."""
        rest = (self._signed_size - self.size) * HASH_BYTES
        for part in (leaves[:rest], leaves[rest:]) if 0 < rest <= len(leaves) else (leaves,):
            for tile in self._builder.extend(part):
                self._levels.setdefault(tile.level, bytearray()).extend(tile.hashes)
            if self.size == self._signed_size:
                self.root = self._builder.root()

    def finish(self) -> None:
        """No more leaves: the right edge belongs to the levels too."""
        for tile in self._builder.edge():
            self._levels.setdefault(tile.level, bytearray()).extend(tile.hashes)

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


def known_sizes(segments: Iterable[Segment]) -> list[int]:
    """Sizes of tree heads that were signed, as the segments show them: those of one seal share their time."""
    return sorted({segment.sealed: segment.last_seq + 1 for segment in segments}.values())


def tile_place(name: str) -> tuple[int, int, int] | None:
    """Level, index and width from a tile's path; None if it is not one."""
    elements = name.split("/")[1:]
    width = TILE_WIDTH
    if len(elements) > 2 and elements[-2].endswith(".p") and elements[-1].isdecimal():
        width = int(elements.pop())
        elements[-1] = elements[-1].removesuffix(".p")
    digits = [element.removeprefix("x") for element in elements[1:]]
    if len(elements) < 2 or not all(part.isascii() and part.isdecimal() for part in (elements[0], *digits)):
        return None
    level, index = int(elements[0]), int("".join(digits))
    right = level >= 1 and name == tile_path(level, index, width)
    return (level, index, width) if right else None
