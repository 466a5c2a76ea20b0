"""What a `who` question leaves open, beyond what the record itself lacks: names nobody knows, data nobody tied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from beholden.atlas.gaps import field_gaps
from beholden.cli._estate import Estate
from beholden.core.names import DatasetName, FieldName
from beholden.core.unknown import Unknown
from beholden.ledger import Snapshot
from beholden.ledger.touched import nameless_actors, touched_datasets
from beholden.ledger.who import Question
from beholden.state.coverage import known_datasets, personal_datasets
from beholden.state.datasets import dataset_known, field_type
from beholden.state.subjects import SubjectKind, effective_subjects

__all__ = ["open_questions"]

#: Datasets that one line names.
_NAMED_MAX: Final = 3


def open_questions(estate: Estate, question: Question, snapshot: Snapshot) -> list[Unknown]:
    """Everything that could make the answer too short, and is known to be unknown."""
    found = list(_about_datasets(estate, question))
    if question.subject is not None:
        found += _about_subject(estate, question)
    if question.subject is not None or _is_of_class(question):
        found += field_gaps(estate.state, estate.config, partial=False)
        found += _never_scanned(estate, question, snapshot)
    return found + list(_about_strangers(estate, question, snapshot))


def _is_of_class(question: Question) -> bool:
    """Whether the datasets asked about are those where a class of data was found."""
    return question.targets is not None and all(target.fields is not None for target in question.targets)


def _about_datasets(estate: Estate, question: Question) -> Iterator[Unknown]:
    for target in question.targets or ():
        if target.match == "named" and not dataset_known(estate.state, target.dataset):
            yield Unknown("dataset", str(target.dataset), "no scan has seen this dataset")
    if question.targets is not None and not question.targets:
        yield Unknown("dataset", "any", "no scanned dataset holds what is asked about")


def _about_subject(estate: Estate, question: Question) -> Iterator[Unknown]:
    """How sure it is what a person's data are."""
    person = question.subject
    if person is None:
        return
    kinds = effective_subjects(estate.state, estate.config)
    kind = next(kind for kind in kinds if kind.kind == person.kind)
    if not kind.declared:
        reason = f"kind of subject proposed by a scan from {kind.key}; declare it in beholden.toml to be sure"
        yield Unknown("subject", kind.kind, reason)
    elif field_type(estate.state, FieldName.parse(kind.key)) is None:
        yield Unknown("subject", kind.kind, f"no scan has seen its key {kind.key}")
    alike = [f"{other.kind} ({other.key})" for other in kinds if other.kind.startswith(f"{kind.kind}-")]
    if alike:
        reason = "another table would have given a kind of this name too: not asked about here"
        yield Unknown("subject", _some(alike), reason, count=len(alike))
    for why, names in kind.left_out.items():
        reason = f"refers to rows of theirs and is not followed: {why}"
        yield Unknown("dataset", _some(names), reason, count=len(names))
    untied = [str(name) for name in personal_datasets(estate.state) if name not in _tied(kinds)]
    if untied:
        reason = "personal data tied to no kind of person: reads of it are not listed here; ask with --dataset"
        yield Unknown("dataset", _some(untied), reason, count=len(untied))
    if estate.vault.were_forgotten([person]) == [True]:
        reason = "this person was forgotten: accesses on record that named them cannot be told any more"
        yield Unknown("subject", kind.kind, reason)
    elif estate.vault.find([person]) == [None]:
        reason = "no person of this identifier was made out in any log read, or the vault has lost them: reads of the whole may hold them"
        yield Unknown("subject", kind.kind, reason)


def _tied(kinds: Iterable[SubjectKind]) -> set[DatasetName]:
    """Datasets that hold data of some kind of person."""
    found = {DatasetName(link.store, link.path) for kind in kinds for link in kind.links}
    fields = [name for kind in kinds for name in (kind.key, *kind.aliases, *kind.personal)]
    return found | {FieldName.parse(name).dataset for name in fields}


def _never_scanned(estate: Estate, question: Question, snapshot: Snapshot) -> Iterator[Unknown]:
    """Datasets that accesses name and of which nobody knows what they hold."""
    known = known_datasets(estate.state)
    asked = {target.dataset for target in question.targets or ()}
    touched = touched_datasets(snapshot, question.window)
    unseen = [name for name in touched if name not in known]
    gone = [name for name in touched if known.get(name) and name not in asked]
    yield from _by_store(unseen, "accesses are on record, and no scan has seen what it holds")
    yield from _by_store(
        gone, "accesses are on record, and the last scan found it no more: whose data it held is not known"
    )


def _by_store(names: Sequence[DatasetName], reason: str) -> Iterator[Unknown]:
    by_store: dict[str, list[str]] = {}
    for name in names:
        by_store.setdefault(name.store, []).append(str(name))
    for listed in by_store.values():
        yield Unknown("dataset", _some(listed), reason, count=len(listed))


def _about_strangers(estate: Estate, question: Question, snapshot: Snapshot) -> Iterator[Unknown]:
    """Actors and credentials asked about whom no log named."""
    for kind, people in (
        ("actor", question.actors), ("credential", question.credentials), ("device", question.devices)
    ):  # fmt: skip
        strangers = estate.vault.find(people or ()).count(None)
        if not strangers:
            continue
        reason = f"no log read so far names the {kind} asked about; check how the logs write it"
        lost = nameless_actors(snapshot, estate.vault)
        if lost:
            reason += f". The vault has no name (any more) for {lost:,} of those on record: it may be one of them"
        yield Unknown(kind, kind, reason, count=strangers)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
    return ", ".join(names[:_NAMED_MAX]) + more
