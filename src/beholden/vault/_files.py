"""Writing a file that must be whole, private and durable, or not there at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["sync_directory", "write_new_file"]


@contextmanager
def write_new_file(path: Path) -> Iterator[BinaryIO]:
    """A new file of mode 0600 that only its owner may read.

    When the block ends the file and its name are on disk. When it fails, or was never finished, ``path`` is not
    there: the bytes are written beside it and linked to the name as the last step.

    Raises:
        FileExistsError: something of that name is there; it is left as it is.
    """
    if path.exists():
        raise FileExistsError(path)
    handle, part = tempfile.mkstemp(".part", f".{path.name}.", path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _name(Path(part), path)
    finally:
        Path(part).unlink(missing_ok=True)
    sync_directory(path.parent)


def _name(part: Path, path: Path) -> None:
    """Give the whole file its name. A link, unlike a rename, never replaces; some file systems have none."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:
        if path.exists():
            raise FileExistsError(path) from None
        part.rename(path)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
