"""The command line. One module per noun; nothing heavy is imported before a command needs it."""

from __future__ import annotations

import os
import sys

import click

from beholden import __version__
from beholden.cli._lazy import LazyGroup
from beholden.core.errors import BeholdenError

__all__ = ["cli", "main"]

#: Command -> module and attribute, in the order of the help text.
_COMMANDS = {
    "init": "beholden.cli.init:init",
    "demo": "beholden.cli.demo:demo",
    "store": "beholden.cli.store:store",
    "scan": "beholden.cli.scan:scan",
    "map": "beholden.cli.map:map_",
    "log": "beholden.cli.log:log",
    "feed": "beholden.cli.feed:feed",
    "who": "beholden.cli.who:who",
    "watch": "beholden.cli.watch:watch",
    "ledger": "beholden.cli.ledger:ledger",
    "vault": "beholden.cli.vault:vault",
}

_SHORT_HELP = {
    "init": "Make an estate here: beholden.toml and .beholden/.",
    "demo": "Build a small simulated company to try everything on.",
    "store": "Declare data stores, list and test them, print grants.",
    "scan": "Look at every store and classify its fields.",
    "map": "Where personal data lies, outside its zone, not looked at.",
    "log": "Declare access logs and read them into the ledger.",
    "feed": "The company's own records that give accesses their reasons.",
    "who": "Who touched a dataset, a class of data or a person's data.",
    "watch": "Accesses without a reason.",
    "ledger": "The record of accesses: status, seal, verify.",
    "vault": "People's tokens and keys: backup and restore.",
}


@click.group(
    cls=LazyGroup,
    commands_lazy=_COMMANDS,
    help_lazy=_SHORT_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="beholden")
@click.option(
    "--estate",
    "-C",
    "directory",
    metavar="DIR",
    envvar="BEHOLDEN_ESTATE",
    help="The estate's directory (default: the nearest one at or above this directory).",
)
@click.pass_context
def cli(context: click.Context, directory: str | None) -> None:
    """Where customers' data is, who touched it and why, and whether it is gone when it should be."""
    context.obj = directory


def main() -> None:
    """Run the command line; errors become one line on stderr and an exit code of the contract."""
    try:
        code = cli.main(prog_name="beholden", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except BeholdenError as error:
        _fail(error.line(), error.exit_code)
    except click.exceptions.Abort:
        _fail("stopped", 1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _fail("stopped; what was finished is kept", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if os.environ.get("BEHOLDEN_DEBUG") == "1":
            raise
        _fail(
            f"{_place(error)}: unexpected {type(error).__name__}. See the trace with BEHOLDEN_DEBUG=1 (it may show values)",
            1,
        )


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    place = "beholden"
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        if name.startswith("beholden"):
            place = f"{name} line {trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _fail(line: str, code: int) -> None:
    click.echo(f"beholden: {line}", err=True)
    sys.exit(code)
