"""Who touched a dataset, a class of data, or a person's data, in a window; and what the record cannot say.

One statement over several datasets is one access of a person's data: it is listed under the dataset that carries
the person's identifier, and ``also`` names the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.names import DatasetName, Person
from beholden.core.times import Window
from beholden.engine import Engine, TableSource, load_sql
from beholden.ledger._lists import listed, time_texts
from beholden.ledger.candidates import Sought, fetch, sources_of
from beholden.ledger.snapshot import Snapshot
from beholden.vault import Vault

__all__ = [
    "EventRow",
    "Question",
    "Target",
    "WhoRow",
    "ask_events",
    "group",
    "judged",
    "matched_events",
    "merged_targets",
    "sought",
    "window_bounds",
]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_START: Final = datetime(1971, 1, 1, tzinfo=UTC)
_END: Final = datetime(2200, 1, 1, tzinfo=UTC)
_TARGETS: Final = pa.schema(
    [
        ("asked", pa.string()),
        ("distance", pa.int64()),
        ("store", pa.string()),
        ("dataset", pa.string()),
        ("match", pa.string()),
        ("key", pa.bool_()),
        ("mixed", pa.bool_()),
        ("part", pa.bool_()),
        ("fields", pa.list_(pa.string())),
    ]
)


@dataclass(frozen=True, slots=True)
class Target:
    """A dataset in question.

    ``match``: ``named`` for the dataset itself or a part of it, ``included`` for one that contains it (a parent of a
    partition), ``view`` for a view over it, ``possible`` for a view that may show it. ``asked`` is the dataset that was
    asked about where this one stands for it, ``distance`` how far it is from that: of one statement only accesses at
    the least distance are listed. ``key``: its rows carry the person's identifier; ``mixed``: those of other kinds of
    person. ``part``: it is a view that may leave anybody out. ``fields``: only accesses to one of these; None for any.
    """

    dataset: DatasetName
    match: str = "named"
    asked: DatasetName | None = None
    distance: int = 0
    key: bool = False
    mixed: bool = False
    part: bool = False
    fields: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. Conditions are joined by AND; None is any.

    ``targets``: the datasets asked about; with a ``subject``, those where a read of the whole or an unresolved
    condition may have reached that person. ``only``: accesses to nothing but these and the targets, also where they
    name the person.
    """

    window: Window = field(default_factory=Window)
    targets: tuple[Target, ...] | None = None
    only: tuple[DatasetName, ...] | None = None
    subject: Person | None = None
    actors: tuple[Person, ...] | None = None
    credentials: tuple[Person, ...] | None = None
    devices: tuple[Person, ...] | None = None


@dataclass(frozen=True, slots=True)
class WhoRow:
    """Accesses of one actor to one dataset, as the contract's `who`. Times are RFC 3339, ``seq`` is one of them."""

    actor: str | None
    store: str | None
    dataset: str | None
    activity: str
    match: str
    events: int
    rows: int | None
    subjects: int | None
    first: str
    last: str
    seq: int
    also: list[str]


@dataclass(frozen=True, slots=True)
class EventRow:
    """One access, as the contract's `who --events`. ``uid`` is hex."""

    seq: int
    uid: str
    time: str
    actor: str | None
    store: str | None
    dataset: str | None
    activity: str
    fields: list[str] | None
    rows: int | None
    match: str
    also: list[str]


def matched_events(
    question: Question, snapshot: Snapshot, engine: Engine, vault: Vault, *, wide: bool = True
) -> pa.Table:
    """The matching accesses as Arrow; columns as who_events.sql states.

    ``wide`` adds ``uid``, and ``literals`` where a match is only possible: they are read from the segments themselves.
    """
    found = judged(question, sources_of(snapshot, sought(question, vault)), engine, vault)
    if question.subject is not None:
        found = _other_kinds(found, question.subject.kind, vault)
    return _widened(found, snapshot) if wide else found


def judged(question: Question, events: TableSource | pa.Table, engine: Engine, vault: Vault) -> pa.Table:
    """Of some events those that match, as who_events.sql says; columns `INDEXED` are enough."""
    wanted = sought(question, vault)
    table = pa.Table.from_pylist(
        [
            {
                "asked": str(target.asked or target.dataset),
                "distance": target.distance,
                "store": target.dataset.store,
                "dataset": target.dataset.path,
                "match": target.match,
                "key": target.key,
                "mixed": target.mixed,
                "part": target.part,
                "fields": target.fields,
            }
            for target in merged_targets(question.targets or ())
        ],
        schema=_TARGETS,
    )
    return engine.run(
        load_sql("beholden.ledger", "who_events.sql"),
        {
            "subject": wanted.subject,
            "actors": wanted.actors,
            "credentials": wanted.credentials,
            "only": _only(question),
            "by_dataset": question.targets is not None,
            **dict(zip(("start", "end"), window_bounds(question.window), strict=True)),
        },
        {
            "events": events if isinstance(events, TableSource) else TableSource(table=events),
            "targets": TableSource(table=table),
        },
    )


def sought(question: Question, vault: Vault) -> Sought:
    """What an event must have to be looked at for a question."""
    subject, actors, credentials, devices = _tokens(question, vault)
    targets = question.targets
    return Sought(
        window=question.window,
        datasets=None if targets is None else frozenset((t.dataset.store, t.dataset.path) for t in targets),
        mixed=frozenset((t.dataset.store, t.dataset.path) for t in targets or () if t.mixed),
        subject=subject,
        actors=actors,
        credentials=credentials,
        devices=devices,
    )


def _widened(found: pa.Table, snapshot: Snapshot) -> pa.Table:
    """The matches with what no index has."""
    seqs = found.column("seq").to_numpy()
    open_ = pc.and_(pc.equal(found.column("match"), "possible"), pc.is_valid(found.column("statement")))
    places = np.flatnonzero(open_.to_numpy())
    held = fetch(snapshot, seqs[places], ["literals"]).column("literals")
    back = np.full(len(seqs), -1)
    back[places] = np.arange(len(places))
    literals = held.take(pa.array(back, mask=back < 0))
    return found.append_column("uid", fetch(snapshot, seqs, ["uid"]).column("uid")).append_column("literals", literals)


def _only(question: Question) -> list[str] | None:
    if question.only is None:
        return None
    return sorted({*map(str, question.only), *(str(target.dataset) for target in question.targets or ())})


def _other_kinds(found: pa.Table, kind: str, vault: Vault) -> pa.Table:
    """Settle rows matched ``other``: they named persons; of this kind, then nobody else of it, or of other kinds alone."""
    is_other = pc.equal(found.column("match"), "other")
    if not pc.any(is_other).as_py():
        return found
    rows = found.filter(is_other).column("subjects").to_pylist()
    people = vault.identities({token for subjects in rows for token in subjects or ()})
    settled = iter(
        None if any(token in people and people[token].kind == kind for token in subjects or ()) else "possible"
        for subjects in rows
    )
    match = [next(settled) if one == "other" else one for one in found.column("match").to_pylist()]
    found = found.set_column(found.column_names.index("match"), "match", pa.array(match, pa.string()))
    return found.filter(pc.is_valid(found.column("match")))


def group(matched: pa.Table, engine: Engine, vault: Vault) -> list[WhoRow]:
    """Group matched events for people; actors under their own identifiers again."""
    grouped = engine.run(load_sql("beholden.ledger", "who_groups.sql"), {}, {"matched": TableSource(table=matched)})
    columns = _lists_of(grouped, "first", "last")
    names = actor_names(columns["actor"], vault)
    columns["actor"] = [names[actor] for actor in columns["actor"]]
    columns["also"] = [also or [] for also in columns["also"]]
    return list(map(WhoRow, *(columns[name] for name in _fields_of(WhoRow))))


def ask_events(matched: pa.Table, vault: Vault) -> list[EventRow]:
    """Matched events one by one, in the ledger's order."""
    shown = matched.select(
        ["seq", "uid", "time", "actor", "store", "dataset", "activity", "fields", "rows", "match", "also"]
    )
    columns = _lists_of(shown, "time")
    names = actor_names(columns["actor"], vault)
    columns["actor"] = [names[actor] for actor in columns["actor"]]
    columns["uid"] = [uid.hex() for uid in columns["uid"]]
    columns["also"] = [also or [] for also in columns["also"]]
    return list(map(EventRow, *(columns[name] for name in _fields_of(EventRow))))


def actor_names(tokens: Sequence[bytes | None], vault: Vault) -> dict[bytes | None, str | None]:
    """Actors as their sources call them; one without a name as `Vault.nameless` calls them."""
    wanted = {token for token in tokens if token is not None}
    people = vault.identities(sorted(wanted))
    nameless = vault.nameless(wanted - people.keys())
    names: dict[bytes | None, str | None] = {None: None}
    for token in wanted:
        person = people.get(token)
        if person is None:
            names[token] = nameless[token]
        else:
            names[token] = person.identifier if person.kind in ("actor", "credential") else str(person)
    return names


def _tokens(
    question: Question, vault: Vault
) -> tuple[bytes | None, list[bytes] | None, list[bytes] | None, list[bytes] | None]:
    """Tokens of the people asked about. An unknown person gets a token that no event has."""
    nobody = bytes(16)

    def of(people: Sequence[Person] | None) -> list[bytes] | None:
        return None if people is None else [token or nobody for token in vault.find(people)]

    subject = of(None if question.subject is None else [question.subject])
    return subject[0] if subject else None, of(question.actors), of(question.credentials), of(question.devices)


def merged_targets(targets: Sequence[Target]) -> list[Target]:
    """Each dataset once for each asked about, at its best match, for all fields: an access must not count twice."""
    found: dict[tuple[DatasetName, DatasetName], Target] = {}
    for target in targets:
        place = target.dataset, target.asked or target.dataset
        before = found.get(place)
        if before is None:
            found[place] = target
            continue
        fields = None if before.fields is None or target.fields is None else before.fields + target.fields
        match = "named" if "named" in (before.match, target.match) else target.match
        found[place] = replace(before, match=match, key=before.key or target.key, fields=fields)
    return list(found.values())


def window_bounds(window: Window) -> tuple[datetime, datetime]:
    """A window as SQL's parameters; an open side reaches past all that may be on record."""
    return _moment(window.start, _START), _moment(window.end, _END)


def _moment(micros: int | None, default: datetime) -> datetime:
    return default if micros is None else _EPOCH + timedelta(microseconds=micros)


def _lists_of(table: pa.Table, *times: str) -> dict[str, list[Any]]:
    """Each column's values; those of ``times`` as RFC 3339."""
    return {
        name: time_texts(table[name].cast(pa.timestamp("us")).cast(pa.int64()).to_numpy())
        if name in times
        else listed(table[name])
        for name in table.column_names
    }


def _fields_of(row: type[WhoRow | EventRow]) -> list[str]:
    return [one.name for one in fields(row)]
