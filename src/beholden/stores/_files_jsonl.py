"""JSON, one object a line. Nested objects become fields ``a$.b.c``; lists stay JSON text; every value is text.

Texts of numbers are kept as they stand (``1.10`` stays ``1.10``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa

from beholden.core.limits import BATCH_ROWS
from beholden.stores._base import SAMPLE_BYTES_MAX
from beholden.stores._columns import batch_of, text_array
from beholden.stores._files_format import Batches, Description, FormatError, NoFieldError, Note
from beholden.stores._files_text import HEAD_BYTES, NotTextError, TextFile, lines_of
from beholden.stores.connector import FieldInfo, RowCount

__all__ = ["JsonLinesFormat"]

_FIELDS_MAX: Final = 5000
_DEPTH_MAX: Final = 16
_BATCH_BYTES: Final = 8 * 1024 * 1024
#: Lines of a file that is described; its other fields show when it is read.
_DESCRIBE_SEED: Final = 0
_NOT_AN_OBJECT: Final = "lines that are not a JSON object"
_TOO_LONG: Final = "lines longer than a record may be"
_TOO_MANY: Final = "values in fields beyond the number that is read"

Row = dict[str, Any]


class _Number(str):
    """The text of a number with a point or an exponent."""

    __slots__ = ()


_decoder: Final = msgspec.json.Decoder(float_hook=_Number)


class JsonLinesFormat:
    """Reads JSON lines."""

    def describe(self, path: Path) -> Description:
        """See `Format.describe`; fields are those of the first lines and of places spread over a large file."""
        file = _look(path)
        head = list(_lines(path, bytes_max=HEAD_BYTES))
        kinds: dict[str, set[str]] = {}
        rows = 0
        for row in _flattened(chain(head, _jumped(file, _DESCRIBE_SEED) if file.can_jump() else ()), _Tally()):
            rows += 1
            for name, value in row.items():
                if name in kinds or len(kinds) < _FIELDS_MAX:
                    kinds.setdefault(name, set()).add(_kind(value))
        first = next((line.strip() for line in head if line and line.strip()), None)
        if first is not None and not rows:
            found = "a JSON list" if first.startswith(b"[") else "no line of its beginning is a JSON object"
            raise FormatError(f"{found}; expected one JSON object a line")
        fields = [FieldInfo(i, name, _type(kinds[name])) for i, name in enumerate(kinds, 1)]
        head_bytes = sum(len(line) + 1 for line in head if line is not None)
        if file.zipped or not head_bytes or None in head:
            return Description(tuple(fields))
        return Description(tuple(fields), RowCount(round(file.size_bytes * len(head) / head_bytes), exact=False))

    def count(self, path: Path, note: Note) -> int:
        """See `Format.count`."""
        tally = _Tally()
        rows = sum(1 for _ in _objects(_lines(path), tally))
        tally.tell(note)
        return rows

    def read(self, path: Path, fields: Sequence[str] | None, note: Note) -> Batches:
        """See `Format.read`. Without ``fields`` the file is read twice: first for the names of all its fields."""
        names = _all_fields(_lines(path)) if fields is None else list(fields)
        if fields:
            self._check(path, fields)
        tally = _Tally()
        try:
            yield from _batches(_flattened(_lines(path), tally), names, tally)
        finally:
            tally.tell(note)

    def spread(self, path: Path, rows: int, seed: int, note: Note) -> Batches:  # noqa: ARG002 - text is spread by bytes, not by rows
        """See `Format.spread`."""
        file = _look(path)
        jumping = file.can_jump()

        def lines() -> Iterator[bytes | None]:
            return _jumped(file, seed) if jumping else _lines(path, bytes_max=SAMPLE_BYTES_MAX)

        tally = _Tally()
        try:
            yield from _batches(_flattened(lines(), tally), _all_fields(lines()), tally)
        finally:
            tally.tell(note)

    def _check(self, path: Path, fields: Sequence[str]) -> None:
        known = [field.name for field in self.describe(path).fields]
        late = [name for name in fields if name not in known]
        if late:  # perhaps only in lines that a description does not reach
            known = _all_fields(_lines(path))
        for name in late:
            if name not in known:
                raise NoFieldError(name, known)


class _Tally:
    """What a reading leaves out."""

    def __init__(self) -> None:
        self.not_an_object = 0
        self.too_long = 0
        self.too_many = 0

    def tell(self, note: Note) -> None:
        note(_NOT_AN_OBJECT, self.not_an_object)
        note(_TOO_LONG, self.too_long)
        note(_TOO_MANY, self.too_many)


def _look(path: Path) -> TextFile:
    try:
        return TextFile.look(path)
    except NotTextError as error:
        raise FormatError(str(error)) from None


def _lines(path: Path, *, bytes_max: int | None = None) -> Iterator[bytes | None]:
    with _look(path).open() as stream:
        yield from lines_of(stream, bytes_max=bytes_max)


def _jumped(file: TextFile, seed: int) -> Iterator[bytes | None]:
    for chunk in file.jumps(seed):
        if chunk is None:
            yield None
        else:
            yield from chunk.splitlines()


def _all_fields(lines: Iterable[bytes | None]) -> list[str]:
    """The names of all fields in order of appearance, up to the number that is read."""
    names: dict[str, None] = {}
    for row in _flattened(lines, _Tally()):
        names.update(dict.fromkeys(row))
        if len(names) >= _FIELDS_MAX:
            break
    return list(names)[:_FIELDS_MAX]


def _objects(lines: Iterable[bytes | None], tally: _Tally) -> Iterator[Row]:
    for line in lines:
        if line is None:
            tally.too_long += 1
            continue
        if not line.strip():
            continue
        try:
            value = _decoder.decode(line)
        except (msgspec.DecodeError, RecursionError):
            value = None
        if isinstance(value, dict):
            yield value
        else:
            tally.not_an_object += 1


def _flattened(lines: Iterable[bytes | None], tally: _Tally) -> Iterator[Row]:
    for row in _objects(lines, tally):
        if not any(type(value) is dict for value in row.values()):
            yield row
            continue
        flat: Row = {}
        for name, value in row.items():
            _flatten(name, "$.", value, flat, 0)
        yield flat


def _flatten(name: str, joint: str, value: Any, into: Row, depth: int) -> None:
    """``{"a": {"b": {"c": 1}}}`` -> ``a$.b.c``; an empty or very deep object stays one value."""
    if type(value) is not dict or not value or depth >= _DEPTH_MAX:
        into[name] = value
        return
    for key, inner in value.items():
        _flatten(f"{name}{joint}{key}", ".", inner, into, depth + 1)


def _batches(rows: Iterable[Row], names: Sequence[str], tally: _Tally) -> Batches:
    """Rows as columns; ``rows`` may be endless."""
    known = set(names)
    held: list[Row] = []
    held_bytes = 0
    for row in rows:
        if len(names) >= _FIELDS_MAX:
            tally.too_many += sum(name not in known for name in row)
        held.append(row)
        held_bytes += sum(len(value) if isinstance(value, str) else 16 for value in row.values())
        if len(held) == BATCH_ROWS or held_bytes > _BATCH_BYTES:
            yield _batch(held, names)
            held, held_bytes = [], 0
    if held:
        yield _batch(held, names)


def _batch(rows: Sequence[Row], names: Sequence[str]) -> pa.RecordBatch:
    return batch_of([text_array([_text(row.get(name)) for row in rows]) for name in names], names, len(rows))


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text: bytes = msgspec.json.encode(value, enc_hook=str)
    return text.decode()


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | _Number):
        return "number"
    return next(
        (name for kind, name in ((str, "string"), (list, "list"), (dict, "object")) if isinstance(value, kind)), "null"
    )


def _type(kinds: set[str]) -> str:
    known = kinds - {"null"} or kinds
    return known.copy().pop() if len(known) == 1 else "mixed"
