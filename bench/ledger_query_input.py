"""The events of the shared generator as the ledger takes them: people become tokens that depend on their number alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from beholden.ledger import INPUT_EVENTS

__all__ = ["SYSTEMS", "YEAR_US", "batches", "place_of", "token_of", "tokens_of"]

SYSTEMS: Final = 20
YEAR_US: Final = 365 * 86_400_000_000
#: Events of one append: the fewer appends, the sooner a large ledger stands.
_ROWS: Final = 65_536
_FIELDS: Final = ("customer_id", "name", "email", "phone", "address", "city", "card", "birth")
_ACTIVITIES: Final = {"list": "query"}
_I64 = npt.NDArray[np.int64]


def place_of(dataset: int) -> tuple[str, str]:
    """Store and dataset of the generator's dataset of that number."""
    return f"sys-{dataset % SYSTEMS}", f"public.ds_{dataset:04d}"


def tokens_of(kind: str, numbers: _I64) -> pa.Array:
    """16 bytes for each number, of two rounds of splitmix64: as random as the vault's, and the same every time."""
    salt = np.frombuffer(hashlib.sha256(kind.encode()).digest()[:16], np.uint64)
    halves = np.stack(
        [_mixed(numbers.astype(np.uint64) + salt[0]), _mixed(numbers.astype(np.uint64) ^ salt[1])], axis=1
    )
    return _fixed(halves, 16)


def token_of(kind: str, number: int) -> bytes:
    """The token of one."""
    found: bytes = tokens_of(kind, np.array([number])).to_pylist()[0]
    return found


def batches(directory: Path, events: int, passes: int = 1, first: int = 0) -> Iterator[pa.RecordBatch]:
    """The first ``events`` of the generator; every further pass repeats them a year later as other records."""
    for repeat in range(first, first + passes):
        left = events
        for path in sorted(directory.glob("m*.parquet")):
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=_ROWS):
                    if left <= 0:
                        break
                    part = batch.slice(0, left)
                    left -= part.num_rows
                    yield _events(part, repeat, events)


def _events(given: pa.RecordBatch, repeat: int, events: int) -> pa.RecordBatch:
    rows = given.num_rows
    number = given.column("seq").cast(pa.int64()).to_numpy(zero_copy_only=False) + repeat * events
    actor = _number(given.column("actor_id"), 4)
    dataset = _number(given.column("dataset_id"), 3)
    action = given.column("action")
    key = given.column("actor_type").to_numpy(zero_copy_only=False) == "partner_key"
    subject = given.column("subject_id")
    known = pc.is_valid(subject).to_numpy(zero_copy_only=False)
    time = given.column("ts").cast(pa.int64()).to_numpy() + repeat * YEAR_US
    columns: dict[str, Any] = {field.name: pa.nulls(rows, field.type) for field in INPUT_EVENTS}
    columns["time"] = pa.array(time)
    columns["source"] = columns["store"] = _picked([place_of(n)[0] for n in range(SYSTEMS)], dataset % SYSTEMS)
    columns["dataset"] = _picked([place_of(n)[1] for n in range(4001)], dataset)
    columns["uid"] = _fixed(np.stack([_mixed(number.astype(np.uint64)), number.astype(np.uint64)], axis=1), 10)
    columns["class_uid"] = pa.array(np.full(rows, 6005, np.int32))
    names = action.dictionary_encode()
    columns["activity"] = pa.array([_ACTIVITIES.get(name, name) for name in names.dictionary.to_pylist()]).take(
        names.indices
    )
    columns["actor"] = tokens_of("actor", actor)
    columns["actor_kind"] = pa.array(np.where(key, "partner", "staff"))
    columns["credential"] = pc.if_else(pa.array(key), tokens_of("credential", actor), None)
    columns["session"] = _fixed(_mixed(number.astype(np.uint64) // np.uint64(40)).reshape(-1, 1), 8)
    columns["device"] = tokens_of("device", actor)
    address = given.column("src_ip").to_numpy().astype(">u4") | np.uint32(10 << 24)
    columns["ip"] = _fixed(address.astype(">u4").reshape(-1, 1), 4).cast(pa.binary())
    columns["app"] = tokens_of("app", dataset % SYSTEMS)
    columns["fields"] = _fields(given.column("fields_mask").to_numpy())
    offsets = np.concatenate(([0], np.cumsum(known))).astype(np.int32)
    people = tokens_of("subject", subject.drop_null().cast(pa.int64()).to_numpy())
    columns["subjects"] = pa.ListArray.from_arrays(pa.array(offsets), people, mask=pa.array(~known))
    reach = np.array(
        ["table" if a == "export" else "predicate" if a in ("list", "query") else "none" for a in action.to_pylist()]
    )
    columns["scope"] = pa.array(np.where(known, "subjects", reach))
    columns["subject_count"] = pc.if_else(pa.array(known), 1, None)
    columns["rows"] = given.column("rows_returned")
    columns["bytes"] = pc.multiply(given.column("rows_returned").cast(pa.int64()), 257)
    columns["status"] = pc.if_else(given.column("allowed"), "success", "failure")
    columns["decision"] = pc.if_else(given.column("allowed"), "permit", "deny")
    is_query = pc.is_in(action, pa.array(["query", "list"]))
    columns["statement"] = pc.if_else(
        is_query, tokens_of("statement", dataset * 4 + given.column("fields_mask").to_numpy() % 4), None
    )
    return pa.RecordBatch.from_arrays(
        [columns[field.name].cast(field.type) for field in INPUT_EVENTS], schema=INPUT_EVENTS
    )  # fmt: skip


def _fields(mask: npt.NDArray[np.uint16]) -> pa.Array:
    every = [[name for bit, name in enumerate(_FIELDS) if value >> bit & 1] for value in range(256)]
    return pa.array(every, pa.list_(pa.string())).take(pa.array(mask))


def _number(texts: pa.Array, start: int) -> _I64:
    found: _I64 = pc.utf8_slice_codeunits(texts, start).cast(pa.int64()).to_numpy()
    return found


def _picked(names: Iterable[str], places: _I64) -> pa.Array:
    return pa.array(names).take(pa.array(places))


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    x = values + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: npt.NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return mixed


def _fixed(values: npt.NDArray[Any], width: int) -> pa.Array:
    """Each row's first bytes."""
    raw = np.ascontiguousarray(values).view(np.uint8).reshape(len(values), -1)[:, :width]
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(width), len(values), [None, pa.py_buffer(np.ascontiguousarray(raw).tobytes())]
    )
