"""What a query may read: an Arrow table, Parquet files, or both under one name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from beholden.core.errors import UsageError

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
