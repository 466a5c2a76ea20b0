"""Reads the cases of ``cases/*.sql``: a raw event with its statement, then the accesses expected of it as comments.

::

    -- pgaudit object=public.customer activity=read rows=1: what the case shows
    select email from customer where customer_id = 16
    --> read public.customer | subjects | customer:16 | count 1 | rows 1 | fields email

The first word says what log it is: ``pgaudit`` writes a record for each relation, ``ocsf`` and ``mapped`` do not.
Then come columns of the raw event; without a value a column is null. An access is shown as activity and dataset, scope
(and the persons it names), then what is known of count, rows, fields (``*`` is all), part and whether it is joined.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.estate import SCHEMA, raw_event

from beholden.ledger.interpret import Access, Interpreter, people_of
from beholden.ledger.world import World

CASES = Path(__file__).parent / "cases"
_LISTS = frozenset({"subjects", "fields", "parameters"})
_NUMBERS = frozenset({"rows", "subject_count"})


@dataclass(frozen=True)
class Case:
    """One raw event with what is expected of it."""

    name: str
    raw: dict[str, Any]
    expected: list[str]


def read_cases(path: Path) -> Iterator[Case]:
    """The cases of one file; they are parted by empty lines."""
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.splitlines() if line.strip()]
        if not lines or not lines[0].startswith("-- "):
            continue
        head, _, title = lines[0].removeprefix("-- ").partition(": ")
        log, *columns = shlex.split(head)
        sql = "\n".join(line for line in lines[1:] if not line.startswith("--> "))
        raw = raw_event(statement=sql or None, statement_ref="aaaa.1/7" if log == "pgaudit" else None)
        raw |= dict(_column(text) for text in columns)
        yield Case(f"{path.stem}: {title}", raw, [line[4:] for line in lines[1:] if line.startswith("--> ")])


def _column(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    if name in _LISTS:
        return name, value.split(",")
    return name, int(value) if name in _NUMBERS else value or None


def accesses_of(raw: dict[str, Any], world: World, *, interpreter: Interpreter | None = None) -> list[Access]:
    """What ingest does with a raw event up to its accesses."""
    view = world.stores["crm"]
    statement = view.facts(raw["statement"], view.near(raw["object"])) if raw["statement"] else None
    return (interpreter or Interpreter(world)).accesses(raw, people_of(raw, world), statement, "crm")


def shown(access: Access) -> str:
    """An access as the cases write it."""
    parts = [f"{access.activity} {access.dataset}", access.scope]
    parts += [" ".join(map(str, access.subjects))] if access.subjects else []
    parts += [f"count {access.subject_count}"] if access.subject_count is not None else []
    parts += [f"rows {access.rows}"] if access.rows is not None else []
    if access.fields is not None:
        whole = access.fields == SCHEMA.get(str(access.dataset))
        parts.append(f"fields {'*' if whole else ' '.join(access.fields)}")
    parts += ["part"] if access.part else []
    parts += ["joined"] if access.joined else []
    return " | ".join(parts).encode("utf-8", "backslashreplace").decode()
