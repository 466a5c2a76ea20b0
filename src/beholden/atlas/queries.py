"""What the map answers: every field, where a class lies, what lies outside its zone, what was not looked at.

Records are msgspec structs whose encoded names are the contract's (``class``, not ``class_``). Nothing here holds a
value found in a store. Fields and datasets that are gone from their store are left out.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from beholden.atlas.gaps import field_gaps, latest_outcomes
from beholden.core.config import Config
from beholden.core.names import DatasetName
from beholden.core.times import format_time
from beholden.core.unknown import Unknown
from beholden.state import State, tables
from beholden.state.datasets import class_matches
from beholden.state.stores import seen_stores

__all__ = [
    "AlternativeRow",
    "Coverage",
    "EvidenceRow",
    "FieldRow",
    "StoreCoverage",
    "WhereRow",
    "ZoneRow",
    "coverage",
    "field_gaps",
    "fields",
    "where",
    "zones",
]

_D: Final = tables.datasets
_F: Final = tables.fields


class EvidenceRow(msgspec.Struct, frozen=True):
    """A reason for a class, for people: ``matched`` of ``looked_at`` distinct values, a weight in log-odds."""

    rule: str
    text: str
    weight: float
    matched: int
    looked_at: int

    def __str__(self) -> str:
        counts = f" ({self.matched} of {self.looked_at})" if self.looked_at else ""
        return f"{self.text}{counts}"


class AlternativeRow(msgspec.Struct, frozen=True, rename={"class_": "class"}):
    """Another class that the evidence leaves open."""

    class_: str
    probability: float


class FieldRow(msgspec.Struct, frozen=True, rename={"class_": "class"}):
    """A field and what it holds. ``class`` and all that follows are None for a field never looked at."""

    store: str
    dataset: str
    field: str
    type: str
    class_: str | None
    probability: float | None
    alternatives: tuple[AlternativeRow, ...]
    evidence: tuple[EvidenceRow, ...]
    exit: str | None
    missed_share_max: float | None
    empty: bool | None


class WhereRow(msgspec.Struct, frozen=True):
    """A dataset that holds a class: in which fields, as which classes, how surely (the surest field), how many rows."""

    store: str
    dataset: str
    fields: tuple[str, ...]
    classes: tuple[str, ...]
    probability: float
    rows: int | None
    rows_exact: bool
    zone: str | None


class ZoneRow(msgspec.Struct, frozen=True, rename={"class_": "class"}):
    """A class of data in a store of another zone than those it may lie in. Times are RFC 3339."""

    class_: str
    store: str
    dataset: str
    fields: tuple[str, ...]
    probability: float
    rows: int | None
    rows_exact: bool
    zone: str | None
    allowed: tuple[str, ...]
    first_seen: str


class StoreCoverage(msgspec.Struct, frozen=True):
    """What was looked at in a store. ``reachable`` is None where no one ever tried; times are RFC 3339.

    ``datasets`` are those listed now; ``scanned``, ``skipped`` and ``failed`` are the last outcome of each, the rest
    was never tried. ``age_s`` is the age of the last look at any of its datasets.
    """

    store: str
    zone: str | None
    owner: str | None
    reachable: bool | None
    error: str | None
    datasets: int
    scanned: int
    skipped: int
    failed: int
    fields: int
    fields_unclassified: int
    last_tried: str | None
    last_scanned: str | None
    age_s: int | None


class Coverage(msgspec.Struct, frozen=True):
    """Every declared store, and all that is not known."""

    stores: tuple[StoreCoverage, ...]
    unknown: tuple[Unknown, ...]


def fields(
    state: State, *, store: str | None = None, dataset: str | None = None, class_: str | None = None
) -> list[FieldRow]:
    """Every field, also those that hold nothing personal, by store, dataset and position.

    Args:
        state: where scans wrote.
        store: only this store's.
        dataset: only this dataset's, ``STORE/PATH``.
        class_: only this class and its sub-classes.
    """
    query = (
        sa.select(_D.c.store, _D.c.path, _F)
        .join(_F, _F.c.dataset_id == _D.c.dataset_id)
        .where(_D.c.gone.is_(None))
        .order_by(_D.c.store, _D.c.path, _F.c.ordinal)
    )
    if store is not None:
        query = query.where(_D.c.store == store)
    if dataset is not None:
        name = DatasetName.parse(dataset)
        query = query.where(_D.c.store == name.store, _D.c.path == name.path)
    if class_ is not None:
        query = query.where(class_matches(class_))
    with state.read() as connection:
        return [_field(row) for row in connection.execute(query).mappings()]


def where(state: State, config: Config, class_: str) -> list[WhereRow]:
    """The datasets that hold a class of data or a sub-class of it; fields seen in full to be empty are left out."""
    zone = {store.name: store.zone for store in config.store}
    return [
        WhereRow(
            store, path, fields=tuple(row["field"] for row in rows),
            classes=tuple(dict.fromkeys(row["class"] for row in rows)),
            probability=max(row["probability"] for row in rows),
            rows=rows[0]["row_count"], rows_exact=rows[0]["row_count_exact"], zone=zone.get(store),
        )
        for (store, path), rows in _holding(state, class_)
    ]  # fmt: skip


def zones(state: State, config: Config) -> list[ZoneRow]:
    """Each dataset that holds a class which `only_here` of some zone claims, in a store of none of those zones."""
    allowed: dict[str, list[str]] = {}
    for zone in config.zone:
        for class_ in zone.only_here:
            allowed.setdefault(class_, []).append(zone.name)
    lies_in = {store.name: store.zone for store in config.store}
    found = []
    for class_, names in allowed.items():
        for (store, path), rows in _holding(state, class_):
            if lies_in.get(store) in names:
                continue
            found.append(
                ZoneRow(
                    class_, store, path, fields=tuple(row["field"] for row in rows),
                    probability=max(row["probability"] for row in rows),
                    rows=rows[0]["row_count"], rows_exact=rows[0]["row_count_exact"], zone=lies_in.get(store),
                    allowed=tuple(names), first_seen=format_time(rows[0]["first_seen"]),
                )
            )  # fmt: skip
    return found


def coverage(state: State, config: Config, *, now: int) -> Coverage:
    """What was looked at and what was not, for every declared store; ``now`` in microseconds gives ages."""
    seen = seen_stores(state)
    counts: dict[str, dict[str, int]] = {}
    last: dict[str, int] = {}
    for outcome in latest_outcomes(state):
        if not outcome.path:
            continue
        of_store = counts.setdefault(outcome.store, {})
        of_store[outcome.outcome] = of_store.get(outcome.outcome, 0) + 1
        if outcome.outcome == "scanned":
            last[outcome.store] = max(last.get(outcome.store, 0), outcome.finished)
    listed = _listed(state)
    stores = []
    for store in config.store:
        look = seen.get(store.name)
        of_store = counts.get(store.name, {})
        listed_datasets, listed_fields, unclassified = listed.get(store.name, (0, 0, 0))
        looked = last.get(store.name)
        stores.append(
            StoreCoverage(
                store.name, store.zone, store.owner,
                reachable=None if look is None else look.error is None,
                error=None if look is None else look.error,
                datasets=listed_datasets,
                scanned=of_store.get("scanned", 0), skipped=of_store.get("skipped", 0), failed=of_store.get("failed", 0),
                fields=listed_fields, fields_unclassified=unclassified,
                last_tried=None if look is None else format_time(look.last_tried),
                last_scanned=None if looked is None else format_time(looked),
                age_s=None if looked is None else max(0, (now - looked) // 1_000_000),
            )
        )  # fmt: skip
    return Coverage(tuple(stores), tuple(field_gaps(state, config)))


def _holding(state: State, class_: str) -> list[tuple[tuple[str, str], list[Any]]]:
    """Fields of a class, by dataset, without those known to be empty."""
    query = (
        sa.select(
            _D.c.store, _D.c.path, _D.c.row_count, _D.c.row_count_exact, _D.c.first_seen,
            _F.c.field, _F.c["class"], _F.c.probability,
        )
        .join(_F, _F.c.dataset_id == _D.c.dataset_id)
        .where(_D.c.gone.is_(None), class_matches(class_), sa.or_(_F.c.empty.is_(False), _F.c.exit == "bounded"))
        .order_by(_D.c.store, _D.c.path, _F.c.ordinal)
    )  # fmt: skip
    with state.read() as connection:
        rows = connection.execute(query).mappings().all()
    return [(place, list(group)) for place, group in groupby(rows, key=lambda row: (row["store"], row["path"]))]


def _listed(state: State) -> dict[str, tuple[int, int, int]]:
    """By store: datasets listed now, their fields, and how many of these were never classified."""
    query = (
        sa.select(
            _D.c.store,
            sa.func.count(_D.c.dataset_id.distinct()),
            sa.func.count(_F.c.field_id),
            sa.func.count(_F.c.field_id) - sa.func.count(_F.c["class"]),
        )
        .outerjoin(_F, _F.c.dataset_id == _D.c.dataset_id)
        .where(_D.c.gone.is_(None))
        .group_by(_D.c.store)
    )
    with state.read() as connection:
        return {store: (n, of_fields, missing) for store, n, of_fields, missing in connection.execute(query)}


def _field(row: Any) -> FieldRow:
    return FieldRow(
        store=row["store"],
        dataset=row["path"],
        field=row["field"],
        type=row["type"],
        class_=row["class"],
        probability=row["probability"],
        alternatives=tuple(AlternativeRow(other["class"], other["probability"]) for other in row["alternatives"] or ()),
        evidence=tuple(EvidenceRow(**item) for item in row["evidence"] or ()),
        exit=row["exit"],
        missed_share_max=row["missed_share_max"],
        empty=row["empty"],
    )
