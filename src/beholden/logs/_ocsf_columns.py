"""OCSF records by columns: ordinary ones, many at a time.

A record is ordinary when what counts of it has the types that OCSF gives it. Of any other nothing is said here, and
`ocsf` reads it by itself; the functions that say what such a record means are the same (`ocsf` hands them over where
values are derived here), and ``tests/unit/logs/test_ocsf_columns.py`` holds both readings to the same events.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from types import NoneType
from typing import Any, Final

import msgspec

from beholden.core.events import CLASS_UIDS
from beholden.logs._ocsf_record import (
    AUTHENTICATION,
    INT64_MAX,
    PERSON,
    SERVICES,
    SUBJECT_TYPES,
    RefusedError,
    activity_of,
    class_uid_of,
    objects_of,
    status_of,
)
from beholden.logs._paths import text_of
from beholden.logs._times import EPOCHS, FIRST_MICROS, LAST_MICROS

__all__ = ["OddError", "OrdinaryColumns", "decode_ordinary"]

_Text = str | int | float | bool | None
#: Distinct values remembered.
_REMEMBERED: Final = 4096
_SCALE: Final = EPOCHS["epoch_ms"]


class OddError(Exception):
    """Some records are not ordinary: their places."""

    def __init__(self, places: list[int]) -> None:
        super().__init__()
        self.places = places


class _User(msgspec.Struct, gc=False):
    uid: _Text = None
    name: _Text = None
    email_addr: _Text = None
    type_id: int | str | None = None
    credential_uid: _Text = None


class _Session(msgspec.Struct, gc=False):
    uid: _Text = None
    credential_uid: _Text = None


class _Actor(msgspec.Struct, gc=False):
    user: _User | None = None
    session: _Session | None = None
    app_name: _Text = None


class _Named(msgspec.Struct, gc=False):
    name: _Text = None
    uid: _Text = None


class _Table(msgspec.Struct, gc=False):
    name: str | None = None
    uid: str | None = None


class _Metadata(msgspec.Struct, gc=False):
    uid: _Text = None
    product: _Named | None = None


class _Endpoint(msgspec.Struct, gc=False):
    ip: _Text = None


class _Query(msgspec.Struct, gc=False):
    query_string: _Text = None
    query_result_count: int | None = None
    count: int | None = None
    bytes: int | None = None


class _Resource(msgspec.Struct, gc=False):
    type: _Text = None
    name: _Text = None
    uid: _Text = None


class _Unmapped(msgspec.Struct, gc=False):
    subjects: list[str] | None = None


class _Record(msgspec.Struct, gc=False):
    class_uid: int | None = None
    type_uid: int | None = None
    activity_id: int | None = None
    activity_name: str | None = None
    status_id: int | None = None
    status: str | None = None
    time: int | None = None
    metadata: _Metadata | None = None
    actor: _Actor | None = None
    session: _Session | None = None
    src_endpoint: _Endpoint | None = None
    device: _Named | None = None
    query_info: _Query | None = None
    table: _Table | None = None
    database: _Named | None = None
    resources: list[_Resource] | None = None
    unmapped: _Unmapped | None = None
    databucket: Any = None
    file: Any = None
    web_resources: Any = None
    entity: Any = None


_METADATA: Final = _Metadata()
_ACTOR: Final = _Actor()
_USER: Final = _User()
_SESSION: Final = _Session()
_NAMED: Final = _Named()
_TABLE: Final = _Table()
_ENDPOINT: Final = _Endpoint()
_QUERY: Final = _Query()
_UNMAPPED: Final = _Unmapped()
_PLAIN_TYPES: Final = {str, NoneType}
_KINDS: Final[dict[Any, str]] = {kind: "service" for text in SERVICES for kind in (text, int(text))}
_decode: Final = msgspec.json.Decoder(_Record).decode


def decode_ordinary(texts: Sequence[bytes]) -> list[_Record | None]:
    """The record of each line; None where it is not ordinary, no record at all, or not UTF-8."""
    records: list[_Record | None]
    try:
        records = list(map(_decode, texts))
    except (ValueError, RecursionError):
        records = [_decoded(text) for text in texts]
    if not all(map(bytes.isascii, texts)):  # what is passed over while decoding was not looked at
        records = [record if _is_utf8(text) else None for record, text in zip(records, texts, strict=True)]
    return records


def _decoded(text: bytes) -> _Record | None:
    try:
        return _decode(text)
    except (ValueError, RecursionError):
        return None


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


class OrdinaryColumns:
    """Makes the columns of ordinary records."""

    def __init__(self) -> None:
        self._stated: dict[tuple[Any, ...], tuple[int, str | None, str | None] | None] = {}
        self._tables: dict[tuple[str | None, str | None], str | None] = {}

    def of(self, records: Sequence[_Record]) -> tuple[list[str | None], list[list[Any]]]:
        """The records' own identifiers, and the columns of their events: ``ocsf.COLUMNS`` from ``time`` on.

        Raises `OddError` where some are not ordinary after all.
        """
        stated = self._said(records)
        times = _times(records)
        subjects, objects = self._subjects_and_objects(records)
        query = [record.query_info or _QUERY for record in records]
        rows = _counts([one.query_result_count for one in query])
        if None in rows:
            others = _counts([one.count for one in query])
            rows = [other if count is None else count for count, other in zip(rows, others, strict=True)]
        sizes = _counts([one.bytes for one in query])
        actors = [record.actor or _ACTOR for record in records]
        users = [actor.user or _USER for actor in actors]
        sessions = _sessions(records, actors)
        metadata = [record.metadata or _METADATA for record in records]
        columns: list[list[Any]] = [
            times,
            objects,
            _first([user.uid for user in users], lambda: [user.name for user in users], lambda: [user.email_addr for user in users]),
            [_KINDS.get(user.type_id) for user in users],
            [None] * len(records),
            _first([user.credential_uid for user in users], lambda: [session.credential_uid for session in sessions]),
            _texts([session.uid for session in sessions]),
            _texts([(record.device or _NAMED).uid for record in records]),
            _texts([(record.src_endpoint or _ENDPOINT).ip for record in records]),
            _first([actor.app_name for actor in actors], lambda: [(one.product or _NAMED).name for one in metadata]),
            [one[0] for one in stated],
            [one[1] for one in stated],
            subjects,
            rows,
            sizes,
            [one[2] for one in stated],
            _texts([one.query_string for one in query]),
            _texts([(record.database or _NAMED).name for record in records]),
        ]  # fmt: skip
        return _texts([one.uid for one in metadata]), columns

    def _said(self, records: Sequence[_Record]) -> list[tuple[int, str | None, str | None]]:
        """Class, activity and status of each."""
        keys = [
            (one.class_uid, one.type_uid, one.activity_id, one.activity_name, one.status_id, one.status)
            for one in records
        ]
        known = self._stated
        try:
            found = [known[key] for key in keys]
        except KeyError:
            if len(known) > _REMEMBERED:
                known.clear()
            for key in dict.fromkeys(keys):
                known[key] = _derived(key)
            found = [known[key] for key in keys]
        odd = [place for place, one in enumerate(found) if one is None]
        if odd:
            raise OddError(odd)
        return [one for one in found if one is not None]

    def _subjects_and_objects(self, records: Sequence[_Record]) -> tuple[list[Any], list[Any]]:
        subjects: list[Any] = [(record.unmapped or _UNMAPPED).subjects or None for record in records]
        objects: list[Any] = self._of_tables([record.table or _TABLE for record in records])
        odd: list[int] = []
        for place in [place for place, record in enumerate(records) if record.resources]:
            items = records[place].resources or ()
            found = [_subject(item) for item in items if type(item.type) is str and item.type in SUBJECT_TYPES]
            if found:
                subjects[place] = [*(subjects[place] or ()), *found]
        for place in [place for place, name in enumerate(objects) if name is None]:
            names = _objects(records[place])
            if len(names) > 1:
                odd.append(place)
            elif names:
                objects[place] = names[0]
        if not all(map(PERSON.fullmatch, chain.from_iterable(filter(None, subjects)))):
            odd += [place for place, one in enumerate(subjects) if one and not all(map(PERSON.fullmatch, one))]
        if odd:
            raise OddError(odd)
        return [one if one is None or len(one) == 1 else list(dict.fromkeys(one)) for one in subjects], objects

    def _of_tables(self, tables: Sequence[_Table]) -> list[str | None]:
        keys = [(table.name, table.uid) for table in tables]
        known = self._tables
        try:
            return [known[key] for key in keys]
        except KeyError:
            if len(known) > _REMEMBERED:
                known.clear()
            for name, uid in dict.fromkeys(keys):
                known[name, uid] = objects_of({"table": {"name": name, "uid": uid}})[0] if name else None
            return [known[key] for key in keys]


def _derived(key: tuple[Any, ...]) -> tuple[int, str | None, str | None] | None:
    names = ("class_uid", "type_uid", "activity_id", "activity_name", "status_id", "status")
    value = dict(zip(names, key, strict=True))
    try:
        class_uid = class_uid_of(value)
        if class_uid not in CLASS_UIDS or class_uid == AUTHENTICATION:
            return None
        return class_uid, activity_of(value, class_uid, None), status_of(value)
    except RefusedError:
        return None


def _times(records: Sequence[_Record]) -> list[int]:
    times = [record.time for record in records]
    odd = [place for place, time in enumerate(times) if time is None]
    if odd:
        raise OddError(odd)
    known: list[int] = [time * _SCALE for time in times if time is not None]
    if min(known) < FIRST_MICROS or max(known) > LAST_MICROS:
        raise OddError([place for place, time in enumerate(known) if not FIRST_MICROS <= time <= LAST_MICROS])
    return known


def _counts(values: list[int | None]) -> list[int | None]:
    numbers = [value for value in values if value is not None]
    if numbers and (min(numbers) < 0 or max(numbers) > INT64_MAX):
        raise OddError([i for i, value in enumerate(values) if value is not None and not 0 <= value <= INT64_MAX])
    return values


def _sessions(records: Sequence[_Record], actors: Sequence[_Actor]) -> list[_Session]:
    odd = [
        place
        for place, record in enumerate(records)
        if record.session is not None and actors[place].session is not None  # an empty one gives way to the other
    ]
    if odd:
        raise OddError(odd)
    return [actor.session or record.session or _SESSION for actor, record in zip(actors, records, strict=True)]


def _subject(item: _Resource) -> str:
    name = text_of(item.uid) or text_of(item.name) or ""
    return name if item.type == "data_subject" else f"{item.type}:{name}"


def _objects(record: _Record) -> list[str]:
    items = record.resources
    if record.databucket is record.file is record.web_resources is record.entity is None:
        if not items:
            return []
        if len(items) == 1 and type(items[0].name) is str and items[0].name and type(items[0].type) in _PLAIN_TYPES:
            return [] if items[0].type in SUBJECT_TYPES else [items[0].name]
    resources = None if items is None else [{"type": one.type, "name": one.name, "uid": one.uid} for one in items]
    return objects_of(
        {
            "databucket": record.databucket,
            "file": record.file,
            "web_resources": record.web_resources,
            "entity": record.entity,
            "resources": resources,
        }
    )


def _texts(values: list[Any]) -> list[str | None]:
    """Plain values as texts, as `text_of` gives them."""
    if set(map(type, values)) <= _PLAIN_TYPES:
        return [value or None for value in values] if "" in values else values
    return [text_of(value) for value in values]


def _first(values: list[Any], *others: Callable[[], list[Any]]) -> list[str | None]:
    """The first text that is there."""
    found = _texts(values)
    for other in others:
        if None not in found:
            break
        found = [text if text is not None else more for text, more in zip(found, _texts(other()), strict=True)]
    return found
