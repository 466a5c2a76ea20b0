"""The customers: who they are, where they live, and with whom. Found by position, never drawn all at once."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, Bools, Chance, Floats, Ints, Rng, below, cumulated, iso, picked, uniform
from beholden.retailer.name_lists import (
    CITIES,
    CULTURE_WEIGHTS,
    CULTURES,
    EMAIL_DOMAINS,
    FAMOUS,
    GIVEN,
    STREETS,
    SURNAMES,
)
from beholden.retailer.parameters import Parameters

__all__ = ["People", "PeopleText", "draw_name", "plain_ascii"]

#: Customers joined over this many days before the first order.
_JOINED_DAYS: Final = 2200
_ADULT_DAYS: Final = 18 * 365
_AGE_SPAN_DAYS: Final = 62 * 365
#: Share of those at one address who also share the surname; assumed.
_HOUSEHOLD_SURNAME: Final = 0.8
_PRIME: Final = 2_654_435_761  # of the multiplication that spreads ranks over positions


class People:
    """Customers by position; the customer at position ``i`` has the number ``i + 1``.

    Everything about them is a hash of their position: a company of thirty million takes no more memory than one of
    thirty thousand.
    """

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        seed, n = parameters.seed, parameters.customers
        self._size = n
        self._chance = {
            what: Chance(seed, f"customer {what}")
            for what in ("culture", "given", "surname", "place", "house", "household", "phone", "email", "dates")
        }
        self._culture = cumulated(CULTURE_WEIGHTS)
        self._cities = cumulated(1.0 / np.arange(1, len(CITIES) + 1) ** 0.5)
        self._mirror = int(below(Chance(seed, "household mirror")(0), n)[0])
        self._step = next(step for step in range(_PRIME % n | 1, 2 * n + 2, 2) if np.gcd(step, n) == 1)
        drawn = below(Chance(seed, "famous")(np.arange(8 * len(FAMOUS))), n)
        self.famous: Ints = drawn[np.sort(np.unique(drawn, return_index=True)[1])][: len(FAMOUS)]

    def __len__(self) -> int:
        return self._size

    def by_rank(self, share: Floats) -> Ints:
        """Positions by rank: the same share is always the same customer, and neighbours in rank live far apart."""
        rank = np.minimum((share * self._size).astype(np.int64), self._size - 1)
        return (rank * self._step + self._mirror) % self._size

    def housemate(self, position: Ints) -> Ints:
        """The position of the other one at the same address, or -1."""
        other = (self._mirror - position) % self._size
        together = uniform(self._chance["household"](np.minimum(position, other)))
        alone = (together >= self._parameters.sharing_an_address) | (other == position)
        alone |= np.isin(position, self.famous) | np.isin(other, self.famous)
        return np.where(alone, -1, other)

    def names(self, position: Ints) -> tuple[Ints, Ints]:
        """Positions of given name and surname in the lists."""
        mate = self.housemate(position)
        elder = np.where((mate >= 0) & (mate < position), mate, position)
        same = uniform(self._chance["surname"](elder)) < _HOUSEHOLD_SURNAME
        named = np.where(same, elder, position)  # whose culture and surname it is
        culture = picked(self._chance["culture"](named), self._culture)
        given = np.empty(len(position), dtype=np.int64)
        surname = np.empty(len(position), dtype=np.int64)
        own, family = uniform(self._chance["given"](position)), uniform(self._chance["surname"](named + self._size))
        for number, lists in enumerate(_LISTS):
            here = culture == number
            given[here] = lists.first_given + np.searchsorted(lists.given, own[here], side="right")
            surname[here] = lists.first_surname + np.searchsorted(lists.surname, family[here], side="right")
        at = np.flatnonzero(np.isin(position, self.famous))
        if len(at):
            rank = np.searchsorted(np.sort(self.famous), position[at])
            which = np.argsort(self.famous)[rank]
            given[at] = len(GIVEN) - len(FAMOUS) + which
            surname[at] = len(SURNAMES) - len(FAMOUS) + which
        return given, surname

    def joined(self, position: Ints) -> Ints:
        """When they became customers (microseconds): later numbers joined later."""
        before = self._parameters.start - self._parameters.history_days * DAY_US
        share = (position + uniform(self._chance["dates"](position))) / self._size
        return before - ((1 - share) * _JOINED_DAYS * 86_400).astype(np.int64) * 1_000_000

    def _home(self, position: Ints) -> Ints:
        """Who stands for the address: the lower position of those who share it."""
        mate = self.housemate(position)
        return np.where((mate >= 0) & (mate < position), mate, position)

    def live_in(self, country: str, position: Ints) -> Bools:
        """Who of them lives in a country."""
        inside = np.array([where == country for _, where, *_ in CITIES])
        there: Bools = inside[picked(self._chance["place"](self._home(position)), self._cities)]
        return there

    def text(self, position: Ints) -> PeopleText:
        """Their texts, for some tens of thousands at a time."""
        given_at, surname_at = self.names(position)
        given = [GIVEN[i] for i in given_at.tolist()]
        surname = [SURNAMES[i] for i in surname_at.tolist()]
        home = self._home(position)
        place, house = self._chance["place"](home), self._chance["house"](home)
        cities = [CITIES[i] for i in picked(place, self._cities).tolist()]
        streets = below(house, len(STREETS)).tolist()
        numbers = (1 + below(house << np.uint64(24), 239)).tolist()
        postal = below(place << np.uint64(24), 10_000).tolist()
        email = below(self._chance["email"](position), 1_000_000).tolist()
        phone = below(self._chance["phone"](position), 1_000_000).tolist()
        joined = self.joined(position)
        ages = below(self._chance["dates"](position) << np.uint64(20), _AGE_SPAN_DAYS)
        born = self._parameters.start // DAY_US - _ADULT_DAYS - _JOINED_DAYS - ages
        return PeopleText(
            first_name=given,
            last_name=surname,
            email=[_email(*row) for row in zip(given, surname, email, strict=True)],
            phone=[_phone(city[1], number) for city, number in zip(cities, phone, strict=True)],
            street=[f"{number} {STREETS[street]}" for number, street in zip(numbers, streets, strict=True)],
            postal_code=[_postal_code(city[1], city[2], n) for city, n in zip(cities, postal, strict=True)],
            city=[city[0] for city in cities],
            country=[city[1] for city in cities],
            date_of_birth=iso(born * DAY_US, "D"),
            created_at=iso(joined),
        )


@dataclass(frozen=True, slots=True)
class PeopleText:
    """Some customers' texts, column by column."""

    first_name: list[str]
    last_name: list[str]
    email: list[str]
    phone: list[str]
    street: list[str]
    postal_code: list[str]
    city: list[str]
    country: list[str]
    date_of_birth: list[str]
    created_at: list[str]


@dataclass(frozen=True, slots=True)
class _Lists:
    """The names of one culture: where they begin in the long lists, and the edges of their weights."""

    first_given: int
    first_surname: int
    given: Floats
    surname: Floats


def _culture_lists() -> tuple[_Lists, ...]:
    found = []
    given = surname = 0
    for givens, surnames in CULTURES.values():
        counts = len(givens.split()), len(surnames.split())
        edges = [cumulated(1.0 / np.arange(1, count + 1) ** 0.6)[:-1] for count in counts]
        found.append(_Lists(given, surname, *edges))
        given, surname = given + counts[0], surname + counts[1]
    return tuple(found)


_LISTS: Final = _culture_lists()


def draw_name(rng: Rng, size: int) -> tuple[Ints, Ints]:
    """Positions of given names and surnames, of one culture for each person; some names are far commoner than others."""
    culture = np.searchsorted(cumulated(CULTURE_WEIGHTS), rng.random(size), side="right")
    own, family = rng.random(size), rng.random(size)
    given = np.empty(size, dtype=np.int64)
    surname = np.empty(size, dtype=np.int64)
    for number, lists in enumerate(_LISTS):
        here = culture == number
        given[here] = lists.first_given + np.searchsorted(lists.given, own[here], side="right")
        surname[here] = lists.first_surname + np.searchsorted(lists.surname, family[here], side="right")
    return given, surname


@cache
def plain_ascii(name: str) -> str:
    """A name as it stands in an address or a log-in: lower case, without accents."""
    return unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()


def _email(given: str, surname: str, number: int) -> str:
    first, last = plain_ascii(given), plain_ascii(surname)
    form, rest = number % 4, number // 4
    domain, digits = EMAIL_DOMAINS[rest % len(EMAIL_DOMAINS)], rest // len(EMAIL_DOMAINS)
    local = (f"{first}.{last}{digits % 100}", f"{first[0]}{last}{digits % 1000}", f"{first}{digits}",
             f"{last}_{first}{digits % 100:02d}")[form]  # fmt: skip
    return f"{local}@{domain}"


def _phone(country: str, number: int) -> str:
    """A number from the ranges that the countries' regulators keep for fiction."""
    if country == "US":
        return f"+1 {201 + number // 100 % 780}-555-01{number % 100:02d}"
    if country == "GB":
        return f"+44 7700 900{number % 1000:03d}" if number % 2 else f"+44 20 7946 0{number % 1000:03d}"
    if country == "DE":
        return f"+49 30 23125{number % 1000:03d}"
    return f"+33 6 39 98 {number // 100 % 100:02d} {number % 100:02d}"


def _postal_code(country: str, prefix: str, number: int) -> str:
    if country == "US":
        return f"{prefix}{number % 100:02d}"
    if country == "GB":
        return f"{prefix}{number % 20 + 1} {number // 20 % 9 + 1}{'ABDEFGHJLN'[number % 10]}{'PQRSTUWXYZ'[number // 10 % 10]}"
    return f"{prefix}{number % 1000:03d}"
