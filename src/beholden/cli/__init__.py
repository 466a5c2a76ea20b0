"""The command line. One module per noun; nothing heavy is imported before a command needs it."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Final, NoReturn

import click

from beholden import __version__
from beholden.cli._failure import foreign_error, usage_error
from beholden.cli._lazy import LazyGroup
from beholden.cli._talk import note
from beholden.core.errors import BeholdenError, UsageError

__all__ = ["cli", "main"]

#: As a shell reports a program that Control-C stopped.
_INTERRUPTED: Final = 130
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
    "upgrade": "beholden.cli.upgrade:upgrade",
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
    "ledger": "The record of accesses: status, seal, verify, prove, prune, hold.",
    "vault": "People's tokens and keys: backup and restore.",
    "upgrade": "Which formats state, vault and ledger have, and what this version needs.",
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
    show_envvar=True,
    help="The estate's directory (default: the nearest one at or above this directory).",
)
@click.pass_context
def cli(context: click.Context, directory: str | None) -> None:
    """Where customers' data is, who touched it and why, and whether it is gone when it should be.

    To try it: beholden demo. With data of your own: beholden init, store add, scan, map where; then log ingest, who.
    """
    context.obj = directory


def _prepare_streams() -> None:
    """Let nothing about stdout and stderr stop a command: a closed one, or a name that is no text."""
    if sys.stdout is None or sys.stderr is None:  # started with a closed one: as if nobody listened
        nobody = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
        sys.stdout, sys.stderr = sys.stdout or nobody, sys.stderr or nobody
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file's name need not be text: show it rather than stop
            stream.reconfigure(errors="backslashreplace")


def main() -> None:
    """Run the command line; errors become one line on stderr and an exit code of the contract."""
    _prepare_streams()
    try:
        code = cli.main(prog_name="beholden", standalone_mode=False)
        sys.stdout.flush()
    except BeholdenError as error:
        _fail(error.line(), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _fail(usage_error(error).line(), UsageError.exit_code)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _fail("stopped; what was finished is kept", _INTERRUPTED)
    except BrokenPipeError:  # who read our output wants no more of it
        _drop_output()
        sys.exit(1)
    except Exception as error:
        if os.environ.get("BEHOLDEN_DEBUG") == "1":
            raise
        _fail(foreign_error(error).line(), 1)
    sys.exit(code if isinstance(code, int) else 0)


def _drop_output() -> None:
    """Send what is still buffered nowhere: Python would try again at the end, and end with a code of its own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(line: str, code: int) -> NoReturn:
    try:
        sys.stdout.flush()
    except OSError:
        _drop_output()
    note(f"beholden: {line}")
    sys.exit(code)
