"""The classifier as a whole: values, names and neighbours together; hard negatives; bad input."""

from __future__ import annotations

import random
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from beholden.atlas.classify import FieldClass, RuleClassifier
from beholden.atlas.classify.column import masked_shape
from beholden.stores.connector import DatasetInfo, RowCount

R = random.Random(5)
GIVEN = [
    "James",
    "Maria",
    "Robert",
    "Anna",
    "Peter",
    "Julia",
    "Thomas",
    "Laura",
    "Martin",
    "Elena",
    "Oliver",
    "Sofia",
    "Daniel",
    "Emma",
    "David",
    "Clara",
]
FAMILY = [
    "Smith",
    "Mueller",
    "Garcia",
    "Rossi",
    "Novak",
    "Jansen",
    "Dubois",
    "Silva",
    "Walker",
    "Weber",
    "Lopez",
    "Fischer",
    "Moreau",
    "Taylor",
    "Costa",
]


def classify(columns: dict[str, Any], path: str = "db.t", *, exact: int | None = None) -> dict[str, FieldClass]:
    table = pa.RecordBatch.from_pydict({name: pa.array(values) for name, values in columns.items()})
    rows = None if exact is None else RowCount(exact, exact=True)
    return {found.field: found for found in RuleClassifier().classify(DatasetInfo(path, "table", (), rows=rows), table)}


def digits(number: int) -> str:
    return "".join(R.choices("0123456789", k=number))


def with_luhn(body: str) -> str:
    total = 0
    for i, char in enumerate(reversed(body)):
        double = int(char) * (2 if i % 2 == 0 else 1)
        total += double - 9 if double > 9 else double
    return body + str(-total % 10)


def cards(count: int) -> list[str]:
    return [with_luhn("4" + digits(14)) for _ in range(count)]


def emails(count: int) -> list[str]:
    return [f"{R.choice(GIVEN)}.{digits(4)}@mail{i % 7}.example.org".lower() for i in range(count)]


UNNAMED: dict[str, list[str]] = {
    "email": emails(50),
    "phone": [f"+49 170 {digits(7)}" for _ in range(50)],
    "payment_card.number": cards(50),
    "bank_account": ["DE89370400440532013000", "GB82WEST12345698765432", "FR1420041010050500013M02606"],
    "ip_address": [f"10.{R.randint(0, 255)}.{R.randint(0, 255)}.{R.randint(0, 255)}" for _ in range(50)],
    "device_id.mac": [":".join(f"{R.randint(0, 255):02x}" for _ in range(6)) for _ in range(50)],
    "device_id.imei": [with_luhn("35" + digits(12)) for _ in range(50)],
    "national_id.us_ssn": [f"{R.randint(100, 600)}-{R.randint(10, 99)}-{R.randint(1000, 9999)}" for _ in range(50)],
    "national_id.es_nif": ["12345678Z", "00000000T", "11111111H", "22222222J", "33333333P"],
    "password_hash": ["$2b$12$" + "a" * 53, "$argon2id$v=19$m=65536$abc", "$2b$12$" + "b" * 53],
    "secret.aws_access_key": ["AKIA" + "".join(R.choices("ABCDEFGH234567", k=16)) for _ in range(5)],
    "person_name": [f"{R.choice(GIVEN)} {R.choice(FAMILY)}" for _ in range(50)],
    "postal_address.street": [f"{R.randint(1, 999)} Oak {R.choice(['St', 'Ave', 'Road'])}" for _ in range(50)],
    "geo": [f"{R.uniform(40, 50):.5f}, {R.uniform(5, 15):.5f}" for _ in range(50)],
    "gender": ["male", "female"] * 20,
    "free_text_with_pii": [f"the parcel came late and broken, write to {mail} please" for mail in emails(30)],
}


@pytest.mark.parametrize("class_", UNNAMED)
def test_values_alone_tell_the_class(class_):
    assert classify({"c1": UNNAMED[class_]})["c1"].class_ == class_


NAMED: dict[str, tuple[str, list[Any]]] = {
    "date_of_birth": ("birth_date", [date(1950 + i, 3, 4) for i in range(50)]),
    "age": ("age", list(range(18, 80))),
    "gender": ("gender", ["M", "F"] * 10),
    "username": ("username", [f"user{i}" for i in range(30)]),
    "secret.password": ("password", ["hunter2", "letmein", "qwerty1"]),
    "password_hash": ("password", ["5f4dcc3b5aa765d61d8327deb882cf99", "e99a18c428cb38d5f260853678922e03"]),
    "phone": ("mobile", [1701234567 + i for i in range(20)]),
    "financial": ("salary", [Decimal("51000.50"), Decimal(72000)]),
    "demographic": ("marital_status", ["single", "married"]),
    "health": ("diagnosis", ["asthma", "flu"]),
    "geo": ("latitude", [52.51123, 48.13222]),
    "payment_card.number": ("card_number", [int(card) for card in cards(30)]),
}


@pytest.mark.parametrize("class_", NAMED)
def test_names_and_plausible_values_tell_the_class(class_):
    name, values = NAMED[class_]
    assert classify({name: values}, "db.people")[name].class_ == class_


NEGATIVE: dict[str, list[Any]] = {
    "order_id": [f"{R.randint(100, 199)}-{digits(7)}-{digits(7)}" for _ in range(200)],
    "tracking_number": ["4" + digits(15) for _ in range(400)],
    "tracking_code": ["1Z" + "".join(R.choices("ABCDEFGH0123456789", k=16)) for _ in range(100)],
    "status_code": ["200", "404", "500"] * 30,
    "fiscal_year": [str(R.randint(1990, 2026)) for _ in range(100)],
    "scenario_code": [f"SCN-{i}" for i in range(100, 200)],
    "ACADEMIC_YEAR_CODE": [f"AY{i}" for i in range(2000, 2026)],
    "browser": ["Safari", "Chrome", "Firefox"] * 10,
    "course_level": ["INTRODUCTORY", "ADVANCED"] * 10,
    "content_sha": ["".join(R.choices("0123456789abcdef", k=40)) for _ in range(50)],
    "license_hash": ["LIC" + "".join(R.choices("0123456789ABCDEF", k=29)) for _ in range(50)],
    "created_at": [f"2024-0{R.randint(1, 9)}-1{R.randint(0, 9)} 10:11:12" for _ in range(50)],
    "email_url": [f"https://example.org/m/{i}" for i in range(50)],
    "version": [f"1.{i}.{R.randint(0, 9)}" for i in range(50)],
    "started": [f"{R.randint(0, 23):02d}:{R.randint(0, 59):02d}:{R.randint(0, 59):02d}" for _ in range(50)],
    "isbn": [f"978-3-16-{digits(6)}-{digits(1)}" for _ in range(50)],
    "uuid": ["f47ac10b-58cc-4372-a567-0e02b2c3d479", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"],
    "user_agent": ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0.6099.71 Safari/537.36"] * 5,
    "amount": [f"{R.uniform(1, 999):.2f}" for _ in range(100)],
    "size": ["S", "M", "L"] * 20,
    "state": ["NEW", "OPEN", "CLOSED"] * 10,
    "description": [f"A sturdy kitchen table in {color}, easy to set up" for color in ("red", "blue", "oak")] * 9,
    "ean": [digits(13) for _ in range(100)],
    "epoch_ms": [1_700_000_000_000 + i * 7919 for i in range(100)],
    "product_name": ["Chain Ring 42", "Road Frame", "Front Wheel", "Bottom Bracket"] * 5,
}


@pytest.mark.parametrize("name", NEGATIVE)
def test_a_column_that_only_looks_personal_is_none(name):
    columns: dict[str, Any] = {"id": list(range(len(NEGATIVE[name]))), name: NEGATIVE[name]}
    assert classify(columns, "db.orders")[name].class_ == "none"


def test_a_short_list_of_names_of_things_is_no_table_of_persons():
    for path in ("ref.category", "ref.country", "ref.city", "ref.department"):
        assert classify({"id": [1, 2, 3], "name": ["Florence", "Victoria", "Paris"]}, path)["name"].class_ == "none"


def test_neighbours_lift_names_and_cities_and_their_absence_does_not():
    cities = ["Lyon", "Turin", "Gdansk"]
    alone = classify({"city_id": [1, 2, 3], "city": cities}, "ref.city")
    beside = classify(
        {"name": ["K. Aas", "B. Oe", "C. Ii"], "email": emails(3), "city": cities, "street": ["1 Oak St", "2 Elm Rd", "3 Ash Ave"]},
        "crm.contacts",
    )  # fmt: skip
    assert alone["city"].class_ == "none"
    assert (beside["city"].class_, beside["name"].class_) == ("postal_address.city", "person_name")


def test_a_few_card_numbers_among_references_are_found_and_chance_is_not():
    planted = classify({"reference": cards(60) + [f"REF-{i}" for i in range(940)]})["reference"]
    chance = classify({"reference": [f"4{digits(15)}" for _ in range(1000)]})["reference"]
    assert planted.class_ == "payment_card"
    assert chance.class_ == "none"


def test_a_single_secret_in_a_thousand_lines_is_found():
    lines = [f"INFO request {i} done" for i in range(999)] + ["retry auth=ghp_" + "a1B2" * 9]
    assert classify({"line": lines})["line"].class_.startswith("secret")


def test_the_exit_says_what_was_seen():
    values = {"status": ["a", "b"] * 10, "mail": emails(20), "flag": [True, False] * 10, "blank": [None] * 20}
    full = classify(values, exact=20)
    assert {name: found.exit for name, found in full.items()} == {
        "status": "dictionary", "mail": "full", "flag": "typed", "blank": "full",
    }  # fmt: skip
    assert (full["status"].missed_share_max, full["flag"].missed_share_max) == (0.0, None)
    part = classify(values, exact=5000)
    assert part["mail"].exit == "bounded"
    assert part["mail"].missed_share_max == pytest.approx(1 - 0.05 ** (1 / 20), abs=1e-6)
    assert classify(values)["mail"].exit == "bounded"


def test_an_empty_column_is_classified_by_name_and_says_so():
    found = classify({"email": pa.array([None, " ", ""], pa.string()), "x": pa.nulls(3)})
    assert (found["email"].class_, found["email"].empty) == ("email", True)
    assert (found["x"].class_, found["x"].empty) == ("none", True)


def test_probabilities_of_all_answers_stay_within_one():
    for values in UNNAMED.values():
        found = classify({"c1": values})["c1"]
        assert 0 < found.probability <= 0.995
        assert found.probability + sum(other.probability for other in found.alternatives) <= 1.001


def test_evidence_holds_no_value():
    columns = {f"c_{i}": values for i, values in enumerate(UNNAMED.values())} | {"password": ["hunter2xyz"] * 3}
    for name, values in columns.items():
        text = repr(classify({name: values}, "db.people")[name])
        for value in {str(value) for value in values if len(str(value)) > 6}:
            assert value not in text


@pytest.mark.parametrize(
    ("value", "shape"),
    [("Jo.Smith@mail.org", "Aa.Aaaa@aaa.aaa"), ("4111 1111", "9999 9999"), ("Ünal-Çelik", "Aaaa-Aaaa"), ("東京", "aa"), ("a\x00\n🙂", "a???")],
)  # fmt: skip
def test_a_shape_hides_letters_and_digits(value, shape):
    assert masked_shape(value) == shape


class TestBadInput:
    def test_no_rows_and_no_columns(self):
        empty = pa.RecordBatch.from_pydict({"email": pa.array([], pa.string())})
        assert RuleClassifier().classify(DatasetInfo("t", "table", ()), empty)[0].empty
        assert RuleClassifier().classify(DatasetInfo("t", "table", ()), pa.RecordBatch.from_pydict({})) == []

    def test_invalid_utf8_is_read_with_replacements(self):
        raw = pa.array([b"ok", b"\xff\xfe\x80 broken", b"anna@example.org"])
        text = pa.Array.from_buffers(pa.string(), 3, raw.buffers())
        found = RuleClassifier().classify(DatasetInfo("t", "table", ()), pa.RecordBatch.from_arrays([text], ["c"]))
        assert len(found) == 1

    def test_huge_cells_are_cut(self):
        started = time.monotonic()
        found = classify({"blob": ["x" * 20_000_000, "y" * 1000]})
        assert found["blob"].class_ == "none"
        assert time.monotonic() - started < 5

    def test_two_thousand_columns(self):
        found = classify({f"attribute_{i}": [i, i + 1] for i in range(2000)})
        assert len(found) == 2000
        assert {answer.class_ for answer in found.values()} == {"none"}

    def test_every_arrow_type_has_an_answer(self):
        now = datetime(2024, 1, 1, tzinfo=UTC)
        columns = [
            pa.array([True, None]), pa.array([1.5, float("nan")]), pa.array([Decimal("1.10"), None]),
            pa.array([now, None]), pa.array([now.date(), None]), pa.array([now.time(), None]),
            pa.array([b"\x00\xff", b"\x01"]), pa.array([b"anna@example.org", b"b@example.org"]),
            pa.array([{"mail": "anna@example.org"}, None]), pa.array([["a", "b"], []]),
            pa.array(["x", "y"]).dictionary_encode(), pa.array(["x", "y"], pa.large_string()), pa.nulls(2),
            pa.array([1, 2], pa.duration("us")), pa.array([[("k", "v")], None], pa.map_(pa.string(), pa.string())),
        ]  # fmt: skip
        batch = pa.RecordBatch.from_arrays(columns, [f"c{i}" for i in range(len(columns))])
        found = RuleClassifier().classify(DatasetInfo("t", "table", ()), batch)
        assert len(found) == len(columns)
        assert (found[0].exit, found[3].exit, found[6].exit) == ("typed", "typed", "typed")
        assert found[6].evidence[0].rule == "unread"
        assert found[7].class_ == "email"

    @pytest.mark.parametrize("name", ["", "#", "a/b#c", "名前", "x" * 5000, "DROP TABLE;--", "\n\t", "💥", "Émail"])
    def test_weird_names(self, name):
        assert len(classify({name: ["a", "b"]}, "weird/../path#x")) == 1

    def test_repeated_names_are_answered_by_position(self):
        batch = pa.RecordBatch.from_arrays([pa.array(emails(5)), pa.array([1, 2, 3, 4, 5])], ["c", "c"])
        assert [found.class_ for found in RuleClassifier().classify(DatasetInfo("t", "table", ()), batch)] == [
            "email",
            "none",
        ]

    def test_mixed_types_in_one_text_column(self):
        mixed = ["1", "x", "2024-01-01", "", None, "{}", "true", "3.5", "anna@example.org"] * 5
        assert classify({"value": mixed})["value"].probability > 0
