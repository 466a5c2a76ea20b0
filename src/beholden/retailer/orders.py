"""Orders and sellers, by the sourced laws of hour, weekday, day level and seller popularity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, Floats, Ints, hours, lognormal, stream, weighted
from beholden.retailer.parameters import ORDER_HOURS, WEEKDAYS_SUNDAY_FIRST, Parameters

__all__ = ["STATUSES", "Orders", "make_orders"]

STATUSES: Final = ("placed", "paid", "shipped", "delivered", "returned", "cancelled")
_STATUS_WEIGHTS: Final = (2, 3, 12, 74, 6, 3)
#: How unequal customers are: shape of the Gamma of their order rates; assumed.
_CUSTOMER_SHAPE: Final = 0.7
_LINES_EXTRA: Final = 0.6  # an order has 1 + Poisson(this) lines; assumed


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders in the order of time, history before the window included; order_id is ``first_id`` + position."""

    first_id: int
    customer: Ints  # positions
    seller: Ints  # from 0
    time: Ints
    cents: Ints
    status: Ints
    lines: Ints

    def __len__(self) -> int:
        return len(self.time)


def make_orders(parameters: Parameters) -> Orders:
    """Draw every day's orders."""
    rng = stream(parameters.seed, "orders")
    first_day = parameters.start // DAY_US - parameters.history_days
    days = np.arange(first_day, parameters.end // DAY_US)
    # 1970-01-01 was a Thursday, the fifth day of a week that begins on Sunday.
    weekday = np.asarray(WEEKDAYS_SUNDAY_FIRST, dtype=np.float64)[(days + 4) % 7] / np.mean(WEEKDAYS_SUNDAY_FIRST)
    shape = parameters.day_level_cv**-2
    level = rng.gamma(shape, 1 / shape, len(days))
    counts = rng.poisson(parameters.orders_a_day * weekday * level)
    n = int(counts.sum())
    time = np.sort(np.repeat(days * DAY_US, counts) + hours(rng, ORDER_HOURS, n))
    appetite: Floats = rng.gamma(_CUSTOMER_SHAPE, 1.0, parameters.customers)
    popularity = 1.0 / np.arange(1, parameters.sellers + 1) ** parameters.seller_rank_exponent
    return Orders(
        first_id=40_000_001,
        customer=weighted(rng, appetite, n),
        seller=weighted(rng, popularity, n),
        time=time,
        cents=np.maximum(99, lognormal(rng, 3200.0, 0.9, n)).astype(np.int64),
        status=weighted(rng, _STATUS_WEIGHTS, n),
        lines=1 + rng.poisson(_LINES_EXTRA, n),
    )
