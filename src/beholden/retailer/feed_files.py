"""``feeds/``: what the ticket, case and personnel systems hold."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from beholden.retailer.chance import DAY_US, Ints, iso, stream
from beholden.retailer.contacts import CHANNELS, NEVER, REASONS
from beholden.retailer.exports import write_parquet
from beholden.retailer.lookalikes import Cases
from beholden.retailer.world import World

__all__ = ["write_feeds"]

#: Share of tickets whose opening time was lost on the way; assumed.
_NO_TIME: Final = 0.002


def write_feeds(world: World, cases: Cases, directory: Path) -> None:
    """Write every feed."""
    _contacts(world, directory / "contacts.parquet")
    _cases(world, cases, directory / "cases.parquet")
    _staff(world, directory / "staff.csv")


def _contacts(world: World, path: Path) -> None:
    rng = stream(world.parameters.seed, "contact feed")
    contacts = world.contacts
    kept = np.flatnonzero(contacts.quality != NEVER)
    ticket = contacts.ticket[kept]
    opened, closed = contacts.logged_opened[kept], contacts.logged_closed[kept]
    no_time = rng.random(len(kept)) < _NO_TIME
    reasons = list(REASONS)
    table = pa.table(
        {
            "ticket_id": [f"CT{number}" for number in ticket.tolist()],
            "agent_id": world.actor_names(contacts.logged_agent[kept].tolist()),
            "customer_id": pa.array(contacts.customer[kept] + 1, pa.int64()),
            "channel": [CHANNELS[i] for i in contacts.channel[kept].tolist()],
            "reason": [reasons[i] for i in contacts.reason[kept].tolist()],
            "opened_at": _times(opened, no_time, "UTC"),
            "closed_at": _times(closed, closed >= world.parameters.end, "UTC"),
        }
    )
    write_parquet(path, table)


def _cases(world: World, cases: Cases, path: Path) -> None:
    n = len(cases.opened)
    table = pa.table(
        {
            "case_id": [f"FR-{70_000 + number}" for number in range(n)],
            "investigator": world.actor_names(cases.investigator.tolist()),
            "customer_id": pa.array(cases.customer + 1, pa.int64()),
            "topic": pa.array(["shared card"] * n, pa.string()),
            # The case system is older and writes its times without a zone.
            "opened_at": _times(cases.opened, np.zeros(n, dtype=np.bool_), None),
            "closed_at": _times(cases.closed, cases.closed < 0, None),
        }
    )
    write_parquet(path, table)


def _times(times: Ints, missing: np.typing.NDArray[np.bool_], tz: str | None) -> pa.Array:
    return pa.array(times, pa.timestamp("us", tz=tz), mask=missing)


def _staff(world: World, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("employee_id", "login", "name", "team", "role", "hired", "left"))
        for member in world.staff.members:
            hired, left = (
                "" if day is None else iso(np.array([day * DAY_US]), "D")[0] for day in (member.hired, member.left)
            )
            writer.writerow((f"E{member.number}", member.login, member.name, member.team, member.role, hired, left))
