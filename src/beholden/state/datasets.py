"""What is known of datasets and their fields: taking in a listing, and the questions other rooms ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from beholden.core.names import DatasetName, FieldName
from beholden.state.database import State
from beholden.state.tables import datasets, fields

__all__ = [
    "ListedDataset",
    "ListedField",
    "class_fields",
    "class_matches",
    "dataset_known",
    "field_type",
    "parents_of",
    "row_counts",
    "schema_of",
    "take_listing",
    "upsert",
    "views_of",
]


@dataclass(frozen=True, slots=True)
class ListedField:
    """A field as its store lists it. ``refers_to`` is PATH#field within the store."""

    ordinal: int
    name: str
    type: str
    in_key: bool = False
    refers_to: str | None = None


@dataclass(frozen=True, slots=True)
class ListedDataset:
    """A dataset as its store lists it. ``rows`` is None where the store gives no number."""

    path: str
    kind: str
    fields: tuple[ListedField, ...]
    parent: str | None = None
    rows: int | None = None
    rows_exact: bool = False
    size_bytes: int | None = None


def take_listing(
    connection: sa.Connection, store: str, listed: Sequence[ListedDataset], *, now: int, complete: bool
) -> None:
    """Take in what a store lists, set-based, within the caller's transaction.

    Known classes stay. Fields that are no longer listed are forgotten; where the listing is ``complete``, datasets
    that are not in it are marked gone since ``now``. Of fields with one name in one dataset the first counts.
    """
    upsert(
        connection,
        datasets,
        [
            {
                "store": store,
                "path": dataset.path,
                "kind": dataset.kind,
                "parent": dataset.parent,
                "row_count": dataset.rows,
                "row_count_exact": dataset.rows_exact,
                "size_bytes": dataset.size_bytes,
                "first_seen": now,
                "last_seen": now,
                "gone": None,
            }
            for dataset in listed
        ],
        key=("store", "path"),
        keep=("first_seen",),
    )
    of_store = datasets.c.store == store
    if complete:
        connection.execute(
            datasets.update()
            .where(of_store, datasets.c.last_seen != now, datasets.c.gone.is_(None))
            .values(gone=now)
        )  # fmt: skip
    ids = {row.path: row.dataset_id for row in connection.execute(sa.select(datasets).where(of_store))}
    rows = {
        (ids[dataset.path], field.name): {
            "dataset_id": ids[dataset.path],
            "ordinal": field.ordinal,
            "field": field.name,
            "type": field.type,
            "in_key": field.in_key,
            "refers_to": field.refers_to,
        }
        for dataset in listed
        for field in reversed(dataset.fields)
    }
    upsert(connection, fields, list(rows.values()), key=("dataset_id", "field"))
    described = {ids[dataset.path] for dataset in listed if dataset.fields}
    known = connection.execute(
        sa.select(fields.c.field_id, fields.c.dataset_id, fields.c.field)
        .join(datasets, datasets.c.dataset_id == fields.c.dataset_id)
        .where(of_store)
    )
    left = [row.field_id for row in known if row.dataset_id in described and (row.dataset_id, row.field) not in rows]
    if left:
        connection.execute(
            fields.delete().where(fields.c.field_id == sa.bindparam("left")), [{"left": field_id} for field_id in left]
        )


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    key: Sequence[str],
    keep: Sequence[str] = (),
) -> None:
    """Insert rows, or update those whose ``key`` exists; columns in ``keep`` are never updated."""
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in key and name not in keep}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed), list(rows))


def schema_of(state: State, store: str) -> dict[str, tuple[str, ...]]:
    """The field names, in order, of every dataset a store now has."""
    query = (
        sa.select(datasets.c.path, fields.c.field)
        .outerjoin(fields, fields.c.dataset_id == datasets.c.dataset_id)
        .where(datasets.c.store == store, datasets.c.gone.is_(None))
        .order_by(datasets.c.path, fields.c.ordinal)
    )
    found: dict[str, list[str]] = {}
    with state.read() as connection:
        for path, field in connection.execute(query):
            known = found.setdefault(path, [])
            if field is not None:
                known.append(field)
    return {path: tuple(names) for path, names in found.items()}


def row_counts(state: State, store: str) -> dict[str, tuple[int, bool]]:
    """Rows of every dataset of a store where a number is known, and whether they were counted."""
    query = sa.select(datasets.c.path, datasets.c.row_count, datasets.c.row_count_exact).where(
        datasets.c.store == store, datasets.c.gone.is_(None), datasets.c.row_count.is_not(None)
    )
    with state.read() as connection:
        return {path: (rows, exact) for path, rows, exact in connection.execute(query)}


def views_of(state: State, store: str) -> set[str]:
    """Paths of a store's views, materialized ones included."""
    query = sa.select(datasets.c.path).where(
        datasets.c.store == store, datasets.c.kind == "view", datasets.c.gone.is_(None)
    )
    with state.read() as connection:
        return set(connection.execute(query).scalars())


def dataset_known(state: State, name: DatasetName) -> bool:
    """Whether any scan has ever seen the dataset, even if it is gone now."""
    query = sa.select(datasets.c.dataset_id).where(datasets.c.store == name.store, datasets.c.path == name.path)
    with state.read() as connection:
        return connection.execute(query).first() is not None


def field_type(state: State, name: FieldName) -> str | None:
    """The store's own name of a field's type; None where no scan has seen the field."""
    query = (
        sa.select(fields.c.type)
        .join(datasets, datasets.c.dataset_id == fields.c.dataset_id)
        .where(
            datasets.c.store == name.dataset.store,
            datasets.c.path == name.dataset.path,
            datasets.c.gone.is_(None),
            fields.c.field == name.field,
        )
    )
    with state.read() as connection:
        return connection.execute(query).scalar_one_or_none()


def parents_of(state: State, name: DatasetName) -> tuple[str, ...]:
    """Paths of the tables that contain this one's rows, nearest first (a partition's table, and its)."""
    query = sa.select(datasets.c.path, datasets.c.parent).where(datasets.c.store == name.store)
    with state.read() as connection:
        parent = {row.path: row.parent for row in connection.execute(query)}
    found: list[str] = []
    above = parent.get(name.path)
    while above is not None and above not in found:
        found.append(above)
        above = parent.get(above)
    return tuple(found)


def class_matches(class_: str) -> sa.ColumnElement[bool]:
    """The condition that a field's class is this one or one of its sub-classes."""
    return sa.or_(fields.c["class"] == class_, fields.c["class"].startswith(f"{class_}.", autoescape=True))


def class_fields(state: State, class_: str) -> dict[DatasetName, tuple[str, ...]]:
    """The datasets that hold a class of data or a sub-class of it, each with the fields that do."""
    query = (
        sa.select(datasets.c.store, datasets.c.path, fields.c.field)
        .join(fields, fields.c.dataset_id == datasets.c.dataset_id)
        .where(class_matches(class_), datasets.c.gone.is_(None))
        .order_by(datasets.c.store, datasets.c.path, fields.c.ordinal)
    )
    found: dict[DatasetName, list[str]] = {}
    with state.read() as connection:
        for store, path, field in connection.execute(query):
            found.setdefault(DatasetName(store, path), []).append(field)
    return {name: tuple(names) for name, names in found.items()}
