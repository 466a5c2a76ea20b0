"""Log files: which a pattern means, and their bytes, decompressed where they are compressed."""

from __future__ import annotations

import gzip
import stat
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, cast

from beholden.core.errors import SourceError
from beholden.logs._matching import matching_files
from beholden.logs._sniff import looks_like
from beholden.logs._source import BOM

__all__ = ["BEGINNING_BYTES", "Files", "beginning", "expand", "likely_format", "open_log"]

#: So much of a log tells it from every other, also where all of an application's begin with the same header.
BEGINNING_BYTES: Final = 16 * 1024

_GZIP: Final = b"\x1f\x8b"
_HEAD_BYTES: Final = 1 << 16


def open_log(path: Path) -> BinaryIO:
    """Open a log for reading; gzip is recognised by its first bytes, whatever the file is called.

    Raises `SourceError` when the file cannot be opened. The caller closes the stream.
    """
    try:
        stream = path.open("rb")
        try:
            compressed = stream.peek(2).startswith(_GZIP)
        except OSError:
            stream.close()
            raise
    except OSError as error:
        raise SourceError(
            f"log file {path}", f"cannot be read ({error.strerror})", advice="check the path and its rights"
        ) from None
    if not compressed:
        return stream
    stream.close()
    return cast("BinaryIO", gzip.open(path, "rb"))


def likely_format(path: Path) -> str | None:
    """What a log plainly looks like by its first bytes: a format's name here or its common one; None when unclear."""
    try:
        with open_log(path) as stream:
            return looks_like(stream.read(_HEAD_BYTES).removeprefix(BOM))
    except (SourceError, OSError, EOFError, zlib.error):
        return None


def beginning(stream: BinaryIO, size_bytes: int = BEGINNING_BYTES) -> bytes:
    """How a log begins, as far as that can be read; the stream stands at its start again."""
    #: One read of what is there: a longer one that fails half-way would lose its first half.
    some: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    pieces: list[bytes] = []
    with suppress(OSError, EOFError, zlib.error):
        while size_bytes > 0 and (piece := some(size_bytes)):
            pieces.append(piece)
            size_bytes -= len(piece)
    stream.seek(0)
    return b"".join(pieces)


class Files(NamedTuple):
    """What a path or pattern means: files, sorted by name, and directories it leads into that cannot be read."""

    files: list[Path]
    unread: dict[Path, SourceError]


def expand(path_or_glob: str, root: Path) -> Files:
    """The files a ``path`` of ``beholden.toml`` means; relative to ``root``.

    Raises `SourceError` when there is none: a log that is declared and absent is never an empty log. Where a directory
    could not be read nobody knows whether there is one: nothing is raised, and it is among the ``unread``.
    """
    path = Path(path_or_glob).expanduser()
    pattern = root / path
    try:
        mode = pattern.stat().st_mode
    except (OSError, ValueError):  # a pattern, or whatever the search for it will say
        mode = None
    if mode is not None and stat.S_ISREG(mode):
        return Files([pattern], {})
    if mode is not None and stat.S_ISDIR(mode):
        raise SourceError(f"log path {pattern}", "is a directory", expected="a file or a pattern such as logs/*.csv")
    if mode is not None:
        raise SourceError(
            f"log path {pattern}",
            "is not a regular file but a pipe, a socket or a device",
            expected="a file or a pattern such as logs/*.csv",
            advice="write it to a file first: a log must be there to be read again",
        )
    files, unread = matching_files(root, path)
    if not files and not unread:
        raise SourceError(f"log path {pattern}", "no such file", expected="a file or a pattern such as logs/*.csv")
    return Files(files, {place: _unreadable(place, why) for place, why in unread.items()})


def _unreadable(place: Path, why: str) -> SourceError:
    return SourceError(f"log directory {place}", f"cannot be read ({why})", advice="no log in it was read")
