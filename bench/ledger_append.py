"""What appending, sealing and verifying cost: CPU us an event, bytes an event, and bytes of each column.

python bench/ledger_append.py                          # 200,000 events made from a seed, the same every time
python bench/ledger_append.py 1048576 'events/*.parquet'   # as many of the reference generator's
"""

from __future__ import annotations

import platform
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from ledger_events import busy_events, reference_events

from beholden.core.limits import BATCH_ROWS
from beholden.core.times import system_clock
from beholden.ledger import Ed25519Signer, Ledger
from beholden.ledger.verify import verify


def main(count: int, files: str | None) -> None:
    """Print the table."""
    batches = reference_events(files, count) if files else busy_events(count)
    count = sum(batch.num_rows for batch in batches)
    signer = Ed25519Signer("bench.example/ledger", bytes(32))
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "ledger"
        ledger = Ledger.open(
            path, estate_id="bench", origin=signer.name, signer=signer, clock=system_clock, create=True
        )

        def append() -> None:
            for batch in batches:
                ledger.append(batch)

        kind = "reference events" if files else "events"
        print(f"{count:,} {kind}, batches of {BATCH_ROWS:,}; {platform.machine()}, Python {platform.python_version()}")
        measure("append", count, append)
        print(f"{'':24}{ledger.status().wal_bytes / count:8.1f} bytes an event in the write-ahead log")
        measure("append again, unsealed", count, append)
        measure("read unsealed, first", count, open_again(path, signer).tables)
        measure("read unsealed, again", count, ledger.tables)
        print(f"{'':24}{memory_mib():8.0f} MiB at most in memory")
        del ledger
        ledger = open_again(path, signer)
        measure("seal", count, ledger.seal)
        measure("append again, sealed", count, append)
        status = ledger.status()
        measure("verify", count, lambda: verify(path, key=signer))
        print(f"{'':24}{status.segment_bytes / count:8.1f} bytes an event in segments")
        print(f"{'':24}{status.tile_bytes / count:8.3f} bytes an event in tiles")
        print(f"{'':24}{status.uid_bytes / count:8.1f} bytes an event in runs of uids")
        print(f"{'':24}{memory_mib():8.0f} MiB at most in memory")
        print_columns(path, count)


def open_again(path: Path, signer: Ed25519Signer) -> Ledger:
    """The ledger as another process finds it."""
    return Ledger.open(path, estate_id="bench", origin=signer.name, signer=signer, clock=system_clock)


def print_columns(path: Path, count: int) -> None:
    """Bytes an event of each column, the largest first."""
    sizes: Counter[str] = Counter()
    dictionaries: set[str] = set()
    for segment in sorted((path / "segments").iterdir()):
        metadata = pq.ParquetFile(segment).metadata
        for group in range(metadata.num_row_groups):
            for i in range(metadata.num_columns):
                column = metadata.row_group(group).column(i)
                name = column.path_in_schema.split(".")[0]
                sizes[name] += column.total_compressed_size
                if column.has_dictionary_page:
                    dictionaries.add(name)
    for name, size in sizes.most_common():
        if size / count >= 0.005:
            print(f"  {name:16}{size / count:8.2f}{'  dictionary' if name in dictionaries else ''}")


def memory_mib() -> float:
    """Most memory this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name: str, count: int, work: Callable[[], Any]) -> None:
    """Run once; print CPU and wall time."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{name:24}{cpu / count * 1e6:8.2f} us CPU an event {wall / count * 1e6:8.2f} us wall")


if __name__ == "__main__":
    main(
        int(sys.argv[1].replace(",", "")) if len(sys.argv) > 1 else 200_000, sys.argv[2] if len(sys.argv) > 2 else None
    )
