from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlglot
from sqlglot import exp
from sqlglot.lineage import lineage
from sqlglot.optimizer.qualify import qualify

from beholden.core.times import parse_time
from beholden.logs import LogContext, open_reader
from beholden.retailer.chance import DAY_US, stream
from beholden.retailer.events import INCIDENT, LABELS
from beholden.retailer.life.console import OPERATIONS, Views, contact_views
from beholden.retailer.life.sql import CONNECTED, DISCONNECT, Statements, connected, make_statements
from beholden.retailer.life.sql_day import day_statements
from beholden.retailer.life.sql_deeds import (
    contact_changes,
    filed,
    lookups,
    rebuilt,
    unused_accounts,
    uploaded,
    vault_export,
)
from beholden.retailer.life.sql_formats import database_log
from beholden.retailer.life.sql_services import console_updates
from beholden.retailer.life.sql_text import DATABASES
from beholden.retailer.life.support_lookalikes import lookalike_views
from beholden.retailer.life.warehouse_jobs import feed_sql, job_times
from beholden.retailer.log_files import WrittenDay, write_day
from beholden.retailer.parameters import Parameters, checked_parameters
from beholden.retailer.warehouse_tables import WAREHOUSE, card_copy, catalogue
from beholden.retailer.world import World

END = parse_time("2026-11-22T00:00:00Z")
DIALECTS = {"crm": "postgres", "payments": "postgres", "orders": "mysql", "warehouse": "postgres"}


def parameters(scale: float = 0.01, days: int = 30) -> Parameters:
    return checked_parameters(preset="retailer", scale=scale, seed=4, days=days, end=END)


@pytest.fixture(scope="module")
def world() -> World:
    return World(parameters())


@pytest.fixture(scope="module")
def day(world: World) -> int:
    return world.calendar.window[12]


@pytest.fixture(scope="module")
def window(world: World) -> Statements:
    return Statements.joined([day_statements(world, day, contact_views(world, day)) for day in world.calendar.window])


def written(world: World, day: int, database: str, directory: Path, more: Statements | None = None):
    statements = day_statements(world, day, contact_views(world, day))
    events = connected(world, day, statements if more is None else Statements.joined([statements, more]), database)
    return events, write_day(database_log(world, database, day), events, day, world.parameters, directory)


def test_the_warehouse_grows_slower_than_the_company_and_each_table_follows_its_sources() -> None:
    for scale, count, teams in ((0.01, 60, 2), (1.0, 300, 40)):
        tables = catalogue(parameters(scale))
        assert len(tables.of(WAREHOUSE)) == count
        assert tables.teams == teams
        assert len({table.path for table in tables.tables}) == len(tables.tables)
        known: set[str] = set()
        for table in tables.tables:
            for column in table.columns:
                assert all((column.name, column.sql_type, column.meaning)), (table.path, column)
                assert known.issuperset(column.origins)
            known |= {f"{table.path}.{column.name}" for column in table.columns}
    documented = [table.documented for table in tables.tables if table.layer == "copy"]
    assert 0.25 < np.mean(documented) < 0.55


def test_the_jobs_bear_out_the_lineage(world: World, day: int) -> None:
    tables = catalogue(world.parameters)
    schema: dict[str, object] = {
        table.name: {column.name: column.sql_type for column in table.columns} for table in tables.of(WAREHOUSE)
    }
    for table in tables.of(WAREHOUSE):
        assert table.feed is not None
        if table.feed.form == "land":
            continue
        [sql] = [sql for _, sql in feed_sql(world, table, day) if sql.reads]
        tree = sqlglot.parse_one(sql.text, read="postgres")
        select = tree.find(exp.Select)
        assert select is not None
        if isinstance(tree, exp.Insert):
            assert [one.name for one in tree.this.expressions] == [column.name for column in table.columns]
        query = qualify(select.copy(), schema=schema, dialect="postgres")
        assert query.named_selects == [column.name for column in table.columns]
        for column in table.columns:
            leaves = {
                f"{WAREHOUSE}.{node.source.name}.{node.name.rpartition('.')[2].strip(chr(34))}"
                for node in lineage(column.name, query, schema=schema, dialect="postgres").walk()
                if isinstance(node.source, exp.Table)
            }
            assert leaves == set(column.origins), (table.name, column)


def test_jobs_run_after_those_that_make_what_they_read(world: World, day: int) -> None:
    at = {table.path: time for time, table in job_times(world, catalogue(world.parameters), day)}
    for path, time in at.items():
        feed = catalogue(world.parameters).by_path[path].feed
        assert feed is not None
        assert all(at[origin] < time for _, origin in feed.sources if origin in at)


def test_a_day_is_the_same_made_alone_and_in_any_order(world: World, day: int, tmp_path: Path) -> None:
    for database in DATABASES:
        for name, other in (("one", world), ("two", World(parameters()))):
            (tmp_path / name).mkdir(exist_ok=True)
            if other is world:
                day_statements(other, day - 1, contact_views(other, day - 1))
            files = written(other, day, database, tmp_path / name)[1].files
        for file in files:
            assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_every_statement_that_did_not_fail_can_be_parsed(window: Statements) -> None:
    seen: set[tuple[int, str]] = set()
    for database, sql in zip(window.database.tolist(), window.said.tolist(), strict=True):
        shape = re.sub(r"\d+|'[^']*'", "0", sql.text)
        if (database, shape) in seen:
            continue
        seen.add((database, shape))
        tree = sqlglot.parse_one(sql.text, read=DIALECTS[sql.database])
        assert not isinstance(tree, exp.Command), sql.text
        if database != DATABASES.index("orders") and isinstance(tree, exp.Select | exp.Insert | exp.Update):
            names = {one.name for one in tree.find_all(exp.Table)} - {one.alias for one in tree.find_all(exp.CTE)}
            assert names == {*sql.reads, *sql.writes}, sql.text
    assert len(seen) > 500


def test_columns_that_people_name_exist_unless_they_mistyped_them(world: World, window: Statements) -> None:
    tables = catalogue(world.parameters)
    checked = 0
    for sql, failure in list(zip(window.said.tolist(), window.failure.tolist(), strict=True))[::7]:
        known = [tables.by_path.get(f"{sql.database}.{name}") for name in (*sql.reads, *sql.writes)]
        if sql.command not in {"SELECT", "UPDATE"} or not all(known):
            continue
        tree = sqlglot.parse_one(sql.text, read=DIALECTS[sql.database])
        columns = {column.name for table in known if table for column in table.columns}
        columns |= {one.alias for one in tree.find_all(exp.Alias)}
        strange = {one.name for one in tree.find_all(exp.Column) if one.name not in columns and not one.is_star}
        assert strange == ({sql.wrong} if sql.wrong else set()) or (sql.wrong and failure == 1), sql.text
        checked += 1
    assert checked > 300


def test_look_alikes_happen_and_some_statements_fail(world: World, window: Statements) -> None:
    names = Counter(LABELS[one] for one in window.label.tolist())
    for name in ("nightly_etl", "backup", "schema_migration", "period_end_export", "break_glass", "mass_correction"):
        assert names[f"benign:{name}"], name
    people = window.actor < len(world.staff.members)
    assert 0.005 < (window.failure[people] > 0).mean() < 0.05
    assert not (window.failure[~people] > 0).any()
    assert (window.time % 1000 == 0).all()
    assert len({one.text for one in window.at(people).said.tolist()}) > 0.9 * people.sum()


def test_each_edit_in_the_console_is_one_update_by_its_account(world: World, day: int) -> None:
    views = Views.joined([contact_views(world, day), lookalike_views(world, day)])
    edits = views.at((views.operation == OPERATIONS.index("edit")) & (views.result == 0))
    updates = console_updates(world, day, views)
    changed = [int(str(text).rpartition("= ")[2]) - 1 for text in updates.sql]
    assert Counter(changed) == Counter(edits.customer.tolist())
    assert len(edits) > 5
    lag = np.sort(updates.time) - np.sort(edits.time)
    assert ((lag >= 0) & (lag < 300_000)).all()


def events_of(wd: WrittenDay, directory: Path, format_: str):
    """What the product's reader makes of the files: (file, record) -> the event."""
    found: dict[tuple[int, int], dict[str, Any]] = {}
    problems: list[str] = []
    for number, name in enumerate(wd.files):
        raw = (directory / name).read_bytes()
        for batch in open_reader(format_).read(io.BytesIO(raw), LogContext("x")):
            problems += [problem.reason for problem in batch.problems]
            found |= {(number, row["record"]): row for row in batch.events.to_pylist()}
    return found, problems


def places(written: WrittenDay) -> list[tuple[int, int, int]]:
    """Event, file and record of whatever left a record."""
    every = zip(written.event.tolist(), written.file.tolist(), written.record.tolist(), strict=True)
    return [(event, file, record) for event, file, record in every if file >= 0]


@pytest.mark.parametrize("database", ["crm", "payments"])
def test_postgresql_logs_are_understood_and_their_first_records_are_the_truths(world, tmp_path, database) -> None:
    for day in world.calendar.window[8:16]:
        events, wd = written(world, day, database, tmp_path)
        found, problems = events_of(wd, tmp_path, "pgaudit-csv")
        assert len(problems) <= 1, problems  # the torn line
        for event, file, record in places(wd):
            sql = events.said[event]
            if sql.command in CONNECTED or events.failure[event]:
                assert (file, record) not in found
                continue
            row = found[file, record]
            assert row["statement"] == sql.text
            assert row["actor"] == world.staff.logins(day)[int(events.actor[event])]
            assert row["database"] == database
            assert row["time"] == events.time[event] or int(row["time"].timestamp() * 1e6) == events.time[event]
            parts = [one for one in found.values() if one["statement_ref"] == row["statement_ref"]]
            tables = {(one["object"] or "").removeprefix("public.") for one in parts} - {""}
            assert tables == {*sql.reads, *sql.writes}


def test_postgresql_numbers_lines_and_statements_of_a_session(world: World, day: int, tmp_path: Path) -> None:
    _, wd = written(world, day, "crm", tmp_path)
    rows: dict[str, dict[int, list[str]]] = {}
    for name in wd.files:
        with (tmp_path / name).open(newline="", encoding="utf-8") as file:
            for row in csv.reader(file):
                if len(row) != 26:
                    continue
                known = rows.setdefault(row[5], {}).setdefault(int(row[6]), row)
                assert known == row  # a line number belongs to one record, however often it came
    own = {session: lines for session, lines in rows.items() if 1 in lines}
    assert own
    for lines in own.values():
        stamps = [lines[number][0] for number in sorted(lines)]
        assert stamps == sorted(stamps)
        assert "connection received" in lines[1][13]


def test_the_warehouse_gateway_is_read_without_problems(world: World, day: int, tmp_path: Path) -> None:
    events, wd = written(world, day, "warehouse", tmp_path)
    found, problems = events_of(wd, tmp_path, "ocsf")
    assert len(problems) <= 1
    assert not any(sql.command in CONNECTED for sql in events.said)
    for event, file, record in places(wd):
        row, sql = found[file, record], events.said[event]
        assert row["statement"] == sql.text
        assert row["status"] == ("failure" if events.failure[event] else "success")
        assert row["object"] in {None, sql.object}
        assert row["rows"] == (None if events.failure[event] or sql.rows < 0 else sql.rows)


_SERVER_AUDIT = re.compile(
    r"\d{8} \d\d:\d\d:\d\d,[\w-]+,[\w.]+,[\d.]+,\d+,\d+,"
    r"(?:(?:CONNECT|DISCONNECT),orders,,0|(?:READ|WRITE|CREATE|ALTER|DROP),orders,\w+,|QUERY,orders,'(?:[^'\\\n]|\\.)*',\d+)"
)


def test_mariadb_logs_have_server_audits_form(world: World, day: int, tmp_path: Path) -> None:
    events, wd = written(world, day, "orders", tmp_path)
    lines = (tmp_path / wd.files[0]).read_text(encoding="utf-8").splitlines()
    assert sum(_SERVER_AUDIT.fullmatch(line) is None for line in lines) <= 1
    for event, file, record in places(wd):
        if file == 0:
            what = lines[record - 1].split(",")[6]
            sql = events.said[event]
            assert what == sql.command if sql.command in CONNECTED else what in {"READ", "WRITE", "QUERY"}


def test_incidents_are_made_as_everything_else_is(world: World, day: int, tmp_path: Path) -> None:
    rng = stream(1, "test")
    who = int(world.staff.at_work("marketing", day)[0])
    tables = catalogue(world.parameters)
    copy = card_copy("marketing_export_2026", "marketing")
    victims = rng.integers(0, len(world.people), 12)
    source = tables.by_path["warehouse.dim_customer"]
    said = [
        vault_export(world, who, day),
        *uploaded(world, who, copy, day, 9000),
        *rebuilt(world, who, source, day, "2"),
        filed(world, who, source, day, columns=("email", "full_name")),
        *contact_changes(world, rng, who, victims),
        *lookups(world, rng, who, day, "crm.customer", victims, at_a_time=3),
    ]
    start = day * DAY_US + 9 * 3_600_000_000
    time = start + np.arange(len(said)) * 60_000_000
    more = make_statements(world, rng, day, time, [who] * len(said), said, what=INCIDENT, incident=3, failing=False)
    assert (more.label == INCIDENT).all()
    assert len(contact_changes(world, rng, who, victims)) == 12
    for database in ("crm", "payments"):
        events, wd = written(world, day, database, tmp_path, more)
        mine = np.flatnonzero(events.incident == 3)
        assert len(mine) == sum(sql.database == database for sql in said)
        assert not any(events.said[at].command == DISCONNECT for at in mine.tolist())
        assert set(mine.tolist()) <= set(wd.event.tolist())
        assert len(events_of(wd, tmp_path, "pgaudit-csv")[1]) <= 1
    for sql in said:
        sqlglot.parse_one(sql.text, read="postgres")


def test_larger_companies_have_accounts_that_sleep() -> None:
    assert len(unused_accounts(World(parameters(0.01)))) == 0
    assert len(unused_accounts(World(parameters(1.0)))) > 5


def test_gateway_lines_hold_nothing_but_what_the_format_names(world: World, day: int, tmp_path: Path) -> None:
    _, wd = written(world, day, "warehouse", tmp_path)
    for line in (tmp_path / wd.files[0]).read_text(encoding="utf-8").splitlines():
        if line.endswith("}"):
            assert set(json.loads(line)) <= {
                "class_uid", "category_uid", "activity_id", "activity_name", "type_uid", "severity_id", "time", "metadata",
                "actor", "src_endpoint", "database", "query_info", "status", "status_id", "status_detail", "table",
            }  # fmt: skip
