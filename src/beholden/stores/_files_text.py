"""Text files as UTF-8 bytes, whatever they are stored as: plain or gzip, UTF-8, UTF-16 or Latin-1."""

from __future__ import annotations

import codecs
import gzip
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from beholden.core.limits import LINE_BYTES_MAX
from beholden.stores._base import SAMPLE_BYTES_MAX

__all__ = ["HEAD_BYTES", "ChunkStream", "NotTextError", "TextFile", "lines_of"]

#: What is looked at to tell delimiter, header and fields.
HEAD_BYTES: Final = 256 * 1024
_CHUNK_BYTES: Final = 1024 * 1024
#: Larger plain files are sampled by jumping into them.
_JUMP_BYTES_MIN: Final = 8 * 1024 * 1024
_JUMPS: Final = 64
_JUMP_BYTES: Final = 64 * 1024
_GZIP: Final = b"\x1f\x8b"
_BINARY_STARTS: Final = (b"PAR1", b"PK\x03\x04", b"SQLite format 3", b"%PDF", b"\x89PNG", b"\xff\xd8\xff")
#: Of the first bytes of a text not even one in so many is NUL; some exports of binary columns hold a few.
_NUL_SHARE: Final = 8
#: An error handler of codecs: bytes that are not valid where they stand are read as Latin-1.
_AS_LATIN_1: Final = "beholden.latin-1"


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(_AS_LATIN_1, _as_latin_1)


class NotTextError(Exception):
    """The file is not text; the message says what it looks like."""


class ChunkStream(io.RawIOBase):
    """Chunks of bytes as a stream; closing it closes ``source``, which they are made from."""

    def __init__(self, chunks: Iterator[bytes], source: BinaryIO) -> None:
        self._chunks = chunks
        self._source = source
        self._pending = memoryview(b"")

    def readable(self) -> bool:
        """See `io.IOBase.readable`."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """See `io.RawIOBase.readinto`."""
        while not self._pending:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._pending = memoryview(chunk)
        count = min(len(buffer), len(self._pending))
        buffer[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count

    def close(self) -> None:
        """See `io.IOBase.close`."""
        self._source.close()
        super().close()


def _as_utf8(raw: BinaryIO, encoding: str) -> Iterator[bytes]:
    """A byte stream decoded and given as UTF-8; chunks of plain ASCII pass untouched."""
    ascii_passes = encoding == "utf-8"
    decoder = codecs.getincrementaldecoder(encoding)(_AS_LATIN_1)
    while chunk := raw.read(_CHUNK_BYTES):
        if ascii_passes and chunk.isascii() and not decoder.getstate()[0]:
            yield chunk
        else:
            yield decoder.decode(chunk).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file: how it is stored, learnt from its first bytes."""

    path: Path
    zipped: bool
    encoding: str
    mark_bytes: int
    size_bytes: int

    @classmethod
    def look(cls, path: Path) -> TextFile:
        """Look at the first bytes; raises `OSError`, or `NotTextError` when they are not text."""
        with path.open("rb") as file:
            zipped = file.read(2) == _GZIP
            size_bytes = file.seek(0, io.SEEK_END)
        with _raw(path, zipped=zipped) as stream:
            head = stream.read(4096)
        if head.startswith(_BINARY_STARTS):
            raise NotTextError("a binary file, not text")
        for mark, encoding in (
            (codecs.BOM_UTF8, "utf-8"),
            (codecs.BOM_UTF16_LE, "utf-16-le"),
            (codecs.BOM_UTF16_BE, "utf-16-be"),
        ):
            if head.startswith(mark):
                return cls(path, zipped, encoding, len(mark), size_bytes)
        if head.count(b"\0") * _NUL_SHARE > len(head):
            raise NotTextError("a binary file, or UTF-16 without its byte order mark")
        return cls(path, zipped, "utf-8", 0, size_bytes)

    def open(self) -> BinaryIO:
        """The whole file as UTF-8; close it."""
        raw = _raw(self.path, zipped=self.zipped)
        raw.read(self.mark_bytes)
        return io.BufferedReader(ChunkStream(_as_utf8(raw, self.encoding), raw), _CHUNK_BYTES)

    def head(self) -> bytes:
        """Its first whole lines, up to `HEAD_BYTES`."""
        with self.open() as stream:
            head = stream.read(HEAD_BYTES)
        return head if len(head) < HEAD_BYTES else head[: head.rfind(b"\n") + 1] or head

    def can_jump(self) -> bool:
        """Whether a sample can be taken by jumping: a large file in which a byte is a place."""
        return not self.zipped and self.encoding == "utf-8" and self.size_bytes >= _JUMP_BYTES_MIN

    def jumps(self, seed: int) -> Iterator[bytes | None]:
        """Whole lines from the beginning and from places spread over the file; only if `can_jump`.

        Some tens of kilobytes each, or one longer line; none comes twice. None stands for a line longer than a record
        may be. Where long lines make places costly there are fewer: about `SAMPLE_BYTES_MAX` are read in all.
        """
        chance = random.Random(seed)  # noqa: S311 - a sample wants to be repeatable, not secret
        stride = self.size_bytes // _JUMPS
        with self.path.open("rb", buffering=_JUMP_BYTES) as file:
            file.seek(self.mark_bytes)
            read_bytes, in_line, told = 0, False, False
            for i in range(_JUMPS):
                at = file.tell()
                place = i * stride + chance.randrange(max(1, stride - _JUMP_BYTES)) if i else at
                # What is left to read goes to what is left of the file.
                place = max(place, self.size_bytes * read_bytes // SAMPLE_BYTES_MAX)
                if place > at:
                    file.seek(place - 1)  # whose line end, if it is one, shows that a line begins here
                    in_line = True
                if in_line:
                    rest = file.readline(LINE_BYTES_MAX)
                    read_bytes += len(rest)
                    in_line = _is_cut(rest)
                    told = told and in_line
                if not in_line:
                    lines, passed_bytes, in_line = _whole_lines(file)
                    read_bytes += passed_bytes
                    if lines:
                        yield lines if lines.isascii() else lines.decode("utf-8", _AS_LATIN_1).encode()
                if in_line and not told:
                    yield None
                    told = True
                if file.tell() >= self.size_bytes:
                    return


def _raw(path: Path, *, zipped: bool) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path, "rb")) if zipped else path.open("rb")


def _is_cut(line: bytes) -> bool:
    return len(line) >= LINE_BYTES_MAX and not line.endswith(b"\n")


def _whole_lines(file: BinaryIO) -> tuple[bytes, int, bool]:
    """Lines from where one begins, the bytes passed for them, and whether that ended within a line that is too long."""
    chunk = file.read(_JUMP_BYTES)
    last = chunk.rfind(b"\n") + 1
    if last < len(chunk):
        chunk += file.readline(LINE_BYTES_MAX - len(chunk) + last)
    return (chunk[:last], len(chunk), True) if _is_cut(chunk[last:]) else (chunk, len(chunk), False)


def lines_of(stream: BinaryIO, *, bytes_max: int | None = None) -> Iterator[bytes | None]:
    """The stream's lines without their ends; None for one that is longer than a record may be, which is passed over.

    Args:
        stream: UTF-8 bytes.
        bytes_max: stop after the line with which those given reach this many bytes, or those passed over with them
            `SAMPLE_BYTES_MAX`.
    """
    given_bytes = passed_bytes = 0
    while line := stream.readline(LINE_BYTES_MAX):
        passed_bytes += len(line)
        if _is_cut(line):
            yield None
            while (rest := stream.readline(LINE_BYTES_MAX)) and not rest.endswith(b"\n"):
                passed_bytes += len(rest)
                if bytes_max is not None and passed_bytes >= SAMPLE_BYTES_MAX:
                    return
        else:
            given_bytes += len(line)
            yield line.rstrip(b"\r\n")
        if bytes_max is not None and (given_bytes >= bytes_max or passed_bytes >= SAMPLE_BYTES_MAX):
            return
