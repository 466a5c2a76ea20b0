"""What proofs cost: CPU ms for one event, for consistency, for an export and for partial verification.

python bench/ledger_proofs.py [EVENTS]    (2,000,000 unless said; made from a seed, the same every time)
"""

from __future__ import annotations

import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ledger_events import busy_events

from beholden.core.times import system_clock
from beholden.ledger import Ed25519Signer, Ledger
from beholden.ledger.bundle import export_bundle
from beholden.ledger.heads import kept_heads
from beholden.ledger.proof import StoredTree
from beholden.ledger.proof_texts import event_proof
from beholden.ledger.verify_part import verify_sample, verify_since

_SIGNER = Ed25519Signer("bench.example/ledger", bytes(32))
_TIMES = 15


def main(count: int) -> None:
    """Print the table."""
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place) / "ledger"
        halfway = _make(directory, count)

        def tree() -> StoredTree:
            return StoredTree.open(directory, _SIGNER)

        def prove() -> None:
            opened = tree()
            proof = opened.prove_event(chance.randrange(count), opened.newest)
            sizes.append(len(event_proof(proof.seq, proof.path, opened.note, proof.record)))

        def export(events: int) -> None:
            first = chance.randrange(count - events)
            opened = tree()
            made.append(
                export_bundle(opened, first, first + events, kept_heads(opened)[-1], Path(place) / str(len(made)))
            )

        sizes: list[int] = []
        made: list = []
        print(f"{count:,} events; {platform.machine()}, Python {platform.python_version()}")
        _measure("prove one event", prove)
        print(f"{'':28}{statistics.median(sizes):10,.0f} bytes, its record included")
        _measure("prove consistency", lambda: tree().prove_consistency(chance.randrange(1, count), tree().newest))
        _measure("export 1,000 events", lambda: export(1000), 3)
        many = min(count // 2, 200_000)
        _measure(f"export {many:,} events", lambda: export(many), 1)
        print(f"{'':28}{made[-1].size_bytes / many:10.1f} bytes an event")
        _measure(
            "verify --sample 100",
            lambda: verify_sample(directory, key=_SIGNER, events=100, seed=chance.randrange(99)),
            1,
        )
        _measure("verify --since (half)", lambda: verify_since(directory, key=_SIGNER, since=halfway, name="half"), 1)


def _make(directory: Path, count: int) -> bytes:
    """Sealed in two halves; returns the tree head of the first."""
    ledger = Ledger.open(
        directory, estate_id="bench", origin=_SIGNER.name, signer=_SIGNER, clock=system_clock, create=True
    )
    head = b""
    for batch in busy_events(count):
        if ledger.status().events >= count // 2 and not head:
            ledger.seal()
            head = (directory / "checkpoint").read_bytes()
        ledger.append(batch)
    ledger.seal()
    return head


def _measure(what: str, run: Callable[[], object], times: int = _TIMES) -> None:
    spent = []
    for _ in range(times):
        start = time.process_time()
        run()
        spent.append((time.process_time() - start) * 1000)
    print(f"{what:28}{statistics.median(spent):10,.0f} ms CPU, median of {times} (at most {max(spent):,.0f})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000)
