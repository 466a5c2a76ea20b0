"""The one place where a name becomes part of a SQL text. Values never do: they are bound."""

from __future__ import annotations

from beholden.core.errors import UsageError

__all__ = ["quote_identifier"]


def quote_identifier(*parts: str) -> str:
    """A name, or a dotted name of several parts, quoted as standard SQL does: ``a"b`` -> ``"a""b"``.

    PostgreSQL and SQLite read the result as exactly this name, whatever is in it.

    Raises:
        UsageError: a part is empty or holds a NUL, which no store allows.
    """
    if not parts or any(not part or "\0" in part for part in parts):
        raise UsageError("identifier", "is empty or holds a NUL character")
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)
