"""``ocsf``: records of the Open Cybersecurity Schema Framework, as JSON lines or one array.

Classes and enumerations: https://schema.ocsf.io (versions 1.0 to 1.9). What is taken from where: docs/reference/logs.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from beholden.core.events import ACTIVITIES, CLASS_UIDS
from beholden.core.times import parse_time
from beholden.logs._account import Account
from beholden.logs._documents import json_records
from beholden.logs._identity import ContentIdentity, identity_prefix, numbered
from beholden.logs._json import decode_object
from beholden.logs._ocsf_classes import ACTIVITY_IDS
from beholden.logs._paths import text_of
from beholden.logs._source import Source
from beholden.logs._times import EPOCHS, epoch_micros
from beholden.logs.reader import LogBatch, LogContext

__all__ = ["Ocsf"]

_COLUMNS: Final = (
    "record", "identity", "time", "object", "actor", "actor_kind", "on_behalf_of", "credential", "session", "device",
    "ip", "app", "class_uid", "activity", "subjects", "rows", "bytes", "status", "statement", "database",
)  # fmt: skip
_AUTHENTICATION: Final = 3002
_STATUSES: Final = {1: "success", 2: "failure"}
#: Types of a user that are not a person: System, Service.
_SERVICES: Final = frozenset({"3", "4"})
_PERSON: Final = re.compile(r"[a-z][a-z0-9_-]*:.+", re.DOTALL)
_KIND: Final = re.compile(r"[a-z][a-z0-9_-]*")
_SUBJECT_TYPES: Final = frozenset({"customer", "data_subject"})
_INT64_MAX: Final = (1 << 63) - 1


class _RefusedError(Exception):
    """The record lacks what an event needs. The text quotes nothing of it."""


class Ocsf:
    """Reads OCSF records of the classes an access event may carry; others are noise."""

    format: str = "ocsf"

    def read(self, stream: BinaryIO, context: LogContext) -> Iterator[LogBatch]:
        """Batches in the order of the stream; see `beholden.logs.reader.Reader`."""
        source = Source(stream)
        account = Account(self.format, _COLUMNS, source, frozenset({self.format, "JSON"}))
        prefix = identity_prefix(context.server, "u")
        content = ContentIdentity(context.server)
        for record in json_records(source, None):
            value = decode_object(record, account)
            if value is not None:
                try:
                    class_uid = _class_uid(value)
                    if class_uid in CLASS_UIDS:
                        row, objects = _row(value, class_uid, context), _objects(value)
                        uid = text_of(_dig(value, "metadata", "uid"))
                        identity = content.of(value) if uid is None else prefix + uid.encode()
                        account.parsed(
                            (record.number, numbered(identity, i), row[0], name, *row[1:])
                            for i, name in enumerate(objects or [None])
                        )
                    else:
                        account.noise("other class")
                except _RefusedError as error:
                    account.problem(record.number, str(error))
            if account.full:
                yield from account.batches()
        yield from account.finish()


def _row(value: dict[str, Any], class_uid: int, context: LogContext) -> tuple[Any, ...]:
    """The time, and the columns behind ``object``."""
    actor, user = _actor(value, class_uid)
    session = _dig(value, "actor", "session") or value.get("session")
    query = value.get("query_info")
    statement = text_of(_dig(query, "query_string"))
    return (
        _time(value, context),
        _name_of(user),
        "service" if text_of(_dig(user, "type_id")) in _SERVICES else None,
        actor,
        text_of(_dig(user, "credential_uid")) or text_of(_dig(session, "credential_uid")),
        text_of(_dig(session, "uid")),
        text_of(_dig(value, "device", "uid")),
        text_of(_dig(value, "src_endpoint", "ip")),
        text_of(_dig(value, "actor", "app_name")) or text_of(_dig(value, "metadata", "product", "name")),
        class_uid,
        _activity(value, class_uid, statement),
        _subjects(value) or None,
        _count(_dig(query, "query_result_count"), _dig(query, "count")),
        _count(_dig(query, "bytes")),
        _status(value),
        statement,
        text_of(_dig(value, "database", "name")),
    )


def _dig(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if type(value) is dict else None
    return value


def _class_uid(value: dict[str, Any]) -> int:
    class_uid, type_uid = value.get("class_uid"), value.get("type_uid")
    if type(class_uid) is int:
        return class_uid
    if type(type_uid) is int:
        return type_uid // 100
    raise _RefusedError("class_uid: missing or not a number")


def _time(value: dict[str, Any], context: LogContext) -> int:
    stated = value.get("time")
    if stated is None:
        stated = value.get("time_dt")
    if stated is None:
        raise _RefusedError("time: missing")
    try:
        if type(stated) is str and not stated.isdigit():
            return parse_time(stated, context.time_zone)
        return epoch_micros(stated, EPOCHS["epoch_ms"])
    except ValueError as error:
        raise _RefusedError(f"time: {error}") from None


def _actor(value: dict[str, Any], class_uid: int) -> tuple[str | None, Any]:
    """For whom the actor acted (kind:identifier), and the acting user.

    An authentication without an actor is the user's own; with one, and another user, somebody became that user.
    """
    user, target = _dig(value, "actor", "user"), value.get("user")
    if class_uid != _AUTHENTICATION:
        return None, user
    if _name_of(user) is None:
        return None, target
    name = _name_of(target)
    if name is None or name == _name_of(user):
        return None, user
    kind = (text_of(_dig(target, "type")) or "").lower()
    return f"{kind if _KIND.fullmatch(kind) and kind != 'unknown' else 'user'}:{name}", user


def _name_of(user: Any) -> str | None:
    return text_of(_dig(user, "uid")) or text_of(_dig(user, "name")) or text_of(_dig(user, "email_addr"))


def _activity(value: dict[str, Any], class_uid: int, statement: str | None) -> str | None:
    activity_id, type_uid = value.get("activity_id"), value.get("type_uid")
    if type(activity_id) is not int and type(type_uid) is int:
        activity_id = type_uid % 100
    known = ACTIVITY_IDS[class_uid].get(activity_id) if type(activity_id) is int else None
    if known is not None:
        return known
    name = (text_of(value.get("activity_name")) or "").lower()
    if name in ACTIVITIES:
        return name
    if name or type(activity_id) is int:
        return "other"
    if statement is not None:
        return None  # it decides
    raise _RefusedError("activity_id: missing")


def _status(value: dict[str, Any]) -> str | None:
    status_id = value.get("status_id")
    if type(status_id) is int and status_id in _STATUSES:
        return _STATUSES[status_id]
    name = (text_of(value.get("status")) or "").lower()
    return name if name in _STATUSES.values() else None


def _objects(value: dict[str, Any]) -> list[str]:
    """Names of the datasets: of a table, of what lies in a bucket, of a file, of other resources."""
    table = text_of(_dig(value, "table", "name"))
    if table is not None:
        uid = text_of(_dig(value, "table", "uid")) or ""
        schema = uid.removesuffix(f".{table}")
        return [uid if schema != uid and re.fullmatch(r"[^\s/:.]+", schema) else table]
    bucket = text_of(_dig(value, "databucket", "name"))
    file = _dig(value, "databucket", "file") or value.get("file")
    path = text_of(_dig(file, "path")) or text_of(_dig(file, "name"))
    if bucket is not None:
        return [bucket if path is None else f"{bucket}/{path.lstrip('/')}"]
    if path is not None:
        return [path]
    names = [text_of(_dig(item, "name")) or text_of(_dig(item, "uid")) for item in _resources(value)]
    return list(dict.fromkeys(name for name in names if name is not None))


def _resources(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Resources that are datasets."""
    for key in ("resources", "web_resources"):
        items = value.get(key)
        for item in items if type(items) is list else ():
            if type(item) is dict and text_of(item.get("type")) not in _SUBJECT_TYPES:
                yield item
    entity = value.get("entity")
    if type(entity) is dict:
        yield entity


def _subjects(value: dict[str, Any]) -> list[str]:
    """Data subjects as kind:identifier; OCSF has no place of its own for them."""
    stated = _dig(value, "unmapped", "subjects")
    found = list(stated) if type(stated) is list else [] if stated is None else [stated]
    resources = value.get("resources")
    for item in resources if type(resources) is list else ():
        kind = _dig(item, "type")
        if type(kind) is str and kind in _SUBJECT_TYPES:
            name = text_of(_dig(item, "uid")) or text_of(_dig(item, "name")) or ""
            found.append(name if kind == "data_subject" else f"{kind}:{name}")
    for subject in found:
        if type(subject) is not str or not _PERSON.fullmatch(subject):
            raise _RefusedError("subjects: not kind:identifier")
    return list(dict.fromkeys(found))


def _count(*values: Any) -> int | None:
    return next((value for value in values if type(value) is int and 0 <= value <= _INT64_MAX), None)
