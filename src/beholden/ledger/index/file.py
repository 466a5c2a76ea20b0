"""The file of a segment's index: named sections behind a header, under a SHA-256 that the ledger's key has signed.

What answers are read from must not be alterable unnoticed, also where it is derived: the signature says that the holder
of the ledger's key made this file of the segment with that SHA-256. docs/reference/ledger-format.md has the layout.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from beholden.core.errors import IntegrityError
from beholden.ledger.checkpoint import Signer, VerifierKey

__all__ = ["SUFFIX", "Header", "IndexFile", "check_signature", "pack"]

SUFFIX: Final = ".index"
_MAGIC: Final = b"BHLDIDX\x01"
_HEAD: Final = struct.Struct("<8sQ")
_SIGNATURE_BYTES: Final = 64
_ALIGN: Final = 8
#: Of the name of a ledger no text begins so: origins have no spaces. No signature of another thing can be put here.
_CONTEXT: Final = "beholden ledger index v1"


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an index is of, and where its sections lie: from the end of the header, offset and bytes."""

    segment: str
    sha256: str
    first_seq: int
    events: int
    subjects: int
    time_unit: int
    sections: dict[str, tuple[int, int]]


def pack(header: Header, sections: dict[str, bytes], signer: Signer) -> bytes:
    """The file's bytes; they depend on the segment and the key alone."""
    places: dict[str, tuple[int, int]] = {}
    body: list[bytes] = []
    offset = 0
    for name, data in sections.items():
        places[name] = offset, len(data)
        padding = -len(data) % _ALIGN
        body += [data, bytes(padding)]
        offset += len(data) + padding
    told = msgspec.json.encode(msgspec.structs.replace(header, sections=places))
    told += b" " * (-len(told) % _ALIGN)
    content = b"".join((_HEAD.pack(_MAGIC, len(told)), told, *body))
    return content + signer.sign(_signed_text(signer.name, hashlib.sha256(content).hexdigest()))


def check_signature(path: Path, name: str, key: VerifierKey) -> None:
    """Read all of a file; raises `IntegrityError` unless it is what the holder of the key wrote."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            content, signature = memoryview(data)[:-_SIGNATURE_BYTES], data[-_SIGNATURE_BYTES:]
            with content:
                digest = hashlib.sha256(content).hexdigest()
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, _signed_text(key.name, digest))
    except (InvalidSignature, ValueError, OSError):
        raise IntegrityError(
            name, "is not what this ledger's key signed", advice="remove it, the next writer makes it again"
        ) from None


def _signed_text(origin: str, sha256: str) -> bytes:
    return f"{_CONTEXT}\n{origin}\n{sha256}\n".encode()


class IndexFile:
    """The bytes of an index, which must have been checked: see `check_signature`."""

    def __init__(self, data: npt.NDArray[np.uint8]) -> None:
        self.data = data
        self.path: Path | None = None
        _, length = _HEAD.unpack_from(self.data[: _HEAD.size].tobytes())
        self._start = _HEAD.size + length
        self.header = msgspec.json.decode(self.data[_HEAD.size : self._start].tobytes(), type=Header)

    @classmethod
    def open(cls, path: Path) -> IndexFile:
        """Map a file into memory: only what is looked at is read. It stays whole when the file is removed."""
        with path.open("rb") as file:
            found = cls(np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8))
        found.path = path
        return found

    def again(self) -> IndexFile:
        """The same file mapped anew; itself where there is none any more."""
        try:
            return self if self.path is None else IndexFile.open(self.path)
        except OSError:
            return self

    def section(self, name: str) -> npt.NDArray[np.uint8]:
        """The bytes of a section, as they lie in the file."""
        offset, length = self.header.sections[name]
        start = self._start + offset
        return self.data[start : start + length]
