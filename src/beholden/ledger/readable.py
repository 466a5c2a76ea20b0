"""An event as people read it: what its canonical record says, column by column."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from beholden.core.times import format_time
from beholden.ledger._addresses import address_text

__all__ = ["readable_event"]


def readable_event(event: pa.Table) -> dict[str, Any]:
    """One row as JSON has it: times in RFC 3339, addresses as text, tokens and other bytes in hex."""
    return {field.name: _shown(field, event[field.name]) for field in event.schema}


def _shown(field: pa.Field, column: pa.ChunkedArray) -> Any:
    value = column[0].as_py()
    if field.name == "ip":
        return address_text(value)
    if pa.types.is_timestamp(field.type):
        return format_time(column.cast(pa.int64())[0].as_py())
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return [_plain(part) for part in value] if isinstance(value, list) else value
