"""Random tokens and where chance comes from. Chance is always an argument, so that a failure can be replayed."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from typing import Final

__all__ = ["TOKEN_BYTES", "Entropy", "seeded_entropy", "system_entropy"]

#: People are known to the ledger by tokens of this many random bytes (128 bits).
TOKEN_BYTES: Final = 16

#: Returns that many random bytes.
Entropy = Callable[[int], bytes]

#: The operating system's cryptographic source: the default everywhere outside tests.
system_entropy: Entropy = secrets.token_bytes


def seeded_entropy(seed: int) -> Entropy:
    """A replayable source for tests and simulations; never for an estate that matters."""
    return random.Random(seed).randbytes  # noqa: S311 - replay is the purpose
