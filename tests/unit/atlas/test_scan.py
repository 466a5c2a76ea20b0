"""Scanning: outcomes, resuming, what vanishes, what is never written down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
from tests.support.fake_store import FakeStore, describe, rows

from beholden.atlas.classify import RuleClassifier
from beholden.atlas.queries import coverage, field_gaps, fields, where, zones
from beholden.atlas.scan import COUNT_ROWS_MAX, scan
from beholden.core.config import Config
from beholden.core.config_file import parse_config
from beholden.core.errors import NotFoundError, SourceError
from beholden.core.names import DatasetName
from beholden.state import State, open_state, tables
from beholden.state.datasets import class_fields, dataset_known, relatives_of, row_counts, schema_of
from beholden.state.subjects import effective_subjects
from beholden.stores.connector import FieldInfo, Grant, Shortfall

T0 = 1_700_000_000_000_000
CONFIG = """
[[zone]]
name = "cardholder"
only_here = ["payment_card"]
[[zone]]
name = "people"
only_here = ["email"]
[[store]]
name = "crm"
url = "sqlite:crm.db"
zone = "people"
owner = "crm-team"
[[store]]
name = "shop"
url = "sqlite:shop.db"
zone = "cardholder"
"""
PEOPLE = pa.table(
    {
        "customer_id": [1, 2, 3],
        "first_name": ["Zebulonia", "Quentina", "Anna"],
        "last_name": ["Planted-Surname", "Weber", "Rossi"],
        "email": ["zebulonia.planted@example.org", "q@example.org", "a@example.org"],
        "card_number": ["4111111111111111", "5555555555554444", "378282246310005"],
        "password": ["planted-secret-1", "planted-secret-2", "planted-secret-3"],
        "notes": [f"call {n} at +49 170 5550{n}{n} about planted-note" for n in (123, 456, 789)],
    }
)
ORDERS = pa.table({"order_id": [10, 11], "buyer": [1, 2], "amount": [3.5, 4.5]})


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with open_state(f"sqlite:///{tmp_path / 'state.db'}", create=True) as opened:
        yield opened


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return parse_config(CONFIG, tmp_path)


@pytest.fixture
def clock():
    ticks = count(T0, 1_000_000)
    return lambda: next(ticks)


def crm() -> FakeStore:
    people = describe("public.customer", PEOPLE, key="customer_id", rows=rows(3, exact=False))
    orders = describe("public.orders", ORDERS, key="order_id", refers={"buyer": "public.customer#customer_id"})
    return FakeStore({"public.customer": PEOPLE, "public.orders": ORDERS}, [people, orders])


def shop() -> FakeStore:
    return FakeStore({}, [])


def run(state, config, clock, **stores):
    more = {name: stores.pop(name) for name in ("resume", "progress", "classifier", "stores") if name in stores}
    known = {"crm": crm(), "shop": shop()} | stores
    return scan(state, config, known.__getitem__, tokens=token_of, clock=clock, seed=1, **more)


def token_of(people):
    return [person.identifier[::-1].encode() for person in people]


def outcomes(result):
    return {(found.store, found.path): found.outcome for found in result.outcomes}


def test_a_scan_writes_datasets_fields_classes_counts_and_grants(state, config, clock):
    store = crm()
    store.grant_rows = [Grant("public.customer", name, "SELECT") for name in ("analyst", "analyst", "PUBLIC")]
    steps: list[tuple[int, int, str]] = []
    result = run(state, config, clock, crm=store, progress=lambda *step: steps.append(step))
    assert result.count("scanned") == 2
    assert not result.failed
    assert store.closed == 1
    assert steps == [(1, 2, "crm/public.customer"), (2, 2, "crm/public.orders")]
    assert schema_of(state, "crm")["public.orders"] == ("order_id", "buyer", "amount")
    assert row_counts(state, "crm") == {"public.customer": (3, True), "public.orders": (2, True)}
    found = {row.field: row for row in fields(state, dataset="crm/public.customer")}
    assert list(found) == PEOPLE.schema.names
    assert found["email"].class_ == "email"
    assert found["card_number"].class_ == "payment_card.number"
    assert found["customer_id"].class_ == "none"
    assert found["email"].exit == "full"
    with state.read() as connection:
        grantees = set(connection.execute(sa.select(tables.grants.c.grantee)).scalars())
        assert grantees == {b"tsylana".hex(), "PUBLIC"}
        assert connection.execute(sa.select(tables.scans.c.finished)).scalar_one() is not None


def test_no_value_reaches_the_state_database(state, config, clock, tmp_path):
    run(state, config, clock)
    state.close()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"public.customer" in written
    for column in ("first_name", "last_name", "email", "card_number", "password", "notes"):
        for value in PEOPLE[column].to_pylist():
            if len(value) > 4:
                assert value.encode() not in written
    for part in (b"Zebulonia", b"zebulonia", b"lanted-", b"+49 170", b"411111111"):
        assert part not in written


def test_a_dataset_that_fails_is_recorded_and_the_rest_goes_on(state, config, clock):
    store = crm()
    store.broken["public.customer"] = SourceError("store crm dataset public.customer", "no longer exists")
    result = run(state, config, clock, crm=store)
    assert outcomes(result)["crm", "public.customer"] == "failed"
    assert outcomes(result)["crm", "public.orders"] == "scanned"
    gaps = field_gaps(state, config)
    assert ("dataset", "crm/public.customer") in {(gap.kind, gap.object) for gap in gaps}
    assert fields(state, dataset="crm/public.customer")[0].class_ is None


def test_a_foreign_exception_is_named_but_not_quoted(state, config, clock):
    store = crm()
    store.broken["public.customer"] = ValueError("bad value zebulonia.planted@example.org")
    result = run(state, config, clock, crm=store)
    (failed,) = result.failed
    assert failed.reason == "could not be classified (ValueError)"


def test_an_unreachable_store_is_recorded_and_keeps_what_was_known(state, config, clock):
    run(state, config, clock)
    store = crm()
    store.unreachable = True
    result = run(state, config, clock, crm=store)
    assert [(found.store, found.path) for found in result.failed] == [("crm", "")]
    report = coverage(state, config, now=clock())
    row = next(row for row in report.stores if row.store == "crm")
    assert (row.reachable, row.datasets, row.scanned) == (False, 2, 2)
    assert row.error == "store fake: does not answer"
    assert "crm" in {gap.object for gap in report.unknown if gap.kind == "store"}
    assert class_fields(state, "email")


def test_a_listing_that_breaks_off_keeps_what_it_gave_and_marks_nothing_gone(state, config, clock):
    run(state, config, clock)
    store = crm()
    store.breaks_listing_after = 1
    result = run(state, config, clock, crm=store)
    assert outcomes(result) == {
        ("crm", "public.customer"): "scanned", ("crm", ""): "failed", ("shop", ""): "scanned",
    }  # fmt: skip
    assert set(schema_of(state, "crm")) == {"public.customer", "public.orders"}


def test_datasets_and_fields_that_are_gone_leave_the_answers(state, config, clock):
    run(state, config, clock)
    store = crm()
    slim = PEOPLE.drop_columns(["email"])
    store.tables["public.customer"] = slim
    store.infos = [describe("public.customer", slim, key="customer_id")]
    run(state, config, clock, crm=store)
    assert set(schema_of(state, "crm")) == {"public.customer"}
    assert "email" not in schema_of(state, "crm")["public.customer"]
    assert dataset_known(state, DatasetName("crm", "public.orders"))
    assert not dataset_known(state, DatasetName("crm", "public.never"))
    run(state, config, clock)
    assert "public.orders" in schema_of(state, "crm")


def test_a_stopped_scan_is_resumed_without_repeating_datasets(state, config, clock):
    store = crm()
    store.broken["public.orders"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run(state, config, clock, crm=store)
    assert fields(state, dataset="crm/public.customer")[0].class_ is not None
    again = crm()
    result = run(state, config, clock, crm=again)
    assert (again.sampled, result.resumed) == (["public.orders"], 1)
    third = crm()
    assert run(state, config, clock, crm=third).resumed == 0
    assert third.sampled == ["public.customer", "public.orders"]


def test_a_stopped_scan_is_not_resumed_when_told_or_when_old(state, config, clock):
    def stop() -> None:
        store = crm()
        store.broken["public.orders"] = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt):
            run(state, config, clock, crm=store, resume=False)

    stop()
    assert run(state, config, clock, resume=False).resumed == 0
    stop()
    assert run(state, config, lambda: T0 + 90_000_000_000 + clock()).resumed == 0


def test_rows_are_counted_only_where_that_is_cheap(state, config, clock):
    store = crm()
    big = replace(store.infos[0], rows=rows(COUNT_ROWS_MAX + 1, exact=False))
    store.infos = [big, replace(store.infos[1], size_bytes=1 << 40)]
    run(state, config, clock, crm=store)
    assert store.counted == []
    assert row_counts(state, "crm") == {"public.customer": (COUNT_ROWS_MAX + 1, False)}
    assert {row.exit for row in fields(state, dataset="crm/public.customer")} == {"bounded"}


def test_a_dataset_with_a_problem_is_failed_with_it(state, config, clock):
    store = crm()
    store.infos[0] = replace(store.infos[0], fields=(), problem="permission denied")
    result = run(state, config, clock, crm=store)
    assert [found.reason for found in result.failed] == ["permission denied"]


def test_what_a_connector_left_out_is_told(state, config, clock):
    store = crm()
    store.cut = (Shortfall("public.orders", "values were cut", 3), Shortfall("", "directories not entered", 1))
    run(state, config, clock, crm=store)
    told = {(gap.kind, gap.object): gap.reason for gap in field_gaps(state, config)}
    assert told["dataset", "crm/public.orders"] == "values were cut (3)"
    assert told["store", "crm"] == "directories not entered (1)"


def test_a_dataset_with_rows_left_out_was_not_seen_whole(state, config, clock):
    store = crm()
    store.cut = (Shortfall("public.orders", "lines too long", 1, rows=True), Shortfall("public.customer", "cut", 1))
    run(state, config, clock, crm=store)
    assert row_counts(state, "crm") == {"public.customer": (3, True), "public.orders": (2, False)}
    assert {row.exit for row in fields(state, dataset="crm/public.orders")} != {"full"}


def test_what_was_known_of_a_field_goes_with_the_right_to_read_it(state, config, clock):
    run(state, config, clock)
    store = crm()
    columns = store.infos[0].fields
    hidden = {"card_number", "notes"}
    store.infos[0] = replace(
        store.infos[0], fields=tuple(replace(one, readable=one.name not in hidden) for one in columns)
    )
    store.tables["public.customer"] = PEOPLE.drop_columns(sorted(hidden))
    run(state, config, clock, crm=store)
    found = {row.field: row.class_ for row in fields(state, dataset="crm/public.customer")}
    assert {name for name, class_ in found.items() if class_ is None} == hidden
    (gap,) = [gap for gap in field_gaps(state, config) if gap.kind == "field"]
    assert (gap.object, gap.reason, gap.count) == (
        "crm/public.customer",
        "fields not classified: never read, or not readable now",
        2,
    )


def test_fields_that_only_the_sample_shows_are_added(state, config, clock):
    store = crm()
    store.infos[1] = replace(store.infos[1], fields=(FieldInfo(1, "order_id", "int64", in_key=True),))
    run(state, config, clock, crm=store)
    assert schema_of(state, "crm")["public.orders"] == ("order_id", "buyer", "amount")
    assert all(row.class_ is not None for row in fields(state, dataset="crm/public.orders"))


def test_only_the_named_stores_are_looked_at_and_the_others_stay_unknown(state, config, clock):
    run(state, config, clock, stores=["shop"])
    report = coverage(state, config, now=clock())
    assert {row.store: row.reachable for row in report.stores} == {"crm": None, "shop": True}
    assert [(gap.object, gap.reason) for gap in report.unknown] == [("crm", "never scanned")]
    with pytest.raises(NotFoundError):
        run(state, config, clock, stores=["nowhere"])


def test_the_same_seed_and_data_give_the_same_answers(state, config, clock):
    run(state, config, clock)
    first = fields(state)
    run(state, config, clock)
    assert fields(state) == first


def test_where_and_zones_name_datasets_fields_rows_and_zones(state, config, clock):
    store = shop()
    store.tables["main.log"] = pa.table({"mail": ["a@example.org", "b@example.org"]})
    store.infos = [describe("main.log", store.tables["main.log"])]
    run(state, config, clock, shop=store)
    (row,) = where(state, config, "payment_card")
    assert (row.store, row.dataset, row.fields, row.rows, row.zone) == (
        "crm", "public.customer", ("card_number",), 3, "people",
    )  # fmt: skip
    assert row.classes == ("payment_card.number",)
    assert where(state, config, "payment_card.number") == [row]
    assert where(state, config, "health") == []
    found = {(zone.class_, zone.store, zone.allowed) for zone in zones(state, config)}
    assert found == {("payment_card", "crm", ("cardholder",)), ("email", "shop", ("people",))}


def test_a_column_seen_in_full_to_be_empty_is_no_finding(state, config, clock):
    store = shop()
    store.tables["main.log"] = pa.table({"id": [1], "email": pa.array([None], pa.string())})
    store.infos = [describe("main.log", store.tables["main.log"])]
    run(state, config, clock, shop=store)
    assert [zone.class_ for zone in zones(state, config)] == ["payment_card"]
    assert fields(state, store="shop", class_="email")[0].empty


def test_gaps_of_one_dataset_leave_the_others_out(state, config, clock):
    assert [gap.object for gap in field_gaps(state, config, dataset="crm/public.x")] == ["crm", "crm/public.x"]
    run(state, config, clock)
    assert field_gaps(state, config, dataset="crm/public.orders") == []
    assert [gap.object for gap in field_gaps(state, config, dataset="crm/nothing")] == ["crm/nothing"]
    assert field_gaps(state, config, store="crm") == []


def test_another_classifier_takes_the_same_place(state, config, clock):
    class Nothing:
        def classify(self, dataset, sample):
            return [replace(found, class_="none") for found in RuleClassifier().classify(dataset, sample)]

    run(state, config, clock, classifier=Nothing())
    assert {row.class_ for row in fields(state)} == {"none"}


class TestSubjects:
    def test_a_table_of_persons_is_proposed_with_the_fields_that_refer_to_it(self, state, config, clock):
        run(state, config, clock)
        (kind,) = effective_subjects(state, config)
        assert (kind.kind, kind.key, kind.declared) == ("customer", "crm/public.customer#customer_id", False)
        assert kind.emails == ("crm/public.customer#email",)
        assert kind.names == ("crm/public.customer#first_name", "crm/public.customer#last_name")
        assert kind.aliases == ("crm/public.orders#buyer",)

    def test_a_declared_kind_wins(self, state, config, clock, tmp_path):
        run(state, config, clock)
        text = (
            CONFIG + '[[subject]]\nkind = "client"\nkey = "crm/public.customer#customer_id"\naliases = ["shop/x#c"]\n'
        )
        (kind,) = effective_subjects(state, parse_config(text, tmp_path))
        assert (kind.kind, kind.declared) == ("client", True)
        assert kind.aliases == ("shop/x#c", "crm/public.orders#buyer")

    def test_references_are_followed_through_others_and_into_partitions(self, state, config, clock):
        store = crm()
        for path, table, key, refers, parent in (
            ("public.bill", pa.table({"buyer_id": [1]}), "buyer_id", {"buyer_id": "public.customer#customer_id"}, None),
            ("public.line", pa.table({"payer": [1]}), "", {"payer": "public.bill#buyer_id"}, None),
            ("public.bill_2024", pa.table({"buyer_id": [1]}), "", {}, "public.bill"),
        ):
            store.tables[path] = table
            kind = "partition" if parent else "table"
            store.infos.append(describe(path, table, key=key, refers=refers, parent=parent, kind=kind))
        run(state, config, clock, crm=store)
        (found,) = effective_subjects(state, config)
        assert set(found.aliases) == {
            "crm/public.orders#buyer", "crm/public.bill#buyer_id", "crm/public.line#payer",
            "crm/public.bill_2024#buyer_id",
        }  # fmt: skip
        assert relatives_of(state, DatasetName("crm", "public.bill_2024")).parents == ("public.bill",)

    def test_views_and_tables_without_a_single_key_are_not_proposed(self, state, config, clock):
        store = crm()
        store.infos[0] = replace(store.infos[0], kind="view")
        run(state, config, clock, crm=store)
        assert effective_subjects(state, config) == []

    def test_two_tables_of_one_name_get_kinds_of_their_own(self, state, config, clock):
        other = crm()
        run(state, config, clock, shop=other)
        assert [kind.kind for kind in effective_subjects(state, config)] == ["customer", "customer-shop"]

    def test_a_proposal_whose_table_is_gone_goes_too(self, state, config, clock):
        run(state, config, clock)
        run(state, config, clock, crm=shop())
        assert effective_subjects(state, config) == []


def test_a_format_that_is_not_read_is_skipped_and_still_said(state):
    picture = replace(describe("logo.png", ORDERS, kind="file"), problem="its format is not read", unsupported=True)
    store = FakeStore({"main.orders": ORDERS}, [describe("main.orders", ORDERS), picture])
    config = parse_config('[[store]]\nname = "crm"\nurl = "sqlite:crm.db"\n', Path("/nowhere"))
    result = scan(state, config, lambda _name: store, tokens=token_of, clock=lambda: T0, seed=1)
    assert result.failed == ()
    assert "crm/logo.png" in {gap.object for gap in field_gaps(state, config)}
