"""Whom a statement asks about, whatever it gives back."""

from __future__ import annotations

import pytest

from beholden.sqltext import Analyser

SCHEMA = {"public.person": ("person_id", "email", "kind"), "public.visit": ("person_id", "amount")}


def asked(sql: str) -> set[tuple[str, str]]:
    _, facts = Analyser("postgres", SCHEMA, search_path=("public",)).facts(sql)
    assert facts.problem is None
    return {one for relation in facts.relations if relation.path == "public.person" for one in relation.asked}


@pytest.mark.parametrize(
    ("how", "condition"),
    [
        ("equal", "email = 'x'"), ("equal", "'x' = email"), ("equal", "email in ('x', 'y')"), ("equal", "email = any('{x}')"),
        ("equal", "email::text = 'x'"), ("equal", "email = $1"), ("between", "email between 'a' and 'b'"),
        ("range", "email > 'x'"), ("match", "email like 'x%'"), ("match", "email ilike 'x'"), ("match", "email ~ 'x'"),
        ("match", "lower(email) = 'x'"), ("match", "coalesce(email, '') = 'x'"), ("match", "md5(email) = md5('x')"),
        ("match", "not (email <> 'x')"), ("equal", "case when email = 'x' then true else false end"),
    ],
)  # fmt: skip
def test_a_condition_with_a_value_asks(how: str, condition: str) -> None:
    assert asked(f"select 1 from person where {condition}") == {("email", how)}
    assert asked(f"select count(*) filter (where {condition}) from person") == {("email", how)}
    assert asked(f"select sum(case when {condition} then 1 else 0 end) from person") == {("email", how)}
    assert asked(f"select bool_or({condition}) from (select email from person) q") == {("email", how)}
    assert asked(f"select exists (select 1 from person where {condition})") == {("email", how)}


def test_other_ways_to_ask() -> None:
    assert asked("select count(nullif(email, 'x')) from person") == {("email", "equal")}
    assert asked("select sum(case email when 'x' then 1 end) from person") == {("email", "equal")}
    assert asked("select 1 from person join (values ('x')) v(m) on m = email") == {("email", "equal")}


@pytest.mark.parametrize(
    ("how", "sql"),
    [
        ("match", "select count(*) from (select kind || email as whole from person) q where whole like 'x%'"),
        ("match", "select count(*) from (select upper(email) u from person) q where u = 'X'"),
        ("match", "with c as (select lower(email) l from person) select count(*) from c where l = 'x'"),
        ("equal", "with t as (select 'x' as n) select count(*) from person where email in (select n from t)"),
        ("match", "with t as (select 'x' as n) select count(*) from person p join t on lower(p.email) = lower(t.n)"),
        ("equal", "with v(n) as (values ('x')) select 1 from person join v on v.n = email"),
    ],
)
def test_what_is_computed_below_is_asked_too(how: str, sql: str) -> None:
    assert ("email", how) in asked(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select kind, count(*) from person group by kind",
        "select count(*) from person where email is not null",
        "select count(*) from person where email <> ''",
        "select count(*) from person p, visit v where p.person_id = v.person_id",
        "select count(*) from person p left join visit v using (person_id) where v.person_id is null",
        "select count(*) from person where person_id in (select person_id from visit where amount > 5)",
        "select count(*) from person p where exists (select 1 from visit v where v.person_id = p.person_id)",
        "select count(distinct case when email is not null then kind end) from person",
    ],
)
def test_joins_and_nulls_ask_for_nobody(sql: str) -> None:
    assert asked(sql) == set()
