"""``beholden upgrade --check``: which format each part of the estate has, and what this program would do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli.output import Column, emit, output_options
from beholden.core.errors import BeholdenError

__all__ = ["UpgradeRow", "upgrade"]

_NEWER: Final = "a newer version of beholden wrote it: install that version"
_STATE: Final = "the next command that opens it brings it to this version, in one transaction; make a copy of it first"
_LEDGER: Final = (
    "it cannot be changed: set ledger.url to a new directory and read the logs again; the old one stays as it is"
)


@dataclass(frozen=True, slots=True)
class UpgradeRow:
    """A part of the estate: the format it has (null where that is not known) and the one this program writes.

    ``needed`` is null where that is not known. ``what`` says what an upgrade will do, or why nothing is known.
    """

    part: Literal["state", "vault", "ledger"]
    found: str | None
    writes: str | None
    needed: bool | None
    what: str


@click.command()
@click.option("--check", is_flag=True, required=True, help="Only say what would be done: nothing else is offered yet.")
@output_options
@pass_estate
def upgrade(estate: Estate, *, check: bool, output: str | None) -> None:  # noqa: ARG001 - the only way to call it
    """Say which format state, vault and ledger have, which this version writes, and what an upgrade will do.

    Nothing is changed. Exit code 0 when all are of this version, 1 when one is not or cannot be read.
    """
    rows = [
        _row("state", lambda: _state(estate)),
        _row("vault", lambda: _vault(estate)),
        _row("ledger", lambda: _ledger(estate)),
    ]
    emit(output, "upgrade", rows, _COLUMNS, empty="")
    if any(row.needed is not False for row in rows):
        raise click.exceptions.Exit(1)


def _row(part: Literal["state", "vault", "ledger"], look: Callable[[], tuple[str, str, str]]) -> UpgradeRow:
    try:
        found, writes, what = look()
    except BeholdenError as error:
        return UpgradeRow(part, None, None, None, error.line())
    return UpgradeRow(part, found, writes, found != writes, what if found != writes else "")


def _state(estate: Estate) -> tuple[str, str, str]:
    from beholden.state.database import state_revision

    found, writes, is_known = state_revision(estate.config.url(estate.config.state.url))
    return found or "none", writes, _STATE if is_known else _NEWER


def _vault(estate: Estate) -> tuple[str, str, str]:
    from beholden.vault import vault_format

    found, writes = vault_format(estate.config.url(estate.config.vault.url))
    return str(found), str(writes), _NEWER  # there is no older one


def _ledger(estate: Estate) -> tuple[str, str, str]:
    from beholden.ledger.upgrade import ledger_format

    found, writes = ledger_format(estate.ledger_directory)
    return str(found), str(writes), _NEWER if found > writes else _LEDGER


_COLUMNS = [
    Column("part", lambda row: row.part),
    Column("format", lambda row: row.found or "not known"),
    Column("this version writes", lambda row: row.writes or ""),
    Column("upgrade", lambda row: {True: "needed", False: "not needed", None: "not known"}[row.needed]),
    Column("what it will do", lambda row: row.what, fold=True, rare=True),
]
