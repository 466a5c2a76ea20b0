"""Parquet, CSV and JSON-lines files as batches of a few named columns, never a whole file in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import msgspec
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from beholden.core.limits import BATCH_ROWS, LINE_BYTES_MAX

__all__ = ["SUFFIXES", "TableFile", "UnreadableError", "open_table"]

#: Lines of a JSON-lines file whose keys make up its columns.
_LINES_FOR_COLUMNS: Final = 1000


class UnreadableError(Exception):
    """A file is not what its name says. The text is ours and quotes nothing of the file."""


class TableFile(Protocol):
    """A file with named columns."""

    columns: tuple[str, ...]

    def batches(self, columns: Sequence[str], problems: Counter[str]) -> Iterator[pa.RecordBatch]:
        """Those columns, in that order; rows that cannot be read are counted in ``problems`` and left out."""


def open_table(path: Path) -> TableFile:
    """Open by suffix. Raises `UnreadableError`, or `OSError` where the file itself cannot be opened."""
    try:
        return SUFFIXES[path.suffix.lower()](path)
    except pa.ArrowException:
        raise UnreadableError(_unlike(path)) from None


def _unlike(path: Path) -> str:
    if path.stat().st_size == 0:
        return "is empty"
    return f"cannot be read as {path.suffix[1:].lower()} (another format, cut off or damaged)"


@dataclass(slots=True)
class _Parquet:
    path: Path
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        with pq.ParquetFile(self.path) as file:
            self.columns = tuple(file.schema_arrow.names)

    def batches(self, columns: Sequence[str], _problems: Counter[str]) -> Iterator[pa.RecordBatch]:
        try:
            with pq.ParquetFile(self.path) as file:
                for batch in file.iter_batches(BATCH_ROWS, columns=list(columns)):
                    yield batch.select(list(columns))
        except (pa.ArrowException, OSError):
            raise UnreadableError(_unlike(self.path)) from None


@dataclass(slots=True)
class _Csv:
    path: Path
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        with self._open((), Counter()) as reader:
            self.columns = tuple(reader.schema.names)

    def batches(self, columns: Sequence[str], problems: Counter[str]) -> Iterator[pa.RecordBatch]:
        try:
            with self._open(columns, problems) as reader:
                for batch in reader:
                    for start in range(0, len(batch), BATCH_ROWS):
                        yield batch.slice(start, BATCH_ROWS)
        except pa.ArrowException:
            raise UnreadableError(_unlike(self.path)) from None

    def _open(self, columns: Sequence[str], problems: Counter[str]) -> Any:
        def skip(_row: pa_csv.InvalidRow) -> str:
            problems["the row has another number of columns than the header"] += 1
            return "skip"

        return pa_csv.open_csv(
            self.path,
            # One thread: the handler above is called in order and the batches keep the order of the file.
            read_options=pa_csv.ReadOptions(use_threads=False),
            parse_options=pa_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=skip),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()),
                include_columns=list(columns),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )


@dataclass(slots=True)
class _JsonLines:
    path: Path
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        with self.path.open("rb") as stream:
            rows = islice(_objects(stream, Counter()), _LINES_FOR_COLUMNS)
            self.columns = tuple(dict.fromkeys(key for row in rows for key in row))
        if not self.columns:
            raise UnreadableError("is empty or holds no JSON objects, one a line")

    def batches(self, columns: Sequence[str], problems: Counter[str]) -> Iterator[pa.RecordBatch]:
        with self.path.open("rb") as stream:
            rows = _objects(stream, problems)
            while chunk := list(islice(rows, BATCH_ROWS)):
                arrays = [pa.array([_text(row.get(name)) for row in chunk], pa.string()) for name in columns]
                yield pa.RecordBatch.from_arrays(arrays, names=list(columns))


def _objects(stream: BinaryIO, problems: Counter[str]) -> Iterator[dict[str, Any]]:
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    while line := stream.readline(LINE_BYTES_MAX + 1):
        if len(line) > LINE_BYTES_MAX:
            problems[f"the line is longer than {LINE_BYTES_MAX} bytes"] += 1
            while line and not line.endswith(b"\n"):
                line = stream.readline(LINE_BYTES_MAX)
        elif not line.isspace():
            try:
                yield decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                problems["the line is not a JSON object"] += 1


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, dict | list):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


SUFFIXES: Final[dict[str, Callable[[Path], TableFile]]] = {".parquet": _Parquet, ".csv": _Csv, ".jsonl": _JsonLines}
