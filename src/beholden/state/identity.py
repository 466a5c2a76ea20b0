"""Which estate this is: a random id made once, known to the state and to the ledger."""

from __future__ import annotations

import sqlalchemy as sa

from beholden.core.errors import IntegrityError
from beholden.core.ids import Entropy
from beholden.core.times import Clock
from beholden.state.database import State
from beholden.state.tables import estate

__all__ = ["create_estate", "estate_id", "has_estate_id"]


def create_estate(state: State, *, entropy: Entropy, clock: Clock, known_id: str | None = None) -> bool:
    """Give a new state its id; False when it has one already, also from a process that was first. Durable.

    ``known_id`` is the id of a ledger that outlived its state: the new state becomes that estate's again.
    """
    with state.write() as connection:
        if connection.dialect.name == "postgresql":  # on SQLite there is one writer at a time
            connection.execute(sa.text("LOCK TABLE estate IN EXCLUSIVE MODE"))
        known = connection.execute(sa.select(estate.c.estate_id)).scalar_one_or_none()
        if known is not None:
            return False
        connection.execute(estate.insert().values(estate_id=known_id or entropy(16).hex(), created=clock()))
        return True


def has_estate_id(state: State) -> bool:
    """Whether the state was given its id already."""
    with state.read() as connection:
        return connection.execute(sa.select(estate.c.estate_id)).first() is not None


def estate_id(state: State) -> str:
    """The estate's id; raises `IntegrityError` where the state has none."""
    with state.read() as connection:
        known = connection.execute(sa.select(estate.c.estate_id)).scalar_one_or_none()
    if known is None:
        raise IntegrityError("state", "holds no estate id", advice="was it made by: beholden init?")
    return str(known)
