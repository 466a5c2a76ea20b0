"""Reading logs into the ledger, file by file; one that cannot be read is reported and the rest goes on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from typing import NamedTuple

from beholden.cli._estate import Estate
from beholden.cli._ingested import IngestedFile
from beholden.cli._progress import progress_bar
from beholden.cli._rooms import world
from beholden.core.config import LogConfig
from beholden.core.errors import BeholdenError, UsageError
from beholden.core.times import zone
from beholden.ledger.ingest import Ingest, LogFile
from beholden.ledger.readings import note_directories
from beholden.logs import Reader, expand, load_mapping, open_reader
from beholden.state.ingests import plain_name

__all__ = ["Ingested", "ingest_logs"]


class Ingested(NamedTuple):
    """What came of a reading: the account of each file, and every error; ``unread`` are those without an account."""

    rows: list[IngestedFile]
    failures: list[BeholdenError]
    unread: list[BeholdenError]


class _Job(NamedTuple):
    """A file to be read, and by which reader."""

    file: LogFile
    reader: Reader


def ingest_logs(estate: Estate, logs: Sequence[LogConfig]) -> Ingested:
    """Read every file of every log; one that cannot be read to its end keeps none of the others from it."""
    rows: list[IngestedFile] = []
    unread: list[BeholdenError] = []
    jobs = _jobs(estate, logs, unread)
    failures = list(unread)
    if not jobs:
        return Ingested(rows, failures, unread)
    worker = Ingest(
        state=estate.state,
        vault=estate.vault,
        ledger=estate.ledger,
        world=world(estate, [job.file.store for job in jobs if job.file.store]),
        clock=estate.clock,
    )
    with progress_bar("reading", unit="files") as progress:
        for done, (file, reader) in enumerate(jobs):

            def show(records: int, done: int = done, name: str = file.path.name) -> None:
                progress(done, len(jobs), f"{name}: {records:,} records")

            show(0)
            account, stopped = worker.file(file, reader, show)
            if stopped is not None:
                failures.append(_named(stopped, file.path))
            rows.append(
                IngestedFile(
                    plain_name(file.log), plain_name(str(file.path)), reader.format, account.records, account.parsed, dict(account.noise),
                    dict(account.not_understood), dict(account.mended), account.events_new, account.events_known,
                )
            )  # fmt: skip
    return Ingested(rows, failures, unread)


def _check_store(declared: LogConfig) -> None:
    """A database's log says nothing of which store it is: read without it, its events would belong to none."""
    if declared.format.startswith("pgaudit") and declared.store is None:
        raise UsageError(f"log {declared.name}", "does not say whose accesses it tells", expected="--store NAME")


def _jobs(estate: Estate, logs: Sequence[LogConfig], failures: list[BeholdenError]) -> list[_Job]:
    """The files there are to read; logs whose settings or files are wrong, and closed directories, join the failures."""
    jobs: list[_Job] = []
    for declared in logs:
        try:
            mapping = None if declared.mapping is None else load_mapping(estate.config.path(declared.mapping))
            reader = open_reader(declared.format, mapping=mapping)
            time_zone: tzinfo | None = None if declared.time_zone is None else zone(declared.time_zone)
            _check_store(declared)
            files, unread = expand(declared.path, estate.directory)
        except BeholdenError as error:
            failures.append(error)
            continue
        failures += unread.values()
        source = declared.server or declared.store or declared.name
        note_directories(
            estate.state, log=declared.name, source=source, format_=reader.format, unread=unread, now=estate.clock()
        )
        jobs += [
            _Job(LogFile(declared.name, path, source, declared.store, time_zone, declared.database), reader)
            for path in files
        ]
    return jobs


def _named(error: BeholdenError, path: Path) -> BeholdenError:
    """The error of a reader, which does not know what its stream is called, with the file in it."""
    if str(path) in error.where:
        return error
    return type(error)(f"{path}: {error.where}", error.found, expected=error.expected, advice=error.advice)
