"""Meridian is like its sources say, within bands as wide as a sample's error and the sources' own spread, and no wider."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from beholden.core.times import parse_time
from beholden.retailer import build_company
from beholden.retailer.balance import Tally, check, tally_of
from beholden.retailer.life.console import Views, contact_views
from beholden.retailer.life.gateway import THROTTLED, api_calls
from beholden.retailer.life.support_lookalikes import lookalike_views
from beholden.retailer.parameters import checked_parameters
from beholden.retailer.realism import BANDS, Measure, measures_of_written, study_of
from beholden.retailer.realism.bands import ERRORS, ratio
from beholden.retailer.realism.company import fullest_bucket, measures_of_company
from beholden.retailer.realism.orders import measures_of_orders
from beholden.retailer.realism.service import measure_of_new_agents, measures_of_service, ordinary_days, worked_on
from beholden.retailer.world import World

END = parse_time("2026-11-22T00:00:00Z")


def world_of(scale: float, days: int, preset: str = "retailer", seed: int = 7, **changes: Any) -> World:
    usual = checked_parameters(preset=preset, scale=scale, seed=seed, days=days, end=END)
    return World(replace(usual, **changes))


def of_orders(**changes: Any) -> list[Measure]:
    return measures_of_orders(world_of(1, 364, **changes))


def of_service(**changes: Any) -> list[Measure]:
    world = world_of(0.1, 180, **changes)
    return measures_of_service(worked_on(world, ordinary_days(world, 7)))


def of_company(**changes: Any) -> list[Measure]:
    world, calls = world_of(0.3, 30, **changes), world_of(0.03, 30)
    return measures_of_company(world, calls, [calls.calendar.promotions[0]])


@pytest.mark.parametrize("seed", [2, 9, 16])
def test_every_measure_keeps_its_band(seed: int) -> None:
    found = study_of(seed=seed, end=END, scale=0.1, days=14).measures()
    assert sorted(one.name for one in found) == sorted(name for name in BANDS if not name.startswith("files: "))
    outside = {one.name: (one.value, one.limits) for one in found if not one.holds}
    assert not outside


def test_what_the_company_wrote_keeps_its_bands_too(tmp_path: Path) -> None:
    build_company(tmp_path / "company", scale=0.01, days=10, seed=5, end=END, run="quiet")
    found = measures_of_written(tmp_path / "company")
    assert sorted(one.name for one in found) == sorted(name for name in BANDS if name.startswith("files: "))
    assert not {one.name: (one.value, one.limits) for one in found if not one.holds}


#: Parameters that are wrong, each with the measures that must tell. Those of one world have nothing to do with each other.
WRONG: dict[Callable[..., list[Measure]], list[dict[tuple[str, Any], list[str]]]] = {
    of_orders: [
        {
            ("seller_rank_exponent", 1.2): ["sellers: slope of log popularity by log rank"],
            ("day_level_cv", 0.25): ["level of days: coefficient of variation"],
            ("sharing_an_address", 0.15): ["customers who share an address"],
            ("attrition_agents", 0.9): ["attrition of agents a year"],
        },
        {("seller_head", 0.0): ["sellers: items of the top 1 %"]},
        {("seller_tail", 5.0): ["sellers: items of the top 10 %"]},
    ],
    of_service: [
        {
            ("contact_lag_median_days", 5.0): ["lag after the order: median days"],
            ("handling_sigma", 1.0): ["handling time: sigma of its logarithm"],
            ("second_customer", 0.12): ["contacts that touch a second customer"],
            ("never_logged", 0.10): ["views with a documented reason"],
            ("contacts_of_neighbours", 0.02): ["neighbour, per million views"],
            ("contacts_of_relatives", 0.012): ["family, per million views"],
        },
        {
            ("contacts_an_agent_day", 30): ["contacts an agent and working day", "occupancy of agents"],
            ("views_per_contact_extra", 2.6): ["views a contact"],
            ("contacts_of_famous", 0.005): ["famous, per million views"],
        },
        {
            ("staff_who_buy", 0.9): [],
            ("staff_contacts_a_day", 0.05): ["co-worker, per million views"],
            ("contacts_per_order", 0.12): ["contacts per 100 orders"],
        },
        {("orders_a_day_at_full_scale", 25_000): ["no encounter for 90 days, per million views"]},
    ],
    of_company: [
        {
            ("identities_inactive", 0.5): ["identities with rights that sign in nowhere"],
            ("developers_by_sellers", (0.5, 0.4, 0.1)): ["developers with 1-3 sellers"],
        }
    ],
}


@pytest.mark.parametrize(
    ("measures", "wrong"), [(measures, wrong) for measures, worlds in WRONG.items() for wrong in worlds]
)
def test_a_wrong_parameter_falls_outside(
    measures: Callable[..., list[Measure]], wrong: dict[tuple[str, Any], list[str]]
) -> None:
    found = {one.name: one for one in measures(**dict(wrong.keys()))}
    told = [name for names in wrong.values() for name in names]
    assert not {name: (found[name].value, found[name].limits) for name in told if found[name].holds}


def test_new_agents_who_view_no_more_fall_outside() -> None:
    world = world_of(1, 30, ramp_views=1.0)
    assert not measure_of_new_agents(world, world.calendar.window[-1]).holds


@pytest.mark.parametrize(
    ("law", "count", "name"),
    [
        ("order_hours", 24, "orders by hour: largest deviation of a share"),
        ("weekdays_sunday_first", 7, "orders by weekday: largest deviation from the law"),
    ],
)
def test_a_flat_law_falls_outside(law: str, count: int, name: str) -> None:
    (found,) = (one for one in of_orders(**{law: (1,) * count}) if one.name == name)
    assert not found.holds


def test_a_key_beyond_its_ceiling_is_seen() -> None:
    world = world_of(0.03, 30)
    calls = api_calls(world, world.calendar.promotions[0])
    assert THROTTLED in calls.status
    assert fullest_bucket(calls, 1, world.parameters.record_rate / 10) > world.parameters.record_burst


def test_a_measure_holds_within_its_band_and_four_errors_beyond_and_never_without_a_value() -> None:
    name = "views with a documented reason"
    band = BANDS[name]
    assert Measure(name, band.low - 0.01, 0.01 / ERRORS).holds
    assert not Measure(name, band.low - 0.011, 0.01 / ERRORS).holds
    assert Measure(name, band.high).holds
    assert not Measure(name, math.nan, 1.0).holds


def test_the_error_of_a_ratio_counts_groups_and_not_rows() -> None:
    rng = np.random.default_rng(3)
    values, errors = [], []
    for _ in range(300):
        group = np.repeat(np.arange(400), rng.integers(1, 6, 400))
        hits = (rng.random(400) < 0.2)[group].astype(np.int64)
        one = ratio(hits, np.ones(len(group)), group)
        values.append(one.value)
        errors.append(one.error)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.15)
    assert ratio(hits, np.ones(len(group))).error < 0.7 * errors[-1]
    assert math.isnan(ratio(np.array([3]), np.array([2])).error)


@pytest.mark.parametrize(
    ("preset", "scale", "days"),
    [
        ("retailer", 0.001, 3), ("retailer", 0.002, 14), ("retailer", 0.03, 30), ("retailer", 3, 1),
        ("grocer", 0.05, 3), ("grocer", 0.002, 30), ("bank", 0.05, 3), ("bank", 1, 1),
    ],
)  # fmt: skip
def test_flows_balance_at_odd_scales_and_in_every_preset(preset: str, scale: float, days: int) -> None:
    world = world_of(scale, days, preset)
    total = Tally()
    for day in world.calendar.window:
        total += tally_of(world, day, Views.joined([contact_views(world, day), lookalike_views(world, day)]))
    check(total, world)
    assert total.chance_share < 0.3 * total.documented_share
