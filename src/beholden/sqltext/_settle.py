"""Brings what conditions say down to the datasets it concerns."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from beholden.sqltext._predicates import plain_column
from beholden.sqltext._reader import Reader
from beholden.sqltext._sources import Output, Query, Scope, Source, TableSource, is_aggregated
from beholden.sqltext.facts import KeyPredicate, Relation

__all__ = ["origins", "relations"]


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
    _note_asked(reader)
    returned = [table.returned for table in reader.tables if table.returned is not None]
    constant = gives_rows and not reader.lost and not any(table.raw for table in [*reader.tables, *returned])
    found = (
        relation
        for table in reader.tables
        for relation in table.relation(aggregate_only=not table.raw and (constant or is_aggregated(table)))
    )
    return tuple(dict.fromkeys(found))


def _note_asked(reader: Reader) -> None:
    """Tell each dataset which of its fields are compared with values of the statement."""
    found = [
        (source, name, how)
        for compared in reader.compared.values()
        for node, scope, how in compared
        for source, name, _ in reader.resolve(node, scope)
        if name
    ]
    found += [(source, name, "equal") for source, name, other, its in reader.equal if _are_values(other, its)]
    for source, name, how in found:
        for table, column in _bases(reader, source, name, any_reference=True):
            table.asked[table.spelled(column), how] = None


def _are_values(source: Source, name: str) -> bool:
    """Whether a column of a query holds values of the statement itself: VALUES, SELECT 'x'."""
    if not isinstance(source, Query):
        return False
    given = [output.expression for _, output in source.outputs(name)]
    return bool(given) and all(
        node is not None and node.find(exp.Literal) and not node.find(exp.Column) for node in given
    )


def origins(reader: Reader, query: Query, place: int) -> list[tuple[TableSource, str]] | None:
    """The dataset columns that one output column of a query passes on; None where any branch gives something else."""
    found: list[tuple[TableSource, str]] = []
    outputs = [(scope, scope.outputs[place]) for scope in query.branches]
    seen: set[tuple[int, str]] = set()
    while outputs:
        below = _below(reader, *outputs.pop())
        if not below:
            return None
        for source, name in below:
            if isinstance(source, TableSource):
                found.append((source, name))
            elif (id(source), name) not in seen:
                seen.add((id(source), name))
                inner = list(source.outputs(name)) if isinstance(source, Query) else []
                if not inner:
                    return None
                outputs += inner
    return found


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
                stack += _below(reader, scope, output)


def _below(reader: Reader, scope: Scope, output: Output) -> list[tuple[Source, str]]:
    """What an output column passes on as it is."""
    below = [(inner, output.name) for inner in output.sources]
    return below if output.expression is None else below + _behind(reader, output.expression, scope)


def _behind(reader: Reader, expression: exp.Expr, scope: Scope) -> list[tuple[Source, str]]:
    column = plain_column(expression.unalias())
    if column is None:
        return []
    return [(source, name) for source, name, owner in reader.resolve(column, scope) if name and owner is scope]
