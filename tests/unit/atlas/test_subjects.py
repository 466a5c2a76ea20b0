from __future__ import annotations

import pytest

from beholden.atlas.subjects import kind_name


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("public.customer", "customer"),
        ("public.Customers", "customer"),
        ("hr.staff", "staff"),
        ("hr.People", "person"),
        ("dbo.tbl_Companies", "company"),
        ("sales.dim_customer", "customer"),
        ("CustomerAccounts", "customer_account"),
        ("exports/2024-addresses.csv", "address"),
        ("x.2024", ""),
        ("x.Ärzte", "arzte"),
        ("status", "status"),
        ("x." + "a" * 200, "a" * 64),
    ],
)
def test_a_kind_is_called_as_its_table_in_the_singular(path, kind):
    assert kind_name(path) == kind
