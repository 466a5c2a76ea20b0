"""Acts whose log is gone: somebody who keeps the logs takes away the hours around them.

Two forms. In the console profiles are changed and the console's log has a gap: the CRM's log still has each UPDATE by
the console's account, and no view explains it. At the vault cards are taken out and its log has a gap: the file still
turns up in a bucket. In both the one who made the gap signed in shortly before. Loud: many acts and a gap of hours.
Paced: few acts on some days, and gaps of minutes. Mimicry: a gap as long as an outage's, of several logs at once, with
an assignment to repair it.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from beholden.retailer.cards import FIRST_CARD_ID
from beholden.retailer.chance import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Ints, Rng
from beholden.retailer.copies import Extract
from beholden.retailer.events import INCIDENT, Events
from beholden.retailer.incidents.data_work import Said, at_work, logins_of, said
from beholden.retailer.incidents.incident import Incident, following, of_grade
from beholden.retailer.incidents.pace import room
from beholden.retailer.incidents.working_days import Shift, moment_in
from beholden.retailer.life.buckets import make_accesses
from beholden.retailer.life.cloudtrail import PUT, Accesses
from beholden.retailer.life.console import OPERATIONS, SCREENS, Views, make_views
from beholden.retailer.life.records import Records, topic
from beholden.retailer.life.sql import Statements
from beholden.retailer.life.sql_deeds import vault_export
from beholden.retailer.life.sso import APPS, Logins, make_logins
from beholden.retailer.needs import buckets_of
from beholden.retailer.resources import BUCKETS
from beholden.retailer.world import World

__all__ = ["plan"]

Span = tuple[int, int]

_VAULT_US: Final = 2 * HOUR_US  # within which everything at the vault and in the bucket is done
#: What stops together when the machines that ship logs stop.
_OUTAGE: Final = {"console": ("console", "seller-desk", "wiki"), "payments": ("payments", "crm")}
_SIGNED_IN_US: Final = 25 * MINUTE_US  # at most so long before the gap
_TOPICS: Final = ("segment", "sample", "check", "list", "pilot")
_RANGE: Final = re.compile(r"between (\d+) and (\d+)", re.IGNORECASE)


def plan(world: World, rng: Rng, number: int, grade: str, start: int, end: int) -> Incident | None:
    """The acts, the gap around them, and what it could not hide; None where nobody could do or hide them."""
    log = ("console", "payments")[int(rng.integers(2))]
    found = _who(world, rng, log, grade, start, end)
    if found is None:
        return None
    doer, keeper, days = found
    chosen = rng.permutation(len(days))[
        : int(rng.integers(*of_grade(world.parameters.tampered_log_days, grade), endpoint=True))
    ]
    acted = _in_console if log == "console" else _at_vault
    parts: list[dict[str, Events]] = []
    gaps: list[Span] = []
    for shift in (days[at] for at in np.sort(chosen).tolist()):
        events = acted(world, rng, number, grade, doer, shift)
        hidden = events["console" if log == "console" else "sql"]
        gap = _gap(
            rng,
            of_grade(world.parameters.hidden_edge_s, grade),
            (int(hidden.time[0]), int(hidden.time[-1])),
            (start, end),
        )
        earliest = max(shift[1], min(gap[0], int(hidden.time[0])) - _SIGNED_IN_US)
        events["sso"] = _signed_in(world, rng, number, keeper, (earliest, int(hidden.time[0])), log)
        parts.append(events)
        gaps.append(gap)
    whole = _together(parts, start, end)
    actors = [events.actor for events in whole.values()], [events.time for events in whole.values()]
    lost = _OUTAGE[log] if grade == "mimicry" else (log,)
    records = _repair(world, rng, gaps[0][0], end) if grade == "mimicry" else {}
    if grade == "mimicry" and not records:
        return None
    return Incident(
        number, "log_tampering", grade,
        actors=logins_of(world, np.concatenate(actors[0]), np.concatenate(actors[1])),
        subjects=_subjects(whole),
        events=whole,
        records=records,
        lost=tuple((name, *gap) for name in lost for gap in gaps),
        files=_files(number, whole),
    )  # fmt: skip


def _who(world: World, rng: Rng, log: str, grade: str, start: int, end: int) -> tuple[int, int, list[Shift]] | None:
    """Who acts, who keeps the log, and the hours in which both are at work."""
    paced = grade == "paced"
    keeper = at_work(world, rng, ("it",), start, end, need=[("sso", 1)] if paced else [])
    if keeper is None:
        return None
    if log == "payments":  # those who keep the vault's log may read the vault
        who = keeper[0]
        mine = [one for one in keeper[1] if one[2] - one[1] > _VAULT_US + MINUTE_US]
        if paced:
            mine = [one for one in mine if min(room(world, (name,), who, one[0]) for name in ("sql", "buckets"))]
        return (who, who, mine) if mine else None
    least = of_grade(world.parameters.hidden_profiles, "paced")[0]
    doer = at_work(
        world, rng, ("agent", "supervisor", "fraud"), start, end, need=[("console", 2 * least)] if paced else []
    )
    if doer is None:
        return None
    own = {day: (first, last) for day, first, last in keeper[1]}
    both = [
        (day, max(first, own[day][0]), min(last, own[day][1]))
        for day, first, last in doer[1]
        if day in own and min(last, own[day][1]) - max(first, own[day][0]) > HOUR_US
    ]
    # What happens while the console's log is lost anyway needs no hiding.
    both = [one for one in both if one[2] <= world.gap[0] or one[1] >= world.gap[1]]
    return (doer[0], keeper[0], both) if both else None


def _in_console(world: World, rng: Rng, number: int, grade: str, who: int, shift: Shift) -> dict[str, Events]:
    """Customers looked at, and their profiles edited."""
    p = world.parameters
    count = int(rng.integers(*of_grade(p.hidden_profiles, grade), endpoint=True))
    if grade == "paced":
        count = min(count, max(1, int(room(world, ("console",), who, shift[0]) / p.hidden_views / 1.5)))
    customer = rng.integers(0, len(world.people), count)
    looks = 1 + rng.binomial(1, p.hidden_views - 1, count)
    at = np.repeat(np.arange(count), looks)
    last = np.cumsum(looks) - 1
    length = 25 * SECOND_US * len(at)
    time = following(rng, moment_in(rng, shift, min(length + MINUTE_US, shift[2] - shift[1])), len(at))
    inside = time < shift[2] - 1000
    operation = np.zeros(len(at), dtype=np.int64)
    operation[last] = OPERATIONS.index("edit")
    screen = rng.integers(0, 2, len(at))
    screen[last] = SCREENS.index("profile")
    views = make_views(
        rng,
        time,
        np.full(len(at), who),
        customer[at],
        what=INCIDENT,
        incident=number,
        screen=screen,
        operation=operation,
    ).at(inside)
    if grade == "paced":
        views = views.at(np.arange(min(len(views), room(world, ("console",), who, shift[0]))))
    return {"console": Views.joined([views])}


def _at_vault(world: World, rng: Rng, number: int, grade: str, who: int, shift: Shift) -> dict[str, Events]:
    """Cards taken out of the vault, and the file put into a bucket a while later."""
    p = world.parameters
    count = int(rng.integers(*of_grade(p.hidden_files, grade), endpoint=True))
    day = shift[0]
    if grade == "paced":
        count = min(count, room(world, ("sql",), who, day), room(world, ("buckets",), who, day))
    customers = p.customers
    time = moment_in(rng, shift, _VAULT_US)
    parts: list[Said] = []
    for _ in range(count):
        first, width = int(rng.integers(customers)), int(rng.integers(*p.cards_a_file, endpoint=True))
        width = min(width, customers - first)
        where = f"card_id between {FIRST_CARD_ID + first} and {FIRST_CARD_ID + first + width}"
        rows = round(width * p.card_holders)
        parts.append((time, who, vault_export(world, who, day, where=where, rows=rows)))
        time += int(rng.integers(20_000, 200_000)) * 1000
    statements = said(world, rng, number, parts, shift[1], shift[2])
    mine = buckets_of(p, world.staff, who, day)
    place = BUCKETS.index(mine[0]) if mine else BUCKETS.index("meridian-scratch")
    n = len(statements)
    later = int(statements.time[-1]) + MINUTE_US * int(rng.integers(2, 40))
    put = np.minimum(following(rng, later, n), (day + 1) * DAY_US - 1000)
    keys = np.array(
        [f"tmp/{_TOPICS[int(rng.integers(5))]}_{int(rng.integers(100, 1000))}.csv" for _ in range(n)], dtype=object
    )
    accesses = make_accesses(
        rng, world, put, np.full(n, who), PUT, place, keys, what=INCIDENT, incident=number,
        error=np.zeros(n, dtype=np.int64),
    )  # fmt: skip
    return {"sql": statements, "buckets": Accesses.joined([accesses])}


def _files(number: int, events: dict[str, Events]) -> tuple[Extract, ...]:
    """What turned up in buckets: each file of cards that was taken out was put there in its turn."""
    statements, accesses = events.get("sql"), events.get("buckets")
    if not isinstance(statements, Statements) or not isinstance(accesses, Accesses):
        return ()
    files = []
    for at, one in enumerate(statements.said[: len(accesses)]):
        ends = _RANGE.search(one.text)
        assert ends is not None  # noqa: S101 - see _at_vault
        first, last = (int(end) - FIRST_CARD_ID for end in ends.groups())
        bucket, key, made = BUCKETS[int(accesses.bucket[at])], str(accesses.key[at]), int(accesses.time[at])
        files.append(Extract(
            bucket, key, "extract", "payments", "card", first, last - first + 1, int(accesses.actor[at]),
            int(statements.time[at]), made, columns=("customer_id", "holder_name", "pan"), incident=number,
        ))  # fmt: skip
    return tuple(files)


def _gap(rng: Rng, edge_s: Span, acts: Span, within: Span) -> Span:
    """The time whose lines are gone, in whole milliseconds."""
    edges = rng.integers(*edge_s, 2, endpoint=True)
    before, after = (int(one) * SECOND_US + int(rng.integers(1000)) * 1000 for one in edges)
    first, last = max(within[0], acts[0] - before), min(within[1], acts[1] + after)
    return first // 1000 * 1000, -(-last // 1000) * 1000


def _signed_in(world: World, rng: Rng, number: int, keeper: int, within: Span, log: str) -> Logins:
    """The keeper of the logs signs in."""
    app = APPS.index("console" if log == "console" else "warehouse")
    first = -(-within[0] // 1000)
    at = rng.integers(first, max(first + 1, within[1] // 1000), 1) * 1000
    nothing = np.zeros(1, dtype=np.int64)
    return make_logins(rng, world, at, np.array([keeper]), what=INCIDENT, incident=number, app=app, result=nothing)


def _together(parts: list[dict[str, Events]], start: int, end: int) -> dict[str, Events]:
    """The events of all days, by log."""
    return {log: type(parts[0][log]).joined([one[log] for one in parts]).between(start, end) for log in parts[0]}


def _subjects(events: dict[str, Events]) -> tuple[str, ...]:
    views = events.get("console")
    if isinstance(views, Views):
        customers: Ints = np.unique(views.customer)
        return tuple(f"customer:{one + 1}" for one in customers.tolist())
    return ("payments/card",)


def _repair(world: World, rng: Rng, time: int, end: int) -> dict[str, Records]:
    """Somebody is told off to repair what failed, that day or on the next at work."""
    found = at_work(world, rng, ("engineer", "analyst"), time, max(end, time + DAY_US))
    if found is None:
        return {}
    who, days = found
    day, first, last = days[0]
    opened = moment_in(rng, (day, first, min(last, first + 2 * HOUR_US)))
    closed = opened + int(rng.integers(24 * 60, 15 * 24 * 60)) * MINUTE_US
    columns = (who, -1, topic("pipeline repair"), opened, closed)
    return {"assignment": Records(*(np.array([one], dtype=np.int64) for one in columns))}
