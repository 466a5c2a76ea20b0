"""What is to be said of logs before and after they are read: what would count twice, what nobody could ask for."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from beholden.cli._estate import Estate
from beholden.cli._ingested import IngestedFile
from beholden.core.config import LogConfig
from beholden.core.errors import BeholdenError, SourceError, UsageError
from beholden.core.unknown import Unknown
from beholden.ledger.databases import ANOTHER_DATABASE
from beholden.ledger.ingest import NO_SCHEMA
from beholden.ledger.readings import lies_still
from beholden.logs import FORMATS, expand, likely_format, load_mapping
from beholden.state.ingests import IngestRow, ingest_rows

__all__ = ["about_stores", "nothing_understood", "read_as_another"]


def read_as_another(estate: Estate, logs: Sequence[LogConfig]) -> dict[LogConfig, UsageError]:
    """Logs with a file that was read as another server's record and never as this one's; and what to say.

    The server is part of what makes a record itself, so the ledger cannot tell that its events would count twice. What
    can be told is a path that begins as the file did that was read from it, and one that two of these logs hold.
    """
    before: dict[str, list[IngestRow]] = defaultdict(list)
    for row in ingest_rows(estate.state):
        if row.events_new or row.events_known:
            before[os.path.realpath(row.file)].append(row)
    mappings = {declared.name: declared.mapping for declared in (*estate.config.log, *logs)}
    found: dict[LogConfig, UsageError] = {}
    taken: dict[tuple[str, str | None], str] = {}
    for declared in logs:
        server = declared.server or declared.store or declared.name
        for path in map(os.path.realpath, _files(declared, estate.directory)):
            # One file may tell two things, each by a mapping of its own.
            readings = [
                row for row in before.get(path, []) if mappings.get(row.log, declared.mapping) == declared.mapping
            ]
            as_this = any(row.source == server for row in readings)
            other = next((row.source for row in readings if not as_this and lies_still(row, estate.vault)), None)
            other = taken.setdefault((path, declared.mapping), server) if other is None else other
            if other != server:
                found[declared] = _refusal(Path(path), other, server)
                break
    return found


def about_stores(estate: Estate, logs: Sequence[LogConfig]) -> list[Unknown]:
    """Logs whose events belong to no store, so that nobody can ask for a dataset of theirs, or to one not declared."""
    declared_stores = {store.name for store in estate.config.store}
    given = dict.fromkeys(log.store for log in logs if log.store is not None and log.store not in declared_stores)
    reason = "is not declared; accesses are on record under this name, and no statement could be looked into"
    undeclared = [Unknown("store", name, reason) for name in given]
    found: dict[str, None] = {}
    for declared in logs:
        try:
            mapping = None if declared.mapping is None else load_mapping(estate.config.path(declared.mapping))
        except BeholdenError:  # reading says so
            continue
        states_store = mapping is not None and "store" in mapping.columns
        if declared.store is None and not states_store and declared.format in ("ocsf", "mapped"):
            found[declared.name if declared in estate.config.log else declared.mapping or declared.format] = None
    reason = "names no store, so who --dataset finds none of its accesses; give --store, or store in the mapping"
    return undeclared + [Unknown("log", name, reason) for name in found]


def nothing_understood(rows: Sequence[IngestedFile]) -> list[SourceError]:
    """Files with records of which not one was understood; those at which reading stopped have said so already."""
    found = []
    for row in rows:
        stopped = any(reason == NO_SCHEMA or reason.startswith("reading stopped") for reason in row.not_understood)
        if stopped or not row.not_understood or row.parsed or row.noise:
            continue
        reason = max(row.not_understood, key=lambda reason: row.not_understood[reason])
        looks = likely_format(Path(row.file))
        other = looks not in (None, row.format) and not (looks == "JSON" and row.format == "mapped")
        found.append(
            SourceError(
                row.file,
                f"not one of its {row.records:,} records could be read as {row.format} ({reason})"
                + (f"; it looks like {looks}" if other else ""),
                advice=f"read it with --format {looks}" if other and looks in FORMATS else "see: beholden log formats",
            )
        )
    return found


def without_schema(rows: Sequence[IngestedFile]) -> list[SourceError]:
    """Files with statements that could not be looked into, because their store was never scanned and is out of reach."""
    return [
        SourceError(
            row.file, f"{count:,} of its records tell of a store whose schema is not known",
            advice="scan the store, then read the log again",
        )
        for row in rows
        if (count := row.not_understood.get(NO_SCHEMA, 0))
    ]  # fmt: skip


def of_other_databases(rows: Sequence[IngestedFile]) -> list[Unknown]:
    """Files in which only other databases occur than the one that is said to be the store's."""
    reason = "all its records are of other databases than the store's; see --database"
    return [
        Unknown("log", row.file, reason, count=count)
        for row in rows
        if not row.parsed and (count := row.noise.get(ANOTHER_DATABASE, 0))
    ]


def _files(declared: LogConfig, root: Path) -> list[Path]:
    try:
        return expand(declared.path, root).files
    except BeholdenError:  # reading will say so
        return []


def _refusal(path: Path, before: str, server: str) -> UsageError:
    return UsageError(
        f"log file {path}",
        f"is read as the record of '{before}'; as that of '{server}' its events would count twice",
        expected=f"'{before}' as --server, or as server of the [[log]]",
        advice="if that is meant, give --another-server",
    )
