"""Before an answer is read from sealed segments and their indexes: are they still the files that were sealed?

Hashing every file for every question would cost a second for each gigabyte. So what was once found right is noted
with the file's size, times and inode, and hashed anew only when one of these has changed. The notes are under a key of
their own, so that nobody can write what was never found. What a disk alters by itself changes no mark: that is found by
``ledger verify``, which takes nobody's word.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from beholden.core.errors import IntegrityError
from beholden.ledger.checkpoint import Signer
from beholden.ledger.format import Layout
from beholden.ledger.index import SegmentIndex, index_path, open_index
from beholden.ledger.manifest import Manifest, Segment
from beholden.ledger.marks import Marks, keep_marks, marks_of, read_marks

__all__ = ["Indexes", "check_segment", "check_unchanged"]

#: What is signed to derive the notes' key; no tree head and no index begins so.
_CONTEXT: Final = b"beholden checked files v1\n"


@dataclass(frozen=True, slots=True)
class Indexes:
    """The indexes of segments, by the segment's file, and why some cannot be used."""

    of: dict[str, SegmentIndex]
    refused: tuple[IntegrityError, ...]


def check_unchanged(layout: Layout, manifest: Manifest, signer: Signer) -> Indexes:
    """See that every segment has the bytes that were sealed; cost: one ``stat`` for each file that was seen before.

    Returns the indexes that the ledger's key signed. A segment whose index is missing or altered is asked itself.

    Raises:
        IntegrityError: a segment is missing, or is not what was sealed.
    """
    key = hashlib.sha256(signer.sign(_CONTEXT)).digest()
    known = read_marks(layout.checked, key)
    found: dict[str, Marks] = {}
    indexes: dict[str, SegmentIndex] = {}
    refused: list[IntegrityError] = []
    for segment in manifest.segments:
        marks = _marks(layout.segments / segment.file)
        if marks is None or known.get(segment.file) != marks:
            check_segment(layout, segment)
        if marks is not None:
            found[segment.file] = marks
        path = index_path(layout, segment)
        marks = _marks(path)
        if marks is None:
            continue
        try:
            index = open_index(layout, segment, signer, check=known.get(path.name) != marks)
        except IntegrityError as error:
            refused.append(error)
            continue
        if index is not None:
            indexes[segment.file] = index
            found[path.name] = marks
    if found != known:
        keep_marks(layout.checked, found, key)
    return Indexes(indexes, tuple(refused))


def check_segment(layout: Layout, segment: Segment) -> None:
    """Hash a segment's file; raises `IntegrityError` if it is missing or not what was sealed."""
    path = layout.segments / segment.file
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        raise IntegrityError(
            layout.name(path), "is missing or cannot be read as Parquet", advice="restore it from a backup"
        ) from None
    if digest != segment.sha256:
        raise IntegrityError(
            layout.name(path), "is not the file that was sealed", expected="the SHA-256 that the manifest has",
            advice="restore it from a backup; beholden ledger verify says what else was altered",
        )  # fmt: skip


def _marks(path: Path) -> Marks | None:
    try:
        return marks_of(path)
    except OSError:
        return None
