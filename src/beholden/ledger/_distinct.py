"""Counting distinct persons over many segments, in all and for each actor, with bounded memory."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from beholden.ledger.index import SegmentIndex
from beholden.ledger.index.tokens import fixed_bytes

__all__ = ["DistinctPersons", "persons_of"]

_I64 = npt.NDArray[np.int64]
_U64 = npt.NDArray[np.uint64]
#: Pairs of person and actor that are held, 12 bytes each.
_HELD_MAX: Final = 64_000_000
#: Pairs that are sorted at a time.
_SORTED: Final = 1 << 20
_END: Final = 1 << 64
_THREADS: Final = 2


def persons_of(index: SegmentIndex, events: _I64, actor: _I64) -> tuple[_U64, _I64]:
    """The persons that some events of an index name, by the first 64 bits of their tokens, in order; and who acted."""
    named, places = index.subjects(events)
    width = max(1, int(actor.max()).bit_length()) if len(actor) else 1
    pairs = _distinct((places << width) | np.repeat(actor, named))  # of the segment: in order of the tokens
    return index.tokens("subject").heads[pairs >> width].astype(np.uint64), pairs & ((1 << width) - 1)


class DistinctPersons:
    """Distinct persons by the first 64 bits of their random tokens.

    Among n persons two share these with a chance of n^2 / 2^65, and are then counted as one: for 24 million persons one in
    64,000, for 100 million one in 3,700. Where more pairs of person and actor come than are held at a time, those of the
    higher tokens are let go: ``is_whole`` is false then, and everything has to be added again after `count`.
    """

    def __init__(self, held_max: int = _HELD_MAX) -> None:
        self._held_max = held_max
        self._low, self._high = 0, _END
        self._heads: list[_U64] = []
        self._actors: list[npt.NDArray[np.uint32]] = []
        self._total = 0
        self._by_actor = np.zeros(0, np.int64)

    @property
    def is_whole(self) -> bool:
        """Whether nobody is left out."""
        return self._low == _END

    def add(self, heads: _U64, actors: _I64) -> None:
        """Persons in order, and the number of who acted."""
        self._heads.append(heads)
        self._actors.append(actors.astype(np.uint32))
        self._keep(len(self._heads) - 1)
        while sum(map(len, self._heads)) > self._held_max and self._high - self._low > 1:
            self._high = (self._low + self._high) // 2
            self._keep(0)

    def add_named(self, subjects: pa.ChunkedArray, actor: _I64) -> None:
        """The persons of a column of lists of tokens."""
        array = subjects.cast(pa.list_(pa.binary(16))).combine_chunks()  # the engine gives bytes of any length
        named = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
        tokens = fixed_bytes(array.flatten())
        heads = np.ascontiguousarray(tokens[:, :8]).view(">u8").reshape(-1).astype(np.uint64)
        order = np.argsort(heads, kind="stable")
        self.add(heads[order], np.repeat(actor, named)[order])

    def count(self, actors: int) -> tuple[int, _I64]:
        """How many there are in all, and for each of so many actors, as far as they have been added; makes room."""
        by_actor = np.zeros(actors, np.int64)
        by_actor[: len(self._by_actor)] = self._by_actor
        width = max(1, (actors - 1).bit_length())
        bins = max(1, sum(map(len, self._heads)) // _SORTED)
        bounds = [self._low + (self._high - self._low) * i // bins for i in range(bins + 1)]
        with ThreadPoolExecutor(_THREADS) as threads:
            for persons, held in threads.map(lambda bound: self._counted(bound, width), pairwise(bounds)):
                self._total += persons
                by_actor += np.bincount(held, minlength=actors)
        self._by_actor = by_actor
        self._heads, self._actors = [], []
        self._low, self._high = self._high, _END
        return self._total, by_actor

    def _keep(self, first: int) -> None:
        """Of some parts only what lies between the bounds."""
        for i in range(first, len(self._heads)):
            start, end = _between(self._heads[i], self._low, self._high)
            if end - start < len(self._heads[i]):  # a copy, or the whole would stay in memory
                self._heads[i], self._actors[i] = self._heads[i][start:end].copy(), self._actors[i][start:end].copy()

    def _counted(self, bounds: tuple[int, int], width: int) -> tuple[int, _I64]:
        """Between two bounds, how many persons there are, and for each pair of person and actor the actor."""
        cuts = [_between(heads, *bounds) for heads in self._heads]
        heads = _joined(part[start:end] for part, (start, end) in zip(self._heads, cuts, strict=True))
        actors = _joined(part[start:end] for part, (start, end) in zip(self._actors, cuts, strict=True))
        if not len(heads):
            return 0, np.empty(0, np.int64)
        order = np.argsort(heads)
        heads = heads[order]
        person = np.cumsum(heads[1:] != heads[:-1])
        pairs = actors[order].astype(np.int64)
        pairs[1:] |= person << width
        return int(pairs[-1] >> width) + 1, _distinct(pairs) & ((1 << width) - 1)


def _between(heads: _U64, low: int, high: int) -> tuple[int, int]:
    start = int(np.searchsorted(heads, np.uint64(low)))
    return start, len(heads) if high == _END else int(np.searchsorted(heads, np.uint64(high)))


def _joined(parts: Iterable[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    given = list(parts)
    return np.concatenate(given) if given else np.empty(0, np.uint64)


def _distinct(values: _I64) -> _I64:
    """The distinct values in order."""
    ordered = np.sort(values)
    return ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))] if len(ordered) else ordered
