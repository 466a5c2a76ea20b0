from __future__ import annotations

import logging
import time

import pytest

from beholden.core.errors import UsageError
from beholden.core.limits import STATEMENT_BYTES_MAX
from beholden.sqltext import Analyser, KeyPredicate, analyse, template

SCHEMA = {
    "public.person": ("person_id", "email", "home_id"),
    "archive.person": ("person_id", "moved"),
    "public.home": ("home_id", "street"),
}


def keys(sql: str, analyser: Analyser) -> list[list[str]]:
    made, facts = analyser.facts(sql)
    return [[made.literals[slot] for slot in key.slots] for relation in facts.relations for key in relation.keys]


def test_a_list_of_any_length_is_one_template_and_keeps_its_own_values():
    analyser = Analyser("postgres", SCHEMA)
    texts = [
        f"select email from person where person_id in ({', '.join(map(str, range(n)))}) and home_id = 99"
        for n in (1, 2, 40, 3)
    ]
    assert len({template(sql, "postgres").template_id for sql in texts}) == 1
    for sql, n in zip(texts, (1, 2, 40, 3), strict=True):
        assert keys(sql, analyser) == [[str(i) for i in range(n)], ["99"]]


def test_rows_of_any_number_are_one_template_and_keep_their_own_values():
    analyser = Analyser("postgres", SCHEMA)
    texts = [
        "insert into person (person_id, email) values " + ", ".join(f"({i}, 'm{i}')" for i in range(n))
        for n in (1, 2, 500)
    ]
    assert len({template(sql, "postgres").template_id for sql in texts}) == 1
    for sql, n in zip(texts, (1, 2, 500), strict=True):
        assert keys(sql, analyser) == [[str(i) for i in range(n)], [f"m{i}" for i in range(n)]]


def test_a_cached_template_gives_what_a_fresh_one_gives():
    analyser = Analyser("postgres", SCHEMA)
    for value in ("1", "'1'", "'x'", "2.5"):
        sql = f"select email from person where person_id = {value}"
        made, facts = analyser.facts(sql)
        assert facts == analyse(made, "postgres", SCHEMA)


def test_facts_can_be_had_from_a_stored_text_without_its_literals():
    made = template("select email from person where person_id = 5 and email = 'x' limit 3", "postgres")
    bare = type(made)(made.template_id, made.text, ())
    assert analyse(bare, "postgres", SCHEMA) == analyse(made, "postgres", SCHEMA)


def test_the_cache_is_bounded_and_forgets_the_oldest():
    analyser = Analyser("postgres", SCHEMA, templates_max=2)
    for name in ("a", "b", "a", "c"):
        analyser.facts(f"select {name} from person")
    kept = {template(f"select {name} from person", "postgres").template_id for name in ("a", "c")}
    assert set(analyser._shapes) == kept


def test_the_search_path_decides_between_schemas():
    made = template("select person_id from person", "postgres")
    for path, expected in ((("archive", "public"), "archive.person"), (("public", "archive"), "public.person")):
        (relation,) = analyse(made, "postgres", SCHEMA, search_path=path).relations
        assert relation.path == expected
    (relation,) = analyse(made, "postgres", SCHEMA, search_path=()).relations
    assert (relation.path, relation.resolved) == ("person", False)


def test_a_quoted_name_is_compared_exactly_where_the_dialect_does():
    schema = {"public.Person": ("Id",), "public.person": ("id",)}
    for name, expected in (('"Person"', "public.Person"), ("Person", "public.person"), ('"person"', "public.person")):
        (relation,) = analyse(template(f"select * from {name}", "postgres"), "postgres", schema).relations
        assert relation.path == expected


def test_another_dialect_of_sqlglot_passes_through():
    made = template("SELECT `email` FROM person WHERE person_id = 'x'", "bigquery")
    (relation,) = analyse(made, "bigquery", SCHEMA).relations
    assert relation.keys == (KeyPredicate("person_id", (0,)),)


@pytest.mark.parametrize("dialect", ["", "no_such_dialect"])
def test_an_unknown_dialect_is_refused(dialect):
    with pytest.raises(UsageError, match="not known"):
        template("select 1", dialect)


def test_a_statement_that_is_too_long_is_not_parsed():
    sql = "select " + ", ".join(f"column_number_{i}" for i in range(STATEMENT_BYTES_MAX // 16)) + " from person"
    facts = analyse(template(sql, "postgres"), "postgres", SCHEMA)
    assert facts.problem == f"longer than {STATEMENT_BYTES_MAX} bytes without its literals"
    assert (facts.kind, facts.relations) == ("other", ())


def test_a_long_statement_of_literals_is_short_without_them():
    values = ", ".join(f"({i}, 'somebody@example.org')" for i in range(60_000))
    made = template(f"insert into person (person_id, email) values {values}", "postgres")
    facts = analyse(made, "postgres", SCHEMA)
    assert facts.problem is None
    assert len(facts.relations[0].keys[0].slots) == 60_000


@pytest.mark.parametrize(
    "sql",
    [
        "select " + "(" * 3000 + "1" + ")" * 3000,
        "select email from person where " + "not (" * 2000 + "active" + ")" * 2000,
        "select * from " + "(select * from " * 400 + "person" + ") x" * 400,
        "select email from person where person_id = " + "abs(" * 3000 + "1" + ")" * 3000,
    ],
    ids=["parentheses", "negations", "queries", "calls"],
)
def test_deep_nesting_is_a_problem_and_not_a_crash(sql):
    facts = analyse(template(sql, "postgres"), "postgres", SCHEMA)
    assert facts.problem == "nested too deeply"


def test_long_chains_of_conditions_are_read():
    ored = " or ".join(f"person_id = {i}" for i in range(400))
    made = template(f"select email from person where {ored}", "postgres")
    (relation,) = analyse(made, "postgres", SCHEMA).relations
    assert [len(key.slots) for key in relation.keys] == [400]


def test_a_problem_quotes_nothing_and_nothing_is_logged(caplog, capfd):
    caplog.set_level(logging.DEBUG)
    for sql in (
        "select Zanzibar from person where (email = 'Zebediah'",
        "vacuum Zanzibar 'Zebediah'",
        "alter system set Zanzibar = 'Zebediah'",
        "frobnicate Zanzibar 'Zebediah'",
        "grant Zanzibar on 'Zebediah' to",
    ):
        facts = analyse(template(sql, "postgres"), "postgres", SCHEMA)
        assert "ze" not in str(facts).lower()
        assert "zanzibar" not in str(facts.problem).lower()
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("select a from t where b = 1", "SELECT  a\nFROM t /* x */ WHERE b=2 -- y", True),
        ("select a from t where b = 1", "select a from t where b = 'x'", True),
        ("select a from t where b = 1", "select a from t where b = 1;", True),
        ('select "A" from t', 'select "a" from t', False),
        ('select "a  b" from t', 'select "a b" from t', False),
        ('select "a . b" from t', 'select "a.b" from t', False),
        ("select a from t where b = 1", "select a from t where b = $1", False),
        ("select a from t where b in (1)", "select a from t where b in (1, 2)", True),
        ("select a from t where b = ?", "select a from t where b = 1", False),
    ],
)
def test_template_ids_say_what_differs(one, other, same):
    assert (template(one, "postgres").template_id == template(other, "postgres").template_id) is same


def test_template_ids_differ_between_dialects():
    assert template("select 1", "postgres").template_id != template("select 1", "mysql").template_id


@pytest.mark.parametrize("part", [" ", "\n", "\x00", "/*", "'", '"', "$a$ ", "values (", "in (1, ", "a.", "(1), ", "?"])
def test_reading_is_linear_in_the_text(part):
    def seconds(times: int) -> float:
        sql = "select 1 " + part * times
        start = time.process_time()
        template(sql, "postgres")
        return time.process_time() - start

    assert min(seconds(100_000) for _ in range(3)) < 1.0  # quadratic: half a minute
