"""What the record cannot say about a window: silent sources, time before the first record, records not understood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from beholden.core.config import Config
from beholden.core.times import Window, format_time
from beholden.core.unknown import Unknown
from beholden.ledger.forgetting import ERASURES
from beholden.ledger.index import HOUR_US, Summary
from beholden.ledger.own import LEDGER_SOURCE
from beholden.ledger.snapshot import Snapshot
from beholden.ledger.touched import record_of_sources
from beholden.state import State
from beholden.state.ingests import IngestRow, ingest_rows
from beholden.stores import place_of

__all__ = ["gaps", "stores_on_record"]

_DAY_US: Final = 24 * HOUR_US
#: An hour counts as silent when the same hour of other days usually has at least this many events.
_USUAL_EVENTS_MIN: Final = 5
#: So many silent hours in a row are a gap.
_SILENT_HOURS_MIN: Final = 3
#: Days of record needed before silence can be told from habit.
_DAYS_MIN: Final = 3
#: Gaps of one source listed one by one, the longest first; the others are counted.
_GAPS_MAX: Final = 100
#: Clocks differ by a little; an event further in the future than this was dated by a wrong one.
_SKEW_US: Final = HOUR_US
#: Events are late when they came this many times later than most of their source; and a day at least.
_USUAL_SHARE: Final = 0.95
_LATE_BITS_MIN: Final = 17

_I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Reach:
    """A source's record up to now: the stores it speaks of, its first and last event, and its hours that have any.

    ``hours`` are numbers since 1970 in order, ``events`` how many each has. ``ahead`` counts events of hours that are
    still to come. ``rows`` is all of it.
    """

    source: str
    stores: frozenset[str]
    hours: _I64
    events: _I64
    first: int
    last: int
    ahead: int
    rows: Summary

    def about(self) -> str:
        """How people call it."""
        others = sorted(self.stores - {self.source})
        return f"{self.source} ({', '.join(others)})" if others else self.source


def gaps(
    state: State,
    config: Config,
    snapshot: Snapshot,
    *,
    window: Window,
    stores: Collection[str] | None,
    now: int,
) -> list[Unknown]:
    """What an answer about ``stores`` (None: all declared) in ``window`` rests on and what it lacks."""
    wanted = sorted({store.name for store in config.store} if stores is None else set(stores))
    mine = _reaches(record_of_sources(snapshot), None if stores is None else set(wanted), now)
    readings = ingest_rows(state)
    shared = _of_same_servers(config, wanted)
    found = list(_unrecorded(wanted, mine, readings, shared))
    found += _pruned(snapshot, window)
    for reach in mine:
        found += _edges(reach, window, now)
        found += _silences(reach, window)
        found += _latecomers(reach, window)
    found += _unnumbered(mine)
    found += [Unknown.of("index", error.where, error.found) for error in snapshot.indexes.refused]
    sources = {reach.source for reach in mine} | set(wanted) | {name for names in shared.values() for name in names}
    found += _readings([row for row in readings if stores is None or row.source in sources])
    read = {row.log for row in readings}
    found += [
        Unknown.of("log", log.name, "declared but never read")
        for log in config.log
        if log.name not in read and (stores is None or log.store is None or log.store in wanted)
    ]
    return found


def stores_on_record(snapshot: Snapshot) -> set[str]:
    """The stores of which there are events, declared or not."""
    return {store for _, store in record_of_sources(snapshot).pairs if store is not None}


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


def _reaches(record: Summary, stores: set[str] | None, now: int) -> list[_Reach]:
    """Of the sources that speak of these stores; of all for None. What ledger and vault say of themselves is none of a store."""
    told: dict[str, set[str]] = {}
    for source, store in record.pairs:
        told.setdefault(source, set()).update([] if store is None else [store])
    found = []
    for source in sorted(told.keys() - {LEDGER_SOURCE, ERASURES}):
        if stores is None or told[source] & stores:
            pairs = np.array([name == source for name, _ in record.pairs], np.bool_)
            found.append(_reach(source, frozenset(told[source]), record.only(pairs[record.pair]), now))
    return found


def _reach(source: str, stores: frozenset[str], rows: Summary, now: int) -> _Reach:
    """One event of a wrong clock must not hide that a log has stopped: what lies ahead of now is no record of now."""
    past = rows.hour * HOUR_US <= now + _SKEW_US
    ahead = int(rows.events[~past].sum())
    span = rows.only(past) if past.any() else rows
    hours, places = np.unique(rows.hour[past], return_inverse=True)
    events = np.bincount(places, rows.events[past], len(hours)).astype(np.int64)
    return _Reach(source, stores, hours, events, int(span.first.min()), int(span.last.max()), ahead, rows)


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
    if not len(reach.hours) or reach.last - reach.first < _DAYS_MIN * _DAY_US:
        return []
    usual = _usual_hours(reach)
    gaps: list[tuple[int, int]] = []  # silent hours, start
    long = np.flatnonzero(np.diff(reach.hours) > _SILENT_HOURS_MIN)
    for before, after in zip(reach.hours[long].tolist(), reach.hours[long + 1].tolist(), strict=True):
        start, end = (before + 1) * HOUR_US, after * HOUR_US
        if window.start is not None:
            start = max(start, window.start - window.start % HOUR_US)
        if window.end is not None:
            end = min(end, window.end)
        if end - start >= _SILENT_HOURS_MIN * HOUR_US and _in_a_row(usual, start, end) >= _SILENT_HOURS_MIN:
            gaps.append((_count(usual, start, end), start))
    gaps.sort(key=lambda gap: (-gap[0], gap[1]))
    found = [
        Unknown.of("gap", reach.about(), f"no event for {hours} hours that usually have some", since_us=start)
        for hours, start in sorted(gaps[:_GAPS_MAX], key=lambda gap: gap[1])
    ]
    if gaps[_GAPS_MAX:]:
        found.append(Unknown.of("gap", reach.about(), "shorter gaps than these", count=len(gaps) - _GAPS_MAX))
    return found


def _usual_hours(reach: _Reach) -> frozenset[int]:
    """Hours of the day that usually have events, among days that have any."""
    first, last = int(reach.hours[0]), int(reach.hours[-1])
    days, places = np.unique(reach.hours // 24, return_inverse=True)
    events = np.zeros((len(days), 24), np.int64)
    events[places, reach.hours % 24] = reach.events
    hours = days[:, None] * 24 + np.arange(24)
    on_record = (hours >= first) & (hours <= last)
    return frozenset(
        place
        for place in range(24)
        if on_record[:, place].any() and np.median(events[on_record[:, place], place]) >= _USUAL_EVENTS_MIN
    )


def _latecomers(reach: _Reach, window: Window) -> Iterator[Unknown]:
    """Events of the window that came in after its end, far later than this source's usually do.

    More of them may be to come. How late an event came is known to a factor of two.
    """
    rows = reach.rows
    if window.end is None or not len(rows.late):
        return
    order = np.argsort(rows.late, kind="stable")
    share = np.cumsum(rows.events[order]) / rows.events.sum()
    usual = int(rows.late[order][np.searchsorted(share, _USUAL_SHARE)])
    late = rows.late >= max(usual + 2, _LATE_BITS_MIN)
    came = rows.last + (np.int64(1) << np.clip(rows.late - 1, 0, 40)) * 1_000_000  # at the earliest
    begins = np.ones(len(late), np.bool_) if window.start is None else rows.last >= window.start
    count = int(rows.events[late & begins & (rows.first < window.end) & (came >= window.end)].sum())
    if count:
        reason = "events of this time came in long after it, later than usual: more of them may be to come"
        yield Unknown.of("late", reach.about(), reason, count=count)


def _unnumbered(reaches: Sequence[_Reach]) -> Iterator[Unknown]:
    """What no log tells: whether single records are missing. Where a log numbers its records, the numbers are not kept."""
    if reaches:
        reason = "whether single records are missing is not known: no numbers of the logs' own are on record"
        yield Unknown.of("sequence", "all logs", reason, count=len(reaches))


def _count(usual: Collection[int], start: int, end: int) -> int:
    """Usual hours in ``[start, end)``, however long that is."""
    days, rest = divmod(-(-(end - start) // HOUR_US), 24)
    return days * len(usual) + sum((start // HOUR_US + i) % 24 in usual for i in range(rest))


def _in_a_row(usual: Collection[int], start: int, end: int) -> int:
    """The longest run of usual hours in ``[start, end)``; two days hold every run there is."""
    longest = run = 0
    for hour in range(start, min(end, start + 2 * _DAY_US), HOUR_US):
        run = run + 1 if hour // HOUR_US % 24 in usual else 0
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
