"""What becomes of events on their way into a log: some come twice, some late, some never, one is torn."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, MINUTE_US, Ints, Rng, iso
from beholden.retailer.parameters import Parameters

__all__ = ["Delivery", "WrittenLog", "deliver", "write_log"]

#: How much of the torn line is left.
_TORN_CHARS: Final = 90
_GZIP_LEVEL: Final = 6
#: Mean delay of a line that comes late; assumed.
_DELAY_MINUTES: Final = 240.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """Lines in the order of the files: which event each is, and which file (day of the window) it stands in."""

    event: Ints
    file: Ints
    torn: int  # position of a line that is cut off in the middle, or -1

    def record(self) -> Ints:
        """Each line's number in its file, from 1."""
        first = np.searchsorted(self.file, self.file)
        return np.arange(len(self.file)) - first + 1


@dataclass(frozen=True, slots=True)
class WrittenLog:
    """A log on disk: its files' names, the uid of each event, and where each event ended up."""

    files: tuple[str, ...]
    uids: list[str]
    delivery: Delivery


def deliver(rng: Rng, parameters: Parameters, time: Ints, gap: tuple[int, int] | None = None) -> Delivery:
    """Send events, given by their times in order, to the files of the window's days.

    Events within ``gap`` are lost. The torn line is a second writing of an event, so that nothing else is lost.
    """
    kept = np.arange(len(time))
    if gap is not None:
        kept = kept[(time < gap[0]) | (time >= gap[1])]
    late = rng.random(len(kept)) < parameters.late_lines
    delay = np.where(late, (rng.exponential(_DELAY_MINUTES, len(kept)) * MINUTE_US).astype(np.int64), 0)
    again = np.flatnonzero(rng.random(len(kept)) < parameters.duplicate_lines)
    arrived = time[kept] + delay
    events = np.concatenate([kept, kept[again]])
    arrived = np.concatenate([arrived, arrived[again] + rng.integers(1, 60_000, len(again)) * 1000])
    torn_event = int(rng.integers(len(events))) if len(events) else -1
    if torn_event >= 0:
        events = np.append(events, events[torn_event])
        arrived = np.append(arrived, arrived[torn_event] + 1000)
    order = np.argsort(arrived, kind="stable")
    file = np.minimum((arrived[order] - parameters.start) // DAY_US, parameters.days - 1)
    torn = int(np.flatnonzero(order == len(events) - 1)[0]) if torn_event >= 0 else -1
    return Delivery(events[order], file, torn)


def write_log(
    rng: Rng, parameters: Parameters, directory: Path, name: str, *, time: Ints, uids: list[str], lines: list[str],
    gap: tuple[int, int] | None = None,
) -> WrittenLog:  # fmt: skip
    """Deliver events and write a file for each day; ``name`` has ``{day}`` in it and may end in ``.gz``."""
    delivery = deliver(rng, parameters, time, gap)
    texts = [lines[i] for i in delivery.event.tolist()]
    if delivery.torn >= 0:
        texts[delivery.torn] = texts[delivery.torn][:_TORN_CHARS] + "\n"
    edges = np.searchsorted(delivery.file, np.arange(parameters.days + 1)).tolist()
    days = iso(parameters.start + np.arange(parameters.days) * DAY_US, "D")
    files = tuple(name.format(day=day.replace("-", "")) for day in days)
    for file, first, last in zip(files, edges[:-1], edges[1:], strict=True):
        content = "".join(texts[first:last]).encode()
        if file.endswith(".gz"):
            content = gzip.compress(content, _GZIP_LEVEL, mtime=0)
        (directory / file).write_bytes(content)
    return WrittenLog(files, uids, delivery)
