"""Making the index of a segment: what questions look at, as small integers sorted by dataset.

The sections of the file, with the order of the events in it (by the JSON of store and dataset, then as in the segment):

==============  ================================================================================================
columns,places  the columns of `COLUMNS` (see columns.py)
names           store and dataset of each range of events, as JSON, in the order of these texts
ranges          for each range: its first event, the times between which rows were reached, the end of its name
blocks          for each block the number of persons named before it
activities, scopes, fields   the values that codes stand for, as JSON
actors, credentials, statements, correlations, subjects   sorted tokens that codes stand for
hours           see summary.py
==============  ================================================================================================

A code of 0 is null, and n stands for the value before place n of its dictionary; those of subjects begin at 0.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from beholden.ledger.index.columns import BLOCK_ROWS, I64, U64, ColumnWriter, distinct, zigzag
from beholden.ledger.index.summary import summarise
from beholden.ledger.index.tokens import fixed_bytes, sorted_distinct

__all__ = ["COLUMNS", "NO_COUNT", "NO_ROWS", "NO_SUBJECTS", "NO_TIME", "READ", "Built", "build", "dataset_key"]

#: Columns of a segment that an index is made of.
READ: Final = [
    "seq", "time", "ingested", "source", "activity", "actor", "credential", "store", "dataset", "fields", "subjects",
    "scope", "subject_count", "rows", "statement", "correlation",
]  # fmt: skip
#: Columns of an index, in the order they lie in; ``subject`` has a value for each person that is named.
COLUMNS: Final = (
    "row", "time", "actor", "credential", "activity", "scope", "fields", "flags", "rows", "subject_count", "named",
    "statement", "correlation", "subject",
)  # fmt: skip
#: Bits of ``flags``: what is null.
NO_ROWS, NO_COUNT, NO_SUBJECTS = 1, 2, 4
#: Time of a range of which no event reached any row.
NO_TIME: Final = np.iinfo(np.int64).min
_TIME_UNITS: Final = (1_000_000, 1000)
#: Field names become characters, for a moment; so many there are.
_FIRST_CHAR: Final = 0x10000
_CHARS: Final = 0x110000 - _FIRST_CHAR

_Index = npt.NDArray[np.int64]


class Built(msgspec.Struct, frozen=True):
    """The sections of an index, and what its header says of them."""

    sections: dict[str, bytes]
    subjects: int
    time_unit: int


def build(events: pa.Table) -> Built:
    """The index of a segment's events, which must have at least the columns of `READ`.

    Raises:
        OverflowError: it has more field names than an index can tell apart.
    """
    events = events.select(READ).combine_chunks()
    place, names = _datasets(events)
    small = np.uint16 if len(names) <= 1 << 16 else np.uint32  # numbers of 16 bits are sorted without comparing
    order = np.argsort(place.astype(small), kind="stable")
    first = np.searchsorted(place[order], np.arange(len(names)))
    sections: dict[str, bytes] = {}
    columns: dict[str, U64] = {}

    def code(name: str, section: str, array: pa.Array) -> None:
        codes, values = _codes(array)
        columns[name] = codes[order].astype(np.uint64)
        sections[section] = values

    time = _integers(events, "time")[order]
    unit = next((unit for unit in _TIME_UNITS if not (time % unit).any()), 1)
    code("actor", "actors", _one(events, "actor"))
    code("credential", "credentials", _one(events, "credential"))
    code("statement", "statements", _one(events, "statement"))
    code("correlation", "correlations", _one(events, "correlation"))
    code("activity", "activities", _one(events, "activity"))
    code("scope", "scopes", _one(events, "scope"))
    code("fields", "fields", _one(events, "fields"))
    flags = np.zeros(len(order), np.uint64)
    for bit, name in ((NO_ROWS, "rows"), (NO_COUNT, "subject_count"), (NO_SUBJECTS, "subjects")):
        flags |= np.where(_one(events, name).is_null().to_numpy(zero_copy_only=False), bit, 0).astype(np.uint64)
    columns["flags"] = flags[order]
    columns["rows"] = zigzag(_integers(events, "rows")[order])
    columns["subject_count"] = zigzag(_integers(events, "subject_count")[order])
    subjects = _one(events, "subjects")
    named, subject, sections["subjects"] = _subjects(subjects, order)
    columns["named"] = named

    writer = ColumnWriter()
    bounds = range(0, len(order), BLOCK_ROWS)
    before = np.concatenate(([0], np.cumsum(named))).astype(np.int64)
    for name in COLUMNS[:-1]:
        if name == "row":
            blocks = [_differences(order[start : start + BLOCK_ROWS]) for start in bounds]
        elif name == "time":
            blocks = [_differences(time[start : start + BLOCK_ROWS] // unit) for start in bounds]
        else:
            blocks = [columns[name][start : start + BLOCK_ROWS] for start in bounds]
        writer.add(blocks)
    cuts = [int(before[min(start, len(order))]) for start in (*bounds, len(order))]
    writer.add([subject[cuts[i] : cuts[i + 1]] for i in range(len(cuts) - 1)])
    reached = _reached(events, order, first, time)
    return Built(
        {
            "columns": writer.data(),
            "places": writer.places(),
            "names": b"".join(names),
            "ranges": np.stack([first, *reached, np.cumsum([len(name) for name in names], dtype=np.int64)], axis=1)
            .astype("<i8")
            .tobytes(),
            "blocks": np.array(cuts, "<i8").tobytes(),
            **sections,
            "hours": summarise(events).packed(),
        },
        len(subject),
        unit,
    )


def _one(events: pa.Table, name: str) -> pa.Array:
    """A column as one array."""
    column = events[name]
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def _integers(events: pa.Table, name: str) -> I64:
    """A column of integers or times; null is 0."""
    array = _one(events, name).cast(pa.int64())
    found: I64 = (array.fill_null(0) if array.null_count else array).to_numpy()
    return found


def _differences(values: I64) -> U64:
    return zigzag(np.diff(values, prepend=0))


def dataset_key(store: str | None, dataset: str | None) -> bytes:
    """A dataset as the index orders them."""
    return msgspec.json.encode((store, dataset))


def _datasets(events: pa.Table) -> tuple[_Index, list[bytes]]:
    """For each event the place of its dataset among those of the segment, and these in order."""
    store, dataset = (_one(events, name).dictionary_encode() for name in ("store", "dataset"))
    stores, datasets = [None, *store.dictionary.to_pylist()], [None, *dataset.dictionary.to_pylist()]
    wide = len(datasets)
    held, inverse = distinct(_indices(store) * wide + _indices(dataset), wide * len(stores))
    names = [dataset_key(stores[key // wide], datasets[key % wide]) for key in held.tolist()]
    order = sorted(range(len(names)), key=lambda i: names[i])
    rank = np.empty(len(names), np.int64)
    rank[order] = np.arange(len(names))
    return rank[inverse], [names[i] for i in order]


def _indices(encoded: pa.DictionaryArray) -> _Index:
    """Codes from 1 on; null is 0."""
    indices = encoded.indices.cast(pa.int64())
    found: _Index = pc.add(indices, 1).fill_null(0).to_numpy(zero_copy_only=False)
    return found


def _codes(array: pa.Array) -> tuple[_Index, bytes]:
    """A code for each value, from 1 on in the order of the values, 0 for null; and the values."""
    if pa.types.is_list(array.type):
        return _list_codes(array)
    encoded = array.dictionary_encode()
    codes = _indices(encoded)
    if pa.types.is_string(array.type):
        texts = encoded.dictionary.to_pylist()
        order = sorted(range(len(texts)), key=lambda i: texts[i])
        values = msgspec.json.encode([texts[i] for i in order])
        rank = np.empty(len(texts), np.int64)
        rank[order] = np.arange(len(texts))
    else:
        ordered, rank = sorted_distinct(fixed_bytes(encoded.dictionary))
        values = np.ascontiguousarray(ordered).tobytes()
    return np.concatenate(([0], rank + 1))[codes], values


def _list_codes(array: pa.Array) -> tuple[_Index, bytes]:
    """The same for lists of text. Each text is one character while lists are compared, so that none looks like another."""
    encoded = array.flatten().dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    if len(texts) > _CHARS:
        raise OverflowError("more field names than characters")
    chars = pa.array([chr(_FIRST_CHAR + i) for i in range(len(texts))], pa.string()).take(encoded.indices)
    lengths = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate(([0], np.cumsum(lengths))).astype(np.int32))
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, chars), "").dictionary_encode()
    lists = [[texts[ord(char) - _FIRST_CHAR] for char in joined_] for joined_ in joined.dictionary.to_pylist()]
    order = sorted(range(len(lists)), key=lambda i: lists[i])
    rank = np.empty(len(lists), np.int64)
    rank[order] = np.arange(len(lists))
    codes = np.where(array.is_null().to_numpy(zero_copy_only=False), 0, rank[joined.indices.to_numpy()] + 1)
    return codes, msgspec.json.encode([lists[i] for i in order])


def _subjects(array: pa.ListArray, order: _Index) -> tuple[U64, U64, bytes]:
    """How many persons each event names, who they are as codes, in the order of the index, and their tokens."""
    lengths = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths)))[:-1]
    tokens, codes = sorted_distinct(fixed_bytes(array.flatten()))
    named = lengths[order]
    ends = np.cumsum(named)
    source = np.repeat(starts[order] - (ends - named), named) + np.arange(int(named.sum()))
    data = np.ascontiguousarray(tokens).tobytes()
    return named.astype(np.uint64), codes[source].astype(np.uint64), data


def _reached(events: pa.Table, order: _Index, first: _Index, time: I64) -> tuple[I64, I64]:
    """For each dataset the first and last time at which rows were reached, or may have been."""
    none = pc.equal(_one(events, "scope"), "none").to_numpy(zero_copy_only=False)[order]
    if not len(first):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    low = np.minimum.reduceat(np.where(none, np.iinfo(np.int64).max, time), first)
    high = np.maximum.reduceat(np.where(none, NO_TIME, time), first)
    return np.where(high == NO_TIME, NO_TIME, low), high
