"""The exposure dossier: who reached how many people's data, which of it, where to, and when.

It is about all accesses to datasets or a class of data, or by some actors, credentials or devices. Computed segment by segment over the integers of the indexes, so that a hundred million events need seconds and bounded
memory. Records of statements over several datasets are judged by the same SQL as every question (who_events.sql).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.errors import LimitError, UsageError
from beholden.core.unknown import Unknown
from beholden.engine import Engine
from beholden.ledger._addresses import address_text
from beholden.ledger._distinct import DistinctPersons
from beholden.ledger.candidates import Sought, fetch, found_in
from beholden.ledger.index import SegmentIndex, index_of_events
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
_POSSIBLE: Final = 2
_NOTHING: Final = 3
_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1
_READS: Final = ("read", "query", "export")
_TRACED: Final = ("device", "app", "ip")

_I64 = npt.NDArray[np.int64]
_U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class DossierRow:
    """What one group of accesses amounts to.

    ``of`` says what is grouped by: ``all`` (one row, first), ``actor``, ``dataset``, ``activity``, ``field``,
    ``credential``, ``device``, ``app`` or ``ip``; ``name`` is which, null where the log does not say. ``events`` are
    accesses, of which ``possible`` may not have reached what was asked about; ``rows`` the rows they returned;
    ``subjects`` the distinct persons they named (only of ``all`` and ``actor``), and ``whole`` the most persons that one
    access reached without naming them all. Times are RFC 3339.
    """

    of: str
    name: str | None
    events: int
    possible: int
    rows: int | None
    subjects: int | None
    whole: int | None
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """The rows, and what they do not tell."""

    rows: list[DossierRow]
    unknown: list[Unknown]


@dataclass(slots=True)
class _Sums:
    """Running totals of groups that are numbered from 0."""

    events: _I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    possible: _I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    counted: _I64 = field(default_factory=lambda: np.zeros(0, np.int64))  # accesses that say how many rows
    low: _I64 = field(default_factory=lambda: np.zeros(0, np.int64))  # rows, of each its lower 32 bits
    high: _I64 = field(default_factory=lambda: np.zeros(0, np.int64))  # and the rest: a log may claim any number
    whole: _I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    first: _I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    last: _I64 = field(default_factory=lambda: np.zeros(0, np.int64))

    def add(self, group: _I64, part: _Part, groups: int) -> None:
        """Add accesses; ``group`` is the number of each one's group, -1 for none."""
        self.grow(groups)
        if (group < 0).any():
            part, group = part.take(group >= 0), group[group >= 0]
        self.events += np.bincount(group, minlength=groups)
        self.possible += _counted(group, part.match == _POSSIBLE, groups)
        self.counted += _counted(group, part.has_rows, groups)
        np.add.at(self.low, group, part.low)
        if part.high is not None:
            np.add.at(self.high, group, part.high)
        np.maximum.at(self.whole, group, part.whole)
        np.minimum.at(self.first, group, part.time)
        np.maximum.at(self.last, group, part.time)

    def grow(self, groups: int) -> None:
        """Make room for so many groups."""
        more = groups - len(self.events)
        if more > 0:
            for name in ("events", "possible", "counted", "low", "high"):
                setattr(self, name, np.concatenate((getattr(self, name), np.zeros(more, np.int64))))
            least = np.full(more, _LEAST)
            self.whole = np.concatenate((self.whole, least))
            self.last = np.concatenate((self.last, least))
            self.first = np.concatenate((self.first, np.full(more, _MOST)))

    def rows(
        self, of: str, names: Sequence[str | None], groups: Sequence[int], subjects: _I64 | None
    ) -> list[DossierRow]:
        """Some groups for people, by their numbers, and ``names`` for each of these; the most accesses first."""
        order = sorted(range(len(groups)), key=lambda i: (-int(self.events[groups[i]]), str(names[i])))
        picked = np.array([groups[i] for i in order], np.int64)
        columns = (
            self.events, self.possible, self.low, self.high, self.counted, self.whole,
            np.zeros(len(self.events), np.int64) if subjects is None else subjects,
        )  # fmt: skip
        numbers = [column[picked].tolist() for column in columns]
        times = [
            pc.strftime(pa.array(column[picked], pa.timestamp("us")), "%Y-%m-%dT%H:%M:%SZ").to_pylist()
            for column in (self.first, self.last)
        ]
        return [
            DossierRow(
                of, names[i], events, possible, min(max((high << 32) + low, _LEAST), _MOST) if counted else None,
                None if subjects is None else persons, None if whole == _LEAST else whole, first, last,
            )
            for i, events, possible, low, high, counted, whole, persons, first, last in zip(
                order, *numbers, *times, strict=True
            )
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Part:
    """Some accesses: sequence numbers, and what is added up.

    ``low`` and ``high`` are the 32 bits of their rows, ``high`` None where it is 0 for all; ``whole`` is the least
    number there is where it is not known.
    """

    seq: _I64
    match: _U8
    time: _I64
    has_rows: npt.NDArray[np.bool_]
    low: _I64
    high: _I64 | None
    whole: _I64

    @classmethod
    def of(
        cls, seq: _I64, match: _U8, time: _I64, rows: tuple[_I64, npt.NDArray[np.bool_]],
        whole: tuple[_I64, npt.NDArray[np.bool_]],
    ) -> _Part:  # fmt: skip
        """From values and which of them are known."""
        numbers = np.where(rows[1], rows[0], 0)
        large = len(numbers) > 0 and (numbers.max() >> 32 != 0 or numbers.min() < 0)
        return cls(
            seq, match, time, rows[1], numbers & 0xFFFFFFFF, numbers >> 32 if large else None,
            np.where(whole[1], whole[0], _LEAST),
        )  # fmt: skip

    def take(self, which: npt.NDArray[np.bool_]) -> _Part:
        """Some of them."""
        high = None if self.high is None else self.high[which]
        return _Part(
            self.seq[which], self.match[which], self.time[which], self.has_rows[which], self.low[which], high,
            self.whole[which],
        )  # fmt: skip


def _counted(group: _I64, which: npt.NDArray[np.bool_], groups: int) -> _I64:
    """How many of ``which`` each group has."""
    return np.bincount(group if which.all() else group[which], minlength=groups)


class _Names:
    """Numbers for the values of a dimension, in the order in which they come."""

    def __init__(self) -> None:
        self.places: dict[Any, int] = {}

    def of(self, values: Sequence[Any]) -> _I64:
        """The number of each value; new ones get the next."""
        places = self.places
        return np.array([places.setdefault(value, len(places)) for value in values], np.int64)


class _Work:
    """What is known so far."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.names = {of: _Names() for of in ("actor", "dataset", "activity", "credential", "lists", *_TRACED)}
        self.sums = {of: _Sums() for of in ("all", *self.names)}
        self.persons = DistinctPersons()
        self.traced = 0

    def add(self, part: _Part, groups: dict[str, _I64]) -> None:
        """Add accesses; ``groups`` are their numbers in each dimension."""
        if not len(part.seq):
            return
        self.sums["all"].add(np.zeros(len(part.seq), np.int64), part, 1)
        for of, group in groups.items():
            self.sums[of].add(group, part, len(self.names[of].places))

    def trace(self, part: _Part, table: Callable[[list[str]], pa.Table]) -> None:
        """Add where accesses came from, as far as there are not too many."""
        self.traced += len(part.seq)
        if self.traced > _TRACED_MAX or not len(part.seq):
            return
        held = table(list(_TRACED))
        for of in _TRACED:
            encoded = held.column(of).combine_chunks().dictionary_encode()
            numbers = np.concatenate((self.names[of].of(encoded.dictionary.to_pylist()), [-1]))
            codes = encoded.indices.fill_null(len(numbers) - 1).to_numpy(zero_copy_only=False)
            self.sums[of].add(numbers[codes], part, len(self.names[of].places))


def dossier(question: Question, snapshot: Snapshot, engine: Engine, vault: Vault) -> Dossier:
    """Add up all accesses that match a question about datasets, actors, credentials or devices.

    The groups add up to what `matched_events` finds. Persons are told apart by at least 40 bits of their random tokens
    besides those that part them into bins; see `DistinctPersons` for the chance of counting one too few.

    Raises:
        UsageError: the question is about a person; their accesses are a question of `matched_events`.
    """
    if question.subject is not None:
        raise UsageError("who --dossier", "is not about one person", expected="a dataset, class, actor or credential")
    wanted = sought(question, vault)
    targets = None if question.targets is None else _by_dataset(merged_targets(question.targets))
    work = _Work(snapshot)
    statements = _Statements(question, engine, vault, work)
    for index, path_table in _indexes(snapshot, wanted):
        _add_index(index, path_table, wanted, targets, work, statements)
    statements.finish()
    return _told(work, vault)


def _by_dataset(targets: Sequence[Target]) -> dict[tuple[str | None, str | None], list[Target]]:
    found: dict[tuple[str | None, str | None], list[Target]] = {}
    for target in targets:
        found.setdefault((target.dataset.store, target.dataset.path), []).append(target)
    return found


_Reader = Callable[[list[str], _I64], pa.Table]


def _indexes(snapshot: Snapshot, wanted: Sought) -> Iterator[tuple[SegmentIndex, _Reader]]:
    """An index of every segment and of what is not sealed, and how to read more columns of some of its rows."""
    for segment, path in zip(snapshot.manifest.segments, snapshot.segments, strict=True):
        if not wanted.window.overlaps(segment.time_min, segment.time_max):
            continue

        def read(columns: list[str], rows: _I64, path: Any = path) -> pa.Table:
            return read_columns(path, path.name, columns).take(pa.array(rows))

        index = snapshot.indexes.of.get(segment.file)
        try:
            yield (index.again() if index is not None else index_of_events(path, segment.first_seq)), read
        except OverflowError:
            raise LimitError("who --dossier", "a segment has more field names than can be told apart") from None
    if snapshot.recent.num_rows:
        recent = snapshot.recent
        yield (
            index_of_events(recent, snapshot.manifest.next_seq),
            lambda columns, rows: recent.select(columns).take(pa.array(rows)),
        )


def _add_index(
    index: SegmentIndex,
    read: _Reader,
    wanted: Sought,
    targets: dict[tuple[str | None, str | None], list[Target]] | None,
    work: _Work,
    statements: _Statements,
) -> None:
    def devices(rows: _I64) -> pa.Array:
        return read(["device"], rows)["device"]

    events = found_in(index, wanted, devices)
    if not len(events):
        return
    correlated = index.column("correlation", events) > 0
    if correlated.any():
        statements.add(index.table(events[correlated]))
        events = events[~correlated]
    match = np.zeros(len(events), np.uint8) if targets is None else _matches(index, events, targets)
    if (match == _NOTHING).any():
        events, match = events[match < _NOTHING], match[match < _NOTHING]
    if not len(events):
        return
    part = _Part.of(
        index.rows(events) + index.header.first_seq, match, index.times(events), index.numbers("rows", events),
        index.numbers("subject_count", events),
    )  # fmt: skip
    actor = _numbered(index, "actor", events, work.names["actor"])
    groups = {
        "actor": actor,
        "credential": _numbered(index, "credential", events, work.names["credential"]),
        "activity": _valued(index, "activity", events, work.names["activity"]),
        "lists": _valued(index, "fields", events, work.names["lists"]),
        "dataset": _placed(index, events, work.names["dataset"]),
    }
    work.add(part, groups)
    work.persons.add(index, events, actor)
    work.trace(part, lambda columns: read(columns, part.seq - index.header.first_seq))


def _numbered(index: SegmentIndex, column: str, events: _I64, names: _Names) -> _I64:
    """The number of each event's token in a dimension; that of null too."""
    codes = index.column(column, events).astype(np.int64)
    held = np.flatnonzero(np.bincount(codes))
    tokens = index.tokens(column).rows
    numbers = np.zeros(int(held[-1]) + 1, np.int64)
    numbers[held] = names.of([None if code == 0 else tokens[code - 1].tobytes() for code in held.tolist()])
    return numbers[codes]


def _valued(index: SegmentIndex, column: str, events: _I64, names: _Names) -> _I64:
    codes = index.column(column, events).astype(np.int64)
    values = [None, *(tuple(value) if isinstance(value, list) else value for value in index.values(column))]
    held = np.flatnonzero(np.bincount(codes))
    numbers = np.zeros(len(values), np.int64)
    numbers[held] = names.of([values[code] for code in held.tolist()])
    return numbers[codes]


def _placed(index: SegmentIndex, events: _I64, names: _Names) -> _I64:
    places, counts = index.places(events)
    return np.repeat(names.of([index.name_of(place) for place in places.tolist()]), counts)


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
        names = self._work.names
        part = _Part.of(
            found["seq"].to_numpy(),
            np.array([_MATCHES.index(match) for match in found["match"].to_pylist()], np.uint8),
            found["time"].cast(pa.int64()).to_numpy(),
            *(
                (found[name].fill_null(0).to_numpy(), found[name].is_valid().to_numpy())
                for name in ("rows", "subject_count")
            ),
        )
        actor = names["actor"].of(found["actor"].to_pylist())
        lists = [None if value is None else tuple(value) for value in found["fields"].to_pylist()]
        places = list(zip(found["store"].to_pylist(), found["dataset"].to_pylist(), strict=True))
        groups = {
            "actor": actor,
            "credential": names["credential"].of(found["credential"].to_pylist()),
            "activity": names["activity"].of(found["activity"].to_pylist()),
            "lists": names["lists"].of(lists),
            "dataset": names["dataset"].of(places),
        }
        self._work.add(part, groups)
        self._work.persons.add_named(found["subjects"], actor)
        self._work.trace(part, lambda columns: fetch(self._work.snapshot, part.seq, columns))


def _told(work: _Work, vault: Vault) -> Dossier:
    """The rows, the most accesses first."""
    if not len(work.sums["all"].events):
        return Dossier([], [])
    total, by_actor = work.persons.count(len(work.names["actor"].places))
    rows = work.sums["all"].rows("all", [None], [0], np.array([total]))
    unknown = []
    traced = _TRACED if work.traced <= _TRACED_MAX else ()
    for of in ("actor", "dataset", "activity", "field", "credential", *traced):
        if of == "field":
            rows += _field_rows(work)
            continue
        sums, values = work.sums[of], list(work.names[of].places)
        held = np.flatnonzero(sums.events)
        if of in _TRACED and len(held) > _LISTED_MAX:
            reason = f"of them only the {_LISTED_MAX:,} of the most accesses are listed"
            unknown.append(Unknown(of, "all", reason, count=len(held)))
            held = held[np.argsort(-sums.events[held], kind="stable")[:_LISTED_MAX]]
        if of in ("actor", "credential", "device", "app"):
            told = actor_names([values[i] for i in held.tolist()], vault)
            names = [told[values[i]] for i in held.tolist()]
        elif of == "dataset":
            names = [f"{values[i][0] or '?'}/{values[i][1] or '?'}" for i in held.tolist()]
        else:
            names = [address_text(values[i]) if of == "ip" else values[i] for i in held.tolist()]
        rows += sums.rows(of, names, held.tolist(), by_actor if of == "actor" else None)
    if work.traced > _TRACED_MAX:
        reason = (
            f"devices, applications and addresses are not listed for more than {_TRACED_MAX:,} accesses: ask for less"
        )
        unknown.append(Unknown("device", "all", reason, count=work.traced))
    return Dossier(rows, unknown)


def _field_rows(work: _Work) -> list[DossierRow]:
    """Lists of fields, told field by field."""
    sums, fields = work.sums["lists"], _Names()
    found = _Sums()
    for i, names in enumerate(work.names["lists"].places):
        for name in set(names) if names is not None else {None}:
            place = int(fields.of([name])[0])
            found.grow(len(fields.places))
            for column in ("events", "possible", "counted", "low", "high"):
                getattr(found, column)[place] += getattr(sums, column)[i]
            found.whole[place] = max(found.whole[place], sums.whole[i])
            found.last[place] = max(found.last[place], sums.last[i])
            found.first[place] = min(found.first[place], sums.first[i])
    values = list(fields.places)
    return found.rows("field", values, range(len(values)), None)
