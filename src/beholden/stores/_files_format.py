"""What each file format offers the files connector."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from beholden.stores.connector import FieldInfo, RowCount

__all__ = ["Batches", "Description", "Format", "FormatError", "NoFieldError", "Note"]

#: Called with a reason and a count for what a reading leaves out.
Note = Callable[[str, int], None]

#: Batches whose source is closed when the generator is.
Batches = Generator[pa.RecordBatch, None, None]


class FormatError(Exception):
    """The file is not what its name says; the message never quotes it."""


class NoFieldError(Exception):
    """A field was asked for that the file does not have: the field and the known ones."""

    def __init__(self, field: str, known: Sequence[str]) -> None:
        self.field = field
        self.known = known
        super().__init__(field)


@dataclass(frozen=True, slots=True)
class Description:
    """Fields and rows of a file, from a bounded look at it."""

    fields: tuple[FieldInfo, ...]
    rows: RowCount | None = None


class Format(Protocol):
    """Reads files of one format. May raise `OSError`, `FormatError` and pyarrow's errors; the connector explains."""

    def describe(self, path: Path) -> Description:
        """Fields, and rows where they are known without reading all."""

    def count(self, path: Path, note: Note) -> int:
        """The rows that ``read`` would give."""

    def read(self, path: Path, fields: Sequence[str] | None, note: Note) -> Batches:
        """All rows; raises `NoFieldError`."""

    def spread(self, path: Path, rows: int, seed: int, note: Note) -> Batches:
        """Rows from places spread over the file, or all of them: some ten times ``rows`` where there are as many."""
