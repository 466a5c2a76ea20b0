"""The directory a company is written to: a half-made one is recognisable and can be gone on with, nothing foreign is touched.

While it is being written it holds a file ``INCOMPLETE``: its first line says what is being built, each further line
names a part that is whole. Building the same again goes on after these; building something else there is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

from beholden.core.errors import BeholdenError, UsageError
from beholden.retailer.chance import iso
from beholden.retailer.parameter_bounds import found_text
from beholden.retailer.parameters import ARGUMENTS

__all__ = ["CHANGES", "DIRECTORIES", "MARKER", "Parts", "directory_for"]

#: Stands in the directory from the first byte written until the last.
MARKER: Final = "INCOMPLETE"
_TITLE: Final = "A simulated company that is not finished. Building it again here goes on with it."
DIRECTORIES: Final = ("stores", "exports", "wiki", "repositories", "logs", "mappings", "feeds", "truth")
#: What the days did to the databases; there until these are written.
CHANGES: Final = "changes"
_FILES: Final = ("beholden.toml", "README.md", MARKER)
#: A refusal names so many of the parameters that differ, these before others.
_DIFFERING_MAX: Final = 3
_ASKED: Final = ("run", *ARGUMENTS)


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
        UsageError: it holds something else than this company unfinished, or is no directory.
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
    if found and (MARKER not in found or found - {*DIRECTORIES, CHANGES, *_FILES}):
        raise UsageError(f"directory {directory}", "is not empty", expected="an empty or new directory")
    done = _done(marker, what) if found else {}
    if not found:
        marker.write_text(f"{_TITLE}\n{what}\n", encoding="utf-8")
    for name in (*DIRECTORIES, CHANGES, "truth/events"):
        (directory / name).mkdir(exist_ok=True)
    return Parts(marker, done)


def _done(marker: Path, what: str) -> dict[str, Any]:
    """The parts that are whole; raises `UsageError` where something else was being built."""
    title, _, rest = marker.read_text(encoding="utf-8", errors="replace").partition("\n")
    if title != _TITLE:
        raise UsageError(f"directory {marker.parent}", "is not empty", expected="an empty or new directory")
    first, *lines = rest.split("\n")
    if first != what:
        raise UsageError(
            f"directory {marker.parent}", f"holds another company that is not finished{_differing(first, what)}",
            advice="build that one again to go on with it, or remove the directory",
        )  # fmt: skip
    if lines and lines[-1]:  # it was cut off while it was written
        with marker.open("a", encoding="utf-8") as file:
            file.write("\n")
    done: dict[str, Any] = {}
    for line in lines:
        with suppress(ValueError):
            part = json.loads(line)
            done[part["part"]] = part["value"]
    return done


def _differing(there: str, here: str) -> str:
    """Some of what the company that stands there is made of and the one to be built is not."""
    try:
        old, new = dict(json.loads(there)), dict(json.loads(here))
    except (TypeError, ValueError):
        return ""
    other = sorted((name for name in old if old[name] != new.get(name)), key=lambda name: (name not in _ASKED, name))
    told = [
        f"{name} {iso(np.array([old[name]]), 'D')[0] if name == 'end' else found_text(old[name])}"
        for name in other[:_DIFFERING_MAX]
    ]
    return f" ({', '.join(told)} there)" if told else ""
