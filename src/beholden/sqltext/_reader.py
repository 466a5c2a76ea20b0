"""Reads queries: builds the scopes of a statement and notes what their conditions say.

One reader for each statement. Conditions are collected while scopes are built and settled at the end, when it is known
how often each query is referred to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from sqlglot import exp

from beholden.sqltext._names import Named, Names
from beholden.sqltext._parse import slot_of
from beholden.sqltext._predicates import Held, constraints, equalities
from beholden.sqltext._sources import Function, Output, Query, Scope, Source, TableSource, Use
from beholden.sqltext._walk import Walker, is_aggregating

__all__ = ["NO_CTES", "Reader"]

Ctes = Mapping[str, Query]
NO_CTES: Final[Ctes] = MappingProxyType({})

#: Clauses of a SELECT that restrict its rows.
_RESTRICTING: Final = ("where", "prewhere", "having", "qualify", "limit", "offset", "sample", "connect")
#: Dialects whose WITH may refer to itself without saying RECURSIVE.
_ALWAYS_RECURSIVE: Final = frozenset({"sqlite", "tsql", "fabric", "oracle", "snowflake"})


class Reader(Walker):
    """What one statement reads. ``write`` builds the scope of a write that stands within a query (WITH)."""

    def __init__(self, names: Names, write: Callable[[Reader, exp.Expr, Query, Ctes], None]) -> None:
        super().__init__(names)
        self.tables: list[TableSource] = []
        self.held: list[Held] = []
        self.equal: list[tuple[Source, str, Source, str]] = []  # own, its column, other, its column
        self._write = write
        self._subqueries: dict[int, Query] = {}

    # Queries

    def query(self, node: exp.Expr, parent: Scope | None = None, ctes: Ctes = NO_CTES) -> Query:
        """Build a query: all its scopes, with what their conditions say. Its outputs are not yet used."""
        query = Query(self.walk)
        self._fill(query, node, parent, ctes)
        return query

    def subquery(self, node: exp.Expr, scope: Scope) -> Query:
        """The query at this place of an expression, built once."""
        query = self._subqueries.get(id(node))
        if query is None:
            query = self._subqueries[id(node)] = Query(self.walk)
            query.outer = scope
            self._fill(query, node, scope, scope.ctes)
        return query

    def _fill(self, query: Query, node: exp.Expr, parent: Scope | None, ctes: Ctes, *, limited: bool = False) -> None:
        stack: list[tuple[exp.Expr, Ctes, bool]] = [(node, ctes, limited)]
        while stack:
            part, seen, restricted = stack.pop()
            seen = self.with_(part, parent, seen)
            if isinstance(part, exp.Subquery | exp.SetOperation):
                restricted = restricted or any(part.args.get(clause) for clause in ("limit", "offset"))
            if isinstance(part, exp.SetOperation):
                stack += [(part.expression, seen, restricted), (part.this, seen, restricted)]
            elif isinstance(part, exp.Subquery):
                stack.append((part.this, seen, restricted))
            elif isinstance(part, exp.Select):
                self._select(part, Scope(query, parent, seen), limited=restricted)
            elif isinstance(part, exp.Values):
                self._values(part, Scope(query, parent, seen))
            elif isinstance(part, exp.Table):
                scope = Scope(query, parent, seen)
                self.source(part, scope)
                self._star(scope, scope.named, part)
                query.branches.append(scope)
            else:
                self._write(self, part, query, seen)

    def with_(self, node: exp.Expr, parent: Scope | None, ctes: Ctes) -> Ctes:
        """The queries of WITH, by folded name, besides those already seen."""
        clause = node.args.get("with_")
        if clause is None:
            return ctes
        seen = dict(ctes)
        recursive = clause.args.get("recursive") or self.names.dialect in _ALWAYS_RECURSIVE
        for cte in clause.expressions:
            query = Query(self.walk)
            query.renamed = self._alias_columns(cte)
            name = self.names.fold(cte.alias)
            if recursive:
                seen[name] = query
            self._fill(query, cte.this, parent, dict(seen))
            query.recursive = bool(query.holders)
            seen[name] = query
        return seen

    def _alias_columns(self, node: exp.Expr) -> list[str]:
        alias = node.args.get("alias")
        return [self.names.fold(column.name) for column in alias.args.get("columns") or []] if alias else []

    def _select(self, node: exp.Select, scope: Scope, *, limited: bool) -> None:
        if node.args.get("from_"):
            self.source(node.args["from_"].this, scope)
        self._joins(node, scope, 0)
        for lateral in node.args.get("laterals") or []:
            self.source(lateral, scope)
        distinct = node.args.get("distinct")
        scope.restricts_all = (
            limited
            or any(node.args.get(clause) for clause in _RESTRICTING)
            or bool(distinct and distinct.args.get("on"))
        )
        for clause in ("prewhere", "where"):
            if node.args.get(clause):
                self.condition(node.args[clause].this, scope, scope.sources, Use.FILTER)
        self.outputs(node.expressions, scope)
        self._group(node, scope)
        for clause in ("having", "qualify"):
            if node.args.get(clause):
                self.walk(node.args[clause].this, scope, Use.FILTER)
        scope.query.branches.append(scope)
        for clause in ("expressions", "distinct", "group", "order", "windows"):
            part = node.args.get(clause)
            for expression in part if isinstance(part, list) else [part] if part else []:
                self.walk(expression, scope, Use.NONE)  # builds the queries within, used or not

    def _values(self, node: exp.Values, scope: Scope) -> None:
        rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in node.expressions]
        for place, cells in enumerate(zip(*rows, strict=False), start=1):
            column = exp.Tuple(expressions=[cell.copy() for cell in cells]) if len(cells) > 1 else cells[0]
            scope.outputs.append(Output(f"column{place}", column))
        scope.query.branches.append(scope)

    def outputs(self, expressions: list[exp.Expr], scope: Scope) -> None:
        """The output columns of a SELECT or RETURNING."""
        for expression in expressions:
            star = expression.this if isinstance(expression, exp.Column) else expression
            if not isinstance(star, exp.Star):
                scope.outputs.append(Output(self.names.fold(expression.alias_or_name), expression))
            elif isinstance(expression, exp.Column):
                source, _ = self.find_source(expression, scope)
                self._star(scope, [("", source)] if source is not None else [], star)
            else:
                self._star(scope, scope.named, star)

    def _star(self, scope: Scope, named: list[tuple[str, Source]], star: exp.Expr) -> None:
        left_out = {self.names.fold(column.name) for column in star.args.get("except_") or []}
        given: dict[str, Output] = {}
        for _, source in named:
            columns = source.columns()
            if columns is None:
                scope.open_stars.append(source)
            for name in columns or []:
                if name in left_out:
                    continue
                if name in scope.merged and name in given and len(named) > 1:
                    given[name].sources += (source,)
                else:
                    output = given[name] = Output(name, sources=(source,))
                    scope.outputs.append(output)

    def _group(self, node: exp.Select, scope: Scope) -> None:
        group = node.args.get("group")
        having = node.args.get("having")
        scope.aggregating = group is not None or is_aggregating([*node.expressions, *([having] if having else [])])
        if group is None:
            return
        scope.grouped_by_place = bool(group.args.get("all")) or any(
            isinstance(part, exp.Literal) and slot_of(part) != (None, None) for part in group.expressions
        )
        aliased = {output.name: output.expression for output in scope.outputs if output.expression is not None}
        for column in group.find_all(exp.Column):
            found = self.resolve(column, scope)
            behind = aliased.get(self.names.fold(column.name)) if not found else None
            if behind is not None:
                found = [one for inner in behind.find_all(exp.Column) for one in self.resolve(inner, scope)]
            scope.grouped.update((id(source), name) for source, name, owner in found if owner is scope)

    # What stands in FROM

    def source(self, node: exp.Expr, scope: Scope) -> list[Source]:
        """Add what stands at one place of FROM (several sources for a join in parentheses)."""
        before = len(scope.named)
        alias = self.names.fold(node.alias_or_name)
        columns = self._alias_columns(node)
        inner = node.this if isinstance(node, exp.Subquery | exp.Lateral) else node
        if isinstance(node, exp.Subquery) and _is_join(node):
            self.source(inner, scope)
        elif isinstance(inner, exp.Query | exp.Values):
            lateral = isinstance(node, exp.Lateral)
            query = self.query(node.this if lateral else node, scope if lateral else scope.parent, scope.ctes)
            query.renamed = columns
            scope.hold(alias, query)
        elif isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            scope.hold(alias, self._named(node, columns, scope))
        else:
            scope.hold(alias, self._function(node, columns or [alias], scope))
        added = scope.sources[before:]
        if node.args.get("sample"):
            scope.restricts.update(map(id, added))
        if node.args.get("pivots"):
            for source in added:
                source.use_all(Use.OUT)  # its columns become others; what is asked of those is not followed
        self._joins(node, scope, before)
        return scope.sources[before:]

    def _function(self, node: exp.Expr, columns: list[str], scope: Scope) -> Function:
        arguments = [child for child in node.iter_expressions() if not isinstance(child, exp.TableAlias)]

        # Its arguments may name what stands before it, and not itself.
        before = Scope(scope.query, scope.parent, scope.ctes, named=list(scope.named))

        def walk(use: Use) -> None:
            for argument in arguments:
                self.walk(argument, before, use)

        walk(Use.NONE)
        return Function(columns, walk)

    def _named(self, node: exp.Table, columns: list[str], scope: Scope) -> Source:
        cte = scope.ctes.get(self.names.fold(node.name)) if not node.db else None
        if cte is None:
            return self.table(node, columns=columns) or Function([])
        if not columns:
            return cte
        renaming = Query(self.walk)
        renaming.renamed = columns
        inner = Scope(renaming, None, NO_CTES)
        inner.hold("", cte)
        self._star(inner, inner.named, node)
        renaming.branches.append(inner)
        return renaming

    def table(self, node: exp.Table, *, columns: list[str] | None = None) -> TableSource | None:
        """The dataset a table expression names, read until a write says otherwise; None for a catalogue."""
        named = self.names.table(node)
        if named is None:
            return None
        if columns and named.columns:
            actual = list(named.columns.values())
            renamed = columns + list(named.columns)[len(columns) :]
            named = Named(named.path, named.resolved, dict(zip(renamed, actual, strict=False)))
        source = TableSource(named)
        self.tables.append(source)
        return source

    def _joins(self, node: exp.Expr, scope: Scope, first: int) -> None:
        """The joins after a source. ``first`` is where their left side begins: parentheses and commas bound it."""
        for join in node.args.get("joins") or []:
            if not any(join.args.get(part) for part in ("on", "using", "method", "side", "kind")):
                first = len(scope.named)  # a comma
            self._join(join, scope, first)

    def _join(self, join: exp.Join, scope: Scope, first: int) -> None:
        """Add a joined source. An outer join's condition restricts only the side that may be null."""
        left, before = scope.sources[first:], scope.sources
        right = self.source(join.this, scope)
        if join.side not in ("LEFT", "FULL") and _looks_back(join.this):
            scope.restricts.update(map(id, before))  # a row for which nothing stands there is not given
        condition, using = join.args.get("on"), [self.names.fold(one.name) for one in join.args.get("using") or []]
        if join.method == "NATURAL":
            using = self._common(left, right)
        if condition is None and not using:
            return
        obeying = {"LEFT": right, "RIGHT": left, "FULL": []}.get(join.side, left + right)
        if join.kind == "SEMI":
            obeying = left + right
        elif join.kind == "ANTI":
            obeying = []
        scope.restricts.update(map(id, obeying))
        if condition is not None:
            self.condition(condition, scope, obeying, Use.JOIN)
        for name in using:
            self._using(name, left, right, obeying, scope)

    def _common(self, left: list[Source], right: list[Source]) -> list[str]:
        """Columns both sides of a NATURAL join have."""
        there = {name for source in left for name in source.columns() or []}
        return [name for source in right for name in source.columns() or [] if name in there]

    def _using(self, name: str, left: list[Source], right: list[Source], obeying: list[Source], scope: Scope) -> None:
        def owner(sources: list[Source]) -> Source | None:
            known = [source for source in sources if source.has(name)]
            unknown = [source for source in sources if source.has(name) is None]
            return known[0] if known else unknown[0] if len(unknown) == 1 else None

        scope.merged.add(name)
        one, other = owner(left), owner(right)
        for source in (one, other):
            if source is not None:
                source.use(name, Use.JOIN)
        if one is not None and other is not None:
            pairs = ((one, other), (other, one))
            self.equal += [(own, name, its, name) for own, its in pairs if own in obeying]

    # Conditions

    def condition(self, condition: exp.Expr, scope: Scope, obeying: list[Source], use: Use) -> None:
        """Note what a condition uses, and what it holds the sources that obey it to."""
        self.walk(condition, scope, use)

        def resolve(column: exp.Column) -> list[tuple[Source, str]]:
            found = self.resolve(column, scope)
            return [(source, name) for source, name, owner in found if name and owner is scope and source in obeying]

        self.held += constraints(condition, resolve)
        for left, right in equalities(condition):
            if isinstance(right, exp.Column):
                others = [(source, name) for source, name, _ in self.resolve(right, scope) if name]
                back = [(source, name) for source, name, _ in self.resolve(left, scope) if name]
                self._equal(resolve(left), others)
                self._equal(resolve(right), back)
            else:
                query = self.subquery(right, scope)
                columns = query.columns()
                self._equal(resolve(left), [(query, columns[0])] if columns and len(columns) == 1 else [])

    def _equal(self, own: list[tuple[Source, str]], others: list[tuple[Source, str]]) -> None:
        self.equal += [(*one, *other) for one in own for other in others if one[0] is not other[0]]


def _looks_back(node: exp.Expr) -> bool:
    """Whether what stands in FROM may depend on each row of what stands before it: LATERAL, APPLY, a function."""
    if isinstance(node, exp.Lateral):
        return True
    function = not isinstance(node, exp.Query | exp.Values) and not (
        isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier)
    )
    return function and node.find(exp.Column) is not None


def _is_join(node: exp.Subquery) -> bool:
    """Whether parentheses in FROM, however many, hold a join or a dataset rather than a query."""
    inner = node.this
    while isinstance(inner, exp.Subquery):
        if inner.alias or inner.args.get("joins"):
            return True
        inner = inner.this
    return isinstance(inner, exp.Table)
