"""Kinds of data subject: those that beholden.toml declares and those that scans propose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from beholden.core.config import Config
from beholden.core.names import DatasetName, FieldName
from beholden.state.database import State
from beholden.state.datasets import upsert
from beholden.state.tables import datasets, fields, subject_kinds

__all__ = ["ProposedKind", "SubjectKind", "effective_subjects", "put_proposals"]


@dataclass(frozen=True, slots=True)
class SubjectKind:
    """A kind of person and the fields (STORE/PATH#field) that identify and describe one.

    ``aliases`` hold the same identifier as ``key``: declared ones, fields that refer to it by a foreign key, directly
    or through others, and the same fields of partitions.
    """

    kind: str
    key: str
    names: tuple[str, ...]
    emails: tuple[str, ...]
    aliases: tuple[str, ...]
    declared: bool


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
        references = _references(connection)
    kinds = [
        SubjectKind(
            subject.kind, subject.key, subject.names, subject.emails,
            _aliases(subject.key, subject.aliases, references), declared=True,
        )
        for subject in config.subject
    ]  # fmt: skip
    for row in proposals:
        if any(row.kind == known.kind or row.key in (known.key, *known.aliases) for known in kinds):
            continue
        aliases = _aliases(row.key, (), references)
        kinds.append(SubjectKind(row.kind, row.key, tuple(row.names), tuple(row.emails), aliases, declared=False))
    return kinds


def _references(connection: sa.Connection) -> dict[str, list[str]]:
    """For each field, the fields that hold the same identifiers because they refer to it or are a partition's."""
    query = (
        sa.select(datasets.c.store, datasets.c.path, datasets.c.parent, fields.c.field, fields.c.refers_to)
        .join(fields, fields.c.dataset_id == datasets.c.dataset_id)
        .where(datasets.c.gone.is_(None))
        .order_by(datasets.c.store, datasets.c.path, fields.c.ordinal)
    )
    found: dict[str, list[str]] = {}
    for store, path, parent, field, refers_to in connection.execute(query):
        own = str(FieldName(DatasetName(store, path), field))
        if refers_to is not None:
            found.setdefault(f"{store}/{refers_to}", []).append(own)
        if parent is not None:
            found.setdefault(str(FieldName(DatasetName(store, parent), field)), []).append(own)
    return found


def _aliases(key: str, declared: Iterable[str], references: dict[str, list[str]]) -> tuple[str, ...]:
    found = dict.fromkeys(declared)
    queue = [key, *found]
    while queue:
        for referring in references.get(queue.pop(), ()):
            if referring != key and referring not in found:
                found[referring] = None
                queue.append(referring)
    return tuple(found)
