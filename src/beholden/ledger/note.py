"""Signed notes (https://c2sp.org/signed-note): a text, and lines of signatures under it.

Keys of two kinds are used: Ed25519 over the text (``01``, the ledger's), and timestamped cosignatures (``04``, a witness's).
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

__all__ = [
    "COSIGNATURE",
    "ED25519",
    "Ed25519Signer",
    "Note",
    "NoteSignature",
    "PublicKey",
    "Signer",
    "VerifierKey",
    "from_base64",
    "is_key_name",
    "is_signed",
    "key_id",
    "key_line",
    "parse_key_line",
    "read_note",
    "signature_line",
    "signatures_of",
    "to_base64",
]

#: Signature types, as the specification numbers them.
ED25519: Final = 1
COSIGNATURE: Final = 4
_KEY_BYTES: Final = 32
#: A note larger than this is not read: 16 signatures fit many times.
_NOTE_BYTES_MAX: Final = 65536
_DASH: Final = "\u2014 "


class VerifierKey(Protocol):
    """Whose signature counts."""

    @property
    def name(self) -> str:
        """The key's name: of a ledger's key, its origin."""

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
        name: the key's name; no spaces, no plus sign.
        seed: the 32 secret bytes of RFC 8032; of a ledger's key derived by the caller from the vault's master key.
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
class NoteSignature:
    """One signature line: the key's name, its id of 4 bytes, what the key made of the text."""

    name: str
    key_id: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text, its last newline included, and the signatures under it. They are not checked yet."""

    text: str
    signatures: tuple[NoteSignature, ...]


def read_note(data: bytes, name: str) -> Note:
    """Take a signed note apart.

    Raises:
        IntegrityError: it does not have the form of one; ``name`` says which file it was.
    """
    body, blank, signatures = _text(data, name).rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise IntegrityError(name, "not a signed note", advice="restore it from a backup")
    return Note(body + "\n", tuple(_signature(line, name) for line in signatures[:-1].split("\n")))


def signatures_of(note: Note, key: VerifierKey, algorithm: int) -> list[NoteSignature]:
    """The note's signatures that claim to be of this key; those of other keys are to be ignored."""
    wanted = (key.name, key_id(key, algorithm))
    return [signature for signature in note.signatures if (signature.name, signature.key_id) == wanted]


def is_signed(key: VerifierKey, signature: bytes, message: bytes) -> bool:
    """Whether an Ed25519 signature is this key's over ``message``."""
    try:
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def signature_line(key: VerifierKey, algorithm: int, signature: bytes) -> str:
    """A signature as a line of a note, its newline included."""
    return f"{_DASH}{key.name} {to_base64(key_id(key, algorithm) + signature)}\n"


def key_line(key: VerifierKey, algorithm: int) -> str:
    """The key as one line: ``name+id+base64``."""
    return f"{key.name}+{key_id(key, algorithm).hex()}+{to_base64(bytes([algorithm]) + key.public_key)}"


def parse_key_line(text: str, algorithm: int) -> PublicKey | None:
    """Read what `key_line` wrote; None if it is not exactly that."""
    name, _, rest = text.partition("+")
    key = PublicKey(name, from_base64(rest.partition("+")[2])[1:])
    known = is_key_name(name) and len(key.public_key) == _KEY_BYTES
    return key if known and key_line(key, algorithm) == text else None


def is_key_name(name: str) -> bool:
    """Whether a key may have this name: not empty, no spaces, no plus sign, nothing that is not shown."""
    return bool(name) and name.isprintable() and "+" not in name and not any(char.isspace() for char in name)


def key_id(key: VerifierKey, algorithm: int) -> bytes:
    """The id that tells keys of one name apart, 4 bytes."""
    return hashlib.sha256(key.name.encode() + b"\n" + bytes([algorithm]) + key.public_key).digest()[:4]


def to_base64(data: bytes) -> str:
    """As notes write bytes: RFC 4648 section 4."""
    return base64.b64encode(data).decode()


def from_base64(text: str) -> bytes:
    """The bytes, or none at all if the text is not exactly how base64 writes them (unused bits included)."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return data if to_base64(data) == text else b""


def _text(data: bytes, name: str) -> str:
    try:
        text = data.decode() if len(data) <= _NOTE_BYTES_MAX else ""
    except UnicodeDecodeError:
        text = ""
    if not text or any(character < " " and character != "\n" for character in text):
        raise IntegrityError(name, "not a signed note", advice="restore it from a backup")
    return text


def _signature(line: str, name: str) -> NoteSignature:
    key_name, space, encoded = line.removeprefix(_DASH).partition(" ")
    raw = from_base64(encoded)
    if not line.startswith(_DASH) or not space or len(raw) < 5:
        raise IntegrityError(name, "a signature line is malformed", advice="restore it from a backup")
    return NoteSignature(key_name, raw[:4], raw[4:])
