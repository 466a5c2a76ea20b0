"""Reasons put on record by those who have none: contacts that nobody had, and cases that nobody needed.

A contact so made stands in the ticket system as ordinary ones do: it takes the number of a caller who hung up, at that
moment, lasts as long as some other contact of the day, and was logged at once, late, or under a colleague's id.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from beholden.retailer.chance import DAY_US, MINUTE_US, SECOND_US, Chance, Ints, Rng, below, moments, uniform
from beholden.retailer.contacts import COLLEAGUE, LATE, RIGHT, Contacts, written_up
from beholden.retailer.incidents.incident import slots
from beholden.retailer.life.investigations import cases_of, first_looks, looks_of_cases
from beholden.retailer.life.records import Records, topic
from beholden.retailer.world import World

__all__ = ["Cover", "assignments_over", "case_of", "linked_case", "unasked"]

#: Free numbers of a day are shared out among the kinds that take some, so that no two incidents take the same one.
_SHARES: Final = {
    "slow_exfiltration": (0.0, 0.45), "account_misuse": (0.45, 0.75), "celebrity_spike": (0.75, 0.87),
    "personal_lookup": (0.87, 0.94), "canary_read": (0.94, 1.0),
}  # fmt: skip
#: How it was logged: as it happened, afterwards, under a colleague's name.
_QUALITIES: Final = (RIGHT, LATE, COLLEAGUE)
_TRIES: Final = 30
_NAMES: Final = tuple(Contacts.__slots__)
_PROJECTS: Final = ("pipeline repair", "report", "migration")
_PROJECT_MINUTES: Final = (24 * 60, 15 * 24 * 60)


class Cover:
    """Contacts that one incident puts on record."""

    def __init__(self, world: World, rng: Rng, kind: str, number: int) -> None:
        self._world = world
        self._rng = rng
        self._share = _SHARES[kind]
        self._number = number
        self._slots: dict[int, list[tuple[int, int]]] = {}
        self._made: list[dict[str, int]] = []

    @property
    def contacts(self) -> Contacts | None:
        """Those made so far, in the order in which they were opened; None where there are none."""
        rows = sorted(self._made, key=lambda one: one["opened"])
        return (
            Contacts(**{name: np.array([one[name] for one in rows], dtype=np.int64) for name in _NAMES})
            if rows
            else None
        )

    def contact(self, who: int, customer: int, day: int, count: int) -> tuple[Ints, Ints] | None:
        """A contact of an agent with a customer on a day: moments of ``count`` looks, and the ticket each carries, or -1.

        None where no number is free while they are at work and have nobody on the line.
        """
        world, rng, p = self._world, self._rng, self._world.parameters
        shares = (1 - p.cover_logged_late - p.cover_for_colleague, p.cover_logged_late, p.cover_for_colleague)
        every = world.service.on(day)
        busy = [
            (int(a), int(b))
            for a, b in zip(every.opened[every.agent == who], every.closed[every.agent == who], strict=True)
        ]
        busy += [(one["opened"], one["closed"]) for one in self._made if one["agent"] == who]
        begins, ends = world.staff.shift_of(who, day)
        free = [one for one in self._free(day) if begins <= one[1] < ends - 2 * MINUTE_US] if len(every) else []
        for place in rng.permutation(len(free))[:_TRIES].tolist():
            number, logged = free[place]
            like, quality = int(rng.integers(len(every))), int(rng.choice(_QUALITIES, p=shares))
            lasting = int(every.closed[like] - every.opened[like])
            # Who writes it down late takes the number of that later moment.
            opened = logged - lasting - int(rng.integers(60_000, 3_600_000)) * 1000 if quality == LATE else logged
            closed = opened + lasting
            lost = closed >= world.gap[0] and opened < world.gap[1]
            if lost or opened < begins or closed >= ends or any(opened < b and a < closed for a, b in busy):
                continue
            self._free(day).remove(free[place])
            quality = self._note(who, customer, (number, logged, opened, closed), every, like, quality)
            first, last = (
                np.full(count, at, dtype=np.int64) for at in (opened + 4 * SECOND_US, closed - 5 * SECOND_US)
            )
            noted = (rng.random(count) < world.parameters.ticket_noted) & (quality == RIGHT)
            return np.sort(moments(rng, first, last)), np.where(noted, number, -1)
        return None

    def _note(
        self, who: int, customer: int, held: tuple[int, int, int, int], every: Contacts, like: int, quality: int
    ) -> int:  # fmt: skip
        """Put it on record, as well or badly as contacts are."""
        world, rng, (number, logged, opened, closed) = self._world, self._rng, held
        one = np.array([who]), np.array([opened])
        beside = int(world.staff.beside(rng, "agent", *one, opened // DAY_US)[0])
        if quality == COLLEAGUE and beside == who:
            quality = RIGHT
        self._made.append(
            {
                "customer": customer,
                "order_id": -1,
                "agent": who,
                "opened": opened,
                "closed": closed,
                "channel": int(every.channel[like]),
                "reason": int(every.reason[like]),
                "quality": quality,
                "ticket": number,
                "logged_agent": beside if quality == COLLEAGUE else who,
                "logged_opened": logged,
                "logged_closed": logged + int(written_up(rng, 1)[0]) if quality == LATE else closed,
            }
        )
        return quality

    def _free(self, day: int) -> list[tuple[int, int]]:
        """Numbers that nobody has, those of this incident, and when each was given out."""
        if day not in self._slots:
            number, time = self._world.service.hung_up(day)
            draw = Chance(self._world.parameters.seed, "free tickets")(number)
            side_by_side = slots(self._world)
            mine = (uniform(draw) >= self._share[0]) & (uniform(draw) < self._share[1])
            mine &= below(draw << np.uint64(32), side_by_side) == self._number % side_by_side
            self._slots[day] = list(zip(number[mine].tolist(), time[mine].tolist(), strict=True))
        return self._slots[day]


def unasked(world: World, customer: int, day: int) -> bool:
    """Whether a customer had no contact on that day nor on those next to it."""
    return not any(_called(world, customer, one) for one in range(day - 2, day + 2))


def _called(world: World, customer: int, day: int) -> bool:
    callers = _callers(world, day)
    at = int(np.searchsorted(callers, customer))
    return at < len(callers) and int(callers[at]) == customer


@lru_cache(maxsize=128)
def _callers(world: World, day: int) -> npt.NDArray[np.int32]:
    """Who had a contact on a day, in order."""
    return np.unique(world.service.on(day).customer.astype(np.int32))


def case_of(world: World, rng: Rng, who: int, customer: int, first: int, last: int) -> Records:
    """A case of fraud staff that stands over looks from ``first`` to ``last``: opened shortly before them, or after."""
    after = rng.random() < world.parameters.cover_logged_late
    before = max(first - int(first_looks(rng, 1)[0]), first - first % DAY_US)
    opened = last + int(rng.integers(60, 3600)) * SECOND_US if after else before
    return linked_case(world, rng, who, customer, opened)


def linked_case(world: World, rng: Rng, who: int, customer: int, opened: int) -> Records:
    """A case about a customer and, as in every case, others who are said to have to do with them."""
    pair = np.array([customer, int(rng.integers(len(world.people)))], dtype=np.int64)
    mates = world.people.housemate(pair)
    looked_at = max(1, int(looks_of_cases(rng, 1)[0]) // 2)
    people = np.unique(np.append(customer, np.append(pair[1], mates[mates >= 0])[:looked_at]))
    case = np.zeros(len(people), dtype=np.int64)
    return cases_of(rng, world.parameters.case_hours, np.array([who]), np.array([opened]), case, people)


def assignments_over(rng: Rng, world: World, who: int, times: Ints) -> Records:
    """Pieces of work of an engineer or analyst that are open at all these moments, one after another."""
    rows: list[tuple[int, int, int, int, int]] = []
    covered = 0
    for time in np.sort(times).tolist():
        if time < covered:
            continue
        begins = world.staff.shift_of(who, time // DAY_US)[0]
        opened = min(time, max(begins, time - int(rng.integers(3 * 60_000, 90 * 60_000)) * 1000))
        covered = opened + int(rng.integers(*_PROJECT_MINUTES)) * MINUTE_US
        rows.append((who, -1, topic(_PROJECTS[int(rng.integers(len(_PROJECTS)))]), opened, covered))
    return Records(*np.array(rows, dtype=np.int64).reshape(-1, 5).T)
