"""What data teams keep in the warehouse: marts of their own, and copies of what others keep, documented and not.

Copies are renamed, cut, hashed, stale, copies of copies: what becomes of a warehouse when everybody can write to it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, Ints, Rng, iso, stream
from beholden.retailer.parameters import Parameters
from beholden.retailer.table_forms import Table, derived, feed_of
from beholden.retailer.words import words_of

__all__ = ["team_tables"]

_TOPICS: Final = [
    "pricing",
    "loyalty",
    "fulfilment",
    "returns",
    "search",
    "churn",
    "growth",
    "catalogue",
    "delivery",
    "campaign",
    "forecast",
    "basket",
    "retention",
    "ads",
    "seller_risk",
    "claims",
    "service",
    "quality",
    "margin",
    "stock",
    "referral",
    "onboarding",
    "email",
    "push",
    "region",
    "grocery",
    "media",
    "tax",
    "giftcard",
    "survey",
    "checkout",
    "mobile",
    "partners",
    "freight",
    "refunds",
    "assortment",
    "wholesale",
    "reviews",
    "payments_ops",
    "planning",
]

_DAY: Final = "cast(f.ordered_at as date) as day @ date day"
_ORDERS: Final = "count(*) as orders @ integer count"
_REVENUE: Final = "sum(f.amount) as revenue"
_BUYERS: Final = "count(distinct f.customer_id) as customers @ integer count"
_FACT_CUSTOMER: Final = "fact_order f join dim_customer c on c.customer_id = f.customer_id"
_FACT_SELLER: Final = "fact_order f join dim_seller s on s.seller_id = f.seller_id"

#: name (with the topic), grain, form, sources, relation, where, time of an append, grouped, columns.
_MARTS: Final = (
    ("mart_{}_daily", "day", "append", "f=fact_order", "", "", "f.ordered_at", 1, (_DAY, _ORDERS, _REVENUE, _BUYERS)),
    ("mart_{}_by_country", "group", "replace", "f=fact_order c=dim_customer", _FACT_CUSTOMER, "", "", 2,
     ("c.country", "c.segment", _ORDERS, _REVENUE)),
    ("mart_{}_by_seller", "seller", "ctas", "f=fact_order s=dim_seller", _FACT_SELLER, "f.status_code < 60", "", 2,
     ("s.seller_id", "s.seller_name", _ORDERS, _REVENUE, "max(f.ordered_at) as last_order_at")),
    ("mart_{}_value", "buyer", "ctas", "f=fact_order c=dim_customer", _FACT_CUSTOMER, "", "", 3,
     ("c.customer_id", "c.segment", "c.city", _ORDERS, _REVENUE)),
    ("mart_{}_outreach", "buyer", "replace", "c=dim_customer a=agg_customer_order",
     "dim_customer c join agg_customer_order a on a.customer_id = c.customer_id", "a.orders > 1", "", 0,
     ("c.customer_id", "c.full_name", "c.email", "c.country", "a.orders", "a.revenue")),
    ("mart_{}_parcels", "group", "replace", "s=shipment", "", "", "", 2,
     ("s.carrier", "s.parcel_status", "count(*) as parcels @ integer count")),
    ("mart_{}_reasons", "group", "replace", "k=fact_contact c=dim_customer",
     "fact_contact k join dim_customer c on c.customer_id = k.customer_id", "", "", 2,
     ("k.reason", "c.segment", "count(*) as contacts @ integer count")),
    ("mart_{}_items", "group", "append", "l=fact_order_line", "", "", "l.ordered_at", 2,
     ("l.sku", "cast(l.ordered_at as date) as day @ date day", "sum(l.quantity) as units")),
)  # fmt: skip
#: name, grain, form, sources, where, share of the grain's rows, columns.
_COPIES: Final = (
    ("{}_customers", "customer", "ctas", "c=dim_customer", "", 1.0,
     ("c.customer_id", "c.full_name", "c.email", "c.city", "c.country")),
    ("{}_mail_list", "customer", "replace", "c=dim_customer", "c.segment = 'gold'", 0.4,
     ("c.customer_id as cust", "c.full_name as name", "c.email as mail")),
    ("{}_people", "customer", "merge", "p=customer_profile", "", 1.0,
     ("p.customer_id as customer_ref", "p.first_name as fname", "p.last_name as lname", "p.phone as tel", "p.email as contact")),
    ("{}_addresses", "customer", "ctas", "a=customer_address", "a.country = 'DE'", 0.25,
     ("a.customer_id", "a.street", "a.postal_code as zip", "a.city")),
    ("{}_orders", "order", "append", "f=fact_order", "f.amount > 50", 0.3,
     ("f.order_id", "f.customer_id as buyer", "f.seller_id", "f.amount", "f.ordered_at")),
    ("{}_keys", "customer", "ctas", "c=dim_customer", "", 1.0,
     ("md5(lower(c.email)) as email_key @ text customer.email_md5", "c.country", "c.segment")),
    ("{}_payments", "payment", "append", "p=fact_payment", "", 1.0,
     ("p.payment_id", "p.customer_id", "p.amount", "p.paid_at", "p.status as state")),
    ("{}_notes", "note", "ctas", "n=customer_note", "", 1.0, ("n.customer_id", "n.written_at", "n.body as remark")),
    ("tmp_{}_360", "customer", "ctas", "m=mart_customer_360", "m.orders > 0", 0.5,
     ("m.customer_id", "m.full_name", "m.email", "m.phone", "m.revenue")),
    ("{}_birthdays", "customer", "replace", "p=customer_profile", "p.date_of_birth is not null", 1.0,
     ("'C' || {number} as cust_no @ text customer.number", "p.first_name", "p.date_of_birth as dob")),
    ("{}_parcels", "parcel", "append", "s=shipment", "", 1.0,
     ("s.order_id", "s.tracking_number as tracking", "s.carrier", "s.shipped_at")),
    ("{}_calls", "contact", "append", "k=fact_contact", "k.channel = 'phone'", 0.6,
     ("k.contact_id", "k.customer_id as caller", "k.reason", "k.opened_at")),
)  # fmt: skip
_EIGHT_DIGITS: Final = "lpad(cast(p.customer_id as text), 8, '0')"
#: The column that limits an append to its day.
_TIMES: Final = {"fact_order": "f.ordered_at", "fact_payment": "p.paid_at", "shipment": "s.shipped_at",
                 "fact_contact": "k.opened_at"}  # fmt: skip
_CHAINED: Final = 0.3  # share of copies that are made from another team's copy; assumed
_CHAIN_ENDINGS: Final = ("bkp", "v2", "final", "share", "old", "export", "test")
_MART: Final = 0.4  # share of a team's tables that are marts; assumed
_DAYS_BEFORE: Final = 500  # copies by hand were made up to so many days before the window


def team_tables(parameters: Parameters, shared: tuple[Table, ...], teams: int, count: int) -> list[Table]:
    """``count`` tables of ``teams`` teams, each after those that it is made from."""
    rng = stream(parameters.seed, "warehouse tables")
    known = {table.path: table for table in shared}
    taken = {table.name for table in shared}
    # Marts may be copied by others: they come first, as they do at night.
    marts = round(count * _MART)
    numbers = [place % teams for place in range(count)]
    found: list[Table] = []
    for team in numbers[:marts]:
        made = _mart(rng, known, taken, team)
        known[made.path] = made
        found.append(made)
    # Ids that are texts stay as they are.
    number = "p.customer_id" if words_of(parameters.preset).customer.digits else _EIGHT_DIGITS
    copies: list[Table] = []
    for team in numbers[marts:]:
        feed_day = _day_by_hand(rng, parameters)
        documented = bool(rng.random() < parameters.table_copies_documented)
        chained = [one for one in copies if one.feed is not None and (not feed_day or one.feed.first < feed_day)]
        if chained and rng.random() < _CHAINED:
            made = _copy_of_copy(
                rng, known, taken, team, (chained[int(rng.integers(len(chained)))], feed_day, documented)
            )
        else:
            made = _copy(rng, known, taken, team, (feed_day, documented, number))
        known[made.path] = made
        copies.append(made)
    return found + copies


def _day_by_hand(rng: Rng, p: Parameters) -> int:
    """The day on which somebody made the copy; 0 for one that a job makes each night."""
    first, end = p.start // DAY_US - _DAYS_BEFORE, p.end // DAY_US
    day = int(rng.integers(first, end))
    return day if rng.random() < p.table_copies_by_hand else 0


def _topic(team: int) -> str:
    again = team // len(_TOPICS)
    return _TOPICS[team % len(_TOPICS)] + (f"{again + 1}" if again else "")


def _free(taken: set[str], name: str) -> str:
    tried, number = name, 2
    while tried in taken:
        tried, number = f"{name}_{number}", number + 1
    taken.add(tried)
    return tried


def _mart(rng: Rng, known: dict[str, Table], taken: set[str], team: int) -> Table:
    name, grain, form, sources, relation, where, time, group, columns = _MARTS[int(rng.integers(len(_MARTS)))]
    feed = feed_of(form, sources, relation, where=where, group=group, time=time)
    return derived(
        known, _free(taken, name.format(_topic(team))), grain, "mart", columns, feed,
        owner=f"analyst-{team + 1}", documented=bool(rng.random() < 0.9),
    )  # fmt: skip


def _copy(rng: Rng, known: dict[str, Table], taken: set[str], team: int, how: tuple[int, bool, str]) -> Table:
    name, grain, form, sources, where, share, columns = _COPIES[int(rng.integers(len(_COPIES)))]
    day, documented, number = how
    specs = [column.replace("{number}", number) for column in columns]
    name = name.format(_topic(team))
    if day:
        name, form = f"{name}_{iso(_at(day), 'D')[0][:7].replace('-', '')}", "ctas"
    time = _TIMES.get(sources.partition("=")[2], "") if form == "append" else ""
    feed = feed_of(form, sources, where=where, time=time, every=0 if day else 1, first=day)
    return derived(
        known, _free(taken, name), grain, "copy", specs, feed,
        owner=f"analyst-{team + 1}", documented=documented, share=share,
    )  # fmt: skip


def _copy_of_copy(
    rng: Rng, known: dict[str, Table], taken: set[str], team: int, what: tuple[Table, int, bool]
) -> Table:
    """Most columns of a copy, as they are, by another team or the same."""
    copy, day, documented = what
    ending = _CHAIN_ENDINGS[int(rng.integers(len(_CHAIN_ENDINGS)))]
    columns = [f"x.{column.name}" for column in copy.columns[: max(2, len(copy.columns) - int(rng.integers(2)))]]
    form = "ctas" if day or rng.random() < 0.7 else "replace"
    first = day or (copy.feed.first if copy.feed else 0)  # a job cannot run before there is something to copy
    feed = feed_of(form, f"x={copy.name}", every=0 if day else 1, first=first)
    return derived(
        known, _free(taken, f"{_topic(team)}_{copy.name.removeprefix('tmp_')}_{ending}"), copy.grain, "copy", columns, feed,
        owner=f"analyst-{team + 1}", documented=documented, share=copy.share,
    )  # fmt: skip


def _at(day: int) -> Ints:
    return np.array([day * DAY_US], dtype=np.int64)
