"""Who is hired: posts, careers, teams, log-ins, and who moves to another team or changes their name meanwhile."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, Rng, stream, weighted
from beholden.retailer.name_lists import GIVEN, SURNAMES
from beholden.retailer.parameters import Parameters
from beholden.retailer.people import People, draw_name, plain_ascii
from beholden.retailer.staff import EARLY_HOUR, LATE_HOUR, MIDDLE_HOUR, ROLES, SERVICES, Member, Staff, shift_shares
from beholden.retailer.words import words_of

__all__ = ["ENTERED_WITHIN_DAYS", "make_staff"]

_OFFICE_HOUR: Final = 8
#: Multiples of it, modulo 1, lie evenly, also those of every seventh post (which have the same days off).
_GOLDEN: Final = (math.sqrt(5) - 1) / 2
_TEAM_SIZE: Final = 16  # 20 teams at full scale
_DATA_TEAM_SIZE: Final = 4
_DAYS_A_YEAR: Final = 365
#: Roles that people of others move to.
_MOVED_TO: Final = ("fraud", "seller_support", "analyst", "agent")
_IN_CENTRE: Final = frozenset({"agent", "supervisor", "seller_support"})
#: Shorter windows need show nobody who moves or is renamed.
_CHANGES_DAYS_MIN: Final = 7
#: The personnel department enters a change within so many days; assumed.
ENTERED_WITHIN_DAYS: Final = 5
#: Nobody need be moved out of teams of so few posts: they could not do without.
_SMALL_TEAM: Final = 3

#: Role, number of the post, and the days on which its holder came and went.
_Career = tuple[str, int, int, int | None]


def make_staff(parameters: Parameters, people: People) -> Staff:
    """Draw the staff: role after role, so that positions within a role follow one another."""
    p, rng = parameters, stream(parameters.seed, "staff")
    careers = [career for role in ROLES for career in _careers(rng, parameters, role)]
    given, surname = draw_name(rng, len(careers))
    taken: set[str] = set()
    members = []
    for at, career in enumerate(careers):
        customer = int(rng.integers(len(people))) if rng.random() < parameters.staff_who_buy else -1
        if customer >= 0:
            own = people.names(np.array([customer]))
            given[at], surname[at] = own[0][0], own[1][0]
        members.append(
            _member(
                rng,
                parameters,
                at,
                career,
                (int(given[at]), int(surname[at])),
                taken,
                customer,
            )
        )
    more = tuple(f"svc_{i:02d}" for i in range(len(SERVICES), parameters.service_accounts))
    staff = Staff(parameters, tuple(members), (*SERVICES, *more))
    if p.days < _CHANGES_DAYS_MIN:
        return staff
    # Few change anything in a small company or a short window: some do all the same.
    return _some_renamed(_some_moved(staff), taken)


def _some_moved(staff: Staff) -> Staff:
    """The staff with at least `Parameters.transferred_min` whom logs and feeds show in two teams."""
    p, rng = staff.parameters, stream(staff.parameters.seed, "more transfers")
    members = list(staff.members)
    missing = _missing(staff, [one.moved for one in members], p.transferred_min)
    free = [who for who, one in enumerate(members) if one.moved is None and p.staff_of(one.role) > _SMALL_TEAM]
    for who, day in _changing(rng, staff, free, missing):
        role, team = _other_team(rng, p, members[who].role)
        members[who] = replace(members[who], moved=day, new_role=role, new_team=team)
    return replace(staff, members=tuple(members))


def _some_renamed(staff: Staff, taken: set[str]) -> Staff:
    """The staff with at least `Parameters.renamed_min` whom logs and feeds show under two names."""
    p, rng = staff.parameters, stream(staff.parameters.seed, "more renamed")
    members = list(staff.members)
    missing = _missing(staff, [one.renamed for one in members], p.renamed_min)
    free = [who for who, one in enumerate(members) if one.renamed is None and one.moved is None]
    for who, day in _changing(rng, staff, free, missing):
        surname, login = _new_name(rng, members[who].given, members[who].surname, taken)
        members[who] = replace(members[who], renamed=day, new_surname=surname, new_login=login)
    return replace(staff, members=tuple(members))


def _missing(staff: Staff, changed: list[int | None], least: int) -> int:
    """How many changes are wanting to show so many; ``changed`` are the days of each member's."""
    for who, day in enumerate(changed):
        if least > 0 and day is not None and _shows(staff, who, day):
            least -= 1
    return least


def _changing(rng: Rng, staff: Staff, who: list[int], count: int) -> list[tuple[int, int]]:
    """So many of these people, employed throughout the window, each with a day on which a change of theirs shows."""
    found: list[tuple[int, int]] = []
    for one in rng.permutation(np.array(who, dtype=np.int64)).tolist():
        if len(found) >= count:
            break
        days = [day for day in _window(staff.parameters) if _shows(staff, one, day)]
        if days:
            found.append((one, days[int(rng.integers(len(days)))]))
    return found


def _shows(staff: Staff, who: int, day: int) -> bool:
    """Whether a change on that day shows: employed throughout, at work before and after, and entered before the end."""
    window, member = _window(staff.parameters), staff.members[who]
    throughout = member.is_employed(window[0]) and member.is_employed(window[-1])
    return (
        throughout
        and window[0] < day <= window[-1] - ENTERED_WITHIN_DAYS + 1
        and any(staff.works(who, one) for one in range(window[0], day))
        and any(staff.works(who, one) for one in range(day, window[-1] + 1))
    )


def _window(p: Parameters) -> range:
    return range(p.start // DAY_US, p.end // DAY_US)


def _careers(rng: Rng, p: Parameters, role: str) -> list[_Career]:
    """When each holder of each post of a role came and went, those included who left before the window."""
    first, end = p.start // DAY_US, p.end // DAY_US
    a_year = p.attrition_agents if role == "agent" else p.attrition_others
    found: list[_Career] = []
    for post in range(p.staff_of(role)):
        hired = first - int(rng.integers(20, 2500))
        if rng.random() < p.left_before_window:
            gone = first - int(rng.integers(1, 120))
            found.append((role, post, gone - int(rng.integers(30, 900)), gone))
            hired = min(first, gone + int(rng.integers(5, 30)))
        while True:
            left = max(hired + p.training_days, first) + int(rng.exponential(_DAYS_A_YEAR / a_year))
            found.append((role, post, hired, left if left < end else None))
            if left >= end:
                break
            hired = left + int(rng.integers(2, 20))
            if hired >= end:
                break
    return found


def _member(
    rng: Rng,
    p: Parameters,
    at: int,
    career: _Career,
    name: tuple[int, int],
    taken: set[str],
    customer: int,
) -> Member:
    # Who follows on a post has the team, the shift and the days off that belong to it.
    role, i, hired, left = career
    in_centre = role in _IN_CENTRE
    first, end = p.start // DAY_US, p.end // DAY_US
    moved = renamed = None
    new_role = new_team = new_login = ""
    new_surname = -1
    if rng.random() < p.transferred * p.days / _DAYS_A_YEAR:
        moved = int(rng.integers(first, end))
        new_role, new_team = _other_team(rng, p, role)
    login = _login(*name, taken)
    if rng.random() < p.renamed * p.days / _DAYS_A_YEAR:
        renamed = int(rng.integers(first, end))
        new_surname, new_login = _new_name(rng, *name, taken)
    return Member(
        number=10_000 + at * 7 + int(rng.integers(7)),
        login=login,
        given=name[0],
        surname=name[1],
        team=_team(p, role, i),
        role=role,
        hired=hired,
        left=left,
        shift=_usual_shift(p, i) if in_centre else _OFFICE_HOUR,
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
        new_surname=new_surname,
        new_login=new_login,
    )


def _usual_shift(p: Parameters, i: int) -> int:
    """The shift of a post: as many have each as it needs, on every day of the week."""
    early, late = shift_shares(p)
    place = i * _GOLDEN % 1.0
    return EARLY_HOUR if place < early else LATE_HOUR if place < early + late else MIDDLE_HOUR


def _other_team(rng: Rng, p: Parameters, role: str) -> tuple[str, str]:
    """Role and team that somebody of a role moves to."""
    # Teams take people in as they are large: otherwise small ones would grow beyond their posts.
    others = [other for other in _MOVED_TO if other != role]
    new = others[int(weighted(rng, [p.staff_of(other) for other in others], 1)[0])]
    return new, _team(p, new, int(rng.integers(p.staff_of(new))))


def _new_name(rng: Rng, given: int, surname: int, taken: set[str]) -> tuple[int, str]:
    """Another surname, and the log-in that goes with it."""
    new = surname
    while new == surname:
        new = int(draw_name(rng, 1)[1][0])
    return new, _login(given, new, taken)


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
