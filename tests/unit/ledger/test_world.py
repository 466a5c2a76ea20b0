from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.estate import CUSTOMER, make_world

from beholden.core.names import Person
from beholden.ledger.world import fits, identifiers_of_type, same_identifier, unchanged_identifiers
from beholden.vault import IDENTIFIER_BYTES_MAX

UUID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"


@pytest.mark.parametrize(
    ("type_", "how"),
    [
        ("integer", "integer"),
        ("INT", "integer"),
        ("int4", "integer"),
        ("bigint", "integer"),
        ("int64", "integer"),
        ("uint32", "integer"),
        ("smallserial", "integer"),
        ("numeric(10,0)", "integer"),
        ("uuid", "uuid"),
        ("uniqueidentifier", "uuid"),
        ("text", "text"),
        ("character varying(45)", "text"),
        ("VARCHAR(10)", "text"),
        ("nvarchar", "text"),
        ("char(3)", "text"),
        ("string", "text"),
        ("interval", None),
        ("double precision", None),
        ("timestamp", None),
        ("", None),
        (None, None),
    ],
)
def test_how_identifiers_of_a_type_are_compared(type_, how):
    assert identifiers_of_type(type_) == how


@pytest.mark.parametrize(
    ("text", "how", "expected"),
    [
        ("7", None, ("7", True)),
        ("0", "integer", ("0", True)),
        ("007", "integer", ("7", True)),
        ("007", "text", ("007", True)),
        ("007", None, ("007", False)),
        ("7.0", "integer", ("7", True)),
        ("7.5", "integer", ("7.5", False)),
        ("7e2", "integer", ("700", True)),
        ("1_000", "integer", ("1000", True)),
        ("1.2.3", "integer", ("1.2.3", False)),
        ("-0", "integer", ("0", True)),
        ("0x7", "integer", ("0x7", False)),
        ("\u0667", "integer", ("\u0667", False)),
        ("1e999", "integer", ("1e999", False)),
        ("9" * 60, "integer", ("9" * 60, True)),
        ("ab", "integer", ("ab", False)),
        ("ab", None, ("ab", True)),
        (" ab", None, (" ab", False)),
        (" ab", "text", (" ab", True)),
        ("", None, ("", False)),
        ("", "text", ("", True)),
        (UUID, None, (UUID, True)),
        (UUID.upper(), None, (UUID.upper(), False)),
        (UUID.upper(), "uuid", (UUID, True)),
        (UUID.replace("-", ""), "uuid", (UUID, True)),
        (UUID.replace("-", ""), None, (UUID.replace("-", ""), False)),
        ("ab", "uuid", ("ab", False)),
    ],
)
def test_the_one_way_an_identifier_is_written(text, how, expected):
    assert same_identifier(text, how) == expected


@given(st.text(max_size=40), st.sampled_from(["integer", "uuid", "text", None]))
def test_writing_it_twice_changes_nothing(text, how):
    once, sure = same_identifier(text, how)
    assert same_identifier(once, how)[0] == once
    assert not sure or same_identifier(once, how)[1]


def test_persons_of_a_kind_are_written_one_way_wherever_they_come_from():
    world = make_world()
    assert world.person("customer", "0016") == (Person("customer", "16"), True)
    assert CUSTOMER.person("0016") == Person("customer", "16")
    assert world.person("stranger", "0016") == (Person("stranger", "0016"), False)


def test_what_a_field_tells():
    world = make_world()
    assert world.kind_of("crm", "public.rental", "customer_id") == "customer"
    assert world.kind_of("crm", "public.rental", "film_id") is None
    assert world.kind_of("other", "public.rental", "customer_id") is None
    assert world.kinds_in("crm", "public.orders") == {"customer", "seller"}
    assert world.tells_of_persons("crm", "public.customer", "email")
    assert not world.tells_of_persons("crm", "public.customer", "address_id")
    assert world.is_home("crm", "public.customer")
    assert not world.is_home("crm", "public.rental")
    assert world.is_home("crm", "public.member")  # where no home is given, every dataset with a key is one


@given(st.text(min_size=0, max_size=3), st.integers(IDENTIFIER_BYTES_MAX - 40, IDENTIFIER_BYTES_MAX + 10))
def test_what_fits_the_vault_takes(char, size):
    from beholden.vault.sealing import encode_person

    person = Person("customer", (char or "x") * (size // max(1, len(char.encode("utf-8", "surrogatepass")))))
    if fits(person):
        encode_person(person)


@given(st.from_regex(r"[0-9A-Za-z +._{}-]{1,12}", fullmatch=True), st.sampled_from(["integer", "uuid", "text", None]))
def test_identifiers_that_are_said_to_stay_do(text, how):
    if pc.match_substring_regex(pa.array([text]), rf"\A{unchanged_identifiers(how)}\z")[0].as_py():
        assert same_identifier(text, how)[0] == text
