"""Which store a record tells of, where one log holds the records of all databases of a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from beholden.ledger.world import World

__all__ = ["ANOTHER_DATABASE", "SEVERAL_DATABASES", "DatabaseStores"]

#: Why a record is noise: it is of a database of the same server that no store is declared for.
ANOTHER_DATABASE: Final = "another database"
#: Why a record is not understood.
SEVERAL_DATABASES: Final = "the log tells of several databases, and the store is called like none; give --database"


class DatabaseStores:
    """Sorts the records of one log file by database.

    A record of the store's own database is the store's; one of the database of another declared store of the same
    server is that one's. A file in which a single other database occurs is taken to tell of the store all the same:
    it was said to be its log, and databases go by other names behind a pooler or where a copy was restored.

    Args:
        world: the declared stores.
        store: the one the log is said to be of.
        database: what the log calls that store's database, where somebody has said so.
        occurring: the databases that occur in the file; asked once, when a record is of another database.
    """

    def __init__(
        self, world: World, store: str | None, database: str | None, occurring: Callable[[], set[str]]
    ) -> None:
        view = world.stores.get(store) if store else None
        self._store = store
        self._is_server = view is not None and view.server is not None
        self._own = database or (None if view is None else view.database)
        self._beside = {} if view is None else world.beside(view)
        self._occurring: Callable[[], set[str]] | None = None if database else occurring
        self._unnamed = ANOTHER_DATABASE

    def store_of(self, database: str | None) -> tuple[str | None, str | None]:
        """The store of a record, or why it has none: `ANOTHER_DATABASE` or `SEVERAL_DATABASES`."""
        if not self._is_server or database is None:
            return self._store, None
        if database != self._own and database not in self._beside and self._occurring is not None:
            self._settle(self._occurring())
            self._occurring = None
        if database == self._own:
            return self._store, None
        if database in self._beside:
            return self._beside[database], None
        return None, self._unnamed

    def _settle(self, occurring: set[str]) -> None:
        """Decide what the store is called in a file where a database occurs that no store is called."""
        others = occurring - self._beside.keys()
        if self._own not in others and len(others) == 1:
            self._own = others.pop()
        elif self._own not in others:
            self._unnamed = SEVERAL_DATABASES
