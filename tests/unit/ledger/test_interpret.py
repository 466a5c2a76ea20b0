from __future__ import annotations

from typing import Any

import pytest
from tests.support.estate import SCHEMA, make_world, raw_event
from tests.unit.ledger.interpret_cases import CASES, Case, accesses_of, read_cases, shown

from beholden.core.names import Person
from beholden.ledger.interpret import SUBJECTS_MAX, Interpreter, RefusedRecordError, people_of
from beholden.ledger.world import StoreView
from beholden.vault import IDENTIFIER_BYTES_MAX

WORLD = make_world()
ALL = [case for path in sorted(CASES.glob("*.sql")) for case in read_cases(path)]
TOO_LONG = "x" * IDENTIFIER_BYTES_MAX


def accesses(sql: str | None, **values):
    return accesses_of(raw_event(statement=sql, **values), WORLD)


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_case(case: Case):
    assert [shown(access) for access in accesses_of(case.raw, WORLD)] == case.expected


def test_the_cases_are_there():
    assert len(ALL) > 100


def test_an_interpreter_says_the_same_again():
    """What it keeps of a template must hold no value of the statement that it met first."""
    interpreter = Interpreter(WORLD)
    for case in ALL * 2:
        assert [shown(access) for access in accesses_of(case.raw, WORLD, interpreter=interpreter)] == case.expected


def test_two_statements_of_one_template_name_their_own_persons():
    interpreter = Interpreter(WORLD)
    for number in (3, 14):
        raw = raw_event(statement=f"select email from customer where customer_id = {number}")
        (access,) = accesses_of(raw, WORLD, interpreter=interpreter)
        assert access.subjects == (Person("customer", str(number)),)


def test_of_very_many_persons_the_count_is_kept():
    ids = ", ".join(map(str, range(20_000)))
    (access,) = accesses(f"select email from customer where customer_id in ({ids})")
    assert access.scope == "subjects"
    assert access.subject_count == 20_000
    assert len(access.subjects) == SUBJECTS_MAX
    (stated,) = accesses(None, activity="read", subjects=[f"customer:{number}" for number in range(20_000)])
    assert stated.subject_count == 20_000
    assert len(stated.subjects) == SUBJECTS_MAX


def test_a_literal_too_long_to_be_an_identifier_hides_nobody():
    (access,) = accesses(f"select name from member where code in ('{TOO_LONG}', 'a')")
    assert access.scope == "predicate"
    assert access.subjects == (Person("member", "a"),)
    (alone,) = accesses(f"select name from member where code = '{TOO_LONG}'")
    assert (alone.scope, alone.subjects) == ("predicate", ())


@pytest.mark.parametrize(
    "values",
    [
        {"actor": TOO_LONG},
        {"credential": TOO_LONG},
        {"on_behalf_of": f"customer:{TOO_LONG}"},
        {"subjects": ["customer:1", f"customer:{TOO_LONG}"]},
        {"actor": "é" * (IDENTIFIER_BYTES_MAX // 2)},
    ],
    ids=["actor", "credential", "on behalf of", "subject", "bytes count"],
)
def test_an_identifier_the_vault_would_not_take_is_refused(values):
    with pytest.raises(RefusedRecordError, match=r"^identifier too long$"):
        people_of(raw_event(**values), WORLD)


def test_the_longest_identifier_is_taken():
    room = IDENTIFIER_BYTES_MAX - len("5:actor") - 8
    assert people_of(raw_event(actor="x" * room), WORLD).actor == Person("actor", "x" * room)


@pytest.mark.parametrize("text", ["customer:", "customer", ":7", "", "Customer:7", "a b:7"])
def test_a_person_that_is_not_of_the_form_is_refused(text):
    with pytest.raises(RefusedRecordError, match=r"^subjects: not kind:identifier$"):
        people_of(raw_event(subjects=[text]), WORLD)
    with pytest.raises(RefusedRecordError, match=r"^on_behalf_of: not kind:identifier$"):
        people_of(raw_event(on_behalf_of=text), WORLD)


def test_a_customer_who_acts_is_the_customer_who_is_acted_upon():
    people = people_of(raw_event(actor="016", actor_kind="customer", subjects=["customer:16"]), WORLD)
    assert people.actor == people.subjects[0] == Person("customer", "16")
    assert people_of(raw_event(actor="16", actor_kind="staff"), WORLD).actor == Person("actor", "16")


def test_a_store_that_was_not_scanned_gives_the_same_datasets_and_parts():
    """A log read before the first scan and again after it must not give each event twice."""
    bare = make_world(schema={})
    sql = (
        "select c.email, a.phone from customer c join public.address a on a.address_id = c.address_id "
        'where c.customer_id = 16 and exists (select 1 from "Mixed" m where m."Id" = c.customer_id)'
    )
    shapes: list[dict[str, Any]] = [{}, {"object": "customer"}, {"object": "public.customer", "statement_ref": "a/1"}]
    for values in shapes:
        raw = raw_event(statement=sql, activity="query", **values)
        before, after = accesses_of(raw, bare), accesses_of(raw, WORLD)
        assert [(access.dataset, access.part) for access in before] == [
            (access.dataset, access.part) for access in after
        ]


def test_names_are_resolved_as_written_before_they_are_folded():
    view = make_world(schema=SCHEMA | {"public.mixed": ("a",)}).stores["crm"]
    assert view.resolve('"Mixed"') == "public.Mixed"
    assert view.resolve("mixed") == "public.mixed"
    assert view.resolve("MIXED") == "public.mixed"
    assert view.resolve("other.thing") == "other.thing"


@pytest.mark.parametrize(
    ("dialect", "written", "path"),
    [
        ("sqlite", "public.customer", "main.customer"),
        ("sqlite", "public.nothing", "public.nothing"),
        ("postgres", "archive.customer", "archive.customer"),  # there may be one that no scan has seen
    ],
)
def test_a_schema_that_the_store_does_not_have(dialect, written, path):
    schema = {("main.customer" if dialect == "sqlite" else "public.customer"): ("customer_id",)}
    view = StoreView("crm", dialect, schema, {}, ("main",) if dialect == "sqlite" else ("public",))
    assert view.resolve(written) == path


def test_a_chain_of_joins_is_followed_and_a_hostile_one_ends():
    chain = " ".join(f"join rental r{i} on r{i}.film_id = r{i - 1}.film_id" for i in range(1, 300))
    (access,) = accesses(f"select r0.rented from rental r0 {chain} where r0.customer_id = 1")
    assert (access.scope, access.subjects) == ("predicate", (Person("customer", "1"),))


# Views: customer_list over customer and address


def reached(sql: str, views: dict[str, dict[str, str] | None], **values) -> dict[str | None, tuple[str, str]]:
    """Each dataset with the scope and the persons of its access."""
    found = accesses_of(raw_event(statement=sql, **values), make_world(views=views))
    return {one.dataset: (one.scope, " ".join(map(str, one.subjects))) for one in found}


LIST: dict[str, dict[str, str] | None] = {
    "public.customer_list": {"public.customer": "whole", "public.address": "part"}
}  # fmt: skip
AUDITED: dict[str, Any] = {"statement_ref": "aaaa.1/7", "activity": "read"}


@pytest.mark.parametrize(
    ("views", "expected"),
    [
        (LIST, ("predicate", "customer:5")),
        ({"public.customer_list": None}, ("predicate", "customer:5")),
        ({"public.customer_list": {"public.between": "part"}, "public.between": {"public.customer": "part"}},
         ("predicate", "customer:5")),
        ({"public.customer_list": {"public.address": "whole"}}, ("subjects", "customer:5")),
        ({}, ("subjects", "customer:5")),
    ],
)  # fmt: skip
def test_a_table_named_beside_a_view_over_it_may_be_read_further(views, expected):
    sql = "select l.name from customer_list l, customer c where c.customer_id = 5"
    assert reached(sql, views, object="public.customer", **AUDITED)["public.customer"] == expected


def test_the_same_persons_beside_and_under_a_view_are_no_others():
    sql = "select l.name from customer_list l join customer c on c.customer_id = l.id where c.customer_id = 5"
    assert reached(sql, LIST, object="public.customer", **AUDITED)["public.customer"] == ("subjects", "customer:5")


def test_where_each_name_is_an_access_of_its_own_the_view_says_nothing_of_the_table():
    sql = "select l.name from customer_list l, customer c where c.customer_id = 5"
    found = reached(sql, LIST)
    assert found["public.customer"] == ("subjects", "customer:5")
    assert found["public.customer_list"] == ("predicate", "")


@pytest.mark.parametrize(
    ("views", "scope"),
    [
        (LIST, "table"),
        ({"public.customer_list": {"public.customer": "part"}}, "predicate"),
        ({"public.customer_list": {"public.v": "whole"}, "public.v": {"public.customer": "part"}}, "predicate"),
        ({"public.customer_list": {"public.v": "whole"}, "public.v": {"public.customer": "whole"}}, "table"),
        ({"public.customer_list": {"public.customer_list": "whole"}}, "predicate"),
        ({"public.customer_list": None}, "predicate"),
    ],
)
def test_all_of_a_view_that_leaves_rows_out_is_not_the_whole(views, scope):
    assert reached("select * from customer_list", views) == {"public.customer_list": (scope, "")}
