"""What every connector offers, and the records that pass its border. ``tests/conformance`` holds each one to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, Self

import pyarrow as pa

__all__ = [
    "FIND_VALUES_MAX",
    "Connector",
    "DatasetInfo",
    "DatasetKind",
    "FieldInfo",
    "Grant",
    "RowCount",
    "Shortfall",
    "StoreInfo",
    "ViewDefinition",
]

#: Values that one call of ``find`` may ask for.
FIND_VALUES_MAX: Final = 1000

DatasetKind = Literal["table", "view", "partition", "file"]


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What answered: the kind of store, its version, and as whom we read."""

    kind: str
    version: str
    user: str | None = None


@dataclass(frozen=True, slots=True)
class RowCount:
    """A number of rows, counted or estimated from the store's own statistics."""

    rows: int
    exact: bool


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field: its place, the store's name for its type, whether it is in the primary key, what it refers to.

    One that is not ``readable`` is listed by the store, and we have no right to its values: no reading or sample that
    does not name it has it, and nothing can be said of what it holds.
    """

    ordinal: int
    name: str
    type: str
    in_key: bool = False
    refers_to: str | None = None  # PATH#field of a declared foreign key, within the store
    readable: bool = True


@dataclass(frozen=True, slots=True)
class ViewDefinition:
    """The SQL behind a view: its query, or its CREATE VIEW. In memory only: its conditions may tell of people.

    ``dialect`` is sqlglot's name; names without a schema are looked for in ``search_path``.
    """

    sql: str = field(repr=False)
    dialect: str
    search_path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """A table, view, partition or file, with its fields.

    ``problem`` says why its fields are not known; ``unsupported`` that it is of a format which is not read at all: a
    picture among the files is no failure, and still nothing that was looked at. A view has its ``definition`` where the
    store gives it.
    """

    path: str
    kind: DatasetKind
    fields: tuple[FieldInfo, ...]
    parent: str | None = None
    rows: RowCount | None = None
    size_bytes: int | None = None
    problem: str | None = None
    unsupported: bool = False
    definition: ViewDefinition | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A right on a dataset, or on one of its fields, as the store states it. ``grantee`` may be ``PUBLIC``."""

    path: str
    grantee: str
    privilege: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Something that answers left out or cut: rows of another length, values past a limit, directories not entered.

    ``path`` is the dataset, or empty for the store as a whole. ``count`` is the most that one call met. ``rows`` says
    that rows of the dataset were left out: what it holds is not known in full.
    """

    path: str
    reason: str
    count: int
    rows: bool = field(default=False, compare=False)


class Connector(Protocol):
    """Reads one store. Never writes; holds no table in memory; keeps to the store's stated limits.

    Every method raises `beholden.core.errors.SourceError` when the store cannot be read: one line naming the store
    and, where there is one, the dataset; never a value, never the driver's own text where that quotes values.
    Use as a context manager; ``close`` gives all connections back.
    """

    kind: str

    def test(self) -> StoreInfo:
        """Connect and say what answered."""

    def datasets(self) -> Iterator[DatasetInfo]:
        """Every dataset that may be listed, with fields; one that cannot be described comes with ``problem``."""

    def grants(self) -> Iterator[Grant]:
        """Who may do what; nothing where the store has no such notion."""

    def count(self, path: str) -> int:
        """The exact number of rows now."""

    def read(self, path: str, fields: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """All rows as batches of at most ``limits.BATCH_ROWS``; columns in the given order, or all that are readable.

        Values keep their natural Arrow type where there is one; anything else becomes a string.
        """

    def sample(self, path: str, rows: int, seed: int) -> pa.RecordBatch:
        """About ``rows`` rows spread over the dataset (all of a smaller one).

        The same seed gives the same rows where the store allows it. Cost is bounded: no full scan of a large table where the store can avoid it,
        long values are cut and so is a sample of very wide rows (see ``shortfalls``).
        """

    def find(
        self, path: str, field: str, values: Sequence[str], fields: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Rows whose ``field``, as text, equals one of ``values`` (at most ``FIND_VALUES_MAX`` a call)."""

    def shortfalls(self) -> tuple[Shortfall, ...]:
        """What the answers given so far left out or cut, by dataset and reason; never a value."""

    def close(self) -> None:
        """Give connections back; calling it twice is harmless."""

    def __enter__(self) -> Self:
        """Use as a context."""

    def __exit__(self, *_: object) -> None:
        """Close."""
