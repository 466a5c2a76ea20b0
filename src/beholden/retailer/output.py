"""The directory a company is written to: a half-made one is recognisable and can be gone on with, nothing foreign is touched.

While it is being written it holds a file ``INCOMPLETE``: its first line says what is being built, each further line
names a part that is whole. Building the same again goes on after these; building something else begins anew.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from beholden.core.errors import BeholdenError, UsageError

__all__ = ["CHANGES", "DIRECTORIES", "MARKER", "Parts", "directory_for"]

#: Stands in the directory from the first byte written until the last.
MARKER: Final = "INCOMPLETE"
_TITLE: Final = "A simulated company that is not finished. Building it again here goes on with it."
DIRECTORIES: Final = ("stores", "exports", "wiki", "repositories", "logs", "mappings", "feeds", "truth")
#: What the days did to the databases; there until these are written.
CHANGES: Final = "changes"
_FILES: Final = ("beholden.toml", "README.md", MARKER)


class Parts:
    """Which parts of the company are whole, and what was noted of each. A part is noted once all of it is written."""

    def __init__(self, marker: Path, done: dict[str, Any]) -> None:
        self._marker = marker
        self._done = done

    def __contains__(self, name: str) -> bool:
        return name in self._done

    def __getitem__(self, name: str) -> Any:
        return self._done[name]

    def note(self, name: str, value: Any = None) -> None:
        """The part is whole; ``value`` is what a later run wants to know of it (JSON)."""
        with self._marker.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"part": name, "value": value}) + "\n")
        self._done[name] = value


@contextmanager
def directory_for(directory: Path, what: Mapping[str, Any]) -> Iterator[Parts]:
    """Make the directory or go on with it; the mark goes when the context ends well.

    Args:
        directory: new, empty, or holding an unfinished company.
        what: what is being built; only the same is gone on with.

    Raises:
        UsageError: it holds something else than an unfinished company, or is no directory.
        BeholdenError: it cannot be written to; what was written stays and is gone on with.
    """
    try:
        parts = _prepared(directory, json.dumps(dict(what), sort_keys=True))
        yield parts
        (directory / MARKER).unlink()
    except OSError as error:
        raise BeholdenError(
            f"directory {directory}", f"cannot be written ({error.strerror or 'unknown reason'})",
            advice="the unfinished company in it is gone on with when you build it again",
        ) from None  # fmt: skip


def _prepared(directory: Path, what: str) -> Parts:
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"directory {directory}", "is a file", expected="an empty or new directory")
    directory.mkdir(parents=True, exist_ok=True)
    marker = directory / MARKER
    found = {path.name for path in directory.iterdir()}
    done = _done(marker, what) if MARKER in found else None
    if found and (MARKER not in found or found - {*DIRECTORIES, CHANGES, *_FILES}):
        raise UsageError(f"directory {directory}", "is not empty", expected="an empty or new directory")
    if done is None:
        for name in found & {*DIRECTORIES, CHANGES}:
            shutil.rmtree(directory / name)
        for name in found & set(_FILES):
            (directory / name).unlink()
        marker.write_text(f"{_TITLE}\n{what}\n", encoding="utf-8")
    for name in (*DIRECTORIES, CHANGES, "truth/events"):
        (directory / name).mkdir(exist_ok=True)
    return Parts(marker, done or {})


def _done(marker: Path, what: str) -> dict[str, Any] | None:
    """The parts that are whole; None where something else was being built."""
    title, _, rest = marker.read_text(encoding="utf-8", errors="replace").partition("\n")
    if title != _TITLE:
        raise UsageError(f"directory {marker.parent}", "is not empty", expected="an empty or new directory")
    first, *lines = rest.split("\n")
    if first != what:
        return None
    done: dict[str, Any] = {}
    for line in lines[:-1]:  # the last is empty, or was cut off
        part = json.loads(line)
        done[part["part"]] = part["value"]
    return done
