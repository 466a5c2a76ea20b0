"""``beholden ledger prune``: old events go under the policies of ``beholden.toml``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli.output import Column, emit, note, output_options

if TYPE_CHECKING:
    from beholden.ledger.manifest import Segment
    from beholden.ledger.retention import Policy, PrunePlan

__all__ = ["PruneRow", "policies_of", "prune"]


@dataclass(frozen=True, slots=True)
class PruneRow:
    """A segment that goes, or the first that stays and what keeps it. Times are RFC 3339, of its events."""

    segment: str
    first_seq: int
    last_seq: int
    events: int
    size_bytes: int
    first: str
    last: str
    outcome: Literal["would go", "removed", "kept"]
    reasons: list[str]


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@click.option("--trust-clock", is_flag=True, help="Go by the clock though it is far from the record's newest event.")
@output_options
@pass_estate
def prune(estate: Estate, *, dry_run: bool, trust_clock: bool, output: str | None) -> None:
    """Remove the oldest segments whose events are all past every policy and under no hold.

    Policies are the [[ledger.retention]] of beholden.toml; without one nothing goes. Lists what goes, and the first
    segment that stays with what keeps it. The ledger itself records what was removed under which policies, and every
    signature and proof given earlier stays valid. It cannot be undone.
    """
    policies = policies_of(estate)
    if dry_run:
        plan = estate.ledger.plan_prune(policies)
    else:
        plan = estate.ledger.prune(policies, trust_clock=trust_clock).plan
    after = []
    if not policies:
        after.append("no [[ledger.retention]] is declared in beholden.toml: nothing is ever pruned")
    elif dry_run:
        after.append(f"{plan.events:,} events in {len(plan.segments):,} segments would go; nothing was changed")
    emit(
        output, "ledger-prune", list(_rows(plan, dry_run=dry_run)), _COLUMNS, empty="no segment is sealed", after=after
    )
    if not dry_run and policies:
        note(f"{plan.events:,} events in {len(plan.segments):,} segments were removed")


def policies_of(estate: Estate) -> list[Policy]:
    """The policies that the estate declares."""
    from beholden.core.selectors import Selector
    from beholden.ledger.retention import Policy

    declared = estate.config.ledger.retention
    return [Policy(Selector.parse(row.events), row.keep_days, row.purpose) for row in declared]


def _rows(plan: PrunePlan, *, dry_run: bool) -> Iterator[PruneRow]:
    going = [f"past {policy}" for policy in plan.policies]
    for segment in plan.segments:
        yield _row(segment, "would go" if dry_run else "removed", going)
    if plan.kept is not None:
        yield _row(plan.kept, "kept", list(plan.reasons))


def _row(segment: Segment, outcome: Literal["would go", "removed", "kept"], reasons: list[str]) -> PruneRow:
    from beholden.core.times import format_time

    return PruneRow(
        segment.file, segment.first_seq, segment.last_seq, segment.events, segment.size_bytes,
        format_time(segment.time_min), format_time(segment.time_max), outcome, reasons,
    )  # fmt: skip


_COLUMNS = [
    Column("events", lambda row: f"{row.first_seq:,} to {row.last_seq:,}"),
    Column("first", lambda row: row.first[:19], spare=1),
    Column("last", lambda row: row.last[:19], spare=1),
    Column("bytes", lambda row: row.size_bytes, right=True, spare=2),
    Column("outcome", lambda row: row.outcome),
    Column("why", lambda row: "; ".join(row.reasons), fold=True),
]
