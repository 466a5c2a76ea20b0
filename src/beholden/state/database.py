"""Opening the state database and bringing it to this program's version."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any, Final, Self

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from beholden.core.errors import BeholdenError, IntegrityError, NotFoundError, SourceError, UsageError

__all__ = ["State", "open_state"]

_BUSY_S: Final = 30
_RETRY_S: Final = 0.01
_FULL: Final = "the disk is full: nothing of this change was kept"
_BUSY: Final = f"another process has held it for {_BUSY_S} s"
_SQLITE: Final = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_READONLY: "cannot be written to",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write it",
}
#: By the first characters of the SQLSTATE.
_POSTGRES: Final = {
    "53100": _FULL,
    "28": "log-in is refused",
    "3D": "there is no such database",
    "42501": "access is refused",
    "25006": "cannot be written to",
    "57": "the server stopped the work",
}


class State:
    """A state database at this program's version. Close it, or use it as a context.

    Errors of the database leave as `SourceError`, a damaged file as `IntegrityError`; their own texts, which may quote
    rows, do not.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._where = f"state {engine.url.render_as_string(hide_password=True)}"
        if engine.dialect.name == "sqlite":
            self._where = f"state {engine.url.database}"

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection to read from."""
        with self._border(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction: durable when the block ends without an exception, undone otherwise."""
        with self._border(), self.engine.connect() as connection:
            connection.execution_options(state_begin="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def migrate(self) -> None:
        """Bring the tables to this program's version, in one transaction; two processes that try at once take turns.

        Raises:
            BeholdenError: a newer program made them.
        """
        with resources.as_file(resources.files("beholden.state") / "migrations") as directory:
            config = AlembicConfig()
            config.set_main_option("script_location", str(directory).replace("%", "%%"))
            script = ScriptDirectory.from_config(config)
            head = script.get_current_head()
            with self.read() as connection:
                if _revision(connection) == head:
                    return
            with self.write() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('beholden.state'))"))
                current = _revision(connection)
                if current == head:  # another process was first
                    return
                if current is not None and current not in {revision.revision for revision in script.walk_revisions()}:
                    raise BeholdenError(
                        self._where,
                        f"was written by a newer version of beholden (revision {current})",
                        expected=f"revision {head} or older",
                        advice="upgrade beholden",
                    )
                config.attributes["connection"] = connection
                command.upgrade(config, "head")

    @contextmanager
    def _border(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            raise self._told(getattr(error, "orig", None)) from None
        except sqlite3.Error as error:
            raise self._told(error) from None

    def _told(self, error: BaseException | None) -> BeholdenError:
        advice = "check [state] url in beholden.toml"
        if isinstance(error, sqlite3.Error):
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
                return IntegrityError(
                    self._where, "the file is damaged or no SQLite database", advice="bring it back from a backup"
                )
            advice += ", the disk and the rights on the file"
            return SourceError(self._where, _SQLITE.get(code, f"refused (SQLite code {code})"), advice=advice)
        state = str(getattr(error, "sqlstate", None) or "")
        known = next((found for prefix, found in _POSTGRES.items() if state.startswith(prefix)), None)
        found = known or (f"refused (SQLSTATE {state})" if state else "the database cannot be reached")
        return SourceError(self._where, found, advice=advice)


def open_state(url: str, *, create: bool = False) -> State:
    """Open the state at ``url``, migrating an older one.

    Args:
        url: an SQLAlchemy URL; ``sqlite:///PATH`` or ``postgresql+psycopg://…``.
        create: make a missing SQLite file; otherwise a missing one is an error.

    Raises:
        UsageError: the URL is of no known form.
        NotFoundError: the SQLite file does not exist and ``create`` is false.
        BeholdenError: a newer program made it.
        SourceError: it cannot be opened.
        IntegrityError: the file is damaged.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        _ensure_place(Path(parsed.database or ""), create=create)
        engine = sa.create_engine(parsed, connect_args={"timeout": _BUSY_S}, hide_parameters=True)
        sa.event.listen(engine, "connect", _configure_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"), connect_args={"connect_timeout": 10}, hide_parameters=True
        )
    state = State(engine)
    try:
        state.migrate()
    except BaseException:
        state.close()
        raise
    return state


def _parse(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        parsed = None
    kind = parsed.get_backend_name() if parsed is not None else ""
    if parsed is None or kind not in {"sqlite", "postgresql"} or not parsed.database or parsed.database == ":memory:":
        raise UsageError("[state] url", "of no known form", expected="sqlite:///PATH or postgresql+psycopg://…")
    return parsed


def _ensure_place(path: Path, *, create: bool) -> None:
    try:
        if path.exists():
            return
        if not create:
            raise NotFoundError(f"state {path}", "does not exist", advice="make the estate with: beholden init")
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SourceError(f"state {path}", f"cannot be reached or made ({error.strerror})") from None


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # _begin_sqlite begins transactions: the driver would leave definitions out
    cursor = connection.cursor()
    _enter_wal(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _enter_wal(cursor: sqlite3.Cursor) -> None:
    """Switch to the write-ahead log; when two processes make a state at once SQLite does not wait by itself here."""
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
    connection.exec_driver_sql(connection.get_execution_options().get("state_begin", "BEGIN"))


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
