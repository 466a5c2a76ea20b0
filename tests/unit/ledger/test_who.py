from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp
from tests.support.estate import Rooms, rooms_in
from tests.support.ledger import NOW

import beholden
from beholden.core.names import DatasetName, Person
from beholden.core.times import Window, parse_time
from beholden.ledger.who import Question, Target, ask_events, group, matched_events

CUSTOMERS = Target(DatasetName("crm", "customer"), key=True)
RENTALS = Target(DatasetName("crm", "rental"), key=True)
ADDRESSES = Target(DatasetName("crm", "address"))


def one(text: str) -> Person:
    return Person.parse(text)


@pytest.fixture
def rooms(tmp_path):
    with rooms_in(tmp_path) as made:
        yield made


class Asked:
    """A question put to the rooms of a test."""

    def __init__(self, rooms: Rooms, **question):
        self.rooms = rooms
        self.matched = matched_events(Question(**question), rooms.ledger.tables(), rooms.engine, rooms.vault)

    @property
    def events(self):
        return ask_events(self.matched, self.rooms.vault)

    @property
    def groups(self):
        return group(self.matched, self.rooms.engine, self.rooms.vault)

    @property
    def matches(self) -> list[tuple[str, str]]:
        return [(event.dataset, event.match) for event in self.events]


# Windows


def test_a_window_holds_its_start_and_not_its_end(rooms: Rooms):
    rooms.keep(*({"dataset": "customer", "time": NOW + i, "session": str(i)} for i in range(-2, 3)))
    asked = Asked(rooms, targets=(CUSTOMERS,), window=Window(NOW - 1, NOW + 1))
    assert [parse_time(event.time) - NOW for event in asked.events] == [-1, 0]
    assert len(Asked(rooms, targets=(CUSTOMERS,), window=Window(None, NOW)).events) == 2
    assert len(Asked(rooms, targets=(CUSTOMERS,), window=Window(NOW, None)).events) == 3
    assert len(Asked(rooms, targets=(CUSTOMERS,)).events) == 5


def test_the_first_and_the_last_possible_time_are_in_an_open_window(rooms: Rooms):
    rooms.keep(
        {"dataset": "customer", "time": "1971-01-01T00:00:00Z"},
        {"dataset": "customer", "time": "2199-12-31T23:59:59.999999Z"},
    )
    assert len(Asked(rooms, targets=(CUSTOMERS,)).events) == 2


# Nothing, and nobody


def test_an_empty_ledger_answers_with_nothing(rooms: Rooms):
    for question in ({"targets": (CUSTOMERS,)}, {"subject": one("customer:1"), "targets": (CUSTOMERS,)}, {}):
        asked = Asked(rooms, **question)
        assert (asked.events, asked.groups) == ([], [])


def test_no_target_is_no_dataset_and_none_is_any(rooms: Rooms):
    rooms.keep({"dataset": "customer"})
    assert Asked(rooms, targets=()).events == []
    assert len(Asked(rooms, targets=None).events) == 1


def test_an_event_without_an_actor_and_without_a_dataset_is_shown(rooms: Rooms):
    rooms.keep({"activity": "login", "scope": "none", "store": None}, {"dataset": "customer", "actor": "ann"})
    rows = Asked(rooms).groups
    assert {(row.actor, row.store, row.dataset) for row in rows} == {(None, None, None), ("ann", "crm", "customer")}
    assert [(event.actor, event.also) for event in Asked(rooms).events] == [(None, []), ("ann", [])]
    assert Asked(rooms, actors=(one("actor:ann"),)).matches == [("customer", "named")]


def test_a_person_who_was_never_seen_is_not_everybody(rooms: Rooms):
    rooms.keep({"dataset": "customer", "subjects": ["customer:1"]}, {"dataset": "customer"})
    assert Asked(rooms, subject=one("customer:2"), targets=(CUSTOMERS,)).matches == [("customer", "possible")]
    assert Asked(rooms, actors=(one("actor:nobody"),)).events == []
    assert Asked(rooms, credentials=(one("credential:none"),)).events == []
    assert rooms.vault.find([one("customer:2"), one("actor:nobody")]) == [None, None]


def test_a_forgotten_person_stays_forgotten(rooms: Rooms):
    rooms.keep({"dataset": "customer", "actor": "ann", "subjects": ["customer:1"]})
    rooms.vault.forget([one("actor:ann"), one("customer:1")], reason="asked")
    (row,) = Asked(rooms, targets=(CUSTOMERS,)).groups
    assert (row.actor, row.subjects, row.events) == ("forgotten", 1, 1)
    assert Asked(rooms, subject=one("customer:1"), targets=(CUSTOMERS,)).events == []
    assert Asked(rooms, actors=(one("actor:ann"),)).events == []


def test_two_forgotten_actors_are_two(rooms: Rooms):
    rooms.keep({"dataset": "customer", "actor": "ann"}, {"dataset": "customer", "actor": "bo"})
    rooms.vault.forget([one("actor:ann"), one("actor:bo")], reason="asked")
    assert [(row.actor, row.events) for row in Asked(rooms).groups] == [("forgotten", 1), ("forgotten", 1)]


def test_a_customer_who_acts_is_shown_with_the_kind(rooms: Rooms):
    rooms.keep({"dataset": "customer", "actor": "customer:4", "subjects": ["customer:4"]})
    assert [row.actor for row in Asked(rooms, targets=(CUSTOMERS,)).groups] == ["customer:4"]


# A person's data


def test_how_far_an_access_reached_decides_the_match(rooms: Rooms):
    rooms.keep(
        {"dataset": "customer", "subjects": ["customer:1"]},
        {"dataset": "customer", "subjects": ["customer:2"]},
        {"dataset": "customer", "scope": "table"},
        {"dataset": "customer", "scope": "predicate"},
        {"dataset": "customer", "scope": "none"},
        {"dataset": "film", "scope": "table"},
        {"dataset": "film", "scope": "predicate"},
    )
    asked = Asked(rooms, subject=one("customer:1"), targets=(CUSTOMERS, RENTALS))
    assert asked.matches == [("customer", "named"), ("customer", "included"), ("customer", "possible")]


def test_persons_named_beside_others_do_not_hide_those(rooms: Rooms):
    """An IN list with a bind parameter, and a list longer than what is kept."""
    rooms.keep(
        {"dataset": "customer", "scope": "predicate", "subjects": ["customer:1"]},
        {"dataset": "customer", "scope": "table", "subjects": ["customer:1"]},
        {"dataset": "customer", "scope": "subjects", "subjects": ["customer:1"], "subject_count": 20_000},
        {"dataset": "customer", "scope": "subjects", "subjects": ["customer:1"], "subject_count": 1},
    )
    named = Asked(rooms, subject=one("customer:1"), targets=(CUSTOMERS,))
    assert [match for _, match in named.matches] == ["named"] * 4
    other = Asked(rooms, subject=one("customer:2"), targets=(CUSTOMERS,))
    assert [match for _, match in other.matches] == ["possible", "included", "possible"]
    assert max(row.subjects for row in named.groups) == 20_000


def test_naming_a_person_of_one_kind_may_reach_anybody_of_another(rooms: Rooms):
    rooms.keep(
        {"dataset": "rental", "subjects": ["staff:1"]},
        {"dataset": "rental", "subjects": ["customer:2"]},
        {"dataset": "rental", "subjects": ["staff:1", "customer:2"]},
        {"dataset": "rental", "subjects": ["staff:1", "customer:1"]},
    )
    mixed = replace(RENTALS, key=True, mixed=True)
    assert Asked(rooms, subject=one("customer:1"), targets=(mixed,)).matches == [
        ("rental", "possible"),
        ("rental", "named"),
    ]
    assert Asked(rooms, subject=one("customer:1"), targets=(RENTALS,)).matches == [("rental", "named")]


def test_a_person_named_where_nothing_was_known_to_lie_is_still_named(rooms: Rooms):
    rooms.keep({"dataset": "notes", "subjects": ["customer:1"]}, {"dataset": None, "subjects": ["customer:1"]})
    assert Asked(rooms, subject=one("customer:1"), targets=()).matches == [("notes", "named"), (None, "named")]


def test_only_one_dataset_of_a_person(rooms: Rooms):
    rooms.keep(*({"dataset": name, "subjects": ["customer:1"]} for name in ("notes", "customer", None)))
    asked = Asked(rooms, subject=one("customer:1"), targets=(CUSTOMERS,), only=(CUSTOMERS.dataset,))
    assert asked.matches == [("customer", "named")]
    assert Asked(rooms, subject=one("customer:1"), targets=(), only=()).events == []


def test_one_statement_over_several_datasets_counts_once(rooms: Rooms):
    rooms.keep(
        {"dataset": "address", "subjects": ["customer:1"], "correlation": "a"},
        {"dataset": "customer", "subjects": ["customer:1"], "correlation": "a"},
        {"dataset": "film", "scope": "predicate", "correlation": "a"},
        {"dataset": "customer", "subjects": ["customer:1"], "session": "2"},
    )
    asked = Asked(rooms, subject=one("customer:1"), targets=(CUSTOMERS, ADDRESSES))
    assert [(event.dataset, event.also) for event in asked.events] == [("customer", ["crm/address"]), ("customer", [])]
    (row,) = asked.groups
    assert (row.dataset, row.events, row.also) == ("customer", 2, ["crm/address"])
    both = Asked(rooms, targets=(CUSTOMERS, ADDRESSES))  # of datasets each access is its own
    assert sorted(event.dataset for event in both.events) == ["address", "customer", "customer"]


def test_a_dataset_that_a_statement_mentions_twice_was_read_once(rooms: Rooms):
    """pgaudit writes a record for each mention; a function's statements share their id and are several."""
    mention = {"dataset": "customer", "scope": "table", "rows": 599, "correlation": "a"}
    one_of_a_loop = {"dataset": "customer", "rows": 1, "correlation": "b"}
    rooms.keep(
        *(mention | {"session": str(i)} for i in range(2)),
        *(one_of_a_loop | {"subjects": [f"customer:{i}"]} for i in range(3)),
    )
    whole, single = sorted(Asked(rooms, targets=(CUSTOMERS,)).events, key=lambda event: -(event.rows or 0))[:2]
    (row,) = Asked(rooms, targets=(CUSTOMERS,)).groups
    assert (whole.rows, single.rows, row.events, row.rows) == (599, 1, 4, 602)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_named_beats_included_beats_possible(rooms: Rooms, order):
    events = [
        {"dataset": "address", "subjects": ["customer:1"], "correlation": "a"},
        {"dataset": "customer", "scope": "table", "correlation": "a"},
        {"dataset": "rental", "scope": "predicate", "correlation": "a"},
    ]
    rooms.keep(*(events[place] for place in order))
    targets = (CUSTOMERS, RENTALS, ADDRESSES)
    assert Asked(rooms, subject=one("customer:1"), targets=targets).matches == [("address", "named")]
    assert Asked(rooms, subject=one("customer:2"), targets=targets).matches == [("customer", "included")]
    narrow = Asked(rooms, subject=one("customer:2"), targets=(RENTALS,))
    assert narrow.matches == [("rental", "possible")]


# Datasets, partitions, classes


def test_a_read_of_the_parent_includes_the_partition(rooms: Rooms):
    rooms.keep(
        {"dataset": "sales_2026", "scope": "predicate"},
        {"dataset": "sales", "scope": "table"},
        {"dataset": "sales", "scope": "predicate"},
        {"dataset": "sales", "scope": "none"},
    )
    targets = (
        Target(DatasetName("crm", "sales_2026")),
        Target(DatasetName("crm", "sales"), match="included"),
    )
    assert Asked(rooms, targets=targets).matches == [
        ("sales_2026", "named"),
        ("sales", "included"),
        ("sales", "possible"),
    ]


def test_a_dataset_asked_about_twice_counts_once(rooms: Rooms):
    """Two partitions have one parent; a parent may be asked about beside its partition."""
    rooms.keep({"dataset": "sales", "scope": "table"})
    parent = DatasetName("crm", "sales")
    twice = (Target(parent, match="included"), Target(parent, match="included"))
    assert Asked(rooms, targets=twice).matches == [("sales", "included")]
    for both in (
        (Target(parent, match="included"), Target(parent)),
        (Target(parent), Target(parent, match="included")),
    ):
        assert Asked(rooms, targets=both).matches == [("sales", "named")]
    fields = (Target(parent, fields=("a",)), Target(parent, fields=("b",)))
    assert Asked(rooms, targets=fields).matches == [("sales", "possible")]


def of(asked: str, *others: tuple[str, str, int]) -> list[Target]:
    """A dataset asked about and what stands for it: name, match, distance."""
    name = DatasetName("crm", asked)
    return [Target(name), *(Target(DatasetName("crm", one), match, name, far) for one, match, far in others)]


def test_an_access_through_a_view_is_one_of_what_is_behind_it(rooms: Rooms):
    rooms.keep(
        {"dataset": "v", "scope": "subjects", "subjects": ["customer:1"]},
        {"dataset": "v", "scope": "table"},
        {"dataset": "v", "scope": "none", "session": "a count"},
        {"dataset": "v", "activity": "delete"},
        {"dataset": "v", "activity": "grant", "scope": "none"},
        {"dataset": "v", "activity": "other", "scope": "none"},
        {"dataset": "unclear", "scope": "table"},
        {"dataset": "unclear", "activity": "other", "scope": "none"},
    )
    targets = of("customer", ("v", "view", 2), ("unclear", "possible", 2))
    assert Asked(rooms, targets=tuple(targets)).matches == [("v", "included")] * 4 + [("unclear", "possible")]


def test_of_one_statement_the_nearest_record_is_listed(rooms: Rooms):
    """A log may write of a view, of the table behind it, and of its partitions."""
    rooms.keep(
        {"dataset": "v", "correlation": "one"},
        {"dataset": "customer", "correlation": "one", "session": "x"},
        {"dataset": "v", "correlation": "two"},
        {"dataset": "customer_de", "correlation": "two", "session": "x"},
        {"dataset": "v", "correlation": "three", "activity": "export"},
        {"dataset": "customer", "correlation": "three", "activity": "create"},
        {"dataset": "customer_de", "correlation": "four"},
        {"dataset": "customer_at", "correlation": "four", "session": "x"},
        {"dataset": "v"},
    )
    near = (("customer_de", "named", 1), ("customer_at", "named", 1), ("v", "view", 2))
    asked = Asked(rooms, targets=tuple(of("customer", *near)))
    assert asked.matches == [
        ("customer", "named"),
        ("customer_de", "named"),
        ("v", "included"),  # it read, and the other record wrote
        ("customer", "named"),
        ("customer_de", "named"),
        ("customer_at", "named"),
        ("v", "included"),
    ]
    assert asked.events[0].also == ["crm/v"]


def test_a_view_over_two_that_are_asked_about_counts_once(rooms: Rooms):
    rooms.keep({"dataset": "v"}, {"dataset": "a", "correlation": "one"}, {"dataset": "v", "correlation": "one"})
    both = (*of("a", ("v", "view", 2)), *of("b", ("v", "view", 2)))
    assert Asked(rooms, targets=both).matches == [("v", "included"), ("a", "named"), ("v", "included")]
    itself = (*of("a", ("v", "view", 2)), *of("v"))
    assert Asked(rooms, targets=itself).matches == [("v", "named"), ("a", "named"), ("v", "named")]


def test_a_person_in_a_table_is_also_sought_in_what_stands_for_it(rooms: Rooms):
    rooms.keep({"dataset": "v", "subjects": ["customer:1"]}, {"dataset": "film", "subjects": ["customer:1"]})
    only = (DatasetName("crm", "customer"),)
    through = (Target(DatasetName("crm", "v"), key=True),)
    assert Asked(rooms, subject=one("customer:1"), targets=through, only=only).matches == [("v", "named")]
    assert Asked(rooms, subject=one("customer:1"), targets=(), only=only).matches == []


def test_of_a_class_only_accesses_to_its_fields_count(rooms: Rooms):
    rooms.keep(
        {"dataset": "customer", "fields": ["email", "name"]},
        {"dataset": "customer", "fields": ["name"]},
        {"dataset": "customer", "fields": []},
        {"dataset": "customer", "fields": None},
        {"dataset": "film", "fields": ["email"]},
    )
    asked = Asked(rooms, targets=(Target(DatasetName("crm", "customer"), fields=("email", "phone")),))
    assert [(event.fields, event.match) for event in asked.events] == [(["email", "name"], "named"), (None, "possible")]


def test_equal_names_in_two_stores_are_two_datasets(rooms: Rooms):
    rooms.keep({"dataset": "customer"}, {"dataset": "customer", "store": "warehouse"})
    assert [event.store for event in Asked(rooms, targets=(CUSTOMERS,)).events] == ["crm"]


def test_credentials_and_actors_are_sets_and_are_joined_by_and(rooms: Rooms):
    rooms.keep(
        {"dataset": "a", "actor": "ann", "credential": "k1"},
        {"dataset": "b", "actor": "ann", "credential": "k2"},
        {"dataset": "c", "actor": "bo", "credential": "k1"},
        {"dataset": "d", "actor": "ann"},
    )

    def datasets(**question):
        return [event.dataset for event in Asked(rooms, **question).events]

    keys = (one("credential:k1"), one("credential:k2"))
    assert datasets(credentials=keys) == ["a", "b", "c"]
    assert datasets(credentials=keys, actors=(one("actor:ann"),)) == ["a", "b"]
    assert datasets(actors=(one("actor:ann"), one("actor:bo"), one("actor:cy"))) == ["a", "b", "c", "d"]
    assert datasets(credentials=(one("actor:ann"),)) == []


# Groups


def test_groups_add_up(rooms: Rooms):
    rooms.keep(
        {"dataset": "customer", "actor": "ann", "subjects": ["customer:1"], "rows": 1, "time": NOW},
        {"dataset": "customer", "actor": "ann", "subjects": ["customer:1", "customer:2"], "rows": 2, "time": NOW + 5},
        {"dataset": "customer", "actor": "ann", "activity": "update", "subjects": ["customer:3"]},
        {"dataset": "customer", "actor": "bo", "scope": "table", "rows": 599, "subject_count": 599},
    )
    rows = Asked(rooms, targets=(CUSTOMERS,)).groups
    assert {(row.actor, row.activity, row.events, row.rows, row.subjects) for row in rows} == {
        ("ann", "read", 2, 3, 2),
        ("ann", "update", 1, None, 1),
        ("bo", "read", 1, 599, 599),
    }
    first = rows[0]
    assert (parse_time(first.first), parse_time(first.last)) == (NOW, NOW + 5)


def test_rows_a_log_claims_cannot_break_the_answer(rooms: Rooms):
    rooms.keep(*({"dataset": "customer", "rows": 2**63 - 1, "session": str(i)} for i in range(3)))
    (row,) = Asked(rooms, targets=(CUSTOMERS,)).groups
    assert row.rows == 2**63 - 1


def test_rows_below_zero_cannot_break_the_answer(rooms: Rooms):
    rooms.keep(*({"dataset": "customer", "rows": -(2**63), "session": str(i)} for i in range(3)))
    (row,) = Asked(rooms, targets=(CUSTOMERS,)).groups
    assert row.rows == -(2**63)


def test_sealed_and_unsealed_events_answer_together(rooms: Rooms):
    rooms.keep({"dataset": "customer", "subjects": ["customer:1"], "correlation": "a"})
    rooms.ledger.seal()
    rooms.keep(
        {"dataset": "rental", "subjects": ["customer:1"], "correlation": "a"},
        {"dataset": "customer", "subjects": ["customer:1"], "session": "2"},
    )
    asked = Asked(rooms, subject=one("customer:1"), targets=(CUSTOMERS, RENTALS))
    assert [(event.seq, event.also) for event in asked.events] == [(0, ["crm/rental"]), (2, [])]
    rooms.ledger.seal()
    assert Asked(rooms, subject=one("customer:1"), targets=(CUSTOMERS, RENTALS)).events == asked.events


# Every query also runs beyond one machine


def _queries() -> list[Path]:
    root = Path(beholden.__file__).parent
    return sorted(path for room in ("ledger", "watch", "atlas", "feeds") for path in (root / room).glob("*.sql"))


@pytest.mark.parametrize("path", _queries(), ids=lambda path: path.name)
def test_a_query_can_be_said_in_spark(path: Path):
    (text,) = sqlglot.transpile(path.read_text(), read="duckdb", write="spark")
    tree = sqlglot.parse_one(text, read="spark")
    unknown = {call.name.upper() for call in tree.find_all(exp.Anonymous)} - {"ARRAY_INTERSECT"}
    assert unknown == set()  # a function that only DuckDB has passes through as it is
    assert not list(tree.find_all(exp.Length))  # len() of a list would become that of a text


def test_the_queries_are_there():
    assert {"who_events.sql", "who_groups.sql", "unexplained.sql"} <= {path.name for path in _queries()}
