"""The sellers: brands, their owners, who of them belongs together, and when which was suspended.

A seller is a position, and positions follow popularity (`Orders`). Everything about one is a hash of the position.
Some owners stand behind several brands that share an account, an address or a device; some of them open the next brand
after the last was suspended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, HOUR_US, Bools, Chance, Ints, below, cumulated, picked, uniform
from beholden.retailer.name_lists import CITIES, CULTURE_WEIGHTS, CULTURES, STREETS
from beholden.retailer.parameters import Parameters
from beholden.retailer.people import plain_ascii

__all__ = ["COUNTRIES", "SellerText", "Sellers", "Suspensions"]

COUNTRIES: Final = ("US", "GB", "DE", "FR", "CN")
_COUNTRY: Final = cumulated((48, 14, 11, 8, 19))  # assumed
#: So many sellers, neighbours in a shuffled order, of whom the first few may belong to one owner.
_BLOCK: Final = 8
#: How many brands an owner of several has: 2, 3, ... 8; assumed.
_BRANDS: Final = cumulated((46, 24, 13, 8, 5, 2, 2))
_MEAN_BRANDS: Final = 3.16
#: Shares of linked brands that use their owner's bank account, address, device; assumed.
_SHARED: Final = {"bank": 0.65, "address": 0.55, "device": 0.5}
_SINCE_DAYS: Final = 3000
_DAYS_A_YEAR: Final = 365
_NEVER_US: Final = 1 << 62
#: What an incident does to a seller: (position, ``suspended`` or ``reinstated``, when).
State = tuple[int, str, int]
_STEP: Final = 0.618  # of the number of sellers: neighbours in the shuffled order are far apart in popularity
#: Legacy codes have letters and digits that are not mistaken for one another.
_LETTERS: Final = "23456789BCDFGHJKLMNPQRSTVWXYZ"
_CODE_DIGITS: Final = 6
_CODE_STEP: Final = 433_494_437  # prime, so that different sellers have different codes
_FIRST: Final = (
    "Alder", "Amber", "Arbor", "Bright", "Cobalt", "Copper", "Coral", "Crest", "Delta", "Ember", "Fern", "Field", "Flint",
    "Gale", "Harbor", "Hazel", "Indigo", "Juniper", "Kestrel", "Lark", "Linden", "Maple", "Meadow", "Nimble", "North",
    "Oak", "Onyx", "Pebble", "Pine", "Quill", "Raven", "Ridge", "Saffron", "Slate", "Sparrow", "Summit", "Thistle", "Tidal",
    "Umber", "Velvet", "Willow", "Zephyr",
)  # fmt: skip
_SECOND: Final = (
    "and Co", "Bazaar", "Crafts", "Depot", "Direct", "Emporium", "Gear", "Goods", "Home", "House", "Kitchen", "Living",
    "Market", "Outlet", "Outfitters", "Parts", "Retail", "Store", "Supply", "Sports", "Tools", "Toys", "Traders", "Works",
)  # fmt: skip
_FORMS: Final = {"US": "LLC", "GB": "Ltd", "DE": "GmbH", "FR": "SARL", "CN": "Trading Co"}


@dataclass(frozen=True, slots=True)
class Suspensions:
    """When sellers were suspended, in the order of the beginning; ``end`` is -1 where nobody reinstated them."""

    seller: Ints  # positions
    start: Ints  # microseconds
    end: Ints

    def __len__(self) -> int:
        return len(self.seller)


@dataclass(frozen=True, slots=True)
class SellerText:
    """Some sellers' texts, column by column."""

    code: list[str]  # the legacy id
    name: list[str]
    country: list[str]
    owner: list[str]
    company: list[str]
    bank: list[str]  # fingerprint of the account
    device: list[str]  # fingerprint of the device that is mostly used
    street: list[str]
    city: list[str]
    email: list[str]


class Sellers:
    """Sellers by position; the seller at position ``i`` has the number ``i + 1`` and a legacy code."""

    def __init__(self, parameters: Parameters, states: Sequence[State] = ()) -> None:
        self._states = states
        p = self._p = parameters
        n = self._size = p.sellers
        self._chance = {
            what: Chance(p.seed, f"seller {what}")
            for what in ("name", "country", "since", "owner", "place", "cluster", "shared", "suspended", "lasted", "email",
                         "fingerprint", "decided")
        }  # fmt: skip
        self._step = next(step for step in range(int(_STEP * n), 2 * n + 2) if np.gcd(step, n) == 1)
        self._back = pow(self._step, -1, n)
        self._shift = int(below(Chance(p.seed, "seller shuffle")(0), n)[0])

    def __len__(self) -> int:
        return self._size

    def codes(self, position: Ints) -> list[str]:
        """Legacy codes: ``M-`` and six letters or digits, in no order."""
        base = len(_LETTERS)
        rest = (position * _CODE_STEP + self._shift) % base**_CODE_DIGITS
        letters = np.array(list(_LETTERS))
        digits = [letters[rest // base**power % base].tolist() for power in range(_CODE_DIGITS)]
        return ["M-" + "".join(code) for code in zip(*digits, strict=True)]

    def cluster(self, position: Ints) -> Ints:
        """The number of the cluster a seller belongs to, or -1."""
        slot = self._slot(position)
        block = slot // _BLOCK
        return np.where(slot % _BLOCK < self._brands(block), block, -1)

    def members(self, cluster: int) -> Ints:
        """Positions of the brands of a cluster, the owner's first brand first."""
        return self._at_slot(cluster * _BLOCK + np.arange(int(self._brands(np.array([cluster]))[0])))

    @cached_property
    def clusters(self) -> Ints:
        """Numbers of all clusters."""
        return np.flatnonzero(self._brands(np.arange(self._size // _BLOCK)))

    def country(self, position: Ints) -> Ints:
        """Positions in `COUNTRIES`; linked brands mostly have their owner's."""
        own = uniform(self._chance["shared"](position, 9)) < 0.25
        return picked(self._chance["country"](np.where(own, position, self.first_brand(position))), _COUNTRY)

    def first_brand(self, position: Ints) -> Ints:
        """The position of the first brand of the same owner; their own where they have one brand."""
        cluster = self.cluster(position)
        return np.where(cluster >= 0, self._at_slot(np.maximum(cluster, 0) * _BLOCK), position)

    def shared(self, position: Ints, what: str) -> Ints:
        """Whose ``bank`` account, ``address`` or ``device`` they use: their own or the first brand's."""
        lead = self.first_brand(position)
        chance = self._chance["shared"]
        uses = {one: uniform(chance(position, i)) < share for i, (one, share) in enumerate(_SHARED.items())}
        # Brands that shared nothing would not be known to belong together by anybody.
        uses["bank"] |= ~(uses["address"] | uses["device"])
        return np.where(uses[what], lead, position)

    def since(self, position: Ints) -> Ints:
        """The day (since 1970) on which they began to sell; reopened brands begin after the suspension of the last."""
        hashes = self._chance["since"](position)
        first = self._p.start // DAY_US - self._p.history_days
        days = first - 30 - below(hashes, _SINCE_DAYS)
        block, place = np.divmod(self._slot(position), _BLOCK)
        reopened = self._reopens(block) & (self._brands(block) > 0)
        closed = self._closed(block)
        begun = [closed - 20 - below(hashes, 900), closed + 10 + below(hashes, 50)]
        return np.select([reopened & (place == 0), reopened & (place == 1)], begun, days)

    @cached_property
    def suspensions(self) -> Suspensions:
        """All suspensions that began within the year before the window or in it."""
        p = self._p
        first, end = p.start // DAY_US - _DAYS_A_YEAR, p.end // DAY_US
        every = np.arange(self._size)
        hashes = self._chance["suspended"](every)
        share = p.sellers_suspended_a_year * (end - first) / _DAYS_A_YEAR
        seller = every[uniform(hashes) < share]
        start = first + below(hashes[seller] << np.uint64(24), end - first)
        clusters = self.clusters[self._reopens(self.clusters)]
        closed = self._at_slot(clusters * _BLOCK)
        kept = ~np.isin(seller, closed) & (start >= self.since(seller))
        seller = np.concatenate([seller[kept], closed])
        start = np.concatenate([start[kept], self._closed(clusters)])
        lasted = self._chance["lasted"](seller)
        # The logistic law stands in for the normal one: it can be had from one hash.
        logistic = np.log(1 / np.maximum(uniform(lasted << np.uint64(20)), 1e-9) - 1)
        days = np.clip(p.suspension_median_days * np.exp(logistic * 0.6), 1.0, 300.0)
        time = start * DAY_US + 8 * HOUR_US + below(lasted << np.uint64(40), 12 * 3_600_000) * 1000
        stop = time + (days * 86_400).astype(np.int64) * 1_000_000
        # People reinstate, and people work by day.
        stop = stop - stop % DAY_US + 8 * HOUR_US + below(lasted << np.uint64(30), 12 * 3_600_000) * 1000
        stop = np.where(stop <= time, stop + DAY_US, stop)
        never = (uniform(lasted) < p.never_reinstated) | np.isin(seller, closed)
        order = np.lexsort((seller, time))
        return Suspensions(seller[order], time[order], np.where(never, -1, stop)[order])

    def suspended(self, position: Ints, time: Ints | int) -> Bools:
        """Whether they were suspended at that moment."""
        seller, start, end = self._by_seller
        if not len(seller):
            return np.zeros(len(position), dtype=np.bool_)
        at = np.minimum(np.searchsorted(seller, position), len(seller) - 1)
        within: Bools = (seller[at] == position) & (start[at] <= time) & ((end[at] < 0) | (time < end[at]))
        return within

    @cached_property
    def _decided(self) -> tuple[Ints, Ints]:
        """Of each the moment from which an incident suspended them, and from which one set them free."""
        moments = {state: np.full(self._size, _NEVER_US) for state in ("suspended", "reinstated")}
        for seller, state, time in self._states:
            moments[state][seller] = min(int(moments[state][seller]), time)
        return moments["suspended"], moments["reinstated"]

    def barred(self, position: Ints, time: Ints) -> Bools:
        """Whether they may not sell at that moment: suspended and not set free by an incident, or suspended by one."""
        shut, freed = self._decided
        barred: Bools = (self.suspended(position, time) & (freed[position] > time)) | (shut[position] <= time)
        return barred

    def ever_barred(self, start: int, end: int) -> Bools:
        """Of all sellers, who may not sell at some moment of ``[start, end)``."""
        every = self.suspensions
        found: Bools = self._decided[0] < end
        found[every.seller[(every.start < end) & ((every.end < 0) | (every.end > start))]] = True
        return found

    def by_program(self, position: Ints) -> Bools:
        """Whether a program and no person decides on their suspension."""
        decided: Bools = uniform(self._chance["decided"](position)) < self._p.automatic_suspensions
        return decided

    def trading(self, position: Ints, day: int) -> Bools:
        """Whether they sell at the beginning of a day: they have begun and may."""
        return (self.since(position) <= day) & ~self.barred(position, np.full(len(position), day * DAY_US))

    def names(self, position: Ints) -> list[str]:
        """Brands: two words and a number, as so many have the same words."""
        first, second = np.divmod(below(self._chance["name"](position), len(_FIRST) * len(_SECOND)), len(_SECOND))
        number = position * self._back % self._size + 2
        return [
            f"{_FIRST[i]} {_SECOND[j]} {k}"
            for i, j, k in zip(first.tolist(), second.tolist(), number.tolist(), strict=True)
        ]

    def text(self, position: Ints) -> SellerText:
        """Their texts, for some tens of thousands at a time."""
        country = [COUNTRIES[i] for i in self.country(position).tolist()]
        lead = self.first_brand(position)
        name = self.names(position)
        company = [f"{brand} {_FORMS[where]}" for brand, where in zip(self.names(lead), country, strict=True)]
        place = self._chance["place"](self.shared(position, "address"))
        cities = below(place, len(CITIES)).tolist()
        streets, numbers = (
            below(place << np.uint64(16), len(STREETS)).tolist(),
            below(place << np.uint64(32), 180).tolist(),
        )
        boxes = ("info", "sales", "contact", "hello", "support")
        box = below(self._chance["email"](position), len(boxes)).tolist()
        return SellerText(
            code=self.codes(position),
            name=name,
            country=country,
            owner=_people(self._chance["owner"](lead)),
            company=company,
            bank=self._fingerprints(self.shared(position, "bank"), 1),
            device=self._fingerprints(self.shared(position, "device"), 2),
            street=[f"{1 + number} {STREETS[street]}" for number, street in zip(numbers, streets, strict=True)],
            city=[CITIES[i][0] for i in cities],
            email=[f"{boxes[i]}@{_domain(text)}" for i, text in zip(box, name, strict=True)],
        )

    def _fingerprints(self, position: Ints, what: int) -> list[str]:
        return [f"{value >> 16:012x}" for value in self._chance["fingerprint"](position, what).tolist()]

    @cached_property
    def _by_seller(self) -> tuple[Ints, Ints, Ints]:
        every = self.suspensions
        order = np.argsort(every.seller, kind="stable")
        return every.seller[order], every.start[order], every.end[order]

    def _slot(self, position: Ints) -> Ints:
        return (position * self._step + self._shift) % self._size

    def _at_slot(self, slot: Ints) -> Ints:
        return (slot - self._shift) % self._size * self._back % self._size

    def _brands(self, block: Ints) -> Ints:
        """How many of a block's sellers belong to one owner; 0 where none do."""
        hashes = self._chance["cluster"](block)
        linked = uniform(hashes) < self._p.sellers_linked * _BLOCK / _MEAN_BRANDS
        if self._p.sellers_linked > 0:  # a small company has an owner of several brands too
            linked |= block == self._likeliest
        linked &= block < self._size // _BLOCK
        return np.where(linked, 2 + picked(hashes << np.uint64(24), _BRANDS), 0)

    @cached_property
    def _likeliest(self) -> int:
        """The block that belongs to one owner before any other does."""
        return int(np.argmin(uniform(self._chance["cluster"](np.arange(max(1, self._size // _BLOCK))))))

    def _reopens(self, block: Ints) -> Bools:
        reopened: Bools = uniform(self._chance["cluster"](block, 1)) < self._p.clusters_reopened
        return reopened

    def _closed(self, block: Ints) -> Ints:
        """The day on which the first brand of a cluster that reopened was suspended for good."""
        first = self._p.start // DAY_US - self._p.history_days
        return first - 70 - below(self._chance["cluster"](block, 2), 240)


def _domain(name: str) -> str:
    return plain_ascii(name).replace(" ", "-") + ".example"


def _people(hashes: np.typing.NDArray[np.uint64]) -> list[str]:
    """Owners' names, each of one culture."""
    lists = [(given.split(), surname.split()) for given, surname in CULTURES.values()]
    culture = picked(hashes, cumulated(CULTURE_WEIGHTS)).tolist()
    first, last = uniform(hashes << np.uint64(20)).tolist(), uniform(hashes << np.uint64(40)).tolist()
    return [
        f"{lists[i][0][int(a * len(lists[i][0]))]} {lists[i][1][int(b * len(lists[i][1]))]}"
        for i, a, b in zip(culture, first, last, strict=True)
    ]
