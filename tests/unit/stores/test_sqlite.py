from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from beholden.core.config import StoreConfig
from beholden.core.errors import SourceError
from beholden.stores import RowCount, Shortfall, open_store


@pytest.fixture
def make(tmp_path):
    def run(*statements: str) -> Path:
        path: Path = tmp_path / "crm.db"
        with closing(sqlite3.connect(path)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
        return path

    return run


@contextmanager
def opened(path: Path, **settings):
    with open_store(StoreConfig(name="crm", url=f"sqlite:{path}", **settings), root=path.parent, environ={}) as store:
        yield store


def rows(store, path):
    return pa.Table.from_batches(list(store.read(path))).to_pylist()


def test_odd_names_are_names(make):
    path = make(
        'create table "quo""te d.x" ("sp ace" integer primary key, "d.ot""" text)',
        "insert into \"quo\"\"te d.x\" values (1, 'a'), (2, 'b')",
    )
    with opened(path) as store:
        (info,) = store.datasets()
        assert info.path == 'main.quo"te d.x'
        assert store.count(info.path) == store.sample(info.path, 9, 1).num_rows == 2
        assert [b.to_pydict() for b in store.find(info.path, "sp ace", ["2"], ['d.ot"'])] == [{'d.ot"': ["b"]}]


def test_lists_tables_views_and_what_cannot_be_described(make):
    path = make(
        "create table a (x integer primary key autoincrement, y text)",
        "create view v as select y from a",
        "create view broken as select z from gone",
        "create table w (k text primary key, n int) without rowid",
        "insert into w values ('k', 1)",
        "create virtual table f using fts5(body)",
    )
    with opened(path) as store:
        found = {info.path: info for info in store.datasets()}
        assert found["main.v"].kind == "view"
        definition = found["main.v"].definition
        assert definition is not None
        assert (definition.sql, definition.search_path) == ("CREATE VIEW v as select y from a", ("main",))
        assert "select" not in repr(found["main.v"])
        assert found["main.broken"].definition is not None
        assert found["main.a"].definition is None
        assert found["main.broken"].problem == "it cannot be read: what it is made from is missing here"
        assert found["main.w"].rows == RowCount(1, exact=True)
        assert not [name for name in found if "sqlite_" in name]
        assert {"main.f", "main.f_content"} <= set(found)
        assert rows(store, "main.w") == [{"k": "k", "n": 1}]
        with pytest.raises(SourceError, match=r"crm/main.broken: it cannot be read"):
            store.count("main.broken")


def test_values_that_break_their_columns_promise_become_text(make):
    path = make(
        "create table t (i integer, r real, b blob, n numeric, free, s text)",
        "insert into t values (1, 1.5, x'00ff', 10, 'a', 'x')",
        "insert into t values ('one', 'two', 'three', 10.5, 2, x'ff41')",
        "create table ok (i integer, r real, b blob)",
        "insert into ok values (9007199254740993, 1, x'00ff'), (null, null, null)",
    )
    with opened(path) as store:
        assert rows(store, "main.t") == [
            {"i": "1", "r": "1.5", "b": "\x00\N{REPLACEMENT CHARACTER}", "n": "10", "free": "a", "s": "x"},
            {"i": "one", "r": "two", "b": "three", "n": "10.5", "free": "2", "s": "\N{REPLACEMENT CHARACTER}A"},
        ]
        assert rows(store, "main.ok")[0] == {"i": 9007199254740993, "r": 1.0, "b": b"\x00\xff"}
        assert store.sample("main.t", 9, 1).schema == next(store.read("main.t")).schema


def test_finds_without_collation_or_affinity_getting_in_the_way(make):
    path = make(
        "create table t (s text collate nocase, i integer, n numeric)",
        "insert into t values ('Ab', 5, 5), ('ab', 'five', 5.5)",
    )
    with opened(path) as store:

        def find(field: str, *values: str) -> int:
            return sum(batch.num_rows for batch in store.find("main.t", field, values))

        assert (find("s", "Ab"), find("s", "AB"), find("s", "Ab", "ab")) == (1, 0, 2)
        assert (find("i", "5"), find("i", "05"), find("i", "five"), find("i", "5.0")) == (1, 0, 1, 0)
        assert (find("n", "5"), find("n", "5.5"), find("n", "5.0")) == (1, 1, 0)


def test_a_large_table_with_gaps_is_sampled_in_full_number(make):
    path = make(
        "create table t (id integer primary key, v text)",
        "with recursive c(i) as (select 1 union all select i + 1 from c where i < 3000) insert into t select i, 'low' from c",
        "insert into t select id + 1000000000000, 'high' from t",
        "create view v as select v from t",
        "create table k (id text primary key, v int) without rowid",
        "insert into k select 'k' || id, 1 from t",
    )
    with opened(path) as store:
        sample = store.sample("main.t", 100, 1)
        assert sample.num_rows == 100
        assert len(set(sample.column("id").to_pylist())) == 100
        assert set(sample.column("v").to_pylist()) == {"low", "high"}
        assert store.sample("main.v", 100, 1).num_rows == store.sample("main.k", 100, 1).num_rows == 100


def test_a_column_that_is_called_rowid_does_not_mislead_a_sample(make):
    path = make(
        "create table t (rowid text, _rowid_ text, oid text)", "insert into t values ('a', 'b', 'c'), ('a', 'b', 'd')"
    )
    with opened(path) as store:
        assert store.sample("main.t", 9, 1).num_rows == 2


def test_long_values_are_cut_in_samples_and_said_so(make):
    path = make(
        "create table t (s text, b blob, i integer)",
        "insert into t values (printf('%.*c', 70000, 'x'), zeroblob(70000), 7)",
    )
    with opened(path) as store:
        (row,) = store.sample("main.t", 1, 1).to_pylist()
        assert (len(row["s"]), len(row["b"]), row["i"]) == (65536, 65536, 7)
        assert store.shortfalls() == (Shortfall("main.t", "values cut after 65536 characters", 2),)


def test_estimates_of_a_large_file_come_from_analyze(make, monkeypatch):
    path = make(
        "create table t (a integer)",
        "create index ix on t (a)",
        "insert into t values (1), (2)",
        "analyze",
        "create table u (a)",
    )
    monkeypatch.setattr("beholden.stores.sqlite._COUNT_BYTES_MAX", 0)
    with opened(path) as store:
        assert {info.path: info.rows for info in store.datasets()} == {
            "main.t": RowCount(2, exact=False),
            "main.u": None,
        }


def test_foreign_keys_without_a_column_refer_to_the_primary_key(make):
    path = make("create table p (k integer primary key)", "create table c (x references p, y references gone)")
    with opened(path) as store:
        (c,) = (info for info in store.datasets() if info.path == "main.c")
        assert [field.refers_to for field in c.fields] == ["main.p#k", None]


def test_a_statement_that_takes_too_long_is_stopped(make):
    path = make(
        "create view v as with recursive c(i) as (select 1 union all select i + 1 from c) select i from c where i < 0"
    )
    ticks = iter(range(10**9))
    with (
        open_store(
            StoreConfig(name="crm", url=f"sqlite:{path}", statement_timeout_s=3),
            root=path,
            environ={},
            clock=lambda: next(ticks),
        ) as store,
        pytest.raises(SourceError, match=r"crm/main.v: the statement timeout was reached"),
    ):
        store.count("main.v")


def test_nothing_is_ever_written(make):
    path = make("create table t (a)")
    before = path.read_bytes()
    with opened(path) as store, store._session() as session, pytest.raises(sqlite3.OperationalError):
        session.rows("insert into t values (1)")
    assert path.read_bytes() == before


def damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xaa" * (len(content) - 4096)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.unlink(), "store crm: no such file"),
        (
            lambda path: path.write_bytes(b"Jane Roe, not a database at all. " * 200),
            "store crm: is not a SQLite database",
        ),
        (lambda path: (path.unlink(), path.mkdir()), "store crm: is not a file"),
    ],
)
def test_a_file_that_is_no_database_is_one_line(make, spoil, words):
    path = make("create table t (a)")
    spoil(path)
    with opened(path) as store:
        for ask in (store.test, lambda: list(store.datasets())):
            with pytest.raises(SourceError, match=words) as raised:
                ask()
            assert "Roe" not in str(raised.value)


def test_a_damaged_table_is_listed_with_its_problem(make):
    path = make("create table t (a)", "insert into t values (zeroblob(20000))")
    damaged(path)
    with opened(path) as store:
        (info,) = store.datasets()
        assert info.problem == "the database is damaged"
        with pytest.raises(SourceError, match=r"crm/main.t: the database is damaged"):
            list(store.read("main.t"))


def test_a_locked_database_is_one_line(make, monkeypatch):
    path = make("create table t (a)")
    monkeypatch.setattr("beholden.stores._sqlite_session._BUSY_WAIT_S", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer, opened(path) as store:
        writer.execute("begin exclusive")
        with pytest.raises(SourceError, match="is locked by another program"):
            store.count("main.t")
        writer.execute("rollback")
        assert store.count("main.t") == 0


def test_an_empty_file_is_an_empty_database(tmp_path):
    (tmp_path / "crm.db").touch()
    with opened(tmp_path / "crm.db") as store:
        assert list(store.datasets()) == []
