"""One statement's facts, whatever kind it is."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from sqlglot import exp

from beholden.sqltext._forms import WRAPPED, read_form, read_partly, without_destination
from beholden.sqltext._names import Names
from beholden.sqltext._parse import NotUnderstood, parse
from beholden.sqltext._reader import Reader
from beholden.sqltext._settle import relations
from beholden.sqltext._sources import Query, Use
from beholden.sqltext._writes import write_query
from beholden.sqltext.facts import Relation, StatementFacts, StatementKind

__all__ = ["merge_facts", "read_statement"]

#: From the weakest to the strongest: a text of several statements is of the strongest kind among them.
_STRENGTH: Final[tuple[StatementKind, ...]] = (
    "other", "select", "ddl", "revoke", "grant", "copy_in", "insert", "merge", "update", "truncate", "delete",
    "create_as", "export",
)  # fmt: skip
_WRITES: Final[dict[type[exp.Expr], StatementKind]] = {
    exp.Insert: "insert", exp.Update: "update", exp.Delete: "delete", exp.Merge: "merge",
}  # fmt: skip
_DEFINES: Final = re.compile(r"(?:create|alter|drop)\b")
_HAS_ROWS: Final = frozenset({"TABLE", "VIEW", "MATERIALIZED VIEW", "INDEX"})


def merge_facts(parts: list[StatementFacts]) -> StatementFacts:
    """The facts of several statements in one text."""
    if len(parts) == 1:
        return parts[0]
    kind = _strongest([part.kind for part in parts])
    found = tuple(dict.fromkeys(relation for part in parts for relation in part.relations))
    return StatementFacts(kind, found, next((part.problem for part in parts if part.problem), None))


def _strongest(kinds: list[StatementKind]) -> StatementKind:
    return max(kinds, key=_STRENGTH.index)


def read_statement(sql: str, names: Names) -> StatementFacts:
    """The facts of one marked statement; what cannot be understood is said in ``problem``."""
    try:
        return _read(sql, names)
    except NotUnderstood as error:
        problem = str(error)
    except RecursionError:
        problem = "nested too deeply"
    except Exception as error:  # noqa: BLE001 - a tree of a shape not met before must not end the reading of a log
        problem = f"could not be followed ({type(error).__name__})"
    return read_partly(sql, names, problem)


def _read(sql: str, names: Names) -> StatementFacts:
    for kind, pattern in WRAPPED.items():
        match = pattern.match(sql)
        if match is None:
            continue
        if kind == "copy":
            return replace(_read(match["query"], names), kind="export")
        inner = _read(sql[match.end() :], names)
        if kind != "explain":
            return inner
        return _explained(inner, ran=bool(match["run"]) or "analyze" in match["options"])
    form = read_form(sql, names)
    if form is not None:
        return form
    exported = False
    if names.dialect == "mysql":
        sql, exported = without_destination(sql)
    if sql.startswith("replace into "):
        sql = f"insert{sql.removeprefix('replace')}"
    tree = parse(sql, names.dialect)
    facts = _of_tree(tree, names)
    if names.dialect == "sqlite" and _has_string_in_double_quotes(tree, facts, names):
        return replace(facts, problem="a string in double quotes")
    return replace(facts, kind="export") if exported else facts


def _has_string_in_double_quotes(tree: exp.Expr, facts: StatementFacts, names: Names) -> bool:
    """SQLite takes a quoted name that nothing has for a string; the template then holds a value and must not be kept."""
    quoted = {names.fold(column.name) for column in tree.find_all(exp.Column) if column.this.args.get("quoted")}
    if not quoted:
        return False
    known = {names.fold(field) for relation in facts.relations for field in names.fields_of(relation.path)}
    known |= {names.fold(alias.alias) for alias in tree.find_all(exp.Alias, exp.TableAlias)}
    return not quoted <= known


def _explained(inner: StatementFacts, *, ran: bool) -> StatementFacts:
    """EXPLAIN gives a plan and no row. Without ANALYZE the statement does not run, so nothing is written either."""
    found = tuple(
        replace(relation, role=relation.role if ran else "read", fields=(), aggregate_only=True)
        if relation.role == "read" or not ran
        else relation
        for relation in inner.relations
    )
    return StatementFacts(inner.kind if ran else "other", tuple(dict.fromkeys(found)), inner.problem)


def _of_tree(tree: exp.Expr, names: Names) -> StatementFacts:
    if isinstance(tree, exp.Query | exp.Values):
        return _of_query(tree, names)
    if type(tree) in _WRITES:
        reader = Reader(names, write_query)
        reader.query(tree).use_all(Use.OUT)
        return StatementFacts(_WRITES[type(tree)], relations(reader, gives_rows=False))
    if isinstance(tree, exp.Create):
        return _of_create(tree, names)
    return _of_definition(tree, names)


def _of_definition(tree: exp.Expr, names: Names) -> StatementFacts:
    if isinstance(tree, exp.TruncateTable):
        return StatementFacts("truncate", _written(tree.expressions, names))
    if isinstance(tree, exp.Drop | exp.Alter):
        tables = [tree.this, *(tree.args.get("tables") or [])] if tree.args.get("kind") in _HAS_ROWS - {"INDEX"} else []
        return StatementFacts("ddl", _written(tables, names))
    if isinstance(tree, exp.Command) and _DEFINES.match(tree.name.lower()):
        return StatementFacts("ddl")
    return StatementFacts("other", problem="a kind of statement that is not known")


def _of_query(tree: exp.Expr, names: Names, new: list[Relation] | None = None) -> StatementFacts:
    """A query; ``new`` is what its rows are written to."""
    into = tree.args.get("into")
    if into is not None:
        new = list(_written([into.this], names))
    reader = Reader(names, write_query)
    query = reader.query(tree)
    query.use_all(Use.OUT)
    found = relations(reader, gives_rows=True)
    if new is not None:
        fields = _output_names(query)
        return StatementFacts("create_as", (*found, *(replace(relation, fields=fields) for relation in new)))
    writes = any(relation.role == "write" for relation in found)
    kinds = [kind for write, kind in _WRITES.items() if writes and tree.find(write)]
    return StatementFacts(_strongest(["select", *kinds]), found)


def _output_names(query: Query) -> tuple[str, ...]:
    return tuple(name for name in query.columns() or [] if name)


def _of_create(tree: exp.Create, names: Names) -> StatementFacts:
    kind = str(tree.args.get("kind") or "").upper()
    target = tree.this.args.get("table") if isinstance(tree.this, exp.Index) else tree.this
    new = list(_written([target], names)) if kind in _HAS_ROWS else []
    if isinstance(tree.expression, exp.Query) and kind in ("TABLE", "VIEW"):
        if tree.args.get("with_"):
            tree.expression.set("with_", tree.args["with_"])
        return _of_query(tree.expression, names, new)
    return StatementFacts("ddl", tuple(new))


def _written(nodes: list[exp.Expr | None], names: Names) -> tuple[Relation, ...]:
    found = []
    for node in nodes:
        table = node.this if isinstance(node, exp.Schema) else node
        named = names.table(table) if isinstance(table, exp.Table) else None
        if named is not None:
            found.append(Relation(named.path, named.resolved, "write"))
    return tuple(found)
