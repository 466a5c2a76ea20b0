"""Days of Meridian made by the executors of a cluster."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from beholden.core.times import parse_time
from beholden.retailer import DayMaker, build_company

pytestmark = pytest.mark.spark

SETTINGS: dict[str, Any] = {
    "scale": 0.002,
    "days": 4,
    "seed": 8,
    "run": "recall",
    "end": parse_time("2026-11-22T00:00:00Z"),
}


def digests(directory: Path) -> dict[str, str]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_executors_make_the_same_bytes(spark: Any, tmp_path: Path) -> None:
    processes: list[int] = []

    def on_executors(make: DayMaker, days: Sequence[int]) -> Iterable[Any]:
        made = spark.sparkContext.parallelize(days, len(days)).map(lambda day: (os.getpid(), make(day))).collect()
        processes.extend(process for process, _ in made)
        return [result for _, result in made]

    build_company(tmp_path / "cluster", **SETTINGS, map_days=on_executors)
    build_company(tmp_path / "alone", **SETTINGS)
    assert digests(tmp_path / "cluster") == digests(tmp_path / "alone")
    assert len(set(processes)) > 1
    assert os.getpid() not in processes
