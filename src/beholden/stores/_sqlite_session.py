"""One SQLite connection that only reads, with a time limit on each step and errors of our own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

__all__ = ["Refused", "SqliteSession", "meaning", "open_session"]

_BUSY_WAIT_S: Final = 5.0
#: Steps of SQLite's machine between two looks at the clock: about a millisecond of work.
_STEPS_BETWEEN_CHECKS: Final = 20_000

#: What SQLite's result codes mean to the reader. Its own messages may quote values and are not used.
_MEANINGS: Final = {
    sqlite3.SQLITE_ERROR: ("it cannot be read: what it is made from is missing here", "scan the store again"),
    sqlite3.SQLITE_NOTADB: ("is not a SQLite database", "check the path, and whether the file is encrypted"),
    sqlite3.SQLITE_CORRUPT: ("the database is damaged", "run PRAGMA integrity_check on it and restore from a backup"),
    sqlite3.SQLITE_BUSY: ("is locked by another program", "try again when its writer has finished"),
    sqlite3.SQLITE_LOCKED: ("is locked by another program", "try again when its writer has finished"),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened",
        "check the rights on the file; one in WAL mode also needs its -shm file or a directory we may write to",
    ),
    sqlite3.SQLITE_READONLY: ("needs recovery by a program that may write", "open it once with its application"),
    sqlite3.SQLITE_PERM: ("may not be read", "check the rights on the file"),
    sqlite3.SQLITE_IOERR: ("reading from disk failed", "check the file system"),
    sqlite3.SQLITE_NOMEM: ("a value is too large for memory", ""),
    sqlite3.SQLITE_TOOBIG: ("a value is larger than SQLite allows", ""),
    sqlite3.SQLITE_INTERRUPT: ("the statement timeout was reached", "raise statement_timeout_s or add an index"),
}


class Refused(Exception):  # noqa: N818 - it never leaves this room; the connector turns it into a SourceError
    """SQLite said no: what it means and what to do."""

    def __init__(self, found: str, advice: str = "") -> None:
        self.found = found
        self.advice = advice
        super().__init__(found)


class SqliteSession:
    """A connection whose every step must end in time."""

    def __init__(self, connection: sqlite3.Connection, timeout_s: float, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._timeout_s = timeout_s
        self._clock = clock
        self._deadline = clock() + timeout_s
        connection.set_progress_handler(lambda: self._clock() > self._deadline, _STEPS_BETWEEN_CHECKS)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement with a small answer."""
        with self.cursor(sql, parameters) as fetch:
            return list(fetch(-1))

    @contextmanager
    def cursor(
        self, sql: str, parameters: Sequence[object] = ()
    ) -> Iterator[Callable[[int], Sequence[tuple[Any, ...]]]]:
        """Run a statement; gives a function that fetches at most that many rows (-1: all). Texts come as bytes."""
        with closing(self._connection.cursor()) as cursor:
            self._deadline = self._clock() + self._timeout_s
            cursor.execute(sql, parameters)

            def fetch(rows: int) -> Sequence[tuple[Any, ...]]:
                self._deadline = self._clock() + self._timeout_s
                return cursor.fetchall() if rows < 0 else cursor.fetchmany(rows)

            yield fetch


@contextmanager
def open_session(path: Path, timeout_s: float, clock: Callable[[], float]) -> Iterator[SqliteSession]:
    """Open ``path`` read-only in one snapshot; raises `Refused` for whatever SQLite refuses."""
    if not path.is_file():
        raise Refused("no such file" if not path.exists() else "is not a file", "check the path in its url")
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro",
            uri=True,
            timeout=_BUSY_WAIT_S,
            isolation_level=None,
            check_same_thread=False,
        )
        with closing(connection):
            connection.text_factory = bytes  # Arrow decodes whole columns; SQLite would fail on wrong bytes
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA trusted_schema = OFF")  # a view may not run what reaches outside the database
            connection.execute("BEGIN")
            yield SqliteSession(connection, timeout_s, clock)
    except sqlite3.Error as error:
        raise meaning(error) from None


def meaning(error: sqlite3.Error) -> Refused:
    """What one of SQLite's errors means, without its text."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    found, advice = _MEANINGS.get(code, (f"SQLite refused the statement (code {code})", ""))
    return Refused(found, advice)
