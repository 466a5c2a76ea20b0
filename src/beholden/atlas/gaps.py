"""What the map does not know. Not scanned is not clean: every gap is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from beholden.core.config import Config
from beholden.core.names import DatasetName
from beholden.core.unknown import Unknown
from beholden.state import State, tables
from beholden.state.datasets import dataset_known
from beholden.state.stores import seen_stores

__all__ = ["LatestOutcome", "field_gaps", "latest_outcomes"]

_D: Final = tables.datasets
_F: Final = tables.fields
_S: Final = tables.scan_datasets


@dataclass(frozen=True, slots=True)
class LatestOutcome:
    """What the last scan that met a dataset did with it; ``path`` is empty for the store itself."""

    store: str
    path: str
    outcome: str
    reason: str | None
    finished: int


def latest_outcomes(state: State) -> list[LatestOutcome]:
    """The last outcome of every store and of every dataset that is still listed."""
    last = (
        sa.select(_S.c.store, _S.c.path, sa.func.max(_S.c.scan_id).label("scan_id"))
        .group_by(_S.c.store, _S.c.path)
        .subquery()
    )
    query = (
        sa.select(_S.c.store, _S.c.path, _S.c.outcome, _S.c.reason, _S.c.finished)
        .join(last, sa.and_(_S.c.store == last.c.store, _S.c.path == last.c.path, _S.c.scan_id == last.c.scan_id))
        .outerjoin(_D, sa.and_(_D.c.store == _S.c.store, _D.c.path == _S.c.path))
        .where(sa.or_(_S.c.path == "", sa.and_(_D.c.dataset_id.is_not(None), _D.c.gone.is_(None))))
        .order_by(_S.c.store, _S.c.path)
    )
    with state.read() as connection:
        return [LatestOutcome(*row) for row in connection.execute(query)]


def field_gaps(
    state: State, config: Config, *, store: str | None = None, dataset: str | None = None, partial: bool = True
) -> list[Unknown]:
    """Stores never reached, datasets not read or read in part, fields never classified.

    Args:
        state: where scans wrote.
        config: the stores declared.
        store: only what concerns this store.
        dataset: only what concerns this dataset (``STORE/PATH``) and its store.
        partial: also what was read in part, or with values cut.
    """
    name = None if dataset is None else DatasetName.parse(dataset)
    wanted = store if name is None else name.store
    stores = [declared.name for declared in config.store if wanted in (None, declared.name)]
    found = _stores(state, stores)
    said = {gap.object for gap in found}
    outcomes = latest_outcomes(state)
    for outcome in outcomes:
        if outcome.store not in stores or (name is not None and outcome.path not in ("", name.path)):
            continue
        if partial or outcome.outcome != "scanned":
            found += _of_outcome(outcome, said)
    looked_at = {DatasetName(outcome.store, outcome.path) for outcome in outcomes}
    for place, unclassified, first_seen in _unclassified(state):
        if place.store not in stores or (name is not None and place != name):
            continue
        if place not in looked_at:
            found.append(Unknown.of("dataset", str(place), "listed but never looked at", since_us=first_seen))
        elif unclassified:
            found.append(
                Unknown.of(
                    "field",
                    str(place),
                    "fields not classified: never read, or not readable now",
                    since_us=first_seen,
                    count=unclassified,
                )
            )
    if name is not None and not dataset_known(state, name):
        found.append(Unknown("dataset", str(name), "no scan has seen this dataset"))
    return found


def _of_outcome(outcome: LatestOutcome, said: set[str]) -> list[Unknown]:
    """What one look left open; ``said`` are the stores of which it is said already."""
    if outcome.path and (outcome.outcome != "scanned" or outcome.reason):
        place = str(DatasetName(outcome.store, outcome.path))
        return [Unknown.of("dataset", place, outcome.reason or outcome.outcome, since_us=outcome.finished)]
    if not outcome.path and outcome.reason and outcome.store not in said:
        return [Unknown.of("store", outcome.store, outcome.reason, since_us=outcome.finished)]
    return []


def _stores(state: State, names: list[str]) -> list[Unknown]:
    seen = seen_stores(state)
    found = []
    for name in names:
        look = seen.get(name)
        if look is None:
            found.append(Unknown("store", name, "never scanned"))
        elif look.error is not None:
            since = look.last_reached if look.last_reached is not None else look.last_tried
            found.append(Unknown.of("store", name, look.error, since_us=since))
    return found


def _unclassified(state: State) -> list[tuple[DatasetName, int, int]]:
    """Every dataset listed now with how many of its fields were never classified, and when it was first seen."""
    query = (
        sa.select(_D.c.store, _D.c.path, sa.func.count(_F.c.field_id) - sa.func.count(_F.c["class"]), _D.c.first_seen)
        .outerjoin(_F, _F.c.dataset_id == _D.c.dataset_id)
        .where(_D.c.gone.is_(None))
        .group_by(_D.c.store, _D.c.path, _D.c.first_seen)
        .order_by(_D.c.store, _D.c.path)
    )
    with state.read() as connection:
        return [(DatasetName(store, path), missing, since) for store, path, missing, since in connection.execute(query)]
