"""Which (source, uid) the ledger already holds, with bounded memory and nearly the same cost however much it holds.

Sealed events are in sorted runs on disk (`beholden.ledger.uid_runs`), one from each seal; sixteen of about one size that
follow each other become one, so that there are at most 15 of each size below 2^28 entries. A key walks past a run's
filter and is searched only where that lets it through. Unsealed events are held in memory as sorted runs, 20 bytes each.

Runs can be made again from the segments at any time and are where one is missing or damaged. They are named by the
events they cover, not by segments: segments may be merged, and old ones removed, without touching a run. Events
that were removed count as known as long as their run has others that are held.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from beholden.core.events import EVENTS
from beholden.ledger.files import Disk
from beholden.ledger.format import Layout
from beholden.ledger.manifest import Manifest
from beholden.ledger.marks import Marks, keep_marks, marks_of, read_marks
from beholden.ledger.segments import read_columns
from beholden.ledger.uid_runs import SUFFIX, Entries, UidRun, is_intact, open_run, run_name, write_run

__all__ = ["KnownUids", "SourceCodes", "UidKeys", "chosen_runs", "find", "sorted_entries"]

#: Runs of one size that become one.
_FAN_IN: Final = 16
#: Larger runs (16^7 entries, 4 GB) stay as they are: merging them would hold up a writer for minutes.
_MERGED_LEVEL_MAX: Final = 6

_UID: Final = np.dtype([("high", ">u8"), ("low", f">u{EVENTS.field('uid').type.byte_width - 8}")])

_U64 = npt.NDArray[np.uint64]
_Mask = npt.NDArray[np.bool_]
_Index = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class UidKeys:
    """(source, uid) of some events: the uid's two parts as numbers, the source as its code in this process."""

    high: _U64
    low: npt.NDArray[np.uint16]
    source: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.high)

    def take(self, index: _Index | _Mask) -> UidKeys:
        """Some of them."""
        return UidKeys(self.high[index], self.low[index], self.source[index])

    def sorted_distinct(self) -> tuple[UidKeys, _Index]:
        """Each key once, sorted; and the row where it stood first."""
        order = np.argsort(self.high, kind="stable")
        keys = self.take(order)
        alike = keys.high[1:] == keys.high[:-1]
        if not alike.any():
            return keys, order
        order = np.lexsort((self.source, self.low, self.high))
        keys = self.take(order)
        new = np.ones(len(keys), np.bool_)
        new[1:] = (
            (keys.high[1:] != keys.high[:-1]) | (keys.low[1:] != keys.low[:-1]) | (keys.source[1:] != keys.source[:-1])
        )
        return keys.take(new), order[new]


class SourceCodes:
    """Numbers for the names of sources, the same as long as the process knows them."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def of(self, names: Iterable[str]) -> npt.NDArray[np.int32]:
        """The codes of some names."""
        return np.array([self._codes.setdefault(name, len(self._codes)) for name in names], np.int32)

    def names(self) -> tuple[str, ...]:
        """All names, each at the place its code says."""
        return tuple(self._codes)

    def keys(self, events: pa.RecordBatch | pa.Table) -> UidKeys:
        """The keys of some events, in their order."""
        parts = [np.frombuffer(_fixed_bytes(chunk), _UID) for chunk in _chunks(events.column("uid"))]
        both = np.concatenate(parts) if parts else np.empty(0, _UID)
        codes = [self._column(chunk) for chunk in _chunks(events.column("source"))]
        return UidKeys(
            both["high"].astype(np.uint64),
            both["low"].astype(np.uint16),
            np.concatenate(codes) if codes else np.empty(0, np.int32),
        )

    def _column(self, sources: pa.Array) -> npt.NDArray[np.int32]:
        encoded = sources.dictionary_encode()
        indices: npt.NDArray[np.int32] = encoded.indices.to_numpy(zero_copy_only=False)
        return self.of(encoded.dictionary.to_pylist())[indices]


@dataclass(frozen=True, slots=True)
class _Held:
    """A run's entries, and what their numbers of sources are in this process; no run where there was no room for one."""

    entries: Entries
    codes: npt.NDArray[np.int32]
    run: UidRun | None = None


class KnownUids:
    """Every (source, uid) of the ledger, as the holder of the lock knows it."""

    def __init__(self, disk: Disk, layout: Layout) -> None:
        self._disk = disk
        self._layout = layout
        self._sources = SourceCodes()
        self._recent: list[UidKeys] = []
        self._sealed: dict[tuple[int, int], _Held] = {}

    def keys(self, events: pa.RecordBatch | pa.Table) -> UidKeys:
        """The keys of some events."""
        return self._sources.keys(events)

    def contains(self, keys: UidKeys) -> _Mask:
        """Which of the keys (sorted by ``high``) are held."""
        found = np.zeros(len(keys), np.bool_)
        for run in self._recent:
            found |= find(Entries(run.high, run.low, run.source, ()), None, keys)
        left = np.flatnonzero(~found)
        wanted = keys.take(left)
        codes = set(np.unique(keys.source).tolist())
        for held in reversed(self._sealed.values()):
            if codes.isdisjoint(held.codes.tolist()):
                continue
            at = held.run.possible(wanted.high) if held.run else np.arange(len(wanted))
            hits = at[find(held.entries, held.codes, wanted.take(at))]
            if hits.size:
                found[left[hits]] = True
                left = left[~found[left]]
                wanted = keys.take(left)
        return found

    def add(self, keys: UidKeys) -> None:
        """Remember unsealed events. Runs are merged when as long as the next: there are never more than log2(n)."""
        self._recent.append(_in_order([keys]))
        while len(self._recent) > 1 and len(self._recent[-1]) * 2 > len(self._recent[-2]):
            self._recent[-2:] = [_in_order(self._recent[-2:])]

    def seal(self, manifest: Manifest) -> None:
        """The unsealed events are sealed now, as the last of the manifest's.

        When it returns there is a run of them, and if it makes sixteen of one size, one of these instead. Where there
        was no room the run is held in memory, and another writer will make it.
        """
        entries = _in_order(self._recent)
        first_seq, last_seq = manifest.next_seq - len(entries), manifest.next_seq - 1
        self._recent = []
        if len(entries):
            sealed = Entries(entries.high, entries.low, entries.source, self._sources.names())
            self._write(first_seq, last_seq, [sealed])
        self._merge()

    def set_segments(self, manifest: Manifest) -> None:
        """Know the events of these segments and no unsealed ones. Runs that are missing or damaged are made."""
        self._recent = []
        runs = self._readable(manifest)
        ranges = chosen_runs({*runs, *self._sealed}, manifest)
        self._sealed = {key: self._sealed[key] if key in self._sealed else self._hold(runs[key]) for key in ranges}
        seq = manifest.first_seq
        for first, last in [*ranges, (manifest.next_seq, manifest.next_seq)]:
            if seq < first:
                self._make(manifest, seq, first - 1)
            seq = max(seq, last + 1)
        self._sealed = dict(sorted(self._sealed.items()))
        self._merge()
        wanted = {run_name(*key) for key in self._sealed}
        for path in self._files():
            if path.name not in wanted:
                self._disk.remove(path)

    def _readable(self, manifest: Manifest) -> dict[tuple[int, int], UidRun]:
        """The runs on disk that are whole. Each is hashed once, and again when its file was changed."""
        known = read_marks(self._layout.checked_uids)
        marks: dict[str, Marks] = {}
        runs: dict[tuple[int, int], UidRun] = {}
        for path in self._files():
            with contextlib.suppress(OSError, ValueError):
                found = marks_of(path)
                run = open_run(path)
                if known.get(path.name) == found or is_intact(path):
                    marks[path.name] = found
                    runs[run.first_seq, run.last_seq] = run
        if marks != known and manifest.next_seq:
            keep_marks(self._layout.checked_uids, marks)
        return runs

    def _make(self, manifest: Manifest, first_seq: int, last_seq: int) -> None:
        """Make runs of some events anew, one for each segment."""
        for segment in manifest.segments:
            first, last = max(first_seq, segment.first_seq), min(last_seq, segment.last_seq)
            if first <= last:
                path = self._layout.segments / segment.file
                columns = read_columns(path, self._layout.name(path), ["uid", "source"])
                events = columns.slice(first - segment.first_seq, last - first + 1)
                self._write(first, last, [sorted_entries(self._sources, events)])

    def _merge(self) -> None:
        """Where sixteen runs of one size stand at the end, make one of them and of smaller ones among them."""
        level = 0
        while level <= _MERGED_LEVEL_MAX:
            keys = _last_of_level(list(self._sealed), level)
            level += 1
            if not keys:
                continue
            if not self._write(keys[0][0], keys[-1][1], [self._sealed[key].entries for key in keys]):
                return
            for key in keys:
                del self._sealed[key]
                with contextlib.suppress(OSError):  # what is covered by a longer one is removed by the next writer
                    self._disk.remove(self._layout.uids / run_name(*key))

    def _write(self, first_seq: int, last_seq: int, parts: list[Entries]) -> bool:
        """Make a run and hold it; False if there was no room, where what is in memory is held as it is."""
        path = self._layout.uids / run_name(first_seq, last_seq)
        try:
            self._disk.make_directory(self._layout.uids)
            write_run(self._disk, path, parts)
            held = self._hold(open_run(path))
        except OSError:
            if len(parts) > 1:
                return False
            held = _Held(parts[0], self._sources.of(parts[0].sources))
        self._sealed[first_seq, last_seq] = held
        return True

    def _hold(self, run: UidRun) -> _Held:
        return _Held(run.entries, self._sources.of(run.entries.sources), run)

    def _files(self) -> list[Path]:
        if not self._layout.uids.is_dir():
            return []
        return sorted(path for path in self._layout.uids.iterdir() if path.suffix == SUFFIX)


def chosen_runs(ranges: Iterable[tuple[int, int]], manifest: Manifest) -> list[tuple[int, int]]:
    """The runs to be asked: those of sealed events, the longest of any that overlap; in sequence order.

    A shorter one is left over from a merge that was stopped.
    """
    chosen: list[tuple[int, int]] = []
    for first, last in sorted(ranges, key=lambda item: (item[0] - item[1], item)):
        held = manifest.first_seq <= last < manifest.next_seq
        if held and all(last < other[0] or other[1] < first for other in chosen):
            chosen.append((first, last))
    return sorted(chosen)


def sorted_entries(sources: SourceCodes, events: pa.Table) -> Entries:
    """The entries of some events' run."""
    keys = _in_order([sources.keys(events)])
    return Entries(keys.high, keys.low, keys.source, sources.names())


def find(entries: Entries, codes: npt.NDArray[np.int32] | None, keys: UidKeys) -> _Mask:
    """Which keys have an entry that is equal; entries with one ``high`` are tried in turn.

    ``codes`` is what the entries' numbers of sources are in this process, if they differ.
    """
    found = np.zeros(len(keys), np.bool_)
    at = np.searchsorted(entries.high, keys.high, "left")
    open_keys = np.flatnonzero(at < len(entries))
    open_keys = open_keys[entries.high[at[open_keys]] == keys.high[open_keys]]
    while open_keys.size:
        places = at[open_keys]
        sources: npt.NDArray[Any] = entries.code[places] if codes is None else codes[entries.code[places]]
        hit = (entries.low[places] == keys.low[open_keys]) & (sources == keys.source[open_keys])
        found[open_keys[hit]] = True
        at[open_keys] += 1
        open_keys = open_keys[~hit & (at[open_keys] < len(entries))]
        open_keys = open_keys[entries.high[at[open_keys]] == keys.high[open_keys]]
    return found


def _last_of_level(keys: list[tuple[int, int]], level: int) -> list[tuple[int, int]]:
    """The runs at the end with fewer than 16^(level + 1) entries, if sixteen of them have 16^level or more; else none."""
    sizes = [last - first + 1 for first, last in keys]
    start = len(keys)
    while start and sizes[start - 1] < _FAN_IN ** (level + 1):
        start -= 1
    return keys[start:] if sum(size >= _FAN_IN**level for size in sizes[start:]) >= _FAN_IN else []


def _in_order(parts: list[UidKeys]) -> UidKeys:
    if not parts:
        return UidKeys(np.empty(0, np.uint64), np.empty(0, np.uint16), np.empty(0, np.int32))
    high = np.concatenate([part.high for part in parts])
    order = np.argsort(high, kind="stable")
    low = np.concatenate([part.low for part in parts])
    source = np.concatenate([part.source for part in parts])
    return UidKeys(high[order], low[order], source[order])


def _chunks(column: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    return column.chunks if isinstance(column, pa.ChunkedArray) else [column]


def _fixed_bytes(array: pa.Array) -> memoryview:
    width = array.type.byte_width
    return memoryview(array.buffers()[1])[array.offset * width : (array.offset + len(array)) * width]
