"""Every parameter of the simulated company in one record, with where its value comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from beholden.core.errors import UsageError
from beholden.retailer.chance import DAY_US

__all__ = ["ORDER_HOURS", "PRESETS", "WEEKDAYS_SUNDAY_FIRST", "Parameters", "checked_parameters"]

PRESETS: Final = ("retailer",)
SCALE_MIN: Final = 0.001
SCALE_MAX: Final = 1.0
DAYS_MAX: Final = 92
SEED_MAX: Final = 2**63 - 1
#: The window must lie within the years the product knows, with the customers' own history before it.
_END_MIN: Final = 946_684_800_000_000  # 2000-01-01
_END_MAX: Final = 4_102_444_800_000_000  # 2100-01-01

#: Orders by hour of day (UTC) and by weekday, measured on a public retail data set.
ORDER_HOURS: Final = (
    251, 118, 66, 31, 22, 19, 36, 113, 300, 475, 628, 677, 601, 711, 625, 633, 622, 640, 573, 560, 608, 657, 578, 456,
)  # fmt: skip
WEEKDAYS_SUNDAY_FIRST: Final = (1240, 1596, 1501, 1434, 1483, 1635, 1111)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the company is like. "assumed" marks values without a published source."""

    seed: int
    scale: float
    days: int
    end: int  # microseconds, the midnight after the last day

    customers_at_full_scale: int = 3_000_000
    orders_a_day_at_full_scale: int = 250_000
    sellers_at_full_scale: int = 20_000
    sharing_an_address: float = 0.12  # share of customers
    history_days: int = 14  # of orders before the window: what the window's first contacts are about
    day_level_cv: float = 0.15  # of the Gamma that makes each day's level
    seller_rank_exponent: float = 0.74  # popularity is rank to the minus this
    card_holders: float = 0.8  # share of customers with a card on file; assumed

    contacts_per_order: float = 0.05  # trade figures: 0.04 to 0.07
    contact_lag_median_days: float = 3.0  # trade figures
    contact_lag_sigma: float = 0.9  # assumed
    contacts_an_agent_day: int = 60  # trade figures; fewer where the smallest team would not have that many
    agents_min: int = 8
    handling_sigma: float = 0.8  # lognormal form: Brown et al. 2005; sigma assumed
    views_per_contact_extra: float = 2.2  # a contact has 1 + Poisson(this) views; assumed
    second_customer: float = 0.08  # share of contacts that touch another customer too; assumed

    logged_late: float = 0.008  # shares of contacts whose record does not cover what was done;
    logged_for_colleague: float = 0.006  # with second customers, reviews and call-backs this leaves 90-94 % of
    never_logged: float = 0.003  # accesses with a documented reason (Fabbri and LeFevre)
    call_backs: float = 0.012  # share of contacts; assumed
    reviews_an_agent_month: float = 7.0  # supervisors replay 4 to 10 contacts of each agent a month
    fraud_cases_a_day_at_full_scale: float = 300.0  # assumed
    fraud_without_case: float = 0.3  # share of what fraud staff look at without opening a case; assumed

    duplicate_lines: float = 0.02
    late_lines: float = 0.005
    ticket_noted: float = 0.85  # share of views whose log line carries the ticket; assumed

    @property
    def start(self) -> int:
        """The first microsecond of the window."""
        return self.end - self.days * DAY_US

    @property
    def customers(self) -> int:
        """Active customers."""
        return round(self.customers_at_full_scale * self.scale)

    @property
    def orders_a_day(self) -> float:
        """Orders of an average day."""
        return self.orders_a_day_at_full_scale * self.scale

    @property
    def sellers(self) -> int:
        """Sellers."""
        return max(20, round(self.sellers_at_full_scale * self.scale))

    @property
    def contacts_a_day(self) -> float:
        """Contacts of an average day."""
        return self.orders_a_day * self.contacts_per_order

    @property
    def agents(self) -> int:
        """Customer-service agents: five days in seven, each with a working day's contacts.

        Below a scale of about 0.03 the smallest team (``agents_min``) has less to do than that and each agent takes
        fewer contacts a day, so that tests still have colleagues to compare with.
        """
        return max(self.agents_min, math.ceil(self.contacts_a_day * 7 / 5 / self.contacts_an_agent_day))

    @property
    def working_days_of_agents(self) -> float:
        """Agent-days worked in the window."""
        return self.agents * self.days * 5 / 7

    def staff(self, at_full_scale: float, least: int) -> int:
        """How many people of a role there are at this scale."""
        return max(least, round(at_full_scale * self.scale))


def checked_parameters(*, preset: str, scale: float, seed: int, days: int, end: int) -> Parameters:
    """Parameters for the last ``days`` whole days before ``end``; raises `UsageError` for what makes no company."""
    if preset not in PRESETS:
        raise UsageError("preset", f"'{preset[:40]}' is unknown", expected="one of: " + ", ".join(PRESETS))
    if not SCALE_MIN <= scale <= SCALE_MAX:  # also false for NaN
        raise UsageError("scale", f"{scale:g}", expected=f"{SCALE_MIN:g} to {SCALE_MAX:g} (1 is 3 million customers)")
    if not 1 <= days <= DAYS_MAX:
        raise UsageError("days", str(days)[:40], expected=f"1 to {DAYS_MAX}")
    if not 0 <= seed <= SEED_MAX:
        raise UsageError("seed", str(seed)[:40], expected="a whole number from 0")
    if not _END_MIN <= end <= _END_MAX:
        raise UsageError("end", "lies outside 2000 to 2100", expected="a time in that range")
    return Parameters(seed=seed, scale=scale, days=days, end=end - end % DAY_US)
