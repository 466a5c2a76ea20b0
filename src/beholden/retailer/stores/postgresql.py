"""PostgreSQL: a database for each store on the server that a URL names, filled by COPY in one transaction."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
import pyarrow as pa
import pyarrow.csv as pa_csv
from psycopg import sql
from psycopg.conninfo import make_conninfo

from beholden.core.errors import BeholdenError, UsageError
from beholden.retailer.stores.database import Columns
from beholden.retailer.stores.layout import Placed
from beholden.retailer.warehouse_tables import Column

__all__ = ["PostgresqlDatabase", "new_postgresql"]

#: What a column is read as on its way; texts stand for times.
_ARROW: Final = {"integer": pa.int64(), "numeric": pa.float64()}
_OPTIONS: Final = pa_csv.WriteOptions(include_header=False)
_TABLES: Final = """
select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
"""


class PostgresqlDatabase:
    """See `beholden.retailer.stores.database.Database`."""

    shifted = "{column} - interval '{days} days'"

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._placed: list[Placed] = []

    def create(self, placed: Placed, *, temporary: bool = False) -> None:
        """See `Database.create`."""
        columns: list[sql.Composable] = [
            sql.SQL("{} ").format(sql.Identifier(one.name)) + sql.SQL(_type(one)) for one in placed.table.columns
        ]
        self._run(
            sql.SQL("create {} {} ({})").format(
                sql.SQL("temporary table" if temporary else "table"),
                sql.Identifier(placed.name),
                sql.SQL(", ").join(columns),
            )
        )
        if temporary:
            self._run(f"alter table {placed.name} add primary key ({', '.join(placed.key)})")
        else:
            self._placed.append(placed)

    def fill(self, placed: Placed, columns: Columns) -> None:
        """See `Database.fill`."""
        arrays = [
            pa.array(column, _ARROW.get(_family(one), pa.string()))
            for column, one in zip(columns, placed.table.columns, strict=True)
        ]
        text = io.BytesIO()
        pa_csv.write_csv(pa.table(arrays, names=[one.name for one in placed.table.columns]), text, _OPTIONS)
        # In this CSV texts stand in quotes and what is missing does not: PostgreSQL reads it so.
        copy = sql.SQL("copy {} from stdin (format csv)").format(sql.Identifier(placed.name))
        with self._connection.cursor() as cursor, cursor.copy(copy) as stream:
            stream.write(text.getbuffer())

    def derive(self, placed: Placed, select: str) -> int:
        """See `Database.derive`."""
        return self._run(f"insert into {placed.name} {select}")

    def run(self, statement: str) -> None:
        """See `Database.run`."""
        self._run(statement)

    def finish(self) -> None:
        """See `Database.finish`. References are declared and not checked: a capped store lacks some of its targets."""
        for placed in self._placed:
            if placed.key:
                self._run(f"alter table {placed.name} add primary key ({', '.join(placed.key)})")
        for placed in self._placed:
            for column, table, other in placed.references:
                self._run(
                    f"alter table {placed.name} add foreign key ({column}) references {table} ({other}) not valid"
                )
            if placed.index:
                self._run(f"create index on {placed.name} ({placed.index})")
            # Not all at once: that would lock what all databases of the server share.
            self._run(f"analyze {placed.name}")

    def _run(self, statement: str | sql.Composed) -> int:
        # The texts are ours: names come from the catalogue, no value is in them.
        return self._connection.execute(statement.encode() if isinstance(statement, str) else statement).rowcount


def _family(column: Column) -> str:
    return column.sql_type.partition("(")[0]


def _type(column: Column) -> str:
    """Ids may grow beyond four bytes."""
    wide = column.sql_type == "integer" and column.meaning.endswith(".id")
    return "bigint" if wide else column.sql_type


@contextmanager
def new_postgresql(url: str, name: str) -> Iterator[PostgresqlDatabase]:
    """Make the database ``name`` on the server of ``url`` if it is missing; all of it is there when the context ends.

    Raises:
        UsageError: the database holds something already.
        BeholdenError: the server cannot be reached, or refuses.
    """
    try:
        _make(url, name)
        with psycopg.connect(make_conninfo(url, dbname=name)) as connection:
            found = connection.execute(_TABLES).fetchone()
            if found and found[0]:
                raise UsageError(f"database {name}", "holds tables already", expected="a missing or empty database")
            yield PostgresqlDatabase(connection)
    except psycopg.Error as error:
        # The driver's text may quote values and the URL; the state does not.
        state = error.sqlstate or type(error).__name__
        raise BeholdenError(f"database {name} on PostgreSQL", f"cannot be written ({state})") from None


def _make(url: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        known = connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone()
        if known is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
