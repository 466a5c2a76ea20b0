"""What the record cannot say about a window: silent sources, time before the first record, records not understood."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from beholden.core.config import Config
from beholden.core.times import Window, parse_time
from beholden.core.unknown import Unknown
from beholden.engine import Engine, load_sql
from beholden.ledger.log import Snapshot
from beholden.state import State
from beholden.state.ingests import IngestRow, ingest_rows

__all__ = ["gaps"]

_HOUR_US: Final = 3_600_000_000
_DAY_US: Final = 24 * _HOUR_US
#: An hour counts as silent when the same hour of other days usually has at least this many events.
_USUAL_EVENTS_MIN: Final = 5
#: So many silent hours in a row are a gap.
_SILENT_HOURS_MIN: Final = 3
#: Days of record needed before silence can be told from habit.
_DAYS_MIN: Final = 3


@dataclass(frozen=True, slots=True)
class _Reach:
    """A source's record: the stores it speaks of, events by hour (hour start in microseconds), first and last."""

    source: str
    stores: frozenset[str]
    hours: dict[int, int]
    first: int
    last: int

    def about(self) -> str:
        """How people call it."""
        others = sorted(self.stores - {self.source})
        return f"{self.source} ({', '.join(others)})" if others else self.source


def gaps(
    state: State,
    config: Config,
    snapshot: Snapshot,
    engine: Engine,
    *,
    window: Window,
    stores: Collection[str] | None,
    now: int,
) -> list[Unknown]:
    """What an answer about ``stores`` (None: all declared) in ``window`` rests on and what it lacks."""
    reaches = _reaches(snapshot, engine)
    wanted = sorted({store.name for store in config.store} if stores is None else set(stores))
    found: list[Unknown] = []
    readings = ingest_rows(state)
    mine = [reach for reach in reaches if reach.stores & set(wanted)]
    found += [
        Unknown.of("log", store, "no access to this store is on record: no log of it was read")
        for store in wanted
        if not any(store in reach.stores for reach in mine)
    ]
    for reach in mine:
        found += _edges(reach, window, now)
        found += _silences(reach, window)
    sources = {reach.source for reach in mine} | set(wanted)
    found += _readings([row for row in readings if row.source in sources])
    read = {row.log for row in readings}
    found += [
        Unknown.of("log", log.name, "declared but never read")
        for log in config.log
        if log.name not in read and (log.store is None or log.store in wanted)
    ]
    return found


def _reaches(snapshot: Snapshot, engine: Engine) -> list[_Reach]:
    table = engine.run(load_sql("beholden.ledger", "sources.sql"), {}, {"events": snapshot.source()})
    by_source: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in table.to_pylist():
        by_source[row["source"]].append(row)
    return [_reach(source, rows) for source, rows in by_source.items()]


def _reach(source: str, rows: Sequence[Mapping[str, Any]]) -> _Reach:
    hours: Counter[int] = Counter()
    for row in rows:
        hours[_micros(row["hour"])] += row["events"]
    return _Reach(
        source,
        frozenset(row["store"] for row in rows if row["store"] is not None),
        dict(hours),
        min(_micros(row["first"]) for row in rows),
        max(_micros(row["last"]) for row in rows),
    )


def _micros(moment: datetime) -> int:
    return parse_time(moment.isoformat())


def _edges(reach: _Reach, window: Window, now: int) -> Iterator[Unknown]:
    """Time asked about that lies before the first or well after the last record."""
    if window.start is None or window.start < reach.first:
        yield Unknown.of("window", reach.about(), "nothing is recorded before the first event", since_us=reach.first)
    end = min(window.end if window.end is not None else now, now)
    if end - reach.last > _DAY_US:
        yield Unknown.of("window", reach.about(), "nothing is recorded after the last event", since_us=reach.last)


def _silences(reach: _Reach, window: Window) -> Iterator[Unknown]:
    """Hours without an event that usually have some."""
    if reach.last - reach.first < _DAYS_MIN * _DAY_US:
        return
    hours = range(min(reach.hours), max(reach.hours) + 1, _HOUR_US)
    by_hour: dict[int, list[int]] = defaultdict(list)
    for hour in hours:
        by_hour[hour // _HOUR_US % 24].append(reach.hours.get(hour, 0))
    usual = {hour: statistics.median(counts) for hour, counts in by_hour.items()}

    def is_silent(hour: int) -> bool:
        return reach.hours.get(hour, 0) == 0 and usual[hour // _HOUR_US % 24] >= _USUAL_EVENTS_MIN

    for silent, run in itertools.groupby((hour for hour in hours if _touches(hour, window)), key=is_silent):
        silence = list(run)
        if silent and len(silence) >= _SILENT_HOURS_MIN:
            reason = f"no event for {len(silence)} hours that usually have some"
            yield Unknown.of("gap", reach.about(), reason, since_us=silence[0])


def _touches(hour: int, window: Window) -> bool:
    return (window.start is None or hour + _HOUR_US > window.start) and (window.end is None or hour < window.end)


def _readings(rows: Sequence[IngestRow]) -> Iterator[Unknown]:
    """Records that were not understood, and readings that did not come to their end. The last reading of a file counts."""
    last = {(row.log, row.file): row for row in rows}
    for row in last.values():
        for reason, count in row.not_understood.items():
            yield Unknown.of("records", row.log, reason, count=count)
        if row.finished is None:
            yield Unknown.of("log", row.log, "its last reading was stopped before the end", since_us=row.started)
