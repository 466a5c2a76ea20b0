"""The parts of ``beholden ledger verify`` that read less than all."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from beholden.cli.ledger_prove import read_file, write_file
from beholden.cli.output import Column, emit, note
from beholden.core.errors import IntegrityError, UsageError
from beholden.core.unknown import Unknown

if TYPE_CHECKING:
    from beholden.ledger import VerifierKey
    from beholden.ledger.verify_part import PartReport

__all__ = ["keep_head", "part_options", "read_head", "verify_part"]

F = TypeVar("F", bound=Callable[..., Any])


def part_options(command: F) -> F:
    """Add the options that say how much is read."""
    file = click.Path(path_type=Path, dir_okay=False)
    for option in (
        click.option("--keep", metavar="FILE", type=file, help="Keep the tree head in FILE when all is well."),
        click.option("--seed", metavar="S", type=int, help="Draw the sample that this seed draws."),
        click.option("--sample", metavar="N", type=int, help="Read only N random events."),
        click.option("--since", metavar="FILE", type=file, help="Read only what is new since the tree head in FILE."),
    ):
        command = option(command)
    return command


def verify_part(
    directory: Path, key: VerifierKey, columns: Sequence[Column], output: str | None, *,
    since: Path | None, sample: int | None, seed: int | None, keep: Path | None,
) -> None:  # fmt: skip
    """Verify a part, tell what was found and what was not read, and keep the tree head."""
    from beholden.ledger.verify_part import verify_sample, verify_since

    if since is not None and sample is not None:
        raise UsageError("ledger verify", "--since and --sample are different parts", expected="one of them")
    if since is not None:
        report = verify_since(directory, key=key, since=read_file("--since", since), name=since.name)
        unread = Unknown(
            "events", "segments", "not read again: they are as old as the tree head that was verified before",
            count=report.total - report.events,
        )  # fmt: skip
        said = f"{report.events:,} new events; the ledger continues the tree head in {since}"
    else:
        seed = secrets.randbits(32) if seed is None else seed
        report = verify_sample(directory, key=key, events=sample or 0, seed=seed)
        unread = Unknown(
            "events", "segments", f"not read, but for a sample: {_chances(report)}", count=report.total - report.events
        )
        said = (
            f"{report.events:,} of {report.total:,} events, drawn with --seed {seed}, each under the signed tree head"
        )
    emit(output, "ledger-verify", report.findings, columns, empty="what was read agrees with the signed tree head",
         unknown=[unread] if unread.count else [])  # fmt: skip
    if report.findings:
        raise IntegrityError(
            "ledger", f"does not verify: {len(report.findings):,} finding(s)",
            advice="keep it as it is, and see what else is altered: beholden ledger verify",
        )  # fmt: skip
    keep_head(keep, report.note)
    note(f"verified: {said}")


def read_head(directory: Path) -> bytes:
    """The tree head as it is before or after a verification; what was verified was the one between."""
    from beholden.ledger.format import Layout
    from beholden.ledger.snapshot import read_checkpoint

    return read_checkpoint(Layout(directory))


def keep_head(keep: Path | None, head: bytes) -> None:
    """Write a tree head that was verified to a file of the user's, if one was named."""
    if keep is not None:
        write_file(keep, head)
        note(f"kept: {keep}, for: beholden ledger verify --since")


def _chances(report: PartReport) -> str:
    """In what part of cases an alteration escapes a sample of this size, by how many events are altered."""
    from beholden.ledger.verify_part import escape_chance

    counts = [count for count in (1, 100, 10_000) if count <= report.total] if report.events else []
    parts = [f"of {count:,} with {escape_chance(report.total, report.events, count):.2%}" for count in counts]
    return f"an alteration of some events escapes it by chance: {', '.join(parts) or 'always'}"
