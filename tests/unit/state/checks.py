"""What a state database must do, wherever it lies. The unit tests run these on SQLite, the conformance tests on
PostgreSQL.
"""

from __future__ import annotations

import concurrent.futures
import itertools
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from beholden.core.errors import BeholdenError, IntegrityError, SourceError
from beholden.core.ids import seeded_entropy
from beholden.core.limits import LISTED_PROBLEMS_MAX
from beholden.state import State, open_state, tables
from beholden.state.identity import create_estate, estate_id
from beholden.state.ingests import (
    Account,
    IngestRow,
    finish_ingest,
    ingest_rows,
    problem_rows,
    settle,
    start_ingest,
    unsettled_rows,
    unsettled_sizes,
)
from beholden.state.templates import put_templates, templates_by_id

ROOT = Path(__file__).parents[3]


def migrations_give_the_tables(url: str) -> None:
    with open_state(url, create=True) as state, state.read() as connection:
        assert (
            compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), tables.metadata) == []
        )
        inspector = sa.inspect(connection)
        assert set(inspector.get_table_names()) == {*tables.metadata.tables, "alembic_version"}
        for name, table in tables.metadata.tables.items():
            found = {column["name"]: column["nullable"] for column in inspector.get_columns(name)}
            assert found == {column.name: column.nullable for column in table.columns}, name
            key = inspector.get_pk_constraint(name)
            assert key["constrained_columns"] == [column.name for column in table.primary_key], name
            unique = {tuple(one["column_names"]) for one in inspector.get_unique_constraints(name)}
            assert unique == {
                tuple(column.name for column in one.columns)
                for one in table.constraints
                if isinstance(one, sa.UniqueConstraint)
            }, name
            foreign = {
                (*one["constrained_columns"], one["options"].get("ondelete"))
                for one in inspector.get_foreign_keys(name)
            }
            assert foreign == {(one.parent.name, one.ondelete) for one in table.foreign_keys}, name


def a_newer_state_is_refused(url: str) -> None:
    with open_state(url, create=True) as state, state.write() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(BeholdenError) as caught:
        open_state(url)
    line = caught.value.line()
    assert "was written by a newer version of beholden (revision 9999)" in line
    assert line.endswith("Upgrade beholden")
    assert "\n" not in line
    assert caught.value.exit_code == 1


def opening_again_changes_nothing(url: str) -> None:
    with open_state(url, create=True) as state:
        create_estate(state, entropy=seeded_entropy(1), clock=lambda: 5)
        first = estate_id(state)
    for _ in range(2):
        with open_state(url) as state:
            assert estate_id(state) == first


def an_estate_has_one_id_for_ever(url: str) -> None:
    with open_state(url, create=True) as state:
        with pytest.raises(IntegrityError, match="holds no estate id"):
            estate_id(state)
        assert create_estate(state, entropy=seeded_entropy(1), clock=lambda: 5)
        first = estate_id(state)
        assert first == seeded_entropy(1)(16).hex()
        assert not create_estate(state, entropy=seeded_entropy(2), clock=lambda: 6)
        assert estate_id(state) == first


_OPEN: str = """
import sys
from beholden.core.ids import system_entropy
from beholden.state import open_state
from beholden.state.identity import create_estate, estate_id
sys.stdin.read()
with open_state(sys.argv[1], create=True) as state:
    made = create_estate(state, entropy=system_entropy, clock=lambda: 5)
    print(made, estate_id(state))
"""


def processes_that_open_at_once_agree(url: str, count: int = 4) -> None:
    """All wait for their standard input to be closed, then begin together."""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _OPEN, url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        )
        for _ in range(count)
    ]  # fmt: skip
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        told = list(pool.map(lambda child: child.communicate("", timeout=60), children))
    assert [error for _, error in told if error] == []
    answers = [text.split() for text, _ in told]
    assert sorted(made for made, _ in answers) == ["False"] * (count - 1) + ["True"]
    assert len({estate for _, estate in answers}) == 1


def a_write_is_whole_or_not_at_all(url: str) -> None:
    with open_state(url, create=True) as state:

        def stopped() -> None:
            with state.write() as connection:
                connection.execute(tables.estate.insert().values(estate_id="a", created=1))
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            stopped()
        with state.read() as connection:
            assert connection.execute(sa.select(tables.estate)).all() == []


def no_foreign_error_leaves(url: str) -> None:
    """Their texts quote rows, with the values."""
    with open_state(url, create=True) as state:
        with state.write() as connection:
            connection.execute(tables.estate.insert().values(estate_id="planted", created=1))
        with pytest.raises(SourceError) as caught, state.write() as connection:
            connection.execute(tables.estate.insert().values(estate_id="planted", created=1))
        assert "planted" not in caught.value.line()
        with pytest.raises(SourceError) as caught, state.read() as connection:
            connection.execute(sa.text("select * from planted_nowhere"))
        assert "planted" not in caught.value.line()


def accounts_come_back(state: State) -> None:
    account = Account(records=9, parsed=4, events_new=3, events_known=1)
    account.noise.update({"catalogue": 2})
    account.mended.update({"invalid UTF-8 replaced": 1})
    for place, reason in ((7, "not JSON"), (8, "truncated record"), (9, "not JSON")):
        account.add_problem(place, reason)
    account.saw(50, 60)
    account.saw(40, 55)
    first = start_ingest(
        state, log="audit", source="crm", file="/a.csv", format_="pgaudit-csv", now=100, head="00ff", head_bytes=7
    )
    second = start_ingest(state, log="audit", source="other", file="/b.csv", format_="ocsf", now=101)
    finish_ingest(state, first, account, now=200)
    done, open_ = ingest_rows(state)
    assert done == IngestRow(
        ingest_id=first, log="audit", source="crm", file="/a.csv", format="pgaudit-csv", started=100, finished=200,
        records=9, parsed=4, noise={"catalogue": 2}, not_understood={"not JSON": 2, "truncated record": 1},
        mended={"invalid UTF-8 replaced": 1}, events_new=3, events_known=1, first_time=40, last_time=60,
        head="00ff", head_bytes=7, unsettled=True,
    )  # fmt: skip
    assert done.understood == 6
    assert (open_.ingest_id, open_.finished, open_.records, open_.noise, open_.mended) == (second, None, 0, {}, {})
    assert ingest_rows(state, ["other"]) == [open_]
    assert ingest_rows(state, []) == []
    assert problem_rows(state, first) == [(7, "not JSON"), (8, "truncated record"), (9, "not JSON")]
    assert problem_rows(state, second) == []


def what_readings_left_open_is_settled(state: State) -> None:
    def read(number: int, log: str = "audit", **values: Any) -> int:
        head = f"{number:02x}"
        reading = start_ingest(
            state, log=log, source="crm", file="/a.csv", format_="ocsf", now=1, head=head, head_bytes=number
        )
        if values.pop("finished", True):
            finish_ingest(state, reading, Account(**values), now=2)
        return reading

    many = [read(number % 3, not_understood=Counter(x=1)) for number in range(6)]
    stopped, other = read(7, finished=False), read(8, log="other", mended=Counter(x=1))
    read(9, parsed=3, noise=Counter(x=1))  # left nothing
    assert sorted(unsettled_sizes(state, "audit")) == [0, 1, 2, 7]
    assert unsettled_sizes(state, "none") == []
    assert [row.ingest_id for row in unsettled_rows(state, "audit", ["01", "07", "08"])] == [many[1], many[4], stopped]
    assert unsettled_rows(state, "audit", []) == []
    assert [row.ingest_id for row in unsettled_rows(state, "other", [f"{n:02x}" for n in range(1300)])] == [other]
    settle(state, [many[1], other])
    settle(state, [])
    later = start_ingest(state, log="audit", source="crm", file="/a.csv", format_="ocsf", now=1)
    finish_ingest(state, later, Account(), now=2, settles=many[2:])
    left = [row.ingest_id for row in ingest_rows(state) if row.unsettled]
    assert left == [many[0], stopped]


def problems_are_listed_up_to_a_limit_and_counted_beyond(state: State) -> None:
    account = Account()
    for place in range(LISTED_PROBLEMS_MAX + 7):
        account.add_problem(place, "not JSON")
    account.add_problem(3, "a second one of the same record")
    reading = start_ingest(state, log="a", source="a", file="a", format_="ocsf", now=1)
    finish_ingest(state, reading, account, now=2)
    assert len(problem_rows(state, reading)) == LISTED_PROBLEMS_MAX
    assert ingest_rows(state)[0].not_understood["not JSON"] == LISTED_PROBLEMS_MAX + 7


def the_largest_numbers_come_back(state: State) -> None:
    largest = 2**63 - 1
    reading = start_ingest(state, log="a", source="a", file="a", format_="ocsf", now=largest)
    finish_ingest(state, reading, Account(records=largest, first_time=-largest, last_time=largest), now=largest)
    (row,) = ingest_rows(state)
    assert (row.started, row.records, row.first_time, row.last_time) == (largest, largest, -largest, largest)


def templates_come_back(state: State) -> None:
    many = {bytes([i // 256, i % 256]) * 8: ("postgres", f"select {i} /* é漢 */") for i in range(1203)}
    put_templates(state, many, now=1)
    put_templates(state, {next(iter(many)): ("sqlite", "another text")}, now=2)  # the first one stays
    put_templates(state, {}, now=3)
    assert templates_by_id(state, many) == many
    assert templates_by_id(state, [*itertools.islice(many, 2), b"\xff" * 16]) == dict(itertools.islice(many.items(), 2))
    assert templates_by_id(state, []) == {}


def a_template_may_hold_any_character(state: State) -> None:
    """A quoted name in a hostile statement holds what it likes."""
    put_templates(state, {bytes(16): ("postgres", 'select "a\0b\x01\x7f\U0001f600"')}, now=1)
    (text,) = templates_by_id(state, [bytes(16)]).values()
    assert text == ("postgres", 'select "a\N{REPLACEMENT CHARACTER}b\x01\x7f\U0001f600"')


def names_that_are_no_text_come_back_readable(state: State) -> None:
    start_ingest(state, log="caf\udce9.log", source="caf\udce9.log", file="/a/caf\udce9.log", format_="ocsf", now=1)
    assert ingest_rows(state)[0].file == "/a/caf\\udce9.log"


#: Checks that want a URL where no state is yet, and those that want an empty state.
OF_A_URL = (
    migrations_give_the_tables,
    a_newer_state_is_refused,
    opening_again_changes_nothing,
    an_estate_has_one_id_for_ever,
    processes_that_open_at_once_agree,
    a_write_is_whole_or_not_at_all,
    no_foreign_error_leaves,
)
OF_A_STATE = (
    accounts_come_back,
    what_readings_left_open_is_settled,
    problems_are_listed_up_to_a_limit_and_counted_beyond,
    the_largest_numbers_come_back,
    templates_come_back,
    a_template_may_hold_any_character,
    names_that_are_no_text_come_back_readable,
)
