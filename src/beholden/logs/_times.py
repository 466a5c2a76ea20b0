"""Times of mapped and OCSF records: RFC 3339, seconds or milliseconds since 1970, or a pattern of one's own."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from beholden.core.times import parse_time
from beholden.logs._pgtime import ZONE_UNKNOWN

__all__ = ["EPOCHS", "FIRST_MICROS", "LAST_MICROS", "check_pattern", "epoch_micros", "time_reader"]

#: Microseconds in one unit of each numeric format.
EPOCHS: Final = {"epoch_s": 1_000_000, "epoch_ms": 1_000}

_NUMBER: Final = re.compile(r"-?\d{1,19}(?:\.\d{1,9})?", re.ASCII)
#: Times outside are mistakes of a clock or a parser.
FIRST_MICROS: Final = parse_time("1971-01-01T00:00:00Z")
LAST_MICROS: Final = parse_time("2199-12-31T23:59:59Z")


def check_pattern(format_: str) -> None:
    """Raise `ValueError`, saying why, when ``format_`` is no way to write times."""
    if format_ == "rfc3339" or format_ in EPOCHS:
        return
    if "%" not in format_:
        raise ValueError("not a time format")
    if "%Z" in format_:
        raise ValueError("%Z cannot be read reliably; use %z, or leave the zone out and set time_zone")
    try:
        datetime.strptime(datetime(2026, 11, 22, tzinfo=UTC).strftime(format_), format_).replace(tzinfo=UTC)
    except ValueError:
        raise ValueError("not a pattern that strptime can read back") from None


def time_reader(format_: str, zone: tzinfo | None) -> Callable[[Any], int]:
    """A function from a record's time to microseconds since 1970-01-01 UTC.

    It raises `ValueError` with a reason that quotes nothing of the record.

    Args:
        format_: ``rfc3339``, ``epoch_s``, ``epoch_ms`` or a strptime pattern.
        zone: for times that state none.
    """
    if format_ in EPOCHS:
        unit = EPOCHS[format_]
        return lambda value: epoch_micros(value, unit)
    pattern = None if format_ == "rfc3339" else format_

    def read(value: Any) -> int:
        if type(value) is not str:
            raise ValueError("the time is not a text")
        if pattern is not None:
            value = _by_pattern(value, pattern)
        try:
            return parse_time(value, zone)
        except ValueError as error:
            raise ValueError(ZONE_UNKNOWN if "no zone" in str(error) else str(error)) from None

    return read


def epoch_micros(value: Any, unit: int) -> int:
    """A number (or its text) of units of ``unit`` microseconds, as microseconds. Raises `ValueError`."""
    if type(value) is str and _NUMBER.fullmatch(value):
        value = float(value) if "." in value else int(value)
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError("the time is not a number")
    if abs(value) > LAST_MICROS:
        raise ValueError("the year is out of range")
    micros = value * unit if type(value) is int else round(value * unit)
    if not FIRST_MICROS <= micros <= LAST_MICROS:
        raise ValueError("the year is out of range")
    return micros


def _by_pattern(text: str, pattern: str) -> str:
    try:
        return datetime.strptime(text, pattern).isoformat()  # noqa: DTZ007 - the zone is added where there is none
    except ValueError:
        raise ValueError("the time is not of the form of time_format") from None
