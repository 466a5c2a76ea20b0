"""The vault's database: its tables, its lock, and scrubbing."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

import sqlalchemy as sa

from beholden.core import database
from beholden.core.errors import BeholdenError
from beholden.vault.tables import metadata, people

__all__ = ["Database"]

_SCRUB_BUSY_MS: Final = 5000
_MISSING: Final = "bring the last backup back with: beholden vault restore; for a new estate run: beholden init"
_DAMAGED: Final = "move it away and bring the last backup back with: beholden vault restore"


class Database(database.Database):
    """An open connection pool to one vault."""

    def __init__(self, url: str, *, create: bool) -> None:
        super().__init__(url, room="vault", missing=_MISSING, damaged=_DAMAGED, create=create)

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

        SQLite overwrites deleted rows (secure_delete), but not the copies that stay in unused room of a page when rows
        move to another: the file is written anew (VACUUM), in memory of its size. Older pages linger in the write-ahead
        log until it is written back and cut to nothing, which has to wait for readers in other processes. PostgreSQL
        keeps deleted rows in its pages and log for a time that only its administrator can bound: always false.
        """
        if not self.is_sqlite or self.read_only:
            return False
        with suppress(BeholdenError), self.border(), self.engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            raw.execute(f"PRAGMA busy_timeout={_SCRUB_BUSY_MS}")
            try:
                raw.execute("VACUUM")
                busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                raw.execute(f"PRAGMA busy_timeout={database.BUSY_S * 1000}")
            return not busy
        return False  # what was deleted stays deleted; the next call meets the same trouble and says it
