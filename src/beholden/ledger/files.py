"""The ledger's small files: JSON that shows every change of a byte, and errors of files in one line."""

from __future__ import annotations

import contextlib
import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from beholden.core.errors import BeholdenError, IntegrityError, ReadOnlyError, SourceError
from beholden.ledger.disk import Disk, is_temporary, lock_file, remove_temporaries, replace_file, temporary_name

__all__ = [
    "Disk",
    "StorageError",
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
_FULL: Final = {errno.ENOSPC: "the disk is full", errno.EFBIG: "a file-size limit is reached",
                errno.EDQUOT: "the disk quota is used up"}  # fmt: skip
_READ_ONLY: Final = {errno.EROFS, errno.EACCES, errno.EPERM}


class StorageError(OSError):
    """A step that failed elsewhere than on a local disk, with what is to be said of it."""

    def __init__(self, number: int, where: str, found: str, *, expected: str = "", advice: str = "") -> None:
        super().__init__(number, found)
        self.where = where
        self.found = found
        self.expected = expected
        self.advice = advice

    def as_error(self, kept: str = "") -> BeholdenError:
        """One clear line; ``kept`` says what is safe."""
        if self.errno in _READ_ONLY:
            return ReadOnlyError(self.where, f"{self.found}; expected {self.expected}")
        advice = "; ".join(part for part in (kept, self.advice) if part)
        return SourceError(self.where, self.found, expected=self.expected, advice=advice)


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
    if isinstance(error, StorageError):
        return error.as_error(kept)
    if error.errno in _READ_ONLY:
        return ReadOnlyError("ledger")
    reason = _FULL.get(error.errno or 0, f"writing failed ({errno.errorcode.get(error.errno or 0, 'unknown reason')})")
    return SourceError(where, reason, expected="room to write", advice=f"{kept}; make room and run it again")


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Turn a file that cannot be read (rights, a broken disk) into one line."""
    try:
        yield
    except StorageError as error:
        raise error.as_error() from None
    except OSError as error:
        name = Path(error.filename).name if isinstance(error.filename, str | Path) else "a file"
        code = errno.errorcode.get(error.errno or 0, "unknown reason")
        raise SourceError(f"ledger {name}", f"cannot be read ({code})", expected="files this user may read") from None
