"""What systems other than the ticket system hold as somebody's reason to look: cases, reviews, requests, assignments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from beholden.retailer.chance import Bools, Ints, Rng
from beholden.retailer.staff import SHIFT_US, Staff

__all__ = ["SHIFT_US", "TOPICS", "Records", "following", "in_shift", "shift_starts", "topic"]

#: What a record is about.
TOPICS: Final = (
    "shared card", "chargeback", "account takeover", "quality review", "access", "erasure", "rectification",
    "training exercise", "address correction", "pipeline repair", "report", "migration", "campaign",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one system in the order in which they were opened. They are numbered when they are written."""

    actor: Ints  # positions among the staff
    customer: Ints  # positions, or -1 where it is about no customer
    topic: Ints
    opened: Ints
    closed: Ints

    def __len__(self) -> int:
        return len(self.opened)

    def at(self, chosen: Ints | Bools) -> Records:
        """Those at these positions, or for which the mask is true."""
        return Records(**{one.name: getattr(self, one.name)[chosen] for one in fields(self)})

    @classmethod
    def joined(cls, parts: Sequence[Records]) -> Records:
        """All of them, in the order in which they were opened."""
        whole = cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))
        return whole.at(np.lexsort((whole.customer, whole.actor, whole.opened)))

    @classmethod
    def nothing(cls) -> Records:
        """No records."""
        return cls(*(np.empty(0, dtype=np.int64) for _ in fields(cls)))


def topic(name: str) -> int:
    """The position of a topic."""
    return TOPICS.index(name)


def shift_starts(staff: Staff, actor: Ints, day: int) -> Ints:
    """When the working day of each of these members begins; it ends `SHIFT_US` later."""
    return staff.shift_starts(day)[actor]


def in_shift(rng: Rng, staff: Staff, actor: Ints, day: int, margin: int) -> Ints:
    """A moment in each one's working day, in whole milliseconds, at least ``margin`` microseconds before its end."""
    milliseconds = (rng.random(len(actor)) * ((SHIFT_US - margin) // 1000)).astype(np.int64)
    return shift_starts(staff, actor, day) + milliseconds * 1000


def following(rng: Rng, first: Ints, count: Ints, seconds: tuple[int, int]) -> tuple[Ints, Ints]:
    """``count`` moments from each ``first`` on, that many seconds apart: for each its row, and when it is."""
    row = np.repeat(np.arange(len(first)), count)
    gaps = rng.integers(seconds[0] * 1000, seconds[1] * 1000, len(row)) * 1000
    before = np.cumsum(gaps) - gaps
    begins = np.cumsum(count) - count
    # Gaps follow their moments: the first of a row is at the row's own beginning.
    return row, first[row] + before - before[begins[row]]
