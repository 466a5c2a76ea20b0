"""CSV records out of physical lines: quoted fields span lines, and what is broken does not swallow what follows.

A record ends where its quotes balance; that is where every well-formed one ends, whatever text its fields hold, so
that no statement a user writes can cut its own record short. Only when the lines so gathered do not make a record
(`Frame.accepts`) is the first line given up and reading resumes at the next line that may begin one.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from beholden.core.limits import LINE_BYTES_MAX
from beholden.logs._source import TOO_LONG, Line, decode

__all__ = ["BROKEN", "TRUNCATED", "Frame", "Row", "rows", "split_csv"]

TRUNCATED: Final = "truncated record"
BROKEN: Final = "the record breaks off or is damaged"

csv.field_size_limit(LINE_BYTES_MAX)  # of the process; the records themselves are bounded below


class Frame(Protocol):
    """What a record of one CSV format looks like."""

    stray: str  # the reason given for a line at which no record begins

    def begins(self, line: bytes) -> bool:
        """Whether a record may begin with this physical line."""

    def accepts(self, fields: list[str], *, ended: bool) -> bool:
        """Whether these are the fields of a record; ``ended`` is false when its last newline is missing."""


@dataclass(slots=True)
class Row:
    """One record: its fields, or the reason why it has none."""

    number: int  # first physical line, from 1
    fields: list[str]
    problem: str | None = None
    mended: bool = False  # bytes that are not UTF-8 were replaced


def split_csv(text: str) -> list[str] | None:
    """The fields of one CSV record, which may contain newlines; None when it is not well-formed."""
    try:
        return next(csv.reader((text,), strict=True))
    except (csv.Error, StopIteration):
        return None


def rows(source: Iterator[Line], frame: Frame) -> Iterator[Row]:
    """The records of a log in the order of its lines. At most ``limits.LINE_BYTES_MAX`` of one are held."""
    ahead: deque[Line] = deque()  # lines given back

    def next_line() -> Line | None:
        return ahead.popleft() if ahead else next(source, None)

    while (line := next_line()) is not None:
        if line.text is None:
            yield Row(line.number, [], TOO_LONG)
        elif line.text.strip() and not frame.begins(line.text):
            yield Row(line.number, [], frame.stray if line.ended else TRUNCATED)
        elif line.text.strip():
            gathered, open_ = [line], line.text.count(b'"') % 2 == 1
            size_bytes = len(line.text)
            while open_ and (more := next_line()) is not None:
                gathered.append(more)
                size_bytes += LINE_BYTES_MAX if more.text is None else len(more.text) + 1
                if more.text is None or size_bytes > LINE_BYTES_MAX:
                    break
                open_ = more.text.count(b'"') % 2 == 0
            yield _row(gathered, frame, ahead, whole=not open_ and size_bytes <= LINE_BYTES_MAX)


def _row(gathered: list[Line], frame: Frame, ahead: deque[Line], *, whole: bool) -> Row:
    """The record these lines make; when they make none, those after the first that may begin another go back."""
    first, last = gathered[0], gathered[-1]
    if whole:
        text, mended = decode(_join(gathered))
        fields = split_csv(text)
        if fields is not None and frame.accepts(fields, ended=last.ended):
            return Row(first.number, fields, mended=mended)
    for i, line in enumerate(gathered[1:], 1):
        if line.text is None or frame.begins(line.text):
            ahead.extendleft(reversed(gathered[i:]))
            return Row(first.number, [], BROKEN)
    return Row(first.number, [], TRUNCATED if _cut(gathered, whole=whole) else BROKEN)


def _cut(gathered: list[Line], *, whole: bool) -> bool:
    """Whether the log ends within this record."""
    size_bytes = sum(len(line.text or b"") + 1 for line in gathered)
    return not gathered[-1].ended or (not whole and size_bytes <= LINE_BYTES_MAX)


def _join(gathered: list[Line]) -> bytes:
    """The record's bytes; where its last line ends in CR LF so do the others, and the CRs are not part of it."""
    texts = [line.text or b"" for line in gathered]
    if texts[-1].endswith(b"\r"):
        texts = [text.removesuffix(b"\r") for text in texts]
    return b"\n".join(texts)
