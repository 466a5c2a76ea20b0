"""From raw events to the ledger's, one by one: those with SQL, and those with anything else out of the ordinary.

What `plain_events` makes by columns would become the same here: this is what it is held against.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from beholden.core.events import DEFAULT_CLASS_UID
from beholden.core.names import Person
from beholden.core.times import Clock
from beholden.ledger._addresses import packed_addresses
from beholden.ledger._kept import COPIED, LABEL_CHARS_MAX, LABELS, Kept
from beholden.ledger.databases import ANOTHER_DATABASE, DatabaseStores
from beholden.ledger.format import INPUT_EVENTS, StatementValues
from beholden.ledger.interpret import Access, Interpreter, People, RefusedRecordError, people_of
from beholden.ledger.world import World
from beholden.sqltext import StatementFacts, Template
from beholden.state import State
from beholden.state.templates import put_templates
from beholden.vault import Vault

__all__ = ["NO_SCHEMA", "OneByOne", "Outcome"]

_SEPARATOR: Final = b"\x1f"
#: Columns that an event is made from.
_READ: Final = (
    "record", "identity", "actor", "actor_kind", "on_behalf_of", "credential", "session", "device", "app",
    "class_uid", "activity", "store", "database",
    "object", "fields", "subjects", "scope", "subject_count", "rows", "purpose", "assignment", "statement",
    "parameters", "statement_ref", "detail",
)  # fmt: skip
#: Why SQL is not looked into; it is read again when the schema is known.
NO_SCHEMA: Final = "the schema of its store is not known yet; scan the store and read the log again"
_Statement = tuple[Template, StatementFacts]
_MADE: Final = tuple(name for name in INPUT_EVENTS.names if name not in COPIED)


@dataclass(frozen=True, slots=True)
class _Row:
    """An access with the raw event it came from (its row in the batch) and its SQL."""

    place: int
    raw: dict[str, Any]
    people: People
    access: Access
    template: Template | None  # None where there is no SQL, or it was not understood


@dataclass(slots=True)
class Outcome:
    """What becomes of records that are not kept, or not all of them: record to reason."""

    kept: set[int] = field(default_factory=set)  # records with at least one event that is
    noise: dict[int, str] = field(default_factory=dict)  # they tell of no access
    problems: dict[int, str] = field(default_factory=dict)  # they were not understood


class OneByOne:
    """Makes events of one source's raw events.

    Args:
        state: takes templates.
        vault: gives people their tokens, encrypts literals.
        world: stores' schemas and the fields that name persons.
        clock: the present.
    """

    def __init__(self, *, state: State, vault: Vault, world: World, clock: Clock) -> None:
        self._state = state
        self._vault = vault
        self._world = world
        self._interpreter = Interpreter(world)
        self._clock = clock

    def events(self, raw: pa.RecordBatch, stores: DatabaseStores, source: str, outcome: Outcome) -> Kept:
        """The events of raw events, in their order; templates and people are durable when it returns.

        Those that touched no dataset, or cannot be kept, are dropped, with the reason in ``outcome``.

        Args:
            raw: a batch of ``RAW_EVENTS``.
            stores: says whose database a record is of.
            source: the server or application whose records they are.
            outcome: what is known of the records' fate so far.
        """
        rows = self._understand(raw, stores, outcome)
        places = np.array([row.place for row in rows], np.int64)
        return Kept(self._events(raw, rows, places, source), places)

    def _understand(self, raw_events: pa.RecordBatch, stores: DatabaseStores, outcome: Outcome) -> list[_Row]:
        rows: list[_Row] = []
        last: tuple[str | None, str | None, str] | None = None  # records of one statement follow each other
        statement: _Statement | None = None
        for place, raw in enumerate(raw_events.select(_READ).to_pylist()):
            store, elsewhere = (raw["store"], None) if raw["store"] else stores.store_of(raw["database"])
            if elsewhere is not None:
                reasons = outcome.noise if elsewhere == ANOTHER_DATABASE else outcome.problems
                reasons.setdefault(raw["record"], elsewhere)
                continue
            view = self._world.stores.get(store) if store else None
            if view is not None and not view.is_known and raw["statement"]:
                outcome.problems.setdefault(raw["record"], NO_SCHEMA)
                continue
            near = "" if view is None else view.near(raw["object"])
            if last != (store, raw["statement"], near):
                last = store, raw["statement"], near
                statement = view.facts(raw["statement"], near) if view is not None and raw["statement"] else None
            try:
                people = people_of(raw, self._world)
            except RefusedRecordError as error:
                outcome.problems.setdefault(raw["record"], str(error))
                continue
            accesses = self._interpreter.accesses(raw, people, statement, store)
            if not accesses:
                problem = _problem(statement)
                if problem is None:
                    outcome.noise.setdefault(raw["record"], "no dataset")
                else:
                    outcome.problems.setdefault(raw["record"], problem)
                continue
            outcome.kept.add(raw["record"])
            template = None if statement is None or not _is_kept(statement[1]) else statement[0]
            rows += [_Row(place, raw, people, access, template) for access in accesses]
        return rows

    def _events(self, raw: pa.RecordBatch, rows: list[_Row], places: Any, source: str) -> pa.RecordBatch:
        if not rows:
            return pa.RecordBatch.from_pylist([], schema=INPUT_EVENTS)
        tokens = self._tokens(rows)
        self._keep_templates(rows)
        joined = _joined_statements(rows)
        made = [self._made(row, tokens, source, joined) for row in rows]
        columns: dict[str, Any] = dict(zip(_MADE, map(list, zip(*made, strict=True)), strict=True))
        secrets = [secret for i, row in enumerate(rows) for secret in _secrets(i, row, tokens)]
        blobs = self._vault.encrypt_many([(owners, text) for _, _, text, owners in secrets])
        for (name, i, _, _), blob in zip(secrets, blobs, strict=True):
            columns[name][i] = blob
        columns["uid"] = _cut("uid", self._vault.keyed_hash("uid", columns["uid"]))
        for name in ("session", "correlation"):
            columns[name] = self._hash_present(name, columns[name])
        copied = {name: raw.column(name).take(pa.array(places)) for name in COPIED}
        own = pa.array([row.people.subject_acts for row in rows], pa.bool_())
        copied["ip"] = packed_addresses(copied["ip"], partial(self._vault.keyed_hash, "ip"), own)
        return pa.RecordBatch.from_arrays(
            [
                copied[entry.name] if entry.name in copied else pa.array(columns[entry.name], entry.type)
                for entry in INPUT_EVENTS
            ],
            schema=INPUT_EVENTS,
        )

    def _hash_present(self, purpose: str, values: list[bytes | None]) -> list[bytes | None]:
        hashes = iter(_cut(purpose, self._vault.keyed_hash(purpose, [value for value in values if value is not None])))
        return [None if value is None else next(hashes) for value in values]

    def _tokens(self, rows: list[_Row]) -> dict[Person, bytes]:
        found: dict[Person, None] = {}
        for row in rows:
            found.update(dict.fromkeys(row.people))
            found.update(dict.fromkeys(row.access.subjects))
            found.update(dict.fromkeys(filter(None, (_label(row.raw, name) for name in LABELS))))
        people = list(found)
        return dict(zip(people, self._vault.tokens(people), strict=True))

    def _keep_templates(self, rows: list[_Row]) -> None:
        new: dict[bytes, tuple[str, str]] = {}
        for row in rows:
            if row.template is not None and row.template.template_id not in new:
                view = self._world.stores[row.access.store or ""]
                new[row.template.template_id] = (view.dialect, row.template.text)
        put_templates(self._state, new, now=self._clock())

    def _made(self, row: _Row, tokens: dict[Person, bytes], source: str, joined: set[str]) -> tuple[Any, ...]:
        """The values of ``_MADE``, in order; what is encrypted or hashed is filled in for all rows at once."""
        raw, access, people = row.raw, row.access, row.people
        values: dict[str, Any] = {
            "source": source,
            "uid": _identity(row, source),
            "class_uid": raw["class_uid"] or DEFAULT_CLASS_UID,
            "activity": access.activity,
            "actor": _token(people.actor, tokens),
            "on_behalf_of": _token(people.on_behalf_of, tokens),
            "credential": _token(people.credential, tokens),
            "session": None if raw["session"] is None else raw["session"].encode("utf-8", "surrogatepass"),
            "device": _token(people.device, tokens),
            "app": _token(_label(raw, "app"), tokens),
            "store": access.store,
            "dataset": access.dataset,
            "fields": access.fields,
            "subjects": [tokens[person] for person in access.subjects] or None,
            "scope": access.scope,
            "subject_count": access.subject_count,
            "rows": access.rows,
            "purpose": _token(_label(raw, "purpose"), tokens),
            "assignment": _token(_label(raw, "assignment"), tokens),
            "statement": None if row.template is None else row.template.template_id,
            "literals": None,
            "correlation": _correlation(row, source, joined),
            "detail": None,
        }
        return tuple([values[name] for name in _MADE])


def _is_kept(facts: StatementFacts) -> bool:
    """Whether a statement's template may be kept: definitions and grants name people where others name fields."""
    return facts.problem is None and facts.kind not in ("ddl", "grant", "revoke", "other")


def _label(raw: Mapping[str, Any], name: str) -> Person | None:
    """A text of a record that the vault gives a token to, as it does to persons."""
    text = raw[name]
    return Person(name, text[:LABEL_CHARS_MAX]) if text else None


def _token(person: Person | None, tokens: Mapping[Person, bytes]) -> bytes | None:
    return None if person is None else tokens[person]


def _problem(statement: _Statement | None) -> str | None:
    if statement is None or statement[1].problem is None:
        return None
    return f"statement not understood: {statement[1].problem}"


def _secrets(i: int, row: _Row, tokens: dict[Person, bytes]) -> Iterator[tuple[str, int, bytes, list[bytes]]]:
    """What must be encrypted: (column, row, plain text, its owners' tokens; none: the estate).

    Of several subjects it takes all keys to read it: nobody's values outlive them because another was named too.
    """
    template = row.template
    # SQL that is not understood may hold values anywhere, and a definition people's names: it is kept whole, encrypted
    literals, groups = (template.literals, template.groups) if template else ((row.raw["statement"] or "",), ())
    parameters = tuple(row.raw["parameters"] or ())
    owners = [tokens[person] for person in row.access.subjects or row.people.acting_subject]
    if parameters or (literals and (template or literals[0])):
        yield "literals", i, _encoded((literals, groups, parameters)), owners
    if row.raw["detail"] is not None:
        yield "detail", i, row.raw["detail"].encode("utf-8", "surrogatepass"), owners


def _cut(column: str, hashes: list[bytes]) -> list[bytes]:
    """Keyed hashes as long as their column is wide; each bit of one is as good as any other."""
    width = INPUT_EVENTS.field(column).type.byte_width
    return [digest[:width] for digest in hashes]


def _encoded(values: StatementValues) -> bytes:
    try:
        return msgspec.json.encode(values)
    except UnicodeEncodeError:  # an escape in the SQL named half a character
        texts = [text.encode("utf-8", "replace").decode() for text in values[0]]
        return msgspec.json.encode((texts, *values[1:]))


def _identity(row: _Row, source: str) -> bytes:
    """What makes the event itself.

    pgaudit writes a COPY of a query twice, once for each relation and once for the COPY itself: both mean one access,
    so a COPY is known by its statement and dataset.
    """
    raw, access = row.raw, row.access
    if access.activity == "export" and raw["statement_ref"] is not None:
        parts = ("export", source, raw["statement_ref"], access.dataset or "")
        return _SEPARATOR.join(part.encode() for part in parts)
    identity: bytes = raw["identity"]
    return identity + _SEPARATOR + access.part.encode() if access.part else identity


def _joined_statements(rows: list[_Row]) -> set[str]:
    """Statements with several records: a view's text does not name the tables under it, the log does."""
    counts = Counter(row.raw["statement_ref"] for row in rows)
    return {ref for ref, count in counts.items() if ref is not None and count > 1}


def _correlation(row: _Row, source: str, joined: set[str]) -> bytes | None:
    """The same for all events of one statement over several datasets; None when there is but one."""
    raw = row.raw
    ref: str | None = raw["statement_ref"]
    if not row.access.joined and ref not in joined:
        return None
    identity: bytes = raw["identity"]
    return identity if ref is None else _SEPARATOR.join((source.encode(), ref.encode()))
