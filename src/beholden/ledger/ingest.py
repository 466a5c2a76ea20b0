"""From a log file to the ledger: read, understand, tokenise, append; every record accounted for.

Order of durability for each batch: templates (state), then people (vault), then events (ledger). An event that is
acknowledged never refers to something that is not kept. A reading that is stopped anywhere can be repeated: events
are idempotent on (source, uid).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.errors import BeholdenError, SourceError
from beholden.core.events import DEFAULT_CLASS_UID
from beholden.core.names import Person
from beholden.core.times import Clock
from beholden.ledger.format import INPUT_EVENTS
from beholden.ledger.interpret import Access, interpret
from beholden.ledger.log import Ledger
from beholden.ledger.world import World
from beholden.logs import LogBatch, LogContext, Reader, open_log
from beholden.sqltext import StatementFacts, Template
from beholden.state import State
from beholden.state.ingests import Account, finish_ingest, start_ingest
from beholden.state.templates import put_templates
from beholden.vault import Vault

__all__ = ["Ingest", "LogFile"]

_SEPARATOR = b"\x1f"


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file to read: what it is called in the config, whose record it is, which store unqualified names mean."""

    log: str
    path: Path
    source: str
    store: str | None
    time_zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    """An access with the raw event it came from and its SQL."""

    raw: dict[str, Any]
    access: Access
    statement: tuple[Template, StatementFacts] | None


class Ingest:
    """Reads log files into the ledger.

    Args:
        state: takes templates and accounts.
        vault: gives people their tokens, encrypts literals.
        ledger: takes the events.
        world: stores' schemas and the fields that name persons.
        clock: the present.
    """

    def __init__(self, *, state: State, vault: Vault, ledger: Ledger, world: World, clock: Clock) -> None:
        self._state = state
        self._vault = vault
        self._ledger = ledger
        self._world = world
        self._clock = clock

    def file(
        self, file: LogFile, reader: Reader, progress: Callable[[int], None] = lambda _records: None
    ) -> tuple[Account, BeholdenError | None]:
        """Read one file to its end; events are durable batch by batch, the account at the end.

        Returns the account, and what stopped the reading when the file cannot be opened, is of another format, or
        fails half-way; what was read before that stays.
        """
        account = Account()
        ingest_id = start_ingest(
            self._state,
            log=file.log,
            source=file.source,
            file=str(file.path),
            format_=reader.format,
            now=self._clock(),
        )
        stopped: BeholdenError | None = None
        try:
            with open_log(file.path) as stream:
                for batch in reader.read(stream, LogContext(file.source, file.time_zone)):
                    self._batch(batch, file, account)
                    progress(account.records)
        except SourceError as error:
            stopped = error
            account.records += 1
            account.add_problem(account.records, f"reading stopped: {error.found}")
        finish_ingest(self._state, ingest_id, account, now=self._clock())
        return account, stopped

    def _batch(self, batch: LogBatch, file: LogFile, account: Account) -> None:
        account.records += batch.records
        account.parsed += batch.parsed
        account.noise.update(batch.noise)
        for problem in batch.problems:
            account.add_problem(problem.record, problem.reason)
        rows = list(self._understand(batch, file, account))
        if not rows:
            return
        events = self._events(rows, file)
        result = self._ledger.append(events)
        account.events_new += result.new
        account.events_known += result.known
        span = pc.min_max(events.column("time").cast(pa.int64()))
        account.saw(span["min"].as_py(), span["max"].as_py())

    def _understand(self, batch: LogBatch, file: LogFile, account: Account) -> Iterator[_Row]:
        """Rows to keep; records that touched no dataset move from parsed to noise or not understood."""
        kept: set[int] = set()
        dropped: dict[int, str | None] = {}
        for raw in batch.events.to_pylist():
            store = raw["store"] or file.store
            view = self._world.stores.get(store) if store else None
            statement = view.analyser.facts(raw["statement"]) if view is not None and raw["statement"] else None
            accesses = interpret(raw, self._world, statement, store)
            if not accesses:
                dropped.setdefault(raw["record"], statement[1].problem if statement else None)
                continue
            kept.add(raw["record"])
            for access in accesses:
                yield _Row(raw, access, statement)
        for record, problem in dropped.items():
            if record not in kept:
                account.parsed -= 1
                if problem is None:
                    account.noise["no dataset"] += 1
                else:
                    account.add_problem(record, f"statement not understood: {problem}")

    def _events(self, rows: list[_Row], file: LogFile) -> pa.RecordBatch:
        tokens = self._tokens(rows)
        self._keep_templates(rows, file)
        columns: dict[str, list[Any]] = {name: [] for name in INPUT_EVENTS.names}
        secrets: list[tuple[str, int, bytes, bytes | None]] = []
        for i, row in enumerate(rows):
            self._add(columns, row, tokens, file)
            secrets += self._secrets(i, row, tokens)
        for (name, i, _, _), blob in zip(
            secrets, self._vault.encrypt_many([(owner, text) for _, _, text, owner in secrets]), strict=True
        ):
            columns[name][i] = blob
        columns["uid"] = self._vault.keyed_hash("uid", columns["uid"])
        columns["correlation"] = self._hash_present("correlation", columns["correlation"])
        return pa.RecordBatch.from_pydict(columns, schema=INPUT_EVENTS)

    def _hash_present(self, purpose: str, values: list[bytes | None]) -> list[bytes | None]:
        hashes = iter(self._vault.keyed_hash(purpose, [value for value in values if value is not None]))
        return [None if value is None else next(hashes) for value in values]

    def _actor(self, raw: dict[str, Any]) -> Person | None:
        """The actor; a customer who acts is the same person as the customer who is acted upon."""
        if raw["actor"] is None:
            return None
        kind = raw["actor_kind"]
        return Person(kind if kind in self._world.kinds() else "actor", raw["actor"])

    def _people(self, row: _Row) -> Iterator[Person]:
        actor = self._actor(row.raw)
        if actor is not None:
            yield actor
        if row.raw["on_behalf_of"] is not None:
            yield Person.parse(row.raw["on_behalf_of"])
        if row.raw["credential"] is not None:
            yield Person("credential", row.raw["credential"])
        yield from row.access.subjects

    def _tokens(self, rows: list[_Row]) -> dict[Person, bytes]:
        people = list(dict.fromkeys(person for row in rows for person in self._people(row)))
        return dict(zip(people, self._vault.tokens(people), strict=True))

    def _keep_templates(self, rows: list[_Row], file: LogFile) -> None:
        new: dict[bytes, tuple[str, str]] = {}
        for row in rows:
            template = _template(row)
            if template is not None:
                view = self._world.stores[row.access.store or file.store or ""]
                new.setdefault(template.template_id, (view.dialect, template.text))
        put_templates(self._state, new, now=self._clock())

    def _secrets(
        self, i: int, row: _Row, tokens: dict[Person, bytes]
    ) -> Iterator[tuple[str, int, bytes, bytes | None]]:
        """What must be encrypted: (column, row, plain text, owner's token or None for the estate)."""
        template = _template(row)
        # SQL that is not understood may hold values anywhere: it is kept whole, and no part of it in plain
        literals, groups = (template.literals, template.groups) if template else ((row.raw["statement"],), ())
        if any(literals):
            owner = tokens[row.access.subjects[0]] if len(row.access.subjects) == 1 else None
            yield "literals", i, msgspec.json.encode((literals, groups)), owner
        for name in ("assignment", "detail"):
            if row.raw[name] is not None:
                yield name, i, row.raw[name].encode(), None

    def _add(self, columns: dict[str, list[Any]], row: _Row, tokens: dict[Person, bytes], file: LogFile) -> None:
        raw, access = row.raw, row.access
        actor = self._actor(raw)
        behalf, credential = raw["on_behalf_of"], raw["credential"]
        template = _template(row)
        values: dict[str, Any] = {
            "time": raw["time"],
            "source": file.source,
            "uid": _identity(row, file),
            "class_uid": raw["class_uid"] or DEFAULT_CLASS_UID,
            "activity": access.activity,
            "actor": None if actor is None else tokens[actor],
            "on_behalf_of": None if behalf is None else tokens[Person.parse(behalf)],
            "credential": None if credential is None else tokens[Person("credential", credential)],
            "store": access.store,
            "dataset": access.dataset,
            "fields": access.fields,
            "subjects": [tokens[person] for person in access.subjects] or None,
            "scope": access.scope,
            "subject_count": access.subject_count,
            "rows": access.rows,
            "statement": None if template is None else template.template_id,
            "correlation": _correlation(row, file),
            "assignment": None,
            "literals": None,
            "detail": None,
        }
        for name, column in columns.items():
            column.append(values[name] if name in values else raw[name])


def _template(row: _Row) -> Template | None:
    """The template of the event's SQL, or None where the SQL was not understood."""
    if row.statement is None or row.statement[1].problem is not None:
        return None
    return row.statement[0]


def _identity(row: _Row, file: LogFile) -> bytes:
    """What makes the event itself.

    pgaudit writes a COPY of a query twice, once for each relation and once for the COPY itself: both mean one access,
    so a COPY is known by its statement and dataset.
    """
    raw, access = row.raw, row.access
    if access.activity == "export" and raw["statement_ref"] is not None:
        parts = ("export", file.source, raw["statement_ref"], access.dataset or "")
        return _SEPARATOR.join(part.encode() for part in parts)
    identity: bytes = raw["identity"]
    return identity + _SEPARATOR + access.part.encode() if access.part else identity


def _correlation(row: _Row, file: LogFile) -> bytes | None:
    """The same for all events of one statement over several datasets; None when there is but one."""
    if not row.access.joined:
        return None
    raw = row.raw
    identity: bytes = raw["identity"]
    if raw["statement_ref"] is None:
        return identity
    return _SEPARATOR.join((file.source.encode(), raw["statement_ref"].encode()))
