"""SQL that people and jobs ran on the warehouse and on the payment vault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Rng, iso, stream
from beholden.retailer.payments import FIRST_CARD_ID
from beholden.retailer.views import label
from beholden.retailer.world import World

__all__ = ["PAYMENTS", "WAREHOUSE", "Statement", "ordinary_statements"]

WAREHOUSE: Final = "warehouse"
PAYMENTS: Final = "payments"

#: Mean statements of one person on a working day; assumed.
_A_DAY: Final = {"analyst": 12.0, "engineer": 5.0, "marketing": 4.0, "fraud": 3.0}
_FAILING: Final = 0.015
_ORDER_COLUMNS: Final = "order_id, customer_id, seller_id, ordered_at, amount, status_code"
_DAILY: Final = "select substr(ordered_at, 1, 10), count(*), sum(amount), count(distinct customer_id) from fact_order"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. ``table`` is None where the log does not name it; ``rows`` where it did not count."""

    time: int
    actor: str
    database: str
    sql: str
    table: str | None
    rows: int | None
    label: int = 0
    incident: int = -1
    ok: bool = True


Query = Callable[[World, Rng, int], tuple[str, str, int]]


def ordinary_statements(world: World) -> list[Statement]:
    """Everything but incidents, in no particular order."""
    rng = stream(world.parameters.seed, "statements")
    found = [*_people(world, rng), *_dashboards(world, rng), *_payments_api(world, rng)]
    for day in range(world.parameters.start, world.parameters.end, DAY_US):
        found += _nightly(world, rng, day)
    found += _occasional(world, rng)
    return [row for row in found if world.parameters.start <= row.time < world.parameters.end]


def _people(world: World, rng: Rng) -> Iterator[Statement]:
    for role, mean in _A_DAY.items():
        database, queries = (PAYMENTS, _VAULT) if role == "fraud" else (WAREHOUSE, _QUERIES[role])
        for who in world.staff.role(role).tolist():
            member = world.staff.members[who]
            for day in range(world.parameters.start // DAY_US, world.parameters.end // DAY_US):
                if not member.works(day):
                    continue
                start, end = member.shift_of(day)
                for _ in range(int(rng.poisson(mean))):
                    sql, table, rows = queries[int(rng.integers(len(queries)))](world, rng, day)
                    ok = rng.random() >= _FAILING
                    time = int(rng.integers(start // 1000, end // 1000)) * 1000
                    named = table if rng.random() < 0.8 else None
                    yield Statement(time, member.login, database, sql, named, rows if ok else None, ok=bool(ok))


def _dashboards(world: World, rng: Rng) -> Iterator[Statement]:
    for hour in range(world.parameters.start, world.parameters.end, HOUR_US):
        for step, query in enumerate((_orders_by_status, _revenue_by_day, _parcels_by_carrier)):
            sql, table, rows = query(world, rng, hour // DAY_US)
            time = hour + step * 20 * SECOND_US + int(rng.integers(9000)) * 1000
            yield Statement(time, "bi_dashboard", WAREHOUSE, sql, table, rows)


def _payments_api(world: World, rng: Rng) -> Iterator[Statement]:
    """The shop's own look-ups of cards; the log samples them."""
    mean = max(20.0, world.parameters.orders_a_day * 0.02)
    for day in range(world.parameters.start, world.parameters.end, DAY_US):
        for at in rng.integers(0, len(world.cards), int(rng.poisson(mean))).tolist():
            sql = f"select pan, expiry from card where card_id = {FIRST_CARD_ID + at}"
            yield Statement(day + int(rng.integers(86_400_000)) * 1000, "payments_api", PAYMENTS, sql, "card", 1)


def _nightly(world: World, rng: Rng, day: int) -> Iterator[Statement]:
    """The load of the night and the copy that is kept for bad days."""
    orders, people = len(world.orders), len(world.people)
    new = int(world.parameters.orders_a_day)
    yesterday = iso(np.array([day - DAY_US]), "D")[0]
    etl = (
        ("delete from stg_order", "stg_order", new),
        (
            f"insert into fact_order ({_ORDER_COLUMNS}) select {_ORDER_COLUMNS} from stg_order",
            "fact_order",
            new,
        ),
        (
            f"insert into agg_daily_sales (day, orders, revenue, customers) {_DAILY} where ordered_at >= '{yesterday}' group by 1",
            "agg_daily_sales",
            1,
        ),
    )
    for step, (sql, table, rows) in enumerate(etl):
        time = day + 2 * HOUR_US + step * 4 * MINUTE_US + int(rng.integers(60_000)) * 1000
        yield Statement(time, "etl_nightly", WAREHOUSE, sql, table, rows, label("benign:nightly_etl"))
    for step, (table, rows) in enumerate((("dim_customer", people), ("fact_order", orders), ("shipment", orders))):
        time = day + 4 * HOUR_US + step * 6 * MINUTE_US + int(rng.integers(60_000)) * 1000
        sql = f"select * from {table}"
        yield Statement(time, "backup", WAREHOUSE, sql, table, rows, label("benign:backup"))


def _occasional(world: World, rng: Rng) -> Iterator[Statement]:
    """What looks like theft and is work: a finance export at a period's end, a table rebuilt by an engineer."""
    p = world.parameters
    analyst = world.staff.members[int(world.staff.role("analyst")[0])].login
    engineer = world.staff.members[int(world.staff.role("engineer")[0])].login
    time = world.staff.moment_at_work(rng, int(world.staff.role("analyst")[0]), p.start, p.end)
    sql = "select order_id, customer_id, seller_id, ordered_at, amount from fact_order"
    yield Statement(time, analyst, WAREHOUSE, sql, "fact_order", len(world.orders), label("benign:period_end_export"))
    time = world.staff.moment_at_work(rng, int(world.staff.role("engineer")[0]), p.start, p.end)
    steps = (
        ("create table dim_customer_new as select * from dim_customer", "dim_customer_new", len(world.people)),
        ("drop table dim_customer", "dim_customer", None),
        ("alter table dim_customer_new rename to dim_customer", "dim_customer_new", None),
    )
    for step, (sql, table, rows) in enumerate(steps):
        at = time + step * 40 * SECOND_US + int(rng.integers(20_000)) * 1000
        yield Statement(at, engineer, WAREHOUSE, sql, table, rows, label("benign:schema_migration"))


def _since(rng: Rng, day: int) -> str:
    return iso(np.array([(day - int(rng.integers(1, 14))) * DAY_US]), "D")[0]


def _customer(world: World, rng: Rng) -> int:
    return int(rng.integers(len(world.people))) + 1


def _orders_by_status(_: World, rng: Rng, day: int) -> tuple[str, str, int]:
    sql = f"select status_code, count(*) from fact_order where ordered_at >= '{_since(rng, day)}' group by status_code"
    return sql, "fact_order", 6


def _revenue_by_day(_: World, rng: Rng, day: int) -> tuple[str, str, int]:
    return f"select day, revenue from agg_daily_sales where day >= '{_since(rng, day)}'", "agg_daily_sales", 14


def _parcels_by_carrier(_: World, rng: Rng, day: int) -> tuple[str, str, int]:
    sql = f"select carrier, count(*) from shipment where shipped_at >= '{_since(rng, day)}' group by carrier"
    return sql, "shipment", 4


def _customers_by_segment(_: World, __: Rng, ___: int) -> tuple[str, str, int]:
    return "select segment, country, count(*) from dim_customer group by segment, country", "dim_customer", 16


def _top_sellers(_: World, rng: Rng, day: int) -> tuple[str, str, int]:
    sql = (
        "select f.seller_id, s.seller_name, sum(f.amount) as revenue from fact_order f join dim_seller s on "
        f"s.seller_id = f.seller_id where f.ordered_at >= '{_since(rng, day)}' group by f.seller_id, s.seller_name "
        "order by revenue desc limit 20"
    )
    return sql, "fact_order", 20


def _forecast_error(_: World, rng: Rng, __: int) -> tuple[str, str, int]:
    sql = f"select week, avg(units) from forecast where scenario_code = {1000 + int(rng.integers(40))} group by week"
    return sql, "forecast", 12


def _customers_of_country(_: World, rng: Rng, __: int) -> tuple[str, str, int]:
    country = ("US", "GB", "DE", "FR")[int(rng.integers(4))]
    sql = f"select customer_id, city, segment from dim_customer where country = '{country}' limit 200"
    return sql, "dim_customer", 200


def _one_customer(world: World, rng: Rng, _: int) -> tuple[str, str, int]:
    return f"select * from dim_customer where customer_id = {_customer(world, rng)}", "dim_customer", 1


def _orders_of_customer(world: World, rng: Rng, _: int) -> tuple[str, str, int]:
    who = _customer(world, rng)
    sql = f"select * from fact_order where customer_id = {who} order by ordered_at desc limit 20"
    return sql, "fact_order", int(rng.integers(0, 8))


def _one_parcel(world: World, rng: Rng, _: int) -> tuple[str, str, int]:
    order = world.orders.first_id + int(rng.integers(len(world.orders)))
    return f"select tracking_number, parcel_status from shipment where order_id = {order}", "shipment", 1


def _mailing(_: World, rng: Rng, __: int) -> tuple[str, str, int]:
    segment = ("gold", "silver", "new")[int(rng.integers(3))]
    rows = 500 + int(rng.integers(2000))
    sql = f"select customer_id, email from dim_customer where segment = '{segment}' limit {rows}"
    return sql, "dim_customer", rows


def _card_of_customer(world: World, rng: Rng, _: int) -> tuple[str, str, int]:
    return f"select * from card where customer_id = {_customer(world, rng)}", "card", 1


def _payments_of_card(world: World, rng: Rng, _: int) -> tuple[str, str, int]:
    card = FIRST_CARD_ID + int(rng.integers(len(world.cards)))
    return f"select payment_id, amount, paid_at from payment where card_id = {card}", "payment", int(rng.integers(0, 9))


_QUERIES: Final[dict[str, tuple[Query, ...]]] = {
    "analyst": (_orders_by_status, _revenue_by_day, _parcels_by_carrier, _customers_by_segment, _top_sellers,
                _forecast_error, _forecast_error, _customers_of_country),
    "engineer": (_one_customer, _orders_of_customer, _one_parcel, _one_parcel, _orders_by_status),
    "marketing": (_customers_by_segment, _mailing, _customers_of_country, _top_sellers),
}  # fmt: skip
_VAULT: Final[tuple[Query, ...]] = (_card_of_customer, _payments_of_card)
