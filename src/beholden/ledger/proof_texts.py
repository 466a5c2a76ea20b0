"""Proofs as files: ``.tlog-proof`` of one event, and the request that takes a new tree head to a witness.

https://c2sp.org/tlog-proof and the body of ``add-checkpoint`` in https://c2sp.org/tlog-witness, to the byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from beholden.core.errors import UsageError
from beholden.ledger.merkle import HASH_BYTES
from beholden.ledger.note import from_base64, to_base64

__all__ = ["HashPath", "Submission", "event_proof", "hash_lines", "read_submission", "submission_text"]

_HEADER: Final = "c2sp.org/tlog-proof@v1"
#: No tree has more levels.
_PATH_MAX: Final = 63

HashPath = Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Submission:
    """A tree head for a witness: the size it was last shown, and the way from there."""

    old_size: int
    path: tuple[bytes, ...]
    checkpoint: bytes


def event_proof(index: int, path: HashPath, checkpoint: bytes, record: bytes) -> bytes:
    """A ``.tlog-proof``; its ``extra`` line is the canonical record, of which the leaf is the hash.

    Args:
        index: the event's sequence number.
        path: the inclusion proof, from the leaf's sibling up.
        checkpoint: the signed tree head, as it stands.
        record: the canonical record.
    """
    head = f"{_HEADER}\nextra {to_base64(record)}\nindex {index}\n{hash_lines(path)}\n"
    return head.encode() + checkpoint


def submission_text(submission: Submission) -> bytes:
    """What is sent to a witness: ``old SIZE``, the consistency proof, an empty line, the checkpoint."""
    return f"old {submission.old_size}\n{hash_lines(submission.path)}\n".encode() + submission.checkpoint


def read_submission(data: bytes, name: str) -> Submission:
    """Read what `submission_text` wrote.

    Raises:
        UsageError: it has not exactly that form.
    """
    head, blank, checkpoint = data.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        first, lines = "", []
    word, _, number = first.partition(" ")
    path = tuple(from_base64(line) for line in lines)
    sized = (
        word == "old" and number.isascii() and number.isdecimal() and len(number) < 20 and number == str(int(number))
    )
    if not blank or not sized or len(path) > _PATH_MAX or any(len(part) != HASH_BYTES for part in path):
        raise UsageError(name, "is no submission", expected="old SIZE, hashes, an empty line, a signed tree head")
    return Submission(int(number), path, checkpoint)


def hash_lines(hashes: HashPath) -> str:
    """One hash a line, in base64."""
    return "".join(f"{to_base64(part)}\n" for part in hashes)
