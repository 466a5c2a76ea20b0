"""Every SQL text gives the same rows on DuckDB and on a Spark cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.spark.questions import CASES, Ask, sql_of, texts
from tests.support.same_rows import assert_same_rows

from beholden.engine import DuckEngine, TableSource
from beholden.engine.spark import SparkEngine

pytestmark = pytest.mark.spark


@pytest.fixture
def duck(tmp_path: Path) -> Iterator[DuckEngine]:
    with DuckEngine(memory="512MB", threads=1, temp_directory=tmp_path / "spill") as opened:
        yield opened


def sources(ask: Ask, directory: Path, place: int) -> dict[str, TableSource]:
    """Tables in memory; those to be read from files lie in two, whose names are odd, with the last rows in memory."""
    found = {}
    for name, table in ask.tables.items():
        if name not in ask.files:
            found[name] = TableSource(table=table)
            continue
        third = table.num_rows // 3
        paths = []
        for number in range(2):
            paths.append(directory / f"year=2026 [it's] {{{place}}}*{number}%20.parquet")
            pq.write_table(table.slice(number * third, third), paths[-1], compression="zstd")
        found[name] = TableSource(table=table.slice(2 * third), parquet=tuple(paths), schema=table.schema)
    return found


def test_every_text_is_compared() -> None:
    assert set(CASES) == texts()


@pytest.mark.parametrize(("seed", "count"), [(4, 300), (5, 60), (6, 0)])
@pytest.mark.parametrize("text", sorted(CASES))
def test_a_text_gives_the_same_rows_on_both(
    spark: Any, duck: DuckEngine, tmp_path: Path, text: str, seed: int, count: int
) -> None:
    found = 0
    for place, ask in enumerate(CASES[text](Random(seed), count, duck)):
        tables = sources(ask, tmp_path, place)
        here = duck.run(sql_of(text), ask.parameters, tables)
        assert_same_rows(here, SparkEngine(spark).run(sql_of(text), ask.parameters, tables))
        found += here.num_rows
    assert (found > 0) == (count > 0)
