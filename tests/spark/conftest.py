"""A real Spark standalone cluster on loopback: a master and two workers, processes of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_STARTED_S = 60
#: Processes that live for a minute: quick to start, small.
_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster, and the environment in which programs use it."""

    url: str
    environment: dict[str, str]
    directory: Path


@pytest.fixture(scope="session")
def spark_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers, each with room for an executor of the tests and one of a command that they run."""
    pyspark = pytest.importorskip("pyspark", reason="pyspark is not installed (requirements/ci.lock)")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed (Debian: openjdk-17-jre-headless)")
    directory = tmp_path_factory.mktemp("spark")
    home = Path(pyspark.__file__).parent
    environment = {
        **os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_DIRS": str(directory / "local"),
        "SPARK_WORKER_DIR": str(directory / "work"), "PYSPARK_PYTHON": sys.executable, "PYTHONPATH": os.pathsep.join(sys.path),
        "SPARK_DAEMON_MEMORY": "256m", "SPARK_DAEMON_JAVA_OPTS": _JAVA, "SPARK_SUBMIT_OPTS": _JAVA,
        "SPARK_CONF_DIR": str(directory / "conf"),
    }  # fmt: skip
    (directory / "conf").mkdir()
    (directory / "conf" / "spark-defaults.conf").write_text(
        f"spark.executor.extraJavaOptions {_JAVA}\nspark.sql.shuffle.partitions 2\n"
        "spark.ui.showConsoleProgress false\nspark.driver.maxResultSize 64m\n"
    )
    sizes = "--host", "127.0.0.1", "--cores", "2", "--memory", "1g"
    with ExitStack() as stack:
        master = stack.enter_context(
            _process(home, directory, environment, "master.Master", "--host", "127.0.0.1", "--port", "0")
        )
        url = _said(master, r"Starting Spark master at (spark://[\d.]+:\d+)")
        workers = [
            stack.enter_context(_process(home, directory, environment, "worker.Worker", *sizes, url, number=number))
            for number in range(2)
        ]
        for worker in workers:
            _said(worker, r"(Successfully registered) with master")
        yield Cluster(url, environment, directory)


@pytest.fixture(scope="session")
def spark(spark_cluster: Cluster) -> Iterator[Any]:
    """A session on the cluster, whose executors run this Python."""
    pyspark = pytest.importorskip("pyspark")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "environ", spark_cluster.environment)
        builder = pyspark.sql.SparkSession.builder.master(spark_cluster.url).appName("beholden tests")
        for name, value in {
            "spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
            "spark.executor.memory": "512m", "spark.cores.max": "2",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.warehouse.dir": str(spark_cluster.directory / "warehouse"),
        }.items():  # fmt: skip
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        try:
            yield session
        finally:
            session.stop()


@contextmanager
def _process(
    home: Path, directory: Path, environment: dict[str, str], what: str, *arguments: str, number: int = 0
) -> Iterator[Path]:
    """Run a part of the cluster; gives its log."""
    log = directory / f"{what}-{number}.log"
    command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{what}", "--webui-port", "0", *arguments]
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        yield log
    finally:
        process.terminate()
        process.wait(timeout=30)


def _said(log: Path, pattern: str) -> str:
    """Wait until a log says something; what the pattern's group found."""
    until = time.monotonic() + _STARTED_S
    while time.monotonic() < until:
        if found := re.search(pattern, log.read_text("utf-8", errors="replace")):
            return found.group(1)
        time.sleep(0.2)
    raise TimeoutError(log.read_text("utf-8", errors="replace")[-2000:])
