from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beholden.core.errors import UsageError
from beholden.stores import quote_identifier

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60)


@given(names)
def test_a_quoted_name_reads_back_as_itself(name):
    quoted = quote_identifier(name)
    assert quoted[0] == quoted[-1] == '"'
    assert quoted[1:-1].replace('""', "").count('"') == 0
    assert quoted[1:-1].replace('""', '"') == name


@given(names)
def test_sqlite_takes_a_quoted_name_for_exactly_that_name(name):
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"create table t ({quote_identifier(name)} int)")
        cursor = connection.execute(f"select {quote_identifier('t', name)} from t")
        assert [column[0] for column in cursor.description] == [name]
        assert connection.execute("select name from pragma_table_info('t')").fetchall() == [(name,)]


@given(st.lists(names, min_size=1, max_size=3))
def test_parts_are_quoted_one_by_one(parts):
    assert quote_identifier(*parts) == ".".join(quote_identifier(part) for part in parts)


@pytest.mark.parametrize("parts", [(), ("",), ("a", ""), ("a\0b",)])
def test_what_no_store_allows_is_refused(parts):
    with pytest.raises(UsageError, match="is empty or holds a NUL"):
        quote_identifier(*parts)
