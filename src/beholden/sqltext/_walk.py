"""Follows an expression to the fields in it, and tells each what becomes of its value."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from beholden.sqltext._asked import Comparison, comparisons
from beholden.sqltext._names import Names
from beholden.sqltext._sources import LEAVING, Query, Scope, Source, TableSource, Use

__all__ = ["Walker", "is_aggregating"]

#: Aggregates whose result shows no value they were given.
_SUMMARIES = (
    exp.ApproxDistinct, exp.Avg, exp.Corr, exp.Count, exp.CountIf, exp.CovarPop, exp.CovarSamp, exp.Grouping, exp.Hll,
    exp.Kurtosis, exp.LogicalAnd, exp.LogicalOr, exp.RegrCount, exp.RegrIntercept, exp.RegrR2, exp.RegrSlope,
    exp.Skewness, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Sum, exp.Variance, exp.VariancePop,
)  # fmt: skip


def is_aggregating(expressions: list[exp.Expr]) -> bool:
    """Whether an aggregate stands in the expressions themselves: not in a window, not in a query within them."""
    stack = list(expressions)
    while stack:
        node = stack.pop()
        if isinstance(node, exp.AggFunc):
            return True
        if isinstance(node, exp.Window):
            stack += _parts_of_window(node)
        elif not isinstance(node, exp.Query):
            stack += node.iter_expressions()
    return False


def _parts_of_window(window: exp.Window) -> Iterator[exp.Expr]:
    """What a window function is given: the function itself does not aggregate the query's rows."""
    function = window.this
    while isinstance(function, exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
        function = function.this
    parts: Iterator[exp.Expr] = function.iter_expressions()
    return parts


class Walker:
    """Resolves columns in a scope, and outwards from it where a query stands within another's expression."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.lost = False  # something left that belongs to no known source
        self.compared: dict[int, list[tuple[Scope, Comparison]]] = {}  # by node

    def subquery(self, node: exp.Expr, scope: Scope) -> Query:
        """The query that stands at this place of an expression."""
        raise NotImplementedError

    def walk(self, expression: exp.Expr, scope: Scope, use: Use) -> None:
        """Note the use of every field in the expression. Iterative: generated conditions nest thousands deep."""
        stack = [(expression, use)]
        while stack:
            node, use = stack.pop()
            if id(node) not in self.compared:
                self.compared[id(node)] = [(scope, one) for one in comparisons(node)]
            if isinstance(node, exp.Column):
                self._column(node, scope, use)
            elif isinstance(node, exp.Query):
                query = self.subquery(node, scope)
                if use is not Use.NONE:
                    query.use_all(use)
            elif isinstance(node, exp.Exists) and isinstance(node.this, exp.Query):
                self.subquery(node.this, scope)
            else:
                stack += reversed(self._children(node, scope, use))

    def _children(self, node: exp.Expr, scope: Scope, use: Use) -> list[tuple[exp.Expr, Use]]:
        if isinstance(node, exp.In | exp.Any | exp.All):
            queried = node.args.get("query") if isinstance(node, exp.In) else node.this
            if isinstance(queried, exp.Query):
                self.subquery(queried, scope).use_all(Use.JOIN)
                return [(node.this, use)] if isinstance(node, exp.In) else []
        elif isinstance(node, exp.Filter):
            return [(node.this, use), (node.expression, Use.FILTER if use in LEAVING else use)]
        elif isinstance(node, exp.Window):
            given = set(map(id, _parts_of_window(node)))
            parts = [(part, use) for part in _parts_of_window(node)]
            rest = [part for part in node.iter_expressions() if part is not node.this and id(part) not in given]
            return parts + [(part, Use.NONE) for part in rest]
        elif isinstance(node, exp.AggFunc) and use in LEAVING:
            inner = Use.NONE if isinstance(node, _SUMMARIES) else Use.LEAKED
            return [(child, inner) for child in node.iter_expressions()]
        return [(child, use) for child in node.iter_expressions()]

    def _column(self, column: exp.Column, scope: Scope, use: Use) -> None:
        if use is Use.NONE:
            return
        if isinstance(column.this, exp.Star):
            source, _ = self.find_source(column, scope)
            if source is not None:
                source.use_all(use)
            return
        found = self.resolve(column, scope)
        for source, name, owner in found:
            if name:
                source.use(name, owner.as_grouped(source, name, use))
            else:
                source.use_all(use)
        if not found and not self._alias_in_condition(column, scope, use) and use in LEAVING:
            self.lost = True

    def _alias_in_condition(self, column: exp.Column, scope: Scope, use: Use) -> bool:
        """HAVING may name an output: follow it, unless it names itself."""
        name = self.names.fold(column.name)
        if use is not Use.FILTER or column.table:
            return False
        for output in scope.outputs:
            if output.name == name and output.expression is not None:
                inner = output.expression.find_all(exp.Column)
                if all(self.names.fold(one.name) != name for one in inner):
                    self.walk(output.expression, scope, use)
                    return True
        return False

    def find_source(self, column: exp.Column, scope: Scope) -> tuple[Source | None, Scope]:
        """The source a qualified column names (``c`` of ``c.email``), and the scope it stands in."""
        alias = self.names.fold(column.table)
        schema = self.names.fold(column.db)
        at: Scope | None = scope
        while at is not None:
            for name, source in at.named:
                if name == alias and (
                    not schema or not isinstance(source, TableSource) or self._lies_in(source, schema)
                ):
                    return source, at
            at = at.parent
        return None, scope

    def _lies_in(self, source: TableSource, schema: str) -> bool:
        return f"{schema}." in self.names.fold(source.named.path) or not source.named.resolved

    def resolve(self, column: exp.Column, scope: Scope) -> list[tuple[Source, str, Scope]]:
        """What a column may be: source, folded name, scope. An empty name is the whole row."""
        name = self.names.fold(column.name)
        if column.table:
            source, owner = self.find_source(column, scope)
            return [(source, name, owner)] if source is not None else []
        at: Scope | None = scope
        while at is not None:
            sources = at.sources
            known = [source for source in sources if source.has(name)]
            if known:
                return [(source, name, at) for source in (known if name in at.merged else known[:1])]
            unknown = [source for source in sources if source.has(name) is None]
            if unknown:
                return [(source, name, at) for source in unknown] if len(unknown) == 1 else []
            at = at.parent
        return self._unknown_column(column, name, scope)

    def _unknown_column(self, column: exp.Column, name: str, scope: Scope) -> list[tuple[Source, str, Scope]]:
        """No source has this column: a row as a whole, or the only dataset there is, whose schema may be old."""
        for alias, source in scope.named:
            if alias == name:
                return [(source, "", scope)]
        quoted_string = self.names.dialect == "sqlite" and column.this.args.get("quoted")
        aliased = any(output.name == name and isinstance(output.expression, exp.Alias) for output in scope.outputs)
        only = scope.named[0][1] if len(scope.named) == 1 and scope.parent is None else None
        if isinstance(only, TableSource) and not quoted_string and not aliased:
            return [(only, name, scope)]
        return []
