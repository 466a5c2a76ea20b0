"""What a log looks like by its first bytes; used to explain a failure, never to choose a reader."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["looks_like"]

_MAGIC: Final = (
    (b"\x1f\x8b", "a gzip file inside a gzip file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"PK\x03\x04", "a zip file"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
)
_SESSION: Final = rb"[0-9a-f]+\.[0-9a-f]+"
#: Tried in order on the first lines; the first that fits the very first or most of them names the format.
_LINES: Final = (
    ("pgaudit-csv", re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[^,]*,(?:[^,]*,){3}[^,]*," + _SESSION + rb",\d+,")),
    ("pgaudit-json", re.compile(rb'\{(?=.*"session_id":)(?=.*"line_num":)(?=.*"error_severity":)')),
    ("ocsf", re.compile(rb'[\[\s]*\{(?=.*"(?:class|type)_uid"\s*:)')),
    ("a MariaDB server_audit log", re.compile(rb"\d{8} \d\d:\d\d:\d\d,(?:[^,]*,){3}\d+,\d+,[A-Z_]+,")),
    ("a web server's access log", re.compile(rb'\S+ \S+ \S+ \[[^\]]+\] "')),
    ("PostgreSQL's plain-text log", re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d.*(?:LOG|ERROR|FATAL|STATEMENT|DETAIL):  ")),
)  # fmt: skip
_FIRST_LINES: Final = 20
_LINE_BYTES: Final = 4096


def looks_like(head: bytes) -> str | None:
    """The name of the format that ``head`` (the beginning of a log) plainly is; None when that is not plain."""
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    lines = [line[:_LINE_BYTES] for line in head.split(b"\n")[:_FIRST_LINES] if line.strip()]
    for name, pattern in _LINES:
        fits = [pattern.match(line) is not None for line in lines]
        if any(fits[:1]) or 2 * sum(fits) > len(fits):
            return name
    if head.lstrip()[:1] in (b"{", b"["):
        return "ocsf" if b'"class_uid"' in head else "JSON"
    return "a binary file" if b"\0" in head[:_LINE_BYTES] else None
