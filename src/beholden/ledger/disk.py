"""Every durable step of the ledger is one method of `Disk`, so that a test can fail or kill at any of them.

Nothing but the standard library is needed here: the witness stands on it too.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from beholden.core.errors import SourceError

__all__ = [
    "TEMPORARY_SUFFIX",
    "Disk",
    "is_temporary",
    "lock_file",
    "remove_temporaries",
    "replace_file",
    "temporary_name",
]

#: Files with this ending are unfinished and mean nothing.
TEMPORARY_SUFFIX: Final = ".tmp"
_LOCK_POLL_S: Final = 0.02


class Disk:
    """How the ledger changes its directory.

    Attributes:
        extends_files: whether the write-ahead log grows within a file; else each frame is a file of its own.
    """

    extends_files = True

    def tag(self) -> str:
        """What sets a new segment's name apart from another writer's; nothing, where a lock orders all writers."""
        return ""

    def create(self, path: Path) -> BinaryIO:
        """Open an empty file for writing; an unfinished one of the same name is overwritten."""
        return path.open("wb", buffering=0)

    def open(self, path: Path) -> BinaryIO:
        """Open an existing file for reading and writing in place."""
        return path.open("r+b", buffering=0)

    def write(self, file: BinaryIO, data: bytes | memoryview) -> None:
        """Write all of ``data`` where the file stands."""
        view = memoryview(data).cast("B")
        while view:
            view = view[file.write(view) :]

    def sync(self, file: BinaryIO) -> None:
        """The file's bytes are durable when this returns."""
        os.fsync(file.fileno())

    def replace(self, source: Path, target: Path) -> None:
        """Give ``source`` the name of ``target``, at once; durable only after `sync_directory`."""
        source.replace(target)

    def sync_directory(self, path: Path) -> None:
        """The names in the directory are durable when this returns."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def truncate(self, file: BinaryIO, size_bytes: int) -> None:
        """Cut the file; durable when this returns."""
        file.truncate(size_bytes)
        os.fsync(file.fileno())

    def remove(self, path: Path) -> None:
        """Remove a file; no error if it is gone already."""
        path.unlink(missing_ok=True)

    def make_directory(self, path: Path) -> None:
        """Make a directory and those above it; each new name is durable when this returns."""
        if path.is_dir():
            return
        self.make_directory(path.parent)
        path.mkdir(exist_ok=True)
        self.sync_directory(path.parent)


def temporary_name(path: Path) -> Path:
    """The name a file has until it is whole."""
    return path.with_name(f".{path.name}{TEMPORARY_SUFFIX}")


def is_temporary(path: Path) -> bool:
    """Whether a file is an unfinished one, left by a writer that was stopped."""
    return path.name.startswith(".") and path.name.endswith(TEMPORARY_SUFFIX)


def remove_temporaries(disk: Disk, *directories: Path) -> None:
    """Remove unfinished files. Only the holder of the lock may: they are another writer's otherwise."""
    for directory in directories:
        if directory.is_dir():
            for path in directory.iterdir():
                if is_temporary(path):
                    disk.remove(path)


def replace_file(disk: Disk, path: Path, data: bytes) -> None:
    """Write a small file whole. When it returns the new content is durable; before, the old one is."""
    temporary = temporary_name(path)
    with disk.create(temporary) as file:
        disk.write(file, data)
        disk.sync(file)
    disk.replace(temporary, path)
    disk.sync_directory(path.parent)


@contextlib.contextmanager
def lock_file(path: Path, timeout_s: float) -> Iterator[None]:
    """Hold the lock on ``path`` against other processes and other openings of it.

    Raises:
        SourceError: another writer held it for all of ``timeout_s``.
    """
    with path.open("ab") as file:
        _wait_for_lock(file, path.name, timeout_s)
        try:
            yield
        finally:
            fcntl.flock(file.fileno(), fcntl.LOCK_UN)


def _wait_for_lock(file: Any, name: str, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in {errno.EAGAIN, errno.EACCES}:
                raise
        else:
            return
        if time.monotonic() >= deadline:
            raise SourceError(
                f"ledger {name}", f"another process has been writing for {timeout_s:g} s", expected="one writer at a time",
                advice="wait for it to finish, or stop it",
            )  # fmt: skip
        time.sleep(_LOCK_POLL_S)
