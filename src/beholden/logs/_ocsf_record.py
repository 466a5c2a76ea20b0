"""One OCSF record: what of it is what of an event. What is taken from where: docs/reference/logs.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from beholden.core.events import ACTIVITIES
from beholden.core.times import parse_time
from beholden.logs._ocsf_classes import ACTIVITY_IDS
from beholden.logs._paths import text_of
from beholden.logs._times import EPOCHS, epoch_micros
from beholden.logs.reader import LogContext

__all__ = [
    "AUTHENTICATION",
    "COLUMNS",
    "INT64_MAX",
    "PERSON",
    "SERVICES",
    "SUBJECT_TYPES",
    "RefusedError",
    "activity_of",
    "class_uid_of",
    "dig",
    "objects_of",
    "row_of",
    "status_of",
]

#: The columns of ``RAW_EVENTS`` that are filled, in this order.
COLUMNS: Final = (
    "record", "identity", "time", "object", "actor", "actor_kind", "on_behalf_of", "credential", "session", "device",
    "ip", "app", "class_uid", "activity", "subjects", "rows", "bytes", "status", "statement", "database",
)  # fmt: skip
AUTHENTICATION: Final = 3002
_STATUSES: Final = {1: "success", 2: "failure"}
#: Types of a user that are not a person: System, Service.
SERVICES: Final = frozenset({"3", "4"})
PERSON: Final = re.compile(r"[a-z][a-z0-9_-]*:.+", re.DOTALL)
_KIND: Final = re.compile(r"[a-z][a-z0-9_-]*")
SUBJECT_TYPES: Final = frozenset({"customer", "data_subject"})
INT64_MAX: Final = (1 << 63) - 1


class RefusedError(Exception):
    """The record lacks what an event needs. The text quotes nothing of it."""


def row_of(value: dict[str, Any], class_uid: int, context: LogContext) -> tuple[Any, ...]:
    """The time, and the columns behind ``object``."""
    actor, user = _actor(value, class_uid)
    session = dig(value, "actor", "session") or value.get("session")
    query = value.get("query_info")
    statement = text_of(dig(query, "query_string"))
    return (
        _time(value, context),
        _name_of(user),
        "service" if text_of(dig(user, "type_id")) in SERVICES else None,
        actor,
        text_of(dig(user, "credential_uid")) or text_of(dig(session, "credential_uid")),
        text_of(dig(session, "uid")),
        text_of(dig(value, "device", "uid")),
        text_of(dig(value, "src_endpoint", "ip")),
        text_of(dig(value, "actor", "app_name")) or text_of(dig(value, "metadata", "product", "name")),
        class_uid,
        activity_of(value, class_uid, statement),
        _subjects(value) or None,
        _count(dig(query, "query_result_count"), dig(query, "count")),
        _count(dig(query, "bytes")),
        status_of(value),
        statement,
        text_of(dig(value, "database", "name")),
    )


def dig(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if type(value) is dict else None
    return value


def class_uid_of(value: dict[str, Any]) -> int:
    class_uid, type_uid = value.get("class_uid"), value.get("type_uid")
    if type(class_uid) is int:
        return class_uid
    if type(type_uid) is int:
        return type_uid // 100
    raise RefusedError("class_uid: missing or not a number")


def _time(value: dict[str, Any], context: LogContext) -> int:
    stated = value.get("time")
    if stated is None:
        stated = value.get("time_dt")
    if stated is None:
        raise RefusedError("time: missing")
    try:
        if type(stated) is str and not stated.isdigit():
            return parse_time(stated, context.time_zone)
        return epoch_micros(stated, EPOCHS["epoch_ms"])
    except ValueError as error:
        raise RefusedError(f"time: {error}") from None


def _actor(value: dict[str, Any], class_uid: int) -> tuple[str | None, Any]:
    """For whom the actor acted (kind:identifier), and the acting user.

    An authentication without an actor is the user's own; with one, and another user, somebody became that user.
    """
    user, target = dig(value, "actor", "user"), value.get("user")
    if class_uid != AUTHENTICATION:
        return None, user
    if _name_of(user) is None:
        return None, target
    name = _name_of(target)
    if name is None or name == _name_of(user):
        return None, user
    kind = (text_of(dig(target, "type")) or "").lower()
    return f"{kind if _KIND.fullmatch(kind) and kind != 'unknown' else 'user'}:{name}", user


def _name_of(user: Any) -> str | None:
    return text_of(dig(user, "uid")) or text_of(dig(user, "name")) or text_of(dig(user, "email_addr"))


def activity_of(value: dict[str, Any], class_uid: int, statement: str | None) -> str | None:
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
    raise RefusedError("activity_id: missing")


def status_of(value: dict[str, Any]) -> str | None:
    status_id = value.get("status_id")
    if type(status_id) is int and status_id in _STATUSES:
        return _STATUSES[status_id]
    name = (text_of(value.get("status")) or "").lower()
    return name if name in _STATUSES.values() else None


def objects_of(value: dict[str, Any]) -> list[str]:
    """Names of the datasets: of a table, of what lies in a bucket, of a file, of other resources."""
    table = text_of(dig(value, "table", "name"))
    if table is not None:
        uid = text_of(dig(value, "table", "uid")) or ""
        schema = uid.removesuffix(f".{table}")
        return [uid if schema != uid and re.fullmatch(r"[^\s/:.]+", schema) else table]
    bucket = text_of(dig(value, "databucket", "name"))
    file = dig(value, "databucket", "file") or value.get("file")
    path = text_of(dig(file, "path")) or text_of(dig(file, "name"))
    if bucket is not None:
        return [bucket if path is None else f"{bucket}/{path.lstrip('/')}"]
    if path is not None:
        return [path]
    names = [text_of(dig(item, "name")) or text_of(dig(item, "uid")) for item in _resources(value)]
    return list(dict.fromkeys(name for name in names if name is not None))


def _resources(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Resources that are datasets."""
    for key in ("resources", "web_resources"):
        items = value.get(key)
        for item in items if type(items) is list else ():
            if type(item) is dict and text_of(item.get("type")) not in SUBJECT_TYPES:
                yield item
    entity = value.get("entity")
    if type(entity) is dict:
        yield entity


def _subjects(value: dict[str, Any]) -> list[str]:
    """Data subjects as kind:identifier; OCSF has no place of its own for them."""
    stated = dig(value, "unmapped", "subjects")
    found = list(stated) if type(stated) is list else [] if stated is None else [stated]
    resources = value.get("resources")
    for item in resources if type(resources) is list else ():
        kind = dig(item, "type")
        if type(kind) is str and kind in SUBJECT_TYPES:
            name = text_of(dig(item, "uid")) or text_of(dig(item, "name")) or ""
            found.append(name if kind == "data_subject" else f"{kind}:{name}")
    for subject in found:
        if type(subject) is not str or not PERSON.fullmatch(subject):
            raise RefusedError("subjects: not kind:identifier")
    return list(dict.fromkeys(found))


def _count(*values: Any) -> int | None:
    return next((value for value in values if type(value) is int and 0 <= value <= INT64_MAX), None)
