"""``beholden store``: declare, list and test data stores; print the least-privilege script."""

from __future__ import annotations

import os
import re
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli._lazy import Group
from beholden.cli._toml import append_table
from beholden.cli.output import Column, emit, note, output_options
from beholden.core.config import StoreConfig
from beholden.core.errors import BeholdenError
from beholden.core.unknown import Unknown

__all__ = ["StoreRow", "store"]


@dataclass(frozen=True, slots=True)
class StoreRow:
    """A declared store and what the last look at it found."""

    store: str
    url: str
    zone: str | None
    owner: str | None
    reachable: bool | None
    version: str | None
    error: str | None


@click.group(cls=Group)
def store() -> None:
    """Declare data stores, list and test them, print grants."""


@store.command()
@click.argument("name")
@click.argument("url")
@click.option("--zone", metavar="NAME", help="The zone the store belongs to.")
@click.option("--owner", metavar="TEXT", help="Who answers for it, e.g. a team.")
@click.option("--password-file", metavar="FILE", help="A file that holds the password alone.")
@click.option("--max-rows-per-second", type=click.IntRange(min=1), help="Read no faster than this.")
@pass_estate
def add(
    estate: Estate,
    *,
    name: str,
    url: str,
    zone: str | None,
    owner: str | None,
    password_file: str | None,
    max_rows_per_second: int | None,
) -> None:
    """Declare the store NAME at URL in beholden.toml and try it. It is only ever read.

    \b
    postgresql://reader@host/database   password: env BEHOLDEN_STORE_NAME_PASSWORD
    sqlite:///path/to/file.db
    file:path/to/directory              CSV, JSONL and Parquet files below it

    Relative paths start at the estate's directory. `beholden store grants postgresql` prints the script that makes a
    reader with no more rights than needed.
    """  # noqa: D301 - click wants the character itself
    from beholden.core.names import check_store_name
    from beholden.stores import open_store

    check_store_name(name)
    values: dict[str, Any] = {
        "name": name, "url": url, "zone": zone, "owner": owner, "password_file": password_file,
        "max_rows_per_second": max_rows_per_second,
    }  # fmt: skip
    open_store(StoreConfig(**values), root=estate.directory, environ=os.environ).close()  # refuses a url it cannot read
    append_table(estate.directory, "store", values)
    note(f"store {name} declared in {estate.directory / 'beholden.toml'}")
    if _without_password(url) != url:
        note("the password is in that file in plain: better leave it out and give it by --password-file or environment")
    with closing(open_store(StoreConfig(**values), root=estate.directory, environ=os.environ)) as connector:
        try:
            info = connector.test()
        except BeholdenError as error:
            note(f"beholden: declared, but not readable yet: {error.line()}")
            note(f"when that is mended: {estate.command(f'store test {name}')}")
            raise click.exceptions.Exit(error.exit_code) from None
    note(f"it answers: {info.kind} {info.version}" + (f", read as {info.user}" if info.user else ""))
    note(f"next: {estate.command(f'scan {name}')}")


@store.command("list")
@output_options
@pass_estate
def list_(estate: Estate, *, output: str | None) -> None:
    """The declared stores and what the last scan found."""
    from beholden.state.stores import seen_stores

    seen = seen_stores(estate.state)
    rows = []
    for declared in estate.config.store:
        last = seen.get(declared.name)
        rows.append(
            StoreRow(
                declared.name,
                _without_password(declared.url),
                declared.zone,
                declared.owner,
                None if last is None else last.error is None,
                None if last is None or last.server_version is None else f"{last.kind} {last.server_version}",
                None if last is None else last.error,
            )
        )
    unknown = [Unknown("store", row.store, "never looked at") for row in rows if row.reachable is None]
    emit(output, "stores", rows, _COLUMNS, empty=_EMPTY, unknown=unknown)


@store.command()
@click.argument("names", nargs=-1)
@output_options
@pass_estate
def test(estate: Estate, *, names: tuple[str, ...], output: str | None) -> None:
    """Connect to each store (or the NAMES given) and say what answers. Exit code 4 if one does not."""
    rows, failed = [], 0
    for declared in estate.config.store if not names else [estate.config.store_named(name) for name in names]:
        version, error = None, None
        try:
            info = estate.connector(declared.name).test()
            version = f"{info.kind} {info.version}"
        except BeholdenError as problem:
            error, failed = problem.line(), 4
        url = _without_password(declared.url)
        rows.append(StoreRow(declared.name, url, declared.zone, declared.owner, error is None, version, error))
    emit(output, "stores", rows, _COLUMNS, empty=_EMPTY)
    if failed:
        raise click.exceptions.Exit(failed)


@store.command(short_help="Print the script that makes a least-privilege reader.")
@click.argument("kind")
def grants(kind: str) -> None:
    """Print the script that makes a least-privilege reader for a KIND of store: postgresql.

    An administrator reads it, runs it and sets the role's password; beholden never does.
    """
    from beholden.stores import grants_script

    click.echo(grants_script(kind), nl=False)


def _without_password(url: str) -> str:
    """The URL as it may be shown."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url
    rest = _PASSWORD_SETTING.sub(r"\1…", rest)
    credentials, at, place = rest.rpartition("@")
    return f"{scheme}://{credentials.partition(':')[0]}{at}{place}"


_PASSWORD_SETTING = re.compile(r"([?&](?:ssl)?password=)[^&]*", re.IGNORECASE)
_EMPTY = "no store is declared in beholden.toml; declare one with: beholden store add NAME URL"
_COLUMNS = [
    Column("store", lambda row: row.store),
    Column("url", lambda row: row.url, fold=True, spare=1),
    Column("zone", lambda row: row.zone, spare=2, rare=True),
    Column("owner", lambda row: row.owner, fold=True, spare=3, rare=True),
    Column("answers", lambda row: row.reachable),
    Column("what", lambda row: row.error or row.version, fold=True),
]
