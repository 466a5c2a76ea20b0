"""What every list and answer has in common: a table for people, ``--json`` and ``--csv`` for programs.

Data goes to stdout; talk and progress to stderr. The JSON envelope is the contract's:
``{"schema": "beholden.<noun>/1", "items": [...], "truncated": false, "unknown": [...]}``.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from beholden.core.unknown import Unknown

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Column", "Output", "emit", "note", "output_options", "talk"]

F = TypeVar("F", bound=Callable[..., Any])
Output = str  # "table", "json" or "csv"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table people see: its heading and how a row shows in it."""

    heading: str
    show: Callable[[Any], object]
    right: bool = False


def output_options(command: F) -> F:
    """Add ``--json`` and ``--csv``; the command receives ``output``."""
    for flag, text in (("csv", "Comma-separated rows on stdout."), ("json", "JSON on stdout.")):
        command = click.option(f"--{flag}", "output", flag_value=flag, default=None, help=text)(command)
    return command


def emit(
    output: str | None,
    noun: str,
    items: Sequence[Any],
    columns: Sequence[Column],
    *,
    title: str = "",
    unknown: Sequence[Unknown] = (),
    truncated: bool = False,
) -> None:
    """Write ``items`` (frozen records) as asked for.

    Args:
        output: ``json``, ``csv`` or None for a table.
        noun: the schema's noun: ``beholden.<noun>/1``.
        items: records of one type; their fields are the keys of JSON and the columns of CSV.
        columns: what the table shows.
        title: a line above the table.
        unknown: what this answer cannot say; always shown.
        truncated: whether a limit cut the answer.
    """
    if output == "json":
        envelope = {"schema": f"beholden.{noun}/1", "items": items, "truncated": truncated, "unknown": unknown}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(envelope)).decode() + "\n")
        return
    if output == "csv":
        _csv(items)
    else:
        _table(items, columns, title)
    for gap in unknown:
        note(f"unknown: {gap.line()}")
    if truncated:
        note("the answer is truncated")


def _csv(items: Sequence[Any]) -> None:
    rows = [msgspec.to_builtins(item) for item in items]
    if not rows:
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(rows[0].keys())
    writer.writerows([_cell(value) for value in row.values()] for row in rows)


def _cell(value: object) -> object:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return " ".join(value)
    if isinstance(value, list | Mapping):
        return msgspec.json.encode(value).decode()
    return value


def _table(items: Sequence[Any], columns: Sequence[Column], title: str) -> None:
    from rich.table import Table

    console = talk(sys.stdout)
    if not items:
        console.print(f"{title}: nothing" if title else "nothing", highlight=False)
        return
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.heading, justify="right" if column.right else "left", overflow="fold")
    for item in items:
        table.add_row(*(_shown(column.show(item)) for column in columns))
    console.print(table)


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value) or "-"
    from rich.markup import escape

    return escape(str(value))


def talk(stream: Any = None) -> Console:
    """A console for people: stderr unless told otherwise; wide enough when it is not a terminal."""
    from rich.console import Console

    stream = stream or sys.stderr
    return Console(file=stream, width=None if stream.isatty() else 160, soft_wrap=False, highlight=False)


def note(text: str) -> None:
    """A line of talk on stderr."""
    click.echo(text, err=True)
