"""What every list and answer has in common: a table for people, ``--json`` and ``--csv`` for programs.

Data goes to stdout; talk and progress to stderr. The JSON envelope is the contract's:
``{"schema": "beholden.<noun>/1", "items": [...], "truncated": false, "unknown": [...]}``.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import click
import msgspec

from beholden.cli._table import Column, write_table
from beholden.cli._talk import note
from beholden.cli.schemas import column_names, record_type
from beholden.core.errors import LimitError
from beholden.core.unknown import Unknown

__all__ = ["Column", "Output", "emit", "note", "output_options", "write_table"]

F = TypeVar("F", bound=Callable[..., Any])
Output = str  # "json" or "csv"; None is a table

#: Gaps written out one by one; --json has all of them.
UNKNOWN_SHOWN_MAX: Final = 20


def output_options(command: F) -> F:
    """Add ``--json`` and ``--csv``; the command receives ``output``."""
    for flag, text in (("csv", "Comma-separated rows on stdout."), ("json", "JSON on stdout.")):
        command = click.option(f"--{flag}", "output", flag_value=flag, default=None, help=text)(command)
    return command


def emit(
    output: Output | None,
    noun: str,
    items: Sequence[Any],
    columns: Sequence[Column],
    *,
    empty: str,
    unknown: Sequence[Unknown] = (),
    truncated: bool = False,
    after: Sequence[str] = (),
) -> None:
    """Write ``items`` as asked for. An answer that a limit cut ends the command with exit code 4.

    Args:
        output: ``json``, ``csv`` or None for a table.
        noun: the schema's noun; it and the type of the items are registered in `beholden.cli.schemas`.
        items: records of one type; their fields are the keys of JSON and the columns of CSV.
        columns: what the table shows.
        empty: what the table says when there are no items: what was looked for.
        unknown: what this answer cannot say; always shown.
        truncated: whether a limit cut the answer.
        after: lines of talk that follow a table.
    """
    kind = record_type(noun)
    if items and type(items[0]) is not kind:
        raise TypeError(noun)
    if output == "json":
        envelope = {"schema": f"beholden.{noun}/1", "items": items, "truncated": truncated, "unknown": unknown}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(envelope)).decode() + "\n")
    else:
        if output == "csv":
            _csv(noun, items)
        elif items:
            write_table(items, columns)
        else:
            click.echo(f"{empty}; what is not known follows" if unknown else empty)
        _say_unknown(unknown)
    if output is None:
        for line in after:
            note(line)
    if truncated:
        raise LimitError("answer", f"cut after {len(items):,} rows", advice="raise --limit, or ask for less")


def _say_unknown(unknown: Sequence[Unknown]) -> None:
    for gap in unknown[:UNKNOWN_SHOWN_MAX]:
        note(f"unknown: {gap.line()}")
    if len(unknown) > UNKNOWN_SHOWN_MAX:
        note(f"unknown: and {len(unknown) - UNKNOWN_SHOWN_MAX:,} more: use --json")


def _csv(noun: str, items: Sequence[Any]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(column_names(noun))
    for item in items:
        writer.writerow([_cell(value) for value in msgspec.to_builtins(item).values()])


def _cell(value: object) -> object:
    """None is empty, true and false as in JSON, lists of text joined by semicolons, what is nested as JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        return ";".join(value)
    if isinstance(value, list | tuple | dict):
        return msgspec.json.encode(value).decode()
    return value
