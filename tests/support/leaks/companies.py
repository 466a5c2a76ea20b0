"""Companies that the leak test reads: built as anybody builds them, then looked at log by log and feed by feed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from beholden.retailer import build_company
from beholden.retailer.incidents import Incident
from beholden.retailer.parameters import checked_parameters
from beholden.retailer.schedule import scheduled
from beholden.retailer.words import words_of
from beholden.retailer.world import World
from tests.support.leaks.features import Shapes, features_of, shapes_of
from tests.support.leaks.judging import Sample, sample_of
from tests.support.leaks.lines import EPOCH, LOGS, MILLISECONDS, Line, lines_of
from tests.support.leaks.rows import FEEDS, rows_of

__all__ = ["SOURCES", "Read", "planted_ids", "planted_times", "read", "sampled"]

#: What is judged, each by itself.
SOURCES: Final = (*LOGS, *FEEDS)
_END_US: Final = 1_772_323_200_000_000  # 2026-03-01
_SCALE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Read:
    """A company that was built: what its logs say, the samples of its feeds, and its incidents."""

    seed: int
    lines: dict[str, list[Line]]
    feeds: dict[str, Sample]
    incidents: dict[int, Incident]


def read(directory: Path, *, seed: int, days: int, preset: str = "retailer", run: str = "recall") -> Read:
    """Build a company in a directory and read what it wrote."""
    build_company(directory, preset=preset, scale=_SCALE, seed=seed, days=days, end=_END_US, run=run)
    world = World(checked_parameters(preset=preset, scale=_SCALE, seed=seed, days=days, end=_END_US))
    incidents = scheduled(world, run)
    feeds = {}
    for feed in FEEDS:
        rows = rows_of(directory, incidents, feed, words_of(preset))
        feeds[feed] = sample_of(rows.features, rows.incident, rows.actors, rows.cells, seed)
    lines = {log: lines_of(directory, preset, log) for log in LOGS}
    return Read(seed, lines, feeds, {one.number: one for one in incidents})


def sampled(companies: Sequence[Read], source: str, plant: Callable[[Line], Line] | None = None) -> list[Sample]:
    """The samples of a log or feed; ``plant`` is done to the lines of incidents, for a test of the test."""
    if source in FEEDS:
        return [one.feeds[source] for one in companies]
    every = [one.lines[source] for one in companies]
    if plant is not None:
        every = [[line if line.incident < 0 else plant(line) for line in lines] for lines in every]
    ordinary: Shapes = sum(map(shapes_of, every), Counter())
    return [
        sample_of(
            features_of(lines, ordinary), np.array([line.incident for line in lines], dtype=np.int64),
            [line.actor for line in lines], [line.cell for line in lines], company.seed,
        )
        for company, lines in zip(companies, every, strict=True)
    ]  # fmt: skip


def planted_times(line: Line) -> Line:
    """The line as a maker would write it whose times are to the hundredth of a second: a zero too many."""
    found = MILLISECONDS.search(line.text) or EPOCH.search(line.text)
    if found is None:
        return line
    return replace(line, text=f"{line.text[: found.end() - 1]}0{line.text[found.end() :]}")


def planted_ids(line: Line) -> Line:
    """The line as a maker would write it whose ids come from half of the range: the last digit is always 0 to 7."""
    fields = {
        name: value[:-1] + str(int(value[-1], 16) % 8) if value == line.uid else value
        for name, value in line.fields.items()
    }
    return replace(line, fields=fields)
