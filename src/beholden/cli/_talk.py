"""What people read: consoles of the right width, lines on stderr, and text that no terminal takes for an order."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["console", "note", "printable"]

#: Characters of a line that goes to a file or a pipe, unless COLUMNS says otherwise.
_WIDTH: Final = 160
_WIDTH_MIN: Final = 40


def note(text: str) -> None:
    """A line of talk on stderr."""
    click.echo(printable(text), err=True)


def printable(text: str) -> str:
    """``text`` with control and direction marks shown instead of obeyed: names come from logs that others write."""
    if text.isprintable():
        return text
    return "".join(part if part.isprintable() or part == "\n" else f"\\x{ord(part):02x}" for part in text)


def console(stream: Any = None) -> Console:
    """A console on ``stream``, stderr unless told otherwise."""
    from rich.console import Console

    stream = stream or sys.stderr
    return Console(file=stream, width=_width(stream), highlight=False)


def _width(stream: Any) -> int:
    stated = os.environ.get("COLUMNS", "")
    try:
        columns = int(stated) if stated.isdecimal() else os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return max(_WIDTH_MIN, columns) if columns else _WIDTH  # a terminal that does not know its width says 0
