"""PostgreSQL through psycopg 3: read-only transactions, server-side cursors, its own table sampling.

Datasets are ``SCHEMA.TABLE``; a dot inside a name is kept as it is. Works with version 12 and later.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
import pyarrow as pa

from beholden.core.config import StoreConfig
from beholden.stores._base import (
    READ_CHARS_MAX,
    SAMPLE_BYTES_MAX,
    SAMPLE_CHARS_MAX,
    BaseConnector,
    Pace,
    check_find_values,
    listed_names,
)
from beholden.stores._columns import choose_rows, fetch_batches
from beholden.stores._postgresql_catalog import Field, Relation, grants_of, load_relations, statement
from beholden.stores._postgresql_connection import Connections, Refused, connection_settings
from beholden.stores._postgresql_types import RowShape, find_cast
from beholden.stores.connector import DatasetInfo, Grant, StoreInfo

__all__ = ["PostgresqlConnector"]

#: A sample draws at least this many pages, so that rows stored side by side do not make all of it.
_PAGES_MIN: Final = 200
#: Rows a page is taken to hold in a table that was never analysed.
_ROWS_PER_PAGE_GUESS: Final = 40
#: Aim above the rows wanted, since pages are filled unevenly.
_PAGES_MARGIN: Final = 1.5


class PostgresqlConnector(BaseConnector):
    """Reads one PostgreSQL database."""

    kind = "postgresql"

    def __init__(self, config: StoreConfig, root: Path, environ: Mapping[str, str], *, pace: Pace) -> None:
        super().__init__(config.name, pace)
        self._connections = Connections(
            connection_settings(config, root, environ),
            connections_max=config.max_connections,
            statement_timeout_s=config.statement_timeout_s,
        )
        self._relations: dict[str, Relation] | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """See `Connector.close`."""
        self._connections.close()

    def test(self) -> StoreInfo:
        """See `Connector.test`."""
        with self._transaction() as connection:
            row = connection.execute("SELECT current_setting('server_version'), current_user::text", binary=True)
            version, user = row.fetchone() or (b"", b"")
        return StoreInfo(self.kind, version.decode(), user.decode("utf-8", "replace"))

    def datasets(self) -> Iterator[DatasetInfo]:
        """See `Connector.datasets`."""
        for relation in self._load().values():
            info = relation.info
            hidden = [field.name for field in info.fields if not field.readable]
            if info.problem is None and hidden:
                named = listed_names(hidden)
                self._note(info.path, f"fields that we have no SELECT right on: {named}", len(hidden))
            yield info

    def grants(self) -> Iterator[Grant]:
        """See `Connector.grants`."""
        relations = self._load().values()
        with self._transaction() as connection:
            found = grants_of(connection, relations)
        yield from found

    def count(self, path: str) -> int:
        """See `Connector.count`."""
        relation = self._relation(path)
        with self._transaction(path) as connection:
            row = connection.execute(f"SELECT count(*) FROM {relation.quoted}", [], binary=True).fetchone()
        return int(row[0]) if row else 0

    def read(self, path: str, fields: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """See `Connector.read`."""
        relation = self._relation(path)
        chosen = self._chosen(relation, fields)
        yield from self._paced(self._select(relation, chosen, "", ()))

    def find(
        self, path: str, field: str, values: Sequence[str], fields: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """See `Connector.find`. Uses an index on integer, text, numeric and uuid fields; elsewhere it reads the table."""
        wanted = [value for value in check_find_values(values) if "\0" not in value]  # no text here can hold it
        relation = self._relation(path)
        chosen = self._chosen(relation, fields)
        (key,) = self._chosen(relation, [field])
        condition, parameters = find_cast(key, wanted)
        yield from self._paced(self._select(relation, chosen, f" WHERE {condition}", parameters))

    def sample(self, path: str, rows: int, seed: int) -> pa.RecordBatch:
        """See `Connector.sample`.

        Tables, partitioned tables and materialized views: rows from pages drawn evenly. Views and foreign tables:
        the first rows the server gives.
        """
        relation = self._relation(path)
        fields = self._chosen(relation, None)
        shape = RowShape(fields, SAMPLE_CHARS_MAX)
        with self._transaction(path) as connection:
            if relation.kind in {"v", "f"}:
                sql, parameters = f"SELECT {shape.columns} FROM {relation.quoted} LIMIT %s", [rows]
                batch = self._sampled(connection, sql, parameters, shape, relation, seed)
            else:
                batch = self._from_pages(connection, relation, shape, rows, seed)
        self._pace.spend(batch.num_rows)
        return batch

    def _from_pages(
        self, connection: psycopg.Connection[Any], relation: Relation, shape: RowShape, rows: int, seed: int
    ) -> pa.RecordBatch:
        sql = statement("sample").format(columns=shape.columns, names=shape.names, table=relation.quoted)
        row = connection.execute(statement("pages"), [relation.oid], binary=True).fetchone()
        pages, analysed_pages, analysed_rows = row or (0, 0, 0.0)
        density = analysed_rows / analysed_pages if analysed_pages and analysed_rows else _ROWS_PER_PAGE_GUESS
        wanted = max(_PAGES_MIN, math.ceil(_PAGES_MARGIN * rows / density))
        while True:
            percent = 100.0 if wanted >= pages else 100.0 * wanted / pages
            batch = self._sampled(connection, sql, [percent, seed, seed, rows], shape, relation, seed)
            if batch.num_rows >= rows // 2 or wanted >= pages:
                return batch
            wanted *= 16  # pages are emptier than thought: many deleted rows

    def _sampled(
        self,
        connection: psycopg.Connection[Any],
        sql: str,
        parameters: Sequence[object],
        shape: RowShape,
        relation: Relation,
        seed: int,
    ) -> pa.RecordBatch:
        batches = self._fetch(connection, sql, parameters, shape, relation)
        batch, complete = choose_rows(batches, int(parameters[-1]), seed, bytes_max=SAMPLE_BYTES_MAX)  # type: ignore[call-overload]
        self._note(relation.info.path, "a sample of very wide rows was cut short", 0 if complete else 1)
        return shape.build([]) if batch is None else batch

    def _select(
        self, relation: Relation, fields: Sequence[Field], where: str, parameters: Sequence[object]
    ) -> Iterator[pa.RecordBatch]:
        shape = RowShape(fields, READ_CHARS_MAX)
        with self._transaction(relation.info.path) as connection:
            sql = f"SELECT {shape.columns} FROM {relation.quoted}{where}"
            yield from self._fetch(connection, sql, parameters, shape, relation)

    def _fetch(
        self,
        connection: psycopg.Connection[Any],
        sql: str,
        parameters: Sequence[object],
        shape: RowShape,
        relation: Relation,
    ) -> Generator[pa.RecordBatch, None, None]:
        """The answer through a server-side cursor; the statement timeout holds for each fetch."""
        with connection.cursor("beholden") as cursor:
            cursor.execute(sql, parameters, binary=True)
            try:
                yield from fetch_batches(cursor.fetchmany, shape.build)
            finally:
                for reason, count in shape.left_out().items():
                    self._note(relation.info.path, reason, count)

    @contextmanager
    def _transaction(self, path: str | None = None) -> Iterator[psycopg.Connection[Any]]:
        try:
            with self._connections.transaction() as connection:
                yield connection
        except Refused as refused:
            raise self._error(refused.found, path, advice=refused.advice) from None

    def _load(self) -> dict[str, Relation]:
        with self._transaction() as connection:
            relations = load_relations(connection)
        with self._lock:
            self._relations = relations
        return relations

    def _relation(self, path: str) -> Relation:
        """What is at ``path``, from the last listing, or from a new one if it is not in there."""
        known = self._relations or {}
        relation = known.get(path) or self._load().get(path)
        if relation is None:
            raise self._error("there is no such table or view", path, advice="scan the store again if it was dropped")
        if relation.info.problem is not None:
            advice = "grant it with the script of: beholden store grants postgresql"
            raise self._error(relation.info.problem, path, advice=advice)
        return relation

    def _chosen(self, relation: Relation, names: Sequence[str] | None) -> list[Field]:
        """The named fields in their order, or all that we may read."""
        if names is None:
            return [field for field in relation.fields if field.info.readable]
        known = {field.info.name: field for field in relation.fields}
        for name in names:
            if name not in known:
                raise self._no_field(name, relation.info.path, list(known))
        return [known[name] for name in names]
