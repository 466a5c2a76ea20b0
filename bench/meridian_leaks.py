"""The leak test at length: whether anything but behaviour gives Meridian's incidents away, by log, feed, grade and kind.

Prints for each log and feed the mean share of (incident's, ordinary) pairs that a classifier puts in the right order, 0.5
where it can tell nothing, with the interval of 95 %; the same for each grade; what a planted leak gives; and the features
that tell most by themselves. The method is in `tests/support/leaks/judging.py`.

Usage: python -m bench.meridian_leaks [--seeds N] [--first SEED] [--days N] [--preset NAME] [--kinds]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tests.support.leaks.companies import SOURCES, Read, planted_times, read, sampled
from tests.support.leaks.judging import Judgement, Outcome, by_feature, judged
from tests.support.leaks.lines import LOGS

from beholden.retailer.incidents import GRADES

_TOLD = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--preset", default="retailer")
    parser.add_argument("--kinds", action="store_true", help="also a line for each kind of incident")
    asked = parser.parse_args()
    companies = []
    for seed in range(asked.first, asked.first + asked.seeds):
        with tempfile.TemporaryDirectory() as directory:
            companies.append(read(Path(directory), seed=seed, days=asked.days, preset=asked.preset))
    print(
        f"{'log or feed':13}{'incidents':>10}   {'all':16}"
        + "".join(f"{grade:16}" for grade in GRADES)
        + "planted   CPU s"
    )
    for source in SOURCES:
        _print(companies, source, kinds=asked.kinds)


def _print(companies: Sequence[Read], source: str, *, kinds: bool) -> None:
    begun = time.process_time()
    samples = sampled(companies, source)
    outcome = judged(samples)
    whole = outcome.judgement()
    grades = [_part(companies, outcome, "grade", grade).judgement() for grade in GRADES]
    planted = "-"
    if source in LOGS:
        planted = f"{judged(sampled(companies, source, planted_times)).judgement().share:.2f}"
    cells = "".join(f"{_text(one):16}" for one in (whole, *grades))
    print(f"{source:13}{whole.incidents:>10}   {cells}{planted:>7}{time.process_time() - begun:>8.1f}")
    for kind in sorted({one.kind for company in companies for one in company.incidents.values()}) if kinds else ():
        of = _part(companies, outcome, "kind", kind).judgement()
        if of.incidents:
            print(f"    {kind:22}{of.incidents:>4} {_text(of)}")
    alone = sum(one.alone for one in samples)
    told = ", ".join(
        f"{name} {one.share:.3f} ({(one.share - 0.5) / one.error:+.1f})" for name, one in by_feature(samples)[:_TOLD]
    )
    print(f"    {told}" + (f"; {alone} records of nothing ordinary" if alone else ""))


def _part(companies: Sequence[Read], outcome: Outcome, what: str, value: str) -> Outcome:
    company, number = np.divmod(outcome.incident, Outcome.COMPANY)
    kept = [
        getattr(companies[at].incidents[one], what) == value
        for at, one in zip(company.tolist(), number.tolist(), strict=True)
    ]
    return outcome.of(np.array(kept, dtype=np.bool_))


def _text(one: Judgement) -> str:
    return f"{one.share:.3f} +-{1.96 * one.error:.3f}" if one.incidents > 1 else "-"


if __name__ == "__main__":
    main()
