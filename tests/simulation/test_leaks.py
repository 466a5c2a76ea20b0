"""Nothing but behaviour tells incidents from legitimate work: not the order of events, ids, files, times or lengths.

A classifier is trained on everything else that logs and feeds hold, on some companies, and tried on others (the method is
in `tests.support.leaks.judging`). It must do no better than chance: within `_ERRORS` standard errors of one half, for each
log and feed. That the test would see a leak is shown by planting some. `bench/meridian_leaks.py` is the larger form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

pytest.importorskip("sklearn", reason="scikit-learn, the leak test's classifier, is absent")

from tests.support.leaks.companies import SOURCES, Read, planted_ids, planted_times, read, sampled
from tests.support.leaks.judging import Sample, by_feature, judged
from tests.support.leaks.lines import Line

#: Companies: preset, seed, run. Those at even places are judged by what the others taught, and the other way round.
_COMPANIES = (
    ("retailer", 1, "recall"), ("retailer", 2, "recall"), ("grocer", 3, "recall"), ("bank", 4, "recall"),
    ("retailer", 5, "demo"),
)  # fmt: skip
_DAYS = 10
#: Fifteen logs and feeds are judged: one chance in a hundred that without a leak one of them lies so far above one half.
_ERRORS = 3.2
#: Where so many incidents left something, their mean must say enough.
_INCIDENTS_MANY = 30
#: Where no incident leaves a record: nothing can be judged there.
_UNTOUCHED = frozenset({"orders"})


@dataclass(frozen=True)
class _Companies:
    read: list[Read]
    samples: dict[str, list[Sample]]


@pytest.fixture(scope="module")
def companies(tmp_path_factory: pytest.TempPathFactory) -> _Companies:
    found = [
        read(tmp_path_factory.mktemp("company"), seed=seed, days=_DAYS, preset=preset, run=run)
        for preset, seed, run in _COMPANIES
    ]
    return _Companies(found, {source: sampled(found, source) for source in SOURCES})


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_not_behaviour_tells_no_better_than_chance(companies: _Companies, source: str) -> None:
    samples = companies.samples[source]
    found = judged(samples).judgement()
    assert (found.incidents == 0) == (source in _UNTOUCHED), found
    telling = [f"{name} {one.share:.2f}" for name, one in by_feature(samples)[:5]]
    assert not found.above(_ERRORS), f"{source}: {found}; most telling: {telling}"
    # A classifier that is right in three pairs of four could not pass.
    assert found.incidents < _INCIDENTS_MANY or found.error * _ERRORS < 0.25, found


def test_most_of_what_incidents_left_is_compared(companies: _Companies) -> None:
    for source, samples in companies.samples.items():
        compared = sum(int((one.incident >= 0).sum()) for one in samples)
        # Of work lists for mass corrections short windows have no ordinary ones.
        assert source == "assignments" or sum(one.alone for one in samples) <= 0.1 * compared, source


@pytest.mark.parametrize("source", ["console", "accounts", "warehouse"])
@pytest.mark.parametrize("plant", [planted_times, planted_ids])
def test_a_planted_leak_is_seen(companies: _Companies, source: str, plant: Callable[[Line], Line]) -> None:
    found = judged(sampled(companies.read, source, plant)).judgement()
    assert found.above(_ERRORS), found
