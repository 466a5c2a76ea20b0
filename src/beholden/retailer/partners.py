"""Third parties: developers, their apps, what these need, and the keys by which sellers let them in.

All of it is as large as the number of apps and keys, a hundredth and a tenth of the sellers': it is drawn once.
Shares are kept by quantiles instead of draws, so that a small company has its few large developers too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa

from beholden.retailer.chance import (
    DAY_US,
    MINUTE_US,
    Bools,
    Chance,
    Floats,
    Ints,
    Rng,
    below,
    cumulated,
    stream,
    uniform,
    weighted,
)
from beholden.retailer.parameters import Parameters
from beholden.retailer.render import hexadecimal_of, lines
from beholden.retailer.sellers import Sellers

__all__ = [
    "CLOUDS",
    "FAR",
    "PURPOSES",
    "USER_AGENTS",
    "App",
    "Connections",
    "Developer",
    "Keys",
    "Partners",
    "Purpose",
    "address_range",
]

FAR: Final = 1 << 30  # a day after all days
#: Clouds and the autonomous systems they have, from the numbers kept for documentation.
CLOUDS: Final = (("cirrus", 64_496), ("stratus", 64_497), ("nimbus", 64_499), ("altocloud", 64_502))
#: Software of partners that calls under its library's name; others use a name of their own.
USER_AGENTS: Final = tuple(
    f"{name}/{version}"
    for name, versions in {
        "meridian-sdk-python": ("1.9.2", "2.0.1", "2.1.0"), "meridian-sdk-java": ("3.2.0", "3.4.1"),
        "meridian-sdk-php": ("1.4.0", "1.4.3"), "meridian-sdk-dotnet": ("2.2.5",), "python-requests": ("2.28.1", "2.31.0"),
        "okhttp": ("4.9.3", "4.12.0"), "axios": ("0.27.2", "1.6.7"), "Go-http-client": ("2.0",),
    }.items()
    for version in versions
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Purpose:
    """What an app is for: for which shares of the orders it reads which record, and how often it does the rest a day."""

    name: str
    weight: int  # among small developers; assumed
    order: float
    address: float
    buyer: float
    feeds: float
    reports: float
    fields: tuple[str, ...]

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The endpoints it declares a need of."""
        asked = {"getOrder": self.order, "getOrderAddress": self.address, "getBuyerInfo": self.buyer,
                 "submitFeed": self.feeds, "getFeed": self.feeds, "createReport": self.reports, "getReport": self.reports}  # fmt: skip
        return ("listOrders", *(name for name, often in asked.items() if often > 0))


_ORDER: Final = ("order_id", "ordered_at", "items", "amount", "status")
_ADDRESS: Final = ("recipient", "street", "postal_code", "city", "country")
_BUYER: Final = ("buyer_name", "buyer_email")
#: The first is what nearly all large developers do.
PURPOSES: Final = (
    Purpose("order management", 20, 1.0, 0.74, 0.30, 4, 2, (*_ORDER, *_ADDRESS, "phone", *_BUYER)),
    Purpose("shipping labels", 22, 1.0, 0.96, 0.0, 3, 1, (*_ORDER[:4], *_ADDRESS, "phone")),
    Purpose("invoices and accounting", 16, 1.0, 0.45, 0.85, 1, 4, (*_ORDER, *_ADDRESS, *_BUYER, "tax_id")),
    Purpose("customer messages", 12, 1.0, 0.0, 0.9, 1, 1, (*_ORDER, *_BUYER)),
    Purpose("returns", 10, 0.6, 0.5, 0.3, 2, 2, (*_ORDER, *_ADDRESS, *_BUYER)),
    Purpose("stock and prices", 20, 0.0, 0.0, 0.0, 18, 3, ("order_id", "items")),
)
_EDGES: Final = cumulated([one.weight for one in PURPOSES])
#: How often apps ask for new orders; all of them divide a day.
_INTERVALS: Final = np.array([15, 20, 30, 60, 120])
_INTERVAL_WEIGHTS: Final = (15, 10, 30, 30, 15)  # among small developers; large ones take the half hour or the hour
#: A quarter, half a year, a year, never: how long a key lives; assumed.
_KEY_DAYS: Final = np.array([90, 180, 365, FAR])
_KEY_WEIGHTS: Final = (25, 25, 25, 25)
#: A new key and the old one are both good for this long.
_OVERLAP_DAYS: Final = 2
_REMEMBERED_DAYS: Final = 400  # keys that ended longer ago have left the register
_SHARE_MAX: Final = 0.3  # of the sellers that one developer may have
_BANDS: Final = ((1, 3), (4, 50), (50, 2000))
_FLAT: Final = 0.002  # sellers more popular than this share have no more apps than each other
_RANGE: Final = 32  # addresses that a cloud rents out together
_BLOCKS: Final = 1024  # such ranges of each cloud before the second block of addresses is used
_FIRST_ADDRESS: Final = (198 << 24) + (18 << 16)  # 198.18.0.0/15 and 100.64.0.0/10 belong to nobody
_SECOND_ADDRESS: Final = (100 << 24) + (64 << 16)
_MOVING_DAYS: Final = 3  # in which an app calls from both clouds
_STEADY_US: Final = 2200_000  # careful clients wait at least this long between two records
_A: Final = ("Acre", "Beacon", "Cinder", "Drift", "Elm", "Forge", "Glass", "Hinge", "Inlet", "Knot", "Loop", "Mast", "Nest",
             "Orbit", "Patch", "Quay", "Relay", "Spool", "Tally", "Vault")  # fmt: skip
_B: Final = ("ware", "sync", "stack", "flow", "works", "desk", "link", "cart", "port", "grid", "hub", "base")
_C: Final = ("Labs", "Software", "Systems", "Apps")


@dataclass(frozen=True, slots=True)
class Developer:
    """Who makes apps. Days are whole days since 1970."""

    number: int
    name: str
    email: str
    country: str
    since: int
    band: int  # 0, 1, 2: with few, some, many sellers
    platform: bool  # calls from addresses it shares with others
    careless: bool


@dataclass(frozen=True, slots=True)
class App:
    """One app. ``amended`` is the day from which it does what ``later`` is for, ``moved`` that of its move; or `FAR`.

    ``first`` and ``second`` are the first addresses (as numbers) of its ranges before and after the move, ``hosts`` how
    many it calls from.
    """

    number: int
    developer: int
    name: str
    purpose: int
    interval: int  # minutes between two looks for new orders
    step_us: int  # between two records
    cloud: int
    next_cloud: int
    first: int
    second: int
    hosts: int
    moved: int
    amended: int
    later: int
    agent: int  # position in `Partners.agents`

    def purpose_on(self, day: int) -> Purpose:
        """What it does on a day."""
        return PURPOSES[self.later if day >= self.amended else self.purpose]


@dataclass(frozen=True, slots=True)
class Connections:
    """Which seller let in which app, in the order of sellers; ``[since, until)`` are days."""

    seller: Ints  # positions
    app: Ints  # positions
    since: Ints
    until: Ints
    key_days: Ints  # how long a key lives

    def __len__(self) -> int:
        return len(self.seller)


@dataclass(frozen=True, slots=True)
class Keys:
    """Credentials; those of a connection follow one another. ``[issued, revoked)`` are days, `FAR` where still good."""

    connection: Ints
    app: Ints
    seller: Ints
    issued: Ints
    revoked: Ints

    def __len__(self) -> int:
        return len(self.app)


def address_range(first: int) -> str:
    """The range that begins with that address, as registers write it."""
    return ".".join(str(first >> shift & 255) for shift in (24, 16, 8, 0)) + f"/{32 - _RANGE.bit_length() + 1}"


class Partners:
    """All third parties of the window."""

    def __init__(self, parameters: Parameters, sellers: Sellers) -> None:
        self._p = parameters
        self._sellers = sellers
        self._columns: dict[str, Ints] = {}

    @cached_property
    def sizes(self) -> Ints:
        """How many sellers each developer has: shares by `Parameters.developers_by_sellers`, logarithmic within a band."""
        p = self._p
        count = max(3, round(p.apps / p.apps_a_developer))
        every = sum(p.developers_by_sellers)
        many = max(1, round(count * p.developers_by_sellers[2] / every))
        some = max(1, round(count * p.developers_by_sellers[1] / every))
        sizes = []
        for (least, most), held in zip(_BANDS, (count - some - many, some, many), strict=True):
            place = (np.arange(held) + 0.5) / max(held, 1)
            low, high = (0.5, 3.5) if least == 1 else (least, most)
            sizes.append(np.clip(np.rint(low * (high / low) ** place), least, most).astype(np.int64))
        limit = max(3, int(len(self._sellers) * _SHARE_MAX))
        return np.minimum(np.concatenate(sizes), limit)

    @cached_property
    def developers(self) -> tuple[Developer, ...]:
        """The developers, those with few sellers first."""
        p, rng = self._p, stream(self._p.seed, "developers")
        # Numbers are given in the order of registration, which says nothing about size.
        numbers = rng.permutation(len(self.sizes)).tolist()
        found = []
        draws = []  # of who is on a platform, for small developers
        for i, size in enumerate(self.sizes.tolist()):
            n = numbers[i]
            name = f"{_A[n % len(_A)]}{_B[(n // len(_A) + 5 * n) % len(_B)]} {_C[n // (len(_A) * len(_B)) % len(_C)]}"
            if n >= len(_A) * len(_B) * len(_C):
                name += f" {n}"
            band = 0 if size < _BANDS[1][0] else 1 if size <= _BANDS[1][1] else 2
            draw = rng.random(2)
            if band == 0:
                draws.append((float(draw[0]), i))
            found.append(
                Developer(
                    number=500 + 3 * n + int(rng.integers(3)),
                    name=name,
                    email=f"dev@{name.lower().replace(' ', '-')}.example",
                    country=("US", "GB", "DE", "FR", "IN")[int(rng.integers(5))],
                    since=p.start // DAY_US - int(rng.integers(60, 2500)),
                    band=band,
                    platform=False,
                    careless=band < 2 and bool(draw[1] < p.careless_developers),
                )
            )
        # An address is shared only where others call from it.
        tenants = max(p.platform_developers_min, sum(draw < p.developers_on_platforms for draw, _ in draws))
        if p.developers_on_platforms > 0 and len(draws) >= tenants:
            for _, i in sorted(draws)[:tenants]:
                found[i] = replace(found[i], platform=True)
        return tuple(found)

    @cached_property
    def _platforms(self) -> dict[int, int]:
        """The platform of each developer who is on one; each has the tenants that it must have."""
        tenants = [i for i, one in enumerate(self.developers) if one.platform]
        count = max(1, min(1 + self._p.apps // 40, len(tenants) // self._p.platform_developers_min))
        return {developer: place % count for place, developer in enumerate(tenants)}

    @cached_property
    def apps(self) -> tuple[App, ...]:
        """The apps: each developer has one, some have a second."""
        count = self._p.apps
        owners = list(range(len(self.developers)))
        rng = stream(self._p.seed, "apps")
        seconds = rng.permutation(len(owners))[: max(0, count - len(owners))].tolist()
        numbers = rng.permutation(len(owners) + len(seconds)).tolist()
        ranges = [rng.permutation(max(_BLOCKS, 3 * count)) for _ in CLOUDS]
        return tuple(self._app(rng, i, numbers[i], owner, ranges) for i, owner in enumerate(owners + sorted(seconds)))

    def _app(self, rng: Rng, at: int, number: int, owner: int, ranges: list[Ints]) -> App:
        p, developer = self._p, self.developers[owner]
        second = at >= len(self.developers)
        purpose = 0 if developer.band == 2 and not second else int(np.searchsorted(_EDGES, rng.random(), side="right"))
        first_day, year = p.start // DAY_US, p.days / 365
        moved, amended, later = (FAR, FAR, purpose)
        if rng.random() < p.apps_moving_a_year * year:
            moved = int(rng.integers(first_day, p.end // DAY_US))
        if rng.random() < p.apps_amended_a_year * year:
            amended, later = int(rng.integers(first_day, p.end // DAY_US)), 0
        cloud, other = (int(i) for i in rng.permutation(len(CLOUDS))[:2])
        place, hosts = at, int(rng.integers(*((1, 4), (2, 9), (8, 33))[developer.band]))
        if developer.platform:  # of which there are a few, each with one range for all its tenants, who stay there
            which = self._platforms[owner]
            cloud, place, hosts, moved = which % len(CLOUDS), len(ranges[0]) - 1 - which, 4, FAR
        drawn = weighted(rng, _INTERVAL_WEIGHTS, 1)
        step = int(rng.integers(300, 800)) * 1000 if developer.careless else _STEADY_US + int(rng.integers(2000)) * 1000
        return App(
            number=1000 + number,
            developer=owner,
            name=f"{developer.name.split()[0]} {PURPOSES[purpose].name.split()[0].title()}",
            purpose=purpose,
            interval=30 * (1 + owner % 2) if developer.band == 2 else int(_INTERVALS[drawn[0]]),
            step_us=step,
            cloud=cloud,
            next_cloud=other,
            first=_range_start(cloud, int(ranges[cloud][place])),
            second=_range_start(other, int(ranges[other][at + p.apps])),
            hosts=hosts,
            moved=moved,
            amended=amended,
            later=later,
            agent=int(rng.integers(len(USER_AGENTS))) if rng.random() < 0.6 else len(USER_AGENTS) + at,
        )

    @cached_property
    def agents(self) -> tuple[str, ...]:
        """All user agents: `USER_AGENTS`, then each app's own name."""
        return (
            *USER_AGENTS,
            *(f"{app.name.replace(' ', '')}/{1 + app.number % 4}.{app.number % 10}" for app in self.apps),
        )

    @cached_property
    def connections(self) -> Connections:
        """Who let in whom: popular sellers more apps."""
        p, chance = self._p, Chance(self._p.seed, "connection")
        of_developer: dict[int, list[int]] = {}
        for i, one in enumerate(self.apps):
            of_developer.setdefault(one.developer, []).append(i)
        sellers, apps = [], []
        for i, size in enumerate(self.sizes.tolist()):
            chosen = self._chosen(i, size)
            own = np.array(of_developer[i])
            # Most use a developer's main app.
            which = np.minimum(below(chance(chosen, i), 4) // 3, len(own) - 1)
            sellers.append(chosen)
            apps.append(own[which])
        seller, app = np.concatenate(sellers), np.concatenate(apps)
        order = np.lexsort((app, seller))
        seller, app = seller[order], app[order]
        hashes = chance(seller, app, 1)
        first = p.start // DAY_US
        begun = np.array([self.developers[one.developer].since for one in self.apps])[app]
        begun = np.maximum(begun, self._sellers.since(seller))
        # One in twenty comes and one in twenty goes within some months; assumed.
        new = uniform(hashes) < 0.05 * p.days / 90
        since = np.where(
            new, first + below(hashes << np.uint64(20), p.days), begun + below(hashes << np.uint64(20), 400)
        )
        since = np.where(new, since, np.minimum(since, first - 1))
        gone = uniform(hashes << np.uint64(12)) < 0.05 * p.days / 90
        until = np.where(gone & ~new, first + below(hashes << np.uint64(30), p.days), FAR)
        lives = _KEY_DAYS[np.searchsorted(cumulated(_KEY_WEIGHTS), uniform(hashes << np.uint64(36)), side="right")]
        return Connections(seller, app, np.minimum(since, until - 1), until, lives)

    def _chosen(self, developer: int, count: int) -> Ints:
        """So many sellers, by weights that fall with their rank; without drawing for each of millions."""
        n, one = len(self._sellers), 1 - self._p.connected_rank_exponent
        rng = stream(self._p.seed, "sellers of developer", developer)
        low, high = _FLAT**one, (1 + _FLAT) ** one
        found = np.empty(0, dtype=np.int64)
        while len(found) < count:
            share = (low + rng.random(2 * count + 8) * (high - low)) ** (1 / one) - _FLAT
            found = np.concatenate([found, np.minimum((share * n).astype(np.int64), n - 1)])
            found = found[np.sort(np.unique(found, return_index=True)[1])]
        return found[:count]

    @cached_property
    def connections_before(self) -> Ints:
        """Where each seller's connections begin, and their number in all."""
        return np.searchsorted(self.connections.seller, np.arange(len(self._sellers) + 1))

    @cached_property
    def _generations(self) -> tuple[Ints, Ints]:
        """Of each connection: the first generation of its keys that is remembered, and where its keys begin."""
        c, p = self.connections, self._p
        oldest = np.maximum(p.start // DAY_US - _REMEMBERED_DAYS - c.since, 0) // c.key_days
        last = np.maximum(np.minimum(c.until, p.end // DAY_US) - 1 - c.since, 0) // c.key_days
        count = last - oldest + 1
        return oldest, np.concatenate([[0], np.cumsum(count)])

    @cached_property
    def keys(self) -> Keys:
        """All credentials that were good at some time since a year before the window."""
        c = self.connections
        oldest, begins = self._generations
        of = np.repeat(np.arange(len(c)), np.diff(begins))
        generation = np.arange(len(of)) - begins[of] + oldest[of]
        issued = c.since[of] + generation * c.key_days[of]
        end = np.minimum(issued + c.key_days[of] + _OVERLAP_DAYS, c.until[of])
        return Keys(
            of, c.app[of], c.seller[of], issued, np.where(c.until[of] < FAR, end, np.where(end >= FAR, FAR, end))
        )

    def key_on(self, connection: Ints, day: int) -> Ints:
        """The newest key of each of these connections on a day on which it is good."""
        c, (oldest, begins) = self.connections, self._generations
        generation = np.maximum(day - c.since[connection], 0) // c.key_days[connection] - oldest[connection]
        return np.clip(begins[connection] + generation, begins[connection], begins[connection + 1] - 1)

    @cached_property
    def key_texts(self) -> pa.Array:
        """The ids of all keys, as logs and registers have them."""
        return lines("mk", hexadecimal_of(Chance(self._p.seed, "key id")(np.arange(len(self.keys)))))

    def active(self, day: int) -> Bools:
        """Which connections are in use on a day: consented to, by a seller who sells."""
        c = self.connections
        used: Bools = (c.since <= day) & (day < c.until) & self._sellers.trading(c.seller, day)
        return used

    def rates(self, day: int) -> Floats:
        """Of each app on a day: shares of orders, addresses and buyers read, feeds and reports a day (five columns)."""
        of = [app.purpose_on(day) for app in self.apps]
        return np.array([(one.order, one.address, one.buyer, one.feeds, one.reports) for one in of], dtype=np.float64)

    def moving(self, day: int) -> Floats:
        """For each app the share of its calls that come from the second cloud on a day."""
        return np.clip((day + 1 - self.column("moved")) / _MOVING_DAYS, 0.0, 1.0)

    def column(self, name: str) -> Ints:
        """One property of every app."""
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = np.array([getattr(app, name) for app in self.apps], dtype=np.int64)
        return found

    @cached_property
    def intervals(self) -> Ints:
        """Microseconds between two looks for new orders, of each app."""
        return self.column("interval") * MINUTE_US

    @cached_property
    def many(self) -> Bools:
        """Which apps belong to a developer with many sellers."""
        return np.array([self.developers[app.developer].band == 2 for app in self.apps])

    @cached_property
    def careless(self) -> Bools:
        """Which apps go on until the gateway refuses."""
        return np.array([self.developers[app.developer].careless for app in self.apps])


def _range_start(cloud: int, place: int) -> int:
    """The first address of a range of a cloud."""
    if place < _BLOCKS:
        return _FIRST_ADDRESS + (cloud * _BLOCKS + place) * _RANGE
    return _SECOND_ADDRESS + ((place - _BLOCKS) * len(CLOUDS) + cloud) * _RANGE
