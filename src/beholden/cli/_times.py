"""Times as answers show them."""

from __future__ import annotations

from typing import overload

from beholden.core.times import format_time

__all__ = ["shown_time"]


@overload
def shown_time(micros: int) -> str: ...
@overload
def shown_time(micros: int | None) -> str | None: ...
def shown_time(micros: int | None) -> str | None:
    """RFC 3339 in UTC; None stays None."""
    return None if micros is None else format_time(micros)
