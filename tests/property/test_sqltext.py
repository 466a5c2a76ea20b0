"""No literal stays in a template, whatever the text; nothing that is read ever raises."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from beholden.sqltext import analyse, template

DIALECTS = st.sampled_from(["postgres", "mysql", "sqlite"])
#: What makes the reading of strings hard: quotes, escapes, comments, ends of other things.
HARD = [
    "'",
    '"',
    "\\",
    "`",
    "$",
    "$$",
    "$a$",
    "--",
    "/*",
    "*/",
    "#",
    "\n",
    "?",
    "%s",
    ":",
    ";",
    "(",
    ")",
    ", ",
    "é",
    " ",
]
#: A mark that stands in each planted value; nothing else in a statement looks like it.
PLANTED = "zq9planted"
SCHEMA = {"public.t": ("a", "b", "c"), "public.u": ("a", "d")}

values = st.lists(st.sampled_from(HARD), max_size=6).map(lambda parts: f"{PLANTED}{''.join(parts)}{PLANTED}")


def mysql_string(value: str, quote: str, escaped: str) -> str:
    return quote + value.replace("\\", "\\\\").replace(quote, escaped + quote) + quote


@st.composite
def literals(draw: st.DrawFn, dialect: str) -> tuple[str, str]:
    """A literal as written, and its value."""
    value = draw(values)
    if dialect == "mysql":
        quote = draw(st.sampled_from("'\""))
        return mysql_string(value, quote, draw(st.sampled_from([quote, "\\"]))), value
    doubled = value.replace("'", "''")
    forms = [f"'{doubled}'"]
    if dialect == "postgres":
        escaped = doubled.replace("\\", "\\\\")
        forms += [f"E'{escaped}'", f"e'{escaped}'"]
        forms += [f"$tag$x{value}x$tag$"]
    form = draw(st.sampled_from(forms))
    return form, f"x{value}x" if form.startswith("$tag$") else value


@st.composite
def statements(draw: st.DrawFn) -> tuple[str, str, list[str]]:
    """A statement with literals in every place one may stand: dialect, text, values in order."""
    dialect = draw(DIALECTS)
    places = [draw(literals(dialect)) for _ in range(9)]
    (a, b, c, d, e, f, g, h, i), planted = [text for text, _ in places], [value for _, value in places]
    shape = draw(
        st.sampled_from(
            [
                f"select {a}, upper({b}) from t where a={c} and b in ({d},{e}, {f}) or c like {g} order by {h} limit {i}",
                f"insert into t (a, b, c) values ({a},{b},{c}),({d},{e},{f}) , ({g}, {h}, {i})",
                f"update t set a={a}, b = concat({b},{c}) where c<>{d} and a between {e} and {f} or (b={g} and c={h}) or {i}=a",
                (
                    f"with x as (select a from t where b={a}) select case when a={b} then {c} else {d} end from x join u on "
                    f"u.d={e} and x.a in (select {f}) where cast({g} as char) = a and ({h}, b) = (a, {i})"
                ),
                f"delete from t where a={a};select {b}from t where {c}=b and coalesce(a,{d},{e})={f}/* c */and(b={g})and c={h}-- x\n or a={i}",
            ]
        )
    )
    return dialect, shape, planted


@given(statements())
@settings(max_examples=300, deadline=None)
def test_no_literal_stays_in_the_text_and_all_are_kept(statement):
    dialect, sql, planted = statement
    made = template(sql, dialect)
    assert PLANTED not in made.text
    assert list(made.literals) == planted


@given(statements())
@settings(max_examples=100, deadline=None)
def test_keys_lead_to_planted_values_and_no_problem_quotes_one(statement):
    dialect, sql, planted = statement
    made = template(sql, dialect)
    facts = analyse(made, dialect, SCHEMA)
    assert facts.problem is None
    assert PLANTED not in str(facts)
    for relation in facts.relations:
        for key in relation.keys:
            assert {made.literals[slot] for slot in key.slots} <= set(planted)


@given(statements(), st.data())
@settings(max_examples=200, deadline=None)
def test_a_statement_cut_off_anywhere_shows_no_literal(statement, data):
    dialect, sql, _ = statement
    cut = sql[: data.draw(st.integers(0, len(sql)))]
    made = template(cut, dialect)
    assert PLANTED not in made.text
    facts = analyse(made, dialect, SCHEMA)
    assert PLANTED not in str(facts)


@given(
    st.lists(
        st.sampled_from([*HARD, "select ", "a", "1", " from t", " where ", "=", "in (1, 2)", "values (1), (2)"]),
        max_size=20,
    ),
    DIALECTS,
)
@settings(max_examples=300, deadline=None)
def test_any_text_gives_a_template_whose_places_are_its_literals(parts, dialect):
    made = template("".join(parts), dialect)
    names = r'"(?:[^"]|"")*"|`(?:[^`]|``)*`' + (r"|\[[^\]]*\]" if dialect == "sqlite" else "")
    unquoted = re.sub(names, "", made.text)
    places = len(re.findall(r"(?<!\?)\?(?![?\d])|(?<=\?\?)\?(?![?\d])", unquoted))
    if made.groups:
        assert len(made.groups) == places
        assert all(0 <= slot < len(made.literals) for group in made.groups for slot in group)
    else:
        assert len(made.literals) == places
    analyse(made, dialect, SCHEMA)


@given(st.text(max_size=60), DIALECTS)
@settings(max_examples=200, deadline=None)
def test_nothing_that_is_read_raises(sql, dialect):
    analyse(template(sql, dialect), dialect, SCHEMA)


@given(statements(), st.data())
@settings(max_examples=100, deadline=None)
def test_the_id_does_not_depend_on_literals_white_space_comments_or_case(statement, data):
    dialect, sql, _ = statement
    made = template(sql, dialect)
    pieces = iter(re.split(r"(?<!\?)\?(?!\d)", made.text))
    other = next(pieces)
    for piece in pieces:
        other += data.draw(st.sampled_from(["1", "'x'", "2.5e3", "'it''s'"])) + piece
    gap = data.draw(st.sampled_from([" ", "\n\t", " /* c */ ", " -- c\n"]))
    other = other.replace(" ", gap).upper()
    assert template(other, dialect).template_id == made.template_id
