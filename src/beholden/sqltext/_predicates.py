"""Which fields a condition holds to given values, and which to one another."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from beholden.sqltext._parse import slot_of
from beholden.sqltext._sources import Constraint, Source

__all__ = ["conjuncts", "constant", "constraints", "equalities", "plain_column"]

#: A column as the condition's own scope knows it; several where USING merged them.
Resolve = Callable[[exp.Column], list[tuple[Source, str]]]
Held = tuple[Source, str, Constraint]


def conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    """The parts that are joined by AND. Iterative: generated conditions nest thousands deep."""
    stack = [condition]
    while stack:
        node = stack.pop()
        if isinstance(node, exp.And):
            stack += [node.expression, node.this]
        elif isinstance(node, exp.Paren):
            stack.append(node.this)
        else:
            yield node


def _disjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    stack = [condition]
    while stack:
        node = stack.pop()
        if isinstance(node, exp.Or):
            stack += [node.expression, node.this]
        elif isinstance(node, exp.Paren):
            stack.append(node.this)
        else:
            yield node


def constraints(condition: exp.Expr, resolve: Resolve) -> list[Held]:
    """Fields that equal given values in every row the condition lets through."""
    held: list[Held] = []
    for part in conjuncts(condition):
        if isinstance(part, exp.Or):
            held += _of_all_branches(part, resolve)
        elif isinstance(part, exp.EQ | exp.NullSafeEQ):
            held += _of_equality(part, resolve)
        elif isinstance(part, exp.In):
            held += _of_list(part, resolve)
    return held


def _of_all_branches(condition: exp.Or, resolve: Resolve) -> list[Held]:
    """What every branch of an OR constrains, with the values of all of them."""
    common: dict[tuple[int, str], Held] | None = None
    for branch in _disjuncts(condition):
        found: dict[tuple[int, str], Held] = {}
        for source, name, constraint in constraints(branch, resolve):
            found.setdefault((id(source), name), (source, name, constraint))
        if common is None:
            common = found
        else:
            common = {
                key: (source, name, constraint | found[key][2])
                for key, (source, name, constraint) in common.items()
                if key in found
            }
        if not common:
            return []
    return list((common or {}).values())


def _of_equality(equality: exp.Expr, resolve: Resolve) -> list[Held]:
    left, right = equality.this.unnest(), equality.expression.unnest()
    if isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple):
        return _of_pairs(left.expressions, [right.expressions], resolve)
    for column, value in ((left, right), (right, left)):
        constraint = _any_of(value) if isinstance(value, exp.Any) else constant(value)
        if constraint is not None:
            return _held(column, constraint, resolve)
    return []


def _of_list(condition: exp.In, resolve: Resolve) -> list[Held]:
    items = condition.expressions
    if len(items) == 1 and isinstance(items[0], exp.Values):
        items = items[0].expressions
    left = condition.this.unnest()
    left_columns = left.expressions if isinstance(left, exp.Tuple) else [left]
    rows = [item.expressions if isinstance(item, exp.Tuple) else [item] for item in items]
    return _of_pairs(left_columns, rows, resolve)


def _of_pairs(columns: list[exp.Expr], rows: list[list[exp.Expr]], resolve: Resolve) -> list[Held]:
    """``(a, b) IN ((1, 2), (3, 4))``: each column with its values in all rows."""
    if not rows or any(len(row) != len(columns) for row in rows):
        return []
    held: list[Held] = []
    for column, values in zip(columns, zip(*rows, strict=True), strict=True):
        constraint = _union(list(values))
        if constraint is not None:
            held += _held(column, constraint, resolve)
    return held


def _any_of(condition: exp.Any) -> Constraint | None:
    """``ANY (ARRAY[1, 2])``; an array that is itself one literal or parameter is not taken apart."""
    array = condition.this.unnest()
    return _union(array.expressions) if isinstance(array, exp.Array) else None


def _union(values: list[exp.Expr]) -> Constraint | None:
    given: list[Constraint] = []
    for value in values:
        constraint = constant(value)
        if constraint is None:
            return None
        given.append(constraint)
    return (
        Constraint(
            tuple(place for one in given for place in one.places),
            tuple(number for one in given for number in one.parameters),
        )
        if given
        else None
    )


def _held(node: exp.Expr, constraint: Constraint, resolve: Resolve) -> list[Held]:
    column = plain_column(node)
    return [] if column is None else [(source, name, constraint) for source, name in resolve(column)]


def constant(node: exp.Expr) -> Constraint | None:
    """A literal or bind parameter, however cast; None for anything else. A sign makes another value of it: None."""
    while isinstance(node, exp.Paren | exp.Cast | exp.TryCast | exp.Collate | exp.Introducer):
        node = node.expression if isinstance(node, exp.Introducer) else node.this
    if not isinstance(node, exp.Literal):
        return None
    place, parameter = slot_of(node)
    if place is not None:
        return Constraint(places=(place,))
    return None if parameter is None else Constraint(parameters=(parameter,))


def plain_column(node: exp.Expr) -> exp.Column | None:
    """The column an expression is, at most cast to text (any other cast may make unequal values equal)."""
    while isinstance(node, exp.Paren | exp.Cast):
        if isinstance(node, exp.Cast) and (not node.to.is_type(*exp.DataType.TEXT_TYPES) or node.to.expressions):
            return None
        node = node.this
    return node if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star) else None


def equalities(condition: exp.Expr) -> Iterator[tuple[exp.Column, exp.Column | exp.Query]]:
    """Pairs that are equal in every row: ``a = b``, and ``a IN (SELECT b ..)`` as (a, the query)."""
    for part in conjuncts(condition):
        if isinstance(part, exp.EQ | exp.NullSafeEQ):
            left, right = plain_column(part.this), plain_column(part.expression)
            if left is not None and right is not None:
                yield left, right
        elif isinstance(part, exp.In) and isinstance(part.args.get("query"), exp.Query):
            left = plain_column(part.this)
            if left is not None:
                yield left, part.args["query"]
