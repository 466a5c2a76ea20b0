"""What the last look at each store found."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from beholden.state.database import State
from beholden.state.tables import stores

__all__ = ["SeenStore", "seen_stores"]


@dataclass(frozen=True, slots=True)
class SeenStore:
    """A store as last seen; times in microseconds. ``error`` is None when the last try succeeded."""

    store: str
    kind: str | None
    server_version: str | None
    last_tried: int
    last_reached: int | None
    error: str | None


def seen_stores(state: State) -> dict[str, SeenStore]:
    """Every store that was ever looked at, by name."""
    with state.read() as connection:
        return {row.store: SeenStore(**row._mapping) for row in connection.execute(sa.select(stores))}  # noqa: SLF001 - SQLAlchemy's public name
