"""From a log file to the ledger: read, understand, tokenise, append; every record accounted for.

Order of durability for each batch: templates (state), then people (vault), then events (ledger). An event that is
acknowledged never refers to something that is not kept. A reading that is stopped anywhere can be repeated: events
are idempotent on (source, uid).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.errors import BeholdenError, SourceError
from beholden.core.times import Clock
from beholden.ledger._kept import merged
from beholden.ledger._one_by_one import NO_SCHEMA, OneByOne, Outcome
from beholden.ledger._plain import plain_events
from beholden.ledger.databases import DatabaseStores
from beholden.ledger.format import APPEND_BYTES_MAX
from beholden.ledger.log import Ledger
from beholden.ledger.readings import head_of, replaced_readings
from beholden.ledger.world import World
from beholden.logs import LogBatch, LogContext, Reader, beginning, open_log
from beholden.state import State
from beholden.state.ingests import Account, finish_ingest, start_ingest
from beholden.vault import Vault

__all__ = ["NO_SCHEMA", "Ingest", "LogFile"]


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file to read: what it is called in the config, whose record it is, which store unqualified names mean."""

    log: str
    path: Path
    source: str
    store: str | None
    time_zone: tzinfo | None = None
    database: str | None = None  # what it calls the store's database, where somebody has said so


@dataclass(frozen=True, slots=True)
class _Kept:
    """How many events were new and known, and times among which all of theirs lie."""

    new: int = 0
    known: int = 0
    times: tuple[int, ...] = ()

    def __add__(self, other: _Kept) -> _Kept:
        return _Kept(self.new + other.new, self.known + other.known, self.times + other.times)


class Ingest:
    """Reads log files into the ledger.

    Args:
        state: takes templates and accounts.
        vault: gives people their tokens, encrypts literals.
        ledger: takes the events.
        world: stores' schemas and the fields that name persons.
        clock: the present.
    """

    def __init__(self, *, state: State, vault: Vault, ledger: Ledger, world: World, clock: Clock) -> None:
        self._state = state
        self._vault = vault
        self._ledger = ledger
        self._world = world
        self._one_by_one = OneByOne(state=state, vault=vault, world=world, clock=clock)
        self._clock = clock

    def file(
        self, file: LogFile, reader: Reader, progress: Callable[[int], None] = lambda _records: None
    ) -> tuple[Account, BeholdenError | None]:
        """Read one file to its end; events are durable batch by batch, the account at the end.

        Returns the account, and what stopped the reading when the file cannot be opened, is of another format, or
        fails half-way, or when its events cannot be kept; what was read before that stays. The account then has one
        more record, not understood, that says so.
        """
        account = Account()
        stopped: BeholdenError | None = None
        begins = b""
        with ExitStack() as stack:
            try:
                stream = stack.enter_context(open_log(file.path))
                begins = beginning(stream)
            except SourceError as error:
                stopped = error
            reading = start_ingest(
                self._state,
                log=file.log,
                source=file.source,
                file=str(file.path),
                format_=reader.format,
                now=self._clock(),
                head=head_of(self._vault, begins),
                head_bytes=len(begins),
            )
            stopped = stopped or self._read(stream, file, reader, account, progress)
        if stopped is not None:
            account.records += 1
            account.add_problem(account.records, f"reading stopped: {stopped.found}")
        settles = replaced_readings(
            self._state, self._vault, reading, log=file.log, path=file.path, begins=begins, account=account
        )
        finish_ingest(self._state, reading, account, now=self._clock(), settles=settles)
        return account, stopped

    def _read(
        self, stream: BinaryIO, file: LogFile, reader: Reader, account: Account, progress: Callable[[int], None]
    ) -> SourceError | None:
        """Keep the events of an open file; returns what stopped it before its end.

        While the events of one batch are made durable, those of the next are made: one batch is under way at most.
        """
        stores = DatabaseStores(self._world, file.store, file.database, lambda: _databases_in(file, reader))
        stopped: SourceError | None = None
        last_record = -1
        with ThreadPoolExecutor(1, "append") as thread:
            under_way: Callable[[int], int] | None = None
            try:
                for batch in reader.read(stream, LogContext(file.source, file.time_zone)):
                    outcome = Outcome()
                    events = self._events(batch.events, file, stores, outcome)
                    if under_way is not None:
                        before, under_way = under_way, None
                        last_record = before(last_record)
                        progress(account.records)
                    keeping = thread.submit(self._append, events)
                    under_way = partial(_enter, batch, outcome, keeping, account)
            except SourceError as error:
                stopped = error
            try:
                if under_way is not None:
                    under_way(last_record)
                    progress(account.records)
            except SourceError as error:
                stopped = error
        return stopped

    def _append(self, events: pa.RecordBatch) -> _Kept:
        """Make events durable, in pieces that the ledger takes."""
        if not events.num_rows:
            return _Kept()
        if events.nbytes > APPEND_BYTES_MAX // 2 and events.num_rows > 1:
            half = events.num_rows // 2
            return self._append(events.slice(0, half)) + self._append(events.slice(half))
        result = self._ledger.append(events)
        span = pc.min_max(events.column("time").cast(pa.int64()))
        return _Kept(result.new, result.known, (span["min"].as_py(), span["max"].as_py()))

    def _events(self, raw: pa.RecordBatch, file: LogFile, stores: DatabaseStores, outcome: Outcome) -> pa.RecordBatch:
        """The events to keep, in the order of the log; records that tell of none are in ``outcome``."""
        plain, rest = plain_events(raw, stores, file.source, world=self._world, vault=self._vault)
        if not len(rest):
            return plain.events
        outcome.kept.update(raw.column("record").take(pa.array(plain.places)).to_pylist())
        others = self._one_by_one.events(raw.take(pa.array(rest)), stores, file.source, outcome)
        return merged(plain, others.at(rest))


def _enter(batch: LogBatch, outcome: Outcome, keeping: Future[_Kept], account: Account, before: int) -> int:
    """Enter a batch's records into the account, once its events are kept.

    ``before`` is the last record of the batch before, whose events may go on here. Returns the last one of this.
    """
    kept = keeping.result()
    account.events_new += kept.new
    account.events_known += kept.known
    for time in kept.times:
        account.saw(time, time)
    account.records += batch.records
    account.parsed += batch.parsed
    account.noise.update(batch.noise)
    account.mended.update(batch.mended)
    for problem in batch.problems:
        account.add_problem(problem.record, problem.reason)
    passed = {*outcome.kept, before}
    for record, reason in outcome.problems.items():
        if record not in passed:
            account.parsed -= 1
            account.add_problem(record, reason)
    for record, reason in outcome.noise.items():
        if record not in passed and record not in outcome.problems:
            account.parsed -= 1
            account.noise[reason] += 1
    return before if batch.events.num_rows == 0 else int(batch.events.column("record")[-1].as_py())


def _databases_in(file: LogFile, reader: Reader) -> set[str]:
    """The databases whose records a file holds, as far as it can be read."""
    found: set[str] = set()
    try:
        with open_log(file.path) as stream:
            for batch in reader.read(stream, LogContext(file.source, file.time_zone)):
                found.update(filter(None, pc.unique(batch.events.column("database")).to_pylist()))
    except SourceError:
        pass  # the reading itself says so
    return found
