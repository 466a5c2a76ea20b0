"""The master key: 32 random bytes outside the vault, from which every other key of the house is derived."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from beholden.core.errors import NotFoundError, SourceError, UsageError
from beholden.core.ids import Entropy, system_entropy
from beholden.vault._files import write_new_file

__all__ = ["MasterKey"]

_KEY_BYTES: Final = 32
_TEXT_BYTES_MAX: Final = 1024
_EXPECTED: Final = "32 bytes as 64 hex digits or 44 base64 characters"
_LOSS: Final = (
    "bring it back from its own backup: without it nobody in the vault can be named or found again "
    "and what was encrypted stays closed; for a new estate run: beholden init"
)


class MasterKey:
    """The secret all keys come from. Neither ``repr`` nor any error shows it.

    Attributes:
        advice: what the operator should change about how the key is kept; empty when nothing.
    """

    __slots__ = ("_secret", "advice")

    def __init__(self, secret: bytes, *, advice: str = "") -> None:
        if len(secret) != _KEY_BYTES:
            raise UsageError("master key", f"{len(secret)} bytes", expected=_EXPECTED)
        self._secret = secret
        self.advice = advice

    def __repr__(self) -> str:
        return "MasterKey(…)"

    def __reduce__(self) -> str:
        raise TypeError("a master key is not to be written down")

    @classmethod
    def load(cls, spec: str, *, root: Path, environ: Mapping[str, str]) -> MasterKey:
        """Read the key that ``[vault] master_key`` names.

        Args:
            spec: ``file:PATH`` (relative to ``root``) or ``env:NAME``.
            root: the estate's directory.
            environ: the process's environment.

        Raises:
            NotFoundError: there is no such file or variable.
            SourceError: the file cannot be read, or every user of the machine may access it. A file its group may
                read is accepted with `advice`, since containers hand over secrets that way.
            UsageError: what is there is not a key, or ``spec`` has neither form.
        """
        kind, value = _split(spec)
        if kind == "env":
            if value not in environ:
                raise NotFoundError(f"master key in variable {value}", "is not set", advice=_LOSS)
            return cls(_decode(environ[value].encode("utf-8", "replace"), f"master key in variable {value}"))
        path = _path(value, root)
        where = f"master key {path}"
        try:
            with path.open("rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                text = file.read(_TEXT_BYTES_MAX + 1)
        except FileNotFoundError:
            raise NotFoundError(where, "does not exist", advice=_LOSS) from None
        except OSError as error:
            raise SourceError(where, f"cannot be read ({os.strerror(error.errno or 0)})") from None
        if mode & 0o007:
            raise SourceError(
                where,
                f"every user of this machine may access it (mode {mode:04o})",
                expected="mode 0600",
                advice=f"run: chmod 600 {path}",
            )
        advice = (
            f"{where} may be accessed by its group (mode {mode:04o}); run: chmod 600 {path}" if mode & 0o070 else ""
        )
        return cls(_decode(text, where), advice=advice)

    @classmethod
    def create(cls, spec: str, *, root: Path, entropy: Entropy = system_entropy) -> MasterKey:
        """Write a new key where ``file:PATH`` says and return it; durable, mode 0600, when the call returns.

        Raises:
            UsageError: the file exists (a key is never overwritten), or ``spec`` is ``env:NAME``: a variable can only
                be set by whoever starts the program.
            SourceError: it cannot be written.
        """
        kind, value = _split(spec)
        if kind == "env":
            raise UsageError(
                f"master key in variable {value}",
                "cannot be created from here",
                expected=_EXPECTED,
                advice="set the variable, e.g. from: openssl rand -base64 32",
            )
        path = _path(value, root)
        where = f"master key {path}"
        secret = entropy(_KEY_BYTES)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with write_new_file(path) as file:
                file.write(base64.b64encode(secret) + b"\n")
        except OSError as error:
            if isinstance(error, FileExistsError) and path.exists():
                raise UsageError(where, "exists and is never overwritten", advice="use it or name another") from None
            raise SourceError(where, f"cannot be written ({os.strerror(error.errno or 0)})") from None
        return cls(secret)

    def derive(self, purpose: str, length: int = 32) -> bytes:
        """The sub-key for ``purpose`` (HKDF-SHA256, RFC 5869): the same for ever, and it tells nothing of another."""
        info = b"beholden/1/" + purpose.encode()
        return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(self._secret)


def _split(spec: str) -> tuple[str, str]:
    kind, colon, value = spec.partition(":")
    if kind not in {"file", "env"} or not colon or not value:
        raise UsageError("[vault] master_key", "of no known form", expected="file:PATH or env:NAME")
    return kind, value


def _path(value: str, root: Path) -> Path:
    return (root / Path(value).expanduser()).absolute()


def _decode(text: bytes, where: str) -> bytes:
    """The key in a text, which is never repeated in the error."""
    text = text.strip()
    secret = b""
    try:
        if len(text) == 2 * _KEY_BYTES:
            secret = binascii.unhexlify(text)
        elif len(text) in {43, 44}:
            secret = base64.b64decode(text.translate(bytes.maketrans(b"-_", b"+/")).ljust(44, b"="), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != _KEY_BYTES:
        raise UsageError(where, "does not hold a key", expected=_EXPECTED, advice=_LOSS)
    return secret
