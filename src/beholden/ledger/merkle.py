"""The arithmetic of RFC 6962 trees (RFC 9162 section 2.1): which subtrees a proof is made of, and verifying one.

Pure functions over sizes, positions and SHA-256; nothing is read. A *span* ``(start, stop)`` stands for the hash of the
leaves ``D[start:stop]``, written ``MTH`` in the RFC.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

__all__ = [
    "EMPTY_ROOT",
    "HASH_BYTES",
    "Span",
    "consistency_spans",
    "inclusion_spans",
    "is_consistent",
    "is_included",
    "join_subtrees",
    "leaf_hash",
    "node_hash",
    "outside_spans",
    "perfect_root",
    "perfect_subtrees",
    "range_root",
]

HASH_BYTES: Final = 32
#: The root of a tree without leaves.
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

Span: TypeAlias = tuple[int, int]


def leaf_hash(record: bytes) -> bytes:
    """The leaf of a record."""
    return hashlib.sha256(b"\x00" + record).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees beside each other."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: bytes) -> bytes:
    """The root over 2^k hashes that lie one after the other."""
    sha256 = hashlib.sha256
    pair = 2 * HASH_BYTES
    while len(hashes) > HASH_BYTES:
        hashes = b"".join([sha256(b"\x01" + hashes[i : i + pair]).digest() for i in range(0, len(hashes), pair)])
    return hashes


def inclusion_spans(index: int, size: int) -> list[Span]:
    """What the inclusion proof of leaf ``index`` in a tree of ``size`` is made of: PATH, from the leaf's sibling up."""
    spans: list[Span] = []
    start, stop = 0, size
    while stop - start > 1:
        split = start + _split(stop - start)
        if index < split:
            spans.append((split, stop))
            stop = split
        else:
            spans.append((start, split))
            start = split
    return spans[::-1]


def consistency_spans(old_size: int, size: int) -> list[Span]:
    """What the consistency proof from ``old_size`` (at least 1) to ``size`` is made of: PROOF of RFC 9162 2.1.4.1."""
    spans: list[Span] = []
    start, stop = 0, size
    while stop != old_size:
        split = start + _split(stop - start)
        if old_size <= split:
            spans.append((split, stop))
            stop = split
        else:
            spans.append((start, split))
            start = split
    return ([(start, stop)] if start else []) + spans[::-1]


def outside_spans(first: int, stop: int, size: int) -> list[Span]:
    """The largest subtrees without a leaf of ``[first, stop)``, from left to right.

    With the leaves of the range they make the root: at most two for each level of the tree, however long the range.
    """
    spans: list[Span] = []
    waiting: list[Span] = [(0, size)]
    while waiting:
        low, high = waiting.pop()
        if high <= first or stop <= low:
            spans.append((low, high))
        elif high - low > 1:
            split = low + _split(high - low)
            waiting += [(split, high), (low, split)]
    return spans


def range_root(first: int, leaves: Sequence[bytes], size: int, outside: Sequence[bytes]) -> bytes:
    """The root that ``leaves`` from ``first`` on and the hashes of `outside_spans` have together.

    Raises:
        ValueError: there are more or fewer hashes than `outside_spans` has.
    """
    stop, own, given = first + len(leaves), iter(leaves), iter(outside)

    def root(low: int, high: int) -> bytes:
        if high <= first or stop <= low:
            return next(given)
        if high - low == 1:
            return next(own)
        split = low + _split(high - low)
        left = root(low, split)
        return node_hash(left, root(split, high))

    try:
        found = root(0, size)
    except StopIteration:
        raise ValueError("a hash of a subtree outside the range is missing") from None
    if next(given, None) is not None:
        raise ValueError("there are more hashes than subtrees outside the range")
    return found


def perfect_subtrees(span: Span) -> Iterator[tuple[int, int]]:
    """A span that is a subtree of RFC 6962 as perfect ones, from left to right: level, and index in that level."""
    start, stop = span
    while start < stop:
        level = (stop - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def join_subtrees(hashes: Sequence[bytes]) -> bytes:
    """The hash of a span from those of its `perfect_subtrees`."""
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether ``path`` proves that the tree of ``size`` and ``root`` has ``leaf`` at ``index`` (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(sibling, found)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def is_consistent(old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether ``path`` proves that the tree of ``size`` begins with the one of ``old_size`` (RFC 9162 2.1.4.2).

    The empty tree begins every tree, and a tree begins itself: both without a path.
    """
    if old_size == size:
        return not path and old_root == root
    if old_size == 0:
        return not path and old_root == EMPTY_ROOT
    if not 0 < old_size < size:
        return False
    hashes = list(path) if old_size & (old_size - 1) else [old_root, *path]
    at, last = old_size - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if not hashes:
        return False
    old, new = hashes[0], hashes[0]
    for part in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(part, old), node_hash(part, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, part)
        at, last = at >> 1, last >> 1
    return last == 0 and old == old_root and new == root


def _split(size: int) -> int:
    """The largest power of two smaller than ``size``."""
    return 1 << (size - 1).bit_length() - 1
