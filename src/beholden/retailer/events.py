"""What happened, as columns: the form that every kind of event shares, whatever log it will stand in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Self

import numpy as np

from beholden.retailer.chance import Bools, Ints, in_order

__all__ = ["INCIDENT", "LABELS", "Events", "label"]

#: What an event was, for the truth tables alone.
LABELS: Final = (
    "ordinary",
    "benign:late_contact",
    "benign:colleague_contact",
    "benign:disconnected_call",
    "benign:second_customer",
    "benign:call_back",
    "benign:quality_review",
    "benign:fraud_review",
    "benign:training",
    "benign:celebrity_contact",
    "benign:staff_customer",
    "benign:nightly_etl",
    "benign:backup",
    "benign:schema_migration",
    "benign:period_end_export",
    "benign:break_glass",
    "benign:aggregator",
    "benign:developer_moved",
    "benign:view_as_seller",
    "benign:mass_correction",
    "benign:transferred_staff",
    "benign:privacy_request",
    "benign:new_device",
    # What any event may meet, whatever it is (`conditions`):
    "benign:missing_event",
    "benign:duplicate_event",
    "benign:late_event",
    "benign:clock_skew",
    "benign:renamed_user",
    "benign:shared_address",
    "benign:second_id",
    "benign:promotion_load",
    "incident",
)
INCIDENT: Final = LABELS.index("incident")


def label(name: str) -> int:
    """The position of a label."""
    return LABELS.index(name)


@dataclass(frozen=True, slots=True)
class Events:
    """Events in the order of time, one array a column. A kind of event adds columns of its own.

    ``time`` is in microseconds. ``actor`` is a position among the principals (`principals`), who are staff and service
    accounts. ``label`` indexes `LABELS`; ``incident`` is its number, or -1.
    """

    time: Ints
    actor: Ints
    label: Ints
    incident: Ints

    def __len__(self) -> int:
        return len(self.time)

    def at(self, chosen: Ints | Bools) -> Self:
        """Those at these positions, or for which the mask is true."""
        return type(self)(**{one.name: getattr(self, one.name)[chosen] for one in fields(self)})

    def by_clock(self, ahead_us: int) -> Self:
        """As a clock tells them that is so much ahead (microseconds; behind where negative)."""
        return replace(self, time=self.time + ahead_us) if ahead_us else self

    def between(self, start: int, end: int) -> Self:
        """Those of ``[start, end)``."""
        first, last = np.searchsorted(self.time, [start, end])
        return self.at(np.arange(first, last))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """All of them in the order of time, so that nothing in their order tells where they came from."""
        columns: dict[str, Any] = {
            one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)
        }
        time = columns["time"]
        order = in_order(time)
        same = np.diff(time[order]) == 0
        tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
        if len(tied):
            keys = [column for name, column in columns.items() if name not in {"time", "label", "incident"}]
            whole = [column[order[tied]] for column in keys if column.dtype != np.object_]
            order[tied] = order[tied[np.lexsort((*reversed(whole), time[order[tied]]))]]
        return cls(**{name: column[order] for name, column in columns.items()})

    @classmethod
    def nothing(cls) -> Self:
        """No events."""
        return cls(**{one.name: np.empty(0, dtype=np.int64) for one in fields(cls)})
