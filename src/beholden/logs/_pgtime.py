"""Times as PostgreSQL's server log writes them: ``2026-11-22 12:44:35.138 CET``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

from beholden.core.times import parse_time

__all__ = ["ZONE_UNKNOWN", "LogTimes"]

ZONE_UNKNOWN: Final = "time zone unknown: set time_zone"

_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d{1,6}))? ?(\S{1,40})", re.ASCII)
_OFFSET: Final = re.compile(r"([+-])(\d\d):?([0-5]\d)?(?::?[0-5]\d)?", re.ASCII)
_UTC_NAMES: Final = frozenset({"UTC", "GMT", "Z"})
_CACHED: Final = 4096


class LogTimes:
    """Reads times of one log; remembers the last seconds, since many records share one.

    Args:
        zone: the zone of times that state none or only an abbreviation such as CET, which alone is ambiguous.
    """

    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone
        self._cache: dict[tuple[str, str], int] = {}

    def micros(self, text: str) -> int:
        """Microseconds since 1970-01-01 UTC. Raises `ValueError` with a reason that quotes nothing."""
        match = _TIME.fullmatch(text)
        if match is None:
            raise ValueError("the time is not of the form 2026-11-22 12:44:35.138 UTC")
        seconds, fraction, zone = match.groups()
        base = self._cache.get((seconds, zone))
        if base is None:
            base = parse_time(seconds, self._offset(seconds, zone))
            if len(self._cache) >= _CACHED:
                self._cache.clear()
            self._cache[seconds, zone] = base
        return base if fraction is None else base + int(fraction.ljust(6, "0"))

    def _offset(self, seconds: str, name: str) -> tzinfo:
        if name in _UTC_NAMES:
            return UTC
        numeric = _OFFSET.fullmatch(name)
        if numeric is not None:
            shift = timedelta(hours=int(numeric[2]), minutes=int(numeric[3] or 0))
            return _fixed(-shift if numeric[1] == "-" else shift)
        if self._zone is None:
            raise ValueError(ZONE_UNKNOWN)
        parse_time(seconds, UTC)  # refuses what is no time in our words
        for fold in (0, 1):  # the hour that a change of clocks repeats carries its abbreviation
            moment = datetime.fromisoformat(seconds).replace(tzinfo=self._zone, fold=fold)
            if moment.tzname() == name:
                return _fixed(moment.utcoffset() or timedelta())
        raise ValueError("the time's zone does not occur in the time_zone that is set")


def _fixed(shift: timedelta) -> tzinfo:
    if abs(shift) >= timedelta(hours=24):
        raise ValueError("the time's offset is out of range")
    return timezone(shift)
