"""How a command that fails says so: one line on stderr and an exit code of the contract; never a value, never a trace."""

from __future__ import annotations

import os
from typing import Any

import click

from beholden.core.errors import BeholdenError, UsageError

__all__ = ["command_name", "foreign_error", "usage_error"]


def usage_error(error: click.ClickException) -> UsageError:
    """What click refused, in the form of our own errors.

    Click's texts repeat what was typed, which may be a person's identifier; only names of options and arguments and
    what they expect are kept.
    """
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context is not None else "beholden"
    where, advice = command_name(path), f"see: {path} --help"
    if isinstance(error, click.NoSuchOption):
        return UsageError(where, "no such option", expected=" or ".join(error.possibilities or ()), advice=advice)
    if isinstance(error, click.MissingParameter):
        return UsageError(where, f"{_name(error)} is missing", expected=_expected(error.param), advice=advice)
    if isinstance(error, click.BadParameter):
        return UsageError(f"{where} {_name(error)}", "not valid", expected=_expected(error.param), advice=advice)
    if isinstance(error, click.BadOptionUsage):
        found = "a value is missing, or given where none is taken"
        return UsageError(
            error.option_name if context is None else f"{where} {error.option_name}", found, advice=advice
        )
    usage = "" if context is None else " ".join([path, *context.command.collect_usage_pieces(context)])
    return UsageError(where, "the arguments do not fit", expected=usage, advice=advice)


def command_name(path: str) -> str:
    """How an error calls the command of a click path, whose first word every line of ours begins with."""
    return path.partition(" ")[2] or "command line"


def foreign_error(error: Exception) -> BeholdenError:
    """An exception that no room turned into one of ours: where it arose and what kind it is, never its text."""
    if isinstance(error, OSError) and error.errno:
        about = error.filename if isinstance(error.filename, str) else _place(error)
        return BeholdenError(
            about, os.strerror(error.errno).lower(), advice="what was finished is kept; mend it and run it again"
        )
    advice = "this is a defect of beholden; the trace, which may show values, is printed with BEHOLDEN_DEBUG=1"
    return BeholdenError(_place(error), f"unexpected {type(error).__name__}", advice=advice)


def _name(error: click.BadParameter) -> str:
    """The option or argument as a user types it."""
    if error.param is None:
        return "an argument"
    return error.param.opts[0] if isinstance(error.param, click.Option) else error.param.make_metavar(_context(error))


def _context(error: click.BadParameter) -> click.Context:
    return error.ctx or click.get_current_context()


def _expected(param: click.Parameter | None) -> str:
    """What a parameter takes, from its type."""
    kind: Any = param.type if param is not None else None
    if isinstance(kind, click.Choice):
        return "one of " + ", ".join(str(choice) for choice in kind.choices)
    if isinstance(kind, click.IntRange):
        least = "" if kind.min is None else f" from {kind.min}"
        return f"a whole number{least}" + ("" if kind.max is None else f" to {kind.max}")
    if isinstance(kind, click.Path):
        return "a directory" if not kind.file_okay else "a file" if not kind.dir_okay else "a path"
    return {"integer": "a whole number", "float": "a number"}.get(getattr(kind, "name", ""), "")


def _place(error: BaseException) -> str:
    """The innermost line of our own that the exception passed."""
    trace = error.__traceback__
    place = "beholden"
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        if name.partition(".")[0] == "beholden":
            place = f"{name} line {trace.tb_lineno}"
        trace = trace.tb_next
    return place
