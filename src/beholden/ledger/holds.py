"""Legal holds: events that must stay whatever their age, and people whose keys must not be destroyed.

A hold and its release are events of the ledger, sealed at once, so nobody can drop one without it showing; the present
set is read from them. A pruning repeats those in force, so that they outlive the segment they were first written to.

A hold keeps every segment with an event it may be about. What cannot be told is kept: a read of a whole table may have
shown a held person, an event without a dataset may be of a held one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.errors import NotFoundError, UsageError
from beholden.ledger.format import Layout
from beholden.ledger.manifest import Manifest, Segment
from beholden.ledger.own import LEDGER_SOURCE, OwnEvent, read_own
from beholden.ledger.records import HoldRecord, PruneRecord, ReleaseRecord
from beholden.ledger.segments import read_columns

__all__ = ["Hold", "Holds", "holds_of", "read_holds"]

#: An access that may have reached anybody's rows.
_WIDE: Final = ("table", "predicate")


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold, and when (microseconds) and how it was released; None while it is in force."""

    record: HoldRecord
    released: int | None = None
    release: ReleaseRecord | None = None


@dataclass(frozen=True, slots=True)
class Holds:
    """Every hold on record, oldest first."""

    all: tuple[Hold, ...] = ()

    @property
    def in_force(self) -> tuple[HoldRecord, ...]:
        """Holds that were not released."""
        return tuple(hold.record for hold in self.all if hold.released is None)

    @property
    def people(self) -> frozenset[bytes]:
        """Tokens of held persons, subjects and actors: their keys must not be destroyed."""
        return frozenset(bytes.fromhex(hold.value) for hold in self.in_force if hold.on in ("subject", "actor"))

    def named(self, hold_id: str) -> HoldRecord:
        """The hold in force with this id.

        Raises:
            NotFoundError: there is none. UsageError: it was released already.
        """
        for hold in self.all:
            if hold.record.hold_id == hold_id:
                if hold.released is not None:
                    raise UsageError(f"hold {hold_id}", "was released already")
                return hold.record
        raise NotFoundError("hold", "no hold has this id", advice="list them with: beholden ledger hold list")

    def reasons(self, layout: Layout, segment: Segment) -> list[str]:
        """Which holds keep a segment.

        Raises:
            IntegrityError: the segment cannot be read.
        """
        held = [hold for hold in self.in_force if _may_concern(hold, layout, segment)]
        return [f"hold {hold.hold_id} ({hold.on})" for hold in held]


def read_holds(layout: Layout, manifest: Manifest, recent: pa.Table) -> Holds:
    """Every hold that the record tells of; ``recent`` are the events that are not sealed.

    Raises:
        IntegrityError: a segment that has some cannot be read.
    """
    return holds_of(read_own(layout, manifest, recent))


def holds_of(events: Iterable[OwnEvent]) -> Holds:
    """The holds that the ledger's own events tell of."""
    found: dict[str, Hold] = {}
    for event in events:
        record = event.record
        if isinstance(record, HoldRecord):
            found.setdefault(record.hold_id, Hold(record))
        elif isinstance(record, PruneRecord):
            for hold in record.holds:
                found.setdefault(hold.hold_id, Hold(hold))
        elif record.hold_id in found and found[record.hold_id].released is None:
            found[record.hold_id] = Hold(found[record.hold_id].record, event.time, record)
    return Holds(tuple(found.values()))


def _may_concern(hold: HoldRecord, layout: Layout, segment: Segment) -> bool:
    if hold.on == "seq":
        return _overlaps(hold, segment.first_seq, segment.last_seq)
    if hold.on == "time":
        return _overlaps(hold, segment.time_min, segment.time_max)
    names = {
        "subject": ["subjects", "subject_count", "scope"],
        "actor": ["actor", "on_behalf_of"],
        "dataset": ["store", "dataset"],
    }
    columns = read_columns(layout.segments / segment.file, f"segments/{segment.file}", ["source", *names[hold.on]])
    columns = columns.filter(pc.not_equal(columns["source"], LEDGER_SOURCE))
    if hold.on == "dataset":
        pairs = columns.group_by(["store", "dataset"]).aggregate([]).to_pylist()
        return any(_may_be(hold.value, pair["store"], pair["dataset"]) for pair in pairs)
    token = bytes.fromhex(hold.value)
    if hold.on == "actor":
        return any(_holds(columns[name], token) for name in names["actor"])
    listed = pc.fill_null(pc.list_value_length(columns["subjects"]), 0)
    unlisted = pc.any(pc.greater(columns["subject_count"], listed), min_count=0).as_py()
    wide = any(_holds(columns["scope"], scope) for scope in _WIDE)
    return bool(unlisted) or wide or _holds(pc.list_flatten(columns["subjects"]), token)


def _holds(values: pa.ChunkedArray, wanted: object) -> bool:
    return bool(pc.any(pc.equal(values, pa.scalar(wanted, values.type)), min_count=0).as_py())


def _overlaps(hold: HoldRecord, first: int, last: int) -> bool:
    return (hold.first is None or hold.first <= last) and (hold.end is None or first < hold.end)


def _may_be(pattern: str, store: str | None, dataset: str | None) -> bool:
    if store is None or dataset is None:
        return store is None or fnmatchcase(store, pattern.partition("/")[0])
    return fnmatchcase(f"{store}/{dataset}", pattern)
