"""The accuracy bench's figures hold on the real stores beside the project."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[3] / "bench" / "discovery_accuracy.py"


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("discovery_accuracy", BENCH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_pooled_precision_and_recall_stay_above_nine_tenths(bench, shared_data):
    scores, _ = bench.measure(shared_data / "stores", blind=False)
    pooled = bench.pool(scores.values())
    assert pooled.precision >= 0.9
    assert pooled.recall >= 0.9
    assert pooled.columns > 100


def test_without_names_little_is_claimed_wrongly(bench, shared_data):
    scores, _ = bench.measure(shared_data / "stores", blind=True)
    assert bench.pool(scores.values()).precision >= 0.9
