"""The signed tree head: a C2SP tlog-checkpoint in a signed-note (https://c2sp.org/signed-note), Ed25519.

An outsider needs three things to trust an answer: the verifier key (`verifier_key`), a checkpoint and a proof.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from beholden.core.errors import IntegrityError
from beholden.ledger.tree import HASH_BYTES

__all__ = [
    "Checkpoint",
    "Ed25519Signer",
    "PublicKey",
    "Signer",
    "VerifierKey",
    "open_checkpoint",
    "parse_verifier_key",
    "sign_checkpoint",
    "verifier_key",
]

_ED25519: Final = b"\x01"
_KEY_BYTES: Final = 32
#: A note larger than this is not read: 16 signatures fit many times.
_NOTE_BYTES_MAX: Final = 65536
_DASH: Final = "\u2014 "


class VerifierKey(Protocol):
    """Whose signature counts."""

    @property
    def name(self) -> str:
        """The key's name: the ledger's origin."""

    @property
    def public_key(self) -> bytes:
        """32 bytes, RFC 8032."""


class Signer(VerifierKey, Protocol):
    """Signs tree heads."""

    def sign(self, text: bytes) -> bytes:
        """The Ed25519 signature of ``text``, 64 bytes."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A verifier key that somebody was given: the key's name, and 32 bytes."""

    name: str
    public_key: bytes


class Ed25519Signer:
    """A signer whose key is in memory.

    Args:
        name: the ledger's origin; no spaces, no plus sign.
        seed: the 32 secret bytes of RFC 8032, derived by the caller from the vault's master key.
    """

    def __init__(self, name: str, seed: bytes) -> None:
        self._name = name
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def name(self) -> str:
        """The key's name."""
        return self._name

    @property
    def public_key(self) -> bytes:
        """32 bytes, RFC 8032."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, text: bytes) -> bytes:
        """The Ed25519 signature of ``text``."""
        return self._key.sign(text)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: this many events, under this root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note's text, which is what is signed."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


def verifier_key(key: VerifierKey) -> str:
    """The key as one line for ``key.pub`` and for outside verifiers: ``name+keyid+base64``."""
    return f"{key.name}+{_key_id(key).hex()}+{_base64(_ED25519 + key.public_key)}"


def parse_verifier_key(text: str) -> PublicKey | None:
    """Read what `verifier_key` wrote; None if it is not exactly that."""
    name, _, rest = text.partition("+")
    key = PublicKey(name, _from_base64(rest.partition("+")[2])[1:])
    return key if name and len(key.public_key) == _KEY_BYTES and verifier_key(key) == text else None


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> bytes:
    """The checkpoint as a signed note."""
    text = checkpoint.text()
    signature = _base64(_key_id(signer) + signer.sign(text.encode()))
    return f"{text}\n{_DASH}{signer.name} {signature}\n".encode()


def open_checkpoint(data: bytes, origin: str, key: VerifierKey, name: str = "checkpoint") -> Checkpoint:
    """Read a signed note and check it.

    Signatures of other keys (witnesses) are ignored, as the note's specification has it.

    Raises:
        IntegrityError: it is not a checkpoint of this origin, or this key's signature is absent or wrong.
    """
    body, blank, signatures = _note(data, name).rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise IntegrityError(name, "not a signed note", advice="restore it from a backup")
    text = body + "\n"
    _check_signatures(text, signatures, key, name)
    lines = body.split("\n")
    if len(lines) < 3 or lines[0] != origin:
        raise IntegrityError(name, "not a tree head of this ledger", expected=f"origin {origin}")
    size, root = lines[1], _from_base64(lines[2])
    if not (size.isascii() and size.isdecimal()) or size != str(int(size)) or len(root) != HASH_BYTES:
        raise IntegrityError(name, "its size or root is malformed", expected="a C2SP tlog-checkpoint")
    return Checkpoint(origin, int(size), root)


def _note(data: bytes, name: str) -> str:
    try:
        text = data.decode() if len(data) <= _NOTE_BYTES_MAX else ""
    except UnicodeDecodeError:
        text = ""
    if not text or any(character < " " and character != "\n" for character in text):
        raise IntegrityError(name, "not a signed note", advice="restore it from a backup")
    return text


def _check_signatures(text: str, signatures: str, key: VerifierKey, name: str) -> None:
    found = False
    for line in signatures[:-1].split("\n"):
        key_name, space, encoded = line.removeprefix(_DASH).partition(" ")
        raw = _from_base64(encoded)
        if not line.startswith(_DASH) or not space or len(raw) < 5:
            raise IntegrityError(name, "a signature line is malformed", advice="restore it from a backup")
        if key_name != key.name or raw[:4] != _key_id(key):
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.public_key).verify(raw[4:], text.encode())
        except InvalidSignature:
            raise IntegrityError(name, "the signature does not match its text", advice="restore it") from None
        found = True
    if not found:
        raise IntegrityError(name, "not signed by this estate's key", expected=verifier_key(key))


def _key_id(key: VerifierKey) -> bytes:
    return hashlib.sha256(key.name.encode() + b"\n" + _ED25519 + key.public_key).digest()[:4]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _from_base64(text: str) -> bytes:
    """The bytes, or none at all if the text is not exactly how base64 writes them (unused bits included)."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return data if _base64(data) == text else b""
