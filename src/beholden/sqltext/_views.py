"""What stands behind a view: the datasets it reads, and the fields it passes on."""

from __future__ import annotations

from sqlglot import exp

from beholden.sqltext._forms import split
from beholden.sqltext._names import Names
from beholden.sqltext._parse import NotUnderstood, marked, parse
from beholden.sqltext._reader import Reader
from beholden.sqltext._settle import origins, relations
from beholden.sqltext._sources import Query, Use
from beholden.sqltext._writes import write_query
from beholden.sqltext.facts import Reach, Relation, Template, ViewSources

__all__ = ["read_view"]


def read_view(made: Template, names: Names) -> ViewSources | None:
    """The sources of a view from its definition, a query or a CREATE VIEW; None where it is not understood."""
    try:
        statements = split(marked(made, names.dialect))
        tree = parse(statements[0], names.dialect) if len(statements) == 1 else None
        if isinstance(tree, exp.Create):
            query = tree.expression
            if tree.args.get("with_") and isinstance(query, exp.Query):
                query.set("with_", tree.args["with_"])
            tree = query
        return _sources(tree, names) if isinstance(tree, exp.Query | exp.Values) else None
    except (NotUnderstood, RecursionError):
        return None
    except Exception:  # noqa: BLE001 - a tree of a shape not met before must not end a scan; its text is never told
        return None


def _sources(tree: exp.Expr, names: Names) -> ViewSources:
    reader = Reader(names, write_query)
    query = reader.query(tree)
    query.use_all(Use.OUT)
    reads: dict[str, Reach] = {}
    for relation in relations(reader, gives_rows=True):
        reach = _reach(relation, lost=reader.lost)
        reads[relation.path] = max(reach, reads.get(relation.path, "none"), key=("none", "part", "whole").index)
    return ViewSources(reads, _columns(reader, query))


def _reach(relation: Relation, *, lost: bool) -> Reach:
    """How much of a dataset leaves; ``lost`` says that something left of which it is not known whose it is."""
    if relation.resolved and not relation.fields and not lost:
        return "none"
    return "part" if relation.filtered or relation.aggregate_only else "whole"


def _columns(reader: Reader, query: Query) -> tuple[tuple[tuple[str, str], ...], ...]:
    if any(scope.open_stars for scope in query.branches):
        return ()  # which column stands in which place is not known
    width = min((len(scope.outputs) for scope in query.branches), default=0)
    return tuple(
        tuple(
            dict.fromkeys(
                (table.named.path, table.spelled(column)) for table, column in origins(reader, query, place) or ()
            )
        )
        for place in range(width)
    )
