"""Opening the state database and bringing it to this program's version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from beholden.core.errors import NotFoundError, SourceError

__all__ = ["State", "open_state"]


class State:
    """A state database at this program's version. Close it, or use it as a context."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection to read from."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction: durable when the block ends without an exception, undone otherwise."""
        with self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_state(url: str, *, create: bool = False) -> State:
    """Open the state at ``url``, migrating an older one.

    Args:
        url: an SQLAlchemy URL; ``sqlite:///PATH`` or ``postgresql+psycopg://…``.
        create: make a missing SQLite file; otherwise a missing one is an error.

    Raises:
        NotFoundError: the SQLite file does not exist and ``create`` is false.
        SourceError: it cannot be opened, or a newer program made it.
    """
    parsed = sa.make_url(url)
    shown = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
        path = Path(parsed.database)
        if not path.exists():
            if not create:
                raise NotFoundError(f"state {path}", "does not exist", advice="make the estate with: beholden init")
            path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args=_connect_args(parsed))
    if parsed.get_backend_name() == "sqlite":
        sa.event.listen(engine, "connect", _configure_sqlite)
    try:
        _migrate(engine, shown)
    except (sa.exc.SQLAlchemyError, OSError) as error:
        engine.dispose()
        detail = str(getattr(error, "orig", error)).splitlines()[0][:200]
        raise SourceError(f"state {shown}", f"cannot be opened ({detail})", advice="check [state] url") from None
    except BaseException:
        engine.dispose()
        raise
    return State(engine)


def _connect_args(url: sa.URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"timeout": 30}
    return {"connect_timeout": 10}


def _configure_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _migrate(engine: sa.Engine, shown: str) -> None:
    with resources.as_file(resources.files("beholden.state") / "migrations") as directory:
        config = AlembicConfig()
        config.set_main_option("script_location", str(directory))
        script = ScriptDirectory.from_config(config)
        head = script.get_current_head()
        with engine.begin() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            if current == head:
                return
            if current is not None and current not in {revision.revision for revision in script.walk_revisions()}:
                raise SourceError(
                    f"state {shown}",
                    f"was written by a newer version of beholden (revision {current})",
                    expected=f"revision {head} or older",
                    advice="upgrade beholden",
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
