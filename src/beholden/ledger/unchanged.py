"""Before an answer is read from sealed segments: are they still the files that were sealed?

Hashing every segment for every question would cost a second for each gigabyte. So what was once found right is noted
with the file's size, times and inode, and hashed anew only when one of these has changed. What a disk alters by itself
changes none of them: that is found by ``ledger verify``, which takes nobody's word.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

import msgspec

from beholden.core.errors import IntegrityError
from beholden.ledger.files import temporary_name
from beholden.ledger.format import Layout
from beholden.ledger.manifest import Manifest, Segment

__all__ = ["Marks", "check_segment", "check_unchanged", "keep_marks", "marks_of", "read_marks"]

#: Of a file: size, times of change in nanoseconds (content; content, name or rights), inode.
Marks = tuple[int, int, int, int]


def check_unchanged(layout: Layout, manifest: Manifest) -> None:
    """See that every segment has the bytes that were sealed; cost: one ``stat`` for each that was seen before.

    Raises:
        IntegrityError: one is missing, or is not what was sealed.
    """
    known = read_marks(layout.checked)
    found: dict[str, Marks] = {}
    for segment in manifest.segments:
        path = layout.segments / segment.file
        marks = _marks(path, layout)
        if known.get(segment.file) != marks:
            check_segment(layout, segment)
        found[segment.file] = marks
    if found != known:
        keep_marks(layout.checked, found)


def marks_of(path: Path) -> Marks:
    """By what a file would be seen to have been changed.

    Raises:
        OSError: there is none.
    """
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _marks(path: Path, layout: Layout) -> Marks:
    try:
        return marks_of(path)
    except OSError:
        raise IntegrityError(
            layout.name(path), "is missing or cannot be read as Parquet", advice="restore it from a backup"
        ) from None


def check_segment(layout: Layout, segment: Segment) -> None:
    """Hash a segment's file; raises `IntegrityError` if it is missing or not what was sealed."""
    path = layout.segments / segment.file
    _marks(path, layout)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != segment.sha256:
        raise IntegrityError(
            layout.name(path), "is not the file that was sealed", expected="the SHA-256 that the manifest has",
            advice="restore it from a backup; beholden ledger verify says what else was altered",
        )  # fmt: skip


def read_marks(path: Path) -> dict[str, Marks]:
    """What was noted; nothing where that cannot be read, so that all is hashed again."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Marks])
    except (OSError, msgspec.DecodeError):
        return {}


def keep_marks(path: Path, marks: dict[str, Marks]) -> None:
    """Note it for the next question; a ledger that can only be read is hashed each time."""
    temporary = temporary_name(path.with_name(f"{path.name}.{os.getpid()}"))
    with contextlib.suppress(OSError):
        temporary.write_bytes(msgspec.json.encode(marks))
        temporary.replace(path)
