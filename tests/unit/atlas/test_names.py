"""What names of tables and columns say by themselves."""

from __future__ import annotations

import pytest

from beholden.atlas.classify.lexicon import lexicon
from beholden.atlas.classify.names import read_name, read_table
from beholden.atlas.classify.tokens import split_identifier, table_stem
from beholden.core.classes import check_class

WORDS = [
    ("customerEmail_2", ("customer", "email")),
    ("IPAddress", ("ip", "address")),
    ("BillingPostalCode", ("billing", "postal", "code")),
    ("stateprovincecode", ("state", "province", "code")),
    ("FIRSTNAME", ("firstname",)),
    ("straße", ("strasse",)),
    ("Prénom", ("prenom",)),
    ("payload$.customer.mail", ("payload", "customer", "mail")),
    ("discarded", ("discarded",)),
    ("Safari", ("safari",)),
    ("INTRODUCTORY", ("introductory",)),
    ("", ()),
    ("___", ()),
]


@pytest.mark.parametrize(("name", "words"), WORDS)
def test_an_identifier_is_split_into_whole_words(name, words):
    assert split_identifier(name, lexicon().vocabulary) == words


@pytest.mark.parametrize(
    ("path", "stem"),
    [
        ("public.customer", "customer"),
        ("customer", "customer"),
        ("exports/crm.people.csv.gz", "people"),
        ("a/b/people.jsonl", "people"),
        (".csv", "csv"),
    ],
)
def test_the_stem_of_a_path_is_the_tables_own_name(path, stem):
    assert table_stem(path) == stem


NAMED = [
    ("first_name", "person_name.given"),
    ("FirstName", "person_name.given"),
    ("vorname", "person_name.given"),
    ("nachname", "person_name.family"),
    ("apellidos", "person_name.family"),
    ("contact_name", "person_name"),
    ("reviewername", "person_name"),
    ("e_mail", "email"),
    ("emailAddress", "email"),
    ("telefon", "phone"),
    ("telefoonnummer", "phone"),
    ("strasse", "postal_address.street"),
    ("BillingAddress", "postal_address.street"),
    ("plz", "postal_address.postal_code"),
    ("codice_fiscale", "national_id"),
    ("ssn", "national_id.us_ssn"),
    ("fecha_nacimiento", "date_of_birth"),
    ("dob", "date_of_birth"),
    ("cc_number", "payment_card.number"),
    ("iban", "bank_account"),
    ("client_ip", "ip_address"),
    ("mac_address", "device_id.mac"),
    ("login_id", "username"),
    ("api_key", "secret"),
    ("annual_salary", "financial"),
    ("marital_status", "demographic"),
    ("blood_type", "health"),
    ("license_plate", "other_id"),
    ("latitude", "geo"),
]


@pytest.mark.parametrize(("name", "class_"), NAMED)
def test_a_name_speaks_for_its_class(name, class_):
    best = max(read_name(name, None, lexicon()), key=lambda hit: hit.weight)
    assert best.class_ == class_
    assert best.weight > 4


SILENT = [
    "ACADEMIC_YEAR_CODE", "scenario_code", "browser_safari", "INTRODUCTORY", "email_verified", "email_sent_at",
    "phone_number_type_id", "address_id", "has_credit_card", "web_address", "file_name", "host_name", "product_name",
    "company_name", "ip_count", "password_changed_at", "credit_card_id", "gender_id", "is_email", "email_template_id",
    "state_machine", "job_title", "page", "message_count", "passage", "postage", "coverage", "discarded", "carton",
    "license_key_type", "mailing_list_id", "display_order", "year_code", "wildcard_flag", "dashboard_url",
]  # fmt: skip


@pytest.mark.parametrize("name", SILENT)
def test_a_name_about_something_else_stays_silent(name):
    assert [hit for hit in read_name(name, None, lexicon()) if hit.class_ != "none" and hit.weight > 3] == []


@pytest.mark.parametrize(
    ("path", "person", "thing"),
    [
        ("public.customers", True, False),
        ("hr.Mitarbeiter", True, False),
        ("person.contacttype", False, True),
        ("ref.country", False, True),
        ("sales.store", False, True),
        ("x.qqq", False, False),
    ],
)
def test_a_table_is_about_what_its_last_word_says(path, person, thing):
    table = read_table(path, ("id",), lexicon())
    assert (table.person, table.thing) == (person, thing)


def test_every_class_of_the_lexicon_exists():
    for rule in lexicon().rules:
        if rule.class_ != "password":
            check_class(rule.class_)
