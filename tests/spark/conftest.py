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
from pathlib import Path
from typing import Any

import pytest

_STARTED_S = 60


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A session on the cluster, whose executors run this Python."""
    pyspark = pytest.importorskip("pyspark", reason="pyspark is not installed (requirements/ci.lock)")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed (Debian: openjdk-17-jre-headless)")
    directory = tmp_path_factory.mktemp("spark")
    home = Path(pyspark.__file__).parent
    environment = {
        **os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_DIRS": str(directory / "local"),
        "SPARK_WORKER_DIR": str(directory / "work"), "PYSPARK_PYTHON": sys.executable, "PYTHONPATH": os.pathsep.join(sys.path),
    }  # fmt: skip
    with ExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).setattr(os, "environ", environment)
        master = stack.enter_context(
            _process(home, directory, environment, "master.Master", "--host", "127.0.0.1", "--port", "0")
        )
        url = _said(master, r"Starting Spark master at (spark://[\d.]+:\d+)")
        for number in range(2):
            worker = stack.enter_context(
                _process(
                    home,
                    directory,
                    environment,
                    "worker.Worker",
                    "--host",
                    "127.0.0.1",
                    "--cores",
                    "1",
                    "--memory",
                    "1g",
                    url,
                    number=number,
                )
            )
            _said(worker, r"(Successfully registered) with master")
        builder = pyspark.sql.SparkSession.builder.master(url).appName("beholden tests")
        for name, value in {
            "spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
            "spark.executor.memory": "800m", "spark.sql.session.timeZone": "UTC", "spark.sql.shuffle.partitions": "2",
            "spark.sql.warehouse.dir": str(directory / "warehouse"),
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
