"""Writes the reference pages that follow from the code: ``python -m beholden.cli.reference docs/reference``.

``cli.md`` is the real help text of every command, ``schemas/<noun>.json`` the JSON Schema of every answer. A test
compares both with what this module makes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import click
import msgspec

from beholden.cli import cli
from beholden.cli.schemas import NOUNS, json_schema

__all__ = ["main", "pages"]

#: What click makes of a terminal of 100 columns or more.
_WIDTH: Final = 98
_HEAD: Final = """\
# The command line

Every command with its own `--help`. Written by `python -m beholden.cli.reference docs/reference`; a test compares it
with the program. Names, exit codes and the form of `--json` and `--csv` are in [the contract](contract.md).

`--estate` stands before the command: `beholden --estate /srv/estate who --actor anna`. Without it, and without the
variable `BEHOLDEN_ESTATE`, the nearest directory at or above the working directory that holds a `beholden.toml` is meant.
"""


def pages() -> Mapping[str, str]:
    """Every generated page: its path below docs/reference and its text."""
    schemas = {
        f"schemas/{noun}.json": msgspec.json.format(msgspec.json.encode(json_schema(noun)), indent=2).decode() + "\n"
        for noun in NOUNS
    }
    return {"cli.md": _HEAD + "".join(_sections()), **schemas}


def _sections() -> Iterator[str]:
    root = _context(cli, "beholden", None)
    for context in (root, *_below(root)):
        name = context.command_path
        yield f"\n## {name}\n\n```text\n$ {name} --help\n{context.get_help().rstrip()}\n```\n"


def _below(context: click.Context) -> Iterator[click.Context]:
    """The commands of a group and theirs, in the order of its help."""
    if not isinstance(context.command, click.Group):
        return
    for name in context.command.list_commands(context):
        command = context.command.get_command(context, name)
        if command is not None:
            below = _context(command, name, context)
            yield below
            yield from _below(below)


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    return command.context_class(
        command, info_name=name, parent=parent, terminal_width=_WIDTH, **command.context_settings
    )


def main(directory: Path) -> None:
    """Write every page below ``directory`` and remove schemas of nouns that are no more."""
    made = pages()
    (directory / "schemas").mkdir(parents=True, exist_ok=True)
    for path in (directory / "schemas").glob("*.json"):
        if f"schemas/{path.name}" not in made:
            path.unlink()
    for name, text in made.items():
        (directory / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
