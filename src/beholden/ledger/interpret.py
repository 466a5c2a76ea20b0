"""From a raw event and its SQL to accesses: which dataset, whose rows, how far it reached.

One raw event becomes one access for each dataset it touched. Logs that write one record for each relation of a
statement (pgaudit) name the relation; elsewhere the statement decides. Whose rows they are is ``_whose``'s to say.

An access of scope ``subjects`` reached the persons it names and nobody else. One of scope ``predicate`` or ``table``
reached those it names, and perhaps others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from beholden.core.errors import UsageError
from beholden.core.names import Person
from beholden.ledger._whose import NOBODY, Pin, Values, Whose, pinned, whose
from beholden.ledger.world import StoreView, World, fits
from beholden.sqltext import Relation, StatementFacts, Template

__all__ = ["NO_ROWS", "SUBJECTS_MAX", "Access", "Interpreter", "People", "RefusedRecordError", "acting", "people_of"]

#: What a statement does to the datasets it reads and to those it writes.
_READS: Final = {"export": "export"}
_WRITES: Final = {
    "insert": "create", "create_as": "create", "copy_in": "create", "update": "update", "merge": "update",
    "delete": "delete", "truncate": "delete", "grant": "grant", "revoke": "revoke",
}  # fmt: skip
_DEFINITIONS: Final = frozenset({"ddl", "grant", "revoke", "other"})
#: Writes that add rows, or change those another dataset picks: rows that were there before are touched by chance.
_ADDITIONS: Final = frozenset({"insert", "create_as", "copy_in", "merge"})
_CHANGES: Final = frozenset({"create", "update", "delete"})
#: A MERGE does several things, and only its log says which.
_SURE_CHANGES: Final = frozenset({"insert", "update", "delete"})
_READING: Final = frozenset({"read", "query", "export"})
#: What is done to nobody's rows.
NO_ROWS: Final = frozenset({"login", "switch", "grant", "revoke", "other"})
#: Persons named by one statement; beyond it the count is kept and the rest of the identifiers is not.
SUBJECTS_MAX: Final = 10_000
#: Templates remembered; then it begins anew.
_PLANS_MAX: Final = 10_000


class RefusedRecordError(Exception):
    """A record names people in a way that cannot be kept. The text says why and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class People:
    """Who a record says acted, for whom, with which credential, from which device, and upon whom."""

    actor: Person | None
    on_behalf_of: Person | None
    credential: Person | None
    device: Person | None
    subjects: tuple[Person, ...]

    @property
    def subject_acts(self) -> bool:
        """Whether a data subject acts: members of staff and programs are of kind actor."""
        return self.actor is not None and self.actor.kind != "actor"

    @property
    def acting_subject(self) -> tuple[Person, ...]:
        """The data subject who acts, or for whom somebody does."""
        acting = self.actor if self.subject_acts else self.on_behalf_of
        return () if acting is None else (acting,)

    def __iter__(self) -> Iterator[Person]:
        for person in (self.actor, self.on_behalf_of, self.credential, self.device):
            if person is not None:
                yield person
        yield from self.subjects


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


def people_of(raw: Mapping[str, Any], world: World) -> People:
    """The people a record names; a customer who acts is the same person as the customer who is acted upon.

    Raises:
        RefusedRecordError: one is not of the form kind:identifier, or too long to be an identifier.
    """
    actor, behalf, credential, device = raw["actor"], raw["on_behalf_of"], raw["credential"], raw["device"]
    subjects = raw["subjects"]
    people = People(
        acting(actor, raw["actor_kind"], world),
        None if behalf is None else _stated(behalf, world, "on_behalf_of"),
        None if credential is None else Person("credential", credential),
        None if device is None else Person("device", device),
        tuple(dict.fromkeys(_stated(text, world, "subjects") for text in subjects)) if subjects else (),
    )
    if not all(map(fits, people)):
        raise RefusedRecordError("identifier too long")
    return people


def acting(actor: str | None, kind: str | None, world: World) -> Person | None:
    """Who acted, by the source's own identifier and the kind it states."""
    if actor is None:
        return None
    return world.person(kind if kind is not None and world.is_kind(kind) else "actor", actor)[0]


def _stated(text: str, world: World, column: str) -> Person:
    try:
        person = Person.parse(text)
    except UsageError:
        raise RefusedRecordError(f"{column}: not kind:identifier") from None
    return world.person(person.kind, person.identifier)[0]


class Interpreter:
    """Says what accesses raw events are. Keeps what it worked out of a template; not for use by several threads.

    Args:
        world: what is known of stores and persons.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._plans: dict[tuple[str, str, bytes], _Plan] = {}

    def accesses(
        self,
        raw: Mapping[str, Any],
        people: People,
        statement: tuple[Template, StatementFacts] | None,
        store: str | None,
    ) -> list[Access]:
        """The accesses of one raw event; none when it touched no dataset (a catalogue read, a setting).

        Args:
            raw: a row of ``RAW_EVENTS``.
            people: those it names.
            statement: the SQL's template and facts, when the event carries SQL that could be looked at.
            store: the store the event belongs to.
        """
        named = people.subjects
        view = self._world.stores.get(store) if store else None
        path = None if raw["object"] is None else (view.resolve(raw["object"]) if view else raw["object"])
        if statement is not None and view is not None:
            template, facts = statement
            values = Values(template.literals, tuple(raw["parameters"] or ()))
            plan = self._plan(view, raw, template, facts)
            found = _from_statement(raw, self._world, view, values, plan, path, named)
            return found if found or not named else [_plain(raw, store, path, named)]
        silent = path is None and not named and raw["activity"] is None
        if silent and (view is not None or not raw["statement"]):
            return []
        return [_plain(raw, store, path, named)]  # also SQL on a store that nobody knows: something was done there

    def _plan(self, view: StoreView, raw: Mapping[str, Any], template: Template, facts: StatementFacts) -> _Plan:
        if template.groups:  # its slots are those of this statement alone
            return _planned(facts, view, self._world)
        key = (view.name, view.near(raw["object"]), template.template_id)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _PLANS_MAX:
                self._plans.clear()
            plan = self._plans[key] = _planned(facts, view, self._world)
        return plan


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is the same for all statements of a template."""

    facts: StatementFacts
    relations: dict[tuple[str, str], Relation]  # by path and role
    pins: dict[tuple[str, str], list[tuple[Pin, ...]]]
    views_over: dict[str, list[tuple[str, str]]]  # views (path and role) that may read a dataset named beside them


def _planned(facts: StatementFacts, view: StoreView, world: World) -> _Plan:
    facts = _placed(facts, view)
    found: dict[tuple[str, str], list[Relation]] = {}
    for relation in facts.relations:
        found.setdefault((relation.path, relation.role), []).append(relation)
    merged = {key: _merged(relations) for key, relations in found.items()}
    over = {
        path: [key for key in merged if key[0] != path and view.may_read(key[0], path)]
        for path in {one for one, _ in merged}
    }
    if facts.kind in _DEFINITIONS:  # nobody's rows are reached
        return _Plan(facts, merged, {key: [] for key in merged}, over)
    return _Plan(facts, merged, pinned(facts, world, view.name), over)


def _plain(raw: Mapping[str, Any], store: str | None, path: str | None, named: tuple[Person, ...]) -> Access:
    """An access that its log describes in full."""
    activity = raw["activity"] or ("query" if raw["statement"] else "other")
    scope = raw["scope"] or ("subjects" if named else "none" if activity in NO_ROWS else "predicate")
    fields = None if raw["fields"] is None else tuple(raw["fields"])
    count = raw["subject_count"] if raw["subject_count"] is not None else (len(named) or None)
    return Access(activity, store, path, fields, named[:SUBJECTS_MAX], scope, count, raw["rows"])


def _placed(facts: StatementFacts, view: StoreView) -> StatementFacts:
    """The facts with every dataset at its path, also those the schema lacks: a later scan must not make two of one."""
    if all(relation.resolved for relation in facts.relations):
        return facts
    paths = {relation.path: view.resolve(relation.path) for relation in facts.relations if not relation.resolved}
    return replace(
        facts,
        relations=tuple(
            replace(
                relation,
                path=paths.get(relation.path, relation.path),
                equal_to=tuple((own, paths.get(other, other), field) for own, other, field in relation.equal_to),
            )
            for relation in facts.relations
        ),
    )


def _from_statement(
    raw: Mapping[str, Any],
    world: World,
    view: StoreView,
    values: Values,
    plan: _Plan,
    path: str | None,
    named: tuple[Person, ...],
) -> list[Access]:
    facts = plan.facts
    chosen = _chosen(raw, plan, path)
    accesses = []
    for place, relation in chosen:
        activity = _activity(raw["activity"], facts, relation)
        reached = _reached(plan, values, world, view.name, place, relation, alone=raw["statement_ref"] is None)
        people = tuple(dict.fromkeys((*named, *reached.people))) if named else reached.people
        scope = raw["scope"] or _scope(
            facts, relation, reached, world, view.name, place, stated=bool(named), is_whole=_is_whole(raw, view, place)
        )
        rows = _rows(raw, facts, scope, view, place)
        if scope == "table" and raw["scope"] is None and view.shows_part(place):
            scope = "predicate"  # all of a view that leaves rows out
        fields = relation.fields if relation is not None and relation.fields else None
        accesses.append(
            Access(
                activity,
                view.name,
                place,
                fields if raw["fields"] is None else tuple(raw["fields"]),
                people[:SUBJECTS_MAX],
                scope,
                _count(raw, scope, len(people), rows if world.is_home(view.name, place) else None),
                rows,
                part="" if path == place and len(chosen) == 1 else f"{activity}\x1f{place}",
                joined=relation is None or len(plan.relations) > 1,
            )
        )
    return accesses


def _chosen(raw: Mapping[str, Any], plan: _Plan, path: str | None) -> list[tuple[str, Relation | None]]:
    """Which datasets the event speaks of: the one its record names, or all of the statement."""
    relations = plan.relations
    if path is None:
        return [(place, relation) for (place, _), relation in relations.items()]
    roles = ("read", "write") if raw["activity"] in _READING else ("write", "read")
    own = relations.get((path, roles[0])) or relations.get((path, roles[1]))
    if raw["statement_ref"] is not None:  # the log writes a record for each relation: the others have their own
        return [(path, own)]
    return [(path, own), *((place, relation) for (place, _), relation in relations.items() if place != path)]


def _merged(relations: Sequence[Relation]) -> Relation:
    """A dataset that a statement names several times, as one: it was reached as far as the farthest of them."""
    if len(relations) == 1:
        return relations[0]
    return replace(
        relations[0],
        fields=tuple(dict.fromkeys(name for relation in relations for name in relation.fields)),
        filtered=all(relation.filtered for relation in relations),
        aggregate_only=all(relation.aggregate_only for relation in relations),
        change=relations[0].change if len({relation.change for relation in relations}) == 1 else None,
    )


def _activity(stated: str | None, facts: StatementFacts, relation: Relation | None) -> str:
    """What was done to this dataset; the statement speaks where the log said no more than 'query'."""
    if relation is None:
        unclear = facts.problem is not None or facts.kind in _DEFINITIONS
        return stated or ("query" if unclear else _READS.get(facts.kind, "read"))
    if relation.role == "read":
        if stated in (None, "query") or facts.kind in _WRITES or facts.kind in _READS:
            return _READS.get(facts.kind, "read")
    elif relation.change in _SURE_CHANGES:
        return _WRITES[relation.change]
    elif stated not in _CHANGES and (stated in (None, "query") or _adds(facts, relation)):
        return _WRITES.get(facts.kind, "other")
    return stated or "read"


def _adds(facts: StatementFacts, relation: Relation) -> bool:
    """Whether the statement writes rows of this dataset that it did not pick by a condition on it."""
    return relation.role == "write" and (relation.change or facts.kind) in _ADDITIONS


def _reached(
    plan: _Plan, values: Values, world: World, store: str, place: str, relation: Relation | None, *, alone: bool
) -> Whose:
    """Whose rows of one dataset the statement reached. ``alone``: what it read of it under views is no part of the record."""
    if relation is not None:
        found = [whose(plan.pins[place, relation.role], values, world)]
        found += [] if alone else [whose(plan.pins[key], values, world) for key in plan.views_over[place]]
        people = dict.fromkeys(person for one in found for person in one.people)
        kinds = world.kinds_in(store, place)
        # Rows of persons of a kind that only persons of other kinds lead to: whose they are is not said.
        is_told = not kinds or any(person.kind in kinds for person in people)
        return Whose(tuple(people), is_told and all(one.only for one in found))
    # The table under a view: its rows are those of whom the view was asked about, if that is one and the same.
    told = {whose(pins, values, world) for pins in plan.pins.values()} if plan.facts.problem is None else set()
    return told.pop() if len(told) == 1 else NOBODY


def _scope(
    facts: StatementFacts,
    relation: Relation | None,
    reached: Whose,
    world: World,
    store: str,
    path: str,
    *,
    stated: bool,
    is_whole: bool,
) -> str:
    """How far the access reached. ``stated``: its log names persons; ``is_whole``: it counts as many rows as there are."""
    if relation is None:
        scope = _scope_of_unnamed(facts, is_whole=is_whole)
    elif facts.problem is not None:
        scope = "predicate"
    elif facts.kind in _DEFINITIONS:
        scope = "none"
    elif relation.aggregate_only and not any(world.points_at_persons(store, path, name) for name in relation.fields):
        scope = "predicate" if _singles_out(relation, world, store, path) else "none"
    elif relation.filtered or _adds(facts, relation):
        scope = "predicate"
    else:
        scope = "table"
    if reached.only:
        return "subjects"
    return "subjects" if stated and not reached.people and scope != "table" else scope


def _singles_out(relation: Relation, world: World, store: str, path: str) -> bool:
    """Whether a statement that gives nobody's fields asked about somebody: is there one of this name, and how many?

    As long as no kind of person is known here, any field compared with a value may turn out to name one.
    """
    if not world.knows_persons_of(store):
        return any(how != "range" for _, how in relation.asked)
    return any(world.asks_after_somebody(store, path, name, how) for name, how in relation.asked)


def _scope_of_unnamed(facts: StatementFacts, *, is_whole: bool) -> str:
    """A dataset the log names and the text does not: the table under a view, or a text that was not understood.

    What a view leaves out is not known here: it read the whole table only if it gave as many rows.
    """
    if facts.problem is not None or not facts.relations:
        return "predicate"
    if facts.kind in _DEFINITIONS:
        return "none"
    restricted = any(relation.filtered or relation.aggregate_only for relation in facts.relations)
    return "table" if is_whole and not restricted else "predicate"


def _is_whole(raw: Mapping[str, Any], view: StoreView, place: str) -> bool:
    held = view.rows.get(place)
    return raw["rows"] is not None and held is not None and raw["rows"] >= held > 0


def _count(raw: Mapping[str, Any], scope: str, named: int, rows_at_home: int | None) -> int | None:
    """How many persons: as logged, as named where nobody else was reached, or as many as the dataset has rows."""
    stated: int | None = raw["subject_count"]
    if stated is not None:
        return stated
    if scope == "subjects":
        return named or None
    return rows_at_home if scope == "table" else None


def _rows(raw: Mapping[str, Any], facts: StatementFacts, scope: str, view: StoreView, path: str) -> int | None:
    """Rows as logged; where a bulk export logs none (COPY, dumps), as many as the store says the dataset has."""
    rows: int | None = raw["rows"]
    if not rows and facts.kind == "export" and scope == "table":
        return view.rows.get(path, rows)
    return rows
