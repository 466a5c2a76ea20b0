"""``truth/``: what every event was. Lies apart; nothing but a benchmark reads it.

``events.parquet`` has a row for each line of a log that holds a whole event, by its place: log, file, record (the
line's number, from 1), uid, label, incident. An event whose every line was lost has no file and no record.
``incidents.jsonl`` describes the incidents.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from beholden.core.times import format_time
from beholden.retailer.chance import Ints
from beholden.retailer.exports import write_parquet
from beholden.retailer.incidents import Incident
from beholden.retailer.log_lines import WrittenLog
from beholden.retailer.views import LABELS

__all__ = ["LabelledLog", "write_truth"]


@dataclass(frozen=True, slots=True)
class LabelledLog:
    """A written log and what each of its events was."""

    name: str
    written: WrittenLog
    time: Ints
    label: Ints
    incident: Ints


def write_truth(incidents: list[Incident], logs: list[LabelledLog], directory: Path) -> None:
    """Write both tables."""
    write_parquet(directory / "events.parquet", pa.concat_tables([_events(log) for log in logs]))
    with (directory / "incidents.jsonl").open("w", encoding="utf-8", newline="\n") as file:
        for incident in incidents:
            file.write(json.dumps(_described(incident, logs)) + "\n")


def _events(log: LabelledLog) -> pa.Table:
    delivery = log.written.delivery
    whole = np.arange(len(delivery.event)) != delivery.torn
    event = delivery.event[whole]
    lost = np.setdiff1d(np.arange(len(log.time)), event)
    file = [log.written.files[i] for i in delivery.file[whole].tolist()] + [None] * len(lost)
    record = [*delivery.record()[whole].tolist(), *[None] * len(lost)]
    event = np.concatenate([event, lost])
    incident = [None if number < 0 else number for number in log.incident[event].tolist()]
    uids = log.written.uids
    return pa.table(
        {
            "log": pa.array([log.name] * len(event), pa.string()),
            "file": pa.array(file, pa.string()),
            "record": pa.array(record, pa.int64()),
            "uid": pa.array([uids[i] for i in event.tolist()], pa.string()),
            "time": pa.array(log.time[event], pa.timestamp("us", tz="UTC")),
            "label": pa.array([LABELS[i] for i in log.label[event].tolist()], pa.string()),
            "incident": pa.array(incident, pa.int64()),
        }
    )


def _described(incident: Incident, logs: list[LabelledLog]) -> dict[str, object]:
    uids: list[str] = []
    times: list[int] = []
    for log in logs:
        mine = np.flatnonzero(log.incident == incident.number).tolist()
        uids += [log.written.uids[i] for i in mine]
        times += log.time[mine].tolist()
    return {
        "incident": incident.number,
        "kind": incident.kind,
        "grade": incident.grade,
        "actors": list(incident.actors),
        "subjects": [f"customer:{position + 1}" for position in incident.subjects],
        "first": format_time(min(times)) if times else None,
        "last": format_time(max(times)) if times else None,
        "event_uids": uids,
    }
