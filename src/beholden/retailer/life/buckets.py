"""The object store: what people and programs do with exports and team copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from beholden.retailer.chance import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    SECOND_US,
    Chance,
    Ints,
    Rng,
    below,
    iso,
    stream,
    uniform,
    weighted,
)
from beholden.retailer.copies import Copy, Extract, planned_copies
from beholden.retailer.events import label
from beholden.retailer.life.cloudtrail import (
    ASSUME,
    COPY,
    DECRYPT,
    DELETE,
    GET,
    LIST,
    PUT,
    ROLES_ASSUMED,
    SECRET,
    WHO_AM_I,
    Accesses,
)
from beholden.retailer.life.places import Names, places_on
from beholden.retailer.life.sql_text import Sql, exported, style_of
from beholden.retailer.life.warehouse_jobs import rows_of
from beholden.retailer.needs import buckets_of
from beholden.retailer.resources import BUCKETS
from beholden.retailer.warehouse_tables import WAREHOUSE, catalogue
from beholden.retailer.world import World

__all__ = [
    "CHAIN_TABLES", "CopyChain", "accesses_of_day", "chains_of_day", "make_accesses", "make_copy_chain", "stored",
]  # fmt: skip

_MIX: Final = (58, 10, 12, 5, 12, 3)
_ERROR_WEIGHTS: Final = (985, 9, 6)
_SHEETS: Final = 5
#: What people call with, by how many do.
_PEOPLE_AGENTS: Final = (0, 0, 0, 1, 1, 1, 2, 2, 2, 4)
_CHAIN_DAYS: Final = 7
#: Tables with customers that chains are made of, how many rows of them (the query has a limit), and the share of chains
#: whose sheet is saved beside what it fetched; assumed.
CHAIN_TABLES: Final = ("customer_profile", "dim_customer", "customer_address")
_CHAIN_ROWS: Final = (200, 500, 1000, 2000)
_SHEETS_SAVED: Final = 0.5
_FILES: Final = (
    "daily/orders-{date}.parquet", "daily/customers-{date}.csv.gz", "reports/weekly-{date}.xlsx", "models/churn-{date}.bin",
    "raw/clicks-{date}.json.gz", "share/sellers-{date}.csv",
)  # fmt: skip
_COPIES_READ: Final = 0.3  # share of what people open that is a team copy; assumed
_CHAINS: Final = 0.08  # copies into spreadsheets a day and analyst; assumed
_PERIOD_DAYS: Final = 3  # of a month, as `sql_lookalikes` has them
_WHO_AM_I: Final = 0.2  # share of people's sessions that begin with asking who one is; assumed
_PERIOD_TABLES: Final = ("fact_order", "fact_payment", "agg_seller_daily")


@dataclass(frozen=True, slots=True)
class CopyChain:
    """A copy out of the warehouse: the statement that wrote the object, and what was done with the object.

    The statement belongs in the warehouse's log (`sql.make_statements`), by ``who`` at ``time``; incidents and ordinary
    work make it alike. ``extracts`` are the files that were put.
    """

    who: int
    time: int
    sql: Sql
    bucket: str
    key: str
    accesses: Accesses
    extracts: tuple[Extract, ...]


def make_accesses(
    rng: Rng, world: World, time: Ints, actor: Ints, operation: Ints | int, bucket: Ints | int, key: Names, *,
    what: int | Ints = 0, incident: int = -1, source: Names | None = None, error: Ints | None = None,
    address: Ints | int | None = None, agent: Ints | int | None = None,
) -> Accesses:  # fmt: skip
    """Calls by those principals at those times; what is not given is drawn as everyone's is."""
    n = len(time)
    where = np.empty(n, dtype=np.int64)
    for day in np.unique(time // DAY_US).tolist():
        there = time // DAY_US == day
        where[there] = places_on(world, day).address[actor[there]]
    kinds = _whole(operation, n)
    usual = np.array(_PEOPLE_AGENTS)[below(Chance(world.parameters.seed, "agents")(actor), len(_PEOPLE_AGENTS))]
    usual = np.where(actor >= len(world.staff), np.where(actor % 2 == 0, 1, 3), usual)
    size = np.exp(rng.normal(12.0, 2.2, n)).astype(np.int64) + 200
    errors = weighted(rng, _ERROR_WEIGHTS, n)
    return Accesses(
        time=time,
        actor=actor,
        label=_whole(what, n),
        incident=np.full(n, incident, dtype=np.int64),
        operation=kinds,
        bucket=_whole(bucket, n),
        key=key,
        source=np.full(n, "", dtype=object) if source is None else source,
        bytes=np.where(np.isin(kinds, (GET, PUT, COPY)), size, 0),
        error=errors if error is None else error,
        address=where if address is None else _whole(address, n),
        agent=usual if agent is None else _whole(agent, n),
    )


def _whole(value: Ints | int, n: int) -> Ints:
    return np.full(n, value, dtype=np.int64) if isinstance(value, int) else value


def accesses_of_day(world: World, day: int) -> Accesses:
    """What people and programs do on a day without incidents."""
    rng = stream(world.parameters.seed, "bucket accesses", day)
    copies = planned_copies(world.parameters, world.staff)
    parts = [_people(rng, world, day, copies), _programs(rng, world, day), _period_end(rng, world, day)]
    begun = [chain for back in range(_CHAIN_DAYS + 1) for chain in chains_of_day(world, day - back)]
    parts += [chain.accesses.between(day * DAY_US, (day + 1) * DAY_US) for chain in begun]
    return Accesses.joined([part for part in parts if len(part)])


def _people(rng: Rng, world: World, day: int, copies: tuple[Copy, ...]) -> Accesses:
    p, staff = world.parameters, world.staff
    shelves = [[copy.key for copy in copies if copy.bucket == bucket and copy.made < day] for bucket in BUCKETS]
    rows: list[tuple[int, int, int, int, str, str]] = []
    for role in ROLES_ASSUMED:
        for who in staff.at_work(role, day).tolist():
            mine = [BUCKETS.index(name) for name in buckets_of(p, staff, who, day)]
            start, end = (value // 1000 for value in staff.members[who].shift_of(day))
            count = int(rng.poisson(p.bucket_reads_a_day))
            if not mine or not count:
                continue
            times = np.sort(rng.integers(start, end, count + 1)) * 1000
            rows.append((int(times[0]), who, ASSUME, -1, ROLES_ASSUMED[role], ""))
            if rng.random() < _WHO_AM_I:
                rows.append((int(times[0]) + int(rng.integers(1_000, 40_000)) * 1000, who, WHO_AM_I, -1, "", ""))
            for time, kind in zip(times[1:].tolist(), weighted(rng, _MIX, count).tolist(), strict=True):
                at = mine[int(rng.integers(len(mine)))]
                # What is deleted is no team's copy: those are there.
                key = _some_key(rng, day, [] if kind == DELETE else shelves[at])
                copied = f"{BUCKETS[mine[0]]}/{key}" if kind == COPY else ""
                rows.append(
                    (
                        time,
                        who,
                        kind,
                        at,
                        "" if kind == LIST else key.replace("daily/", "team/") if copied else key,
                        copied,
                    )
                )
    return _made(rng, world, rows)


def _some_key(rng: Rng, day: int, copies: list[str]) -> str:
    if copies and rng.random() < _COPIES_READ:
        return copies[int(rng.integers(len(copies)))]
    return _FILES[int(rng.integers(len(_FILES)))].format(date=_date(day - int(rng.integers(1, 15))))


def _made(rng: Rng, world: World, rows: list[tuple[int, int, int, int, str, str]], what: int | Ints = 0) -> Accesses:
    columns: list[Any] = [np.array(column) for column in zip(*rows, strict=True)] or [np.empty(0, dtype=np.int64)] * 6
    time, actor, operation, bucket = columns[:4]
    key, source = columns[4].astype(object), columns[5].astype(object)
    return make_accesses(rng, world, time, actor, operation, bucket, key, source=source, what=what)


def _programs(rng: Rng, world: World, day: int) -> Accesses:
    """Exports and copies of the night, each program in its own buckets, with the secret it fetches first."""
    staff = world.staff
    rows: list[tuple[int, int, int, int, str, str]] = []
    what: list[int] = []
    date = _date(day - 1)
    for at in np.flatnonzero(world.grants.active_services).tolist():
        who, name = len(staff) + at, staff.services[at]
        if name in {"console_app", "seller_app", "payments_api", "orders_app"}:
            continue
        start = day * DAY_US + 2 * HOUR_US + at * 7 * MINUTE_US % (3 * HOUR_US) + int(rng.integers(60_000)) * 1000
        steps: list[tuple[int, int, str, str]] = [(WHO_AM_I, -1, "", ""), (SECRET, -1, f"prod/{name}/warehouse", "")]
        for bucket in buckets_of(world.parameters, staff, who, day):
            place = BUCKETS.index(bucket)
            steps.append((LIST, place, "", ""))
            steps += [(PUT, place, form.format(date=date), "") for form in _FILES[:3]]
            if name == "backup":
                kept = BUCKETS.index("meridian-backup")
                steps += [
                    (COPY, kept, f"{bucket}/{form.format(date=date)}", f"{bucket}/{form.format(date=date)}")
                    for form in _FILES
                ]
            steps += [(DECRYPT, -1, "alias/exports", ""), (GET, place, _FILES[0].format(date=date), "")]
        for step, (kind, place, key, source) in enumerate(steps):
            rows.append((start + step * 3 * SECOND_US + int(rng.integers(2500)) * 1000, who, kind, place, key, source))
            what.append(label({"etl_nightly": "benign:nightly_etl", "backup": "benign:backup"}.get(name, "ordinary")))
    return _made(rng, world, rows, np.array(what, dtype=np.int64))


def _period_end(rng: Rng, world: World, day: int) -> Accesses:
    """The first days of a month: finance fetches the tables that it had the warehouse write out."""
    year, month, of_month = (int(part) for part in _date(day).split("-"))
    rows: list[tuple[int, int, int, int, str, str]] = []
    place = BUCKETS.index("meridian-finance")
    quarter = month % 3 == 1
    last = np.datetime64(f"{year:04d}-{month:02d}") - (3 if quarter else 1)
    for who in world.staff.at_work("finance", day).tolist() if of_month <= _PERIOD_DAYS else ():
        start = world.staff.moment_at_work(rng, who, day * DAY_US, day * DAY_US + 1)
        for at, name in enumerate(_PERIOD_TABLES[: 3 if quarter else 1]):
            time = start + at * 90 * SECOND_US + int(rng.integers(30_000)) * 1000
            rows.append((min(time, (day + 1) * DAY_US - 1000), who, GET, place, f"{last}/{name}.csv", ""))
    return _made(rng, world, rows, label("benign:period_end_export"))


def chains_of_day(world: World, day: int) -> list[CopyChain]:
    """Copies that analysts and marketing begin on a day for a sheet of their own; most of them nobody writes down.

    Their sheets fetch the object on the days after too.
    """
    if day not in world.calendar.window:
        return []
    return world.once("copy chains", day, lambda: _chains_of_day(world, day))


def _chains_of_day(world: World, day: int) -> list[CopyChain]:
    rng = stream(world.parameters.seed, "copy chains", day)
    who = np.concatenate([world.staff.at_work(role, day) for role in ("analyst", "marketing")])
    who = who[rng.random(len(who)) < _CHAINS]
    return [
        make_copy_chain(rng, world, one, world.staff.moment_at_work(rng, one, day * DAY_US, day * DAY_US + 1))
        for one in who.tolist()
    ]


def make_copy_chain(
    rng: Rng, world: World, who: int, time: int, *, table: str = "", opened: int | None = None,
    what: int = 0, incident: int = -1,
) -> CopyChain:  # fmt: skip
    """Warehouse to bucket to spreadsheet: unload a table, copy the object to a team's bucket, open it in a sheet.

    ``opened`` is how often the sheet fetches it, once a day; drawn where it is not given, as ``table`` is. Some sheets
    are saved beside the object. Nobody writes down what an incident leaves.
    """
    table = table or CHAIN_TABLES[int(rng.integers(len(CHAIN_TABLES)))]
    limit = _CHAIN_ROWS[int(rng.integers(len(_CHAIN_ROWS)))]
    topic = ("segment", "sample", "check", "list", "pilot")[int(rng.integers(5))]
    number = int(rng.integers(100, 1000))
    first, second = BUCKETS.index("meridian-exports"), int(rng.integers(BUCKETS.index("team-growth"), len(BUCKETS)))
    name, kept = f"tmp/{topic}_{number}.csv", f"share/{topic}_{number}.csv"
    times = min(1 + int(rng.poisson(2.0)), _CHAIN_DAYS) if opened is None else opened
    steps = [
        (0, PUT, first, name, "", -1),
        (4, COPY, second, kept, f"{BUCKETS[first]}/{name}", -1),
        (5, LIST, second, "", "", -1),
    ]
    steps += [(7 + 1440 * i, GET, second, kept, "", _SHEETS) for i in range(times)]
    draw = Chance(world.parameters.seed, "copy chains")(who, time, np.arange(3))
    sheet_key = f"share/{topic}_{number}_sheet.csv"
    if uniform(draw)[0] < _SHEETS_SAVED:
        steps.insert(4, (9, PUT, second, sheet_key, "", _SHEETS))
    at = np.array([time + minute * MINUTE_US + int(rng.integers(40_000)) * 1000 for minute, *_ in steps])
    inside = at < world.parameters.end
    columns = [np.array(column)[inside] for column in list(zip(*steps, strict=True))[1:]]
    accesses = make_accesses(
        rng, world, at[inside], np.full(int(inside.sum()), who), columns[0], columns[1], columns[2].astype(object),
        source=columns[3].astype(object), what=what, incident=incident,
    )  # fmt: skip
    sheet = columns[4] == _SHEETS
    accesses.agent[sheet] = _SHEETS
    rows = rows_of(world, time // DAY_US, catalogue(world.parameters).by_path[f"{WAREHOUSE}.{table}"])
    place = f"s3://{BUCKETS[first]}/{name}"
    sql = exported(style_of(world, who), WAREHOUSE, table, "", place, rows, limit=limit)
    # Some rows that stand together, as a query without an order gives them.
    known = min(world.parameters.customers, world.parameters.store_rows_max)
    size = min(limit, known)
    documented = incident < 0 and bool(uniform(draw)[1] < world.parameters.copies_documented)
    of_table = Extract(
        BUCKETS[first], name, "extract", WAREHOUSE, table, int(below(draw, known - size + 1)[2]), size, who, time, time,
        incident=incident,
    )  # fmt: skip
    copied = replace(of_table, bucket=BUCKETS[second], key=kept, documented=documented)
    files = (of_table, copied, replace(copied, key=sheet_key, form="spreadsheet"))
    return CopyChain(who, time, sql, BUCKETS[second], kept, accesses, stored(files, accesses))


def stored(files: Sequence[Extract], accesses: Accesses) -> tuple[Extract, ...]:
    """Those of the files that these calls have put into a bucket, with when they did last."""
    put = np.isin(accesses.operation, (PUT, COPY)) & (accesses.error == 0)
    columns = (accesses.bucket[put], accesses.key[put], accesses.time[put])
    last = {(BUCKETS[bucket], key): time for bucket, key, time in zip(*(one.tolist() for one in columns), strict=True)}
    return tuple(replace(one, made=last[at]) for one in files if (at := (one.bucket, one.key)) in last)


def _date(day: int) -> str:
    return iso(np.array([day * DAY_US]), "D")[0]
