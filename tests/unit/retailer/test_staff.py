from __future__ import annotations

import csv
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from beholden.core.errors import BeholdenError
from beholden.core.times import parse_time
from beholden.retailer.balance import Tally, check, tally_of
from beholden.retailer.chance import DAY_US, HOUR_US, MINUTE_US, Ints
from beholden.retailer.contacts import COLLEAGUE, LATE, NEVER, Contacts
from beholden.retailer.feeds import write_personnel
from beholden.retailer.life.console import Views, contact_views
from beholden.retailer.life.seller_desk import desk_acts, seller_cases
from beholden.retailer.life.sso import logins_of_day
from beholden.retailer.life.support_lookalikes import lookalike_views
from beholden.retailer.parameters import PRESETS, checked_parameters
from beholden.retailer.schedule import scheduled
from beholden.retailer.world import World

END = parse_time("2026-11-22T00:00:00Z")
OPEN = range(7, 22)


@lru_cache(maxsize=16)
def world_of(scale: float = 0.01, seed: int = 1, days: int = 30, preset: str = "retailer", **changed: Any) -> World:
    return World(replace(checked_parameters(preset=preset, scale=scale, seed=seed, days=days, end=END), **changed))


def hours_of(world: World, who: int, day: int) -> range:
    begins, ends = (moment % DAY_US // HOUR_US for moment in world.staff.shift_of(who, day))
    return range(begins, ends)


def late_by(world: World, who: Ints, opened: Ints, closed: Ints) -> tuple[int, int]:
    """How long before the shift anything began, and how long after it anything ended, at most (microseconds)."""
    shifts = [
        world.staff.shift_of(one, time // DAY_US) for one, time in zip(who.tolist(), opened.tolist(), strict=True)
    ]
    begins, ends = np.array(shifts, dtype=np.int64).reshape(-1, 2).T
    return int(np.max(begins - opened, initial=0)), int(np.max(closed - ends, initial=0))


# When somebody works


@pytest.mark.parametrize("role", ["agent", "seller_support"])
@pytest.mark.parametrize(("scale", "seed"), [(0.01, 1), (0.01, 2), (0.01, 3), (0.001, 4), (0.1, 1)])
def test_early_and_late_are_covered_by_whom_is_there(role: str, scale: float, seed: int) -> None:
    world = world_of(scale, seed)
    for day in world.calendar.window:
        there = world.staff.at_work(role, day).tolist()
        assert there, "somebody comes in on a day off where nobody is left"
        covered = {hour for who in there for hour in hours_of(world, who, day)}
        assert len(there) == 1 or covered >= set(OPEN)
        assert covered == set(world.staff.hours_covered(role, day))


def test_most_keep_their_usual_shift_and_a_day_is_the_same_alone() -> None:
    world, again = world_of(0.1), World(world_of(0.1).parameters)
    kept = []
    for day in reversed(world.calendar.window):
        for who in world.staff.at_work("agent", day).tolist():
            assert world.staff.shift_of(who, day) == again.staff.shift_of(who, day)
            kept.append(hours_of(world, who, day)[0] == world.staff.members[who].shift)
    assert 0.8 < np.mean(kept) < 1


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("scale", "seed"), [(0.01, 1), (0.01, 2), (0.01, 3), (0.1, 1)])
def test_contacts_lie_in_the_shift_and_little_beyond_even_after_promotions(
    preset: str, scale: float, seed: int
) -> None:
    world = world_of(scale, seed, preset=preset)
    assert world.calendar.promotions
    served = 0
    for day in world.calendar.window:
        contacts = world.service.on(day)
        served += len(contacts)
        assert set(contacts.agent.tolist()) <= set(world.staff.at_work("agent", day).tolist())
        before, after = late_by(world, contacts.agent, contacts.opened, contacts.closed)
        assert before == 0
        assert after < HOUR_US
    # So few give up that the flows still balance.
    assert served > 0.95 * sum(world.service.expected(day) for day in world.calendar.window)


def test_an_agent_alone_serves_within_the_shift() -> None:
    world = world_of(absent=0.85)
    alone = 0
    for day in world.calendar.window:
        if len(world.staff.at_work("agent", day)) == 1:
            contacts = world.service.on(day)
            alone += len(contacts) > 20
            assert late_by(world, contacts.agent, contacts.opened, contacts.closed)[0] == 0
            assert set(world.service.hung_up(day)[1] // HOUR_US % 24) <= set(hours_of(world, contacts.agent[0], day))
    assert alone > 5


def test_the_seller_desk_works_in_its_shifts_and_a_program_decides_when_nobody_is_there() -> None:
    world = world_of(absent=0.5, sellers_suspended_a_year=1.2, automatic_suspensions=0.0)
    program, by_program = world.staff.service("seller_app"), 0
    for day in world.calendar.window:
        cases, acts = seller_cases(world, day), desk_acts(world, day)
        assert late_by(world, cases.member, cases.opened, cases.closed)[0] == 0
        people = acts.at(acts.actor != program)
        before, after = late_by(world, people.actor, people.time, people.time)
        assert before == 0
        assert after <= HOUR_US
        by_program += len(acts) - len(people)
    assert by_program > 2


def test_whoever_takes_another_shift_signs_in_for_it() -> None:
    world = world_of(seed=2)
    moved = 0
    for day in world.calendar.window:
        logins = logins_of_day(world, day)
        for who in world.staff.at_work("agent", day).tolist():
            begins, ends = world.staff.shift_of(who, day)
            moved += begins % DAY_US // HOUR_US != world.staff.members[who].shift
            mine = logins.time[(logins.actor == who) & (logins.factor > 0) & (logins.app != 6)]
            assert abs(int(mine.min()) - begins) < 30 * MINUTE_US
            assert mine.max() < ends
    assert moved > 2


@pytest.mark.parametrize(("scale", "seed"), [(0.01, 1), (0.01, 2), (0.01, 3), (0.1, 2)])
def test_no_agents_day_is_long_and_a_long_one_stops_generation(scale: float, seed: int) -> None:
    world = world_of(scale, seed, days=10)
    sums = Tally()
    for day in world.calendar.window:
        sums += tally_of(world, day, Views.joined([contact_views(world, day), lookalike_views(world, day)]))
    assert 7 * HOUR_US < sums.longest_us < 10 * HOUR_US
    check(sums, world)
    with pytest.raises(BeholdenError, match=r"an agent's working day: 11\.0 hours"):
        check(replace(sums, longest_us=11 * HOUR_US), world)


# Tickets


def overlaps(agent: Ints, opened: Ints, closed: Ints, plain: Any) -> int:
    """Pairs of neighbours in time of one agent that overlap, among those that are ``plain``."""
    at = np.flatnonzero(plain)
    order = at[np.lexsort((opened[at], agent[at]))]
    same = agent[order][1:] == agent[order][:-1]
    return int(np.sum(same & (opened[order][1:] < closed[order][:-1])))


@pytest.mark.parametrize(("scale", "seed", "days"), [(0.01, 1, 14), (0.01, 2, 14), (0.1, 1, 7)])
def test_tickets_of_one_agent_overlap_only_where_one_is_late_or_a_colleagues(
    scale: float, seed: int, days: int
) -> None:
    world = world_of(scale, seed, days)
    parts = [world.service.on(day) for day in world.calendar.window]
    parts += [one.contacts for one in scheduled(world, "recall") if one.contacts is not None]
    every = Contacts(*(np.concatenate([getattr(part, name) for part in parts]) for name in Contacts.__slots__))
    assert not overlaps(every.agent, every.opened, every.closed, every.agent >= 0), "nobody serves two at a time"
    tickets = every.at(every.quality != NEVER)
    untidy = (tickets.quality == LATE) | (tickets.quality == COLLEAGUE)
    assert not overlaps(tickets.logged_agent, tickets.logged_opened, tickets.logged_closed, ~untidy)
    assert overlaps(tickets.logged_agent, tickets.logged_opened, tickets.logged_closed, untidy | ~untidy)


# Who moves and who is renamed


@pytest.mark.parametrize(("scale", "seed", "days"), [(0.01, seed, 7) for seed in range(1, 7)] + [(0.001, 1, 14)])
def test_somebody_is_renamed_and_somebody_moves_in_every_week(scale, seed, days, tmp_path: Path) -> None:
    world = world_of(scale, seed, days)
    window, members = world.calendar.window, world.staff.members
    write_personnel(world, tmp_path)
    with (tmp_path / "staff_moves.csv").open(encoding="utf-8") as file:
        moves = {(row["change"], row["before"], row["after"]) for row in csv.DictReader(file)}
    at = {"renamed": 0, "transferred": 0}
    for who, one in enumerate(members):
        for change, day, old, new in (
            ("renamed", one.renamed, one.login, one.new_login), ("transferred", one.moved, one.team, one.new_team),
        ):  # fmt: skip
            if day is None or (change, old, new) not in moves:
                continue
            throughout = one.is_employed(window[0]) and one.is_employed(window[-1])
            before = any(world.staff.works(who, date) for date in window if date < day)
            after = any(world.staff.works(who, date) for date in window if date >= day)
            at[change] += throughout and before and after
            if change == "renamed":
                assert one.surname != one.new_surname
                assert one.name_on(day - 1) != one.name_on(day)
                assert old != new
            else:
                assert one.role_on(day - 1) != one.role_on(day)
    assert min(at.values()) >= 1, at


def test_shorter_windows_need_show_nobody_and_a_whole_year_keeps_the_rates() -> None:
    asked, unasked = ([one.renamed for one in world_of(days=6, renamed_min=least).staff.members] for least in (0, 1))
    assert asked == unasked
    world = world_of(1.0, days=364)
    members = world.staff.members
    for share, days in (
        (world.parameters.renamed, [one.renamed for one in members]),
        (world.parameters.transferred, [one.moved for one in members]),
    ):
        expected = share * len(members)
        assert abs(sum(day is not None for day in days) - expected) < 4 * expected**0.5
    small = world_of(1.0, days=364, renamed_min=0, transferred_min=0)
    assert small.staff.members == members
