"""How far each source's record reaches: events by hour and by how late they came. Completeness is told from it.

A row for each source, store, hour of the events' time, and lateness: the number of bits of the seconds between an
event and its arrival (0 for none, 1 for one second, 12 for about an hour, 17 for about a day).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from beholden.ledger.index.columns import distinct

__all__ = ["HOUR_US", "Summary", "merged", "summarise", "unpacked"]

HOUR_US: Final = 3_600_000_000
_I64 = npt.NDArray[np.int64]
#: Rows are told apart by one number: pair of source and store, hours since this one, bits of lateness.
_LATENESSES: Final = 64
_COLUMNS: Final = 6


@dataclass(frozen=True, slots=True)
class Summary:
    """``pairs`` are source and store. The others have a value for each row.

    ``pair`` is the place of source and store, ``hour`` a number since 1970, ``late`` the bits of lateness; ``first`` and
    ``last`` are times in microseconds.
    """

    pairs: list[tuple[str, str | None]]
    pair: _I64
    hour: _I64
    late: _I64
    events: _I64
    first: _I64
    last: _I64

    def only(self, rows: npt.NDArray[np.bool_]) -> Summary:
        """Some of the rows."""
        return Summary(self.pairs, *(column[rows] for column in self._columns()))

    def _columns(self) -> tuple[_I64, _I64, _I64, _I64, _I64, _I64]:
        return self.pair, self.hour, self.late, self.events, self.first, self.last

    def packed(self) -> bytes:
        """As bytes: the pairs as JSON, then the numbers, all compressed."""
        told = msgspec.json.encode(self.pairs)
        body = b"".join(column.astype("<i8").view(np.uint8).reshape(-1, 8).T.tobytes() for column in self._columns())
        raw = len(told).to_bytes(8, "little") + len(self.pair).to_bytes(8, "little") + told + body
        packed: bytes = pa.compress(raw, codec="zstd", asbytes=True)
        return len(raw).to_bytes(8, "little") + packed


def unpacked(data: npt.NDArray[np.uint8]) -> Summary:
    """What `Summary.packed` wrote."""
    size = int.from_bytes(data[:8].tobytes(), "little")
    raw = np.frombuffer(pa.decompress(pa.py_buffer(data[8:]), size, codec="zstd"), np.uint8)
    told, rows = (int.from_bytes(raw[at : at + 8].tobytes(), "little") for at in (0, 8))
    pairs = msgspec.json.decode(raw[16 : 16 + told].tobytes(), type=list[tuple[str, str | None]])
    at = 16 + told
    columns = []
    for _ in range(_COLUMNS):
        planes = raw[at : at + 8 * rows].reshape(8, rows)
        columns.append(np.ascontiguousarray(planes.T).view("<i8").reshape(rows).astype(np.int64))
        at += 8 * rows
    return Summary(pairs, *columns)


def summarise(events: pa.Table) -> Summary:
    """Of some events: columns source, store, time, ingested."""
    source, store = (events[name].combine_chunks() for name in ("source", "store"))
    sources, stores = (_encoded(column) for column in (source, store))
    wide = len(stores[1]) + 1
    both = sources[0] * wide + stores[0]
    held, pair = distinct(both, wide * (len(sources[1]) + 1))
    names: list[tuple[str | None, str | None]] = [
        (sources[1][key // wide - 1], None if key % wide == 0 else stores[1][key % wide - 1]) for key in held.tolist()
    ]
    time, ingested = (events[name].cast(pa.int64()).to_numpy() for name in ("time", "ingested"))
    hour = time // HOUR_US
    seconds = np.clip((ingested - time) // 1_000_000, 0, 1 << 52)
    late = np.frexp(seconds.astype(np.float64))[1].astype(np.int64)
    events_ = np.ones(len(time), np.int64)
    return _gathered(Summary([(name or "", other) for name, other in names], pair, hour, late, events_, time, time))


def merged(parts: Iterable[Summary]) -> Summary:
    """Several as one."""
    given = list(parts)
    names = sorted(
        {name for part in given for name in part.pairs}, key=lambda name: (name[0], name[1] is not None, name[1] or "")
    )
    places = {name: i for i, name in enumerate(names)}
    nothing = np.empty(0, np.int64)
    own = [np.array([places[name] for name in part.pairs], np.int64)[part.pair] for part in given]
    hour, late, events, first, last = (
        np.concatenate([nothing, *(getattr(part, name) for part in given)])
        for name in ("hour", "late", "events", "first", "last")
    )
    return _gathered(Summary(names, np.concatenate([nothing, *own]), hour, late, events, first, last))


def _gathered(rows: Summary) -> Summary:
    """One row for each pair, hour and lateness, in this order."""
    if not len(rows.pair):
        return rows
    base = int(rows.hour.min())
    span = int(rows.hour.max()) - base + 1
    key = (rows.pair * span + (rows.hour - base)) * _LATENESSES + rows.late
    held, inverse = distinct(key, len(rows.pairs) * span * _LATENESSES)
    events = np.bincount(inverse, rows.events, len(held)).astype(np.int64)
    first = np.full(len(held), np.iinfo(np.int64).max)
    last = np.full(len(held), np.iinfo(np.int64).min)
    np.minimum.at(first, inverse, rows.first)
    np.maximum.at(last, inverse, rows.last)
    pair, hour = held // _LATENESSES // span, held // _LATENESSES % span + base
    return Summary(rows.pairs, pair, hour, held % _LATENESSES, events, first, last)


def _encoded(column: pa.Array) -> tuple[_I64, list[str]]:
    """Codes from 1 on in the order of the texts, 0 for null; and the texts."""
    encoded = column.dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    order = sorted(range(len(texts)), key=lambda i: texts[i])
    rank = np.empty(len(texts), np.int64)
    rank[order] = np.arange(len(texts))
    indices = encoded.indices.cast(pa.int64())
    codes = np.concatenate((rank + 1, [0]))[indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)]
    return codes, [texts[i] for i in order]
