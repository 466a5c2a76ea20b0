"""Files as a store: a directory, a glob or one file of CSV, JSON lines or Parquet.

A dataset is a file; its path is the one below the store's root, with ``/``. Whatever else lies there is listed too,
with the reason why it is not read: what was not looked at is said.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.config import StoreConfig
from beholden.core.errors import SourceError
from beholden.stores._base import (
    READ_CHARS_MAX,
    SAMPLE_BYTES_MAX,
    SAMPLE_CHARS_MAX,
    BaseConnector,
    Pace,
    check_find_values,
)
from beholden.stores._columns import batch_of, choose_rows, cut_strings, text_array
from beholden.stores._files_csv import NO_HEADER, CsvFormat
from beholden.stores._files_format import Format, FormatError, NoFieldError
from beholden.stores._files_jsonl import JsonLinesFormat
from beholden.stores._files_parquet import ParquetFormat
from beholden.stores._files_walk import Place
from beholden.stores.connector import DatasetInfo, Grant, StoreInfo

__all__ = ["FilesConnector"]

_FORMATS: Final[dict[str, Format]] = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".psv"), CsvFormat()),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), JsonLinesFormat()),
    **dict.fromkeys((".parquet", ".pq"), ParquetFormat()),
}


class FilesConnector(BaseConnector):
    """Reads the files of one place."""

    kind = "files"

    def __init__(self, config: StoreConfig, place: Path, *, pace: Pace) -> None:
        super().__init__(config.name, pace)
        self._place = Place(place)

    def test(self) -> StoreInfo:
        """See `Connector.test`."""
        with self._explained():
            self._place.check()
        return StoreInfo(self.kind, f"pyarrow {pa.__version__}")

    def datasets(self) -> Iterator[DatasetInfo]:
        """See `Connector.datasets`."""
        with self._explained():
            for path in self._place.files(partial(self._note, "")):
                yield self._described(path)

    def grants(self) -> Iterator[Grant]:
        """See `Connector.grants`: files state none that we read."""
        return iter(())

    def count(self, path: str) -> int:
        """See `Connector.count`."""
        with self._explained(path):
            file, form = self._file(path)
            return form.count(file, partial(self._note_left_out, path))

    def read(self, path: str, fields: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """See `Connector.read`."""
        yield from self._paced(self._batches(path, fields))

    def find(
        self, path: str, field: str, values: Sequence[str], fields: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """See `Connector.find`. A file has no index: all of it is read."""
        wanted = pa.array(check_find_values(values), pa.string())
        asked = None if fields is None else [*fields, *(() if field in fields else (field,))]
        for batch in self._batches(path, asked):
            if field not in batch.schema.names:
                raise self._no_field(field, path, batch.schema.names)
            found = batch.filter(pc.is_in(_as_text(batch.column(field)), value_set=wanted))
            yield from self._paced([found if fields is None else found.select(list(fields))])

    def sample(self, path: str, rows: int, seed: int) -> pa.RecordBatch:
        """See `Connector.sample`.

        Small files: rows drawn evenly. Large plain text: from places spread over the file. Zipped files: drawn from
        their beginning. Parquet: drawn from the beginning of up to 16 row groups.
        """
        with self._explained(path):
            file, form = self._file(path)
            left_out: dict[str, int] = {}
            batches = form.spread(file, rows, seed, lambda why, n: left_out.update({why: max(n, left_out.get(why, 0))}))
            batch, _ = choose_rows(batches, rows, seed, bytes_max=SAMPLE_BYTES_MAX)
            reasons = [f"{reason} ({count})" for reason, count in left_out.items() if count]
            if reasons and (batch is None or not batch.num_rows):  # which is not the same as a file without rows
                raise self._error(f"no row of it could be read: {'; '.join(reasons)}", path)
            for reason, count in left_out.items():
                self._note_left_out(path, reason, count)
            if batch is None:
                names = [field.name for field in form.describe(file).fields]
                batch = batch_of([pa.array([], pa.string())] * len(names), names, 0)
        batch, cut = cut_strings(batch, SAMPLE_CHARS_MAX)
        self._note(path, f"values cut after {SAMPLE_CHARS_MAX} characters", cut)
        self._pace.spend(batch.num_rows)
        return batch

    def _note_left_out(self, path: str, reason: str, count: int) -> None:
        self._note(path, reason, count, rows=reason != NO_HEADER)

    def _batches(self, path: str, fields: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        cut = 0
        with self._explained(path):
            file, form = self._file(path)
            for batch in form.read(file, fields, partial(self._note_left_out, path)):
                whole, longer = cut_strings(batch, READ_CHARS_MAX)
                cut += longer
                self._note(path, f"values cut after {READ_CHARS_MAX} characters", cut)
                yield whole

    def _described(self, path: str) -> DatasetInfo:
        try:
            with self._explained(path):
                file, form = self._file(path)
                found = form.describe(file)
                return DatasetInfo(path, "file", found.fields, rows=found.rows, size_bytes=file.stat().st_size)
        except SourceError as error:
            return DatasetInfo(path, "file", (), problem=error.found, unsupported=_format_of(path) is None)

    def _file(self, path: str) -> tuple[Path, Format]:
        file = self._place.locate(path)
        if file is None:
            raise self._error("there is no such file", path, advice="scan the store again if it was moved")
        if not file.is_file():  # opening a pipe would wait for somebody to write into it
            raise self._error("it is not a regular file", path)
        form = _format_of(path)
        if form is None:
            known = ", ".join(_FORMATS)
            raise self._error("its format is not read", path, expected=f"{known}, the text ones also .gz")
        return file, form

    @contextmanager
    def _explained(self, path: str | None = None) -> Iterator[None]:
        """Turn what the system and the format readers raise into our own errors."""
        try:
            yield
        except NoFieldError as error:
            raise self._no_field(error.field, path or "", error.known) from None
        except FormatError as error:
            raise self._error(str(error), path) from None
        except (EOFError, zlib.error):
            raise self._error("its gzip stream is cut short or damaged", path) from None
        except pa.ArrowException as error:
            raise self._error(_arrow_meaning(error), path) from None
        except OSError as error:
            # pyarrow's own OSErrors carry no error number and may say anything
            reason = error.strerror if error.errno else "it is damaged"
            raise self._error(f"cannot be read ({reason or 'unknown reason'})", path) from None


def _format_of(path: str) -> Format | None:
    """The format a file's name says it has, or None where that is not read."""
    zipped = path.lower().endswith(".gz")
    form = _FORMATS.get(PurePosixPath(path.lower().removesuffix(".gz")).suffix)
    return None if zipped and isinstance(form, ParquetFormat) else form


def _arrow_meaning(error: pa.ArrowException) -> str:
    text = str(error)
    if "straddl" in text:
        return "a row is longer than is read, or a quotation mark is never closed"
    if isinstance(error, pa.ArrowMemoryError):
        return "not enough memory to read it"
    return "it is damaged or not of the format that its name says"


def _as_text(column: pa.Array) -> pa.Array:
    try:
        return pc.cast(column, pa.string())
    except pa.ArrowException:
        return text_array(column.to_pylist())
