"""What a database that is being written offers, whatever server stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from beholden.retailer.stores.layout import Placed

__all__ = ["Columns", "Database"]

#: Columns of one table, all of one length.
Columns: TypeAlias = Sequence[Sequence[Any]]


class Database(Protocol):
    """A database being filled: every table is created, filled or derived, then the whole is finished.

    Nothing is durable before `finish` and the end of the context it was opened in; until then the database is unusable
    (SQLite) or empty (servers). Raises `beholden.core.errors.BeholdenError`, which never quotes a value.
    """

    #: How a moment that many days before that of a column is written.
    shifted: str  # with {column} and {days}

    def create(self, placed: Placed, *, temporary: bool = False) -> None:
        """Make a table; a temporary one is gone at the end."""

    def fill(self, placed: Placed, columns: Columns) -> None:
        """Add rows, given as columns in the table's order. Texts of times are ISO 8601."""

    def derive(self, placed: Placed, select: str) -> int:
        """Fill a table by a query in PostgreSQL's words; returns its rows."""

    def run(self, statement: str) -> None:
        """Run a statement in PostgreSQL's words."""

    def finish(self) -> None:
        """Make keys and indexes that wait until all rows are there."""
