"""Looks at single customers in the console: by whom, when, and with what on record, in each grade."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from beholden.retailer.chance import MINUTE_US, Ints, Rng
from beholden.retailer.events import INCIDENT
from beholden.retailer.incidents.cover import Cover, case_of, unasked
from beholden.retailer.incidents.incident import Incident, following
from beholden.retailer.incidents.pace import room
from beholden.retailer.incidents.working_days import actor_names, moment
from beholden.retailer.life.console import Views, make_views
from beholden.retailer.life.records import Records
from beholden.retailer.world import World

__all__ = ["LOOKERS", "Looks"]

#: Who can open anybody in the console. Mimicry is theirs who put their own reasons on record.
LOOKERS = {
    "loud": ("agent", "supervisor", "fraud", "seller_support", "privacy"),
    "paced": ("agent", "supervisor", "fraud", "privacy"),
    "mimicry": ("agent", "fraud"),
}


class Looks:
    """The looks of one incident, and what was put on record for them."""

    def __init__(self, world: World, rng: Rng, kind: str, number: int, grade: str) -> None:
        self._world = world
        self._rng = rng
        self._kind = kind
        self._number = number
        self._grade = grade
        self._rows: list[tuple[int, int, int, int]] = []
        self._cases: list[Records] = []
        self._used: dict[tuple[int, int], int] = {}
        self.cover = Cover(world, rng, kind, number)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, who: int, subject: int, days: Sequence[int], count: int) -> int:
        """Up to ``count`` looks of somebody at a customer on one of these days; how many there are.

        None where the customer called on every one of them, or nothing can be put on record, or no day has room.
        """
        for place in self._rng.permutation(len(days)).tolist():
            if unasked(self._world, subject, days[place]) and (added := self._on(who, subject, days[place], count)):
                return added
        return 0

    def _on(self, who: int, subject: int, day: int, count: int) -> int:
        rng, world = self._rng, self._world
        ticket = np.full(count, -1, dtype=np.int64)
        if self._grade == "mimicry" and world.staff.members[who].role_on(day) == "agent":
            found = self.cover.contact(who, subject, day, count)
            if found is None:
                return 0
            time, ticket = found
        else:
            if self._grade == "paced":
                count = min(count, room(world, ("console",), who, day) - self._used.get((who, day), 0))
            if count <= 0:
                return 0
            time = following(rng, moment(rng, world, who, day, 3 * MINUTE_US), count)
            ticket = ticket[:count]
            if self._grade == "mimicry":
                self._cases.append(case_of(world, rng, who, subject, int(time[0]), int(time[-1])))
        self.put(time, who, subject, ticket)
        self._used[who, day] = self._used.get((who, day), 0) + count
        return count

    def put(self, time: Ints, who: int, subject: int, ticket: Ints) -> None:
        """Looks whose moments are known."""
        self._rows += [(int(at), who, subject, int(one)) for at, one in zip(time, ticket, strict=True)]

    def views(self) -> Views:
        """All looks as the console has them."""
        time, actor, customer, ticket = np.array(self._rows, dtype=np.int64).reshape(-1, 4).T
        made = make_views(self._rng, time, actor, customer, what=INCIDENT, ticket=ticket, incident=self._number)
        return Views.joined([made])

    def incident(self) -> Incident:
        """The incident that these looks are."""
        views = self.views()
        return Incident(
            number=self._number,
            kind=self._kind,
            grade=self._grade,
            actors=actor_names(self._world, views),
            subjects=tuple(f"customer:{one + 1}" for one in np.unique(views.customer).tolist()),
            events={"console": views},
            records={"case": Records.joined(self._cases)} if self._cases else {},
            contacts=self.cover.contacts,
        )
