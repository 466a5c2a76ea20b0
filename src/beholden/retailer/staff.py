"""The people who work there, the service accounts, and when each is at work.

Careers are part of it: agents leave and are replaced, new ones train first, some move to other teams and keep what
they could do, some change their name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, HOUR_US, Bools, Chance, Ints, Rng, stream, uniform
from beholden.retailer.name_lists import GIVEN, SURNAMES
from beholden.retailer.parameters import Parameters
from beholden.retailer.people import People, draw_name, plain_ascii
from beholden.retailer.words import words_of

__all__ = ["ROLES", "SERVICES", "Member", "Staff", "make_staff"]

#: Accounts that no person stands behind; their number grows with the company (`Parameters.service_accounts`).
SERVICES: Final = ("etl_nightly", "bi_dashboard", "backup", "payments_api", "console_app", "orders_app", "seller_app")
#: Roles in the order in which positions follow one another.
ROLES: Final = (
    "agent", "supervisor", "fraud", "seller_support", "engineer", "analyst", "marketing", "privacy", "finance", "it",
)  # fmt: skip

_SHIFT_HOURS: Final = (7, 10, 14)  # shifts of the contact centre begin then and last eight hours
_SHIFT_LENGTH: Final = 8
_OFFICE_HOUR: Final = 8
_TEAM_SIZE: Final = 15
_DATA_TEAM_SIZE: Final = 4
_DAYS_A_YEAR: Final = 365
_IN_CENTRE: Final = frozenset({"agent", "supervisor", "seller_support"})


@dataclass(frozen=True, slots=True)
class Member:
    """One employee. Days are whole days since 1970; ``customer`` is their own position among the customers, or -1.

    ``moved`` is the day from which they belong to ``new_team`` and ``new_role``; ``renamed`` the day from which
    ``new_login`` is theirs.
    """

    number: int
    login: str
    given: int
    surname: int
    team: str
    role: str
    hired: int
    left: int | None
    shift: int  # hour it begins
    days_off: tuple[int, int]  # days since 1970, modulo 7
    ip: str
    device: str
    customer: int = -1
    moved: int | None = None
    new_team: str = ""
    new_role: str = ""
    renamed: int | None = None
    new_login: str = ""

    @property
    def name(self) -> str:
        """Given name and surname."""
        return f"{GIVEN[self.given]} {SURNAMES[self.surname]}"

    def is_employed(self, day: int) -> bool:
        """Whether they belong to the company on that day."""
        return self.hired <= day and (self.left is None or day < self.left)

    def role_on(self, day: int) -> str:
        """What they do on that day."""
        return self.new_role if self.moved is not None and day >= self.moved else self.role

    def team_on(self, day: int) -> str:
        """Where they belong on that day."""
        return self.new_team if self.moved is not None and day >= self.moved else self.team

    def login_on(self, day: int) -> str:
        """What logs call them on that day."""
        return self.new_login if self.renamed is not None and day >= self.renamed else self.login

    def shift_of(self, day: int) -> tuple[int, int]:
        """Beginning and end of their working day in microseconds."""
        start = day * DAY_US + self.shift * HOUR_US
        return start, start + _SHIFT_LENGTH * HOUR_US


@dataclass(frozen=True)
class Staff:
    """All employees, also those who left before the window, then service accounts: positions are those of principals."""

    parameters: Parameters
    members: tuple[Member, ...]
    services: tuple[str, ...]
    _on: dict[tuple[str, int], Ints] = field(default_factory=dict, init=False, repr=False)
    _present: dict[int, Bools] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.members)

    def service(self, name: str) -> int:
        """The position of a service account."""
        return len(self.members) + self.services.index(name)

    def logins(self, day: int) -> list[str]:
        """What logs call every principal on a day, by position."""
        told = words_of(self.parameters.preset).told
        return [member.login_on(day) for member in self.members] + [told(name) for name in self.services]

    @cached_property
    def addresses(self) -> list[str]:
        """The address every principal comes from, by position."""
        return [member.ip for member in self.members] + [
            f"10.60.{i // 200}.{10 + i % 200}" for i in range(len(self.services))
        ]

    @cached_property
    def _absent(self) -> Chance:
        return Chance(self.parameters.seed, "absence")

    def works(self, position: int, day: int) -> bool:
        """Whether a member is at work on that day: employed, no day off, not ill or on holiday."""
        present = self._present.get(day)
        if present is None:
            due = [one.is_employed(day) and day % 7 not in one.days_off for one in self.members]
            well = uniform(self._absent(np.arange(len(self)), day)) >= self.parameters.absent
            present = self._present[day] = np.array(due, dtype=np.bool_) & well
        return bool(present[position])

    def at_work(self, role: str, day: int) -> Ints:
        """Positions of those of a role who are at work on a day."""
        found = self._on.get((role, day))
        if found is None:
            found = np.array(
                [i for i, one in enumerate(self.members) if one.role_on(day) == role and self.works(i, day)],
                dtype=np.int64,
            )
            self._on[role, day] = found
        return found

    def of_role(self, role: str, day: int) -> Ints:
        """Positions of those employed in a role on a day, at work or not."""
        found = [i for i, one in enumerate(self.members) if one.role_on(day) == role and one.is_employed(day)]
        return np.array(found, dtype=np.int64)

    def trainees(self, day: int) -> Ints:
        """Positions of new agents in their first days, when they watch and try more than they serve."""
        days = self.parameters.training_days
        return np.array(
            [i for i in self.at_work("agent", day).tolist() if day - self.members[i].hired < days], dtype=np.int64
        )

    def moment_at_work(self, rng: Rng, who: int, earliest: int, latest: int) -> int:
        """A moment in one of their working days that begin within ``[earliest, latest)``, the nearest such if none."""
        first, last = earliest // DAY_US, max(latest - 1, earliest) // DAY_US
        days = [day for day in range(first, last + 1) if self.works(who, day)] or [first]
        start, end = self.members[who].shift_of(days[int(rng.integers(len(days)))])
        return int(rng.integers(start // 1000, end // 1000)) * 1000


def make_staff(parameters: Parameters, people: People) -> Staff:
    """Draw the staff: role after role, so that positions within a role follow one another."""
    rng = stream(parameters.seed, "staff")
    careers = [(role, hired, left) for role in ROLES for hired, left in _careers(rng, parameters, role)]
    given, surname = draw_name(rng, len(careers))
    taken: set[str] = set()
    members = []
    counts = dict.fromkeys(ROLES, 0)
    for at, (role, hired, left) in enumerate(careers):
        customer = int(rng.integers(len(people))) if rng.random() < parameters.staff_who_buy else -1
        if customer >= 0:
            own = people.names(np.array([customer]))
            given[at], surname[at] = own[0][0], own[1][0]
        members.append(
            _member(
                rng,
                parameters,
                (at, counts[role]),
                (role, hired, left),
                (int(given[at]), int(surname[at])),
                taken,
                customer,
            )
        )
        counts[role] += 1
    more = tuple(f"svc_{i:02d}" for i in range(len(SERVICES), parameters.service_accounts))
    return Staff(parameters, tuple(members), (*SERVICES, *more))


def _careers(rng: Rng, p: Parameters, role: str) -> list[tuple[int, int | None]]:
    """When each holder of each post of a role came and went, those included who left before the window."""
    first, end = p.start // DAY_US, p.end // DAY_US
    a_year = p.attrition_agents if role == "agent" else p.attrition_others
    found: list[tuple[int, int | None]] = []
    for _ in range(p.staff_of(role)):
        hired = first - int(rng.integers(20, 2500))
        if rng.random() < p.left_before_window:
            gone = first - int(rng.integers(1, 120))
            found.append((gone - int(rng.integers(30, 900)), gone))
            hired = min(first, gone + int(rng.integers(5, 30)))
        while True:
            left = max(hired + p.training_days, first) + int(rng.exponential(_DAYS_A_YEAR / a_year))
            found.append((hired, left if left < end else None))
            if left >= end:
                break
            hired = left + int(rng.integers(2, 20))
            if hired >= end:
                break
    return found


def _member(
    rng: Rng,
    p: Parameters,
    places: tuple[int, int],
    career: tuple[str, int, int | None],
    name: tuple[int, int],
    taken: set[str],
    customer: int,
) -> Member:
    (at, i), (role, hired, left) = places, career
    in_centre = role in _IN_CENTRE
    first, end = p.start // DAY_US, p.end // DAY_US
    moved = renamed = None
    new_role = new_team = new_login = ""
    if rng.random() < p.transferred * p.days / _DAYS_A_YEAR:
        moved = int(rng.integers(first, end))
        new_role = str(
            rng.choice([other for other in ("fraud", "seller_support", "analyst", "agent") if other != role])
        )
        new_team = _team(p, new_role, int(rng.integers(1000)))
    login = _login(*name, taken)
    if rng.random() < p.renamed * p.days / _DAYS_A_YEAR:
        renamed = int(rng.integers(first, end))
        new_login = _login(name[0], int(draw_name(rng, 1)[1][0]), taken)
    return Member(
        number=10_000 + at * 7 + int(rng.integers(7)),
        login=login,
        given=name[0],
        surname=name[1],
        team=_team(p, role, i),
        role=role,
        hired=hired,
        left=left,
        shift=_SHIFT_HOURS[i % 3] if in_centre else _OFFICE_HOUR,
        # 1970-01-01 was a Thursday: 2 and 3 are the weekend
        days_off=(3 * i % 7, (3 * i + 1) % 7) if in_centre else (2, 3),
        # A contact centre stands behind few shared addresses; in the office each desk has its own.
        ip=f"10.40.{i % 2}.{10 + i // 40 % 200}" if in_centre else f"10.20.{at // 200 % 250}.{at % 200 + 20}",
        device=f"{'CC' if in_centre else 'WS'}-{20_000 + at * 3 + int(rng.integers(3)):06d}",
        customer=customer,
        moved=moved,
        new_team=new_team,
        new_role=new_role,
        renamed=renamed,
        new_login=new_login,
    )


def _team(p: Parameters, role: str, i: int) -> str:
    if role in {"agent", "supervisor"}:
        return f"service-{(i // _TEAM_SIZE if role == 'agent' else i) + 1}"
    if role in {"analyst", "engineer"}:
        return f"{role}-{i // _DATA_TEAM_SIZE + 1}"
    return words_of(p.preset).told(role.replace("_", "-"))


def _login(given: int, surname: int, taken: set[str]) -> str:
    base = f"{plain_ascii(GIVEN[given])[0]}.{plain_ascii(SURNAMES[surname])}"
    login, number = base, 2
    while login in taken:
        login, number = f"{base}{number}", number + 1
    taken.add(login)
    return login
