"""Every connector gives the same answers about the same data, and refuses in the same way."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tests.conformance.stores.capabilities import CAPABILITIES, CONNECTORS, render
from tests.conformance.stores.cases import BIG_ROWS, TABLES, Case

from beholden.core.config import StoreConfig
from beholden.core.errors import SourceError, UsageError
from beholden.core.limits import BATCH_ROWS
from beholden.stores import FIND_VALUES_MAX, Connector, open_store


def as_text(batches) -> list[tuple[str | None, ...]]:
    """Rows with every value as text, whatever type the store gives it."""
    rows: list[tuple[str | None, ...]] = []
    for batch in batches:
        columns = [pc.cast(column, pa.string()).to_pylist() for column in batch.columns]
        rows.extend(zip(*columns, strict=True))
    return rows


def expected(table: str) -> list[tuple[str | None, ...]]:
    return [tuple(None if value is None else str(value) for value in row) for row in TABLES[table][1]]


def described(store: Connector, path: str):
    return next(info for info in store.datasets() if info.path == path)


def test_says_what_answered(case):
    with case.open() as store:
        info = store.test()
    assert info.kind == store.kind
    assert info.version


@pytest.mark.parametrize("table", TABLES)
def test_lists_every_dataset_with_its_fields(case, table):
    with case.open() as store:
        info = described(store, case.paths[table])
    assert info.problem is None
    names = [field.name for field in info.fields]
    if not (table == "void" and case.kind == "jsonl"):  # an empty JSON lines file names no field
        assert names == list(TABLES[table][0])
    assert [field.ordinal for field in info.fields] == list(range(1, len(names) + 1))


@pytest.mark.parametrize("table", TABLES)
def test_counts_exactly(case, table):
    with case.open() as store:
        assert store.count(case.paths[table]) == len(TABLES[table][1])


@pytest.mark.parametrize("table", TABLES)
def test_reads_every_value(case, table):
    with case.open() as store:
        batches = list(store.read(case.paths[table]))
        assert store.shortfalls() == ()
    assert as_text(batches) == expected(table)
    assert all(0 < batch.num_rows <= BATCH_ROWS for batch in batches)
    assert all(batch.schema == batches[0].schema for batch in batches)


def test_reads_fields_in_the_order_asked_for(case):
    with case.open() as store:
        batches = list(store.read(case.paths["people"], ["city", "person_id"]))
    assert batches[0].schema.names == ["city", "person_id"]
    assert as_text(batches) == [(row[2], row[0]) for row in expected("people")]


def test_samples_all_of_a_small_dataset(case):
    with case.open() as store:
        sample = store.sample(case.paths["people"], 1000, seed=1)
    assert sorted(as_text([sample]), key=str) == sorted(expected("people"), key=str)


def test_samples_no_more_than_was_asked_for(case):
    with case.open() as store:
        sample = store.sample(case.paths["big"], 500, seed=1)
        nothing = store.sample(case.paths["void"], 500, seed=1)
    assert sample.num_rows == 500
    rows = as_text([sample])
    assert set(rows) <= set(expected("big"))
    assert len(set(rows)) == 500
    assert nothing.num_rows == 0


def test_another_seed_gives_another_sample(case):
    with case.open() as store:
        first, second = (store.sample(case.paths["big"], 100, seed) for seed in (1, 2))
    assert as_text([first]) != as_text([second])


@pytest.mark.parametrize(
    ("field", "values", "found"),
    [
        ("order_id", ["7", "7", "1000"], {"7", "1000"}),
        ("order_id", ["007", "+7", " 7", "7.0", "0x7", "x", "", "99999999999999999999"], set()),
        ("code", ["Code-3"], {"3", "503"}),
        ("code", ["code-3", "Code-3 ", "Code-%", "'; drop table orders; --"], set()),
        ("code", [], set()),
    ],
)
def test_finds_rows_whose_field_as_text_is_equal(case, field, values, found):
    with case.open() as store:
        rows = as_text(store.find(case.paths["orders"], field, values))
        narrow = as_text(store.find(case.paths["orders"], field, values, ["order_id"]))
    assert {row[0] for row in rows} == found
    assert len(rows) == len(found)
    assert rows == [row for row in expected("orders") if row[0] in found]
    assert [row[0] for row in narrow] == [row[0] for row in rows]


def test_finds_text_beyond_ascii(case):
    with case.open() as store:
        rows = as_text(store.find(case.paths["people"], "city", ["東京", "Köln"], ["city"]))
    assert set(rows) == {("東京",), ("Köln",)}
    assert len(rows) == 200


def test_takes_a_thousand_values_and_refuses_more(case):
    with case.open() as store:
        many = [str(i) for i in range(FIND_VALUES_MAX)]
        assert len(as_text(store.find(case.paths["big"], "big_id", many))) == FIND_VALUES_MAX
        with pytest.raises(UsageError, match="at most 1000"):
            list(store.find(case.paths["big"], "big_id", [*many, "x"]))


def test_refuses_a_dataset_that_is_not_there(case):
    gone = case.paths["people"].replace("people", "gone")
    with case.open() as store:
        for ask in (
            lambda: store.count(gone),
            lambda: list(store.read(gone)),
            lambda: store.sample(gone, 10, 1),
            lambda: list(store.find(gone, "a", ["b"])),
        ):
            with pytest.raises(SourceError, match=f"dataset shop/{gone}: there is no such"):
                ask()


def test_refuses_a_field_that_is_not_there(case):
    with case.open() as store:
        for ask in (
            lambda: list(store.read(case.paths["people"], ["name", "salary"])),
            lambda: list(store.find(case.paths["people"], "salary", ["1"])),
            lambda: list(store.find(case.paths["people"], "name", ["x"], ["salary"])),
        ):
            with pytest.raises(SourceError, match="has no field 'salary'; expected one of person_id, name"):
                ask()


def test_a_reading_may_be_left_early_and_another_begun_meanwhile(case):
    with case.open() as store:
        with closing(store.read(case.paths["big"])) as reading:
            next(reading)
            assert store.count(case.paths["people"]) == 300
        assert store.count(case.paths["orders"]) == 1000


def test_close_may_be_called_twice(case):
    store = case.open()
    store.test()
    store.close()
    store.close()


def test_keeps_to_its_rate_without_waiting_for_real(case):
    slept: list[float] = []
    config = StoreConfig(name="shop", url=case.config.url, max_rows_per_second=1000)
    with open_store(config, root=Path("/"), environ={}, clock=lambda: sum(slept), sleep=slept.append) as store:
        list(store.read(case.paths["orders"]))
        assert sum(slept) == pytest.approx(1.0)
        store.sample(case.paths["people"], 100, 1)
        assert sum(slept) == pytest.approx(1.1)


def test_memory_stays_flat_over_a_long_reading(case):
    before, most, rows = pa.total_allocated_bytes(), 0, 0
    with case.open() as store:
        for batch in store.read(case.paths["big"]):
            rows += batch.num_rows
            most = max(most, pa.total_allocated_bytes() - before)
    assert rows == BIG_ROWS
    assert most < 40 * 1024 * 1024


def _natural(case: Case, store: Connector) -> bool:
    schema = next(store.read(case.paths["people"])).schema
    kinds = {pa.int64(), pa.string(), pa.float64()}
    return {kind for kind in schema.types if kind in kinds} == kinds


def _primary_keys(case: Case, store: Connector) -> bool:
    return [field.name for field in described(store, case.paths["people"]).fields if field.in_key] == ["person_id"]


def _foreign_keys(case: Case, store: Connector) -> bool:
    fields = described(store, case.paths["orders"]).fields
    return {field.name: field.refers_to for field in fields if field.refers_to} == {
        "person_id": f"{case.paths['people']}#person_id"
    }


def _grants(case: Case, store: Connector) -> bool:
    return any(
        (grant.path, grant.grantee, grant.privilege) == (case.paths["people"], "shop_reader", "SELECT")
        for grant in store.grants()
    )


def _rows_known(case: Case, store: Connector) -> bool:
    rows = described(store, case.paths["orders"]).rows
    return rows is not None and 800 <= rows.rows <= 1200


def _rows_exact(case: Case, store: Connector) -> bool:
    rows = described(store, case.paths["orders"]).rows
    return rows is not None and rows.exact and rows.rows == 1000


def _views(case: Case, store: Connector) -> bool:
    views = [info for info in store.datasets() if info.kind == "view"]
    return len(views) == 1 and store.count(views[0].path) == 300 and store.sample(views[0].path, 20, 1).num_rows == 20


def _same_seed(case: Case, store: Connector) -> bool:
    return bool(store.sample(case.paths["big"], 200, 5).equals(store.sample(case.paths["big"], 200, 5)))


def _spread(case: Case, store: Connector) -> bool:
    """In each tenth of the dataset lies a fair part of the sample."""
    places = [int(row[0] or 0) for row in as_text([store.sample(case.paths["big"], 1000, 3)])]
    tenths = [sum(place * 10 // BIG_ROWS == tenth for place in places) for tenth in range(10)]
    return min(tenths) >= 30


def _index(case: Case, store: Connector) -> bool:
    """Whether finding one key costs far less than reading all keys: by the store's own plan."""
    if case.kind == "sqlite":
        return "USING INTEGER PRIMARY KEY" in _sqlite_plan(case)
    return case.kind == "postgresql" and "Index Cond" in _postgresql_plan(case)


def _sqlite_plan(case: Case) -> str:
    import sqlite3

    from beholden.stores.connector import FieldInfo
    from beholden.stores.sqlite import _equals

    condition, parameters = _equals(FieldInfo(1, "big_id", "integer"), ["17", "x"])
    with closing(sqlite3.connect(case.config.url.removeprefix("sqlite:"))) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM big WHERE {condition}", parameters)
        return " ".join(row[-1] for row in rows)


def _postgresql_plan(case: Case) -> str:
    from beholden.stores._postgresql_catalog import Field
    from beholden.stores._postgresql_types import find_cast
    from beholden.stores.connector import FieldInfo

    condition, parameters = find_cast(Field(FieldInfo(1, "big_id", "integer"), 23), ["17", "x"])
    with psycopg.connect(case.config.url) as connection:
        rows = connection.execute(f"EXPLAIN SELECT * FROM public.big WHERE {condition}", parameters)
        return " ".join(row[0] for row in rows)


def _nested(case: Case, store: Connector) -> bool:
    """A value two levels deep is a field of its own, named as the contract says."""
    if case.kind not in {"jsonl", "parquet"}:
        return False
    directory = Path(case.config.url.removeprefix("file:") + "_nested")
    directory.mkdir(exist_ok=True)
    rows = [{"id": 1, "payload": {"a": {"b": "x"}, "c": [1, 2]}}, {"id": 2, "payload": None}]
    if case.kind == "jsonl":
        (directory / "n.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        pq.write_table(pa.Table.from_pylist(rows), directory / "n.parquet")
    with open_store(StoreConfig(name="nested", url=str(directory)), root=Path("/"), environ={}) as nested:
        path = f"n.{case.kind}"
        fields = [field.name for field in described(nested, path).fields]
        values = as_text(nested.read(path, ["payload$.a.b", "payload$.c"]))
    return {"payload$.a.b", "payload$.c"} <= set(fields) and values[0][0] == "x" and values[0][1] is not None


PROBES: dict[str, Callable[[Case, Connector], bool]] = {
    "values keep their natural type": _natural,
    "primary keys": _primary_keys,
    "foreign keys": _foreign_keys,
    "grants": _grants,
    "rows known while listing": _rows_known,
    "rows known exactly while listing": _rows_exact,
    "views": _views,
    "the same seed gives the same sample": _same_seed,
    "a sample is spread over a large dataset": _spread,
    "find uses an index on keys": _index,
    "fields inside nested values": _nested,
}


@pytest.mark.parametrize(
    ("kind", "capability"),
    [
        pytest.param(
            kind,
            capability,
            marks=[]
            if kind in having
            else pytest.mark.xfail(strict=True, raises=AssertionError, reason=f"{kind}: {capability} is a known gap"),
        )
        for capability, having in CAPABILITIES.items()
        for kind in CONNECTORS
    ],
)
def test_the_capability_table_is_true(cases, kind, capability):
    with cases[kind].open() as store:
        assert PROBES[capability](cases[kind], store)


def test_the_reference_page_shows_the_capability_table():
    page = Path(__file__).parents[3] / "docs" / "reference" / "stores.md"
    assert render() in page.read_text("utf-8")
