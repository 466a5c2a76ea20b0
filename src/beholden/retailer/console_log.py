"""``logs/console-YYYYMMDD.jsonl.gz``: what the customer-service console says its users did."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, hexadecimal, iso, stream
from beholden.retailer.log_lines import WrittenLog, write_log
from beholden.retailer.views import OPERATIONS, SCREENS, Views
from beholden.retailer.world import World

__all__ = ["write_console_log"]

#: ok, denied, error; assumed.
_RESULTS: Final = ("ok", "denied", "error")
_RESULT_EDGES: Final = (0.994, 0.997)
_HOSTS: Final = 3


def write_console_log(world: World, views: Views, directory: Path) -> WrittenLog:
    """Write one file a day; a few hours of it are lost."""
    rng = stream(world.parameters.seed, "console log")
    uids = hexadecimal(rng, 32, len(views))
    lines = _lines(world, views, uids)
    return write_log(
        rng, world.parameters, directory, "console-{day}.jsonl.gz",
        time=views.time, uids=uids, lines=lines, gap=world.gap,
    )  # fmt: skip


def _lines(world: World, views: Views, uids: list[str]) -> list[str]:
    """One line an event. Log-ins, ids and addresses need no escaping."""
    rng = stream(world.parameters.seed, "console lines")
    n = len(views)
    members = world.staff.members
    who = [
        f'"user":{{"login":"{m.login}","team":"{m.team}"}},"src":"{m.ip}"' for m in members
    ]  # the same text for every line of theirs
    result = np.searchsorted(np.array(_RESULT_EDGES), rng.random(n)).tolist()
    # A session is a person's working day.
    base = rng.integers(0, 2**40, len(members))
    session = ((base[views.actor] * 10_007 + views.time // DAY_US) % 2**44).tolist()
    columns = (
        iso(views.time, "ms"),
        uids,
        views.operation.tolist(),
        views.actor.tolist(),
        views.customer.tolist(),
        views.screen.tolist(),
        views.ticket.tolist(),
        session,
        rng.integers(1, _HOSTS + 1, n).tolist(),
        result,
    )
    return [
        f'{{"ts":"{time}Z","id":"{uid}","op":"{OPERATIONS[operation]}",{who[actor]},"cust_id":{customer + 1},'
        f'"screen":"{SCREENS[screen]}","ticket":{_ticket(ticket)},"session":"{sid:011x}","host":"cs-app-{host}",'
        f'"result":"{_RESULTS[outcome]}"}}\n'
        for time, uid, operation, actor, customer, screen, ticket, sid, host, outcome in zip(*columns, strict=True)
    ]


def _ticket(number: int) -> str:
    return "null" if number < 0 else f'"CT{number}"'
