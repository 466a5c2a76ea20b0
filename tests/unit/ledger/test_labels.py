from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest

from beholden.core.names import Person
from beholden.ledger._labels import without_people

PEOPLE = (Person("actor", "J.Mortimer"), Person("customer", "16"), Person("customer", "71830"), Person("actor", "jo"))


def hashed(texts: list[bytes]) -> list[bytes]:
    return [hashlib.blake2b(text, digest_size=16).digest() for text in texts]


def kept(*texts: str | None) -> list[str | None]:
    found: list[str | None] = without_people(pa.array(texts, pa.string()), PEOPLE, hashed).to_pylist()
    return found


@pytest.mark.parametrize(
    "text",
    [
        "psql", "PostgreSQL 16", "PostgreSQL JDBC Driver 42.7.3", "DBeaver 23.2.0 - Main", "web-71830x", "2026-11-22",
        "john mortimers tool", "", "jo", "@", "10.0.0.12 ", "v1.2.3.4.5.6.7.8.9",
    ],
)  # fmt: skip
def test_names_of_things_stay(text):
    assert kept(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "tool of j.mortimer", "J.MORTIMER-laptop", "customer_71830", "a@b.example", "for 4929 1002 0030 0405",
        "+49 (30) 123-45678", "078-05-1120",
    ],
)  # fmt: skip
def test_what_tells_who_somebody_is_becomes_a_pseudonym(text):
    (found,) = kept(text)
    assert found is not None
    assert (found[0], len(found)) == ("~", 33)


def test_equal_texts_stay_equal_and_nothing_stays_nothing():
    first, second, nothing, other = kept("a@b", "a@b", None, "c@d")
    assert first == second != other
    assert nothing is None
