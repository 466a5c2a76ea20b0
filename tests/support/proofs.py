"""Inclusion proofs made from a ledger's records and checked as RFC 9162 (sections 2.1.3.1 and 2.1.3.2) says, apart from
the product's own tree."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from beholden.ledger.canonical import leaf_hashes
from beholden.ledger.format import Layout
from beholden.ledger.manifest import read_manifest
from beholden.ledger.segments import iterate_segment

__all__ = ["Leaves", "root_of", "sealed_leaves"]


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Leaves:
    """The leaf hashes of a log, and proofs that one is among the first ``size``."""

    def __init__(self, hashes: Iterable[bytes]) -> None:
        self.hashes = list(hashes)
        self._roots: dict[tuple[int, int], bytes] = {}

    def root(self, start: int, end: int) -> bytes:
        """MTH of leaves ``start`` to ``end``."""
        if end - start == 1:
            return self.hashes[start]
        key = start, end
        if key not in self._roots:
            split = start + (1 << (end - start - 1).bit_length() - 1)
            self._roots[key] = _node(self.root(start, split), self.root(split, end))
        return self._roots[key]

    def proof(self, place: int, size: int) -> list[bytes]:
        """The hashes that lead from a leaf to the root."""
        path = []
        start, end = 0, size
        while end - start > 1:
            split = start + (1 << (end - start - 1).bit_length() - 1)
            if place < split:
                path.append(self.root(split, end))
                end = split
            else:
                path.append(self.root(start, split))
                start = split
        return path[::-1]


def root_of(leaf: bytes, place: int, size: int, proof: list[bytes]) -> bytes | None:
    """The root that a proof leads to; None where it has the wrong length."""
    index, last, root = place, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return None
        if index & 1 or index == last:
            root = _node(sibling, root)
            while not index & 1 and index:
                index >>= 1
                last >>= 1
        else:
            root = _node(root, sibling)
        index >>= 1
        last >>= 1
    return root if last == 0 else None


def sealed_leaves(ledger: Path) -> Leaves:
    """The leaves of all sealed events, from the records as they lie in the segments now."""
    layout = Layout(ledger)
    manifest, _ = read_manifest(layout)
    found: list[bytes] = []
    for segment in manifest.segments:
        for batch in iterate_segment(layout.segments / segment.file, segment.file):
            data = leaf_hashes(batch)
            found += (data[place : place + 32] for place in range(0, len(data), 32))
    return Leaves(found)
