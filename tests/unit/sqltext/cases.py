"""Reads and writes the cases of ``cases/*.sql``: a statement, then what is expected of it as comments.

::

    -- postgres: what the case shows
    select email from person where person_id = 16
    --> select
    --> read public.person | fields email | filtering person_id | key person_id=16 | filtered

Keys are shown with the values their slots lead to, so that a wrong slot shows as a wrong value. ``fields *`` are all
fields of the dataset in order. A case of ``template.sql`` expects the text and the literals instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from beholden.sqltext import Relation, Schema, StatementFacts, Template

CASES = Path(__file__).parent / "cases"

_TABLES: Schema = {
    "person": ("person_id", "given_name", "family_name", "email", "home_id", "active"),
    "home": ("home_id", "street", "town", "phone"),
    "visit": ("visit_id", "person_id", "room", "seen_at", "amount"),
    "person_card": ("person_id", "given_name", "street"),  # a view
}
SEARCH_PATHS = {"postgres": ("public",), "mysql": ("shop",), "sqlite": ("main",), "tsql": ("dbo",)}
SCHEMAS: dict[str, Schema] = {
    dialect: {f"{path[0]}.{table}": fields for table, fields in _TABLES.items()}
    | {"clinic.note": ("note_id", "person_id", "body"), f"{path[0]}.Mixed": ("Id", "Name")}
    for dialect, path in SEARCH_PATHS.items()
}


@dataclass(frozen=True)
class Case:
    """One statement with what is expected of it."""

    name: str
    dialect: str
    sql: str
    expected: list[str]


def read_cases(path: Path) -> Iterator[Case]:
    """The cases of one file; they are parted by empty lines."""
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.splitlines() if line.strip()]
        if not lines or not lines[0].startswith("-- "):
            continue
        dialect, _, title = lines[0].removeprefix("-- ").partition(": ")
        sql = "\n".join(line for line in lines[1:] if not line.startswith("--> "))
        expected = [line.removeprefix("--> ") for line in lines[1:] if line.startswith("--> ")]
        yield Case(f"{path.stem}: {title}", dialect, sql, expected)


def shown_template(made: Template) -> list[str]:
    """A template as its cases write it."""
    lines = [made.text]
    if made.literals:
        lines.append("literals " + " | ".join(made.literals).replace("\n", "\\n"))
    if made.groups:
        lines.append("groups " + " ".join("(" + " ".join(map(str, group)) + ")" for group in made.groups))
    return lines


def shown_facts(made: Template, facts: StatementFacts, schema: Schema) -> list[str]:
    """Facts as the cases write them."""
    lines: list[str] = [facts.kind]
    lines += [_shown(relation, made, schema) for relation in facts.relations]
    if facts.problem:
        lines.append(f"problem: {facts.problem}")
    return lines


def _shown(relation: Relation, made: Template, schema: Schema) -> str:
    parts = [f"{relation.role} {relation.path}"]
    if not relation.resolved:
        parts.append("not resolved")
    if relation.fields:
        whole = relation.fields == schema.get(relation.path)
        parts.append(f"fields {'*' if whole else ' '.join(relation.fields)}")
    if relation.fields_filtered:
        parts.append(f"filtering {' '.join(relation.fields_filtered)}")
    if relation.fields_joined:
        parts.append(f"joining {' '.join(relation.fields_joined)}")
    for key in relation.keys:
        values = [made.literals[slot] for slot in key.slots] + [f"${number}" for number in key.parameters]
        parts.append(f"key {key.field}={','.join(values)}")
    parts += [f"equal {own}={other}.{field}" for own, other, field in relation.equal_to]
    parts += ["filtered"] if relation.filtered else []
    parts += ["aggregate only"] if relation.aggregate_only else []
    return " | ".join(parts)
