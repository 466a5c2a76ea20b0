"""Files that match a pattern: as a shell would find them, but saying which directories it could not look into.

``*``, ``?`` and ``[...]`` stand for parts of a name and ``**`` for any directories, linked ones too. A name that
begins with a dot is matched only by a pattern that does.
"""

from __future__ import annotations

import errno
import fnmatch
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

__all__ = ["matching_files"]

_MAGIC: Final = re.compile(r"[*?\[]")
_ANY_DIRECTORIES: Final = "**"
#: Errors that mean that nothing is there, or nothing that could be a log.
_ABSENT: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}

#: Which directory it is, however it is reached.
_Identity = tuple[int, int]


def matching_files(root: Path, pattern: Path) -> tuple[list[Path], dict[Path, str]]:
    """The regular files that ``pattern`` means below ``root``, sorted, and the directories that kept others from view.

    These come with the system's reason. A file of which only the rights are lacking counts as one.
    """
    parts = pattern.parts
    start = str(root)
    if pattern.is_absolute():
        start, parts = pattern.anchor, parts[1:]
    search = _Search()
    places: Iterable[str] = [start]
    for part in parts[:-1]:
        places = list(dict.fromkeys(found for place in places for found in search.directories(place, part)))
    files = {Path(found) for place in places for found in search.files(place, parts[-1])} if parts else set()
    return sorted(files), {Path(place): why for place, why in sorted(search.unread.items())}


class _Search:
    """One look at directories, each listed once."""

    def __init__(self) -> None:
        self.unread: dict[str, str] = {}
        self._listed: dict[str, list[os.DirEntry[str]]] = {}

    def directories(self, place: str, part: str) -> Iterator[str]:
        """Directories in ``place`` that one part of a pattern means."""
        if part == _ANY_DIRECTORIES:
            yield from self._below(place)
        elif _MAGIC.search(part):
            yield from (entry.path for entry in self._matching(place, part) if self._is_directory(entry))
        elif (mode := self._mode(place, part)) is not None and stat.S_ISDIR(mode):
            yield os.path.join(place, part)  # noqa: PTH118 - texts, as those of the entries

    def files(self, place: str, part: str) -> Iterator[str]:
        """Files in ``place`` that the last part of a pattern means."""
        if part == _ANY_DIRECTORIES:
            for directory in list(self._below(place)):
                yield from self.files(directory, "*")
        elif _MAGIC.search(part):
            yield from (entry.path for entry in self._matching(place, part) if self._is_file(entry))
        elif (mode := self._mode(place, part)) is not None and stat.S_ISREG(mode):
            yield os.path.join(place, part)  # noqa: PTH118 - texts, as those of the entries

    def _below(self, place: str) -> Iterator[str]:
        """The directory and all below it but hidden ones; a link that leads back up is not followed."""
        waiting: list[tuple[str, frozenset[_Identity]]] = [(place, frozenset())]
        while waiting:
            directory, above = waiting.pop()
            try:
                status = os.stat(directory)  # noqa: PTH116 - texts, as those of the entries
            except OSError as error:
                self._note(directory, error)
                continue
            itself = status.st_dev, status.st_ino
            if itself in above:
                continue
            yield directory
            below = [entry.path for entry in self._matching(directory, "*") if self._is_directory(entry)]
            waiting += [(path, above | {itself}) for path in below]

    def _matching(self, place: str, part: str) -> list[os.DirEntry[str]]:
        matches = re.compile(fnmatch.translate(part)).match
        hidden = part.startswith(".")
        return [
            entry
            for entry in self._entries(place)
            if matches(entry.name) and (hidden or not entry.name.startswith("."))
        ]

    def _entries(self, place: str) -> list[os.DirEntry[str]]:
        if place not in self._listed:
            self._listed[place] = []
            try:
                with os.scandir(place) as found:
                    self._listed[place] = list(found)
            except OSError as error:
                self._note(place, error)
        return self._listed[place]

    def _mode(self, place: str, name: str) -> int | None:
        """What is called so in ``place``; None for nothing, or nothing that can be told."""
        path = os.path.join(place, name)  # noqa: PTH118 - texts, as those of the entries
        try:
            os.lstat(path)
        except OSError as error:  # the directory lists names and lets nobody in
            self._note(place, error)
            return None
        except ValueError:  # a null character
            return None
        try:
            return os.stat(path).st_mode  # noqa: PTH116 - texts, as those of the entries
        except OSError as error:  # a link to where nobody is let in
            self._note(path, error)
            return None

    def _is_directory(self, entry: os.DirEntry[str]) -> bool:
        try:
            return entry.is_dir()
        except OSError as error:  # a link to where nobody is let in, or its own directory lets nobody in
            self._note(entry.path, error)
            return False

    def _is_file(self, entry: os.DirEntry[str]) -> bool:
        """Also where that cannot be told: opening it says why."""
        try:
            return entry.is_file()
        except OSError as error:
            return error.errno not in _ABSENT and entry.path not in self.unread

    def _note(self, place: str, error: OSError) -> None:
        if error.errno not in _ABSENT:
            self.unread[place] = error.strerror or "unknown reason"
