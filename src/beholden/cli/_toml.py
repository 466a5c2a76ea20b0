"""Adding a table to ``beholden.toml`` without disturbing what people wrote there."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from beholden.core.config_file import FILE_NAME, parse_config
from beholden.core.errors import NotFoundError, ReadOnlyError

__all__ = ["append_table", "write_whole"]


def append_table(directory: Path, section: str, values: Mapping[str, object]) -> None:
    """Append ``[[section]]`` with the values that are not None.

    The whole text is validated first and replaced in one step: the file is either as it was or complete. Two commands
    at once take turns. Raises `ConfigError` when the new table is not valid (a name declared twice, for example),
    `ReadOnlyError` when the file may not be changed.
    """
    path = directory / FILE_NAME
    lines = [f"{key} = {_literal(value)}" for key, value in values.items() if value is not None]
    try:
        with _alone(directory):
            text = path.read_text(encoding="utf-8").rstrip("\n") + f"\n\n[[{section}]]\n" + "\n".join(lines) + "\n"
            parse_config(text, directory)
            write_whole(path, text)
    except OSError as error:
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise ReadOnlyError(str(path)) from None
        raise NotFoundError(str(path), f"cannot be changed ({error.strerror})") from None


def write_whole(path: Path, text: str) -> None:
    """Write a small file in one step: when it fails with an `OSError`, what was there is untouched."""
    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Keep other commands from changing the file meanwhile; the lock is on the directory, which stays the same."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _literal(value: object) -> str:
    """A TOML literal; JSON's strings, numbers and arrays of strings are valid TOML."""
    return msgspec.json.encode(value).decode()
