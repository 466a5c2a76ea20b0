"""The ledger beside what else keeps events: SQLite, pymerkle, Delta Lake; one run, one machine, the same events.

    python bench/ledger_peers.py 'events/*.parquet' [EVENTS]     (1,000,000 of the reference generator's unless said)

The peers run in an environment of their own, made from bench/peers/requirements.txt for this run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import numpy as np
import pyarrow as pa
from ledger_events import reference_events

from beholden.core.times import system_clock
from beholden.ledger import Ed25519Signer, Ledger
from beholden.ledger.accept import number_events
from beholden.ledger.canonical import canonical_records

_PEERS = Path(__file__).with_name("peers")
#: What each cannot do that the ledger does, by its own documentation.
_LACKS = {
    "sqlite": "no proof: whoever may write changes any row unseen; duplicates only with a third index",
    "pymerkle-memory": "nothing durable, no signed head, no duplicates, no queries; a tree of what is kept elsewhere",
    "pymerkle-sqlite": "no signed head, no duplicates, no queries by column; the record beside each hash",
    "delta": "no proof; no duplicates without a MERGE that reads the table; a commit for each batch makes small files",
}


def main(files: str, count: int) -> None:
    """Print the table."""
    batches = reference_events(files, count)
    count = sum(batch.num_rows for batch in batches)
    print(f"{count:,} reference events; durable, CPU of the process\n")
    print(f"{'':24}{'us CPU':>8}{'us wall':>9}{'bytes':>8}  an event")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        _measure_ledger(batches, count, directory / "ledger")
        python = _environment(directory / "environment")
        events = directory / "events.arrow"
        _write(batches, events)
        del batches
        for peer, lacks in _LACKS.items():
            target = directory / peer
            target.mkdir()
            command = [python, _PEERS / "append.py", peer, events, target]
            found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
            _print(peer, count, found["cpu_s"], found["wall_s"], found["bytes"], lacks)


def _measure_ledger(batches: list[pa.RecordBatch], count: int, directory: Path) -> None:
    signer = Ed25519Signer("bench.example/ledger", bytes(32))
    ledger = Ledger.open(
        directory, estate_id="bench", origin=signer.name, signer=signer, clock=system_clock, create=True
    )
    cpu, wall = time.process_time(), time.perf_counter()
    for batch in batches:
        ledger.append(batch)
    appended = time.process_time() - cpu, time.perf_counter() - wall
    ledger.seal()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    status = ledger.status()
    _print("beholden, append", count, *appended, status.segment_bytes + status.tile_bytes + status.uid_bytes, "")
    size = status.segment_bytes + status.tile_bytes
    note = f"and {status.uid_bytes / count:.1f} bytes to find duplicates by, which can be made again"
    _print("beholden, and sealed", count, cpu, wall, size, note)


def _environment(directory: Path) -> Path:
    venv.create(directory, with_pip=True)
    python = directory / "bin" / "python"
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([python, *install, "-r", _PEERS / "requirements.txt"], check=True)
    return python


def _write(batches: list[pa.RecordBatch], path: Path) -> None:
    """Numbered events with their canonical records beside them, which a tree is made of."""
    seq, sink = 0, None
    for batch in batches:
        numbered = number_events(batch, seq, system_clock())
        seq += batch.num_rows
        row = numbered.drop_columns(["seq"]).append_column("record", pa.array(canonical_records(numbered), pa.binary()))
        sink = sink or pa.ipc.new_file(path, row.schema)
        sink.write_batch(row)
    if sink is not None:
        sink.close()


def _print(name: str, count: int, cpu_s: float, wall_s: float, size_bytes: int, note: str) -> None:
    per_event = np.array([cpu_s, wall_s]) / count * 1e6
    print(f"{name:24}{per_event[0]:8.2f}{per_event[1]:9.2f}{size_bytes / count:8.1f}  {note}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2].replace(",", "")) if len(sys.argv) > 2 else 1_000_000)
