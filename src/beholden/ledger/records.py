"""What the ledger's own events tell, as JSON in their ``detail``: a pruning, a legal hold, the release of one.

Persons are tokens in hex. Texts that people wrote are encrypted under the estate's key.
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["HoldRecord", "PolicyRecord", "PruneRecord", "ReleaseRecord"]


class HoldRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="hold"):
    """Events that must stay, whatever their age.

    ``on`` says what ``value`` is: a person's token (``subject``, ``actor``) or STORE/PATH where ``*`` is any text
    (``dataset``). ``first`` and ``end`` are ``[first, end)``: sequence numbers (``seq``) or microseconds (``time``).
    ``by`` and ``reason`` are encrypted.
    """

    hold_id: str
    on: Literal["subject", "actor", "dataset", "seq", "time"]
    value: str = ""
    first: int | None = None
    end: int | None = None
    by: bytes
    reason: bytes
    since: int


class ReleaseRecord(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="release"
):
    """The end of a hold. ``by`` and ``reason`` are encrypted."""

    hold_id: str
    by: bytes
    reason: bytes


class PolicyRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A retention policy as it was in force."""

    events: str
    keep_days: int
    purpose: str

    def __str__(self) -> str:
        days = "1 day" if self.keep_days == 1 else f"{self.keep_days:,} days"
        return f"{self.events} for {days} ({self.purpose})"


class PruneRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="prune"):
    """Events ``first_seq`` to ``last_seq`` were past every policy and under no hold, and may be removed.

    ``time_max`` is the newest time of an event that was ever pruned, ``own_events`` how many of all pruned ones the
    ledger wrote itself. ``nodes`` is the SHA-256 of the file with the hashes that are kept of these events, ``heads``
    the sizes of tree heads signed within the block of 256 that the pruning cut. ``holds`` are those in force then.
    """

    first_seq: int
    last_seq: int
    time_max: int
    own_events: int
    policies: tuple[PolicyRecord, ...]
    nodes: str
    heads: tuple[int, ...]
    holds: tuple[HoldRecord, ...]
