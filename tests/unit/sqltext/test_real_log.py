"""The statements of a real audit log: all of them are understood."""

from __future__ import annotations

import csv
import re

import pytest

from beholden.sqltext import Analyser, KeyPredicate, Relation


@pytest.fixture(scope="module")
def schema(shared_data):
    text = (shared_data / "stores" / "_sql" / "sakila_pg_schema.sql").read_text()
    tables = re.findall(r"^CREATE TABLE (\w+) \((.*?)^\)", text, re.DOTALL | re.MULTILINE)
    listed = {name: [line.split()[0] for line in body.splitlines() if line.strip()] for name, body in tables}
    return {f"public.{name}": tuple(words) for name, words in listed.items() if "CONSTRAINT" not in words[:1]}


@pytest.fixture(scope="module")
def statements(shared_data):
    with (shared_data / "logs" / "pg15_pgaudit.csv").open(newline="") as lines:
        messages = [row[13] for row in csv.reader(lines)]
    audits = [message.removeprefix("AUDIT: ") for message in messages if message.startswith("AUDIT: ")]
    return list(dict.fromkeys(next(csv.reader([audit]))[7] for audit in audits))


def test_every_statement_is_understood(statements, schema):
    analyser = Analyser("postgres", schema)
    found = [analyser.facts(sql) for sql in statements]
    assert len(found) == 210
    assert len({made.template_id for made, _ in found}) == 60
    assert [made.text for made, facts in found if facts.problem] == []
    touching = {made.template_id for made, facts in found if facts.relations}
    assert len(touching) == 10  # the other 50 read catalogues


def test_reads_of_catalogues_touch_nothing(statements, schema):
    analyser = Analyser("postgres", schema)
    own = ("customer", "address", "rental", "v_cust")
    for sql in statements:
        _, facts = analyser.facts(sql)
        if not any(name in sql for name in own):
            assert facts.relations == ()


def test_one_customer_is_read_with_the_address(statements, schema):
    analyser = Analyser("postgres", schema)
    sql = next(sql for sql in statements if "join address" in sql and sql.endswith("customer_id=16;"))
    made, facts = analyser.facts(sql)
    assert made.literals == ("16",)
    assert facts.relations == (
        Relation(
            "public.customer",
            resolved=True,
            role="read",
            fields=("customer_id", "first_name", "last_name", "email"),
            fields_filtered=("customer_id",),
            fields_joined=("address_id",),
            keys=(KeyPredicate("customer_id", (0,)),),
            equal_to=(("address_id", "public.address", "address_id"),),
            filtered=True,
            asked=(("customer_id", "equal"),),
        ),
        Relation(
            "public.address",
            resolved=True,
            role="read",
            fields=("address", "phone"),
            fields_joined=("address_id",),
            equal_to=(("address_id", "public.customer", "address_id"),),
            filtered=True,
        ),
    )


def test_whole_tables_leave_by_copy_and_by_create_table(statements, schema):
    analyser = Analyser("postgres", schema)
    whole = schema["public.customer"]
    for start, kind in (("copy (", "export"), ("COPY public.customer", "export"), ("create table", "create_as")):
        _, facts = analyser.facts(next(sql for sql in statements if sql.startswith(start)))
        read = facts.relations[0]
        assert (facts.kind, read.path, read.filtered) == (kind, "public.customer", False)
        assert sorted(read.fields) == sorted(whole)
