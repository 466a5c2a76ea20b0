"""What a scan keeps of views: what they read and pass on, and nothing of their text."""

from __future__ import annotations

from beholden.atlas.views import View, views_among
from beholden.stores.connector import DatasetInfo, FieldInfo, ViewDefinition

PLANTED = "Planted-Surname"


def dataset(path: str, *names: str, kind: str = "table", refers: dict[str, str] | None = None, sql: str | None = None):
    fields = tuple(
        FieldInfo(i, name, "int", in_key=i == 1, refers_to=(refers or {}).get(name)) for i, name in enumerate(names, 1)
    )
    definition = None if sql is None else ViewDefinition(sql, "postgres", ())
    return DatasetInfo(path, "view" if kind == "view" else "table", fields, definition=definition)


def view(path: str, sql: str | None, *names: str):
    return dataset(path, *names, kind="view", sql=sql)


TABLES = [
    dataset("public.person", "person_id", "email", "boss", refers={"boss": "public.person#person_id"}),
    dataset("public.visit", "visit_id", "person_id", "room", refers={"person_id": "public.person#person_id"}),
    dataset("public.bill", "bill_id", "payer", refers={"payer": "public.visit#person_id"}),
    dataset("public.alien", "person_id"),
]


def among(*views: DatasetInfo) -> dict[str, View]:
    return views_among([*TABLES, *views])


def test_fields_are_followed_through_views_to_tables():
    found = among(
        view("public.far", "select v.no, v.b from public.near v", "n", "boss"),
        view("public.near", "select person_id as no, boss as b from public.person where email <> ''", "no", "b"),
    )
    assert found["public.far"].reads == {"public.near": "whole"}
    assert found["public.near"].reads == {"public.person": "part"}
    assert found["public.far"].passes_on == {"n": "public.person#person_id", "boss": "public.person#boss"}


def test_of_several_fields_counts_what_all_of_them_refer_to():
    found = among(
        view("public.both", "select person_id from public.visit union select payer from public.bill", "person_id"),
        view("public.self", "select person_id from public.person join public.visit using (person_id)", "person_id"),
        view("public.odd", "select person_id from public.person union select person_id from public.alien", "person_id"),
        view("public.made", "select person_id from public.person union select 5", "person_id"),
    )
    same = {"person_id": "public.person#person_id"}
    assert [found[f"public.{name}"].passes_on for name in ("both", "self", "odd", "made")] == [same, same, {}, {}]


def test_columns_go_by_their_place_and_only_where_that_is_known():
    found = among(
        view("public.named", "select person_id, email from public.person", "a", "b"),
        view("public.grown", "select person_id, email from public.person", "a", "b", "c"),
    )
    assert found["public.named"].passes_on == {"a": "public.person#person_id", "b": "public.person#email"}
    assert found["public.grown"].passes_on == {}
    assert found["public.grown"].reads == {"public.person": "whole"}


def test_views_in_a_circle_come_to_an_end():
    found = among(
        view("public.a", "select id from public.b", "id"),
        view("public.b", "select id from public.a", "id"),
    )
    assert found["public.a"].reads == {"public.b": "whole"}
    assert found["public.a"].passes_on == {}


def test_what_is_not_known_is_said_without_the_text():
    odd = f"select from where '{PLANTED}'"
    found = among(view("public.silent", None, "x"), view("public.odd", odd, "x"))
    assert found["public.silent"].reads is found["public.odd"].reads is None
    assert "could not be read" in str(found["public.silent"].problem)
    assert "was not understood" in str(found["public.odd"].problem)
    assert PLANTED not in repr(found)
    assert PLANTED not in repr(view("public.odd", odd, "x"))


def test_tables_alone_cost_nothing():
    assert among() == {}
