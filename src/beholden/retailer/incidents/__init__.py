"""Kinds of incident, registered by name: each plans one incident in the ordinary form of the company's events.

A kind is a function `Plan`. One can be added from outside by an entry point of the group ``beholden.retailer.incidents``
whose name is the kind's; nothing else changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from beholden.core.errors import BeholdenError, UsageError
from beholden.retailer.chance import Rng
from beholden.retailer.events import Events
from beholden.retailer.incidents.incident import GRADES, LOGS, Incident, Plan
from beholden.retailer.world import World

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
    """Every kind by name: our own first, then those that other packages bring, which are loaded when they are planned."""
    found: dict[str, Plan] = {kind: import_module(f"{__name__}.{kind}").plan for kind in KINDS}
    for point in sorted(entry_points(group=_GROUP), key=lambda point: point.name):
        if point.name in found:
            raise UsageError(_called(point), "is there already", expected="a name of its own")
        found[point.name] = partial(_planned_outside, point)
    return found


def plan_of(kind: str) -> Plan:
    """The plan of a kind; raises `UsageError` for a name that no kind has."""
    known = kinds()
    if kind not in known:
        raise UsageError(f"kind of incident {kind[:40]}", "is unknown", expected=", ".join(known))
    return known[kind]


def _called(point: EntryPoint) -> str:
    package = "an unnamed package" if point.dist is None else f"the package {point.dist.name}"
    return f"kind of incident {point.name} of {package}"


def _planned_outside(
    point: EntryPoint, world: World, rng: Rng, number: int, grade: str, start: int, end: int
) -> Incident | None:
    """What the plan of another package makes; where it fails, it and not ours is named, and its trace is the cause."""
    advice = "mend or remove that package, or choose a run without this kind"
    try:
        made: Incident | None = point.load()(world, rng, number, grade, start, end)
        fault = "" if made is None else _fault(made, (number, point.name, grade), (start, end))
    except BeholdenError:
        raise
    except Exception as error:
        found = f"its plan failed ({type(error).__name__})"
        raise BeholdenError(_called(point), found, advice=advice) from error
    if fault:
        expected = "None, or an Incident as the documentation of that class says"
        raise BeholdenError(_called(point), f"its plan returned {fault}", expected=expected, advice=advice)
    return made


def _fault(incident: object, asked: tuple[int, str, str], window: tuple[int, int]) -> str:
    """What is wrong with a plan's answer, as far as it can be seen without knowing what the kind is about; or nothing."""
    if not isinstance(incident, Incident):
        return f"something of the type {type(incident).__name__}"
    events, found = incident.events, ""
    if (incident.number, incident.kind, incident.grade) != asked:
        found = "an incident of another number, kind or grade"
    elif not isinstance(events, Mapping) or not all(isinstance(one, Events) for one in events.values()):
        found = "events that are no Events by log"
    elif not set(events) <= set(LOGS):
        found = "events in a log that is not there"
    elif not sum(map(len, events.values())):
        found = "an incident without events"
    elif incident.span[0] < window[0] or incident.span[1] >= window[1]:
        found = "events outside the time that it was given"
    return found
