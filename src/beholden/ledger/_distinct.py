"""Counting distinct persons over many segments, in all and for each actor, with bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.errors import LimitError
from beholden.ledger.index import SegmentIndex
from beholden.ledger.index.tokens import fixed_bytes

__all__ = ["DistinctPersons"]

_I64 = npt.NDArray[np.int64]
_U64 = npt.NDArray[np.uint64]
#: Persons are parted into so many bins by the first bits of their tokens.
_BIN_BITS: Final = 12
#: Pairs of person and actor that are held, 12 bytes each.
_HELD_MAX: Final = 120_000_000


class DistinctPersons:
    """Distinct persons by the leading bits of their random tokens: 64, and less those that number the actors plus 12.

    With 2^15 actors these are 61 bits. Among n persons two share them with a chance of n^2 / 2^62, and are then counted as
    one: for 24 million persons one in 8,000, for 100 million one in 460.
    """

    def __init__(self) -> None:
        self._heads: list[_U64] = []
        self._actors: list[_I64] = []
        self._held = 0

    def add(self, index: SegmentIndex, events: _I64, actor: _I64) -> None:
        """The persons that some events of an index name; ``actor`` numbers who acted."""
        named, places = index.subjects(events)
        heads = index.tokens("subject").heads
        width = max(1, int(actor.max()).bit_length()) if len(actor) else 1
        pairs = _distinct((places << width) | np.repeat(actor, named))  # of the segment: in order of the tokens
        self._keep(heads[pairs >> width].astype(np.uint64), pairs & ((1 << width) - 1))

    def add_named(self, subjects: pa.ChunkedArray, actor: _I64) -> None:
        """The persons of a column of lists of tokens."""
        array = subjects.cast(pa.list_(pa.binary(16))).combine_chunks()  # the engine gives bytes of any length
        named = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
        tokens = fixed_bytes(array.flatten())
        heads = np.ascontiguousarray(tokens[:, :8]).view(">u8").reshape(-1).astype(np.uint64)
        order = np.argsort(heads, kind="stable")
        self._keep(heads[order], np.repeat(actor, named)[order])

    def _keep(self, heads: _U64, actors: _I64) -> None:
        """``heads`` are in order."""
        self._held += len(heads)
        if self._held > _HELD_MAX:
            raise LimitError(
                "who --dossier", f"more than {_HELD_MAX:,} persons were reached, each counted for each actor and segment",
                advice="ask for less at a time: a shorter window, fewer datasets",
            )  # fmt: skip
        self._heads.append(heads)
        self._actors.append(actors.astype(np.uint32))

    def count(self, actors: int) -> tuple[int, _I64]:
        """How many there are in all, and for each of so many actors."""
        width = max(1, (actors - 1).bit_length())
        by_actor = np.zeros(actors, np.int64)
        total = 0
        for keys in self._bins(width):
            by_actor += np.bincount((keys & np.uint64((1 << width) - 1)).astype(np.int64), minlength=actors)
            total += _changes(keys >> np.uint64(width))
        return total, by_actor

    def _bins(self, width: int) -> Iterator[_U64]:
        """Bin by bin, the distinct pairs: bits of the token after the bin's, then the actor's number."""
        bounds = np.arange(1 << _BIN_BITS, dtype=np.uint64) << np.uint64(64 - _BIN_BITS)
        cuts = [np.append(np.searchsorted(heads, bounds), len(heads)) for heads in self._heads]
        low = np.uint64((1 << width) - 1)
        for number in range(1 << _BIN_BITS):
            parts = [
                ((heads[cut[number] : cut[number + 1]] << np.uint64(_BIN_BITS)) & ~low)
                | actors[cut[number] : cut[number + 1]].astype(np.uint64)
                for heads, actors, cut in zip(self._heads, self._actors, cuts, strict=True)
            ]
            yield _distinct(np.concatenate(parts)) if parts else np.empty(0, np.uint64)


def _distinct(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The distinct values in order."""
    ordered = np.sort(values)
    return ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))] if len(ordered) else ordered


def _changes(ordered: _U64) -> int:
    """How many distinct values there are."""
    return int((ordered[1:] != ordered[:-1]).sum()) + 1 if len(ordered) else 0
