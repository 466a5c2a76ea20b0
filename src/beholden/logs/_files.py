"""Log files: which a pattern means, and their bytes, decompressed where they are compressed."""

from __future__ import annotations

import glob
import gzip
import zlib
from pathlib import Path
from typing import BinaryIO, Final, cast

from beholden.core.errors import SourceError
from beholden.logs._sniff import looks_like
from beholden.logs._source import BOM

__all__ = ["expand", "likely_format", "open_log"]

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


def expand(path_or_glob: str, root: Path) -> list[Path]:
    """The files a ``path`` of ``beholden.toml`` means, sorted by name; relative to ``root``.

    Raises `SourceError` when there is none: a log that is declared and absent is never an empty log.
    """
    pattern = root / Path(path_or_glob).expanduser()
    if pattern.is_file():
        return [pattern]
    if pattern.is_dir():
        raise SourceError(f"log path {pattern}", "is a directory", expected="a file or a pattern such as logs/*.csv")
    if pattern.exists():
        raise SourceError(
            f"log path {pattern}",
            "is not a regular file but a pipe, a socket or a device",
            expected="a file or a pattern such as logs/*.csv",
            advice="write it to a file first: a log must be there to be read again",
        )
    paths = [Path(name) for name in glob.glob(str(pattern), recursive=True)]  # noqa: PTH207 - Path.glob takes no absolute pattern
    files = sorted(path for path in paths if path.is_file())
    if not files:
        raise SourceError(f"log path {pattern}", "no such file", expected="a file or a pattern such as logs/*.csv")
    return files
