"""Sealing: unsealed events become Parquet segments under a new signed tree head.

Order of the durable steps, each finished before the next begins, and what a stop after each leaves:

1. segments, under their final names     unlisted files; removed by the next writer, the events are in the WAL
2. tiles of level 1 and above            tiles ahead of the tree; the next seal writes the same bytes again
3. checkpoint                            a tree head over events that are in the WAL: true, and provable
4. manifest                              the events are sealed; the WAL repeats them and is ignored
5. the WAL file is removed               done

The checkpoint goes before the manifest because a tree head, once public, must never be taken back: in this order
every state can be verified as it is, and no state looks like one in which somebody put an older checkpoint or
manifest back.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from beholden.core.errors import IntegrityError
from beholden.ledger.canonical import leaf_hashes
from beholden.ledger.checkpoint import Checkpoint, Signer, sign_checkpoint
from beholden.ledger.files import Disk, remove_temporaries, replace_file, sealed_json, temporary_name
from beholden.ledger.format import TILE_WIDTH, Layout
from beholden.ledger.manifest import Manifest, Segment
from beholden.ledger.pruned import cut_leaves
from beholden.ledger.segments import read_tail, write_segment
from beholden.ledger.tree import Tile, TreeBuilder, stored_edge, tile_path

__all__ = ["Sealed", "load_tree", "seal_events", "tail_leaves"]

_LEAVES_AT_A_TIME: Final = 65536


@dataclass(frozen=True, slots=True)
class Sealed:
    """The ledger after a seal."""

    manifest: Manifest
    checkpoint: Checkpoint
    tree: TreeBuilder


def load_tree(layout: Layout, manifest: Manifest) -> TreeBuilder:
    """The right edge of the tree over the sealed events: stored tiles, and level 0 from the last records."""
    size = manifest.next_seq
    return TreeBuilder(size, [tail_leaves(layout, manifest), *stored_edge(layout, size)])


def tail_leaves(layout: Layout, manifest: Manifest) -> bytes:
    """The leaves of the sealed events in the last block of 256, unless it is whole; pruned ones are kept."""
    size = manifest.next_seq
    rows = size % TILE_WIDTH
    if manifest.first_seq > size - rows:
        rows = size - manifest.first_seq
        return cut_leaves(layout, manifest.first_seq) + leaf_hashes(_tail(layout, manifest, rows))
    return leaf_hashes(_tail(layout, manifest, rows)) if rows else b""


def seal_events(
    disk: Disk,
    layout: Layout,
    events: pa.Table,
    *,
    manifest: Manifest,
    checkpoint: Checkpoint,
    tree: TreeBuilder,
    signer: Signer,
    now: int,
    segment_events_max: int,
) -> Sealed:
    """Steps 1 to 4 for ``events``, which follow the manifest's last.

    When it returns the events are sealed, durably. ``tree`` is used up: on an error the caller loads it again.

    Raises:
        OSError: a write failed. Nothing that counts has changed, unfinished files are removed.
        IntegrityError: the sealed events do not have the root that was signed for them; nothing is signed.
    """
    segments: list[Segment] = []
    written: list[Path] = []
    try:
        for start in range(0, events.num_rows, segment_events_max):
            segment = write_segment(disk, layout, events.slice(start, segment_events_max), now)
            written.append(layout.segments / segment.file)
            segments.append(segment)
        tiles = _grow(tree, events, checkpoint)
        _write_tiles(disk, layout, tiles)
        head = Checkpoint(checkpoint.origin, tree.size, tree.root())
        replace_file(disk, layout.checkpoint, sign_checkpoint(head, signer))
        after = manifest.with_segments(tuple(segments))
        replace_file(disk, layout.manifest, sealed_json(after))
    except OSError:
        with contextlib.suppress(OSError):
            _clean_up(disk, layout, written)
        raise
    return Sealed(after, head, tree)


def _grow(tree: TreeBuilder, events: pa.Table, checkpoint: Checkpoint) -> list[Tile]:
    """Add the events' leaves; stop if the tree has not the signed root where it has the signed size."""
    tiles: list[Tile] = []
    first = tree.size
    _check_root(tree, checkpoint)
    while tree.size < first + events.num_rows:
        rows = _LEAVES_AT_A_TIME
        if tree.size < checkpoint.size:
            rows = min(rows, checkpoint.size - tree.size)
        tiles += tree.extend(leaf_hashes(events.slice(tree.size - first, rows)))
        _check_root(tree, checkpoint)
    return tiles + tree.edge()


def _check_root(tree: TreeBuilder, checkpoint: Checkpoint) -> None:
    if tree.size == checkpoint.size and tree.root() != checkpoint.root:
        raise IntegrityError(
            "checkpoint", "the events do not have the root that was signed for them",
            advice="nothing was signed. Find what was altered with: beholden ledger verify",
        )  # fmt: skip


def _write_tiles(disk: Disk, layout: Layout, tiles: list[Tile]) -> None:
    directories: dict[Path, None] = {}
    for tile in tiles:
        path = layout.root / tile_path(tile.level, tile.index, tile.width)
        disk.make_directory(path.parent)
        temporary = temporary_name(path)
        with disk.create(temporary) as file:
            disk.write(file, tile.hashes)
            disk.sync(file)
        disk.replace(temporary, path)
        directories[path.parent] = None
    for directory in directories:
        disk.sync_directory(directory)
    for tile in tiles:
        if tile.width == TILE_WIDTH:
            _remove_partials(disk, layout.root / f"{tile_path(tile.level, tile.index)}.p")


def _remove_partials(disk: Disk, directory: Path) -> None:
    """The full tile is there: tlog-tiles allows its partial ones to go."""
    if directory.is_dir():
        for path in directory.iterdir():
            disk.remove(path)
        directory.rmdir()


def _tail(layout: Layout, manifest: Manifest, rows: int) -> pa.Table:
    """The last ``rows`` sealed events; they may lie in several segments."""
    parts: list[pa.Table] = []
    for segment in reversed(manifest.segments):
        parts.insert(0, read_tail(layout.segments / segment.file, f"segments/{segment.file}", rows))
        rows -= parts[0].num_rows
        if rows <= 0:
            break
    return pa.concat_tables(parts)


def _clean_up(disk: Disk, layout: Layout, written: list[Path]) -> None:
    remove_temporaries(disk, layout.root, layout.segments, *(path for path in layout.tiles.rglob("*") if path.is_dir()))
    for path in written:
        disk.remove(path)
