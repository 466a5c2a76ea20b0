"""``stores/``: the company's databases, written from the functional world slice by slice."""

from __future__ import annotations

from beholden.retailer.stores.changes import Changes, DayOfChanges, read_changes
from beholden.retailer.stores.servers import check_stores, servers_of, unmark_stores
from beholden.retailer.stores.writing import WrittenStores, write_stores

__all__ = [
    "Changes",
    "DayOfChanges",
    "WrittenStores",
    "check_stores",
    "read_changes",
    "servers_of",
    "unmark_stores",
    "write_stores",
]
