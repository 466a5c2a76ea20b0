"""The statements of the vault. All of them take many rows; none runs once a person."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from beholden.vault.tables import erasures, forgotten_people, forgotten_tokens, meta, people

__all__ = [
    "counts",
    "delete_people",
    "delete_tokens",
    "drop_erasures",
    "erasure_notes",
    "find_people",
    "find_tokens",
    "forgotten",
    "insert_erasure",
    "insert_marks",
    "insert_people",
    "insert_tombstones",
    "marked",
    "read_epoch",
    "set_epoch",
    "tombstones",
]

#: Values bound in one statement; SQLite and PostgreSQL both allow 32,766 and more.
_BOUND: Final = 2048


def read_epoch(connection: sa.Connection) -> bytes | None:
    """What changes whenever somebody was forgotten; None where there is no vault any more."""
    return connection.execute(sa.select(meta.c.epoch)).scalar_one_or_none()


def set_epoch(connection: sa.Connection, epoch: bytes) -> None:
    """Tell every process that what it remembers may be forgotten."""
    connection.execute(sa.update(meta).values(epoch=epoch))


def counts(connection: sa.Connection) -> tuple[int, int]:
    """How many people are known, and how many tokens are forgotten."""
    known = connection.execute(sa.select(sa.func.count()).select_from(people)).scalar_one()
    gone = connection.execute(sa.select(sa.func.count()).select_from(forgotten_tokens)).scalar_one()
    return known, gone


def find_tokens(connection: sa.Connection, lookups: Collection[bytes]) -> dict[bytes, bytes]:
    """Lookup to token, for those that are known."""
    statement = sa.select(people.c.lookup, people.c.token).where(people.c.lookup.in_(_keys()))
    found: dict[bytes, bytes] = {}
    for part in _parts(lookups):
        if connection.dialect.name == "sqlite":  # without SQLAlchemy's parameters, which cost as much as the search
            rows = connection.exec_driver_sql(_find_tokens(len(part)), tuple(part))
        else:
            rows = connection.execute(statement, {"keys": part})
        found.update(map(tuple, rows))
    return found


@lru_cache(16)
def _find_tokens(count: int) -> str:
    """The search for that many people, in SQLite's own form."""
    return f"SELECT lookup, token FROM {people.name} WHERE lookup IN ({','.join('?' * count)})"


def find_people(connection: sa.Connection, tokens: Collection[bytes]) -> list[tuple[bytes, bytes, bytes]]:
    """Lookup, token and sealed entry of those tokens that are known."""
    statement = sa.select(people.c.lookup, people.c.token, people.c.sealed).where(people.c.token.in_(_keys()))
    return [
        (row.lookup, row.token, row.sealed)
        for part in _parts(tokens)
        for row in connection.execute(statement, {"keys": part})
    ]


def tombstones(connection: sa.Connection, tokens: Collection[bytes]) -> list[tuple[bytes, int, bytes]]:
    """Token, time and sealed reason of those tokens that are forgotten."""
    table = forgotten_tokens
    statement = sa.select(table.c.token, table.c.time, table.c.reason).where(table.c.token.in_(_keys()))
    return [
        (row.token, row.time, row.reason)
        for part in _parts(sorted(tokens))
        for row in connection.execute(statement, {"keys": part})
    ]


def delete_people(connection: sa.Connection, lookups: Collection[bytes]) -> dict[bytes, bytes]:
    """Delete those who are known; lookup to token."""
    statement = sa.delete(people).where(people.c.lookup.in_(_keys())).returning(people.c.lookup, people.c.token)
    gone: dict[bytes, bytes] = {}
    for part in _parts(sorted(lookups)):
        gone.update((lookup, token) for lookup, token in connection.execute(statement, {"keys": part}))
    return gone


def delete_tokens(connection: sa.Connection, tokens: Collection[bytes]) -> dict[bytes, bytes]:
    """Delete those who have one of the tokens; lookup to token."""
    statement = sa.delete(people).where(people.c.token.in_(_keys())).returning(people.c.lookup, people.c.token)
    gone: dict[bytes, bytes] = {}
    for part in _parts(sorted(tokens)):
        gone.update((lookup, token) for lookup, token in connection.execute(statement, {"keys": part}))
    return gone


def forgotten(connection: sa.Connection) -> list[bytes]:
    """Every forgotten token."""
    return list(connection.execute(sa.select(forgotten_tokens.c.token)).scalars())


def marked(connection: sa.Connection, lookups: Collection[bytes]) -> set[bytes]:
    """Those of ``lookups`` whose person was forgotten, once or more."""
    statement = sa.select(forgotten_people.c.lookup).where(forgotten_people.c.lookup.in_(_keys()))
    return {
        lookup for part in _parts(sorted(lookups)) for lookup in connection.execute(statement, {"keys": part}).scalars()
    }


def insert_erasure(connection: sa.Connection, erasure_id: bytes, sealed: bytes) -> None:
    """Note an erasure that the ledger does not know yet."""
    connection.execute(sa.insert(erasures).values(erasure_id=erasure_id, sealed=sealed))


def erasure_notes(connection: sa.Connection) -> list[tuple[bytes, bytes]]:
    """(erasure_id, sealed) of those the ledger does not know yet."""
    if not sa.inspect(connection).has_table(erasures.name):
        return []
    rows = connection.execute(sa.select(erasures.c.erasure_id, erasures.c.sealed).order_by(erasures.c.erasure_id))
    return [(row.erasure_id, row.sealed) for row in rows]


def drop_erasures(connection: sa.Connection, erasure_ids: Collection[bytes]) -> None:
    """The ledger knows these."""
    for part in _parts(sorted(erasure_ids)):
        connection.execute(sa.delete(erasures).where(erasures.c.erasure_id.in_(_keys())), {"keys": part})


def insert_people(connection: sa.Connection, rows: Sequence[tuple[bytes, bytes, bytes]]) -> bool:
    """Add (lookup, token, sealed), passing over people another process added. In ascending order: no deadlock.

    Returns whether all of them are known to have been added.
    """
    return _insert(connection, people, ("lookup", "token", "sealed"), rows) == len(rows)


def insert_tombstones(connection: sa.Connection, rows: Sequence[tuple[bytes, int, bytes]]) -> None:
    """Add (token, time, reason); the first one of a token stays."""
    _insert(connection, forgotten_tokens, ("token", "time", "reason"), sorted(rows))


def insert_marks(connection: sa.Connection, rows: Sequence[tuple[bytes, bytes]]) -> None:
    """Add (mark, lookup)."""
    _insert(connection, forgotten_people, ("mark", "lookup"), sorted(rows))


def _insert(
    connection: sa.Connection, table: sa.Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> int:
    """How many were added; negative where the driver does not say."""
    if not rows:
        return 0
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    key = [column.name for column in table.primary_key]
    statement = insert(table).on_conflict_do_nothing(index_elements=key)
    if connection.dialect.name == "sqlite":  # as above
        text = str(statement.compile(dialect=connection.dialect, column_keys=columns))
        return connection.exec_driver_sql(text, list(rows)).rowcount
    return connection.execute(statement, [dict(zip(columns, row, strict=True)) for row in rows]).rowcount


def _keys() -> sa.BindParameter[Any]:
    return sa.bindparam("keys", expanding=True)


def _parts(keys: Collection[bytes]) -> Iterator[list[bytes]]:
    ordered = list(keys)
    for start in range(0, len(ordered), _BOUND):
        yield ordered[start : start + _BOUND]
