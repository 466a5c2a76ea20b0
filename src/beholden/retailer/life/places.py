"""Where everybody works from on a day: office or home, abroad now and then, on which device, behind which address."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from beholden.retailer.chance import Bools, Chance, Ints, below, cumulated, picked, uniform
from beholden.retailer.render import Text, lines
from beholden.retailer.words import words_of
from beholden.retailer.world import World

__all__ = [
    "CARRIERS",
    "CARRIERS_SHARED",
    "COUNTRIES",
    "PHONES",
    "PHONES_SHARED",
    "Names",
    "Places",
    "address",
    "are_shared",
    "dotted",
    "dotted_pieces",
    "identity_name",
    "identity_names",
    "places_on",
]

#: Texts as a column that events carry.
Names = npt.NDArray[np.object_]

#: Countries of the company's sites, then those that people travel to.
COUNTRIES: Final = ("US", "GB", "DE", "FR", "ES", "IT", "PT", "IN", "JP", "BR", "MX", "TR", "AE", "SG")
_SITES: Final = cumulated((62, 20, 12, 6))
_SITE_COUNT: Final = 4
_IN_CENTRE: Final = frozenset({"agent", "supervisor", "seller_support"})
_CARRIER_ADDRESSES: Final = 48
#: Addresses of carriers with many behind each: homes', customers', phones'.
CARRIERS_SHARED: Final = 2048
PHONES_SHARED: Final = 200


@dataclass(frozen=True, slots=True)
class Places:
    """One entry for each identity (`Grants.identities`)."""

    address: Ints
    country: Ints  # of `COUNTRIES`
    device: Names  # hostnames


def address(text: str) -> int:
    """An IPv4 address as a number."""
    value = 0
    for part in text.split("."):
        value = value << 8 | int(part)
    return value


def dotted(addresses: Ints) -> pa.Array:
    """Addresses as texts."""
    return lines(*dotted_pieces(addresses))


def dotted_pieces(addresses: Ints) -> tuple[Text, Text]:
    """The same in pieces, for a line that goes on."""
    first, last = _halves()
    return first.take(pa.array(addresses >> 16)), last.take(pa.array(addresses & 0xFFFF))


@cache
def _halves() -> tuple[pa.Array, pa.Array]:
    """The two halves of all addresses, the first with the dot behind it."""
    texts = [f"{i >> 8}.{i & 255}" for i in range(1 << 16)]
    return pa.array([f"{text}." for text in texts]), pa.array(texts)


#: Home and travel addresses come from ranges kept for tests, documentation and carriers.
_HOMES: Final = address("198.18.0.0")
CARRIERS: Final = address("100.64.0.0")
PHONES: Final = address("100.96.0.0")
_HOTELS: Final = address("203.0.113.0")


def are_shared(addresses: Ints) -> Bools:
    """Which of these have many strangers behind them."""
    home = (addresses >= CARRIERS) & (addresses < CARRIERS + CARRIERS_SHARED)
    shared: Bools = home | (addresses >= PHONES) & (addresses < PHONES + PHONES_SHARED)
    return shared


@lru_cache(maxsize=128)
def places_on(world: World, day: int) -> Places:
    """Where everybody is on that day, at work or not."""
    p, staff = world.parameters, world.staff
    count, whole = len(staff), len(world.grants.identities)
    who = np.arange(whole)
    office = np.array(
        [address(text) for text in staff.addresses] + [address("10.60.9.9")] * (whole - len(staff.addresses))
    )
    mobile = np.zeros(whole, dtype=np.bool_)
    mobile[:count] = [member.role_on(day) not in _IN_CENTRE for member in staff.members]
    home, week = Chance(p.seed, "home"), Chance(p.seed, "travel")
    abroad = mobile & (uniform(week(who, day // 7)) < p.travelling)
    remote = abroad | (mobile & (uniform(home(who, day)) < p.home_office))
    house = home(who)
    homes = np.where(
        uniform(house << np.uint64(20)) < p.homes_behind_carriers,
        CARRIERS + below(house, _CARRIER_ADDRESSES),
        _HOMES + below(house, 1 << 17),
    )
    where = np.where(abroad, _HOTELS + 1 + below(week(who, day, 1), 254), np.where(remote, homes, office))
    away = _SITE_COUNT + below(week(who, day // 7, 2), len(COUNTRIES) - _SITE_COUNT)
    site = np.where(mobile, picked(house << np.uint64(40), _SITES), 0)
    names: Any = np.array(world.devices.hostnames, dtype=object)
    used = world.devices.used_by(day)
    devices = np.concatenate([names[used], names[used[-1:]].repeat(whole - len(used))])
    return Places(where, np.where(abroad, away, site), devices)


def identity_name(world: World, who: int, day: int) -> str:
    """What logs call one identity on a day."""
    people, services = len(world.staff), len(world.staff.services)
    if who < people:
        return world.staff.members[who].login_on(day)
    if who < people + services:
        return words_of(world.parameters.preset).told(world.staff.services[who - people])
    return world.grants.identities[who]


def identity_names(world: World, day: int) -> list[str]:
    """What logs call every identity on a day, idle accounts included, by position."""
    names = world.staff.logins(day)
    return [*names, *world.grants.identities[len(names) :]]
