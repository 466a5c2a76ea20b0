"""Putting a `who` question together from names, and its answer from ledger, atlas and state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from beholden.cli._estate import Estate
from beholden.cli._names import class_name, dataset_name
from beholden.cli._rooms import engine, subject_fields, world
from beholden.cli._who_unknown import open_questions
from beholden.core.errors import UsageError
from beholden.core.names import DatasetName, Person
from beholden.core.times import parse_window
from beholden.core.unknown import Unknown
from beholden.ledger import Snapshot
from beholden.ledger.dossier import Dossier, dossier
from beholden.ledger.gaps import gaps, stores_on_record
from beholden.ledger.resolve import UNASKED, name_from_text, resolve_possible
from beholden.ledger.unlogged import unlogged_parameters
from beholden.ledger.who import EventRow, Question, Target, WhoRow, ask_events, group, matched_events
from beholden.ledger.world import SubjectFields
from beholden.state.datasets import class_fields, relatives_of, views_in_doubt
from beholden.state.subjects import effective_subjects

__all__ = ["Answer", "answer", "answer_dossier", "build_question"]


@dataclass(frozen=True, slots=True)
class Answer:
    """Grouped rows or events, and what the answer cannot say."""

    groups: list[WhoRow]
    events: list[EventRow]
    unknown: list[Unknown]
    unasked: bool = False  # a store that --resolve needed could not be read


def build_question(
    estate: Estate,
    *,
    datasets: Sequence[str],
    class_: str | None,
    subject: str | None,
    actors: Sequence[str],
    credentials: Sequence[str],
    devices: Sequence[str] = (),
    start: str | None,
    end: str | None,
) -> Question:
    """Read the options; raises `UsageError` for names that make no sense."""
    if not (datasets or class_ or subject or actors or credentials or devices):
        raise UsageError(
            "who",
            "nothing is asked",
            expected="--dataset, --class, --subject, --actor, --credential or --device",
            advice="see: beholden who --help",
        )
    person = None if subject is None else Person.parse(subject)
    targets: tuple[Target, ...] | None = None
    if datasets:
        targets = tuple(target for name in datasets for target in _dataset_targets(estate, dataset_name(name)))
    if class_ is not None:
        by_class = _class_targets(estate, class_name(class_))
        wanted = None if targets is None else {target.dataset for target in targets}
        targets = tuple(target for target in by_class if wanted is None or target.dataset in wanted)
    if person is not None:
        fields = _subject_fields(estate, person)
        person = fields.person(person.identifier)
        keys = fields.key_datasets()
        wanted = None if targets is None else {target.dataset for target in targets}
        others = _key_datasets_of_others(estate, person.kind)
        views = world(estate, ()).stores
        holding = [
            Target(
                DatasetName(*place), key=place in keys, mixed=place in others,
                part=place[0] in views and views[place[0]].shows_part(place[1]),
            )
            for place in sorted(fields.datasets())
        ]  # fmt: skip
        targets = tuple(target for target in holding if wanted is None or target.dataset in wanted)
    return Question(
        window=parse_window(start, end, estate.clock),
        targets=targets,
        only=tuple(DatasetName.parse(name) for name in datasets) or None if person is not None else None,
        subject=person,
        actors=tuple(_actor(name, estate) for name in actors) or None,
        credentials=tuple(Person("credential", name) for name in credentials) or None,
        devices=tuple(Person("device", name) for name in devices) or None,
    )


def answer(estate: Estate, question: Question, *, events: bool, resolve: bool) -> Answer:
    """Ask the ledger and say what it cannot say."""
    return estate.ledger.ask(lambda snapshot: _answer_from(estate, question, snapshot, events=events, resolve=resolve))


def _answer_from(estate: Estate, question: Question, snapshot: Snapshot, *, events: bool, resolve: bool) -> Answer:
    with engine(estate) as running:
        _check_stores(estate, question, snapshot)
        wide = events or question.subject is not None
        matched = matched_events(question, snapshot, running, estate.vault, wide=wide)
        notes: list[Unknown] = []
        if question.subject is not None and estate.vault.were_forgotten([question.subject]) == [False]:
            known = world(estate, {target.dataset.store for target in question.targets or ()})
            matched = name_from_text(matched, question.subject, known, estate.vault, estate.state)
            if resolve:
                subject = _subject_fields(estate, question.subject)
                matched, notes = resolve_possible(
                    matched, question.subject, subject, known, estate.vault, estate.state, estate.connector
                )
        rows = ask_events(matched, estate.vault) if events else []
        groups = [] if events else group(matched, running, estate.vault)
        notes += unlogged_parameters(matched, snapshot, estate.state, estate.vault)
        unknown = _incomplete(estate, question, snapshot)
    return Answer(groups, rows, notes + unknown, any(note.reason.startswith(UNASKED) for note in notes))


def answer_dossier(estate: Estate, question: Question) -> Dossier:
    """Add up the accesses and say what the sums cannot say."""

    def ask(snapshot: Snapshot) -> Dossier:
        _check_stores(estate, question, snapshot)
        with engine(estate) as running:
            told = dossier(question, snapshot, running, estate.vault)
        return Dossier(told.rows, told.unknown + _incomplete(estate, question, snapshot))

    return estate.ledger.ask(ask)


def _incomplete(estate: Estate, question: Question, snapshot: Snapshot) -> list[Unknown]:
    """What the record lacks for a question, and what the question leaves open."""
    stores = None if question.targets is None else {target.dataset.store for target in question.targets}
    found = gaps(estate.state, estate.config, snapshot, window=question.window, stores=stores, now=estate.clock())
    return found + open_questions(estate, question, snapshot)


def _check_stores(estate: Estate, question: Question, snapshot: Snapshot) -> None:
    """Refuse a store that is neither declared nor on record: logs may tell of stores that nothing can scan."""
    declared = {store.name for store in estate.config.store}
    asked = {target.dataset.store for target in question.targets or ()} - declared
    for name in sorted(asked - stores_on_record(snapshot)) if asked else ():
        estate.config.store_named(name)


def _dataset_targets(estate: Estate, dataset: DatasetName) -> list[Target]:
    """The dataset itself, what contains it, its parts, and the views that show it or may do so."""
    found = relatives_of(estate.state, dataset)
    others = (
        ("included", 0, found.parents),
        ("named", 1, found.parts),
        ("view", 2, found.views),
        ("possible", 2, found.views_beside),
    )
    return [
        Target(dataset),
        *(
            Target(DatasetName(dataset.store, path), match, asked=dataset, distance=distance)
            for match, distance, paths in others
            for path in paths
        ),
    ]


def _class_targets(estate: Estate, class_: str) -> list[Target]:
    """The datasets that hold the class, and views over them that may show it."""
    holding = class_fields(estate.state, class_)
    doubtful = views_in_doubt(estate.state, holding)
    return [
        *(Target(name, fields=fields) for name, fields in holding.items()),
        *(Target(name, "possible", fields=fields) for name, fields in doubtful.items()),
    ]


def _subject_fields(estate: Estate, person: Person) -> SubjectFields:
    kinds = {subject.kind: subject for subject in effective_subjects(estate.state, estate.config)}
    if person.kind not in kinds:
        raise UsageError(
            "--subject",
            "this kind of data subject is neither declared nor found by a scan",
            expected=", ".join(sorted(kinds)) or "a [[subject]] in beholden.toml",
            advice="declare it in beholden.toml, or scan the store that holds it",
        )
    return subject_fields(estate, kinds[person.kind])


def _key_datasets_of_others(estate: Estate, kind: str) -> set[tuple[str, str]]:
    """Datasets whose rows carry the identifier of another kind of person."""
    others = [other for other in effective_subjects(estate.state, estate.config) if other.kind != kind]
    return {place for other in others for place in subject_fields(estate, other).key_datasets()}


def _actor(name: str, estate: Estate) -> Person:
    """An actor's own identifier; ``kind:identifier`` where the kind is a kind of data subject."""
    kind, colon, identifier = name.partition(":")
    kinds = {subject.kind for subject in effective_subjects(estate.state, estate.config)}
    return Person(kind, identifier) if colon and kind in kinds else Person("actor", name)
