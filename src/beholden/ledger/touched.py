"""What accesses on record name, whatever is known of it otherwise."""

from __future__ import annotations

from beholden.core.names import DatasetName
from beholden.core.times import Window
from beholden.engine import Engine, load_sql
from beholden.ledger.log import Snapshot
from beholden.ledger.who import window_bounds
from beholden.vault import Vault

__all__ = ["nameless_actors", "touched_datasets"]


def touched_datasets(snapshot: Snapshot, engine: Engine, window: Window) -> list[DatasetName]:
    """The datasets of which rows were reached in a window, or may have been."""
    start, end = window_bounds(window)
    sql = load_sql("beholden.ledger", "touched.sql")
    rows = engine.run(sql, {"start": start, "end": end}, {"events": snapshot.source()}).to_pylist()
    return [DatasetName(row["store"], row["dataset"]) for row in rows]


def nameless_actors(snapshot: Snapshot, engine: Engine, vault: Vault) -> int:
    """How many actors on record the vault does not name although nobody erased them."""
    found = engine.run(load_sql("beholden.ledger", "actors.sql"), {}, {"events": snapshot.source()})
    tokens = set(found.column("actor").to_pylist())
    lost = tokens - vault.identities(tokens).keys()
    return len(lost - vault.forgotten(lost).keys()) if lost else 0
