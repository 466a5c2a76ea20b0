from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.conformance.stores.capabilities import CONNECTORS
from tests.conformance.stores.cases import Case, make_cases
from tests.support.postgres import UrlBuilder, postgres_server


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory) -> Iterator[UrlBuilder]:
    """Builds URLs of one PostgreSQL server that all tests here share; each makes databases of its own."""
    with postgres_server(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(scope="session")
def cases(tmp_path_factory, postgres_url) -> dict[str, Case]:
    return make_cases(tmp_path_factory.mktemp("stores"), postgres_url)


@pytest.fixture(params=CONNECTORS)
def case(request, cases):
    """Each connector in turn."""
    return cases[request.param]
