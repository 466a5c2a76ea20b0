"""The customers: who they are, where they live, and with whom."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, Ints, iso, stream, weighted
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

__all__ = ["People", "PeopleText", "draw_name", "make_people", "plain_ascii"]

#: Customers joined over this many days before the first order.
_JOINED_DAYS: Final = 2200
_ADULT_DAYS: Final = 18 * 365
_AGE_SPAN_DAYS: Final = 62 * 365
#: Share of those at one address who also share the surname; assumed.
_HOUSEHOLD_SURNAME: Final = 0.8


@dataclass(frozen=True, slots=True)
class People:
    """Customers as columns; the customer at position ``i`` has the customer_id ``i + 1``.

    Texts are made a slice at a time (`text`), so that millions of customers fit in memory.
    """

    given: Ints
    surname: Ints
    house_number: Ints
    street: Ints
    city: Ints
    postal: Ints
    phone: Ints
    email: Ints  # form, domain and digits of the address in one number
    born: Ints  # days since 1970
    created: Ints  # microseconds
    housemate: Ints  # position of the one at the same address, or -1
    famous: Ints  # positions

    def __len__(self) -> int:
        return len(self.given)

    def text(self, start: int, stop: int) -> PeopleText:
        """The texts of the customers at positions ``[start, stop)``."""
        cut = slice(start, stop)
        given = [GIVEN[i] for i in self.given[cut].tolist()]
        surname = [SURNAMES[i] for i in self.surname[cut].tolist()]
        cities = [CITIES[i] for i in self.city[cut].tolist()]
        places = list(zip(cities, self.postal[cut].tolist(), strict=True))
        return PeopleText(
            customer_id=list(range(start + 1, start + 1 + len(given))),
            first_name=given,
            last_name=surname,
            email=[_email(*row) for row in zip(given, surname, self.email[cut].tolist(), strict=True)],
            phone=[_phone(city[1], n) for city, n in zip(cities, self.phone[cut].tolist(), strict=True)],
            street=[
                f"{number} {STREETS[street]}"
                for number, street in zip(self.house_number[cut].tolist(), self.street[cut].tolist(), strict=True)
            ],
            postal_code=[_postal_code(city[1], city[2], n) for city, n in places],
            city=[city[0] for city in cities],
            country=[city[1] for city in cities],
            date_of_birth=iso(self.born[cut] * DAY_US, "D"),
            created_at=iso(self.created[cut]),
        )


@dataclass(frozen=True, slots=True)
class PeopleText:
    """Some customers as a company's table holds them, in the order of its columns."""

    customer_id: list[int]
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


def make_people(parameters: Parameters) -> People:
    """Draw all customers."""
    rng = stream(parameters.seed, "people")
    n = parameters.customers
    given, surname = draw_name(rng, n)
    columns = {
        "house_number": rng.integers(1, 240, n),
        "street": rng.integers(0, len(STREETS), n),
        "city": weighted(rng, 1.0 / np.arange(1, len(CITIES) + 1) ** 0.5, n),
        "postal": rng.integers(0, 10_000, n),
    }
    housemate = np.full(n, -1, dtype=np.int64)
    pairs = round(n * parameters.sharing_an_address / 2)
    one, other = rng.permutation(n)[: 2 * pairs].reshape(2, pairs)
    housemate[one], housemate[other] = other, one
    for column in columns.values():
        column[other] = column[one]
    same_name = rng.random(pairs) < _HOUSEHOLD_SURNAME
    surname[other[same_name]] = surname[one[same_name]]
    famous = rng.choice(np.flatnonzero(housemate < 0), len(FAMOUS), replace=False)
    given[famous] = np.arange(len(GIVEN) - len(FAMOUS), len(GIVEN))
    surname[famous] = np.arange(len(SURNAMES) - len(FAMOUS), len(SURNAMES))
    before = parameters.start - parameters.history_days * DAY_US
    return People(
        given=given,
        surname=surname,
        **columns,
        phone=rng.integers(0, 1_000_000, n),
        email=rng.integers(0, 1_000_000, n),
        born=before // DAY_US - _ADULT_DAYS - rng.integers(0, _AGE_SPAN_DAYS, n),
        created=np.sort(before - rng.integers(0, _JOINED_DAYS * 86_400, n) * 1_000_000),
        housemate=housemate,
        famous=famous,
    )


def draw_name(rng: np.random.Generator, size: int) -> tuple[Ints, Ints]:
    """Positions of given names and surnames, of one culture for each person; some names are far commoner than others."""
    culture = weighted(rng, CULTURE_WEIGHTS, size)
    given = np.empty(size, dtype=np.int64)
    surname = np.empty(size, dtype=np.int64)
    given_at = surname_at = 0
    for number, (givens, surnames) in enumerate(CULTURES.values()):
        here = np.flatnonzero(culture == number)
        for column, offset, count in (
            (given, given_at, len(givens.split())),
            (surname, surname_at, len(surnames.split())),
        ):
            column[here] = offset + weighted(rng, 1.0 / np.arange(1, count + 1) ** 0.6, len(here))
        given_at += len(givens.split())
        surname_at += len(surnames.split())
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
