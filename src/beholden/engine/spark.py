"""Runs the same SQL texts on a Spark standalone cluster, for records that one machine is too slow for.

PySpark is an extra (``beholden[spark]``) and needs Java 17 or later. The driver runs here; the cluster's workers read
the Parquet files themselves, each under the path it has here. Rows in memory are sent to them. Executors and workers
see what the ledger holds: people as tokens, encrypted literals.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import re
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pyarrow as pa

from beholden.core.errors import BeholdenError, LimitError, SourceError, UsageError
from beholden.engine.tables import TableSource
from beholden.engine.transpile import to_spark

__all__ = ["SparkEngine", "spark_engine"]

_CONNECT_S: Final = 10
#: A cluster that is busy with others, or whose workers are too small, offers nothing.
_EXECUTOR_S: Final = 60
#: An executor ends at once below one and a half times the 300 MiB it keeps for itself; Java counts less than it was given.
_MEMORY_MIN_MB: Final = 512

#: What the rows depend on, whatever the cluster's own configuration says.
_RUN: Final = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.execution.arrow.useLargeVarTypes": "false",
    "spark.sql.runSQLOnFiles": "false",
}
_TYPES: Final = {
    pa.bool_(): "boolean",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.string(): "string",
    pa.timestamp("us", tz="UTC"): "timestamp",
}
#: PySpark writes every error of a query to the terminal, with its plan and what was bound.
_LOGGERS: Final = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")
#: What an error's text holds when ... Its text quotes values and file names, and is dropped.
_KINDS: Final = (
    (
        ("OutOfMemory", "spark.driver.maxResultSize", "code 52", "code 137"),
        LimitError, "more memory is needed than Spark's executors and driver may use",
        "raise engine.memory, or spark.driver.memory in Spark's configuration",
    ),
    (
        ("ExecutorLostFailure", "stopped SparkContext", "SparkContext was shut down", "SparkContext has been shutdown",
         "Py4JNetworkError", "cancellation of all jobs", "ConnectionRefused", "Connection refused", "Answer from Java side is empty"),
        SourceError, "the Spark cluster was lost while it ran", "check its master and workers, and ask again",
    ),
    (
        ("FileNotFoundException", "FAILED_READ_FILE", "CANNOT_READ_FILE", "PATH_NOT_FOUND", "AccessControlException",
         "NoSuchFileException"),
        SourceError, "a file could not be read on the cluster",
        "every worker must be able to read the ledger's files under the same path",
    ),
)  # fmt: skip


class SparkEngine:
    """An `Engine` on a cluster.

    Args:
        session: a PySpark session on the cluster. Each run has a session of its own derived from it.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        loggers = importlib.import_module("pyspark.logger").PySparkLogger
        for name in _LOGGERS:
            loggers.getLogger(name).disabled = True

    def run(self, sql: str, parameters: Mapping[str, object], tables: Mapping[str, TableSource]) -> pa.Table:
        """As `Engine.run` states."""
        query = to_spark(sql)
        query.check(parameters.keys(), tables.keys())
        with _border():
            session = self._session.newSession()
            for name, value in _RUN.items():
                session.conf.set(name, value)
            for name, source in tables.items():
                _frame(session, name, source).createOrReplaceTempView(name)
            values = {name: _bound(value) for name, value in parameters.items()}
            with _watched(session.sparkContext):
                found: pa.Table = session.sql(query.text, args=values).toArrow()
            return found.cast(pa.schema([(field.name, _plain(field.type)) for field in found.schema]))


@contextlib.contextmanager
def spark_engine(master: str, memory: str) -> Iterator[SparkEngine]:
    """An engine on a cluster, which is left again at the end.

    Args:
        master: ``spark://HOST:PORT``; several masters are separated by commas.
        memory: of each executor, as ``4GB``.

    Raises:
        UsageError: PySpark or Java is missing, or the memory is less than Spark can run with.
        SourceError: no master answers, or no worker gave an executor within a minute.
    """
    pyspark = _pyspark()
    megabytes = int(memory[:-2]) * (1024 if memory.endswith("GB") else 1)
    if megabytes < _MEMORY_MIN_MB:
        raise UsageError("engine.memory", f"{memory} is too little", expected=f"at least {_MEMORY_MIN_MB}MB for Spark")
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="beholden-"))
        settings = {
            "spark.driver.host": _own_address(master),
            "spark.executor.memory": f"{megabytes}m",
            "spark.local.dir": directory,
            "spark.sql.warehouse.dir": str(Path(directory) / "warehouse"),
            "spark.sql.catalogImplementation": "in-memory",
            "spark.ui.enabled": "false",  # its pages show queries and what was bound
        }
        conf = pyspark.SparkConf().setMaster(master).setAppName("beholden").setAll(list(settings.items()))
        try:
            context = pyspark.SparkContext(conf=conf, gateway=_gateway())
        except Exception:  # noqa: BLE001 - whatever Spark raises quotes addresses and Java's stack
            raise SourceError(
                "engine.master", f"{master} did not take the application", advice="check that it is a Spark master"
            ) from None
        stack.callback(_stop, context)
        _await_executor(context, memory)
        yield SparkEngine(pyspark.sql.SparkSession(context))


@functools.cache
def _gateway() -> Any:
    """Spark's Java process, which ends with this one. What it would write to the terminal is dropped: it quotes values."""
    try:
        launch = importlib.import_module("pyspark.java_gateway").launch_gateway
        return launch(popen_kwargs={"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL})
    except Exception:  # noqa: BLE001 - any failure to start it is the same to the reader
        raise UsageError(
            "Spark", "Java could not be started", expected="Java 17 or later (java, or JAVA_HOME)"
        ) from None


def _pyspark() -> ModuleType:
    try:
        importlib.import_module("pyspark.sql")
        return importlib.import_module("pyspark")
    except ImportError:
        raise UsageError(
            "engine.kind", "PySpark is not installed", expected="the package pyspark", advice="install beholden[spark]"
        ) from None


def _own_address(master: str) -> str:
    """The address under which a master, and therefore its workers, reach this machine."""
    for place in master.removeprefix("spark://").split(","):
        host, _, port = place.rpartition(":")
        try:
            with socket.create_connection((host, int(port)), timeout=_CONNECT_S) as connection:
                address = str(connection.getsockname()[0])
                return f"[{address}]" if ":" in address else address
        except (OSError, OverflowError):
            continue
    raise SourceError("engine.master", f"{master} cannot be reached", advice="check the address, and that it runs")


def _await_executor(context: Any, memory: str) -> None:
    until = time.monotonic() + _EXECUTOR_S
    tracker = _tracker(context)
    with _border():
        while len(tracker.getExecutorInfos()) < 2:  # the driver is one of them
            if time.monotonic() > until:
                raise SourceError(
                    "engine", f"the Spark cluster gave no executor within {_EXECUTOR_S} s",
                    expected=f"a worker with {memory} and a core free", advice="check its workers, or lower engine.memory",
                )  # fmt: skip
            time.sleep(0.1)


@contextlib.contextmanager
def _watched(context: Any) -> Iterator[None]:
    """End what runs when the cluster has given no executor for a minute: Spark itself would wait for ever."""
    tracker, done = _tracker(context), threading.Event()

    def watch() -> None:
        seen = time.monotonic()
        while not done.wait(1):
            with contextlib.suppress(Exception):  # the driver may have ended
                if len(tracker.getExecutorInfos()) > 1:
                    seen = time.monotonic()
                elif time.monotonic() - seen > _EXECUTOR_S:
                    context.cancelAllJobs()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _tracker(context: Any) -> Any:
    return context._jsc.sc().statusTracker()  # noqa: SLF001 - PySpark's own tracker does not tell of executors


def _stop(context: Any) -> None:
    with contextlib.suppress(Exception):  # the cluster may be gone
        context.stop()


def _frame(session: Any, name: str, source: TableSource) -> Any:
    """The source's columns: its files first, then its rows in memory."""
    rows, files, columns = source.rows(name), source.files(), source.columns
    frames = []
    if files:
        schema = ", ".join(f"{_quoted(field.name)} {_type(field.type)}" for field in columns)
        paths = [re.sub(r"([\\*?\[\]{}])", r"\\\1", f"file://{path.absolute()}") for path in files]
        frames.append(session.read.schema(schema).option("mergeSchema", "false").parquet(*paths))
    if rows.num_rows or not files:
        nullable = pa.schema([(field.name, field.type) for field in columns])
        # Arrow cannot cast a table without any chunk
        frames.append(session.createDataFrame(rows.cast(nullable) if rows.num_rows else nullable.empty_table()))
    return frames[0] if len(frames) == 1 else frames[0].unionAll(frames[1])


def _type(type_: pa.DataType) -> str:
    if pa.types.is_list(type_):
        return f"array<{_type(type_.value_type)}>"
    if pa.types.is_binary(type_) or pa.types.is_fixed_size_binary(type_):
        return "binary"
    if type_ not in _TYPES:
        raise UsageError("table source", f"a column of type {type_}", expected="a type that both engines have")
    return _TYPES[type_]


def _plain(type_: pa.DataType) -> pa.DataType:
    """A type without what Spark adds: elements that may not be null, under another name."""
    return pa.list_(_plain(type_.value_type)) if pa.types.is_list(type_) else type_


def _bound(value: object) -> object:
    # PySpark reads a time by the clock on the wall where it carries no zone
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


@contextlib.contextmanager
def _border() -> Iterator[None]:
    """Turn what PySpark, Py4J and Java raise into one line without any value."""
    try:
        yield
    except BeholdenError:
        raise
    except Exception as error:  # noqa: BLE001 - three libraries raise families of their own
        raise _told(error) from None


def _told(error: Exception) -> BeholdenError:
    text = f"{type(error).__name__}: {error}"
    for words, family, found, advice in _KINDS:
        if any(word in text for word in words):
            return family("query", found, advice=advice)
    condition = getattr(error, "getCondition", lambda: None)()
    kind = str(condition).partition(".")[0] if condition else type(error).__name__
    return BeholdenError("query", f"it could not be run ({kind} error)")
