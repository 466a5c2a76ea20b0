"""Connectors to data stores: list, read, sample, count and find by key. They never write.

`open_store` chooses one by the scheme of a store's url; `connector` holds the protocol and the records.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from beholden.core.config import StoreConfig
from beholden.core.errors import ConfigError
from beholden.stores._base import Pace
from beholden.stores.connector import (
    FIND_VALUES_MAX,
    Connector,
    DatasetInfo,
    FieldInfo,
    Grant,
    RowCount,
    Shortfall,
    StoreInfo,
)
from beholden.stores.grants import grants_script
from beholden.stores.quoting import quote_identifier

__all__ = [
    "FIND_VALUES_MAX",
    "Connector",
    "DatasetInfo",
    "FieldInfo",
    "Grant",
    "RowCount",
    "Shortfall",
    "StoreInfo",
    "grants_script",
    "open_store",
    "place_of",
    "quote_identifier",
]

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_POSTGRESQL: Final = frozenset({"postgresql", "postgres", "postgresql+psycopg"})
_SUPPORTED: Final = "sqlite:PATH, postgresql://USER@HOST/DATABASE, file:PATH, or the path or glob of files"


def open_store(
    config: StoreConfig,
    *,
    root: Path,
    environ: Mapping[str, str],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Connector:
    """The connector for a store. Nothing is opened yet: the first call does that.

    Args:
        config: the store's section of beholden.toml.
        root: the estate's directory; relative paths start there.
        environ: where ``BEHOLDEN_STORE_<NAME>_PASSWORD`` is looked up.
        clock: seconds that only go forward, for time limits and the rate.
        sleep: waits that many seconds, to keep to ``max_rows_per_second``.

    Raises:
        ConfigError: no connector for the url's scheme, a malformed url, an unreadable password file.
    """
    pace = Pace(config.max_rows_per_second, clock, sleep)
    found = _SCHEME.match(config.url)
    scheme = found[1].lower() if found else ""
    rest = config.url[found.end() :] if found else config.url
    # Imported where used: a command that needs no store does not wait for drivers.
    if scheme == "sqlite":
        from beholden.stores.sqlite import SqliteConnector  # noqa: PLC0415 - see above

        # sqlite:///a.db is relative and sqlite:////a.db absolute, as everywhere
        path = root / Path(rest.removeprefix("///")).expanduser()
        return SqliteConnector(config, path, pace=pace, clock=clock)
    if scheme in _POSTGRESQL:
        from beholden.stores.postgresql import PostgresqlConnector  # noqa: PLC0415 - see above

        return PostgresqlConnector(config, root, environ, pace=pace)
    if scheme in {"file", "files", ""}:
        from beholden.stores.files import FilesConnector  # noqa: PLC0415 - see above

        # file:///a is absolute: an empty host, then the path
        path = root / Path(rest.removeprefix("//") if rest.startswith("///") else rest).expanduser()
        return FilesConnector(config, path, pace=pace)
    raise ConfigError(f"store {config.name}: url", f"no connector for '{scheme}:'", expected=_SUPPORTED)


def place_of(url: str) -> tuple[str, str | None] | None:
    """The server of a store and its database there (None where the url leaves it open).

    None for a store that has no databases beside it, and for a url that is none: opening it says so.
    """
    found = _SCHEME.match(url)
    if found is None or found[1].lower() not in _POSTGRESQL:
        return None
    from beholden.stores._postgresql_connection import server_of  # noqa: PLC0415 - see open_store

    return server_of(url)
