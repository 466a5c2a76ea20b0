"""The record of accesses: append, seal, verify, prove. Who touched what is asked of `Ledger.tables` through the engine.

What is named here is imported when it is first asked for: the witness runs where little more than Python is installed.
(`beholden.ledger.verify` is the module, as it would be whatever was named here; the function is in it.)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from beholden.ledger.checkpoint import (
        Checkpoint,
        Ed25519Signer,
        PublicKey,
        Signer,
        VerifierKey,
        parse_verifier_key,
        verifier_key,
    )
    from beholden.ledger.format import INPUT_EVENTS
    from beholden.ledger.log import AppendResult, Ledger, SealResult
    from beholden.ledger.snapshot import Snapshot
    from beholden.ledger.status import LedgerStatus
    from beholden.ledger.verify import Finding, VerifyReport, stored_key

__all__ = [
    "INPUT_EVENTS",
    "AppendResult",
    "Checkpoint",
    "Ed25519Signer",
    "Finding",
    "Ledger",
    "LedgerStatus",
    "PublicKey",
    "SealResult",
    "Signer",
    "Snapshot",
    "VerifierKey",
    "VerifyReport",
    "parse_verifier_key",
    "stored_key",
    "verifier_key",
]

#: Name -> the module it lies in.
_MODULES: Final = {
    "INPUT_EVENTS": "format",
    "AppendResult": "log",
    "Checkpoint": "checkpoint",
    "Ed25519Signer": "checkpoint",
    "Finding": "verify",
    "Ledger": "log",
    "LedgerStatus": "status",
    "PublicKey": "checkpoint",
    "SealResult": "log",
    "Signer": "checkpoint",
    "Snapshot": "snapshot",
    "VerifierKey": "checkpoint",
    "VerifyReport": "verify",
    "parse_verifier_key": "checkpoint",
    "stored_key": "verify",
    "verifier_key": "checkpoint",
}

if not TYPE_CHECKING:  # a type checker reads the imports above, and finds names that are not there

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
