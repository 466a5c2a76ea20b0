"""Bytes of a log in pieces: what they begin with, whether they broke off, and physical lines of bounded length."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from beholden.core.limits import LINE_BYTES_MAX

__all__ = ["BOM", "TOO_LONG", "Block", "Line", "Source", "blocks", "decode", "lines"]

#: Reason of the problem that an overlong record is.
TOO_LONG: Final = f"longer than {LINE_BYTES_MAX} bytes"
BOM: Final = b"\xef\xbb\xbf"

_CHUNK_BYTES: Final = 1 << 20
_HEAD_BYTES: Final = 1 << 16


class Source:
    """An open log. ``broken`` says why it could not be read to its end, once that has happened."""

    def __init__(self, stream: BinaryIO) -> None:
        #: One read of what is there: a longer read that fails half-way would lose its first half.
        self._some: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
        self._first: bytes | None = None
        self.broken: str | None = None

    @property
    def head(self) -> bytes:
        """How the log begins: 64 KiB at most, without a byte-order mark."""
        if self._first is None:
            self._first = self._read().removeprefix(BOM)
        return self._first[:_HEAD_BYTES]

    def chunks(self) -> Iterator[bytes]:
        """The bytes, 1 MiB at a time; ends early, with ``broken`` set, when reading fails. To be called once."""
        if self.head and self._first is not None:
            yield self._first
            self._first = self._first[:_HEAD_BYTES]
        while chunk := self._read():
            yield chunk

    def _read(self) -> bytes:
        """The next chunk; what was read before a failure is given out first."""
        pieces: list[bytes] = []
        size_bytes = 0
        try:
            while self.broken is None and size_bytes < _CHUNK_BYTES and (piece := self._some(_CHUNK_BYTES)):
                pieces.append(piece)
                size_bytes += len(piece)
        except (gzip.BadGzipFile, zlib.error, EOFError):
            self.broken = "the compressed data is cut short or damaged"
        except OSError as error:
            self.broken = f"reading failed ({error.strerror or 'input/output error'})"
        return b"".join(pieces)


@dataclass(slots=True)
class Line:
    """A physical line without its newline; ``text`` is None when it was longer than the limit.

    ``ended`` is false for the last line of a log that lacks its newline: it may still be being written.
    """

    number: int  # from 1
    text: bytes | None
    ended: bool = True


@dataclass(slots=True)
class Block:
    """Physical lines behind each other, each with its newline in the log and of bounded length."""

    number: int  # of the first one, from 1
    texts: list[bytes]


def blocks(source: Source) -> Iterator[Block | Line]:
    """The physical lines of a log, many at a time; lines that are too long or lack their newline by themselves.

    At most ``limits.LINE_BYTES_MAX`` of a line are held in memory.
    """
    number = 1
    held: list[bytes] = []
    held_bytes = 0
    for chunk in source.chunks():
        *whole, rest = chunk.split(b"\n")
        if whole and held:
            held_bytes += len(whole[0])
            if held_bytes > LINE_BYTES_MAX:
                yield Line(number, None)
                number += 1
                del whole[0]
            else:
                whole[0] = b"".join([*held, whole[0]])
            held, held_bytes = [], 0
        if whole:
            yield Block(number, whole)
            number += len(whole)
        if rest:
            held_bytes += len(rest)
            held = [*held, rest] if held_bytes <= LINE_BYTES_MAX else [b""]
    if held:
        yield Line(number, None if held_bytes > LINE_BYTES_MAX else b"".join(held), ended=False)


def lines(source: Source) -> Iterator[Line]:
    """The physical lines of a log, one by one; see `blocks`."""
    for block in blocks(source):
        if isinstance(block, Line):
            yield block
        else:
            for place, text in enumerate(block.texts):
                yield Line(block.number + place, text)


def decode(raw: bytes) -> tuple[str, bool]:
    """Bytes as text, and whether bytes that are not UTF-8 had to be replaced."""
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        return raw.decode(errors="replace"), True
