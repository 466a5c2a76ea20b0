"""An estate as a user makes it, over the real databases and logs beside the project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.postgres import UrlBuilder, load_dump, postgres_server


@dataclass(frozen=True, slots=True)
class Run:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document


@dataclass(frozen=True, slots=True)
class EstateUnderTest:
    """A directory in which the command line is run as a user would."""

    directory: Path

    def run(self, *arguments: str, ok: bool = True, **environment: str) -> Run:
        done = subprocess.run(
            [sys.executable, "-m", "beholden", *arguments],
            cwd=self.directory,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert "Traceback" not in done.stderr, done.stderr
        if ok:
            assert done.returncode == 0, done.stderr
        return Run(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def real_databases(tmp_path_factory, shared_data) -> Iterator[UrlBuilder]:
    """A PostgreSQL with sakila and northwind in it."""
    with postgres_server(tmp_path_factory.mktemp("postgres")) as url:
        dumps = shared_data / "stores" / "_sql"
        load_dump(url, "sakila", dumps / "sakila_pg_schema.sql", dumps / "sakila_pg_data.sql")
        load_dump(url, "northwind", dumps / "northwind_pg.sql")
        yield url


@pytest.fixture(scope="session")
def sakila(tmp_path_factory, real_databases, shared_data) -> EstateUnderTest:
    """The estate of the tutorial: sakila declared, scanned, its audit log read."""
    estate = EstateUnderTest(tmp_path_factory.mktemp("estate"))
    estate.run("init")
    estate.run("store", "add", "sakila", real_databases("sakila"))
    estate.run("scan")
    log = shared_data / "logs" / "pg15_pgaudit.csv"
    estate.run("log", "ingest", "--format", "pgaudit-csv", "--store", "sakila", str(log))
    return estate
