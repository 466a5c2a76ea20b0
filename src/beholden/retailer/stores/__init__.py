"""``stores/``: the company's databases, written from the functional world slice by slice."""

from __future__ import annotations

from beholden.retailer.stores.changes import Changes, DayOfChanges, read_changes
from beholden.retailer.stores.writing import WrittenStores, unmark_stores, write_stores

__all__ = ["Changes", "DayOfChanges", "WrittenStores", "read_changes", "unmark_stores", "write_stores"]
