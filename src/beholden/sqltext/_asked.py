"""Which fields a statement compares with values that it brings along: whom it asks about, whatever it gives back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlglot import exp

from beholden.sqltext._parse import slot_of
from beholden.sqltext._predicates import plain_column
from beholden.sqltext.facts import Asked

__all__ = ["Comparison", "comparisons"]

_Node = TypeVar("_Node", bound=exp.Expr)
_RANGES: Final = (exp.GT, exp.GTE, exp.LT, exp.LTE)
_EQUALITIES: Final = (exp.EQ, exp.NullSafeEQ, exp.In, exp.Nullif)
_OTHERS: Final = (exp.Like, exp.ILike, exp.SimilarTo, exp.RegexpLike, exp.RegexpILike, exp.Glob, exp.StartsWith)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A column that a node of an expression compares, and how.

    ``others`` are the columns it is compared with where the node brings no value along: a join, unless one of them
    turns out to hold values of the statement.
    """

    column: exp.Column
    how: Asked
    others: tuple[exp.Column, ...] = ()
    has_value: bool = False


def comparisons(node: exp.Expr) -> Iterator[Comparison]:
    """The columns that one node of an expression compares; ``IS NULL`` asks for nobody, ``<> ''`` for everybody else."""
    how = _how(node)
    if how is None:
        return
    parts = list(node.iter_expressions())
    if isinstance(node, exp.Case):
        parts = [node.this, *(branch.this for branch in node.args.get("ifs") or [])]
    has_value = any(_has_value(part) for part in parts)
    columns = [list(_within(part, exp.Column)) for part in parts]
    for place, part in enumerate(parts):
        others = tuple(column for i, held in enumerate(columns) if i != place for column in held)
        if has_value or others:
            mine: Asked = how if plain_column(part) is not None or how == "range" else "match"
            yield from (Comparison(column, mine, others, has_value) for column in columns[place])


def _how(node: exp.Expr) -> Asked | None:
    if isinstance(node, exp.Between):
        return "between"
    if isinstance(node, _RANGES):
        return "range"
    if isinstance(node, _EQUALITIES) or (isinstance(node, exp.Case) and node.this is not None):
        return "equal"
    return "match" if isinstance(node, _OTHERS) or (isinstance(node, exp.NEQ) and _is_negated(node)) else None


def _is_negated(node: exp.Expr) -> bool:
    above = node.parent
    while isinstance(above, exp.Paren):
        above = above.parent
    return isinstance(above, exp.Not)


def _has_value(node: exp.Expr) -> bool:
    return any(slot_of(literal) != (None, None) for literal in _within(node, exp.Literal))


def _within(node: exp.Expr, kind: type[_Node]) -> Iterator[_Node]:
    """The nodes of a kind in an expression, without those of queries within it."""
    stack = [node]
    while stack:
        at = stack.pop()
        if isinstance(at, kind):
            yield at
        elif not isinstance(at, exp.Query):
            stack += at.iter_expressions()
