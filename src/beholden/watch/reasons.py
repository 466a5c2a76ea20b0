"""Which accesses of a person's data have a reason in the company's own records, and which have none.

So far one kind of reason: an open contact, case, order or assignment between this actor and this person at that
time, from the feeds that name an actor and a subject. An access without one is unexplained, not yet suspicious.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.names import Person
from beholden.core.times import Window
from beholden.engine import Engine, TableSource, load_sql
from beholden.feeds import Feed
from beholden.ledger import Snapshot
from beholden.ledger.who import actor_names
from beholden.vault import Vault

__all__ = ["SLACK", "ActorReasons", "UnexplainedAccess", "judge", "summarise", "unexplained"]

#: How long after a contact was closed its work may still be finished.
SLACK: Final = timedelta(minutes=30)

_CONTACTS: Final = pa.schema(
    [
        ("feed", pa.string()),
        ("actor", pa.binary(16)),
        ("subject", pa.binary(16)),
        ("opened", pa.timestamp("us", tz="UTC")),
        ("closed", pa.timestamp("us", tz="UTC")),
    ]
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = datetime(1971, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ActorReasons:
    """How many of an actor's accesses to persons' data have a reason."""

    actor: str | None
    accesses: int
    explained: int
    unexplained: int
    subjects_unexplained: int


@dataclass(frozen=True, slots=True)
class UnexplainedAccess:
    """One access without a reason. ``uid`` is hex; ``time`` is RFC 3339."""

    seq: int
    uid: str
    time: str
    actor: str | None
    store: str | None
    dataset: str | None
    activity: str
    subject: str


def judge(snapshot: Snapshot, feeds: Sequence[Feed], engine: Engine, vault: Vault, window: Window) -> pa.Table:
    """Every access of a named person in the window, with the feed that explains it or null.

    Columns as ``unexplained.sql`` states; people are tokens.
    """
    return engine.run(
        load_sql("beholden.watch", "unexplained.sql"),
        {
            "start": _FIRST if window.start is None else _EPOCH + timedelta(microseconds=window.start),
            "end": _LAST if window.end is None else _EPOCH + timedelta(microseconds=window.end),
            "slack": SLACK,
        },
        {"events": snapshot.source(), "contacts": TableSource(table=_contacts(feeds, vault))},
    )


def summarise(judged: pa.Table, vault: Vault) -> list[ActorReasons]:
    """Counts for each actor, those with most unexplained accesses first."""
    has_reason = pc.is_valid(judged.column("reason"))
    missing = pc.if_else(has_reason, pa.scalar(None, pa.binary(16)), judged.column("subject"))
    table = judged.select(["actor"]).append_column("explained", pc.cast(has_reason, pa.int64()))
    grouped = (
        table.append_column("missing", missing)
        .group_by("actor")
        .aggregate([("explained", "sum"), ("explained", "count"), ("missing", "count_distinct")])
        .to_pylist()
    )
    names = actor_names([row["actor"] for row in grouped], vault)
    rows = [
        ActorReasons(
            names[row["actor"]],
            row["explained_count"],
            row["explained_sum"],
            row["explained_count"] - row["explained_sum"],
            row["missing_count_distinct"],
        )
        for row in grouped
    ]
    return sorted(rows, key=lambda row: (-row.unexplained, str(row.actor)))


def unexplained(judged: pa.Table, vault: Vault) -> list[UnexplainedAccess]:
    """The accesses without a reason, in the ledger's order."""
    rows = judged.filter(pc.is_null(judged.column("reason"))).to_pylist()
    names = actor_names([row["actor"] for row in rows], vault)
    tokens = {row["subject"] for row in rows}
    people = vault.identities(sorted(tokens))
    nameless = vault.nameless(tokens - people.keys())
    return [
        UnexplainedAccess(
            row["seq"],
            row["uid"].hex(),
            row["time"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            names[row["actor"]],
            row["store"],
            row["dataset"],
            row["activity"],
            str(people.get(row["subject"]) or nameless[row["subject"]]),
        )
        for row in rows
    ]


def _contacts(feeds: Iterable[Feed], vault: Vault) -> pa.Table:
    """The feeds' intervals with people as tokens; those the ledger never met have none and cannot matter."""
    return pa.Table.from_batches(list(_tokenised(feeds, vault)), schema=_CONTACTS)


def _tokenised(feeds: Iterable[Feed], vault: Vault) -> Iterator[pa.RecordBatch]:
    for feed in feeds:
        for batch in feed.intervals():
            actors = _find(batch.column("actor"), pa.array(["actor"] * batch.num_rows), vault)
            subjects = _find(batch.column("subject"), batch.column("subject_kind"), vault)
            rows = pa.RecordBatch.from_arrays(
                [
                    pa.array([feed.name] * batch.num_rows, pa.string()),
                    actors,
                    subjects,
                    batch.column("opened"),
                    batch.column("closed"),
                ],
                schema=_CONTACTS,
            )
            yield rows.filter(pc.and_(pc.is_valid(actors), pc.and_(pc.is_valid(subjects), pc.is_valid(rows["opened"]))))


def _find(identifiers: pa.Array, kinds: pa.Array, vault: Vault) -> pa.Array:
    """Tokens of people, null where there is no identifier or the vault does not know the person."""
    pairs = list(zip(kinds.to_pylist(), identifiers.to_pylist(), strict=True))
    people = list(dict.fromkeys(Person(kind, name) for kind, name in pairs if kind and name))
    tokens = dict(zip(people, vault.find(people), strict=True))
    return pa.array([tokens[Person(kind, name)] if kind and name else None for kind, name in pairs], pa.binary(16))
