"""The directory a company is written to: a half-made one is recognisable, and nothing foreign is touched."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from beholden.core.errors import BeholdenError, UsageError

__all__ = ["DIRECTORIES", "MARKER", "fresh_directory"]

#: Stands in the directory from the first byte written until the last.
MARKER: Final = "INCOMPLETE"
_MARKER_TEXT: Final = "A simulated company that was not finished. Building it again here replaces it.\n"
DIRECTORIES: Final = ("stores", "exports", "logs", "mappings", "feeds", "truth")
_FILES: Final = ("beholden.toml", MARKER)


@contextmanager
def fresh_directory(directory: Path) -> Iterator[None]:
    """Make the directory, mark it unfinished, and take the mark away when the context ends well.

    Raises:
        UsageError: it holds something else than an unfinished company, or is no directory.
        BeholdenError: it cannot be written to; what was written stays marked as unfinished.
    """
    try:
        _clear(directory)
        (directory / MARKER).write_text(_MARKER_TEXT, encoding="utf-8")
        for name in DIRECTORIES:
            (directory / name).mkdir()
        yield
        (directory / MARKER).unlink()
    except OSError as error:
        raise BeholdenError(
            f"directory {directory}", f"cannot be written ({error.strerror or 'unknown reason'})",
            advice="the unfinished company in it is replaced when you build it again",
        ) from None  # fmt: skip


def _clear(directory: Path) -> None:
    """An empty directory, made so from a missing one or from an unfinished company."""
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"directory {directory}", "is a file", expected="an empty or new directory")
    directory.mkdir(parents=True, exist_ok=True)
    found = {path.name for path in directory.iterdir()}
    if not found:
        return
    marker = directory / MARKER
    unfinished = marker.is_file() and marker.read_bytes() == _MARKER_TEXT.encode()
    if not unfinished or found - {*DIRECTORIES, *_FILES}:
        raise UsageError(f"directory {directory}", "is not empty", expected="an empty or new directory")
    for name in found & set(DIRECTORIES):
        shutil.rmtree(directory / name)
    (directory / "beholden.toml").unlink(missing_ok=True)
