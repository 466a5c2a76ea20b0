"""MariaDB: a database on the server that a URL names, through the driver PyMySQL (the extra ``mariadb``)."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from types import ModuleType
from typing import Any, Final
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from beholden.core.errors import BeholdenError, UsageError
from beholden.retailer.stores.database import MARK, Columns, Mark, left_behind
from beholden.retailer.stores.layout import Placed
from beholden.retailer.warehouse_tables import Column

__all__ = ["MariadbDatabase", "check_mariadb", "mariadb_server", "new_mariadb", "unmark_mariadb"]

_PORT: Final = 3306
_CONNECT_S: Final = 10
#: A capped store lacks some of the rows that others refer to. What a broken connection still holds is waited for so long.
_SESSION: Final = "set session foreign_key_checks = 0, lock_wait_timeout = 30"
_TYPES: Final = {"integer": "bigint", "timestamp": "datetime"}
#: What a server's or the driver's error numbers mean.
_MEANINGS: Final = {
    **dict.fromkeys((1044, 1142, 1227), "the user has no right to make it or to write to it"),
    **dict.fromkeys((1045, 1698), "the server refuses the user or the password"),
    **dict.fromkeys((2002, 2003, 2005), "the server cannot be reached"),
    **dict.fromkeys((0, 1053, 1927, 2006, 2013, 2055), "the connection was lost"),
    **dict.fromkeys((1021, 1114), "the server's disk is full"),
    1205: "another connection holds its tables, perhaps that of a build just ended",
}
_IS_THERE: Final = 1007
_SERVER: Final = "mariadb://USER:PASSWORD@HOST:PORT"


class MariadbDatabase:
    """See `beholden.retailer.stores.database.Database`. It holds no tables that are made from tables.

    The server commits with every table or index that is made, so `new_mariadb` takes them away again where it fails;
    what stays where the process is killed has a mark.
    """

    shifted = "date_sub({column}, interval {days} day)"

    def __init__(self, connection: Any, border: _Border) -> None:
        self._connection = connection
        self._border = border
        self.made: list[str] = []
        self._indexes: list[str] = []

    def create(self, placed: Placed, *, temporary: bool = False) -> None:
        """See `Database.create`."""
        parts = [f"{_quoted(one.name)} {_type(one, placed)}" for one in placed.table.columns]
        if placed.key:
            parts.append(f"primary key ({', '.join(map(_quoted, placed.key))})")
        for column, table, other in placed.references:
            parts.append(f"foreign key ({_quoted(column)}) references {_quoted(table)} ({_quoted(other)})")
        kind = "temporary table" if temporary else "table"
        self.run(f"create {kind} {_quoted(placed.name)} ({', '.join(parts)}) engine innodb charset utf8mb4")
        self.made.append(placed.name)
        if placed.index:
            self._indexes.append(f"create index by_{placed.index} on {_quoted(placed.name)} ({_quoted(placed.index)})")

    def fill(self, placed: Placed, columns: Columns) -> None:
        """See `Database.fill`."""
        marks = ", ".join(["%s"] * len(columns))
        with self._border(), self._connection.cursor() as cursor:
            # The driver makes statements of many rows of this.
            cursor.executemany(f"insert into {_quoted(placed.name)} values ({marks})", list(zip(*columns, strict=True)))

    def derive(self, placed: Placed, select: str) -> int:
        """See `Database.derive`."""
        return self._run(f"insert into {_quoted(placed.name)} {select}")

    def run(self, statement: str) -> None:
        """See `Database.run`."""
        self._run(statement)

    def finish(self) -> None:
        """See `Database.finish`."""
        for index in self._indexes:
            self.run(index)

    def _run(self, statement: str) -> int:
        with self._border(), self._connection.cursor() as cursor:
            return int(cursor.execute(statement))


def _quoted(name: str) -> str:
    return f"`{name}`"


def _type(column: Column, placed: Placed) -> str:
    if column.sql_type == "text" and column.name in {*placed.key, placed.index}:
        return "varchar(64)"  # a key has a length
    return _TYPES.get(column.sql_type, column.sql_type)


class _Border:
    """Turns the driver's errors into one of ours: its texts may quote values, its numbers do not."""

    def __init__(self, driver: ModuleType, name: str) -> None:
        # The last two: a name of a host that is none, a way of logging in that the driver lacks a package for.
        self._errors = (driver.Error, UnicodeError, RuntimeError)
        self._name = name

    @contextmanager
    def __call__(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            number = error.args[0] if error.args else None
            found = "the server cannot be spoken to"
            if isinstance(number, int):
                found = _MEANINGS.get(number, f"the server refused (error {number})")
            raise BeholdenError(
                f"database {self._name} on MariaDB", found, advice="check the server and the URL"
            ) from None


@contextmanager
def new_mariadb(url: str, name: str, mark: Mark | None = None) -> Iterator[MariadbDatabase]:
    """Make the database ``name`` on the server of ``url`` if it is missing; its rows are there when the context ends.

    With a mark the database bears it from before the first table until `unmark_mariadb`, and what an earlier build of
    that mark left is dropped first.

    Raises:
        UsageError: the driver is not installed, the URL is none, or the database holds something already.
        BeholdenError: the server cannot be reached, or refuses.
    """
    driver = _driver()
    border = _Border(driver, name)
    connect = _connecting(driver, url)
    with border():
        connection = connect(autocommit=False)
    database = MariadbDatabase(connection, border)
    try:
        with closing(connection):
            with border():
                _enter(connection, name, mark)
            if mark is not None:
                database.made.append(MARK)
            yield database
            with border():
                connection.commit()
    except BaseException:
        if database.made:
            # The mark goes last.
            with suppress(driver.Error), closing(connect(database=name)) as other:
                other.cursor().execute(f"drop table if exists {', '.join(map(_quoted, reversed(database.made)))}")
        raise


def check_mariadb(url: str, name: str, mark: Mark) -> None:
    """Raise what `new_mariadb` would at its beginning, and leave the server as it is.

    What a user may do there only shows when it is done: a database that is missing, and the mark, are made and dropped.
    """
    driver = _driver()
    border, connect = _Border(driver, name), _connecting(driver, url)
    with border(), closing(connect()) as connection, connection.cursor() as cursor:
        made = True
        try:
            cursor.execute(f"create database {_quoted(name)} character set utf8mb4")
        except driver.Error as error:
            if error.args[0] != _IS_THERE:
                raise
            made = False
        if not _left(cursor, name, mark):
            _set_mark(cursor, mark)
            cursor.execute(f"drop table {MARK}")
        if made:
            cursor.execute(f"drop database {_quoted(name)}")


def mariadb_server(url: str) -> str:
    """Host and port of a URL, without anybody's name and password.

    Raises:
        UsageError: the URL is none, or the driver is not installed.
    """
    _driver()
    login = _login(url)
    return f"{login['host']}:{login['port']}"


def unmark_mariadb(url: str, name: str, company: str) -> None:
    """Take the company's mark off the database, if it bears it: the company is whole.

    Raises:
        BeholdenError: the server cannot be reached, or refuses.
    """
    driver = _driver()
    border, connect = _Border(driver, name), _connecting(driver, url)
    with border(), closing(connect(database=name)) as connection, connection.cursor() as cursor:
        if _marked(cursor, _tables(cursor)) == company:
            cursor.execute(f"drop table {MARK}")


def _connecting(driver: ModuleType, url: str) -> partial[Any]:
    # Whatever the server is set to: what does not fit is an error, not cut off.
    return partial(
        driver.connect, **_login(url), charset="utf8mb4", sql_mode="STRICT_ALL_TABLES",
        init_command=_SESSION, connect_timeout=_CONNECT_S,
    )  # fmt: skip


def _enter(connection: Any, name: str, mark: Mark | None) -> None:
    """Go to the database, which is made if it is missing, rid it of what an unfinished build left, and mark it."""
    with connection.cursor() as cursor:
        cursor.execute(f"create database if not exists {_quoted(name)} character set utf8mb4")
        for table in _left(cursor, name, mark):
            if table != MARK:  # which goes last
                cursor.execute(f"drop table {_quoted(table)}")
        if mark is not None:
            _set_mark(cursor, mark)


def _left(cursor: Any, name: str, mark: Mark | None) -> list[str]:
    """Go to the database; what an unfinished build left in it."""
    cursor.execute(f"use {_quoted(name)}")
    tables = _tables(cursor)
    return left_behind(name, tables, _marked(cursor, tables), mark)


def _set_mark(cursor: Any, mark: Mark) -> None:
    cursor.execute(f"create or replace table {MARK} select %s as company", [mark.company])


def _tables(cursor: Any) -> list[str]:
    cursor.execute("show tables")
    return [table for (table,) in cursor.fetchall()]


def _marked(cursor: Any, tables: list[str]) -> str | None:
    """Whose unfinished build the database is of."""
    if MARK not in tables:
        return None
    cursor.execute(f"select * from {MARK}")
    return str(found[0]) if (found := cursor.fetchone()) else None


def _driver() -> ModuleType:
    try:
        return importlib.import_module("pymysql")
    except ImportError:
        raise UsageError(
            "MariaDB",
            "its driver is not installed",
            expected="the package pymysql",
            advice="install beholden[mariadb], or leave --mariadb out",
        ) from None


def _login(url: str) -> dict[str, Any]:
    """Host, port, user and password of a URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _PORT
        # The driver would turn a text into Latin-1.
        password = unquote_to_bytes(parts.password or "")
    except ValueError:  # a port that is none, half an address, bytes that are no text
        host, port, password = None, _PORT, b""
    if not host or parts.scheme not in {"mariadb", "mysql"}:
        raise UsageError("MariaDB", "the URL is none of such a server", expected=_SERVER)
    return {"host": host, "port": port, "user": unquote(parts.username or ""), "password": password}
