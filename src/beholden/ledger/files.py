"""Every durable step of the ledger is one method of `Disk`, so that a test can fail or kill at any of them."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

import msgspec

from beholden.core.errors import BeholdenError, IntegrityError, ReadOnlyError, SourceError
from beholden.ledger.format import TEMPORARY_SUFFIX

__all__ = [
    "Disk",
    "is_temporary",
    "lock_file",
    "read_sealed_json",
    "reading",
    "remove_temporaries",
    "replace_file",
    "sealed_json",
    "temporary_name",
    "write_error",
]

_T = TypeVar("_T")
_LOCK_POLL_S: Final = 0.02
_FULL: Final = {errno.ENOSPC: "the disk is full", errno.EFBIG: "a file-size limit is reached",
                errno.EDQUOT: "the disk quota is used up"}  # fmt: skip
_READ_ONLY: Final = {errno.EROFS, errno.EACCES, errno.EPERM}


class Disk:
    """How the ledger changes its directory."""

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


class _Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    body: msgspec.Raw
    sha256: str


class _Version(msgspec.Struct, frozen=True):
    format: int


def sealed_json(body: msgspec.Struct) -> bytes:
    """``{"body":...,"sha256":"<hex of the body's bytes>"}`` and a newline: every change of a byte shows."""
    return _seal(msgspec.json.encode(body))


def _seal(raw: bytes) -> bytes:
    return b'{"body":' + raw + b',"sha256":"' + hashlib.sha256(raw).hexdigest().encode() + b'"}\n'


def read_sealed_json(data: bytes, body: type[_T], name: str, version: int) -> _T:
    """Read what `sealed_json` wrote.

    Raises:
        IntegrityError: any byte differs from what was written.
        BeholdenError: it was written by another format.
    """
    try:
        sealed = msgspec.json.decode(data, type=_Sealed)
        if _seal(bytes(sealed.body)) != data:
            raise IntegrityError(name, "its content does not match its own SHA-256", advice="restore it from a backup")
        found = msgspec.json.decode(sealed.body, type=_Version).format
        if found > version:
            raise BeholdenError(
                name, f"written by a newer format, {found}", expected=f"at most {version}", advice="update beholden"
            )
        if found < version:
            raise BeholdenError(
                name, f"written by an older format, {found}", expected=f"{version}",
                advice="set ledger.url to a new directory and read the logs again; the old one stays as it is",
            )  # fmt: skip
        return msgspec.json.decode(sealed.body, type=body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise IntegrityError(name, "cannot be read as what it should be", advice="restore it from a backup") from None


def write_error(where: str, error: OSError, kept: str) -> BeholdenError:
    """One clear line for a write that failed: what stopped it and what is kept."""
    if error.errno in _READ_ONLY:
        return ReadOnlyError("ledger")
    reason = _FULL.get(error.errno or 0, f"writing failed ({errno.errorcode.get(error.errno or 0, 'unknown reason')})")
    return SourceError(where, reason, expected="room to write", advice=f"{kept}; make room and run it again")


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Turn a file that cannot be read (rights, a broken disk) into one line."""
    try:
        yield
    except OSError as error:
        name = Path(error.filename).name if isinstance(error.filename, str | Path) else "a file"
        code = errno.errorcode.get(error.errno or 0, "unknown reason")
        raise SourceError(f"ledger {name}", f"cannot be read ({code})", expected="files this user may read") from None


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
