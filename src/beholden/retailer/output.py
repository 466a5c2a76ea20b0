"""The directory a company is written to: a half-made one is recognisable and can be gone on with, nothing foreign is touched.

While it is being written it holds a file ``INCOMPLETE``: its first line says what is being built, each further line
names a part that is whole. Building the same again goes on after these; building something else there is refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

from beholden.core.errors import BeholdenError, UsageError
from beholden.retailer.chance import iso
from beholden.retailer.parameters import ARGUMENTS
from beholden.retailer.parameters.bounds import found_text

__all__ = ["CHANGES", "DIRECTORIES", "MARKER", "Parts", "checked_directory", "directory_for", "parts_done"]

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

    def get(self, name: str) -> Any:
        """What was noted of a part; None where it is not whole, too."""
        return self._done.get(name)

    def note(self, name: str, value: Any = None) -> None:
        """The part is whole; ``value`` is what a later run wants to know of it (JSON)."""
        with self._marker.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"part": name, "value": value}) + "\n")
        self._done[name] = value


def checked_directory(directory: str | os.PathLike[str]) -> Path:
    """The path that a caller gave; raises `UsageError` for what is none, or has a name that not every library can open."""
    path: object = os.fspath(directory) if isinstance(directory, (str, os.PathLike)) else directory
    if not isinstance(path, str):
        raise UsageError("directory", found_text(path), expected="a path")
    if not path or "\0" in path:
        raise UsageError("directory", found_text(path), expected="the name of an empty or new directory")
    whole = Path(path).absolute()
    try:
        plain = os.fsencode(whole) == str(whole).encode()
    except UnicodeError:
        plain = False
    if not plain:
        raise UsageError(
            f"directory {str(whole).encode('ascii', 'backslashreplace').decode()}", "its name is not UTF-8 here",
            expected="a path of which every part is",
            advice="choose another name, or a locale whose encoding is UTF-8",
        )  # fmt: skip
    return Path(path)


def parts_done(directory: Path, what: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parts that `directory_for` would find whole, and what was noted of each; nothing is written.

    Raises:
        UsageError: it holds something else than this company unfinished, or is no directory.
        BeholdenError: it cannot be read.
    """
    with _border(directory):
        return _done(directory, _described(what))


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
    with _border(directory):
        yield _prepared(directory, _described(what))
        (directory / MARKER).unlink()


@contextmanager
def _border(directory: Path) -> Iterator[None]:
    """Turn what the disk refuses into one of our errors."""
    try:
        yield
    except OSError as error:
        # Asked in a way that does not fail itself.
        begun = os.path.exists(directory / MARKER)  # noqa: PTH110 - Path.exists raises where a directory is closed
        advice = "the unfinished company in it is gone on with when you build it again"
        raise BeholdenError(
            f"directory {directory}", f"cannot be written ({error.strerror or 'unknown reason'})",
            advice=advice if begun else "choose another directory",
        ) from None  # fmt: skip


def _described(what: Mapping[str, Any]) -> str:
    return json.dumps(dict(what), sort_keys=True)


def _prepared(directory: Path, what: str) -> Parts:
    done, marker = _done(directory, what), directory / MARKER
    directory.mkdir(parents=True, exist_ok=True)
    if not marker.exists():
        marker.write_text(f"{_TITLE}\n{what}\n", encoding="utf-8")
    elif not marker.read_bytes().endswith(b"\n"):  # it was cut off while it was written
        with marker.open("a", encoding="utf-8") as file:
            file.write("\n")
    for name in (*DIRECTORIES, CHANGES, "truth/events"):
        (directory / name).mkdir(exist_ok=True)
    return Parts(marker, done)


def _done(directory: Path, what: str) -> dict[str, Any]:
    """The parts that are whole; raises `UsageError` where something else is there or was being built."""
    if not directory.exists():
        return {}
    if not directory.is_dir():
        raise UsageError(f"directory {directory}", "is a file", expected="an empty or new directory")
    found = {path.name for path in directory.iterdir()}
    if not found:
        return {}
    if MARKER not in found or found - {*DIRECTORIES, CHANGES, *_FILES}:
        raise UsageError(f"directory {directory}", "is not empty", expected="an empty or new directory")
    marker = directory / MARKER
    title, _, rest = marker.read_text(encoding="utf-8", errors="replace").partition("\n")
    if title != _TITLE:
        raise UsageError(f"directory {marker.parent}", "is not empty", expected="an empty or new directory")
    first, *lines = rest.split("\n")
    if first != what:
        raise UsageError(
            f"directory {marker.parent}", f"holds another company that is not finished{_differing(first, what)}",
            advice="build that one again to go on with it, or remove the directory",
        )  # fmt: skip
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
