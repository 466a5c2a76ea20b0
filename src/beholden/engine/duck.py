"""Runs one SQL text on DuckDB, in memory, over the tables it is given and nothing else.

Each run over files has a database of its own (about 15 ms): DuckDB fixes the list of readable files once external access
is off. Runs over tables in memory share one that can read no file at all; each has a connection of its own and writes nothing,
so that no state passes from one question to the next. Extensions are neither installed nor loaded, Python
variables are not looked up by name, and the configuration is locked.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import duckdb
import pyarrow as pa

from beholden.core.errors import BeholdenError, LimitError, SourceError
from beholden.engine.sql import quote_identifier, quote_text
from beholden.engine.tables import TableSource

__all__ = ["DuckEngine"]

_SPILL: Final = "spill-"
#: How each kind of DuckDB error is told. Its own text may quote values and is dropped.
_KINDS: Final = (
    (duckdb.OutOfMemoryException, LimitError, "more memory is needed than the engine may use", "raise engine.memory"),
    (duckdb.IOException, SourceError, "a file could not be read or written", "check the disk and the files' rights"),
    (duckdb.PermissionException, BeholdenError, "it asks for something outside of its tables", ""),
)


class DuckEngine:
    """An `Engine` on this machine.

    Args:
        memory: as DuckDB writes it, ``4GB``; beyond it, intermediate results go to ``temp_directory``.
        threads: at most this many.
        temp_directory: spilled rows lie in a directory of this process below it. It is removed by `close`; those of
            processes that were stopped are removed when the next engine is made.

    Raises:
        SourceError: ``temp_directory`` cannot be made or written.
    """

    def __init__(self, *, memory: str, threads: int, temp_directory: Path) -> None:
        self._memory = memory
        self._threads = threads
        self._without_files: duckdb.DuckDBPyConnection | None = None
        try:
            temp_directory.mkdir(parents=True, exist_ok=True)
            _remove_stale(temp_directory)
            self._spill = Path(tempfile.mkdtemp(prefix=f"{_SPILL}{os.getpid()}-", dir=temp_directory))
        except OSError:
            raise SourceError(
                "engine", "its temporary directory cannot be written", advice="check its rights"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove what was spilled."""
        if self._without_files is not None:
            self._without_files.close()
            self._without_files = None
        shutil.rmtree(self._spill, ignore_errors=True)

    def run(self, sql: str, parameters: Mapping[str, object], tables: Mapping[str, TableSource]) -> pa.Table:
        """As `Engine.run` states."""
        with self._connection(tables) as connection:
            result: pa.Table = connection.sql(sql, params=dict(parameters)).to_arrow_table()
            return result

    @contextlib.contextmanager
    def _connection(self, tables: Mapping[str, TableSource]) -> Iterator[duckdb.DuckDBPyConnection]:
        paths = [path for source in tables.values() for path in source.files()]
        try:
            with contextlib.ExitStack() as stack:
                if paths:
                    connection = stack.enter_context(contextlib.closing(self._database(paths)))
                else:
                    self._without_files = self._without_files or self._database([])
                    connection = stack.enter_context(contextlib.closing(self._without_files.cursor()))
                for name, source in tables.items():
                    _add_table(connection, name, source)
                connection.execute("BEGIN TRANSACTION READ ONLY")
                yield connection
        except duckdb.Error as error:
            raise _told(error) from None

    def _database(self, paths: Sequence[Path]) -> duckdb.DuckDBPyConnection:
        """A database in memory that can read these files and nothing else."""
        connection = duckdb.connect(":memory:", config=self._config())
        allowed = ", ".join(quote_text(str(path)) for path in paths)
        connection.execute(f"SET allowed_paths = [{allowed}]")
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        return connection

    def _config(self) -> dict[str, str | bool | int | float | list[str]]:
        return {
            "memory_limit": self._memory,
            "threads": self._threads,
            "temp_directory": str(self._spill),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
        }


def _add_table(connection: duckdb.DuckDBPyConnection, name: str, source: TableSource) -> None:
    """A view of the source's columns: its files first, then its rows in memory."""
    rows = source.rows(name)
    if not source.parquet:
        connection.register(name, rows)
        return
    memory = f"{name} in memory"
    connection.register(memory, rows)
    columns = ", ".join(quote_identifier(column) for column in rows.schema.names)
    files = ", ".join(quote_text(str(path)) for path in source.parquet)
    connection.execute(
        f"CREATE TEMP VIEW {quote_identifier(name)} AS "
        f"SELECT {columns} FROM read_parquet([{files}], hive_partitioning = false) "
        f"UNION ALL SELECT {columns} FROM {quote_identifier(memory)}"
    )


def _told(error: duckdb.Error) -> BeholdenError:
    for kind, family, found, advice in _KINDS:
        if isinstance(error, kind):
            return family("query", found, advice=advice)
    return BeholdenError("query", f"it could not be run ({type(error).__name__.removesuffix('Exception')} error)")


def _remove_stale(directory: Path) -> None:
    for path in directory.glob(f"{_SPILL}*-*"):
        process = path.name.removeprefix(_SPILL).partition("-")[0]
        if process.isdecimal() and not _is_running(int(process)):
            shutil.rmtree(path, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True
