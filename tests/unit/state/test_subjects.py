"""Where else a kind of person's data lies: rows that theirs refer to, and rows that refer to theirs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from beholden.core.config_file import parse_config
from beholden.state import State, open_state
from beholden.state.datasets import ListedDataset, ListedField, take_listing
from beholden.state.subjects import ProposedKind, SubjectKind, effective_subjects, put_proposals
from beholden.state.tables import fields

#: table -> (rows, {field: what it refers to, or its class})
TABLES: Mapping[str, tuple[int | None, Mapping[str, str | None]]] = {
    "customer": (
        100,
        {"id": None, "address": "#address.id", "country": "#country.id", "city": "#city.id", "friend": "#customer.id"},
    ),
    "profile": (100, {"id": "#customer.id", "recommended": "#customer.id", "motto": None}),
    "trade": (50, {"buyer": "#customer.id", "giver": "#customer.id"}),
    "reply": (70, {"id": None, "ticket": "#ticket.id", "sender": "person_name"}),
    "address": (90, {"id": None, "street": "postal_address.street", "city": "#city.id", "zone": "#zone.id"}),
    "city": (95, {"id": None, "label": "postal_address.city"}),
    "country": (9, {"id": None, "president": "person_name"}),
    "zone": (None, {"id": None, "warden": "phone"}),
    "ticket": (50, {"id": None, "customer": "#customer.id", "agent": "#staff.id"}),
    "message": (70, {"id": None, "ticket": "#ticket.id", "text": "free_text_with_pii"}),
    "attachment": (5, {"message": "#message.id", "name": "person_name"}),
    "tag": (70, {"ticket": "#ticket.id", "word": None}),
    "staff": (8, {"id": None, "name": "person_name", "address": "#address.id"}),
    "tenant": (8, {"address": "#address.id", "name": "person_name"}),
}


def _refers_to(what: str | None) -> str | None:
    return what[1:].replace(".", "#") if what and what.startswith("#") else None


def put_tables(state: State) -> None:
    with state.write() as connection:
        listed = [
            ListedDataset(
                path,
                "table",
                tuple(
                    ListedField(i, name, "int", in_key=name == "id", refers_to=_refers_to(what))
                    for i, (name, what) in enumerate(columns.items(), 1)
                ),
                rows=rows,
            )
            for path, (rows, columns) in TABLES.items()
        ]
        take_listing(connection, "crm", listed, now=1, complete=True)
        for _, columns in TABLES.values():
            for name, what in columns.items():
                if what and not what.startswith("#"):
                    connection.execute(fields.update().where(fields.c.field == name).values({"class": what}))


def kinds_in(directory: Path, declared: str = "") -> dict[str, SubjectKind]:
    with open_state(f"sqlite:///{directory / 'state.db'}", create=True) as state:
        put_tables(state)
        proposed = [ProposedKind(kind, f"crm/{kind}#id", (), (), "") for kind in ("customer", "reply", "staff")]
        put_proposals(state, proposed, now=1)
        config = parse_config('[[store]]\nname = "crm"\nurl = "sqlite:///crm.db"\n' + declared, directory)
        return {kind.kind: kind for kind in effective_subjects(state, config)}


@pytest.fixture
def kinds(tmp_path: Path) -> dict[str, SubjectKind]:
    return kinds_in(tmp_path)


def test_a_row_is_of_whom_its_primary_key_names(kinds):
    assert set(kinds["customer"].aliases) == {
        "crm/profile#id", "crm/ticket#customer", "crm/trade#buyer", "crm/trade#giver",
    }  # fmt: skip


def test_what_refers_to_rows_of_theirs_and_is_not_followed_is_said(kinds):
    own, nothing = kinds["customer"].left_out.values()
    assert (own, nothing) == (("crm/reply",), ("crm/tag",))


def test_what_looks_like_a_kind_of_its_own_is_followed_once_the_kinds_are_declared(tmp_path):
    kinds = kinds_in(tmp_path, '[[subject]]\nkind = "customer"\nkey = "crm/customer#id"\n')
    assert "reply" in {link.path for link in kinds["customer"].links}
    assert "staff" not in {link.path for link in kinds["customer"].links}
    assert list(kinds["customer"].left_out.values()) == [("crm/tag",)]


def test_links_lead_to_what_rows_refer_to_and_to_what_refers_to_them(kinds):
    links = {(link.path, link.field, link.from_path, link.from_field) for link in kinds["customer"].links}
    assert links == {
        ("address", "id", "customer", "address"),
        ("zone", "id", "address", "zone"),
        ("message", "ticket", "ticket", "id"),
        ("attachment", "message", "message", "id"),
    }


@pytest.mark.parametrize(
    ("left_out", "why"),
    [
        ("country", "one row is shared by many persons"),
        ("city", "a place is not about a person"),
        ("tag", "nothing personal in it"),
        ("staff", "another kind of person"),
        ("tenant", "others at the same address"),
    ],
)
def test_what_is_not_theirs_is_left_out(kinds, left_out, why):
    assert left_out not in {link.path for link in kinds["customer"].links}, why


def test_each_kind_has_its_own(kinds):
    paths = {link.path for link in kinds["staff"].links}
    assert paths == {"address", "zone", "message", "attachment"}


def test_personal_fields_are_those_of_all_reached_datasets(kinds):
    assert set(kinds["customer"].personal) == {
        "crm/address#street", "crm/zone#warden", "crm/message#text", "crm/attachment#name",
    }  # fmt: skip


# Views: name -> (what it reads, {field: the table's field it passes on, or its class})
VIEWS: Mapping[str, tuple[Mapping[str, str] | None, Mapping[str, str | None]]] = {
    "v_customer": ({"customer": "whole"}, {"no": "#customer.id", "friend": "#customer.friend", "mail": "email"}),
    "v_outer": ({"v_customer": "part"}, {"who": "#customer.id"}),
    "v_mail": ({"v_customer": "part"}, {"mail": "email"}),
    "v_unread": ({"customer": "whole"}, {"anything": None}),
    "v_count": ({"customer": "none", "staff": "part"}, {"name": "person_name"}),
    "v_city": ({"customer": "whole"}, {"town": "postal_address.city"}),
    "v_address": ({"address": "whole"}, {"street": "postal_address.street"}),
    "v_staff": ({"staff": "whole", "address": "part"}, {"street": "postal_address.street"}),
    "v_ticket": ({"ticket": "part"}, {"ticket": "#ticket.id", "words": "free_text_with_pii"}),
    "v_unknown": (None, {"mail": "email"}),
}


@pytest.fixture
def with_views(tmp_path: Path) -> dict[str, SubjectKind]:
    with open_state(f"sqlite:///{tmp_path / 'state.db'}", create=True) as state:
        put_tables(state)
        listed = [
            ListedDataset(
                path,
                "view",
                tuple(
                    ListedField(i, name, "int", refers_to=_refers_to(what))
                    for i, (name, what) in enumerate(columns.items(), 1)
                ),
                reads=reads,
            )
            for path, (reads, columns) in VIEWS.items()
        ]
        with state.write() as connection:
            take_listing(connection, "crm", listed, now=2, complete=False)
            for _, columns in VIEWS.values():
                for name, what in columns.items():
                    if what and not what.startswith("#"):
                        connection.execute(fields.update().where(fields.c.field == name).values({"class": what}))
            connection.execute(
                fields.update().where(fields.c.field.in_(("no", "friend", "who"))).values({"class": "other_id"})
            )
        put_proposals(
            state, [ProposedKind(kind, f"crm/{kind}#id", (), (), "") for kind in ("customer", "staff")], now=1
        )
        config = parse_config('[[store]]\nname = "crm"\nurl = "sqlite:///crm.db"\n', tmp_path)
        return {kind.kind: kind for kind in effective_subjects(state, config)}


def test_a_view_that_passes_the_identifier_on_has_it(with_views):
    aliases = set(with_views["customer"].aliases)
    assert {"crm/v_customer#no", "crm/v_outer#who"} <= aliases
    assert "crm/v_customer#friend" not in aliases  # in the table it names somebody else


@pytest.mark.parametrize(
    ("view", "of_customers", "of_staff"),
    [
        ("v_mail", True, False),
        ("v_unread", True, False),
        ("v_count", False, True),
        ("v_city", False, False),
        ("v_address", True, True),
        ("v_staff", False, True),
        ("v_ticket", True, True),
        ("v_unknown", False, False),
    ],
)
def test_a_view_without_the_identifier_tells_of_whom_its_datasets_do(with_views, view, of_customers, of_staff):
    told = [
        any(name.startswith(f"crm/{view}#") for name in with_views[kind].personal) for kind in ("customer", "staff")
    ]
    assert told == [of_customers, of_staff]


def test_views_are_neither_links_nor_left_out(with_views):
    for kind in with_views.values():
        assert not {link.path for link in kind.links} & VIEWS.keys()
        assert not {name for names in kind.left_out.values() for name in names} & {f"crm/{view}" for view in VIEWS}
