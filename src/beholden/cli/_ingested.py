"""What became of log files, as commands show it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

__all__ = ["IngestedFile", "total_of"]


@dataclass(frozen=True, slots=True)
class IngestedFile:
    """The account of one file: ``records == parsed + noise + not_understood``, always.

    ``mended`` counts records of these that had to be put right before they could be read, by what was wrong.
    """

    log: str
    file: str
    format: str
    records: int
    parsed: int
    noise: dict[str, int]
    not_understood: dict[str, int]
    mended: dict[str, int]
    events_new: int
    events_known: int


def total_of(files: list[IngestedFile]) -> IngestedFile:
    """One row for many files of one log."""
    noise, not_understood, mended = Counter[str](), Counter[str](), Counter[str]()
    for row in files:
        noise.update(row.noise)
        not_understood.update(row.not_understood)
        mended.update(row.mended)
    return IngestedFile(
        files[0].log,
        f"{len(files):,} files",
        files[0].format,
        sum(row.records for row in files),
        sum(row.parsed for row in files),
        dict(noise),
        dict(not_understood),
        dict(mended),
        sum(row.events_new for row in files),
        sum(row.events_known for row in files),
    )
