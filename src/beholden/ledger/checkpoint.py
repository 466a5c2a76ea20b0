"""The signed tree head: a C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint) in a signed note, Ed25519.

An outsider needs three things to trust an answer: the verifier key (`verifier_key`), a checkpoint and a proof.
"""

from __future__ import annotations

from dataclasses import dataclass

from beholden.core.errors import IntegrityError
from beholden.ledger.merkle import HASH_BYTES
from beholden.ledger.note import (
    ED25519,
    Ed25519Signer,
    Note,
    PublicKey,
    Signer,
    VerifierKey,
    from_base64,
    is_signed,
    key_line,
    parse_key_line,
    read_note,
    signature_line,
    signatures_of,
    to_base64,
)

__all__ = [
    "Checkpoint",
    "Ed25519Signer",
    "PublicKey",
    "Signer",
    "VerifierKey",
    "check_signature",
    "open_checkpoint",
    "parse_checkpoint",
    "parse_verifier_key",
    "sign_checkpoint",
    "verifier_key",
]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: this many events, under this root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note's text, which is what is signed."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"


def verifier_key(key: VerifierKey) -> str:
    """The key as one line for ``key.pub`` and for outside verifiers: ``name+keyid+base64``."""
    return key_line(key, ED25519)


def parse_verifier_key(text: str) -> PublicKey | None:
    """Read what `verifier_key` wrote; None if it is not exactly that."""
    return parse_key_line(text, ED25519)


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> bytes:
    """The checkpoint as a signed note."""
    text = checkpoint.text()
    return f"{text}\n{signature_line(signer, ED25519, signer.sign(text.encode()))}".encode()


def open_checkpoint(data: bytes, origin: str, key: VerifierKey, name: str = "checkpoint") -> Checkpoint:
    """Read a signed note and check it.

    Signatures of other keys (witnesses) are ignored, as the note's specification has it.

    Raises:
        IntegrityError: it is not a checkpoint of this origin, or this key's signature is absent or wrong.
    """
    note = read_note(data, name)
    check_signature(note, key, name)
    if not note.text.startswith(f"{origin}\n"):
        raise IntegrityError(name, "not a tree head of this ledger", expected=f"origin {origin}")
    return parse_checkpoint(note, name)


def check_signature(note: Note, key: VerifierKey, name: str) -> None:
    """Refuse a note that this ledger's key did not sign.

    Raises:
        IntegrityError: there is no signature of this key, or one that does not match the text.
    """
    found = signatures_of(note, key, ED25519)
    if not found:
        raise IntegrityError(name, "not signed by this estate's key", expected=verifier_key(key))
    if not all(is_signed(key, signature.value, note.text.encode()) for signature in found):
        raise IntegrityError(name, "the signature does not match its text", advice="restore it")


def parse_checkpoint(note: Note, name: str) -> Checkpoint:
    """Read a note's text as a tree head. Whoever calls it has checked the signature, or is about to.

    Raises:
        IntegrityError: it does not have the form of a tlog-checkpoint.
    """
    origin, *rest = note.text.removesuffix("\n").split("\n")
    if not origin or len(rest) < 2 or "" in rest:
        raise IntegrityError(name, "not a tree head", expected="a C2SP tlog-checkpoint")
    size, root = rest[0], from_base64(rest[1])
    if (
        not (size.isascii() and size.isdecimal() and len(size) < 20)
        or size != str(int(size))
        or len(root) != HASH_BYTES
    ):
        raise IntegrityError(name, "its size or root is malformed", expected="a C2SP tlog-checkpoint")
    return Checkpoint(origin, int(size), root)
