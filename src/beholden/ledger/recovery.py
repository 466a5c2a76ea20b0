"""What opening looks at, and what the next writer does about a writer that was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from beholden.core.errors import IntegrityError
from beholden.ledger.checkpoint import VerifierKey, open_checkpoint, verifier_key
from beholden.ledger.files import Disk, remove_temporaries
from beholden.ledger.format import Layout
from beholden.ledger.manifest import LedgerInfo, Manifest, read_manifest
from beholden.ledger.prune import logged_prune
from beholden.ledger.pruned import cut_leaves, cut_tile, pruned_range
from beholden.ledger.snapshot import read_checkpoint
from beholden.ledger.tree import stored_edge

__all__ = ["check_public_key", "check_quickly", "clear_leftovers", "is_leftover", "is_leftover_segment"]

#: A reader is overtaken only by a seal, a merge or a pruning.
_TRIES_MAX: Final = 10


def check_quickly(layout: Layout, info: LedgerInfo, key: VerifierKey) -> None:
    """Compare the small files with each other and with what lies beside them; reads no event.

    The manifest is read before the checkpoint, which a seal replaces first: so a seal that ends meanwhile cannot
    look like a tree head that was put back.

    Raises:
        IntegrityError: naming the file that disagrees.
    """
    for remaining in reversed(range(_TRIES_MAX)):
        manifest, data = read_manifest(layout)
        try:
            _compare(layout, info, key, manifest)
        except IntegrityError:
            if not remaining or read_manifest(layout)[1] == data:
                raise
        else:
            return


def _compare(layout: Layout, info: LedgerInfo, key: VerifierKey, manifest: Manifest) -> None:
    checkpoint = open_checkpoint(read_checkpoint(layout), info.origin, key)
    check_public_key(layout, key)
    if checkpoint.size < manifest.next_seq:
        raise IntegrityError(
            "checkpoint", f"covers {checkpoint.size} events", expected=f"all {manifest.next_seq} that are sealed",
            advice="an older file was put in its place: restore the newest",
        )  # fmt: skip
    for segment in manifest.segments:
        path = layout.segments / segment.file
        size_bytes = _size(path)
        if size_bytes != segment.size_bytes:
            found = "is missing" if size_bytes is None else f"has {size_bytes} bytes"
            raise IntegrityError(
                layout.name(path), found, expected=f"{segment.size_bytes} bytes", advice="restore it from a backup"
            )
    stored_edge(layout, checkpoint.size)
    cut_leaves(layout, manifest.first_seq)


def check_public_key(layout: Layout, key: VerifierKey) -> None:
    """``key.pub`` is for others; but it must say what this estate's key is."""
    try:
        data = layout.public_key.read_bytes()
    except FileNotFoundError:
        data = b""
    if data != f"{verifier_key(key)}\n".encode():
        raise IntegrityError("key.pub", "is not this estate's key", expected=verifier_key(key))


def clear_leftovers(disk: Disk, layout: Layout, manifest: Manifest, held_end: int) -> None:
    """Remove what a stopped writer left and nobody was told of. The caller holds the lock.

    That is: unfinished files, and segments that are not listed, as long as their events are in the write-ahead log,
    which reaches to ``held_end``, or in listed segments, or were pruned. Any other unlisted segment may be the only
    copy of its events, so the ledger stops instead.

    Raises:
        IntegrityError: a segment is not listed and its events are nowhere else; or they are said to be pruned, and no
            event on record says so.
    """
    for directory in (layout.segments, *layout.derived):
        disk.make_directory(directory)
    tiles = [path for path in layout.tiles.rglob("*") if path.is_dir()]
    remove_temporaries(
        disk, layout.root, layout.wal, layout.segments, layout.uids, layout.pruned, *layout.derived, *tiles
    )
    listed = {segment.file for segment in manifest.segments}
    for path in sorted(layout.segments.iterdir()):
        if path.name in listed:
            continue
        if not is_leftover_segment(layout, path, manifest, held_end):
            raise IntegrityError(
                layout.name(path), "is not listed in manifest.json", advice="restore the manifest it belongs to"
            )
        disk.remove(path)
    stems = {name.removesuffix(".parquet") for name in listed}
    for directory in layout.derived:
        for path in sorted(directory.rglob("*")):
            if path.is_file() and path.name.partition(".")[0] not in stems:
                disk.remove(path)
    for path in (*layout.pruned.glob("*.nodes"), *(layout.tiles / "0").rglob("*")):
        if path.is_file() and is_leftover(layout, path, manifest):
            disk.remove(path)


def is_leftover_segment(layout: Layout, path: Path, manifest: Manifest, held_end: int) -> bool:
    """Whether an unlisted segment's events are all in the write-ahead log, or in listed segments, or pruned.

    Raises:
        IntegrityError: they are said to be pruned, and no event on record says so.
    """
    first, _, rest = path.stem.partition("-")
    last = rest.partition("-")[0]
    if path.suffix != ".parquet" or not (first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        return False
    if manifest.next_seq <= int(first):
        return int(last) < held_end
    if int(last) < manifest.first_seq and manifest.pruned is not None:
        logged_prune(layout, manifest, manifest.pruned.record)
        return True
    holders = [one for one in manifest.segments if one.first_seq <= int(last) and one.last_seq >= int(first)]
    whole = int(first) >= manifest.first_seq and int(last) < manifest.next_seq
    return whole and all(_size(layout.segments / one.file) == one.size_bytes for one in holders)


def is_leftover(layout: Layout, path: Path, manifest: Manifest) -> bool:
    """Whether a file of nodes or a tile of level 0 is one that a stopped pruning left, before or after the manifest."""
    if path.parent == layout.pruned:
        found = pruned_range(path)
        return found is not None and found[1] >= manifest.first_seq
    return path != cut_tile(layout, manifest.first_seq)


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None
