"""What rights are given for: the screens, tables, buckets, wiki spaces and repositories of the company.

A permission is a right on an object. Objects are written ``system/name``; a grant may end its object in ``*``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from beholden.retailer.parameters import Parameters
from beholden.retailer.warehouse_tables import catalogue

__all__ = ["BUCKETS", "CONSOLE", "RIGHTS", "SELLER_DESK", "SPACES", "matches", "permissions", "repositories"]

_TABLE_RIGHTS: Final = ("select", "insert", "update", "delete")

#: Rights that exist in each system.
RIGHTS: Final[dict[str, tuple[str, ...]]] = {
    "console": ("view", "edit", "export"),
    "seller_desk": ("view", "edit", "act_as"),
    "crm": _TABLE_RIGHTS,
    "orders": _TABLE_RIGHTS,
    "warehouse": _TABLE_RIGHTS,
    "payments": _TABLE_RIGHTS,
    "buckets": ("list", "read", "write", "delete"),
    "wiki": ("read", "edit", "manage"),
    "repositories": ("read", "write", "manage"),
}
CONSOLE: Final = ("profile", "orders", "address", "payment")
SELLER_DESK: Final = ("account", "listings", "orders", "payouts", "messages", "performance")
BUCKETS: Final = (
    "meridian-exports", "meridian-finance", "meridian-partner-drop", "meridian-backup", "meridian-weblogs",
    "meridian-chat-archive", "meridian-deploy-state", "meridian-landing", "meridian-public-assets", "meridian-models", "meridian-scratch",
    "team-growth", "team-retention", "team-pricing", "team-logistics", "team-seller-insights", "team-service-quality",
    "team-risk-lab", "team-finance-planning",
)  # fmt: skip
SPACES: Final = (
    "handbook", "customer-service", "seller-support", "trust", "data-platform", "engineering", "marketing", "finance",
    "privacy", "it", "growth", "on-call",
)  # fmt: skip

_SERVICES: Final = ("checkout", "catalogue", "returns", "search", "ledger-sync", "seller-api", "notifier", "pricing")
_PARTS: Final = ("api", "jobs", "web", "infra", "tools", "etl", "client", "tests")


@lru_cache(maxsize=8)
def repositories(count: int) -> tuple[str, ...]:
    """Names of that many repositories, at most sixty-four."""
    return tuple(f"{service}-{part}" for part in _PARTS for service in _SERVICES)[:count]


@lru_cache(maxsize=8)
def permissions(parameters: Parameters) -> tuple[tuple[str, str], ...]:
    """Every permission there is: (right, object)."""
    names: dict[str, tuple[str, ...]] = {
        "console": CONSOLE,
        "seller_desk": SELLER_DESK,
        "buckets": BUCKETS,
        "wiki": SPACES,
        "repositories": repositories(parameters.repositories),
    }
    for system in RIGHTS:
        if system not in names:
            names[system] = tuple(table.name for table in catalogue(parameters).of(system))
    return tuple(
        (right, f"{system}/{name}") for system, rights in RIGHTS.items() for name in names[system] for right in rights
    )


def matches(pattern: str, name: str) -> bool:
    """Whether a grant's right or object covers a right or object: itself, or ``*`` at the end for all that follows."""
    return name == pattern or (pattern.endswith("*") and name.startswith(pattern[:-1]))
