"""Which files belong to a place: a directory with all below it, a glob, or one file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from beholden.stores._files_format import Note

__all__ = ["Place"]

_FILES_MAX: Final = 100_000
_DEPTH_MAX: Final = 200
_NOT_REGULAR: Final = "not regular files, so not read: pipes, devices, sockets, broken or circular links"
_MAGIC: Final = re.compile(r"[*?\[]")


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
        for number, path in enumerate(self._walk(self.root, "", 0, note)):
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
            note("directories that may not be read", 1)
            return
        for entry in entries:
            path = prefix + entry.name
            if not entry.name.isprintable():
                note("names with characters that cannot be shown", 1)
            elif not _is_sound(entry):
                note(_NOT_REGULAR, 1)
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


def _is_sound(entry: os.DirEntry[str]) -> bool:
    """False for a link that leads to itself."""
    try:
        entry.stat()
    except FileNotFoundError:
        return True  # a broken link is told by what it is not
    except OSError:
        return False
    return True


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
