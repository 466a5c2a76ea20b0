"""Kinds of incident, registered by name: each plans one incident in the ordinary form of the company's events.

A kind is a function `Plan`. One can be added from outside by an entry point of the group ``beholden.retailer.incidents``
whose name is the kind's; nothing else changes.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Final

from beholden.core.errors import UsageError
from beholden.retailer.incidents.incident import GRADES, Incident, Plan

__all__ = ["GRADES", "KINDS", "Incident", "kinds", "plan_of"]

#: The sixteen kinds of MERIDIAN.md, in its order; each is a module of this name with a function ``plan``.
KINDS: Final = (
    "card_export", "personal_lookup", "celebrity_spike", "seller_impersonation", "pooled_keys", "app_overreach",
    "profile_tampering", "account_misuse", "bribed_ring", "slow_exfiltration", "dormant_takeover", "wiki_secret",
    "copy_chain", "rogue_device", "log_tampering", "canary_read",
)  # fmt: skip
_GROUP: Final = "beholden.retailer.incidents"


@cache
def kinds() -> dict[str, Plan]:
    """Every kind by name: our own first, then those that other packages bring."""
    found: dict[str, Plan] = {kind: import_module(f"{__name__}.{kind}").plan for kind in KINDS}
    for point in sorted(entry_points(group=_GROUP), key=lambda point: point.name):
        if point.name in found:
            raise UsageError(f"kind of incident {point.name}", "is there already", expected="a name of its own")
        found[point.name] = point.load()
    return found


def plan_of(kind: str) -> Plan:
    """The plan of a kind; raises `UsageError` for a name that no kind has."""
    known = kinds()
    if kind not in known:
        raise UsageError(f"kind of incident {kind[:40]}", "is unknown", expected=", ".join(known))
    return known[kind]
