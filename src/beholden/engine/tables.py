"""What a query may read: an Arrow table, Parquet files, or both under one name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from beholden.core.errors import SourceError, UsageError

__all__ = ["TableSource"]


@dataclass(frozen=True, slots=True)
class TableSource:
    """The rows of ``parquet`` files and of ``table``, one after the other.

    ``schema`` names the columns and their types and is needed when there is no ``table``; it makes an empty list of
    files a table without rows. Files must hold these columns; they may hold more.
    """

    table: pa.Table | None = None
    parquet: tuple[Path, ...] = ()
    schema: pa.Schema | None = None

    @property
    def columns(self) -> pa.Schema:
        """The schema a query sees."""
        if self.schema is not None:
            return self.schema
        if self.table is not None:
            return self.table.schema
        raise UsageError("table source", "neither a table nor a schema", expected="one of them")

    def rows(self, name: str) -> pa.Table:
        """The rows in memory, in the columns a query sees; raises `UsageError`, naming the table, if one is missing."""
        schema = self.columns
        rows = self.table if self.table is not None else schema.empty_table()
        missing = set(schema.names) - set(rows.schema.names)
        if missing:
            raise UsageError(
                f"table {name}", f"its rows lack column {min(missing)}", expected="the columns of its schema"
            )
        return rows.select(schema.names)

    def files(self) -> tuple[Path, ...]:
        """The Parquet files; raises `SourceError` for one that is not there."""
        for path in self.parquet:
            if not path.is_file():
                raise SourceError(f"file {path.name}", "is missing", expected="a Parquet file to ask")
        return self.parquet
