"""Seeded chance and the laws drawn from it.

Every component has a stream of its own, so that one that draws more numbers tomorrow leaves the others as they are.

What belongs to one of millions (a customer's street, the amount of an order) is not drawn but hashed from its number:
any day, on any machine, finds it again without drawing all the others first.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = [
    "DAY_US", "HOUR_US", "MINUTE_US", "SECOND_US", "Bools", "Chance", "Floats", "Hashes", "Ints", "Rng", "Weights", "below",
    "cumulated", "day_of", "hexadecimal", "hours", "in_order", "iso", "lognormal", "moments", "picked", "poisson", "ranks", "stream", "uniform",
    "weighted",
]  # fmt: skip

Bools = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Rng = np.random.Generator

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US


def stream(seed: int, component: str, *parts: int) -> Rng:
    """The chance of one component (and of one part of it: a day), independent of every other's."""
    return np.random.default_rng([seed, zlib.crc32(component.encode()), *parts])


class Chance:
    """Hashes that stand for draws: the same number gives the same one, in whatever order they are asked for.

    ``Chance(seed, "street")(position)`` is one 64-bit hash for each position; several keys make one.
    """

    __slots__ = ("_start",)

    def __init__(self, seed: int, component: str) -> None:
        self._start = _mixed(np.uint64(seed & _MASK) ^ _mixed(np.uint64(zlib.crc32(component.encode()) | 1 << 40)))

    def __call__(self, *keys: Ints | int) -> Hashes:
        """One hash for each element of the keys, which are broadcast against one another."""
        state: Hashes = np.atleast_1d(self._start)
        for key in keys:
            with np.errstate(over="ignore"):
                state = _mixed(state + np.asarray(key, dtype=np.int64).astype(np.uint64) * _GOLDEN + _GOLDEN)
        return state


_MASK: Final = (1 << 64) - 1
#: What a value and its position may take together, so that their sum has a sign.
_SORTED_BITS: Final = 62
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FACTORS: Final = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def _mixed(value: Any) -> Any:
    """The finisher of splitmix64: every bit of the result depends on every bit of the value."""
    with np.errstate(over="ignore"):
        value = (value ^ (value >> np.uint64(30))) * _FACTORS[0]
        value = (value ^ (value >> np.uint64(27))) * _FACTORS[1]
        return value ^ (value >> np.uint64(31))


def uniform(hashes: Hashes) -> Floats:
    """Hashes as numbers in [0, 1)."""
    shares: Floats = (hashes >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return shares


def below(hashes: Hashes, count: int) -> Ints:
    """Hashes as whole numbers in [0, count)."""
    return np.minimum((uniform(hashes) * count).astype(np.int64), count - 1)


def cumulated(weights: npt.ArrayLike) -> Floats:
    """Weights as the edges that `picked` wants: running sums that end at 1."""
    sums = np.cumsum(np.asarray(weights, dtype=np.float64))
    edges: Floats = sums / sums[-1]
    return edges


def poisson(hashes: Hashes, mean: Floats) -> Ints:
    """Counts by the law of Poisson with these means, one for each hash; for few different means."""
    share, found = uniform(hashes), np.zeros(len(hashes), dtype=np.int64)
    for one in np.unique(mean[mean > 0]).tolist():
        count = np.arange(1, int(one + 12 * one**0.5) + 20)
        edges = np.cumsum(np.exp(-one) * np.append(1.0, np.cumprod(one / count)))
        here = np.flatnonzero(mean == one)
        found[here] = np.searchsorted(edges, share[here], side="right")
    return found


def picked(hashes: Hashes, edges: Floats) -> Ints:
    """Positions in proportion to the weights behind ``edges``, one for each hash."""
    found: Ints = np.searchsorted(edges, uniform(hashes), side="right").astype(np.int64)
    return np.minimum(found, len(edges) - 1)


class Weights:
    """`picked` for thousands of weights: a table leads from a hash's first bits to its neighbourhood."""

    __slots__ = ("_edges", "_first", "_shift")

    def __init__(self, weights: npt.ArrayLike) -> None:
        self._edges = cumulated(weights)
        bits = len(self._edges).bit_length() + 1
        self._shift = np.uint64(64 - bits)
        self._first = np.searchsorted(self._edges, np.arange(1 << bits) / (1 << bits), side="right")

    def __call__(self, hashes: Hashes) -> Ints:
        """Positions in proportion to the weights, one for each hash."""
        share = uniform(hashes)
        found: Ints = self._first[hashes >> self._shift]
        # The last edge is 1, which no share reaches.
        beyond = np.flatnonzero(self._edges[found] <= share)
        while len(beyond):
            found[beyond] += 1
            beyond = beyond[self._edges[found[beyond]] <= share[beyond]]
        return found


def weighted(rng: Rng, weights: npt.ArrayLike, size: int) -> Ints:
    """Positions drawn in proportion to ``weights``."""
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    found = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
    positions: Ints = np.minimum(found, len(edges) - 1).astype(np.int64)
    return positions


def hours(rng: Rng, weights: Sequence[float], size: int) -> Ints:
    """Microseconds after midnight: the hour by 24 ``weights``, even within the hour, in whole milliseconds."""
    time: Ints = weighted(rng, weights, size) * HOUR_US + rng.integers(0, 3_600_000, size) * 1000
    return time


def lognormal(rng: Rng, median: float | Floats, sigma: float, size: int) -> Floats:
    """Lognormal values with that median."""
    return median * np.exp(sigma * rng.standard_normal(size))


def moments(rng: Rng, start: Ints, end: Ints) -> Ints:
    """One moment in each ``[start, end)``, in whole milliseconds."""
    time: Ints = start + (rng.random(len(start)) * np.maximum(end - start, 1)).astype(np.int64) // 1000 * 1000
    return time


def in_order(values: Ints) -> Ints:
    """Positions in the order of the values, equal ones in their own: a stable argsort at a third of its cost."""
    if not len(values):
        return np.empty(0, dtype=np.int64)
    low, bits = int(values.min()), len(values).bit_length()
    if (int(values.max()) - low).bit_length() + bits > _SORTED_BITS:
        return np.argsort(values, kind="stable")
    # With its position in the lower bits every number is another, so that it does not matter how they are sorted.
    order: Ints = np.sort((values - low << bits) + np.arange(len(values))) & ((1 << bits) - 1)
    return order


def ranks(values: Ints) -> Ints:
    """The place of each value among them all, equal ones in their own order."""
    found = np.empty(len(values), dtype=np.int64)
    found[in_order(values)] = np.arange(len(values))
    return found


def hexadecimal(rng: Rng, digits: int, size: int) -> list[str]:
    """Random lower-case hexadecimal texts of an even number of digits."""
    text = rng.bytes(digits // 2 * size).hex()
    return [text[i : i + digits] for i in range(0, digits * size, digits)]


def day_of(times: Ints) -> Ints:
    """The first microsecond of each time's day, UTC."""
    return times - times % DAY_US


def iso(times: Ints, unit: str = "s") -> list[str]:
    """ISO 8601 texts without a zone, to the second (``s``), the millisecond (``ms``) or the day (``D``)."""
    texts: list[str] = np.datetime_as_string(times.astype("datetime64[us]").astype(f"datetime64[{unit}]")).tolist()
    return texts
