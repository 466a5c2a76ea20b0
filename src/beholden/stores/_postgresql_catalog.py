"""What a PostgreSQL database says about its tables: read in a few queries, kept by path."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from beholden.stores.connector import DatasetInfo, DatasetKind, FieldInfo, Grant, RowCount, ViewDefinition
from beholden.stores.quoting import quote_identifier

__all__ = ["Field", "Relation", "grants_of", "load_relations", "sql_name", "statement"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field as the connector needs it: its facts and the oid of its (base) type."""

    info: FieldInfo
    type_oid: int


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, view or partition: where it is and what is known of it."""

    oid: int
    schema: str
    name: str
    kind: str  # pg_class.relkind
    info: DatasetInfo
    fields: tuple[Field, ...]

    @property
    def quoted(self) -> str:
        """Its name as SQL with parameters."""
        return sql_name(self.schema, self.name)


def sql_name(*parts: str) -> str:
    """A quoted name in a statement with parameters, where psycopg would take a single % for one."""
    return quote_identifier(*parts).replace("%", "%%")


@cache
def statement(name: str) -> str:
    """The text of ``sql/postgresql_NAME.sql`` without its header."""
    text = (Path(__file__).parent / "sql" / f"postgresql_{name}.sql").read_text("utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))


def load_relations(connection: psycopg.Connection[Any]) -> dict[str, Relation]:
    """Every relation by its path, in order of schema and name."""
    rows = _rows(connection, "datasets")
    paths = _paths([(oid, schema, name) for oid, schema, name, *_ in rows])
    fields = _fields(connection, paths)
    counts = _row_counts(rows)
    definitions = _definitions(connection)
    relations = {}
    for oid, schema, name, kind, _, size_bytes, parent, may_use, may_read, may_read_some in rows:
        own = fields.get(oid, ())
        info = DatasetInfo(
            path=paths[oid],
            kind=_kind(kind, paths.get(parent)),
            fields=tuple(field.info for field in own),
            parent=paths.get(parent),
            rows=counts.get(oid),
            size_bytes=size_bytes if kind in {"r", "m"} else None,
            problem=_problem(schema, may_use=may_use, may_read=may_read or may_read_some),
            definition=definitions.get(oid),
        )
        relations[paths[oid]] = Relation(oid, schema, name, kind, info, own)
    return relations


def grants_of(connection: psycopg.Connection[Any], relations: Iterable[Relation]) -> list[Grant]:
    """The access control lists of these relations."""
    paths = {relation.oid: relation.info.path for relation in relations}
    return [
        Grant(paths[oid], grantee, privilege, field)
        for oid, field, grantee, privilege in _rows(connection, "grants")
        if oid in paths
    ]


def _rows(connection: psycopg.Connection[Any], name: str) -> list[tuple[Any, ...]]:
    rows = connection.execute(statement(name), binary=True).fetchall()
    return [
        tuple(value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in row) for row in rows
    ]


def _paths(names: list[tuple[int, str, str]]) -> dict[int, str]:
    """``schema.table``; where dots in names make two of them equal, the parts with dots are quoted in both."""
    plain = {oid: f"{schema}.{name}" for oid, schema, name in names}
    often = {path for path in plain.values() if list(plain.values()).count(path) > 1} if _dotted(names) else set()
    return {
        oid: ".".join(quote_identifier(part) if "." in part else part for part in (schema, name))
        if plain[oid] in often
        else plain[oid]
        for oid, schema, name in names
    }


def _dotted(names: list[tuple[int, str, str]]) -> bool:
    return any("." in schema for _, schema, _ in names)


def _fields(connection: psycopg.Connection[Any], paths: dict[int, str]) -> dict[int, tuple[Field, ...]]:
    refers: dict[tuple[int, str], str] = {}
    for oid, field, other, other_field in _rows(connection, "references"):
        if other in paths:
            refers.setdefault((oid, field), f"{paths[other]}#{other_field}")
    found: dict[int, list[Field]] = {}
    for oid, name, kind, type_oid, in_key, readable in _rows(connection, "fields"):
        own = found.setdefault(oid, [])
        refers_to = refers.get((oid, name))
        info = FieldInfo(len(own) + 1, name, kind, in_key=in_key, refers_to=refers_to, readable=readable)
        own.append(Field(info, type_oid))
    return {oid: tuple(own) for oid, own in found.items()}


def _definitions(connection: psycopg.Connection[Any]) -> dict[int, ViewDefinition]:
    """What views are made of, by oid, all names with their schemas; nothing where the server does not tell in time."""
    try:
        with connection.transaction(force_rollback=True):  # the setting is for this query alone
            connection.execute("SET LOCAL search_path = ''")
            rows = _rows(connection, "views")
    except psycopg.Error:  # another session holds a lock on one of them, or drops it
        if connection.broken:
            raise
        return {}
    return {oid: ViewDefinition(sql, "postgres", ()) for oid, sql in rows}


def _row_counts(rows: list[tuple[Any, ...]]) -> dict[int, RowCount]:
    """Estimates by oid; a partitioned or inherited table has its own rows and those of all below it, where known."""
    below: dict[int, list[int]] = {}
    own: dict[int, float] = {}
    for oid, _, _, kind, estimate, _, parent, *_ in rows:
        own[oid] = {"p": 0.0, "v": -1.0}.get(kind, estimate)
        if parent is not None:
            below.setdefault(parent, []).append(oid)

    def total(oid: int) -> float:
        parts = [own.get(oid, -1.0), *(total(child) for child in below.get(oid, ()))]
        return -1.0 if min(parts) < 0 else sum(parts)

    return {oid: RowCount(round(found), exact=False) for oid in own if (found := total(oid)) >= 0}


def _kind(relkind: str, parent: str | None) -> DatasetKind:
    if relkind in {"v", "m"}:
        return "view"
    return "table" if parent is None else "partition"


def _problem(schema: str, *, may_use: bool, may_read: bool) -> str | None:
    if not may_use:
        return f"we have no USAGE right on schema {schema}"
    return None if may_read else "we have no SELECT right on it"
