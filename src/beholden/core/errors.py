"""One family of errors; each names the object, what was expected, what was found and what to do next.

The command line prints an error as one line and ends with its exit code. No personal value may appear in any
part: callers pass names of stores, files and fields, never what stands in them. Foreign exceptions stop at the
connector that met them, since their texts quote values.
"""

from __future__ import annotations

__all__ = [
    "BeholdenError",
    "ConfigError",
    "IntegrityError",
    "LimitError",
    "NotFoundError",
    "ReadOnlyError",
    "SourceError",
    "UsageError",
]


class BeholdenError(Exception):
    """Something could not be done. ``exit_code`` follows the contract (1 failed).

    Args:
        where: the object concerned, e.g. ``store crm`` or ``beholden.toml line 7``.
        found: what was found there.
        expected: what should have been there; may be empty.
        advice: the next step for the reader; may be empty.
    """

    exit_code = 1

    def __init__(self, where: str, found: str, *, expected: str = "", advice: str = "") -> None:
        self.where = where
        self.found = found
        self.expected = expected
        self.advice = advice
        super().__init__(self.line())

    def line(self) -> str:
        """The error as one line of text."""
        text = f"{self.where}: {self.found}"
        if self.expected:
            text += f"; expected {self.expected}"
        if self.advice:
            text += f". {self.advice[0].upper()}{self.advice[1:]}"
        return " ".join(text.split())


class UsageError(BeholdenError):
    """What was asked makes no sense: a malformed name, an unknown option value. Exit code 2."""

    exit_code = 2


class ConfigError(UsageError):
    """``beholden.toml`` or a mapping file is not valid. Exit code 2."""


class NotFoundError(BeholdenError):
    """An object was named that is not there: an estate, a store, a file. Exit code 1."""


class ReadOnlyError(BeholdenError):
    """Something was to be changed that can only be read: its rights, or its disk. Nothing was changed. Exit code 1."""

    def __init__(self, where: str, found: str = "cannot be written to") -> None:
        advice = "nothing was changed. Use its owner's rights, or a copy where it can be written"
        super().__init__(where, found, advice=advice)


class SourceError(BeholdenError):
    """A declared source could not be read. Exit code 4."""

    exit_code = 4


class LimitError(SourceError):
    """A stated limit of size, time or count was reached and the answer is truncated. Exit code 4."""


class IntegrityError(BeholdenError):
    """The record disagrees with itself. Exit code 5."""

    exit_code = 5
