from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from beholden.core.errors import BeholdenError
from beholden.core.times import parse_time
from beholden.retailer.balance import check_balance
from beholden.retailer.cards import luhn_digits
from beholden.retailer.chance import stream, weighted
from beholden.retailer.databases import new_database
from beholden.retailer.incidents import KINDS
from beholden.retailer.lookalikes import fraud_reviews
from beholden.retailer.parameters import checked_parameters
from beholden.retailer.views import INCIDENT, joined
from beholden.retailer.world import World, make_world

END = parse_time("2026-11-22T00:00:00Z")


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(checked_parameters(preset="retailer", scale=0.003, seed=4, days=10, end=END))


def test_components_draw_from_streams_of_their_own() -> None:
    assert stream(1, "people").integers(2**60) == stream(1, "people").integers(2**60)
    assert stream(1, "people").integers(2**60) != stream(1, "orders").integers(2**60)
    assert stream(1, "people").integers(2**60) != stream(2, "people").integers(2**60)


def test_weights_are_kept_and_nothing_is_drawn_where_they_are_zero() -> None:
    drawn = np.bincount(weighted(stream(1, "x"), [0, 3, 0, 1, 0], 40_000), minlength=5) / 40_000
    assert drawn.tolist() == pytest.approx([0, 0.75, 0, 0.25, 0], abs=0.01)


def test_check_digits_of_known_test_cards() -> None:
    body = np.array([411111111111111, 555555555555444, 0], dtype=np.int64)
    assert luhn_digits(body).tolist() == [1, 4, 0]


def fill_to_the_brim(path: Path) -> None:
    with new_database(path) as database:
        database.define("create table t (a text); pragma max_page_count = 3")
        database.fill("t", [[["secret" * 1000] * 9]])


@pytest.mark.parametrize(("name", "why"), [("missing/x.db", "SQLITE_CANTOPEN"), ("x.db", "SQLITE_FULL")])
def test_a_database_that_cannot_be_written_is_one_line_without_its_values(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(BeholdenError, match=rf"^database x\.db: cannot be written \({why}\)$"):
        fill_to_the_brim(tmp_path / name)


def test_an_agent_serves_one_customer_at_a_time(world: World) -> None:
    contacts = world.contacts
    for who in np.unique(contacts.agent):
        mine = contacts.agent == who
        assert (contacts.opened[mine][1:] >= contacts.closed[mine][:-1]).all()


def test_contacts_are_handled_by_agents_at_work(world: World) -> None:
    contacts = world.contacts
    days = contacts.opened // 86_400_000_000
    at_work = [world.staff.members[who].works(day) for who, day in zip(contacts.agent, days, strict=True)]
    assert np.mean(at_work) > 0.98
    own = [world.staff.members[who].customer for who in contacts.agent]
    assert not (np.array(own) == contacts.customer).any()


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("seed", range(5))
def test_every_kind_of_incident_has_events_of_its_number_within_the_window(world: World, kind: str, seed: int) -> None:
    incident = KINDS[kind](world, stream(seed, kind), 7)
    times = [*incident.views.time.tolist(), *(row.time for row in incident.statements)]
    assert incident.kind == kind
    assert times
    assert all(world.parameters.start <= time < world.parameters.end for time in times)
    assert set(incident.views.incident.tolist()) | {row.incident for row in incident.statements} == {7}
    assert set(incident.views.label.tolist()) | {row.label for row in incident.statements} == {INCIDENT}
    assert set(incident.views.customer.tolist()) <= set(incident.subjects)


def test_flows_that_do_not_balance_are_refused(world: World) -> None:
    views, cases = fraud_reviews(world.parameters, world.staff, world.cards)
    with pytest.raises(BeholdenError, match=r"simulated company: views: .* the flows do not balance; expected about"):
        check_balance(world, joined([views]), cases)
