"""Incidents about sellers, partners, copies and logs: each kind, in each grade."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from beholden.core.times import parse_time
from beholden.retailer.chance import DAY_US, MINUTE_US, SECOND_US, Chance, Ints, stream
from beholden.retailer.events import INCIDENT, Events
from beholden.retailer.incidents import GRADES, Incident
from beholden.retailer.incidents.incident import LOGS
from beholden.retailer.incidents.pace import daily_work, room
from beholden.retailer.incidents.pooled_keys import _pooled
from beholden.retailer.life import gateway, seller_desk
from beholden.retailer.life.accounts import account_visits
from beholden.retailer.life.buckets import accesses_of_day, chains_of_day
from beholden.retailer.life.cloudtrail import Accesses, buckets_log
from beholden.retailer.life.console import OPERATIONS, Views, console_log, contact_views
from beholden.retailer.life.gateway import Calls, api_calls, gateway_log
from beholden.retailer.life.seller_desk import Acts, desk_acts, desk_log, seller_cases
from beholden.retailer.life.sql import Statements, connected
from beholden.retailer.life.sql_day import day_statements
from beholden.retailer.life.sql_formats import database_log
from beholden.retailer.life.sql_lookalikes import lookalike_statements
from beholden.retailer.life.sql_people import people_statements
from beholden.retailer.life.sql_services import console_updates
from beholden.retailer.life.sql_text import DATABASES
from beholden.retailer.life.sso import Logins, logins_of_day, sso_log
from beholden.retailer.life.support_lookalikes import lookalike_views
from beholden.retailer.life.wiki import PageViews, views_of_day, wiki_log
from beholden.retailer.parameters import checked_parameters
from beholden.retailer.render import hexadecimal_of
from beholden.retailer.warehouse_tables import WAREHOUSE, catalogue
from beholden.retailer.world import World

END = parse_time("2026-11-22T00:00:00Z")
KINDS = (
    "card_export", "seller_impersonation", "pooled_keys", "app_overreach", "bribed_ring", "wiki_secret", "copy_chain",
    "log_tampering",
)  # fmt: skip
SEEDS = (1, 2, 3, 4)
DAYS = {1: 14, 2: 21, 3: 28, 4: 17}
ENDPOINTS = list(gateway.ENDPOINTS)
EVERY_APP = np.arange(100)


@cache
def world_of(seed: int, scale: float = 0.01) -> World:
    days = DAYS[seed]
    return World(checked_parameters(preset="retailer", scale=scale, seed=seed, days=days, end=END))


def window(seed: int) -> tuple[int, int]:
    """Some of the days, from a moment that is no whole one on: a schedule may begin an incident at any time."""
    p = world_of(seed).parameters
    return p.start + (0 if seed == 1 else DAY_US + 12_345_678_901), p.end


@cache
def planned(seed: int, kind: str, grade: str) -> Incident | None:
    plan = import_module(f"beholden.retailer.incidents.{kind}").plan
    found: Incident | None = plan(world_of(seed), stream(seed, f"test {kind} {grade}"), 7, grade, *window(seed))
    return found


def incidents(kind: str, grade: str) -> Iterator[tuple[World, int, Incident]]:
    """Of every seed whose company is large enough for it."""
    for seed in SEEDS:
        found = planned(seed, kind, grade)
        if found is not None:
            yield world_of(seed), seed, found


each = pytest.mark.parametrize(("kind", "grade"), [(kind, grade) for kind in KINDS for grade in GRADES])


@each
def test_it_can_be_planned_even_in_a_small_company(kind: str, grade: str) -> None:
    assert len(list(incidents(kind, grade))) >= len(SEEDS) - 1


@each
def test_events_are_labelled_in_order_and_within_the_time_given(kind: str, grade: str) -> None:
    for _, seed, one in incidents(kind, grade):
        start, end = window(seed)
        assert (one.number, one.kind, one.grade) == (7, kind, grade)
        assert set(one.events) <= set(LOGS)
        assert one.actors
        assert one.subjects
        for events in one.events.values():
            assert len(events)
            assert np.all((events.time >= start) & (events.time < end))
            assert np.all(np.diff(events.time) >= 0)
            assert np.all(events.time % 1000 == 0)
            assert np.all(events.label == INCIDENT)
            assert np.all(events.incident == 7)


@each
def test_the_same_chance_gives_the_same_incident(kind: str, grade: str) -> None:
    one = planned(2, kind, grade)
    planned.cache_clear()
    other = planned(2, kind, grade)
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert (one.actors, one.subjects, one.lost, one.tables) == (
            other.actors,
            other.subjects,
            other.lost,
            other.tables,
        )
        for log, events in one.events.items():
            for column in fields(events):
                mine, theirs = getattr(events, column.name), getattr(other.events[log], column.name)
                assert mine.tolist() == theirs.tolist()


@each
def test_actors_exist_and_are_employed_and_named_as_logs_name_them(kind: str, grade: str) -> None:
    for world, _, one in incidents(kind, grade):
        staff, seen = world.staff, set()
        for log, events in one.events.items():
            for who, time in zip(events.actor.tolist(), events.time.tolist(), strict=True):
                day = time // DAY_US
                if log == "gateway":
                    seen.add(f"app:{world.partners.apps[who].number}")
                elif who >= len(staff):
                    assert who < len(staff) + len(staff.services)
                    seen.add(f"service:{staff.services[who - len(staff)]}")
                else:
                    # A spreadsheet goes on fetching while its owner is at home, and a mobile device signs in anywhere.
                    at_work = staff.works(who, day) and time < staff.shift_of(who, day)[1] + 60 * MINUTE_US
                    assert staff.members[who].is_employed(day)
                    assert at_work or log == "buckets"
                    seen.add(staff.members[who].login_on(day))
        assert seen == set(one.actors)


@pytest.mark.parametrize("kind", KINDS)
def test_paced_ones_keep_each_actor_within_the_95th_percentile_of_their_ordinary_days(kind: str) -> None:
    for world, _, one in incidents(kind, "paced"):
        for log, events in one.events.items():
            day = events.time // DAY_US
            for who, on in sorted(set(zip(events.actor.tolist(), day.tolist(), strict=True))):
                added = int(np.sum((events.actor == who) & (day == on)))
                person = log != "gateway" and who < len(world.staff)
                days = [at for at in world.calendar.window if not person or world.staff.works(who, at)]
                most = np.quantile([work(world, log, at)[who] for at in days], 0.95)
                if log != "gateway" and not person:  # programs do the same every day: a share of that
                    assert added <= 0.25 * most
                else:
                    assert added + work(world, log, on)[who] <= most


def work(world: World, log: str, day: int) -> Ints:
    """How much everybody does in a log on a day: identities, and apps at the gateway."""
    return gateway.calls_a_day(world, day, EVERY_APP) if log == "gateway" else daily_work(world, log, day)


#: The events of a day from which work is counted, made whole.
WHOLE: dict[str, Callable[[World, int], list[Ints]]] = {
    "console": lambda world, day: [contact_views(world, day).actor, lookalike_views(world, day).actor],
    "seller-desk": lambda world, day: [desk_acts(world, day).actor],
    "gateway": lambda world, day: [api_calls(world, day).actor],
    "accounts": lambda world, day: [seen[seen >= 0] for seen in [account_visits(world, day).actor]],
    "sql": lambda world, day: [
        people_statements(world, day).actor,
        lookalike_statements(world, day).actor,
        np.array([chain.who for chain in chains_of_day(world, day)], dtype=np.int64),
    ],
    "sso": lambda world, day: [logins_of_day(world, day).actor],
    "buckets": lambda world, day: [accesses_of_day(world, day).actor],
    "wiki": lambda world, day: [views_of_day(world, day).actor],
}


@pytest.mark.parametrize("log", WHOLE)
def test_what_is_counted_is_what_whole_days_have(log: str) -> None:
    world = world_of(3)
    for day in world.calendar.window[5:25:6]:
        found = work(world, log, day)
        actors = np.concatenate(WHOLE[log](world, day))
        assert found.tolist() == np.bincount(actors, minlength=len(found)).tolist()


def test_room_is_what_the_95th_percentile_leaves() -> None:
    world = world_of(3)
    day = world.calendar.window[5]
    acts = desk_acts(world, day)
    who = int(acts.actor[0])
    days = [on for on in world.calendar.window if world.staff.works(who, on)]
    most = int(np.quantile([daily_work(world, "seller-desk", on)[who] for on in days], 0.95))
    assert room(world, ("seller-desk",), who, day) == max(0, most - int(np.sum(acts.actor == who)))


def test_the_calls_of_some_apps_are_the_same_without_the_others() -> None:
    world = world_of(2, 0.1)
    day = world.calendar.window[3]
    some = np.arange(0, len(world.partners.apps), 3)
    alone, whole = api_calls(world, day, some), api_calls(world, day)
    among = whole.at(np.isin(whole.actor, some))
    assert len(alone) > 100
    for one in fields(Calls):
        assert np.array_equal(getattr(alone, one.name), getattr(among, one.name)), one.name
    for app in some.tolist()[:3]:
        assert gateway.calls_a_day(world, day, np.array([app]))[app] == np.sum(whole.actor == app)


@pytest.mark.parametrize("kind", KINDS)
def test_mimicry_has_its_record(kind: str) -> None:
    for world, _, one in incidents(kind, "mimicry"):
        first = one.span[0]
        if kind in {"seller_impersonation", "bribed_ring"}:
            assert one.seller_cases is not None
            acts = one.events["seller-desk"]
            assert isinstance(acts, Acts)
            _covered(world, one.seller_cases, acts)
        elif kind in {"pooled_keys", "app_overreach"}:
            calls = one.events["gateway"]
            assert isinstance(calls, Calls)
            for app, endpoint in sorted(set(zip(calls.actor.tolist(), calls.endpoint.tolist(), strict=True))):
                purpose = world.partners.apps[app].purpose_on(first // DAY_US)
                assert ENDPOINTS[endpoint] in {*purpose.endpoints, "token"}
        else:
            actors = set(np.concatenate([events.actor for events in one.events.values()]).tolist())
            assert one.records
            for ground, records in one.records.items():
                assert ground in {"case", "assignment"}
                assert len(records)
                if kind != "log_tampering":
                    assert set(records.actor.tolist()) <= actors
                assert np.all(records.opened % 1000 == 0)
                assert np.all((records.opened >= world.parameters.start) & (records.opened < records.closed))
                assert kind == "log_tampering" or records.opened[0] <= one.span[1]


def _covered(world: World, cases: seller_desk.SellerCases, acts: Acts) -> None:
    """Every act has a case of its actor about its seller, and the lines that note one note that."""
    pairs = set(zip(cases.member.tolist(), cases.seller.tolist(), (cases.opened // DAY_US).tolist(), strict=True))
    for who, seller, time in zip(acts.actor.tolist(), acts.seller.tolist(), acts.time.tolist(), strict=True):
        assert (who, seller, time // DAY_US) in pairs
    of = dict(zip(cases.number.tolist(), zip(cases.member.tolist(), cases.seller.tolist(), strict=True), strict=True))
    assert len(of) == len(cases)
    for who, seller, number in zip(acts.actor.tolist(), acts.seller.tolist(), acts.case.tolist(), strict=True):
        assert number < 0 or of[number] == (who, seller)
    assert 0.6 < np.mean(acts.case >= 0) <= 1
    for number, opened in zip(cases.number.tolist(), cases.opened.tolist(), strict=True):
        assert number not in seller_cases(world, opened // DAY_US).number


@pytest.mark.parametrize("kind", KINDS)
def test_only_mimicry_puts_anything_on_record(kind: str) -> None:
    for grade in ("loud", "paced"):
        for _, _, one in incidents(kind, grade):
            assert not one.records
            assert one.seller_cases is None
            if "seller-desk" in one.events:
                acts = one.events["seller-desk"]
                assert isinstance(acts, Acts)
                assert np.all(acts.case == -1)


# What is peculiar to each kind


def over_the_ceiling(calls: Calls, endpoint: int, rate: float, burst: int) -> float:
    """How many calls more than the rate and the burst allow any key had granted at its worst moment."""
    granted = calls.at((calls.endpoint == endpoint) & (calls.status != gateway.THROTTLED))
    order = np.lexsort((granted.time, granted.key))
    key, seconds = granted.key[order], (granted.time[order] - calls.time.min()) / SECOND_US
    spare = seconds * rate - np.arange(len(order))
    worst = 0.0
    for one in np.split(spare, np.flatnonzero(np.diff(key)) + 1):
        worst = max(worst, float((np.maximum.accumulate(one) - one).max(initial=0.0)))
    return worst - (burst - 1)


@pytest.mark.parametrize("kind", ["pooled_keys", "app_overreach"])
def test_keys_stay_below_their_ceilings_ordinary_calls_included(kind: str) -> None:
    for grade in GRADES:
        for world, _, one in incidents(kind, grade):
            p = world.parameters
            days = sorted(set((one.events["gateway"].time // DAY_US).tolist()))
            for day in days[:3]:
                both = Calls.joined([api_calls(world, day), _on(one, "gateway", day)])
                for endpoint in (gateway.ORDER, gateway.ADDRESS, gateway.BUYER):
                    assert over_the_ceiling(both, endpoint, p.record_rate, p.record_burst) <= 0
                assert over_the_ceiling(both, gateway.LIST, p.list_rate, p.list_burst) <= 0


def _on(one: Incident, log: str, day: int) -> Any:
    found = one.on(log, day)
    assert found is not None
    return found


def test_one_back_end_pools_keys_of_several_sellers_and_reads_whom_they_sold_to() -> None:
    for grade in GRADES:
        for world, _, one in incidents("pooled_keys", grade):
            calls = one.events["gateway"]
            assert isinstance(calls, Calls)
            keys = world.partners.keys
            day = calls.time // DAY_US
            assert len(np.unique(calls.seller)) >= 3
            assert np.all((keys.issued[calls.key] <= day) & (day < keys.revoked[calls.key]))
            assert np.all(keys.seller[calls.key] == calls.seller)
            read = calls.at((calls.endpoint == gateway.ADDRESS) & (calls.buyer >= 0))
            assert len(np.unique(read.buyer)) > 10
            if grade == "loud":
                assert len(np.unique(calls.address)) >= 4
                assert len(np.unique(calls.agent)) == 1


def test_an_app_reads_what_it_did_not_declare() -> None:
    for grade in ("loud", "paced"):
        for world, _, one in incidents("app_overreach", grade):
            calls = one.events["gateway"]
            assert isinstance(calls, Calls)
            purpose = world.partners.apps[int(calls.actor[0])].purpose_on(int(calls.time[0]) // DAY_US)
            assert len(np.unique(calls.actor)) == 1
            assert {ENDPOINTS[one] for one in np.unique(calls.endpoint).tolist()} - {"token", *purpose.endpoints}
            assert np.any(calls.buyer >= 0)


def test_keys_pooled_are_ninety_two_at_full_scale() -> None:
    days = 3
    world = World(checked_parameters(preset="retailer", scale=1.0, seed=5, days=days, end=END))
    for grade in GRADES:
        pooled = _pooled(world, stream(5, grade), grade, world.calendar.window)
        assert pooled is not None
        assert len(pooled) == 92
        connections = world.partners.connections
        assert len(np.unique(connections.seller[pooled])) == 92
        assert len(np.unique(connections.app[pooled])) > 10


def test_cards_stay_in_the_warehouse_and_are_read_on() -> None:
    for grade in GRADES:
        for world, _, one in incidents("card_export", grade):
            (table,) = one.tables
            statements = one.events["sql"]
            assert isinstance(statements, Statements)
            assert table.path not in catalogue(world.parameters).by_path
            assert table.database == WAREHOUSE
            assert not table.documented
            assert 0 < table.share <= 1
            commands = [(said.database, said.command) for said in statements.said]
            made = commands.index((WAREHOUSE, "CREATE TABLE"))
            assert ("payments", "COPY") in commands[:made]
            assert all(said.database == "payments" or table.name in said.text for said in statements.said)
            assert np.all(statements.failure == 0)
            readers = {
                who
                for who, said in zip(statements.actor.tolist(), statements.said, strict=True)
                if said.command == "SELECT"
            }
            assert len(readers) >= 1
            assert "DROP TABLE" not in {command for _, command in commands}


def test_a_ring_favours_one_cluster_and_harms_its_rivals() -> None:
    for grade in GRADES:
        for world, _, one in incidents("bribed_ring", grade):
            acts = one.events["seller-desk"]
            assert isinstance(acts, Acts)
            assert 2 <= len(one.actors) <= 7
            suspended = acts.seller[acts.operation == seller_desk.SUSPEND]
            helped = acts.seller[acts.operation == seller_desk.REINSTATE]
            favoured = {int(cluster) for cluster in world.sellers.cluster(helped)} - {-1}
            assert not set(suspended.tolist()) & set(helped.tolist())
            assert len(favoured) <= 1
            assert len(one.states) <= len(suspended) + len(helped)
            assert all(state in {"suspended", "reinstated"} for _, state, _ in one.states)
            listed = {int(text.partition(":")[2]) - 1 for text in one.subjects}
            assert any(
                len(listed & set(world.sellers.members(cluster).tolist())) > 1
                for cluster in world.sellers.clusters.tolist()
            )


def test_a_key_read_on_a_page_is_used_from_a_device_in_no_list() -> None:
    for grade in GRADES:
        for world, _, one in incidents("wiki_secret", grade):
            views, logins, accesses = (one.events[log] for log in ("wiki", "sso", "buckets"))
            assert isinstance(views, PageViews)
            assert isinstance(logins, Logins)
            assert isinstance(accesses, Accesses)
            assert views.time[0] < logins.time[0] < accesses.time[-1]
            assert set(logins.device.tolist()).isdisjoint(world.devices.hostnames)
            assert len(np.unique(accesses.address)) == 1
            assert set(one.subjects) >= set(views.page.tolist())


def test_a_chain_of_copies_ends_in_a_spreadsheet_and_in_no_register() -> None:
    for grade in GRADES:
        for _, _, one in incidents("copy_chain", grade):
            statements, accesses = one.events["sql"], one.events["buckets"]
            assert isinstance(statements, Statements)
            assert isinstance(accesses, Accesses)
            assert all(said.command == "COPY" and said.database == WAREHOUSE for said in statements.said)
            written = {said.text.split("s3://")[1].split("'")[0] for said in statements.said}
            assert written & set(accesses.source.tolist())
            assert {text for text in one.subjects if text.startswith("buckets/")}


def test_what_a_gap_hides_has_left_traces_elsewhere() -> None:
    logs = set()
    for grade in GRADES:
        for world, _, one in incidents("log_tampering", grade):
            log = one.lost[0][0]
            logs.add(log)
            hidden = one.events["console" if log == "console" else "sql"]
            gaps = [(start, end) for name, start, end in one.lost if name == log]
            for time in hidden.time.tolist():
                assert any(start <= time < end for start, end in gaps)
            assert len(one.events["sso"]) == len(gaps)
            lengths = [(end - start) / MINUTE_US for start, end in gaps]
            if grade == "mimicry":
                assert len({name for name, *_ in one.lost}) > 1
                assert min(lengths) > 15
            if log == "console":
                assert isinstance(hidden, Views)
                edited = hidden.at((hidden.operation == OPERATIONS.index("edit")) & (hidden.result == 0))
                days = sorted(set((edited.time // DAY_US).tolist()))
                rows = sum(
                    len(console_updates(world, day, edited.between(day * DAY_US, (day + 1) * DAY_US))) for day in days
                )
                assert rows == len(edited) > 0
                start, end = world.gap
                assert not np.any((hidden.time >= start) & (hidden.time < end))
            else:
                assert np.all(one.events["buckets"].time >= hidden.time[0])
    assert logs == {"console", "payments"}


# The form of their events


_MADE: dict[str, Callable[[World, int], Any]] = {
    "console": contact_views, "seller-desk": desk_acts, "gateway": api_calls, "sso": logins_of_day,
    "buckets": accesses_of_day, "wiki": views_of_day,
    "sql": lambda world, day: day_statements(world, day, contact_views(world, day)),
}  # fmt: skip
_WRITTEN: dict[str, Callable[[World, int], Any]] = {
    "console": console_log, "seller-desk": desk_log, "gateway": lambda world, _day: gateway_log(world, 0), "sso": sso_log, "buckets": buckets_log,
    "wiki": wiki_log,
}  # fmt: skip


@each
def test_lines_of_incidents_are_made_with_those_of_everybody(kind: str, grade: str) -> None:
    for world, _, one in incidents(kind, grade):
        for log, events in one.events.items():
            day = int(events.time[0]) // DAY_US
            ordinary = _MADE[log](world, day)
            both = type(ordinary).joined([ordinary, _on(one, log, day)])
            _same_types(ordinary, events)
            if log == "sql":
                for database in DATABASES:
                    said = connected(world, day, both, database)
                    if len(said):
                        assert len(database_log(world, database, day).lines(said, _uids(len(said)))) == len(said)
            else:
                assert len(_WRITTEN[log](world, day).lines(both, _uids(len(both)))) == len(both)
        break


def _uids(count: int) -> pa.Array:
    return hexadecimal_of(*(Chance(1, half)(np.arange(count)) for half in "ab"))


def _same_types(ordinary: Events, events: Events) -> None:
    assert type(events) is type(ordinary)
    for column in fields(events):
        mine: Ints = getattr(events, column.name)
        assert mine.dtype == getattr(ordinary, column.name).dtype
        assert len(mine) == len(events)
