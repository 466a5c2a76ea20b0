"""What stays of pruned events: the few hashes below level 1 that signed tree heads end in.

Tiles of level 1 and above stay whole, so every node over 256 events is there. A tree head signed at a size that is no
multiple of 256 ends within a block of 256 events, and its continuation to a later tree head needs nodes of that block:
those over its events before the size, and those over the rest of it, at most nine together. Just these are kept, one
file ``pruned/FIRST-LAST.nodes`` for each pruning, for the blocks it removed whole. Of a block that a pruning cuts, the
leaves of its removed events are kept as a partial tile of level 0 until the rest of it is pruned too.

File: magic "BHLDNOD" and version 1; then, little-endian, the first event of the first block and the first after the
last (u64 each), SHA-256 of the file before this one (zeros for the first), tree heads (u64), their sizes ascending (u64
each), and for each its nodes from left to right, 32 bytes each; none for a multiple of 256. The SHA-256 of the whole file is in the event that tells
of the pruning, so all of them are under the signed tree.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from beholden.core.errors import IntegrityError, NotFoundError
from beholden.ledger.files import Disk, temporary_name
from beholden.ledger.format import TILE_WIDTH, Layout
from beholden.ledger.manifest import Manifest
from beholden.ledger.tree import HASH_BYTES, perfect_root, tile_path

__all__ = [
    "NO_FILE",
    "NodesFile",
    "block_start",
    "cut_leaves",
    "cut_tile",
    "head_nodes",
    "node_places",
    "nodes_bytes",
    "nodes_chain",
    "nodes_path",
    "pruned_range",
    "read_nodes_files",
    "sha256_of",
    "write_kept",
]

_HEADER: Final = struct.Struct("<8sQQ32sQ")
_MAGIC: Final = b"BHLDNOD\x01"
_NAME: Final = re.compile(r"(\d{16})-(\d{16})\.nodes\Z")
#: Stands for the file before the first.
NO_FILE: Final = "00" * 32


@dataclass(frozen=True, slots=True)
class NodesFile:
    """One file of kept nodes: the blocks it is for as ``[start, end)``, and the sizes of tree heads in them."""

    path: Path
    sha256: str
    before: str
    start: int
    end: int
    sizes: tuple[int, ...]
    nodes: bytes

    def of_head(self, size: int) -> dict[tuple[int, int], bytes]:
        """The nodes kept for the tree head of this size: (first event, events) to hash."""
        at = sum(len(node_places(before)) for before in self.sizes[: self.sizes.index(size)])
        places = node_places(size)
        return {place: self.nodes[(at + i) * HASH_BYTES : (at + i + 1) * HASH_BYTES] for i, place in enumerate(places)}


def block_start(seq: int) -> int:
    """The first event of the block of 256 that an event lies in."""
    return seq - seq % TILE_WIDTH


def node_places(size: int) -> list[tuple[int, int]]:
    """The largest nodes below level 1, as (first event, events), that lie before ``size`` or after it in its block."""
    start = block_start(size)
    places: list[tuple[int, int]] = []
    at = start
    for bit in reversed(range(8)):
        if size % TILE_WIDTH >> bit & 1:
            places.append((at, 1 << bit))
            at += 1 << bit
    while at % TILE_WIDTH:
        width = at & -at
        places.append((at, width))
        at += width
    return places


def nodes_bytes(start: int, end: int, before: str, blocks: Iterable[tuple[int, bytes, list[int]]]) -> bytes:
    """The file for blocks ``[start, end)``: for each with tree heads its first event, its 256 leaves and the sizes."""
    sizes: list[int] = []
    nodes: list[bytes] = []
    for first, leaves, heads in blocks:
        for size in heads:
            sizes.append(size)
            for at, width in node_places(size):
                offset = (at - first) * HASH_BYTES
                nodes.append(perfect_root(leaves[offset : offset + width * HASH_BYTES]))
    header = _HEADER.pack(_MAGIC, start, end, bytes.fromhex(before), len(sizes))
    return header + struct.pack(f"<{len(sizes)}Q", *sizes) + b"".join(nodes)


def sha256_of(data: bytes) -> str:
    """By what a file of nodes is known: the SHA-256 of the whole of it, in hex."""
    return hashlib.sha256(data).hexdigest()


def nodes_path(layout: Layout, first_seq: int, last_seq: int) -> Path:
    """Where the nodes of a pruning lie."""
    return layout.pruned / f"{first_seq:016d}-{last_seq:016d}.nodes"


def pruned_range(path: Path) -> tuple[int, int] | None:
    """First and last event of the pruning a file of nodes is named for; None if it is not so named."""
    found = _NAME.match(path.name)
    return (int(found[1]), int(found[2])) if found and found[1] <= found[2] else None


def cut_tile(layout: Layout, first_seq: int) -> Path | None:
    """Where the leaves lie that are kept of the block which ``first_seq`` cuts; None if it cuts none."""
    width = first_seq % TILE_WIDTH
    return layout.root / tile_path(0, first_seq // TILE_WIDTH, width) if width else None


def cut_leaves(layout: Layout, first_seq: int) -> bytes:
    """The leaves of pruned events in the block that the first held event lies in.

    Raises:
        IntegrityError: they are missing or of the wrong size.
    """
    path = cut_tile(layout, first_seq)
    if path is None:
        return b""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise IntegrityError(layout.name(path), "is missing", advice="restore it from a backup") from None
    if len(data) != first_seq % TILE_WIDTH * HASH_BYTES:
        raise IntegrityError(layout.name(path), f"{len(data)} bytes", expected=f"{HASH_BYTES} for each pruned event")
    return data


def write_kept(disk: Disk, layout: Layout, nodes: tuple[Path, bytes], first_seq: int, leaves: bytes) -> None:
    """Write what is kept of a pruning; durable when it returns, and not part of the ledger before the manifest."""
    cut = cut_tile(layout, first_seq)
    for path, data in [nodes, *([(cut, leaves)] if cut else [])]:
        disk.make_directory(path.parent)
        temporary = temporary_name(path)
        with disk.create(temporary) as file:
            disk.write(file, data)
            disk.sync(file)
        disk.replace(temporary, path)
        disk.sync_directory(path.parent)


def read_nodes_files(layout: Layout, manifest: Manifest) -> Iterator[NodesFile]:
    """The files of kept nodes, newest first, each checked by the one after it, the newest by the manifest.

    Raises:
        IntegrityError: one is missing or altered.
    """
    if manifest.pruned is None:
        return
    wanted = manifest.pruned.record.nodes
    chain = nodes_chain(layout, manifest.first_seq)
    reached = min(chain, default=manifest.first_seq)
    for first_seq in sorted(chain, reverse=True):
        found = _read(chain[first_seq], layout.name(chain[first_seq]), wanted)
        yield found
        wanted = found.before
    if reached:
        raise IntegrityError(
            "pruned", f"the file of nodes that ends with event {reached - 1} is missing",
            advice="restore it from a backup",
        )  # fmt: skip


def nodes_chain(layout: Layout, first_seq: int) -> dict[int, Path]:
    """By names alone, the files of nodes that lead back from ``first_seq``, each by its first event."""
    ends: dict[int, list[tuple[int, Path]]] = {}
    for path in layout.pruned.glob("*.nodes"):
        if (found := pruned_range(path)) is not None:
            ends.setdefault(found[1] + 1, []).append((found[0], path))
    chain: dict[int, Path] = {}
    while first_seq in ends:
        first_seq, path = max(ends[first_seq])
        chain[first_seq] = path
    return chain


def head_nodes(layout: Layout, manifest: Manifest, size: int) -> dict[tuple[int, int], bytes]:
    """Nodes below level 1 of the block in which a tree head of pruned events ended, for proofs of consistency.

    Returns (first event, events) to hash: the largest nodes before and after ``size`` within its block. For a block
    that is not pruned whole the caller has the leaves: `cut_leaves` and the records.

    Raises:
        NotFoundError: no tree head was signed at this size, or its block is not pruned whole.
        IntegrityError: a file of nodes is missing or altered.
    """
    for file in read_nodes_files(layout, manifest):
        if file.start <= size < file.end and size in file.sizes:
            return file.of_head(size)
    raise NotFoundError(f"tree size {size}", "no tree head of this size was signed over events pruned since")


def _read(path: Path, name: str, wanted: str) -> NodesFile:
    data = path.read_bytes()
    sha256 = sha256_of(data)
    if sha256 != wanted:
        raise IntegrityError(name, "is not the file that was written when its events were pruned")
    _, start, end, before, count = _HEADER.unpack_from(data)
    sizes = struct.unpack_from(f"<{count}Q", data, _HEADER.size)
    return NodesFile(path, sha256, before.hex(), start, end, sizes, data[_HEADER.size + 8 * count :])
