"""One SQL text for both engines: from DuckDB's dialect, in which it is written, to Spark's."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from beholden.core.errors import BeholdenError

__all__ = ["SparkText", "to_spark"]


@dataclass(frozen=True, slots=True)
class SparkText:
    """A query in Spark's dialect; its parameters are written ``:name``."""

    text: str
    parameters: frozenset[str]
    tables: frozenset[str]

    def check(self, parameters: AbstractSet[str], tables: AbstractSet[str]) -> None:
        """Raise `BeholdenError` unless exactly its parameters and at least its tables are given."""
        if self.parameters != parameters:
            raise BeholdenError("query", "the values to bind are not those that it names")
        if not self.tables <= tables:
            raise BeholdenError("query", "it asks for something outside of its tables")


@functools.lru_cache(maxsize=64)
def to_spark(sql: str) -> SparkText:
    """Transpile one query.

    Raises:
        BeholdenError: it is no single query, or says what Spark cannot; never quotes the text.
    """
    try:
        statements = sqlglot.parse(sql, read="duckdb")
        (query,) = statements
        if not isinstance(query, exp.Query):
            raise BeholdenError("query", "it could not be run (it is no query)")
        tables = frozenset(_tables(query))
        parameters = frozenset(str(found.this) for found in query.find_all(exp.Placeholder))
        text = query.sql("spark", comments=False, unsupported_level=sqlglot.ErrorLevel.RAISE)
    except (sqlglot.errors.SqlglotError, ValueError) as error:
        raise BeholdenError("query", f"it cannot be said in Spark's dialect ({type(error).__name__})") from None
    return SparkText(text, parameters, tables)


def _tables(query: exp.Query) -> Iterator[str]:
    """What it reads besides its own common table expressions; a function that reads files has no name here."""
    own = {table.alias for table in query.find_all(exp.CTE)}
    for table in query.find_all(exp.Table):
        plain = isinstance(table.this, exp.Identifier) and not table.db
        if not plain or table.name not in own:
            yield table.name if plain else ""
