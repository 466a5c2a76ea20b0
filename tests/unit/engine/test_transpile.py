from __future__ import annotations

import sys

import pytest

from beholden.core.errors import BeholdenError, UsageError
from beholden.engine.spark import spark_engine
from beholden.engine.transpile import to_spark


def test_a_query_names_its_parameters_and_tables():
    query = to_spark("with own as (select a from t where b = $b) select $c, a from own join u using (a)")
    assert sorted(query.parameters) == ["b", "c"]
    assert sorted(query.tables) == ["t", "u"]
    assert ":b" in query.text
    query.check({"b", "c"}, {"t", "u", "v"})
    for parameters, tables in (({"b"}, {"t", "u"}), ({"b", "c", "d"}, {"t", "u"}), ({"b", "c"}, {"t"})):
        with pytest.raises(BeholdenError):
            query.check(parameters, tables)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_parquet('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM other.t",
        "WITH own AS (SELECT 1) SELECT * FROM own, strangers",
    ],
)
def test_nothing_but_the_given_tables_can_be_named(sql):
    with pytest.raises(BeholdenError, match="it asks for something outside of its tables"):
        to_spark(sql).check(set(), {"t"})


@pytest.mark.parametrize(
    "sql",
    [
        "SELEC 'jane.doe@example.com'",
        "SELECT 1; SELECT 'jane.doe@example.com'",
        "",
        "CREATE TABLE jane AS SELECT 1",
        "SET jane = 1",
    ],
)
def test_what_is_no_query_is_refused_without_a_word_of_it(sql):
    with pytest.raises(BeholdenError) as caught:
        to_spark(sql)
    assert "jane" not in caught.value.line()
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_without_pyspark_it_is_told_what_to_install(monkeypatch):
    for name in ("pyspark", "pyspark.sql"):
        monkeypatch.setitem(sys.modules, name, None)
    with (
        pytest.raises(UsageError, match=r"engine\.kind: PySpark is not installed.*beholden\[spark\]"),
        spark_engine("spark://127.0.0.1:7077", "1GB"),
    ):
        pass
