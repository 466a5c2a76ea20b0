"""``logs/<database>-YYYYMMDD.ocsf.jsonl``: SQL statements as OCSF Datastore Activity (6005), one a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from beholden.retailer.chance import hexadecimal, stream
from beholden.retailer.log_lines import WrittenLog, write_log
from beholden.retailer.staff import SERVICES
from beholden.retailer.statements import Statement
from beholden.retailer.world import World

__all__ = ["write_sql_log"]

#: First word of a statement -> OCSF activity_id of class 6005 and its name.
_ACTIVITIES: Final = {
    "select": (4, "Query"),
    "insert": (5, "Write"),
    "update": (2, "Update"),
    "create": (6, "Create"),
    "delete": (7, "Delete"),
    "drop": (7, "Delete"),
    "alter": (2, "Update"),
}
_PERSON: Final = {"type": "User", "type_id": 1}
_SERVICE: Final = {"type": "System", "type_id": 3}


def write_sql_log(world: World, database: str, statements: list[Statement], directory: Path) -> WrittenLog:
    """Write one file a day of the statements, given in the order of time."""
    rng = stream(world.parameters.seed, f"{database} log")
    uids = hexadecimal(rng, 32, len(statements))
    address = {member.login: member.ip for member in world.staff.members}
    address |= {service: f"10.60.0.{10 + number}" for number, service in enumerate(SERVICES)}
    lines = [
        json.dumps(_event(row, uid, address[row.actor]), separators=(",", ":")) + "\n"
        for row, uid in zip(statements, uids, strict=True)
    ]
    time = np.array([row.time for row in statements], dtype=np.int64)
    name = f"{database}-{{day}}.ocsf.jsonl"
    return write_log(rng, world.parameters, directory, name, time=time, uids=uids, lines=lines)


def _event(row: Statement, uid: str, address: str) -> dict[str, Any]:
    activity, name = _ACTIVITIES[row.sql.partition(" ")[0]]
    event: dict[str, Any] = {
        "class_uid": 6005,
        "category_uid": 6,
        "activity_id": activity,
        "activity_name": name,
        "type_uid": 600_500 + activity,
        "severity_id": 1,
        "time": row.time // 1000,
        "metadata": {
            "version": "1.3.0",
            "uid": uid,
            "product": {"name": "Query Gateway", "vendor_name": "Meridian Retail"},
        },
        "actor": {"user": {"name": row.actor, **(_SERVICE if row.actor in SERVICES else _PERSON)}},
        "src_endpoint": {"ip": address},
        "database": {"name": row.database, "type": "Relational", "type_id": 1},
        "query_info": {"query_string": row.sql},
        "status": "Success" if row.ok else "Failure",
        "status_id": 1 if row.ok else 2,
    }
    if row.table is not None:
        event["table"] = {"name": row.table}
    if row.rows is not None:
        event["query_info"]["query_result_count"] = row.rows
    return event
