"""What the personnel department holds: who belongs to the company now, what changed, and who was in which team.

It knows people by employee number. ``staff.csv`` is as of the end of the window and has the log-in of that day; earlier
ones stand in ``staff_moves.csv`` only. Moves are entered some days after they took effect, so the last few are missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, Chance, below, iso
from beholden.retailer.hiring import ENTERED_WITHIN_DAYS
from beholden.retailer.staff import Member
from beholden.retailer.tables import write_csv
from beholden.retailer.words import words_of
from beholden.retailer.world import World

__all__ = ["write_personnel"]

#: Who was hired before the window so long ago has a row of the hiring in an archive, not here.
_MOVES_BEFORE_DAYS: Final = 365


def write_personnel(world: World, directory: Path) -> None:
    """Write ``staff.csv``, ``staff_moves.csv`` and ``team_members.csv``. Raises `OSError` where that cannot be done."""
    members = world.staff.members
    role = words_of(world.parameters.preset).role
    last = world.parameters.end // DAY_US - 1
    text = world.people.text(world.service.homes.home)
    homes = zip(text.street, text.postal_code, text.city, strict=True)
    write_csv(
        directory / "staff.csv",
        ("employee_id", "login", "name", "team", "role", "hired", "left", "street", "postal_code", "city"),
        (
            (
                _number(one), one.login_on(last), one.name_on(last), one.team_on(last), role(one.role_on(last)), _date(one.hired),
                _date(one.left), *home,
            )
            for one, home in zip(members, homes, strict=True)
            if one.hired <= last
        ),
    )  # fmt: skip
    moves = sorted(_moves(world, last), key=lambda move: (move[2], move[0], move[1]))
    write_csv(
        directory / "staff_moves.csv",
        ("employee_id", "effective", "entered", "change", "before", "after"),
        ((number, _date(day), _date(entered), *rest) for number, day, entered, *rest in moves),
    )
    write_csv(
        directory / "team_members.csv",
        ("team", "employee_id", "role", "since", "until"),
        (
            (team, employee, role(name), *span)
            for one in members
            if one.hired <= last
            for team, employee, name, *span in _teams(one, last)
        ),
    )


def _moves(world: World, last: int) -> Iterator[tuple[str, int, int, str, str, str]]:
    """Employee, day it took effect, day it was entered, what changed, from what, to what."""
    members = world.staff.members
    wait = below(Chance(world.parameters.seed, "entered late")(np.arange(len(members))), ENTERED_WITHIN_DAYS).tolist()
    first = world.calendar.window[0] - _MOVES_BEFORE_DAYS
    for one, late in zip(members, wait, strict=True):
        changes = (
            (one.hired, "hired", "", one.team_on(one.hired)),
            (one.moved, "transferred", one.team, one.new_team),
            (one.renamed, "renamed", one.login, one.new_login),
            (one.left, "left", one.team_on(last), ""),
        )
        for day, change, before, after in changes:
            if day is None or not first <= day <= last - late:
                continue
            if one.hired <= day and (one.left is None or day <= one.left):
                yield _number(one), day, day + late, change, before, after


def _teams(one: Member, last: int) -> Iterator[tuple[str, str, str, str, str]]:
    """The teams they were in, from when to when; a day belongs to one of them."""
    gone = last + 1 if one.left is None else one.left
    if one.moved is not None and one.hired < one.moved < gone:
        yield one.team, _number(one), one.role, _date(one.hired), _date(one.moved)
    since = max(one.hired, one.moved) if one.moved is not None and one.moved < gone else one.hired
    yield one.team_on(since), _number(one), one.role_on(since), _date(since), _date(one.left)


def _number(one: Member) -> str:
    return f"E{one.number}"


def _date(day: int | None) -> str:
    return "" if day is None else iso(np.array([day * DAY_US]), "D")[0]
