"""The seller-support console: cases about sellers, what staff did for them, and the line its own log has for it.

Staff look at an account, act as the seller to see what he sees, suspend and reinstate, change bank accounts and take
out business reports. Most of it has a case; some cases are logged late, under a colleague's id or never, and some looks
follow up on yesterday's work. Suspensions and reinstatements are those of `Sellers.suspensions`; a program decides some
of them, and what falls due when nobody is at the desk.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import pyarrow as pa

from beholden.retailer.chance import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    SECOND_US,
    Bools,
    Chance,
    Ints,
    Rng,
    hours,
    in_order,
    lognormal,
    moments,
    ranks,
    stream,
    weighted,
)
from beholden.retailer.contacts import COLLEAGUE, LATE, NEVER, RIGHT, written_up
from beholden.retailer.events import Events, label
from beholden.retailer.life.records import SHIFT_US, in_shift, shift_starts
from beholden.retailer.log_files import LogKind
from beholden.retailer.render import Chosen, Decimal, given, hexadecimal_of, lines, matrix, numbers
from beholden.retailer.staff import Staff
from beholden.retailer.words import words_of
from beholden.retailer.world import World

__all__ = [
    "DETAILS",
    "OPERATIONS",
    "TOPICS",
    "Acts",
    "SellerCases",
    "answered_cases",
    "desk_acts",
    "desk_log",
    "make_acts",
    "manned",
    "seller_cases",
]

OPERATIONS: Final = (
    "account.view", "seller.impersonate", "account.suspend", "account.reinstate", "bank.change", "report.download",
)  # fmt: skip
VIEW, VIEW_AS, SUSPEND, REINSTATE, BANK, REPORT = range(len(OPERATIONS))
#: What was opened while acting as a seller, then which report was taken out.
DETAILS: Final = (
    "dashboard",
    "orders",
    "order_detail",
    "payments",
    "performance",
    "messages",
    "sales",
    "traffic",
    "stock",
)
_DETAIL_WEIGHTS: Final = {VIEW_AS: (24, 28, 20, 10, 10, 8, 0, 0, 0), REPORT: (0, 0, 0, 0, 0, 0, 60, 15, 25)}
TOPICS: Final = (
    "listing",
    "payment",
    "account access",
    "policy review",
    "appeal",
    "bank account",
    "report",
    "identity",
)
_TOPIC_WEIGHTS: Final = (30, 18, 14, 10, 8, 7, 6, 7)  # assumed
_POLICY, _APPEAL, _BANK, _REPORT = 3, 4, 5, 6
_HOURS: Final = [1.0 if 8 <= hour < 21 else 0.0 for hour in range(24)]
_DECIDED_WITHIN_US: Final = 40 * MINUTE_US  # of a case's beginning, where it ends in a suspension or the end of one
_A_DAY_MAX: Final = 60  # cases that one of the staff can work on
_RESULTS: Final = ("ok", "denied", "error")
_RESULT_WEIGHTS: Final = (992, 4, 4)
_HOSTS: Final = 2


#: Cases that a program closes at once are at least so many in a day; assumed.
_ANSWERED_MIN: Final = 14.0
#: Numbers of a day.
_NUMBERS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class SellerCases:
    """Cases of one day in the order they were opened; ``number`` and ``logged_*`` are what the case system holds."""

    seller: Ints  # positions
    member: Ints  # positions among the staff
    topic: Ints
    opened: Ints
    closed: Ints
    decided: Ints  # moment of a suspension or reinstatement, or -1
    quality: Ints  # RIGHT, LATE, COLLEAGUE or NEVER
    number: Ints  # or -1 where it was never logged
    logged_member: Ints
    logged_opened: Ints
    logged_closed: Ints

    def __len__(self) -> int:
        return len(self.opened)

    def at(self, which: Ints | Bools) -> SellerCases:
        """Those at these positions, or for which the mask is true."""
        return SellerCases(**{one.name: getattr(self, one.name)[which] for one in fields(self)})


def seller_cases(world: World, day: int) -> SellerCases:
    """The cases of a day; none outside the window."""
    return world.once("seller cases", day, lambda: _cases_of(world, day))[0]


def answered_cases(world: World, day: int) -> tuple[Ints, Ints]:
    """Of the cases that a program answered on a day, which no register keeps: the number of each, and when it came."""
    return world.once("seller cases", day, lambda: _cases_of(world, day))[1:]


def _cases_of(world: World, day: int) -> tuple[SellerCases, Ints, Ints]:
    p, sellers = world.parameters, world.sellers
    rng = stream(p.seed, "seller cases", day)
    team, there = world.staff.at_work("seller_support", day), world.staff.hours_covered("seller_support", day)
    if day not in world.calendar.window or not len(team):
        nothing = np.empty(0, dtype=np.int64)
        return SellerCases(*[nothing] * len(fields(SellerCases))), nothing, nothing
    level = min(2.0, float(world.calendar.level[day - world.calendar.first_day]))
    n = min(int(rng.poisson(max(3.0, p.seller_cases_a_day_at_full_scale * p.scale) * level)), _A_DAY_MAX * len(team))
    suspended, reinstated = _changes(world, day)
    moved = np.concatenate([suspended[1], reinstated[1]])
    seller = np.minimum((rng.random(n) ** p.seller_cases_exponent * len(sellers)).astype(np.int64), len(sellers) - 1)
    topics = [
        weighted(rng, _TOPIC_WEIGHTS, n),
        np.full(len(suspended[0]), _POLICY),
        np.full(len(reinstated[0]), _APPEAL),
    ]
    before = rng.integers(2 * MINUTE_US // SECOND_US, _DECIDED_WITHIN_US // SECOND_US, len(moved)) * SECOND_US
    weights = [weight if hour in there else 0.0 for hour, weight in enumerate(_HOURS)]
    opened = np.concatenate([day * DAY_US + hours(rng, weights, n), moved - before])
    minutes = lognormal(rng, p.seller_case_minutes, p.handling_sigma, len(opened))
    work = (minutes * 60_000).astype(np.int64) * 1000 + MINUTE_US
    decided = np.concatenate([np.full(n, -1, dtype=np.int64), moved])
    closed = np.maximum(opened + work, decided + MINUTE_US)
    order = in_order(opened)
    opened = opened[order]
    member = _on_shift(rng, world.staff, opened, day)
    # What would take too long is handed on within the hour after the shift.
    last = shift_starts(world.staff, member, day) + SHIFT_US + HOUR_US
    handed_on = moments(rng, np.maximum(opened, decided[order]) + MINUTE_US, last)
    closed = np.where(closed[order] < last, closed[order], handed_on)
    edges = np.cumsum([p.seller_case_late, p.seller_case_colleague, p.seller_case_never])
    quality = np.array([LATE, COLLEAGUE, NEVER, RIGHT])[np.searchsorted(edges, rng.random(len(order)), side="right")]
    beside = world.staff.beside(rng, "seller_support", member, opened, day)
    quality = np.where((quality == COLLEAGUE) & (beside == member), RIGHT, quality)
    late = rng.integers(300_000, 18_000_000, len(order)) * 1000
    logged_opened = np.where(quality == LATE, closed + late, opened)
    # Numbers follow one another through the day, whoever answers.
    gone = stream(p.seed, "answered seller cases", day)
    others = np.sort(
        day * DAY_US + hours(gone, _HOURS, int(gone.poisson(max(_ANSWERED_MIN, p.seller_cases_answered * len(order)))))
    )
    kept = np.flatnonzero(quality != NEVER)
    place = ranks(np.concatenate([logged_opened[kept], others]))
    given = (day % 10_000) * _NUMBERS + 1 + place
    number = np.full(len(order), -1, dtype=np.int64)
    number[kept] = given[: len(kept)]
    cases = SellerCases(
        seller=np.concatenate([seller, suspended[0], reinstated[0]])[order],
        member=member,
        topic=np.concatenate(topics)[order],
        opened=opened,
        closed=closed,
        decided=decided[order],
        quality=quality,
        number=number,
        logged_member=np.where(quality == COLLEAGUE, beside, member),
        logged_opened=logged_opened,
        logged_closed=np.where(quality == LATE, logged_opened + written_up(gone, len(order)), closed),
    )
    return cases, given[len(kept) :], others


def _changes(world: World, day: int, *, automatic: bool = False) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
    """Sellers and moments of the suspensions that people (or a program) decided on a day, and of reinstatements."""
    every = world.sellers.suspensions
    here = np.flatnonzero(every.start // DAY_US == day)
    back = np.flatnonzero(every.end // DAY_US == day)
    by_hand = ~world.sellers.by_program(every.seller[here]) & manned(world, every.start[here])
    here, back = here[by_hand != automatic], back[manned(world, every.end[back]) != automatic]
    return (every.seller[here], every.start[here]), (every.seller[back], every.end[back])


def manned(world: World, time: Ints) -> Bools:
    """Whether somebody is at the desk at these moments and has been long enough to decide; true outside the window."""
    found = np.ones(len(time), dtype=np.bool_)
    for at, moment in enumerate(time.tolist()):
        day = moment // DAY_US
        if day in world.calendar.window:
            there = world.staff.hours_covered("seller_support", day)
            found[at] = all((moment - before) // HOUR_US % 24 in there for before in (0, _DECIDED_WITHIN_US))
    return found


def _on_shift(rng: Rng, staff: Staff, time: Ints, day: int) -> Ints:
    """One of the desk for each moment of a day at which it is manned."""
    found = np.empty(len(time), dtype=np.int64)
    hour = time // HOUR_US % 24
    for at in np.unique(hour).tolist():
        now, here = staff.on_shift("seller_support", day, at), np.flatnonzero(hour == at)
        found[here] = now[rng.integers(len(now), size=len(here))]
    return found


@dataclass(frozen=True, slots=True)
class Acts(Events):
    """What was done in the seller-support console. ``detail`` and ``case`` are -1 where the line has none."""

    seller: Ints  # positions
    operation: Ints
    detail: Ints
    case: Ints
    result: Ints
    host: Ints


def make_acts(
    rng: Rng, time: Ints, actor: Ints, seller: Ints, operation: Ints, *, what: int | Ints, case: Ints | None = None,
    incident: int = -1, detail: Ints | None = None,
) -> Acts:  # fmt: skip
    """Acts on those sellers at those times; what is not given is drawn as everyone's is."""
    n = len(time)
    drawn = np.full(n, -1, dtype=np.int64)
    for which, weights in _DETAIL_WEIGHTS.items():
        drawn = np.where(operation == which, weighted(rng, weights, n), drawn)
    return Acts(
        time=time,
        actor=actor,
        label=np.full(n, what, dtype=np.int64) if isinstance(what, int) else what,
        incident=np.full(n, incident, dtype=np.int64),
        seller=seller,
        operation=operation,
        detail=drawn if detail is None else detail,
        case=np.full(n, -1, dtype=np.int64) if case is None else case,
        result=weighted(rng, _RESULT_WEIGHTS, n),
        host=rng.integers(0, _HOSTS, n),
    )


def desk_acts(world: World, day: int) -> Acts:
    """All ordinary acts of a day."""
    rng = stream(world.parameters.seed, "seller desk", day)
    cases = seller_cases(world, day)
    n = len(cases)
    every = np.arange(n)
    as_seller = np.flatnonzero(rng.random(n) < world.parameters.viewed_as_seller)
    done = np.flatnonzero((rng.random(n) < world.parameters.seller_cases_done) & np.isin(cases.topic, [_BANK, _REPORT]))
    decided = np.flatnonzero(cases.decided >= 0)
    views, pages = np.repeat(every, 1 + rng.poisson(0.5, n)), np.repeat(as_seller, 2 + rng.poisson(3.0, len(as_seller)))
    parts = [
        _of_cases(rng, world, cases, views, np.full(len(views), VIEW)),
        _of_cases(rng, world, cases, pages, np.full(len(pages), VIEW_AS)),
        _of_cases(rng, world, cases, done, np.where(cases.topic[done] == _BANK, BANK, REPORT)),
        _of_cases(rng, world, cases, decided, np.where(cases.topic[decided] == _POLICY, SUSPEND, REINSTATE)),
        _without_case(rng, world, day, cases),
        _by_program(rng, world, day),
    ]
    return Acts.joined(parts)


def _of_cases(rng: Rng, world: World, cases: SellerCases, at: Ints, operation: Ints) -> Acts:
    """Acts within the cases at positions ``at``."""
    end = np.where(cases.decided >= 0, cases.decided, cases.closed)[at]
    time = moments(rng, cases.opened[at] + 5 * SECOND_US, end)
    time = np.where((operation == SUSPEND) | (operation == REINSTATE), cases.decided[at], time)
    noted = (rng.random(len(at)) < world.parameters.ticket_noted) & (cases.quality[at] == RIGHT)
    what = np.select(
        [operation == VIEW_AS, cases.quality[at] == LATE, cases.quality[at] == COLLEAGUE],
        [label("benign:view_as_seller"), label("benign:late_contact"), label("benign:colleague_contact")],
        0,
    ).astype(np.int64)
    case = np.where(noted, cases.number[at], -1)
    return make_acts(rng, time, cases.member[at], cases.seller[at], operation, what=what, case=case)


def _without_case(rng: Rng, world: World, day: int, cases: SellerCases) -> Acts:
    """Looks at sellers that no case of the day explains: most follow up on yesterday's work, some are wrong matches."""
    n = int(rng.poisson(world.parameters.seller_looks_without_case * len(cases)))
    before = seller_cases(world, day - 1)
    at = rng.integers(0, max(1, len(cases)), n)
    who, seller = cases.member[at], np.minimum(cases.seller[at] + rng.integers(1, 4, n), len(world.sellers) - 1)
    if len(before):
        mine = rng.integers(0, len(before), n)
        followed = (rng.random(n) < 0.7) & np.isin(before.member[mine], cases.member)
        who, seller = np.where(followed, before.member[mine], who), np.where(followed, before.seller[mine], seller)
    again = np.repeat(np.arange(n), 1 + rng.poisson(1.2, n))
    time = in_shift(rng, world.staff, who, day, 10 * MINUTE_US)[again] + rng.integers(0, 300_000, len(again)) * 1000
    operation = np.where(rng.random(n) < 0.6, VIEW_AS, VIEW)[again]
    return make_acts(rng, time, who[again], seller[again], operation, what=label("benign:view_as_seller"))


def _by_program(rng: Rng, world: World, day: int) -> Acts:
    """Suspensions, and ends of them, that the program decided."""
    (seller, time), (back, ended) = _changes(world, day, automatic=True)
    operation = np.repeat([SUSPEND, REINSTATE], [len(seller), len(back)])
    program = np.full(len(operation), world.staff.service("seller_app"), dtype=np.int64)
    return make_acts(rng, np.concatenate([time, ended]), program, np.concatenate([seller, back]), operation, what=0)


def desk_log(world: World, day: int) -> LogKind[Acts]:
    """The desk's log of a day: nested JSON lines, sellers by their legacy codes, times in milliseconds since 1970."""
    staff = world.staff
    everyone = np.arange(len(staff.addresses))
    sessions = hexadecimal_of(Chance(world.parameters.seed, "desk session")(day, everyone)).to_pylist()
    told = words_of(world.parameters.preset).told
    operations = [told(name) for name in OPERATIONS]
    teams = [member.team_on(day) for member in staff.members] + ["program"] * len(staff.services)
    who = [
        f'"}},"session":{{"id":"{session[:8]}-{session[8:]}","operator":{{"uid":"{login}","unit":"{team}"}},"ip":"{ip}"}},'
        + told('"merchant":{"code":"')
        for session, login, team, ip in zip(sessions, staff.logins(day), teams, staff.addresses, strict=True)
    ]
    details = [
        *(f',"detail":{{"{"page" if i < 6 else "report"}":"{told(name)}"}}' for i, name in enumerate(DETAILS)),
        "",
    ]

    def rendered(acts: Acts, uids: pa.Array) -> pa.Array:
        codes = pa.array(world.sellers.codes(acts.seller), pa.string())
        case = given(acts.case >= 0, lambda at: lines('"SC-', numbers(acts.case[at]), '"'), "null")
        return lines(
            '{"event":{"at":', Decimal(acts.time // 1000), ',"type":"', Chosen(operations, acts.operation), '","id":"', matrix(uids),
            Chosen(who, acts.actor), codes, '"},"case":', case, Chosen(details, acts.detail % len(details)),
            ',"outcome":"', Chosen(_RESULTS, acts.result), '","node":"desk-', Decimal(acts.host + 1), '"}\n',
        )  # fmt: skip

    return LogKind("seller-desk", told("seller-desk-") + "{day}.jsonl", rendered)
