"""Well-known sample databases, read as they are: every dataset lists, counts, samples and reads."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from beholden.core.config import StoreConfig
from beholden.stores import open_store


@pytest.fixture(scope="session")
def real_stores() -> Path:
    directory = Path(__file__).parents[4] / "shared" / "data" / "stores"
    if not directory.is_dir():
        pytest.skip("../shared/data is absent")
    return directory


def survey(url: str, root: Path) -> dict[str, int | str]:
    """Rows by path, or the problem; on the way every dataset is counted, read and sampled."""
    found: dict[str, int | str] = {}
    with open_store(StoreConfig(name="real", url=url), root=root, environ={}) as store:
        for info in store.datasets():
            if info.problem is not None:
                found[info.path] = info.problem
                continue
            rows = store.count(info.path)
            assert sum(batch.num_rows for batch in store.read(info.path)) == rows
            sample = store.sample(info.path, 50, 7)
            assert sample.num_rows == min(50, rows)
            assert sample.schema.names == [field.name for field in info.fields]
            found[info.path] = rows
        assert all("cut" in shortfall.reason for shortfall in store.shortfalls())  # long documents, in samples
    return found


def load(postgres_url, name: str, *files: Path) -> str:
    """Load dumps as psql would: statements, and data behind ``COPY ... FROM stdin``."""
    with psycopg.connect(postgres_url(), autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    with psycopg.connect(postgres_url(name), autocommit=True) as connection:
        for file in files:
            for i, part in enumerate(
                re.split(r"^(COPY .* FROM stdin;)\n", file.read_text("utf-8"), flags=re.MULTILINE)
            ):
                if i % 2:
                    copy = part
                    continue
                data, _, statements = part.partition("\n\\.\n") if i else ("", "", part)
                if i:
                    with connection.cursor().copy(copy.encode()) as writing:
                        writing.write("" if data == "\\." else data + "\n")
                if statements.strip():
                    connection.execute(statements.encode())
    return str(postgres_url(name))


def test_adventureworks(real_stores):
    found = survey("adventureworks", real_stores)
    assert [path for path, rows in found.items() if isinstance(rows, str)] == ["README.md"]
    assert (len(found), found["person.address.csv"], found["sales.store.csv"]) == (63, 8000, 701)


def test_chinook(real_stores):
    found = survey("sqlite:_sql/Chinook.sqlite", real_stores)
    assert (len(found), found["main.Customer"], found["main.Invoice"], found["main.PlaylistTrack"]) == (
        11,
        59,
        412,
        8715,
    )


def test_sakila(real_stores, postgres_url):
    scripts = real_stores / "_sql"
    url = load(postgres_url, "sakila", scripts / "sakila_pg_schema.sql", scripts / "sakila_pg_data.sql")
    found = survey(url, real_stores)
    assert (len(found), found["public.customer"], found["public.payment"], found["public.film_list"]) == (
        28,
        599,
        16049,
        997,
    )


def test_northwind(real_stores, postgres_url):
    found = survey(load(postgres_url, "northwind", real_stores / "_sql" / "northwind_pg.sql"), real_stores)
    assert (len(found), found["public.customers"], found["public.order_details"]) == (14, 91, 2155)
