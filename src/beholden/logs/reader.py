"""What every reader of a log format offers, and the record that passes its border.

A reader turns lines into raw access events (``core.events.RAW_EVENTS``) and accounts for every record: it gave
events, it is noise with a reason, or it is not understood with a reason. ``tests/conformance`` holds each one to it.

Identity: ``RAW_EVENTS.identity`` makes a record itself and no other, whatever file it arrives in. Where the format
numbers its records (server + session + line; an event's own uid) those are it. Elsewhere it is the record's content
plus how many equal records came before it in the same file: equal records carry equal times, so the count restarts
harmlessly in a rotated file. It does not depend on the file's name, offset or compression.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import BinaryIO, Protocol

import pyarrow as pa

__all__ = ["LogBatch", "LogContext", "Problem", "Reader"]


@dataclass(frozen=True, slots=True)
class Problem:
    """A record that was not understood: where, and why. The reason never quotes the record."""

    record: int  # first physical line, from 1
    reason: str


@dataclass(frozen=True, slots=True)
class LogContext:
    """What a reader must know besides the bytes.

    ``server`` names whose record this is (it enters identities, so that two files of one server agree);
    ``time_zone`` is for formats that state none.
    """

    server: str
    time_zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class LogBatch:
    """Some records of a log: their events, and an account of every record.

    ``records == parsed + sum(noise.values()) + len(problems)``. A parsed record may give several
    events (a read and a write), or none of its own where it repeats another (then it is in ``noise``).
    """

    events: pa.RecordBatch  # RAW_EVENTS
    records: int
    parsed: int
    noise: dict[str, int] = field(default_factory=dict)  # reason -> records
    problems: tuple[Problem, ...] = ()
    mended: dict[str, int] = field(default_factory=dict)  # what was put right -> records, already counted above


class Reader(Protocol):
    """Reads one format from an open (already decompressed) byte stream, in batches, with bounded memory.

    Raises `beholden.core.errors.SourceError` only when the stream itself fails or is plainly of another format
    (the error says which it looks like). A half record at the end of the stream is a problem "truncated record",
    and the rest is kept.
    """

    format: str

    def read(self, stream: BinaryIO, context: LogContext) -> Iterator[LogBatch]:
        """Batches in the order of the stream."""
