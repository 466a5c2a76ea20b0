"""A writer to a bucket in a process of its own, which can be stopped before and after any of its requests.

python -m tests.support.object_child URL CACHE FIRST STOP SEED [KILL_AT]
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any, Final

from beholden.core.ids import seeded_entropy
from tests.support.ledger import NOW, events
from tests.support.ledger_child import tell
from tests.support.object_store import Place, Requests

STEP: Final = 8
SEAL_EVERY: Final = 3
SEGMENT_EVENTS_MAX: Final = 20


def write_all(place: Place, cache: Path, first: int, stop: int, seed: int, transport: Any) -> None:
    """Append events in steps, seal now and then, and tell what was acknowledged."""
    clock = iter(range(NOW + seed, NOW + 10**12, 1000)).__next__
    ledger = place.open(
        cache, transport, clock=clock, entropy=seeded_entropy(seed), segment_events_max=SEGMENT_EVENTS_MAX
    )
    for number, start in enumerate(range(first, stop, STEP), 1):
        result = ledger.append(events(start, start + STEP))
        tell(f"{start} {start + STEP} {result.new}")
        if number % SEAL_EVERY == 0:
            ledger.seal()


def main(arguments: list[str]) -> None:
    url, cache, first, stop, seed, *kill = arguments
    place = Place(url)
    kill_at = int(kill[0]) if kill else -1

    def die(point: int) -> None:
        if point == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    requests = Requests(
        place.transport(), before=lambda number, *_: die(2 * number), after=lambda number, *_: die(2 * number + 1)
    )
    write_all(place, Path(cache), int(first), int(stop), int(seed), requests)
    tell(f"requests {requests.count}")


if __name__ == "__main__":
    main(sys.argv[1:])
