"""What incidents do at the seller-support desk, and the cases that mimicry opens for it: in the form of ordinary ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Chance, Ints, Rng, below, lognormal
from beholden.retailer.contacts import RIGHT
from beholden.retailer.events import INCIDENT
from beholden.retailer.incidents.incident import slots
from beholden.retailer.incidents.pace import room
from beholden.retailer.life.seller_desk import (
    BANK,
    REINSTATE,
    REPORT,
    SUSPEND,
    TOPICS,
    VIEW,
    VIEW_AS,
    Acts,
    SellerCases,
    answered_cases,
    make_acts,
)
from beholden.retailer.world import World

__all__ = ["Deed", "acts_of", "looked_at", "on_record", "within_room"]

#: What a case is about that ends with the operation; others are about anything else.
_TOPIC: Final = {SUSPEND: "policy review", REINSTATE: "appeal", REPORT: "report", BANK: "bank account"}
_PLAIN_TOPICS: Final = ("listing", "payment", "account access")
_KINDS: Final = ("seller_impersonation", "bribed_ring")


@dataclass(frozen=True, slots=True)
class Deed:
    """Some operations on one seller, one after another; the last may be a decision."""

    who: int
    seller: int
    operations: tuple[int, ...]
    time: int  # of the first one


def looked_at(rng: Rng, *, as_seller: bool, ending: int = -1) -> tuple[int, ...]:
    """A look at an account as everybody takes it: views, some pages as the seller, then what it was for."""
    pages = [VIEW_AS] * (2 + int(rng.poisson(3.0))) if as_seller else []
    views = [VIEW] * (1 + int(rng.poisson(0.5)))
    mixed = rng.permutation([*views, *pages]).tolist()
    return (*mixed, *([ending] if ending >= 0 else []))


def within_room(world: World, deeds: Sequence[Deed]) -> list[Deed]:
    """Those for which there is room in the working days of who does them; long looks are cut short."""
    left: dict[tuple[int, int], int] = {}
    kept = []
    for deed in deeds:
        key = deed.who, deed.time // DAY_US
        left.setdefault(key, room(world, ("seller-desk",), *key))
        operations = deed.operations[-left[key] :] if left[key] else ()
        if operations:
            left[key] -= len(operations)
            kept.append(Deed(deed.who, deed.seller, operations, deed.time))
    return kept


def acts_of(
    world: World, rng: Rng, number: int, deeds: Sequence[Deed], end: int, cases: SellerCases | None = None
) -> Acts:
    """The events of these deeds; where there are cases (one for each deed), lines note them as often as others do."""
    p = world.parameters
    spans = (lognormal(rng, p.seller_look_minutes, p.handling_sigma, len(deeds)) * 60_000).astype(np.int64) * 1000
    columns: list[tuple[int, int, int, int, int]] = []
    for at, (deed, span) in enumerate(zip(deeds, spans.tolist(), strict=True)):
        steps = np.sort(rng.integers(3_000, max(6_000, span // 1000), len(deed.operations)))
        times = np.minimum(deed.time + (steps - steps[0]) * 1000, min(end, (deed.time // DAY_US + 1) * DAY_US) - 1000)
        noted = (rng.random(len(times)) < p.ticket_noted) & (cases is not None)
        numbers = np.where(noted, -1 if cases is None else cases.number[at], -1)
        columns += [
            (time, deed.who, deed.seller, operation, case)
            for time, operation, case in zip(times.tolist(), deed.operations, numbers.tolist(), strict=True)
        ]
    time, who, seller, operation, case = np.array(columns, dtype=np.int64).reshape(-1, 5).T
    time = time // 1000 * 1000
    return Acts.joined([make_acts(rng, time, who, seller, operation, what=INCIDENT, incident=number, case=case)])


def on_record(
    world: World, rng: Rng, deeds: Sequence[Deed], kind: str, number: int, end: int
) -> tuple[list[Deed], SellerCases]:  # fmt: skip
    """A case for each deed, opened by the very person who does it; the deeds as they are then done, and their cases.

    A case takes the number, and the moment, of one that a program would have answered; so the deed is done when there is
    such a case at hand, and left where there is none that day.
    """
    taken: set[int] = set()
    done: list[Deed] = []
    rows: list[tuple[int, ...]] = []
    for deed in deeds:
        found = _free_case(world, rng, deed, taken, kind, number)
        if found is None:
            continue
        free, opened = found
        time = opened + int(rng.integers(5_000, 300_000)) * 1000
        if time >= end:
            continue
        taken.add(free)
        closed = time + int(rng.integers(4, 50)) * MINUTE_US + int(rng.integers(60_000)) * 1000
        closed = min(closed, (time // DAY_US + 1) * DAY_US - SECOND_US)
        last = deed.operations[-1]
        name = _TOPIC.get(last, _PLAIN_TOPICS[int(rng.integers(len(_PLAIN_TOPICS)))])
        decided = time if last in {SUSPEND, REINSTATE} else -1
        done.append(replace(deed, time=time))
        rows.append((
            deed.seller, deed.who, TOPICS.index(name), opened, closed, decided, RIGHT, free, deed.who, opened, closed,
        ))  # fmt: skip
    columns: list[Ints] = list(np.array(rows, dtype=np.int64).reshape(-1, len(fields(SellerCases))).T)
    return done, SellerCases(*columns)


def _free_case(world: World, rng: Rng, deed: Deed, taken: set[int], kind: str, incident: int) -> tuple[int, int] | None:
    """A number that no case of the day has, and when it was given out: one of those nearest to the deed in its shift.

    The free numbers of a day are shared out among the kinds, and among incidents under way at once, so that no two take
    the same one.
    """
    day = deed.time // DAY_US
    number, time = answered_cases(world, day)
    side_by_side = slots(world)
    share = below(Chance(world.parameters.seed, "free seller cases")(number), len(_KINDS) * side_by_side)
    begins, ends = world.staff.shift_of(deed.who, day)
    mine = share == _KINDS.index(kind) * side_by_side + incident % side_by_side
    mine &= (time >= begins) & (time < ends - HOUR_US // 4) & ~np.isin(number, list(taken))
    free = np.flatnonzero(mine)
    if not len(free):
        return None
    nearest = free[np.argsort(np.abs(time[free] - deed.time), kind="stable")[:2]]
    at = int(nearest[rng.integers(len(nearest))])
    return int(number[at]), int(time[at])
