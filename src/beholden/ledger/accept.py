"""What may enter the ledger: a whole batch is taken or refused, with one line that says what is wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.errors import UsageError
from beholden.core.events import ACTIVITIES, CLASS_UIDS, EVENTS, SCOPES
from beholden.core.limits import SEGMENT_EVENTS_MAX
from beholden.ledger.format import APPEND_BYTES_MAX, INPUT_EVENTS

__all__ = ["check_batch", "number_events"]

#: Times outside are mistakes of a clock or a parser (the bounds of `beholden.core.times`).
_TIME_MIN: Final = datetime(1971, 1, 1, tzinfo=UTC)
_TIME_END: Final = datetime(2200, 1, 1, tzinfo=UTC)
_CHOICES: Final = {"activity": ACTIVITIES, "scope": SCOPES, "class_uid": CLASS_UIDS}


def check_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with its columns in the ledger's order.

    Raises:
        UsageError: a column is missing, unknown, of another type, has a null or a value it may not have, or the
            batch is too large. Nothing of it enters.
    """
    batch = _ordered(batch)
    if batch.num_rows > SEGMENT_EVENTS_MAX or batch.nbytes > APPEND_BYTES_MAX:
        raise _refused(
            f"{batch.num_rows} events in {batch.nbytes} bytes",
            f"at most {SEGMENT_EVENTS_MAX} events and {APPEND_BYTES_MAX} bytes; split it",
        )
    try:
        batch.validate(full=True)
    except pa.ArrowException:
        raise _refused("the batch is not valid Arrow data", "valid buffers and UTF-8 text") from None
    for field, array in zip(INPUT_EVENTS, batch.columns, strict=True):
        if array.null_count and not field.nullable:
            raise _refused(f"column {field.name} has {array.null_count} nulls", "none")
        if pa.types.is_list(field.type) and pc.list_flatten(array).null_count:
            raise _refused(f"column {field.name} has nulls inside its lists", "none")
    _check_values(batch)
    return batch


def number_events(batch: pa.RecordBatch, first_seq: int, ingested: int) -> pa.RecordBatch:
    """Accepted events as the ledger keeps them: with their sequence numbers and the time they came in."""
    columns = dict(zip(INPUT_EVENTS.names, batch.columns, strict=True))
    columns["seq"] = pa.array(np.arange(first_seq, first_seq + batch.num_rows, dtype=np.int64))
    stamp = pa.array(np.full(batch.num_rows, ingested, np.int64))
    columns["ingested"] = stamp.cast(EVENTS.field("ingested").type)
    return pa.RecordBatch.from_arrays([columns[name] for name in EVENTS.names], schema=EVENTS)


def _ordered(batch: pa.RecordBatch) -> pa.RecordBatch:
    found, expected = batch.schema.names, INPUT_EVENTS.names
    if sorted(found) != sorted(expected):
        missing = ", ".join(name for name in expected if name not in found)
        other = ", ".join(dict.fromkeys(name for name in found if name not in expected or found.count(name) > 1))
        raise _refused(
            f"columns missing: {missing or 'none'}; unknown or repeated: {other or 'none'}",
            "the columns of INPUT_EVENTS",
        )
    for field in INPUT_EVENTS:
        if batch.schema.field(field.name).type != field.type:
            raise _refused(f"column {field.name} is {batch.schema.field(field.name).type}", str(field.type))
    return pa.RecordBatch.from_arrays([batch.column(name) for name in expected], schema=INPUT_EVENTS)


def _check_values(batch: pa.RecordBatch) -> None:
    for name, choices in _CHOICES.items():
        array = batch.column(name)
        if not pc.all(pc.is_in(array, pa.array(choices, array.type)), min_count=0).as_py():
            raise _refused(f"column {name} has a value that does not exist", ", ".join(map(str, choices)))
    if batch.num_rows:
        times = pc.min_max(batch.column("time"))
        low, high = (pa.scalar(moment, INPUT_EVENTS.field("time").type) for moment in (_TIME_MIN, _TIME_END))
        if not pc.and_(pc.greater_equal(times["min"], low), pc.less(times["max"], high)).as_py():
            raise _refused("column time has a year out of range", "1971 to 2199")


def _refused(found: str, expected: str) -> UsageError:
    return UsageError("ledger append", found, expected=expected, advice="nothing of the batch was taken")
