"""``beholden ledger``: the record of accesses."""

from __future__ import annotations

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli.output import Column, emit, note, output_options
from beholden.core.times import format_time

__all__ = ["ledger"]


@click.group()
def ledger() -> None:
    """The record of accesses: status, seal, verify."""


@ledger.command()
@output_options
@pass_estate
def status(estate: Estate, *, output: str | None) -> None:
    """How many events are on record, since when, and the signed tree head."""
    info = estate.ledger.status()
    emit(
        output,
        "ledger-status",
        [info],
        [
            Column("events", lambda row: row.events, right=True),
            Column("sealed", lambda row: row.sealed, right=True),
            Column("segments", lambda row: row.segments, right=True),
            Column("bytes/event", lambda row: row.bytes_per_event, right=True),
            Column("first", lambda row: row.first_time and format_time(row.first_time)[:19]),
            Column("last", lambda row: row.last_time and format_time(row.last_time)[:19]),
            Column("tree size", lambda row: row.tree_size, right=True),
            Column("root hash", lambda row: row.root_hash[:16]),
        ],
    )


@ledger.command()
@pass_estate
def seal(estate: Estate) -> None:
    """Move acknowledged events into sealed segments and sign a new tree head."""
    result = estate.ledger.seal()
    note(f"{result.events:,} events sealed into {result.segments:,} segments; tree size {result.checkpoint.size:,}")


@ledger.command()
@output_options
@pass_estate
def verify(estate: Estate, *, output: str | None) -> None:
    """Check every segment, tile, checkpoint and waiting event against the signed tree head. Exit code 5 on a finding."""
    from beholden.cli._rooms import ledger_directory
    from beholden.ledger import Ed25519Signer
    from beholden.ledger import verify as run_verify

    key = Ed25519Signer(estate.config.ledger.origin, estate.master.derive("checkpoint"))
    report = run_verify(ledger_directory(estate), key=key, estate_id=estate.estate_id)
    emit(
        output,
        "ledger-verify",
        report.findings,
        [Column("object", lambda row: row.object), Column("what is wrong", lambda row: row.reason)],
        title="ledger",
    )
    if not report.ok:
        note(f"beholden: the ledger does not verify: {len(report.findings)} finding(s)")
        raise click.exceptions.Exit(5)
    for remark in report.notes:
        note(f"note: {remark.object}: {remark.reason}")
    note(f"verified: {report.events:,} events, {report.segments:,} segments, signed tree of {report.tree_size:,}")
