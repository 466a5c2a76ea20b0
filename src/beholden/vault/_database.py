"""The vault's database: opening, transactions, scrubbing, and the border that foreign errors do not pass."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from beholden.core.errors import BeholdenError, IntegrityError, NotFoundError, SourceError, UsageError
from beholden.vault.tables import metadata, people

__all__ = ["Database"]

_BUSY_S: Final = 30
_RETRY_S: Final = 0.01
_SCRUB_BUSY_MS: Final = 5000
_FULL: Final = "the disk is full: nothing of this change was kept"
_MISSING: Final = "bring the last backup back with: beholden vault restore; for a new estate run: beholden init"
_SQLITE: Final = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_BUSY: f"another process has held it for {_BUSY_S} s",
    sqlite3.SQLITE_LOCKED: f"another process has held it for {_BUSY_S} s",
    sqlite3.SQLITE_READONLY: "it cannot be written to",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write it",
}
#: By the first characters of the SQLSTATE.
_POSTGRES: Final = {
    "53100": _FULL,
    "28": "log-in is refused",
    "3D": "there is no such database",
    "42501": "access is refused",
    "25006": "it cannot be written to",
    "55P03": "another process holds it",
    "57": "the server stopped the work",
}


class Database:
    """An open connection pool to one vault. ``where`` names it in errors, without a password."""

    def __init__(self, url: str, *, create: bool) -> None:
        parsed = _parse(url)
        self.is_sqlite: Final = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            path = Path(parsed.database or "")
            self.where = f"vault {path}"
            _ensure_file(path, self.where, create=create)
            self.engine = sa.create_engine(parsed, connect_args={"timeout": _BUSY_S}, hide_parameters=True)
            sa.event.listen(self.engine, "connect", _configure_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.where = f"vault {parsed.render_as_string(hide_password=True)}"
            self.engine = sa.create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                connect_args={"connect_timeout": 10},
                hide_parameters=True,
                pool_pre_ping=True,
            )

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    @contextmanager
    def read(self, *, snapshot: bool = False) -> Iterator[sa.Connection]:
        """A connection to read from; with ``snapshot`` all of it is of one moment."""
        with self.border(), self.engine.connect() as connection:
            if snapshot and not self.is_sqlite:  # on SQLite every transaction is of one moment
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction: durable when the block ends without an exception, undone otherwise."""
        with self.border(), self.engine.connect() as connection:
            connection.execution_options(vault_begin="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection

    def missing(self, found: str) -> NotFoundError:
        """The error for a database without a vault."""
        return NotFoundError(self.where, found, advice=_MISSING)

    def create_tables(self, connection: sa.Connection) -> None:
        """Make the tables where they are missing; two processes that try at once take turns."""
        if not self.is_sqlite:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('beholden.vault'))"))
        metadata.create_all(connection)

    def lock(self, connection: sa.Connection) -> None:
        """Keep every other process from reading or writing people until the transaction ends.

        On SQLite a writing transaction is the only one anyway, and readers see what was there before it.
        """
        if not self.is_sqlite:
            connection.execute(sa.text(f"LOCK TABLE {people.name} IN ACCESS EXCLUSIVE MODE"))

    def scrub(self) -> bool:
        """Make sure that no file of the database holds a byte of what was deleted; false where that is not known.

        SQLite overwrites deleted rows (secure_delete); older pages linger in the write-ahead log until it is written
        back and cut to nothing, which has to wait for readers in other processes. PostgreSQL keeps deleted rows in
        its pages and log for a time that only its administrator can bound: always false.
        """
        if not self.is_sqlite:
            return False
        with suppress(BeholdenError), self.border(), self.engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            raw.execute(f"PRAGMA busy_timeout={_SCRUB_BUSY_MS}")
            try:
                busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                raw.execute(f"PRAGMA busy_timeout={_BUSY_S * 1000}")
            return not busy
        return False  # what was deleted stays deleted; the next call meets the same trouble and says it

    @contextmanager
    def border(self) -> Iterator[None]:
        """Turn a foreign error into one of ours: its own text may quote rows."""
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            raise self._translate(error) from None
        except sqlite3.Error as error:
            raise self._translate_sqlite(error) from None

    def _translate(self, error: sa.exc.SQLAlchemyError) -> BeholdenError:
        origin = getattr(error, "orig", None)
        if isinstance(origin, sqlite3.Error):
            return self._translate_sqlite(origin)
        state = str(getattr(origin, "sqlstate", None) or "")
        for prefix, found in _POSTGRES.items():
            if state.startswith(prefix):
                return SourceError(self.where, found, advice="check [vault] url and the server")
        found = f"the database refused (SQLSTATE {state})" if state else "the database cannot be reached"
        return SourceError(self.where, found, advice="check [vault] url and the server")

    def _translate_sqlite(self, error: sqlite3.Error) -> BeholdenError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            return IntegrityError(
                self.where,
                "the file is damaged or no SQLite database",
                advice="move it away and bring the last backup back with: beholden vault restore",
            )
        found = _SQLITE.get(code, f"the database refused (SQLite code {code})")
        return SourceError(self.where, found, advice="check [vault] url, the disk and the rights on the file")


def _parse(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        parsed = None
    kind = parsed.get_backend_name() if parsed is not None else ""
    if parsed is None or kind not in {"sqlite", "postgresql"} or not parsed.database or parsed.database == ":memory:":
        raise UsageError("[vault] url", "of no known form", expected="sqlite:///PATH or postgresql+psycopg://…")
    return parsed


def _ensure_file(path: Path, where: str, *, create: bool) -> None:
    """Make the file ourselves, so that it and the log SQLite keeps beside it are the owner's alone."""
    if path.exists():
        return
    if not create:
        raise NotFoundError(where, "does not exist", advice=_MISSING)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise SourceError(where, f"cannot be made ({os.strerror(error.errno or 0)})") from None


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # _begin_sqlite begins transactions
    cursor = connection.cursor()
    _enter_wal(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.execute("PRAGMA temp_store=MEMORY")
    cursor.close()


def _enter_wal(cursor: sqlite3.Cursor) -> None:
    """Switch to the write-ahead log; when two processes make a vault at once SQLite does not wait by itself here."""
    give_up = time.monotonic() + _BUSY_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(_RETRY_S)
        else:
            return


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("vault_begin", "BEGIN"))
