"""The people who work there, the service accounts, and when each is at work.

Everybody has a usual shift and usual days off. The roster of a day departs from them where a team would leave hours
uncovered: somebody takes another shift, or comes in on a day off. So ask `Staff` when somebody works, not the member.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, HOUR_US, Bools, Chance, Hashes, Ints, Rng, uniform
from beholden.retailer.name_lists import GIVEN, SURNAMES
from beholden.retailer.parameters import Parameters
from beholden.retailer.words import words_of

__all__ = [
    "EARLY_HOUR", "LATE_HOUR", "MIDDLE_HOUR", "ROLES", "SERVICES", "SHIFT_US", "Member", "Staff", "shift_shares",
]  # fmt: skip

#: Accounts that no person stands behind; their number grows with the company (`Parameters.service_accounts`).
SERVICES: Final = ("etl_nightly", "bi_dashboard", "backup", "payments_api", "console_app", "orders_app", "seller_app")
#: Roles in the order in which positions follow one another.
ROLES: Final = (
    "agent", "supervisor", "fraud", "seller_support", "engineer", "analyst", "marketing", "privacy", "finance", "it",
)  # fmt: skip

#: Shifts of the contact centre begin then, from 7 to 22 o'clock in all, and last as long as any working day.
EARLY_HOUR, MIDDLE_HOUR, LATE_HOUR = 7, 10, 14
_SHIFT_LENGTH: Final = 8
SHIFT_US: Final = _SHIFT_LENGTH * HOUR_US
#: Somebody takes another shift on a day on which one has less than this share of whom it needs; assumed.
_SHORT: Final = 0.9
#: Teams whose hours must be covered.
_ROSTERED: Final = ("agent", "seller_support")


@dataclass(frozen=True, slots=True)
class Member:
    """One employee. Days are whole days since 1970; ``customer`` is their own position among the customers, or -1.

    ``moved`` is the day from which they belong to ``new_team`` and ``new_role``; ``renamed`` the day from which
    ``new_surname`` and ``new_login`` are theirs.
    """

    number: int
    login: str
    given: int
    surname: int
    team: str
    role: str
    hired: int
    left: int | None
    shift: int  # hour at which it usually begins (`Staff.shift_of` knows that of a day)
    days_off: tuple[int, int]  # usual ones; days since 1970, modulo 7
    ip: str
    device: str
    customer: int = -1
    moved: int | None = None
    new_team: str = ""
    new_role: str = ""
    renamed: int | None = None
    new_surname: int = -1
    new_login: str = ""

    def is_employed(self, day: int) -> bool:
        """Whether they belong to the company on that day."""
        return self.hired <= day and (self.left is None or day < self.left)

    def role_on(self, day: int) -> str:
        """What they do on that day."""
        return self.new_role if self.moved is not None and day >= self.moved else self.role

    def team_on(self, day: int) -> str:
        """Where they belong on that day."""
        return self.new_team if self.moved is not None and day >= self.moved else self.team

    def name_on(self, day: int) -> str:
        """Given name and surname on that day."""
        changed = self.renamed is not None and day >= self.renamed
        return f"{GIVEN[self.given]} {SURNAMES[self.new_surname if changed else self.surname]}"

    def login_on(self, day: int) -> str:
        """What logs call them on that day."""
        return self.new_login if self.renamed is not None and day >= self.renamed else self.login


@dataclass(frozen=True, slots=True)
class _Roster:
    """A day: by position who is at work, and the hour at which each one's shift begins."""

    present: Bools
    begins: Ints


@dataclass(frozen=True)
class Staff:
    """All employees, also those who left before the window, then service accounts: positions are those of principals."""

    parameters: Parameters
    members: tuple[Member, ...]
    services: tuple[str, ...]
    _on: dict[tuple[str, int], Ints] = field(default_factory=dict, init=False, repr=False)
    _rosters: dict[int, _Roster] = field(default_factory=dict, init=False, repr=False)

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

    def works(self, position: int, day: int) -> bool:
        """Whether a member is at work on that day: employed, neither off, ill nor on holiday; or called in."""
        return bool(self._roster(day).present[position])

    def shift_of(self, position: int, day: int) -> tuple[int, int]:
        """Beginning and end of a member's working day in microseconds; as usual where they are not at work."""
        start = day * DAY_US + int(self._roster(day).begins[position]) * HOUR_US
        return start, start + SHIFT_US

    def shift_starts(self, day: int) -> Ints:
        """The beginnings of `shift_of` of all members, by position."""
        return day * DAY_US + self._roster(day).begins * HOUR_US

    def _roster(self, day: int) -> _Roster:
        found = self._rosters.get(day)
        if found is None:
            found = self._rosters[day] = self._made(day)
        return found

    @cached_property
    def _chance(self) -> dict[str, Chance]:
        return {what: Chance(self.parameters.seed, what) for what in ("absence", "roster")}

    def _made(self, day: int) -> _Roster:
        every = np.arange(len(self))
        due = [one.is_employed(day) and day % 7 not in one.days_off for one in self.members]
        present = np.array(due, dtype=np.bool_) & (
            uniform(self._chance["absence"](every, day)) >= self.parameters.absent
        )
        begins = np.array([one.shift for one in self.members], dtype=np.int64)
        turn = self._chance["roster"](every, day)
        for role in _ROSTERED:
            team = self.of_role(role, day)
            if len(team) and not present[team].any():  # somebody comes in all the same
                present[team[np.argmin(turn[team])]] = True
            team = team[present[team]]
            begins[team] = _covered(begins[team], turn[team], shift_shares(self.parameters))
        return _Roster(present, begins)

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

    def on_shift(self, role: str, day: int, hour: int) -> Ints:
        """Positions of those of a role at work whose shift of that day has this hour."""
        team = self.at_work(role, day)
        begins = self._roster(day).begins[team]
        return team[(begins <= hour) & (hour < begins + _SHIFT_LENGTH)]

    def beside(self, rng: Rng, role: str, who: Ints, time: Ints, day: int) -> Ints:
        """For each of a role at a moment of the day somebody else whose shift it is; themselves where nobody is there.

        After the last shift has ended those who had it may still be there.
        """
        found = who.copy()
        hour = np.minimum(time // HOUR_US % 24, max(self.hours_covered(role, day), default=0))
        for at in np.unique(hour).tolist():
            mine, now = np.flatnonzero(hour == at), self.on_shift(role, day, at)
            if len(now):
                place = np.searchsorted(now, who[mine]) + rng.integers(1, max(2, len(now)), len(mine))
                found[mine] = now[place % len(now)]
        return found

    def hours_covered(self, role: str, day: int) -> list[int]:
        """The hours of the day in which somebody of a role is at work, in order."""
        begins = set(self._roster(day).begins[self.at_work(role, day)].tolist())
        return sorted({begun + at for begun in begins for at in range(_SHIFT_LENGTH)})

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
        start, end = self.shift_of(who, days[int(rng.integers(len(days)))])
        return int(rng.integers(start // 1000, end // 1000)) * 1000


def shift_shares(p: Parameters) -> tuple[float, float]:
    """The shares of the contact centre's staff that the early and the late shift need, for nobody to have more to do.

    From customers' hours: between the edges the early or the late shift works with the middle one, but for one hour
    in which all three do.
    """
    early, morning, afternoon, late = (
        sum(p.order_hours[start:stop]) / (stop - start)
        for start, stop in (
            (EARLY_HOUR, MIDDLE_HOUR),
            (MIDDLE_HOUR, LATE_HOUR),
            (EARLY_HOUR + _SHIFT_LENGTH, MIDDLE_HOUR + _SHIFT_LENGTH),
            (MIDDLE_HOUR + _SHIFT_LENGTH, LATE_HOUR + _SHIFT_LENGTH),
        )
    )
    whole = max(early + late, morning + late, early + afternoon)
    return early / whole, late / whole


def _covered(usual: Ints, turn: Hashes, shares: tuple[float, float]) -> Ints:
    """The hours at which those at work begin, so that early and late shift have whom they need, at least one each.

    Somebody takes the other shift where one is short: of the middle shift if there is anybody, else of the other edge if
    that can spare them; the lowest ``turn`` first. One person alone keeps their shift.
    """
    begins = usual.copy()
    if len(begins) < 2:
        return begins
    edges = zip((EARLY_HOUR, LATE_HOUR), shares, strict=True)
    least = {hour: max(1, int(_SHORT * share * len(begins))) for hour, share in edges}
    held = {hour: int(np.sum(begins == hour)) for hour in least}
    for hour, needed in least.items():
        edge = np.isin(begins, list(least))
        for at in np.lexsort((turn, edge)).tolist():
            old = int(begins[at])
            if held[hour] >= needed:
                break
            if old != hour and held.get(old, 1) > least.get(old, 0):
                begins[at] = hour
                held[hour] += 1
                if old in held:
                    held[old] -= 1
    return begins
