"""What only PostgreSQL has: its types, rights, partitions, failures, and the script that grants the least."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from beholden.core.config import StoreConfig
from beholden.core.errors import ConfigError, SourceError
from beholden.stores import Connector, DatasetInfo, Grant, Shortfall, grants_script, open_store

ROOT = Path("/")
_numbers = count()


@pytest.fixture
def database(postgres_url) -> Callable[..., str]:
    """Makes a database, runs statements in it, and gives its URL."""

    def make(*statements: str, options: str = "") -> str:
        name = f"db{next(_numbers)}"
        with psycopg.connect(postgres_url(), autocommit=True) as connection:
            connection.execute(f"create database {name} {options}".encode())
        url: str = postgres_url(name)
        execute(url, *statements)
        return url

    return make


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@contextmanager
def opened(url: str, **settings) -> Iterator[Connector]:
    with open_store(StoreConfig(name="crm", url=url, **settings), root=ROOT, environ={}) as store:
        yield store


def listed(store: Connector) -> dict[str, DatasetInfo]:
    return {info.path: info for info in store.datasets()}


def table(store: Connector, path: str) -> pa.Table:
    return pa.Table.from_batches(list(store.read(path)))


def as_user(url: str, user: str) -> str:
    return url.replace("postgres@", f"{user}@")


def test_odd_names_are_names(database):
    url = database(
        'create schema "we.ird"',
        'create table "we.ird"."quo""te d %s" ("per%cent" int primary key, "sp ace" text, "d.ot""" text, "{brace}" text)',
        """insert into "we.ird"."quo""te d %s" values (1, 'a', 'b', 'c'), (2, 'd', 'e', 'f')""",
    )
    with opened(url) as store:
        ((path, info),) = listed(store).items()
        assert path == 'we.ird.quo"te d %s'
        assert [field.name for field in info.fields] == ["per%cent", "sp ace", 'd.ot"', "{brace}"]
        assert store.count(path) == 2
        assert table(store, path).num_rows == store.sample(path, 10, 1).num_rows == 2
        (found,) = store.find(path, "per%cent", ["2"], ['d.ot"'])
        assert found.to_pydict() == {'d.ot"': ["e"]}


def test_two_names_that_look_alike_have_paths_of_their_own(database):
    url = database(
        'create schema "a.b"', "create schema a", 'create table "a.b".c (x int)', 'create table a."b.c" (y int)'
    )
    with opened(url) as store:
        assert {path: info.fields[0].name for path, info in listed(store).items()} == {
            '"a.b".c': "x",
            'a."b.c"': "y",
        }
        assert store.count('"a.b".c') == 0


def test_types_are_natural_or_text(database):
    url = database(
        "create domain key as int",
        "create type mood as enum ('good', 'bad')",
        """create table t (a int2, b int8, c numeric(20,4), d float4, e float8, f bool, g bytea, h date, i timestamp,
           j timestamptz, k jsonb, l uuid, m int[], n inet, o mood, p key, q interval, r time, s char(5), t "char",
           u point, v varchar(3), w name, x money)""",
        r"""insert into t values (1, 9007199254740993, 1.5, 1.5, 2.5, true, '\x00ff', '2020-02-29', '2020-02-29 01:02:03.4',
           '2020-02-29 01:02:03.4+02', '{"a": 1}', '00000000-0000-0000-0000-00000000000a', '{1,2}', '10.0.0.1', 'bad', 7,
           '1 day', '01:02', 'ab', 'z', '(1,2)', 'xyz', 'n', '1.5')""",
        "insert into t (a) values (null)",
    )
    with opened(url) as store:
        whole = table(store, "public.t")
        sample = store.sample("public.t", 10, 1)
    assert sample.schema == whole.schema
    row = whole.to_pylist()[0]
    assert row.pop("x").endswith("1.50")
    assert row == {
        "a": 1, "b": 9007199254740993, "c": "1.5000", "d": 1.5, "e": 2.5, "f": True, "g": b"\x00\xff",
        "h": date(2020, 2, 29), "i": datetime(2020, 2, 29, 1, 2, 3, 400000),  # noqa: DTZ001 - a timestamp without zone
        "j": datetime(2020, 2, 28, 23, 2, 3, 400000, UTC), "k": '{"a": 1}', "l": "00000000-0000-0000-0000-00000000000a",
        "m": "{1,2}", "n": "10.0.0.1/32", "o": "bad", "p": 7, "q": "P1D", "r": "01:02:00", "s": "ab", "t": "z",
        "u": "(1,2)", "v": "xyz", "w": "n",
    }  # fmt: skip
    assert set(whole.to_pylist()[1].values()) == {None}
    assert (whole.schema.field("p").type, whole.schema.field("j").type) == (pa.int64(), pa.timestamp("us", "UTC"))


def test_times_without_end_are_null_and_counted(database):
    url = database(
        "create table t (d date, s timestamptz)",
        "insert into t values ('infinity', '-infinity'), ('0044-03-15 BC', '20000-01-01'), ('0001-01-01', '9999-12-31 23:59:59.999999+00')",
    )
    with opened(url) as store:
        rows = table(store, "public.t").to_pylist()
        assert rows[:2] == [{"d": None, "s": None}] * 2
        assert rows[2] == {"d": date(1, 1, 1), "s": datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)}
        reason = "dates that are infinite or outside the years 1 to 9999 given as null"
        assert store.shortfalls() == (Shortfall("public.t", reason, 4),)


@pytest.mark.parametrize(
    ("kind", "stored", "asked", "refused"),
    [
        ("int2", "5", "5", ["05", "5.0", "99999"]),
        ("int8", "-5", "-5", ["5", "-05"]),
        ("numeric(10,2)", "5", "5.00", ["5", "5.0"]),
        ("numeric", "NaN", "NaN", ["0"]),
        ("uuid", "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000a",
         ["00000000-0000-0000-0000-00000000000A"]),
        ("char(5)", "ab", "ab", ["ab ", "AB"]),
        ("varchar", "ab", "ab", ["ab ", "AB", "a\0b"]),
        ("date", "2020-02-29", "2020-02-29", ["2020-2-29", "29.02.2020", "x"]),
        ("bool", "true", "true", ["t", "1"]),
        ("key", "5", "5", ["05"]),
    ],
)  # fmt: skip
def test_finds_by_text_in_any_type(database, kind, stored, asked, refused):
    url = database(
        "create domain key as int",
        f"create table t (k {kind})",
        f"insert into t values ('{stored}'), (null)",
    )
    with opened(url) as store:
        assert sum(batch.num_rows for batch in store.find("public.t", "k", [asked])) == 1
        assert list(store.find("public.t", "k", refused)) == []


def test_partitions_and_children_know_their_parent(database):
    url = database(
        "create table sale (id int, at date) partition by range (at)",
        "create table sale_1 partition of sale for values from ('2020-01-01') to ('2021-01-01')",
        "create table sale_2 partition of sale for values from ('2021-01-01') to ('2022-01-01')",
        "insert into sale select i, '2020-06-01' from generate_series(1, 30) i",
        "insert into sale select i, '2021-06-01' from generate_series(1, 20) i",
        "create table animal (name text)",
        "create table cat (lives int) inherits (animal)",
        "insert into cat values ('x', 9)",
        "create materialized view totals as select count(*) from sale",
    )
    with opened(url) as store:
        assert listed(store)["public.sale"].rows is None
        execute(url, "analyze")
        found = listed(store)
        assert {path: (info.kind, info.parent) for path, info in found.items()} == {
            "public.sale": ("table", None),
            "public.sale_1": ("partition", "public.sale"),
            "public.sale_2": ("partition", "public.sale"),
            "public.animal": ("table", None),
            "public.cat": ("partition", "public.animal"),
            "public.totals": ("view", None),
        }
        assert found["public.sale"].rows is not None
        assert found["public.sale"].rows.rows == store.count("public.sale") == 50
        assert store.sample("public.sale", 40, 1).num_rows == 40
        assert store.sample("public.totals", 40, 1).num_rows == 1
        assert store.count("public.animal") == 1


def test_a_sample_of_a_thinned_or_unknown_table_is_still_a_sample(database):
    url = database(
        "create table t (i int, pad text) with (autovacuum_enabled = off)",
        "insert into t select i, repeat('x', 500) from generate_series(1, 60000) i",
        "delete from t where i % 100 <> 0",
    )
    with opened(url) as store:
        assert store.sample("public.t", 400, 1).num_rows == 400


def test_long_values_are_cut_in_samples_and_said_so(database):
    url = database(
        "create table t (x text, b bytea)",
        "insert into t values (repeat('é', 70000), decode(repeat('00', 70000), 'hex'))",
    )
    with opened(url) as store:
        (row,) = store.sample("public.t", 5, 1).to_pylist()
        assert (len(row["x"]), len(row["b"])) == (65536, 65536)
        assert store.shortfalls() == (Shortfall("public.t", "values cut after 65536 characters", 2),)
        (row,) = table(store, "public.t").to_pylist()
        assert (len(row["x"]), len(row["b"])) == (70000, 70000)


def test_what_may_not_be_read_is_listed_with_its_problem(database):
    url = database(
        "create role clerk login",
        "create schema locked",
        "create table locked.t (a int)",
        "create table hidden (a int)",
        "create table part (a int, b text)",
        "grant select (a) on part to clerk",
        "insert into part values (1, 'x')",
    )
    with opened(as_user(url, "clerk")) as store:
        found = listed(store)
        assert found["locked.t"].problem == "we have no USAGE right on schema locked"
        assert found["public.hidden"].problem == "we have no SELECT right on it"
        assert found["public.part"].problem is None
        assert [field.name for field in found["public.hidden"].fields] == ["a"]
        assert table(store, "public.part").to_pydict() == {"a": [1]}
        assert store.shortfalls() == (Shortfall("public.part", "fields that we have no SELECT right on: b", 1),)
        with pytest.raises(
            SourceError, match=r"crm/public.hidden: we have no SELECT right on it.*store grants postgresql"
        ):
            store.count("public.hidden")
        with pytest.raises(SourceError, match=r"crm/public.part: we have no right to read it"):
            list(store.read("public.part", ["b"]))
    execute(url, "drop owned by clerk", "drop role clerk")


def test_of_a_table_with_rights_on_some_fields_those_are_read_and_the_others_named(database):
    url = database(
        "create role half login",
        'create table person (id int primary key, "na%me" text, card text, note text)',
        "insert into person select i, 'Name ' || i, '4111', repeat('n', 200) from generate_series(1, 20000) i",
        'grant select (id, "na%me") on person to half',
        "create table sale (id int, at date, card text) partition by range (at)",
        "create table sale_1 partition of sale for values from ('2020-01-01') to ('2021-01-01')",
        "insert into sale select i, '2020-06-01', '4111' from generate_series(1, 30) i",
        "grant select (id, at) on sale to half",
        "create view people as select id, card from person",
        "grant select (id) on people to half",
        "create materialized view cards as select id, card from person where id < 10",
        "grant select (card) on cards to half",
        "create table whole (id int, card text)",
        "insert into whole values (1, '4111')",
        "grant select on whole to half",
        "create table child (extra text) inherits (whole)",
        "insert into child values (2, '4222', 'x')",
        "analyze",
    )
    with opened(as_user(url, "half")) as store:
        found = listed(store)
        assert {path: [field.name for field in info.fields if not field.readable] for path, info in found.items()} == {
            "public.cards": ["id"],
            "public.child": ["id", "card", "extra"],
            "public.people": ["card"],
            "public.person": ["card", "note"],
            "public.sale": ["card"],
            "public.sale_1": ["id", "at", "card"],
            "public.whole": [],
        }
        assert [path for path, info in found.items() if info.problem] == ["public.child", "public.sale_1"]
        sample = store.sample("public.person", 500, 7)
        assert (sample.num_rows, sample.schema.names) == (500, ["id", "na%me"])
        assert sample.equals(store.sample("public.person", 500, 7))
        assert not sample.equals(store.sample("public.person", 500, 8))
        assert max(sample.column("id").to_pylist()) > 15_000  # from all over the table
        assert min(sample.column("id").to_pylist()) < 5_000
        assert table(store, "public.person").schema.names == ["id", "na%me"]
        assert store.count("public.person") == 20000
        (row,) = store.find("public.person", "na%me", ["Name 17"])
        assert row.to_pylist() == [{"id": 17, "na%me": "Name 17"}]
        with pytest.raises(SourceError, match=r"crm/public.person: we have no right to read it"):
            list(store.find("public.person", "card", ["4111"]))
        assert store.sample("public.sale", 100, 1).num_rows == 30
        assert store.sample("public.people", 10, 1).schema.names == ["id"]
        assert store.sample("public.cards", 10, 1).to_pydict() == {"card": ["4111"] * 9}
        assert store.sample("public.whole", 10, 1).num_rows == 2
        assert Shortfall("public.person", "fields that we have no SELECT right on: card, note", 2) in store.shortfalls()
    with opened(url) as store:  # the owner reads the same rows, and all of each
        assert store.sample("public.person", 500, 7).select(["id", "na%me"]).equals(sample)
        assert all(field.readable for info in store.datasets() for field in info.fields)
    execute(url, "drop owned by half", "drop role half")


def test_grants_come_as_the_store_states_them(database):
    url = database(
        "create role owner_1",
        "create role reader_1",
        "create table t (a int, b int)",
        "alter table t owner to owner_1",
        "revoke all on t from owner_1",
        "grant select on t to public",
        "grant update (b) on t to reader_1",
    )
    with opened(url) as store:
        assert set(store.grants()) == {
            Grant("public.t", "owner_1", "OWNER"),
            Grant("public.t", "PUBLIC", "SELECT"),
            Grant("public.t", "reader_1", "UPDATE", "b"),
        }
    execute(url, "drop table t", "drop role owner_1", "drop role reader_1")


def test_sessions_only_read_and_say_who_they_are(database):
    url = database("create table t (a int)")
    with opened(url) as store, psycopg.connect(url) as other:
        store._connections._timeout_s = 7  # type: ignore[attr-defined]
        with store._transaction() as connection:  # type: ignore[attr-defined]
            row = connection.execute(
                "select current_setting('transaction_read_only'), current_setting('statement_timeout'),"
                " current_setting('lock_timeout'), current_setting('TimeZone')"
            ).fetchone()
            assert row == ("on", "7s", "7s", "UTC")
            names = other.execute("select application_name from pg_stat_activity where datname = current_database()")
            assert ("beholden",) in names.fetchall()
        with pytest.raises(SourceError, match="reading it would write"), store._transaction("public.t") as connection:  # type: ignore[attr-defined]
            connection.execute("insert into t values (1)")


VIEWS = {
    "a value that does not fit": ("select 'Jane Roe'::text::varchar::int as x", "SQLSTATE 22P02"),
    "a function that writes": ("select writes() as x", "a read-only transaction refuses"),
    "a slow one": ("select pg_sleep(5)::text as x", "the statement timeout was reached"),
    "one that fails loudly": ("select loud() as x", "SQLSTATE P0001"),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_that_fails_gives_one_line_without_values(database, name):
    query, words = VIEWS[name]
    url = database(
        "create table log (a int)",
        "create function writes() returns int language sql as $$ insert into public.log values (1) returning a $$",
        "create function loud() returns int language plpgsql as $$ begin raise exception 'Jane Roe, 4111111111111111'; end $$",
        "create table names (n text)",
        "insert into names values ('Jane Roe')",
        f"create view v as {query if 'Jane' not in query else 'select n::int as x from names'}",
    )
    with opened(url, statement_timeout_s=1) as store:
        for ask in (lambda: list(store.read("public.v")), lambda: store.sample("public.v", 1, 1)):
            with pytest.raises(SourceError, match=r"dataset crm/public\.v: ") as raised:
                ask()
            assert words in str(raised.value)
            assert "Roe" not in str(raised.value)
            assert "\n" not in str(raised.value)
            assert raised.value.__suppress_context__
        assert store.count("public.log") == 0  # the connection is fit for use again


def test_a_table_that_goes_away_is_told(database):
    url = database("create table t (a int, b int)", "insert into t values (1, 2)")
    with opened(url) as store:
        assert list(listed(store)) == ["public.t"]
        execute(url, "alter table t drop column b")
        with pytest.raises(SourceError, match=r"crm/public.t: a field is not there \(any more\)"):
            list(store.read("public.t"))
        execute(url, "drop table t")
        with pytest.raises(SourceError, match=r"crm/public.t: there is no such table \(any more\)"):
            list(store.read("public.t"))
        assert listed(store) == {}


def test_a_server_that_ends_the_session_is_told_and_the_next_call_connects_anew(database):
    url = database("create table t as select generate_series(1, 50000) as a")
    end = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'beholden'"
    with opened(url) as store:
        with closing(store.read("public.t")) as reading:  # type: ignore[type-var]
            next(reading)
            execute(url, end)
            with pytest.raises(
                SourceError, match=r"crm/public.t: the (server ended the connection|connection was lost)"
            ):
                list(reading)
        assert store.count("public.t") == 50000
        execute(url, end)
        assert store.count("public.t") == 50000


def test_a_lock_is_not_waited_for_for_ever(database):
    url = database("create table t (a int)")
    with opened(url, statement_timeout_s=1) as store, psycopg.connect(url) as other:
        other.execute("lock table t in access exclusive mode")
        assert "public.t" in listed(store)  # the catalogue needs no lock on it
        with pytest.raises(SourceError, match=r"another session holds a lock|statement timeout"):
            store.count("public.t")


def test_views_say_what_they_are_made_of_with_all_names_in_full(database):
    url = database(
        "create schema hidden",
        "create type public.mood as enum ('good')",
        "create table public.t (a int, m mood)",
        "create table hidden.t (a int)",
        "create view public.v as select a, m from t where a > 5",
        "create materialized view public.w as select a from t",
        "create view hidden.u as select h.a from hidden.t h join public.v using (a)",
        "create role passer login",
        "grant select on public.v to passer",
    )
    with opened(as_user(url, "passer")) as store:
        found = listed(store)
    told = {path: info.definition for path, info in found.items() if info.definition is not None}
    assert told.keys() == {"public.v", "public.w", "hidden.u"}
    assert all(definition.dialect == "postgres" for definition in told.values())
    assert "public.t" in told["public.v"].sql
    assert "hidden.t" in told["hidden.u"].sql
    assert found["public.t"].fields[1].type == "mood"  # the empty search path is for the definitions alone
    with opened(url, statement_timeout_s=1) as store, psycopg.connect(url) as other:
        other.execute("lock table public.t in access exclusive mode")
        found = listed(store)
        assert {path for path, info in found.items() if info.definition is not None} == set()
        assert found["public.v"].fields
    execute(url, "drop owned by passer", "drop role passer")


def test_no_more_connections_than_allowed(database):
    url = database("create table t as select generate_series(1, 50000) as a")
    with opened(url, max_connections=2, statement_timeout_s=1) as store, ExitStack() as readings:
        for _ in range(2):
            next(readings.enter_context(closing(store.read("public.t"))))  # type: ignore[type-var]
        with pytest.raises(SourceError, match=r"all its connections are busy\. Raise max_connections"):
            store.count("public.t")
        with psycopg.connect(url) as other:
            sql = "select count(*) from pg_stat_activity where application_name = 'beholden' and datname = current_database()"
            assert other.execute(sql).fetchone() == (2,)
    with pytest.raises(SourceError, match="the connector is closed"):
        store.test()


def test_bytes_that_are_not_text_do_not_stop_a_reading(database):
    url = database(
        "create table t (a text, b varchar)",
        "insert into t values (E'caf\\xe9', 'ok'), (E'caf\\xc3\\xa9', E'\\xff')",
        options="encoding 'SQL_ASCII' template template0 lc_collate 'C' lc_ctype 'C'",
    )
    with opened(url) as store:
        rows = [("caf\N{REPLACEMENT CHARACTER}", "ok"), ("café", "\N{REPLACEMENT CHARACTER}")]
        assert [tuple(row.values()) for row in table(store, "public.t").to_pylist()] == rows
        assert store.sample("public.t", 5, 1).num_rows == 2
        assert [batch.num_rows for batch in store.find("public.t", "a", ["café"])] == [1]


def reload(url: str) -> None:
    """Have the server read its settings again; it only answers that it will, so wait until new sessions know them."""
    with psycopg.connect(url, autocommit=True) as connection:
        (before,) = connection.execute("select clock_timestamp()").fetchone() or (None,)
        connection.execute("select pg_reload_conf()")
    for _ in range(500):
        with psycopg.connect(url) as connection:
            if connection.execute("select pg_conf_load_time() > %s", [before]).fetchone() == (True,):
                return
        time.sleep(0.01)
    pytest.fail("the server did not read its settings again within 5 s")


@pytest.mark.parametrize(
    ("user", "database_name", "words"),
    [
        ("locked_out", "postgres", "the server refused the password"),
        ("locked_out_2", "postgres", "there is no such user, or it may not log in"),
        ("postgres", "no_such_database", "there is no such database"),
    ],
)
def test_a_refused_connection_is_one_line_without_the_password(postgres_url, tmp_path, user, database_name, words):
    with psycopg.connect(postgres_url(), autocommit=True) as connection:
        connection.execute("drop role if exists locked_out")
        connection.execute("create role locked_out login password 'the right one'")
        (hba,) = connection.execute("show hba_file").fetchone() or ("",)
        rules = Path(hba).read_text()
        Path(hba).write_text(f"local all locked_out scram-sha-256\n{rules}")
        reload(postgres_url())
        try:
            with opened(postgres_url(database_name, user, "hunter2")) as store:
                with pytest.raises(SourceError, match=f"store crm: {words}") as raised:
                    store.test()
                assert "hunter2" not in str(raised.value)
            if user == "locked_out":
                (tmp_path / "password").write_text("the right one\n")
                config = StoreConfig(name="crm", url=postgres_url(user=user), password_file="password")
                with open_store(config, root=tmp_path, environ={}) as store:
                    assert store.test().user == "locked_out"
        finally:
            Path(hba).write_text(rules)
            reload(postgres_url())
            connection.execute("drop role locked_out")


def test_a_server_that_is_not_there_is_one_line():
    with opened("postgresql://me:hunter2@127.0.0.1:1/x") as store:
        with pytest.raises(SourceError, match=r"^store crm: nothing listens at that host and port") as raised:
            list(store.datasets())
        assert "hunter2" not in str(raised.value)


def test_the_password_comes_from_url_then_environment_then_file(tmp_path):
    from beholden.stores._postgresql_connection import connection_settings

    (tmp_path / "secret").write_text("from file\n")
    plain = StoreConfig(name="my-crm", url="postgres://me@db.internal/crm", password_file="secret")
    full = StoreConfig(name="my-crm", url="postgresql+psycopg://me:from%20url@db.internal/crm", password_file="secret")
    environ = {"BEHOLDEN_STORE_MY_CRM_PASSWORD": "from environment"}
    assert connection_settings(full, tmp_path, environ)["password"] == "from url"
    assert connection_settings(plain, tmp_path, environ)["password"] == "from environment"
    assert connection_settings(plain, tmp_path, {})["password"] == "from file"
    with pytest.raises(ConfigError, match=r"store my-crm: password_file .*cannot be read \(No such file"):
        connection_settings(plain, tmp_path / "elsewhere", {})


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u:hunter2@[::1/x", "not a postgresql url; expected postgresql://USER@HOST:PORT/DATABASE"),
        ("postgresql:u:hunter2@h/x", "not a postgresql url"),
        ("postgres:/u:hunter2@h/x", "not a postgresql url"),
        ("postgresql://u@h/x?password=hunter2&nonsense=1", "not a postgresql url"),
        ("postgresql://u@h:hunter2/x", "its port is not a number from 1 to 65535; expected postgresql://USER@"),
        ("postgresql://u:p@h:hunter2@h/x", "its port is not a number"),  # an @ in the password, not in % form
        ("postgresql://u:hunter2@h:65536/x", "its port is not a number"),
        ("postgresql://u:hunter2@h:0/x", "its port is not a number"),
        ("postgresql://u:hunter2@h1:5432,h2:x/x", "its port is not a number"),
        ("postgresql://h/x?port=hunter2", "its port is not a number"),
    ],
)
def test_a_url_that_is_none_is_refused_without_repeating_it(url, words):
    with pytest.raises(ConfigError, match=f"^store crm: url: {words}") as raised, opened(url):
        pass
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u:hunter2@127.0.0.1:1,127.0.0.1:2/x", "nothing listens at that host and port"),
        ("postgresql://u:hunter2@127.0.0.1:1,127.0.0.1/x?port=1", "nothing listens at that host and port"),
        (
            "postgresql://u@127.0.0.1:1/x?password=hunter2&options=-c%20x%3Dhunter2",
            "nothing listens at that host and port",
        ),
        ("postgresql://u@127.0.0.1:1/x?sslmode=hunter2", "an option in the store's url has a value that is not valid"),
        ("postgresql://u@127.0.0.1:1/x?connect_timeout=hunter2", "an option in the store's url has a value"),
        ("postgresql://u@/x?host=/hunter2", "nothing listens at that socket"),
    ],
)
def test_no_message_about_a_connection_repeats_the_url(url, words):
    with opened(url) as store, pytest.raises(SourceError, match=f"^store crm: ({words})") as raised:
        store.test()
    assert "hunter2" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_the_grants_script_makes_a_role_that_reads_and_nothing_more(database):
    url = database(
        'create schema "sa les"',
        'create table "sa les".deal (a int)',
        "create role maker login",
        'grant create, usage on schema "sa les" to maker',
    )
    execute(as_user(url, "maker"), 'create table "sa les".by_maker (a int)')
    script = grants_script("postgresql")
    execute(url, script, script)  # twice: it may be run again
    execute(as_user(url, "maker"), 'create table "sa les".by_maker_later (a int)')
    execute(url, "create table public.later (a int)", 'create view "sa les".seen as select * from "sa les".deal')
    reader = as_user(url, "beholden_reader")
    with opened(reader) as store:
        assert store.test().user == "beholden_reader"
        found = listed(store)
        assert len(found) == 5
        assert [info.problem for info in found.values()] == [None] * 5
        assert [store.count(path) for path in found] == [0] * 5
    for refused in ('insert into "sa les".deal values (1)', "create table public.mine (a int)", "create role other"):
        with psycopg.connect(reader) as connection:
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                connection.execute(refused.encode())
            connection.rollback()
            connection.execute("set transaction read write")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(refused.encode())
    execute(url, "drop owned by beholden_reader", "drop role beholden_reader", "drop owned by maker", "drop role maker")


def test_the_grants_script_holds_no_password_and_explains_each_step():
    script = grants_script("postgresql")
    assert "PASSWORD '" not in script.upper()
    for words in (
        "GRANT CONNECT",
        "GRANT USAGE",
        "GRANT SELECT",
        "ALTER DEFAULT PRIVILEGES",
        "pg_read_all_data",
        "statement_timeout",
    ):
        assert words in script
    assert script.count("\n--") > 15
