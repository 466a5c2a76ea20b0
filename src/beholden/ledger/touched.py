"""What accesses on record name, whatever is known of it otherwise: told by the indexes, or by segments that have none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.names import DatasetName
from beholden.core.times import Window
from beholden.ledger.candidates import inside
from beholden.ledger.index import SegmentIndex, Summary, merged, summarise
from beholden.ledger.segments import read_columns
from beholden.ledger.snapshot import Snapshot
from beholden.vault import Vault

__all__ = ["nameless_actors", "record_of_sources", "touched_datasets"]


def record_of_sources(snapshot: Snapshot) -> Summary:
    """How many events of each source and store there are, by hour and by how late they came."""
    parts = [index.summary for index in snapshot.indexes.of.values()]
    return merged([*parts, *(summarise(table) for table in _others(snapshot, ["source", "store", "time", "ingested"]))])


def touched_datasets(snapshot: Snapshot, window: Window) -> list[DatasetName]:
    """The datasets of which rows were reached in a window, or may have been."""
    found: set[tuple[str | None, str | None]] = set()
    for segment in snapshot.manifest.segments:
        index = snapshot.indexes.of.get(segment.file)
        if index is not None and window.overlaps(segment.time_min, segment.time_max):
            found |= _touched(index, window)
    for table in _others(snapshot, ["time", "scope", "store", "dataset"]):
        time = table["time"].cast(pa.int64()).to_numpy()
        reached = inside(window, time) & pc.not_equal(table["scope"], "none").to_numpy()
        rows = table.filter(pa.array(reached)).group_by(["store", "dataset"]).aggregate([])
        found |= set(zip(rows["store"].to_pylist(), rows["dataset"].to_pylist(), strict=True))
    named = [(store, dataset) for store, dataset in found if store is not None and dataset is not None]
    return [DatasetName(*name) for name in sorted(named)]


def nameless_actors(snapshot: Snapshot, vault: Vault) -> int:
    """How many actors on record the vault does not name although nobody erased them."""
    tokens = {token.tobytes() for index in snapshot.indexes.of.values() for token in index.tokens("actor").rows}
    for table in _others(snapshot, ["actor"]):
        tokens |= set(pc.unique(table["actor"]).drop_null().to_pylist())
    lost = tokens - vault.identities(tokens).keys()
    return len(lost - vault.forgotten(lost).keys()) if lost else 0


def _others(snapshot: Snapshot, columns: list[str]) -> Iterator[pa.Table]:
    """Columns of what is in no index: segments that have none, and events that are not sealed."""
    for segment, path in zip(snapshot.manifest.segments, snapshot.segments, strict=True):
        if segment.file not in snapshot.indexes.of:
            yield read_columns(path, path.name, columns)
    yield snapshot.recent.select(columns)


def _touched(index: SegmentIndex, window: Window) -> set[tuple[str | None, str | None]]:
    """Of an index: by the first and last time of each dataset; its events only where these leave it open."""
    found = set()
    for place in range(index.datasets):
        span = index.reached(place)
        if span is None or not window.overlaps(*span):
            continue
        if not inside(window, np.array(span)).any():  # neither end is in it: does anything between?
            events = np.arange(*index.range_of(place))
            none = np.isin(index.column("scope", events), index.codes("scope", ["none"]))
            if not (inside(window, index.times(events)) & ~none).any():
                continue
        found.add(index.name_of(place))
    return found
