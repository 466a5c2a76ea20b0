"""What a SQL text says about the data it touches. Plain records; nothing here knows a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["Change", "KeyPredicate", "Reach", "Relation", "Schema", "StatementFacts", "Template", "ViewSources"]

#: dataset path -> its field names in order. Given by the caller; paths as in the contract (``public.customer``).
Schema = Mapping[str, tuple[str, ...]]

StatementKind = Literal[
    "select", "export", "create_as", "insert", "update", "delete", "merge", "truncate", "ddl", "grant", "revoke",
    "copy_in", "other",
]  # fmt: skip


#: What a statement does to one dataset: a WITH may delete from one and insert into another.
Change = Literal["insert", "update", "delete", "merge"]

#: How much of a dataset a view shows: fields of all its rows, fields of some of them or once a group, or nothing but
#: counts and sums (or it stands in conditions alone).
Reach = Literal["whole", "part", "none"]


@dataclass(frozen=True, slots=True)
class Template:
    """A statement with its literals taken out.

    ``template_id`` is 16 bytes: the same for statements that differ only in literals, white space, comments or case
    of keywords, within one dialect. ``text`` contains no literal of the statement. ``literals`` are their texts
    (unquoted, unescaped), in order of appearance.

    A list of literals and the rows of VALUES are written once in ``text``, whatever their length. ``groups`` then has
    one entry for each ``?`` of ``text``, in order: the indexes of the literals it stands for (none where some row
    holds no plain literal in that place). It is empty where each ``?`` stands for one literal.
    """

    template_id: bytes
    text: str
    literals: tuple[str, ...]
    groups: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class KeyPredicate:
    """``field = literal`` (or IN) on a relation, joined by AND to the rest, so that every row obeys it.

    ``slots`` index ``Template.literals``; ``parameters`` are numbers of bind parameters ($1 -> 1).
    """

    field: str
    slots: tuple[int, ...] = ()
    parameters: tuple[int, ...] = ()


#: How a field is compared with a value that the statement brings along: as it is (``=``, IN, CASE .. WHEN), within
#: limits, by ``<`` and the like, or otherwise (LIKE, or a function of it).
Asked = Literal["equal", "between", "range", "match"]


@dataclass(frozen=True, slots=True)
class Relation:
    """One dataset in a statement.

    ``path`` is resolved against the schema given (search path included), or as written when the schema lacks it
    (then ``resolved`` is false). ``equal_to`` lists fields of other relations joined by equality:
    (own field, other path, other field). ``filtered`` is true when any predicate, LIMIT or inner join restricts which
    rows are read; ``aggregate_only`` when nothing but aggregates, constants and grouping fields leave the statement.
    ``asked`` are the fields compared with literals or parameters anywhere in the statement, also in what it counts.
    ``assigned`` are the literals or parameters that an UPDATE gives to fields. ``change`` is what was done to a dataset that an INSERT, UPDATE, DELETE or MERGE writes.
    """

    path: str
    resolved: bool
    role: Literal["read", "write"]
    fields: tuple[str, ...] = ()  # that leave the statement or are written; all of them for *
    fields_filtered: tuple[str, ...] = ()
    fields_joined: tuple[str, ...] = ()
    keys: tuple[KeyPredicate, ...] = ()
    equal_to: tuple[tuple[str, str, str], ...] = ()
    filtered: bool = False
    aggregate_only: bool = False
    change: Change | None = None
    assigned: tuple[KeyPredicate, ...] = ()
    asked: tuple[tuple[str, Asked], ...] = ()


@dataclass(frozen=True, slots=True)
class StatementFacts:
    """All that one statement touches. ``problem`` says why it could not be understood (never quoting it)."""

    kind: StatementKind
    relations: tuple[Relation, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ViewSources:
    """What stands behind a view.

    ``reads`` has each dataset that the view itself names: of a view over a view, that view. ``columns`` are its output
    columns in order, each with the fields (path, field) that it passes on as they are: several where branches of a
    UNION or sides of a join give one column, none where something else stands there. Empty where the order is not known.
    """

    reads: Mapping[str, Reach]
    columns: tuple[tuple[tuple[str, str], ...], ...]
