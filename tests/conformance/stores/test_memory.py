"""A reading holds batches, not tables: 300,000 rows pass while the process hardly grows."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beholden.core.config import StoreConfig
from beholden.core.limits import BATCH_ROWS
from beholden.stores import open_store

ROWS = 300_000
PAD = "a value of some length " * 10
#: All rows at once would take ten times as much as Arrow, and far more as Python objects.
ARROW_BYTES_MAX = 24 * 1024 * 1024
PROCESS_BYTES_MAX = 64 * 1024 * 1024


def sqlite(directory: Path, postgres_url) -> tuple[str, str]:
    with closing(sqlite3.connect(directory / "long.db")) as connection:
        connection.execute("create table t (id integer primary key, pad text)")
        numbers = f"with recursive c(i) as (select 1 union all select i + 1 from c where i < {ROWS})"
        connection.execute(f"{numbers} insert into t select i, ? || i from c", [PAD])
        connection.commit()
    return f"sqlite:{directory}/long.db", "main.t"


def postgresql(directory: Path, postgres_url) -> tuple[str, str]:
    with psycopg.connect(postgres_url(), autocommit=True) as connection:
        connection.execute("create database long")
    with psycopg.connect(postgres_url("long")) as connection:
        connection.execute("create unlogged table t (id int, pad text)")
        connection.execute("insert into t select i, %s || i from generate_series(1, %s) i", [PAD, ROWS])
    return postgres_url("long"), "public.t"


def csv(directory: Path, postgres_url) -> tuple[str, str]:
    with (directory / "t.csv").open("w") as file:
        file.write("id,pad\n")
        file.writelines(f"{i},{PAD}{i}\n" for i in range(ROWS))
    return str(directory), "t.csv"


def jsonl(directory: Path, postgres_url) -> tuple[str, str]:
    with (directory / "t.jsonl").open("w") as file:
        file.writelines(f'{{"id": {i}, "pad": "{PAD}{i}"}}\n' for i in range(ROWS))
    return str(directory), "t.jsonl"


def parquet(directory: Path, postgres_url) -> tuple[str, str]:
    table = pa.table({"id": range(ROWS), "pad": [f"{PAD}{i}" for i in range(ROWS)]})
    pq.write_table(table, directory / "t.parquet", row_group_size=ROWS, use_dictionary=False)
    return str(directory), "t.parquet"


def process_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("make", [sqlite, postgresql, csv, jsonl, parquet])
def test_a_long_reading_hardly_grows_the_process(make, tmp_path, postgres_url):
    url, path = make(tmp_path, postgres_url)
    rows = arrow = process = 0
    with open_store(StoreConfig(name="long", url=url), root=tmp_path, environ={}) as store:
        before, arrow_before = process_bytes(), pa.total_allocated_bytes()
        for batch in store.read(path):
            assert batch.num_rows <= BATCH_ROWS
            rows += batch.num_rows
            arrow = max(arrow, pa.total_allocated_bytes() - arrow_before)
            process = max(process, process_bytes() - before)
    assert rows == ROWS
    assert arrow < ARROW_BYTES_MAX
    assert process < PROCESS_BYTES_MAX
