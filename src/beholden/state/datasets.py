"""What is known of datasets and their fields: taking in a listing, and the questions other rooms ask."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
    "Relatives",
    "class_fields",
    "class_matches",
    "dataset_known",
    "field_type",
    "relatives_of",
    "row_counts",
    "schema_of",
    "take_listing",
    "upsert",
    "views_in_doubt",
    "views_of",
]


@dataclass(frozen=True, slots=True)
class ListedField:
    """A field as its store lists it. ``refers_to`` is PATH#field within the store: a foreign key's, or what a view passes on."""

    ordinal: int
    name: str
    type: str
    in_key: bool = False
    refers_to: str | None = None


@dataclass(frozen=True, slots=True)
class ListedDataset:
    """A dataset as its store lists it. ``rows`` is None where the store gives no number.

    ``reads`` are the paths that a view names, each with how much of its fields the view shows (whole, part, none);
    None where that is not known.
    """

    path: str
    kind: str
    fields: tuple[ListedField, ...]
    parent: str | None = None
    rows: int | None = None
    rows_exact: bool = False
    size_bytes: int | None = None
    reads: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Relatives:
    """Paths of what may show rows of a dataset, or hold some of them.

    ``parents`` contain its rows (a partition's table, and its), ``parts`` are in it (its partitions, and theirs).
    ``views`` read it or a part of it, also through other views; ``views_beside`` read a parent, or what they read is
    not known.
    """

    parents: tuple[str, ...]
    parts: tuple[str, ...]
    views: tuple[str, ...]
    views_beside: tuple[str, ...]


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
                "reads": None if dataset.reads is None else dict(dataset.reads),
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


def views_of(state: State, store: str) -> dict[str, Mapping[str, str] | None]:
    """A store's views, materialized ones included, with what each reads: see `ListedDataset.reads`."""
    query = sa.select(datasets.c.path, datasets.c.reads).where(
        datasets.c.store == store, datasets.c.kind == "view", datasets.c.gone.is_(None)
    )
    with state.read() as connection:
        return {row.path: row.reads for row in connection.execute(query)}


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


def relatives_of(state: State, name: DatasetName) -> Relatives:
    """What contains a dataset, what is part of it, and the views over it; also those that are gone now."""
    query = sa.select(datasets.c.path, datasets.c.parent).where(datasets.c.store == name.store)
    with state.read() as connection:
        parent = [(row.path, row.parent) for row in connection.execute(query) if row.parent is not None]
        readers, unknown = _readers(connection, name.store)
    below: dict[str, list[str]] = {}
    for path, above in parent:
        below.setdefault(above, []).append(path)
    parents = _reachable([name.path], {path: [above] for path, above in parent})
    parts = _reachable([name.path], below)
    views = _reachable([name.path, *parts], readers)
    beside = dict.fromkeys([*_reachable(parents, readers), *unknown, *_reachable(unknown, readers)])
    taken = {name.path, *parents, *parts, *views}
    return Relatives(parents, parts, views, tuple(path for path in beside if path not in taken))


def _readers(connection: sa.Connection, store: str) -> tuple[dict[str, list[str]], list[str]]:
    """For each path of a store the views that name it; and the views of which it is not known what they read."""
    query = (
        sa.select(datasets.c.path, datasets.c.reads)
        .where(datasets.c.store == store, datasets.c.kind == "view")
        .order_by(datasets.c.dataset_id)
    )
    readers: dict[str, list[str]] = {}
    unknown = []
    for path, reads in connection.execute(query):
        for read in reads or ():
            readers.setdefault(read, []).append(path)
        if reads is None:
            unknown.append(path)
    return readers, unknown


def _reachable(start: Sequence[str], onward: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """All that can be reached from ``start``, without it, nearest first."""
    found = dict.fromkeys(start)
    queue = list(start)
    for path in queue:  # it grows
        new = [other for other in onward.get(path, ()) if other not in found]
        found.update(dict.fromkeys(new))
        queue += new
    return tuple(path for path in found if path not in start)


def class_matches(class_: str) -> sa.ColumnElement[bool]:
    """The condition that a field's class is this one or one of its sub-classes."""
    return sa.or_(fields.c["class"] == class_, fields.c["class"].startswith(f"{class_}.", autoescape=True))


def class_fields(state: State, class_: str) -> dict[DatasetName, tuple[str, ...]]:
    """The datasets that hold a class of data or a sub-class of it, each with the fields that do.

    A field that was never classified, or was empty then, is of the class of what it is one with: the same field of a
    partition's table, the field that a view passes on.
    """
    query = (
        sa.select(
            datasets.c.store, datasets.c.path, datasets.c.kind, datasets.c.parent,
            fields.c.field, fields.c.refers_to, class_matches(class_).label("matches"),
        )
        .join(fields, fields.c.dataset_id == datasets.c.dataset_id)
        .where(sa.or_(class_matches(class_), fields.c["class"].is_(None), fields.c.empty), datasets.c.gone.is_(None))
        .order_by(datasets.c.store, datasets.c.path, fields.c.ordinal)
    )  # fmt: skip
    with state.read() as connection:
        rows = connection.execute(query).all()
    holding = {(row.store, row.path, row.field) for row in rows if row.matches}
    same: dict[tuple[str, str, str], list[tuple[str, str, str]]] = {}
    for row in rows:
        own = row.store, row.path, row.field
        if row.kind == "view" and row.refers_to is not None:
            path, _, field = row.refers_to.rpartition("#")
            same.setdefault((row.store, path, field), []).append(own)
        if row.parent is not None:
            same.setdefault((row.store, row.parent, row.field), []).append(own)
    queue = list(holding)
    for place in queue:  # it grows
        new = [other for other in same.get(place, ()) if other not in holding]
        holding.update(new)
        queue += new
    found: dict[DatasetName, list[str]] = {}
    for row in rows:
        if (row.store, row.path, row.field) in holding:
            found.setdefault(DatasetName(row.store, row.path), []).append(row.field)
    return {name: tuple(names) for name, names in found.items()}


def views_in_doubt(state: State, holding: Collection[DatasetName]) -> dict[DatasetName, tuple[str, ...]]:
    """Views that read one of these datasets, or may, with those of their fields that were never classified."""
    query = (
        sa.select(datasets.c.path, fields.c.field)
        .join(fields, fields.c.dataset_id == datasets.c.dataset_id)
        .where(datasets.c.kind == "view", fields.c["class"].is_(None))
        .order_by(fields.c.ordinal)
    )
    found: dict[DatasetName, tuple[str, ...]] = {}
    with state.read() as connection:
        for store in sorted({name.store for name in holding}):
            readers, unknown = _readers(connection, store)
            over = _reachable([name.path for name in holding if name.store == store], readers)
            beside = {*over, *unknown, *_reachable(unknown, readers)}
            for path, field in connection.execute(query.where(datasets.c.store == store)):
                name = DatasetName(store, path)
                if path in beside and name not in holding:
                    found[name] = (*found.get(name, ()), field)
    return found
