"""Seeded chance and the laws drawn from it.

Every component has a stream of its own, so that one that draws more numbers tomorrow leaves the others as they are.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = [
    "DAY_US", "HOUR_US", "MINUTE_US", "SECOND_US", "Floats", "Ints", "Rng", "day_of", "hexadecimal", "hours", "iso",
    "lognormal", "moments", "stream", "weighted",
]  # fmt: skip

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Rng = np.random.Generator

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US


def stream(seed: int, component: str) -> Rng:
    """The chance of one component, independent of every other component's."""
    return np.random.default_rng([seed, zlib.crc32(component.encode())])


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
