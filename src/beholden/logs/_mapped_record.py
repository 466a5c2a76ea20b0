"""What a mapping makes of one decoded record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from beholden.logs._account import Account
from beholden.logs._columns import RefusedError
from beholden.logs._identity import ContentIdentity, identity_prefix, numbered
from beholden.logs._paths import text_of
from beholden.logs._source import Source
from beholden.logs._times import time_reader
from beholden.logs.mapping import Mapping
from beholden.logs.reader import LogContext

__all__ = ["Events"]

#: Columns that every row has; the mapping's own follow.
_FIRST: Final = ("record", "identity", "time", "object")
#: Columns of a mapping that are not copied as they are.
_SPECIAL: Final = ("time", "uid", "dataset", "subject")


class Events:
    """Turns decoded records into rows of events."""

    def __init__(
        self, mapping: Mapping, source: Source, context: LogContext, alike: frozenset[str] = frozenset()
    ) -> None:
        columns = mapping.columns
        self._skip = mapping.skip
        self._time_of = columns["time"]
        self._time = time_reader(mapping.time_format, context.time_zone)
        self._timestamp = time_reader("rfc3339", context.time_zone)
        self._uid = columns.get("uid")
        self._dataset = columns.get("dataset")
        self._subject = columns.get("subject")
        copied = {name: get for name, get in columns.items() if name not in _SPECIAL}
        names = [*copied, *(["subjects"] if self._subject else [])]
        self._getters: list[Callable[[Any], Any]] = list(copied.values())
        self._activity = names.index("activity") if "activity" in names else None
        self._statement = names.index("statement") if "statement" in names else None
        self._prefix = identity_prefix(context.server, "u")
        self.content = ContentIdentity(context.server)
        own = {"JSON", "ocsf", "pgaudit-json"} if mapping.format == "json" else {"pgaudit-csv"}
        self.account = Account("mapped", (*_FIRST, *names), source, alike or frozenset(own))

    def take(self, number: int, record: dict[str, Any], stamped: dict[str, Any] | None = None) -> None:
        """Enter one record: its events, noise with its reason, or a problem.

        ``stamped`` is the same with times that are no text, where its format has such.
        """
        for rule in self._skip:
            if text_of(rule.get(record)) in rule.values:
                self.account.noise(rule.reason)
                return
        try:
            self.account.parsed(self._rows(number, record, record if stamped is None else stamped))
        except (RefusedError, ValueError) as error:  # both are ours and quote nothing
            self.account.problem(number, str(error))

    def _rows(self, number: int, record: dict[str, Any], stamped: dict[str, Any]) -> list[tuple[Any, ...]]:
        stated = self._time_of(stamped)
        if stated is None or stated == "":
            raise RefusedError("time: missing")
        time = self._timestamp(stated.isoformat()) if type(stated) is datetime else self._time(stated)
        values = [get(record) for get in self._getters]
        if self._subject is not None:
            subject = self._subject(record)
            values.append(None if subject is None else [subject])
        if all(at is None or values[at] is None for at in (self._activity, self._statement)):
            raise RefusedError("activity: missing")
        uid = self._uid(record) if self._uid is not None else None
        identity = self.content.of(record) if uid is None else self._prefix + uid.encode()
        datasets = self._dataset(record) if self._dataset is not None else None
        if type(datasets) is not list:
            return [(number, identity, time, datasets, *values)]
        return [
            (number, numbered(identity, i), time, dataset, *values) for i, dataset in enumerate(dict.fromkeys(datasets))
        ]
