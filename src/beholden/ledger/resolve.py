"""Which persons a predicate reached, asked of the store when someone wants to know.

The log says ``last_name = …``; the ledger keeps the condition's literal encrypted. Resolving decrypts it, looks up the
rows of the person asked about, and nobody else's, and sees whether they meet the condition. The store answers as it is
now, not as it was then: the answer says so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Final

import msgspec
import pyarrow as pa

from beholden.core.errors import BeholdenError
from beholden.core.names import Person
from beholden.core.unknown import Unknown
from beholden.ledger._whose import NOBODY, Values, pinned, whose
from beholden.ledger.format import StatementValues
from beholden.ledger.world import SubjectFields, World
from beholden.sqltext import StatementFacts, Template, analyse
from beholden.state import State
from beholden.state.subjects import Link
from beholden.state.templates import templates_by_id
from beholden.stores import FIND_VALUES_MAX, Connector
from beholden.vault import Vault

__all__ = ["UNASKED", "name_from_text", "resolve_possible"]

#: How the reason begins where a store could not be read.
UNASKED: Final = "could not be asked"

_DROP: Final = "drop"
#: A person's rows looked at in one dataset; a condition is left open when there are more.
_ROWS_MAX: Final = 10_000

_AS_IT_IS_NOW: Final = "conditions resolved against the store as it is now"

# A template whose rows are exactly those that meet its conditions, each a field held to literals: no other condition,
# LIMIT, join or grouping. Facts say what a condition names, not that there is nothing besides.
_NAME: Final = r'(?:"[^"]*"|`[^`]*`|[\w$]+)'
_HELD: Final = rf"{_NAME}(?:\.{_NAME})* (?:= (?:\?\d*|\$\d+)|in \(\?\))"
_RESTRICTED_BY: Final = re.compile(r"\b(?:where|distinct on|tablesample|limit|top|offset|fetch|join|having)\b")
_NOTHING_ELSE: Final = re.compile(
    rf"(?P<held>{_HELD}(?: and {_HELD})*)(?: order by [\w$.,\" ]*)?(?: for (?:update|share))?(?: returning [\w$.,*\" ]*)?"
)
#: What every statement has of which nothing but counts, aggregates and constants leaves.
_AGGREGATES: Final = re.compile(r"\b(?:\w+ ?\(|group by|select (?:all |distinct )?(?:\?|null|true))")
_CONJUNCT: Final = re.compile(_HELD)


@dataclass(frozen=True, slots=True)
class _Condition:
    """A dataset and the fields that must equal one of some values, together."""

    store: str
    path: str
    equals: tuple[tuple[str, tuple[str, ...]], ...]
    alone: bool  # nothing but these conditions restricts the rows


def resolve_possible(
    matched: pa.Table,
    subject: Person,
    fields: SubjectFields,
    world: World,
    vault: Vault,
    state: State,
    connector: Callable[[str], Connector],
) -> tuple[pa.Table, list[Unknown]]:
    """Turn ``possible`` rows into ``named`` where the store says the condition finds the person, drop those it excludes.

    Rows whose condition cannot be resolved stay ``possible``. Returns the table and notes on what was asked.
    """
    rows = matched.to_pylist()
    open_rows = [i for i, row in enumerate(rows) if row["match"] == "possible" and row["literals"] is not None]
    texts = templates_by_id(state, {rows[i]["statement"] for i in open_rows if rows[i]["statement"] is not None})
    open_rows = [i for i in open_rows if rows[i]["statement"] in texts]
    literals = vault.decrypt([rows[i]["literals"] for i in open_rows], [rows[i]["subjects"] for i in open_rows])
    asked = _Asked(subject, fields, connector)
    conditions: dict[tuple[Any, ...], _Condition | None] = {}
    notes: dict[tuple[str, str], int] = {}
    match = [row["match"] for row in rows]
    for i, plain in zip(open_rows, literals, strict=True):
        row = rows[i]
        key = row["store"], row["dataset"], row["statement"], plain
        if key not in conditions:
            conditions[key] = None if plain is None else _condition(row, texts[row["statement"]], plain, world)
        condition = conditions[key]
        if condition is None:
            continue
        match[i], note = asked.verdict(condition)
        if note is not None:
            notes[note] = notes.get(note, 0) + 1
    return _with_matches(matched, match), [
        Unknown("statement", place, text, count=n) for (place, text), n in notes.items()
    ]


def name_from_text(matched: pa.Table, subject: Person, world: World, vault: Vault, state: State) -> pa.Table:
    """Turn ``possible`` rows into ``named``, or drop them, where their own SQL names the persons they reached.

    Ingest does so where the kind of person is known by then; this serves what was read before a scan found it. Dropped
    are also statistics about other kinds of person: rentals counted for a clerk say nothing of a customer.
    """
    matched = _without_statistics(matched, subject, world, state)
    rows = matched.to_pylist()
    places = [i for i, row in enumerate(rows) if row["match"] == "possible" and row["literals"] and not row["subjects"]]
    texts = templates_by_id(state, {rows[i]["statement"] for i in places if rows[i]["statement"] is not None})
    places = [i for i in places if rows[i]["statement"] in texts]
    match = [row["match"] for row in rows]
    for i, plain in zip(places, vault.decrypt([rows[i]["literals"] for i in places]), strict=True):
        row = rows[i]
        found = None if plain is None else _statement(row, texts[row["statement"]], plain, world)
        if found is None:
            continue
        values, facts, _ = found
        pins = pinned(facts, world, row["store"]) if facts.kind not in ("ddl", "grant", "revoke") else {}
        told = {whose(instances, values, world) for (path, _), instances in pins.items() if path == row["dataset"]}
        reached = told.pop() if len(told) == 1 else NOBODY
        if subject in reached.people:
            match[i] = "named"
        elif reached.only and all(person.kind == subject.kind for person in reached.people):
            match[i] = _DROP
    return _with_matches(matched, match)


def _without_statistics(matched: pa.Table, subject: Person, world: World, state: State) -> pa.Table:
    rows = matched.to_pylist()
    match = [row["match"] for row in rows]
    places = [i for i, row in enumerate(rows) if row["match"] != "named" and row["statement"] is not None]
    texts = templates_by_id(state, {rows[i]["statement"] for i in places})
    known: dict[tuple[Any, ...], bool] = {}
    for i in places:
        row = rows[i]
        key = row["store"], row["dataset"], row["statement"]
        if row["statement"] in texts and key not in known:
            known[key] = _is_statistic_of_others(row, texts[row["statement"]][1], subject, world)
        if known.get(key):
            match[i] = _DROP
    return _with_matches(matched, match)


def _is_statistic_of_others(row: dict[str, Any], text: str, subject: Person, world: World) -> bool:
    """Whether a statement gives counts and the like alone, and neither shows nor asks after persons of this kind."""
    view = world.stores.get(row["store"])
    if view is None or not _AGGREGATES.search(text):
        return False
    search_path = (row["dataset"].rpartition(".")[0], *view.search_path)
    facts = analyse(Template(row["statement"], text, ()), view.dialect, view.schema, search_path=search_path)
    mine = [relation for relation in facts.relations if relation.path == row["dataset"] and relation.role == "read"]
    if facts.problem is not None or not mine or not all(relation.aggregate_only for relation in mine):
        return False
    place = row["store"], row["dataset"]
    told = {name for relation in mine for name in relation.fields if world.points_at_persons(*place, name)}
    told |= {name for one in mine for name, how in one.asked if world.asks_after_somebody(*place, name, how)}
    return not any(world.concerns(subject.kind, *place, name) for name in told)


def _with_matches(matched: pa.Table, match: list[str]) -> pa.Table:
    table = matched.set_column(matched.column_names.index("match"), "match", pa.array(match, pa.string()))
    return table.filter(pa.array([verdict != _DROP for verdict in match], pa.bool_()))


def _statement(
    row: dict[str, Any], stored: tuple[str, str], plain: bytes, world: World
) -> tuple[Values, StatementFacts, str] | None:
    """The values, facts and template text of an event's statement again, from what was encrypted of it."""
    view = world.stores.get(row["store"])
    if view is None:
        return None
    literals, groups, parameters = msgspec.json.decode(plain, type=StatementValues)
    template = Template(row["statement"], stored[1], literals, groups)
    search_path = (row["dataset"].rpartition(".")[0], *view.search_path)
    facts = analyse(template, view.dialect, view.schema, search_path=search_path)
    return Values(literals, parameters), facts, stored[1]


def _condition(row: dict[str, Any], stored: tuple[str, str], plain: bytes, world: World) -> _Condition | None:
    found = _statement(row, stored, plain, world)
    if found is None:
        return None
    values, facts, text = found
    mine = [relation for relation in facts.relations if relation.path == row["dataset"]]
    if not mine or any(relation.keys != mine[0].keys for relation in mine):
        return None  # of several references to one dataset it is not known which reached the person
    given = [(key.field, tuple(values.of(key))) for key in mine[0].keys]
    equals = tuple(
        (field, tuple(text for text in texts if text is not None)) for field, texts in given if None not in texts
    )
    written = {name for relation in mine if relation.role == "write" for name in relation.fields}
    if not equals or any(field in written for field, _ in equals):
        return None  # the statement itself changed what it asked for
    return _Condition(row["store"], row["dataset"], equals, _alone(facts, len(equals), text))


def _alone(facts: StatementFacts, held: int, text: str) -> bool:
    """Whether the ``held`` conditions on one dataset are all there is in the statement."""
    head, _, condition = text.partition(" where ")
    if len({other.path for other in facts.relations}) > 1 or any(map(_RESTRICTED_BY.search, (head, condition))):
        return False
    whole = _NOTHING_ELSE.fullmatch(condition)
    return whole is not None and len(_CONJUNCT.findall(whole["held"])) == held


class _UnresolvedError(Exception):
    """The person's rows cannot be told; the text says why and quotes nothing."""


class _Asked:
    """What the store says of one person. A dataset is asked once for all conditions on the same fields."""

    def __init__(self, subject: Person, fields: SubjectFields, connector: Callable[[str], Connector]) -> None:
        self._subject = subject
        self._fields = fields
        self._connector = cache(connector)  # one for all questions: stores limit connections
        self._rows: dict[tuple[str, str, tuple[str, ...]], list[tuple[Any, ...]] | str] = {}

    def verdict(self, condition: _Condition) -> tuple[str, tuple[str, str] | None]:
        """``named``, ``drop`` or ``possible`` for the person asked about, and what is to be said about it."""
        rows = self._rows_of(condition.store, condition.path, tuple(field for field, _ in condition.equals))
        place = f"{condition.store}/{condition.path}"
        if isinstance(rows, str):
            return "possible", (place, rows)
        meets = [_meets(row, condition) for row in rows]
        if any(met is not False for met in meets):
            if not condition.alone or True not in meets or not self._is_sure(condition.store, condition.path):
                return "possible", None
            return "named", (place, _AS_IT_IS_NOW)
        return _DROP, (place, _AS_IT_IS_NOW)

    def _rows_of(self, store: str, path: str, names: tuple[str, ...]) -> list[tuple[Any, ...]] | str:
        key = store, path, names
        if key not in self._rows:
            self._rows[key] = self._ask(*key)
        return self._rows[key]

    def _ask(self, store: str, path: str, names: tuple[str, ...]) -> list[tuple[Any, ...]] | str:
        """The fields' values in the person's rows, or why they are not known."""
        found: list[tuple[Any, ...]] = []
        try:
            for field, values in self._ways(store, path):
                for start in range(0, len(values), FIND_VALUES_MAX):
                    chunk = values[start : start + FIND_VALUES_MAX]
                    for batch in self._connector(store).find(path, field, chunk, names):
                        found += zip(*(column.to_pylist() for column in batch.columns), strict=True)
                        if len(found) > _ROWS_MAX:
                            return f"has more than {_ROWS_MAX} rows of the person: its conditions were not resolved"
        except BeholdenError as error:
            return f"{UNASKED}: {error.found}"
        except _UnresolvedError as error:
            return str(error)
        return found or "has no row of the person now: its conditions were not resolved"

    def _ways(self, store: str, path: str) -> list[tuple[str, list[str]]]:
        """How the person's rows of a dataset are found: fields, and the values that are the person's there."""
        keys = sorted(field for at, where, field in self._fields.keys if (at, where) == (store, path))
        if keys:
            return [(key, [self._subject.identifier]) for key in keys]
        ways = []
        for link in self._links(store, path):
            rows = self._rows_of(store, link.from_path, (link.from_field,))
            if isinstance(rows, str):
                raise _UnresolvedError(rows)
            ways.append((link.field, sorted({str(value) for (value,) in rows if value is not None})))
        if not ways:
            raise _UnresolvedError("holds no identifier of the person: its conditions were not resolved")
        return ways

    def _links(self, store: str, path: str) -> list[Link]:
        return [link for link in self._fields.links if (link.store, link.path) == (store, path)]

    def _is_sure(self, store: str, path: str) -> bool:
        """Whether rows found are surely the person's: of a reference by several fields each finds too many."""
        return len({link.field for link in self._links(store, path)}) < 2


def _meets(row: Iterable[Any], condition: _Condition) -> bool | None:
    """Whether a row meets all of the condition; None where only the store could tell."""
    open_ = False
    for value, (_, wanted) in zip(row, condition.equals, strict=True):
        equal = [_equal(value, text) for text in wanted]
        if True in equal:
            continue
        if None not in equal:
            return False
        open_ = True
    return None if open_ else True


def _equal(value: object, text: str) -> bool | None:
    """Whether a store would find ``value`` with the literal ``text``; None where that depends on type or collation."""
    if value is None:
        return False
    if isinstance(value, str):
        return True if value == text else None if _folded(value) == _folded(text) else False
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        try:
            return bool(Decimal(text.strip()) == value)
        except InvalidOperation:
            return None
    return None


def _folded(text: str) -> str:
    """A text without what some collations overlook: case, accents, spaces around it."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(char for char in plain if not unicodedata.combining(char)).casefold().strip()
