"""SQL texts lie in ``.sql`` files beside the modules that run them."""

from __future__ import annotations

import functools
from importlib import resources

from beholden.core.errors import NotFoundError

__all__ = ["load_sql", "quote_identifier", "quote_text"]


@functools.cache
def load_sql(package: str, name: str) -> str:
    """The text of ``name`` (with its ``.sql``) in ``package``; raises `NotFoundError` when the package has none."""
    try:
        return resources.files(package).joinpath(name).read_text(encoding="utf-8")
    except (FileNotFoundError, ModuleNotFoundError):
        raise NotFoundError(f"SQL {package}/{name}", "is not part of the installation") from None


def quote_identifier(name: str) -> str:
    """A name of a table or column as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """A text as an SQL literal; for names of our own files, where a parameter cannot stand. Values are bound."""
    return "'" + text.replace("'", "''") + "'"
