"""How long events stay: which segments are past every policy and under no hold.

Only whole segments go, and only from the old end, so an event may stay longer than its policy asks, never shorter. Of
several policies that apply to an event the longest counts. An event that none applies to stays: there is no default.

What counts is when the ledger took an event in (``ingested``, its own clock), not when the event says it happened: a
device whose clock is wrong, or somebody who sets one, can neither make an event go early nor stay for ever. An old log
that is read today is kept from today.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.errors import UsageError
from beholden.core.selectors import Selector
from beholden.core.times import format_time
from beholden.ledger.format import Layout
from beholden.ledger.holds import Holds
from beholden.ledger.manifest import Manifest, Segment
from beholden.ledger.own import LEDGER_SOURCE
from beholden.ledger.records import PolicyRecord
from beholden.ledger.segments import read_columns

__all__ = ["Policy", "PrunePlan", "check_clock", "plan"]

_DAY_US: Final = 86_400_000_000
_CLOCK_US_MAX: Final = 31 * _DAY_US
_KEY: Final = ["source", "store", "dataset", "activity"]


@dataclass(frozen=True, slots=True)
class Policy:
    """Events that ``selector`` means are kept ``keep_days`` days, for ``purpose``."""

    selector: Selector
    keep_days: int
    purpose: str

    @property
    def record(self) -> PolicyRecord:
        """As a pruning tells of it."""
        return PolicyRecord(events=str(self.selector), keep_days=self.keep_days, purpose=self.purpose)

    def __str__(self) -> str:
        return str(self.record)


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What may go, and what keeps the rest.

    ``segments`` are the oldest ones, all past every policy; ``policies`` those that applied to one of their events.
    ``kept`` is the first segment that stays and ``reasons`` what keeps it; None when all may go.
    """

    segments: tuple[Segment, ...]
    policies: tuple[Policy, ...]
    kept: Segment | None
    reasons: tuple[str, ...]

    @property
    def events(self) -> int:
        """How many events may go."""
        return sum(segment.events for segment in self.segments)


def plan(layout: Layout, manifest: Manifest, policies: Sequence[Policy], holds: Holds, now: int) -> PrunePlan:
    """Look at segments from the oldest on, up to the first that has to stay.

    Raises:
        IntegrityError: a segment cannot be read.
    """
    going: list[Segment] = []
    applied: dict[Policy, None] = {}
    for segment in manifest.segments:
        reasons, of_segment = _look(layout, segment, policies, holds, now)
        if reasons:
            return PrunePlan(tuple(going), tuple(applied), segment, tuple(reasons))
        going.append(segment)
        applied |= dict.fromkeys(of_segment)
    return PrunePlan(tuple(going), tuple(applied), None, ())


def check_clock(manifest: Manifest, now: int) -> None:
    """Refuse a clock that is far from the record's own time: pruning cannot be undone.

    Raises:
        UsageError: it is behind the newest seal, or more than 31 days ahead of it.
    """
    newest = max((segment.sealed for segment in manifest.segments), default=now)
    if not newest <= now <= newest + _CLOCK_US_MAX:
        raise UsageError(
            "clock", f"it is {format_time(now)[:10]}, and the newest event was sealed on {format_time(newest)[:10]}",
            expected="at most 31 days between them", advice="if the clock is right, repeat with --trust-clock",
        )  # fmt: skip


def _look(
    layout: Layout, segment: Segment, policies: Sequence[Policy], holds: Holds, now: int
) -> tuple[list[str], list[Policy]]:
    """What keeps a segment, and the policies that apply to it. Reads no more of it than the answer needs."""
    if not policies:
        return ["no policy is declared"], []
    reasons: list[str] = []
    applied: dict[Policy, None] = {}
    for source, store, dataset, activity, ingested in _groups(layout, segment):
        unknown_store = store if source != LEDGER_SOURCE else ""  # the ledger's own events are of no store
        matching = [
            policy
            for policy in policies
            if policy.selector.matches(source=source, store=unknown_store, dataset=dataset, activity=activity)
        ]
        if not matching:
            reasons.append(f"no policy applies to its events of {source} ({activity})")
        reasons += [_until(policy, ingested) for policy in matching if not _is_past(policy, ingested, now)]
        applied |= dict.fromkeys(matching)
    reasons += holds.reasons(layout, segment)
    return list(dict.fromkeys(reasons)), list(applied)


def _groups(layout: Layout, segment: Segment) -> Iterator[tuple[str, str | None, str | None, str, int]]:
    """What policies ask of events, each combination once, with the newest ``ingested`` of its events."""
    columns = read_columns(layout.segments / segment.file, f"segments/{segment.file}", [*_KEY, "ingested"])
    columns = columns.set_column(4, "ingested", pc.cast(columns["ingested"], pa.int64()))
    grouped = columns.group_by(_KEY).aggregate([("ingested", "max")])
    for row in grouped.sort_by([(key, "ascending") for key in _KEY]).to_pylist():
        yield row["source"], row["store"], row["dataset"], row["activity"], row["ingested_max"]


def _is_past(policy: Policy, taken_in: int, now: int) -> bool:
    return taken_in + policy.keep_days * _DAY_US <= now


def _until(policy: Policy, taken_in: int) -> str:
    return f"{policy} until {format_time(taken_in + policy.keep_days * _DAY_US)[:10]}"
