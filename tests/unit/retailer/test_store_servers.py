"""Stores on real servers: a PostgreSQL from a wheel, and the machine's MariaDB."""

from __future__ import annotations

import datetime as dt
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from psycopg import sql
from tests.support.mariadb import MariadbServer
from tests.support.meridian import logs_and_changes
from tests.support.postgres import postgres_server

from beholden.cli import cli
from beholden.core.errors import BeholdenError, UsageError
from beholden.core.times import parse_time
from beholden.retailer import build_company
from beholden.retailer.parameters import PRESETS, checked_parameters
from beholden.retailer.stores import WrittenStores, check_stores, write_stores
from beholden.retailer.stores.database import MARK
from beholden.retailer.stores.layout import Layout
from beholden.retailer.stores.mariadb import new_mariadb
from beholden.retailer.stores.postgresql import new_postgresql
from beholden.retailer.warehouse_tables import card_copy, source
from beholden.retailer.words import words_of
from beholden.retailer.world import World

END = parse_time("2026-11-22T00:00:00Z")
COPY = card_copy("marketing_export_2024", "marketing")
SECRET = "v3ry secret/of:ann@"


def make_world(preset: str = "retailer", **changed: Any) -> World:
    usual = checked_parameters(preset=preset, scale=0.002, seed=5, days=4, end=END)
    return World(replace(usual, **changed))


@dataclass(frozen=True)
class Server:
    """What both servers can do for these tests."""

    option: str  # of write_stores and of the command
    kind: str
    stores: tuple[str, ...]  # that go there
    url: Callable[..., str]  # (user, password), of the administrator without them
    ask: Callable[..., list[tuple[Any, ...]]]  # (statement, database)
    new: Callable[[str, str], Any]
    add_user: Callable[[str, str], None]  # somebody who may log in and no more
    cut: Callable[[str], None]  # all connections to a database of this name
    drop: Callable[[str], None]
    unreachable: str


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with postgres_server(tmp_path_factory.mktemp("server")) as url:

        def ask(statement: Any, database: str = "postgres") -> list[tuple[Any, ...]]:
            with psycopg.connect(url(database), autocommit=True) as connection:
                cursor = connection.execute(statement)
                return cursor.fetchall() if cursor.description else []

        def login(user: str = "postgres", password: str | None = None) -> str:
            return url(user=user, password=password)

        def add_user(name: str, password: str) -> None:
            ask(sql.SQL("create role {} login password {}").format(sql.Identifier(name), password))

        def cut(name: str) -> None:
            ask(sql.SQL("select pg_terminate_backend(pid) from pg_stat_activity where datname = {}").format(name))

        def drop(name: str) -> None:
            ask(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

        [(rules,)] = ask("show hba_file")
        text = Path(rules).read_text()
        Path(rules).write_text(f"local all ann scram-sha-256\n{text}")
        ask("select pg_reload_conf()")
        yield Server(
            "postgres", "PostgreSQL", ("crm", "orders", "payments", "sellers", "warehouse"), login, ask, new_postgresql,
            add_user, cut, drop, "postgresql://ann:v3ry%20secret@127.0.0.1:1/x",
        )  # fmt: skip


@pytest.fixture(scope="module")
def mariadb_store(mariadb: MariadbServer) -> Server:
    def add_user(name: str, password: str) -> None:
        mariadb.ask(f"create user {name} identified by '{password}'")

    def cut(name: str) -> None:
        for (number,) in mariadb.ask(f"select id from information_schema.processlist where db = '{name}'"):
            mariadb.ask(f"kill {number}")

    def drop(name: str) -> None:
        mariadb.ask(f"drop database if exists `{name}`")

    unreachable = "mariadb://ann:v3ry%20secret@127.0.0.1:1/"
    return Server(
        "mariadb", "MariaDB", ("orders",), mariadb.url, mariadb.ask, new_mariadb, add_user, cut, drop, unreachable
    )


@pytest.fixture(params=["postgresql", "mariadb_store"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    found: Server = request.getfixturevalue(request.param)
    yield found
    for preset in PRESETS:
        for store in found.stores:
            found.drop(words_of(preset).store(store))


@pytest.fixture
def ann(server: Server) -> Iterator[str]:
    """A user who may log in and do nothing else."""
    server.add_user("ann", SECRET)
    yield "ann"
    server.drop("orders")  # she may own something in it
    server.ask("drop user ann")


@pytest.fixture(scope="module", params=PRESETS)
def in_files(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[World, Path, WrittenStores]:
    made, directory = make_world(request.param), tmp_path_factory.mktemp(request.param)
    return (
        made,
        directory,
        write_stores(made, directory, extra=[COPY], changes=logs_and_changes(made, [], directory)[1]),
    )


def write(server: Server, world: World, directory: Path, url: str | None = None, **more: Any) -> WrittenStores:
    options: dict[str, Any] = {server.option: server.url() if url is None else url, **more}
    return write_stores(world, directory, **options)


def said(value: Any) -> Any:
    """A value of a server as a file has it."""
    if isinstance(value, dt.date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def test_a_server_holds_what_files_hold(server, in_files, tmp_path) -> None:
    world, directory, files = in_files
    layout = Layout(world.parameters, (COPY,))
    assert (
        write(server, world, tmp_path, extra=[COPY], changes=logs_and_changes(world, [], tmp_path)[1]).rows
        == files.rows
    )
    here = {layout.words.store(store) for store in server.stores}
    left = {path.stem for path in (tmp_path / "stores").iterdir()} if (tmp_path / "stores").exists() else set()
    assert left == {layout.words.store(one) for one in ("crm", "orders", "payments", "sellers", "warehouse")} - here
    for placed in layout.tables:
        if placed.table.database not in here or placed.canonical.layer not in {"source", "raw"}:
            continue  # marts are made by the server itself, and marts of texts in its own order
        query = f"select * from {placed.name}"
        with closing(sqlite3.connect(directory / "stores" / f"{placed.table.database}.db")) as connection:
            plain = connection.execute(query).fetchall()
        found = [tuple(map(said, row)) for row in server.ask(query, placed.table.database)]
        assert sorted(found, key=repr) == sorted(plain, key=repr), placed.table.path


def test_types_keys_references_and_indexes_are_declared(server, tmp_path) -> None:
    world = make_world("bank")
    write(server, world, tmp_path)
    layout = Layout(world.parameters)
    types = {
        "integer": {"bigint", "integer"},
        "numeric": {"numeric", "decimal"},
        "timestamp": {"datetime", "timestamp"},
    }
    types |= {"text": {"text", "varchar"}, "date": {"date"}}
    for placed in layout.tables:
        store = placed.table.database
        if store not in {layout.words.store(one) for one in server.stores}:
            continue
        where = f"where table_name = '{placed.name}' and table_schema in ('public', '{store}')"
        query = f"select column_name, data_type from information_schema.columns {where} order by ordinal_position"
        for column, (name, kind) in zip(placed.table.columns, server.ask(query, store), strict=True):
            assert column.name == name
            assert kind.split()[0] in types[column.sql_type.partition("(")[0]], (placed.table.path, name)
        query = f"select constraint_type, count(*) from information_schema.table_constraints {where} "
        query += "and constraint_type <> 'CHECK' group by 1"
        declared = {"PRIMARY KEY": min(1, len(placed.key)), "FOREIGN KEY": len(placed.references)}
        assert dict(server.ask(query, store)) == {kind: count for kind, count in declared.items() if count}, placed.name
    orders = layout.words.store("orders"), layout.words.name("orders")
    query = (
        f"show index from {orders[1]}"
        if server.kind == "MariaDB"
        else f"select * from pg_indexes where tablename = '{orders[1]}'"
    )
    assert any("client_id" in str(row) for row in server.ask(query, orders[0]))


def test_what_is_missing_and_every_script_survive(server) -> None:
    texts = ["Žofie Łęcka", "李小龍", "🧾 ✓", 'it\'s \\ 100 % "so"\n\t,', "", None]
    columns = "number integer note.id, body text note.body, at timestamp note.time, price numeric(12,2) order.amount"
    placed = Layout(make_world().parameters).placed(source("orders", "scripts", "note", columns))
    times = ["2024-02-29T23:59:59", None, "2000-01-01T00:00:00", None, None, "2099-12-31T00:00:00"]
    prices = [0.1, 1234567890.99, None, -3.0, 0.0, 12.3]
    with server.new(server.url(), "orders") as database:
        database.create(placed)
        database.fill(placed, [list(range(6)), texts, times, prices])
        database.finish()
    found = [tuple(map(said, row)) for row in server.ask("select * from scripts order by 1", "orders")]
    assert found == list(zip(range(6), texts, times, prices, strict=True))


def test_a_database_that_holds_something_is_refused_and_left_alone(server, tmp_path) -> None:
    server.ask("create database orders")
    server.ask("create table mine (a int)", "orders")
    with pytest.raises(UsageError, match="database orders: holds tables already; expected a missing or empty database"):
        write(server, make_world(), tmp_path)
    assert server.ask("select count(*) from mine", "orders") == [(0,)]


def refusal(server: Server, directory: Path, url: str) -> str:
    """The one line of a refusal, in which no part of the password stands."""
    with pytest.raises(BeholdenError) as caught:
        write(server, make_world(), directory, url)
    line = caught.value.line()
    assert "\n" not in line
    assert not [part for part in ("secret", "v3ry") if part in line]
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    return line


def test_a_server_that_cannot_be_reached_is_told_in_a_line(server, tmp_path) -> None:
    assert f"on {server.kind}: the server cannot be reached" in refusal(server, tmp_path, server.unreachable)


def test_urls_that_are_none_are_told_in_a_line(server, tmp_path) -> None:
    scheme = server.unreachable.partition(":")[0]
    for url in (
        "", "ann", "http://ann:secret@h/", f"{scheme}://ann:secret@h:port/", f"{scheme}://ann:secret@[h/",
        f"{scheme}://ann:secret@h..h/",
    ):  # fmt: skip
        line = refusal(server, tmp_path / str(len(url)), url)
        assert server.kind in line
        assert "URL" in line


def test_a_wrong_password_is_told_in_a_line(server, ann, tmp_path) -> None:
    for i, password in enumerate(("wrong secret", "schlüssel-secret-鍵", "")):
        line = refusal(server, tmp_path / str(i), server.url(ann, password))
        assert "the server refuses the user or the password" in line


def test_a_user_without_rights_is_told_in_a_line(server, ann, tmp_path) -> None:
    assert "the user has no right" in refusal(server, tmp_path, server.url(ann, SECRET))


def test_a_user_with_rights_in_a_database_alone_may_write_there(server, ann) -> None:
    server.ask("create database orders")
    if server.kind == "MariaDB":
        server.ask("grant all on orders.* to ann")
    else:
        server.ask("alter schema public owner to ann", "orders")
    layout = Layout(make_world().parameters)
    with server.new(server.url(ann, SECRET), "orders") as database:
        for placed in layout.of("orders"):
            database.create(placed)
        database.finish()
    assert server.ask("select count(*) from orders", "orders") == [(0,)]


def test_a_server_that_goes_away_is_told_in_a_line_and_nothing_stays(server, tmp_path) -> None:
    def cutting(what: str, _share: float) -> None:
        if what == "databases: sellers and contacts":
            server.cut("orders")

    with pytest.raises(
        BeholdenError, match=f"database orders on {server.kind}: the (connection was lost|server )"
    ) as caught:
        write(server, make_world(), tmp_path / "a", progress=cutting)
    assert "secret" not in caught.value.line()
    assert write(server, make_world(), tmp_path / "b").rows["orders/orders"] > 0


def test_a_stopped_writing_leaves_nothing(server, tmp_path) -> None:
    def stopping(what: str, _share: float) -> None:
        if what == "databases written":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(server, make_world(), tmp_path / "a", progress=stopping)
    assert write(server, make_world(), tmp_path / "b").rows["orders/orders"] > 0


#: A build whose process ends at a moment as if by ``kill -9``: while it writes, before its stores are noted, and after.
ENDED = """
import os, pathlib, signal, sys
from beholden.retailer import build_company, company, output

directory, moment, option, url, end = sys.argv[1:]

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

note = output.Parts.note
if moment == "noting":
    output.Parts.note = lambda self, name, value=None: (die if name == "stores" else note)(self, name, value)
elif moment == "unmarking":
    company.unmark_stores = die
tell = lambda what, share: die() if what == moment else None
build_company(pathlib.Path(directory), scale=0.001, days=2, seed=6, end=int(end), progress=tell, **{option: url})
"""


def killed(server: Server, directory: Path, moment: str) -> None:
    arguments = [sys.executable, "-c", ENDED, str(directory), moment, server.option, server.url(), str(END)]
    assert subprocess.run(arguments, check=False, timeout=120).returncode == -signal.SIGKILL


def tables(server: Server, store: str) -> set[str]:
    where = f"table_schema in ('public', '{store}')"
    return {name for (name,) in server.ask(f"select table_name from information_schema.tables where {where}", store)}


@pytest.mark.parametrize("moment", ["databases: orders", "databases written", "noting", "unmarking"])
def test_a_killed_build_is_gone_on_with(server, tmp_path, moment) -> None:
    settings: dict[str, Any] = {"scale": 0.001, "days": 2, "seed": 6, "end": END, server.option: server.url()}
    killed(server, tmp_path / "killed", moment)
    assert (tmp_path / "killed" / "INCOMPLETE").is_file()
    assert server.url() not in (tmp_path / "killed" / "INCOMPLETE").read_text()
    # Another company, and something else beside what was left, are still refused.
    left = tables(server, "orders")
    if left:
        assert MARK in left
        with pytest.raises(UsageError, match=r"database (crm|orders): holds tables already"):
            build_company(tmp_path / "other", **{**settings, "seed": 7})
    if left and moment != "unmarking":
        server.ask("create table mine (a int)", "orders")
        with pytest.raises(UsageError, match="database orders: holds tables already"):
            build_company(tmp_path / "killed", **settings)
        assert server.ask("select count(*) from mine", "orders") == [(0,)]
        server.ask("drop table mine", "orders")
    company = build_company(tmp_path / "killed", **settings)
    assert server.ask("select count(*) from orders", "orders") == [(company.orders,)]
    layout = Layout(make_world().parameters)
    for store in server.stores:
        assert tables(server, store) == {placed.name for placed in layout.of(store)} or store == "warehouse"
        assert MARK not in tables(server, store)


def stopped_at(moment: str, directory: Path, **options: Any) -> None:
    def stop(what: str, _share: float) -> None:
        if what == moment:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_company(directory, scale=0.001, days=1, seed=6, end=END, progress=stop, **options)


def refused(directory: Path, **options: Any) -> str:
    with pytest.raises(BeholdenError) as caught:
        build_company(directory, scale=0.001, days=1, seed=6, end=END, **options)
    return caught.value.line()


def test_a_server_that_will_not_take_the_stores_is_told_before_anything_is_written(server, ann, tmp_path) -> None:
    def tell(url: str) -> str:
        line = refused(tmp_path / "new", **{server.option: url})
        assert not (tmp_path / "new").exists()
        return line

    assert "the server cannot be reached" in tell(server.unreachable)
    assert "refuses the user or the password" in tell(server.url(ann, "wrong secret"))
    assert "the user has no right" in tell(server.url(ann, SECRET))
    server.ask("create database orders")
    assert "the user has no right" in tell(server.url(ann, SECRET))
    server.ask("create table mine (a int)", "orders")
    assert "database orders: holds tables already" in tell(server.url())


def databases(server: Server) -> set[str]:
    query = "show databases" if server.kind == "MariaDB" else "select datname from pg_database"
    return {name for (name,) in server.ask(query)}


def test_looking_at_a_server_leaves_it_as_it_is(server) -> None:
    world = make_world()
    options: dict[str, Any] = {server.option: server.url()}
    before = databases(server)
    check_stores(world, "company", **options)
    assert databases(server) == before
    server.ask("create database orders")
    check_stores(world, "company", **options)
    assert tables(server, "orders") == set()
    server.ask(f"create table {MARK} as select 'company' as company", "orders")
    server.ask("create table orders (a int)", "orders")
    check_stores(world, "company", **options)
    with pytest.raises(UsageError, match="holds tables already"):
        check_stores(world, "another", **options)
    assert tables(server, "orders") == {MARK, "orders"}


def test_the_server_can_be_changed_until_the_stores_are_begun(server, tmp_path) -> None:
    here, elsewhere = {server.option: server.url()}, {server.option: server.unreachable}
    stopped_at("stores", tmp_path, **here)
    assert "cannot be reached" in refused(tmp_path, **elsewhere)  # and nothing else is wrong with it
    stopped_at("stores", tmp_path)  # in files
    stopped_at("databases: orders", tmp_path)
    stopped_at("databases: orders", tmp_path, **here)  # files that were begun bind nobody
    line = refused(tmp_path, **elsewhere)
    assert f"were begun in {server.option} " in line
    assert "expected the same servers" in line
    assert "secret" not in line
    assert "were begun in" in refused(tmp_path)
    company = build_company(tmp_path, scale=0.001, days=1, seed=6, end=END, **here)
    assert server.ask("select count(*) from orders", "orders") == [(company.orders,)]


def test_a_server_that_goes_away_while_days_are_made_can_be_changed(server, tmp_path, monkeypatch) -> None:
    with monkeypatch.context() as patch:  # it was there when the build began
        patch.setattr("beholden.retailer.company.check_stores", _Once())
        assert "cannot be reached" in refused(tmp_path, **{server.option: server.unreachable})
    build_company(tmp_path, scale=0.001, days=1, seed=6, end=END, **{server.option: server.url()})
    assert not (tmp_path / "INCOMPLETE").exists()


class _Once:
    """Nothing the first time, and what it stands for from then on."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, *arguments: Any, **options: Any) -> None:
        if self.asked:
            check_stores(*arguments, **options)
        self.asked = True


def test_stores_that_are_whole_are_not_moved(server, tmp_path) -> None:
    stopped_at("truth", tmp_path)
    line = refused(tmp_path, **{server.option: server.unreachable})
    assert "the stores of the unfinished company in it were begun in files" in line


def test_the_command_tells_a_refusal_without_the_password(server, ann, tmp_path) -> None:
    arguments = ["demo", "--out", str(tmp_path / "estate"), "--scale", "0.001", "--days", "1", "--end", "2026-11-22"]
    arguments += [f"--{server.option}", server.url(ann, "wrong secret"), "--build-only"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 1
    assert "the server refuses the user or the password" in f"{result.output} {result.exception}"
    assert "secret" not in f"{result.output} {result.exception!r}"


def test_mariadb_without_its_driver_is_told_in_a_line(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pymysql", None)
    with pytest.raises(UsageError, match="MariaDB: its driver is not installed"):
        write_stores(make_world(), tmp_path, mariadb="mariadb://ann@127.0.0.1/")
