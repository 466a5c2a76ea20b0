"""What a table is: its columns, what they mean, and from what each is made; and how one is written down in few words.

Meanings are ``entity.attribute`` (``customer.email``, ``order.amount``, ``seller.name``, ``card.number`` ..) as listed
with the tables (`warehouse_tables`); ``customer.email_md5`` is the hash of the lower-case address, ``customer.number`` is
``C`` and the id (a plain number in eight digits), ``count``, ``amount``, ``day``, ``week``, ``code`` and ``text`` are what
their names say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

__all__ = ["PLATFORM", "WAREHOUSE", "Column", "Feed", "Table", "derived", "feed_of", "source"]

WAREHOUSE: Final = "warehouse"
#: Who keeps the tables that all share.
PLATFORM: Final = "engineer-1"


@dataclass(frozen=True, slots=True)
class Column:
    """A column. ``expression`` makes it from the feed's relations; ``origins`` are ``database.table.column``."""

    name: str
    sql_type: str
    meaning: str
    expression: str = ""
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """How a table is filled.

    ``form``: ``land`` (files are loaded), ``append`` (each night the day before), ``replace`` (emptied and filled),
    ``ctas`` (dropped and made anew) or ``merge``. ``relation`` is what stands behind FROM; ``sources`` are the tables
    in it by alias. ``time`` is the expression that limits an append to its day. ``every``: days between runs, 0 where
    it was made once, by hand, on the day ``first``.
    """

    form: str
    sources: tuple[tuple[str, str], ...]
    relation: str
    where: str = ""
    group: int = 0  # the first so many columns
    time: str = ""
    every: int = 1
    first: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """A table of one of the databases.

    ``grain`` says what a row is: ``customer``, ``note``, ``order``, ``line``, ``seller``, ``card``, ``payment``,
    ``parcel``, ``contact``, ``review``, ``day``, ``seller-day``, ``buyer`` (a customer who ordered), ``group`` (few) or ``code``.
    ``share`` is how many of these rows it holds. ``layer``: source, raw, staging, core, mart or copy.
    """

    database: str
    name: str
    grain: str
    layer: str
    owner: str  # a team of `Member.team`
    documented: bool
    columns: tuple[Column, ...]
    feed: Feed | None = None
    share: float = 1.0
    _named: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._named.update((column.meaning, column.name) for column in reversed(self.columns))

    @property
    def path(self) -> str:
        """Database and name."""
        return f"{self.database}.{self.name}"

    def has(self, meaning: str) -> str | None:
        """The name of the first column of that meaning."""
        return self._named.get(meaning)

    def exists(self, day: int) -> bool:
        """Whether it had been made before that day."""
        return self.feed is None or self.feed.first < day


def source(database: str, name: str, grain: str, columns: str, owner: str = PLATFORM) -> Table:
    """A table that no other one feeds; ``columns`` are ``name type meaning``, parted by commas."""
    parts = (one.split() for one in columns.split(", "))
    made = tuple(Column(name, sql_type, meaning) for name, sql_type, meaning in parts)
    return Table(database, name, grain, "source", owner, documented=True, columns=made)


_SPEC: Final = re.compile(r"(?P<expression>.*?)(?: as (?P<name>\w+))?(?: @ (?P<type>\S+) (?P<meaning>\S+))?")
_REFERENCE: Final = re.compile(r"\b([a-z]\w*)\.(\w+)")
_LITERAL: Final = re.compile(r"'[^']*'")


def derived(
    known: dict[str, Table], name: str, grain: str, layer: str, columns: Sequence[str], feed: Feed, *,
    owner: str = PLATFORM, documented: bool = True, share: float = 1.0,
) -> Table:  # fmt: skip
    """A table of the warehouse made from others.

    Each of ``columns`` is ``expression [as name] [@ type meaning]``: what is not said is as in the first column that
    the expression refers to.
    """
    by_alias = {alias: known[path] for alias, path in feed.sources}
    made = []
    for spec in columns:
        found = _SPEC.fullmatch(spec)
        assert found is not None  # noqa: S101 - the pattern matches every text
        refers = dict.fromkeys(_REFERENCE.findall(_LITERAL.sub("''", found["expression"])))
        first = next((_column(by_alias[alias], column) for alias, column in refers), None)
        made.append(
            Column(
                name=found["name"] or (first.name if first else ""),
                sql_type=found["type"] or (first.sql_type if first else ""),
                meaning=found["meaning"] or (first.meaning if first else ""),
                expression=found["expression"],
                origins=tuple(f"{by_alias[alias].path}.{column}" for alias, column in refers),
            )
        )
    return Table(WAREHOUSE, name, grain, layer, owner, documented, tuple(made), feed, share)


def _column(table: Table, name: str) -> Column:
    return next(column for column in table.columns if column.name == name)


def feed_of(
    form: str, sources: str, relation: str = "", *, where: str = "", group: int = 0, time: str = "", every: int = 1, first: int = 0,
) -> Feed:  # fmt: skip
    """A feed from tables of the warehouse, given as ``alias=table`` parted by blanks."""
    pairs = [one.split("=") for one in sources.split()]
    return Feed(
        form=form,
        sources=tuple((alias, f"{WAREHOUSE}.{table}") for alias, table in pairs),
        relation=relation or f"{pairs[0][1]} {pairs[0][0]}",
        where=where,
        group=group,
        time=time,
        every=every,
        first=first,
    )
