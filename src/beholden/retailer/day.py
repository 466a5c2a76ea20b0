"""One day of the company: everything that happens in it, and the lines and truth that are left of it.

A day needs no other day. So days can be made in any order, several at a time, or one for each task of a cluster:
``write_day_of(world, incidents, day, directory)`` with the same world anywhere gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beholden.retailer.balance import Tally, tally_of
from beholden.retailer.chance import DAY_US, iso
from beholden.retailer.events import LABELS, Events
from beholden.retailer.incidents import Incident
from beholden.retailer.life.accounts import Visits, account_visits, accounts_log
from beholden.retailer.life.buckets import accesses_of_day, chains_of_day
from beholden.retailer.life.cloudtrail import Accesses, buckets_log
from beholden.retailer.life.console import Views, console_log, contact_views
from beholden.retailer.life.gateway import Calls, api_calls, gateway_log
from beholden.retailer.life.seller_desk import Acts, desk_acts, desk_log
from beholden.retailer.life.sql import Statements, connected
from beholden.retailer.life.sql_day import day_statements
from beholden.retailer.life.sql_formats import database_log
from beholden.retailer.life.sso import Logins, logins_of_day, sso_log
from beholden.retailer.life.support_lookalikes import lookalike_views
from beholden.retailer.life.wiki import PageViews, views_of_day, wiki_log
from beholden.retailer.log_files import LogKind, WrittenDay, write_day
from beholden.retailer.tables import write_parquet
from beholden.retailer.world import World

__all__ = ["DATABASES", "Day", "day_of", "write_day_of"]

DATABASES: Final = ("crm", "orders", "payments", "warehouse")


@dataclass(frozen=True, slots=True)
class Day:
    """What happened on one day, by the log it will stand in."""

    day: int
    console: Views
    seller_desk: Acts
    gateway: Calls
    statements: Statements
    logins: Logins
    accesses: Accesses
    pages: PageViews
    visits: Visits

    def __len__(self) -> int:
        parts: tuple[Events, ...] = (
            self.console, self.seller_desk, self.gateway, self.statements, self.logins, self.accesses, self.pages,
            self.visits,
        )  # fmt: skip
        return sum(map(len, parts))


def day_of(world: World, incidents: Sequence[Incident], day: int) -> Day:
    """Everything that happens on a day, incidents among it."""

    def among(log: str, ordinary: Sequence[Any]) -> Any:
        parts = [*ordinary, *(found for one in incidents if (found := one.on(log, day)) is not None and len(found))]
        return type(ordinary[0]).joined(parts) if len(parts) > 1 else parts[0]

    console = among("console", [contact_views(world, day), lookalike_views(world, day)])
    chains = [(chain.time, chain.who, chain.sql) for chain in chains_of_day(world, day)]
    return Day(
        day=day,
        console=console,
        seller_desk=among("seller-desk", [desk_acts(world, day)]),
        gateway=among("gateway", [api_calls(world, day)]),
        statements=among("sql", [day_statements(world, day, console, chains)]),
        logins=among("sso", [logins_of_day(world, day)]),
        accesses=among("buckets", [accesses_of_day(world, day)]),
        pages=among("wiki", [views_of_day(world, day)]),
        visits=among("accounts", [account_visits(world, day)]),
    )


def write_day_of(world: World, incidents: Sequence[Incident], day: int, directory: Path) -> tuple[Tally, int]:
    """Write a day's logs and truth below the company's directory; returns its sums and how many events it has."""
    found = day_of(world, incidents, day)
    for kind, events in _logs(world, found):
        lost = _lost(world, incidents, kind.name)
        written = write_day(kind, events, day, world.parameters, directory / "logs", lost)
        stamp = iso(np.array([day * DAY_US]), "D")[0].replace("-", "")
        write_parquet(
            directory / "truth" / "events" / f"{kind.name}-{stamp}.parquet", _truth(kind.name, events, written)
        )
    # Flows balance without the incidents, which may be many in a small company.
    return tally_of(world, day, found.console.at(found.console.incident < 0)), len(found)


def _logs(world: World, found: Day) -> Iterator[tuple[LogKind[Any], Events]]:
    """Every log with its events; statements get their sessions and numbers once incidents are among them."""
    day = found.day
    yield console_log(world, day), found.console
    yield desk_log(world, day), found.seller_desk
    yield gateway_log(world, day), found.gateway
    for database in DATABASES:
        yield database_log(world, database, day), connected(world, day, found.statements, database)
    yield sso_log(world, day), found.logins
    yield buckets_log(world, day), found.accesses
    yield wiki_log(world, day), found.pages
    yield accounts_log(world, day), found.visits


def _lost(world: World, incidents: Sequence[Incident], log: str) -> list[tuple[int, int]]:
    """When lines of a log were lost: by chance, or because somebody took them away."""
    lost = [world.gap] if log == "console" else []
    return lost + [(start, end) for one in incidents for name, start, end in one.lost if name == log]


def _truth(log: str, events: Events, written: WrittenDay) -> pa.Table:
    """A row for each whole record of the day, and for each event that left none."""
    lost = written.lost()
    event = np.concatenate([written.event, lost])
    nowhere = pa.nulls(len(lost))
    files = pa.array(written.files, pa.string()).take(pa.array(written.file))
    incident = pa.array(events.incident[event])
    return pa.table(
        {
            "log": pa.array([log] * len(event), pa.string()).dictionary_encode(),
            "file": pa.concat_arrays([files, nowhere.cast(pa.string())]).dictionary_encode(),
            "record": pa.concat_arrays([pa.array(written.record), nowhere.cast(pa.int64())]),
            "uid": written.uids.take(pa.array(event)),
            "time": pa.array(events.time[event], pa.timestamp("us", tz="UTC")),
            "label": pa.array(LABELS, pa.string()).take(pa.array(events.label[event])).dictionary_encode(),
            "incident": pc.if_else(pc.less(incident, 0), None, incident),
        }
    )
