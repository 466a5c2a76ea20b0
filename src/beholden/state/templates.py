"""SQL templates: statements with their literals taken out, by id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from beholden.state.database import State
from beholden.state.tables import templates

__all__ = ["put_templates", "templates_by_id"]

_CHUNK = 500


def put_templates(state: State, new: Mapping[bytes, tuple[str, str]], *, now: int) -> None:
    """Keep templates (id -> dialect, text); those already known stay as they are. Durable when it returns.

    PostgreSQL keeps no NUL; a hostile statement may have one in a quoted name, and another character takes its place.
    """
    if not new:
        return
    rows = [
        {
            "template_id": key.hex(),
            "dialect": dialect,
            "text": text.replace("\0", "\N{REPLACEMENT CHARACTER}"),
            "first_seen": now,
        }
        for key, (dialect, text) in sorted(new.items())  # in one order, so that two processes cannot block each other
    ]
    with state.write() as connection:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        for start in range(0, len(rows), _CHUNK):
            insert = dialect.insert(templates).values(rows[start : start + _CHUNK])
            connection.execute(insert.on_conflict_do_nothing(index_elements=["template_id"]))


def templates_by_id(state: State, ids: Iterable[bytes]) -> dict[bytes, tuple[str, str]]:
    """Dialect and text of each known id."""
    wanted = sorted({key.hex() for key in ids})
    found: dict[bytes, tuple[str, str]] = {}
    with state.read() as connection:
        for start in range(0, len(wanted), _CHUNK):
            query = sa.select(templates).where(templates.c.template_id.in_(wanted[start : start + _CHUNK]))
            for row in connection.execute(query):
                found[bytes.fromhex(row.template_id)] = (row.dialect, row.text)
    return found
