"""Pieces of work that somebody is told off for: training exercises, a mass correction, and the projects of engineers.

Those about customers have a row for each of them, as work lists do.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, HOUR_US, MINUTE_US, Chance, Ints, Rng, below, moments, stream
from beholden.retailer.events import label
from beholden.retailer.life.console import OPERATIONS, SCREENS, Views, make_views
from beholden.retailer.life.records import SHIFT_US, Records, following, in_shift, shift_starts, topic
from beholden.retailer.world import World

__all__ = ["assignments", "correction", "correction_day", "training"]

#: A cohort is who was hired in the same week; its examples are so many customers.
_COHORT_DAYS: Final = 7
_EXAMPLES: Final = 4
#: Shorter windows have no mass correction: it would be most of what happens in them.
_CORRECTION_DAYS_MIN: Final = 28
_CORRECTIONS_MIN: Final = 30
#: The reform is this country's.
_REFORMED: Final = "FR"
_PROJECTS: Final = ("pipeline repair", "report", "migration", "campaign")
_PROJECT_ROLES: Final = ("engineer", "analyst", "marketing")


def assignments(world: World, day: int) -> Records:
    """Everything that somebody was assigned to on a day."""
    return Records.joined([training(world, day)[1], correction(world, day)[1], _projects(world, day)])


def training(world: World, day: int) -> tuple[Views, Records]:
    """New agents of a cohort open the same few customers, again and again; not every exercise is on record."""
    return world.once("training", day, lambda: _training(world, day))


def _training(world: World, day: int) -> tuple[Views, Records]:
    p, staff = world.parameters, world.staff
    trainees = staff.trainees(day)
    if day not in world.calendar.window or not len(trainees):
        return Views.nothing(), Records.nothing()
    rng = stream(p.seed, "training", day)
    cohort = np.array([staff.members[i].hired // _COHORT_DAYS for i in trainees.tolist()], dtype=np.int64)
    examples = below(Chance(p.seed, "training examples")(cohort[:, None], np.arange(_EXAMPLES)), len(world.people))
    begins = in_shift(rng, staff, trainees, day, 2 * HOUR_US)
    count = rng.poisson(p.training_views_a_day, len(trainees))
    row, time = following(rng, begins, count, (20, 120))
    step = np.arange(len(row)) - (np.cumsum(count) - count)[row]
    customer = examples[row, step % _EXAMPLES]
    views = make_views(rng, time, trainees[row], customer, what=label("benign:training"))
    given = np.flatnonzero(rng.random(len(trainees)) < p.training_on_record)
    at = np.repeat(given, _EXAMPLES)
    opened = begins[at] - rng.integers(1, 30, len(given)).repeat(_EXAMPLES) * MINUTE_US
    closed = shift_starts(staff, trainees[at], day) + SHIFT_US
    what = np.full(len(at), topic("training exercise"), dtype=np.int64)
    exercises = Records(trainees[at], examples[given].ravel(), what, opened, closed)
    return Views.joined([views]).between(day * DAY_US, (day + 1) * DAY_US), Records.joined([exercises])


def correction_day(world: World) -> tuple[int, int] | None:
    """The day on which addresses are corrected after a postal reform, and by whom; None in short windows."""
    p, window = world.parameters, world.calendar.window
    if p.days < _CORRECTION_DAYS_MIN:
        return None
    busy = {day + i for day in world.calendar.promotions for i in range(3)}
    first, who = (int(one) for one in Chance(p.seed, "mass correction")(np.arange(2)))
    start = window[0] + p.days // 4 + first % (p.days // 2)
    for day in (*range(start, window[-1] + 1), *range(window[0], start)):
        team = world.staff.at_work("analyst", day)
        if len(team) and day not in busy:
            return day, int(team[who % len(team)])
    return None


def correction(world: World, day: int) -> tuple[Views, Records]:
    """One person of data quality edits thousands of profiles in a day; nearly all stand in the work list."""
    p, planned = world.parameters, correction_day(world)
    if planned is None or planned[0] != day:
        return Views.nothing(), Records.nothing()
    rng = stream(p.seed, "mass correction", day)
    customer = _reformed(world, rng, max(_CORRECTIONS_MIN, round(p.corrected_profiles_at_full_scale * p.scale)))
    n = len(customer)
    actor = np.full(n, planned[1], dtype=np.int64)
    opened = shift_starts(world.staff, actor, day)
    time = np.sort(moments(rng, opened + 30 * MINUTE_US, opened + SHIFT_US - 30 * MINUTE_US))
    screen = np.array([SCREENS.index("profile"), SCREENS.index("address")])[rng.integers(0, 2, n)]
    edit = np.full(n, OPERATIONS.index("edit"), dtype=np.int64)
    views = make_views(rng, time, actor, customer, what=label("benign:mass_correction"), screen=screen, operation=edit)
    listed = np.flatnonzero(rng.random(n) < p.corrections_on_record)
    what = np.full(n, topic("address correction"), dtype=np.int64)
    work_list = Records(actor, customer, what, opened, opened + SHIFT_US).at(listed)
    return views, Records.joined([work_list])


def _reformed(world: World, rng: Rng, count: int) -> Ints:
    """That many customers of the reformed country, or fewer where the company is small."""
    tried: Ints = rng.permutation(np.unique(rng.integers(0, len(world.people), 12 * count)))
    found: Ints = tried[world.people.live_in(_REFORMED, tried)]
    return found[:count]


def _projects(world: World, day: int) -> Records:
    """What engineers, analysts and marketing begin on a day; it is about no customer."""
    p, staff = world.parameters, world.staff
    if day not in world.calendar.window:
        return Records.nothing()
    rng = stream(p.seed, "projects", day)
    team = np.concatenate([staff.at_work(role, day) for role in _PROJECT_ROLES])
    actor = team[rng.random(len(team)) < p.ordinary_assignments]
    n = len(actor)
    opened = in_shift(rng, staff, actor, day, 0)
    closed = opened + rng.integers(24 * 60, 15 * 24 * 60, n) * MINUTE_US
    what = np.array([topic(name) for name in _PROJECTS])[rng.integers(0, len(_PROJECTS), n)]
    return Records.joined([Records(actor, np.full(n, -1, dtype=np.int64), what, opened, closed)])
