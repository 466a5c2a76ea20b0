"""What every kind of incident hands over: events in ordinary form, and what the truth tables say about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

import numpy as np

from beholden.retailer.chance import DAY_US, Ints, Rng
from beholden.retailer.contacts import Contacts
from beholden.retailer.copies import Extract
from beholden.retailer.devices import Device
from beholden.retailer.events import Events
from beholden.retailer.life.records import Records
from beholden.retailer.life.seller_desk import SellerCases
from beholden.retailer.parameters.bounds import GRADES
from beholden.retailer.warehouse_tables import Table
from beholden.retailer.world import World

__all__ = ["GRADES", "LOGS", "Incident", "Plan", "following", "of_grade", "slots"]

T = TypeVar("T")

#: Names of the logs that events may stand in: those of `life`.
LOGS: Final = ("console", "seller-desk", "gateway", "sql", "sso", "buckets", "wiki", "accounts")


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident.

    Attributes:
        actors: as logs and registers call them: log-ins, ``app:NUMBER``, ``service:NAME``.
        subjects: ``kind:identifier`` of persons, or datasets (STORE/PATH) where no single person is meant.
        events: by log, in the order of time; each carries ``INCIDENT`` and the number, made by the log's own maker.
        records: cases and the like that mimicry put on record, by ground (see `feeds`); each belongs to the day on
            which it was opened.
        tables: tables that it left in the warehouse.
        lost: where it tampered with a log: (log, start, end) of lines that are gone.
        seller_cases: cases about sellers that mimicry put on record.
        states: what it did to sellers, for the register of states: (seller, ``suspended`` or ``reinstated``, when).
        contacts: contacts that mimicry put on record, each with a ticket number that nobody has; None where none.
        files: files that it left in buckets.
        devices: devices it brought onto the network, for its list (`devices.write_devices`).
    """

    number: int
    kind: str
    grade: str
    actors: tuple[str, ...]
    subjects: tuple[str, ...]
    events: Mapping[str, Events]
    records: Mapping[str, Records] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    lost: tuple[tuple[str, int, int], ...] = ()
    seller_cases: SellerCases | None = None
    states: tuple[tuple[int, str, int], ...] = ()
    contacts: Contacts | None = None
    devices: tuple[Device, ...] = ()
    files: tuple[Extract, ...] = ()

    def on(self, log: str, day: int) -> Events | None:
        """Its events of one day in a log."""
        found = self.events.get(log)
        return None if found is None else found.between(day * DAY_US, (day + 1) * DAY_US)

    @property
    def span(self) -> tuple[int, int]:
        """Its first and last event in microseconds."""
        times = np.concatenate([events.time for events in self.events.values()])
        return int(times.min()), int(times.max())


def of_grade(values: tuple[T, T, T], grade: str) -> T:
    """The value of a parameter that has one for each of `GRADES`."""
    return values[GRADES.index(grade)]


def slots(world: World) -> int:
    """How many incidents of one kind can be under way at once in this company.

    Those under way at once have numbers of different remainders by this: so each has free numbers of tickets for itself.
    """
    return max(1, len(world.staff) // world.parameters.staff_an_incident)


#: ``plan(world, rng, number, grade, start, end)``: one incident of that grade whose events lie in ``[start, end)``
#: (microseconds); None where the company is too small for it.
Plan = Callable[[World, Rng, int, str, int, int], Incident | None]


def following(rng: Rng, time: int, count: int) -> Ints:
    """``count`` moments from ``time`` on, some seconds apart, each with milliseconds of its own."""
    gaps = rng.integers(4_000, 40_000, max(0, count - 1)) * 1000
    return np.concatenate([[time], time + np.cumsum(gaps)]).astype(np.int64)
