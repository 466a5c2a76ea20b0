"""By what a file that was once found right is known again without reading it: its size, times and inode."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
from pathlib import Path

import msgspec

from beholden.ledger.files import temporary_name

__all__ = ["Marks", "keep_marks", "marks_of", "read_marks"]

#: Of a file: size, times of change in nanoseconds (content; content, name or rights), inode.
Marks = tuple[int, int, int, int]


class _Notes(msgspec.Struct, frozen=True):
    marks: dict[str, Marks]
    mac: str


def marks_of(path: Path) -> Marks:
    """The marks of a file.

    Raises:
        OSError: there is none.
    """
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def read_marks(path: Path, key: bytes = b"") -> dict[str, Marks]:
    """What was noted with this key; nothing where that cannot be read or was not, so that all is looked at again."""
    try:
        notes = msgspec.json.decode(path.read_bytes(), type=_Notes)
    except (OSError, msgspec.DecodeError):
        return {}
    return notes.marks if hmac.compare_digest(notes.mac, _mac(notes.marks, key)) else {}


def keep_marks(path: Path, marks: dict[str, Marks], key: bytes = b"") -> None:
    """Note it for the next time; where nothing can be written, all is looked at each time.

    Args:
        path: where the notes lie.
        marks: file name -> marks.
        key: who does not have it cannot note what was never found; empty where that is no matter.
    """
    temporary = temporary_name(path.with_name(f"{path.name}.{os.getpid()}"))
    with contextlib.suppress(OSError):
        temporary.write_bytes(msgspec.json.encode(_Notes(marks, _mac(marks, key))))
        temporary.replace(path)


def _mac(marks: dict[str, Marks], key: bytes) -> str:
    return hmac.new(key, msgspec.json.encode(marks, order="sorted"), hashlib.sha256).hexdigest()
