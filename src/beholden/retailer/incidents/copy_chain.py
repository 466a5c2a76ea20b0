"""A copy of customers that nobody wrote down: out of the warehouse, into a bucket, into a spreadsheet that keeps fetching it.

Whoever erases a person by the register of copies misses it. Loud: several tables at a time, fetched every day for the
rest of the time. Paced: one now and then, within a working day's usual number of statements and calls. Mimicry: with an
assignment that says why somebody should need the table.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, HOUR_US, Rng
from beholden.retailer.copies import Extract
from beholden.retailer.events import INCIDENT
from beholden.retailer.incidents.data_work import Said, assigned_work, at_work, logins_of, said
from beholden.retailer.incidents.incident import Incident, of_grade
from beholden.retailer.incidents.pace import thinned
from beholden.retailer.incidents.working_days import moment_in
from beholden.retailer.life.buckets import CHAIN_TABLES, make_copy_chain, stored
from beholden.retailer.life.cloudtrail import Accesses
from beholden.retailer.life.records import Records
from beholden.retailer.warehouse_tables import WAREHOUSE
from beholden.retailer.world import World

__all__ = ["plan"]

_WORK: Final = ("report", "campaign")
#: The first access of a chain, its copy and its list: what must fit into a day.
_STEPS: Final = 4


def plan(world: World, rng: Rng, number: int, grade: str, start: int, end: int) -> Incident | None:
    """The chains of one person; None where no analyst or marketer is at work long enough."""
    need = [("sql", 1), ("buckets", _STEPS)] if grade == "paced" else []
    found = at_work(world, rng, ("analyst", "marketing"), start, end - min(DAY_US, (end - start) // 2), need=need)
    if found is None:
        return None
    who, days = found
    count = int(rng.integers(*of_grade(world.parameters.chains, grade), endpoint=True))
    count = min(count, len(days)) if grade == "paced" else count
    if grade == "paced":
        chosen = [days[at] for at in np.sort(rng.permutation(len(days))[:count]).tolist()]
    else:
        chosen = [days[int(rng.integers(max(1, len(days) // 2)))]] * count
    tables = [CHAIN_TABLES[at] for at in rng.permutation(len(CHAIN_TABLES)).tolist()]
    parts: list[Said] = []
    accesses: list[Accesses] = []
    objects: list[str] = []
    files: list[Extract] = []
    works: list[Records] = []
    for place, shift in enumerate(chosen):
        time = moment_in(rng, shift, HOUR_US // 4)
        left = (end - time) // DAY_US
        opened = 1 + (left if grade == "loud" else int(rng.integers(0, left + 1)))
        table = tables[place % len(tables)]
        chain = make_copy_chain(rng, world, who, time, table=table, opened=opened, what=INCIDENT, incident=number)
        parts.append((chain.time, who, chain.sql))
        accesses.append(chain.accesses)
        objects += [f"{WAREHOUSE}/{table}", f"buckets/{chain.bucket}/{chain.key}"]
        files += chain.extracts
        if grade == "mimicry":
            works.append(assigned_work(world, rng, who, _WORK[int(rng.integers(2))], time))
    statements = said(world, rng, number, parts, start, end)
    fetched = Accesses.joined(accesses).between(start, end)
    if grade == "paced":
        fetched = thinned(world, "buckets", fetched)
    stayed = stored(files, fetched)
    objects += [f"buckets/{one.bucket}/{one.key}" for one in stayed]
    return Incident(
        number, "copy_chain", grade,
        actors=logins_of(world, statements.actor, statements.time),
        subjects=tuple(dict.fromkeys(objects)),
        events={"sql": statements, "buckets": fetched},
        records={"assignment": Records.joined(works)} if works else {},
        files=stayed,
    )  # fmt: skip
