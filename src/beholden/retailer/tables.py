"""Tables on disk: Parquet and CSV as the company's own tools write them, equal rows as equal bytes."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["write_csv", "write_parquet"]


def write_parquet(
    path: Path,
    table: pa.Table,
    *,
    compression: str = "zstd",
    dictionaries: bool | list[str] = True,
    encoding: dict[str, str] | None = None,
    statistics: bool | list[str] = True,
) -> None:
    """Write a table; equal rows give equal bytes (with one version of the library)."""
    pq.write_table(
        table, path, compression=compression, use_dictionary=dictionaries, column_encoding=encoding,
        write_statistics=statistics,
    )  # fmt: skip


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows under a header, with line feeds on every system; None is an empty field."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
