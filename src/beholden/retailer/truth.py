"""``truth/``: what every event was. Lies apart; nothing but a benchmark reads it.

``events/LOG[-HOST]-DAY.parquet`` has a row for each whole record of a log, by its place: log, file, record (the number of its
first line, from 1), uid, time, label, also, incident. An event whose every record was lost has no file and no record.

``time`` is when it happened; the line may say another, where a clock was off. ``label`` is what it was: ``ordinary``,
``benign:KIND`` or ``incident``. ``also`` names, with spaces between, whatever look-alikes came upon it (`conditions`); the
most telling of them is the label of what would be ordinary otherwise.
``incidents.jsonl`` describes the incidents; what was planted, canaries among it, stands beside it (`planted`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from beholden.core.times import format_time
from beholden.retailer.chance import Bools, Ints
from beholden.retailer.conditions import CONDITIONS, Bits, first_of, texts_of
from beholden.retailer.events import LABELS, Events, label
from beholden.retailer.incidents import Incident
from beholden.retailer.log_files import WrittenDay
from beholden.retailer.tables import write_parquet
from beholden.retailer.words import Words

__all__ = ["write_incidents", "write_truth"]

#: The label of each condition.
_CONDITIONS: Final = np.array([label(name) for name in CONDITIONS])


def write_truth(path: Path, log: str, events: Events, written: WrittenDay, conditions: Bits) -> None:
    """A row for each whole record of a log's day, and for each event that left none; ``conditions``: of each event."""
    event, nowhere = written.event, written.file < 0
    incident, conditions = events.incident[event], conditions[event]
    what = events.label[event]
    what = np.where((what == 0) & (conditions != 0), _CONDITIONS[first_of(conditions)], what)
    table = pa.table(
        {
            "log": _coded([log], np.zeros(len(event), dtype=np.int64)),
            "file": _coded(written.files, written.file),
            "record": _masked(written.record, nowhere),
            "uid": written.uids,
            "time": pa.array(events.time[event], pa.timestamp("us", tz="UTC")),
            "label": _coded(LABELS, what),
            "also": texts_of(conditions),
            "incident": _masked(incident, incident < 0),
        }
    )
    # Uids do not compress, times and places grow: this takes a third of the time of the library's defaults.
    # Least and most are kept of incidents alone, which are looked up: those of the others take a third of the rest.
    steady = dict.fromkeys(("record", "time"), "DELTA_BINARY_PACKED")
    coded = ["log", "file", "label", "also", "incident"]
    write_parquet(path, table, compression="none", dictionaries=coded, encoding=steady, statistics=["incident"])


def _coded(texts: Sequence[str], position: Ints) -> pa.Array:
    """A column of few texts by their positions; null where that is -1."""
    return pa.DictionaryArray.from_arrays(_masked(position.astype(np.int32), position < 0), pa.array(texts))


def _masked(values: npt.NDArray[np.integer[Any]], absent: Bools) -> pa.Array:
    """The values, null where they are absent; a mask costs more than to see that there is none."""
    return pa.array(values, mask=absent if absent.any() else None)


def write_incidents(incidents: Sequence[Incident], words: Words, directory: Path) -> None:
    """Describe the incidents, from the days that were written; their subjects go by the names that stores have."""
    uids: dict[int, dict[str, None]] = defaultdict(dict)
    for path in sorted((directory / "events").glob("*.parquet")) if incidents else ():
        table = pq.read_table(path, columns=["uid", "incident"], filters=pc.field("incident").is_valid())
        for uid, incident in zip(table["uid"].to_pylist(), table["incident"].to_pylist(), strict=True):
            uids[incident][uid] = None
    with (directory / "incidents.jsonl").open("w", encoding="utf-8", newline="\n") as file:
        for incident in incidents:
            first, last = incident.span
            described = {
                "incident": incident.number,
                "kind": incident.kind,
                "grade": incident.grade,
                "actors": list(incident.actors),
                "subjects": list(map(words.subject, incident.subjects)),
                "first": format_time(first),
                "last": format_time(last),
                "event_uids": list(uids[incident.number]),
            }
            file.write(json.dumps(described) + "\n")
