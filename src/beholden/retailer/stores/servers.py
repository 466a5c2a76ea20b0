"""Where each store lies: in a file, or on the server that a URL names; and whether these servers will take it.

Drivers are imported where they are used: a company in files waits for none.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from beholden.retailer.stores.database import Database, Mark
from beholden.retailer.stores.layout import STORES, Layout, layout_with
from beholden.retailer.stores.sqlite import new_sqlite
from beholden.retailer.warehouse_tables import Table
from beholden.retailer.world import World

__all__ = ["check_stores", "opened", "servers_of", "unmark_stores"]


def servers_of(postgres: str | None, mariadb: str | None) -> dict[str, str | None]:
    """Host and port of each server, without anybody's name and password; None where there is none.

    Raises:
        UsageError: a URL is none of such a server, or the server's driver is not installed.
    """
    found: dict[str, str | None] = {"postgres": None, "mariadb": None}
    if postgres is not None:
        from beholden.retailer.stores.postgresql import postgresql_server  # noqa: PLC0415 - see above

        found["postgres"] = postgresql_server(postgres)
    if mariadb is not None:
        from beholden.retailer.stores.mariadb import mariadb_server  # noqa: PLC0415 - see above

        found["mariadb"] = mariadb_server(mariadb)
    return found


def check_stores(
    world: World, company: str, *, extra: Sequence[Table] = (), postgres: str | None = None, mariadb: str | None = None
) -> None:
    """See whether the servers would take the stores now, and leave them as they are.

    Raises:
        UsageError: what `write_stores` refuses.
        BeholdenError: a server cannot be reached, or refuses.
    """
    layout = layout_with(world.parameters, extra)
    if postgres is not None:
        from beholden.retailer.stores.postgresql import check_postgresql  # noqa: PLC0415 - see above

        for store in _on_postgresql(mariadb):
            check_postgresql(postgres, layout.words.store(store), _mark(layout, store, company))
    if mariadb is not None:
        from beholden.retailer.stores.mariadb import check_mariadb  # noqa: PLC0415 - see above

        check_mariadb(mariadb, layout.words.store("orders"), _mark(layout, "orders", company))


def opened(
    directory: Path, layout: Layout, store: str, postgres: str | None, mariadb: str | None, company: str
) -> AbstractContextManager[Database]:
    """A store to be filled, wherever it lies."""
    name = layout.words.store(store)
    mark = _mark(layout, store, company) if company else None
    if mariadb is not None and store == "orders":
        from beholden.retailer.stores.mariadb import new_mariadb  # noqa: PLC0415 - see above

        return new_mariadb(mariadb, name, mark)
    if postgres is not None:
        from beholden.retailer.stores.postgresql import new_postgresql  # noqa: PLC0415 - see above

        return new_postgresql(postgres, name, mark)
    (directory / "stores").mkdir(parents=True, exist_ok=True)
    return new_sqlite(directory / "stores" / f"{name}.db")


def unmark_stores(world: World, company: str, *, postgres: str | None = None, mariadb: str | None = None) -> None:
    """Take the company's mark off the servers' databases: all stores are whole, and that is noted.

    Raises:
        BeholdenError: a server cannot be reached, or refuses.
    """
    words = Layout(world.parameters).words
    if mariadb is not None:
        from beholden.retailer.stores.mariadb import unmark_mariadb  # noqa: PLC0415 - see above

        unmark_mariadb(mariadb, words.store("orders"), company)
    if postgres is not None:
        from beholden.retailer.stores.postgresql import unmark_postgresql  # noqa: PLC0415 - see above

        for store in _on_postgresql(mariadb):
            unmark_postgresql(postgres, words.store(store), company)


def _on_postgresql(mariadb: str | None) -> list[str]:
    return [store for store in STORES if store != "orders" or mariadb is None]


def _mark(layout: Layout, store: str, company: str) -> Mark:
    return Mark(company, frozenset(placed.name for placed in layout.of(store)))
