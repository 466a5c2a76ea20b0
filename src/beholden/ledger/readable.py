"""An event as people read it: what its canonical record says, column by column."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from beholden.core.times import format_time

__all__ = ["readable_event"]


def readable_event(event: pa.Table) -> dict[str, Any]:
    """One row as JSON has it: times in RFC 3339, tokens and other bytes in hex."""
    row: dict[str, Any] = {}
    for column in event.columns:
        kind = column.type
        value = column.cast(pa.int64())[0].as_py() if pa.types.is_timestamp(kind) else column[0].as_py()
        row[event.schema.names[len(row)]] = format_time(value) if pa.types.is_timestamp(kind) else _shown(value)
    return row


def _shown(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return [_shown(part) for part in value] if isinstance(value, list) else value
