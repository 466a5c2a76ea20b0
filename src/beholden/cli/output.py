"""What every list and answer has in common: a table for people, ``--json`` and ``--csv`` for programs.

Data goes to stdout; talk and progress to stderr. The JSON envelope is the contract's:
``{"schema": "beholden.<noun>/1", "items": [...], "truncated": false, "unknown": [...]}``.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import click
import msgspec

from beholden.cli._table import Column, write_table
from beholden.cli._talk import note, printable
from beholden.cli.schemas import column_names, record_type
from beholden.core.errors import LimitError
from beholden.core.unknown import Unknown

__all__ = ["Column", "Output", "emit", "note", "output_options", "write_table"]

F = TypeVar("F", bound=Callable[..., Any])
Output = str  # "json" or "csv"; None is a table

#: Lines about gaps; --json has all of them.
UNKNOWN_SHOWN_MAX: Final = 20
#: So many gaps of one kind and reason are one line.
_ALIKE_MIN: Final = 4
#: Where a spreadsheet takes text for a formula: at the begin of a cell, or behind a semicolon, which many split at too.
_FORMULA: Final = re.compile(r"(?:^|(?<=;))(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
#: Control and direction marks that JSON may hold as they are; it escapes the others itself.
_UNSEEN: Final = re.compile(r"[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


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
        sys.stdout.write(_json(msgspec.json.format(msgspec.json.encode(envelope))) + "\n")
    else:
        if output == "csv":
            _csv(noun, items)
        elif items:
            write_table(items, columns)
        else:
            click.echo(printable(f"{empty}; what is not known follows" if unknown else empty))
        _say_unknown(unknown)
    if output is None:
        for line in after:
            note(line)
    if truncated:
        raise LimitError("answer", f"cut after {len(items):,} rows", advice="raise --limit, or ask for less")


def _json(encoded: bytes) -> str:
    """JSON as text that no terminal obeys: what JSON lets stand as it is goes into an escape that means the same."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", encoded.decode())


def _say_unknown(unknown: Sequence[Unknown]) -> None:
    lines = _grouped(unknown)
    for line in lines[:UNKNOWN_SHOWN_MAX]:
        note(f"unknown: {line}")
    if len(lines) > UNKNOWN_SHOWN_MAX:
        note(f"unknown: and {len(lines) - UNKNOWN_SHOWN_MAX:,} more: use --json")


def _grouped(unknown: Sequence[Unknown]) -> list[str]:
    """A line for each gap, or for many of one kind and reason together, in the order of the first of them."""
    by_reason: dict[tuple[str, str], list[Unknown]] = {}
    for gap in unknown:
        by_reason.setdefault((gap.kind, gap.reason), []).append(gap)
    lines = []
    for (kind, reason), gaps in by_reason.items():
        if len(gaps) < _ALIKE_MIN:
            lines += [gap.line() for gap in gaps]
            continue
        counts = [gap.count for gap in gaps if gap.count is not None]
        total = f" ({sum(counts):,})" if counts else ""
        lines.append(f"{len(gaps):,} of kind {kind}, such as {gaps[0].object}, {gaps[1].object}: {reason}{total}")
    return lines


def _csv(noun: str, items: Sequence[Any]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(column_names(noun))
    for item in items:
        writer.writerow([_cell(value) for value in msgspec.to_builtins(item).values()])


def _cell(value: object) -> object:
    """None is empty, true and false as in JSON, lists of text joined by semicolons, what is nested as JSON.

    Text is whatever somebody wrote into a store or a log. What a spreadsheet would run is made text by an apostrophe
    before it, what a terminal would obey is shown (see `printable`); numbers are numbers, and JSON is exact.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        value = ";".join(value)
    if isinstance(value, list | tuple | dict):
        return _json(msgspec.json.encode(value))
    return _FORMULA.sub("'", printable(value)) if isinstance(value, str) else value
