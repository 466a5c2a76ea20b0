from __future__ import annotations

import json
from collections import Counter
from dataclasses import fields
from importlib import import_module
from itertools import product

import numpy as np
import pyarrow as pa
import pytest

from beholden.core.times import parse_time
from beholden.retailer.canaries import canaries
from beholden.retailer.chance import DAY_US, HOUR_US, stream
from beholden.retailer.contacts import RIGHT
from beholden.retailer.events import INCIDENT, Events
from beholden.retailer.incidents.cover import Cover
from beholden.retailer.incidents.incident import GRADES, LOGS, Incident
from beholden.retailer.incidents.pace import daily_work
from beholden.retailer.incidents.working_days import actor_names
from beholden.retailer.life.accounts import ASSISTED, DELETE, RESET, Visits, account_visits, accounts_log
from beholden.retailer.life.console import contact_views
from beholden.retailer.life.places import identity_names
from beholden.retailer.life.sql_text import DATABASES
from beholden.retailer.parameters import checked_parameters
from beholden.retailer.world import World

END = parse_time("2026-11-22T00:00:00Z")
KINDS = (
    "personal_lookup", "celebrity_spike", "profile_tampering", "account_misuse", "slow_exfiltration", "dormant_takeover",
    "rogue_device", "canary_read",
)  # fmt: skip
#: The logs whose daily work a paced incident of a kind counts together.
PACED = {
    "personal_lookup": ("console",), "celebrity_spike": ("console",), "profile_tampering": ("sql",),
    "account_misuse": ("console", "accounts"), "slow_exfiltration": ("console",), "rogue_device": ("buckets", "sql"),
    "canary_read": ("console", "sql"),
}  # fmt: skip
SEEDS = ((1, 14), (2, 28), (3, 21))
EVERY = list(product(KINDS, GRADES))


def world_of(seed: int, days: int, scale: float = 0.01) -> World:
    return World(checked_parameters(preset="retailer", scale=scale, seed=seed, days=days, end=END))


def planned(
    world: World, kind: str, grade: str, number: int = 7, within: tuple[int, int] | None = None
) -> Incident | None:
    p = world.parameters
    rng = stream(p.seed, kind, GRADES.index(grade))
    found: Incident | None = import_module(f"beholden.retailer.incidents.{kind}").plan(
        world, rng, number, grade, *(within or (p.start, p.end))
    )
    return found


@pytest.fixture(scope="module")
def made() -> dict[tuple[str, str], list[tuple[World, Incident]]]:
    worlds = [world_of(*one) for one in SEEDS]
    return {
        (kind, grade): [(world, found) for world in worlds if (found := planned(world, kind, grade)) is not None]
        for kind, grade in EVERY
    }


def equal(one: Events, other: Events) -> bool:
    return all(np.array_equal(getattr(one, column.name), getattr(other, column.name)) for column in fields(one))


def by_day(events: Events) -> Counter[tuple[int, int]]:
    return Counter(zip(events.actor.tolist(), (events.time // DAY_US).tolist(), strict=True))


@pytest.mark.parametrize(("kind", "grade"), EVERY)
def test_every_kind_and_grade_is_planned_in_small_companies(made, kind: str, grade: str) -> None:
    assert len(made[kind, grade]) == len(SEEDS)
    for world, one in made[kind, grade]:
        assert (one.number, one.kind, one.grade) == (7, kind, grade)
        assert one.actors
        assert one.subjects
        assert set(one.events) <= set(LOGS)
        for events in one.events.values():
            assert len(events)
            assert (np.diff(events.time) >= 0).all()
            assert not (events.time % 1000).any()
            assert events.time[0] >= world.parameters.start
            assert events.time[-1] < world.parameters.end
            assert set(events.label.tolist()) == {INCIDENT}
            assert set(events.incident.tolist()) == {7}


@pytest.mark.parametrize(("kind", "grade"), EVERY)
def test_actors_exist_are_employed_and_are_named_as_logs_call_them(made, kind: str, grade: str) -> None:
    for world, one in made[kind, grade]:
        members = world.staff.members
        named = {name.removeprefix("service:") for name in one.actors}
        for events in one.events.values():
            for who, day in by_day(events):
                if who >= 0:
                    assert identity_names(world, day)[who] in named
                if 0 <= who < len(members) and kind != "dormant_takeover":
                    assert members[who].is_employed(day)
                elif who >= 0:
                    assert kind == "dormant_takeover"
                    assert world.grants.holding[who]
                    assert not world.grants.active[who]


@pytest.mark.parametrize("kind", PACED)
def test_who_is_paced_stays_within_the_95th_percentile_of_their_own_days(made, kind: str) -> None:
    for world, one in made[kind, "paced"]:
        logs = tuple(log for log in PACED[kind] if log in one.events) if kind == "canary_read" else PACED[kind]
        days = sum((by_day(events) for log, events in one.events.items() if log in logs), Counter())
        for (who, day), count in days.items():
            if who < 0:  # customers' own accounts, used from outside
                continue
            assert world.staff.works(who, day)
            begins, ends = world.staff.shift_of(who, day)
            times = np.concatenate([e.time[(e.actor == who) & (e.time // DAY_US == day)] for e in one.events.values()])
            assert begins <= times.min()
            assert times.max() < ends
            at_work = [on for on in world.calendar.window if world.staff.works(who, on)]
            usual = {on: sum(daily_work(world, log, on)[who] for log in logs) for on in at_work}
            assert usual[day] + count <= np.quantile(list(usual.values()), 0.95)


def test_who_takes_over_dormant_accounts_slowly_keeps_to_what_others_do(made) -> None:
    for (_, loud), (_, paced) in zip(made["dormant_takeover", "loud"], made["dormant_takeover", "paced"], strict=True):
        assert max(by_day(paced.events["buckets"]).values()) < max(by_day(loud.events["buckets"]).values())


@pytest.mark.parametrize(
    "kind", ["personal_lookup", "celebrity_spike", "account_misuse", "slow_exfiltration", "canary_read"]
)
def test_mimicry_has_a_contact_or_a_case_on_record_over_every_look(made, kind: str) -> None:
    for _, one in made[kind, "mimicry"]:
        cases, contacts = one.records.get("case"), one.contacts
        for log in {"console", "accounts"} & set(one.events):
            events = one.events[log]
            for time, who, customer, ticket in zip(
                events.time, events.actor, events.customer, events.ticket, strict=True
            ):
                over = False
                if contacts is not None:
                    mine = (contacts.customer == customer) & (contacts.agent == who)
                    mine &= (contacts.opened <= time) & (time < contacts.closed)
                    over = mine.any()
                    assert ticket < 0 or (ticket == contacts.ticket[mine]).all()
                if cases is not None:
                    mine = (cases.customer == customer) & (cases.actor == who)
                    over |= (mine & (cases.opened < time + 2 * HOUR_US) & (time < cases.closed)).any()
                assert over


def test_contacts_put_on_record_take_free_numbers_in_their_order(made) -> None:
    qualities: Counter[int] = Counter()
    taken: dict[int, list[int]] = {}
    for (kind, grade), several in made.items():
        for world, one in several:
            if grade != "mimicry" or one.contacts is None:
                assert one.contacts is None
                continue
            tickets = one.contacts.ticket.tolist()
            taken.setdefault(world.parameters.seed, []).extend(tickets)
            qualities.update(one.contacts.quality.tolist())
            for at, day in enumerate((one.contacts.opened // DAY_US).tolist()):
                every = world.service.on(day)
                held = every.at(every.ticket >= 0)
                assert tickets[at] not in held.ticket
                later = held.logged_opened > one.contacts.logged_opened[at]
                assert (later == (held.ticket > tickets[at])).all(), kind
                mine = every.agent == one.contacts.agent[at]
                apart = (every.closed[mine] <= one.contacts.opened[at]) | (
                    every.opened[mine] >= one.contacts.closed[at]
                )
                assert apart.all()
    assert all(len(set(tickets)) == len(tickets) for tickets in taken.values())
    assert len(qualities) == 3
    assert qualities[RIGHT] == max(qualities.values())


@pytest.mark.parametrize("kind", ["profile_tampering", "dormant_takeover", "rogue_device"])
def test_mimicry_on_databases_and_buckets_has_a_piece_of_work_over_it(made, kind: str) -> None:
    for world, one in made[kind, "mimicry"]:
        work = one.records["assignment"]
        assert set(work.actor.tolist()) <= set(range(len(world.staff)))
        if kind == "profile_tampering":
            assert {f"customer:{at + 1}" for at in work.customer.tolist()} == set(one.subjects)
        for log in {"sql", "buckets"} & set(one.events):
            for time, who in zip(one.events[log].time, one.events[log].actor, strict=True):
                own = (work.actor == who) | (kind == "dormant_takeover")  # there it is borrowed
                assert (own & (work.opened <= time) & (time < work.closed)).any()


def test_celebrities_are_looked_at_by_several_and_exes_by_one(made) -> None:
    for grade in GRADES:
        for world, one in made["celebrity_spike", grade]:
            assert len(one.actors) >= 3
            assert {int(one.subjects[0].split(":")[1]) - 1} <= set(world.people.famous.tolist())
        for _, one in made["personal_lookup", grade]:
            assert len(one.actors) == len(one.subjects) == 1
            assert 1 <= len(one.events["console"]) <= 3


def test_nobody_who_is_looked_up_had_called(made) -> None:
    for grade in ("loud", "paced"):
        for world, one in [*made["personal_lookup", grade], *made["celebrity_spike", grade]]:
            views = one.events["console"]
            for time, customer in zip(views.time, views.customer, strict=True):
                assert customer not in world.service.on(int(time) // DAY_US).customer


def test_profiles_are_changed_on_the_crm_and_then_their_passwords(made) -> None:
    for grade in GRADES:
        for world, one in made["profile_tampering", grade]:
            said = one.events["sql"]
            assert {DATABASES[at] for at in said.database.tolist()} == {"crm"}
            assert {sql.command for sql in said.said} == {"UPDATE"}
            assert all("email" in sql.text.lower() for at, sql in enumerate(said.said) if said.failure[at] == 0)
            roles = {world.staff.members[who].role for who in said.actor.tolist()}
            assert roles <= {"engineer", "it"}
            assert "engineer" in roles
            resets = one.events["accounts"]
            assert set(resets.actor.tolist()) == {-1}
            assert (resets.operation == RESET).sum() > len(said) / 3
            assert {f"customer:{at + 1}" for at in resets.customer.tolist()} <= set(one.subjects)
    loud = [len(one.subjects) for _, one in made["profile_tampering", "loud"]]
    assert 0.6 * 360 <= np.mean(loud) <= 1.4 * 360


def test_reviews_are_deleted_after_an_assisted_sign_in_by_the_same_hands(made) -> None:
    for grade in GRADES:
        for _, one in made["account_misuse", grade]:
            visits = one.events["accounts"]
            for customer in np.unique(visits.customer).tolist():
                mine = visits.at(visits.customer == customer)
                assert mine.operation[0] == ASSISTED
                assert set(mine.operation[1:].tolist()) == {DELETE}
                assert len(set(mine.actor.tolist())) == 1
                assert (mine.review[1:] > 0).all()


def test_records_trickle_out_for_weeks_under_the_numbers_of_others_contacts(made) -> None:
    for grade in ("loud", "paced"):
        for world, one in made["slow_exfiltration", grade]:
            views = one.events["console"]
            assert len(one.actors) == 1
            assert len(by_day(views)) >= 4
            assert (views.ticket >= 0).all()
            for time, customer, ticket in list(zip(views.time, views.customer, views.ticket, strict=True))[:40]:
                contacts = world.service.on(int(time) // DAY_US)
                of = contacts.customer[contacts.ticket == ticket]
                assert len(of) == 1
                assert of[0] != customer


def test_accounts_taken_over_come_from_new_places_on_devices_of_no_list(made) -> None:
    for kind in ("dormant_takeover", "rogue_device"):
        for grade in GRADES:
            for world, one in made[kind, grade]:
                assert not set(one.events["sso"].device.tolist()) & set(world.devices.hostnames)
                assert [device.hostname for device in one.devices] == (
                    list(dict.fromkeys(one.events["sso"].device.tolist())) if kind == "rogue_device" else []
                )


def test_a_canary_is_among_what_was_read_and_nothing_in_it_stands_out(made) -> None:
    for grade in GRADES:
        for world, one in made["canary_read", grade]:
            planted = {f"customer:{at + 1}" for at in canaries(world).tolist()}
            assert planted & set(one.subjects)
    world = world_of(4, 14)
    positions = canaries(world)
    assert 3 <= len(positions) <= world.parameters.canaries
    assert not np.isin(positions, world.people.famous).any()
    text = world.people.text(positions)
    assert all(text.email)
    assert all(text.street)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_plan_comes_again_and_keeps_within_the_time_given(kind: str) -> None:
    world, again = world_of(5, 28), world_of(5, 28)
    within = (world.parameters.start + 6 * DAY_US + 12_345_678, world.parameters.end - 6 * DAY_US)
    for grade in GRADES:
        one, other = (planned(each, kind, grade, 3, within) for each in (world, again))
        assert (one is None) == (other is None)
        if one is None or other is None:
            continue
        assert one.actors == other.actors
        assert one.subjects == other.subjects
        assert all(equal(one.events[log], other.events[log]) for log in one.events)
        first, last = one.span
        assert within[0] <= first
        assert last < within[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_time_too_short_for_any_shift_has_no_incident(kind: str) -> None:
    world = world_of(5, 14)
    start = world.parameters.start + 2 * DAY_US
    for grade in GRADES:
        assert planned(world, kind, grade, 0, (start, start + HOUR_US)) is None


def test_incidents_of_a_kind_under_way_at_once_share_no_ticket_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("beholden.retailer.incidents.cover.slots", lambda _: 2)
    world = world_of(1, 14)
    day = world.calendar.window[3]
    free = [
        {number for number, _ in Cover(world, stream(1, "cover"), kind, incident)._free(day)}
        for kind in ("slow_exfiltration", "account_misuse")
        for incident in (4, 5)
    ]
    assert all(free)
    assert len(set.union(*free)) == sum(map(len, free))
    assert set.union(*free) <= set(world.service.hung_up(day)[0].tolist())


def test_a_day_that_has_no_free_number_gives_no_contact() -> None:
    world = world_of(1, 14)
    cover = Cover(world, stream(1, "cover"), "canary_read", 0)
    assert cover.contact(0, 5, world.calendar.window[0] - 3, 2) is None
    assert cover.contacts is None


def test_customers_accounts_have_a_log_with_the_same_shapes() -> None:
    world = world_of(2, 28, 0.05)
    days = list(world.calendar.window[3:7])
    every = [account_visits(world, day) for day in days]
    backwards = [account_visits(world_of(2, 28, 0.05), day) for day in reversed(days)]
    assert all(equal(one, other) for one, other in zip(every, reversed(backwards), strict=True))
    visits = Visits.joined(every)
    assert (np.diff(visits.time) >= 0).all()
    assert not (visits.time % 1000).any()
    assert ((visits.actor >= 0) == (visits.client == visits.client.max())).all()
    helped = visits.at(visits.actor >= 0)
    assert {ASSISTED, RESET} <= set(helped.operation.tolist()) <= {ASSISTED, RESET, DELETE}
    assert (visits.operation == DELETE).any()
    assert (helped.ticket >= 0).mean() > 0.6
    assert len(account_visits(world, world.calendar.window[0] - 1)) == 0


def test_agents_sometimes_delete_a_review_for_a_customer() -> None:
    world = world_of(2, 28, 0.05)
    visits = Visits.joined([account_visits(world, day) for day in world.calendar.window])
    assert ((visits.actor >= 0) & (visits.operation == DELETE)).any()
    assert actor_names(world, visits)


def test_lines_of_the_accounts_log_say_who_did_what() -> None:
    world = world_of(2, 14)
    day = world.calendar.window[4]
    visits = account_visits(world, day)
    uids = pa.array([f"{at:032x}" for at in range(len(visits))])
    lines = accounts_log(world, day, 0).lines(visits, uids).to_pylist()
    for at, line in enumerate(lines):
        told = json.loads(line)
        assert told["account"] == visits.customer[at] + 1
        assert told["by"] == (None if visits.actor[at] < 0 else world.staff.logins(day)[visits.actor[at]])
        assert (told["ticket"] is None) == (visits.ticket[at] < 0)
    assert len(contact_views(world, day))
