"""``stores/``: the company's databases, written from the functional world slice by slice."""

from __future__ import annotations

from beholden.retailer.stores.changes import Changes, changes_of
from beholden.retailer.stores.writing import WrittenStores, write_stores

__all__ = ["Changes", "WrittenStores", "changes_of", "write_stores"]
