"""What a name in a statement refers to, given the schema and the search path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlglot import exp

from beholden.sqltext._lexical import rules_for
from beholden.sqltext.facts import Schema

__all__ = ["Named", "Names"]

_CATALOGUES: Final = frozenset({"information_schema", "pg_catalog", "pg_toast", "performance_schema"})


@dataclass(frozen=True, slots=True)
class Named:
    """A dataset a statement names. ``columns`` maps a name as compared to the name as it is; None is not known."""

    path: str
    resolved: bool
    columns: dict[str, str] | None = field(default=None, repr=False)


class Names:
    """Looks names up. Building it costs one pass over the schema, so an analyser keeps it."""

    def __init__(self, dialect: str, schema: Schema, search_path: Sequence[str]) -> None:
        self.dialect = dialect
        self.exact_case = rules_for(dialect).exact_case
        self._schema = schema
        self._search_path = tuple(search_path)
        self._paths = {self.fold(path): path for path in schema}
        self._by_name: dict[str, list[str]] = {}
        for path in schema:
            self._by_name.setdefault(self.fold(path.rpartition(".")[2]), []).append(path)

    def fold(self, name: str) -> str:
        """A name as it is compared. Unquoted names come folded from the template where the dialect folds them."""
        return name if self.exact_case else name.lower()

    def table(self, table: exp.Table) -> Named | None:
        """The dataset a table expression names; None for the store's own catalogue, which holds no one's data."""
        return self.dataset([part.name for part in table.parts])

    def dataset(self, parts: list[str]) -> Named | None:
        """The dataset of a dotted name, given without quotes; None for the store's own catalogue."""
        written = ".".join(parts)
        candidates = [written]
        if len(parts) == 1:
            candidates = [f"{schema}.{written}" for schema in self._search_path] + candidates
        elif len(parts) > 2:
            candidates.append(".".join(parts[-2:]))
        for candidate in candidates:
            path = self._paths.get(self.fold(candidate))
            if path is not None:
                return self._known(path)
        if self._is_catalogue(parts):
            return None
        # A role may have a search path of its own: a name that one dataset alone has can mean no other.
        elsewhere = self._by_name.get(self.fold(written), []) if len(parts) == 1 else []
        return self._known(elsewhere[0]) if len(elsewhere) == 1 else Named(written, False)

    def _known(self, path: str) -> Named:
        return Named(path, True, {self.fold(column): column for column in self._schema[path]})

    def fields_of(self, path: str) -> tuple[str, ...]:
        """The fields of a dataset; none where the schema lacks it."""
        return self._schema.get(path, ())

    def within(self, schema: str) -> list[Named]:
        """Every dataset of one schema, for statements that name all of them at once."""
        prefix = self.fold(schema) + "."
        return [Named(path, True) for folded, path in self._paths.items() if folded.startswith(prefix)]

    def _is_catalogue(self, parts: list[str]) -> bool:
        name = parts[-1].lower()
        if len(parts) > 1:
            return parts[-2].lower() in _CATALOGUES or (parts[-2].lower() == "sys" and self.dialect == "mysql")
        if self.dialect == "sqlite":
            return name.startswith("sqlite_")
        return self.exact_case and name.startswith("pg_")
