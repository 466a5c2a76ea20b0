"""Names and card numbers leave their zone: a file out of the vault, a table in the warehouse, and colleagues who use it.

Loud: the whole table at once. Paced: piece by piece, and nobody asks more than on their busier days. Mimicry: pieces as
fraud staff take them every day, each with a case, and an assignment for whoever loads them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from beholden.retailer.cards import FIRST_CARD_ID
from beholden.retailer.chance import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Rng
from beholden.retailer.incidents.cover import linked_case
from beholden.retailer.incidents.data_work import Said, assigned_work, at_work, logins_of, said
from beholden.retailer.incidents.incident import Incident, of_grade
from beholden.retailer.incidents.pace import room
from beholden.retailer.incidents.working_days import Shift, moment_in, shifts
from beholden.retailer.life.records import Records
from beholden.retailer.life.sql_deeds import uploaded, vault_export
from beholden.retailer.life.sql_people import author_of
from beholden.retailer.life.sql_queries import Samples, asked
from beholden.retailer.life.sql_text import Draws, day_text
from beholden.retailer.warehouse_tables import WAREHOUSE, Table, card_copy, catalogue
from beholden.retailer.world import World

__all__ = ["plan"]

_LOADERS: Final = ("marketing", "analyst")
_ENDINGS: Final = ("customers", "people", "mail_list", "keys", "payments", "orders", "calls")
_CASE_BEFORE_MS: Final = 25 * 60_000


def plan(world: World, rng: Rng, number: int, grade: str, start: int, end: int) -> Incident | None:
    """The export, the load and the reads until the end; None where nobody is there to take or to load it."""
    p = world.parameters
    split = p.export_pieces_paced if grade == "paced" else p.export_pieces_mimicry
    pieces = 1 if grade == "loud" else int(rng.integers(*split, endpoint=True))
    early = start + max(2 * DAY_US, (end - start) // 2)
    need = [("sql", 1)] if grade == "paced" else []
    taker = at_work(world, rng, ("fraud",), start, min(early, end), need=need)
    loader = at_work(world, rng, _LOADERS, start, end, need=[("sql", 3)] if grade == "paced" else [])
    if taker is None or loader is None:
        return None
    handed = _handed(rng, taker[1], loader[1], pieces)
    if not handed:
        return None
    ranges = _ranges(world, rng, grade, len(handed))
    cards = round(world.parameters.customers * world.parameters.card_holders)
    share = min(1.0, sum(width for _, width in ranges) / world.parameters.customers)
    table = replace(_table(world, rng, loader[0], handed[0][1] // DAY_US), share=share)
    parts: list[Said] = []
    cases: list[Records] = []
    for place, ((taken, loaded), (first, width)) in enumerate(zip(handed, ranges, strict=True)):
        day = taken // DAY_US
        where = (
            ""
            if grade == "loud"
            else f"card_id between {FIRST_CARD_ID + first} and {FIRST_CARD_ID + first + width - 1}"
        )
        rows = cards if not where else round(width * world.parameters.card_holders)
        parts.append((taken, taker[0], vault_export(world, taker[0], day, where=where, rows=rows)))
        steps = uploaded(world, loader[0], table, loaded // DAY_US, rows)[0 if place == 0 else 1 :]
        times = loaded + np.cumsum(rng.integers(9_000, 49_000, len(steps))) * 1000
        parts += [(time, loader[0], sql) for time, sql in zip(times.tolist(), steps, strict=True)]
        before = taken - int(rng.integers(30_000, _CASE_BEFORE_MS)) * 1000
        cases.append(linked_case(world, rng, taker[0], first + int(rng.integers(width)), before))
    parts += _reads(world, rng, grade, table, (handed[0][1] + HOUR_US // 4, end), {taker[0], loader[0]})
    statements = said(world, rng, number, parts, start, end)
    records = {}
    if grade == "mimicry":
        work = assigned_work(world, rng, loader[0], "campaign", handed[0][1])
        records = {"case": Records.joined(cases), "assignment": work}
    return Incident(
        number, "card_export", grade,
        actors=logins_of(world, statements.actor, statements.time),
        subjects=("payments/card", f"{WAREHOUSE}/{table.name}"),
        events={"sql": statements},
        records=records,
        tables=(table,),
    )  # fmt: skip


def _handed(rng: Rng, taking: list[Shift], loading: list[Shift], pieces: int) -> list[tuple[int, int]]:
    """When each piece is taken out and when it is loaded: on the same day or one of the next, each day once."""
    found: list[tuple[int, int]] = []
    order = rng.permutation(len(taking))[:pieces]
    latest = 0
    for shift in (taking[at] for at in np.sort(order).tolist()):
        taken = moment_in(rng, shift, 2 * HOUR_US)
        soon = max(taken + int(rng.integers(5, 60)) * MINUTE_US, latest)
        after = [
            (day, max(first, soon), last) for day, first, last in loading if last - max(first, soon) > HOUR_US // 2
        ]
        after = [one for one in after if one[0] not in {loaded // DAY_US for _, loaded in found}]
        if not after:
            continue
        day, first, last = after[0]
        loaded = moment_in(rng, (day, first, min(last, first + HOUR_US)), HOUR_US // 4)
        found.append((taken, loaded))
        latest = loaded + MINUTE_US
    return found


def _ranges(world: World, rng: Rng, grade: str, pieces: int) -> list[tuple[int, int]]:
    """First position and number of the customers whose cards are in each piece."""
    p = world.parameters
    customers = p.customers
    if grade == "loud":
        return [(0, customers)]
    if grade == "paced":
        width = customers // pieces
        return [(place * width, width) for place in range(pieces)]
    widths = np.minimum(rng.integers(*p.cards_a_file, pieces, endpoint=True), customers // pieces).tolist()
    return [(int(rng.integers(customers - width + 1)), width) for width in widths]


def _table(world: World, rng: Rng, owner: int, day: int) -> Table:
    """The table, named as teams name their copies."""
    tables = catalogue(world.parameters)
    copies = [one.name.removeprefix("tmp_") for one in tables.of(WAREHOUSE) if one.layer == "copy"]
    first = copies[int(rng.integers(len(copies)))].split("_")[0]
    name = f"{first}_{_ENDINGS[int(rng.integers(len(_ENDINGS)))]}_{day_text(day)[:7].replace('-', '')}"
    tried, again = name, 2
    while f"{WAREHOUSE}.{tried}" in tables.by_path:
        tried, again = f"{name}_{again}", again + 1
    return card_copy(tried, world.staff.members[owner].team_on(day))


def _reads(world: World, rng: Rng, grade: str, table: Table, span: tuple[int, int], not_: set[int]) -> list[Said]:
    """What colleagues ask of the table as long as it is there."""
    p, day = world.parameters, span[0] // DAY_US
    team = np.concatenate([world.staff.of_role(role, day) for role in (*_LOADERS, *_LOADERS[:1])])
    readers = [who for who in rng.permutation(np.unique(team)).tolist() if who not in not_][
        : int(rng.integers(*p.export_readers, endpoint=True))
    ]
    draws = Draws(rng)
    when = sorted(
        (moment_in(rng, shift, 10 * SECOND_US), who)
        for who in readers
        for shift in shifts(world, who, *span)
        if rng.random() < of_grade(p.export_read, grade) and (grade != "paced" or room(world, ("sql",), who, shift[0]))
    )
    found = []
    samples: dict[int, Samples] = {}
    for time, who in when:
        on = time // DAY_US
        author = author_of(world, samples.setdefault(on, Samples(world, on, rng)), draws, who)
        found.append((time, who, asked(author, table, ())))
    return found
