"""Events made by columns are those that are made one by one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.estate import Rooms, make_world, raw_batch, raw_event, rooms_in
from tests.support.ledger import NOW

from beholden.ledger import _plain
from beholden.ledger._kept import merged
from beholden.ledger._one_by_one import OneByOne, Outcome
from beholden.ledger._plain import plain_events
from beholden.ledger.databases import DatabaseStores
from beholden.ledger.world import StoreView, World
from beholden.vault import IDENTIFIER_BYTES_MAX

TOO_LONG = "x" * IDENTIFIER_BYTES_MAX
SQL = "select email from customer where customer_id = 16"


@pytest.fixture(scope="module")
def rooms():
    with tempfile.TemporaryDirectory() as directory, rooms_in(Path(directory)) as made:
        yield made


def world() -> World:
    known = make_world()
    view = StoreView(
        "crm",
        "postgres",
        {"public.customer": ("customer_id", "email")},
        {},
        ("public",),
        {},
        server="h",
        database="shop",
    )
    other = StoreView("hr", "postgres", {}, {}, ("public",), {}, server="h", database="people")
    return World({"crm": view, "hr": other}, known.subjects)


def both(rooms: Rooms, raw: pa.RecordBatch) -> tuple[list[dict[str, Any]], list[dict[str, Any]], Outcome, Outcome, int]:
    """The events and outcomes by columns (with the rest one by one) and all one by one; and how many were plain."""
    known = world()
    worker = OneByOne(state=rooms.state, vault=rooms.vault, world=known, clock=lambda: NOW)
    databases = set(filter(None, raw.column("database").to_pylist()))

    def stores() -> DatabaseStores:
        return DatabaseStores(known, "crm", None, lambda: databases)

    slow = Outcome()
    expected = worker.events(raw, stores(), "crm", slow).events
    quick = Outcome()
    settled = stores()
    plain, rest = plain_events(raw, settled, "crm", world=known, vault=rooms.vault)
    quick.kept.update(raw.column("record").take(pa.array(plain.places)).to_pylist())
    others = worker.events(raw.take(pa.array(rest)), settled, "crm", quick)
    made = merged(plain, others.at(rest))
    made.validate(full=True)
    return shown(rooms, made), shown(rooms, expected), quick, slow, len(plain.places)


def shown(rooms: Rooms, events: pa.RecordBatch) -> list[dict[str, Any]]:
    """The rows, with what is encrypted opened and whose key it is under."""
    rows: list[dict[str, Any]] = events.to_pylist()
    for row in rows:
        for name in ("literals", "detail"):
            if row[name] is not None:
                header = row[name][:18] if row[name][1] == 1 else row[name][:2]
                row[name] = (rooms.vault.decrypt([row[name]], [row["subjects"]]), header)
    return rows


PERSON = st.sampled_from(["customer:1", "customer:01", "customer:2", "seller:5", "seller:05", "member:a b", "customer:", "X:1", "x", f"customer:{TOO_LONG}"])  # fmt: skip
EVENTS = st.fixed_dictionaries(
    {"activity": st.sampled_from(["read", "read", "update", "login", "export", None])},
    optional={
        "object": st.sampled_from(["customer", "public.customer", "nowhere", 'odd "name']),
        "statement": st.sampled_from([SQL, "", "selec", "begin"]),
        "statement_ref": st.sampled_from(["a/1", "a/2"]),
        "parameters": st.sampled_from([[], ["1"]]),
        "subjects": st.lists(PERSON, max_size=3),
        "fields": st.sampled_from([[], ["email"], ["email", "name"]]),
        "actor": st.sampled_from(["ann", "16", "016", "", TOO_LONG]),
        "actor_kind": st.sampled_from(["staff", "customer", "nobody"]),
        "on_behalf_of": PERSON,
        "credential": st.sampled_from(["k", "", TOO_LONG]),
        "device": st.sampled_from(["d", "é"]),
        "session": st.sampled_from(["s", ""]),
        "app": st.sampled_from(["console", "", "x" * 400]),
        "purpose": st.sampled_from(["support", ""]),
        "assignment": st.sampled_from(["case-1", "case-2", ""]),
        "ip": st.sampled_from(["10.0.0.1", "010.0.0.1", "::1", "10.0.0.0/8", "host", ""]),
        "store": st.sampled_from(["crm", "elsewhere", ""]),
        "database": st.sampled_from(["shop", "people", "another"]),
        "scope": st.sampled_from(["table", "subjects", "none"]),
        "subject_count": st.sampled_from([0, 5]),
        "rows": st.integers(0, 2**63 - 1),
        "bytes": st.just(7),
        "class_uid": st.sampled_from([6003, 0]),
        "decision": st.just("allow"),
        "status": st.sampled_from(["success", "failure"]),
        "detail": st.sampled_from(["a note", ""]),
    },
)


GOOD = st.sampled_from(["customer:1", "customer:01", "customer:2", "seller:05", "member:a b"])
FULL = st.fixed_dictionaries(
    {"activity": st.sampled_from(["read", "update", "login"])},
    optional={
        "object": st.sampled_from(["customer", "public.customer", "nowhere"]),
        "subjects": st.lists(GOOD, max_size=2),
        "fields": st.sampled_from([[], ["email"]]),
        "actor": st.sampled_from(["ann", "16", "016", ""]),
        "actor_kind": st.sampled_from(["staff", "customer"]),
        "on_behalf_of": GOOD,
        "credential": st.sampled_from(["k", "", "x" * 2000]),
        "device": st.sampled_from(["d", "é"]),
        "session": st.sampled_from(["s", ""]),
        "app": st.sampled_from(["console", "", "x" * 400]),
        "purpose": st.sampled_from(["support", ""]),
        "assignment": st.sampled_from(["case-1", "case-2", ""]),
        "ip": st.sampled_from(["10.0.0.1", "host"]),
        "store": st.sampled_from(["crm", "elsewhere", ""]),
        "scope": st.sampled_from(["table", "subjects"]),
        "subject_count": st.sampled_from([0, 5]),
        "rows": st.integers(0, 9),
        "class_uid": st.sampled_from([6003, 0]),
        "detail": st.sampled_from(["a note", ""]),
    },
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.one_of(FULL, FULL, EVENTS), max_size=12), st.integers(1, 3))
def test_by_columns_is_as_one_by_one(rooms: Rooms, events, each):
    raw = raw_batch(raw_event(1 + place // each, **values) for place, values in enumerate(events))
    made, expected, quick, slow, _ = both(rooms, raw)
    assert made == expected
    assert quick == slow


def test_what_is_described_in_full_is_plain(rooms: Rooms):
    rows = [
        raw_event(1, activity="read", object="customer", subjects=["customer:1", "seller:2"], actor="ann", detail="x"),
        raw_event(2, activity="update", object="customer", assignment="c", session="s", on_behalf_of="customer:9"),
        raw_event(3, activity="login"),
    ]
    made, expected, _, _, plain = both(rooms, raw_batch(rows))
    assert (made, plain) == (expected, 3)


def test_somebody_with_many_subjects_is_left_to_the_other(rooms: Rooms, monkeypatch):
    monkeypatch.setattr(_plain, "SUBJECTS_MAX", 3)
    rows = [raw_event(i, activity="read", subjects=[f"customer:{n}" for n in range(i)]) for i in range(1, 6)]
    *_, plain = both(rooms, raw_batch(rows))
    assert plain == 3
