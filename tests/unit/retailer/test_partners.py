from __future__ import annotations

import csv
import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from beholden.core.times import parse_time
from beholden.retailer.chance import DAY_US, SECOND_US, Chance, stream
from beholden.retailer.events import INCIDENT, Events, label
from beholden.retailer.feeds.partners import SellerCaseWriter, write_partner_registers
from beholden.retailer.life import gateway, seller_desk
from beholden.retailer.life.gateway import Calls, api_calls, gateway_log, make_calls
from beholden.retailer.life.seller_desk import Acts, desk_acts, desk_log, make_acts, seller_cases
from beholden.retailer.orders import popularity
from beholden.retailer.parameters import checked_parameters
from beholden.retailer.partners import FAR, PURPOSES, address_range
from beholden.retailer.render import hexadecimal_of
from beholden.retailer.world import World

ENDPOINTS = list(gateway.ENDPOINTS)


def new_world(scale: float = 0.01, days: int = 6, seed: int = 4) -> World:
    end = parse_time("2026-11-22T00:00:00Z")
    return World(checked_parameters(preset="retailer", scale=scale, seed=seed, days=days, end=end))


@pytest.fixture(scope="module")
def world() -> World:
    return new_world()


@pytest.fixture(scope="module")
def company() -> World:
    """A whole company, of which nothing but registers and a day are made."""
    return new_world(1.0, 30)


@pytest.fixture(scope="module")
def calls(company: World) -> tuple[int, Calls]:
    day = min(company.calendar.window, key=lambda one: abs(company.calendar.orders_on(one) - 250_000))
    return day, api_calls(company, day)


def equal(one: Events, other: Events) -> bool:
    return all(np.array_equal(getattr(one, each.name), getattr(other, each.name)) for each in fields(one))


def uids(count: int) -> object:
    return hexadecimal_of(*(Chance(1, half)(np.arange(count)) for half in "ab"))


def over_the_ceiling(calls: Calls, endpoint: str, rate: float, burst: int) -> float:
    """How many calls more than the rate and the burst allow any key had granted at its worst moment."""
    granted = calls.at((calls.endpoint == ENDPOINTS.index(endpoint)) & (calls.status != gateway.THROTTLED))
    order = np.lexsort((granted.time, granted.key))
    key, seconds = granted.key[order], granted.time[order] / SECOND_US - calls.time.min() / SECOND_US
    spare = seconds * rate - np.arange(len(order))
    worst = 0.0
    for one in np.split(spare, np.flatnonzero(np.diff(key)) + 1):
        worst = max(worst, float((np.maximum.accumulate(one) - one).max(initial=0.0)))
    return worst - (burst - 1)


def test_popularity_of_sellers_follows_their_position(company: World) -> None:
    sold = np.bincount(company.orders.on(company.calendar.window[0]).seller, minlength=len(company.sellers))
    law = popularity(company.parameters)
    for share in (0.01, 0.1):
        first = int(share * len(company.sellers))
        assert sold[:first].sum() / sold.sum() == pytest.approx(law[:first].sum() / law.sum(), abs=0.01)


def test_some_sellers_are_linked_and_always_share_something(company: World) -> None:
    sellers = company.sellers
    every = np.arange(len(sellers))
    assert np.mean(sellers.cluster(every) >= 0) == pytest.approx(company.parameters.sellers_linked, abs=0.012)
    assert len(set(sellers.codes(every))) == len(every)
    for cluster in sellers.clusters[:40].tolist():
        members = sellers.members(cluster)
        assert (sellers.cluster(members) == cluster).all()
        text = sellers.text(members)
        assert len(set(text.owner)) == 1
        assert len(set(text.name)) == len(set(text.email)) == len(members)
        shares = [np.array(column) for column in (text.bank, text.device, text.street)]
        assert all(any(column[i] == column[0] for column in shares) for i in range(len(members)))


def test_some_brands_open_after_the_owners_last_was_suspended(company: World) -> None:
    sellers, every = company.sellers, company.sellers.suspensions
    gone = dict(zip(every.seller[every.end < 0].tolist(), every.start[every.end < 0].tolist(), strict=True))
    pairs = [sellers.members(cluster)[:2] for cluster in sellers.clusters.tolist()]
    since = [sellers.since(pair) * DAY_US for pair in pairs]
    after = [
        gone[a] < begun[1] <= gone[a] + 61 * DAY_US for (a, _), begun in zip(pairs, since, strict=True) if a in gone
    ]
    assert 0.1 < sum(after) / len(pairs) < 0.35


def test_suspensions_are_intervals(company: World) -> None:
    sellers, every = company.sellers, company.sellers.suspensions
    assert len(np.unique(every.seller)) == len(every)
    ended = np.flatnonzero(every.end >= 0)
    assert (every.end[ended] > every.start[ended]).all()
    assert not sellers.suspended(every.seller, every.start - 1).any()
    assert sellers.suspended(every.seller, every.start).all()
    assert not sellers.suspended(every.seller[ended], every.end[ended]).any()
    assert (sellers.since(every.seller) * DAY_US <= every.start + DAY_US).all()
    assert 0.002 < sellers.suspended(np.arange(len(sellers)), company.parameters.end).mean() < 0.03


def test_most_developers_have_few_sellers_and_few_have_many(company: World) -> None:
    partners = company.partners
    owner = partners.column("developer")[partners.connections.app]
    size = np.bincount(owner, minlength=len(partners.developers))
    assert len(partners.apps) == 100
    assert len({developer.name for developer in partners.developers}) == len(partners.developers)
    shares = [np.mean((size >= low) & (size <= high)) for low, high in ((1, 3), (4, 50), (51, 2000))]
    assert shares == pytest.approx([0.7, 0.25, 0.05], abs=0.02)
    assert ((size > 400) & (size < 1500)).any()
    pairs = owner * len(company.sellers) + partners.connections.seller
    assert len(np.unique(pairs)) == len(pairs)


def test_keys_follow_one_another_within_the_consent(company: World) -> None:
    partners, keys = company.partners, company.partners.keys
    c = partners.connections
    assert (keys.issued >= c.since[keys.connection]).all()
    assert (keys.revoked <= c.until[keys.connection]).all()
    again = np.flatnonzero(keys.connection[1:] == keys.connection[:-1])
    assert (keys.issued[again + 1] > keys.issued[again]).all()
    assert (keys.revoked[again] > keys.issued[again + 1]).mean() > 0.9  # both are good for two days
    day = company.calendar.window[7]
    now = np.flatnonzero(partners.active(day))
    held = partners.key_on(now, day)
    assert (keys.connection[held] == now).all()
    assert ((keys.issued[held] <= day) & (day < keys.revoked[held])).all()
    texts = partners.key_texts.to_pylist()
    assert len(set(texts)) == len(keys)


def test_calls_a_day_and_what_they_ask_for(company: World, calls: tuple[int, Calls]) -> None:
    day, made = calls
    assert 375_000 < len(made) < 560_000
    assert (np.diff(made.time) >= 0).all()
    assert (made.time // DAY_US == day).all()
    assert (made.time % 1000 == 0).all()
    count = dict(zip(ENDPOINTS, np.bincount(made.endpoint, minlength=len(ENDPOINTS)).tolist(), strict=True))
    assert count["getOrderAddress"] / count["getOrder"] == pytest.approx(0.70, abs=0.07)
    assert count["getBuyerInfo"] / count["getOrder"] == pytest.approx(0.30, abs=0.08)
    assert 0.4 < count["getOrder"] / company.calendar.orders_on(day) < 0.8
    failed = made.status != gateway.OK
    assert 0.01 < failed.mean() < 0.04
    assert (made.buyer[failed] < 0).all()
    assert 0 < np.mean(made.status == gateway.THROTTLED) < 0.02


def test_apps_read_their_own_sellers_orders_and_what_they_declared(company: World, calls: tuple[int, Calls]) -> None:
    day, made = calls
    keys = company.partners.keys
    assert (keys.app[made.key] == made.actor).all()
    assert (keys.seller[made.key] == made.seller).all()
    assert company.partners.active(day)[keys.connection[made.key]].all()
    orders = company.orders.on(day)
    at = made.order - orders.order_id[0]
    today = made.at(at >= 0)
    assert (orders.seller[at[at >= 0]] == today.seller).all()
    assert (orders.time[at[at >= 0]] < today.time).all()
    seen = today.buyer >= 0
    assert (orders.customer[at[at >= 0]][seen] == today.buyer[seen]).all()
    yesterday = made.at((made.order >= 0) & (at < 0))
    assert len(yesterday) > 500
    assert (yesterday.time < day * DAY_US + 3 * 3600 * SECOND_US).mean() > 0.99
    for number, app in enumerate(company.partners.apps):
        asked = {
            ENDPOINTS[i] for i in np.unique(made.endpoint[(made.actor == number) & (made.status != gateway.FORBIDDEN)])
        }
        assert asked <= {*app.purpose_on(day).endpoints, "token"}


def test_ordinary_apps_keep_the_ceilings_on_promotion_days_and_over_midnight() -> None:
    world = World(replace(new_world(0.05, 28).parameters, careless_developers=1.0))
    p, promotion = world.parameters, world.calendar.promotions[0]
    made = Calls.joined([api_calls(world, promotion), api_calls(world, promotion + 1)])
    assert over_the_ceiling(made, "listOrders", p.list_rate, p.list_burst) <= 0
    for endpoint in ("getOrder", "getOrderAddress", "getBuyerInfo"):
        assert over_the_ceiling(made, endpoint, p.record_rate, p.record_burst) <= 0
    assert over_the_ceiling(made, "getOrder", p.record_rate, 10) > 0  # the measure can tell
    refused = made.endpoint[made.status == gateway.THROTTLED]
    assert {gateway.LIST, gateway.ORDER} == set(refused.tolist())


def test_an_app_calls_from_its_own_range_and_from_another_cloud_after_its_move() -> None:
    world = new_world(0.3, 90)
    partners = world.partners
    at = next(i for i, app in enumerate(partners.apps) if app.moved < FAR and app.moved + 5 < world.calendar.window[-1])
    app = partners.apps[at]
    where = {}
    for day in (app.moved - 1, app.moved + 4):
        made = api_calls(world, day)
        mine = made.at(made.actor == at)
        where[day] = {address_range(one // 32 * 32) for one in mine.address.tolist()}
        assert len(set(mine.address.tolist())) <= app.hosts
    assert list(where.values()) == [{address_range(app.first)}, {address_range(app.second)}]
    followed = made.label[made.actor == at]
    assert (followed == label("benign:developer_moved")).all()


def test_small_developers_share_platforms_and_large_ones_have_one_range(company: World) -> None:
    first = company.partners.column("first")
    tenants = {one: np.flatnonzero(first == one) for one in np.unique(first).tolist()}
    shared = [apps for apps in tenants.values() if len(apps) > 1]
    assert shared
    developers = company.partners.developers
    assert all(developers[company.partners.apps[i].developer].platform for apps in shared for i in apps.tolist())


@pytest.mark.parametrize("seed", range(1, 7))
def test_small_companies_have_a_platform_whose_addresses_serve_several_developers(seed) -> None:
    world = new_world(days=14, seed=seed)
    partners = world.partners
    owner = partners.column("developer")
    platform = np.array([partners.developers[one].platform for one in owner.tolist()])
    assert len(np.unique(owner[platform])) >= world.parameters.platform_developers_min
    served: dict[int, set[int]] = {}
    for day in world.calendar.window:
        made = api_calls(world, day)
        for address, app in set(zip(made.address.tolist(), made.actor.tolist(), strict=True)):
            served.setdefault(address, set()).add(app)
    shared = {address for address, apps in served.items() if len({int(owner[app]) for app in apps}) > 1}
    labelled = {address for address, apps in served.items() if platform[sorted(apps)].any()}
    assert shared == labelled != set()


def test_a_platform_has_its_tenants_or_is_not_there() -> None:
    for scale, share in ((0.01, 0.2), (0.3, 0.2), (1.0, 0.2), (1.0, 0.9), (0.01, 0.0), (0.001, 0.2)):
        usual = new_world(scale).parameters
        partners = World(replace(usual, developers_on_platforms=share)).partners
        small = [one for one in partners.developers if one.band == 0]
        tenants = [one for one in partners.developers if one.platform]
        assert all(one.band == 0 for one in tenants)
        least = usual.platform_developers_min
        assert len(tenants) >= least if share and len(small) >= least else not tenants
        first = partners.column("first")
        on = [at for at, app in enumerate(partners.apps) if partners.developers[app.developer].platform]
        for range_first in np.unique(first[on]).tolist():
            assert len({app.developer for app in partners.apps if app.first == range_first}) >= least
        if scale == 1:
            assert abs(len(tenants) - share * len(small)) < 4 * (share * (1 - share) * len(small)) ** 0.5


def test_events_given_by_hand_are_made_as_everyones(company: World) -> None:
    day = company.calendar.window[3]
    n = 92
    key = company.partners.key_on(np.flatnonzero(company.partners.active(day))[:n], day)
    time = day * DAY_US + np.arange(n) * SECOND_US
    address = np.full(n, 3_323_068_417)
    made = make_calls(
        stream(1, "x"), company, day, time, key, np.full(n, gateway.BUYER), order=np.full(n, 40_000_001), buyer=np.arange(n),
        what=INCIDENT, incident=3, address=address,
    )  # fmt: skip
    assert set(made.label.tolist()) == {INCIDENT}
    assert set(made.incident.tolist()) == {3}
    assert (made.address == address).all()
    assert len(Calls.joined([made, api_calls(company, day)])) > n
    acts = make_acts(
        stream(1, "x"),
        time,
        np.zeros(n, dtype=np.int64),
        key,
        np.full(n, seller_desk.REPORT),
        what=INCIDENT,
        incident=3,
    )
    assert set(np.unique(acts.detail).tolist()) <= {6, 7, 8}


def test_a_day_is_the_same_alone_and_after_others() -> None:
    alone, after = new_world(), new_world()
    days = list(after.calendar.window)
    for day in days[:4]:
        api_calls(after, day)
        desk_acts(after, day)
    assert equal(api_calls(alone, days[4]), api_calls(after, days[4]))
    assert equal(desk_acts(alone, days[4]), desk_acts(after, days[4]))
    assert not equal(desk_acts(alone, days[4]), desk_acts(new_world(seed=5), days[4]))


def test_the_gateways_lines_say_what_happened(world: World) -> None:
    day = world.calendar.window[2]
    made = api_calls(world, day)
    texts = gateway_log(world, 0).lines(made, uids(len(made))).to_pylist()
    keys = world.partners.key_texts.to_pylist()
    for i in range(0, len(made), 97):
        line = json.loads(texts[i])
        assert texts[i].endswith("\n")
        assert (line["t"] * 1000, line["seller"]) == (made.time[i], made.seller[i] + 1)
        assert (line["key"], line["app"]) == (keys[made.key[i]], f"APP-{world.partners.apps[made.actor[i]].number}")
        assert line["buyer"] == (made.buyer[i] + 1 if made.buyer[i] >= 0 else None)
        assert line["st"] == gateway.STATUSES[made.status[i]]
        assert (str(made.order[i]) in line["req"]["p"]) == (made.order[i] >= 0)
        assert sum(int(part) << 8 * (3 - at) for at, part in enumerate(line["src"].split("."))) == made.address[i]
        assert line["req"]["ua"] == world.partners.agents[made.agent[i]]


def test_the_desks_lines_say_what_happened(world: World) -> None:
    day = world.calendar.window[2]
    acts = desk_acts(world, day)
    texts = desk_log(world, day).lines(acts, uids(len(acts))).to_pylist()
    codes, logins = world.sellers.codes(acts.seller), world.staff.logins(day)
    for i, text in enumerate(texts):
        line = json.loads(text)
        assert (line["event"]["at"] * 1000, line["merchant"]["code"]) == (acts.time[i], codes[i])
        assert line["event"]["type"] == seller_desk.OPERATIONS[acts.operation[i]]
        assert line["session"]["operator"]["uid"] == logins[acts.actor[i]]
        assert line["case"] == (f"SC-{acts.case[i]}" if acts.case[i] >= 0 else None)
        detail = next(iter(line["detail"].values())) if acts.detail[i] >= 0 else None
        assert detail == (seller_desk.DETAILS[acts.detail[i]] if acts.detail[i] >= 0 else None)


def all_acts(world: World) -> Acts:
    return Acts.joined([desk_acts(world, day) for day in world.calendar.window])


def test_most_of_what_the_desk_does_has_a_case(company: World) -> None:
    day = company.calendar.window[3]
    cases, acts = seller_cases(company, day), desk_acts(company, day)
    team = set(company.staff.at_work("seller_support", day).tolist())
    assert set(cases.member.tolist()) <= team
    assert (cases.closed > cases.opened).all()
    people = acts.actor != company.staff.service("seller_app")
    logged = {*zip(cases.logged_member.tolist(), cases.seller.tolist(), strict=True)}
    explained = [pair in logged for pair in zip(acts.actor[people].tolist(), acts.seller[people].tolist(), strict=True)]
    assert 0.85 < np.mean(explained) < 0.96
    noted = acts.at(acts.case >= 0)
    by_number = {number: at for at, number in enumerate(cases.number.tolist())}
    at = np.array([by_number[number] for number in noted.case.tolist()])
    assert (cases.seller[at] == noted.seller).all()
    assert (cases.member[at] == noted.actor).all()
    assert ((cases.opened[at] <= noted.time) & (noted.time <= cases.closed[at])).all()


def test_every_suspension_and_reinstatement_was_done_by_somebody(company: World) -> None:
    acts, every, p = all_acts(company), company.sellers.suspensions, company.parameters
    for operation, times in ((seller_desk.SUSPEND, every.start), (seller_desk.REINSTATE, every.end)):
        inside = (times >= p.start) & (times < p.end)
        done = acts.at(acts.operation == operation)
        assert sorted(zip(done.time.tolist(), done.seller.tolist(), strict=True)) == sorted(
            zip(times[inside].tolist(), every.seller[inside].tolist(), strict=True)
        )
        assert inside.sum() > 20


def test_outside_the_window_there_are_no_cases(world: World) -> None:
    assert len(seller_cases(world, world.calendar.window[0] - 1)) == 0


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_registers_are_nearly_right(world: World, tmp_path: Path) -> None:
    write_partner_registers(world, tmp_path)
    sellers = rows_of(tmp_path / "sellers.csv")
    assert all(row["seller_number"] or row["legacy_code"] for row in sellers)
    assert len({row["seller_number"] or row["legacy_code"] for row in sellers}) >= len(world.sellers)
    apps = rows_of(tmp_path / "apps.csv")
    names = {purpose.name: purpose for purpose in PURPOSES}
    assert [row["app_id"] for row in apps] == sorted(f"APP-{app.number}" for app in world.partners.apps)
    assert all(row["endpoints"].split() == list(names[row["purpose"]].endpoints) for row in apps)
    assert {row["developer_id"] for row in apps} == {
        row["developer_id"] for row in rows_of(tmp_path / "developers.csv")
    }
    keys = pq.read_table(tmp_path / "keys.parquet").to_pylist()
    assert all(row["seller_number"] is not None or row["seller_code"] is not None for row in keys)
    used = np.unique(api_calls(world, world.calendar.window[1]).key)
    texts = world.partners.key_texts.to_pylist()
    assert {texts[key] for key in used.tolist()} <= {row["key_id"] for row in keys}
    consents = rows_of(tmp_path / "consents.csv")
    assert 0.9 * len(world.partners.connections) < len(consents) <= len(world.partners.connections)
    for name in ("seller_states.csv", "partner_audits.csv", "deletion_attestations.csv"):
        assert (tmp_path / name).stat().st_size > 0


def test_the_feed_of_cases_is_written_day_by_day(world: World, tmp_path: Path) -> None:
    with SellerCaseWriter(world, tmp_path) as feed:
        for day in world.calendar.window:
            feed.add(day)
    rows = pq.read_table(tmp_path / "seller_cases.parquet").to_pylist()
    numbers = [
        number for day in world.calendar.window for number in seller_cases(world, day).number.tolist() if number >= 0
    ]
    assert [row["case_id"] for row in rows] == [f"SC-{number}" for number in sorted(numbers)]
    assert len(set(numbers)) == len(numbers)
    assert all(row["seller_number"] or row["seller_code"] for row in rows)


def test_the_same_seed_gives_the_same_registers(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_partner_registers(new_world(), tmp_path / name)
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
