"""Which files belong to a place: a directory with all below it, a glob, or one file."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

__all__ = ["Note", "Place"]

_FILES_MAX: Final = 100_000
_DEPTH_MAX: Final = 200
_CLOSED: Final = "directories that may not be read"
_HIDDEN: Final = "files and links that may not be looked at"
_NOT_REGULAR: Final = "not regular files, so not read: pipes, devices, sockets, broken or circular links"
_MAGIC: Final = re.compile(r"[*?\[]")


class Note(Protocol):
    """Takes what is left out: a reason and a count, and whether it could hold rows that were to be read."""

    def __call__(self, reason: str, count: int, /, *, rows: bool = False) -> None:
        """Remember it."""


class Place:
    """A directory, a glob or a file. ``root`` is the directory that paths start from."""

    def __init__(self, place: Path) -> None:
        parts = place.parts
        magic = next((i for i, part in enumerate(parts) if _MAGIC.search(part)), None)
        self._place = place
        self._pattern: re.Pattern[str] | None = None
        self._depth_max: int | None = None
        # os.path, whose answers are no errors: a place that may not be looked at is told when it is listed
        self._is_directory = os.path.isdir(place)  # noqa: PTH112 - see above
        if magic is None or os.path.exists(place):  # noqa: PTH110 - see above
            self.root = place if self._is_directory else place.parent
        else:
            self.root = Path(*parts[:magic])
            pattern = parts[magic:]
            self._pattern = re.compile(_as_regex("/".join(pattern)))
            self._depth_max = None if "**" in pattern else len(pattern) - 1

    def check(self) -> None:
        """Raise `OSError` when there is nothing to list."""
        if self._pattern is None and not self._is_directory:
            self._place.stat()  # a place that is not there is an error, not an empty store
            return
        with os.scandir(self.root):
            pass

    def files(self, note: Note) -> Iterator[str]:
        """The paths of all files, in order; what is not entered is noted."""
        self.check()
        if self._pattern is None and not self._is_directory:
            yield self._place.name
            return
        counts: Counter[str] = Counter()

        def count(reason: str, number: int, *, rows: bool = False) -> None:
            counts[reason] += number
            note(reason, counts[reason], rows=rows)

        for number, path in enumerate(self._walk(self.root, "", 0, count)):
            if number >= _FILES_MAX:
                note(f"files beyond the first {_FILES_MAX} not listed", 1)
                return
            yield path

    def locate(self, path: str) -> Path | None:
        """What is at a dataset's path, if it is one of this place and no directory."""
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or ".." in parts or "\0" in path or not self._belongs(path):
            return None
        file = self.root / path
        through_link = any((self.root / parent).is_symlink() for parent in PurePosixPath(path).parents[:-1])
        return file if os.path.exists(file) and not os.path.isdir(file) and not through_link else None  # noqa: PTH110, PTH112 - see above

    def _belongs(self, path: str) -> bool:
        if self._pattern is not None:
            return self._pattern.fullmatch(path) is not None
        return self._is_directory or path == self._place.name

    def _walk(self, directory: Path, prefix: str, depth: int, note: Note) -> Iterator[str]:
        try:
            with os.scandir(directory) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            note(_CLOSED, 1, rows=True)
            return
        for entry in entries:
            path = prefix + entry.name
            if not entry.name.isprintable():
                note("names with characters that cannot be shown", 1)
            elif (problem := _problem(entry)) is not None:
                note(problem, 1, rows=problem == _HIDDEN)
            elif entry.is_dir(follow_symlinks=False):
                yield from self._below(directory / entry.name, path + "/", depth + 1, note)
            elif entry.is_dir():
                note("links to directories not followed", 1)
            elif self._belongs(path):
                if entry.is_file():
                    yield path
                else:
                    note(_NOT_REGULAR, 1)

    def _below(self, directory: Path, prefix: str, depth: int, note: Note) -> Iterator[str]:
        if depth > _DEPTH_MAX:
            note(f"directories below {_DEPTH_MAX} others not entered", 1)
        elif self._depth_max is None or depth <= self._depth_max:
            yield from self._walk(directory, prefix, depth, note)


def _problem(entry: os.DirEntry[str]) -> str | None:
    """Why nothing can be told of an entry: its directory or what it links to lets nobody in, or it leads to itself."""
    try:
        entry.stat()
    except PermissionError:
        return _HIDDEN
    except FileNotFoundError:
        return None  # a broken link is told by what it is not
    except OSError:
        return _NOT_REGULAR
    return None


def _as_regex(pattern: str) -> str:
    """A glob as a regular expression: ``**`` is any directories, ``*`` and ``?`` stay within a name."""
    out, i = "", 0
    while i < len(pattern):
        if pattern.startswith("**/", i):
            out, i = out + "(?:.*/)?", i + 3
        elif pattern.startswith("**", i):
            out, i = out + ".*", i + 2
        elif pattern[i] == "*":
            out, i = out + "[^/]*", i + 1
        elif pattern[i] == "?":
            out, i = out + "[^/]", i + 1
        elif pattern[i] == "[" and (end := pattern.find("]", i + 2)) > 0:
            inner = pattern[i + 1 : end]
            negated = inner.startswith("!")
            listed = re.escape(inner[negated:]).replace("\\-", "-")
            out, i = out + f"[{'^' if negated else ''}{listed}]", end + 1
        else:
            out, i = out + re.escape(pattern[i]), i + 1
    return out
