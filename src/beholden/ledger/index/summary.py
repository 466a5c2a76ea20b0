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


@dataclass(frozen=True, slots=True)
class Summary:
    """``pairs`` are source and store; ``first`` and ``last`` the times of each pair's events, in microseconds.

    ``pair``, ``hour`` (its number since 1970), ``late`` and ``events`` have a value for each row.
    """

    pairs: list[tuple[str, str | None]]
    first: _I64
    last: _I64
    pair: _I64
    hour: _I64
    late: _I64
    events: _I64

    def packed(self) -> bytes:
        """As bytes: the pairs as JSON, then the numbers, all compressed."""
        told = msgspec.json.encode(self.pairs)
        numbers = [self.first, self.last, self.pair, self.hour, self.late, self.events]
        body = b"".join(column.astype("<i8").view(np.uint8).reshape(-1, 8).T.tobytes() for column in numbers)
        raw = len(told).to_bytes(8, "little") + len(self.pair).to_bytes(8, "little") + told + body
        return len(raw).to_bytes(8, "little") + pa.compress(raw, codec="zstd", asbytes=True)


def unpacked(data: npt.NDArray[np.uint8]) -> Summary:
    """What `Summary.packed` wrote."""
    size = int.from_bytes(data[:8].tobytes(), "little")
    raw = np.frombuffer(pa.decompress(pa.py_buffer(data[8:]), size, codec="zstd"), np.uint8)
    told, rows = (int.from_bytes(raw[at : at + 8].tobytes(), "little") for at in (0, 8))
    pairs = msgspec.json.decode(raw[16 : 16 + told].tobytes(), type=list[tuple[str, str | None]])
    at = 16 + told
    columns = []
    for count in (len(pairs), len(pairs), rows, rows, rows, rows):
        planes = raw[at : at + 8 * count].reshape(8, count)
        columns.append(np.ascontiguousarray(planes.T).view("<i8").reshape(count).astype(np.int64))
        at += 8 * count
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
    first = np.full(len(held), np.iinfo(np.int64).max)
    last = np.full(len(held), np.iinfo(np.int64).min)
    np.minimum.at(first, pair, time)
    np.maximum.at(last, pair, time)
    everything = Summary([(name or "", other) for name, other in names], first, last, pair, hour, late, np.ones_like(time))
    return _gathered(everything)


def merged(parts: Iterable[Summary]) -> Summary:
    """Several as one."""
    given = list(parts)
    names = sorted({name for part in given for name in part.pairs}, key=lambda name: (name[0], name[1] is not None, name[1] or ""))
    places = {name: i for i, name in enumerate(names)}
    first = np.full(len(names), np.iinfo(np.int64).max)
    last = np.full(len(names), np.iinfo(np.int64).min)
    pairs = []
    for part in given:
        own = np.array([places[name] for name in part.pairs], np.int64)
        np.minimum.at(first, own, part.first)
        np.maximum.at(last, own, part.last)
        pairs.append(own[part.pair])
    nothing = [np.empty(0, np.int64)]
    columns = [np.concatenate(nothing + [getattr(part, name) for part in given]) for name in ("hour", "late", "events")]
    return _gathered(Summary(names, first, last, np.concatenate(nothing + pairs), *columns))


def _gathered(rows: Summary) -> Summary:
    """One row for each pair, hour and lateness, in this order."""
    if not len(rows.pair):
        return rows
    base = int(rows.hour.min())
    span = int(rows.hour.max()) - base + 1
    key = (rows.pair * span + (rows.hour - base)) * _LATENESSES + rows.late
    held, inverse = distinct(key, len(rows.pairs) * span * _LATENESSES)
    events = np.bincount(inverse, rows.events, len(held)).astype(np.int64)
    return Summary(
        rows.pairs, rows.first, rows.last,
        held // _LATENESSES // span, held // _LATENESSES % span + base, held % _LATENESSES, events,
    )  # fmt: skip


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
