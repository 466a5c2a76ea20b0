"""Delimited text: comma, semicolon, tab or bar. Every value stays the text it is.

The first row is the header; where it is told to be a record already, fields are called by their place.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
from pyarrow import csv as arrow_csv

from beholden.stores._files_format import Batches, Description, FormatError, NoFieldError, Note
from beholden.stores._files_header import has_header
from beholden.stores._files_rows import without_long_rows
from beholden.stores._files_text import ChunkStream, NotTextError, TextFile
from beholden.stores.connector import FieldInfo, RowCount

__all__ = ["NO_HEADER", "CsvFormat"]

_DELIMITERS: Final = (",", ";", "\t", "|")
_SNIFF_ROWS: Final = 30
_HEADER_ROWS: Final = 100
_FIELDS_MAX: Final = 5000
#: What is parsed at a time; pyarrow reads some tens of blocks ahead.
_BLOCK_BYTES: Final = 512 * 1024
#: A row must fit in here.
_ROW_BYTES_MAX: Final = 8 * 1024 * 1024
_RAGGED: Final = "rows with another number of fields than the header"
_TOO_LONG: Final = "lines in rows longer than is read, or with a quotation mark that is never closed"
NO_HEADER: Final = "no header row: fields are named column_1, column_2 and so on"


class CsvFormat:
    """Reads CSV, TSV and their like."""

    def describe(self, path: Path) -> Description:
        """See `Format.describe`; rows are estimated from the length of the first ones."""
        file, head, layout = _open(path)
        if layout is None:
            return Description((), RowCount(0, exact=True))
        fields = tuple(FieldInfo(i, name, "text") for i, name in enumerate(layout.names, 1))
        rows = sum(1 for _ in _rows(head, layout.delimiter)) - layout.has_header
        if file.zipped or file.encoding != "utf-8" or rows < 1:
            return Description(fields)
        return Description(fields, RowCount(max(0, round(file.size_bytes * rows / len(head))), exact=False))

    def count(self, path: Path, note: Note) -> int:
        """See `Format.count`."""
        _, _, layout = _open(path)
        names = layout.names[:1] if layout else []
        return sum(batch.num_rows for batch in self.read(path, names, note))

    def read(self, path: Path, fields: Sequence[str] | None, note: Note) -> Batches:
        """See `Format.read`."""
        file, _, layout = _open(path)
        if layout is None:
            if fields:
                raise NoFieldError(fields[0], [])
            return
        for name in fields or ():
            if name not in layout.names:
                raise NoFieldError(name, layout.names)
        layout.tell(note)
        yield from layout.batches(file.open, note, fields=fields)

    def spread(self, path: Path, rows: int, seed: int, note: Note) -> Batches:  # noqa: ARG002 - a text file is spread by bytes, not by rows
        """See `Format.spread`; a jump that lands inside a quoted text and misses the rows is passed over."""
        file, _, layout = _open(path)
        if layout is None:
            return
        if not file.can_jump():
            yield from self.read(path, None, note)
            return
        layout.tell(note)
        missed = 0
        for number, chunk in enumerate(file.jumps(seed)):
            batches = [] if chunk is None else layout.tidy_batches(chunk, note, beginning=number == 0)
            yield from batches
            missed += not batches
        note("places of a sample passed over because no row could be told there", missed)


class _Layout:
    """Delimiter and fields of a file, and how to read rows with them. ``lines_before`` stand before the first record."""

    def __init__(self, delimiter: str, rows: Sequence[Sequence[str]], blank_lines: int) -> None:
        self.delimiter = delimiter
        self.has_header = has_header(rows)
        self.names = _distinct(rows[0] if self.has_header else [""] * len(rows[0]))
        self.lines_before = blank_lines + self.has_header

    def tell(self, note: Note) -> None:
        """Say where names are ours."""
        note(NO_HEADER, 0 if self.has_header else 1)

    def tidy_batches(self, chunk: bytes, note: Note, *, beginning: bool) -> list[pa.RecordBatch]:
        """The rows of a few lines of a file; of those within it none, unless most of them fit the header."""
        ragged = 0

        def note_rest(reason: str, count: int) -> None:
            nonlocal ragged
            if reason != _RAGGED:
                note(reason, count)
            else:
                ragged = count

        before = self.lines_before if beginning else 0
        try:
            batches = list(self.batches(partial(io.BytesIO, chunk), note_rest, lines_before=before))
        except pa.ArrowInvalid:
            return []
        return batches if beginning or sum(batch.num_rows for batch in batches) > 2 * ragged else []

    def batches(
        self,
        opener: Callable[[], BinaryIO],
        note: Note,
        *,
        lines_before: int | None = None,
        fields: Sequence[str] | None = None,
    ) -> Batches:
        """Rows as batches. Parsing in small blocks costs little memory; where a row does not fit, in large ones."""
        before = self.lines_before if lines_before is None else lines_before
        given = 0
        for block_bytes in (_BLOCK_BYTES, _ROW_BYTES_MAX):
            try:
                again = given
                for batch in self._parse(opener, note, block_bytes, before, fields):
                    if again < batch.num_rows:
                        yield batch.slice(again)
                        given += batch.num_rows - again
                    again = max(0, again - batch.num_rows)
            except pa.ArrowInvalid as error:
                if "straddl" not in str(error) or block_bytes == _ROW_BYTES_MAX:
                    raise
            else:
                return

    def _parse(
        self,
        opener: Callable[[], BinaryIO],
        note: Note,
        block_bytes: int,
        lines_before: int,
        fields: Sequence[str] | None,
    ) -> Batches:
        ragged = too_long = 0

        def skip(_: Any) -> str:
            nonlocal ragged
            ragged += 1
            return "skip"

        def drop() -> None:
            nonlocal too_long
            too_long += 1

        try:
            with (
                opener() as whole,
                self._stream(whole, block_bytes, drop) as stream,
                arrow_csv.open_csv(
                    stream,
                    read_options=arrow_csv.ReadOptions(
                        column_names=self.names,
                        skip_rows_after_names=lines_before,
                        block_size=block_bytes,
                        use_threads=False,
                    ),
                    parse_options=arrow_csv.ParseOptions(
                        delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=skip
                    ),
                    convert_options=arrow_csv.ConvertOptions(
                        column_types=dict.fromkeys(self.names, pa.string()),
                        include_columns=None if fields is None else list(fields),
                        strings_can_be_null=True,  # an empty cell is null, a quoted empty one is an empty text
                        quoted_strings_can_be_null=False,
                        null_values=[""],
                    ),
                ) as reader,
            ):
                yield from reader
        finally:
            note(_RAGGED, ragged)
            note(_TOO_LONG, too_long)

    def _stream(self, stream: BinaryIO, block_bytes: int, drop: Callable[[], None]) -> BinaryIO:
        """The stream itself, or in the second attempt what of it can be parsed."""
        if block_bytes < _ROW_BYTES_MAX:
            return stream
        chunks = without_long_rows(stream, self.delimiter, _ROW_BYTES_MAX, drop)
        return io.BufferedReader(ChunkStream(chunks, stream))


def _open(path: Path) -> tuple[TextFile, bytes, _Layout | None]:
    """The file, its first lines, and its layout (None: it is empty)."""
    try:
        file = TextFile.look(path)
    except NotTextError as error:
        raise FormatError(str(error)) from None
    head = file.head()
    if not head.strip():
        return file, head, None
    scored = [(score, delimiter) for delimiter in _DELIMITERS if (score := _score(head, delimiter)) is not None]
    if not scored:
        raise FormatError("no row could be read within its first bytes")
    delimiter = max(scored, key=lambda pair: pair[0])[1]
    rows = list(islice(_rows(head, delimiter), _HEADER_ROWS))
    if len(rows[0]) > _FIELDS_MAX:
        raise FormatError(f"{len(rows[0])} fields in its first row; at most {_FIELDS_MAX} are read")
    blank_lines = sum(1 for _ in takewhile(lambda line: not line.strip(b"\r\n"), io.BytesIO(head)))
    return file, head, _Layout(delimiter, rows, blank_lines)


def _rows(head: bytes, delimiter: str) -> Iterator[list[str]]:
    """The rows of the first bytes that are not blank, up to one with a value too long to look at here."""
    with suppress(csv.Error):
        for row in csv.reader(io.StringIO(head.decode("utf-8", "replace"), newline=""), delimiter=delimiter):
            if row:
                yield row


def _score(head: bytes, delimiter: str) -> tuple[float, int] | None:
    """How well a delimiter explains the first rows: the share that has as many fields as the header, and how many."""
    rows = list(islice(_rows(head, delimiter), _SNIFF_ROWS))
    if not rows:
        return None
    fields = len(rows[0])
    return (sum(len(row) == fields for row in rows) / len(rows) if fields > 1 else 0.0), fields


def _distinct(header: Sequence[str]) -> list[str]:
    """The header's names, made distinct: a second ``a`` becomes ``a_2``, an empty name ``column_3``."""
    taken: set[str] = set()
    names = []
    for i, raw in enumerate(header, 1):
        base = raw.strip() or f"column_{i}"
        name, n = base, 2
        while name in taken:
            name, n = f"{base}_{n}", n + 1
        taken.add(name)
        names.append(name)
    return names
