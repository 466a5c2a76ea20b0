"""SQLite files whose bytes depend on their rows alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from beholden.core.errors import BeholdenError

__all__ = ["Columns", "Database", "new_database"]

#: Columns of one table, all of one length.
Columns: TypeAlias = Sequence[Sequence[Any]]


class Database:
    """A database being filled."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def define(self, script: str) -> None:
        """Run definitions, one statement after another (no semicolon inside a literal)."""
        for statement in filter(str.strip, script.split(";")):
            self._connection.execute(statement)

    def fill(self, table: str, batches: Iterable[Columns]) -> None:
        """Add rows, given as batches of columns in the table's order."""
        for columns in batches:
            marks = ", ".join("?" * len(columns))
            rows = zip(*columns, strict=True)
            self._connection.executemany(f"insert into {table} values ({marks})", rows)


@contextmanager
def new_database(path: Path) -> Iterator[Database]:
    """Make a database file; it is complete when the context ends, and unusable if the process dies before.

    Raises:
        BeholdenError: it cannot be written.
    """
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            # Nobody else looks at it yet and a half-made company is made anew: no journal, no waiting for the disk.
            connection.execute("pragma journal_mode = off")
            connection.execute("pragma synchronous = off")
            connection.execute("begin")
            yield Database(connection)
            connection.execute("commit")
    except sqlite3.Error as error:
        # The library's text may quote a value; its name for the error does not.
        name = getattr(error, "sqlite_errorname", "unknown error")
        raise BeholdenError(f"database {path.name}", f"cannot be written ({name})") from None
