"""An SQLite file or a PostgreSQL database of the estate: opening, transactions, and the border foreign errors stop at.

A database that cannot be written to (its rights, a read-only or full disk) opens for reading: SQLite then needs
neither its log nor its shared memory beside the file, unless a log there still holds changes.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from beholden.core.errors import (
    BeholdenError,
    IntegrityError,
    NotFoundError,
    ReadOnlyError,
    SourceError,
    UsageError,
)

__all__ = ["BUSY_S", "Database"]

#: How long a connection waits for another process.
BUSY_S: Final = 30
_RETRY_S: Final = 0.01
_FULL: Final = "the disk is full: nothing of this change was kept"
_READ_ONLY: Final = "cannot be written to"
_SQLITE: Final = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_BUSY: f"another process has held it for {BUSY_S} s",
    sqlite3.SQLITE_LOCKED: f"another process has held it for {BUSY_S} s",
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write it",
}
#: SQLite's reasons not to open a file for writing that leave hope of reading it.
_UNWRITABLE: Final = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
_READ_WRITE: Final = "mode=rw"
_READ: Final = "mode=ro"
_FROZEN: Final = "mode=ro&immutable=1"
#: By the first characters of the SQLSTATE.
_POSTGRES: Final = {
    "53100": _FULL,
    "28": "log-in is refused",
    "3D": "there is no such database",
    "42501": "access is refused",
    "25006": _READ_ONLY,
    "55P03": "another process holds it",
    "57": "the server stopped the work",
}


class Database:
    """An open connection pool to one database.

    Errors of the database leave as `SourceError`, a damaged file as `IntegrityError`, a write where only reading is
    possible as `ReadOnlyError`; their own texts, which may quote rows, do not.

    Args:
        url: ``sqlite:///PATH`` or ``postgresql+psycopg://…``.
        room: what it is, ``state`` or ``vault``; also its table in beholden.toml.
        missing: what to do when it is not there.
        damaged: what to do when the file is damaged.
        create: make a missing SQLite file, as the owner's alone; otherwise a missing one is an error.

    Attributes:
        where: its name in errors, without a password.
    """

    def __init__(self, url: str, *, room: str, missing: str, damaged: str, create: bool) -> None:
        parsed = _parse(url, room)
        self.is_sqlite: Final = parsed.get_backend_name() == "sqlite"
        self._room = room
        self._missing = missing
        self._damaged = damaged
        self._refusal: BeholdenError | None = None
        if self.is_sqlite:
            path = Path(parsed.database or "")
            self.where = f"{room} {path}"
            self._ensure_file(path, create=create)
            self.engine = self._open_file(parsed, path)
        else:
            self.where = f"{room} {parsed.render_as_string(hide_password=True)}"
            self.engine = sa.create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                connect_args={"connect_timeout": 10},
                hide_parameters=True,
                pool_pre_ping=True,
            )

    @property
    def read_only(self) -> bool:
        """Whether its file could only be opened for reading."""
        return self._refusal is not None

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
        if self._refusal is not None:
            raise self._refusal
        with self.border(), self.engine.connect() as connection:
            connection.execution_options(begin_with="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection

    def missing(self, found: str) -> NotFoundError:
        """The error for a database that is not there, or holds nothing."""
        return NotFoundError(self.where, found, advice=self._missing)

    @contextmanager
    def border(self) -> Iterator[None]:
        """Turn a foreign error into one of ours: its own text may quote rows."""
        try:
            yield
        except (sa.exc.SQLAlchemyError, sqlite3.Error) as error:
            raise self._told(_origin(error)) from None

    def _told(self, error: BaseException | None) -> BeholdenError:
        advice = f"check [{self._room}] url in beholden.toml"
        if isinstance(error, sqlite3.Error):
            code = _code(error)
            if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
                return IntegrityError(self.where, "the file is damaged or no SQLite database", advice=self._damaged)
            advice += ", the disk and the rights on the file"
            found = _SQLITE.get(code, f"the database refused (SQLite code {code})")
        else:
            advice += " and the server"
            state = str(getattr(error, "sqlstate", None) or "")
            known = next((found for prefix, found in _POSTGRES.items() if state.startswith(prefix)), None)
            unknown = f"the database refused (SQLSTATE {state})" if state else "the database cannot be reached"
            found = known or unknown
        return ReadOnlyError(self.where) if found == _READ_ONLY else SourceError(self.where, found, advice=advice)

    def _ensure_file(self, path: Path, *, create: bool) -> None:
        """Make the file ourselves, so that it and the log SQLite keeps beside it are the owner's alone."""
        try:
            if path.exists():
                return
            if not create:
                raise self.missing("does not exist")
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            found = f"cannot be reached or made ({os.strerror(error.errno or 0)})"
            raise SourceError(self.where, found) from None

    def _open_file(self, url: sa.URL, path: Path) -> sa.Engine:
        """The engine of the first way in which the file can be read; the first way allows writing too."""
        refused: sqlite3.Error | None = None
        for mode in _modes(path):
            engine = _sqlite_engine(url, path, mode)
            try:
                with engine.connect() as connection:
                    connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1")
            except (sa.exc.SQLAlchemyError, sqlite3.Error) as error:
                engine.dispose()
                origin = _origin(error)
                if not isinstance(origin, sqlite3.Error) or _code(origin) not in _UNWRITABLE:
                    raise self._told(origin) from None
                refused = refused or origin
            else:
                if mode != _READ_WRITE:
                    self._refusal = self._told(refused) if _is_trouble(refused) else ReadOnlyError(self.where)
                return engine
        if _has_log(path) and not _is_trouble(refused) and os.access(path, os.R_OK):
            raise SourceError(
                self.where,
                f"is read-only, and {path.name}-wal beside it holds changes that were not written back",
                expected="both where they can be written",
                advice="copy the estate to such a place and ask there",
            )
        raise self._told(refused)


def _parse(url: str, room: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        parsed = None
    kind = parsed.get_backend_name() if parsed is not None else ""
    if parsed is None or kind not in {"sqlite", "postgresql"} or not parsed.database or parsed.database == ":memory:":
        raise UsageError(f"[{room}] url", "of no known form", expected="sqlite:///PATH or postgresql+psycopg://…")
    return parsed


def _modes(path: Path) -> Iterator[str]:
    """Ways to open a file, in turn.

    Without a log beside it the file is all there is and can be read as if nothing ever changed it; whoever could
    change it meanwhile would have made a log, which the way before would have found.
    """
    if os.access(path, os.W_OK):
        yield _READ_WRITE
    yield _READ
    if not _has_log(path):
        yield _FROZEN


def _has_log(path: Path) -> bool:
    """Whether a write-ahead log holds anything: SQLite leaves none, or an empty one, when the last reader closes."""
    log = Path(f"{os.path.realpath(path)}-wal")
    return log.is_file() and log.stat().st_size > 0


def _sqlite_engine(url: sa.URL, path: Path, mode: str) -> sa.Engine:
    uri = f"{path.absolute().as_uri()}?{mode}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, timeout=BUSY_S, check_same_thread=False)

    engine = sa.create_engine(url, creator=connect, hide_parameters=True)
    sa.event.listen(engine, "connect", _configure if mode == _READ_WRITE else _configure_reader)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # _begin begins transactions: the driver would leave definitions out
    cursor = connection.cursor()
    _enter_wal(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.execute("PRAGMA temp_store=MEMORY")
    cursor.close()


def _configure_reader(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA temp_store=MEMORY").close()


def _enter_wal(cursor: sqlite3.Cursor) -> None:
    """Switch to the write-ahead log; when two processes make a file at once SQLite does not wait by itself here."""
    give_up = time.monotonic() + BUSY_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(_RETRY_S)
        else:
            return


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin_with", "BEGIN"))


def _origin(error: BaseException) -> BaseException | None:
    """The driver's own error."""
    return error if isinstance(error, sqlite3.Error) else getattr(error, "orig", None)


def _code(error: sqlite3.Error) -> int:
    """SQLite's code; no room for its shared memory is no room."""
    extended = getattr(error, "sqlite_errorcode", 0)
    return sqlite3.SQLITE_FULL if extended == sqlite3.SQLITE_IOERR_SHMSIZE else extended & 0xFF


def _is_trouble(error: sqlite3.Error | None) -> bool:
    """Whether the disk failed, as opposed to rights that are lacking."""
    return error is not None and _code(error) in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
