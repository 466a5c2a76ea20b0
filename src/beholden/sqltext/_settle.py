"""Brings what conditions say down to the datasets it concerns."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from beholden.sqltext._predicates import plain_column
from beholden.sqltext._reader import Reader
from beholden.sqltext._sources import Query, Scope, Source, TableSource, is_aggregated
from beholden.sqltext.facts import KeyPredicate, Relation

__all__ = ["relations"]


def relations(reader: Reader, *, gives_rows: bool) -> tuple[Relation, ...]:
    """Every dataset of the statement. ``gives_rows``: its output leaves or is kept, so that it may be only constants."""
    for source, name, constraint in reader.held:
        for table, column in _bases(reader, source, name):
            key = KeyPredicate(table.spelled(column), constraint.places, constraint.parameters)
            table.keys[key] = None
    for source, name, other, its in reader.equal:
        bases = list(_bases(reader, other, its, any_reference=True))
        if len(bases) == 1:
            for table, column in _bases(reader, source, name):
                equal = (table.spelled(column), bases[0][0].named.path, bases[0][0].spelled(bases[0][1]))
                table.equal_to[equal] = None
    returned = [table.returned for table in reader.tables if table.returned is not None]
    constant = gives_rows and not reader.lost and not any(table.raw for table in [*reader.tables, *returned])
    found = (
        relation
        for table in reader.tables
        for relation in table.relation(aggregate_only=not table.raw and (constant or is_aggregated(table)))
    )
    return tuple(dict.fromkeys(found))


def _bases(
    reader: Reader, source: Source, name: str, *, any_reference: bool = False
) -> Iterator[tuple[TableSource, str]]:
    """The datasets whose plain column this is.

    A condition on a query's column holds for the datasets within only where nothing else refers to that query:
    ``any_reference`` waives that, for saying what a column is.
    """
    stack = [(source, name)]
    seen: set[tuple[int, str]] = set()
    while stack:
        at, column = stack.pop()
        if (id(at), column) in seen:
            continue
        seen.add((id(at), column))
        if isinstance(at, TableSource):
            yield at, column
        elif isinstance(at, Query) and (any_reference or (len(at.holders) == 1 and not at.recursive)):
            for scope, output in at.outputs(column):
                stack += [(inner, output.name) for inner in output.sources]
                if output.expression is not None:
                    stack += _behind(reader, output.expression, scope)


def _behind(reader: Reader, expression: exp.Expr, scope: Scope) -> list[tuple[Source, str]]:
    column = expression.unalias()
    if plain_column(column) is None or not isinstance(column, exp.Column):
        return []
    return [(source, name) for source, name, owner in reader.resolve(column, scope) if name and owner is scope]
