"""From a log file to the ledger: read, understand, tokenise, append; every record accounted for.

Order of durability for each batch: templates (state), then people (vault), then events (ledger). An event that is
acknowledged never refers to something that is not kept. A reading that is stopped anywhere can be repeated: events
are idempotent on (source, uid).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.errors import BeholdenError, SourceError
from beholden.core.events import DEFAULT_CLASS_UID
from beholden.core.names import Person
from beholden.core.times import Clock
from beholden.ledger._addresses import packed_addresses
from beholden.ledger.databases import ANOTHER_DATABASE, DatabaseStores
from beholden.ledger.format import APPEND_BYTES_MAX, INPUT_EVENTS, StatementValues
from beholden.ledger.interpret import Access, Interpreter, People, RefusedRecordError, people_of
from beholden.ledger.log import Ledger
from beholden.ledger.readings import head_of, replaced_readings
from beholden.ledger.world import World
from beholden.logs import LogBatch, LogContext, Reader, beginning, open_log
from beholden.sqltext import StatementFacts, Template
from beholden.state import State
from beholden.state.ingests import Account, finish_ingest, start_ingest
from beholden.state.templates import put_templates
from beholden.vault import Vault

__all__ = ["NO_SCHEMA", "Ingest", "LogFile"]

_SEPARATOR: Final = b"\x1f"
#: Columns that pass from the log to the ledger as they are.
_COPIED: Final = ("time", "actor_kind", "ip", "bytes", "decision", "status")
#: Texts in which anybody may have written anything; of a longer one the beginning counts.
_LABELS: Final = ("app", "purpose", "assignment")
_LABEL_CHARS_MAX: Final = 256
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
_MADE: Final = tuple(name for name in INPUT_EVENTS.names if name not in _COPIED)


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file to read: what it is called in the config, whose record it is, which store unqualified names mean."""

    log: str
    path: Path
    source: str
    store: str | None
    time_zone: tzinfo | None = None
    database: str | None = None  # what it calls the store's database, where somebody has said so


@dataclass(frozen=True, slots=True)
class _Row:
    """An access with the raw event it came from (its row in the batch) and its SQL."""

    place: int
    raw: dict[str, Any]
    people: People
    access: Access
    template: Template | None  # None where there is no SQL, or it was not understood


@dataclass(slots=True)
class _Outcome:
    """What becomes of a batch's records."""

    rows: list[_Row] = field(default_factory=list)
    kept: set[int] = field(default_factory=set)
    noise: dict[int, str] = field(default_factory=dict)  # record -> why it tells of no access
    problems: dict[int, str] = field(default_factory=dict)  # record -> why it was not understood


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
        self._interpreter = Interpreter(world)
        self._clock = clock

    def file(
        self, file: LogFile, reader: Reader, progress: Callable[[int], None] = lambda _records: None
    ) -> tuple[Account, BeholdenError | None]:
        """Read one file to its end; events are durable batch by batch, the account at the end.

        Returns the account, and what stopped the reading when the file cannot be opened, is of another format, or
        fails half-way, or when its events cannot be kept; what was read before that stays. The account then has one
        more record, not understood, that says so.
        """
        account = Account()
        stopped: BeholdenError | None = None
        begins = b""
        with ExitStack() as stack:
            try:
                stream = stack.enter_context(open_log(file.path))
                begins = beginning(stream)
            except SourceError as error:
                stopped = error
            reading = start_ingest(
                self._state,
                log=file.log,
                source=file.source,
                file=str(file.path),
                format_=reader.format,
                now=self._clock(),
                head=head_of(self._vault, begins),
                head_bytes=len(begins),
            )
            stopped = stopped or self._read(stream, file, reader, account, progress)
        if stopped is not None:
            account.records += 1
            account.add_problem(account.records, f"reading stopped: {stopped.found}")
        settles = replaced_readings(
            self._state, self._vault, reading, log=file.log, path=file.path, begins=begins, account=account
        )
        finish_ingest(self._state, reading, account, now=self._clock(), settles=settles)
        return account, stopped

    def _read(
        self, stream: BinaryIO, file: LogFile, reader: Reader, account: Account, progress: Callable[[int], None]
    ) -> SourceError | None:
        """Keep the events of an open file; returns what stopped it before its end."""
        last_record = -1
        stores = DatabaseStores(self._world, file.store, file.database, lambda: _databases_in(file, reader))
        try:
            for batch in reader.read(stream, LogContext(file.source, file.time_zone)):
                last_record = self._batch(batch, file, stores, account, last_record)
                progress(account.records)
        except SourceError as error:
            return error
        return None

    def _batch(self, batch: LogBatch, file: LogFile, stores: DatabaseStores, account: Account, before: int) -> int:
        """Keep a batch's events, then enter its records into the account.

        ``before`` is the last record of the batch before, whose events may go on here. Returns the last one of this.
        """
        outcome = self._understand(batch, stores)
        if outcome.rows:
            self._append(self._events(batch.events, outcome.rows, file), account)
        account.records += batch.records
        account.parsed += batch.parsed
        account.noise.update(batch.noise)
        account.mended.update(batch.mended)
        for problem in batch.problems:
            account.add_problem(problem.record, problem.reason)
        passed = {*outcome.kept, before}
        for record, reason in outcome.problems.items():
            if record not in passed:
                account.parsed -= 1
                account.add_problem(record, reason)
        for record, reason in outcome.noise.items():
            if record not in passed and record not in outcome.problems:
                account.parsed -= 1
                account.noise[reason] += 1
        return before if batch.events.num_rows == 0 else int(batch.events.column("record")[-1].as_py())

    def _append(self, events: pa.RecordBatch, account: Account) -> None:
        """Make events durable, in pieces that the ledger takes."""
        if events.nbytes > APPEND_BYTES_MAX // 2 and events.num_rows > 1:
            half = events.num_rows // 2
            self._append(events.slice(0, half), account)
            self._append(events.slice(half), account)
            return
        result = self._ledger.append(events)
        account.events_new += result.new
        account.events_known += result.known
        span = pc.min_max(events.column("time").cast(pa.int64()))
        account.saw(span["min"].as_py(), span["max"].as_py())

    def _understand(self, batch: LogBatch, stores: DatabaseStores) -> _Outcome:
        """The accesses to keep; records that touched no dataset, or cannot be kept, are dropped with the reason."""
        outcome = _Outcome()
        last: tuple[str | None, str | None, str] | None = None  # records of one statement follow each other
        statement: _Statement | None = None
        for place, raw in enumerate(batch.events.select(_READ).to_pylist()):
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
            outcome.rows += [_Row(place, raw, people, access, template) for access in accesses]
        return outcome

    def _events(self, raw: pa.RecordBatch, rows: list[_Row], file: LogFile) -> pa.RecordBatch:
        tokens = self._tokens(rows)
        self._keep_templates(rows, file)
        joined = _joined_statements(rows)
        made = [self._made(row, tokens, file, joined) for row in rows]
        columns: dict[str, Any] = dict(zip(_MADE, map(list, zip(*made, strict=True)), strict=True))
        secrets = [secret for i, row in enumerate(rows) for secret in _secrets(i, row, tokens)]
        blobs = self._vault.encrypt_many([(owners, text) for _, _, text, owners in secrets])
        for (name, i, _, _), blob in zip(secrets, blobs, strict=True):
            columns[name][i] = blob
        columns["uid"] = _cut("uid", self._vault.keyed_hash("uid", columns["uid"]))
        for name in ("session", "correlation"):
            columns[name] = self._hash_present(name, columns[name])
        places = pa.array([row.place for row in rows], pa.int64())
        copied = {name: raw.column(name).take(places) for name in _COPIED}
        own = pa.array([_acts(row.people) for row in rows], pa.bool_())
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
            found.update(dict.fromkeys(filter(None, (_label(row.raw, name) for name in _LABELS))))
        people = list(found)
        return dict(zip(people, self._vault.tokens(people), strict=True))

    def _keep_templates(self, rows: list[_Row], file: LogFile) -> None:
        new: dict[bytes, tuple[str, str]] = {}
        for row in rows:
            if row.template is not None and row.template.template_id not in new:
                view = self._world.stores[row.access.store or file.store or ""]
                new[row.template.template_id] = (view.dialect, row.template.text)
        put_templates(self._state, new, now=self._clock())

    def _made(self, row: _Row, tokens: dict[Person, bytes], file: LogFile, joined: set[str]) -> tuple[Any, ...]:
        """The values of ``_MADE``, in order; what is encrypted or hashed is filled in for all rows at once."""
        raw, access, people = row.raw, row.access, row.people
        values: dict[str, Any] = {
            "source": file.source,
            "uid": _identity(row, file),
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
            "correlation": _correlation(row, file, joined),
            "detail": None,
        }
        return tuple([values[name] for name in _MADE])


def _databases_in(file: LogFile, reader: Reader) -> set[str]:
    """The databases whose records a file holds, as far as it can be read."""
    found: set[str] = set()
    try:
        with open_log(file.path) as stream:
            for batch in reader.read(stream, LogContext(file.source, file.time_zone)):
                found.update(filter(None, pc.unique(batch.events.column("database")).to_pylist()))
    except SourceError:
        pass  # the reading itself says so
    return found


def _is_kept(facts: StatementFacts) -> bool:
    """Whether a statement's template may be kept: definitions and grants name people where others name fields."""
    return facts.problem is None and facts.kind not in ("ddl", "grant", "revoke", "other")


def _label(raw: Mapping[str, Any], name: str) -> Person | None:
    """A text of a record that the vault gives a token to, as it does to persons."""
    text = raw[name]
    return Person(name, text[:_LABEL_CHARS_MAX]) if text else None


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
    owners = [tokens[person] for person in row.access.subjects or _acting_subjects(row.people)]
    if parameters or (literals and (template or literals[0])):
        yield "literals", i, _encoded((literals, groups, parameters)), owners
    if row.raw["detail"] is not None:
        yield "detail", i, row.raw["detail"].encode("utf-8", "surrogatepass"), owners


def _acts(people: People) -> bool:
    """Whether a data subject acts: members of staff and programs are of kind actor."""
    return people.actor is not None and people.actor.kind != "actor"


def _acting_subjects(people: People) -> tuple[Person, ...]:
    """The data subject who acts, or for whom somebody does."""
    acting = people.actor if _acts(people) else people.on_behalf_of
    return () if acting is None else (acting,)


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


def _joined_statements(rows: list[_Row]) -> set[str]:
    """Statements with several records: a view's text does not name the tables under it, the log does."""
    counts = Counter(row.raw["statement_ref"] for row in rows)
    return {ref for ref, count in counts.items() if ref is not None and count > 1}


def _correlation(row: _Row, file: LogFile, joined: set[str]) -> bytes | None:
    """The same for all events of one statement over several datasets; None when there is but one."""
    raw = row.raw
    ref: str | None = raw["statement_ref"]
    if not row.access.joined and ref not in joined:
        return None
    identity: bytes = raw["identity"]
    return identity if ref is None else _SEPARATOR.join((file.source.encode(), ref.encode()))
