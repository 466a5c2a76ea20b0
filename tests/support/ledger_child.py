"""A writer in a process of its own, which can be stopped at any of its durable steps.

python -m tests.support.ledger_child DIRECTORY FIRST STOP [KILL_AT SEED]
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final
from unittest import mock

from beholden.ledger import uids
from beholden.ledger.files import Disk
from tests.support.ledger import events, open_ledger

STEP: Final = 8
SEAL_EVERY: Final = 3
SEGMENT_EVENTS_MAX: Final = 20


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
    """Append events in steps, seal now and then, and tell what was acknowledged. Two runs of uids become one."""
    ledger = open_ledger(directory, segment_events_max=SEGMENT_EVENTS_MAX, disk=disk)
    with mock.patch.object(uids, "_FAN_IN", 2):
        for number, start in enumerate(range(first, stop, STEP), 1):
            ledger.append(events(start, start + STEP))
            told(f"{start} {start + STEP}")
            if number % SEAL_EVERY == 0:
                ledger.seal()


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> None:
    directory, first, stop, *kill = arguments
    kill_at, seed = map(int, kill) if kill else (-1, 0)

    def die(step: int, file: BinaryIO | None, data: bytes | memoryview) -> None:
        if step == kill_at:
            if file is not None:
                file.write(data[: random.Random(seed).randint(0, len(data))])
            os.kill(os.getpid(), signal.SIGKILL)

    write_all(Path(directory), int(first), int(stop), SteppingDisk(die), tell)


if __name__ == "__main__":
    main(sys.argv[1:])
