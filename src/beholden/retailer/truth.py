"""``truth/``: what every event was. Lies apart; nothing but a benchmark reads it.

``events/LOG-DAY.parquet`` has a row for each whole record of a log, by its place: log, file, record (the number of its
first line, from 1), uid, time, label, incident. An event whose every record was lost has no file and no record.
``incidents.jsonl`` describes the incidents; what was planted, canaries among it, stands beside it (`planted`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from beholden.core.times import format_time
from beholden.retailer.incidents import Incident

__all__ = ["write_incidents"]


def write_incidents(incidents: Sequence[Incident], directory: Path) -> None:
    """Describe the incidents, from the days that were written."""
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
                "subjects": list(incident.subjects),
                "first": format_time(first),
                "last": format_time(last),
                "event_uids": list(uids[incident.number]),
            }
            file.write(json.dumps(described) + "\n")
