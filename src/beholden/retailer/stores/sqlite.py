"""SQLite files whose bytes depend on their rows alone."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from beholden.core.errors import BeholdenError, UsageError
from beholden.retailer.stores.database import Columns
from beholden.retailer.stores.layout import Placed
from beholden.retailer.warehouse_tables import Column

__all__ = ["SqliteDatabase", "new_sqlite"]

#: Types of the catalogue, without their precision, as SQLite calls them; the rest is text.
_TYPES: Final = {"integer": "integer", "numeric": "real"}
#: PostgreSQL's words that SQLite says in others. Times are texts, so that they compare as they are written.
_WORDS: Final = (
    (re.compile(r"\b(?:date|timestamp) '"), "'"),
    (re.compile(r"\bcast\(([\w.]+) as date\)"), r"substr(\1, 1, 10)"),
    (re.compile(r"\bsum\(([\w.]+)\)"), r"round(sum(\1), 2)"),
    (re.compile(r"'(\d{4}-\d\d-\d\d) 00:00:00'"), r"'\1T00:00:00'"),
)


class SqliteDatabase:
    """See `beholden.retailer.stores.database.Database`."""

    shifted = "strftime('%Y-%m-%dT%H:%M:%S', {column}, '-{days} days')"

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._indexes: list[str] = []

    def create(self, placed: Placed, *, temporary: bool = False) -> None:
        """See `Database.create`."""
        single = placed.key[0] if len(placed.key) == 1 else ""
        parts = [_defined(column, single, placed) for column in placed.table.columns]
        whole = len(placed.key) > 1
        if whole:
            parts.append(f"primary key ({', '.join(placed.key)})")
        kind = "temporary table" if temporary else "table"
        ending = " without rowid" if whole else ""
        self._run(f"create {kind} {placed.name} (\n  {_COMMA.join(parts)}\n){ending}")
        if placed.index:
            self._indexes.append(f"create index {placed.name}_{placed.index} on {placed.name} ({placed.index})")

    def fill(self, placed: Placed, columns: Columns) -> None:
        """See `Database.fill`."""
        marks = ", ".join("?" * len(columns))
        with _border(self._name):
            self._connection.executemany(f"insert into {placed.name} values ({marks})", zip(*columns, strict=True))

    def derive(self, placed: Placed, select: str) -> int:
        """See `Database.derive`."""
        return self._run(f"insert into {placed.name} {_translated(select)}")

    def run(self, statement: str) -> None:
        """See `Database.run`."""
        self._run(_translated(statement))

    def finish(self) -> None:
        """See `Database.finish`."""
        for index in self._indexes:
            self._run(index)

    def _run(self, statement: str) -> int:
        with _border(self._name):
            return self._connection.execute(statement).rowcount


_COMMA: Final = ",\n  "


def _defined(column: Column, key: str, placed: Placed) -> str:
    kind = _TYPES.get(column.sql_type.partition("(")[0], "text")
    text = f"{column.name} {kind}"
    if column.name == key:
        text += " primary key"
    for name, table, other in placed.references:
        if name == column.name:
            text += f" references {table} ({other})"
    return text


def _translated(sql: str) -> str:
    for pattern, words in _WORDS:
        sql = pattern.sub(words, sql)
    return sql


@contextmanager
def new_sqlite(path: Path) -> Iterator[SqliteDatabase]:
    """Make a database file; it is complete when the context ends, gone if that failed, unusable if the process died.

    Raises:
        UsageError: something of that name is there.
        BeholdenError: it cannot be written.
    """
    if path.exists():
        raise UsageError(f"database {path.name}", "is there already", expected="a directory without it")
    with _border(path.name):
        connection = sqlite3.connect(path, isolation_level=None)
    try:
        with closing(connection):
            with _border(path.name):
                # Nobody else looks at it yet and a half-made company is made anew: no journal, no waiting for the disk.
                connection.execute("pragma journal_mode = off")
                connection.execute("pragma synchronous = off")
                connection.execute("pragma temp_store = memory")
                connection.execute("pragma cache_size = -65536")
                connection.create_function("md5", 1, _md5, deterministic=True)
                connection.create_function("lpad", 3, _lpad, deterministic=True)
                connection.execute("begin")
            yield SqliteDatabase(connection, path.name)
            with _border(path.name):
                connection.execute("commit")
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextmanager
def _border(name: str) -> Iterator[None]:
    """Turn the library's errors into one of ours: its texts may quote values, its names for errors do not."""
    try:
        yield
    except sqlite3.Error as error:
        found = getattr(error, "sqlite_errorname", "unknown error")
        raise BeholdenError(f"database {name}", f"cannot be written ({found})") from None


def _md5(text: str | None) -> str | None:
    return None if text is None else hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _lpad(text: str, length: int, fill: str) -> str:
    return text[:length].rjust(length, fill)
