"""Distinct persons and numbers of tokens, against Python's own sets and dicts."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest

from beholden.ledger._distinct import DistinctPersons
from beholden.ledger._lists import listed
from beholden.ledger._numbering import TokenNumbers


@pytest.mark.parametrize("held_max", [10_000, 300, 20, 1])
def test_persons_are_counted_once_however_few_are_held_at_a_time(held_max: int):
    drawn = random.Random(held_max)
    heads = [0, 2**64 - 1, *(drawn.getrandbits(64) for _ in range(60))]
    parts = [[(drawn.choice(heads), drawn.randrange(7)) for _ in range(drawn.randrange(40))] for _ in range(9)]
    persons = DistinctPersons(held_max)
    passes = 0
    while not persons.is_whole:
        passes += 1
        for part in parts:
            ordered = sorted(part)
            persons.add(np.array([p for p, _ in ordered], np.uint64), np.array([a for _, a in ordered], np.int64))
        total, by_actor = persons.count(7)
    pairs = {pair for part in parts for pair in part}
    assert total == len({person for person, _ in pairs})
    assert by_actor.tolist() == [sum(actor == one for _, actor in pairs) for one in range(7)]
    assert (passes == 1) == (held_max >= sum(map(len, parts)))


def test_tokens_keep_their_numbers_also_where_they_share_a_half():
    drawn = random.Random(5)
    halves = [drawn.randbytes(8) for _ in range(6)]
    tokens = [one + other for one in halves for other in halves]
    numbers = TokenNumbers()
    told: dict[bytes | None, int] = {}
    for _ in range(30):
        some = drawn.sample([*tokens, None], 9)
        rows = [token for token in some if token is not None]
        by_rows = numbers.of_rows(np.frombuffer(b"".join(rows), np.uint8).reshape(-1, 16)).tolist()
        for token, number in [*zip(rows, by_rows, strict=True), *zip(some, numbers.of(some).tolist(), strict=True)]:
            assert told.setdefault(token, number) == number
    assert len(numbers) == len(told) == len(set(told.values()))
    assert numbers.values == sorted(told, key=lambda token: told[token])


@pytest.mark.parametrize(
    "column",
    [
        pa.chunked_array([[1, None], [2**62 + 1]], pa.int64()),
        pa.chunked_array([["a", None], ["a", ""]], pa.string()),
        pa.chunked_array([[b"\x00", None, b""]], pa.binary()),
        pa.chunked_array([[["a"], None, []]], pa.list_(pa.string())),
        pa.chunked_array([[None, None]], pa.list_(pa.string())),
        pa.chunked_array([], pa.string()),
        pa.chunked_array([], pa.int64()),
    ],
)
def test_a_column_is_listed_as_it_is(column: pa.ChunkedArray):
    assert listed(column) == column.to_pylist()
