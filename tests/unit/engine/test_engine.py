from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beholden.core.errors import BeholdenError, LimitError, NotFoundError, SourceError, UsageError
from beholden.engine import DuckEngine, TableSource, load_sql

SCHEMA = pa.schema(
    [
        ("seq", pa.int64()),
        ("token", pa.binary(16)),
        ("time", pa.timestamp("us", "UTC")),
        ("people", pa.list_(pa.binary(16))),
    ]
)


def rows(*numbers: int) -> pa.Table:
    return pa.Table.from_pylist(
        [{"seq": n, "token": bytes([n]) * 16, "time": n * 10**6, "people": [bytes([n]) * 16] * 2} for n in numbers],
        schema=SCHEMA,
    )


@pytest.fixture
def engine(tmp_path):
    with DuckEngine(memory="256MB", threads=1, temp_directory=tmp_path / "spill") as opened:
        yield opened


@pytest.fixture
def files(tmp_path):
    paths = []
    for number in range(2):
        paths.append(tmp_path / f"it's [odd]*{number}.parquet")
        pq.write_table(rows(number * 2, number * 2 + 1), paths[-1])
    return tuple(paths)


def numbers(engine, source):
    return engine.run("SELECT seq FROM t ORDER BY seq", {}, {"t": source})["seq"].to_pylist()


def test_a_table_files_and_both(engine, files):
    assert numbers(engine, TableSource(table=rows(7))) == [7]
    assert numbers(engine, TableSource(parquet=files, schema=SCHEMA)) == [0, 1, 2, 3]
    assert numbers(engine, TableSource(parquet=files, table=rows(7), schema=SCHEMA)) == [0, 1, 2, 3, 7]
    assert numbers(engine, TableSource(parquet=files, table=rows())) == [0, 1, 2, 3]
    assert numbers(engine, TableSource(schema=SCHEMA)) == []


def test_types_come_through(engine, files):
    source = TableSource(parquet=files, table=rows(7), schema=SCHEMA)
    table = engine.run("SELECT * FROM t WHERE seq IN (1, 7) ORDER BY seq", {}, {"t": source})
    assert table.to_pylist() == rows(1, 7).to_pylist()
    assert table.schema.field("time").type == pa.timestamp("us", "UTC")


def test_parameters_are_bound_by_name(engine, files):
    source = TableSource(parquet=files, schema=SCHEMA)
    sql = "SELECT seq FROM t WHERE list_contains($tokens, token) AND time >= $start AND ($none IS NULL) ORDER BY seq"
    values = {"tokens": [b"\1" * 16, b"\3" * 16], "start": datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC), "none": None}
    assert engine.run(sql, values, {"t": source})["seq"].to_pylist() == [3]
    hostile = engine.run("SELECT $x AS x", {"x": "'; DROP TABLE t; --"}, {})
    assert hostile["x"].to_pylist() == ["'; DROP TABLE t; --"]


def test_time_is_utc(engine):
    sql = "SELECT CAST(date_trunc('hour', time) AS VARCHAR) AS hour FROM t"
    assert engine.run(sql, {}, {"t": TableSource(table=rows(7))})["hour"].to_pylist() == ["1970-01-01 00:00:00+00"]


def test_runs_share_nothing(engine):
    for kind in ("", "TEMP"):
        with contextlib.suppress(BeholdenError):
            engine.run(f"CREATE {kind} TABLE left_over AS SELECT 1", {}, {"given": TableSource(table=rows(7))})
        for name in ("left_over", "given"):
            with pytest.raises(BeholdenError, match="Catalog"):
                engine.run(f"SELECT * FROM {name}", {}, {})


@pytest.mark.parametrize(
    ("sql", "parameters", "found"),
    [
        ("SELECT CAST('jane.doe@example.com' AS INTEGER)", {}, "Conversion"),
        ("SELECT $v::INTEGER", {"v": "jane.doe@example.com"}, "Conversion"),
        ("SELEC 'jane.doe@example.com'", {}, "Parser"),
        ('SELECT "jane.doe@example.com" FROM t', {}, "Binder"),
        ("SELECT * FROM jane_doe", {}, "Catalog"),
        ("SELECT $missing", {}, "InvalidInput"),
        ("SELECT 1", {"jane.doe@example.com": 1}, "Binder"),
        ("SELECT error('jane.doe@example.com')", {}, "InvalidInput"),
    ],
)
def test_errors_tell_their_kind_and_no_value(engine, sql, parameters, found):
    with pytest.raises(BeholdenError, match=f"it could not be run .{found} error") as caught:
        engine.run(sql, parameters, {"t": TableSource(table=rows(1))})
    assert "jane" not in caught.value.line().lower()
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_parquet('{other}')",
        "SELECT * FROM '{other}'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '{directory}/out.csv'",
        "ATTACH '{directory}/new.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET allowed_paths = ['{other}']",
        "SET lock_configuration = false",
        "SET memory_limit = '100GB'",
        "SELECT * FROM python_variable",
    ],
)
def test_nothing_but_the_given_tables_can_be_reached(engine, files, tmp_path, sql):
    python_variable = rows(9)
    assert python_variable.num_rows == 1
    with pytest.raises(BeholdenError) as caught:
        engine.run(
            sql.format(other=str(files[1]).replace("'", "''"), directory=tmp_path),
            {},
            {"t": TableSource(parquet=files[:1], schema=SCHEMA)},
        )
    assert str(tmp_path) not in caught.value.line()
    assert not (tmp_path / "out.csv").exists()


def test_a_file_that_is_gone_or_broken_is_told(engine, tmp_path, files):
    gone = TableSource(parquet=(tmp_path / "gone.parquet",), schema=SCHEMA)
    with pytest.raises(SourceError, match=r"file gone\.parquet: is missing"):
        numbers(engine, gone)
    files[0].write_bytes(b"not parquet at all")
    with pytest.raises(BeholdenError):
        numbers(engine, TableSource(parquet=files, schema=SCHEMA))


def test_a_source_must_say_its_columns(engine, files):
    with pytest.raises(UsageError, match="neither a table nor a schema"):
        numbers(engine, TableSource(parquet=files))
    with pytest.raises(UsageError, match="table t: its rows lack column people"):
        numbers(engine, TableSource(table=rows(1).drop_columns(["people"]), schema=SCHEMA))


def test_memory_is_limited_and_beyond_it_rows_are_spilled(tmp_path):
    sorted_sql = (
        "SELECT max(place) AS n "
        "FROM (SELECT row_number() OVER (ORDER BY md5(i::VARCHAR)) AS place FROM range(2000000) t(i))"
    )
    with DuckEngine(memory="64MB", threads=1, temp_directory=tmp_path) as engine:
        assert engine.run(sorted_sql, {}, {})["n"].to_pylist() == [2_000_000]
        with pytest.raises(LimitError, match=r"more memory is needed.*Raise engine\.memory"):
            engine.run("SELECT list(i::VARCHAR || 'aaaaaaaaaaaaaaaaaaaaaaaaaa') FROM range(5000000) t(i)", {}, {})
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


def test_spilled_rows_of_a_stopped_process_are_removed(tmp_path):
    finished = subprocess.Popen([sys.executable, "-c", ""])
    finished.wait()
    stale, running = tmp_path / f"spill-{finished.pid}-x", tmp_path / f"spill-{os.getpid()}-x"
    for directory in (stale, running, tmp_path / "something else"):
        directory.mkdir()
        (directory / "rows").write_bytes(b"rows")
    with DuckEngine(memory="64MB", threads=1, temp_directory=tmp_path):
        assert not stale.exists()
        assert running.exists()
        assert (tmp_path / "something else").exists()


def test_a_temporary_directory_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="its temporary directory cannot be written"):
        DuckEngine(memory="64MB", threads=1, temp_directory=tmp_path / "file")


def test_sql_is_found_beside_its_module(tmp_path, monkeypatch):
    package = tmp_path / "some_package_with_sql"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "q.sql").write_text("SELECT 1 -- é", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert load_sql("some_package_with_sql", "q.sql") == "SELECT 1 -- é"
    for place in (("some_package_with_sql", "x.sql"), ("no_such_package", "q.sql")):
        with pytest.raises(NotFoundError, match="is not part of the installation"):
            load_sql(*place)
