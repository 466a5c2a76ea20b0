"""What is known of datasets together: parents, partitions, views, and the classes that pass between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from beholden.core.names import DatasetName
from beholden.state import State, open_state
from beholden.state.datasets import (
    ListedDataset,
    ListedField,
    class_fields,
    relatives_of,
    take_listing,
    views_in_doubt,
    views_of,
)
from beholden.state.tables import datasets, fields


def listed(path: str, *names: str, kind: str = "table", parent: str | None = None, **more) -> ListedDataset:
    """A field written name=PATH#field refers to that."""
    own = tuple(
        ListedField(i, name, "text", refers_to=to or None)
        for i, (name, _, to) in enumerate((text.partition("=") for text in names), 1)
    )
    return ListedDataset(path, kind, own, parent=parent, **more)


LISTED = [
    listed("bill", "id", "mail"),
    listed("bill_1", "id", "mail", kind="partition", parent="bill"),
    listed("bill_1_a", "id", "mail", kind="partition", parent="bill_1"),
    listed("bill_2", "id", "mail", kind="partition", parent="bill"),
    listed("film", "title"),
    listed("v_bill", "address=bill#mail", "made", kind="view", reads={"bill": "whole"}),
    listed("v_one", "made", kind="view", reads={"bill_1": "part"}),
    listed("v_deep", "address=bill#mail", kind="view", reads={"v_bill": "part", "film": "none"}),
    listed("v_film", "title", kind="view", reads={"film": "whole"}),
    listed("v_dark", "mail", kind="view"),
    listed("v_over_dark", "mail", kind="view", reads={"v_dark": "whole"}),
]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with open_state(f"sqlite:///{tmp_path / 'state.db'}", create=True) as opened:
        with opened.write() as connection:
            take_listing(connection, "crm", LISTED, now=1, complete=True)
            take_listing(connection, "other", [listed("v_bill", "x", kind="view")], now=1, complete=True)
        yield opened


def classify(state: State, path: str, **classes: str | None) -> None:
    with state.write() as connection:
        for name, class_ in classes.items():
            of = fields.c.dataset_id == datasets.c.dataset_id
            connection.execute(
                fields.update()
                .where(of, datasets.c.path == path, fields.c.field == name)
                .values({"class": class_, "empty": class_ is None})
            )


def test_what_a_view_reads_comes_back(state):
    known = views_of(state, "crm")
    assert known["v_deep"] == {"v_bill": "part", "film": "none"}
    assert known["v_dark"] is None
    assert "bill" not in known


@pytest.mark.parametrize(
    ("path", "parents", "parts", "views", "beside"),
    [
        ("bill", (), ("bill_1", "bill_2", "bill_1_a"), ("v_bill", "v_one", "v_deep"), ("v_dark", "v_over_dark")),
        ("bill_1", ("bill",), ("bill_1_a",), ("v_one",), ("v_bill", "v_deep", "v_dark", "v_over_dark")),
        ("bill_1_a", ("bill_1", "bill"), (), (), ("v_one", "v_bill", "v_deep", "v_dark", "v_over_dark")),
        ("v_bill", (), (), ("v_deep",), ("v_dark", "v_over_dark")),
        ("v_dark", (), (), ("v_over_dark",), ()),
        ("nowhere", (), (), (), ("v_dark", "v_over_dark")),
    ],
)
def test_relatives(state, path, parents, parts, views, beside):
    found = relatives_of(state, DatasetName("crm", path))
    assert (found.parents, found.parts, found.views, found.views_beside) == (parents, parts, views, beside)


def test_a_view_that_is_gone_was_one(state):
    with state.write() as connection:
        take_listing(connection, "crm", LISTED[:5], now=2, complete=True)
    assert "v_bill" in relatives_of(state, DatasetName("crm", "bill")).views
    assert views_of(state, "crm") == {}


def test_views_and_partitions_that_were_never_classified_have_the_class_of_what_they_are(state):
    classify(state, "bill", mail="email", id="none")
    classify(state, "film", title="none")
    classify(state, "v_film", title="none")
    classify(state, "bill_2", mail="none", id="none")
    found = class_fields(state, "email")
    assert found == {
        DatasetName("crm", path): (name,)
        for path, name in (
            ("bill", "mail"), ("bill_1", "mail"), ("bill_1_a", "mail"), ("v_bill", "address"), ("v_deep", "address"),
        )
    }  # fmt: skip
    assert views_in_doubt(state, found) == {
        DatasetName("crm", "v_dark"): ("mail",),
        DatasetName("crm", "v_one"): ("made",),
        DatasetName("crm", "v_over_dark"): ("mail",),
    }
    assert views_in_doubt(state, {}) == {}
