"""Paths into a decoded record (``$.user.name``, ``$.items[*].id``, ``$['odd key']``) and texts that contain them.

A path is compiled once to a function. A path without ``[*]`` gives one value or None where there is none; a path
with ``[*]`` gives a list. Keys are letters, digits and ``_``, with ``-`` inside and ``@`` in front; others are quoted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Path", "Template", "compile_path", "parse_template", "parse_whole_path", "text_of"]

_STEP: Final = re.compile(
    r"\.(@?\w+(?:-\w+)*)"  # .key
    r"|\[(\d{1,6})\]"  # [0]
    r"|\[(\*)\]"  # [*]
    r"|\['([^'\n]{1,200})'\]"  # ['odd key']
)
_BEGIN: Final = re.compile(r"\$(?=[.\[])")

#: A key, an index, or None for every element.
Step = str | int | None
#: From a record to what stands at a path.
Getter = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Path:
    """The steps of one path."""

    steps: tuple[Step, ...]

    @property
    def many(self) -> bool:
        """Whether it gives a list."""
        return None in self.steps


@dataclass(frozen=True, slots=True)
class Template:
    """Text with paths in it: pieces in order, text or path."""

    pieces: tuple[str | Path, ...]

    @property
    def path(self) -> Path | None:
        """The path, where the text is nothing but one."""
        return self.pieces[0] if len(self.pieces) == 1 and isinstance(self.pieces[0], Path) else None


def _parse_path(text: str, at: int) -> tuple[Path, int]:
    """The path whose ``$`` stands before ``at``, and where it ends."""
    steps: list[Step] = []
    while (match := _STEP.match(text, at)) is not None:
        key, index, every, quoted = match.groups()
        steps.append(None if every else int(index) if index is not None else key if key is not None else quoted)
        at = match.end()
    if not steps:
        raise ValueError("a path needs a key behind $, e.g. $.user.name or $['odd key']")
    return Path(tuple(steps)), at


def parse_whole_path(text: str) -> Path:
    """A text that is one path and nothing else. Raises `ValueError` saying what is wrong."""
    path = parse_template(text).path
    if path is None:
        raise ValueError("not a path; expected e.g. $.user.name, $.items[*].id or $['odd key']")
    return path


def parse_template(text: str) -> Template:
    """Text and paths, as ``customer:$.id``. Raises `ValueError` saying what is wrong."""
    pieces: list[str | Path] = []
    at = 0
    while (begin := _BEGIN.search(text, at)) is not None:
        if begin.start() > at:
            pieces.append(text[at : begin.start()])
        path, at = _parse_path(text, begin.end())
        pieces.append(path)
    if at < len(text) or not pieces:
        pieces.append(text[at:])
    if sum(isinstance(piece, Path) and piece.many for piece in pieces) > 1:
        raise ValueError("only one path of a text may contain [*]")
    return Template(tuple(pieces))


def compile_path(path: Path) -> Getter:
    """A function from a record to what stands at ``path``: a value or None, or with ``[*]`` a list."""
    if path.many:
        return _many(path.steps)
    only = path.steps[0]
    return _key(only) if len(path.steps) == 1 and isinstance(only, str) else _one(path.steps)


def _key(key: str) -> Getter:
    """The commonest path, and the cheapest: a record is always an object."""
    return lambda record: record.get(key)


def _one(steps: tuple[Step, ...]) -> Getter:
    def get(value: Any) -> Any:
        for step in steps:
            if type(step) is str:
                value = value.get(step) if type(value) is dict else None
            else:
                value = value[step] if type(value) is list and type(step) is int and step < len(value) else None
        return value

    return get


def _many(steps: tuple[Step, ...]) -> Getter:
    at = steps.index(None)
    head, behind = _one(steps[:at]), steps[at + 1 :]
    one = None if None in behind else _one(behind)
    many = _many(behind) if None in behind else None

    def get(record: Any) -> list[Any]:
        values = head(record)
        if type(values) is not list:
            return []
        if many is not None:
            return [found for value in values for found in many(value)]
        return [] if one is None else [found for value in values if (found := one(value)) is not None]

    return get


def text_of(value: Any) -> str | None:
    """A plain value as text; None when there is none (null, an empty text, an object or a list)."""
    if type(value) is str:
        return value or None
    if type(value) is bool:
        return "true" if value else "false"
    return str(value) if type(value) in (int, float) else None
