"""Appends the same events with one peer and prints what it took, as JSON. Run by bench/ledger_peers.py.

    python append.py PEER EVENTS.arrow DIRECTORY

Runs in the peers' own environment, without Beholden. The peers' copies of an event hold every column as it is; what is
timed begins with Arrow batches in memory and ends with durable files.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

#: Rows of a transaction or commit, where the peer has one: each is durable when it ends.
ROWS = 8192


def sqlite(batches: list[pa.RecordBatch], directory: Path) -> None:
    """One table with all columns as they are, the fields as JSON, and two indexes."""
    connection = sqlite3.connect(directory / "events.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    names = batches[0].schema.names
    places = ", ".join("?" * (len(names) + 1))
    columns = ", ".join(f'"{name}"' for name in [*names, "subject"])
    connection.execute(f"CREATE TABLE event (seq INTEGER PRIMARY KEY, {columns})")
    connection.execute("CREATE INDEX event_subject ON event (subject)")
    connection.execute("CREATE INDEX event_dataset ON event (dataset, time)")
    statement = f"INSERT INTO event ({columns}) VALUES ({places})"
    for batch in batches:
        connection.execute("BEGIN")
        connection.executemany(statement, _rows(batch))
        connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    lists = []
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        values = (array.cast(pa.int64()) if pa.types.is_timestamp(array.type) else array).to_pylist()
        if name == "fields":
            values = [None if value is None else json.dumps(value) for value in values]
        if name == "subjects":  # nearly all have one or none
            first = [value[0] if value else None for value in values]
            values = [json.dumps([one.hex() for one in value[1:]]) if value and value[1:] else None for value in values]
        lists.append(values)
    return zip(*lists, first, strict=True)


def pymerkle_memory(batches: list[pa.RecordBatch], _directory: Path) -> None:
    """The records appended to a tree in memory, its root computed once; nothing is durable."""
    from pymerkle import InmemoryTree  # noqa: PLC0415 - only this peer needs it

    tree = InmemoryTree(algorithm="sha256")
    for record in _records(batches):
        tree.append_entry(record)
    tree.get_root()


def pymerkle_sqlite(batches: list[pa.RecordBatch], directory: Path) -> None:
    """The records appended to its tree in SQLite, a commit a batch, the root computed once."""
    from pymerkle import SqliteTree  # noqa: PLC0415 - only this peer needs it

    tree = SqliteTree(str(directory / "tree.db"), algorithm="sha256")
    for batch in batches:
        tree.append_entries(_records([batch]))
    tree.get_root()
    tree.close()


def _records(batches: list[pa.RecordBatch]) -> Iterator[bytes]:
    """The canonical records, which Beholden made: only the tree is timed."""
    for batch in batches:
        yield from batch.column("record").to_pylist()


def delta(batches: list[pa.RecordBatch], directory: Path) -> None:
    """A Delta table of one commit for each 131,072 events: one for each batch would make 122 files of small ones."""
    from deltalake import WriterProperties, write_deltalake  # noqa: PLC0415 - only this peer needs it

    properties = WriterProperties(compression="ZSTD", compression_level=3)
    for start in range(0, len(batches), 16):
        table = pa.Table.from_batches(batches[start : start + 16])
        write_deltalake(str(directory / "delta"), table, mode="append", writer_properties=properties)


PEERS: dict[str, Callable[[list[pa.RecordBatch], Path], None]] = {
    "sqlite": sqlite,
    "pymerkle-memory": pymerkle_memory,
    "pymerkle-sqlite": pymerkle_sqlite,
    "delta": delta,
}


def main(peer: str, events: str, directory: str) -> None:
    """Append, and say what it took."""
    with pa.memory_map(events) as source:
        batches = pa.ipc.open_file(source).read_all().to_batches(max_chunksize=ROWS)
        if peer.startswith("pymerkle"):
            batches = [batch.select(["record"]) for batch in batches]
        else:
            batches = [batch.drop_columns(["record"]) for batch in batches]
        cpu, wall = time.process_time(), time.perf_counter()
        PEERS[peer](batches, Path(directory))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    size = sum(path.stat().st_size for path in Path(directory).rglob("*") if path.is_file())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu_s": cpu, "wall_s": wall, "bytes": size, "memory_mib": memory}))


if __name__ == "__main__":
    main(*sys.argv[1:])
