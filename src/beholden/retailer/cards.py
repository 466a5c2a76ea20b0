"""Payment cards: numbers that pass the Luhn check, from the ranges that card schemes keep for testing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from beholden.retailer.chance import Ints, stream
from beholden.retailer.parameters import Parameters

__all__ = ["Cards", "luhn_digits", "make_cards"]

#: First six digits; all give numbers of sixteen digits.
_TEST_PREFIXES: Final = (411111, 424242, 400005, 401288, 555555, 510510, 520082, 222300, 601111, 353011)
#: Cards that are on file with several customers: what fraud staff look at. Pairs per 10,000 cards; assumed.
_SHARED_PER_10K: Final = 40


@dataclass(frozen=True, slots=True)
class Cards:
    """Cards on file; card_id follows the position. ``shared`` lists groups of customers with one number."""

    customer: Ints  # positions
    number: Ints
    expiry_month: Ints  # months after the start of the window
    shared: Ints  # two rows: customer, other customer

    def __len__(self) -> int:
        return len(self.customer)


def make_cards(parameters: Parameters) -> Cards:
    """Draw the cards on file; some numbers stand with two customers."""
    rng = stream(parameters.seed, "cards")
    customer = np.flatnonzero(rng.random(parameters.customers) < parameters.card_holders).astype(np.int64)
    n = len(customer)
    prefix = np.asarray(_TEST_PREFIXES, dtype=np.int64)[rng.integers(0, len(_TEST_PREFIXES), n)]
    body = prefix * 10**9 + rng.integers(0, 10**9, n)
    number = body * 10 + luhn_digits(body)
    pairs = max(4, n * _SHARED_PER_10K // 10_000)
    one, other = rng.permutation(n)[: 2 * pairs].reshape(2, pairs)
    number[other] = number[one]
    return Cards(customer, number, rng.integers(1, 60, n), np.stack([customer[one], customer[other]]))


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
