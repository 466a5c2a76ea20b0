"""The engine on a cluster: values in and out, files, errors, and the command line."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.spark.conftest import Cluster
from tests.support.command import Run, beholden
from tests.support.estate import Rooms, rooms_in
from tests.support.same_rows import assert_same_rows
from tests.support.small_estate import make_estate

from beholden.core.errors import BeholdenError, SourceError, UsageError
from beholden.core.events import EVENTS
from beholden.core.names import DatasetName, Person
from beholden.engine import DuckEngine, TableSource
from beholden.engine.spark import SparkEngine, spark_engine
from beholden.ledger.who import Question, Target, group, matched_events
from beholden.vault import Vault

pytestmark = pytest.mark.spark

HOSTILE = "it's \\' \"; DROP TABLE t; -- :x $x {x} %s \\u0041 \n\t\0 電 \U0001f600"


@pytest.fixture
def engine(spark: Any) -> SparkEngine:
    return SparkEngine(spark)


@pytest.fixture
def duck(tmp_path: Path) -> Any:
    with DuckEngine(memory="256MB", threads=1, temp_directory=tmp_path / "spill") as opened:
        yield opened


def test_values_are_bound_as_they_are(engine: SparkEngine, duck: DuckEngine) -> None:
    values: dict[str, object] = {
        "text": HOSTILE, "empty": "", "bytes": bytes(range(256)), "none": None, "yes": True, "no": False,
        "low": -(2**63), "high": 2**63 - 1, "small": -1,
        "first": datetime(1971, 1, 1, tzinfo=UTC), "last": datetime(2199, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        "zoned": datetime(2026, 3, 29, 2, 30, 0, 1, tzinfo=timezone(timedelta(hours=5, minutes=45))),
        "slack": timedelta(days=1, microseconds=1),
        "texts": [HOSTILE, ""], "tokens": [b"\0" * 16, b"'\\\xff"], "nobody": [],
    }  # fmt: skip
    casts = {"text": "varchar", "empty": "varchar", "bytes": "blob", "none": "blob", "yes": "boolean", "no": "boolean",
             "texts": "varchar[]", "tokens": "blob[]", "nobody": "blob[]"}  # fmt: skip
    columns = [
        f"cast(${name} as {casts.get(name, 'bigint')}) as {name}"
        for name, value in values.items()
        if not isinstance(value, (datetime, timedelta))
    ]
    columns += ["$first as first", "$last as last", "$zoned as zoned", "$zoned + $slack as later"]
    sql = f"select {', '.join(columns)}"
    found = engine.run(sql, values, {})
    assert_same_rows(duck.run(sql, values, {}), found)
    (row,) = found.to_pylist()
    assert row == {name: row[name] if name == "later" else values[name] for name in row}
    assert row["later"] - row["zoned"] == values["slack"]


def test_every_column_of_an_event_comes_through_files_and_memory(
    engine: SparkEngine, duck: DuckEngine, tmp_path: Path
) -> None:
    path = tmp_path / "it's [odd]*{a,b}? #%41 é.parquet"
    empty = pa.Table.from_pylist([{f.name: None for f in EVENTS}], schema=pa.schema([(f.name, f.type) for f in EVENTS]))
    pq.write_table(empty.append_column("more", pa.array([1])), path)
    nullable = empty.schema
    for source in (
        TableSource(parquet=(path,), schema=nullable),
        TableSource(parquet=(path,), table=empty, schema=nullable),
        TableSource(table=empty),
        TableSource(schema=EVENTS),
    ):
        assert_same_rows(*(one.run("select * from e", {}, {"e": source}) for one in (duck, engine)))


def test_runs_share_nothing(engine: SparkEngine) -> None:
    source = TableSource(table=pa.table({"n": [1]}))
    assert engine.run("select n from t", {}, {"t": source})["n"].to_pylist() == [1]
    with pytest.raises(BeholdenError, match="outside of its tables"):
        engine.run("select n from t", {}, {})
    other = TableSource(table=pa.table({"n": [2]}))
    assert engine.run("select n from t", {}, {"t": other})["n"].to_pylist() == [2]


@pytest.mark.parametrize(
    ("sql", "values", "kind"),
    [
        ("select cast('jane.doe@example.com' as bigint) as n from t", {}, "CAST_INVALID_INPUT"),
        ("select cast($v as bigint) as n from t", {"v": "jane.doe@example.com"}, "CAST_INVALID_INPUT"),
        ('select "jane.doe@example.com" from t', {}, "UNRESOLVED_COLUMN"),
        ("select jane_doe(n) from t", {}, "UNRESOLVED_ROUTINE"),
        ("select n + 9223372036854775807 as jane from t", {}, "ARITHMETIC_OVERFLOW"),
    ],
)
def test_errors_tell_their_kind_and_no_value(
    engine: SparkEngine, capfd: pytest.CaptureFixture[str], sql: str, values: dict[str, object], kind: str
) -> None:
    with pytest.raises(BeholdenError, match=f"it could not be run .{kind} error") as caught:
        engine.run(sql, values, {"t": TableSource(table=pa.table({"n": [1]}))})
    assert "jane" not in caught.value.line().lower()
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "SQLQueryContextLogger" not in capfd.readouterr().err


def test_a_file_that_is_gone_or_broken_is_told(engine: SparkEngine, tmp_path: Path) -> None:
    path = tmp_path / "jane.parquet"
    source = TableSource(parquet=(path,), schema=pa.schema([("n", pa.int64())]))
    with pytest.raises(SourceError, match=r"file jane\.parquet: is missing"):
        engine.run("select n from t", {}, {"t": source})
    path.write_bytes(b"not parquet at all")
    with pytest.raises(SourceError, match="a file could not be read on the cluster") as caught:
        engine.run("select n from t", {}, {"t": source})
    assert "jane" not in caught.value.line()


def test_a_result_that_is_too_large_is_told(engine: SparkEngine, spark: Any) -> None:
    table = pa.table({"n": list(range(1000))})
    sql = "select a.n, repeat('x', 100000) as x from t as a"
    with pytest.raises(BeholdenError, match="more memory is needed"):
        engine.run(sql, {}, {"t": TableSource(table=table)})
    assert engine.run("select n from t where n = 1", {}, {"t": TableSource(table=table)}).num_rows == 1


def answers(rooms: Rooms, engine: Any) -> list[Any]:
    """A sealed ledger with later events, asked about a dataset and about a person."""
    vault: Vault = rooms.vault
    target = Target(DatasetName("crm", "customer"), key=True)
    questions = Question(targets=(target,)), Question(subject=Person.parse("customer:1"), targets=(target,)), Question()
    found = [matched_events(question, rooms.ledger.tables(), engine, vault) for question in questions]
    return [*found, *(group(matched, engine, vault) for matched in found)]


def test_a_sealed_ledger_is_read(engine: SparkEngine, tmp_path: Path) -> None:
    with rooms_in(tmp_path) as rooms:
        rooms.keep(
            {"dataset": "customer", "actor": "ann", "subjects": ["customer:1", "customer:2"], "rows": 2},
            {"dataset": "customer", "actor": "bo", "scope": "table", "fields": ["email"]},
            {"dataset": "rental", "actor": "bo", "correlation": "one", "subjects": ["customer:1"]},
        )
        rooms.ledger.seal()
        rooms.keep({"dataset": "customer", "actor": "cy", "correlation": "one", "subjects": ["customer:1"]})
        assert rooms.ledger.tables().segments
        for here, there in zip(answers(rooms, rooms.engine), answers(rooms, engine), strict=True):
            if isinstance(here, pa.Table):
                assert_same_rows(here, there)
                assert here.num_rows
            assert here == there


def ask(estate: Path, cluster: Cluster, *arguments: str) -> Run:
    environment: dict[str, Any] = cluster.environment
    return beholden(estate, *arguments, **environment)


def test_the_command_line_asks_the_cluster(spark_cluster: Cluster, tmp_path: Path) -> None:
    estate = make_estate(tmp_path / "estate")
    arguments = "who", "--class", "email", "--json"
    here = ask(estate, spark_cluster, *arguments)
    settings = estate / "beholden.toml"
    before = settings.read_text()
    engine = f'kind = "spark"\nmaster = "{spark_cluster.url}"\n'
    settings.write_text(f'{before}\n[engine]\n{engine}memory = "512MB"\n')
    there = ask(estate, spark_cluster, *arguments)
    assert (there.code, there.err) == (0, here.err)
    assert there.out == here.out
    assert here.items
    assert sorted(path.name for path in estate.iterdir() if "spark" in path.name or "metastore" in path.name) == []
    settings.write_text(f'{before}\n[engine]\n{engine}memory = "511MB"\n')
    assert "engine.memory: 511MB is too little" in ask(estate, spark_cluster, *arguments).refused(2)


def test_a_cluster_that_cannot_be_reached_is_told(spark: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: nothing answers there
        master = f"spark://127.0.0.1:{unused.getsockname()[1]}"
        with (
            pytest.raises(SourceError, match=f"engine.master: {master} cannot be reached"),
            spark_engine(master, "1GB"),
        ):
            pass


def test_types_that_one_engine_lacks_are_refused(engine: SparkEngine, tmp_path: Path) -> None:
    table = pa.table({"n": pa.array([1], pa.uint64())})
    pq.write_table(table, tmp_path / "t.parquet")
    source = TableSource(parquet=(tmp_path / "t.parquet",), schema=table.schema)
    with pytest.raises(UsageError, match="a column of type uint64"):
        engine.run("select n from t", {}, {"t": source})
