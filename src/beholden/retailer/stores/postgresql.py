"""PostgreSQL: a database for each store on the server that a URL names, filled by COPY in one transaction."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
import pyarrow as pa
import pyarrow.csv as pa_csv
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from beholden.core.errors import BeholdenError, UsageError
from beholden.retailer.stores.database import MARK, Columns, Mark, left_behind
from beholden.retailer.stores.layout import Placed
from beholden.retailer.warehouse_tables import Column

__all__ = ["PostgresqlDatabase", "check_postgresql", "new_postgresql", "postgresql_server", "unmark_postgresql"]

#: What a column is read as on its way; texts stand for times.
_ARROW: Final = {"integer": pa.int64(), "numeric": pa.float64()}
_OPTIONS: Final = pa_csv.WriteOptions(include_header=False)
_CONNECT_S: Final = 10
_SERVER: Final = "postgresql://USER:PASSWORD@HOST:PORT"
_PORT: Final = "5432"
_NO_RIGHT: Final = "the user has no right to make it or to write to it"
#: What SQLSTATEs and classes of them mean.
_MEANINGS: Final = {
    "28": "the server refuses the user or the password",
    "42501": _NO_RIGHT,
    "53100": "the server's disk is full",
    "53300": "the server has too many connections",
    "57P": "the server ended the connection",
    "08": "the connection was lost",
}
#: Tables as they are called behind FROM; what is no plain table of the usual schema goes by a longer name.
_TABLES: Final = """
select case when n.nspname = 'public' and c.relkind = 'r' then c.relname else n.nspname || '.' || c.relname end
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
"""


class PostgresqlDatabase:
    """See `beholden.retailer.stores.database.Database`."""

    shifted = "{column} - interval '{days} days'"

    def __init__(self, connection: psycopg.Connection, name: str) -> None:
        self._connection = connection
        self._name = name
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
        with _border(self._name), self._connection.cursor() as cursor, cursor.copy(copy) as stream:
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
        with _border(self._name):
            return self._connection.execute(statement.encode() if isinstance(statement, str) else statement).rowcount


def _family(column: Column) -> str:
    return column.sql_type.partition("(")[0]


def _type(column: Column) -> str:
    """Ids may grow beyond four bytes."""
    wide = column.sql_type == "integer" and column.meaning.endswith(".id")
    return "bigint" if wide else column.sql_type


@contextmanager
def _border(name: str) -> Iterator[None]:
    """Turn the driver's errors into one of ours: its texts may quote values and the URL, its states do not."""
    try:
        yield
    except (psycopg.Error, UnicodeError) as error:  # the latter: a host's name that is none
        raise _failure(name, _meaning(error)) from None


def _failure(name: str, found: str) -> BeholdenError:
    return BeholdenError(f"database {name} on PostgreSQL", found, advice="check the server and the URL")


def _meaning(error: psycopg.Error | UnicodeError) -> str:
    if isinstance(error, UnicodeError):
        return "the server cannot be spoken to"
    state = error.sqlstate
    if state is not None:
        found = next((found for prefix, found in _MEANINGS.items() if state.startswith(prefix)), None)
        return found or f"the server refused (SQLSTATE {state})"
    if error.pgconn is not None and error.pgconn.used_password:
        return "the server refuses the user or the password"  # it says so in words of its language alone
    return "the server cannot be reached, or the connection was lost"


@contextmanager
def new_postgresql(url: str, name: str, mark: Mark | None = None) -> Iterator[PostgresqlDatabase]:
    """Make the database ``name`` on the server of ``url`` if it is missing; all of it is there when the context ends.

    With a mark the database bears it from then on until `unmark_postgresql`, and what an earlier build of that mark
    left is dropped first: a database is written in one transaction, the several ones of a company are not.

    Raises:
        UsageError: the URL is none, or the database holds something already.
        BeholdenError: the server cannot be reached, or refuses.
    """
    login = _login(url)
    with _border(name):
        _make(make_conninfo(**login), name)
        connection = psycopg.connect(make_conninfo(**{**login, "dbname": name}))
    with closing(connection):
        with _border(name):
            _enter(connection, name, mark)
        yield PostgresqlDatabase(connection, name)
        with _border(name):
            connection.commit()


def check_postgresql(url: str, name: str, mark: Mark) -> None:
    """Raise what `new_postgresql` would at its beginning, and leave the server as it is."""
    login = _login(url)
    with _border(name), psycopg.connect(make_conninfo(**login)) as connection:
        if not _known(connection, name):
            query = "select rolcreatedb or rolsuper from pg_roles where rolname = current_user"
            if connection.execute(query).fetchone() != (True,):
                raise _failure(name, _NO_RIGHT)
            return
    with _border(name), closing(psycopg.connect(make_conninfo(**{**login, "dbname": name}))) as connection:
        _enter(connection, name, mark)  # never committed


def postgresql_server(url: str) -> str:
    """Host and port of a URL, without anybody's name and password; raises `UsageError` where it is none."""
    login = _login(url)
    return f"{login.get('hostaddr') or login.get('host') or 'localhost'}:{login.get('port') or _PORT}"


def unmark_postgresql(url: str, name: str, company: str) -> None:
    """Take the company's mark off the database, if it bears it: the company is whole.

    Raises:
        BeholdenError: the server cannot be reached, or refuses.
    """
    with _border(name), psycopg.connect(make_conninfo(**{**_login(url), "dbname": name})) as connection:
        if _marked(connection, _tables(connection)) == company:
            connection.execute(f"drop table {MARK}")


def _login(url: str) -> dict[str, Any]:
    with suppress(psycopg.ProgrammingError, ValueError):  # the latter: half an address
        # The driver would take other forms too, which are no URLs and have no place in beholden.toml.
        if urlsplit(url).scheme in {"postgresql", "postgres"}:
            return {"connect_timeout": _CONNECT_S, **conninfo_to_dict(url)}
    raise UsageError("PostgreSQL", "the URL is none of such a server", expected=_SERVER)


def _enter(connection: psycopg.Connection, name: str, mark: Mark | None) -> None:
    """Rid the database of what an unfinished build left, and mark it."""
    tables = _tables(connection)
    left = left_behind(name, tables, _marked(connection, tables), mark)
    if left:
        gone = sql.SQL(", ").join(map(sql.Identifier, left))
        connection.execute(sql.SQL("drop table {}").format(gone))
    if mark is not None:
        made = sql.SQL("create table {} as select {} as company")
        connection.execute(made.format(sql.Identifier(MARK), sql.Literal(mark.company)))


def _tables(connection: psycopg.Connection) -> list[str]:
    return [table for (table,) in connection.execute(_TABLES)]


def _marked(connection: psycopg.Connection, tables: list[str]) -> str | None:
    """Whose unfinished build the database is of."""
    if MARK not in tables:
        return None
    found = connection.execute(sql.SQL("select * from {}").format(sql.Identifier(MARK))).fetchone()
    return str(found[0]) if found else None


def _known(connection: psycopg.Connection, name: str) -> bool:
    return connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone() is not None


def _make(url: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        if not _known(connection, name):
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
