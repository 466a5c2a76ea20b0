"""Kinds of data subject: those that beholden.toml declares and those that scans propose."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import sqlalchemy as sa

from beholden.core.classes import COARSE, NONE
from beholden.core.config import Config
from beholden.core.names import DatasetName, FieldName
from beholden.state.database import State
from beholden.state.datasets import upsert
from beholden.state.tables import datasets, fields, subject_kinds

__all__ = ["Link", "ProposedKind", "SubjectKind", "effective_subjects", "put_proposals"]

#: A dataset that rows point to, with fewer rows than persons divided by this, is a list they share.
_PERSONS_PER_ROW_MAX: Final = 10
_OWN_KIND: Final = "it is taken for persons of its own; declare the kinds of data subject to have it followed"
_NOTHING_PERSONAL: Final = "nothing in it was classified as personal"


@dataclass(frozen=True, slots=True)
class Link:
    """Rows of ``path`` are of the persons whose rows of ``from_path`` hold the same value: ``field`` = ``from_field``."""

    store: str
    path: str
    field: str
    from_path: str
    from_field: str


@dataclass(frozen=True, slots=True)
class SubjectKind:
    """A kind of person and the fields (STORE/PATH#field) that identify and describe one.

    ``aliases`` hold the same identifier as ``key``: declared ones, fields that refer to it by a foreign key, directly
    or through others, and the same fields of partitions and views. ``links`` lead to personal data in datasets without it: an
    address that a customer's row refers to, the messages of a customer's ticket. ``personal`` are the fields with
    personal data in all of these datasets and in views over them, those of views also where they were never
    classified. ``left_out`` are datasets (STORE/PATH) whose rows refer to theirs and that
    are not followed all the same, by why.
    """

    kind: str
    key: str
    names: tuple[str, ...]
    emails: tuple[str, ...]
    aliases: tuple[str, ...]
    declared: bool
    links: tuple[Link, ...] = ()
    personal: tuple[str, ...] = ()
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProposedKind:
    """A kind that a scan proposes, and why."""

    kind: str
    key: str
    names: tuple[str, ...]
    emails: tuple[str, ...]
    reason: str


def put_proposals(state: State, proposed: Sequence[ProposedKind], *, now: int) -> None:
    """Replace all proposals by these, in one transaction; a kind that stays keeps its date."""
    with state.write() as connection:
        kinds = [proposal.kind for proposal in proposed]
        connection.execute(subject_kinds.delete().where(subject_kinds.c.kind.not_in(kinds)))
        upsert(
            connection,
            subject_kinds,
            [
                {
                    "kind": proposal.kind,
                    "key": proposal.key,
                    "names": list(proposal.names),
                    "emails": list(proposal.emails),
                    "reason": proposal.reason,
                    "proposed": now,
                }
                for proposal in proposed
            ],
            key=("kind",),
            keep=("proposed",),
        )


def effective_subjects(state: State, config: Config) -> list[SubjectKind]:
    """The kinds in force: declared ones first, then proposals that are not, by kind or key, one of these already.

    A table whose key is an alias of another kind's key holds the same persons again (a copy in a warehouse).
    """
    with state.read() as connection:
        proposals = connection.execute(sa.select(subject_kinds).order_by(subject_kinds.c.kind)).all()
        known = _Known.of(connection)
    kinds = [
        SubjectKind(
            subject.kind, subject.key, subject.names, subject.emails,
            known.aliases(subject.key, subject.aliases), declared=True,
        )
        for subject in config.subject
    ]  # fmt: skip
    for row in proposals:
        if any(row.kind == kind.kind or row.key in (kind.key, *kind.aliases) for kind in kinds):
            continue
        aliases = known.aliases(row.key, ())
        kinds.append(SubjectKind(row.kind, row.key, tuple(row.names), tuple(row.emails), aliases, declared=False))
    return [
        known.with_links(kind, {_dataset(other.key): other for other in kinds if other is not kind}) for kind in kinds
    ]


def _dataset(key: str) -> DatasetName:
    return FieldName.parse(key).dataset


@dataclass(slots=True)
class _Known:
    """What scans know of keys, references and personal data, of all stores."""

    rows: dict[DatasetName, int | None] = field(default_factory=dict)
    keyed_by: dict[DatasetName, list[str]] = field(default_factory=dict)  # the fields of the primary key
    personal: dict[DatasetName, list[str]] = field(default_factory=dict)
    identifying: set[DatasetName] = field(default_factory=set)
    same: dict[str, list[str]] = field(default_factory=dict)  # a field -> fields that hold the same identifiers
    links_to: dict[DatasetName, list[Link]] = field(default_factory=dict)  # from a dataset to what its rows refer to
    links_back: dict[DatasetName, list[Link]] = field(default_factory=dict)  # and to what refers to its rows
    views: dict[DatasetName, set[DatasetName]] = field(default_factory=dict)  # and the datasets whose fields they show

    @classmethod
    def of(cls, connection: sa.Connection) -> _Known:
        """Read what matters of all fields in one query."""
        known = cls()
        query = (
            sa.select(
                datasets.c.store,
                datasets.c.path,
                datasets.c.kind,
                datasets.c.parent,
                datasets.c.reads,
                datasets.c.row_count,
                fields.c.field,
                fields.c.in_key,
                fields.c.refers_to,
                fields.c["class"].label("class_"),
            )
            .join(fields, fields.c.dataset_id == datasets.c.dataset_id)
            .where(
                datasets.c.gone.is_(None),
                sa.or_(
                    fields.c.refers_to.is_not(None),
                    fields.c.in_key,
                    datasets.c.parent.is_not(None),
                    datasets.c.kind == "view",
                    fields.c["class"] != NONE,
                ),
            )
            .order_by(datasets.c.store, datasets.c.path, fields.c.ordinal)
        )
        for row in connection.execute(query):
            known._take(row)
        return known

    def _take(self, row: sa.Row[*tuple[Any, ...]]) -> None:
        name = DatasetName(row.store, row.path)
        own = str(FieldName(name, row.field))
        self.rows[name] = row.row_count
        if row.refers_to is not None:
            target = FieldName.parse(f"{row.store}/{row.refers_to}")
            self.same.setdefault(str(target), []).append(own)
        if row.kind == "view":
            shown = {DatasetName(row.store, path) for path, reach in (row.reads or {}).items() if reach != "none"}
            self.views.setdefault(name, shown)
        elif row.refers_to is not None:
            to = Link(row.store, target.dataset.path, target.field, row.path, row.field)
            self.links_to.setdefault(name, []).append(to)
            back = Link(row.store, row.path, row.field, target.dataset.path, target.field)
            self.links_back.setdefault(target.dataset, []).append(back)
        if row.in_key:
            self.keyed_by.setdefault(name, []).append(own)
        if row.parent is not None:
            self.same.setdefault(str(FieldName(DatasetName(row.store, row.parent), row.field)), []).append(own)
        if row.class_ != NONE and (row.class_ is not None or row.kind == "view"):
            self.personal.setdefault(name, []).append(own)
            if row.class_ not in COARSE:
                self.identifying.add(name)

    def aliases(self, key: str, declared: Iterable[str]) -> tuple[str, ...]:
        """The fields that hold the same identifiers as ``key`` and say whose row it is.

        In a dataset whose primary key is such a field, others of it (a manager, who recommended them) name somebody
        else; so does what views pass on of these.
        """
        found = self._same_as(key, declared)
        own = {_dataset(name): name for name in (key, *found) if self.keyed_by.get(_dataset(name)) == [name]}
        own[_dataset(key)] = key
        others = {name for name in found if name not in declared and own.get(_dataset(name), name) != name}
        return tuple(self._same_as(key, declared, without=others))

    def _same_as(self, key: str, declared: Iterable[str], without: Collection[str] = ()) -> list[str]:
        found = dict.fromkeys(declared)
        queue = [key, *found]
        while queue:
            for referring in self.same.get(queue.pop(), ()):
                if referring != key and referring not in found and referring not in without:
                    found[referring] = None
                    queue.append(referring)
        return list(found)

    def with_links(self, kind: SubjectKind, homes: Mapping[DatasetName, SubjectKind]) -> SubjectKind:
        """The kind with its links; ``homes`` are the datasets of other kinds, which hold other persons.

        What refers to a person's rows and looks like a kind of its own (a reply with its sender's name and address) is
        followed where the kind asked about is declared and the other one is not; else it is left out, and said.
        """
        left_out: dict[str, dict[str, None]] = {}
        reached = {_dataset(key): False for key in (kind.key, *kind.aliases)}  # whether by what rows refer to
        persons = self.rows.get(_dataset(kind.key))
        links: list[Link] = []
        level = list(reached)
        while level:
            found: dict[DatasetName, bool] = {}
            for name in level:
                back = () if reached[name] else self.links_back.get(name, ())
                for link, forward in (
                    *((one, False) for one in back),
                    *((one, True) for one in self.links_to.get(name, ())),
                ):
                    place = DatasetName(link.store, link.path)
                    if place in reached:
                        continue
                    other = homes.get(place)
                    if forward and (other or place not in self.identifying or self._is_shared(place, persons)):
                        continue
                    if other is not None and (other.declared or not kind.declared):
                        if not other.declared:
                            left_out.setdefault(_OWN_KIND, {})[str(place)] = None
                        continue
                    if place not in self.identifying:
                        left_out.setdefault(_NOTHING_PERSONAL, {})[str(place)] = None
                        continue
                    found[place] = forward and found.get(place, True)
                    links.append(link)
            reached |= found
            level = list(found)
        places = [*reached, *self._views_over(reached, homes)]
        personal = [name for place in places for name in self.personal.get(place, ())]
        return replace(
            kind,
            links=tuple(links),
            personal=tuple(personal),
            left_out={why: tuple(names) for why, names in left_out.items()},
        )

    def _views_over(
        self, reached: Mapping[DatasetName, bool], homes: Mapping[DatasetName, SubjectKind]
    ) -> list[DatasetName]:
        """Views without the identifier that show fields of these datasets.

        One that shows nothing of theirs but what rows refer to, beside persons of another kind, is about those: the
        addresses of staff.
        """
        found = []
        for view in (self.views.keys() & self.identifying) - reached.keys():
            shown = self._behind(view)
            theirs = shown & reached.keys()
            if any(not reached[name] for name in theirs) or (theirs and not shown & homes.keys()):
                found.append(view)
        return sorted(found, key=str)

    def _behind(self, view: DatasetName) -> set[DatasetName]:
        """All that a view shows fields of, also through other views."""
        found: set[DatasetName] = set()
        queue = [view]
        while queue:
            new = self.views.get(queue.pop(), set()) - found
            found |= new
            queue += new
        return found

    def _is_shared(self, place: DatasetName, persons: int | None) -> bool:
        rows = self.rows.get(place)
        return rows is not None and persons is not None and rows * _PERSONS_PER_ROW_MAX < persons
