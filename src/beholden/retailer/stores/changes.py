"""What the window's events changed in the databases, whoever did it and why: edits, corrections, suspensions, tampering.

The world says what things were; statements and acts of the logs say what was made of them. A store holds what is at the
end of the window, the warehouse what was when it was last loaded. Incidents and ordinary work go the same way here: what
is read are the events, in the form the logs have them, and nothing says whose they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np

from beholden.retailer.chance import SECOND_US, Chance, Ints, below, iso
from beholden.retailer.events import Events
from beholden.retailer.life.accounts import Visits
from beholden.retailer.life.seller_desk import BANK, REINSTATE, SUSPEND, Acts
from beholden.retailer.life.sql import Statements
from beholden.retailer.orders import STATUSES
from beholden.retailer.stores.reviews import ReviewLog
from beholden.retailer.stores.rows import STATUS_CODES, Rows, ibans
from beholden.retailer.words import Words, words_of
from beholden.retailer.world import World

__all__ = ["Changes", "DayOfChanges", "read_changes"]

#: Columns of customers that are changed one by one.
_CHANGED: Final = ("email", "phone", "last_name", "street")
_Makers: TypeAlias = dict[str, Callable[[], Sequence[Any]]]
_STREET, _POSTAL_CODE = "customer.street", "customer.postal_code"


@dataclass(frozen=True)
class _Column:
    """The values that a column was given, in the order of row and time."""

    number: Ints
    time: Ints
    value: list[Any]
    _last: dict[int, tuple[Ints, list[Any]]] = field(default_factory=dict)

    def last(self, until: int) -> tuple[Ints, list[Any]]:
        """Each row's last value before a moment, in the order of rows."""
        if until not in self._last:
            kept = np.flatnonzero(self.time < until)
            number = self.number[kept]
            last = kept[np.append(number[1:] != number[:-1], [True] * bool(len(number))).astype(np.bool_)]
            self._last[until] = self.number[last], [self.value[at] for at in last.tolist()]
        return self._last[until]


@dataclass(frozen=True)
class Changes:
    """By grain and meaning of a column: what its rows were given. ``reforms`` are changes of many postal codes at once.

    ``reviews`` are what was written and removed by customers, or in their accounts.

    Memory grows with the changes, some thousands a day at full scale, not with the rows.
    """

    columns: Mapping[str, Mapping[str, _Column]] = field(default_factory=dict)
    reforms: tuple[Reform, ...] = ()
    reviews: ReviewLog = field(default_factory=lambda: ReviewLog.of([]))

    def applied(self, grain: str, rows: Rows, until: int) -> Rows:
        """The rows as they were at a moment of the window or after it."""
        makers: _Makers = {}
        for meaning, column in self.columns.get(grain, {}).items():
            number, values = column.last(until)
            at = np.searchsorted(number, rows.number)
            here = np.flatnonzero(at < len(number))
            here = here[number[at[here]] == rows.number[here]]
            if len(here):
                given = [values[i] for i in at[here].tolist()]
                makers[meaning] = partial(_replaced, rows, meaning, here.tolist(), given)
        reforms = [one[1:] for one in self.reforms if one[0] < until] if grain == "customer" else []
        if reforms:
            makers[_POSTAL_CODE] = partial(_reformed, rows, reforms)
        return rows.and_also(makers) if makers else rows

    def former(self, customers: Rows, moves: Rows) -> Iterator[tuple[str, Rows]]:
        """What some of these customers had until the window, by grain; ``moves`` are those who moved before."""
        found = self._former(customers, _STREET)
        if found is not None:
            row, before, time, since = found
            moved = dict(zip(moves.number.tolist(), moves["move.time"], strict=True))
            joined = customers["customer.created_at"]
            begun = [
                text or moved.get(int(customers.number[at]), joined[at])
                for at, text in zip(row.tolist(), since, strict=True)
            ]
            makers: _Makers = {"move.street": partial(list, before), "move.since": partial(list, begun)}
            yield "move", customers.at(row).and_also({**makers, "move.time": partial(iso, time)}, time)
        for name in ("email", "phone"):
            found = self._former(customers, f"customer.{name}")
            if found is not None:
                yield _past(customers, name, *found[:3])
        for moment, country, old, _ in self.reforms:
            codes = zip(customers[_POSTAL_CODE], customers["customer.country"], strict=True)
            hit = [at for at, (code, where) in enumerate(codes) if where == country and code.startswith(old)]
            row = np.array(hit, dtype=np.int64)
            before = [customers[_POSTAL_CODE][at] for at in hit]
            yield _past(customers, "postal_code", row, before, np.full(len(row), moment, dtype=np.int64))

    def _former(self, customers: Rows, meaning: str) -> tuple[Ints, list[str], Ints, list[str]] | None:
        """For each change: its customer's row, the value before, the moment, and since when (empty: before the window)."""
        column = self.columns.get("customer", {}).get(meaning)
        if column is None:
            return None
        row = np.searchsorted(customers.number, column.number)
        here = np.flatnonzero(row < len(customers))
        here = here[customers.number[row[here]] == column.number[here]]
        if not len(here):
            return None
        # Of changes within one second, the precision of the stores, nobody saw but the last.
        second = column.time[here] // SECOND_US
        here = here[np.append(True, (row[here][1:] != row[here][:-1]) | (second[1:] != second[:-1]))]
        row, time = row[here], column.time[here]
        again = np.append(False, row[1:] == row[:-1]).tolist()
        began, texts = customers[meaning], iso(time)
        before = [
            column.value[at - 1] if repeated else began[place]
            for at, place, repeated in zip(here.tolist(), row.tolist(), again, strict=True)
        ]
        since = [texts[i - 1] if repeated else "" for i, repeated in enumerate(again)]
        return row, before, time, since


def _past(customers: Rows, name: str, row: Ints, before: list[str], time: Ints) -> tuple[str, Rows]:
    makers: _Makers = {f"past.{name}": partial(list, before), "past.time": partial(iso, time)}
    return f"other {name}", customers.at(row).and_also(makers, time)


def _replaced(rows: Rows, meaning: str, places: list[int], given: list[Any]) -> list[Any]:
    column = list(rows[meaning])
    for at, value in zip(places, given, strict=True):
        column[at] = value
    return column


def _reformed(rows: Rows, reforms: Iterable[tuple[str, str, str]]) -> list[str]:
    column: list[str] = list(rows[_POSTAL_CODE])
    countries = rows["customer.country"]
    for country, old, new in reforms:
        column = [
            new + code[len(old) :] if where == country and code.startswith(old) else code
            for code, where in zip(column, countries, strict=True)
        ]
    return column


#: Grain, meaning, number of the row, moment, value.
Change: TypeAlias = tuple[str, str, int, int, str | int]
#: Time, country, what postal codes began with, and begin with now.
Reform: TypeAlias = tuple[int, str, str, str]


class DayOfChanges(msgspec.Struct):
    """What one day's events changed."""

    changes: list[Change] = []
    reforms: list[Reform] = []
    reviews: list[tuple[int, int, int, int, int]] = []  # as `ReviewLog.changes` has them

    def add(self, world: World, events: Events) -> None:
        """Add what the events of a log did, if it is one of those that can change anything."""
        if isinstance(events, Statements):
            self.changes += _Grammar(words_of(world.parameters.preset)).read(events, self.reforms)
        elif isinstance(events, Acts):
            self.changes += _of_acts(world, events)
        elif isinstance(events, Visits):
            self.reviews += ReviewLog.changes(events)

    def write(self, directory: Path, day: int) -> None:
        """Keep it until the stores are written."""
        (directory / f"{day}.json").write_bytes(msgspec.json.encode(self))


def read_changes(directory: Path, window: Iterable[int]) -> Changes:
    """What the events of all these days changed, as `DayOfChanges` has kept it."""
    parts: dict[tuple[str, str], list[_Column]] = {}
    reforms: list[Reform] = []
    reviews: list[Ints] = []
    for day in window:
        kept = msgspec.json.decode((directory / f"{day}.json").read_bytes(), type=DayOfChanges)
        reforms += kept.reforms
        reviews.append(np.array(kept.reviews, dtype=np.int64))
        today: dict[tuple[str, str], list[tuple[int, int, str | int]]] = {}
        for change in kept.changes:
            today.setdefault(change[:2], []).append(change[2:])
        for column, made in today.items():
            number, time, value = zip(*made, strict=True)
            parts.setdefault(column, []).append(_Column(np.array(number), np.array(time), list(value)))
    found: dict[str, dict[str, _Column]] = {}
    for (grain, meaning), days in parts.items():
        found.setdefault(grain, {})[meaning] = _in_order(days)
    return Changes(found, tuple(sorted(reforms)), ReviewLog.of(reviews))


def _in_order(parts: Sequence[_Column]) -> _Column:
    number = np.concatenate([part.number for part in parts])
    time = np.concatenate([part.time for part in parts])
    value = [one for part in parts for one in part.value]
    order = np.lexsort((time, number))
    return _Column(number[order], time[order], [value[at] for at in order.tolist()])


class _Grammar:
    """The statements that change something: one customer, the postal codes of many, an order's status."""

    def __init__(self, words: Words) -> None:
        name = words.name
        self._ids = words.customer
        self._columns = {name(column): f"customer.{column}" for column in _CHANGED}
        self._customer = re.compile(
            rf"update\s+(?:public\.)?{name('customer')}\s+set\s+(\w+)\s*=\s*'([^']*)'\s+"
            rf"where\s+{name('customer_id')}\s*=\s*'?([\w-]+)",
            re.IGNORECASE,
        )
        code = name("postal_code")
        self._reform = re.compile(
            rf"set\s+{code}\s*=\s*'(\w+)'\s*\|\|\s*substr\({code}, \d\)\s+"
            rf"where\s+{name('country')}\s*=\s*'(\w+)'\s+and\s+{code}\s+like\s+'(\w+)%'",
            re.IGNORECASE,
        )
        self._order = re.compile(
            rf"update\s+{name('orders')}\s+set\s+{name('status')}\s*=\s*'(\w+)'\s+where\s+{name('order_id')}\s*=\s*(\d+)",
            re.IGNORECASE,
        )

    def read(self, statements: Statements, reforms: list[Reform]) -> Iterator[Change]:
        """What UPDATEs did that did not fail; those of many postal codes are added to ``reforms``."""
        for at, one in enumerate(statements.said):
            if one.command != "UPDATE" or statements.failure[at]:
                continue
            time = int(statements.time[at])
            if one.database == "crm":
                if single := self._customer.search(one.text):
                    number = self._ids.number(single[3])
                    yield "customer", self._columns[single[1].lower()], number - 1, time, single[2]
                elif many := self._reform.search(one.text):
                    reforms.append((time, many[2], many[3], many[1]))
            elif ordered := self._order.search(one.text):
                status = STATUSES.index(ordered[1])
                yield "order", "order.status", int(ordered[2]), time, STATUSES[status]
                yield "order", "order.status_code", int(ordered[2]), time, STATUS_CODES[status]


def _of_acts(world: World, acts: Acts) -> Iterator[Change]:
    """Suspensions, reinstatements and new bank accounts of sellers."""
    done = acts.at((acts.result == 0) & np.isin(acts.operation, [SUSPEND, REINSTATE, BANK]))
    account = Chance(world.parameters.seed, "new bank account")(done.seller, done.time)
    rows = zip(
        done.operation.tolist(), done.seller.tolist(), done.time.tolist(), iso(done.time),
        ibans(below(account, 10**10)), account.tolist(), strict=True,
    )  # fmt: skip
    for operation, seller, time, text, iban, code in rows:
        if operation != BANK:
            yield "seller", "seller.state", seller, time, "suspended" if operation == SUSPEND else "active"
            continue
        yield "seller", "seller.iban", seller, time, iban
        yield "seller", "seller.bank", seller, time, f"{code >> 16:012x}"
        yield "seller", "seller.banked", seller, time, text
