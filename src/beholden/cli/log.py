"""``beholden log``: declare access logs and read them into the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli._progress import progress_bar
from beholden.cli._toml import append_table
from beholden.cli.output import Column, emit, note, output_options
from beholden.core.config import LogConfig
from beholden.core.errors import BeholdenError, UsageError
from beholden.core.unknown import Unknown

__all__ = ["log"]


@dataclass(frozen=True, slots=True)
class IngestedFile:
    """The account of one file: ``records == parsed + noise + not_understood``."""

    log: str
    file: str
    format: str
    records: int
    parsed: int
    noise: dict[str, int]
    not_understood: dict[str, int]
    events_new: int
    events_known: int


@dataclass(frozen=True, slots=True)
class FormatRow:
    """A log format that can be read."""

    format: str
    what: str


@click.group()
def log() -> None:
    """Declare access logs and read them into the ledger."""


@log.command()
@output_options
def formats(output: str | None) -> None:
    """The log formats that can be read."""
    from beholden.logs import FORMATS

    rows = [FormatRow(name, text) for name, text in FORMATS.items()]
    emit(output, "log-formats", rows, [Column("format", lambda row: row.format), Column("what", lambda row: row.what)])


@log.command()
@click.argument("name")
@click.option("--format", "format_", required=True, help="See: beholden log formats.")
@click.option("--path", required=True, help="A file or glob, relative to the estate.")
@click.option("--store", help="The store whose accesses it tells.")
@click.option("--server", help="Whose record it is, when several logs hold the same (default: the store).")
@click.option("--time-zone", help="IANA name; for formats that state none.")
@click.option("--mapping", help="A mapping file; for the mapped format.")
@pass_estate
def add(
    estate: Estate,
    *,
    name: str,
    format_: str,
    path: str,
    store: str | None,
    server: str | None,
    time_zone: str | None,
    mapping: str | None,
) -> None:
    """Declare the log NAME in beholden.toml."""
    from beholden.logs import FORMATS

    if format_ not in FORMATS:
        raise UsageError("--format", f"'{format_[:40]}' is unknown", expected=", ".join(FORMATS))
    values = {
        "name": name, "format": format_, "path": path, "store": store, "server": server, "time_zone": time_zone,
        "mapping": mapping,
    }  # fmt: skip
    append_table(estate.directory, "log", values)
    note(f"log {name} declared in beholden.toml; next: beholden log ingest {name}")


@log.command()
@click.argument("names_or_files", nargs=-1)
@click.option("--format", "format_", help="Read the FILES given as this format.")
@click.option("--store", help="The store whose accesses the FILES tell.")
@click.option("--server", help="Whose record the FILES are (default: the store).")
@click.option("--time-zone", help="IANA name; for formats that state none.")
@click.option("--mapping", help="A mapping file; for the mapped format.")
@output_options
@pass_estate
def ingest(
    estate: Estate,
    *,
    names_or_files: tuple[str, ...],
    format_: str | None,
    store: str | None,
    server: str | None,
    time_zone: str | None,
    mapping: str | None,
    output: str | None,
) -> None:
    """Read the declared logs (or those NAMED), or with --format the FILES given, into the ledger.

    Reading a file again adds nothing: every record has an identity of its own. Every record is accounted for.
    """
    if format_ is None:
        logs = _declared(estate, names_or_files)
    else:
        if not names_or_files:
            raise UsageError("log ingest", "--format needs the files to read")
        logs = [
            LogConfig(
                name=Path(file).name,
                format=format_,
                path=str(Path(file).absolute()),
                store=store,
                server=server,
                time_zone=time_zone,
                mapping=None if mapping is None else str(Path(mapping).absolute()),
            )
            for file in names_or_files
        ]
        if store is not None:
            estate.config.store_named(store)
    rows, failures = _ingest(estate, logs)
    emit(
        output,
        "ingested",
        rows,
        _COLUMNS,
        unknown=[
            Unknown("records", row.file, reason, count=n) for row in rows for reason, n in row.not_understood.items()
        ]
        + [Unknown("log", error.where, error.found) for error in failures],
    )
    for error in failures:
        note(f"beholden: {error.line()}")
    if failures:
        raise click.exceptions.Exit(max(error.exit_code for error in failures))


@log.command()
@output_options
@pass_estate
def status(estate: Estate, output: str | None) -> None:
    """Every file read so far and what became of its records."""
    from beholden.state.ingests import ingest_rows

    rows = [
        IngestedFile(
            row.log, row.file, row.format, row.records, row.parsed, row.noise, row.not_understood, row.events_new,
            row.events_known,
        )
        for row in ingest_rows(estate.state)
    ]  # fmt: skip
    emit(output, "ingested", rows, _COLUMNS)


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


def _ingest(estate: Estate, logs: list[LogConfig]) -> tuple[list[IngestedFile], list[BeholdenError]]:
    """Read every file of every log; one that cannot be read is reported and the rest goes on."""
    from beholden.cli._rooms import world
    from beholden.core.times import zone
    from beholden.ledger.ingest import Ingest, LogFile
    from beholden.logs import expand, load_mapping, open_reader

    rows: list[IngestedFile] = []
    failures: list[BeholdenError] = []
    worker = Ingest(
        state=estate.state,
        vault=estate.vault,
        ledger=estate.ledger,
        world=world(estate, [declared.store for declared in logs if declared.store]),
        clock=estate.clock,
    )
    for declared in logs:
        try:
            mapping = None if declared.mapping is None else load_mapping(estate.config.path(declared.mapping))
            reader = open_reader(declared.format, mapping=mapping)
            files = expand(declared.path, estate.directory)
        except BeholdenError as error:
            failures.append(error)
            continue
        time_zone = None if declared.time_zone is None else zone(declared.time_zone)
        source = declared.server or declared.store or declared.name
        for path in files:
            with progress_bar(f"reading {path.name}") as progress:
                file = LogFile(declared.name, path, source, declared.store, time_zone)
                account, error_ = worker.file(file, reader, lambda done, show=progress: show(done, 0, ""))  # type: ignore[misc]
            if error_ is not None:
                failures.append(error_)
            rows.append(
                IngestedFile(
                    declared.name, str(path), declared.format, account.records, account.parsed, dict(account.noise),
                    dict(account.not_understood), account.events_new, account.events_known,
                )
            )  # fmt: skip
    return rows, failures


def _counts(table: dict[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in sorted(table.items(), key=lambda item: -item[1])) or "-"


_COLUMNS = [
    Column("log", lambda row: row.log),
    Column("file", lambda row: Path(row.file).name),
    Column("records", lambda row: row.records, right=True),
    Column("parsed", lambda row: row.parsed, right=True),
    Column("noise", lambda row: _counts(row.noise)),
    Column("not understood", lambda row: _counts(row.not_understood)),
    Column("events new", lambda row: row.events_new, right=True),
    Column("known", lambda row: row.events_known, right=True),
]
