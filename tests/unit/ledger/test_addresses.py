from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest

from beholden.ledger._addresses import address_text, packed_addresses


def hashed(texts: list[bytes]) -> list[bytes]:
    return [hashlib.blake2b(text, digest_size=16).digest() for text in texts]


def kept(*texts: str | None, own: bool = False) -> list[bytes | None]:
    whose = pa.array([own] * len(texts))
    found: list[bytes | None] = packed_addresses(pa.array(texts, pa.string()), hashed, whose).to_pylist()
    return found


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("10.0.0.9", 4),
        ("2001:db8::1", 16),
        ("::ffff:10.0.0.9", 16),
        ("10.0.0.7/24", 5),
        ("2001:db8::/32", 17),
        ("0.0.0.0/0", 5),
    ],
)
def test_addresses_are_packed_and_read_back(text, width):
    (packed,) = kept(text)
    assert packed is not None
    assert len(packed) == width
    assert kept(address_text(packed)) == [packed]


def test_one_address_written_in_two_ways_is_one():
    first, second = kept("2001:DB8:0::1", "2001:db8::1")
    assert first == second


@pytest.mark.parametrize(
    "text", ["anna-laptop.local", "10.0.0.9:5000", "fe80::1%anna", "cloudtrail.example", "010.0.0.9", "10.0.0.0/33"]
)
def test_anything_else_becomes_a_pseudonym(text):
    (found,) = kept(text)
    assert found is not None
    assert len(found) == 10
    assert address_text(found) == f"~{found.hex()}"


def test_equal_texts_stay_equal_and_nothing_stays_nothing():
    first, second, nothing, empty, other = kept("a.local", "a.local", None, "", "b.local")
    assert first == second != other
    assert nothing is None
    assert empty is None
    assert address_text(None) is None


def test_an_address_a_data_subject_acts_from_is_a_pseudonym():
    first, again, other, nothing = kept("2001:DB8:0::1", "2001:db8::1", "10.0.0.9", None, own=True)
    assert first == again != other
    assert first is not None
    assert len(first) == 10
    assert nothing is None
    texts = pa.array(["10.0.0.9", "10.0.0.9", None])
    shown, hidden, _ = packed_addresses(texts, hashed, pa.array([False, True, True])).to_pylist()
    assert (len(shown), len(hidden)) == (4, 10)
    assert hidden == other
