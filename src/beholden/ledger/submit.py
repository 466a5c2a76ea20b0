"""A ledger's way to a witness: hand over the newest tree head with a consistency proof, keep the cosignature."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import Final
from urllib.parse import urlsplit

from beholden.core.errors import IntegrityError, SourceError, UsageError
from beholden.ledger.checkpoint import VerifierKey, parse_checkpoint
from beholden.ledger.heads import KeptHead, keep_cosigned, last_cosigned
from beholden.ledger.note import read_note
from beholden.ledger.proof import StoredTree
from beholden.ledger.proof_texts import Submission, submission_text

__all__ = ["submit"]

_ANSWER_BYTES_MAX: Final = 65536
_CONFLICT: Final = 409


def submit(tree: StoredTree, url: str, witness: VerifierKey, *, timeout_s: float = 30.0) -> KeptHead:
    """Have the newest tree head cosigned by the witness at ``url`` and keep its cosignature; durable when it returns.

    Raises:
        UsageError: the URL is none.
        SourceError: the witness cannot be reached, or answers what it should not.
        IntegrityError: it has cosigned what this ledger does not continue, or its signature is wrong.
    """
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).netloc:
        raise UsageError("witness URL", "is none", expected="https://HOST/PREFIX, without add-checkpoint")
    known = last_cosigned(tree.layout, witness)
    size = parse_checkpoint(read_note(known, "cosigned"), "cosigned").size if known else 0
    status, answer = _post(url, tree, min(size, tree.newest.size), timeout_s)
    if status == _CONFLICT:  # what it saw last is not what was kept here
        status, answer = _post(url, tree, _known_size(answer, tree, witness), timeout_s)
    if status != 200:
        kind = IntegrityError if status == 422 else SourceError
        raise kind(
            f"witness {witness.name}", f"does not cosign this tree head (HTTP {status})",
            advice="ask its operator for its evidence" if status == 422 else "ask its operator whether it knows this ledger's key",
        )  # fmt: skip
    return keep_cosigned(tree, tree.note + answer, witness, f"answer of {witness.name}")


def _known_size(answer: bytes, tree: StoredTree, witness: VerifierKey) -> int:
    text = answer.decode("ascii", "replace").strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise SourceError(f"witness {witness.name}", "answers with no size", expected="C2SP tlog-witness")
    if int(text) > tree.newest.size:
        raise IntegrityError(
            "checkpoint", f"covers {tree.newest.size:,} events, but {witness.name} cosigned {int(text):,}",
            advice="an older ledger was put in its place: restore the newest",
        )  # fmt: skip
    return int(text)


def _post(url: str, tree: StoredTree, old_size: int, timeout_s: float) -> tuple[int, bytes]:
    path = tree.prove_consistency(old_size, tree.newest)
    body = submission_text(Submission(old_size, path, tree.note))
    request = urllib.request.Request(f"{url.rstrip('/')}/add-checkpoint", body, method="POST")  # noqa: S310 - http(s), above
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310 - as above
            return int(answer.status), answer.read(_ANSWER_BYTES_MAX)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(_ANSWER_BYTES_MAX)
    except (OSError, http.client.HTTPException):
        raise SourceError(
            f"witness {urlsplit(url).netloc}", "cannot be reached", advice="nothing was changed; try again"
        ) from None
