"""Tables for people: no name of what a row is about and no number is ever left out or cut, however narrow the terminal.

Where there is no room, in this order: long names go on below themselves; columns that can be spared leave the table,
numbers among them for a line of their own below each row, text for a line on stderr that names it; and when what
cannot be spared does not fit either, every row is written as a record, one field a line.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from beholden.cli._talk import console, note, printable

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Column", "write_table"]

#: A column that may fold is never made narrower than this, unless its content is.
_FOLDED_MIN: Final = 16
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
        spare: 0 always has its column; of the others the highest goes first where there is no room.
        rare: left out where no row has anything in it.
    """

    heading: str
    show: Callable[[Any], object]
    right: bool = False
    fold: bool = False
    spare: int = 0
    rare: bool = False


@dataclass(frozen=True, slots=True)
class _Shown:
    """A column and the text of each of its cells; ``least`` is the width below which it cannot be read."""

    column: Column
    cells: list[str]
    widest: int
    least: int

    @property
    def says(self) -> bool:
        """Whether any row has something in it."""
        return any(cell != _NOTHING for cell in self.cells)


def write_table(items: Sequence[Any], columns: Sequence[Column]) -> None:
    """Write rows to stdout, columns apart by two spaces, or as records; text left out is named on stderr."""
    out = console(sys.stdout)
    shown = [_shown(column, items) for column in columns]
    shown = [one for one in shown if one.says or not one.column.rare]
    kept, aside = _fitting(shown, out.width)
    fits = _width([one.least for one in kept]) <= out.width
    lines = _table(kept, [one for one in aside if one.column.right], out) if fits else _records(shown, out)
    for line in lines:
        click.echo(line)
    unsaid = [one.column.heading for one in aside if fits and not one.column.right]
    if unsaid:
        note(f"no room for: {', '.join(unsaid)} (a wider terminal, --csv or --json shows them)")


def _shown(column: Column, items: Sequence[Any]) -> _Shown:
    from rich.cells import cell_len

    cells = [_text(column.show(item)) for item in items]
    content = max(map(cell_len, cells), default=0)
    least = min(content, _FOLDED_MIN) if column.fold else content
    return _Shown(column, cells, max(len(column.heading), content), max(len(column.heading), least))


def _fitting(shown: list[_Shown], width: int) -> tuple[list[_Shown], list[_Shown]]:
    """The columns that fit, and those that do not although they say something."""
    kept = list(shown)
    while _width([one.least for one in kept]) > width:
        first = max(kept, key=lambda one: (one.column.spare > 0 and not one.says, one.column.spare))
        if not first.column.spare:
            break
        kept = [one for one in kept if one is not first]
    return kept, [one for one in shown if one.says and not any(one is other for other in kept)]


def _width(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _table(kept: list[_Shown], aside: list[_Shown], out: Console) -> Iterator[str]:
    widths = _widths(kept, out.width)
    yield click.style(_line([one.column.heading for one in kept], kept, widths), bold=True)
    for i in range(len(kept[0].cells)):
        cells = [_folded(one.cells[i], width, out) for one, width in zip(kept, widths, strict=True)]
        for j in range(max(map(len, cells))):
            yield _line([cell[j] if j < len(cell) else "" for cell in cells], kept, widths)
        numbers = [f"{one.column.heading} {one.cells[i]}" for one in aside if one.cells[i] != _NOTHING]
        yield from ("  " + line for line in _folded(", ".join(numbers), out.width - 2, out) if numbers)


def _widths(kept: list[_Shown], width: int) -> list[int]:
    """Folding columns as wide as there is room for, the widest narrowed first."""
    cap = width
    widths = [one.widest for one in kept]
    while _width(widths) > width and cap > 0:
        cap -= 1
        widths = [max(one.least, min(one.widest, cap)) if one.column.fold else one.widest for one in kept]
    return widths


def _line(cells: Sequence[str], kept: Sequence[_Shown], widths: Sequence[int]) -> str:
    from rich.cells import cell_len

    padded = []
    for cell, one, width in zip(cells, kept, widths, strict=True):
        blank = " " * (width - cell_len(cell))
        padded.append(blank + cell if one.column.right else cell + blank)
    return (" " * _GAP).join(padded).rstrip()


def _records(shown: list[_Shown], out: Console) -> Iterator[str]:
    """One field a line; what is too long for the rest of its line goes on below."""
    from rich.cells import cell_len

    label_width = max(len(one.column.heading) for one in shown)
    room = out.width - label_width - _GAP
    for i in range(len(shown[0].cells)):
        if i:
            yield ""
        for one in shown:
            cell, label = one.cells[i], one.column.heading.ljust(label_width + _GAP)
            if one.column.rare and cell == _NOTHING:
                continue
            if cell_len(cell) > room and not one.column.fold:  # a time is not torn apart
                yield label.rstrip()
                yield from (" " * _GAP + line for line in _folded(cell, out.width - _GAP, out))
                continue
            first, *more = _folded(cell, room, out)
            yield click.style(label, bold=True) + first
            yield from (" " * len(label) + line for line in more)


def _folded(cell: str, width: int, out: Console) -> list[str]:
    """The text in lines of at most that width, broken between words where there are any."""
    from rich.cells import cell_len
    from rich.text import Text

    if cell_len(cell) <= width:
        return [cell]
    return [line.plain.rstrip() for line in Text(cell).wrap(out, width, overflow="fold")]


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
    return printable(str(value)) or _NOTHING
