"""Build a whole company: draw it, let things happen, write what a company would have, and the truth apart."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np

from beholden.core.errors import UsageError
from beholden.core.times import Window
from beholden.retailer.balance import Tally, check
from beholden.retailer.calendar import Calendar
from beholden.retailer.chance import DAY_US, iso
from beholden.retailer.contacts import Contacts
from beholden.retailer.day import write_day_of
from beholden.retailer.devices import write_devices
from beholden.retailer.feeds import WorkFeeds, write_personnel
from beholden.retailer.feeds.partners import SellerCaseWriter, write_partner_registers
from beholden.retailer.grants import write_grants
from beholden.retailer.incidents import Incident
from beholden.retailer.life.records import Records
from beholden.retailer.output import CHANGES, Parts, checked_directory, directory_for, parts_done
from beholden.retailer.parameters import NO_CHANGES, Parameters, checked_parameters
from beholden.retailer.parameters.bounds import found_text
from beholden.retailer.planted import write_planted
from beholden.retailer.schedule import RUNS, check_run, scheduled, with_states_of
from beholden.retailer.stores import Changes, check_stores, read_changes, servers_of, unmark_stores, write_stores
from beholden.retailer.stores.layout import schema_of
from beholden.retailer.toml import write_configuration
from beholden.retailer.truth import write_incidents
from beholden.retailer.warehouse_tables import WAREHOUSE
from beholden.retailer.words import words_of
from beholden.retailer.world import World

__all__ = ["Company", "DayMaker", "MapDays", "Progress", "build_company"]

#: The part that is noted when the stores begin: on which servers.
_SERVERS: Final = "servers"
#: Called with what is being done and the share of the work done before it (0 to 1).
Progress = Callable[[str, float], None]


#: As the built-in ``map`` with one sequence.
MapDays = Callable[["DayMaker", Sequence[int]], Iterable[tuple[Tally, int]]]


@dataclass(frozen=True, slots=True)
class DayMaker:
    """Writes the logs and the truth of a day when called with it; returns its sums and how many events it has.

    It carries what goes wrong in the company, planned once for all processes; the rest that days share is made once in
    each.
    """

    parameters: Parameters
    directory: Path  # absolute, of a company that `build_company` has begun
    planned: bytes = field(repr=False)  # see `_planned`

    def __call__(self, day: int) -> tuple[Tally, int]:
        """Write one day (days since 1970)."""
        return write_day_of(_world(self.parameters), self.incidents, day, self.directory)

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """What goes wrong."""
        return _incidents(self.planned)


@lru_cache(maxsize=1)
def _world(parameters: Parameters) -> World:
    return World(parameters)


def _planned(world: World, run: str) -> bytes:
    """The incidents of a run in a form that costs little to hand on: an eighth of what they take in memory."""
    return zlib.compress(pickle.dumps(tuple(scheduled(world, run))), level=1)


@lru_cache(maxsize=1)
def _incidents(planned: bytes) -> tuple[Incident, ...]:
    found: tuple[Incident, ...] = pickle.loads(zlib.decompress(planned))  # noqa: S301 - made by `_planned`, handed on as code is
    return found


@dataclass(frozen=True, slots=True)
class Company:
    """A company that was built: where it lies, how large it is, and what is worth asking about it.

    ``events`` counts what happened; the logs hold some twice and some not at all. ``demo_*`` are names as the contract
    writes them, empty where the run has no such incident.
    """

    directory: Path
    window: Window
    customers: int
    staff: int
    agents: int
    orders: int  # history before the window included
    contacts: int
    views: int
    events: int
    incidents: int
    documented_share: float  # of the console's views
    chance_share: float  # of views that would be documented if subjects were shuffled
    gap: Window  # hours of the console's log that were lost
    demo_dataset: str  # the table of names and card numbers outside its zone
    demo_subject: str  # the famous customer whom several agents looked up
    demo_actor: str  # an agent who looked somebody up
    demo_related_subject: str  # whom that agent looked up


def build_company(
    directory: str | os.PathLike[str],
    *,
    preset: str = "retailer",
    scale: float = 0.01,
    seed: int = 1,
    days: int = 14,
    end: int,
    run: str = "demo",
    postgres: str | None = None,
    mariadb: str | None = None,
    progress: Progress | None = None,
    map_days: MapDays = map,
    changes: Mapping[str, object] = NO_CHANGES,
) -> Company:
    """Write a simulated company into an empty or new directory, or go on with an unfinished one.

    Args:
        directory: where; made if it does not exist. Its whole path is UTF-8.
        preset: the kind of company.
        scale: 1 is 3 million customers and 250,000 orders a day.
        seed: the same seed gives the same bytes (with the same versions of SQLite, NumPy and Arrow).
        days: length of the window whose events are simulated.
        end: microseconds; the window is the last ``days`` whole days (UTC) before it.
        run: which incidents happen: see `schedule.RUNS`.
        postgres: the url of a PostgreSQL that takes the stores instead of SQLite files. Servers are looked at before
            anything is written; until the stores are begun, an unfinished company can be given others.
        mariadb: the same, of a MariaDB.
        progress: told what is being done.
        map_days: calls a function for each of some days and gives the results in their order. Days need nothing of one
            another: ``ProcessPoolExecutor(4).map`` makes four at a time, and the executors of a cluster that share the
            directory make as many as there are (`DayMaker` can be pickled).
        changes: parameters of the company that are to be otherwise, by name: fields of `Parameters`. What they are
            belongs to what makes the same company.

    Raises:
        UsageError: an argument is of the wrong kind, a parameter is unknown or makes no company, the directory or a
            database holds something else, or the stores were begun on another server.
        BeholdenError: the directory cannot be written, a server does not take the stores, a kind of incident of another
            package fails, or the flows of the simulation do not balance.
    """
    directory = checked_directory(directory)
    _check_kinds(
        run=run, postgres=postgres, mariadb=mariadb, progress=progress, map_days=map_days, changes=changes
    )  # fmt: skip
    parameters = checked_parameters(preset=preset, scale=scale, seed=seed, days=days, end=end, changes=changes)
    check_run(run)
    servers = servers_of(postgres, mariadb)
    tell = progress or (lambda _what, _share: None)
    what = {"run": run, **asdict(parameters)}
    mark = sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
    done = parts_done(directory, what)
    _check_servers(directory, done, servers)
    tell("the company and its incidents", 0.0)
    world = _world(parameters)
    maker = DayMaker(parameters, directory.absolute(), _planned(world, run))
    incidents = maker.incidents
    world = with_states_of(world, incidents)
    tables = [table for incident in incidents for table in incident.tables]
    if "stores" not in done:
        check_stores(world, mark, extra=tables, postgres=postgres, mariadb=mariadb)
    with directory_for(directory, what) as parts:
        tally, events = _days(maker, parts, tell, map_days)
        check(tally, world)
        tell("feeds and registers", 0.55)
        written = "registers" in parts and "stores" in parts
        to_stores = Changes() if written else read_changes(directory / CHANGES, world.calendar.window)
        _registers(world, incidents, directory, parts, to_stores)
        tell("stores", 0.6)
        if "stores" not in parts:
            if parts.get(_SERVERS) != servers:
                # Days may have passed. A server that is gone by now can still be changed for another.
                check_stores(world, mark, extra=tables, postgres=postgres, mariadb=mariadb)
                parts.note(_SERVERS, servers)
            shutil.rmtree(directory / "stores")  # with what a stopped build left there
            (directory / "stores").mkdir()
            write_stores(
                world,
                directory,
                postgres=postgres,
                mariadb=mariadb,
                extra=tables,
                changes=to_stores,
                company=mark,
                progress=lambda name, share: tell(name, 0.6 + 0.37 * share),
            )
            parts.note("stores")
        unmark_stores(world, mark, postgres=postgres, mariadb=mariadb)
        tell("truth", 0.97)
        write_incidents(incidents, words_of(preset), directory / "truth")
        write_configuration(world, directory, postgres=postgres, mariadb=mariadb)
        shutil.rmtree(directory / CHANGES)
    tell("done", 1.0)
    return _company(world, directory, incidents, (tally, events), schema_of(postgres))


def _check_kinds(
    *, run: object, postgres: object, mariadb: object, progress: object, map_days: object, changes: object
) -> None:  # fmt: skip
    """Raise `UsageError` for an argument that is not at all what it should be."""
    for name, value, fits, expected in (
        ("run", run, isinstance(run, str), "one of: " + ", ".join(RUNS)),
        ("postgres", postgres, postgres is None or isinstance(postgres, str), "a URL, or None"),
        ("mariadb", mariadb, mariadb is None or isinstance(mariadb, str), "a URL, or None"),
        ("progress", progress, progress is None or callable(progress), "a function of a text and a share, or None"),
        ("map_days", map_days, callable(map_days), "a function as the built-in map"),
        ("changes", changes, isinstance(changes, Mapping), "values by name"),
    ):
        if not fits:
            # What should be a URL may have a password in it.
            raise UsageError(name, found_text(value) if name == "run" else type(value).__name__, expected=expected)


def _check_servers(directory: Path, done: Mapping[str, Any], servers: Mapping[str, str | None]) -> None:
    """Raise `UsageError` where stores lie, or were begun, on other servers than those that are given now."""
    begun = done.get(_SERVERS)
    if begun is None or begun == servers or not ("stores" in done or any(begun.values())):
        return  # files that were begun are made anew, wherever the stores shall lie
    there = ", ".join(f"{name} {server}" for name, server in begun.items() if server is not None)
    raise UsageError(
        f"directory {directory}", f"the stores of the unfinished company in it were begun in {there or 'files'}",
        expected="the same servers", advice="give these to go on with it, or remove the directory",
    )  # fmt: skip


def _days(maker: DayMaker, parts: Parts, tell: Progress, map_days: MapDays) -> tuple[Tally, int]:
    """Write the logs of every day that is not there yet; the sums of all."""
    window = Calendar(maker.parameters).window
    names = {day: f"day {text}" for day, text in zip(window, iso(np.array(window) * DAY_US, "D"), strict=True)}
    missing = [day for day in window if names[day] not in parts]
    share = 0.55 / len(window)
    tell("days", share * (len(window) - len(missing)))
    for done, (day, (tally, count)) in enumerate(zip(missing, map_days(maker, missing), strict=True), 1):
        parts.note(names[day], {"tally": asdict(tally), "events": count})
        tell(names[day], share * (len(window) - len(missing) + done))
    known = [parts[name] for name in names.values()]
    tallies = [Tally(**{**one["tally"], "by_ground": tuple(one["tally"]["by_ground"])}) for one in known]
    return sum(tallies, Tally()), sum(one["events"] for one in known)


def _registers(
    world: World, incidents: Sequence[Incident], directory: Path, parts: Parts, changes: Changes
) -> None:  # fmt: skip
    if "registers" in parts:
        return
    feeds = directory / "feeds"
    with WorkFeeds(world, feeds) as work, SellerCaseWriter(world, feeds) as cases:
        for day in world.calendar.window:
            work.add(day, _contacts_of(incidents, day), _records_of(incidents, day))
            cases.add(day, [found for one in incidents if (found := one.seller_cases) is not None])
    write_personnel(world, feeds)
    write_partner_registers(world, feeds, states=[state for one in incidents for state in one.states])
    write_grants(world.grants, feeds)
    devices = [device for one in incidents for device in one.devices]
    write_devices(world.parameters, world.staff, world.devices, feeds, extra=devices)
    write_planted(world, directory, [file for one in incidents for file in one.files], changes)
    parts.note("registers")


def _contacts_of(incidents: Sequence[Incident], day: int) -> Contacts | None:
    """Contacts of a day that somebody put on record to have a reason."""
    found = [one.contacts for one in incidents if one.contacts is not None]
    parts = [part.at(part.opened // DAY_US == day) for part in found]
    parts = [part for part in parts if len(part)]
    if not parts:
        return None
    return Contacts(
        **{one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Contacts)}
    )


def _records_of(incidents: Sequence[Incident], day: int) -> dict[str, Records]:
    """The same of cases, assignments and the like, by ground."""
    by_ground: dict[str, list[Records]] = {}
    for incident in incidents:
        for ground, records in incident.records.items():
            mine = records.at(records.opened // DAY_US == day)
            if len(mine):
                by_ground.setdefault(ground, []).append(mine)
    return {ground: Records.joined(parts) for ground, parts in by_ground.items()}


def _company(
    world: World, directory: Path, incidents: Sequence[Incident], happened: tuple[Tally, int], schema: str
) -> Company:
    p, (tally, events) = world.parameters, happened
    first = {incident.kind: incident for incident in reversed(incidents)}
    lookup, spike, export = (first.get(kind) for kind in ("personal_lookup", "celebrity_spike", "card_export"))
    words, table = words_of(p.preset), export.tables[0] if export is not None and export.tables else None
    return Company(
        directory=directory,
        window=Window(p.start, p.end),
        customers=len(world.people),
        staff=len(world.staff),
        agents=p.agents,
        orders=len(world.orders),
        contacts=tally.contacts,
        views=tally.views,
        events=events,
        incidents=len(incidents),
        documented_share=tally.documented_share,
        chance_share=tally.chance_share,
        gap=Window(*world.gap),
        demo_dataset=f"{words.store(WAREHOUSE)}/{schema}.{words.name(table.name)}" if table is not None else "",
        demo_subject=words.subject(spike.subjects[0]) if spike is not None else "",
        demo_actor=lookup.actors[0] if lookup is not None else "",
        demo_related_subject=words.subject(lookup.subjects[0]) if lookup is not None else "",
    )
