"""One back end that sellers gave their keys to: it pools them and reads buyers' addresses broadly, each below its limits.

Its calls come from rotating addresses of clouds. Loud: one client software for all keys, and weeks of orders at once.
Paced: no app does more than on its busier days. Mimicry: keys of apps that declared a need of addresses, called from
addresses that several developers share or from each app's own, under each app's own name.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from beholden.retailer.chance import Floats, Ints, Rng
from beholden.retailer.incidents.incident import Incident, of_grade
from beholden.retailer.incidents.pace import Apps, calls_room, thinned_calls
from beholden.retailer.incidents.partner_calls import PERSONAL, Wanted, days_of, orders_of, subjects_of, swept
from beholden.retailer.life.gateway import ORDER, Calls
from beholden.retailer.partners import USER_AGENTS
from beholden.retailer.world import World

__all__ = ["plan"]

_HOSTS: Final = 32  # addresses that a cloud rents out together
_CLOUD: Final = 1024 * _HOSTS  # addresses of a cloud, see `partners`


def plan(world: World, rng: Rng, number: int, grade: str, start: int, end: int) -> Incident | None:
    """Some days of reading by pooled keys; None where too few sellers have let anybody in, or no whole day is left."""
    p, days = world.parameters, days_of(start, end)
    length = min(len(days), int(rng.integers(*of_grade(p.pooled_days, grade), endpoint=True)))
    if length < 1:
        return None
    first = days[int(rng.integers(len(days) - length + 1))]
    days = range(first, first + length)
    pooled = _pooled(world, rng, grade, days)
    if pooled is None:
        return None
    address = _addresses(world, rng, grade)
    agent = int(rng.integers(len(USER_AGENTS))) if grade == "loud" else -1
    apps = tuple(np.unique(world.partners.connections.app[pooled]).tolist())
    parts = []
    for day in days:
        keys = world.partners.key_on(pooled, day)
        keys = keys[rng.random(len(keys)) >= (0.0 if grade == "loud" else p.pooled_paused)]
        back = range(day - p.pooled_back_days, day) if grade == "loud" and day == first else range(day - 1, day)
        wanted = orders_of(world, world.partners.keys.seller[keys], back)
        endpoints: tuple[int, ...] = PERSONAL if grade == "loud" else (ORDER, *PERSONAL)
        if grade == "mimicry":
            endpoints = (ORDER, PERSONAL[0])
        if grade != "loud":
            wanted = wanted.at(rng.random(len(wanted)) < rng.uniform(*p.pooled_broad))
        if grade == "paced":
            wanted = _within_room(world, rng, (day, apps), keys, wanted, len(endpoints))
        calls = swept(rng, world, day, keys, wanted, endpoints, number, address=address, agent=agent)
        parts.append(thinned_calls(world, apps, calls) if grade == "paced" else calls)
    whole = Calls.joined(parts)
    if not len(whole):
        return None
    return Incident(
        number, "pooled_keys", grade,
        actors=tuple(f"app:{world.partners.apps[app].number}" for app in np.unique(whole.actor).tolist()),
        subjects=(*(f"seller:{one + 1}" for one in np.unique(whole.seller).tolist()), *subjects_of(whole)),
        events={"gateway": whole},
    )  # fmt: skip


def _pooled(world: World, rng: Rng, grade: str, days: range) -> Ints | None:
    """Connections of different sellers that are in use on all of these days, of many apps rather than of one."""
    p, partners = world.parameters, world.partners
    count = min(max(p.pooled_keys_min, round(p.pooled_keys_at_full_scale * p.scale)), p.pooled_keys_at_full_scale)
    usable = np.logical_and.reduce([partners.active(day) for day in days])
    if grade != "loud":
        # Whoever declared no need of addresses would be seen at once.
        declared = np.logical_and.reduce([_declared(world, day) for day in days])
        usable &= declared[partners.connections.app]
    found = np.flatnonzero(usable)
    app = partners.connections.app[found]
    if not len(found):
        return None
    weight: Floats = 1.0 / np.sqrt(np.bincount(app)[app])
    drawn = found[rng.choice(len(found), len(found), replace=False, p=weight / weight.sum())]
    drawn = drawn[np.sort(np.unique(partners.connections.seller[drawn], return_index=True)[1])][:count]
    return np.sort(drawn) if len(drawn) >= p.pooled_keys_min else None


def _declared(world: World, day: int) -> np.typing.NDArray[np.bool_]:
    """Which apps declared a need of addresses."""
    needed: np.typing.NDArray[np.bool_] = world.partners.rates(day)[:, 1] > 0
    return needed


def _addresses(world: World, rng: Rng, grade: str) -> Ints | None:
    """Where the back end calls from: ranges of the partners' clouds that no app has, or ones that others use too."""
    partners = world.partners
    if grade == "mimicry":
        shared = [app for app in partners.apps if partners.developers[app.developer].platform]
        if not shared:
            return None
        one = shared[int(rng.integers(len(shared)))]
        return one.first + np.arange(one.hosts)
    taken = set(partners.column("first").tolist()) | set(partners.column("second").tolist())
    found: list[int] = []
    wanted = int(rng.integers(*world.parameters.pooled_ranges, endpoint=True))
    while len(found) < wanted:
        app = partners.apps[int(rng.integers(len(partners.apps)))]
        place = app.first // _CLOUD * _CLOUD + int(rng.integers(_CLOUD // _HOSTS)) * _HOSTS
        if place not in taken:
            taken.add(place)
            found.append(place)
    hosts = [place + int(one) for place in found for one in rng.permutation(_HOSTS)[: int(rng.integers(4, 12))]]
    return np.array(hosts, dtype=np.int64)


def _within_room(
    world: World, rng: Rng, which: tuple[int, Apps], keys: Ints, wanted: Wanted, calls_each: int
) -> Wanted:
    """As many orders of each app's sellers as its day has room for, beside a token and a list for each key."""
    (day, apps), keys_of = which, world.partners.keys
    app_of_seller = dict(zip(keys_of.seller[keys].tolist(), keys_of.app[keys].tolist(), strict=True))
    app = np.array([app_of_seller[one] for one in wanted.seller.tolist()], dtype=np.int64)
    kept = []
    for one in np.unique(app).tolist():
        here = rng.permutation(np.flatnonzero(app == one))
        beside = 2 * int(np.sum(keys_of.app[keys] == one))
        kept.append(here[: max(0, calls_room(world, apps, one, day) - beside) // calls_each])
    return wanted.at(np.sort(np.concatenate(kept))) if kept else wanted
