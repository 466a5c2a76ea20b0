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
from beholden.core.times import Window, format_time, parse_time
from beholden.core.unknown import Unknown
from beholden.engine import Engine, load_sql
from beholden.ledger.forgetting import ERASURES
from beholden.ledger.log import Snapshot
from beholden.ledger.own import LEDGER_SOURCE
from beholden.state import State
from beholden.state.ingests import IngestRow, ingest_rows
from beholden.stores import place_of

__all__ = ["gaps", "stores_on_record"]

_HOUR_US: Final = 3_600_000_000
_DAY_US: Final = 24 * _HOUR_US
#: An hour counts as silent when the same hour of other days usually has at least this many events.
_USUAL_EVENTS_MIN: Final = 5
#: So many silent hours in a row are a gap.
_SILENT_HOURS_MIN: Final = 3
#: Days of record needed before silence can be told from habit.
_DAYS_MIN: Final = 3
#: Gaps of one source listed one by one, the longest first; the others are counted.
_GAPS_MAX: Final = 100
#: Clocks differ by a little; an event further in the future than this was dated by a wrong one.
_SKEW_US: Final = _HOUR_US


@dataclass(frozen=True, slots=True)
class _Reach:
    """A source's record up to now: the stores it speaks of, events by hour (its start in microseconds), first and last.

    ``ahead`` counts events of hours that are still to come.
    """

    source: str
    stores: frozenset[str]
    hours: dict[int, int]
    first: int
    last: int
    ahead: int

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
    reaches = _reaches(snapshot, engine, now)
    wanted = sorted({store.name for store in config.store} if stores is None else set(stores))
    mine = [reach for reach in reaches if stores is None or reach.stores & set(wanted)]
    readings = ingest_rows(state)
    shared = _of_same_servers(config, wanted)
    found = list(_unrecorded(wanted, mine, readings, shared))
    found += _pruned(snapshot, window)
    for reach in mine:
        found += _edges(reach, window, now)
        found += _silences(reach, window)
    sources = {reach.source for reach in mine} | set(wanted) | {name for names in shared.values() for name in names}
    found += _readings([row for row in readings if stores is None or row.source in sources])
    read = {row.log for row in readings}
    found += [
        Unknown.of("log", log.name, "declared but never read")
        for log in config.log
        if log.name not in read and (stores is None or log.store is None or log.store in wanted)
    ]
    return found


def stores_on_record(snapshot: Snapshot, engine: Engine) -> set[str]:
    """The stores of which there are events, declared or not."""
    table = engine.run(load_sql("beholden.ledger", "sources.sql"), {}, {"events": snapshot.source()})
    return {store for store in table.column("store").to_pylist() if store is not None}


def _of_same_servers(config: Config, stores: Collection[str]) -> dict[str, set[str]]:
    """For each of these stores whose record may hold its accesses too: the other databases' of its server."""
    servers = {store.name: place[0] for store in config.store if (place := place_of(store.url)) is not None}
    found: dict[str, set[str]] = {}
    for name in stores:
        beside = {other for other, server in servers.items() if other != name and server == servers.get(name)}
        logs = {log.server or log.store or log.name for log in config.log if log.store in beside}
        found[name] = beside | logs
    return found


def _unrecorded(
    wanted: Collection[str], reaches: Sequence[_Reach], readings: Sequence[IngestRow], shared: Mapping[str, set[str]]
) -> Iterator[Unknown]:
    """Stores of which the record tells nothing."""
    read = {row.source for row in readings if row.understood or not row.not_understood}
    for store in wanted:
        if not any(store in reach.stores for reach in reaches):
            is_read = not read.isdisjoint({store, *shared[store]})
            why = "its log was read and tells of none" if is_read else "no log of it was read"
            yield Unknown.of("log", store, f"no access to this store is on record: {why}")


def _pruned(snapshot: Snapshot, window: Window) -> Iterator[Unknown]:
    """That time asked about was on record and is no more, which is not the same as never recorded."""
    pruned = snapshot.manifest.pruned
    if pruned is None or (window.start is not None and window.start > pruned.record.time_max):
        return
    policies = ", ".join(map(str, pruned.record.policies))
    reason = (
        f"events, the newest of {format_time(pruned.record.time_max)}, were on record and have been pruned, "
        f"last on {format_time(pruned.time)[:10]} under {policies}"
    )
    yield Unknown.of("pruned", "ledger", reason, count=snapshot.manifest.first_seq)


def _reaches(snapshot: Snapshot, engine: Engine, now: int) -> list[_Reach]:
    table = engine.run(load_sql("beholden.ledger", "sources.sql"), {}, {"events": snapshot.source()})
    by_source: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in table.to_pylist():
        if row["source"] not in (
            LEDGER_SOURCE,
            ERASURES,
        ):  # what ledger and vault say of themselves is no record of a store
            by_source[row["source"]].append(row)
    return [_reach(source, rows, now) for source, rows in by_source.items()]


def _reach(source: str, rows: Sequence[Mapping[str, Any]], now: int) -> _Reach:
    """One event of a wrong clock must not hide that a log has stopped: what lies ahead of now is no record of now."""
    hours: Counter[int] = Counter()
    ahead = 0
    past = []
    for row in rows:
        hour = _micros(row["hour"])
        if hour <= now + _SKEW_US:
            hours[hour] += row["events"]
            past.append(row)
        else:
            ahead += row["events"]
    span = past or rows
    return _Reach(
        source,
        frozenset(row["store"] for row in rows if row["store"] is not None),
        dict(hours),
        min(_micros(row["first"]) for row in span),
        max(_micros(row["last"]) for row in span),
        ahead,
    )


def _micros(moment: datetime) -> int:
    return parse_time(moment.isoformat())


def _edges(reach: _Reach, window: Window, now: int) -> Iterator[Unknown]:
    """Time asked about that lies before the first or after the last record, in one line; records from the future.

    However short it is, it is said: nobody knows whether nothing happened since, or nothing was written down or read.
    """
    before = window.start is None or window.start < reach.first
    end = min(window.end if window.end is not None else now, now)
    after = end > reach.last or (window.start is not None and window.start > reach.last)
    if before and after:
        reason = f"nothing is recorded before {format_time(reach.first)}, nor after the last event"
        yield Unknown.of("window", reach.about(), reason, since_us=reach.last)
    elif before:
        yield Unknown.of("window", reach.about(), "nothing is recorded before the first event", since_us=reach.first)
    elif after:
        yield Unknown.of("window", reach.about(), "nothing is recorded after the last event", since_us=reach.last)
    if reach.ahead:
        reason = "events dated in the future: a clock is or was wrong, and their true time is not known"
        yield Unknown.of("clock", reach.about(), reason, count=reach.ahead)


def _silences(reach: _Reach, window: Window) -> list[Unknown]:
    """Times without any event in which several hours in a row usually have some."""
    if not reach.hours or reach.last - reach.first < _DAYS_MIN * _DAY_US:
        return []
    usual = _usual_hours(reach.hours)
    gaps: list[tuple[int, int]] = []  # silent hours, start
    for before, after in itertools.pairwise(sorted(reach.hours)):
        start, end = before + _HOUR_US, after
        if window.start is not None:
            start = max(start, window.start - window.start % _HOUR_US)
        if window.end is not None:
            end = min(end, window.end)
        if end - start >= _SILENT_HOURS_MIN * _HOUR_US and _in_a_row(usual, start, end) >= _SILENT_HOURS_MIN:
            gaps.append((_count(usual, start, end), start))
    gaps.sort(key=lambda gap: (-gap[0], gap[1]))
    found = [
        Unknown.of("gap", reach.about(), f"no event for {hours} hours that usually have some", since_us=start)
        for hours, start in sorted(gaps[:_GAPS_MAX], key=lambda gap: gap[1])
    ]
    if gaps[_GAPS_MAX:]:
        found.append(Unknown.of("gap", reach.about(), "shorter gaps than these", count=len(gaps) - _GAPS_MAX))
    return found


def _usual_hours(hours: Mapping[int, int]) -> frozenset[int]:
    """Hours of the day that usually have events, among days that have any."""
    first, last = min(hours), max(hours)
    by_hour: dict[int, list[int]] = defaultdict(list)
    for day in sorted({hour // _DAY_US for hour in hours}):
        for place in range(24):
            hour = day * _DAY_US + place * _HOUR_US
            if first <= hour <= last:
                by_hour[place].append(hours.get(hour, 0))
    return frozenset(place for place, counts in by_hour.items() if statistics.median(counts) >= _USUAL_EVENTS_MIN)


def _count(usual: Collection[int], start: int, end: int) -> int:
    """Usual hours in ``[start, end)``, however long that is."""
    days, rest = divmod(-(-(end - start) // _HOUR_US), 24)
    return days * len(usual) + sum((start // _HOUR_US + i) % 24 in usual for i in range(rest))


def _in_a_row(usual: Collection[int], start: int, end: int) -> int:
    """The longest run of usual hours in ``[start, end)``; two days hold every run there is."""
    longest = run = 0
    for hour in range(start, min(end, start + 2 * _DAY_US), _HOUR_US):
        run = run + 1 if hour // _HOUR_US % 24 in usual else 0
        longest = max(longest, run)
    return longest


def _readings(rows: Sequence[IngestRow]) -> Iterator[Unknown]:
    """Records not understood or put right, and readings that did not end, where no later reading made that good."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if not row.unsettled:
            continue
        for reason, count in row.not_understood.items():
            counts[row.log, reason] += count
        for what, count in row.mended.items():
            counts[row.log, f"kept, with a part that was put right: {what}"] += count
        if row.finished is None:
            reason = "a reading of it was stopped before the end"
            yield Unknown.of("log", row.log, reason, since_us=row.started)
    for (log, reason), count in counts.items():
        yield Unknown.of("records", log, reason, count=count)
