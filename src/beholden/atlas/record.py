"""Writing down what a scan finds. Every function is one transaction and durable when it returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import sqlalchemy as sa

from beholden.atlas.classify import FieldClass
from beholden.atlas.views import View
from beholden.state import State
from beholden.state.datasets import ListedDataset, ListedField, take_listing, upsert
from beholden.state.tables import datasets, fields, grants, scan_datasets, scans, stores
from beholden.stores.connector import DatasetInfo, Grant, RowCount, StoreInfo

__all__ = [
    "DatasetOutcome",
    "begin_scan",
    "finish_scan",
    "put_classes",
    "put_listing",
    "put_outcome",
    "store_failed",
    "store_reached",
]


@dataclass(frozen=True, slots=True)
class DatasetOutcome:
    """What a scan did with a dataset; ``path`` is empty for the store as a whole."""

    store: str
    path: str
    outcome: Literal["scanned", "skipped", "failed"]
    reason: str | None = None
    rows_read: int | None = None


def begin_scan(state: State, *, now: int, resume_since: int | None) -> tuple[int, set[tuple[str, str]]]:
    """Open a scan, or the last one again if it was stopped and started at or after ``resume_since``.

    Returns its id and the (store, path) that it has already scanned.
    """
    with state.write() as connection:
        last = connection.execute(sa.select(scans).order_by(scans.c.scan_id.desc()).limit(1)).first()
        if last is not None and last.finished is None and resume_since is not None and last.started >= resume_since:
            done = connection.execute(
                sa.select(scan_datasets.c.store, scan_datasets.c.path).where(
                    scan_datasets.c.scan_id == last.scan_id,
                    scan_datasets.c.outcome == "scanned",
                    scan_datasets.c.path != "",
                )
            )
            return last.scan_id, {(store, path) for store, path in done}
        opened = connection.execute(scans.insert().values(started=now)).inserted_primary_key
    if opened is None:  # pragma: no cover - both databases return the key
        raise AssertionError
    return int(opened[0]), set()


def finish_scan(state: State, scan_id: int, *, now: int) -> None:
    """Mark a scan as gone through to its end."""
    with state.write() as connection:
        connection.execute(scans.update().where(scans.c.scan_id == scan_id).values(finished=now))


def store_reached(state: State, store: str, info: StoreInfo, *, now: int) -> None:
    """Note that a store answered, and what it is."""
    row = {
        "store": store, "kind": info.kind, "server_version": info.version,
        "last_tried": now, "last_reached": now, "error": None,
    }  # fmt: skip
    with state.write() as connection:
        upsert(connection, stores, [row], key=("store",))


def store_failed(state: State, store: str, reason: str, *, now: int) -> None:
    """Note that a store could not be read; what was known of it stays."""
    with state.write() as connection:
        upsert(connection, stores, [{"store": store, "last_tried": now, "error": reason}], key=("store",))


def put_listing(
    state: State,
    store: str,
    listed: Sequence[DatasetInfo],
    views: Mapping[str, View],
    found: Sequence[Grant],
    *,
    now: int,
    complete: bool,
) -> None:
    """Take in a store's datasets, fields and grants; its grants of before are replaced."""
    rows = [
        ListedDataset(
            path=info.path,
            kind=info.kind,
            fields=tuple(
                ListedField(f.ordinal, f.name, f.type, f.in_key, view.passes_on.get(f.name, f.refers_to))
                for f in info.fields
            ),
            reads=view.reads,
            parent=info.parent,
            rows=None if info.rows is None else info.rows.rows,
            rows_exact=info.rows is not None and info.rows.exact,
            size_bytes=info.size_bytes,
        )
        for info in listed
        for view in [views.get(info.path, View())]
    ]
    given = {
        (grant.path, grant.field, grant.grantee, grant.privilege): {
            "store": store, "path": grant.path, "field": grant.field, "grantee": grant.grantee,
            "privilege": grant.privilege, "seen": now,
        }
        for grant in found
    }  # fmt: skip
    with state.write() as connection:
        take_listing(connection, store, rows, now=now, complete=complete)
        connection.execute(grants.delete().where(grants.c.store == store))
        if given:
            connection.execute(grants.insert(), list(given.values()))


def put_outcome(state: State, scan_id: int, outcome: DatasetOutcome, *, now: int) -> None:
    """Note what became of a dataset, or of a store, without any classes."""
    with state.write() as connection:
        _put_outcome(connection, scan_id, outcome, now)


def put_classes(
    state: State,
    scan_id: int,
    outcome: DatasetOutcome,
    rows: RowCount | None,
    answers: Sequence[FieldClass],
    types: Mapping[str, str],
    *,
    unreadable: Sequence[str] = (),
    now: int,
) -> None:
    """Note a dataset's classes, row count and outcome together: all of it or nothing is written.

    Fields that only the sample showed (keys of JSON lines further down a file) are added, with their Arrow type.
    What was known of ``unreadable`` fields is known no more.
    """
    with state.write() as connection:
        dataset_id = connection.execute(
            sa.select(datasets.c.dataset_id).where(datasets.c.store == outcome.store, datasets.c.path == outcome.path)
        ).scalar_one()
        if rows is not None:
            connection.execute(
                datasets.update()
                .where(datasets.c.dataset_id == dataset_id)
                .values(row_count=rows.rows, row_count_exact=rows.exact)
            )
        known = set(connection.execute(sa.select(fields.c.field).where(fields.c.dataset_id == dataset_id)).scalars())
        first = {answer.field: answer for answer in reversed(answers)}
        extra = [name for name in types if name not in known]
        if extra:
            connection.execute(
                fields.insert(),
                [
                    {
                        "dataset_id": dataset_id,
                        "ordinal": len(known) + i,
                        "field": name,
                        "type": types[name],
                        "in_key": False,
                    }
                    for i, name in enumerate(extra, 1)
                ],
            )
        if unreadable:
            connection.execute(
                fields.update()
                .where(fields.c.dataset_id == dataset_id, fields.c.field.in_(unreadable))
                .values(dict.fromkeys(_CLASSIFIED))
            )
        if first:
            connection.execute(_UPDATE, [_row(dataset_id, answer, now) for answer in first.values()])
        _put_outcome(connection, scan_id, outcome, now)


#: What a classification says of a field; null where there is none.
_CLASSIFIED = (
    "class", "probability", "alternatives", "evidence", "exit", "missed_share_max", "empty", "classified",
)  # fmt: skip
_UPDATE = (
    fields.update()
    .where(fields.c.dataset_id == sa.bindparam("of_dataset"), fields.c.field == sa.bindparam("of_field"))
    .values({name: sa.bindparam(f"new_{name}", type_=fields.c[name].type) for name in _CLASSIFIED})
)


def _row(dataset_id: int, answer: FieldClass, now: int) -> dict[str, object]:
    return {
        "of_dataset": dataset_id,
        "of_field": answer.field,
        "new_class": answer.class_,
        "new_probability": answer.probability,
        "new_alternatives": [
            {"class": other.class_, "probability": other.probability} for other in answer.alternatives
        ],
        "new_evidence": [asdict(item) for item in answer.evidence],
        "new_exit": answer.exit,
        "new_missed_share_max": answer.missed_share_max,
        "new_empty": answer.empty,
        "new_classified": now,
    }


def _put_outcome(connection: sa.Connection, scan_id: int, outcome: DatasetOutcome, now: int) -> None:
    row = {
        "scan_id": scan_id, "store": outcome.store, "path": outcome.path, "outcome": outcome.outcome,
        "reason": outcome.reason, "rows_read": outcome.rows_read, "finished": now,
    }  # fmt: skip
    upsert(connection, scan_datasets, [row], key=("scan_id", "store", "path"))
