"""Parquet, row group by row group. Fields of structs become ``a$.b.c``; lists and maps become JSON text."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from beholden.core.limits import BATCH_ROWS
from beholden.stores._columns import batch_of
from beholden.stores._files_format import Batches, Description, FormatError, NoFieldError, Note
from beholden.stores.connector import FieldInfo, RowCount

__all__ = ["ParquetFormat"]

#: A sample looks into at most this many row groups, and at the beginning of each of them.
_SAMPLE_GROUPS: Final = 16
_UNREAD: Final = "rows in row groups that are damaged or cannot be read"


class ParquetFormat:
    """Reads Parquet files."""

    def describe(self, path: Path) -> Description:
        """See `Format.describe`; the footer knows the rows exactly."""
        with _open(path) as file:
            leaves = _leaves(file.schema_arrow)
            rows = file.metadata.num_rows
        fields = tuple(FieldInfo(i, name, str(kind)) for i, (name, kind) in enumerate(leaves, 1))
        return Description(fields, RowCount(rows, exact=True))

    def count(self, path: Path, note: Note) -> int:  # noqa: ARG002 - the footer leaves nothing out
        """See `Format.count`; the footer also counts rows of groups that cannot be read."""
        with _open(path) as file:
            return int(file.metadata.num_rows)

    def read(self, path: Path, fields: Sequence[str] | None, note: Note) -> Batches:
        """See `Format.read`."""
        with _open(path) as file:
            known = [name for name, _ in _leaves(file.schema_arrow)]
            for name in fields or ():
                if name not in known:
                    raise NoFieldError(name, known)
            roots = None if fields is None else list(dict.fromkeys(name.partition("$.")[0] for name in fields))
            yield from _groups(file, range(file.num_row_groups), note, columns=roots, fields=fields)

    def spread(self, path: Path, rows: int, seed: int, note: Note) -> Batches:
        """See `Format.spread`."""
        chance = random.Random(seed)  # noqa: S311 - a sample wants to be repeatable, not secret
        with _open(path) as file:
            groups = range(file.num_row_groups)
            chosen = sorted(chance.sample(groups, min(_SAMPLE_GROUPS, len(groups))))
            each = max(BATCH_ROWS, 10 * rows // max(1, len(chosen)))
            yield from _groups(file, chosen, note, rows_max=each)


def _groups(
    file: pq.ParquetFile,
    groups: Iterable[int],
    note: Note,
    *,
    columns: list[str] | None = None,
    fields: Sequence[str] | None = None,
    rows_max: int | None = None,
) -> Batches:
    """The rows of row groups, or the first ``rows_max`` of each; one that cannot be read does not stop the others."""
    unread = 0
    try:
        for group in groups:
            left = file.metadata.row_group(group).num_rows
            wanted = left - (left if rows_max is None else min(left, rows_max))
            try:
                for batch in file.iter_batches(batch_size=BATCH_ROWS, row_groups=[group], columns=columns):
                    yield _flat(batch, fields)
                    left -= batch.num_rows
                    if left <= wanted:
                        break
            except (pa.ArrowException, OSError):
                unread += left
    finally:
        note(_UNREAD, unread)


def _open(path: Path) -> pq.ParquetFile:
    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            raise FormatError("not a Parquet file")
    return pq.ParquetFile(path, buffer_size=1024 * 1024, pre_buffer=False, page_checksum_verification=True)


def _leaves(schema: pa.Schema) -> list[tuple[str, pa.DataType]]:
    return [leaf for field in schema for leaf in _leaf_types(field.name, "$.", field.type)]


def _leaf_types(name: str, joint: str, kind: pa.DataType) -> Iterator[tuple[str, pa.DataType]]:
    if not pa.types.is_struct(kind):
        yield name, kind
        return
    for i in range(kind.num_fields):
        yield from _leaf_types(f"{name}{joint}{kind.field(i).name}", ".", kind.field(i).type)


def _flat(batch: pa.RecordBatch, fields: Sequence[str] | None) -> pa.RecordBatch:
    columns: dict[str, pa.Array] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        columns.update(_leaf_columns(name, "$.", column))
    names = list(columns) if fields is None else list(fields)
    return batch_of([columns[name] for name in names], names, batch.num_rows)


def _leaf_columns(name: str, joint: str, column: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    # A function of its own, not one within _flat: a closure that calls itself would hold every batch until the
    # next garbage collection.
    if not pa.types.is_struct(column.type):
        yield name, _plain(column)
        return
    for i, inner in enumerate(column.flatten()):  # which hands the struct's own nulls down to its fields
        yield from _leaf_columns(f"{name}{joint}{column.type.field(i).name}", ".", inner)


def _plain(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_large_string(kind):
        return column.cast(pa.string())
    if pa.types.is_nested(kind):
        values = (
            None if value is None else msgspec.json.encode(value, enc_hook=str).decode() for value in column.to_pylist()
        )
        return pa.array(list(values), pa.string())
    if pa.types.is_null(kind):
        return pc.cast(column, pa.string())
    return column
