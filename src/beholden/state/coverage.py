"""Which datasets are known, and which hold what."""

from __future__ import annotations

import sqlalchemy as sa

from beholden.core.classes import COARSE, NONE
from beholden.core.names import DatasetName
from beholden.state.database import State
from beholden.state.tables import datasets, fields

__all__ = ["known_datasets", "personal_datasets"]


def known_datasets(state: State) -> dict[DatasetName, bool]:
    """Every dataset that a scan has seen, and whether it is gone by now with fields of persons, or not known ones."""
    of_nobody = sa.and_(fields.c["class"].is_not(None), fields.c["class"].in_([NONE, *COARSE]))
    query = (
        sa.select(datasets.c.store, datasets.c.path, datasets.c.gone, sa.func.count(fields.c.field),
                  sa.func.sum(sa.case((of_nobody, 1), else_=0)))
        .outerjoin(fields, fields.c.dataset_id == datasets.c.dataset_id)
        .group_by(datasets.c.store, datasets.c.path, datasets.c.gone)
    )  # fmt: skip
    with state.read() as connection:
        return {
            DatasetName(store, path): gone is not None and (count == 0 or of_nobody < count)
            for store, path, gone, count, of_nobody in connection.execute(query)
        }


def personal_datasets(state: State) -> list[DatasetName]:
    """Datasets with a field of a class that may single out a person, in order."""
    query = (
        sa.select(datasets.c.store, datasets.c.path)
        .join(fields, fields.c.dataset_id == datasets.c.dataset_id)
        .where(datasets.c.gone.is_(None), fields.c["class"].is_not(None), fields.c["class"].not_in([NONE, *COARSE]))
        .distinct()
        .order_by(datasets.c.store, datasets.c.path)
    )
    with state.read() as connection:
        return [DatasetName(*row) for row in connection.execute(query)]
