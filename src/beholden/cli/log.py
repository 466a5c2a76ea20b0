"""``beholden log``: declare access logs and read them into the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli._ingested import IngestedFile, total_of
from beholden.cli._lazy import Group
from beholden.cli._toml import append_table
from beholden.cli.output import Column, emit, note, output_options
from beholden.core.config import LogConfig
from beholden.core.errors import UsageError
from beholden.core.names import check_store_name
from beholden.core.unknown import Unknown

if TYPE_CHECKING:
    from beholden.state.ingests import IngestRow

__all__ = ["FormatRow", "log"]

#: With more files than this the table has one row for each log.
_FILES_SHOWN_MAX = 8


@dataclass(frozen=True, slots=True)
class FormatRow:
    """A log format that can be read."""

    format: str
    what: str


@click.group(cls=Group)
def log() -> None:
    """Declare access logs and read them into the ledger."""


@log.command()
@output_options
def formats(output: str | None) -> None:
    """The log formats that can be read."""
    from beholden.logs import FORMATS

    rows = [FormatRow(name, text) for name, text in FORMATS.items()]
    columns = [Column("format", lambda row: row.format), Column("what", lambda row: row.what, fold=True)]
    emit(output, "log-formats", rows, columns, empty="")


@log.command()
@click.argument("name")
@click.option("--format", "format_", metavar="FORMAT", required=True, help="See: beholden log formats.")
@click.option("--path", metavar="GLOB", required=True, help="A file or pattern, relative to the estate; quote it.")
@click.option("--store", metavar="NAME", help="The store whose accesses it tells.")
@click.option(
    "--server", metavar="NAME", help="Whose record it is, when several logs hold the same (default: the store)."
)
@click.option(
    "--database", metavar="NAME", help="What the log calls the store's database (default: as the store's url)."
)
@click.option("--time-zone", metavar="ZONE", help="IANA name, for formats that state none.")
@click.option("--mapping", metavar="FILE", help="A mapping file, for the mapped format.")
@pass_estate
def add(
    estate: Estate,
    *,
    name: str,
    format_: str,
    path: str,
    store: str | None,
    server: str | None,
    database: str | None,
    time_zone: str | None,
    mapping: str | None,
) -> None:
    """Declare the log NAME in beholden.toml.

    The mapped format needs a mapping file first, a TOML file that says where in a record of the application's own
    what an event needs is found:

    \b
    [event]
    time = "$.at"
    actor = "$.user.login"
    activity = { path = "$.op", values = { view = "read", edit = "update" }, default = "other" }
    store = "crm"
    dataset = "public.$.table"
    subject = "customer:$.cust_id"
    """  # noqa: D301 - click wants the character itself
    from beholden.cli._log_checks import about_stores
    from beholden.logs import FORMATS, expand, load_mapping

    if format_ not in FORMATS:
        raise UsageError("--format", f"'{format_[:40]}' is unknown", expected=", ".join(FORMATS))
    _check_mapping(format_, mapping)
    if mapping is not None:
        load_mapping(estate.config.path(mapping))
    values = {
        "name": name, "format": format_, "path": path, "store": store, "server": server, "database": database,
        "time_zone": time_zone, "mapping": mapping,
    }  # fmt: skip
    append_table(estate.directory, "log", values)
    note(f"log {name} declared in {estate.directory / 'beholden.toml'}")
    for gap in about_stores(estate, [LogConfig(name=name, format=format_, path=path, store=store, mapping=mapping)]):
        note(f"{gap.kind} {name if gap.kind == 'log' else gap.object}: {gap.reason}")
    files, unread = expand(path, estate.directory)
    for error in unread.values():
        note(error.line())
    note(f"{len(files):,} files so far; next: {estate.command(f'log ingest {name}')}")


@log.command()
@click.argument("names_or_files", nargs=-1, metavar="[NAMES | FILES]...")
@click.option("--format", "format_", metavar="FORMAT", help="Read the FILES given as this format.")
@click.option("--store", metavar="NAME", help="The store whose accesses the FILES tell.")
@click.option("--server", metavar="NAME", help="Whose record the FILES are (default: the store).")
@click.option(
    "--database", metavar="NAME", help="What the FILES call the store's database (default: as the store's url)."
)
@click.option("--time-zone", metavar="ZONE", help="IANA name, for formats that state none.")
@click.option("--mapping", metavar="FILE", help="A mapping file, for the mapped format.")
@click.option("--another-server", is_flag=True, help="Read also what was read before as another server's record.")
@output_options
@pass_estate
def ingest(
    estate: Estate,
    *,
    names_or_files: tuple[str, ...],
    format_: str | None,
    store: str | None,
    server: str | None,
    database: str | None,
    time_zone: str | None,
    mapping: str | None,
    another_server: bool,
    output: str | None,
) -> None:
    """Read the declared logs (or those NAMED), or with --format the FILES given, into the ledger.

    Reading a file again adds nothing: every record has an identity of its own. Every record is accounted for: parsed,
    noise (understood, tells of no access), or not understood. Exit code 4 when a log could not be read to its end, or
    nothing of it was understood; what came before is kept. A file that was read before as the record of another server
    is refused, since each of its events would count twice.

    \b
    beholden log ingest
    beholden log ingest --format pgaudit-csv --store crm /var/log/postgresql/*.csv
    """  # noqa: D301 - click wants the character itself
    from beholden.cli._ingest import ingest_logs
    from beholden.cli._log_checks import (
        about_stores,
        nothing_understood,
        of_other_databases,
        read_as_another,
        without_schema,
    )

    others = {
        "--store": store,
        "--server": server,
        "--database": database,
        "--time-zone": time_zone,
        "--mapping": mapping,
    }
    if format_ is not None:
        if not names_or_files:
            raise UsageError("log ingest", "--format needs the files to read")
        _check_mapping(format_, mapping)
        _check_store(estate, store, format_)
        logs = [
            LogConfig(
                name=Path(file).name, format=format_, path=str(Path(file).absolute()), store=store, server=server,
                database=database, time_zone=time_zone, mapping=None if mapping is None else str(Path(mapping).absolute()),
            )
            for file in names_or_files
        ]  # fmt: skip
    elif any(others.values()):
        given = ", ".join(name for name, value in others.items() if value)
        raise UsageError("log ingest", f"{given} without --format", advice="a declared log's own settings hold")
    else:
        logs = _declared(estate, names_or_files)
    refused = {} if another_server else read_as_another(estate, logs)
    result = ingest_logs(estate, [declared for declared in logs if declared not in refused])
    parsed = {row.log for row in result.rows if row.parsed}
    unread = [*refused.values(), *result.unread]
    failures = [
        *refused.values(), *result.failures, *nothing_understood(result.rows), *without_schema(result.rows)
    ]  # fmt: skip
    unknown = [
        *_not_understood(result.rows),
        *(Unknown("log", error.where, error.found) for error in unread),
        *about_stores(estate, [declared for declared in logs if declared.name in parsed]),
        *of_other_databases(result.rows),
    ]
    emit(output, "ingested", _shown(result.rows, output), _COLUMNS, empty="no log could be read", unknown=unknown)
    for error in failures:
        note(f"beholden: {error.line()}")
    if failures:
        raise click.exceptions.Exit(max(error.exit_code for error in failures))


@log.command()
@output_options
@pass_estate
def status(estate: Estate, output: str | None) -> None:
    """Every file read so far and what became of its records."""
    from beholden.core.times import format_time
    from beholden.state.ingests import ingest_rows

    readings = ingest_rows(estate.state)
    rows = [
        IngestedFile(
            row.log, row.file, row.format, row.records, row.parsed, row.noise, row.not_understood, row.mended,
            row.events_new, row.events_known,
        )
        for row in readings
    ]  # fmt: skip
    stopped = [
        Unknown("log", row.file, "this reading was stopped before its end; read it again", format_time(row.started))
        for row in readings
        if row.unsettled and row.finished is None
    ]
    empty = f"no log was read yet; begin with: {estate.command('log ingest')}"
    unknown = [*_not_understood([row for row in readings if row.unsettled]), *stopped]
    emit(output, "ingested", _shown(rows, output), _COLUMNS, empty=empty, unknown=unknown)


def _declared(estate: Estate, names: tuple[str, ...]) -> list[LogConfig]:
    known = {declared.name: declared for declared in estate.config.log}
    for name in names:
        if name not in known:
            raise UsageError(
                f"log {name}",
                "is not declared",
                expected=f"one of: {', '.join(known) or 'none yet'}",
                advice="for a file that is not declared, give --format and --store",
            )
    if not known:
        raise UsageError("log ingest", "no log is declared", advice="declare one with: beholden log add")
    return [known[name] for name in names] if names else list(known.values())


def _check_mapping(format_: str, mapping: str | None) -> None:
    if format_ == "mapped" and mapping is None:
        raise UsageError(
            "log format mapped", "no mapping", expected="--mapping FILE", advice="see: beholden log add -h"
        )


def _check_store(estate: Estate, store: str | None, format_: str) -> None:
    """A database's statements are understood by its schema; what a log tells in full may be of any store."""
    if store is None:
        return
    if format_ not in ("mapped", "ocsf"):
        estate.config.store_named(store)
    check_store_name(store)


def _not_understood(rows: Sequence[IngestedFile | IngestRow]) -> list[Unknown]:
    return [Unknown("records", row.file, reason, count=n) for row in rows for reason, n in row.not_understood.items()]


def _shown(rows: list[IngestedFile], output: str | None) -> list[IngestedFile]:
    """What a table shows: files, or when they are many a total for each log."""
    if output is not None or len(rows) <= _FILES_SHOWN_MAX:
        return rows
    logs: dict[str, list[IngestedFile]] = {}
    for row in rows:
        logs.setdefault(row.log, []).append(row)
    return [row for files in logs.values() for row in ([total_of(files)] if len(files) > 1 else files)]


def _counts(table: dict[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in sorted(table.items(), key=lambda item: -item[1]))


_COLUMNS = [
    Column("log", lambda row: row.log, fold=True, spare=1),
    Column("file", lambda row: Path(row.file).name, fold=True),
    Column("records", lambda row: row.records, right=True),
    Column("parsed", lambda row: row.parsed, right=True),
    Column("noise", lambda row: _counts(row.noise), fold=True, spare=3),
    Column("not understood", lambda row: _counts(row.not_understood), fold=True, spare=2),
    Column("mended", lambda row: _counts(row.mended), fold=True, spare=4, rare=True),
    Column("events new", lambda row: row.events_new, right=True),
    Column("known", lambda row: row.events_known, right=True),
]
