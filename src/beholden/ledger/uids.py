"""Which (source, uid) the ledger already holds, with bounded memory.

Each segment has a projection, ``uids/<segment>.uids``: the first 8 bytes of every uid as a big-endian number, sorted,
and the row each belongs to. It is memory-mapped and searched; a hit is compared with the segment's own uid and source
columns, which are read only then. Events that are not sealed yet are held as sorted runs, 20 bytes an event.

A projection can be made again from its segment at any time and is when it is missing or damaged. File: magic "BHLDUID" and
version 1, events u64 little-endian, SHA-256 of the rest, the prefixes (u64 little-endian), the rows (u32).
"""

from __future__ import annotations

import hashlib
import struct
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from beholden.core.events import EVENTS
from beholden.ledger.files import Disk, replace_file
from beholden.ledger.format import Layout
from beholden.ledger.manifest import Segment
from beholden.ledger.segments import read_columns

__all__ = ["KnownUids", "UidKeys", "projection_bytes", "projection_path"]

_HEADER: Final = struct.Struct("<8sQ32s")
_MAGIC: Final = b"BHLDUID\x01"
#: Segments whose full uid column stays in memory after a hit: 20 bytes an event each.
_CACHED_SEGMENTS: Final = 4

_UID: Final = np.dtype([("high", ">u8"), ("low", f">u{EVENTS.field('uid').type.byte_width - 8}")])

_U64 = npt.NDArray[np.uint64]
_Mask = npt.NDArray[np.bool_]
_Index = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class UidKeys:
    """(source, uid) of some events: the uid's two parts as numbers, the source as its code in this process."""

    high: _U64
    low: _U64
    source: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.high)

    def take(self, index: _Index | _Mask) -> UidKeys:
        """Some of them."""
        return UidKeys(self.high[index], self.low[index], self.source[index])

    def sorted_distinct(self) -> tuple[UidKeys, _Index]:
        """Each key once, sorted; and the row where it stood first."""
        order = np.lexsort((self.source, self.low, self.high))
        keys = self.take(order)
        new = np.ones(len(keys), np.bool_)
        new[1:] = (
            (keys.high[1:] != keys.high[:-1]) | (keys.low[1:] != keys.low[:-1]) | (keys.source[1:] != keys.source[:-1])
        )
        return keys.take(new), order[new]


class KnownUids:
    """Every (source, uid) of the ledger, as the holder of the lock knows it."""

    def __init__(self, disk: Disk, layout: Layout) -> None:
        self._disk = disk
        self._layout = layout
        self._codes: dict[str, int] = {}
        self._runs: list[UidKeys] = []
        self._segments: dict[str, tuple[Segment, _U64, npt.NDArray[np.uint32]]] = {}
        self._columns: OrderedDict[str, UidKeys] = OrderedDict()

    def keys(self, events: pa.RecordBatch | pa.Table) -> UidKeys:
        """The keys of some events."""
        uids = events.column("uid")
        sources = events.column("source")
        parts = [np.frombuffer(_fixed_bytes(chunk), _UID) for chunk in _chunks(uids)]
        both = np.concatenate(parts) if parts else np.empty(0, _UID)
        codes = [self._source_codes(chunk) for chunk in _chunks(sources)]
        return UidKeys(
            both["high"].astype(np.uint64),
            both["low"].astype(np.uint64),
            np.concatenate(codes) if codes else np.empty(0, np.int32),
        )

    def contains(self, keys: UidKeys) -> _Mask:
        """Which of the keys (sorted by ``high``) are held."""
        found = np.zeros(len(keys), np.bool_)
        for run in self._runs:
            found |= _search(run.high, keys, partial(_matches, run, keys))
        codes = set(np.unique(keys.source).tolist())
        for file, (segment, prefixes, rows) in self._segments.items():
            if not codes.isdisjoint(self._code(span.source) for span in segment.sources):
                found |= _search(prefixes, keys, partial(self._matches_row, file, rows, keys))
        return found

    def add(self, keys: UidKeys) -> None:
        """Remember unsealed events. Runs are merged when as long as the next: there are never more than log2(n)."""
        self._runs.append(keys.take(np.argsort(keys.high, kind="stable")))
        while len(self._runs) > 1 and len(self._runs[-1]) * 2 > len(self._runs[-2]):
            last, before = self._runs.pop(), self._runs.pop()
            merged = UidKeys(
                np.concatenate((before.high, last.high)),
                np.concatenate((before.low, last.low)),
                np.concatenate((before.source, last.source)),
            )
            self._runs.append(merged.take(np.argsort(merged.high, kind="stable")))

    def set_segments(self, segments: tuple[Segment, ...]) -> None:
        """Know these segments and no unsealed events. Projections that are missing or damaged are made."""
        self._runs = []
        wanted = {segment.file: segment for segment in segments}
        for file in self._segments.keys() - wanted.keys():
            del self._segments[file]
            self._columns.pop(file, None)
        for file, segment in wanted.items():
            if file not in self._segments:
                self._segments[file] = (segment, *self._map(segment))

    def _map(self, segment: Segment) -> tuple[_U64, npt.NDArray[np.uint32]]:
        path = projection_path(self._layout, segment)
        if not _usable(path, segment.events):
            columns = read_columns(self._layout.segments / segment.file, f"segments/{segment.file}", ["uid"])
            data = projection_bytes(columns["uid"])
            try:
                self._disk.make_directory(self._layout.uids)
                replace_file(self._disk, path, data)
            except OSError:  # no room: the segment is sealed all the same, and this process can hold it in memory
                return _views(np.frombuffer(data, np.uint8), segment.events)
        return _views(np.memmap(path, np.uint8, "r"), segment.events)

    def _matches_row(self, file: str, rows: npt.NDArray[np.uint32], keys: UidKeys, at: _Index, i: _Index) -> _Mask:
        return _matches(self._column(file), keys, rows[at], i)

    def _column(self, file: str) -> UidKeys:
        if file not in self._columns:
            self._columns[file] = self.keys(
                read_columns(self._layout.segments / file, f"segments/{file}", ["uid", "source"])
            )
        self._columns.move_to_end(file)
        while len(self._columns) > _CACHED_SEGMENTS:
            self._columns.popitem(last=False)
        return self._columns[file]

    def _source_codes(self, sources: pa.Array) -> npt.NDArray[np.int32]:
        encoded = sources.dictionary_encode()
        codes = np.array([self._code(name) for name in encoded.dictionary.to_pylist()], np.int32)
        indices: npt.NDArray[np.int32] = encoded.indices.to_numpy(zero_copy_only=False)
        return codes[indices]

    def _code(self, source: str) -> int:
        return self._codes.setdefault(source, len(self._codes))


def projection_path(layout: Layout, segment: Segment) -> Path:
    """Where a segment's projection lies."""
    return (layout.uids / segment.file).with_suffix(".uids")


def projection_bytes(uids: pa.ChunkedArray) -> bytes:
    """The projection of a segment with these uids: the same bytes every time."""
    data = b"".join(_fixed_bytes(chunk) for chunk in uids.chunks)
    high = np.frombuffer(data, _UID)["high"].astype(np.uint64)
    rows = np.argsort(high, kind="stable")
    rest = high[rows].astype("<u8").tobytes() + rows.astype("<u4").tobytes()
    return _HEADER.pack(_MAGIC, len(high), hashlib.sha256(rest).digest()) + rest


def _views(data: npt.NDArray[np.uint8], events: int) -> tuple[_U64, npt.NDArray[np.uint32]]:
    middle = _HEADER.size + 8 * events
    return data[_HEADER.size : middle].view("<u8"), data[middle:].view("<u4")


def _usable(path: Path, events: int) -> bool:
    try:
        with path.open("rb") as file:
            magic, found, sha256 = _HEADER.unpack(file.read(_HEADER.size))
            if magic != _MAGIC or found != events or path.stat().st_size != _HEADER.size + 12 * events:
                return False
            # A damaged one would let events in twice. Hashed once by each writer: about 8 ms for a million events.
            return bool(hashlib.file_digest(file, "sha256").digest() == sha256)
    except (OSError, struct.error):
        return False


def _search(prefixes: _U64, keys: UidKeys, equal: Callable[[_Index, _Index], _Mask]) -> _Mask:
    """Which keys have an entry with their prefix that is also equal; entries with one prefix are tried in turn."""
    found = np.zeros(len(keys), np.bool_)
    at = np.searchsorted(prefixes, keys.high, "left")
    end = np.searchsorted(prefixes, keys.high, "right")
    open_keys = np.flatnonzero(at < end)
    while open_keys.size:
        hit = equal(at[open_keys], open_keys)
        found[open_keys[hit]] = True
        at[open_keys] += 1
        open_keys = open_keys[~hit & (at[open_keys] < end[open_keys])]
    return found


def _matches(held: UidKeys, keys: UidKeys, at: npt.NDArray[Any], i: _Index) -> _Mask:
    equal: _Mask = (held.high[at] == keys.high[i]) & (held.low[at] == keys.low[i]) & (held.source[at] == keys.source[i])
    return equal


def _chunks(column: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    return column.chunks if isinstance(column, pa.ChunkedArray) else [column]


def _fixed_bytes(array: pa.Array) -> memoryview:
    width = array.type.byte_width
    return memoryview(array.buffers()[1])[array.offset * width : (array.offset + len(array)) * width]
