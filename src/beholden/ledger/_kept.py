"""Events on their way into the ledger, with the raw events they came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["COPIED", "LABELS", "LABEL_CHARS_MAX", "Kept", "merged"]

#: Columns that pass from the log to the ledger as they are; ``ip`` only packed.
COPIED: Final = ("time", "actor_kind", "ip", "bytes", "decision", "status")
#: Texts in which anybody may have written anything; of a longer one the beginning counts.
LABELS: Final = ("app", "purpose", "assignment")
LABEL_CHARS_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class Kept:
    """Events (``INPUT_EVENTS``) and the row of the raw event that each came from, ascending."""

    events: pa.RecordBatch
    places: npt.NDArray[np.int64]

    def at(self, rows: npt.NDArray[np.int64]) -> Kept:
        """The same, where the raw events were themselves these rows of others."""
        return Kept(self.events, rows[self.places])


def merged(first: Kept, second: Kept) -> pa.RecordBatch:
    """The events of both, in the order of the raw events."""
    if not len(first.places) or not len(second.places):
        return first.events if len(first.places) else second.events
    order: Any = np.argsort(np.concatenate((first.places, second.places)), kind="stable")
    return pa.concat_batches([first.events, second.events]).take(pa.array(order))
