from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest

from beholden.core.errors import BeholdenError
from beholden.core.times import parse_time
from beholden.retailer.balance import GROUNDS, Tally, check, documented, records_of, shuffled_share, tally_of
from beholden.retailer.chance import DAY_US, SECOND_US
from beholden.retailer.events import LABELS, label
from beholden.retailer.life import support_lookalikes as support
from beholden.retailer.life.assignments import correction, correction_day, training
from beholden.retailer.life.console import SCREENS, Views, contact_views
from beholden.retailer.life.investigations import fraud_work, privacy_views
from beholden.retailer.parameters import Parameters, checked_parameters
from beholden.retailer.world import World

END = parse_time("2026-11-22T00:00:00Z")
KINDS: dict[str, Callable[[World, int], Views]] = {
    "call_back": support.call_backs,
    "quality_review": lambda world, day: support.quality_reviews(world, day)[0],
    "fraud_review": lambda world, day: fraud_work(world, day)[0],
    "training": lambda world, day: training(world, day)[0],
    "privacy_request": privacy_views,
    "transferred_staff": support.old_rights,
    "staff_customer": support.self_views,
    "mass_correction": lambda world, day: correction(world, day)[0],
}


def parameters(scale: float = 0.05, days: int = 30, seed: int = 4) -> Parameters:
    """A company with more transfers, hires and staff who buy than usual, so that a short time shows all."""
    usual = checked_parameters(preset="retailer", scale=scale, seed=seed, days=days, end=END)
    return replace(usual, transferred=4.0, staff_who_buy=0.6, attrition_agents=3.0, staff_contacts_a_day=0.05)


def views_on(world: World, day: int) -> Views:
    return Views.joined([contact_views(world, day), support.lookalike_views(world, day)])


def equal(one: Views, other: Views) -> bool:
    return all(np.array_equal(getattr(one, column.name), getattr(other, column.name)) for column in fields(Views))


@pytest.fixture(scope="module")
def world() -> World:
    return World(parameters())


@pytest.fixture(scope="module")
def made(world: World) -> dict[str, Views]:
    return {kind: Views.joined([make(world, day) for day in world.calendar.window]) for kind, make in KINDS.items()}


@pytest.fixture(scope="module")
def tally() -> tuple[World, Tally]:
    world = World(checked_parameters(preset="retailer", scale=0.1, seed=4, days=8, end=END))
    return world, sum((tally_of(world, day, views_on(world, day)) for day in world.calendar.window), Tally())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_happens_under_its_label_in_whole_milliseconds_by_employees(world: World, made, kind: str) -> None:
    views = made[kind]
    assert len(views)
    assert {LABELS[i] for i in views.label.tolist()} == {f"benign:{kind}"}
    assert not (views.time % 1000).any()
    employed = [
        world.staff.members[who].is_employed(time // DAY_US) for who, time in zip(views.actor, views.time, strict=True)
    ]
    assert all(employed)
    assert ((views.customer >= 0) & (views.customer < len(world.people))).all()


def test_a_day_is_the_same_made_alone_or_in_any_order(world: World) -> None:
    planned = correction_day(world)
    assert planned is not None
    days = [*world.calendar.window[3:9], planned[0]]
    backwards = World(parameters())
    again = {day: support.lookalike_views(backwards, day) for day in reversed(days)}
    for day in days:
        views = support.lookalike_views(world, day)
        assert equal(views, again[day])
        assert (np.diff(views.time) >= 0).all()
        assert ((views.time >= day * DAY_US) & (views.time < (day + 1) * DAY_US)).all()
    alone = World(parameters())
    assert equal(support.lookalike_views(alone, days[2]), again[days[2]])


def test_nothing_happens_outside_the_window(world: World) -> None:
    for day in (world.calendar.window[0] - 1, world.calendar.window[-1] + 30):
        assert len(support.lookalike_views(world, day)) == 0


def test_call_backs_follow_a_contact_of_the_same_agent_hours_or_a_day_later(world: World, made) -> None:
    views = made["call_back"]
    tomorrow = 0
    for time, who, customer in zip(views.time, views.actor, views.customer, strict=True):
        day = int(time) // DAY_US
        before = [world.service.on(date) for date in (day - 1, day)]
        same = [((one.agent == who) & (one.customer == customer) & (one.closed < time)).any() for one in before]
        assert any(same)
        tomorrow += not same[1]
    assert 0.2 < tomorrow / len(views) < 0.7
    assert 0.3 < np.mean(views.ticket >= 0) < 0.8


def test_supervisors_replay_four_to_ten_contacts_of_an_agent_a_month() -> None:
    world = World(checked_parameters(preset="retailer", scale=0.1, seed=4, days=30, end=END))
    reviews = [records_of(world, "review", day) for day in world.calendar.window]
    agents = np.mean([len(world.staff.of_role("agent", day)) for day in world.calendar.window])
    assert 4 <= sum(map(len, reviews)) / agents <= 10
    for day, held in zip(world.calendar.window, reviews, strict=True):
        assert set(held.actor.tolist()) <= set(world.staff.at_work("supervisor", day).tolist())
        recent = np.concatenate([world.service.on(date).customer for date in range(day - 4, day)])
        assert np.isin(held.customer, recent).all()


def test_some_reviews_are_written_down_only_afterwards(world: World) -> None:
    covered = []
    for day in world.calendar.window:
        views = support.quality_reviews(world, day)[0]
        covered += (documented(world, day, views) == GROUNDS.index("review")).tolist()
    assert 0.7 < np.mean(covered) < 0.97


def test_fraud_staff_go_from_a_hub_to_those_linked_with_it_and_most_of_it_has_a_case(world: World, made) -> None:
    covered, linked = [], []
    for day in world.calendar.window:
        views = fraud_work(world, day)[0]
        covered += (documented(world, day, views) == GROUNDS.index("case")).tolist()
        partner = world.cards.shared_with(views.customer)
        mate = world.people.housemate(views.customer)
        of_mate = np.where(mate >= 0, world.cards.shared_with(np.maximum(mate, 0)), -1)
        linked += ((partner >= 0) | (of_mate >= 0)).tolist()
    assert all(linked)
    assert 0.6 < np.mean(covered) < 0.8
    assert not np.isin(made["fraud_review"].time // DAY_US % 7, [2, 3]).any()  # a weekend
    contacts = np.concatenate([world.service.on(day).customer for day in world.calendar.window])
    assert np.mean(np.isin(made["fraud_review"].customer, contacts)) < 0.3


def test_fraud_staff_look_at_other_people_each_day_and_not_at_low_numbers(world: World, made) -> None:
    assert len(np.unique(made["fraud_review"].customer)) > 100
    assert 0.35 < np.mean(made["fraud_review"].customer) / len(world.people) < 0.65


def test_trainees_of_a_cohort_open_the_same_customers(world: World, made) -> None:
    views = made["training"]
    cohorts: dict[int, set[int]] = {}
    for who, customer in zip(views.actor.tolist(), views.customer.tolist(), strict=True):
        cohorts.setdefault(world.staff.members[who].hired // 7, set()).add(customer)
    assert all(len(customers) <= 4 for customers in cohorts.values())
    assert max(map(len, cohorts.values())) == 4


def test_privacy_staff_read_one_person_everywhere(made) -> None:
    views = made["privacy_request"]
    for customer in np.unique(views.customer):
        assert len(np.unique(views.screen[views.customer == customer])) == len(SCREENS)


def test_transferred_staff_open_what_somebody_else_has_on_the_line(world: World, made) -> None:
    views = made["transferred_staff"]
    for time, who, customer in zip(views.time.tolist(), views.actor.tolist(), views.customer, strict=True):
        member, contacts = world.staff.members[who], world.service.on(time // DAY_US)
        assert member.role in support.CONSOLE_ROLES
        assert member.moved is not None
        assert member.moved <= time // DAY_US
        assert (contacts.customer == customer).any()


def test_staff_look_at_themselves_after_a_contact_that_another_handled(world: World, made) -> None:
    views = made["staff_customer"]
    for time, who, customer in zip(views.time.tolist(), views.actor.tolist(), views.customer, strict=True):
        assert world.staff.members[who].customer == customer
        contacts = world.service.on(time // DAY_US)
        mine = contacts.at(contacts.customer == customer)
        assert (mine.closed < time).any()
        assert (mine.agent != who).all()


def test_a_mass_correction_is_one_persons_edits_on_one_day_by_a_work_list(world: World, made) -> None:
    planned = correction_day(world)
    assert planned is not None
    day, who = planned
    views = made["mass_correction"]
    assert set((views.time // DAY_US).tolist()) == {day}
    assert set(views.actor.tolist()) == {who}
    assert set(views.operation.tolist()) == {1}
    assert len(np.unique(views.customer)) == len(views) == 200
    assert 0.9 < np.mean(documented(world, day, views) == GROUNDS.index("assignment")) < 1


def test_short_windows_have_no_mass_correction() -> None:
    assert correction_day(World(parameters(days=27))) is None


def test_nobody_serves_themselves_and_tickets_are_numbered_with_gaps(world: World) -> None:
    tickets = []
    own = np.array([member.customer for member in world.staff.members])
    for day in world.calendar.window:
        contacts = world.service.on(day)
        assert not (own[contacts.agent] == contacts.customer).any()
        logged = contacts.at(contacts.ticket >= 0)
        tickets.append(logged.ticket[np.argsort(logged.logged_opened, kind="stable")])
    every = np.concatenate(tickets)
    assert (np.diff(every) > 0).all()
    assert 0.15 < np.mean(np.diff(tickets[5]) > 1) < 0.35


def test_relatives_share_name_and_home_with_the_member(world: World) -> None:
    homes = world.service.homes
    who, column = np.nonzero(homes.relatives >= 0)
    related = homes.relatives[who, column]
    assert len(who) > len(world.staff) / 4
    assert (homes.household(related) == homes.household(homes.home)[who]).all()
    surnames = np.array([member.surname for member in world.staff.members])
    assert (world.people.names(related)[1] == surnames[who]).all()


def test_nine_in_ten_views_have_a_reason_and_chance_gives_hardly_any(tally) -> None:
    world, sums = tally
    assert 0.90 <= sums.documented_share <= 0.94
    assert sums.chance_share < 0.02
    assert sum(sums.by_ground) == sums.views
    assert all(sums.by_ground[: GROUNDS.index("assignment")])
    check(sums, world)


def test_the_chance_level_is_what_shuffling_leaves(tally) -> None:
    world, _ = tally
    day = world.calendar.window[2]
    views = views_on(world, day)
    assert shuffled_share(world, day, views) == shuffled_share(world, day, views)
    assert 0 < shuffled_share(world, day, views) < 0.02
    assert shuffled_share(world, day, Views.nothing()) == 0.0


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("contacts", {"contacts": 2}),
        ("views", {"views": 0.5}),
        ("contacts an agent and working day", {"agent_days": 0.3}),
        ("share of agents' time on contacts", {"busy_us": 2}),
        ("contacts an agent and working day", {"agent_days": 3}),
        ("share of views with a documented reason", {"by_ground": 3}),
        ("share of views with a reason if customers are shuffled", {"shuffled": 50}),
    ],
)
def test_flows_that_do_not_balance_are_refused(tally, what: str, changes: dict[str, float]) -> None:
    world, sums = tally
    for name, factor in changes.items():
        value = getattr(sums, name)
        changed = (value[0] * factor, *value[1:]) if name == "by_ground" else int(value * factor)
        with pytest.raises(BeholdenError, match=rf"simulated company: {what}: .*the flows do not balance; expected"):
            check(replace(sums, **{name: changed}), world)


def test_labels_are_known() -> None:
    assert all(label(f"benign:{kind}") for kind in KINDS)


def test_fraud_staff_first_look_a_varying_while_after_they_opened_the_case(world: World) -> None:
    waits = set()
    for day in world.calendar.window:
        views, cases = fraud_work(world, day)
        for actor, opened in sorted(set(zip(cases.actor.tolist(), cases.opened.tolist(), strict=True))):
            mine = views.time[(views.actor == actor) & (views.time > opened)]
            waits.add(int(mine.min()) - opened)
    assert len(waits) > 20
    assert min(waits) < 30 * SECOND_US < 120 * SECOND_US < max(waits)
