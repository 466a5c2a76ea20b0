"""The state does on a real PostgreSQL what it does on SQLite."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import psycopg
import pytest
from tests.support.postgres import postgres_server
from tests.unit.state.checks import OF_A_STATE, OF_A_URL

from beholden.core.errors import SourceError
from beholden.state import open_state

_numbers = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with postgres_server(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture
def new_url(server) -> Callable[[], str]:
    def make() -> str:
        name = f"state{next(_numbers)}"
        with psycopg.connect(server(), autocommit=True) as connection:
            connection.execute(f"create database {name}")
        url: str = server(name)
        return url

    return make


@pytest.mark.parametrize("check", OF_A_URL, ids=lambda check: check.__name__)
def test_of_a_url(new_url, check):
    check(new_url())


@pytest.mark.parametrize("check", OF_A_STATE, ids=lambda check: check.__name__)
def test_of_a_state(new_url, check):
    with open_state(new_url()) as state:
        check(state)


def test_a_database_that_is_not_there(server):
    with pytest.raises(SourceError, match=r"there is no such database|cannot be reached"):
        open_state(server("nowhere"))


def test_a_role_that_may_not_write(server, new_url):
    url = new_url()
    open_state(url).close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create role onlooker login")
        connection.execute("grant select on all tables in schema public to onlooker")
    name = url.partition("@/")[2].partition("?")[0]
    from beholden.state.ingests import start_ingest

    with open_state(server(name, user="onlooker")) as state, pytest.raises(SourceError, match="access is refused"):
        start_ingest(state, log="a", source="a", file="a", format_="ocsf", now=1)
