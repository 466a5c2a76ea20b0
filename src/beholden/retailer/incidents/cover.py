"""Reasons put on record by those who have none: contacts that nobody had, and cases that nobody needed.

A contact so made stands in the ticket system as ordinary ones do: it takes a ticket number that is free at that hour,
lasts as long as some other contact of the day, and was logged at once, late, or under a colleague's id.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Chance, Ints, Rng, moments, uniform
from beholden.retailer.contacts import COLLEAGUE, LATE, RIGHT, Contacts
from beholden.retailer.life.records import Records, topic
from beholden.retailer.world import World

__all__ = ["Cover", "assignments_over", "case_of", "unasked"]

#: Free numbers of a day are shared out among the kinds that take some, so that no two incidents take the same one.
_SHARES: Final = {
    "slow_exfiltration": (0.0, 0.45), "account_misuse": (0.45, 0.75), "celebrity_spike": (0.75, 0.87),
    "personal_lookup": (0.87, 0.94), "canary_read": (0.94, 1.0),
}  # fmt: skip
#: How it was logged, and how often; assumed.
_QUALITIES: Final = (RIGHT, LATE, COLLEAGUE)
_QUALITY_WEIGHTS: Final = (0.6, 0.22, 0.18)
_TRIES: Final = 30
_NAMES: Final = tuple(Contacts.__slots__)
_CASE_TOPICS: Final = ("shared card", "chargeback", "account takeover")
_CASE_HOURS: Final = (2, 72)
_PROJECTS: Final = ("pipeline repair", "report", "migration")
_PROJECT_MINUTES: Final = (24 * 60, 15 * 24 * 60)
#: So long after a case is opened fraud staff look (`life.investigations`).
_CASE_FIRST_US: Final = 50 * SECOND_US


class Cover:
    """Contacts that one incident puts on record."""

    def __init__(self, world: World, rng: Rng, kind: str) -> None:
        self._world = world
        self._rng = rng
        self._share = _SHARES[kind]
        self._slots: dict[int, list[tuple[int, int, int]]] = {}
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
        world, rng = self._world, self._rng
        every = world.service.on(day)
        busy = [
            (int(a), int(b))
            for a, b in zip(every.opened[every.agent == who], every.closed[every.agent == who], strict=True)
        ]
        busy += [(one["opened"], one["closed"]) for one in self._made if one["agent"] == who]
        begins, ends = world.staff.members[who].shift_of(day)
        slots = [slot for slot in self._free(day) if begins <= slot[1] and slot[1] < ends - 2 * MINUTE_US]
        for place in rng.permutation(len(slots))[:_TRIES].tolist():
            number, low, high = slots[place]
            like = int(rng.integers(len(every)))
            opened = low + 1000 + int(rng.random() * (high - low - 1000)) // 1000 * 1000
            closed = opened + int(every.closed[like] - every.opened[like])
            lost = closed >= world.gap[0] and opened < world.gap[1]
            if lost or closed >= ends or any(opened < b and a < closed for a, b in busy):
                continue
            self._free(day).remove(slots[place])
            quality = self._note(who, customer, (number, opened, closed), every, like)
            first, last = (
                np.full(count, at, dtype=np.int64) for at in (opened + 4 * SECOND_US, closed - 5 * SECOND_US)
            )
            noted = (rng.random(count) < world.parameters.ticket_noted) & (quality == RIGHT)
            return np.sort(moments(rng, first, last)), np.where(noted, number, -1)
        return None

    def _note(self, who: int, customer: int, held: tuple[int, int, int], every: Contacts, like: int) -> int:
        """Put it on record, as well or badly as contacts are."""
        rng, (number, opened, closed) = self._rng, held
        quality = int(rng.choice(_QUALITIES, p=_QUALITY_WEIGHTS))
        others = np.setdiff1d(every.agent, [who])
        if quality == COLLEAGUE and not len(others):
            quality = RIGHT
        later = closed + int(rng.integers(60, 3600)) * SECOND_US
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
                "logged_agent": int(rng.choice(others)) if quality == COLLEAGUE else who,
                "logged_opened": later if quality == LATE else opened,
                "logged_closed": later + 2 * MINUTE_US if quality == LATE else closed,
            }
        )
        return quality

    def _free(self, day: int) -> list[tuple[int, int, int]]:
        """Numbers that nobody has, and between which contacts' beginnings each belongs."""
        if day not in self._slots:
            every = self._world.service.on(day)
            held = every.at(every.ticket >= 0)
            found = [
                (number, low, high)
                for before, after, low, high in zip(
                    held.ticket[:-1].tolist(), held.ticket[1:].tolist(), held.opened[:-1].tolist(), held.opened[1:].tolist(), strict=True
                )
                # Several numbers of one gap would have to be opened in their order: one is enough.
                for number in range(before + 1, min(after, before + 2))
                if high - low > 2000
            ]  # fmt: skip
            draw = uniform(
                Chance(self._world.parameters.seed, "free tickets")(np.array([one[0] for one in found], dtype=np.int64))
            )
            mine = (draw >= self._share[0]) & (draw < self._share[1])
            self._slots[day] = [one for one, kept in zip(found, mine[: len(found)].tolist(), strict=True) if kept]
        return self._slots[day]


def unasked(world: World, customer: int, day: int) -> bool:
    """Whether a customer had no contact on that day nor on those next to it."""
    return not any((world.service.on(one).customer == customer).any() for one in range(day - 2, day + 2))


def case_of(rng: Rng, who: int, customer: int, first: int, last: int) -> Records:
    """A case of fraud staff that stands over looks from ``first`` to ``last``: opened shortly before them, or after."""
    after = rng.random() < _QUALITY_WEIGHTS[1]
    opened = (
        last + int(rng.integers(60, 3600)) * SECOND_US if after else max(first - _CASE_FIRST_US, first - first % DAY_US)
    )
    closed = opened + int(rng.integers(*_CASE_HOURS)) * HOUR_US + int(rng.integers(3_600_000)) * 1000
    what = topic(_CASE_TOPICS[int(rng.integers(len(_CASE_TOPICS)))])
    return Records(*(np.array([value], dtype=np.int64) for value in (who, customer, what, opened, closed)))


def assignments_over(rng: Rng, world: World, who: int, times: Ints) -> Records:
    """Pieces of work of an engineer or analyst that are open at all these moments, one after another."""
    rows: list[tuple[int, int, int, int, int]] = []
    covered = 0
    for time in np.sort(times).tolist():
        if time < covered:
            continue
        begins = world.staff.members[who].shift_of(time // DAY_US)[0]
        opened = min(time, max(begins, time - int(rng.integers(3 * 60_000, 90 * 60_000)) * 1000))
        covered = opened + int(rng.integers(*_PROJECT_MINUTES)) * MINUTE_US
        rows.append((who, -1, topic(_PROJECTS[int(rng.integers(len(_PROJECTS)))]), opened, covered))
    return Records(*np.array(rows, dtype=np.int64).reshape(-1, 5).T)
