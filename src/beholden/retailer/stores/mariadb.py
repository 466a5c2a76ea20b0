"""MariaDB: a database on the server that a URL names, through the driver pymysql, which is not ours to bring along."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from beholden.core.errors import BeholdenError, UsageError
from beholden.retailer.stores.database import Columns
from beholden.retailer.stores.layout import Placed
from beholden.retailer.warehouse_tables import Column

__all__ = ["MariadbDatabase", "new_mariadb"]

_PORT: Final = 3306
_TYPES: Final = {"integer": "bigint", "timestamp": "datetime"}


class MariadbDatabase:
    """See `beholden.retailer.stores.database.Database`. It holds no tables that are made from tables."""

    shifted = "date_sub({column}, interval {days} day)"

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._indexes: list[str] = []

    def create(self, placed: Placed, *, temporary: bool = False) -> None:
        """See `Database.create`."""
        parts = [f"{_quoted(one.name)} {_type(one, placed)}" for one in placed.table.columns]
        if placed.key:
            parts.append(f"primary key ({', '.join(map(_quoted, placed.key))})")
        self.run(f"create {'temporary ' * temporary}table {_quoted(placed.name)} ({', '.join(parts)}) charset utf8mb4")
        if placed.index:
            self._indexes.append(f"create index by_{placed.index} on {_quoted(placed.name)} ({_quoted(placed.index)})")

    def fill(self, placed: Placed, columns: Columns) -> None:
        """See `Database.fill`."""
        marks = ", ".join(["%s"] * len(columns))
        with self._connection.cursor() as cursor:
            # The driver makes statements of many rows of this.
            cursor.executemany(f"insert into {_quoted(placed.name)} values ({marks})", list(zip(*columns, strict=True)))

    def derive(self, placed: Placed, select: str) -> int:
        """See `Database.derive`."""
        with self._connection.cursor() as cursor:
            return int(cursor.execute(f"insert into {_quoted(placed.name)} {select}"))

    def run(self, statement: str) -> None:
        """See `Database.run`."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement)

    def finish(self) -> None:
        """See `Database.finish`. References are not declared: a capped store lacks some of their targets."""
        for index in self._indexes:
            self.run(index)


def _quoted(name: str) -> str:
    return f"`{name}`"


def _type(column: Column, placed: Placed) -> str:
    if column.sql_type == "text" and column.name in {*placed.key, placed.index}:
        return "varchar(64)"  # a key has a length
    return _TYPES.get(column.sql_type, column.sql_type)


@contextmanager
def new_mariadb(url: str, name: str) -> Iterator[MariadbDatabase]:
    """Make the database ``name`` on the server of ``url`` if it is missing; its rows are there when the context ends.

    Raises:
        UsageError: the driver is not installed, the URL is none, or the database holds something already.
        BeholdenError: the server cannot be reached, or refuses.
    """
    try:
        driver = importlib.import_module("pymysql")
    except ImportError:
        raise UsageError(
            "MariaDB",
            "its driver is not installed",
            expected="the package pymysql",
            advice="install it, or leave --mariadb out",
        ) from None
    parts = urlsplit(url)
    if parts.scheme not in {"mariadb", "mysql"} or not parts.hostname:
        raise UsageError("MariaDB", "the URL is none of such a server", expected="mariadb://USER:PASSWORD@HOST:PORT")
    try:
        with closing(
            driver.connect(
                host=parts.hostname, port=parts.port or _PORT, user=unquote(parts.username or ""),
                password=unquote(parts.password or ""), charset="utf8mb4", autocommit=False,
            )
        ) as connection:  # fmt: skip
            with connection.cursor() as cursor:
                cursor.execute(f"create database if not exists {_quoted(name)} character set utf8mb4")
                cursor.execute(f"use {_quoted(name)}")
                if cursor.execute("show tables"):
                    raise UsageError(f"database {name}", "holds tables already", expected="a missing or empty database")
            yield MariadbDatabase(connection)
            connection.commit()
    except driver.Error as error:
        # The driver's text may quote values; its number does not.
        number = error.args[0] if error.args and isinstance(error.args[0], int) else type(error).__name__
        raise BeholdenError(f"database {name} on MariaDB", f"cannot be written (error {number})") from None
