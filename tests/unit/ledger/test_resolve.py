from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.support.estate import GivenReader, one_batch, raw_event, rooms_in

from beholden.core.config_file import parse_config
from beholden.core.errors import SourceError
from beholden.core.names import DatasetName, Person
from beholden.ledger import resolve as resolve_module
from beholden.ledger.resolve import resolve_possible
from beholden.ledger.who import Question, Target, matched_events
from beholden.ledger.world import StoreView, SubjectFields, World
from beholden.state.subjects import Link
from beholden.stores import open_store

SCHEMA = {
    "main.customer": ("customer_id", "first_name", "last_name", "balance", "joined", "note"),
    "main.payment": ("payment_id", "payer", "payee", "amount"),
    "main.letter": ("letter_id", "email"),
    "main.film": ("film_id",),
}
PEOPLE = [
    (1, "Mary", "SMITH", 12.5, "2005-05-25", None),
    (2, "Pat", "JOHNSON", 0.0, "2005-05-26", "x"),
    (3, "Mary", "Müller", 3.0, "2005-05-27", ""),
]
KEYS = frozenset(
    {("crm", "main.customer", "customer_id"), ("crm", "main.payment", "payer"), ("crm", "main.payment", "payee")}
)
FIELDS = SubjectFields("customer", KEYS, frozenset({("crm", "main.letter", "email")}))
NOW_NOTE = "conditions resolved against the store as it is now"


class Shop:
    """A store of SQLite, a ledger of accesses to it, and questions about a person."""

    def __init__(self, rooms, store) -> None:
        self.rooms = rooms
        self.store = store
        view = StoreView("crm", "sqlite", SCHEMA, {}, ("main",))
        self.world = World({"crm": view}, (FIELDS,))
        self.fields = FIELDS
        self.asked: list[tuple[Any, ...]] = []

    def connector(self, _name: str):
        outer = self

        class Noting:
            def find(self, *arguments):
                outer.asked.append(arguments)
                return outer.store.find(*arguments)

        return Noting()

    def did(self, *statements: str, **values) -> None:
        rows = [raw_event(i, statement=sql, activity="query", **values) for i, sql in enumerate(statements, 1)]
        account, stopped = self.rooms.ingest(GivenReader([one_batch(*rows)]), self.world)
        assert (stopped, account.events_new > 0) == (None, True)

    def ask(self, number: int = 1, *, connector: Callable[[str], Any] | None = None):
        """Matches in order of the ledger, and notes."""
        person = Person("customer", str(number))
        targets = tuple(Target(DatasetName(*place), key=True) for place in sorted(self.fields.datasets()))
        question = Question(subject=person, targets=targets)
        rooms = self.rooms
        matched = matched_events(question, rooms.ledger.tables(), rooms.engine, rooms.vault)
        table, notes = resolve_possible(
            matched, person, self.fields, self.world, rooms.vault, rooms.state, connector or self.connector
        )
        return table.column("match").to_pylist(), [(note.object, note.reason, note.count) for note in notes]

    def verdict(self, number: int = 1) -> str:
        """The one access's match; 'drop' when there is none left."""
        matches, _ = self.ask(number)
        assert len(matches) < 2
        return matches[0] if matches else "drop"


@pytest.fixture
def shop(tmp_path):
    database = sqlite3.connect(tmp_path / "crm.db")
    database.execute(
        "create table customer (customer_id integer primary key, first_name text, last_name text, balance real, joined text, note text)"
    )
    database.execute(
        "create table payment (payment_id integer primary key, payer integer, payee integer, amount integer)"
    )
    database.execute("create table letter (letter_id integer primary key, email text)")
    database.execute("create table film (film_id integer primary key)")
    database.executemany("insert into film values (?)", [(10,), (20,), (30,)])
    database.execute("insert into letter values (2, 'x')")
    database.executemany("insert into customer values (?, ?, ?, ?, ?, ?)", PEOPLE)
    database.executemany("insert into payment values (?, ?, ?, ?)", [(1, 1, 2, 10), (2, 3, 1, 20), (3, 1, 2, 30)])
    database.commit()
    database.close()
    config = parse_config('[[store]]\nname = "crm"\nurl = "sqlite:///crm.db"\n', tmp_path)
    rooms_dir = tmp_path / "estate"
    rooms_dir.mkdir()
    with rooms_in(rooms_dir) as rooms, open_store(config.store[0], root=tmp_path, environ={}) as store:
        yield Shop(rooms, store)


def test_a_name_finds_its_bearer_and_nobody_else(shop: Shop):
    shop.did("select * from customer where last_name = 'SMITH'")
    assert shop.ask(1) == (["named"], [("crm/main.customer", NOW_NOTE, 1)])
    assert shop.ask(2) == ([], [("crm/main.customer", NOW_NOTE, 1)])


@pytest.mark.parametrize(
    "sql",
    [
        "select * from customer where last_name in ('X', 'SMITH')",
        "select * from customer where last_name = 'SMITH' and first_name = 'Mary'",
        "select first_name from customer as c where c.last_name = 'SMITH' order by c.first_name, last_name desc",
        "update customer set note = 'y' where last_name = 'SMITH'",
        "update customer set note = 'y' where last_name = 'SMITH' returning customer_id",
        'select * from "customer" where "last_name" = \'SMITH\'',
    ],
)
def test_conditions_that_leave_nothing_open(shop: Shop, sql):
    shop.did(sql)
    assert set(shop.ask(1)[0]) == {"named"}
    assert shop.ask(2)[0] == []


@pytest.mark.parametrize(
    "sql",
    [
        "select * from customer where last_name = 'SMITH' limit 1",
        "select * from customer where last_name = 'SMITH' limit ?",
        "select * from customer where last_name = 'SMITH' order by first_name limit 1",
        "select * from customer where last_name = 'SMITH' order by first_name limit 5 offset 3",
        "select * from customer where last_name = 'SMITH' and balance > 100",
        "select * from customer where last_name = 'SMITH' and last_name < 'A'",
        "select * from customer where last_name = 'SMITH' and first_name = ?",
        "select * from customer where last_name = 'SMITH' and random() < 0",
        "select * from customer where last_name = 'SMITH' and not first_name = 'Mary'",
        "select * from customer where last_name = 'SMITH' and exists (select 1 from film)",
        "select * from customer where last_name = 'SMITH' and 1 = 0",
        "select * from customer where last_name = 'SMITH' and first_name = note",
        "select c.* from customer c join film f on f.film_id = c.balance where c.last_name = 'SMITH'",
        "select c.* from customer c, film f where c.last_name = 'SMITH'",
        "select * from (select * from customer limit 1) c where last_name = 'SMITH'",
        "select first_name, max(last_name) from customer where last_name = 'SMITH' group by first_name having count(*) > 5",
        "select * from customer where last_name = 'SMITH' union select * from customer where last_name = 'SMITH'",
        "select * from customer where last_name = 'SMITH' except select * from customer where first_name = 'Mary'",
    ],
)
def test_what_may_leave_the_person_out_stays_possible(shop: Shop, sql):
    shop.did(sql)
    assert set(shop.ask(1)[0]) == {"possible"}


def test_what_no_other_condition_can_bring_back_is_dropped(shop: Shop):
    shop.did(
        "select * from customer where last_name = 'SMITH' limit 1",
        "select * from customer where last_name = 'SMITH' and balance > 100",
        "select * from customer where last_name = 'SMITH' and first_name = ?",
    )
    assert shop.ask(2)[0] == []


def test_bound_values_that_were_logged_are_conditions_like_literals(shop: Shop):
    shop.did("select * from customer where last_name = ?", parameters=["SMITH"])
    assert shop.verdict(1) == "named"
    assert shop.verdict(2) == "drop"


def test_bind_parameters_are_never_taken_for_nothing(shop: Shop):
    shop.did("select * from customer where last_name in ('JONES', ?)")
    assert shop.verdict(1) == "possible"


def test_all_of_the_conditions_must_hold_in_one_row(shop: Shop):
    shop.did("select * from payment where payment_id = 1 and amount = 30")  # each holds in a row of customer 1
    assert shop.verdict(1) == "drop"


def test_every_field_that_may_name_the_person_is_asked(shop: Shop):
    shop.did("select * from payment where amount = 20")  # customer 1 is the payee
    assert shop.verdict(1) == "named"
    assert shop.verdict(3) == "named"
    assert shop.verdict(2) == "drop"


def test_values_that_a_store_might_find_equal_stay_possible(shop: Shop):
    shop.did("select * from customer where last_name = 'smith'")
    assert shop.verdict(1) == "possible"  # a collation may overlook case
    assert shop.verdict(2) == "drop"


@pytest.mark.parametrize(
    ("condition", "number", "verdict"),
    [
        ("last_name = 'Muller'", 3, "possible"),
        ("last_name = ' SMITH '", 1, "possible"),
        ("balance = 12.5", 1, "possible"),  # a floating point number
        ("balance = 99", 1, "possible"),
        ("joined = '2005-05-25'", 1, "named"),
        ("joined = '2005-05-25'", 2, "drop"),
        ("note = 'x'", 1, "drop"),  # null equals nothing
        ("note = ''", 3, "named"),
    ],
)
def test_values_of_several_types(shop: Shop, condition, number, verdict):
    shop.did(f"select * from customer where {condition}")
    assert shop.verdict(number) == verdict


def test_whole_numbers_are_compared_as_numbers(shop: Shop):
    shop.did(
        "select * from payment where amount = '0030.0'",
        "select * from payment where amount = 30",
        "select * from payment where amount = 31",
        "select * from payment where amount = 'thirty'",
    )
    assert shop.ask(1)[0] == ["named", "named", "possible"]


def test_a_write_that_changed_what_it_asked_for_is_left_open(shop: Shop):
    shop.did("update customer set last_name = 'JONES' where last_name = 'SMYTHE'")
    assert shop.verdict(1) == "possible"  # she may be the one who was SMYTHE


def test_a_person_whose_rows_are_gone_stays_possible(shop: Shop):
    """The store as it is now cannot say what it was then."""
    shop.did("select * from customer where last_name = 'SMITH'")
    note = "has no row of the person now: its conditions were not resolved"
    assert shop.ask(77) == (["possible"], [("crm/main.customer", note, 1)])


def test_a_dataset_without_the_identifier_stays_possible(shop: Shop):
    shop.did("select * from letter where email = 'a@b.example'")
    assert shop.ask(1)[0] == ["possible"]


def test_rows_that_the_persons_refer_to_are_found_through_the_reference(shop: Shop):
    shop.did("select * from film where film_id = 10", "select * from film where film_id = 20")
    links = tuple(Link("crm", "main.film", "film_id", "main.payment", field) for field in ("amount", "payment_id"))
    shop.fields = replace(FIELDS, links=links[:1])
    assert shop.ask(1)[0] == ["named", "named"]  # of payments 10, as payer, and 20, as payee
    assert shop.ask(3)[0] == ["named"]
    shop.fields = replace(FIELDS, links=(*links, Link("crm", "main.film", "other", "main.payment", "payee")))
    matches, notes = shop.ask(1)
    assert matches == ["possible", "possible"]
    assert notes[0][1].startswith("could not be asked: ")  # film has no such field


def test_a_reference_by_several_fields_finds_too_many_to_be_sure(shop: Shop):
    shop.did("select * from letter where email = 'x'")
    links = (
        Link("crm", "main.letter", "letter_id", "main.payment", "payment_id"),
        Link("crm", "main.letter", "email", "main.customer", "note"),
    )
    shop.fields = replace(FIELDS, links=links)
    assert shop.ask(2)[0] == ["possible"]


def test_literals_of_a_forgotten_person_stay_closed(shop: Shop):
    """The condition was encrypted under a key that is gone."""
    shop.did("select * from customer where last_name = 'SMITH'")
    (row,) = shop.rooms.ledger.tables().recent.to_pylist()
    assert row["literals"] is not None
    other = Person("customer", "9")
    token = shop.rooms.vault.tokens([other])[0]
    (blob,) = shop.rooms.vault.encrypt([b'[["SMITH"],[],[]]'], token)
    shop.rooms.vault.forget([other], reason="asked")
    shop.rooms.keep(
        {
            "dataset": "main.customer",
            "statement": row["statement"],
            "literals": blob,
            "scope": "predicate",
            "time": row["time"],
        }
    )
    assert sorted(shop.ask(1)[0]) == ["named", "possible"]


def test_an_access_without_its_statement_stays_possible(shop: Shop):
    shop.rooms.keep(
        {"dataset": "main.customer"},
        {
            "dataset": "main.customer",
            "statement": bytes(16),
            "literals": shop.rooms.vault.encrypt([b'[["a"],[],[]]'], None)[0],
        },
    )
    assert shop.ask(1) == (["possible", "possible"], [])


def test_a_store_that_is_gone_is_said_and_everything_stays_possible(shop: Shop):
    def gone(_name):
        raise SourceError("store crm", "does not answer")

    shop.did("select * from customer where last_name = 'SMITH'", "select * from customer where first_name = 'Mary'")
    matches, notes = shop.ask(1, connector=gone)
    assert matches == ["possible", "possible"]
    assert {(place, reason) for place, reason, _ in notes} == {
        ("crm/main.customer", "could not be asked: does not answer")
    }


def test_a_field_that_is_gone_is_said(shop: Shop):
    schema = SCHEMA | {"main.customer": (*SCHEMA["main.customer"], "nickname")}
    shop.world = World({"crm": StoreView("crm", "sqlite", schema, {}, ("main",))}, (FIELDS,))
    shop.did("select * from customer where nickname = 'x'")
    matches, notes = shop.ask(1)
    assert matches == ["possible"]
    assert notes[0][1].startswith("could not be asked: ")


def test_only_the_persons_own_rows_are_read_and_once(shop: Shop):
    shop.did(*(f"select * from customer where last_name = 'N{i}'" for i in range(50)))
    assert shop.ask(1)[0] == []
    assert shop.asked == [("main.customer", "customer_id", ["1"], ("last_name",))]


def test_a_store_is_opened_once_for_all_conditions(shop: Shop):
    opened: list[str] = []

    def connector(name: str):
        opened.append(name)
        return shop.connector(name)

    shop.did("select * from customer where last_name = 'SMITH'", "select * from payment where amount = 20")
    shop.ask(1, connector=connector)
    assert opened == ["crm"]


def test_a_person_with_very_many_rows_is_left_open(shop: Shop, monkeypatch):
    monkeypatch.setattr(resolve_module, "_ROWS_MAX", 1)
    shop.did("select * from payment where amount = 20")
    matches, ((_, reason, _),) = shop.ask(1)
    assert matches == ["possible"]
    assert reason == "has more than 1 rows of the person: its conditions were not resolved"


def test_nothing_open_asks_nothing(shop: Shop):
    shop.did("select * from customer where customer_id = 1", "select * from customer")
    assert shop.ask(1) == (["named", "included"], [])
    assert shop.ask(2) == (["included"], [])
    assert shop.asked == []
    assert shop.ask(2)[0] == ["included"]
