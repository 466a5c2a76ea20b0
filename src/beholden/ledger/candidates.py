"""Which events a question has to look at: all that may match, found by the indexes of the segments.

The same SQL answers over these as over everything. Segments without an index are asked whole.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.events import EVENTS
from beholden.core.times import Window
from beholden.engine import TableSource
from beholden.ledger.index import INDEXED, SegmentIndex
from beholden.ledger.segments import read_columns
from beholden.ledger.snapshot import Snapshot

__all__ = ["Sought", "fetch", "found_in", "inside", "sources_of"]

_I64 = npt.NDArray[np.int64]
#: Segments that are read at a time.
_THREADS: Final = 2
#: A read of these scopes may have reached anybody.
_WIDE: Final = ("table", "predicate")


@dataclass(frozen=True, slots=True)
class Sought:
    """What an event must have to be looked at; None is any. Events beyond these may be given too, ``devices`` excepted.

    ``datasets`` are stores and datasets. With a ``subject`` they are those of which a read that does not name the
    person may have reached them; of ``mixed`` ones also a read that names others.
    """

    window: Window
    datasets: frozenset[tuple[str, str]] | None = None
    mixed: frozenset[tuple[str, str]] = frozenset()
    subject: bytes | None = None
    actors: Collection[bytes] | None = None
    credentials: Collection[bytes] | None = None
    devices: Collection[bytes] | None = None


def sources_of(snapshot: Snapshot, sought: Sought) -> TableSource:
    """The events to look at, in the columns of `INDEXED`."""
    indexed: list[tuple[SegmentIndex, Path]] = []
    others: list[Path] = []
    for segment, path in zip(snapshot.manifest.segments, snapshot.segments, strict=True):
        if not sought.window.overlaps(segment.time_min, segment.time_max):
            continue
        index = snapshot.indexes.of.get(segment.file)
        if index is not None:
            indexed.append((index, path))
        else:
            others.append(path)
    with ThreadPoolExecutor(_THREADS) as threads:
        found = threads.map(lambda one: _of_index(one[0], one[1], sought), indexed)
        tables = [table for table in found if table is not None]
    whole: list[Path] = []
    if sought.devices is None:
        whole = others
    else:
        held = (read_columns(path, path.name, [*INDEXED.names, "device"]) for path in others)
        tables += [_of_devices(events, sought.devices) for events in held]
    recent = snapshot.recent
    recent = recent.select(INDEXED.names) if sought.devices is None else _of_devices(recent, sought.devices)
    return TableSource(table=pa.concat_tables([*tables, recent]), parquet=tuple(whole), schema=INDEXED)


def _of_index(index: SegmentIndex, path: Path, sought: Sought) -> pa.Table | None:
    """The events of a segment to look at, if there are any."""
    if sought.datasets is None and sought.subject is None:
        index = index.again()
    found = found_in(
        index, sought, lambda rows: read_columns(path, path.name, ["device"])["device"].take(pa.array(rows))
    )
    return index.table(found) if len(found) else None


def found_in(index: SegmentIndex, sought: Sought, devices: Callable[[_I64], pa.Array]) -> _I64:
    """The events of an index to look at, in rising order; ``devices`` reads those of some rows of its segment."""
    if sought.subject is not None:
        parts = [index.naming(sought.subject), *_around(index, sought)]
        events = np.unique(np.concatenate(parts))
    elif sought.datasets is not None:
        events = np.concatenate([np.empty(0, np.int64), *_ranges(index, sought.datasets)])
    else:
        events = np.arange(index.events)
    if sought.devices is not None:
        events = events[_is_device(devices(index.rows(events)), sought.devices).to_numpy(zero_copy_only=False)]
    for column, tokens in (("actor", sought.actors), ("credential", sought.credentials)):
        if tokens is not None and len(events):
            codes = index.codes(column, tokens)
            if not len(codes):
                return np.empty(0, np.int64)
            wanted = np.zeros(len(index.tokens(column)) + 1, np.bool_)
            wanted[codes] = True
            events = events[wanted[index.column(column, events)]]
    if sought.window != Window():
        events = events[inside(sought.window, index.times(events))]
    return events


def _ranges(index: SegmentIndex, datasets: Collection[tuple[str, str]]) -> Iterator[_I64]:
    places = (index.place_of(*name) for name in datasets)
    for place in sorted(place for place in places if place is not None):
        yield np.arange(*index.range_of(place))


def _around(index: SegmentIndex, sought: Sought) -> Iterator[_I64]:
    """Events that may have reached the person without naming them."""
    is_wide, is_named = (np.zeros(len(index.values("scope")) + 1, np.bool_) for _ in range(2))
    is_wide[index.codes("scope", _WIDE)] = True
    is_named[index.codes("scope", ["subjects"])] = True
    for name in sought.datasets or ():
        for events in _ranges(index, [name]):
            scope = index.column("scope", events)
            others = events[is_named[scope]]
            if len(others) and name not in sought.mixed:  # more persons were named than are kept
                others = others[
                    index.numbers("subject_count", others)[0] > index.column("named", others).astype(np.int64)
                ]
            yield events[is_wide[scope]]
            yield others


def _of_devices(events: pa.Table, devices: Collection[bytes]) -> pa.Table:
    return events.filter(_is_device(events["device"], devices)).select(INDEXED.names).cast(INDEXED)


def _is_device(column: pa.ChunkedArray | pa.Array, devices: Collection[bytes]) -> pa.Array:
    found = pc.is_in(column, pa.array(list(devices), pa.binary(16)))
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def inside(window: Window, times: _I64) -> npt.NDArray[np.bool_]:
    """Which of some times are in a window."""
    after = np.ones(len(times), np.bool_) if window.start is None else times >= window.start
    return after if window.end is None else after & (times < window.end)


def fetch(snapshot: Snapshot, seqs: Sequence[int] | _I64, columns: list[str]) -> pa.Table:
    """Columns that no index has, of some events, in the order of ``seqs``."""
    wanted = np.asarray(seqs, np.int64)
    order = np.argsort(wanted, kind="stable")
    rising = wanted[order]
    parts: list[pa.Table] = []
    for segment, path in zip(snapshot.manifest.segments, snapshot.segments, strict=True):
        low, high = np.searchsorted(rising, [segment.first_seq, segment.last_seq + 1])
        if low < high:
            held = read_columns(path, path.name, columns)
            parts.append(held.take(pa.array(rising[low:high] - segment.first_seq)))
    sealed = snapshot.manifest.next_seq
    low = int(np.searchsorted(rising, sealed))
    parts.append(snapshot.recent.select(columns).take(pa.array(rising[low:] - sealed)))
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    schema = pa.schema([EVENTS.field(name) for name in columns])
    return pa.concat_tables([part.cast(schema) for part in parts]).take(pa.array(back))
