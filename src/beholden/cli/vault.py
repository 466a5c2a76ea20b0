"""``beholden vault``: backup and restore of people's tokens and keys."""

from __future__ import annotations

from pathlib import Path

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli.output import Column, emit, note, output_options
from beholden.core.times import format_time

__all__ = ["vault"]


@click.group()
def vault() -> None:
    """People's tokens and keys: backup and restore. Without them the ledger's people have no names."""


@vault.command()
@output_options
@pass_estate
def status(estate: Estate, *, output: str | None) -> None:
    """How many people are known, how many forgotten, and how old the last backup is."""
    info = estate.vault.status()
    emit(
        output,
        "vault",
        [info],
        [
            Column("people", lambda row: row.people, right=True),
            Column("forgotten", lambda row: row.forgotten, right=True),
            Column("last backup", lambda row: format_time(row.last_backup)[:19] if row.last_backup else "never"),
        ],
    )


@vault.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@pass_estate
def backup(estate: Estate, *, file: Path) -> None:
    """Write a backup of the vault to FILE. It is of no use without the master key: keep both, apart."""
    info = estate.vault.backup(file)
    note(f"{info.people:,} people backed up to {file}; the master key is not in it")


@vault.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Replace a vault that already holds people.")
@pass_estate
def restore(estate: Estate, *, file: Path, replace: bool) -> None:
    """Restore the vault from FILE. People forgotten since the backup stay forgotten."""
    from beholden.vault import restore as restore_vault

    url = estate.config.url(estate.config.vault.url)
    info = restore_vault(file, url, estate.master, replace=replace, clock=estate.clock)
    note(f"{info.people:,} people restored; {info.forgotten:,} stay forgotten")
