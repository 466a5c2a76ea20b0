"""What becomes of a day's events on their way into a log: some come twice, some late, some never, some lines are torn.

A day is written without knowing any other: lines that arrive too late for its file stand in a file of their own, as
with shippers that try again. So days can be made in any order, on any machine.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Generic, TypeVar, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beholden.retailer.chance import DAY_US, MINUTE_US, SECOND_US, Bools, Chance, Ints, Rng, in_order, iso, stream
from beholden.retailer.events import Events
from beholden.retailer.parameters import Parameters
from beholden.retailer.render import hexadecimal_of

__all__ = ["LogKind", "WrittenDay", "uids_of", "write_day"]

E = TypeVar("E", bound=Events)

#: Lines made at a time: about a hundred megabytes of text.
_CHUNK: Final = 400_000
#: How much of a torn line is left.
_TORN_BYTES: Final = 90
#: One day in so many has a torn line.
_TORN_DAYS: Final = 7
_GZIP_LEVEL: Final = 1


@dataclass(frozen=True, slots=True)
class LogKind(Generic[E]):
    """A log: its name, its files' name (with ``{day}``; compressed where it ends in ``.gz``), how its lines are made.

    ``lines`` renders events with their uids (32 hexadecimal digits, for formats that carry one), each with its line
    end. ``multiline`` where a record may hold line ends of its own; ``host`` where each of several has a log.
    """

    name: str
    file: str
    lines: Callable[[E, pa.Array], pa.Array]
    multiline: bool = False
    host: str = ""


@dataclass(frozen=True, slots=True)
class WrittenDay:
    """Where a day's events ended up: for each whole record its event's position, its file and its first line, from 1.

    After the records stand the events that left none; they have the file -1.
    """

    files: tuple[str, ...]
    event: Ints
    file: Ints
    record: Ints
    uids: pa.Array


def write_day(
    kind: LogKind[E],
    events: E,
    day: int,
    parameters: Parameters,
    directory: Path,
    lost: Sequence[tuple[int, int]] = (),
    ahead_us: int = 0,
) -> WrittenDay:
    """Write the files of a day.

    Events within one of the spans ``lost`` (microseconds) left no line; the clock that times the lines is ``ahead_us``
    ahead of the true time (behind where negative).
    """
    rng = stream(parameters.seed, f"log {kind.file}", day)
    event, late = _arriving(rng, events.time, parameters, lost)
    stem, dot, ending = kind.file.format(day=iso(np.array([day * DAY_US]), "D")[0].replace("-", "")).partition(".")
    files = [f"{stem}{dot}{ending}"]
    places = [event[~late]]
    if late.any():
        files.append(f"{stem}-late{dot}{ending}")
        places.append(event[late])
    torn = int(rng.integers(max(1, len(places[0])))) if rng.integers(_TORN_DAYS) == 0 else len(places[0])
    seen = np.zeros(len(events), dtype=np.bool_)
    seen[event] = True
    nowhere = np.flatnonzero(~seen)
    told = events.by_clock(ahead_us)
    uids = [uids_of(kind, parameters, day, chosen) for chosen in (*places, nowhere)]
    record = [
        _write(directory / name, kind, told, uids[i], chosen, len(chosen) if i else torn)
        for i, (name, chosen) in enumerate(zip(files, places, strict=True))
    ]
    return WrittenDay(
        files=tuple(files),
        event=np.concatenate([*places, nowhere]),
        file=np.repeat([*range(len(files)), -1], [*map(len, places), len(nowhere)]),
        record=np.concatenate([*record, np.full(len(nowhere), -1)]),
        uids=pa.concat_arrays(uids),
    )


def uids_of(kind: LogKind[E], parameters: Parameters, day: int, position: Ints) -> pa.Array:
    """The uids (32 hexadecimal digits) of events of a log's day, by their positions in it."""
    halves = [Chance(parameters.seed, f"uid {half} {kind.file}")(day, position) for half in ("a", "b")]
    return hexadecimal_of(*halves)


def _arriving(rng: Rng, time: Ints, p: Parameters, lost: Sequence[tuple[int, int]]) -> tuple[Ints, Bools]:
    """Positions of the events in the order in which their lines arrive, and which of these lines come late."""
    kept = np.flatnonzero(rng.random(len(time)) >= p.lost_lines)
    for start, end in lost:
        kept = kept[(time[kept] < start) | (time[kept] >= end)]
    late = rng.random(len(kept)) < p.late_lines
    delay = np.where(late, rng.exponential(p.late_minutes, len(kept)) * MINUTE_US, 0).astype(np.int64)
    again = np.flatnonzero(rng.random(len(kept)) < p.duplicate_lines)
    retried = rng.integers(1, 60, len(again)) * SECOND_US
    arrived = np.concatenate([time[kept] + delay, time[kept[again]] + delay[again] + retried])
    order = in_order(arrived)
    return np.concatenate([kept, kept[again]])[order], np.concatenate([late, late[again]])[order]


def _write(path: Path, kind: LogKind[E], events: E, uids: pa.Array, chosen: Ints, torn: int) -> Ints:
    """Write the chosen events, whose uids are given, in that order; what is left of a second writing of the torn one stands after it.

    Returns the number of each record's first line.
    """
    height = np.ones(len(chosen) if kind.multiline else 0, dtype=np.int64)
    with _opened(path) as file:
        for start in range(0, len(chosen), _CHUNK):
            part = chosen[start : start + _CHUNK]
            lines = kind.lines(events.at(part), uids.slice(start, len(part)))
            if kind.multiline:
                height[start : start + len(part)] = pc.count_substring(lines, "\n").to_numpy()
            if not 0 <= torn - start < len(part):
                _put(file, lines)
                continue
            _put(file, lines.slice(0, torn - start + 1))
            file.write(lines[torn - start].as_py().encode()[:_TORN_BYTES].replace(b"\n", b" ") + b"\n")
            _put(file, lines.slice(torn - start + 1))
    first: Ints = 1 + (np.cumsum(height) - height if kind.multiline else np.arange(len(chosen)))
    first[torn + 1 :] += 1
    return first


def _put(file: BinaryIO, lines: pa.Array) -> None:
    """The bytes of consecutive texts, as they lie in memory."""
    if len(lines):
        offsets = np.frombuffer(lines.buffers()[1], dtype=np.int32)[lines.offset : lines.offset + len(lines) + 1]
        file.write(memoryview(lines.buffers()[2])[int(offsets[0]) : int(offsets[-1])])


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if path.suffix != ".gz":
        with path.open("wb") as file:
            yield file
        return
    with path.open("wb") as raw, gzip.GzipFile("", "wb", _GZIP_LEVEL, raw, mtime=0) as zipped:
        yield cast("BinaryIO", zipped)
