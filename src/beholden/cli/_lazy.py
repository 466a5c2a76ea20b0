"""Click groups that suggest what was meant, and one that imports a command's module only when it runs."""

from __future__ import annotations

import difflib
import importlib
from typing import Any

import click

from beholden.cli._failure import command_name
from beholden.core.errors import UsageError

__all__ = ["Group", "LazyGroup"]


class Group(click.Group):
    """A group of commands in their order; an unknown one is refused in one line that names those that are near."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order in which they were declared: the order of use."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that ``args`` begin with. What was typed is not repeated: it may be anything."""
        if args[0].startswith("-") or self.get_command(ctx, args[0]) is not None:
            return super().resolve_command(ctx, args)
        known = self.list_commands(ctx)
        near = difflib.get_close_matches(args[0], known, cutoff=0.5)
        raise UsageError(
            command_name(ctx.command_path),
            "no such command",
            expected=f"one of {', '.join(known)}",
            advice=f"did you mean: {ctx.command_path} {' or '.join(near)}"
            if near
            else f"see: {ctx.command_path} --help",
        )


class LazyGroup(Group):
    """Lists commands from a table of names and short helps; loads one on use.

    Args:
        commands_lazy: command name -> ``module:attribute``.
        help_lazy: command name -> its line in the group's help.
    """

    def __init__(self, *args: Any, commands_lazy: dict[str, str], help_lazy: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = commands_lazy
        self._help = help_lazy

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order of the table."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import and return the command, or None where there is none of that name."""
        target = self._lazy.get(cmd_name)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._help[name]) for name in self._lazy])
