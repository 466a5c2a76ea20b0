"""``beholden ledger``: the record of accesses."""

from __future__ import annotations

from dataclasses import dataclass

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli._lazy import Group
from beholden.cli._times import shown_time
from beholden.cli.output import Column, emit, note, output_options

__all__ = ["LedgerRow", "LedgerSource", "ledger"]


@dataclass(frozen=True, slots=True)
class LedgerSource:
    """What one source of records gave. Times are RFC 3339."""

    source: str
    events: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """The ledger in numbers. Times are RFC 3339, null while there is nothing.

    ``in_wal`` events are durable and not yet sealed. ``bytes_per_event`` counts segments and tiles for sealed events.
    ``checkpoint_time`` is when the last tree head was signed.
    """

    events: int
    sealed: int
    in_wal: int
    segments: int
    segment_bytes: int
    tile_bytes: int
    wal_bytes: int
    uid_bytes: int
    bytes_per_event: float | None
    first_time: str | None
    last_time: str | None
    tree_size: int
    root_hash: str
    checkpoint_time: str | None
    sources: tuple[LedgerSource, ...]


@click.group(cls=Group)
def ledger() -> None:
    """The record of accesses: status, seal, verify."""


@ledger.command()
@output_options
@pass_estate
def status(estate: Estate, *, output: str | None) -> None:
    """How many events are on record, since when, and the signed tree head."""
    info = estate.ledger.status()
    row = LedgerRow(
        events=info.events, sealed=info.sealed, in_wal=info.in_wal, segments=info.segments,
        segment_bytes=info.segment_bytes, tile_bytes=info.tile_bytes, wal_bytes=info.wal_bytes,
        uid_bytes=info.uid_bytes, bytes_per_event=info.bytes_per_event,
        first_time=shown_time(info.first_time), last_time=shown_time(info.last_time),
        tree_size=info.tree_size, root_hash=info.root_hash, checkpoint_time=shown_time(info.checkpoint_time),
        sources=tuple(
            LedgerSource(span.source, span.events, shown_time(span.time_min), shown_time(span.time_max))
            for span in info.sources
        ),
    )  # fmt: skip
    waiting = f"{row.in_wal:,} events wait to be sealed: beholden ledger seal"
    emit(output, "ledger-status", [row], _STATUS, empty="", after=[waiting] if row.in_wal else [])


@ledger.command()
@pass_estate
def seal(estate: Estate) -> None:
    """Move acknowledged events into sealed segments and sign a new tree head over them.

    Events are durable as soon as `log ingest` ends; sealing makes every later change of them show.
    """
    result = estate.ledger.seal()
    note(f"{result.events:,} events sealed into {result.segments:,} segments; tree size {result.checkpoint.size:,}")


@ledger.command()
@output_options
@pass_estate
def verify(estate: Estate, *, output: str | None) -> None:
    """Check every segment, tile, checkpoint and waiting event against the signed tree head and the accounts of ingest.

    Lists each object that disagrees. Exit code 5 when there is one.
    """
    from beholden.core.errors import IntegrityError
    from beholden.ledger import Finding
    from beholden.ledger import verify as run_verify
    from beholden.state.ingests import ingest_rows

    read = sum(row.events_new for row in ingest_rows(estate.state))  # before the ledger: it may only have more
    report = run_verify(estate.ledger_directory, key=estate.signer, estate_id=estate.estate_id)
    findings = list(report.findings)
    if report.ok and report.events < read:
        reason = f"{read - report.events:,} events that log ingest acknowledged are missing; they were not sealed"
        findings.append(Finding("wal", reason))
    emit(output, "ledger-verify", findings, _FINDINGS, empty="the ledger agrees with its signed tree head")
    if findings:
        raise IntegrityError(
            "ledger", f"does not verify: {len(findings):,} finding(s)",
            advice="keep it as it is, find out who could write there, and restore what is named from a backup",
        )  # fmt: skip
    for remark in report.notes:
        note(f"note: {remark.object}: {remark.reason}")
    note(f"verified: {report.events:,} events, {report.segments:,} segments, signed tree of {report.tree_size:,}")


_STATUS = [
    Column("events", lambda row: row.events, right=True),
    Column("sealed", lambda row: row.sealed, right=True),
    Column("segments", lambda row: row.segments, right=True, spare=3),
    Column("bytes/event", lambda row: row.bytes_per_event, right=True, spare=2),
    Column("first", lambda row: row.first_time and row.first_time[:19]),
    Column("last", lambda row: row.last_time and row.last_time[:19]),
    Column("tree size", lambda row: row.tree_size, right=True, spare=4),
    Column("root hash", lambda row: row.root_hash[:16], spare=1),
]
_FINDINGS = [
    Column("object", lambda row: row.object, fold=True),
    Column("what is wrong", lambda row: row.reason, fold=True),
]
