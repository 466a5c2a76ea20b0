"""Reads statements that change data: which dataset is written, in which fields, and what is read for it."""

from __future__ import annotations

from sqlglot import exp

from beholden.sqltext._predicates import constant
from beholden.sqltext._reader import Ctes, Reader
from beholden.sqltext._sources import Constraint, Query, Scope, TableSource, Use
from beholden.sqltext.facts import Change, KeyPredicate

__all__ = ["write_query"]


def write_query(reader: Reader, node: exp.Expr, query: Query, ctes: Ctes) -> None:
    """Build the scope of an INSERT, UPDATE, DELETE or MERGE; its outputs are what RETURNING gives."""
    scope = Scope(query, None, ctes)
    query.branches.append(scope)
    change = _read_change(reader, node, scope)
    written = [one for one in scope.sources if isinstance(one, TableSource) and one.role == "write"]
    for source in written:
        source.change = change
    returning = node.args.get("returning")
    if returning is not None:
        for source in written:
            source.returned = TableSource(source.named)
            source.returned.new = isinstance(node, exp.Insert | exp.Merge)
        reader.outputs(returning.expressions, scope)
        for expression in returning.expressions:
            reader.walk(expression, scope, Use.NONE)


def _read_change(reader: Reader, node: exp.Expr, scope: Scope) -> Change | None:
    if isinstance(node, exp.Insert):
        _insert(reader, node, scope)
        return "insert"
    if isinstance(node, exp.Update):
        _update(reader, node, scope)
        return "update"
    if isinstance(node, exp.Delete):
        _delete(reader, node, scope)
        return "delete"
    if isinstance(node, exp.Merge):
        _merge(reader, node, scope)
        return "merge"
    return None


def _target(reader: Reader, node: exp.Expr | None, scope: Scope) -> TableSource | None:
    """The dataset a write names first; it stands in the scope like one that is read."""
    if not isinstance(node, exp.Table):
        return None
    source = reader.source(node, scope)[0]
    if not isinstance(source, TableSource):
        return None
    source.role = "write"
    return source


def _insert(reader: Reader, node: exp.Insert, scope: Scope) -> None:
    schema = node.this if isinstance(node.this, exp.Schema) else None
    target = _target(reader, schema.this if schema else node.this, scope)
    listed = [reader.names.fold(column.name) for column in schema.expressions] if schema else None
    columns = listed if listed is not None else (target.columns() if target else None) or []
    if target is not None:
        for column in columns:
            target.write(column)
    values = node.expression
    if isinstance(values, exp.Values):
        _rows(reader, values, columns, target, scope)
    elif values is not None:
        reader.query(values, None, scope.ctes).use_all(Use.OUT)
    conflict = node.args.get("conflict")
    for assignment in conflict.expressions if conflict else []:
        if target is not None and isinstance(assignment, exp.EQ):
            target.write(reader.names.fold(assignment.this.name))
        reader.walk(assignment.expression if isinstance(assignment, exp.EQ) else assignment, scope, Use.NONE)


def _rows(reader: Reader, values: exp.Values, columns: list[str], target: TableSource | None, scope: Scope) -> None:
    """Rows given as they are: a column that is a literal in each of them is known by those literals."""
    rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in values.expressions]
    for row in rows:
        for cell in row:
            reader.walk(cell, scope, Use.OUT)
    if target is None or any(len(row) != len(columns) for row in rows):
        return
    for column, cells in zip(columns, zip(*rows, strict=True), strict=True):
        given = [constant(cell) for cell in cells]
        constraint = Constraint()
        for one in given:
            constraint |= one or Constraint()
        if None not in given:
            target.keys[KeyPredicate(target.spelled(column), constraint.places, constraint.parameters)] = None


def _update(reader: Reader, node: exp.Update, scope: Scope) -> None:
    assignments = [one for one in node.expressions if isinstance(one, exp.EQ)]
    target = None
    if node.this.args.get("joins"):  # MySQL: what is assigned says which of them is written
        reader.source(node.this, scope)
    else:
        target = _target_among(reader, node.this, [one.this for one in [node.args.get("from_")] if one], scope)
    for assignment in assignments:
        left = assignment.this.expressions if isinstance(assignment.this, exp.Tuple) else [assignment.this]
        for column in left:
            written = target or _assigned(reader, column, scope)
            if written is not None:
                written.role = "write"
                written.write(reader.names.fold(column.name))
                given = constant(assignment.expression)
                if given is not None and len(left) == 1:
                    name = written.spelled(reader.names.fold(column.name))
                    written.assigned[KeyPredicate(name, given.places, given.parameters)] = None
    for assignment in assignments:
        reader.walk(assignment.expression, scope, Use.OUT)
    _where(reader, node, scope)


def _assigned(reader: Reader, column: exp.Expr, scope: Scope) -> TableSource | None:
    found = reader.resolve(column, scope) if isinstance(column, exp.Column) else []
    return found[0][0] if found and isinstance(found[0][0], TableSource) else None


def _delete(reader: Reader, node: exp.Delete, scope: Scope) -> None:
    listed = [reader.names.fold(table.name) for table in node.args.get("tables") or []]
    if not listed:
        _target_among(reader, node.this, node.args.get("using") or [], scope)
    elif isinstance(node.this, exp.Table):  # MySQL: DELETE a FROM a JOIN b
        reader.source(node.this, scope)
    else:  # Oracle: DELETE a
        _target(reader, node.args["tables"][0], scope)
    for alias, source in scope.named:
        if alias in listed and isinstance(source, TableSource):
            source.role = "write"
    _where(reader, node, scope)


def _target_among(reader: Reader, node: exp.Expr, others: list[exp.Expr], scope: Scope) -> TableSource | None:
    """The target where other sources stand beside it; in some dialects it is the alias of one of them."""
    for other in others:
        reader.source(other, scope)
    alias = reader.names.fold(node.alias_or_name)
    for name, source in scope.named:
        if name == alias and isinstance(source, TableSource):
            source.role = "write"
            return source
    return _target(reader, node, scope)


def _where(reader: Reader, node: exp.Expr, scope: Scope) -> None:
    scope.restricts_all = bool(node.args.get("where") or node.args.get("limit"))
    if node.args.get("where"):
        reader.condition(node.args["where"].this, scope, scope.sources, Use.FILTER)


def _merge(reader: Reader, node: exp.Merge, scope: Scope) -> None:
    """MERGE. Its condition picks rows to change but not rows to insert: so it gives the target no keys."""
    target = _target(reader, node.this, scope)
    reader.source(node.args["using"], scope)
    reader.condition(node.args["on"], scope, [], Use.JOIN)
    for when in node.args["whens"].expressions:
        if when.args.get("condition"):
            reader.walk(when.args["condition"], scope, Use.FILTER)
        then = when.args.get("then")
        if isinstance(then, exp.Update):
            for assignment in then.expressions:
                if isinstance(assignment, exp.EQ):
                    _merge_cell(reader, target, assignment.this, assignment.expression, scope)
        elif isinstance(then, exp.Insert):
            columns = then.this.expressions if isinstance(then.this, exp.Tuple) else []
            values = then.expression.expressions if isinstance(then.expression, exp.Tuple) else []
            for column, value in zip(columns, values, strict=False):
                _merge_cell(reader, target, column, value, scope)


def _merge_cell(reader: Reader, target: TableSource | None, column: exp.Expr, value: exp.Expr, scope: Scope) -> None:
    if target is not None:
        target.write(reader.names.fold(column.name))
    reader.walk(value, scope, Use.OUT)
