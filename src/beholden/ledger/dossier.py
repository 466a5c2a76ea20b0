"""The exposure dossier: who reached how many people's data, which of it, where to, and when.

It is about all accesses to datasets or a class of data, or by some actors, credentials or devices. Computed segment by segment over the integers of the indexes, so that a hundred million events need seconds and bounded
memory. Records of statements over several datasets are judged by the same SQL as every question (who_events.sql).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.errors import LimitError, UsageError
from beholden.core.unknown import Unknown
from beholden.engine import Engine
from beholden.ledger._addresses import address_text
from beholden.ledger._distinct import DistinctPersons, persons_of
from beholden.ledger._numbering import Numbers, TokenNumbers
from beholden.ledger._totals import ADDED, DossierRow, Part, Sums
from beholden.ledger.candidates import Sought, fetch, found_in
from beholden.ledger.index import SegmentIndex, dataset_key, index_of_events
from beholden.ledger.segments import read_columns
from beholden.ledger.snapshot import Snapshot
from beholden.ledger.who import Question, Target, actor_names, judged, merged_targets, sought
from beholden.vault import Vault

__all__ = ["Dossier", "DossierRow", "dossier"]

#: Accesses of which devices, addresses and applications are read from the segments themselves.
_TRACED_MAX: Final = 1_000_000
#: Devices, applications and addresses listed, those of the most accesses.
_LISTED_MAX: Final = 1000
#: Statements over several datasets that are judged at a time.
_JUDGED_MAX: Final = 500_000
_MATCHES: Final = ("named", "included", "possible")
_NOTHING: Final = 3
_READS: Final = ("read", "query", "export")
_TRACED: Final = ("device", "app", "ip")
_FEW: Final = {"activity": "activity", "lists": "fields"}
#: So many pairs of these are totalled, or each by itself.
_PAIRS_MAX: Final = 1 << 16
_TOKENS: Final = ("actor", "credential", "device", "app")
#: Segments that are read at a time; of each about 100 MB are held.
_THREADS: Final = 2

_I64 = npt.NDArray[np.int64]
_U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Dossier:
    """The rows, and what they do not tell."""

    rows: list[DossierRow]
    unknown: list[Unknown]


@dataclass(frozen=True, slots=True)
class _Dimension:
    """Totals of some groups, all different, and what these are called: rows of tokens (of ``has_null`` null is first) or values."""

    sums: Sums
    names: _U8 | list[Any]
    has_null: bool = False


class _Found(NamedTuple):
    """What one segment has."""

    accesses: int
    dimensions: dict[str, _Dimension]
    traced: dict[str, _Dimension]
    heads: npt.NDArray[np.uint64]  # of the persons named
    actors: _I64  # who reached each, as places in the dimension of actors
    statements: pa.Table | None


class _Work:
    """What is known so far."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.names: dict[str, Any] = {  # Numbers, or TokenNumbers
            of: TokenNumbers() if of in _TOKENS else Numbers()
            for of in ("all", "actor", "dataset", "activity", "credential", "lists", *_TRACED)
        }
        self.sums = {of: Sums() for of in self.names}
        self.persons = DistinctPersons()
        self.traced = 0
        self.persons_only = False  # all else was added before

    def add(self, found: _Found) -> None:
        """Add what a segment has."""
        if not found.accesses:
            return
        actors = self._numbers("actor", found.dimensions["actor"])
        self.persons.add(found.heads, actors[found.actors])
        if self.persons_only:
            return
        self.add_totals(found.accesses, found.dimensions | found.traced)

    def add_totals(self, accesses: int, dimensions: dict[str, _Dimension]) -> None:
        """Add totals of so many accesses."""
        self.traced += accesses
        for of, dimension in dimensions.items():
            self.sums[of].merge(self._numbers(of, dimension), dimension.sums, len(self.names[of]))

    def _numbers(self, of: str, dimension: _Dimension) -> _I64:
        names = self.names[of]
        if isinstance(dimension.names, list):
            found: _I64 = names.of(dimension.names)
            return found
        numbers: _I64 = names.of_rows(dimension.names)
        return np.concatenate(([names.null()], numbers)) if dimension.has_null else numbers


def dossier(question: Question, snapshot: Snapshot, engine: Engine, vault: Vault) -> Dossier:
    """Add up all accesses that match a question about datasets, actors, credentials or devices.

    The groups add up to what `matched_events` finds. Persons are told apart by 64 bits of their random tokens; see
    `DistinctPersons` for the chance of counting one too few.

    Raises:
        UsageError: the question is about a person; their accesses are a question of `matched_events`.
    """
    if question.subject is not None:
        raise UsageError("who --dossier", "is not about one person", expected="a dataset, class, actor or credential")
    wanted = sought(question, vault)
    targets = None if question.targets is None else _by_dataset(merged_targets(question.targets))
    work = _Work(snapshot)
    while True:
        statements = _Statements(question, engine, vault, work)

        def read(part: _Segment) -> _Found:
            return _found(part, wanted, targets, work)

        with ThreadPoolExecutor(_THREADS) as threads:
            for found in _ahead(threads, read, _segments(snapshot, wanted)):
                if found.statements is not None:
                    statements.add(found.statements)
                work.add(found)
        statements.finish()
        told = work.persons.count(len(work.names["actor"]))
        if work.persons.is_whole:
            return _told(work, told, vault)
        work.persons_only = True


def _ahead(
    threads: ThreadPoolExecutor, read: Callable[[_Segment], _Found], parts: Iterable[_Segment]
) -> Iterator[_Found]:
    """What is read of each part, in order; no more are read ahead than there are threads."""
    waiting: deque[Future[_Found]] = deque()
    for part in parts:
        waiting.append(threads.submit(read, part))
        if len(waiting) > _THREADS:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _by_dataset(targets: Sequence[Target]) -> dict[tuple[str | None, str | None], list[Target]]:
    found: dict[tuple[str | None, str | None], list[Target]] = {}
    for target in targets:
        found.setdefault((target.dataset.store, target.dataset.path), []).append(target)
    return found


@dataclass(frozen=True, slots=True)
class _Segment:
    """Sealed events, or those that are not: their index, or what it is made of, and where other columns are."""

    events: pa.Table | Path
    first_seq: int
    indexed: SegmentIndex | None

    def index(self) -> SegmentIndex:
        """The index."""
        try:
            return index_of_events(self.events, self.first_seq) if self.indexed is None else self.indexed.again()
        except OverflowError:
            raise LimitError("who --dossier", "a segment has more field names than can be told apart") from None

    def read(self, columns: list[str], rows: _I64) -> pa.Table:
        """More columns of some of its events."""
        events = self.events
        held = events.select(columns) if isinstance(events, pa.Table) else read_columns(events, events.name, columns)
        return held.take(pa.array(rows))


def _segments(snapshot: Snapshot, wanted: Sought) -> Iterator[_Segment]:
    """Every segment in the window, and what is not sealed."""
    for segment, path in zip(snapshot.manifest.segments, snapshot.segments, strict=True):
        if wanted.window.overlaps(segment.time_min, segment.time_max):
            yield _Segment(path, segment.first_seq, snapshot.indexes.of.get(segment.file))
    if snapshot.recent.num_rows:
        yield _Segment(snapshot.recent, snapshot.manifest.next_seq, None)


_Targets = dict[tuple[str | None, str | None], list[Target]]


def _found(segment: _Segment, wanted: Sought, targets: _Targets | None, work: _Work) -> _Found:
    """What one segment has; it changes nothing else, so that several can be read at a time."""
    index = segment.index()
    events = found_in(index, wanted, lambda rows: segment.read(["device"], rows)["device"])
    statements = None
    correlated = index.column("correlation", events) > 0
    if correlated.any():
        statements = index.table(events[correlated])
        events = events[~correlated]
    match = np.zeros(len(events), np.uint8) if targets is None else _matches(index, events, targets)
    if (match == _NOTHING).any():
        events, match = events[match < _NOTHING], match[match < _NOTHING]
    nobody = np.empty(0, np.uint64), np.empty(0, np.int64)
    if not len(events):
        return _Found(0, {}, {}, *nobody, statements)
    actor = index.column("actor", events).view(np.int64)
    if work.persons_only:
        dimension, place = _tokens(index, "actor", actor, None)
        return _Found(len(events), {"actor": dimension}, {}, *persons_of(index, events, place[actor]), statements)
    flags = index.column("flags", events)
    part = Part.of(
        match, index.times(events), index.numbers("rows", events, flags), index.numbers("subject_count", events, flags)
    )
    by_actor, place = _tokens(index, "actor", actor, part)
    credential = index.column("credential", events).view(np.int64)
    places, counts = index.places(events)
    by_dataset = Sums.of_ranges(np.cumsum(counts) - counts, part)
    dimensions = {
        "all": _Dimension(by_dataset.grouped(np.zeros(len(counts), np.int64), 1), [None]),
        "actor": by_actor,
        "credential": _tokens(index, "credential", credential, part)[0],
        **_values(index, events, part),
        "dataset": _Dimension(by_dataset, index.keys_of(places)),
    }
    traced = {}
    if work.traced + len(events) <= _TRACED_MAX:
        traced = _traced(segment.read(list(_TRACED), index.rows(events)), part)
    return _Found(len(events), dimensions, traced, *persons_of(index, events, place[actor]), statements)


def _tokens(index: SegmentIndex, column: str, codes: _I64, part: Part | None) -> tuple[_Dimension, _I64]:
    """The totals by a token, and for each code its place among them; of no part none."""
    size = len(index.tokens(column)) + 1
    sums = Sums() if part is None else Sums.of(codes, part, size)
    held = np.flatnonzero(np.bincount(codes, minlength=size) if part is None else sums.events)
    place = np.zeros(size, np.int64)
    place[held] = np.arange(len(held))
    has_null = int(held[0]) == 0
    rows = index.tokens(column).rows[held[1:] - 1 if has_null else held - 1]
    return _Dimension(sums if part is None else sums.take(held), rows, has_null), place


def _values(index: SegmentIndex, events: _I64, part: Part) -> dict[str, _Dimension]:
    """The totals by activity and by list of fields: both are few, and told from the totals of each of their pairs."""
    sizes = [len(index.values(column)) + 1 for column in _FEW.values()]
    codes = [index.column(column, events).view(np.int64) for column in _FEW.values()]
    if sizes[0] * sizes[1] <= _PAIRS_MAX:
        pairs = Sums.of(codes[0] * sizes[1] + codes[1], part, sizes[0] * sizes[1])
        numbers = np.arange(sizes[0] * sizes[1])
        sums = [pairs.grouped(numbers // sizes[1], sizes[0]), pairs.grouped(numbers % sizes[1], sizes[1])]
    else:
        sums = [Sums.of(code, part, size) for code, size in zip(codes, sizes, strict=True)]
    found = {}
    for (of, column), totals in zip(_FEW.items(), sums, strict=True):
        values = [None, *(tuple(value) if isinstance(value, list) else value for value in index.values(column))]
        held = np.flatnonzero(totals.events)
        found[of] = _Dimension(totals.take(held), [values[code] for code in held.tolist()])
    return found


def _traced(held: pa.Table, part: Part) -> dict[str, _Dimension]:
    """The totals by where accesses came from."""
    found = {}
    for of in _TRACED:
        encoded = held.column(of).combine_chunks().dictionary_encode()
        names = encoded.dictionary.to_pylist()
        codes = encoded.indices.fill_null(len(names)).to_numpy(zero_copy_only=False).astype(np.int64)
        sums = Sums.of(codes, part, len(names) + 1)  # the last is null, which is not told
        found[of] = _Dimension(sums.take(np.arange(len(names))), names)
    return found


def _matches(index: SegmentIndex, events: _I64, targets: dict[tuple[str | None, str | None], list[Target]]) -> _U8:
    """How each event, the record of a statement over one dataset, matches; as who_events.sql has it."""
    found = np.full(len(events), _NOTHING, np.uint8)
    scope = index.column("scope", events)
    whole = np.isin(scope, index.codes("scope", ["table"]))
    none = np.isin(scope, index.codes("scope", ["none"]))
    change = ~np.isin(index.column("activity", events), index.codes("activity", _READS))
    fields = index.column("fields", events).astype(np.int64)
    lists = index.values("fields")
    places, counts = index.places(events)
    ends = np.cumsum(counts)
    for place, start, end in zip(places.tolist(), (ends - counts).tolist(), ends.tolist(), strict=True):
        here = slice(start, end)
        for target in targets.get(index.name_of(place), ()):
            match = np.full(end - start, {"named": 0, "view": 1, "possible": 2, "included": 2}[target.match], np.uint8)
            if target.match == "included":
                match[whole[here]] = 1
                match[none[here]] = _NOTHING
            if target.fields is not None:
                asked = set(target.fields)
                outside = np.array([False, *(asked.isdisjoint(names) for names in lists)])
                match[outside[fields[here]]] = _NOTHING
                match[fields[here] == 0] = 2
            if target.match in ("view", "possible"):
                match[none[here] & change[here]] = _NOTHING
            found[here] = np.minimum(found[here], match)
    return found


class _Statements:
    """Records of statements over several datasets: some say the same, and are counted once.

    The records of one statement lie close together. Those that may be continued in the next segment wait for it.
    """

    def __init__(self, question: Question, engine: Engine, vault: Vault, work: _Work) -> None:
        self._question = question
        self._engine = engine
        self._vault = vault
        self._work = work
        self._waiting: list[pa.Table] = []

    def add(self, events: pa.Table) -> None:
        """Judge what waits and is not continued in ``events``; these wait."""
        held = pa.concat_tables(self._waiting) if self._waiting else events.slice(0, 0)
        if held.num_rows > _JUDGED_MAX:
            goes_on = pc.is_in(held["correlation"], pc.unique(events["correlation"]))
            self._judge(held.filter(pc.invert(goes_on)))
            self._waiting = [held.filter(goes_on)]
        self._waiting.append(events)

    def finish(self) -> None:
        """Judge the rest."""
        if self._waiting:
            self._judge(pa.concat_tables(self._waiting))

    def _judge(self, events: pa.Table) -> None:
        found = judged(self._question, events, self._engine, self._vault)
        if not found.num_rows:
            return
        actor = self._work.names["actor"].of(found["actor"].to_pylist())
        self._work.persons.add_named(found["subjects"], actor)
        if self._work.persons_only:
            return
        part = Part.of(
            np.array([_MATCHES.index(match) for match in found["match"].to_pylist()], np.uint8),
            found["time"].cast(pa.int64()).to_numpy(),
            *(
                (found[name].fill_null(0).to_numpy(), found[name].is_valid().to_numpy())
                for name in ("rows", "subject_count")
            ),
        )
        places = zip(found["store"].to_pylist(), found["dataset"].to_pylist(), strict=True)
        values: dict[str, list[Any]] = {
            "all": [None] * found.num_rows,
            "actor": found["actor"].to_pylist(),
            "credential": found["credential"].to_pylist(),
            "activity": found["activity"].to_pylist(),
            "lists": [None if value is None else tuple(value) for value in found["fields"].to_pylist()],
            "dataset": [dataset_key(*place) for place in places],
        }
        dimensions = {of: _listed(given, part) for of, given in values.items()}
        traced = {}
        if self._work.traced + found.num_rows <= _TRACED_MAX:
            traced = _traced(fetch(self._work.snapshot, found["seq"].to_numpy(), list(_TRACED)), part)
        self._work.add_totals(found.num_rows, dimensions | traced)


def _listed(values: list[Any], part: Part) -> _Dimension:
    """The totals by the values of a list."""
    numbers = Numbers()
    group = numbers.of(values)
    return _Dimension(Sums.of(group, part, len(numbers)), numbers.values)


def _told(work: _Work, persons: tuple[int, _I64], vault: Vault) -> Dossier:
    """The rows, the most accesses first; ``persons`` in all and of each actor."""
    if not len(work.sums["all"].events):
        return Dossier([], [])
    total, by_actor = persons
    rows = work.sums["all"].rows("all", [None], [0], np.array([total]))
    unknown = []
    traced = _TRACED if work.traced <= _TRACED_MAX else ()
    for of in ("actor", "dataset", "activity", "field", "credential", *traced):
        if of == "field":
            rows += _field_rows(work)
            continue
        sums, values = work.sums[of], work.names[of].values
        held = np.flatnonzero(sums.events)
        if of in _TRACED and len(held) > _LISTED_MAX:
            reason = f"of them only the {_LISTED_MAX:,} of the most accesses are listed"
            unknown.append(Unknown(of, "all", reason, count=len(held)))
            held = held[np.argsort(-sums.events[held], kind="stable")[:_LISTED_MAX]]
        if of in ("actor", "credential", "device", "app"):
            told = actor_names([values[i] for i in held.tolist()], vault)
            names = [told[values[i]] for i in held.tolist()]
        elif of == "dataset":
            names = [_place(values[i]) for i in held.tolist()]
        else:
            names = [address_text(values[i]) if of == "ip" else values[i] for i in held.tolist()]
        rows += sums.rows(of, names, held.tolist(), by_actor if of == "actor" else None)
    if work.traced > _TRACED_MAX:
        reason = (
            f"devices, applications and addresses are not listed for more than {_TRACED_MAX:,} accesses: ask for less"
        )
        unknown.append(Unknown("device", "all", reason, count=work.traced))
    return Dossier(rows, unknown)


def _place(key: bytes) -> str:
    store, dataset = msgspec.json.decode(key, type=tuple[str | None, str | None])
    return f"{store or '?'}/{dataset or '?'}"


def _field_rows(work: _Work) -> list[DossierRow]:
    """Lists of fields, told field by field."""
    sums, fields = work.sums["lists"], Numbers()
    found = Sums()
    for i, names in enumerate(work.names["lists"].values):
        for name in set(names) if names is not None else {None}:
            place = int(fields.of([name])[0])
            found.grow(len(fields))
            for column in ADDED:
                getattr(found, column)[place] += getattr(sums, column)[i]
            found.whole[place] = max(found.whole[place], sums.whole[i])
            found.last[place] = max(found.last[place], sums.last[i])
            found.first[place] = min(found.first[place], sums.first[i])
    values = fields.values
    return found.rows("field", values, range(len(values)), None)
