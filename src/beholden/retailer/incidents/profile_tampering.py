"""E-mail addresses of many customers are changed past the console: on the CRM's database, under personal accounts.

Then passwords are set anew through the changed addresses. Up to eight of IT and engineering, an engineer among them.
Loud: hundreds a day, in a few days. Paced: within each one's own habits, so many as that leaves. Mimicry: the customers
stand in the work lists of those who change them, as after a reform.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from beholden.retailer.chance import HOUR_US, MINUTE_US, SECOND_US, Ints, Rng, lognormal
from beholden.retailer.events import INCIDENT
from beholden.retailer.incidents.incident import Incident
from beholden.retailer.incidents.pace import room
from beholden.retailer.incidents.spoken import Said, spoken
from beholden.retailer.incidents.working_days import actor_names, employed, moment, work_days
from beholden.retailer.life.accounts import RESET, SIGN_IN, Visits, make_visits
from beholden.retailer.life.places import address
from beholden.retailer.life.records import SHIFT_US, Records, topic
from beholden.retailer.life.sql_deeds import contact_changes
from beholden.retailer.world import World

__all__ = ["plan"]

_CARRIERS: Final = address("100.64.0.0")
_CARRIER_BITS: Final = 22


def plan(world: World, rng: Rng, number: int, grade: str, start: int, end: int) -> Incident | None:
    """Changes, then new passwords; None where nobody of IT and engineering is there for it."""
    p = world.parameters
    wanted = max(
        p.tampered_profiles_min, round(p.tampered_profiles_at_full_scale * p.scale * (0.7 + 0.6 * rng.random()))
    )
    customers = rng.permutation(np.unique(rng.integers(0, len(world.people), 2 * wanted)))[:wanted]
    time, who = _moments(world, rng, grade, len(customers), (start, end))
    if len(time) < -(-p.tampered_profiles_min // 2):
        return None
    changed = customers[: len(time)]
    rows: list[Said] = []
    for one in np.unique(who).tolist():
        mine = who == one
        said = contact_changes(world, rng, one, changed[mine])
        rows += [(at, one, sql, "") for at, sql in zip(time[mine].tolist(), said, strict=True)]
    statements = spoken(world, rng, rows, number)
    assert statements is not None, "there are changes"  # noqa: S101 - counted above
    return Incident(
        number=number,
        kind="profile_tampering",
        grade=grade,
        actors=actor_names(world, statements),
        subjects=tuple(f"customer:{one + 1}" for one in np.sort(changed).tolist()),
        events={"sql": statements, "accounts": _resets(world, rng, number, grade, (time, changed, end))},
        records={"assignment": _listed(world, time, who, changed)} if grade == "mimicry" else {},
    )


def _moments(world: World, rng: Rng, grade: str, wanted: int, within: tuple[int, int]) -> tuple[Ints, Ints]:
    """When a profile is changed, and by whom."""
    p = world.parameters
    most = p.tamperers
    engineers = employed(world, rng, ("engineer",), *within)
    others = [who for who in employed(world, rng, ("engineer", "it"), *within) if who not in engineers[:1]]
    # Who must not be noticed needs many hands.
    hands = most if grade == "paced" else int(rng.integers(1, most + 1))
    team = [*engineers[:1], *others[: hands - 1]]
    on_days = p.tampering_days_loud if grade == "loud" else p.tampering_days_mimicry
    slots: list[tuple[int, int]] = []
    for who in team:
        days = work_days(world, who, *within)
        if grade == "paced":
            for day in days:
                left = room(world, ("sql",), who, day)
                slots += [(moment(rng, world, who, day, SECOND_US), who) for _ in range(int(rng.integers(0, left + 1)))]
            continue
        chosen = rng.permutation(np.array(days, dtype=np.int64))[: int(rng.integers(*on_days, endpoint=True))].tolist()
        each = -(-wanted // (len(team) * len(chosen)))
        for day in chosen:
            slots += [(at, who) for at in _in_one_go(world, rng, grade, (who, day), each)]
    kept = np.array(slots, dtype=np.int64).reshape(-1, 2)[rng.permutation(len(slots))[:wanted]]
    return kept[:, 0], kept[:, 1]


def _in_one_go(world: World, rng: Rng, grade: str, which: tuple[int, int], count: int) -> list[int]:
    """So many moments in a working day, closer together where there are very many."""
    who, day = which
    p = world.parameters
    apart = p.tampering_gap_ms_loud if grade == "loud" else p.tampering_gap_ms_mimicry
    gaps = rng.integers(*apart, count, endpoint=True) * 1000
    room_us = SHIFT_US - 20 * MINUTE_US
    gaps = (gaps * min(1.0, room_us / max(1, int(gaps.sum())))).astype(np.int64) // 1000 * 1000
    first = moment(rng, world, who, day, min(room_us, int(gaps.sum())) + MINUTE_US)
    times: list[int] = (first + np.cumsum(gaps)).tolist()
    return times


def _resets(world: World, rng: Rng, number: int, grade: str, which: tuple[Ints, Ints, int]) -> Visits:
    """New passwords some hours later, from few addresses or, with more care, from many; then a sign-in."""
    changed_at, customers, end = which
    p = world.parameters
    kept = np.flatnonzero(rng.random(len(customers)) < p.tampered_then_reset)
    wait = (lognormal(rng, p.tampered_reset_hours, 0.9, len(kept)) * HOUR_US).astype(np.int64) // 1000 * 1000
    time = changed_at[kept] + np.maximum(wait, 2 * MINUTE_US)
    after = time + rng.integers(20_000, 240_000, len(kept)) * 1000
    count = int(rng.integers(2, 9)) if grade == "loud" else max(2, len(kept) // int(rng.integers(2, 6)))
    pool = _CARRIERS + rng.integers(0, 1 << _CARRIER_BITS, count)
    place = pool[rng.integers(0, count, len(kept))]
    parts = [
        make_visits(rng, world, at, customers[kept], operation, what=INCIDENT, incident=number, address=place)
        for at, operation in ((time, RESET), (after, SIGN_IN))
    ]
    return Visits.joined(parts).between(0, end)


def _listed(world: World, time: Ints, who: Ints, customers: Ints) -> Records:
    """A row in the work list for each customer, for the day."""
    starts = [
        world.staff.shift_of(one, at // 86_400_000_000)[0] for at, one in zip(time.tolist(), who.tolist(), strict=True)
    ]
    opened = np.array(starts, dtype=np.int64)
    what = np.full(len(time), topic("address correction"), dtype=np.int64)
    return Records.joined([Records(who, customers, what, opened, opened + SHIFT_US)])
