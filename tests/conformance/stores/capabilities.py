"""What each connector can do. The suite proves every mark, and that every gap is one; the docs show this table."""

from __future__ import annotations

from typing import Final

__all__ = ["CAPABILITIES", "CONNECTORS", "render"]

#: The columns of the table: each is a connector, or a file format of the files connector.
CONNECTORS: Final = ("sqlite", "postgresql", "csv", "jsonl", "parquet")
_ALL: Final = frozenset(CONNECTORS)
_SQL: Final = frozenset({"sqlite", "postgresql"})

#: Capability -> who has it.
CAPABILITIES: Final = {
    "values keep their natural type": _SQL | {"parquet"},
    "primary keys": _SQL,
    "foreign keys": _SQL,
    "grants": frozenset({"postgresql"}),
    "rows known while listing": _ALL,
    "rows known exactly while listing": frozenset({"sqlite", "parquet"}),
    "views": _SQL,
    "the same seed gives the same sample": _ALL,
    "a sample is spread over a large dataset": _ALL,
    "find uses an index on keys": _SQL,
    "fields inside nested values": frozenset({"jsonl", "parquet"}),
}


def render() -> str:
    """The table as Markdown."""
    lines = [
        "| | " + " | ".join(CONNECTORS) + " |",
        "|---|" + "---|" * len(CONNECTORS),
        *(
            f"| {name} | " + " | ".join("yes" if connector in having else "-" for connector in CONNECTORS) + " |"
            for name, having in CAPABILITIES.items()
        ),
    ]
    return "\n".join(lines) + "\n"
