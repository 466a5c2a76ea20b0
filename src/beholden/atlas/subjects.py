"""Proposes kinds of data subject: tables that hold one person a row, with a key that others refer to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from beholden.atlas.classify.tokens import fold, table_stem
from beholden.core.classes import top_class
from beholden.core.config import Config
from beholden.core.names import DatasetName, FieldName
from beholden.state import State
from beholden.state.subjects import ProposedKind, put_proposals
from beholden.state.tables import datasets, fields

__all__ = ["kind_name", "propose_subjects"]

#: A name alone may be an artist's; with one of these beside it a row is somebody who can be reached or told apart.
_REACHABLE: Final = ("email", "phone", "postal_address", "date_of_birth")
_PREFIX: Final = re.compile(r"^(tbl|dim|fact|stg|raw|t|d)_+")
_KIND_CHARS_MAX: Final = 64
_SINGULAR: Final = {"people": "person", "personnel": "staff", "data": "data", "news": "news"}


def propose_subjects(state: State, config: Config, *, now: int) -> list[ProposedKind]:
    """Derive the proposals from what is known of all stores now, and keep them in the state.

    A table counts, a view or partition never does; it needs a key of one field, a person's name and a way to reach
    or tell the person. Two tables that would give one kind: the first in the order of beholden.toml keeps it, the
    other is called after its store too.
    """
    query = (
        sa.select(
            datasets.c.store,
            datasets.c.path,
            fields.c.field,
            fields.c.in_key,
            fields.c["class"].label("class_"),
            fields.c.empty,
        )
        .join(fields, fields.c.dataset_id == datasets.c.dataset_id)
        .where(datasets.c.gone.is_(None), datasets.c.kind.in_(("table", "file")))
        .order_by(datasets.c.store, datasets.c.path, fields.c.ordinal)
    )
    tables: dict[DatasetName, list[Any]] = {}
    with state.read() as connection:
        for row in connection.execute(query):
            tables.setdefault(DatasetName(row.store, row.path), []).append(row)
    order = {store.name: i for i, store in enumerate(config.store)}
    proposed: dict[str, ProposedKind] = {}
    for name in sorted(tables, key=lambda name: (order.get(name.store, len(order)), name.path)):
        kind = kind_name(name.path)
        if kind in proposed:
            kind = f"{kind}-{name.store}"[:_KIND_CHARS_MAX]
        proposal = _proposal(kind, name, tables[name]) if kind else None
        if proposal is not None and kind not in proposed:
            proposed[kind] = proposal
    found = list(proposed.values())
    put_proposals(state, found, now=now)
    return found


def _proposal(kind: str, name: DatasetName, rows: Sequence[Any]) -> ProposedKind | None:
    keys = [row.field for row in rows if row.in_key]
    of_class: dict[str, list[str]] = {}
    for row in rows:
        if row.class_ is not None and not row.empty:
            of_class.setdefault(top_class(row.class_), []).append(str(FieldName(name, row.field)))
    reach = [class_ for class_ in _REACHABLE if class_ in of_class]
    if len(keys) != 1 or "person_name" not in of_class or not reach:
        return None
    return ProposedKind(
        kind=kind,
        key=str(FieldName(name, keys[0])),
        names=tuple(of_class["person_name"]),
        emails=tuple(of_class.get("email", ())),
        reason=f"one key field, and fields of person_name, {', '.join(reach)}",
    )


def kind_name(path: str) -> str:
    """A kind's name from a table's: ``public.Customers`` -> ``customer``; empty where no letter is left."""
    stem = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", table_stem(path))
    words = re.sub(r"[^a-z0-9]+", "_", fold(stem)).strip("_")
    words = _PREFIX.sub("", words)
    head, _, last = words.rpartition("_")
    words = f"{head}_{_singular(last)}" if head else _singular(last)
    return re.sub(r"^[^a-z]+", "", words)[:_KIND_CHARS_MAX]


def _singular(word: str) -> str:
    if word in _SINGULAR:
        return _SINGULAR[word]
    if word.endswith("ies") and len(word) > 4:  # `ties`, `pies` keep their ending
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
