"""From rows and odd columns to Arrow: lenient about bytes, strict about memory."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.limits import BATCH_ROWS

__all__ = ["batch_of", "choose_rows", "cut_strings", "fetch_batches", "text_array"]

#: A batch is kept near this size: wide rows come in smaller batches.
_BATCH_BYTES: Final = 16 * 1024 * 1024
_FIRST_ROWS: Final = 32
_GROWTH: Final = 4
#: Above it, a choice in progress is thinned to the rows that still count.
_PRUNE_FACTOR: Final = 4


def text_array(values: Sequence[Any]) -> pa.Array:
    """Values as strings; bytes are UTF-8, and where they are not, the wrong bytes become U+FFFD."""
    try:
        return pa.array(values, pa.string())
    except (pa.ArrowException, ValueError, TypeError):
        return pa.array([_text(value) for value in values], pa.string())


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def batch_of(arrays: Sequence[pa.Array], names: Sequence[str], rows: int) -> pa.RecordBatch:
    """A record batch that keeps its number of rows even without columns."""
    if not arrays:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * rows, pa.struct([])))
    return pa.RecordBatch.from_arrays(list(arrays), names=list(names))


def fetch_batches(
    fetch: Callable[[int], Sequence[tuple[Any, ...]]],
    build: Callable[[Sequence[tuple[Any, ...]]], pa.RecordBatch],
    *,
    rows_max: int = BATCH_ROWS,
) -> Iterator[pa.RecordBatch]:
    """Batches from a cursor: few rows first, then as many as their width allows.

    Args:
        fetch: returns at most that many of the next rows, none at the end.
        build: makes a batch of them.
        rows_max: the most rows of one batch.
    """
    wanted = min(_FIRST_ROWS, rows_max)
    while rows := fetch(wanted):
        batch = build(rows)
        yield batch
        by_width = _BATCH_BYTES * len(rows) // max(1, batch.nbytes)
        wanted = max(1, min(wanted * _GROWTH, by_width, rows_max))


def cut_strings(batch: pa.RecordBatch, chars_max: int) -> tuple[pa.RecordBatch, int]:
    """The batch with longer strings and byte strings cut, and how many were."""
    columns, cut = [], 0
    for column in batch.columns:
        text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        if text or pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
            lengths = pc.utf8_length(column) if text else pc.binary_length(column)
            longer = pc.sum(pc.greater(lengths, chars_max)).as_py() or 0
            if longer:
                cut += longer
                column = (pc.utf8_slice_codeunits if text else pc.binary_slice)(column, 0, chars_max)  # noqa: PLW2901 - the cut column takes its place
        columns.append(column)
    return batch_of(columns, batch.schema.names, batch.num_rows), cut


def choose_rows(
    batches: Generator[pa.RecordBatch, None, None], rows: int, seed: int, *, bytes_max: int
) -> tuple[pa.RecordBatch | None, bool]:
    """Rows drawn evenly from all batches, in their order, and whether all batches were seen.

    Each row gets a random key from ``seed``; the smallest keys win. Holds a few times ``rows`` rows, and looks
    at ``bytes_max`` bytes at most; closes ``batches``. None when there was no batch.
    """
    chance = np.random.default_rng(seed)
    kept: list[pa.RecordBatch] = []
    keys = np.empty(0)
    seen_bytes, complete, bound = 0, True, 1.0
    with closing(batches):
        for batch in batches:
            drawn = chance.random(batch.num_rows)
            places = np.flatnonzero(drawn < bound)
            kept.append(batch.take(pa.array(places)))
            keys = np.concatenate([keys, drawn[places]])
            seen_bytes += batch.nbytes
            if len(keys) > _PRUNE_FACTOR * rows:
                kept, keys = _thin(kept, keys, rows)
                bound = float(keys.max())
            if seen_bytes > bytes_max:
                complete = False
                break
    if not kept:
        return None, complete
    kept, _ = _thin(kept, keys, rows)
    return kept[0], complete


def _thin(kept: list[pa.RecordBatch], keys: np.ndarray, rows: int) -> tuple[list[pa.RecordBatch], np.ndarray]:
    whole = pa.concat_batches(kept)
    if len(keys) > rows:
        places = np.sort(np.argpartition(keys, rows)[:rows])
        return [whole.take(pa.array(places))], keys[places]
    return [whole], keys
