"""What a company wrote, read back as a stranger would: its console's log, its feeds, its customers.

The other measures come from what is simulated; this one shows that it reaches the files. No truth is read.
"""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import duckdb
import numpy as np

from beholden.retailer.chance import DAY_US, Ints, stream
from beholden.retailer.realism.bands import Measure, ratio

__all__ = ["measures_of_written"]

#: Every whole line of the console's log; a torn one is no JSON and is skipped. Lines of files called late came late.
_LINES: Final = """
select id, json ->> '$.user.login' as actor, (json ->> '$.cust_id')::bigint as customer,
       epoch_us((json ->> '$.ts')::timestamp) as time, filename like '%-late.jsonl' as late
from (select json, json ->> '$.id' as id, filename
      from read_ndjson_objects($logs, filename = true, ignore_errors = true))
where id is not null
"""
#: What gives a reason, by log-in. Quality and planning know staff by employee number; cases have times without a zone.
_RECORDS: Final = """
select agent_id as actor, customer_id as customer, epoch_us(opened_at) as opened, epoch_us(closed_at) as closed
from read_parquet($feeds || '/contacts.parquet')
union all select investigator, customer_id, epoch_us(opened_at), epoch_us(closed_at)
from read_parquet($feeds || '/cases.parquet')
union all select handler, customer_id, epoch_us(opened_at), epoch_us(closed_at)
from read_parquet($feeds || '/requests.parquet')
union all select login, customer_id, epoch_us(opened_at), epoch_us(closed_at)
from read_parquet($feeds || '/reviews.parquet') join people on employee_id = reviewer
union all select login, customer_id, epoch_us(opened_at), epoch_us(closed_at)
from read_parquet($feeds || '/assignments.parquet') join people on employee_id = assignee
"""
_COVERED: Final = """
select exists (from records as r where r.actor = v.actor and r.customer = s.customer
               and r.opened <= v.time and v.time < r.closed)
from views as v join subjects as s using (place) order by place
"""
_SHARING: Final = """
select sum(together > 1), count(*)
from (select count(*) over (partition by street, postal_code, city) as together
      from customer)
"""


def measures_of_written(directory: Path, seed: int = 1) -> list[Measure]:
    """What `BANDS` has of files: of a company of the retailer's preset and SQLite stores, best without incidents.

    Raises `duckdb.Error` or `sqlite3.Error` where the files are not there.
    """
    with duckdb.connect() as memory:
        memory.execute("set timezone = 'UTC'")
        memory.execute(f"create table lines as {_LINES}", {"logs": str(directory / "logs" / "console-*.jsonl")})
        memory.execute(
            "create table people as select employee_id, login from read_csv($staff)",
            {"staff": str(directory / "feeds" / "staff.csv")},
        )
        memory.execute(f"create table records as {_RECORDS}", {"feeds": str(directory / "feeds")})
        memory.execute(
            "create table views as select *, row_number() over (order by time, id) - 1 as place"
            " from (select distinct on (id) * from lines)"
        )
        counted = memory.execute("select count(*), count(distinct id), count(*) filter (late) from lines").fetchone()
        columns = memory.execute("select actor, customer, time from views order by place").fetchnumpy()
        customer = np.asarray(columns["customer"], dtype=np.int64)
        pair = np.unique(np.stack([columns["actor"].astype(str), customer.astype(str)]), axis=1, return_inverse=True)[1]
        real = _covered(memory, customer)
        mixed = _covered(memory, _shuffled(customer, np.asarray(columns["time"]) // DAY_US, seed))
    with closing(sqlite3.connect(directory / "stores" / "crm.db")) as crm:
        sharing = crm.execute(_SHARING).fetchone()
    every, once, late = counted or (0, 0, 0)
    together, people = sharing
    chance = float(mixed.mean())
    return [
        ratio(real, np.ones(len(real)), pair).measure("files: views with a documented reason"),
        Measure("files: the same if customers are shuffled", chance, math.sqrt(4 * chance / max(1, len(real)))),
        _share("files: lines that stand twice", every - once, once),
        _share("files: lines that came late", late, every),
        _share("files: customers at one address with another", together, people, of_two=True),
    ]


def _shuffled(customer: Ints, day: Ints, seed: int) -> Ints:
    """The same customers, each day's among that day's views."""
    rng, mixed = stream(seed, "shuffled lines"), customer.copy()
    for one in np.unique(day):
        here = np.flatnonzero(day == one)
        mixed[here] = customer[rng.permutation(here)]
    return mixed


def _covered(memory: duckdb.DuckDBPyConnection, customer: Ints) -> Ints:
    """For each view whether a record of its actor and this customer was open at that moment (0 or 1)."""
    subjects = {"place": np.arange(len(customer)), "customer": customer}
    memory.register("subjects", subjects)
    found: Ints = next(iter(memory.execute(_COVERED).fetchnumpy().values())).astype(np.int64)
    memory.unregister("subjects")
    return found


def _share(name: str, some: int, count: int, *, of_two: bool = False) -> Measure:
    share = some / count if count else math.nan
    return Measure(name, share, math.sqrt((1 + of_two) * share * (1 - share) / max(1, count)))
