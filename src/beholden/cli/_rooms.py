"""How rooms are put together: what one room needs of another is handed over here, where both are visible."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from beholden.cli._estate import Estate
    from beholden.engine import Engine
    from beholden.ledger.world import StoreView, SubjectFields, World
    from beholden.state.subjects import SubjectKind
    from beholden.stores.connector import DatasetInfo

#: By a store's scheme: the dialect of its statements, and the schemas that unqualified names are looked for in.
_DIALECTS: Final = {
    "postgresql": ("postgres", ("public",)),
    "postgres": ("postgres", ("public",)),
    "sqlite": ("sqlite", ("main",)),
}

#: Classes of data whose values belong to one person each, as a rule; not where or when somebody lives or was born.
_SINGLING_OUT: Final = (
    "person_name", "email", "phone", "postal_address.street", "payment_card", "bank_account", "national_id", "device_id",
    "username", "password_hash",
)  # fmt: skip

__all__ = ["engine", "subject_fields", "world"]


@contextmanager
def engine(estate: Estate) -> Iterator[Engine]:
    """The estate's engine; what does not fit into its memory goes outside of an estate that can only be read."""
    from beholden.core.errors import SourceError
    from beholden.engine import DuckEngine

    wanted = estate.config.engine
    memory, threads = wanted.memory, os.cpu_count() or 1
    with ExitStack() as stack:
        if wanted.kind == "spark" and wanted.master is not None:
            from beholden.engine.spark import spark_engine

            yield stack.enter_context(spark_engine(wanted.master, memory))
            return
        try:
            running = DuckEngine(
                memory=memory, threads=threads, temp_directory=estate.directory / ".beholden" / "spill"
            )
        except SourceError:
            spill = Path(stack.enter_context(TemporaryDirectory(prefix="beholden-")))
            running = DuckEngine(memory=memory, threads=threads, temp_directory=spill)
        yield stack.enter_context(running)


def subject_fields(estate: Estate, subject: SubjectKind) -> SubjectFields:
    """Which fields identify and describe persons of a kind, and how their store compares identifiers."""
    from beholden.core.names import FieldName
    from beholden.ledger.world import SubjectFields, identifiers_of_type
    from beholden.state.datasets import field_type

    def places(texts: Iterable[str]) -> frozenset[tuple[str, str, str]]:
        names = [FieldName.parse(text) for text in texts]
        return frozenset((name.dataset.store, name.dataset.path, name.field) for name in names)

    key = FieldName.parse(subject.key)
    describing = places({*subject.names, *subject.emails, *subject.personal})
    return SubjectFields(
        subject.kind,
        places([subject.key, *subject.aliases]),
        describing,
        home=(key.dataset.store, key.dataset.path),
        identifiers=identifiers_of_type(field_type(estate.state, key)),
        links=subject.links,
        pointing=places({*subject.names, *subject.emails}) | (describing & _singling_out(estate)),
    )


def _singling_out(estate: Estate) -> set[tuple[str, str, str]]:
    """Fields whose values belong to one person each, as a rule."""
    from beholden.state.datasets import class_fields

    found = (class_fields(estate.state, class_) for class_ in _SINGLING_OUT)
    return {(name.store, name.path, field) for held in found for name, fields in held.items() for field in fields}


def world(estate: Estate, stores: Iterable[str]) -> World:
    """What is known of the stores that events may speak of: all that were scanned, and those named, asked live."""
    from beholden.ledger.world import World
    from beholden.state.subjects import effective_subjects

    views = {
        declared.name: view
        for declared in estate.config.store
        if (view := _view(estate, declared.name, ask=declared.name in set(stores))) is not None
    }
    subjects = tuple(subject_fields(estate, subject) for subject in effective_subjects(estate.state, estate.config))
    return World(views, subjects)


def _view(estate: Estate, name: str, *, ask: bool) -> StoreView | None:
    """A store as statements see it; from the last scan, or from the store itself when it was never scanned."""
    from beholden.core.errors import BeholdenError
    from beholden.ledger.world import StoreView
    from beholden.state.datasets import row_counts, schema_of, views_of
    from beholden.stores import place_of

    url = estate.config.store_named(name).url
    scheme = url.partition(":")[0].partition("+")[0].lower()
    if scheme not in _DIALECTS:
        return None
    dialect, search_path = _DIALECTS[scheme]
    schema = schema_of(estate.state, name)
    rows = {path: count for path, (count, _) in row_counts(estate.state, name).items()}
    views = views_of(estate.state, name)
    is_known = bool(schema)
    if not schema and ask:
        from beholden.atlas.views import views_among
        from beholden.cli.output import note

        listed: list[DatasetInfo] = []
        try:
            for dataset in estate.connector(name).datasets():
                listed.append(dataset)
                schema[dataset.path] = tuple(field.name for field in dataset.fields)
                if dataset.rows is not None:
                    rows[dataset.path] = dataset.rows.rows
            is_known = True
            note(f"store {name} was never scanned: its schema was read now; scan it to find its data subjects")
        except BeholdenError as error:
            note(error.line())
        views |= {path: view.reads for path, view in views_among(listed).items()}
    server, database = place_of(url) or (None, None)
    return StoreView(
        name, dialect, schema, rows, search_path, views, server=server, database=database, is_known=is_known
    )
