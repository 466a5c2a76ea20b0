"""What people read: consoles of the right width, lines on stderr, and text that no terminal takes for an order."""

from __future__ import annotations

import os
import sys
import unicodedata
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
    r"""``text`` as one line, with control and direction marks shown (``\x1b``) instead of obeyed.

    Names come from stores and logs that others write: they must not steer a terminal, nor look like a line of ours.
    """
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) == "Zs":  # other scripts have spaces of their own
        return character
    return "\\n" if character == "\n" else f"\\x{ord(character):02x}"


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
