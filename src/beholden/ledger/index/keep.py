"""Index files beside the segments: written after a seal, made again where they are missing, compared by ``verify``.

They are no part of the record. Whoever has none asks the segments themselves, which takes longer and answers the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from beholden.core.errors import IntegrityError
from beholden.ledger.checkpoint import Signer, VerifierKey
from beholden.ledger.files import Disk, replace_file
from beholden.ledger.format import Layout
from beholden.ledger.index.build import READ, build
from beholden.ledger.index.file import SUFFIX, Header, IndexFile, check_signature, pack
from beholden.ledger.index.segment_index import SegmentIndex
from beholden.ledger.manifest import Segment
from beholden.ledger.segments import UNREADABLE, read_columns

__all__ = ["check_index", "index_of_events", "index_path", "open_index", "write_indexes"]


def index_path(layout: Layout, segment: Segment) -> Path:
    """Where the index of a segment lies."""
    return layout.index / f"{Path(segment.file).stem}{SUFFIX}"


def write_indexes(disk: Disk, layout: Layout, segments: Iterable[Segment], signer: Signer) -> None:
    """Make the index of each segment that has none.

    Each is durable before the next begins. An `OSError` (disk full) leaves the others missing and harms nothing: the
    next seal makes them. One that is there but damaged stays, for ``verify`` to name.
    """
    for segment in segments:
        path = index_path(layout, segment)
        if path.is_file():
            continue
        events = read_columns(layout.segments / segment.file, f"segments/{segment.file}", READ)
        try:
            data = _index_bytes(segment, events, signer)
        except OverflowError:
            continue
        disk.make_directory(layout.index)
        replace_file(disk, path, data)


def check_index(layout: Layout, segment: Segment, key: VerifierKey) -> bool:
    """Compare an index with its segment, event by event; False if there is none.

    Needs no more than the verifier key: the file has to be what that key's holder signed, and to say of every event what the segment says.

    Raises:
        IntegrityError: it is not signed by the ledger's key, is of another segment, or says something else.
    """
    path = index_path(layout, segment)
    name = layout.name(path)
    if not path.is_file():
        return False
    check_signature(path, name, key)
    events = read_columns(layout.segments / segment.file, f"segments/{segment.file}", READ)
    wanted = SegmentIndex(IndexFile(np.frombuffer(_index_bytes(segment, events, _Unsigned(key.name)), np.uint8)))
    try:
        right = SegmentIndex.open(path).equals(wanted)
    except UNREADABLE:
        right = False
    if not right:
        raise IntegrityError(name, "does not match its segment", advice="remove it, the next writer makes it again")
    return True


def open_index(layout: Layout, segment: Segment, key: VerifierKey, *, check: bool) -> SegmentIndex | None:
    """The index of a segment, or None if there is none. ``check`` its signature unless the file is known to be right.

    Raises:
        IntegrityError: it is not what the ledger's key signed, or of another segment.
    """
    path = index_path(layout, segment)
    name = layout.name(path)
    if not path.is_file():
        return None
    if check:
        check_signature(path, name, key)
    try:
        found = SegmentIndex.open(path)
        if (found.header.segment, found.header.sha256) == (segment.file, segment.sha256):
            return found
    except UNREADABLE:
        pass
    raise IntegrityError(name, "is of another segment", advice="remove it, the next writer makes it again")


def index_of_events(events: pa.Table | Path, first_seq: int) -> SegmentIndex:
    """The index of events that have none: of the file of a segment, or of what is not sealed.

    Raises:
        OverflowError: there are more field names than an index can tell apart.
    """
    held = events if isinstance(events, pa.Table) else read_columns(events, events.name, READ)
    segment = Segment(
        file="", first_seq=first_seq, last_seq=first_seq + held.num_rows - 1, events=held.num_rows, size_bytes=0, sha256="",
        sealed=0, time_min=0, time_max=0, sources=(),
    )  # fmt: skip
    return SegmentIndex(IndexFile(np.frombuffer(_index_bytes(segment, held, _Unsigned("")), np.uint8)))


def _index_bytes(segment: Segment, events: pa.Table, signer: Signer) -> bytes:
    built = build(events)
    header = Header(
        segment=segment.file, sha256=segment.sha256, first_seq=segment.first_seq, events=segment.events,
        subjects=built.subjects, time_unit=built.time_unit, sections={},
    )  # fmt: skip
    return pack(header, built.sections, signer)


class _Unsigned:
    """Signs nothing: for comparing all of a file but its signature."""

    public_key = b""

    def __init__(self, name: str) -> None:
        self.name = name

    def sign(self, text: bytes) -> bytes:  # noqa: ARG002 - a signer's method
        return b""
