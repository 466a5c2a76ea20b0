"""Writes the reference pages that follow from the code: ``python -m beholden.cli.reference docs/reference``.

``cli.md`` is the real help text of every command, ``schemas/<noun>.json`` the JSON Schema of every answer,
``meridian-parameters.md`` the table of what a simulated company is made of. A test compares all with what this module
makes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from beholden.cli import cli
from beholden.cli.schemas import NOUNS, json_schema
from beholden.retailer.parameters import ARGUMENTS, SHARED_OUT, Parameters
from beholden.retailer.parameters.bounds import laws_of, meanings_of
from beholden.retailer.parameters.incidents import IncidentParameters
from beholden.retailer.parameters.presets import OF_PRESETS
from beholden.retailer.parameters.work import WorkParameters

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
_PARAMETERS_HEAD: Final = """\
# Parameters of Meridian

What the simulated company of `beholden demo` is made of ([what it is](../explanation/meridian.md)). Written by
`python -m beholden.cli.reference docs/reference` from `beholden.retailer.parameters`; a test compares it with the program.

`beholden demo --set NAME=VALUE` sets one, as often as you like; values of several parts are written with commas between
them, as the defaults are here (`--set contact_reasons=30,20,12,12,12,8,6`). From Python it is
`build_company(..., changes={"contact_reasons": (30, 20, 12, 12, 12, 8, 6)})`. A value outside its bounds, an unknown
name and values that make no company together are told in one line, and nothing is built. Values can be allowed and the
flows of contacts, agents and views not balance all the same; that is told when the days are made. Preset, scale, seed,
days and end have [options of their own](cli.md).

What ends in `_at_full_scale` is so large at scale 1 and grows with `--scale`. Multiplied by the scale, or by 0.1 where
that is more, it may be no more than a hundred times its default. Together at most 1: TOGETHER.
"""
_SECTIONS: Final[tuple[tuple[str, type], ...]] = (
    ("The company", Parameters), ("Work", WorkParameters), ("Incidents", IncidentParameters),
)  # fmt: skip


def pages() -> Mapping[str, str]:
    """Every generated page: its path below docs/reference and its text."""
    schemas = {
        f"schemas/{noun}.json": msgspec.json.format(msgspec.json.encode(json_schema(noun)), indent=2).decode() + "\n"
        for noun in NOUNS
    }
    return {"cli.md": _HEAD + "".join(_sections()), "meridian-parameters.md": "".join(_parameters()), **schemas}


def _sections() -> Iterator[str]:
    root = _context(cli, "beholden", None)
    for context in (root, *_below(root)):
        name = context.command_path
        yield f"\n## {name}\n\n```text\n$ {name} --help\n{context.get_help().rstrip()}\n```\n"


def _parameters() -> Iterator[str]:
    """The parameters of the simulated company, record by record, a row for each."""
    together = "; ".join(", ".join(f"`{name}`" for name in names) for names in SHARED_OUT)
    yield _PARAMETERS_HEAD.replace("TOGETHER", together)
    defaults = {one.name: one.default for one in fields(Parameters)}
    for title, record in _SECTIONS:
        inherited = {name for base in record.__bases__ for name in getattr(base, "__dataclass_fields__", ())}
        yield f"\n## {title}\n\n| name | default | bounds | meaning |\n|---|---|---|---|\n"
        for one in fields(record):
            if one.name not in inherited and one.name not in ARGUMENTS:
                default = f"`{_typed(defaults[one.name])}`"
                default += "".join(
                    f"; {preset} `{_typed(other[one.name])}`"
                    for preset, other in OF_PRESETS.items()
                    if one.name in other
                )
                bounds, meaning = laws_of(Parameters)[one.name].expected, meanings_of(Parameters)[one.name]
                yield f"| `{one.name}` | {default} | {bounds} | {meaning} |\n"


def _typed(value: Any) -> str:
    """A value as it is typed after ``--set NAME=``."""
    if isinstance(value, tuple):
        if len(value) == 2 and isinstance(value[0], str):
            return f"{value[0]}:{_typed(value[1])}"
        return ",".join(map(_typed, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


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
