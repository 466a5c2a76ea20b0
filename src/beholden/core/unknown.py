"""What an answer cannot say. Unknown is its own answer: not scanned is not clean, not logged is not untouched."""

from __future__ import annotations

from dataclasses import dataclass

from beholden.core.times import format_time

__all__ = ["Unknown"]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A gap in what an answer rests on.

    ``kind`` is one word for programs (``store``, ``dataset``, ``field``, ``log``, ``window``, ``statement`` ...),
    ``object`` what it concerns, ``reason`` a short text, ``since`` RFC 3339 or None, ``count`` how many.
    """

    kind: str
    object: str
    reason: str
    since: str | None = None
    count: int | None = None

    @classmethod
    def of(
        cls, kind: str, about: str, reason: str, *, since_us: int | None = None, count: int | None = None
    ) -> Unknown:
        """Make one from a time in microseconds."""
        return cls(kind, about, reason, None if since_us is None else format_time(since_us), count)

    def line(self) -> str:
        """The gap as one line for people."""
        text = f"{self.object}: {self.reason}"
        if self.count is not None:
            text += f" ({self.count:,})"
        if self.since is not None:
            text += f" since {self.since}"
        return text
