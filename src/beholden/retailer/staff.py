"""The people who work there, the service accounts, and when each is at work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, HOUR_US, Ints, Rng, stream
from beholden.retailer.name_lists import GIVEN, SURNAMES
from beholden.retailer.parameters import Parameters
from beholden.retailer.people import People, draw_name, plain_ascii

__all__ = ["SERVICES", "Member", "Staff", "make_staff"]

#: Accounts that no person stands behind.
SERVICES: Final = ("etl_nightly", "bi_dashboard", "backup", "payments_api")

_SHIFT_HOURS: Final = (7, 10, 14)  # shifts of the contact centre begin then and last eight hours
_SHIFT_LENGTH: Final = 8
_OFFICE_HOUR: Final = 8
_TEAM_SIZE: Final = 15
#: Share of agents who are customers themselves; assumed.
_AGENTS_WHO_BUY: Final = 0.15


@dataclass(frozen=True, slots=True)
class Member:
    """One employee. ``customer`` is their own position among the customers, or -1."""

    number: int
    login: str
    given: int
    surname: int
    team: str
    role: str
    hired: int  # days since 1970
    left: int | None
    shift: int  # hour it begins
    days_off: tuple[int, int]  # days since 1970, modulo 7
    ip: str
    customer: int = -1

    @property
    def name(self) -> str:
        """Given name and surname."""
        return f"{GIVEN[self.given]} {SURNAMES[self.surname]}"

    def works(self, day: int) -> bool:
        """Whether they are at work on that day (days since 1970)."""
        return self.hired <= day and (self.left is None or day < self.left) and day % 7 not in self.days_off

    def shift_of(self, day: int) -> tuple[int, int]:
        """Beginning and end of their working day in microseconds."""
        start = day * DAY_US + self.shift * HOUR_US
        return start, start + _SHIFT_LENGTH * HOUR_US


@dataclass(frozen=True, slots=True)
class Staff:
    """All employees, also those who left before the window."""

    members: tuple[Member, ...]

    def role(self, role: str) -> Ints:
        """Positions of those with a role who are still there."""
        found = [i for i, member in enumerate(self.members) if member.role == role and member.left is None]
        return np.array(found, dtype=np.int64)

    def moment_at_work(self, rng: Rng, who: int, earliest: int, latest: int) -> int:
        """A moment in one of their working days that begin within ``[earliest, latest)``, the nearest such if none."""
        member = self.members[who]
        first, last = earliest // DAY_US, max(latest - 1, earliest) // DAY_US
        days = [day for day in range(first, last + 1) if member.works(day)] or [first]
        start, end = member.shift_of(days[int(rng.integers(len(days)))])
        return int(rng.integers(start // 1000, end // 1000)) * 1000


def make_staff(parameters: Parameters, people: People) -> Staff:
    """Draw the staff: role after role, so that positions within a role follow one another."""
    rng = stream(parameters.seed, "staff")
    agents = parameters.agents
    roles = [
        ("agent", agents),
        ("trainee", parameters.staff(9, 2)),
        ("supervisor", parameters.staff(15, 1)),
        ("fraud", parameters.staff(12, 2)),
        ("engineer", parameters.staff(120, 6)),
        ("analyst", parameters.staff(160, 6)),
        ("marketing", parameters.staff(40, 4)),
        ("privacy", parameters.staff(4, 1)),
        ("left", max(2, agents // 6)),
    ]
    given, surname = draw_name(rng, sum(count for _, count in roles))
    taken: set[str] = set()
    members: list[Member] = []
    for role, count in roles:
        for i in range(count):
            customer = int(rng.integers(len(people))) if role == "agent" and rng.random() < _AGENTS_WHO_BUY else -1
            at = len(members)
            if customer >= 0:
                given[at], surname[at] = people.given[customer], people.surname[customer]
            name = (int(given[at]), int(surname[at]))
            members.append(_member(rng, parameters, at, i, role, name, _login(*name, taken), customer=customer))
    return Staff(tuple(members))


def _member(
    rng: Rng, parameters: Parameters, at: int, i: int, role: str, name: tuple[int, int], login: str, *, customer: int
) -> Member:
    first_day = parameters.start // DAY_US
    in_centre = role in {"agent", "trainee", "supervisor", "left"}
    hired = first_day if role == "trainee" else first_day - int(rng.integers(60, 2500))
    left = int(rng.integers(hired + 30, first_day)) if role == "left" else None
    teams = {"agent": "service", "supervisor": "service", "left": "service", "trainee": "service-training"}
    team = teams.get(role, role)
    off = (3 * i % 7, (3 * i + 1) % 7) if in_centre else (2, 3)  # 1970-01-01 was a Thursday: 2 and 3 are the weekend
    return Member(
        number=10_000 + at * 7 + int(rng.integers(7)),
        login=login,
        given=name[0],
        surname=name[1],
        team=f"{team}-{i // _TEAM_SIZE + 1}" if team == "service" else team,
        role="agent" if role == "left" else role,
        hired=hired,
        left=left,
        shift=_SHIFT_HOURS[i % 3] if in_centre else _OFFICE_HOUR,
        days_off=off,
        # A contact centre stands behind few shared addresses; in the office each desk has its own.
        ip=f"10.40.{i % 2}.{10 + i % 3}" if in_centre else f"10.20.{at // 200}.{at % 200 + 20}",
        customer=customer,
    )


def _login(given: int, surname: int, taken: set[str]) -> str:
    base = f"{plain_ascii(GIVEN[given])[0]}.{plain_ascii(SURNAMES[surname])}"
    login, number = base, 2
    while login in taken:
        login, number = f"{base}{number}", number + 1
    taken.add(login)
    return login
