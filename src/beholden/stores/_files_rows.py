"""Delimited text without its rows that are too long to be parsed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

__all__ = ["without_long_rows"]

_CHUNK_BYTES: Final = 256 * 1024


def without_long_rows(
    stream: BinaryIO, delimiter: str, bytes_max: int, dropped: Callable[[], object]
) -> Iterator[bytes]:
    """The rows of ``stream`` in chunks, without those of ``bytes_max`` bytes or more.

    A row that long is mostly none: somewhere a quotation mark opens and is never closed. So its first line is dropped,
    and what follows is read as rows of its own. Holds one such row at most.

    Args:
        stream: UTF-8 bytes.
        delimiter: what stands between fields.
        bytes_max: the size of a row that is too long.
        dropped: called for each line that is dropped.
    """
    opening = delimiter.encode() + b'"'
    lines = _Lines(stream, bytes_max)
    ready: list[bytes] = []
    ready_bytes = 0
    row: list[bytes] = []
    row_bytes, quoted = 0, False
    while line := lines.next():
        row.append(line)
        row_bytes += len(line)
        quoted = _ends_quoted(line, opening, quoted=quoted)
        if row_bytes >= bytes_max:
            lines.again(row[1:])
            dropped()
        elif quoted:
            continue
        else:
            ready += row
            ready_bytes += row_bytes
        row, row_bytes, quoted = [], 0, False
        if ready_bytes >= _CHUNK_BYTES:
            yield b"".join(ready)
            ready, ready_bytes = [], 0
    yield b"".join([*ready, *row])


class _Lines:
    """The lines of a stream, of which some may be asked for again; the end of a very long line is not kept."""

    def __init__(self, stream: BinaryIO, bytes_max: int) -> None:
        self._stream = stream
        self._bytes_max = bytes_max
        self._again: deque[bytes] = deque()

    def next(self) -> bytes:
        """The next line with its end, cut after ``bytes_max``; nothing at the end of the stream."""
        if self._again:
            return self._again.popleft()
        line = end = self._stream.readline(self._bytes_max)
        while len(end) == self._bytes_max and not end.endswith(b"\n"):
            end = self._stream.readline(self._bytes_max)
        return line

    def again(self, lines: list[bytes]) -> None:
        """Give these again, before all others."""
        self._again.extendleft(reversed(lines))


def _ends_quoted(line: bytes, opening: bytes, *, quoted: bool) -> bool:
    """Whether a line ends within quotation marks. They open where a field begins, and a doubled one is a mark itself."""
    at = 0
    if not quoted and line.startswith(b'"'):
        quoted, at = True, 1
    while True:
        if quoted:
            at = line.find(b'"', at)
            if at < 0:
                return True
            if line.startswith(b'"', at + 1):
                at += 2
                continue
            at += 1
        at = line.find(opening, at)
        if at < 0:
            return False
        quoted, at = True, at + len(opening)
