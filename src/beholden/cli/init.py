"""``beholden init``: make an estate."""

from __future__ import annotations

import os
import re
from contextlib import closing
from pathlib import Path

import click

from beholden.cli.output import note
from beholden.core.errors import IntegrityError, NotFoundError, UsageError

__all__ = ["init", "make_estate"]

_TEMPLATE = """\
# An estate under Beholden's care. beholden store add, log add and feed add write here; their --help explains each key.
[estate]
name = "{name}"

[ledger]
origin = "{name}.example/ledger"

# What is kept has a purpose. Say how long accesses stay on record, and what for.
[[ledger.retention]]
events = "*"
keep_days = 2555
purpose = "accountability for access to customer data"

# Kinds of data subject are proposed by scans; declare yours to be sure:
# [[subject]]
# kind = "customer"
# key = "crm/public.customer#customer_id"
# names = ["crm/public.customer#first_name", "crm/public.customer#last_name"]
# emails = ["crm/public.customer#email"]
# aliases = ["warehouse/public.orders#buyer_id"]

# Classes of data that may lie in stores of one zone and nowhere else (store add --zone):
# [[zone]]
# name = "cardholder"
# only_here = ["payment_card"]
"""


@click.command(short_help="Make an estate here: beholden.toml and .beholden/.")
@click.option("--name", metavar="NAME", help="The estate's name (default: the directory's).")
@click.argument("directory", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.pass_context
def init(context: click.Context, name: str | None, directory: Path | None) -> None:
    """Make an estate in DIRECTORY (default: here): beholden.toml, a master key, empty state, vault and ledger.

    A beholden.toml that is already there is kept and completed, so it can be written by hand or copied first. A part
    that was lost is made anew beside the others: bring it back from a backup first where there is one. A ledger whose
    events the state knows of is not made anew: where it is lost for good, move the state (.beholden/state.db) away,
    run init, scan, and read the logs again.
    """
    start = context.find_root().obj
    target = directory or (Path(start) if start else Path.cwd())
    made = make_estate(target, name=name)
    note(f"estate made in {made}")
    note(f"keep a copy of the master key elsewhere now: {_master_key(made)}")
    note("and of the vault, in another place, after each log ingest: beholden vault backup FILE")
    note("next: beholden store add NAME URL, then beholden scan")


def _master_key(directory: Path) -> str:
    """Where the key is, as people look for it."""
    from beholden.core.config_file import load_config

    config = load_config(directory)
    kind, _, place = config.vault.master_key.partition(":")
    return str(config.path(place)) if kind == "file" else f"environment variable {place}"


def make_estate(directory: Path, *, name: str | None = None) -> Path:
    """Make what is missing of an estate in ``directory`` and return its absolute path."""
    from beholden.cli._estate import Estate
    from beholden.cli._toml import write_whole
    from beholden.core.config_file import FILE_NAME, load_config
    from beholden.core.ids import system_entropy
    from beholden.core.times import system_clock
    from beholden.state import open_state
    from beholden.state.identity import create_estate, has_estate_id
    from beholden.vault import MasterKey, open_vault

    directory = directory.absolute()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        inside = directory / ".beholden"
        inside.mkdir(mode=0o700, exist_ok=True)
        ignore = inside / ".gitignore"
        if not ignore.exists():
            write_whole(ignore, "# keys and records never belong into version control\n*\n")
        path = directory / FILE_NAME
        if not path.exists():
            write_whole(path, _TEMPLATE.format(name=_estate_name(name, directory)))
    except OSError as error:
        raise UsageError(
            str(directory), f"cannot be written ({error.strerror})", advice="choose another directory"
        ) from None
    config = load_config(directory)
    _check_ledger(directory)
    with open_state(config.url(config.state.url), create=True) as state:
        outlived = None
        try:
            master = MasterKey.load(config.vault.master_key, root=directory, environ=os.environ)
            outlived = _ledger_of(directory)
        except NotFoundError:
            if has_estate_id(state):  # a lost key is not replaced: a new one would open nothing of what is there
                raise
            master = MasterKey.create(config.vault.master_key, root=directory, entropy=system_entropy)
        create_estate(state, entropy=system_entropy, clock=system_clock, known_id=outlived)
    lost = False
    try:
        open_vault(config.url(config.vault.url), master).close()
    except NotFoundError:
        lost = True
        open_vault(config.url(config.vault.url), master, create=True, clock=system_clock).close()
    with closing(Estate(directory)) as estate:
        ledger = estate.open_ledger(create=True)
        events = ledger.status().events if lost else 0
    if events:
        note(
            f"the vault was gone and is empty now: the people of the {events:,} events on record stay unnamed unless its "
            "backup is brought back with: beholden vault restore FILE"
        )
    return directory


def _check_ledger(directory: Path) -> None:
    """Refuse to make a ledger anew whose events the state still knows of."""
    from beholden.cli._estate import Estate

    with closing(Estate(directory)) as estate:
        try:
            estate.refuse_lost_ledger()
        except IntegrityError as error:
            advice = f"{error.advice}; if it is lost for good, see: beholden init --help"
            raise IntegrityError(error.where, error.found, advice=advice) from None


def _ledger_of(directory: Path) -> str | None:
    """The id of the estate whose ledger is already there: it stays that estate's when only the state was lost."""
    from beholden.cli._estate import Estate
    from beholden.ledger.format import Layout
    from beholden.ledger.manifest import read_info

    try:
        return read_info(Layout(Estate(directory).ledger_directory)).estate_id
    except NotFoundError:
        return None


def _estate_name(name: str | None, directory: Path) -> str:
    if name is not None:
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", name):
            raise UsageError("--name", "not a valid name", expected="a lower-case letter, then letters, digits, _ or -")
        return name
    plain = re.sub(r"[^a-z0-9_-]+", "-", directory.name.lower()).strip("-")
    return plain if re.match(r"[a-z]", plain) else "estate"
