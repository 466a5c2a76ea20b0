"""A few consecutive events out of sealed segments, without reading the rest of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from beholden.core.errors import BeholdenError, IntegrityError
from beholden.core.events import EVENTS
from beholden.engine import DuckEngine, TableSource, load_sql
from beholden.ledger.format import Layout
from beholden.ledger.manifest import Manifest
from beholden.ledger.segments import UNREADABLE, iterate_segment

__all__ = ["iterate_rows", "read_rows"]

_MEMORY: Final = "1GB"


def read_rows(layout: Layout, manifest: Manifest, first: int, stop: int) -> pa.Table:
    """The sealed events ``[first, stop)``, which the manifest must list; for some hundreds.

    Raises:
        IntegrityError: a segment is missing, cannot be read, or does not hold its events. It is not hashed here:
            whoever proves something from these events compares them with the signed root.
    """
    paths = [layout.segments / segment.file for segment in manifest.segments
             if segment.first_seq < stop and segment.last_seq >= first]  # fmt: skip
    try:
        with tempfile.TemporaryDirectory(prefix="beholden-") as spill:
            engine = DuckEngine(memory=_MEMORY, threads=1, temp_directory=Path(spill))
            source = TableSource(parquet=tuple(paths), schema=EVENTS)
            asked = {"first": first, "last": stop - 1}
            found = engine.run(load_sql("beholden.ledger", "rows.sql"), asked, {"events": source})
        rows = found.select(EVENTS.names).cast(EVENTS)
    except (BeholdenError, pa.ArrowException, LookupError, ValueError):
        raise IntegrityError(
            _named(layout, [path for path in paths if not _is_parquet(path)] or paths),
            "is missing or cannot be read as Parquet", advice="restore it from a backup",
        ) from None  # fmt: skip
    if rows["seq"].to_pylist() != list(range(first, stop)):
        raise IntegrityError(_named(layout, paths), f"does not hold events {first} to {stop - 1}, each once")
    return rows


def _named(layout: Layout, paths: list[Path]) -> str:
    return " or ".join(map(layout.name, paths)) or "manifest.json"


def _is_parquet(path: Path) -> bool:
    try:
        pq.read_metadata(path)
    except UNREADABLE:
        return False
    return True


def iterate_rows(layout: Layout, manifest: Manifest, first: int, stop: int) -> Iterator[pa.RecordBatch]:
    """The sealed events ``[first, stop)``, a bounded number at a time; raises like `read_rows`."""
    seq = first
    for segment in manifest.segments:
        if segment.last_seq < first or segment.first_seq >= stop:
            continue
        path, at = layout.segments / segment.file, segment.first_seq
        for batch in iterate_segment(path, layout.name(path)):
            low, high = max(first, at), min(stop, at + batch.num_rows)
            if low < high:
                part = batch.slice(low - at, high - low)
                if part.column("seq").to_pylist() != list(range(low, high)):
                    raise IntegrityError(layout.name(path), f"its events are not numbered on from {low}")
                yield part
                seq = high
            at += batch.num_rows
    if seq != stop:
        raise IntegrityError("manifest.json", f"its segments end before event {stop}")
