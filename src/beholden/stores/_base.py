"""What all connectors share: how they name things in errors, count what they left out, and keep to a rate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Self

import pyarrow as pa

from beholden.core.errors import SourceError, UsageError
from beholden.core.limits import BATCH_ROWS, LISTED_PROBLEMS_MAX
from beholden.stores.connector import FIND_VALUES_MAX, Shortfall

__all__ = [
    "READ_CHARS_MAX",
    "SAMPLE_BYTES_MAX",
    "SAMPLE_CHARS_MAX",
    "BaseConnector",
    "Pace",
    "check_find_values",
    "listed_names",
]

#: Characters (or bytes) of one value that ``read`` and ``find`` hand on.
READ_CHARS_MAX: Final = 16 * 1024 * 1024
#: Characters (or bytes) of one value that ``sample`` hands on: room for a JSON document, not for an archive.
SAMPLE_CHARS_MAX: Final = 64 * 1024
#: Bytes that one sample may hold or look through.
SAMPLE_BYTES_MAX: Final = 64 * 1024 * 1024


class Pace:
    """Keeps the rows handed on under a rate, by waiting. Without a rate it never waits."""

    def __init__(
        self, rows_per_second: int | None, clock: Callable[[], float], sleep: Callable[[float], object]
    ) -> None:
        self._rows_per_second = rows_per_second
        self._clock = clock
        self._sleep = sleep
        self._free_at = 0.0

    def spend(self, rows: int) -> None:
        """Account for ``rows`` just read; returns when the next ones may be asked for."""
        if self._rows_per_second is None:
            return
        now = self._clock()
        self._free_at = max(self._free_at, now) + rows / self._rows_per_second
        self._sleep(self._free_at - now)


class BaseConnector:
    """Names, shortfalls, pace and life time; a connector adds how its store is read."""

    def __init__(self, name: str, pace: Pace) -> None:
        self._name = name
        self._pace = pace
        self._shortfalls: dict[tuple[str, str, bool], int] = {}

    def shortfalls(self) -> tuple[Shortfall, ...]:
        """See `Connector.shortfalls`."""
        found = sorted(self._shortfalls.items())
        return tuple(Shortfall(path, reason, count, rows) for (path, reason, rows), count in found)

    def close(self) -> None:
        """See `Connector.close`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _note(self, path: str, reason: str, count: int, *, rows: bool = False) -> None:
        """Remember what one call left out: the most that any call met, so that a second look does not double it."""
        key = (path, reason, rows)
        if count and (key in self._shortfalls or len(self._shortfalls) < LISTED_PROBLEMS_MAX):
            self._shortfalls[key] = max(count, self._shortfalls.get(key, 0))

    def _error(self, found: str, path: str | None = None, *, expected: str = "", advice: str = "") -> SourceError:
        where = f"store {self._name}" if path is None else f"dataset {self._name}/{path[:200]}"
        return SourceError(where, found, expected=expected, advice=advice)

    def _no_field(self, field: str, path: str, known: Sequence[str]) -> SourceError:
        return self._error(
            f"has no field '{field[:80]}'",
            path,
            expected=f"one of {listed_names(known)}" if known else "a dataset with fields",
            advice="scan the store again if its tables changed",
        )

    def _paced(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches without empty ones, none longer than `BATCH_ROWS`, at the store's pace."""
        for batch in batches:
            for start in range(0, batch.num_rows, BATCH_ROWS):
                part = batch.slice(start, BATCH_ROWS)
                self._pace.spend(part.num_rows)
                yield part


def listed_names(names: Sequence[str]) -> str:
    """The first names of fields, for a message: no long list, no long name."""
    return ", ".join(name[:80] for name in names[:20]) + (", …" if len(names) > 20 else "")


def check_find_values(values: Sequence[str]) -> list[str]:
    """The distinct values in their order; `UsageError` when there are too many."""
    if len(values) > FIND_VALUES_MAX:
        raise UsageError("find", f"{len(values)} values in one call", expected=f"at most {FIND_VALUES_MAX}")
    return list(dict.fromkeys(values))
