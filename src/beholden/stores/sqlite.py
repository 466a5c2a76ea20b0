"""SQLite files, read-only, with Python's own library.

Every call opens the file anew (tens of microseconds) and reads one snapshot, so that calls may overlap and
nothing stays locked between them. Datasets are ``main.TABLE``.
"""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from beholden.core.config import StoreConfig
from beholden.stores._base import (
    READ_CHARS_MAX,
    SAMPLE_BYTES_MAX,
    SAMPLE_CHARS_MAX,
    BaseConnector,
    Pace,
    check_find_values,
)
from beholden.stores._columns import batch_of, choose_rows, cut_strings, fetch_batches, text_array
from beholden.stores._sqlite_session import Refused, SqliteSession, meaning, open_session
from beholden.stores.connector import (
    DatasetInfo,
    DatasetKind,
    FieldInfo,
    Grant,
    RowCount,
    StoreInfo,
    ViewDefinition,
)
from beholden.stores.quoting import quote_identifier

__all__ = ["SqliteConnector"]

_SCHEMA: Final = "main"
#: In files up to this size tables are counted while listing; in larger ones ANALYZE's estimate must do.
_COUNT_BYTES_MAX: Final = 64 * 1024 * 1024
#: A sample of n rows looks at most at this many times n rows, or at all of a table that is no larger.
_LOOK_FACTOR: Final = 20
_INTEGER: Final = re.compile(r"(?:0|-?[1-9][0-9]{0,18})\Z")
_INT64: Final = range(-(2**63), 2**63)
#: What each affinity of a declared type promises about its values, and as what they are handed on. A column that
#: breaks the promise (SQLite allows it) is handed on as text, as are all others.
_NATURAL: Final = {
    "integer": ("integer", pa.int64()),
    "real": ("real", pa.float64()),
    "blob": ("blob", pa.binary()),
}


class SqliteConnector(BaseConnector):
    """Reads one SQLite file."""

    kind = "sqlite"

    def __init__(self, config: StoreConfig, path: Path, *, pace: Pace, clock: Callable[[], float]) -> None:
        super().__init__(config.name, pace)
        self._path = path
        self._open = partial(open_session, path, config.statement_timeout_s, clock)

    def test(self) -> StoreInfo:
        """See `Connector.test`."""
        with self._session() as session:
            session.rows("SELECT count(*) FROM sqlite_master")
        return StoreInfo(self.kind, sqlite3.sqlite_version)

    def datasets(self) -> Iterator[DatasetInfo]:
        """See `Connector.datasets`."""
        with self._session() as session:
            count = self._path.stat().st_size <= _COUNT_BYTES_MAX
            estimates = {} if count else _estimates(session)
            definitions = _definitions(session)
            for name, kind in _tables(session):
                path = f"{_SCHEMA}.{name}"
                fields: tuple[FieldInfo, ...] = ()
                rows, problem = estimates.get(name), None
                try:
                    fields = _fields(session, name)
                    if count and kind == "table":
                        rows = RowCount(_count(session, name), exact=True)
                except sqlite3.Error as error:
                    # A view on a dropped table, a virtual table whose module is not here, a damaged page.
                    problem = meaning(error).found
                yield DatasetInfo(path, kind, fields, rows=rows, problem=problem, definition=definitions.get(name))

    def grants(self) -> Iterator[Grant]:
        """See `Connector.grants`: SQLite has none."""
        return iter(())

    def count(self, path: str) -> int:
        """See `Connector.count`."""
        with self._session(path) as session:
            return _count(session, self._table(session, path))

    def read(self, path: str, fields: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """See `Connector.read`."""
        yield from self._paced(self._select(path, fields, "", ()))

    def find(
        self, path: str, field: str, values: Sequence[str], fields: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """See `Connector.find`. Uses an index on integer and text columns; elsewhere it reads the table."""
        wanted = check_find_values(values)
        with self._session(path) as session:
            known = {info.name: info for info in _fields(session, self._table(session, path))}
            if field not in known:
                raise self._no_field(field, path, list(known))
        condition, parameters = _equals(known[field], wanted)
        yield from self._paced(self._select(path, fields, f" WHERE {condition}", parameters))

    def sample(self, path: str, rows: int, seed: int) -> pa.RecordBatch:
        """See `Connector.sample`.

        Small tables: rows drawn evenly. Large ones: rows at random rowids (plus both ends where rowids have gaps).
        Large views and WITHOUT ROWID tables: drawn from the first ``20 * rows`` rows.
        """
        with self._session(path) as session:
            table = self._table(session, path)
            fields = _fields(session, table)
            quoted = quote_identifier(_SCHEMA, table)
            rowid = _rowid_name(session, quoted, fields)
            source = f"(SELECT * FROM {quoted} LIMIT {_LOOK_FACTOR * rows})"
            parameters: list[str] = []
            if rowid is not None:
                chosen = _choose_rowids(session, quoted, rowid, rows, seed)
                source = f"{quoted} WHERE {rowid} IN (SELECT value FROM json_each(?))"
                parameters = ["[" + ",".join(map(str, chosen)) + "]"]
            batches = self._batches(session, source, parameters, fields, SAMPLE_CHARS_MAX, path)
            batch, complete = choose_rows(batches, rows, seed, bytes_max=SAMPLE_BYTES_MAX)
            self._note(path, "a sample of very wide rows was cut short", 0 if complete else 1)
            if batch is None:
                types = [_natural(field)[1] for field in fields]
                batch = batch_of([pa.array([], kind) for kind in types], [field.name for field in fields], 0)
        self._pace.spend(batch.num_rows)
        return batch

    def _select(
        self, path: str, fields: Sequence[str] | None, where: str, parameters: Sequence[object]
    ) -> Iterator[pa.RecordBatch]:
        with self._session(path) as session:
            table = self._table(session, path)
            known = {info.name: info for info in _fields(session, table)}
            for name in fields or ():
                if name not in known:
                    raise self._no_field(name, path, list(known))
            chosen = [known[name] for name in (known if fields is None else fields)]
            source = quote_identifier(_SCHEMA, table) + where
            yield from self._batches(session, source, parameters, chosen, READ_CHARS_MAX, path)

    def _batches(
        self,
        session: SqliteSession,
        source: str,
        parameters: Sequence[object],
        fields: Sequence[FieldInfo],
        chars_max: int,
        path: str,
    ) -> Generator[pa.RecordBatch, None, None]:
        types = _types(session, source, parameters, fields)
        names = [field.name for field in fields]
        # One character more than is handed on, so that what was cut can be counted.
        columns = [
            column if kind not in {pa.string(), pa.binary()} else _shortened(column, chars_max + 1)
            for column, kind in zip(map(quote_identifier, names), types, strict=True)
        ]

        def build(rows: Sequence[tuple[Any, ...]]) -> pa.RecordBatch:
            values = zip(*rows, strict=True)
            arrays = [
                text_array(column) if kind == pa.string() else pa.array(column, kind)
                for column, kind in zip(values, types, strict=True)
            ]
            return batch_of(arrays, names, len(rows))

        cut = 0
        with session.cursor(f"SELECT {', '.join(columns)} FROM {source}", parameters) as fetch:
            for batch in fetch_batches(fetch, build):
                whole, longer = cut_strings(batch, chars_max)
                cut += longer
                self._note(path, f"values cut after {chars_max} characters", cut)
                yield whole

    @contextmanager
    def _session(self, path: str | None = None) -> Iterator[SqliteSession]:
        try:
            with self._open() as session:
                yield session
        except Refused as refused:
            raise self._error(refused.found, path, advice=refused.advice) from None

    def _table(self, session: SqliteSession, path: str) -> str:
        schema, _, name = path.partition(".")
        if schema != _SCHEMA or name not in dict(_tables(session)):
            raise self._error("there is no such table or view", path, advice="scan the store again if it was dropped")
        return name


def _tables(session: SqliteSession) -> list[tuple[str, DatasetKind]]:
    rows = session.rows(
        "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        " ORDER BY name"
    )
    return [(_decode(name), "view" if kind == b"view" else "table") for name, kind in rows]


def _definitions(session: SqliteSession) -> dict[str, ViewDefinition]:
    rows = session.rows("SELECT name, sql FROM sqlite_master WHERE type = 'view' AND sql IS NOT NULL")
    return {_decode(name): ViewDefinition(_decode(sql), "sqlite", (_SCHEMA,)) for name, sql in rows}


def _decode(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _fields(session: SqliteSession, table: str) -> tuple[FieldInfo, ...]:
    refers: dict[str, str] = {}
    for parent, column, target in session.rows(
        'SELECT "table", "from", "to" FROM pragma_foreign_key_list(?)', (table,)
    ):
        parent_name = _decode(parent)
        key = _decode(target) if target is not None else _single_key(session, parent_name)
        if key is not None:
            refers.setdefault(_decode(column), f"{_SCHEMA}.{parent_name}#{key}")
    # hidden: 1 is a virtual table's argument, 2 and 3 are generated columns.
    rows = session.rows("SELECT name, type, pk FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid", (table,))
    return tuple(
        FieldInfo(i, _decode(name), _decode(kind or b""), in_key=key > 0, refers_to=refers.get(_decode(name)))
        for i, (name, kind, key) in enumerate(rows, 1)
    )


def _single_key(session: SqliteSession, table: str) -> str | None:
    """What a foreign key without a column name refers to: the other table's primary key."""
    rows = session.rows("SELECT name FROM pragma_table_xinfo(?) WHERE pk > 0", (table,))
    return _decode(rows[0][0]) if len(rows) == 1 else None


def _count(session: SqliteSession, table: str) -> int:
    return int(session.rows(f"SELECT count(*) FROM {quote_identifier(_SCHEMA, table)}")[0][0])


def _estimates(session: SqliteSession) -> dict[str, RowCount]:
    """What ANALYZE left: the first number of each line is the table's rows."""
    if not session.rows("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'"):
        return {}
    found = {}
    for table, text in session.rows("SELECT tbl, stat FROM sqlite_stat1"):
        number = _decode(text).partition(" ")[0]
        if number.isdecimal():
            found[_decode(table)] = RowCount(int(number), exact=False)
    return found


def _affinity(declared: str) -> str:
    """https://sqlite.org/datatype3.html section 3.1, in its order."""
    upper = declared.upper()
    for words, affinity in (
        (("INT",), "integer"),
        (("CHAR", "CLOB", "TEXT"), "text"),
        (("BLOB",), "blob"),
        (("REAL", "FLOA", "DOUB"), "real"),
    ):
        if any(word in upper for word in words):
            return affinity
    return "numeric" if upper else ""


def _natural(field: FieldInfo) -> tuple[str, pa.DataType]:
    return _NATURAL.get(_affinity(field.type), ("", pa.string()))


def _types(
    session: SqliteSession, source: str, parameters: Sequence[object], fields: Sequence[FieldInfo]
) -> list[pa.DataType]:
    """The Arrow type of each field in these rows: the natural one where every value keeps the declared promise."""
    promises = {field.name: _natural(field) for field in fields}
    checked = {name: promise for name, (promise, _) in promises.items() if promise}
    broken: set[str] = set()
    if checked:
        tests = [
            f"max(typeof({quote_identifier(name)}) NOT IN ('{promise}', 'null'))" for name, promise in checked.items()
        ]
        answer = session.rows(f"SELECT {', '.join(tests)} FROM {source}", parameters)[0]
        broken = {name for name, flag in zip(checked, answer, strict=True) if flag}
    return [pa.string() if field.name in broken else promises[field.name][1] for field in fields]


def _shortened(column: str, units: int) -> str:
    """Cut long texts and blobs inside SQLite; numbers keep their type."""
    return f"CASE WHEN length({column}) > {units} THEN substr({column}, 1, {units}) ELSE {column} END"


def _equals(field: FieldInfo, values: list[str]) -> tuple[str, list[object]]:
    """A condition for "as text, equals one of", in a form that can use an index where the column's type allows."""
    column = quote_identifier(field.name)
    affinity = _affinity(field.type)
    marks = ", ".join("?" * len(values))
    # The cast keeps a column's collation, and NOCASE would find too much.
    exact = f"CAST({column} AS TEXT) COLLATE BINARY IN ({marks})"
    if affinity == "integer":
        numbers = [int(value) for value in values if _INTEGER.match(value) and int(value) in _INT64]
        others = [value for value in values if not _INTEGER.match(value)]
        indexed = [*numbers, *others]
        return f"{column} IN ({', '.join('?' * len(indexed))}) AND {exact}", [*indexed, *values]
    if affinity == "text":
        return f"{column} IN ({marks}) AND {exact}", [*values, *values]
    return exact, list(values)


def _rowid_name(session: SqliteSession, quoted: str, fields: Sequence[FieldInfo]) -> str | None:
    """A name for the rowid that no column hides; None for views and WITHOUT ROWID tables."""
    taken = {field.name.lower() for field in fields}
    name = next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), None)
    if name is None:
        return None
    try:
        rows = session.rows(f"SELECT {name} FROM {quoted} LIMIT 1")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_ERROR:
            return None
        raise
    return None if rows and rows[0][0] is None else name


def _choose_rowids(session: SqliteSession, quoted: str, rowid: str, rows: int, seed: int) -> list[int]:
    chance = random.Random(seed)  # noqa: S311 - a sample wants to be repeatable, not secret
    look = _LOOK_FACTOR * rows
    first = [row for (row,) in session.rows(f"SELECT {rowid} FROM {quoted} ORDER BY {rowid} LIMIT {look + 1}")]
    if len(first) <= look:
        return sorted(chance.sample(first, min(rows, len(first))))
    highest = session.rows(f"SELECT max({rowid}) FROM {quoted}")[0][0]
    probes = sorted(chance.randint(first[0], highest) for _ in range(rows))
    found = session.rows(
        f"SELECT DISTINCT (SELECT t.{rowid} FROM {quoted} AS t WHERE t.{rowid} >= p.value ORDER BY t.{rowid} LIMIT 1)"
        " FROM json_each(?) AS p",
        ("[" + ",".join(map(str, probes)) + "]",),
    )
    chosen = {row for (row,) in found}
    if len(chosen) < rows:
        # Probes into gaps fall on the same rows: fill up from both ends.
        last = session.rows(f"SELECT {rowid} FROM {quoted} ORDER BY {rowid} DESC LIMIT {look}")
        others = sorted({*first, *(row for (row,) in last)} - chosen)
        chosen.update(chance.sample(others, min(len(others), rows - len(chosen))))
    return sorted(chosen)
