"""What a witness signs: Ed25519 cosignatures (https://c2sp.org/tlog-cosignature, ``cosignature/v1``).

A cosignature says: at this second this was the largest tree head I had seen of this log, and it continues all earlier ones.
"""

from __future__ import annotations

from typing import Final

from beholden.core.errors import IntegrityError
from beholden.ledger.note import (
    COSIGNATURE,
    Note,
    PublicKey,
    Signer,
    VerifierKey,
    is_signed,
    key_line,
    parse_key_line,
    signature_line,
    signatures_of,
)

__all__ = ["cosign", "cosigned_at", "parse_witness_key", "witness_key"]

_TIME_BYTES: Final = 8


def witness_key(key: VerifierKey) -> str:
    """A witness's public key as one line: ``name+keyid+base64``."""
    return key_line(key, COSIGNATURE)


def parse_witness_key(text: str) -> PublicKey | None:
    """Read what `witness_key` wrote; None if it is not exactly that."""
    return parse_key_line(text, COSIGNATURE)


def cosign(note: Note, signer: Signer, time_s: int) -> str:
    """The line to add to the note.

    Args:
        note: a checkpoint whose text the witness has checked.
        signer: the witness's key.
        time_s: the present, seconds since 1970-01-01 UTC.
    """
    signature = signer.sign(_message(note, time_s))
    return signature_line(signer, COSIGNATURE, time_s.to_bytes(_TIME_BYTES, "big") + signature)


def cosigned_at(note: Note, key: VerifierKey, name: str) -> int | None:
    """When this witness cosigned the note, in seconds since 1970-01-01 UTC; None if it did not.

    Raises:
        IntegrityError: a cosignature of this key does not match the text.
    """
    times: list[int] = []
    for found in signatures_of(note, key, COSIGNATURE):
        time_s = int.from_bytes(found.value[:_TIME_BYTES], "big")
        if not is_signed(key, found.value[_TIME_BYTES:], _message(note, time_s)):
            raise IntegrityError(
                name, f"the cosignature of {key.name} does not match its text", advice="ask for it again"
            )
        times.append(time_s)
    return max(times, default=None)


def _message(note: Note, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{note.text}".encode()
