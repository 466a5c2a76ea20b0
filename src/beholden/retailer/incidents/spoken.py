"""Statements of incidents, made a day at a time by the maker of everybody's."""

from __future__ import annotations

from itertools import groupby

from beholden.retailer.chance import DAY_US, Rng
from beholden.retailer.events import INCIDENT
from beholden.retailer.life.sql import Statements, make_statements
from beholden.retailer.life.sql_text import Sql
from beholden.retailer.world import World

__all__ = ["Said", "spoken"]

#: When, by whom, what, and from which address; their usual one where it is empty.
Said = tuple[int, int, Sql, str]


def spoken(world: World, rng: Rng, rows: list[Said], number: int) -> Statements | None:
    """All of them in the order of time; None where there are none."""
    usual = world.staff.addresses
    parts = []
    for day, here in groupby(sorted(rows, key=lambda row: row[:2]), key=lambda row: row[0] // DAY_US):
        time, who, said, place = zip(*here, strict=True)
        address = [one or usual[at] for one, at in zip(place, who, strict=True)]
        parts.append(make_statements(world, rng, day, time, who, said, what=INCIDENT, incident=number, address=address))
    return Statements.joined(parts) if parts else None
