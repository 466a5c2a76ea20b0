"""What a statement touches: parsed once for each template, and brought to each statement's own literals."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from beholden.sqltext._forms import split
from beholden.sqltext._names import Names
from beholden.sqltext._parse import NotUnderstood, marked
from beholden.sqltext._statements import merge_facts, read_statement
from beholden.sqltext._views import read_view
from beholden.sqltext.facts import KeyPredicate, Relation, Schema, StatementFacts, Template, ViewSources
from beholden.sqltext.template import template

__all__ = ["TEMPLATES_MAX", "Analyser", "analyse"]

#: Templates an analyser remembers; the one used longest ago goes first. About 4 KB each.
TEMPLATES_MAX: Final = 10_000


def analyse(
    template: Template, dialect: str, schema: Schema, *, search_path: Sequence[str] = ("public",)
) -> StatementFacts:
    """What the statement behind ``template`` reads and writes.

    Args:
        template: from `beholden.sqltext.template`.
        dialect: sqlglot's name of the dialect, the same the template was made with.
        schema: dataset paths and their fields in order.
        search_path: the schemas an unqualified name is looked for in, first one first (MySQL: the database;
            SQLite: ``main``).

    Returns:
        Facts whose slots index ``template.literals``. A statement that cannot be understood has ``problem`` set, and
        what relations could be read from its other parts.

    Raises:
        UsageError: sqlglot knows no such dialect.
    """
    return _at_literals(_shape(template, Names(dialect, schema, search_path)), template)


class Analyser:
    """Analyses the statements of one store, parsing each template once.

    Holds at most ``templates_max`` templates. Make a new one when the schema changes. Not for use by several threads.
    """

    def __init__(
        self,
        dialect: str,
        schema: Schema,
        search_path: Sequence[str] = ("public",),
        *,
        templates_max: int = TEMPLATES_MAX,
    ) -> None:
        self._names = Names(dialect, schema, search_path)
        self._shapes: OrderedDict[bytes, StatementFacts] = OrderedDict()
        self._templates_max = templates_max

    def facts(self, sql: str) -> tuple[Template, StatementFacts]:
        """The statement's template and what it touches. Cost: about 10 us; about 1 ms for a template not yet seen."""
        made = template(sql, self._names.dialect)
        shape = self._shapes.get(made.template_id)
        if shape is None:
            shape = self._shapes[made.template_id] = _shape(made, self._names)
            if len(self._shapes) > self._templates_max:
                self._shapes.popitem(last=False)
        else:
            self._shapes.move_to_end(made.template_id)
        return made, _at_literals(shape, made)

    def view_sources(self, sql: str) -> ViewSources | None:
        """What stands behind a view, from its query or its CREATE VIEW; None where that is not understood.

        Nothing of the text is kept. Functions it calls are not looked into.
        """
        return read_view(template(sql, self._names.dialect), self._names)


def _shape(made: Template, names: Names) -> StatementFacts:
    """Facts whose slots are places of ``?`` in the text: the same for all statements of a template."""
    try:
        statements = split(marked(made, names.dialect))
    except NotUnderstood as error:
        return StatementFacts("other", problem=str(error))
    if not statements:
        return StatementFacts("other")
    return merge_facts([read_statement(sql, names) for sql in statements])


def _at_literals(shape: StatementFacts, made: Template) -> StatementFacts:
    """Facts whose slots are literals of this statement. They differ from the shape only where lists were folded."""
    if not made.groups or not any(relation.keys or relation.assigned for relation in shape.relations):
        return shape
    return replace(shape, relations=tuple(_with_slots(relation, made.groups) for relation in shape.relations))


def _with_slots(relation: Relation, groups: tuple[tuple[int, ...], ...]) -> Relation:
    return replace(relation, keys=tuple(_keys(relation.keys, groups)), assigned=tuple(_keys(relation.assigned, groups)))


def _keys(keys: tuple[KeyPredicate, ...], groups: tuple[tuple[int, ...], ...]) -> Iterator[KeyPredicate]:
    for key in keys:
        given = [groups[place] for place in key.slots]
        if all(given):  # an empty group: some row of VALUES holds no plain literal there
            yield KeyPredicate(key.field, tuple(slot for group in given for slot in group), key.parameters)
