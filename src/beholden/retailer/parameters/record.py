"""Every parameter of the simulated company in one record, with its bounds and where its value comes from.

`checked_parameters` makes the record. What staff, partners and programs do is in `work`, what goes wrong in
`incidents`.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from numbers import Integral
from types import MappingProxyType
from typing import Annotated, Any, Final

from beholden.core.errors import UsageError
from beholden.retailer.chance import DAY_US
from beholden.retailer.parameters.bounds import (
    AtScale,
    Bounds,
    Days,
    OneOf,
    PerDayAtScale,
    Range,
    Rate,
    Share,
    Weights,
    Yearly,
    check_fields,
    found_text,
    laws_of,
)
from beholden.retailer.parameters.presets import (
    CONTACT_REASONS,
    OF_PRESETS,
    ORDER_HOURS,
    PRESETS,
    WEEKDAYS_SUNDAY_FIRST,
)
from beholden.retailer.parameters.work import WorkParameters

__all__ = ["ARGUMENTS", "NO_CHANGES", "SHARED_OUT", "Parameters", "checked_parameters", "read_parameter"]

SCALE_MAX: Final = 100.0
#: Fields that builders give as arguments of their own.
ARGUMENTS: Final = ("preset", "scale", "seed", "days", "end")
#: Shares of one thing: together at most all of it.
SHARED_OUT: Final = (
    ("logged_late", "logged_for_colleague", "never_logged"),
    ("cover_logged_late", "cover_for_colleague"),
    ("seller_case_late", "seller_case_colleague", "seller_case_never"),
    ("assisted_resets", "assisted_deletions"),
    ("queries_own_tables", "queries_other_tables"),
    ("duplicate_lines", "late_lines"),
)
#: Nothing is set otherwise.
NO_CHANGES: Final[Mapping[str, object]] = MappingProxyType({})
#: Below this scale nothing may be larger, in proportion, than here: a small company of very many apps were a large one.
_SCALE_HELD: Final = 0.1
_AT_SCALE: Final = "_at_full_scale"
#: Hours in which the contact centre is open (`contacts`).
_OPEN: Final = slice(7, 22)
_SHOWN_MAX: Final = 40
_CUSTOMERS_MIN: Final = 1000
_TABLES_MAX: Final = 5000
_AGENTS_MAX: Final = 100_000
#: The window must lie within the years the product knows, with the customers' own history before it: 2000 to 2100.
_END: Final = Bounds(946_684_800_000_000, 4_102_444_800_000_000, whole=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters(WorkParameters):
    """What the company is like. "assumed" marks values without a published source.

    Raises:
        UsageError: a value lies outside its bounds, or some of them make no company together.
    """

    seed: Annotated[int, Bounds(0, 2**63 - 1, whole=True), "the same seed gives the same company"]
    scale: Annotated[float, Bounds(0.001, SCALE_MAX), "size; 1 is 3 million customers and 250,000 orders a day"]
    days: Annotated[int, Bounds(1, 400, whole=True), "length of the window whose events are simulated"]
    end: Annotated[int, _END, "microseconds, the midnight after the last day"]
    preset: Annotated[str, OneOf(PRESETS), "whose words are used, and what is otherwise in that company"] = "retailer"
    customers_at_full_scale: Annotated[AtScale, "active customers"] = 3_000_000
    orders_a_day_at_full_scale: Annotated[AtScale, "orders of an average day"] = 250_000
    sellers_at_full_scale: Annotated[AtScale, "sellers"] = 20_000
    sharing_an_address: Annotated[Share, "share of customers who live at one address with another one"] = 0.12
    history_days: Annotated[
        int, Bounds(1, 90, whole=True), "days of orders before the window: what the window's first contacts are about"
    ] = 14
    order_hours: Annotated[
        tuple[int, ...], Weights(24), "weights of the hours of the day (UTC), measured on a public retail data set"
    ] = ORDER_HOURS
    weekdays_sunday_first: Annotated[
        tuple[int, ...], Weights(7), "weights of the days of the week, measured on the same set"
    ] = WEEKDAYS_SUNDAY_FIRST
    day_level_cv: Annotated[
        float,
        Bounds(0.001, 2),
        "coefficient of variation of the Gamma that makes each day's level (measured on the same set)",
    ] = 0.15
    growth_a_year: Annotated[float, Bounds(-0.5, 2), "growth of orders; assumed"] = 0.1
    seller_rank_exponent: Annotated[
        float, Bounds(0, 3), "popularity falls with rank to the minus this (measured on the same set)"
    ] = 0.74
    seller_head: Annotated[
        float,
        Bounds(0, 1),
        "flatter among the first sellers, as a share of all: a pure power would give the top 1 and 10 % of them 25 and 52 % of items, not 19 and 57 %",
    ] = 0.0024
    seller_tail: Annotated[float, Bounds(0.01, 100), "steeper among the last ones, as a share of all"] = 0.66
    card_holders: Annotated[Share, "share of customers with a card on file; assumed"] = 0.8
    cards_shared: Annotated[Share, "share of customers whose card number stands with another one too; assumed"] = 0.006

    contacts_per_order: Annotated[float, Bounds(0.001, 1), "contacts an order (trade figures: 0.04 to 0.07)"] = 0.05
    contact_reasons: Annotated[
        tuple[int, ...],
        Weights(7),
        "weights of status, returns, refund, shipping, product, billing, other (trade figures)",
    ] = CONTACT_REASONS
    contact_lag_median_days: Annotated[float, Bounds(0.1, 40), "from the order to the contact (trade figures)"] = 3.0
    contact_lag_sigma: Annotated[float, Bounds(0.05, 3), "sigma of the lognormal law of that; assumed"] = 0.9
    supervisors_at_full_scale: Annotated[AtScale, "posts of supervisors"] = 15
    fraud_at_full_scale: Annotated[AtScale, "posts of fraud and trust staff"] = 12
    seller_support_at_full_scale: Annotated[AtScale, "posts of seller support; assumed"] = 40
    engineers_at_full_scale: Annotated[AtScale, "posts of engineers"] = 120
    analysts_at_full_scale: Annotated[AtScale, "posts of analysts: 40 data teams of four"] = 160
    service_accounts_at_full_scale: Annotated[AtScale, "accounts of programs"] = 60
    attrition_agents: Annotated[
        float, Bounds(0.001, 12), "agents who leave, of one post in a year: 0.35 to 0.43 (trade figures)"
    ] = 0.39
    attrition_others: Annotated[float, Bounds(0.001, 12), "the same of others; assumed"] = 0.12
    left_before_window: Annotated[Share, "share of posts whose holder changed in the months before; assumed"] = 0.1
    training_days: Annotated[Days, "days of training of a new agent, with a cohort; assumed"] = 14
    ramp_days: Annotated[Days, "days in which new agents view more: six weeks"] = 42
    ramp_views: Annotated[float, Bounds(0.1, 10), "how many times as many records they view"] = 1.5
    transferred: Annotated[Yearly, "moves to another team, of one of the staff in a year; assumed"] = 0.06
    renamed: Annotated[Yearly, "changes of name, of one of the staff in a year; assumed"] = 0.02
    transferred_min: Annotated[
        int, Bounds(0, 100, whole=True), "moves in each window of a week or more, however small the company; assumed"
    ] = 1
    renamed_min: Annotated[int, Bounds(0, 100, whole=True), "the same of changes of name; assumed"] = 1
    absent: Annotated[float, Bounds(0, 0.9), "share of working days: illness and holiday; assumed"] = 0.08
    staff_who_buy: Annotated[Share, "share of staff who are customers; assumed"] = 0.15
    contacts_an_agent_day: Annotated[
        int,
        Bounds(1, 200, whole=True),
        "contacts of an agent on a working day (trade figures); fewer where the smallest team would not have that many",
    ] = 60
    agents_min: Annotated[int, Bounds(2, 2000, whole=True), "agents of the smallest team"] = 8
    days_remembered: Annotated[int, Bounds(1, 400, whole=True), "days whose contacts are kept in memory"] = 6
    handling_sigma: Annotated[
        float,
        Bounds(0, 2),
        "sigma of the lognormal law of how long contacts last: form by Brown et al. 2005, sigma assumed",
    ] = 0.8
    views_per_contact_extra: Annotated[float, Bounds(0, 50), "a contact has 1 + Poisson(this) views; assumed"] = 2.2
    second_customer: Annotated[Share, "share of contacts that touch another customer too; assumed"] = 0.08

    logged_late: Annotated[
        Share,
        "share of contacts that are put on record afterwards; with second customers, reviews and call-backs this and the next two leave 90-94 % of accesses with a documented reason (Fabbri and LeFevre)",
    ] = 0.011
    logged_for_colleague: Annotated[Share, "share of contacts that are put on record under a colleague's name"] = 0.008
    never_logged: Annotated[Share, "share of contacts without a record"] = 0.006
    call_backs: Annotated[Share, "share of contacts after which the agent rings back; assumed"] = 0.035
    call_back_median_minutes: Annotated[
        float,
        Bounds(1, 1000),
        "from the contact to the call-back; hours, as a rule, and now and then a few minutes; assumed",
    ] = 100.0
    reviews_an_agent_month: Annotated[Rate, "contacts of each agent that supervisors replay in a month: 4 to 10"] = 7.0
    fraud_cases_a_day_at_full_scale: Annotated[PerDayAtScale, "cases of fraud staff; assumed"] = 300.0
    fraud_without_case: Annotated[Share, "share of what fraud staff look at without opening a case; assumed"] = 0.3
    case_hours: Annotated[
        tuple[int, int], Range(Bounds(1, 72, whole=True)), "hours for which a case of fraud staff stays open; assumed"
    ] = (2, 71)

    def __post_init__(self) -> None:
        """Check every value, then what they make together."""
        check_fields(self, {name: name for name in ARGUMENTS})
        _check_together(self)

    @property
    def start(self) -> int:
        """The first microsecond of the window."""
        return self.end - self.days * DAY_US

    @property
    def customers(self) -> int:
        """Active customers."""
        return round(self.customers_at_full_scale * self.scale)

    @property
    def canaries(self) -> int:
        """Customers who are nobody; never so few that finding one would be chance."""
        return max(5, round(self.canaries_at_full_scale * self.scale))

    @property
    def orders_a_day(self) -> float:
        """Orders of an average day."""
        return self.orders_a_day_at_full_scale * self.scale

    @property
    def sellers(self) -> int:
        """Sellers."""
        return max(20, round(self.sellers_at_full_scale * self.scale))

    @property
    def apps(self) -> int:
        """Apps of third parties; never so few that their developers could not be told apart."""
        return max(12, round(self.apps_at_full_scale * self.scale))

    @property
    def hosts(self) -> int:
        """Machines that serve the partner API, and as many that serve customers' accounts."""
        return math.ceil(self.hosts_at_full_scale * self.scale)

    @property
    def contacts_a_day(self) -> float:
        """Contacts of an average day."""
        return self.orders_a_day * self.contacts_per_order

    @property
    def agents(self) -> int:
        """Customer-service agents: five days in seven but for absences, each with a working day's contacts.

        Below a scale of about 0.03 the smallest team (``agents_min``) has less to do than that and each agent takes
        fewer contacts a day, so that tests still have colleagues to compare with.
        """
        at_work = 5 / 7 * (1 - self.absent)
        return max(self.agents_min, math.ceil(self.contacts_a_day / at_work / self.contacts_an_agent_day))

    @property
    def service_accounts(self) -> int:
        """Accounts of programs."""
        return max(8, round(self.service_accounts_at_full_scale * self.scale))

    @property
    def warehouse_tables(self) -> int:
        """Tables of the warehouse."""
        return round(self.warehouse_tables_at_full_scale * float(self.scale**self.warehouse_tables_exponent))

    @property
    def repositories(self) -> int:
        """Repositories of source."""
        return min(64, max(6, round(self.repositories_at_full_scale * self.scale)))

    def staff_of(self, role: str) -> int:
        """How many posts of a role there are at this scale."""
        if role == "agent":
            return self.agents
        at_full_scale, least = {
            "supervisor": (self.supervisors_at_full_scale, 1),
            "fraud": (self.fraud_at_full_scale, 2),
            "seller_support": (self.seller_support_at_full_scale, 3),
            "engineer": (self.engineers_at_full_scale, 6),
            "analyst": (self.analysts_at_full_scale, 6),
            "marketing": (40, 4),
            "privacy": (4, 1),
            "finance": (20, 2),
            "it": (30, 2),
        }[role]
        return max(least, round(at_full_scale * self.scale))


def _check_together(p: Parameters) -> None:
    """Raise `UsageError` for values that make no company together, or one that no machine could hold."""
    for names in SHARED_OUT:
        total = math.fsum(getattr(p, name) for name in names)
        if total > 1 + 1e-9:  # as tenths add up
            raise UsageError(f"parameters {', '.join(names)}", f"{total:g} together", expected="1 at most")
    for name, usual in _usual_at_full_scale().items():
        most = SCALE_MAX * usual / max(p.scale, _SCALE_HELD)
        if getattr(p, name) > most:
            expected = f"{most:,.0f} at most at scale {p.scale:g}"
            raise UsageError(f"parameter {name}", f"{getattr(p, name):,}", expected=expected)
    if not sum(p.order_hours[_OPEN]):
        raise UsageError("parameter order_hours", "nobody orders from 7 to 22 o'clock", expected="some who do")
    for name, found, what, least, most in (
        ("customers_at_full_scale", p.customers, "customers", _CUSTOMERS_MIN, math.inf),
        ("canaries_at_full_scale", p.canaries, "canary customers", 0, p.customers // 2),
        ("orders_a_day_at_full_scale", p.orders_a_day, "orders a day", 1, math.inf),
        ("hosts_at_full_scale", p.hosts, "hosts", 1, math.inf),
        ("warehouse_tables_at_full_scale", p.warehouse_tables, "tables", 1, _TABLES_MAX),
        ("contacts_an_agent_day", p.agents, "agents", 1, _AGENTS_MAX),
    ):
        if not least <= found <= most:
            text = f"{least:,} or more" if found < least else f"{most:,} at most"
            raise UsageError(f"parameter {name}", f"makes {found:,} {what} at scale {p.scale:g}", expected=text)


@cache
def _usual_at_full_scale() -> dict[str, float]:
    """The values at scale 1 of everything that grows with the scale."""
    usual: dict[str, Any] = {one.name: one.default for one in fields(Parameters)}
    return {name: float(value) for name, value in usual.items() if name.endswith(_AT_SCALE)}


def read_parameter(name: str, text: str) -> object:
    """The value of a parameter that a text stands for, the parts of a tuple with commas between them; not checked."""
    law = laws_of(Parameters).get(name)
    return text if law is None else law.read(text.split(","))


def checked_parameters(
    *, preset: str, scale: float, seed: int, days: int, end: int, changes: Mapping[str, object] = NO_CHANGES
) -> Parameters:
    """Parameters for the last ``days`` whole days before ``end``.

    Args:
        preset: the kind of company.
        scale: its size.
        seed: the same one gives the same company.
        days: length of the window.
        end: microseconds.
        changes: parameters that are otherwise than the preset has them, by name.

    Raises:
        UsageError: a parameter is unknown, or makes no company.
    """
    for name in changes:
        if name in ARGUMENTS:
            raise UsageError(
                f"parameter {name}", "cannot be changed like others", expected=f"--{name}, or the argument {name}"
            )
        if name not in laws_of(Parameters):
            # What has no form of a name might be anything, and is not repeated.
            told = f" {name[:_SHOWN_MAX]}" if isinstance(name, str) and name.isidentifier() else ""
            near = difflib.get_close_matches(told.strip(), laws_of(Parameters), 3)
            expected = (
                f"a name such as {', '.join(near)}" if near else "a name in docs/reference/meridian-parameters.md"
            )
            raise UsageError(f"parameter{told}", "is unknown", expected=expected)
    given: object = end  # a caller's types may be wrong
    if isinstance(given, bool) or not isinstance(given, Integral):
        raise UsageError("end", found_text(given), expected="a whole number, microseconds since 1970 (UTC)")
    if _END.checked(end) is None:
        found, expected = "lies outside 2000 to 2100", "a time in that range, in microseconds since 1970 (UTC)"
        raise UsageError("end", found, expected=expected)
    values: dict[str, Any] = {
        "preset": preset, "scale": scale, "seed": seed, "days": days, "end": end - end % DAY_US,
    }  # fmt: skip
    usual = OF_PRESETS.get(preset, {}) if isinstance(preset, str) else {}
    return Parameters(**values, **{**usual, **changes})
