"""Readers that turn real access logs into raw access events; docs/reference/logs.md describes each format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from beholden.core.errors import ConfigError, UsageError
from beholden.logs._files import beginning, expand, likely_format, open_log
from beholden.logs.mapped import Mapped
from beholden.logs.mapping import Mapping, load_mapping
from beholden.logs.ocsf import Ocsf
from beholden.logs.pgaudit_csv import PgauditCsv
from beholden.logs.pgaudit_json import PgauditJson
from beholden.logs.reader import LogBatch, LogContext, Problem, Reader

__all__ = [
    "FORMATS",
    "LogBatch",
    "LogContext",
    "Mapping",
    "Problem",
    "Reader",
    "beginning",
    "expand",
    "likely_format",
    "load_mapping",
    "open_log",
    "open_reader",
]

#: Every format with one line of description, in the order lists show them.
FORMATS: Final[dict[str, str]] = {
    "pgaudit-csv": "PostgreSQL's CSV log with pgaudit (log_destination = csvlog)",
    "pgaudit-json": "PostgreSQL's JSON log with pgaudit (log_destination = jsonlog, version 15 on)",
    "ocsf": "OCSF records as JSON lines or a JSON array",
    "mapped": "an application's own JSON, CSV, Parquet or Arrow, read by a mapping file",
}

_READERS: Final[dict[str, Callable[[], Reader]]] = {
    "pgaudit-csv": PgauditCsv,
    "pgaudit-json": PgauditJson,
    "ocsf": Ocsf,
}


def open_reader(format: str, *, mapping: Mapping | None = None) -> Reader:  # noqa: A002 - the word of beholden.toml
    """A reader of one format.

    Args:
        format: a key of ``FORMATS``.
        mapping: for ``mapped``, and only there: how the application's records become events.

    Raises:
        UsageError: the format is unknown, or takes no mapping.
        ConfigError: ``mapped`` without a mapping.
    """
    if format not in FORMATS:
        raise UsageError("log format", f"'{format[:40]}' is unknown", expected="one of " + ", ".join(FORMATS))
    if format == "mapped":
        if mapping is None:
            raise ConfigError("log format mapped", "no mapping", expected='mapping = "mappings/NAME.toml"')
        return Mapped(mapping)
    if mapping is not None:
        raise UsageError(f"log format {format}", "takes no mapping", expected='mapping only with format = "mapped"')
    return _READERS[format]()
