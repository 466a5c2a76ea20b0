"""What a database that is being written offers, whatever server stands behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from beholden.core.errors import UsageError
from beholden.retailer.stores.layout import Placed

__all__ = ["MARK", "Columns", "Database", "Mark", "left_behind"]

#: Columns of one table, all of one length.
Columns: TypeAlias = Sequence[Sequence[Any]]
#: The table that stands in a server's database until all stores of a company are whole, and names the company.
MARK: Final = "unfinished_company"


@dataclass(frozen=True, slots=True)
class Mark:
    """Tells what a build of the same company left on a server when it was ended from what belongs to others."""

    company: str  # another text for another company
    tables: frozenset[str]  # what such a build may have made


def left_behind(name: str, found: Iterable[str], marked: str | None, mark: Mark | None) -> list[str]:
    """Tables of database ``name`` that an unfinished build left and that may be dropped.

    Args:
        name: the database.
        found: its tables.
        marked: which company's build left it, as the table `MARK` says; None where there is none.
        mark: of the company that is to be written there.

    Raises:
        UsageError: there is something else in it.
    """
    tables = sorted(found)
    if tables and (mark is None or marked != mark.company or not mark.tables.issuperset({*tables} - {MARK})):
        raise UsageError(f"database {name}", "holds tables already", expected="a missing or empty database")
    return tables


class Database(Protocol):
    """A database being filled: every table is created, filled or derived, then the whole is finished.

    Nothing is durable before `finish` and the end of the context it was opened in; until then the database is unusable
    (SQLite), or empty or marked (servers, see `Mark`). Raises `beholden.core.errors.BeholdenError`, which never quotes a value.
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
