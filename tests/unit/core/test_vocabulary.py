from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beholden.core.classes import CLASSES, check_class, top_class
from beholden.core.errors import BeholdenError, IntegrityError, SourceError, UsageError
from beholden.core.ids import seeded_entropy, system_entropy
from beholden.core.names import DatasetName, FieldName, Person, check_store_name
from beholden.core.times import format_time, parse_time, parse_window
from beholden.core.unknown import Unknown

NOON = parse_time("2026-11-22T12:00:00Z")


def test_a_field_name_is_read_and_written_back():
    name = FieldName.parse("crm/public.customer#payload$.a.b")
    assert name.dataset == DatasetName("crm", "public.customer")
    assert str(name) == "crm/public.customer#payload$.a.b"


@pytest.mark.parametrize("text", ["", "crm", "crm/", "/x", "Crm/x"])
def test_what_is_not_a_dataset_name_is_refused(text):
    with pytest.raises(UsageError):
        DatasetName.parse(text)


@pytest.mark.parametrize("text", ["crm/x", "#f", "crm/x#"])
def test_what_is_not_a_field_name_is_refused(text):
    with pytest.raises(UsageError):
        FieldName.parse(text)


@pytest.mark.parametrize("text", ["", "9a", "Crm", "a b", "é"])
def test_what_is_not_a_store_name_is_refused(text):
    with pytest.raises(UsageError):
        check_store_name(text)


def test_a_person_hides_the_identifier_in_repr_and_errors():
    assert "4711" not in repr(Person.parse("customer:4711"))
    with pytest.raises(UsageError) as caught:
        Person.parse("secret-name-without-kind")
    assert "secret-name" not in str(caught.value)


def test_an_error_is_one_line_with_object_found_expected_and_advice():
    error = BeholdenError("store crm", "no\nanswer", expected="a server", advice="start it")
    assert error.line() == "store crm: no answer; expected a server. Start it"
    assert [UsageError("a", "b").exit_code, SourceError("a", "b").exit_code, IntegrityError("a", "b").exit_code] == [
        2,
        4,
        5,
    ]


@given(st.integers(min_value=31_536_000_000_000, max_value=7_200_000_000_000_000))
def test_times_survive_a_round_trip(micros):
    assert parse_time(format_time(micros)) == micros


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-11-22 12:00:00.000 UTC", NOON),
        ("2026-11-22T13:00:00+01:00", NOON),
        ("2026-11-22T12:00:00.5Z", NOON + 500_000),
    ],
)
def test_usual_spellings_of_a_time_are_understood(text, same):
    assert parse_time(text) == same


def test_a_time_without_zone_needs_one():
    with pytest.raises(ValueError, match="zone"):
        parse_time("2026-11-22 12:00:00")
    assert parse_time("2026-11-22 13:00:00", ZoneInfo("Europe/Berlin")) == NOON


@pytest.mark.parametrize("text", ["yesterday", "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z"])
def test_what_is_not_a_plausible_time_is_refused(text):
    with pytest.raises(ValueError, match=r"time|year"):
        parse_time(text, UTC)


def test_windows_take_dates_times_and_ages():
    window = parse_window("30d", "2026-11-22", lambda: NOON)
    assert window.start == NOON - 30 * 86_400_000_000
    assert window.end == NOON - 12 * 3_600_000_000
    assert parse_window(None, None, lambda: NOON).start is None


@pytest.mark.parametrize(("start", "end"), [("2026-02-02", "2026-02-01"), ("soon", None), (None, "30")])
def test_windows_that_make_no_sense_are_refused(start, end):
    with pytest.raises(UsageError):
        parse_window(start, end, lambda: NOON)


def test_classes_have_sub_classes_and_unknown_ones_are_refused():
    assert check_class("national_id.us_ssn") == "national_id.us_ssn"
    assert top_class("postal_address.city") == "postal_address"
    assert "none" in CLASSES
    with pytest.raises(UsageError):
        check_class("colour")


def test_chance_can_be_replayed():
    assert seeded_entropy(7)(16) == seeded_entropy(7)(16)
    assert system_entropy(16) != system_entropy(16)


def test_a_gap_is_one_line():
    gap = Unknown.of("log", "crm", "never read", since_us=NOON, count=1234)
    assert gap.line() == "crm: never read (1,234) since 2026-11-22T12:00:00.000000Z"
