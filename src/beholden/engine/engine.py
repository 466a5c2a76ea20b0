"""What every engine can do, whatever it runs on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import pyarrow as pa

from beholden.engine.tables import TableSource

__all__ = ["Engine"]


class Engine(Protocol):
    """Runs SQL in DuckDB's dialect over the tables it is given and nothing else; runs share no state."""

    def run(self, sql: str, parameters: Mapping[str, object], tables: Mapping[str, TableSource]) -> pa.Table:
        """The rows of one SQL text: the same from every engine, in the same types, all of them nullable.

        Texts sort by their UTF-8 bytes and time is UTC. Order is only what the text asks for.

        Args:
            sql: one statement; parameters are written ``$name``. One that may be null, or an empty list, is cast to
                its type there: ``cast($actors as blob[])``.
            parameters: values to bind; exactly those that the text names. Booleans, signed 64-bit integers, texts,
                bytes, times with their zone, durations, None; lists of these, without None.
            tables: what the text may read, by the names it uses.

        Raises:
            BeholdenError: the query failed; the error has its kind, never the engine's own text.
            LimitError: it needs more memory than allowed. SourceError: a file cannot be read, or a cluster is lost.
        """
        ...
