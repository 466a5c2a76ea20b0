"""Is Meridian like its sources say? Prints what is measured, what was published, the band, and whether it holds.

With --write it refreshes the part of docs/explanation/meridian.md between its markers, and the plots beside it.
Everything follows from the seed; the contact centre is looked at for four weeks at full scale, and a small company is
written and read back. The plots need Matplotlib (extra `bench`).

Usage: python bench/meridian_realism.py [--seed 1] [--write]
"""

from __future__ import annotations

import argparse
import math
import re
import resource
import sys
import tempfile
import time
from pathlib import Path

from beholden.core.times import parse_time
from beholden.retailer import build_company
from beholden.retailer.realism import Measure, Study, measures_of_written, study_of
from beholden.retailer.realism.bands import ERRORS

DOCS = Path(__file__).resolve().parents[1] / "docs" / "explanation"
END = parse_time("2026-11-22T00:00:00Z")
DAYS = 28
WRITTEN_SCALE, WRITTEN_DAYS = 0.05, 14
#: What is shown of smaller companies: name in the bands, and heading.
BY_SCALE = {
    "views with a documented reason": "documented reason",
    "chance level: documented if customers are shuffled": "the same by chance",
    "famous, per million views": "famous",
    "co-worker, per million views": "co-worker",
    "family, per million views": "family",
    "neighbour, per million views": "neighbour",
}
_MARKERS = re.compile(r"(?s)(<!-- measured: begin[^>]*-->\n).*(<!-- measured: end -->)")


def written(value: float, form: str) -> str:
    """A value as a table has it; no minus before nothing."""
    return re.sub(r"^-(0(\.0*)?%?)$", r"\1", format(value, form))


def interval(low: float, high: float, form: str) -> str:
    """An interval, or the one value that it is."""
    if low == high:
        return written(low, form)
    if math.isinf(high):
        return f"{written(low, form)} or more"
    return f"{written(low, form)} to {written(high, form)}"


def row(one: Measure) -> list[str]:
    """Name, measured with its error, sourced, band, verdict, where the value is from and why it is an interval."""
    band, (low, high) = one.band, one.limits
    least = max(low, 0.0) if band.low >= 0 else low
    error = f" ± {written(one.error, band.form)}" if one.error else ""
    source = f"{band.source}; {band.why}" if band.why else band.source
    return [
        one.name,
        written(one.value, band.form) + error,
        interval(band.low, band.high, band.form),
        interval(least, high, band.form),
        "holds" if one.holds else "DEPARTS",
        source,
    ]


def table_of(found: list[Measure]) -> str:
    """A Markdown table of each group."""
    lines: list[str] = []
    for group in dict.fromkeys(one.band.group for one in found):
        lines += ["", f"**{group[0].upper()}{group[1:]}**", "", "| what | measured | sourced | band | | source |", "|---|---|---|---|---|---|"]  # fmt: skip
        lines += ["| " + " | ".join(row(one)) + " |" for one in found if one.band.group == group]
    return "\n".join(lines)


def by_scale(studies: dict[str, list[Measure]]) -> str:
    """The measures that depend on a company's size, at several sizes."""
    lines = ["| scale | " + " | ".join(BY_SCALE.values()) + " |", "|---" * (1 + len(BY_SCALE)) + "|"]
    for scale, found in studies.items():
        named = {one.name: one for one in found}
        cells = [written(named[name].value, named[name].band.form) for name in BY_SCALE]
        lines.append("| " + " | ".join([scale, *cells]) + " |")
    return "\n".join(lines)


def refreshed(text: str, section: str) -> str:
    """The page with the section between its markers."""
    found, count = _MARKERS.subn(lambda match: f"{match[1]}{section}\n{match[2]}", text)
    if count != 1:
        sys.exit("docs/explanation/meridian.md: the markers of the measured part are not there once")
    return found


def measured(seed: int) -> tuple[Study, list[Measure], dict[str, list[Measure]]]:
    """The study of full scale, everything measured, and the measures of smaller scales."""
    study = study_of(seed=seed, end=END, scale=1.0, days=DAYS)
    found = study.measures()
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory) / "company"
        build_company(place, scale=WRITTEN_SCALE, days=WRITTEN_DAYS, seed=seed, end=END, run="quiet")
        found += measures_of_written(place)
    small = {
        f"{scale:g}": study_of(seed=seed, end=END, scale=scale, days=4 * DAYS).service_measures()
        for scale in (0.01, 0.1)
    }
    return study, found, small | {"1": found}


def main() -> None:
    """Print the tables; with --write, refresh page and plots."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    cpu = time.process_time()
    study, found, scales = measured(arguments.seed)
    departing = [one.name for one in found if not one.holds]
    section = (
        f"Seed {arguments.seed}. {len(found) - len(departing)} of {len(found)} hold. Bands are the sourced values and {ERRORS:g} "
        f"standard errors beyond.\n{table_of(found)}\n\n**By scale** (look-alikes per million views)\n\n{by_scale(scales)}"
    )
    print(section)
    print(
        f"\n{time.process_time() - cpu:.0f} s of CPU, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB"
    )
    if departing:
        print("departs: " + ", ".join(departing))
    if arguments.write:
        from meridian_plots import write_plots  # noqa: PLC0415 - the table does without Matplotlib

        page = DOCS / "meridian.md"
        page.write_text(refreshed(page.read_text(encoding="utf-8"), section), encoding="utf-8")
        write_plots(study, found, DOCS)
    sys.exit(bool(departing))


if __name__ == "__main__":
    main()
