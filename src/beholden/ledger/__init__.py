"""The record of accesses: append, seal, verify. Who touched what is asked of `Ledger.tables` through the engine."""

from __future__ import annotations

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
from beholden.ledger.verify import Finding, VerifyReport, stored_key, verify

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
    "verify",
]
