"""Brings what conditions say down to the datasets it concerns."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from beholden.sqltext._predicates import plain_column
from beholden.sqltext._reader import Reader
from beholden.sqltext._sources import Output, Query, Scope, Source, TableSource, is_aggregated
from beholden.sqltext.facts import Asked, KeyPredicate, Relation

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
    found: list[tuple[Source, str, Asked]] = []
    for compared in reader.compared.values():
        for scope, one in compared:
            if one.has_value or any(
                _are_values(reader, *place) for other in one.others for place in _places(reader, other, scope)
            ):
                found += [(*place, one.how) for place in _places(reader, one.column, scope)]
    found += [(source, name, "equal") for source, name, other, its in reader.equal if _are_values(reader, other, its)]
    for source, name, how in found:
        for table, column, is_plain in _behind_all(reader, source, name):
            table.asked[table.spelled(column), how if is_plain or how == "range" else "match"] = None


def _places(reader: Reader, column: exp.Column, scope: Scope) -> list[tuple[Source, str]]:
    return [(source, name) for source, name, _ in reader.resolve(column, scope) if name]


def _behind_all(reader: Reader, source: Source, name: str) -> Iterator[tuple[TableSource, str, bool]]:
    """Every dataset column that goes into a column, however far below; and whether it is passed on as it is."""
    stack = [(source, name, True)]
    seen: set[tuple[int, str]] = set()
    while stack:
        at, column, is_plain = stack.pop()
        if (id(at), column) in seen:
            continue
        seen.add((id(at), column))
        if isinstance(at, TableSource):
            yield at, column, is_plain
        elif isinstance(at, Query):
            for scope, output in at.outputs(column):
                stack += [(inner, output.name, is_plain) for inner in output.sources]
                if output.expression is not None:
                    plain = plain_column(output.expression.unalias()) is not None
                    for node in output.expression.find_all(exp.Column):
                        stack += [(*place, is_plain and plain) for place in _places(reader, node, scope)]


def _are_values(reader: Reader, source: Source, name: str) -> bool:
    """Whether a column of a query holds nothing but values of the statement itself: VALUES, SELECT 'x'."""
    given = [output for _, output in source.outputs(name)] if isinstance(source, Query) else []
    whole = all(output.expression is not None or output.sources for output in given)
    return bool(given) and whole and not any(True for _ in _behind_all(reader, source, name))


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
