"""The company's rights, partners, devices and sizes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from beholden.retailer.chance import SECOND_US, Floats, Ints
from beholden.retailer.life.gateway import ADDRESS, BUYER, LIST, ORDER, THROTTLED, Calls, api_calls
from beholden.retailer.life.sso import logins_of_day
from beholden.retailer.realism.bands import Measure
from beholden.retailer.warehouse_tables import WAREHOUSE, catalogue
from beholden.retailer.world import World

__all__ = ["fullest_bucket", "measures_of_company", "rights_used", "sellers_of_developers"]

#: Developers by how many sellers gave them a key.
_DEVELOPERS: Final = (("1-3", 1, 3), ("4-50", 4, 50), ("more than 50", 51, 1 << 40))
#: Share of posts that are vacant, or whose holder has moved to another team, at one time.
_POSTS_ASTRAY: Final = 0.03


def measures_of_company(world: World, called: World, days: Sequence[int]) -> list[Measure]:
    """What `BANDS` has of rights, partners and sizes.

    ``world`` is of scale 1; calls of the partner API, of which there are many, are looked at on some days of ``called``.
    """
    day = world.calendar.window[-1]
    held, used = rights_used(world, day)
    calls = [api_calls(called, one) for one in days]
    p = called.parameters
    records = max(fullest_bucket(made, at, p.record_rate) for made in calls for at in (ORDER, ADDRESS, BUYER))
    lists = max(fullest_bucket(made, LIST, p.list_rate) for made in calls)
    return [
        Measure("permissions that are used, of those held", float(used.sum() / held.sum())),
        Measure("identities with rights that sign in nowhere", _absent_share(world)),
        Measure("partner API: most lists of a key above the rate", lists),
        Measure("partner API: most records of a key above the rate", records),
        *_developers(world, day),
        *_sizes(world, day),
    ]


def rights_used(world: World, day: int) -> tuple[Ints, Ints]:
    """How many permissions each identity with rights holds on a day, and how many of them its work takes."""
    grants = world.grants
    holders = np.flatnonzero(grants.holding).tolist()
    held = [int(grants.effective(who, day).sum()) for who in holders]
    return np.array(held), np.array([len(grants.used(who, day)) for who in holders])


def _absent_share(world: World) -> float:
    """The share of identities with rights that nobody signed in as during the window."""
    here = np.zeros(len(world.grants.identities), dtype=np.bool_)
    for day in world.calendar.window:
        here[logins_of_day(world, day).actor] = True
    return 1 - float(here[world.grants.holding].mean())


def fullest_bucket(calls: Calls, endpoint: int, rate: float) -> float:
    """By how many calls any key was ahead of the rate at its worst moment: what the burst must allow."""
    granted = calls.at((calls.endpoint == endpoint) & (calls.status != THROTTLED))
    if not len(granted):
        return math.nan
    order = np.lexsort((granted.time, granted.key))
    key, seconds = granted.key[order], (granted.time[order] - granted.time.min()) / SECOND_US
    number = np.arange(len(order))
    # Ahead after call k of a key, since its call j: k - j + 1 - rate * (time k - time j). Keys lie far apart.
    apart = np.cumsum(np.concatenate([[0], np.diff(key) != 0])) * 1e9
    since: Floats = np.maximum.accumulate(seconds * rate - number + apart)
    return float(np.max(number + 1 - seconds * rate - apart + since))


def sellers_of_developers(world: World, day: int) -> Ints:
    """How many sellers each developer has a good key of on a day; fewest first, those with none left out."""
    partners = world.partners
    keys = partners.keys
    good = np.flatnonzero((keys.issued <= day) & (day < keys.revoked))
    developer = np.array([one.developer for one in partners.apps])[keys.app[good]]
    pairs = np.unique(np.stack([developer, keys.seller[good]]), axis=1)
    count: Ints = np.sort(np.bincount(pairs[0]))
    return count[count > 0]


def _developers(world: World, day: int) -> list[Measure]:
    sellers = sellers_of_developers(world, day)
    found = []
    for name, least, most in _DEVELOPERS:
        share = float(np.mean((sellers >= least) & (sellers <= most)))
        # Shares are kept by design; sellers who come and go carry a developer or two over a border.
        found.append(Measure(f"developers with {name} sellers", share, 0.5 / len(sellers)))
    return found


def _sizes(world: World, day: int) -> list[Measure]:
    p, staff, calendar = world.parameters, world.staff, world.calendar
    of_role = {
        name: staff.of_role(role, day)
        for name, role in (("agents", "agent"), ("supervisors", "supervisor"), ("fraud and trust staff", "fraud"),
                           ("engineers", "engineer"))
    }  # fmt: skip
    people = [Measure(name, len(who), math.sqrt(_POSTS_ASTRAY * len(who))) for name, who in of_role.items()]
    orders = np.array([calendar.orders_on(one) for one in calendar.window])
    quiet = np.array([one not in {d + i for d in calendar.promotions for i in range(3)} for one in calendar.window])
    # The year grows; its mean is half a year's growth above the beginning.
    level = float(orders[quiet].mean()) / (1 + p.growth_a_year * len(orders) / 2 / 365)
    error = p.day_level_cv * level / math.sqrt(quiet.sum())
    teams = {staff.members[who].team_on(day) for who in of_role["agents"].tolist()}
    analysts = {staff.members[who].team for who in staff.of_role("analyst", day).tolist()}
    counts = {
        "customers": len(world.people),
        "teams of agents": len({name for name in teams if name.startswith("service-")}),
        "data teams": len({name for name in analysts if name.startswith("analyst-")}),
        "sellers": len(world.sellers),
        "apps of developers": len(world.partners.apps),
        "tables of the warehouse": len(catalogue(p).of(WAREHOUSE)),
        "service accounts": len(staff.services),
        "devices in use": sum(one.is_used(day) for one in world.devices.all),
    }
    return [
        Measure("orders a day", level, error),
        *people,
        *(Measure(name, count) for name, count in counts.items()),
    ]
