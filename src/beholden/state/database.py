"""Opening the state database and bringing it to this program's version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Self

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from beholden.core.database import Database
from beholden.core.errors import BeholdenError, ReadOnlyError

__all__ = ["State", "open_state", "state_revision"]


class State(Database):
    """A state database at this program's version. Close it, or use it as a context. Made by `open_state`."""

    def __init__(self, url: str, *, create: bool) -> None:
        missing, damaged = "make the estate with: beholden init", "bring it back from a backup"
        super().__init__(url, room="state", missing=missing, damaged=damaged, create=create)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def migrate(self) -> None:
        """Bring the tables to this program's version, in one transaction; two processes that try at once take turns.

        Raises:
            ReadOnlyError: an older program made them, and they cannot be changed.
            BeholdenError: a newer program made them.
        """
        with _migrations() as config:
            script = ScriptDirectory.from_config(config)
            with self.read() as connection:
                if self._is_current(connection, script):
                    return
            if self.read_only:
                found = "was written by an older version of beholden and cannot be written to, so as to bring it to this one"
                raise ReadOnlyError(self.where, found)
            with self.write() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('beholden.state'))"))
                if not self._is_current(connection, script):  # else another process was first
                    config.attributes["connection"] = connection
                    command.upgrade(config, "head")

    def _is_current(self, connection: sa.Connection, script: ScriptDirectory) -> bool:
        current, head = MigrationContext.configure(connection).get_current_revision(), script.get_current_head()
        if current == head:
            return True
        if current is not None and current not in {revision.revision for revision in script.walk_revisions()}:
            raise BeholdenError(
                self.where,
                f"was written by a newer version of beholden (revision {current})",
                expected=f"revision {head} or older",
                advice="upgrade beholden",
            )
        return False


@contextmanager
def _migrations() -> Iterator[AlembicConfig]:
    with resources.as_file(resources.files("beholden.state") / "migrations") as directory:
        config = AlembicConfig()
        config.set_main_option("script_location", str(directory).replace("%", "%%"))
        yield config


def state_revision(url: str) -> tuple[str | None, str, bool]:
    """The revision of the state at ``url``, the one this program writes, and whether it knows the first. Changes nothing.

    Raises as `open_state`, but not for a newer one.
    """
    with _migrations() as config, State(url, create=False) as state, state.read() as connection:
        script = ScriptDirectory.from_config(config)
        current = MigrationContext.configure(connection).get_current_revision()
        known = {revision.revision for revision in script.walk_revisions()}
        return current, script.get_current_head() or "", current is None or current in known


def open_state(url: str, *, create: bool = False) -> State:
    """Open the state at ``url``, migrating an older one. One that cannot be written to is opened for reading.

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
    state = State(url, create=create)
    try:
        state.migrate()
    except BaseException:
        state.close()
        raise
    return state
