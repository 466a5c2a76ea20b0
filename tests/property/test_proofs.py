"""Proofs against RFC 9162 as it is written (`tests.support.rfc9162`)."""

from __future__ import annotations

import hashlib
import random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import rfc9162

from beholden.ledger import merkle

LEAVES = [hashlib.sha256(b"leaf %d" % number).digest() for number in range(700)]


def span_hash(span: merkle.Span) -> bytes:
    hashes = [
        merkle.perfect_root(b"".join(LEAVES[i << level : i + 1 << level])) for level, i in merkle.perfect_subtrees(span)
    ]
    return merkle.join_subtrees(hashes)


@st.composite
def places(draw) -> tuple[int, int]:
    size = draw(st.integers(1, len(LEAVES)))
    return draw(st.integers(0, size - 1)), size


@given(places())
def test_inclusion(place):
    index, size = place
    path = [span_hash(span) for span in merkle.inclusion_spans(index, size)]
    root = rfc9162.head_hash(LEAVES[:size])
    assert path == rfc9162.inclusion_path(index, LEAVES[:size])
    assert merkle.is_included(LEAVES[index], index, size, path, root)
    assert rfc9162.inclusion_holds(LEAVES[index], index, size, path, root)


@given(places())
def test_consistency(place):
    old, size = place[0] + 1, place[1]
    path = [span_hash(span) for span in merkle.consistency_spans(old, size)]
    roots = rfc9162.head_hash(LEAVES[:old]), rfc9162.head_hash(LEAVES[:size])
    assert path == rfc9162.consistency_path(old, LEAVES[:size])
    assert merkle.is_consistent(old, roots[0], size, roots[1], path)
    assert old == size or rfc9162.consistency_holds(old, roots[0], size, roots[1], path)


@given(places(), st.integers(1, 50))
def test_ranges(place, count):
    first, size = place
    stop = min(size, first + count)
    outside = [span_hash(span) for span in merkle.outside_spans(first, stop, size)]
    root = rfc9162.head_hash(LEAVES[:size])
    assert merkle.range_root(first, LEAVES[first:stop], size, outside) == root
    assert len(outside) <= 2 * size.bit_length()
    if stop == first + 1:
        assert sorted(outside) == sorted(rfc9162.inclusion_path(first, LEAVES[:size]))


@settings(max_examples=40, deadline=None)
@given(places(), st.integers(0, 2**32))
def test_what_is_altered_is_refused_by_both(place, seed):
    """A flipped bit, a proof that lacks a hash or has one more, another index, another size."""
    chance = random.Random(seed)
    index, size = place
    path = rfc9162.inclusion_path(index, LEAVES[:size])
    root = rfc9162.head_hash(LEAVES[:size])
    tampered = [
        (flip(LEAVES[index], chance), index, size, path, root),
        (LEAVES[index], index, size, path, flip(root, chance)),
        (LEAVES[index], index, size, [*path, LEAVES[0]], root),
        (LEAVES[index], size, size, path, root),
        (LEAVES[index], -1, size, path, root),
    ]
    if path:
        at = chance.randrange(len(path))
        tampered += [
            (LEAVES[index], index, size, path[:-1], root),
            (LEAVES[index], index, size, [*path[:at], flip(path[at], chance), *path[at + 1 :]], root),
            (LEAVES[index], (index + 1) % size, size, path, root),
        ]
    for case in tampered:
        assert not merkle.is_included(*case)
        assert case[1] < 0 or not rfc9162.inclusion_holds(*case)


@settings(max_examples=40, deadline=None)
@given(places(), st.integers(0, 2**32))
def test_an_altered_history_is_refused_by_both(place, seed):
    chance = random.Random(seed)
    old, size = place[0] + 1, place[1]
    if old == size:
        assert not merkle.is_consistent(old, LEAVES[0], size, LEAVES[1], [])
        return
    path = rfc9162.consistency_path(old, LEAVES[:size])
    roots = rfc9162.head_hash(LEAVES[:old]), rfc9162.head_hash(LEAVES[:size])
    at = chance.randrange(len(path))
    for case in [
        (old, flip(roots[0], chance), size, roots[1], path),
        (old, roots[0], size, flip(roots[1], chance), path),
        (old, roots[0], size, roots[1], [*path[:at], flip(path[at], chance), *path[at + 1 :]]),
        (old, roots[0], size, roots[1], path[:-1]),
        (old, roots[0], size, roots[1], [*path, LEAVES[0]]),
    ]:
        assert not merkle.is_consistent(*case)
        assert not rfc9162.consistency_holds(*case)
    assert not merkle.is_consistent(size, roots[1], old, roots[0], path)


def test_the_empty_tree_begins_every_tree():
    assert merkle.is_consistent(0, merkle.EMPTY_ROOT, 5, LEAVES[0], [])
    assert not merkle.is_consistent(0, LEAVES[1], 5, LEAVES[0], [])
    assert not merkle.is_consistent(0, merkle.EMPTY_ROOT, 5, LEAVES[0], [LEAVES[1]])
    assert merkle.is_consistent(5, LEAVES[0], 5, LEAVES[0], [])


def flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(changed)
