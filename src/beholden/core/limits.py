"""Bounds on everything that comes from outside. Reaching one is shown, never swallowed."""

from __future__ import annotations

from typing import Final

__all__ = [
    "BATCH_ROWS",
    "CONFIG_BYTES_MAX",
    "LINE_BYTES_MAX",
    "LISTED_PROBLEMS_MAX",
    "SAMPLE_ROWS",
    "SEGMENT_EVENTS_MAX",
    "STATEMENT_BYTES_MAX",
    "VALUE_CHARS_MAX",
]

#: Rows of a batch that passes between rooms.
BATCH_ROWS: Final = 8192
#: One physical line or record of a log; a longer one is listed as not understood.
LINE_BYTES_MAX: Final = 16 * 1024 * 1024
#: One SQL statement handed to the parser; a longer one is listed as not understood.
STATEMENT_BYTES_MAX: Final = 1024 * 1024
#: Problems listed one by one; beyond it they are counted by reason.
LISTED_PROBLEMS_MAX: Final = 1000
#: Rows a classification looks at first.
SAMPLE_ROWS: Final = 2000
#: Characters of one value that a classification looks at.
VALUE_CHARS_MAX: Final = 4096
#: Events in one sealed segment.
SEGMENT_EVENTS_MAX: Final = 1 << 20
#: Size of beholden.toml and of a mapping file.
CONFIG_BYTES_MAX: Final = 4 * 1024 * 1024
