from __future__ import annotations

from pathlib import Path

import pytest

from beholden.core.config import StoreConfig
from beholden.core.errors import ConfigError, UsageError
from beholden.stores import grants_script, open_store


def kind_of(url: str) -> str:
    with open_store(StoreConfig(name="crm", url=url), root=Path("/estate"), environ={}) as store:
        return store.kind


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("sqlite:///crm.db", "sqlite"),
        ("sqlite:crm.db", "sqlite"),
        ("postgresql://me@db/crm", "postgresql"),
        ("postgres://me@db/crm", "postgresql"),
        ("postgresql+psycopg://me@db/crm", "postgresql"),
        ("file:exports", "files"),
        ("files:exports/*.csv", "files"),
        ("exports/2026", "files"),
        ("/srv/exports/**/*.parquet", "files"),
    ],
)
def test_the_scheme_of_the_url_chooses_the_connector(url, kind):
    assert kind_of(url) == kind


@pytest.mark.parametrize("url", ["mysql://me:hunter2@db/crm", "s3://bucket/x", "sqlite+aio:///x"])
def test_an_unknown_scheme_is_refused_with_what_is_supported(url):
    with pytest.raises(
        ConfigError, match=r"^store crm: url: no connector for '[a-z0-9+]+:'; expected sqlite:PATH, "
    ) as raised:
        kind_of(url)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:///a/b.db", "/estate/a/b.db"),
        ("sqlite:////a/b.db", "/a/b.db"),
        ("sqlite:a/b.db", "/estate/a/b.db"),
        ("file:a", "/estate/a"),
        ("file:///a", "/a"),
        ("file:/a", "/a"),
    ],
)
def test_relative_places_start_at_the_estate(url, place):
    store = open_store(StoreConfig(name="crm", url=url), root=Path("/estate"), environ={})
    found = store._path if store.kind == "sqlite" else store._place._place  # type: ignore[attr-defined]
    assert found == Path(place)


def test_there_is_a_grants_script_for_postgresql_alone():
    assert "beholden_reader" in grants_script("postgresql")
    with pytest.raises(UsageError, match="no script for 'sqlite'; expected one of postgresql"):
        grants_script("sqlite")
