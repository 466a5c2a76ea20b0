"""Forgetting people for good, and keeping on record that it was done.

Order of durability: the vault destroys mappings and keys and notes the erasure, in one transaction; the ledger takes the
erasure's event; the account of the event is entered in the state; the vault drops its note. Stopped before the first,
nothing happened. Stopped later, the people are gone, the note is there, and whoever calls `tell_erasures` next finishes:
the event's uid is derived from the erasure's own id, so that it is taken once however often it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.errors import BeholdenError
from beholden.core.names import Person
from beholden.core.times import Clock
from beholden.engine import Engine, TableSource, load_sql
from beholden.ledger.checkpoint import VerifierKey
from beholden.ledger.files import reading
from beholden.ledger.format import INPUT_EVENTS, Layout
from beholden.ledger.log import Ledger, Snapshot
from beholden.ledger.manifest import read_info
from beholden.ledger.segments import read_columns
from beholden.ledger.snapshot import read_snapshot
from beholden.ledger.unchanged import check_segment
from beholden.state import State
from beholden.state.ingests import Account, finish_ingest, start_ingest
from beholden.vault import Erasure, ErasureSeals, Vault

__all__ = ["ERASURES", "Erased", "Held", "erased_tokens", "forget_people", "tell_erasures"]

#: The source of erasures' events: the estate's own vault; no log's server can be called so, for the colon.
ERASURES: Final = "beholden:vault"
#: OCSF Entity Management.
_CLASS_UID: Final = 3004
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: People who stay on record with a ticket: with more it is work on many, a campaign, and keeps its name.
_MANY: Final = 100
_TOKENS: Final = pa.schema([("token", pa.binary(16))])

#: Of these people's tokens, those that a legal hold keeps, and why; what is told must not name them.
Held = Callable[[Sequence[bytes]], Mapping[bytes, str]]


@dataclass(frozen=True, slots=True)
class Erased:
    """What became of a request to forget people.

    Attributes:
        forgotten: persons whose mapping and key are gone.
        unknown: persons that no log read so far named, or who were forgotten before.
        held: the place in the list of each person who was left alone, and why.
        also: tickets, devices, credentials and texts that went with them.
        scrubbed: no byte of them is left in the vault's files; see `beholden.vault.Forgotten`.
        untold: why the event is not on record yet, if it is not; the next `tell_erasures` does it.
    """

    forgotten: int
    unknown: int
    also: int
    scrubbed: bool
    held: Mapping[int, str] = field(default_factory=dict)
    untold: BeholdenError | None = None


def forget_people(
    people: Sequence[Person],
    *,
    reason: str,
    by: Person | None,
    vault: Vault,
    ledger: Ledger,
    state: State,
    engine: Engine,
    clock: Clock,
    held: Held | None = None,
) -> Erased:
    """Forget people, and what leads to them: tickets about them, devices and keys that only they acted with.

    Durable when it returns: their mappings and keys are gone; the event is in the ledger unless `Erased.untold` says
    otherwise. If it raises nobody was forgotten. It may be repeated: who is gone is unknown. One call for many costs
    three scans of the ledger, as one for a single person does.

    Args:
        people: whom to forget; who is named twice counts once.
        reason: why, kept encrypted.
        by: who asked for it.
        vault: knows them.
        ledger: takes the event.
        state: takes the event's account.
        engine: finds what goes with them.
        clock: the present.
        held: who must not be forgotten.

    Raises:
        UsageError: the reason is empty or too long.
        SourceError, IntegrityError: vault or ledger cannot be read or written.
    """
    tell_erasures(vault, ledger, state, clock)
    tokens = vault.find(people)
    keep = {} if held is None else held([token for token in tokens if token is not None])
    left = {place: keep[token] for place, token in enumerate(tokens) if token is not None and token in keep}
    going = {person: token for person, token in zip(people, tokens, strict=True) if token and token not in keep}
    also = _going_with(list(going.values()), ledger.tables(), engine, vault)
    (asked_by,) = vault.tokens([by]) if by is not None else (None,)
    done = vault.forget(going, reason=reason, by=asked_by, also=also)
    unknown = len(set(people)) - len({people[place] for place in left}) - len(done.tokens)
    untold = None
    try:
        tell_erasures(vault, ledger, state, clock)
    except BeholdenError as error:
        untold = error
    return Erased(len(done.tokens), unknown, len(done.also), done.scrubbed, left, untold)


def tell_erasures(vault: Vault, ledger: Ledger, state: State, clock: Clock) -> int:
    """Bring erasures on record that a stopped process left untold; returns how many.

    Durable when it returns: their events. Does nothing, and needs no right to write, where there are none.
    """
    untold = vault.untold()
    for erasure in untold:
        events = _events(erasure, vault)
        reading = start_ingest(
            state, log="vault forget", source=ERASURES, file="vault", format_="erasure", now=clock(), head="vault"
        )
        result = ledger.append(events)
        account = Account(records=events.num_rows, parsed=events.num_rows)
        account.events_new, account.events_known = result.new, result.known
        account.saw(erasure.time, erasure.time)
        finish_ingest(state, reading, account, now=clock())
        vault.told([erasure])
    return len(untold)


def erased_tokens(directory: Path, key: VerifierKey, seals: ErasureSeals) -> set[bytes]:
    """Every token that the ledger's own events say is forgotten; `beholden.vault.restore` takes them.

    Needs neither vault nor state. Every segment is compared with the manifest's hash first; of those without such an
    event nothing more is read.

    Raises:
        NotFoundError: there is no ledger. IntegrityError: it disagrees with itself. SourceError: it cannot be read.
    """
    layout = Layout(directory)
    with reading():
        snapshot = read_snapshot(layout, read_info(layout), key)
        return seals.read(_records(layout, snapshot))


def _records(layout: Layout, snapshot: Snapshot) -> Iterator[tuple[bytes, bytes]]:
    columns = ["source", "uid", "detail"]
    tables = [snapshot.recent.select(columns)]
    for segment in snapshot.manifest.segments:
        check_segment(layout, segment)
        if any(span.source == ERASURES for span in segment.sources):
            path = layout.segments / segment.file
            tables.append(read_columns(path, layout.name(path), columns))
    for table in tables:
        mine = table.filter(pc.equal(table.column("source"), ERASURES))
        for uid, detail in zip(mine.column("uid").to_pylist(), mine.column("detail").to_pylist(), strict=True):
            if detail is not None:
                yield uid, detail


def _events(erasure: Erasure, vault: Vault) -> pa.RecordBatch:
    """An erasure as the ledger keeps it: who asked and how many persons; why and which tokens only encrypted."""
    rows: list[dict[str, Any]] = [
        {
            "time": _EPOCH + timedelta(microseconds=erasure.time),
            "source": ERASURES,
            "uid": record.uid[: INPUT_EVENTS.field("uid").type.byte_width],
            "class_uid": _CLASS_UID,
            "activity": "delete",
            "actor": erasure.by,
            "scope": "none",
            "subject_count": record.people,
            "status": "success",
            "detail": record.detail,
        }
        for record in vault.erasure_records(erasure)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=INPUT_EVENTS)


def _going_with(erased: list[bytes], snapshot: Snapshot, engine: Engine, vault: Vault) -> list[bytes]:
    """Tokens of what leads to these people."""
    if not erased:
        return []
    gone = [*erased, *vault.forgotten_tokens()]
    found = engine.run(
        load_sql("beholden.ledger", "forgetting.sql"),
        {"many": _MANY},
        {"events": snapshot.source(), "erased": _table(erased), "gone": _table(gone)},
    )
    tokens: list[bytes] = found.column("token").to_pylist()
    return tokens


def _table(tokens: Sequence[bytes]) -> TableSource:
    return TableSource(table=pa.table({"token": pa.array(sorted(set(tokens)), _TOKENS.field("token").type)}))
