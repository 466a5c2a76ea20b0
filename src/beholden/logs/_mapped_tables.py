"""A mapping applied to Parquet and Arrow files, by columns.

Each column is made by the same function as for JSON records, asked once for each distinct value of a batch; what needs
no function (a text as it is, a number, a person under one kind) is passed on whole. Rows that are out of the ordinary
in any way are read one by one, as JSON records are.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.coded import Coded, combined, taken
from beholden.core.errors import SourceError
from beholden.core.events import RAW_EVENTS
from beholden.logs._columns import COLUMNS, Lookup, RefusedError, is_free_text, templates_of
from beholden.logs._identity import identity_prefix
from beholden.logs._mapped_record import Events
from beholden.logs._paths import Path, text_of
from beholden.logs._source import Source
from beholden.logs._tables import DAMAGED, table_rows
from beholden.logs._times import EPOCHS, FIRST_MICROS, LAST_MICROS, time_reader
from beholden.logs.mapping import Mapping
from beholden.logs.reader import LogBatch, LogContext

__all__ = ["read_table"]

_PERSON_BEGIN: Final = re.compile(r"[a-z][a-z0-9_-]*:")
_SCALARS: Final = (pa.string(), pa.int64(), pa.float64(), pa.bool_())
_TIME: Final = RAW_EVENTS.field("time").type
#: Columns of a mapping that are no columns of ``RAW_EVENTS``.
_TEXTS: Final = frozenset({"dataset", "subject", "uid"})
_Mask = npt.NDArray[np.bool_]


def read_table(stream: BinaryIO, head: bytes, mapping: Mapping, context: LogContext) -> Iterator[LogBatch]:
    """The batches of a Parquet or Arrow file; see `beholden.logs.reader.Reader`. A record is a row, numbered from 1."""
    if mapping.place is not None:
        raise SourceError(
            "log read as mapped",
            "a Parquet or Arrow file has one record a row",
            advice="leave 'records' out of its mapping",
        )
    events = Events(
        mapping, Source(io.BytesIO(head)), context, frozenset({"a Parquet file", "an Arrow file", "a binary file"})
    )
    table = _Table(mapping, context, events)
    for rows in table_rows(stream, head):
        if rows.batch is None:
            events.account.problem(rows.number, DAMAGED)
        else:
            for _ in range(rows.mended):
                events.account.mended("invalid UTF-8 replaced")
            table.enter(rows.number, rows.batch)
        yield from events.account.batches()
    yield from events.account.finish()


class _Table:
    """Enters the rows of a file into an account."""

    def __init__(self, mapping: Mapping, context: LogContext, events: Events) -> None:
        self._mapping = mapping
        self._events = events
        self._zone: tzinfo | None = context.time_zone
        self._time_text = time_reader(mapping.time_format, context.time_zone)
        self._time_stamp = time_reader("rfc3339", context.time_zone)
        self._prefix = identity_prefix(context.server, "u")
        self._content = events.content
        self._paths = {name: _paths(mapping, name) for name in mapping.columns}

    def enter(self, number: int, batch: pa.RecordBatch) -> None:
        """Enter rows behind each other, the first of which has this number."""
        rows = _Rows(batch)
        skipped, reasons = self._skipped(rows)
        made = {name: self._column(name, rows) for name in self._mapping.columns if name not in ("time", "uid")}
        if "subject" in made:
            made["subjects"] = _each_in_a_list(made.pop("subject"))
        if "dataset" in made:
            made["object"] = made.pop("dataset")
        made["time"] = self._time(rows)
        stated = [made[name] for name in ("activity", "statement") if name in made]
        if all(column.null_count for column in stated):
            missing = np.ones(batch.num_rows, np.bool_)
            for column in stated:
                missing &= _is_null(column)
            rows.odd |= missing
        rows.odd &= skipped < 0
        made["identity"] = self._identity(rows, skipped)
        rows.odd &= skipped < 0
        made["record"] = pa.array(np.arange(number, number + batch.num_rows))
        arrays = [made.get(field.name) for field in RAW_EVENTS]
        events = pa.RecordBatch.from_arrays(
            [
                pa.nulls(batch.num_rows, field.type) if array is None else _cast(array, field.type)
                for array, field in zip(arrays, RAW_EVENTS, strict=True)
            ],
            schema=RAW_EVENTS,
        )
        begin = 0
        for place in [*np.flatnonzero(rows.odd).tolist(), batch.num_rows]:
            self._enter_plain(events.slice(begin, place - begin), skipped[begin:place], reasons)
            if place < batch.num_rows:
                self._events.take(number + place, rows.records[place], rows.stamped[place])
            begin = place + 1

    def _enter_plain(self, events: pa.RecordBatch, skipped: npt.NDArray[np.int64], reasons: Sequence[str]) -> None:
        passed = skipped >= 0
        for code in skipped[passed].tolist():
            self._events.account.noise(reasons[code])
        if passed.any():
            events = events.filter(pa.array(~passed))
        if events.num_rows:
            self._events.account.parsed_events(events)

    def _skipped(self, rows: _Rows) -> tuple[npt.NDArray[np.int64], list[str]]:
        """The first rule that leaves a row out; -1 for none."""
        rules = self._mapping.skip
        found = np.full(rows.batch.num_rows, -1, np.int64)
        for code in reversed(range(len(rules))):
            leaf = rows.leaf(rules[code].path)
            if leaf is None:
                hits = np.array([text_of(rules[code].get(record)) in rules[code].values for record in rows.records])
            else:
                coded = Coded(leaf)
                hits = coded.where(
                    [i for i, value in enumerate(coded.values) if text_of(_plain_value(value)) in rules[code].values]
                )
            found[hits.astype(np.bool_)] = code
        return found, [rule.reason for rule in rules]

    # Columns

    def _column(self, name: str, rows: _Rows) -> pa.Array:
        """The values of a column; rows for which there is none are odd."""
        direct = self._direct(name, rows)
        if direct is not None:
            return direct
        get, paths = self._mapping.columns[name], self._paths[name]
        type_ = pa.string() if name in _TEXTS else RAW_EVENTS.field(name).type
        leaves = [rows.leaf(path) for path in paths]
        if any(leaf is None for leaf in leaves):
            records, codes = rows.records, np.arange(rows.batch.num_rows)
        elif not leaves:
            records, codes = [{}], np.zeros(rows.batch.num_rows, np.int64)
        else:
            values, codes = combined(*(Coded(leaf) for leaf in leaves))
            records = [_record(paths, value) for value in values]
        results: list[Any] = []
        odd: list[int] = []
        for code, record in enumerate(records):
            try:
                value = get(record)
            except RefusedError:
                value = None
                odd.append(code)
            if name == "dataset" and type(value) is list:
                value = None
                odd.append(code)
            results.append(value)
        if odd:
            rows.odd |= np.isin(codes, odd)
        return pa.array(results, type_).take(pa.array(codes))

    def _direct(self, name: str, rows: _Rows) -> pa.Array | None:
        """The column without a function asked for each value, where that comes to the same."""
        spec = self._mapping.specs[name]
        if isinstance(spec, (Lookup, int)) or len(self._paths[name]) != 1:
            return None
        (template,) = templates_of(spec) if len(templates_of(spec)) == 1 else (None,)
        leaf = rows.leaf(self._paths[name][0])
        if template is None or leaf is None or leaf.type not in (pa.string(), pa.int64()):
            return None
        if template.path is not None and is_free_text(name):
            return _present(leaf)
        if template.path is not None and COLUMNS[name] == "number" and name != "class_uid" and leaf.type == pa.int64():
            return leaf if (pc.min(leaf).as_py() or 0) >= 0 else None
        kind = template.pieces[0] if len(template.pieces) == 2 and name in ("subject", "on_behalf_of") else None
        if isinstance(kind, str) and _PERSON_BEGIN.fullmatch(kind):
            return pc.binary_join_element_wise(kind, _present(leaf), "")
        return None

    def _time(self, rows: _Rows) -> pa.Array:
        """Microseconds; rows whose time is not there or not understood are odd."""
        paths = self._paths["time"]
        leaf = rows.leaf(paths[0]) if len(paths) == 1 else None
        if leaf is not None and pa.types.is_timestamp(leaf.type) and (leaf.type.tz is not None or self._zone is UTC):
            micros = leaf.cast(pa.int64())
        elif leaf is not None and leaf.type == pa.int64() and self._mapping.time_format in EPOCHS:
            scale = EPOCHS[self._mapping.time_format]
            values = leaf.fill_null(0).to_numpy(zero_copy_only=False)
            rows.odd |= (values < FIRST_MICROS // scale) | (values > LAST_MICROS // scale)
            micros = pa.array(np.where(rows.odd, 0, values) * scale, mask=_is_null(leaf))
        elif leaf is not None:
            coded = Coded(leaf)
            micros = taken(pa.array([self._moment(value) for value in coded.values], pa.int64()), coded.codes)
        else:
            get = self._mapping.columns["time"]
            micros = pa.array([self._moment(get(record)) for record in rows.stamped], pa.int64())
        rows.odd |= _is_null(micros)
        values = micros.fill_null(0).to_numpy(zero_copy_only=False)
        rows.odd |= (values < FIRST_MICROS) | (values >= LAST_MICROS + EPOCHS["epoch_s"])
        return pa.array(np.where(rows.odd, 0, values)).cast(_TIME)

    def _moment(self, value: Any) -> int | None:
        try:
            if type(value) is datetime:
                return self._time_stamp(value.isoformat())
            return None if value is None or value == "" else self._time_text(value)
        except ValueError:
            return None

    def _identity(self, rows: _Rows, skipped: npt.NDArray[np.int64]) -> pa.Array:
        """Each row's own; rows that are odd or left out have none here."""
        usable = ~rows.odd & (skipped < 0)
        uid = None if "uid" not in self._mapping.columns else self._column("uid", rows)
        usable &= ~rows.odd
        if uid is not None and not (usable & _is_null(uid)).any():
            prefix = pa.scalar(self._prefix, pa.binary())
            return pc.binary_join_element_wise(prefix, uid.cast(pa.binary()), pa.scalar(b"", pa.binary())).fill_null(
                b""
            )
        uids = [None] * rows.batch.num_rows if uid is None else uid.to_pylist()
        return pa.array(
            [
                b"" if not wanted else self._content.of(record) if text is None else self._prefix + text.encode()
                for wanted, text, record in zip(usable.tolist(), uids, rows.records, strict=True)
            ],
            pa.binary(),
        )


class _Rows:
    """A batch of a file. ``odd`` marks rows that are to be read one by one."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.batch = batch
        self.odd = np.zeros(batch.num_rows, np.bool_)
        self._leaves: dict[tuple[Any, ...], pa.Array | None] = {}
        self._stamped: list[dict[str, Any]] | None = None
        self._records: list[dict[str, Any]] | None = None

    @property
    def stamped(self) -> list[dict[str, Any]]:
        """The rows as JSON records would be, but for times."""
        if self._stamped is None:
            self._stamped = self.batch.to_pylist()
        return self._stamped

    @property
    def records(self) -> list[dict[str, Any]]:
        """The rows as JSON records would be."""
        if self._records is None:
            self._records = [_plain_value(row) for row in self.stamped]
        return self._records

    def leaf(self, path: Path) -> pa.Array | None:
        """What stands at a path, where that is one plain value a row; else None."""
        if path.steps not in self._leaves:
            self._leaves[path.steps] = self._leaf(path)
        return self._leaves[path.steps]

    def _leaf(self, path: Path) -> pa.Array | None:
        array: pa.Array | None = None
        for step in path.steps:
            if not isinstance(step, str):
                return None
            if array is None:
                names = self.batch.schema.names
                array = self.batch.column(step) if step in names else pa.nulls(self.batch.num_rows)
            elif pa.types.is_struct(array.type):
                place = array.type.get_field_index(step)
                array = array.flatten()[place] if place >= 0 else pa.nulls(len(array))
            elif array.type in _SCALARS or pa.types.is_timestamp(array.type) or pa.types.is_null(array.type):
                array = pa.nulls(len(array))
            else:
                return None
        if array is None or pa.types.is_null(array.type):
            return pa.nulls(self.batch.num_rows, pa.string())
        return array if array.type in _SCALARS or pa.types.is_timestamp(array.type) else None


def _paths(mapping: Mapping, name: str) -> list[Path]:
    pieces = (piece for template in templates_of(mapping.specs[name]) for piece in template.pieces)
    return [piece for piece in pieces if isinstance(piece, Path)]


def _record(paths: Sequence[Path], values: Sequence[Any]) -> dict[str, Any]:
    """A record that has these values at these paths, and nothing else."""
    record: dict[str, Any] = {}
    for path, value in zip(paths, values, strict=True):
        *outer, last = path.steps
        place = record
        for step in outer:
            place = place.setdefault(str(step), {})
        if value is not None or last not in place:
            place[str(last)] = _plain_value(value)
    return record


def _plain_value(value: Any) -> Any:
    """A value as JSON would have it; what JSON has no form for becomes an object, which no column takes for a text."""
    kind = type(value)
    if value is None or kind in (str, int, float, bool):
        return value
    if kind is dict:
        return {key: _plain_value(item) for key, item in value.items()}
    if kind in (list, tuple):
        return [_plain_value(item) for item in value]
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return str(value) if isinstance(value, (Decimal, timedelta)) else {}


def _present(leaf: pa.Array) -> pa.Array:
    """Texts, null where they are empty."""
    texts = leaf.cast(pa.string())
    empty = pc.equal(texts, "")
    return pc.if_else(empty, pa.scalar(None, pa.string()), texts) if pc.any(empty).as_py() else texts


def _each_in_a_list(texts: pa.Array) -> pa.Array:
    present = ~_is_null(texts)
    offsets = np.concatenate(([0], np.cumsum(present))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), texts.drop_null(), mask=pa.array(~present))


def _is_null(array: pa.Array) -> _Mask:
    mask: _Mask = array.is_null().to_numpy(zero_copy_only=False)
    return mask


def _cast(array: pa.Array, type_: pa.DataType) -> pa.Array:
    return array if array.type == type_ else array.cast(type_)
