"""The account of every log file read: records parsed, noise, not understood; events new and known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from beholden.core.limits import LISTED_PROBLEMS_MAX
from beholden.state.database import State
from beholden.state.tables import ingests, log_problems

__all__ = ["Account", "IngestRow", "finish_ingest", "ingest_rows", "problem_rows", "start_ingest"]


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
    """One reading of one file, as `log doctor` and `who` show it."""

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


def start_ingest(state: State, *, log: str, source: str, file: str, format_: str, now: int) -> int:
    """Note that a file is being read; an unfinished row tells of a reading that was stopped."""
    row: dict[str, Any] = {"log": log, "source": source, "file": file, "format": format_, "started": now}
    for name in ("log", "source", "file"):  # a file's name may hold bytes that are no text
        row[name] = row[name].encode("utf-8", "backslashreplace").decode()
    with state.write() as connection:
        result = connection.execute(ingests.insert().values(**row, noise={}, not_understood={}, mended={}))
        return int(result.inserted_primary_key[0])  # type: ignore[index]


def finish_ingest(state: State, ingest_id: int, account: Account, *, now: int) -> None:
    """Write the account of a reading that came to its end. Durable when it returns."""
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
            )
        )
        if listed:
            rows = [{"ingest_id": ingest_id, "record": record, "reason": text} for record, text in listed.items()]
            connection.execute(log_problems.insert(), rows)


def ingest_rows(state: State, sources: Iterable[str] | None = None) -> list[IngestRow]:
    """Every reading, oldest first; of some sources when given."""
    query = sa.select(ingests).order_by(ingests.c.ingest_id)
    if sources is not None:
        query = query.where(ingests.c.source.in_(list(sources)))
    with state.read() as connection:
        rows: list[dict[str, Any]] = [dict(row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - SQLAlchemy's public name
    return [IngestRow(**row) for row in rows]


def problem_rows(state: State, ingest_id: int) -> list[tuple[int, str]]:
    """Records of a reading that were not understood: first line and reason."""
    query = sa.select(log_problems.c.record, log_problems.c.reason).where(log_problems.c.ingest_id == ingest_id)
    with state.read() as connection:
        return [(row.record, row.reason) for row in connection.execute(query.order_by(log_problems.c.record))]
