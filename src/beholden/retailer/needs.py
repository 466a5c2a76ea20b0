"""What each role's work really takes: the few permissions that are used of the many that are held."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from beholden.retailer.chance import Chance, uniform
from beholden.retailer.parameters import Parameters
from beholden.retailer.resources import BUCKETS, CONSOLE, SPACES, repositories
from beholden.retailer.staff import Staff
from beholden.retailer.warehouse_tables import WAREHOUSE, catalogue

__all__ = ["buckets_of", "needs_of", "repositories_of", "spaces_of"]

_VIEWS: Final = tuple(("view", f"console/{screen}") for screen in CONSOLE)
_EDITS: Final = (("edit", "console/profile"), ("edit", "console/address"))
_SELLERS: Final = (("view", "seller_desk/account"), ("view", "seller_desk/orders"), ("act_as", "seller_desk/account"))
#: role -> permissions that everybody in it uses.
_FIXED: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "agent": (*_VIEWS, *_EDITS),
    "supervisor": (*_VIEWS, *_EDITS, ("export", "console/profile")),
    "fraud": (*_VIEWS, ("select", "payments/card"), ("select", "payments/payment"), ("select", "crm/customer")),
    "seller_support": _SELLERS,
    "privacy": (
        *_VIEWS,
        ("select", "crm/customer"),
        ("select", "crm/notes"),
        ("select", "orders/orders"),
        ("select", "payments/card"),
    ),
    "engineer": (("select", "orders/orders"), ("select", "orders/order_line"), ("select", "crm/customer")),
    "finance": (("select", "payments/payment"),),
    "it": (("select", "crm/customer"), ("update", "crm/customer"), ("select", "orders/orders")),
}
#: role -> how many tables of the warehouse, buckets and repositories one of them works with; assumed.
_TABLES: Final = {"analyst": 14, "engineer": 8, "marketing": 10, "finance": 8, "privacy": 2}
_BUCKETS: Final = {"analyst": 3, "engineer": 2, "marketing": 2, "it": 2}
_REPOSITORIES: Final = {"analyst": 1, "engineer": 3, "it": 2}
_OWN_SPACE: Final = {
    "agent": "customer-service", "supervisor": "customer-service", "fraud": "trust", "seller_support": "seller-support",
    "engineer": "engineering", "analyst": "data-platform", "marketing": "marketing", "privacy": "privacy",
    "finance": "finance", "it": "it",
}  # fmt: skip
_OTHER_SPACES: Final = 2
_SERVICE_TABLES: Final = 12
_PROGRAMS: Final = {
    "payments_api": (("select", "payments/card"), ("insert", "payments/payment"), ("update", "payments/payment")),
    "console_app": (("update", "crm/customer"), ("select", "crm/customer")),
    "orders_app": (("update", "orders/orders"), ("insert", "orders/orders"), ("insert", "orders/order_line")),
    "seller_app": (("update", "orders/seller"),),
}


def spaces_of(parameters: Parameters, staff: Staff, member: int, day: int) -> tuple[str, ...]:
    """Wiki spaces that a member reads, the one of their own work first."""
    own = _OWN_SPACE[staff.members[member].role_on(day)]
    return (own, *(space for space in _some(parameters, "spaces", member, SPACES, _OTHER_SPACES) if space != own))


def buckets_of(parameters: Parameters, staff: Staff, principal: int, day: int) -> tuple[str, ...]:
    """Buckets that a principal works with; programs have two."""
    count = 2 if principal >= len(staff) else _BUCKETS.get(staff.members[principal].role_on(day), 0)
    return _some(parameters, "buckets", principal, BUCKETS, count)


def repositories_of(parameters: Parameters, staff: Staff, member: int, day: int) -> tuple[str, ...]:
    """Repositories that a member works in."""
    count = _REPOSITORIES.get(staff.members[member].role_on(day), 0)
    return _some(parameters, "repositories", member, repositories(parameters.repositories), count)


def needs_of(parameters: Parameters, staff: Staff, principal: int, day: int) -> set[tuple[str, str]]:
    """The permissions that a principal's work takes on that day."""
    found = {
        (right, f"buckets/{name}")
        for name in buckets_of(parameters, staff, principal, day)
        for right in ("list", "read", "write")
    }
    if principal >= len(staff):
        name = staff.services[principal - len(staff)]
        if name in _PROGRAMS:
            return set(_PROGRAMS[name])
        known = catalogue(parameters)
        rights = ("select",) if name in {"bi_dashboard", "backup"} else ("select", "insert", "delete")
        filled = [table for table in known.of(WAREHOUSE) if known.account(table.owner) == name]
        filled = filled or list(known.of(WAREHOUSE)[-_SERVICE_TABLES:])
        return found | {(right, f"warehouse/{table.name}") for table in filled for right in rights}
    role = staff.members[principal].role_on(day)
    found |= set(_FIXED.get(role, ()))
    tables = catalogue(parameters).of(WAREHOUSE)
    team = staff.members[principal].team_on(day)
    own = [table.name for table in tables if table.owner == team] if role == "analyst" else []
    shared = tuple(table.name for table in tables if table.layer in {"core", "mart"})
    read = [*own, *_some(parameters, "tables", principal, shared, _TABLES.get(role, 0))]
    found |= {("select", f"warehouse/{name}") for name in read}
    found |= {("read", f"wiki/{space}") for space in spaces_of(parameters, staff, principal, day)}
    changes = ("read",) if role == "analyst" else ("read", "write")
    sources = repositories_of(parameters, staff, principal, day)
    return found | {(right, f"repositories/{name}") for name in sources for right in changes}


def _some(parameters: Parameters, what: str, principal: int, names: tuple[str, ...], count: int) -> tuple[str, ...]:
    """Some of the names, the same ones for the same principal; the first names are the commonest."""
    return tuple(names[place] for place in _places(parameters.seed, what, principal, len(names), count))


@lru_cache(maxsize=100_000)
def _places(seed: int, what: str, principal: int, size: int, count: int) -> tuple[int, ...]:
    draw = uniform(Chance(seed, f"needs {what}")(principal, np.arange(count)))
    return tuple(dict.fromkeys(int(value**1.5 * size) for value in draw.tolist()))
