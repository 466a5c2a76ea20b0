"""``beholden ledger``: the record of accesses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from beholden.cli._estate import Estate, open_estate, pass_estate, unproven_key
from beholden.cli._lazy import Group
from beholden.cli.ledger_hold import hold
from beholden.cli.ledger_prove import export, prove
from beholden.cli.ledger_prune import policies_of, prune
from beholden.cli.ledger_verify import keep_head, part_options, read_head, verify_part
from beholden.cli.ledger_witness import witness
from beholden.cli.output import Column, emit, note, output_options
from beholden.core.unknown import Unknown

if TYPE_CHECKING:
    from beholden.ledger import VerifierKey

__all__ = ["ledger"]


@click.group(cls=Group)
def ledger() -> None:
    """The record of accesses: status, seal, verify, prove, prune, hold."""


ledger.add_command(prune)
ledger.add_command(hold)


@ledger.command()
@output_options
@pass_estate
def status(estate: Estate, *, output: str | None) -> None:
    """How many events are on record, since when, and the signed tree head."""
    row = estate.ledger.status()
    after = [f"{row.in_wal:,} events wait to be sealed: beholden ledger seal"] if row.in_wal else []
    if row.pruned:
        after.append(
            f"the record begins with event {row.first_seq:,}: older ones were pruned, last on {row.pruned[:10]}"
        )
    if not policies_of(estate):
        after.append("no [[ledger.retention]] is declared: nothing is ever pruned")
    emit(output, "ledger-status", [row], _STATUS, empty="", after=after)


@ledger.command()
@pass_estate
def seal(estate: Estate) -> None:
    """Move acknowledged events into sealed segments and sign a new tree head over them.

    Events are durable as soon as `log ingest` ends; sealing makes every later change of them show.
    """
    estate.tell_erasures()
    result = estate.ledger.seal()
    note(f"{result.events:,} events sealed into {result.segments:,} segments; tree size {result.checkpoint.size:,}")


@ledger.command()
@click.argument("directory", required=False, type=click.Path(path_type=Path))
@click.option(
    "--key", metavar="FILE", type=click.Path(path_type=Path), help="The verifier key that counts, as key.pub."
)
@part_options
@output_options
@click.pass_context
def verify(
    context: click.Context, *, directory: Path | None, key: Path | None, since: Path | None, sample: int | None,
    seed: int | None, keep: Path | None, output: str | None,
) -> None:  # fmt: skip
    """Check every segment, tile, checkpoint and waiting event against the signed tree head and the accounts of ingest.

    Lists each object that disagrees. Exit code 5 when there is one.

    Without DIRECTORY it is the estate's ledger. An auditor needs no more than a copy of the ledger's DIRECTORY and the
    estate's verifier key: no vault, no master key, no state. What is not checked for want of them is said.

    --since reads only what is new since a tree head that was verified before, --sample only some events, each proven
    to be under the signed tree head. Both say what they did not read.
    """
    from beholden.core.errors import IntegrityError
    from beholden.ledger.verify import verify as run_verify

    means = _means_outside(directory, key) if directory is not None else _means_of(open_estate(context), key)
    if since is not None or sample is not None:
        verify_part(means.directory, means.key, _FINDINGS, output, since=since, sample=sample, seed=seed, keep=keep)
        return
    head = read_head(means.directory) if keep is not None else b""
    report = run_verify(means.directory, key=means.key, estate_id=means.estate_id, acknowledged=means.acknowledged)
    if means.is_of_bucket:
        from beholden.ledger.storage import check_frames

        report = check_frames(report, means.directory)
    unknown = list(means.unknown)
    if (waiting := report.events - report.tree_size) > 0:
        reason = "waiting events are under no signature: a later change of them shows once they are sealed"
        unknown.append(Unknown("events", "wal", reason, count=waiting))
    empty = "the ledger agrees with its signed tree head"
    emit(output, "ledger-verify", report.findings, _FINDINGS, empty=empty, unknown=unknown)
    if report.findings:
        raise IntegrityError(
            "ledger", f"does not verify: {len(report.findings):,} finding(s)",
            advice="keep it as it is, find out who could write there, and restore what is named from a backup",
        )  # fmt: skip
    if keep is not None and head != read_head(means.directory):
        note(f"the ledger grew meanwhile: nothing was kept in {keep}; verify again")
    else:
        keep_head(keep, head)
    for remark in report.notes:
        note(f"note: {remark.object}: {remark.reason}")
    note(f"verified: {report.events:,} events, {report.segments:,} segments, signed tree of {report.tree_size:,}")


@dataclass(frozen=True, slots=True)
class _Means:
    """What a verification goes by, and what it cannot check for want of more."""

    directory: Path
    key: VerifierKey
    estate_id: str | None
    acknowledged: int
    unknown: list[Unknown]
    is_of_bucket: bool = False


def _means_outside(directory: Path, key_file: Path | None) -> _Means:
    """An auditor's: a copy of the ledger, and a key they were given or the one in the copy."""
    from beholden.ledger import stored_key, verifier_key

    unknown = [_unaccounted("there is no state")]
    if key_file is not None:
        return _Means(directory, _given_key(key_file), None, 0, unknown)
    key = stored_key(directory)
    return _Means(directory, key, None, 0, [unproven_key(verifier_key(key), "no --key"), *unknown])


def _means_of(estate: Estate, key_file: Path | None) -> _Means:
    """An estate's: as much of it as is there and can be read."""
    from beholden.core.errors import IntegrityError, NotFoundError, SourceError

    estate.refuse_lost_ledger()
    key, unknown = (_given_key(key_file), list[Unknown]()) if key_file is not None else estate.verifier()
    estate_id, acknowledged = None, 0
    try:
        acknowledged = estate.acknowledged  # before the ledger, which may grow
        estate_id = estate.estate_id
    except (NotFoundError, SourceError, IntegrityError) as error:
        unknown.append(_unaccounted(error.found))
    is_of_bucket = estate.ledger_bucket is not None
    return _Means(estate.ledger_to_verify(), key, estate_id, acknowledged, unknown, is_of_bucket)


def _given_key(path: Path) -> VerifierKey:
    from beholden.core.errors import UsageError
    from beholden.ledger import parse_verifier_key

    try:
        key = parse_verifier_key(path.read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError):
        key = None
    if key is None:
        raise UsageError(f"--key {path}", "cannot be read as a verifier key", expected="one line, as in key.pub")
    return key


def _unaccounted(why: str) -> Unknown:
    return Unknown("log", "state", f"not checked that all events are here that log ingest acknowledged: {why}")


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

for _command in (prove, export, witness):
    ledger.add_command(_command)
