"""What somebody reads who uses another's account: exports in buckets, and customers in the warehouse."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from beholden.retailer.chance import DAY_US, Ints, Rng
from beholden.retailer.copies import planned_copies
from beholden.retailer.events import INCIDENT
from beholden.retailer.incidents.spoken import Said, spoken
from beholden.retailer.life.buckets import make_accesses
from beholden.retailer.life.cloudtrail import AGENTS, GET, LIST, WHO_AM_I, Accesses
from beholden.retailer.life.places import dotted
from beholden.retailer.life.sql import Statements
from beholden.retailer.life.sql_deeds import lookups
from beholden.retailer.life.sql_text import Draws, day_text
from beholden.retailer.resources import BUCKETS
from beholden.retailer.world import World

__all__ = ["Visit", "bucket_reads", "warehouse_reads"]

#: One coming: when each call is made, by which identity, and from which address.
Visit = tuple[Ints, int, int]

_PEOPLE_AGENTS: Final = 5  # those that people call with come first
_TABLES: Final = ("warehouse.dim_customer", "warehouse.customer_profile", "warehouse.customer_address")


def bucket_reads(world: World, rng: Rng, visits: list[Visit], number: int) -> Accesses:
    """Objects opened: customers' exports and teams' copies, in more and more buckets from visit to visit."""
    p = world.parameters
    copies = planned_copies(p, world.staff)
    order = rng.permutation(len(BUCKETS))
    agent = int(rng.integers(min(_PEOPLE_AGENTS, len(AGENTS))))
    shelves: dict[tuple[int, int], list[str]] = {}  # by bucket and day
    draws = Draws(rng)
    parts = []
    for place, (time, who, address) in enumerate(visits):
        n, day = len(time), int(time[0]) // DAY_US
        bucket = order[rng.integers(0, min(len(BUCKETS), 2 + place), n)]
        operation = np.where(rng.random(n) < p.foreign_lists, LIST, GET)
        if place == 0:
            operation[0] = WHO_AM_I
        keys: list[str] = []
        for kind, one in zip(operation.tolist(), bucket.tolist(), strict=True):
            here = shelves.get((one, day))
            if here is None:
                here = [copy.key for copy in copies if copy.bucket == BUCKETS[one] and copy.made < day]
                shelves[one, day] = here
            if kind != GET:
                keys.append("")
            elif here and draws.chance(p.foreign_copies):
                keys.append(draws.one(here))
            else:
                keys.append(f"daily/customers-{day_text(day - 1 - draws.below(14))}.csv.gz")
        named: Any = np.array(keys, dtype=object)
        parts.append(make_accesses(
            rng, world, time, np.full(n, who), operation, np.where(operation == WHO_AM_I, -1, bucket), named,
            what=INCIDENT, incident=number, address=address, agent=agent,
        ))  # fmt: skip
    return Accesses.joined(parts)


def warehouse_reads(world: World, rng: Rng, visits: list[Visit], number: int) -> tuple[Statements | None, Ints]:
    """Customers looked up in the warehouse, some or many at a time; the statements and whom they are about."""
    rows: list[Said] = []
    found = [np.empty(0, dtype=np.int64)]
    at_once = world.parameters.foreign_customers
    for time, who, address in visits:
        place = dotted(np.array([address])).cast(pa.string())[0].as_py()
        for at in time.tolist():
            customers = np.unique(rng.integers(0, len(world.people), int(rng.integers(*at_once, endpoint=True))))
            path = _TABLES[int(rng.integers(len(_TABLES)))]
            said = lookups(world, rng, who, at // DAY_US, path, customers, at_a_time=len(customers))
            rows += [(at, who, sql, place) for sql in said]
            found.append(customers)
    return spoken(world, rng, rows, number), np.unique(np.concatenate(found))
