"""One day of the company: everything that happens in it, and the lines and truth that are left of it.

A day needs no other day. So days can be made in any order, several at a time, or one for each task of a cluster:
``write_day_of(world, incidents, day, directory)`` with the same world anywhere gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from beholden.retailer.balance import Tally, tally_of
from beholden.retailer.chance import DAY_US, Ints, iso
from beholden.retailer.conditions import clock_ahead_us, conditions_of
from beholden.retailer.events import Events
from beholden.retailer.incidents import Incident
from beholden.retailer.life.accounts import accounts_log, visits_by_host
from beholden.retailer.life.accounts import host_of as account_host
from beholden.retailer.life.buckets import accesses_of_day, chains_of_day
from beholden.retailer.life.cloudtrail import buckets_log
from beholden.retailer.life.console import Views, console_log, contact_views
from beholden.retailer.life.gateway import calls_by_host, gateway_log
from beholden.retailer.life.gateway import host_of as gateway_host
from beholden.retailer.life.seller_desk import desk_acts, desk_log
from beholden.retailer.life.sql import connected
from beholden.retailer.life.sql_day import day_statements
from beholden.retailer.life.sql_formats import database_log
from beholden.retailer.life.sso import logins_of_day, sso_log
from beholden.retailer.life.support_lookalikes import lookalike_views
from beholden.retailer.life.wiki import views_of_day, wiki_log
from beholden.retailer.log_files import LogKind, write_day
from beholden.retailer.output import CHANGES
from beholden.retailer.schedule import with_states_of
from beholden.retailer.stores import DayOfChanges
from beholden.retailer.truth import write_truth
from beholden.retailer.world import World

__all__ = ["DATABASES", "logs_of_day", "write_day_of"]

DATABASES: Final = ("crm", "orders", "payments", "warehouse")


def write_day_of(world: World, incidents: Sequence[Incident], day: int, directory: Path) -> tuple[Tally, int]:
    """Write a day's logs and truth below the company's directory; returns its sums and how many events it has."""
    world = with_states_of(world, incidents)
    stamp = iso(np.array([day * DAY_US]), "D")[0].replace("-", "")
    tally, count, changes = Tally(), 0, DayOfChanges()
    for kind, events in logs_of_day(world, incidents, day):
        lost = [(start, end) for one in incidents for log, start, end in one.lost if log == kind.name]
        lost += [world.gap] if kind.name == "console" else []
        ahead_us = clock_ahead_us(world.parameters, kind.name, kind.host, day)
        written = write_day(kind, events, day, world.parameters, directory / "logs", lost, ahead_us)
        conditions = conditions_of(world, kind, day, events, written)
        stem = "-".join(filter(None, (kind.name, kind.host, stamp)))
        write_truth(directory / "truth" / "events" / f"{stem}.parquet", kind.name, events, written, conditions)
        count += len(events)
        changes.add(world, events)
        if isinstance(events, Views):
            # Flows balance without the incidents, which may be many in a small company.
            tally = tally_of(world, day, events.at(events.incident < 0))
    changes.write(directory / CHANGES, day)
    return tally, count


def logs_of_day(world: World, incidents: Sequence[Incident], day: int) -> Iterator[tuple[LogKind[Any], Events]]:
    """Everything that happens on a day, incidents among it, log by log and, where a log has several, host by host.

    Each log is made when it is asked for, so that no more than one of the large ones is in memory.
    """

    def among(log: str, ordinary: Events, *more: Events) -> Any:
        found = (one.on(log, day) for one in incidents)
        parts = [ordinary, *more, *(events for events in found if events is not None and len(events))]
        return type(ordinary).joined(parts) if len(parts) > 1 else ordinary

    def of_host(log: str, hosts: Callable[[Any], Ints]) -> Callable[[int, Any], Any]:
        """Adds to a host's ordinary events those of incidents that it serves."""
        found = (one.on(log, day) for one in incidents)
        parts = [events for events in found if events is not None and len(events)]

        def joined(host: int, ordinary: Any) -> Any:
            mine = [served for events in parts if len(served := events.at(hosts(events) == host))]
            return type(ordinary).joined([ordinary, *mine]) if mine else ordinary

        return joined

    console = among("console", contact_views(world, day), lookalike_views(world, day))
    yield console_log(world, day), console
    yield desk_log(world, day), among("seller-desk", desk_acts(world, day))
    called = of_host("gateway", lambda calls: gateway_host(world, world.partners.keys.connection[calls.key]))
    for host, calls in calls_by_host(world, day):
        yield gateway_log(world, host), called(host, calls)
    chains = [(chain.time, chain.who, chain.sql) for chain in chains_of_day(world, day)]
    statements = among("sql", day_statements(world, day, console, chains))
    for database in DATABASES:
        # Statements get their sessions and numbers once incidents are among them.
        yield database_log(world, database, day), connected(world, day, statements, database)
    yield sso_log(world, day), among("sso", logins_of_day(world, day))
    yield buckets_log(world, day), among("buckets", accesses_of_day(world, day))
    yield wiki_log(world, day), among("wiki", views_of_day(world, day))
    visited = of_host("accounts", lambda visits: account_host(world, visits))
    for host, visits in visits_by_host(world, day):
        yield accounts_log(world, day, host), visited(host, visits)
