"""A feed: rows of a company's own record, each saying who had to do with whom from when to when."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.config import FeedConfig
from beholden.core.errors import BeholdenError, ConfigError, SourceError, UsageError
from beholden.core.names import Person
from beholden.feeds._files import SUFFIXES, TableFile, UnreadableError, open_table
from beholden.feeds._values import TIME, identifiers, times

__all__ = ["INTERVALS", "Feed", "open_feed", "subject_column"]

#: What `Feed.intervals` yields. An interval is ``[opened, closed)``; null ``closed`` is still open.
INTERVALS: Final = pa.schema(
    [
        pa.field("key", pa.string()),  # the row's own identifier, e.g. a ticket
        pa.field("actor", pa.string()),  # who works on it, under the identifier the company uses
        pa.field("subject_kind", pa.string()),
        pa.field("subject", pa.string()),  # whom it is about
        pa.field("opened", TIME),  # null only where the feed names no such column
        pa.field("closed", TIME),
    ]
)

_COLUMN_NAME: Final = re.compile(r"[^\W\d][\w .:/-]{0,63}\Z")

NO_ZONE: Final = "a time without a zone was taken as UTC"


class Feed:
    """One declared feed, opened and its columns checked.

    Attributes:
        name: as in ``beholden.toml``.
        kind: contact, case, staff ...
        subject_kind: the kind of person it is about; None where it names none.
        problems: rows left out by the last reading, by reason. Never a value.
        assumed: what the last reading had to assume, by assumption, counted in values.
        rows: rows of the last reading, those left out included.
    """

    def __init__(self, config: FeedConfig, table: TableFile) -> None:
        self.name = config.name
        self.kind = config.kind
        self.problems: Counter[str] = Counter()
        self.assumed: Counter[str] = Counter()
        self.rows = 0
        self._config = config
        self._table = table
        self.subject_kind, self._subject = subject_column(config)
        wanted = (config.key, config.actor, self._subject, config.opened, config.closed)
        self._wanted = tuple(dict.fromkeys(name for name in wanted if name is not None))
        for name in self._wanted:
            if table.columns.count(name) != 1:
                raise SourceError(
                    f"feed {self.name}",
                    f"column '{name}' {'appears twice' if name in table.columns else 'is not there'}",
                    expected=_listed(table.columns),
                    advice="correct the column's name under [[feed]] in beholden.toml",
                )

    def columns(self) -> tuple[str, ...]:
        """Every column of the source, also those that ``beholden.toml`` does not name."""
        return self._table.columns

    def intervals(self) -> Iterator[pa.RecordBatch]:
        """All rows that can be understood, as `INTERVALS`, in the order of the file; starts from the top each time.

        Nothing, where ``beholden.toml`` names none of the feed's columns.

        Raises:
            SourceError: the file turned out to be damaged. What was yielded before stays true.
        """
        self.problems.clear()
        self.assumed.clear()
        self.rows = 0
        if not self._wanted:
            return
        malformed: Counter[str] = Counter()
        try:
            for batch in self._table.batches(self._wanted, malformed):
                self.rows += len(batch)
                yield self._normalised(batch)
        except UnreadableError as error:
            raise SourceError(f"feed {self.name}", f"its file {error}") from None
        except OSError as error:
            raise SourceError(f"feed {self.name}", f"its file cannot be read ({error.strerror})") from None
        self.rows += malformed.total()
        self.problems.update(malformed)

    def _normalised(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        keep = pa.repeat(pa.scalar(True), len(batch))

        def leave_out(where: pa.Array, reason: str) -> None:
            nonlocal keep
            hit = pc.sum(pc.and_(keep, where)).as_py() or 0
            if hit:
                self.problems[reason] += hit
                keep = pc.and_not(keep, where)

        key, actor, subject = (
            self._text(batch, name) for name in (self._config.key, self._config.actor, self._subject)
        )
        opened, opened_bad = self._time(batch, self._config.opened)
        closed, closed_bad = self._time(batch, self._config.closed)
        leave_out(opened_bad, "the opening time is not a time")
        leave_out(closed_bad, "the closing time is not a time")
        if self._config.opened is not None:
            leave_out(pc.is_null(opened), "there is no opening time")
        leave_out(pc.fill_null(pc.less(closed, opened), False), "it closes before it opens")
        if self._config.actor is not None or self._subject is not None:
            leave_out(pc.and_(pc.is_null(actor), pc.is_null(subject)), "it names neither an actor nor a subject")
        kinds = pc.if_else(pc.is_valid(subject), pa.scalar(self.subject_kind, pa.string()), None)
        rows = pa.RecordBatch.from_arrays([key, actor, kinds, subject, opened, closed], schema=INTERVALS)
        return rows.filter(keep)

    def _text(self, batch: pa.RecordBatch, name: str | None) -> pa.Array:
        return pa.nulls(len(batch), pa.string()) if name is None else identifiers(batch.column(name))

    def _time(self, batch: pa.RecordBatch, name: str | None) -> tuple[pa.Array, pa.Array]:
        if name is None:
            return pa.nulls(len(batch), TIME), pa.repeat(pa.scalar(False), len(batch))
        found = times(batch.column(name))
        if found.without_zone:
            self.assumed[NO_ZONE] += found.without_zone
        return found.values, found.bad


def open_feed(config: FeedConfig, *, root: Path) -> Feed:
    """Open a feed's file and check that the columns ``beholden.toml`` names are there.

    Args:
        config: the feed's section.
        root: the estate's directory, to which a relative ``source`` belongs.

    Raises:
        UsageError: the source is not a kind of file that can be read, or ``subject`` is not ``kind:column``.
        SourceError: no such file, not what its name says, or a column is missing (the columns there are listed).
    """
    path = root / Path(config.source).expanduser()
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"feed {config.name}", f"source '{config.source[:200]}'", expected="a .parquet, .csv or .jsonl file"
        )
    try:
        table = open_table(path)
    except FileNotFoundError:
        raise SourceError(
            f"feed {config.name}", f"no file {config.source}", advice="correct source under [[feed]] in beholden.toml"
        ) from None
    except UnreadableError as error:
        raise SourceError(f"feed {config.name}", f"{config.source} {error}") from None
    except OSError as error:
        raise SourceError(f"feed {config.name}", f"{config.source} cannot be read ({error.strerror})") from None
    return Feed(config, table)


def _listed(columns: tuple[str, ...]) -> str:
    """The columns by name, unless they look like values: the first row of a file without a header is data."""
    if all(_COLUMN_NAME.match(name) for name in columns):
        return "one of: " + ", ".join(columns)
    return "a first row of column names (the one there does not look like it)"


def subject_column(config: FeedConfig) -> tuple[str | None, str | None]:
    """The kind of person and the column: ``customer:customer_id`` is a ``customer`` in ``customer_id``.

    Raises `ConfigError` when ``subject`` is not of that form.
    """
    if config.subject is None:
        return None, None
    try:
        named = Person.parse(config.subject)
    except BeholdenError:
        raise ConfigError(
            f"feed {config.name}: subject", "is not of the form kind:column", expected='e.g. "customer:customer_id"'
        ) from None
    return named.kind, named.identifier
