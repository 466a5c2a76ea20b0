from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest

from beholden.ledger._addresses import without_host_names


def hashed(texts: list[bytes]) -> list[bytes]:
    return [hashlib.blake2b(text, digest_size=16).digest() for text in texts]


def kept(*texts: str | None) -> list[str | None]:
    found: list[str | None] = without_host_names(pa.array(texts, pa.string()), hashed).to_pylist()
    return found


@pytest.mark.parametrize("text", ["10.0.0.9", "2001:db8::1", "::ffff:10.0.0.9", "10.0.0.0/24", ""])
def test_addresses_stay(text):
    assert kept(text) == [text]


@pytest.mark.parametrize(
    "text", ["anna-laptop.local", "10.0.0.9:5000", "fe80::1%anna", "cloudtrail.example", "010.0.0.9"]
)
def test_anything_else_becomes_a_pseudonym(text):
    (found,) = kept(text)
    assert found is not None
    assert (found[0], len(found)) == ("~", 33)


def test_equal_texts_stay_equal_and_nothing_stays_nothing():
    first, second, nothing, other = kept("a.local", "a.local", None, "b.local")
    assert first == second != other
    assert nothing is None
