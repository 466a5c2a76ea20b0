"""What interpreting an access needs to know of the stores: schemas, row counts, and which fields name persons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from beholden.sqltext import Analyser

__all__ = ["StoreView", "SubjectFields", "World"]


@dataclass(frozen=True, slots=True)
class SubjectFields:
    """Which fields identify or describe persons of one kind.

    ``keys`` are (store, path, field) whose values are the identifier itself: the declared key, its aliases, and
    fields that refer to it. ``describing`` are names and e-mail addresses: a predicate on them may reach a person.
    """

    kind: str
    keys: frozenset[tuple[str, str, str]]
    describing: frozenset[tuple[str, str, str]] = frozenset()

    def key_datasets(self) -> set[tuple[str, str]]:
        """(store, path) of datasets that hold the identifier."""
        return {(store, path) for store, path, _ in self.keys}

    def datasets(self) -> set[tuple[str, str]]:
        """(store, path) of datasets that hold anything of these persons."""
        return self.key_datasets() | {(store, path) for store, path, _ in self.describing}


class StoreView:
    """One store as statements see it: its dialect, its datasets' fields, how many rows each has."""

    def __init__(
        self,
        name: str,
        dialect: str,
        schema: Mapping[str, tuple[str, ...]],
        rows: Mapping[str, int],
        search_path: tuple[str, ...],
    ) -> None:
        self.name = name
        self.dialect = dialect
        self.schema = schema
        self.rows = rows
        self.search_path = search_path
        self.analyser = Analyser(dialect, schema, search_path=search_path)
        self._folded = {path.lower(): path for path in schema}

    def resolve(self, written: str) -> str:
        """The dataset's path for a name as a log wrote it; the name itself, unquoted, when no dataset has it."""
        plain = written.replace('"', "").replace("`", "")
        for candidate in (plain, *(f"{schema}.{plain}" for schema in self.search_path)):
            if candidate in self.schema:
                return candidate
            if candidate.lower() in self._folded:
                return self._folded[candidate.lower()]
        if "." not in plain and self.search_path:
            return f"{self.search_path[0]}.{plain}"
        return plain


@dataclass(frozen=True, slots=True)
class World:
    """All stores and subject kinds that events may speak of."""

    stores: Mapping[str, StoreView]
    subjects: tuple[SubjectFields, ...]
    _by_field: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for subject in self.subjects:
            for place in subject.keys:
                self._by_field.setdefault(place, subject.kind)

    def kind_of(self, store: str, path: str, field_name: str) -> str | None:
        """The kind of person that a field's value identifies, or None."""
        return self._by_field.get((store, path, field_name))

    def kinds(self) -> set[str]:
        """All kinds of data subject."""
        return {subject.kind for subject in self.subjects}

    def holds_key(self, store: str, path: str) -> bool:
        """Whether a row of the dataset carries a person's identifier."""
        return any((store, path) in subject.key_datasets() for subject in self.subjects)
