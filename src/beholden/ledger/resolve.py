"""Which persons a predicate reached, asked of the store when someone wants to know.

The log says ``last_name = …``; the ledger keeps the condition's literal encrypted. Resolving decrypts it, looks the
matching rows up in the store and compares their key with the person asked about. The store answers as it is now, not
as it was then: the answer says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pyarrow as pa

from beholden.core.errors import BeholdenError
from beholden.core.names import Person
from beholden.core.unknown import Unknown
from beholden.ledger.world import SubjectFields, World
from beholden.sqltext import Relation, Template, analyse
from beholden.state import State
from beholden.state.templates import templates_by_id
from beholden.stores import Connector
from beholden.vault import Vault

__all__ = ["resolve_possible"]

_DROP = "drop"


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
    open_rows = [i for i, row in enumerate(rows) if row["match"] == "possible"]
    texts = templates_by_id(state, {rows[i]["statement"] for i in open_rows if rows[i]["statement"] is not None})
    verdicts: dict[_Condition, str] = {}
    notes: dict[tuple[str, str], int] = {}
    match = [row["match"] for row in rows]
    for i in open_rows:
        condition = _condition(rows[i], texts, world, vault)
        if condition is None:
            continue
        if condition not in verdicts:
            try:
                verdicts[condition] = _verdict(condition, subject, fields, connector)
            except BeholdenError as error:
                notes[condition.store, f"could not be asked: {error.found}"] = 1
                verdicts[condition] = "possible"
        match[i] = verdicts[condition]
        if match[i] != "possible":
            place, text = f"{condition.store}/{condition.path}", "conditions resolved against the store as it is now"
            notes[place, text] = notes.get((place, text), 0) + 1
    table = matched.set_column(matched.column_names.index("match"), "match", pa.array(match, pa.string()))
    keep = pa.array([verdict != _DROP for verdict in match])
    return table.filter(keep), [Unknown("statement", place, text, count=n) for (place, text), n in notes.items()]


def _condition(
    row: dict[str, object], texts: dict[bytes, tuple[str, str]], world: World, vault: Vault
) -> _Condition | None:
    statement, blob, store, path = row["statement"], row["literals"], str(row["store"]), str(row["dataset"])
    view = world.stores.get(store)
    if not isinstance(statement, bytes) or not isinstance(blob, bytes) or statement not in texts or view is None:
        return None
    plain = vault.decrypt([blob])[0]
    if plain is None:
        return None
    literals, groups = msgspec.json.decode(plain, type=tuple[tuple[str, ...], tuple[tuple[int, ...], ...]])
    template = Template(statement, texts[statement][1], literals, groups)
    facts = analyse(template, view.dialect, view.schema, search_path=view.search_path)
    relation = next((relation for relation in facts.relations if relation.path == path), None)
    if relation is None:
        return None
    equals = tuple((key.field, tuple(literals[slot] for slot in key.slots)) for key in relation.keys if key.slots)
    return _Condition(store, path, equals, _alone(relation)) if equals else None


def _alone(relation: Relation) -> bool:
    return set(relation.fields_filtered) <= {key.field for key in relation.keys} and not relation.equal_to


def _verdict(
    condition: _Condition, subject: Person, fields: SubjectFields, connector: Callable[[str], Connector]
) -> str:
    """``named``, ``drop`` or ``possible`` for the person asked about."""
    keys = [name for store, path, name in fields.keys if (store, path) == (condition.store, condition.path)]
    if not keys:
        return "possible"
    for field, values in condition.equals:
        found = any(
            subject.identifier in {str(value) for value in batch.column(0).to_pylist()}
            for key in keys
            for batch in connector(condition.store).find(condition.path, field, values, [key])
        )
        if not found:
            return _DROP
    return "named" if condition.alone else "possible"
