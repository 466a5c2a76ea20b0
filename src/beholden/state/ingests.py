"""The account of every log file read: records parsed, noise, not understood; events new and known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from beholden.core.limits import LISTED_PROBLEMS_MAX
from beholden.state.database import State
from beholden.state.tables import ingests, log_problems

__all__ = [
    "Account",
    "IngestRow",
    "finish_ingest",
    "ingest_rows",
    "plain_name",
    "problem_rows",
    "settle",
    "start_ingest",
    "unsettled_rows",
    "unsettled_sizes",
]

#: Values in one condition of a query.
_VALUES_MAX: Final = 500


@dataclass(slots=True)
class Account:
    """What became of the records of one file. ``records == parsed + noise + not_understood``, always."""

    records: int = 0
    parsed: int = 0
    noise: Counter[str] = field(default_factory=Counter)
    not_understood: Counter[str] = field(default_factory=Counter)
    mended: Counter[str] = field(default_factory=Counter)  # what was put right; these records are counted above
    events_new: int = 0
    events_known: int = 0
    first_time: int | None = None
    last_time: int | None = None
    problems: list[tuple[int, str]] = field(default_factory=list)  # record, reason; bounded

    def add_problem(self, record: int, reason: str) -> None:
        """Count a record that was not understood; list it while the list is short."""
        self.not_understood[reason] += 1
        if len(self.problems) < LISTED_PROBLEMS_MAX:
            self.problems.append((record, reason))

    def saw(self, first: int, last: int) -> None:
        """Widen the span of event times, in microseconds."""
        self.first_time = first if self.first_time is None else min(first, self.first_time)
        self.last_time = last if self.last_time is None else max(last, self.last_time)


@dataclass(frozen=True, slots=True)
class IngestRow:
    """One reading of one file, as `log doctor` and `who` show it.

    ``head`` is a keyed hash of the first ``head_bytes`` bytes of the file's content; empty for a directory that could
    not be read. ``unsettled`` says that what it left open still is: no later reading of the same file made it good.
    """

    ingest_id: int
    log: str
    source: str
    file: str
    format: str
    started: int
    finished: int | None
    records: int
    parsed: int
    noise: dict[str, int]
    not_understood: dict[str, int]
    mended: dict[str, int]
    events_new: int
    events_known: int
    first_time: int | None
    last_time: int | None
    head: str
    head_bytes: int
    unsettled: bool

    @property
    def understood(self) -> int:
        """Records of which something is known."""
        return self.parsed + sum(self.noise.values())


def plain_name(name: str) -> str:
    """A name as it is kept: a file's may hold bytes that are no text."""
    return name.encode("utf-8", "backslashreplace").decode()


def start_ingest(
    state: State, *, log: str, source: str, file: str, format_: str, now: int, head: str = "", head_bytes: int = 0
) -> int:
    """Note that a file is being read; an unfinished row tells of a reading that was stopped. Durable."""
    names = {"log": log, "source": source, "file": file}
    row: dict[str, Any] = {name: plain_name(text) for name, text in names.items()}
    row |= {"format": format_, "started": now, "head": head, "head_bytes": head_bytes}
    with state.write() as connection:
        result = connection.execute(ingests.insert().values(**row, noise={}, not_understood={}, mended={}))
        return int(result.inserted_primary_key[0])  # type: ignore[index]


def finish_ingest(state: State, ingest_id: int, account: Account, *, now: int, settles: Collection[int] = ()) -> None:
    """Write the account of a reading that came to its end. Durable when it returns.

    ``settles`` are earlier readings that this one takes the place of.
    """
    listed: dict[int, str] = dict(account.problems)
    with state.write() as connection:
        connection.execute(
            ingests.update()
            .where(ingests.c.ingest_id == ingest_id)
            .values(
                finished=now,
                records=account.records,
                parsed=account.parsed,
                noise=dict(account.noise),
                not_understood=dict(account.not_understood),
                mended=dict(account.mended),
                events_new=account.events_new,
                events_known=account.events_known,
                first_time=account.first_time,
                last_time=account.last_time,
                unsettled=bool(account.not_understood or account.mended),
            )
        )
        _settle(connection, settles)
        if listed:
            rows = [{"ingest_id": ingest_id, "record": record, "reason": text} for record, text in listed.items()]
            connection.execute(log_problems.insert(), rows)


def settle(state: State, ingest_ids: Collection[int]) -> None:
    """What these readings left open is known now. Durable when it returns."""
    with state.write() as connection:
        _settle(connection, ingest_ids)


def _settle(connection: sa.Connection, ingest_ids: Collection[int]) -> None:
    for some in _parts(ingest_ids):
        connection.execute(ingests.update().where(ingests.c.ingest_id.in_(some)).values(unsettled=False))


def unsettled_sizes(state: State, log: str) -> list[int]:
    """The different ``head_bytes`` of a log's readings that left something open."""
    query = sa.select(ingests.c.head_bytes).distinct()
    with state.read() as connection:
        return list(connection.execute(query.where(ingests.c.unsettled, ingests.c.log == plain_name(log))).scalars())


def unsettled_rows(state: State, log: str, heads: Collection[str]) -> list[IngestRow]:
    """A log's readings of files with one of these heads that left something open."""
    query = sa.select(ingests).where(ingests.c.unsettled, ingests.c.log == plain_name(log))
    with state.read() as connection:
        return [row for some in _parts(heads) for row in _rows(connection, query.where(ingests.c.head.in_(some)))]


def ingest_rows(state: State, sources: Iterable[str] | None = None) -> list[IngestRow]:
    """Every reading, oldest first; of some sources when given."""
    query = sa.select(ingests).order_by(ingests.c.ingest_id)
    if sources is not None:
        query = query.where(ingests.c.source.in_(list(sources)))
    with state.read() as connection:
        return _rows(connection, query)


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> list[IngestRow]:
    return [IngestRow(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - SQLAlchemy's public name


def _parts(values: Collection[Any]) -> Iterator[list[Any]]:
    listed = list(values)
    return (listed[i : i + _VALUES_MAX] for i in range(0, len(listed), _VALUES_MAX))


def problem_rows(state: State, ingest_id: int) -> list[tuple[int, str]]:
    """Records of a reading that were not understood: first line and reason."""
    query = sa.select(log_problems.c.record, log_problems.c.reason).where(log_problems.c.ingest_id == ingest_id)
    with state.read() as connection:
        return [(row.record, row.reason) for row in connection.execute(query.order_by(log_problems.c.record))]
