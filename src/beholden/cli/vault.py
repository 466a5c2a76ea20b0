"""``beholden vault``: backup and restore of people's tokens and keys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli._lazy import Group
from beholden.cli._times import shown_time
from beholden.cli.output import Column, emit, note, output_options

__all__ = ["VaultRow", "vault"]


@dataclass(frozen=True, slots=True)
class VaultRow:
    """How many people the vault knows and has forgotten. Times are RFC 3339; ``last_backup`` is null for never."""

    people: int
    forgotten: int
    created: str
    last_backup: str | None


@click.group(cls=Group)
def vault() -> None:
    """People's tokens and keys: backup and restore. Without them the ledger's people have no names."""


@vault.command()
@output_options
@pass_estate
def status(estate: Estate, *, output: str | None) -> None:
    """How many people are known, how many forgotten, and how old the last backup is."""
    estate.refuse_newer()
    info = estate.vault.status()
    row = VaultRow(info.people, info.forgotten, shown_time(info.created), shown_time(info.last_backup))
    advice = [] if row.last_backup else ["no backup was ever made: beholden vault backup FILE"]
    emit(output, "vault", [row], _COLUMNS, empty="", after=advice)


@vault.command()
@click.argument("file", type=click.Path(path_type=Path))
@pass_estate
def backup(estate: Estate, *, file: Path) -> None:
    """Write a backup of the vault to FILE, which must not exist yet.

    It is encrypted under the master key and of no use without it: keep both, apart.
    """
    estate.refuse_newer()
    info = estate.vault.backup(file)
    note(f"{info.people:,} people backed up to {file}; the master key is not in it")
    if estate.vault.read_only:
        note("the vault can only be read: it does not know of this backup")


@vault.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Replace a vault that already holds people.")
@pass_estate
def restore(estate: Estate, *, file: Path, replace: bool) -> None:
    """Restore the vault from FILE. People forgotten since the backup stay forgotten."""
    from beholden.vault import restore as restore_vault

    estate.refuse_newer()
    url = estate.config.url(estate.config.vault.url)
    info = restore_vault(file, url, estate.master, replace=replace, clock=estate.clock)
    note(f"{info.people:,} people restored from the backup of {shown_time(info.made)}")
    note(f"{info.forgotten:,} stay forgotten, {info.forgotten_again:,} of them forgotten after the backup was made")
    note("who was first met after that time is shown as unknown in what is on record, and gets a new token")
    if not info.current_read:
        note("no vault was there to read erasures from: those made after the backup are unknown; repeat them")
    if not info.scrubbed:
        note(
            "bytes of the forgotten may remain in the database's files until it cleans up (another reader, or PostgreSQL)"
        )


_COLUMNS = [
    Column("people", lambda row: row.people, right=True),
    Column("forgotten", lambda row: row.forgotten, right=True),
    Column("created", lambda row: row.created[:19]),
    Column("last backup", lambda row: row.last_backup[:19] if row.last_backup else "never"),
]
