"""When two engines gave the same answer."""

from __future__ import annotations

import pyarrow as pa

__all__ = ["assert_same_rows"]


def assert_same_rows(one: pa.Table, other: pa.Table) -> None:
    """Columns by name and type, and every row in its place with every value in it, exactly."""
    types = [(field.name, field.type) for field in one.schema]
    assert types == [(field.name, field.type) for field in other.schema]
    rows, others = one.to_pylist(), other.to_pylist()
    assert len(rows) == len(others)
    for place, (row, given) in enumerate(zip(rows, others, strict=True)):
        differ = {name: (row[name], given[name]) for name in row if row[name] != given[name]}
        assert differ == {}, f"row {place} of {len(rows)}"
