"""A writer in a process of its own, which can be stopped at any of its durable steps.

python -m tests.support.ledger_child DIRECTORY FIRST STOP [KILL_AT SEED [keep]]

With ``keep`` it seals often, so that segments are merged, and prunes: a day passes with each step.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final

from beholden.core.selectors import Selector
from beholden.ledger.files import Disk
from beholden.ledger.retention import Policy
from tests.support.ledger import NOW, events, open_ledger

STEP: Final = 8
SEAL_EVERY: Final = 3
SEGMENT_EVENTS_MAX: Final = 20

#: For ``keep``: eight steps make a segment worth merging, and every fifth one asks what may go.
KEEP_STEP: Final = 3
KEEP_SEGMENT_EVENTS_MAX: Final = 40
PRUNE_EVERY: Final = 5
DAY_US: Final = 86_400_000_000
POLICY: Final = Policy(Selector.parse("*"), 6, "accountability")


class SteppingDisk(Disk):
    """Calls ``before`` with the number of each durable step; for a write, with what is about to be written."""

    def __init__(self, before: Callable[[int, BinaryIO | None, bytes | memoryview], None]) -> None:
        self.steps = 0
        self._before = before

    def _step(self, file: BinaryIO | None = None, data: bytes | memoryview = b"") -> None:
        self._before(self.steps, file, data)
        self.steps += 1

    def create(self, path: Path) -> BinaryIO:
        self._step()
        return super().create(path)

    def write(self, file: BinaryIO, data: bytes | memoryview) -> None:
        self._step(file, data)
        super().write(file, data)

    def sync(self, file: BinaryIO) -> None:
        self._step()
        super().sync(file)

    def replace(self, source: Path, target: Path) -> None:
        self._step()
        super().replace(source, target)

    def sync_directory(self, path: Path) -> None:
        self._step()
        super().sync_directory(path)

    def truncate(self, file: BinaryIO, size_bytes: int) -> None:
        self._step()
        super().truncate(file, size_bytes)

    def remove(self, path: Path) -> None:
        self._step()
        super().remove(path)


def write_all(directory: Path, first: int, stop: int, disk: Disk, told: Callable[[str], Any]) -> None:
    """Append events in steps, seal now and then, and tell what was acknowledged."""
    ledger = open_ledger(directory, segment_events_max=SEGMENT_EVENTS_MAX, disk=disk)
    for number, start in enumerate(range(first, stop, STEP), 1):
        ledger.append(events(start, start + STEP))
        told(f"{start} {start + STEP}")
        if number % SEAL_EVERY == 0:
            ledger.seal()


def keep_all(directory: Path, first: int, stop: int, disk: Disk, told: Callable[[str], Any]) -> None:
    """Append and seal events in steps, prune now and then; tell what was acknowledged, and what is gone."""
    today = 0
    ledger = open_ledger(
        directory, segment_events_max=KEEP_SEGMENT_EVENTS_MAX, disk=disk, clock=lambda: NOW + today * DAY_US
    )
    for today in range(first // KEEP_STEP, stop // KEEP_STEP):
        start = today * KEEP_STEP
        ledger.append(events(start, start + KEEP_STEP))
        told(f"{start} {start + KEEP_STEP}")
        ledger.seal()
        if today % PRUNE_EVERY == PRUNE_EVERY - 1:
            ledger.prune([POLICY])


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> None:
    directory, first, stop, *kill = arguments
    work = keep_all if kill[2:] == ["keep"] else write_all
    kill_at, seed = map(int, kill[:2]) if kill else (-1, 0)

    def die(step: int, file: BinaryIO | None, data: bytes | memoryview) -> None:
        if step == kill_at:
            if file is not None:
                file.write(data[: random.Random(seed).randint(0, len(data))])
            os.kill(os.getpid(), signal.SIGKILL)

    work(Path(directory), int(first), int(stop), SteppingDisk(die), tell)


if __name__ == "__main__":
    main(sys.argv[1:])
