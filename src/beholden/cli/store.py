"""``beholden store``: declare, list and test data stores; print the least-privilege script."""

from __future__ import annotations

import os
from dataclasses import dataclass

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli._toml import append_table
from beholden.cli.output import Column, emit, note, output_options
from beholden.core.config import StoreConfig
from beholden.core.errors import BeholdenError
from beholden.core.unknown import Unknown

__all__ = ["store"]


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


@click.group()
def store() -> None:
    """Declare data stores, list and test them, print grants."""


@store.command()
@click.argument("name")
@click.argument("url")
@click.option("--zone", help="The zone the store belongs to.")
@click.option("--owner", help="Who answers for it.")
@click.option("--password-file", help="A file that holds the password alone.")
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
    r"""Declare the store NAME at URL in beholden.toml and try it.

    \b
    postgresql://reader@host/database   password: env BEHOLDEN_STORE_NAME_PASSWORD
    sqlite:///path/to/file.db
    file:path/to/directory              CSV, JSONL and Parquet files below it
    """
    from beholden.core.names import check_store_name
    from beholden.stores import open_store

    check_store_name(name)
    draft = StoreConfig(name=name, url=url, password_file=password_file)
    open_store(draft, root=estate.directory, environ=os.environ).close()  # refuses a url it cannot read
    values = {
        "name": name, "url": url, "zone": zone, "owner": owner, "password_file": password_file,
        "max_rows_per_second": max_rows_per_second,
    }  # fmt: skip
    append_table(estate.directory, "store", values)
    note(f"store {name} declared in beholden.toml")
    fresh = Estate(estate.directory)
    try:
        info = fresh.connector(name).test()
        note(f"it answers: {info.kind} {info.version}" + (f", read as {info.user}" if info.user else ""))
        note("next: beholden scan")
    except BeholdenError as error:
        note(f"declared, but not readable yet: {error.line()}")
        raise click.exceptions.Exit(error.exit_code) from None
    finally:
        fresh.close()


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
                None if last is None else last.server_version,
                None if last is None else last.error,
            )
        )
    unknown = [Unknown("store", row.store, "never looked at") for row in rows if row.reachable is None]
    emit(output, "stores", rows, _COLUMNS, unknown=unknown)


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
    emit(output, "stores", rows, _COLUMNS)
    if failed:
        raise click.exceptions.Exit(failed)


@store.command()
@click.argument("kind")
def grants(kind: str) -> None:
    """Print the script that makes a least-privilege reader for a KIND of store (postgresql)."""
    from beholden.stores import grants_script

    click.echo(grants_script(kind), nl=False)


def _without_password(url: str) -> str:
    """The URL as it may be shown."""
    scheme, mark, rest = url.partition("://")
    if not mark or "@" not in rest:
        return url
    credentials, _, place = rest.rpartition("@")
    return f"{scheme}://{credentials.partition(':')[0]}@{place}"


_COLUMNS = [
    Column("store", lambda row: row.store),
    Column("url", lambda row: row.url),
    Column("zone", lambda row: row.zone),
    Column("owner", lambda row: row.owner),
    Column("answers", lambda row: row.reachable),
    Column("what", lambda row: row.error or row.version),
]
