"""Lines made by the column are what Python would join them to, whatever their pieces are put together to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from beholden.retailer.render import Chosen, Decimal, given, hexadecimal_of, instants, lines, matrix, numbers

_COUNT = 7
#: Each makes a piece and says what its texts are; the number varies it.
_PIECES: tuple[Callable[[int], tuple[Any, list[str]]], ...] = (
    lambda seed: (f"<{seed}>", [f"<{seed}>"] * _COUNT),
    lambda seed: (numbers(_values(seed)), [str(one) for one in _values(seed).tolist()]),
    lambda seed: (Decimal(_values(seed)), [str(one) for one in _values(seed).tolist()]),
    lambda seed: (Decimal(10**12 + _values(seed)), [str(10**12 + one) for one in _values(seed).tolist()]),
    lambda seed: (
        Chosen([f"a{seed}", "", "ccc"], _values(seed) % 3),
        [(f"a{seed}", "", "ccc")[one] for one in (_values(seed) % 3).tolist()],
    ),
    lambda seed: (
        matrix(hexadecimal_of(_values(seed).astype(np.uint64))),
        [f"{one:016x}" for one in _values(seed).tolist()],
    ),
)


def _values(seed: int) -> np.typing.NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, 200_000, _COUNT)


@for_all(st.lists(st.tuples(st.sampled_from(_PIECES), st.integers(0, 50)), min_size=1, max_size=9))
def test_lines_are_their_pieces_joined(made: list[tuple[Callable[[int], tuple[Any, list[str]]], int]]) -> None:
    pieces, texts = zip(*(make(seed) for make, seed in made), strict=True)
    if all(isinstance(piece, str) for piece in pieces):
        return
    assert lines(*pieces).to_pylist() == ["".join(row) for row in zip(*texts, strict=True)]


@pytest.mark.parametrize("most", [60_000, 80_000])
def test_many_numbers_are_written_as_few_are(most: int) -> None:
    values = np.arange(20_000) * most // 20_000
    assert lines("a", Decimal(values), "b").to_pylist() == [f"a{one}b" for one in values.tolist()]


def test_no_lines_are_made_of_nothing() -> None:
    nothing = np.empty(0, dtype=np.int64)
    uids = matrix(hexadecimal_of(nothing.astype(np.uint64)))
    assert lines("a", Decimal(nothing), instants(nothing), "b", uids, Chosen(["x"], nothing)).to_pylist() == []


@for_all(st.lists(st.integers(1, 4 * 86_400_000), min_size=1, max_size=20))
def test_instants_are_iso_8601(milliseconds: list[int]) -> None:
    first = dt.datetime(2024, 2, 27, tzinfo=dt.UTC)
    times = np.array(milliseconds) * 1000 + int(first.timestamp()) * 1_000_000
    expected = [
        (first + dt.timedelta(milliseconds=one)).isoformat("T", "milliseconds").removesuffix("+00:00")
        for one in milliseconds
    ]
    assert lines(instants(times)).to_pylist() == expected


def test_what_only_some_lines_have_is_asked_for_these_alone() -> None:
    asked: list[int] = []

    def texts(at: np.typing.NDArray[np.int64]) -> pa.Array:
        asked.extend(at.tolist())
        return numbers(at)

    assert given(np.array([False, True, False, True]), texts, "none").to_pylist() == ["none", "1", "none", "3"]
    assert asked == [1, 3]


def test_slices_of_texts_of_one_length_are_theirs() -> None:
    texts = hexadecimal_of(np.arange(9, dtype=np.uint64)).slice(3, 4)
    assert [bytes(row).decode() for row in matrix(texts)] == texts.to_pylist()
