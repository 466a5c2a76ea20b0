"""A process that forgets people, and can be stopped before any of its durable steps.

python -m tests.support.forgetting_child DIRECTORY [KILL_AT SEED]
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final

import sqlalchemy as sa

from beholden.core.names import Person
from beholden.ledger.forgetting import Erased, forget_people
from tests.support.estate import Rooms, rooms_in
from tests.support.ledger import NOW, open_ledger
from tests.support.ledger_child import SteppingDisk

__all__ = ["ERASED", "REASON", "forget", "prepare"]

ERASED: Final = tuple(Person("customer", str(number)) for number in range(8))
REASON: Final = "requests of November"


def prepare(rooms: Rooms) -> None:
    """Accesses of a dozen customers, under a ticket each."""
    for number in range(12):
        rooms.keep({"actor": "clerk", "subjects": [f"customer:{number}"], "assignment": f"T-{number}"})
    rooms.ledger.seal()


def forget(rooms: Rooms) -> Erased:
    """Forget eight of them."""
    return forget_people(
        ERASED, reason=REASON, by=Person("actor", "clerk"), vault=rooms.vault, ledger=rooms.ledger, state=rooms.state,
        engine=rooms.engine, clock=lambda: NOW,
    )  # fmt: skip


def stepping(rooms: Rooms, before: Callable[[BinaryIO | None, Any], None]) -> None:
    """Have ``before`` called before each durable step: what the ledger does on disk, and commits of the databases."""
    disk = SteppingDisk(lambda _step, file, data: before(file, data))
    rooms.ledger = open_ledger(rooms.directory / "ledger", disk=disk)
    for engine in (rooms.vault._database.engine, rooms.state.engine):
        sa.event.listen(engine, "commit", lambda _connection: before(None, b""))


def main(arguments: list[str]) -> None:
    directory, *kill = arguments
    kill_at, seed = map(int, kill) if kill else (-1, 0)
    steps = 0

    def step(file: BinaryIO | None, data: Any) -> None:
        nonlocal steps
        if steps == kill_at:
            if file is not None:
                file.write(data[: random.Random(seed).randint(0, len(data))])
            os.kill(os.getpid(), signal.SIGKILL)
        steps += 1

    with rooms_in(Path(directory)) as rooms:
        stepping(rooms, step)
        forget(rooms)
    sys.stdout.write(f"{steps}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
