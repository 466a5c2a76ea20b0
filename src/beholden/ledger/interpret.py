"""From a raw event and its SQL to accesses: which dataset, whose rows, how far it reached.

One raw event becomes one access for each dataset it touched. Logs that write one record for each relation of a
statement (pgaudit) name the relation; elsewhere the statement decides. The person behind a row is found from key
predicates (``customer_id = 16``), also across joins; a predicate that names no person stays a predicate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from beholden.core.names import Person
from beholden.ledger.world import StoreView, World
from beholden.sqltext import Relation, StatementFacts, Template

__all__ = ["Access", "interpret"]

#: What a statement does to the datasets it reads and to those it writes.
_READS: Final = {"export": "export"}
_WRITES: Final = {
    "insert": "create", "create_as": "create", "copy_in": "create", "update": "update", "merge": "update",
    "delete": "delete", "truncate": "delete", "grant": "grant", "revoke": "revoke",
}  # fmt: skip
_DEFINITIONS: Final = frozenset({"ddl", "grant", "revoke", "other"})
_READING: Final = frozenset({"read", "query", "export"})
_NO_ROWS: Final = frozenset({"login", "switch", "grant", "revoke", "other"})
#: Persons named by one statement; beyond it the count is kept and the rest of the identifiers is not.
_SUBJECTS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Access:
    """One access of one dataset. ``part`` tells accesses of one record apart; '' when it is the record itself."""

    activity: str
    store: str | None
    dataset: str | None
    fields: tuple[str, ...] | None
    subjects: tuple[Person, ...]
    scope: str
    subject_count: int | None
    rows: int | None
    part: str = ""
    joined: bool = False  # the statement touched other datasets too


def interpret(
    raw: Mapping[str, Any], world: World, statement: tuple[Template, StatementFacts] | None, store: str | None
) -> list[Access]:
    """The accesses of one raw event; none when it touched no dataset (a catalogue read, a setting).

    Args:
        raw: a row of ``RAW_EVENTS``.
        world: what is known of stores and persons.
        statement: the SQL's template and facts, when the event carries SQL that could be looked at.
        store: the store the event belongs to.
    """
    named = tuple(Person.parse(text) for text in raw["subjects"] or ())
    view = world.stores.get(store) if store else None
    path = None if raw["object"] is None else (view.resolve(raw["object"]) if view else raw["object"])
    if statement is None or view is None:
        return [] if path is None and not named and raw["activity"] is None else [_plain(raw, store, path, named)]
    return _from_statement(raw, world, view, statement, path, named)


def _plain(raw: Mapping[str, Any], store: str | None, path: str | None, named: tuple[Person, ...]) -> Access:
    """An access that its log describes in full."""
    activity = raw["activity"] or "other"
    scope = raw["scope"] or ("subjects" if named else "none" if activity in _NO_ROWS else "predicate")
    fields = None if raw["fields"] is None else tuple(raw["fields"])
    count = raw["subject_count"] if raw["subject_count"] is not None else (len(named) or None)
    return Access(activity, store, path, fields, named, scope, count, raw["rows"])


def _from_statement(
    raw: Mapping[str, Any],
    world: World,
    view: StoreView,
    statement: tuple[Template, StatementFacts],
    path: str | None,
    named: tuple[Person, ...],
) -> list[Access]:
    template, facts = statement
    persons = _persons(facts, template, world, view.name)
    chosen = _chosen(raw, facts, path)
    accesses = []
    for place, relation in chosen:
        people = named or persons.get(place, ())
        activity = _activity(raw["activity"], facts, relation)
        scope = _scope(facts, relation, people, world, view.name, place)
        rows = _rows(raw, facts, scope, view, place)
        count = len(people) if people else rows if scope == "table" and world.holds_key(view.name, place) else None
        fields = relation.fields if relation is not None and relation.fields else None
        accesses.append(
            Access(
                activity,
                view.name,
                place,
                fields if raw["fields"] is None else tuple(raw["fields"]),
                people[:_SUBJECTS_MAX],
                scope,
                count,
                rows,
                part="" if path == place and len(chosen) == 1 else f"{activity}\x1f{place}",
                joined=len(facts.relations) > 1,
            )
        )
    return accesses


def _chosen(raw: Mapping[str, Any], facts: StatementFacts, path: str | None) -> list[tuple[str, Relation | None]]:
    """Which datasets the event speaks of: the one its record names, or all of the statement."""
    if path is None:
        return list(
            {(relation.path, relation.role): (relation.path, relation) for relation in facts.relations}.values()
        )
    role = "read" if raw["activity"] in _READING else "write"
    mine = [relation for relation in facts.relations if relation.path == path]
    own = next((relation for relation in mine if relation.role == role), mine[0] if mine else None)
    if raw["statement_ref"] is not None:  # the log writes a record for each relation: the others have their own
        return [(path, own)]
    others = [(relation.path, relation) for relation in facts.relations if relation.path != path]
    return [(path, own), *others]


def _activity(stated: str | None, facts: StatementFacts, relation: Relation | None) -> str:
    """What was done to this dataset; the statement speaks where the log said no more than 'query'."""
    if relation is not None and (stated in (None, "query") or facts.kind in {"export", "create_as", "insert", "merge"}):
        table, default = (_READS, "read") if relation.role == "read" else (_WRITES, "other")
        return table.get(facts.kind, default)
    return "read" if stated is None else stated


def _persons(facts: StatementFacts, template: Template, world: World, store: str) -> dict[str, tuple[Person, ...]]:
    """For each dataset of a statement the persons its rows belong to, where key predicates say so."""
    pinned: dict[str, tuple[Person, ...]] = {}
    by_path = {relation.path: relation for relation in facts.relations}
    for relation in facts.relations:
        for own, other, other_field in [(key.field, relation.path, key.field) for key in relation.keys] + list(
            relation.equal_to
        ):
            kind = world.kind_of(store, relation.path, own)
            source = by_path.get(other)
            if kind is None or source is None:
                continue
            slots = [slot for key in source.keys if key.field == other_field for slot in key.slots]
            if slots:
                people = dict.fromkeys(Person(kind, template.literals[slot].strip()) for slot in slots)
                pinned.setdefault(relation.path, tuple(people))
    grown = True
    while grown:  # a dataset joined to rows of known persons holds rows of the same persons
        grown = False
        for relation in facts.relations:
            for _, other, _ in relation.equal_to:
                for here, there in ((relation.path, other), (other, relation.path)):
                    if there in pinned and here not in pinned and here in by_path:
                        pinned[here] = pinned[there]
                        grown = True
    return pinned


def _scope(
    facts: StatementFacts, relation: Relation | None, people: tuple[Person, ...], world: World, store: str, path: str
) -> str:
    if people:
        return "subjects"
    if relation is None:
        return _scope_of_unnamed(facts)
    if facts.kind in _DEFINITIONS:
        return "none"
    if relation.aggregate_only and not any(world.kind_of(store, path, name) for name in relation.fields):
        return "none"
    if relation.role == "write" and facts.kind == "insert":
        return "predicate"
    return "predicate" if relation.filtered else "table"


def _scope_of_unnamed(facts: StatementFacts) -> str:
    """A dataset the log names and the text does not: the table under a view, or a text that was not understood."""
    if facts.problem is not None or not facts.relations:
        return "predicate"
    if facts.kind in _DEFINITIONS:
        return "none"
    return "predicate" if any(relation.filtered or relation.aggregate_only for relation in facts.relations) else "table"


def _rows(raw: Mapping[str, Any], facts: StatementFacts, scope: str, view: StoreView, path: str) -> int | None:
    """Rows as logged; where a bulk export logs none (COPY, dumps), as many as the store says the dataset has."""
    rows: int | None = raw["rows"]
    if not rows and facts.kind == "export" and scope == "table":
        return view.rows.get(path, rows)
    return rows
