"""Who worked on what: tickets, fraud cases, quality reviews, privacy requests and assignments, written day by day.

They are as dirty as such systems are. Tickets know staff by log-in, and some have lost the time they were opened; the
case system is older and writes its times without a zone; quality and work planning know staff by employee number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from beholden.retailer.balance import records_of, tickets_without_time
from beholden.retailer.chance import Bools, Chance, Ints, below
from beholden.retailer.contacts import CHANNELS, REASONS, Contacts
from beholden.retailer.life.records import TOPICS, Records
from beholden.retailer.render import chosen, lines, numbers
from beholden.retailer.words import words_of
from beholden.retailer.world import World

__all__ = ["WorkFeeds"]

#: Each day's records are numbered from here on.
_NUMBERS_A_DAY: Final = 1_000_000
#: A reviewer's mark is this or more, of 100; assumed.
_SCORE_MIN: Final = 55


class WorkFeeds:
    """The five files ``contacts``, ``cases``, ``reviews``, ``requests`` and ``assignments`` (Parquet), open for writing.

    A day's rows are one row group, so that memory does not grow with the days. The files are whole only once closed;
    raises `OSError` where they cannot be written.
    """

    def __init__(self, world: World, directory: Path) -> None:
        self._world = world
        self._directory = directory
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._told = words_of(world.parameters.preset).told

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, day: int, contacts: Contacts | None = None, records: Mapping[str, Records] | None = None) -> None:
        """Write a day: what belongs to it, and what else is given.

        Args:
            day: days are added in their order.
            contacts: further contacts, each with a ticket number that nobody has (`Service` leaves some out).
            records: further records by ground (`GROUNDS`), numbered among the others.
        """
        world, more = self._world, records or {}
        served = [world.service.on(day), *([] if contacts is None else [contacts])]
        self._write("contacts", _tickets(world, day, _joined(served)))
        for name, (ground, table) in _SYSTEMS.items():
            every = [records_of(world, ground, day), *([more[ground]] if ground in more else [])]
            held = Records.joined(every)
            # What is opened after the end is not yet there.
            held = held.at(held.opened < world.parameters.end)
            self._write(name, table(world, day, held))

    def close(self) -> None:
        """Finish the files."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def _write(self, name: str, table: pa.Table) -> None:
        table = table.rename_columns([self._told(column) for column in table.column_names])
        if name not in self._writers:
            path = self._directory / f"{self._told(name)}.parquet"
            self._writers[name] = pq.ParquetWriter(path, table.schema, compression="zstd")
        self._writers[name].write_table(table)


def _joined(parts: list[Contacts]) -> Contacts:
    columns = {name: np.concatenate([getattr(one, name) for one in parts]) for name in Contacts.__slots__}
    whole = Contacts(**columns)
    return whole.at(np.argsort(whole.ticket, kind="stable"))


def _tickets(world: World, day: int, contacts: Contacts) -> pa.Table:
    end = world.parameters.end
    kept = contacts.at((contacts.ticket >= 0) & (contacts.logged_opened < end))
    return pa.table(
        {
            "ticket_id": lines(words_of(world.parameters.preset).ticket, numbers(kept.ticket)),
            "agent_id": chosen(world.staff.logins(day), kept.logged_agent),
            "customer_id": _customers(world, kept.customer),
            "channel": chosen(CHANNELS, kept.channel),
            "reason": chosen(list(REASONS), kept.reason),
            "opened_at": _times(kept.logged_opened, tickets_without_time(world, kept), "UTC"),
            "closed_at": _times(kept.logged_closed, kept.logged_closed >= end, "UTC"),
        }
    )


def _cases(world: World, day: int, records: Records) -> pa.Table:
    return pa.table(
        {
            "case_id": _numbered("FR-", day, records),
            "investigator": chosen(world.staff.logins(day), records.actor),
            "customer_id": _customers(world, records.customer),
            "topic": chosen(TOPICS, records.topic),
            **_opened_and_closed(world, records, None),
        }
    )


def _reviews(world: World, day: int, records: Records) -> pa.Table:
    draw = Chance(world.parameters.seed, "review score")(records.opened, records.customer)
    return pa.table(
        {
            "review_id": _numbered("QA", day, records),
            "reviewer": chosen(_employees(world), records.actor),
            "customer_id": _customers(world, records.customer),
            "score": pa.array(_SCORE_MIN + below(draw, 101 - _SCORE_MIN), pa.int32()),
            **_opened_and_closed(world, records, "UTC"),
        }
    )


def _requests(world: World, day: int, records: Records) -> pa.Table:
    return pa.table(
        {
            "request_id": _numbered("DSR-", day, records),
            "handler": chosen(world.staff.logins(day), records.actor),
            "customer_id": _customers(world, records.customer),
            "right": chosen(TOPICS, records.topic),
            **_opened_and_closed(world, records, "UTC"),
        }
    )


def _assignments(world: World, day: int, records: Records) -> pa.Table:
    return pa.table(
        {
            "assignment_id": _numbered("WA-", day, records),
            "assignee": chosen(_employees(world), records.actor),
            "work": chosen(TOPICS, records.topic),
            "customer_id": _customers(world, records.customer),
            **_opened_and_closed(world, records, "UTC"),
        }
    )


#: File: the ground it holds, and how its rows are made.
_SYSTEMS: Final[dict[str, tuple[str, Callable[[World, int, Records], pa.Table]]]] = {
    "cases": ("case", _cases),
    "reviews": ("review", _reviews),
    "requests": ("request", _requests),
    "assignments": ("assignment", _assignments),
}


def _employees(world: World) -> list[str]:
    return [f"E{member.number}" for member in world.staff.members]


def _numbered(prefix: str, day: int, records: Records) -> pa.Array:
    """Ids in the order in which the records of the day were opened, whoever made them."""
    return lines(prefix, numbers(day % 10_000 * _NUMBERS_A_DAY + 1 + np.arange(len(records))))


def _customers(world: World, customer: Ints) -> pa.Array:
    """Ids of customers at these positions; none for -1."""
    form = words_of(world.parameters.preset).customer
    return pa.array(form.values(customer + 1), pa.string() if form.digits else pa.int64(), mask=customer < 0)


def _opened_and_closed(world: World, records: Records, zone: str | None) -> dict[str, pa.Array]:
    nothing = np.zeros(len(records), dtype=np.bool_)
    still_open = records.closed >= world.parameters.end
    return {
        "opened_at": _times(records.opened, nothing, zone),
        "closed_at": _times(records.closed, still_open, zone),
    }


def _times(times: Ints, missing: Bools, zone: str | None) -> pa.Array:
    return pa.array(times, pa.timestamp("us", tz=zone), mask=missing)
