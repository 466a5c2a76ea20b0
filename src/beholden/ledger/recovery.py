"""What opening looks at, and what the next writer does about a writer that was stopped."""

from __future__ import annotations

from pathlib import Path

from beholden.core.errors import IntegrityError
from beholden.ledger.checkpoint import VerifierKey, open_checkpoint, verifier_key
from beholden.ledger.files import Disk, remove_temporaries
from beholden.ledger.format import Layout
from beholden.ledger.manifest import LedgerInfo, Manifest, read_manifest
from beholden.ledger.snapshot import read_checkpoint
from beholden.ledger.tree import stored_edge

__all__ = ["check_public_key", "check_quickly", "clear_leftovers", "is_leftover_segment"]


def check_quickly(layout: Layout, info: LedgerInfo, key: VerifierKey) -> None:
    """Compare the small files with each other and with what lies beside them; reads no event.

    The manifest is read before the checkpoint, which a seal replaces first: so a seal that ends meanwhile cannot
    look like a tree head that was put back.

    Raises:
        IntegrityError: naming the file that disagrees.
    """
    manifest, _ = read_manifest(layout)
    checkpoint = open_checkpoint(read_checkpoint(layout), info.origin, key)
    check_public_key(layout, key)
    if checkpoint.size < manifest.next_seq:
        raise IntegrityError(
            "checkpoint", f"covers {checkpoint.size} events", expected=f"all {manifest.next_seq} that are sealed",
            advice="an older file was put in its place: restore the newest",
        )  # fmt: skip
    for segment in manifest.segments:
        path = layout.segments / segment.file
        size_bytes = path.stat().st_size if path.is_file() else None
        if size_bytes != segment.size_bytes:
            found = "is missing" if size_bytes is None else f"has {size_bytes} bytes"
            raise IntegrityError(
                layout.name(path), found, expected=f"{segment.size_bytes} bytes", advice="restore it from a backup"
            )
    stored_edge(layout, checkpoint.size)


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

    That is: unfinished files, and segments that were written but not listed, as long as their events are in the
    write-ahead log, which reaches to ``held_end``. Any other unlisted segment may be the only copy of its events,
    so the ledger stops instead.

    Raises:
        IntegrityError: a segment is not listed and its events are not in the write-ahead log.
    """
    for directory in (layout.segments, layout.uids, layout.index):
        disk.make_directory(directory)
    tiles = [path for path in layout.tiles.rglob("*") if path.is_dir()]
    remove_temporaries(disk, layout.root, layout.wal, layout.segments, layout.uids, layout.index, *tiles)
    listed = {segment.file for segment in manifest.segments}
    for path in sorted(layout.segments.iterdir()):
        if path.name in listed:
            continue
        if not is_leftover_segment(path, manifest.next_seq, held_end):
            raise IntegrityError(
                layout.name(path), "is not listed in manifest.json", advice="restore the manifest it belongs to"
            )
        disk.remove(path)
    for path in (*layout.uids.iterdir(), *layout.index.iterdir()):
        if path.with_suffix(".parquet").name not in listed:
            disk.remove(path)


def is_leftover_segment(path: Path, sealed_end: int, held_end: int) -> bool:
    """Whether an unlisted segment's events are all in the write-ahead log."""
    first, _, last = path.stem.partition("-")
    numbers = first.isdecimal() and last.isdecimal()
    return path.suffix == ".parquet" and numbers and sealed_end <= int(first) <= int(last) < held_end
