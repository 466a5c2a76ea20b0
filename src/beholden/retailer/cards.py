"""Payment cards: numbers that pass the Luhn check, from the ranges that card schemes keep for testing."""

from __future__ import annotations

from math import gcd
from typing import Final

import numpy as np

from beholden.retailer.chance import Bools, Chance, Ints, below, uniform
from beholden.retailer.parameters import Parameters
from beholden.retailer.people import People

__all__ = ["FIRST_CARD_ID", "Cards", "luhn_digits"]

FIRST_CARD_ID: Final = 700_001
#: First six digits; all give numbers of sixteen digits.
_TEST_PREFIXES: Final = np.array(
    [411111, 424242, 400005, 401288, 555555, 510510, 520082, 222300, 601111, 353011], dtype=np.int64
)


class Cards:
    """Cards on file, by the position of the customer who holds one; the id follows the position."""

    def __init__(self, parameters: Parameters, people: People) -> None:
        self._p = parameters
        self._people = people
        self._held, self._number, self._expiry = (
            Chance(parameters.seed, f"card {what}") for what in ("held", "number", "expiry")
        )
        n = len(people)
        self._pairs = max(4, round(n * parameters.cards_shared / 2))
        self._mirror = int(below(Chance(parameters.seed, "card mirror")(0), n)[0])
        self._step = next(step for step in range(int(n * 0.6180339887) | 1, 2 * n, 2) if gcd(step, n) == 1)
        self._unstep = pow(self._step, -1, n)

    def has_card(self, customer: Ints) -> Bools:
        """Whether the customer has one on file."""
        return uniform(self._held(customer)) < self._p.card_holders

    def card_id(self, customer: Ints) -> Ints:
        """The id of the customer's card."""
        return FIRST_CARD_ID + customer

    def number(self, customer: Ints) -> Ints:
        """Sixteen digits. A few numbers stand with two customers: what fraud staff look at."""
        owner = self._owner(customer)
        hashes = self._number(owner)
        body = _TEST_PREFIXES[below(hashes, len(_TEST_PREFIXES))] * 10**9 + below(hashes << np.uint64(20), 10**9)
        return body * 10 + luhn_digits(body)

    def expiry_month(self, customer: Ints) -> Ints:
        """Months after the start of the window."""
        return 1 + below(self._expiry(customer), 59)

    def shared_with(self, customer: Ints) -> Ints:
        """The position of the customer with the same card number, or -1."""
        other = (self._mirror - customer) % len(self._people)
        first, second = self._rank(customer) < self._pairs, self._rank(other) < self._pairs
        both = (first != second) & self.has_card(customer) & self.has_card(other)
        return np.where(both, other, -1)

    def shared_pairs(self, day: int, count: int) -> Ints:
        """Up to ``count`` distinct pairs of customers with one card number, other ones each day: two rows."""
        n = len(self._people)
        drawn = below(Chance(self._p.seed, "shared pairs")(day, np.arange(3 * count + 16)), max(1, self._pairs))
        rank = drawn[np.sort(np.unique(drawn, return_index=True)[1])]
        one = (rank * self._step) % n
        other = self.shared_with(one)
        return np.stack([one[other >= 0], other[other >= 0]])[:, :count]

    def _rank(self, customer: Ints) -> Ints:
        """A permutation of the customers; the first of them share a number with their mirror image."""
        return (customer * self._unstep) % len(self._people)

    def _owner(self, customer: Ints) -> Ints:
        other = self.shared_with(customer)
        return np.where(other >= 0, np.minimum(customer, other), customer)


def luhn_digits(body: Ints) -> Ints:
    """The check digit that makes each number pass the Luhn check when appended."""
    total = np.zeros_like(body)
    rest = body.copy()
    doubled = True
    while rest.any():
        rest, digit = np.divmod(rest, 10)
        if doubled:
            digit = digit * 2
            digit -= 9 * (digit > 9)
        total += digit
        doubled = not doubled
    return -total % 10
