"""Tables for people: as many columns as there is room for, the most telling first, and nothing cut within a cell."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import click

from beholden.cli._talk import console, note, printable

__all__ = ["Column", "write_table"]

#: A column that may fold is never made narrower than this, unless its content is.
_FOLDED_MIN: Final = 18
_GAP: Final = 2
_NOTHING: Final = "-"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table people see.

    Attributes:
        heading: what stands above it.
        show: how a row shows in it.
        right: aligned to the right: numbers.
        fold: long text, which may go on below itself; numbers and times never do.
        spare: 0 is always shown; of the others the highest goes first where there is no room.
        rare: left out where no row has anything in it.
    """

    heading: str
    show: Callable[[Any], object]
    right: bool = False
    fold: bool = False
    spare: int = 0
    rare: bool = False


def write_table(items: Sequence[Any], columns: Sequence[Column]) -> None:
    """Write rows to stdout, columns apart by two spaces; what there is no room for is named on stderr."""
    from rich.table import Table
    from rich.text import Text

    out = console(sys.stdout)
    shown = [(column, [_text(column.show(item)) for item in items]) for column in columns]
    kept, left_out = _fitting(shown, out.width)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for column, _ in kept:
        table.add_column(
            column.heading, justify="right" if column.right else "left", overflow="fold", no_wrap=not column.fold
        )
    for row in zip(*(cells for _, cells in kept), strict=True):
        table.add_row(*(Text(cell) for cell in row))
    with out.capture() as captured:
        out.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))
    if left_out:
        note(f"no room for: {', '.join(left_out)} (a wider terminal, --csv or --json shows them)")


def _fitting(shown: list[tuple[Column, list[str]]], width: int) -> tuple[list[tuple[Column, list[str]]], list[str]]:
    """The columns that fit, and the headings of those that are left out although they say something."""
    kept, left_out = [pair for pair in shown if not pair[0].rare or _says(pair[1])], list[str]()
    while sum(_least(column, cells) + _GAP for column, cells in kept) - _GAP > width:
        column, cells = max(kept, key=lambda pair: (pair[0].spare > 0 and not _says(pair[1]), pair[0].spare))
        if not column.spare:
            break
        kept.remove((column, cells))
        if _says(cells):
            left_out.insert(0, column.heading)
    return kept, left_out


def _says(cells: list[str]) -> bool:
    return any(cell != _NOTHING for cell in cells)


def _least(column: Column, cells: list[str]) -> int:
    """The width below which a column cannot be read."""
    from rich.cells import cell_len

    widest = max(map(cell_len, cells), default=0)
    return max(len(column.heading), min(widest, _FOLDED_MIN) if column.fold else widest)


def _text(value: object) -> str:
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, list | tuple):
        value = ", ".join(str(part) for part in value)
    return printable(str(value)).replace("\n", "\\n") or _NOTHING
