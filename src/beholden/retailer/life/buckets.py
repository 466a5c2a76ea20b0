"""The object store: what people and programs do with exports and team copies."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from beholden.retailer.chance import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    SECOND_US,
    Bools,
    Chance,
    Ints,
    Rng,
    below,
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
from beholden.retailer.life.sql_text import Draws, Sql, day_text, exported, style_of
from beholden.retailer.life.warehouse_jobs import rows_of
from beholden.retailer.needs import buckets_of
from beholden.retailer.resources import BUCKETS
from beholden.retailer.warehouse_tables import WAREHOUSE, catalogue
from beholden.retailer.world import World

__all__ = [
    "CHAIN_TABLES", "CopyChain", "accesses_a_day", "accesses_of_day", "chains_of_day", "make_accesses", "make_copy_chain",
    "stored",
]  # fmt: skip

_MIX_EDGES: Final = np.cumsum(
    [0.58, 0.10, 0.12, 0.05, 0.12]
).tolist()  # what is done with objects, DELETE last; assumed
#: Programs that serve people all day, and what those of the night are.
_SERVING: Final = frozenset({"console_app", "seller_app", "payments_api", "orders_app"})
_NIGHTLY: Final = {"etl_nightly": "benign:nightly_etl", "backup": "benign:backup"}
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
_PERIOD_DAYS: Final = 3  # of a month, as `sql_lookalikes` has them
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
    copies = world.once("planned copies", 0, lambda: planned_copies(world.parameters, world.staff))
    parts = [_people(rng, world, day, copies), _programs(rng, world, day), *_others(world, day)]
    return Accesses.joined([part for part in parts if len(part)])


def accesses_a_day(world: World, day: int) -> Ints:
    """How many of a day's accesses each identity makes."""
    count = np.bincount(
        np.concatenate([one.actor for one in _others(world, day)]), minlength=len(world.grants.identities)
    )
    who, reads, asked = _sessions(world, day)
    count[who] += reads + 1 + asked
    for one, _, steps in _nightly(world, day):
        count[one] += len(steps)
    return count


def _others(world: World, day: int) -> list[Accesses]:
    """What finance fetches, and what belongs to the chains that began on the days before."""
    begun = [chain for back in range(_CHAIN_DAYS + 1) for chain in chains_of_day(world, day - back)]
    fetched = [chain.accesses.between(day * DAY_US, (day + 1) * DAY_US) for chain in begun]
    return [_period_end(stream(world.parameters.seed, "period end in buckets", day), world, day), *fetched]


def _sessions(world: World, day: int) -> tuple[Ints, Ints, Bools]:
    """Who of the staff uses the buckets, how many objects they open, and whether they ask first who they are."""
    p, staff = world.parameters, world.staff
    rng = stream(p.seed, "bucket sessions", day)
    team = np.concatenate([staff.at_work(role, day) for role in ROLES_ASSUMED])
    reads, asked = rng.poisson(p.bucket_reads_a_day, len(team)), rng.random(len(team)) < p.bucket_sessions_named
    able = np.array([bool(buckets_of(p, staff, who, day)) for who in team.tolist()], dtype=np.bool_) & (reads > 0)
    return team[able], reads[able], asked[able]


def _people(rng: Rng, world: World, day: int, copies: tuple[Copy, ...]) -> Accesses:
    p, staff, draws = world.parameters, world.staff, Draws(rng)
    shelves = [[copy.key for copy in copies if copy.bucket == bucket and copy.made < day] for bucket in BUCKETS]
    rows: list[tuple[int, int, int, int, str, str]] = []
    sessions = (column.tolist() for column in _sessions(world, day))
    for who, count, asked in zip(*sessions, strict=True):
        member = staff.members[who]
        mine = [BUCKETS.index(name) for name in buckets_of(p, staff, who, day)]
        start, end = (value // 1000 for value in staff.shift_of(who, day))
        first, *times = sorted(1000 * (start + draws.below(end - start)) for _ in range(count + 1))
        rows.append((first, who, ASSUME, -1, ROLES_ASSUMED[member.role_on(day)], ""))
        if asked:
            rows.append((first + (1_000 + draws.below(39_000)) * 1000, who, WHO_AM_I, -1, "", ""))
        for time in times:
            kind, at = bisect_right(_MIX_EDGES, draws.uniform()), draws.one(mine)
            # What is deleted is no team's copy: those are there.
            key = _some_key(draws, day, [] if kind == DELETE else shelves[at], p.team_copies_read)
            if kind == COPY:
                rows.append((time, who, kind, at, key.replace("daily/", "team/"), f"{BUCKETS[mine[0]]}/{key}"))
            else:
                rows.append((time, who, kind, at, "" if kind == LIST else key, ""))
    return _made(rng, world, rows)


def _some_key(draws: Draws, day: int, copies: list[str], share: float) -> str:
    if copies and draws.chance(share):
        return draws.one(copies)
    return draws.one(_FILES).format(date=day_text(day - 1 - draws.below(14)))


def _made(rng: Rng, world: World, rows: list[tuple[int, int, int, int, str, str]], what: int | Ints = 0) -> Accesses:
    columns: list[Any] = [np.array(column) for column in zip(*rows, strict=True)] or [np.empty(0, dtype=np.int64)] * 6
    time, actor, operation, bucket = columns[:4]
    key, source = columns[4].astype(object), columns[5].astype(object)
    return make_accesses(rng, world, time, actor, operation, bucket, key, source=source, what=what)


def _programs(rng: Rng, world: World, day: int) -> Accesses:
    """Exports and copies of the night, each program in its own buckets, with the secret it fetches first."""
    rows: list[tuple[int, int, int, int, str, str]] = []
    what: list[int] = []
    for who, name, steps in _nightly(world, day):
        at = who - len(world.staff)
        start = day * DAY_US + 2 * HOUR_US + at * 7 * MINUTE_US % (3 * HOUR_US) + int(rng.integers(60_000)) * 1000
        later = rng.integers(0, 2500, len(steps)) * 1000 + np.arange(len(steps)) * 3 * SECOND_US
        rows += [(start + after, who, *step) for after, step in zip(later.tolist(), steps, strict=True)]
        what += [label(_NIGHTLY.get(name, "ordinary"))] * len(steps)
    return _made(rng, world, rows, np.array(what, dtype=np.int64))


def _nightly(world: World, day: int) -> Iterator[tuple[int, str, list[tuple[int, int, str, str]]]]:
    """The programs that run at night, and what each does: operation, bucket, key, and source of a copy."""
    staff, date = world.staff, day_text(day - 1)
    files = [form.format(date=date) for form in _FILES]
    for at in np.flatnonzero(world.grants.active_services).tolist():
        who, name = len(staff) + at, staff.services[at]
        if name in _SERVING:
            continue
        steps = [(WHO_AM_I, -1, "", ""), (SECRET, -1, f"prod/{name}/warehouse", "")]
        for bucket in buckets_of(world.parameters, staff, who, day):
            place = BUCKETS.index(bucket)
            steps += [(LIST, place, "", ""), *((PUT, place, file, "") for file in files[:3])]
            if name == "backup":
                kept = BUCKETS.index("meridian-backup")
                steps += [(COPY, kept, f"{bucket}/{file}", f"{bucket}/{file}") for file in files]
            steps += [(DECRYPT, -1, "alias/exports", ""), (GET, place, files[0], "")]
        yield who, name, steps


def _period_end(rng: Rng, world: World, day: int) -> Accesses:
    """The first days of a month: finance fetches the tables that it had the warehouse write out."""
    year, month, of_month = (int(part) for part in day_text(day).split("-"))
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
    who = who[rng.random(len(who)) < world.parameters.sheet_copies]
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
