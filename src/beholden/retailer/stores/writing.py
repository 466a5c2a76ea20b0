"""All stores in one pass: each slice of customers or orders goes into every table that holds anything of it.

SQLite files lie in ``stores/`` and are called like their stores. With a PostgreSQL URL every store is a database of that
server, called like the store, its tables in the schema ``public``, as the servers' logs have them. With a MariaDB URL
the order system is a database of that server. Databases are made; one that holds tables is refused, unless a build of
the same company left them that was ended before its stores were whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from beholden.retailer.canaries import canaries
from beholden.retailer.chance import DAY_US, Chance, Ints, stream, uniform
from beholden.retailer.orders import STATUSES
from beholden.retailer.stores.changes import Changes
from beholden.retailer.stores.database import Database
from beholden.retailer.stores.layout import PAST, STORES, Layout, Placed, layout_with
from beholden.retailer.stores.reviews import review_rows
from beholden.retailer.stores.rows import (
    STATUS_CODES,
    Rows,
    contact_rows,
    customer_rows,
    order_rows,
    seller_case_rows,
    seller_rows,
)
from beholden.retailer.stores.servers import opened
from beholden.retailer.stores.warehouse import derive, loaded_until
from beholden.retailer.warehouse_tables import WAREHOUSE, Table
from beholden.retailer.world import WRITE_ROWS, World, slices

__all__ = ["WrittenStores", "write_stores"]

#: Called with what is being done and the share of the work done before it (0 to 1).
Progress = Callable[[str, float], None]
#: Lines of an order in the mean, a little more than there are.
_LINES_PER_ORDER: Final = 1.6
_FIRST_SCENARIO: Final = 1000
_SCENARIOS: Final = 40
_WEEKS: Final = 12


@dataclass(frozen=True, slots=True)
class WrittenStores:
    """What was written: the rows of each table (``store/table``), and what was left out, a sentence each."""

    rows: Mapping[str, int]
    left_out: tuple[str, ...]


def write_stores(
    world: World, directory: Path, *, postgres: str | None = None, mariadb: str | None = None,
    extra: Sequence[Table] = (), changes: Changes | None = None, company: str = "", progress: Progress | None = None,
) -> WrittenStores:  # fmt: skip
    """Write every store of the company.

    Args:
        world: the company.
        directory: the company's directory; files go to its ``stores``.
        postgres: URL of a PostgreSQL server that takes the stores instead of files.
        mariadb: URL of a MariaDB server that takes the order system.
        extra: further tables, filled by their grain and share from the world: what incidents left.
        changes: what the window's events changed (see `read_changes`); nothing if it is not given.
        company: a text that is another one for another company. Databases of servers bear it as a mark until
            `servers.unmark_stores`, and what a build of the same text left in them is dropped. None bears it if it is empty.
        progress: told what is being done.

    Raises:
        UsageError: an extra table is called like another, or of a grain that the world has no rows of; a database holds
            something already; MariaDB's driver is not installed.
        BeholdenError: a database cannot be written.
    """
    tell = progress or (lambda _what, _share: None)
    layout = layout_with(world.parameters, extra)
    with ExitStack() as stack:
        databases = {
            store: stack.enter_context(opened(directory, layout, store, postgres, mariadb, company)) for store in STORES
        }
        writing = _Writing(world, layout, databases, changes or Changes())
        tell("databases: customers", 0.0)
        writing.customers()
        tell("databases: orders", 0.3)
        writing.orders()
        tell("databases: sellers and contacts", 0.7)
        writing.others()
        tell("databases: the warehouse's marts and copies", 0.75)
        writing.derived()
        for database in databases.values():
            database.finish()
        tell("databases written", 1.0)
    return WrittenStores(dict(writing.rows), tuple(writing.left_out))


class _Writing:
    """The pass through the world."""

    def __init__(self, world: World, layout: Layout, databases: Mapping[str, Database], changes: Changes) -> None:
        self._world = world
        self._changes = changes
        self._layout = layout
        self._databases = databases
        self._past = [layout.placed(table) for table in PAST.values()]
        self.rows: dict[str, int] = {}
        self.left_out: list[str] = []
        self._cut: set[str] = set()  # tables with fewer reviews than those customers wrote
        self._by_grain: dict[str, list[Placed]] = {}
        for placed in layout.tables:
            databases[placed.canonical.database].create(placed)
            self.rows[f"{placed.table.database}/{placed.name}"] = 0
        for placed in layout.filled:
            self._by_grain.setdefault(placed.canonical.grain, []).append(placed)
        for placed in self._past:
            databases[WAREHOUSE].create(placed, temporary=True)
            self._by_grain.setdefault(placed.canonical.grain, []).append(placed)

    def customers(self) -> None:
        """Everything that belongs to customers: the lowest numbers, the famous, and the canaries."""
        p, people = self._world.parameters, self._world.people
        kept = min(len(people), p.store_rows_max)
        parts = [np.arange(start, stop) for start, stop in slices(kept)]
        known = np.union1d(people.famous, canaries(self._world))
        beyond = known[known >= kept]
        for position in [*parts, *([beyond] if len(beyond) else [])]:
            by_grain = customer_rows(self._world, self._layout.words, position)
            for grain, rows in by_grain.items():
                self._fill(grain, rows)
            self._reviews(by_grain["customer"])
            for grain, rows in self._changes.former(by_grain["customer"], by_grain["move"]):
                self._fill(grain, rows)
        for name in sorted(self._cut):
            self.left_out.append(f"of the reviews of customers {name} holds the first {p.store_rows_max:,}")
        if kept < len(people):
            self.left_out.append(
                f"of {len(people):,} customers the stores hold the first {kept:,} and those who are known"
            )

    def _reviews(self, customers: Rows) -> None:
        ends = self._world.parameters.end, loaded_until(self._world)
        now, loaded = (
            review_rows(self._world, self._layout.words, customers, self._changes.reviews, end) for end in ends
        )
        self._fill("review", now, loaded)

    def orders(self) -> None:
        """Everything that belongs to orders: the newest."""
        world, calendar = self._world, self._world.calendar
        whole = int(calendar.orders_before[-1])
        first = max(0, whole - world.parameters.store_rows_max)
        first_lined = max(first, whole - int(world.parameters.store_rows_max / _LINES_PER_ORDER))
        for start in range(first, whole, WRITE_ROWS):
            number = np.arange(start, min(start + WRITE_ROWS, whole))
            at = np.searchsorted(calendar.orders_before, number, side="right") - 1
            orders = world.orders.at(calendar.days[at], number - calendar.orders_before[at])
            for grain, rows in order_rows(world, self._layout.words, orders).items():
                lined = rows.at(rows.number >= orders.order_id[0] + first_lined - start) if grain == "line" else rows
                self._fill(grain, lined)
        if first:
            self.left_out.append(
                f"of {whole:,} orders the stores hold the newest {whole - first:,}, and what belongs to them"
            )
        if first_lined > first:
            self.left_out.append(f"of these the newest {whole - first_lined:,} have their lines")

    def others(self) -> None:
        """Sellers, their cases, contacts, and codes."""
        world = self._world
        for start, stop in slices(len(world.sellers)):
            self._fill("seller", seller_rows(world, np.arange(start, stop)))
        for day in world.calendar.window:
            self._fill("contact", contact_rows(world, self._layout.words, day))
            self._fill("case", seller_case_rows(world, self._layout.words, day))
        for placed in self._by_grain["code"]:
            columns = _forecast(world) if placed.canonical.name == "forecast" else [STATUS_CODES, STATUSES]
            self._put(placed, columns)

    def derived(self) -> None:
        """The warehouse's tables that are made from its others."""
        database, most = self._databases[WAREHOUSE], self._world.parameters.team_rows_max
        cut, made = 0, dict[str, str]()
        for placed in self._layout.derived:
            rows = derive(self._world, self._layout, placed, database, made)
            self.rows[f"{placed.table.database}/{placed.name}"] = rows
            cut += placed.canonical.layer in {"mart", "copy"} and rows == most
        if cut:
            self.left_out.append(
                f"{cut} marts and copies of teams hold {most:,} rows each, though their source has more"
            )

    def _fill(self, grain: str, rows: Rows, before: Rows | None = None) -> None:
        """Into every table of a grain; ``before`` are the rows of the time when the warehouse was loaded, if others."""
        now = self._changes.applied(grain, rows, self._world.parameters.end)
        loaded = self._changes.applied(grain, rows if before is None else before, loaded_until(self._world))
        for placed in self._by_grain.get(grain, ()):
            kept = self._kept(placed, loaded if placed.canonical.database == WAREHOUSE else now)
            if len(kept):
                self._put(placed, [kept[column.meaning] for column in placed.canonical.columns])

    def _put(self, placed: Placed, columns: Sequence[Sequence[object]]) -> None:
        self._databases[placed.canonical.database].fill(placed, columns)
        if placed not in self._past:
            self.rows[f"{placed.table.database}/{placed.name}"] += len(columns[0])

    def _kept(self, placed: Placed, rows: Rows) -> Rows:
        """Those that the table holds: what the last night brought, a share, or all."""
        table, p = placed.canonical, self._world.parameters
        if table.database == WAREHOUSE and rows.time is not None and table.layer in {"raw", "core"}:
            end = loaded_until(self._world)
            kept = rows.time < end
            if table.layer == "raw" and table.grain != "note":
                kept &= rows.time >= end - DAY_US
            rows = rows.at(kept)
        if table.layer == "raw":
            room = p.staging_rows_max - self.rows[f"{placed.table.database}/{placed.name}"]
            return rows.at(np.arange(min(room, len(rows))))
        if table.grain == "review":  # customers have several
            room = p.store_rows_max - self.rows[f"{placed.table.database}/{placed.name}"]
            if len(rows) > room:
                self._cut.add(placed.name)
                return rows.at(np.arange(room))
        if table.share < 1 and placed.canonical in self._layout.extra:
            return rows.at(_some(p.seed, table, rows.number))
        return rows


def _some(seed: int, table: Table, number: Ints) -> Ints:
    kept: Ints = np.flatnonzero(uniform(Chance(seed, f"rows of {table.path}")(number)) < table.share)
    return kept


def _forecast(world: World) -> Sequence[Sequence[object]]:
    rng = stream(world.parameters.seed, "forecast")
    scenario = np.repeat(np.arange(_FIRST_SCENARIO, _FIRST_SCENARIO + _SCENARIOS), _WEEKS)
    error = np.round(rng.random(len(scenario)) * 12, 3)
    week = np.tile(np.arange(1, _WEEKS + 1), _SCENARIOS)
    return [scenario.tolist(), week.tolist(), rng.integers(10, 90_000, len(scenario)).tolist(), error.tolist()]
