"""Times are signed 64-bit microseconds since 1970-01-01 UTC inside, RFC 3339 with microseconds outside."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from beholden.core.errors import UsageError

__all__ = ["Clock", "Window", "format_time", "parse_time", "parse_window", "system_clock", "zone"]

#: A clock returns the present as microseconds since 1970-01-01 UTC. It is always an argument.
Clock = Callable[[], int]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)
_RELATIVE: Final = re.compile(r"(\d{1,6})(m|h|d|w)\Z")
_UNIT_US: Final = {"m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000, "w": 7 * 86_400_000_000}
#: Years outside this range are refused: they are mistakes of a clock or a parser.
_YEAR_MIN: Final = 1971
_YEAR_MAX: Final = 2199


def system_clock() -> int:
    """The machine's own clock."""
    return time.time_ns() // 1000


def zone(name: str) -> tzinfo:
    """A time zone by its IANA name; raises `UsageError` for an unknown one."""
    try:
        return UTC if name.upper() in {"UTC", "Z", "GMT"} else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UsageError(
            "time zone", f"'{name[:40]}' is unknown", expected="an IANA name, e.g. Europe/Berlin"
        ) from None


def parse_time(text: str, assume: tzinfo | None = None) -> int:
    """Read an ISO 8601 / RFC 3339 time as microseconds.

    Args:
        text: the time; a trailing ``UTC`` or ``Z`` is understood.
        assume: the zone of a time that states none; without it such a time is refused.

    Raises:
        ValueError: not a time, no zone known, or a year outside 1971..2199. The text is not repeated.
    """
    text = text.strip()
    if text.endswith((" UTC", " GMT")):
        text = text[:-4] + "+00:00"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("not an ISO 8601 time") from None
    if moment.tzinfo is None:
        if assume is None:
            raise ValueError("the time states no zone")
        moment = moment.replace(tzinfo=assume)
    if not _YEAR_MIN <= moment.year <= _YEAR_MAX:
        raise ValueError("the year is out of range")
    return (moment - _EPOCH) // _MICRO


def format_time(micros: int) -> str:
    """RFC 3339, UTC, six decimals: ``2026-11-22T12:44:35.138000Z``."""
    return (_EPOCH + timedelta(microseconds=micros)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True, slots=True)
class Window:
    """``[start, end)`` in microseconds; None is open on that side."""

    start: int | None = None
    end: int | None = None

    def overlaps(self, first: int, last: int) -> bool:
        """Whether any moment from ``first`` to ``last``, both included, is in it."""
        return (self.start is None or last >= self.start) and (self.end is None or first < self.end)


def parse_window(start: str | None, end: str | None, clock: Clock) -> Window:
    """Read ``--from`` and ``--to``: a date, a time, or an age such as ``30d``, ``12h``, ``90m``.

    A date alone means its first microsecond in UTC.
    """
    window = Window(_edge("--from", start, clock), _edge("--to", end, clock))
    if window.start is not None and window.end is not None and window.start >= window.end:
        raise UsageError("time window", "--from is not before --to", expected="[from, to)")
    return window


def _edge(option: str, text: str | None, clock: Clock) -> int | None:
    if text is None:
        return None
    age = _RELATIVE.match(text.strip())
    if age:
        return clock() - int(age[1]) * _UNIT_US[age[2]]
    try:
        return parse_time(text, UTC)
    except ValueError as error:
        raise UsageError(
            option, str(error), expected="2026-11-22, 2026-11-22T09:00:00Z or an age such as 30d"
        ) from None
