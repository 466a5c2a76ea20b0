"""RFC 9162 as it is written, for tests: slow, plain, and not a line of it from the program."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

__all__ = ["consistency_holds", "consistency_path", "head_hash", "inclusion_holds", "inclusion_path"]


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _k(count: int) -> int:
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def head_hash(leaves: Sequence[bytes]) -> bytes:
    """MTH of section 2.1.1, over leaf hashes."""
    if not leaves:
        return _sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = _k(len(leaves))
    return _sha256(b"\x01" + head_hash(leaves[:k]) + head_hash(leaves[k:]))


def inclusion_path(
    m: int, leaves: Sequence[bytes], head: Callable[[Sequence[bytes]], bytes] = head_hash
) -> list[bytes]:
    """PATH of section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = _k(len(leaves))
    if m < k:
        return [*inclusion_path(m, leaves[:k], head), head(leaves[k:])]
    return [*inclusion_path(m - k, leaves[k:], head), head(leaves[:k])]


def consistency_path(m: int, leaves: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    """SUBPROOF of section 2.1.4.1."""
    n = len(leaves)
    if m == n:
        return [] if whole else [head_hash(leaves)]
    k = _k(n)
    if m <= k:
        return [*consistency_path(m, leaves[:k], whole=whole), head_hash(leaves[k:])]
    return [*consistency_path(m - k, leaves[k:], whole=False), head_hash(leaves[:k])]


def inclusion_holds(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """The steps of section 2.1.3.2."""
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return False
        if fn % 2 == 1 or fn == sn:
            r = _sha256(b"\x01" + p + r)
            if fn % 2 == 0:
                while True:
                    fn, sn = fn // 2, sn // 2
                    if fn % 2 == 1 or fn == 0:
                        break
        else:
            r = _sha256(b"\x01" + r + p)
        fn, sn = fn // 2, sn // 2
    return sn == 0 and r == root


def consistency_holds(first: int, first_hash: bytes, second: int, second_hash: bytes, path: Sequence[bytes]) -> bool:
    """The steps of section 2.1.4.2, for 0 < first < second."""
    path = list(path)
    if not path:
        return False
    if first.bit_count() == 1:
        path = [first_hash, *path]
    fn, sn = first - 1, second - 1
    while fn % 2 == 1:
        fn, sn = fn // 2, sn // 2
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn % 2 == 1 or fn == sn:
            fr, sr = _sha256(b"\x01" + c + fr), _sha256(b"\x01" + c + sr)
            if fn % 2 == 0:
                while True:
                    fn, sn = fn // 2, sn // 2
                    if fn % 2 == 1 or fn == 0:
                        break
        else:
            sr = _sha256(b"\x01" + sr + c)
        fn, sn = fn // 2, sn // 2
    return fr == first_hash and sr == second_hash and sn == 0
