"""Which events a retention policy is for: ``*``, or ``source:``, ``store:``, ``dataset:`` or ``activity:`` and a name.

A name may have ``*`` for any text. Nothing finer is offered: old events go by whole segments, so a selector can make a
segment stay longer, never make one of its events go earlier.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from beholden.core.errors import UsageError

__all__ = ["SELECTOR_KINDS", "Selector"]

SELECTOR_KINDS: Final = ("source", "store", "dataset", "activity")
_EXPECTED: Final = "'*', or source:NAME, store:NAME, dataset:STORE/PATH or activity:NAME"


@dataclass(frozen=True, slots=True)
class Selector:
    """A condition on one column. ``kind`` is empty for all events; ``pattern`` may hold ``*``."""

    kind: str
    pattern: str

    @classmethod
    def parse(cls, text: str) -> Selector:
        """Read a selector; raises `UsageError` for one of no known form."""
        if text == "*":
            return cls("", "*")
        kind, _, pattern = text.partition(":")
        if kind not in SELECTOR_KINDS or not pattern or (kind == "dataset" and "/" not in pattern):
            raise UsageError("events", "is no selector of events", expected=_EXPECTED)
        if kind == "activity":
            from beholden.core.events import ACTIVITIES  # noqa: PLC0415 - brings pyarrow, which help must not wait for

            if not any(fnmatchcase(activity, pattern) for activity in ACTIVITIES):
                raise UsageError("events", "selects no activity there is", expected=", ".join(ACTIVITIES))
        return cls(kind, pattern)

    def __str__(self) -> str:
        return f"{self.kind}:{self.pattern}" if self.kind else self.pattern

    def matches(self, *, source: str, store: str | None, dataset: str | None, activity: str) -> bool:
        """Whether an event with these values is meant, or may be: one without a store or dataset may be of any."""
        if not self.kind:
            return True
        if self.kind == "source":
            return fnmatchcase(source, self.pattern)
        if self.kind == "activity":
            return fnmatchcase(activity, self.pattern)
        if self.kind == "store":
            return store is None or fnmatchcase(store, self.pattern)
        if dataset is None:
            return store is None or fnmatchcase(store, self.pattern.partition("/")[0])
        return fnmatchcase(f"{store or ''}/{dataset}", self.pattern)
