"""Records of a company's logs with what they were, from its files and ``truth/events`` alone."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from beholden.retailer.words import words_of

__all__ = ["EPOCH", "LOGS", "MILLISECONDS", "Line", "lines_of"]

#: A time in a record, with the digits of its fraction.
MILLISECONDS: Final = re.compile(r"\d\d:\d\d:\d\d\.(\d+)")
EPOCH: Final = re.compile(r"\b1[5-9]\d{8}(\d{3})\b")


class _Log(NamedTuple):
    """Where a log says who did it (a pattern, for any line) and what (fields, the coarsest first): that is behaviour."""

    actor: re.Pattern[str]
    cell: tuple[str, ...]


_SQL: Final = ("command", "person", "text.verb", "text.table", "state")
LOGS: Final = {
    "console": _Log(re.compile(""), ("operation", "assignment?", "screen", "result")),  # in the words of the preset
    "seller-desk": _Log(re.compile(r'"uid":"([^"]+)'), ("event.type", "case?", "outcome", "detail.page")),
    "gateway": _Log(re.compile(r'"key":"([^"]+)'), ("req.op", "st")),
    "accounts": _Log(re.compile(r'"account":"?([^",]+)'), ("event", "by?", "result")),
    "wiki": _Log(re.compile(r'"who":"([^"]+)'), ("action", "status")),
    "buckets": _Log(
        re.compile(r'"userName":"([^"]+)|assumed-role/\w+/([^"]+)"'),
        ("Records.0.eventName", "Records.0.userIdentity.type", "Records.0.errorCode"),
    ),
    "sso": _Log(re.compile(r'"user":{"name":"([^"]+)'), ("user.type", "status", "is_mfa", "status_detail")),
    "warehouse": _Log(
        re.compile(r'"actor":{"user":{"name":"([^"]+)'),
        ("activity_name", "actor.user.type", "text.verb", "status", "status_detail", "query_info.query_result_count?"),
    ),
    "crm": _Log(re.compile(r'UTC,"([^"]+)"'), _SQL),
    "payments": _Log(re.compile(r'UTC,"([^"]+)"'), _SQL),
    "orders": _Log(re.compile(r"^[\d: ]+,[^,]*,([^,]*)"), ("event", "person", "text.verb", "text.table")),
}
#: Logs whose records go on over lines, and those that show no milliseconds.
_POSTGRESQL: Final = frozenset({"crm", "payments"})
_TO_THE_SECOND: Final = frozenset({"buckets", "orders"})
#: Records that are looked at more closely: of ordinary ones (fewer in the log of which nearly all say the same), and of
#: one incident.
_ORDINARY_MAX, _CALLS_MAX, _OF_ONE_MAX = 6000, 1500, 40


@dataclass(frozen=True, slots=True)
class Line:
    """One whole record of a log: what it says, where it stands, and what it was (incident -1: none).

    ``step`` and ``next_step`` are the milliseconds from the record before it of the same actor and to the one after it,
    as far as the log shows them, or -1; ``tie`` says where among the records of its very moment it stands (0 to 1).
    """

    log: str
    text: str
    fields: dict[str, str]
    uid: str
    actor: str
    incident: int
    place: int
    late: bool
    twice: bool
    disordered: bool
    tie: float
    step: int
    next_step: int

    @property
    def to_the_second(self) -> bool:
        """Whether its log shows no milliseconds."""
        return self.log in _TO_THE_SECOND

    @property
    def cell(self) -> tuple[str, ...]:
        """What it says was done, the coarsest first."""
        return tuple(
            str(name[:-1] in self.fields) if name.endswith("?") else self.fields.get(name, "")
            for name in LOGS[self.log].cell
        )


def lines_of(directory: Path, preset: str, log: str) -> list[Line]:
    """Whole records of a log in the order of its files and lines: all, or of very many some of each incident and the rest."""
    files: list[str] = []
    rows: list[tuple[str, str, int, int]] = []
    for path in sorted((directory / "truth" / "events").glob(f"{log}-*.parquet")):
        table = pq.read_table(path, columns=["file", "record", "uid", "time", "incident"])
        times = table["time"].cast("int64").to_pylist()
        columns = [table[name].to_pylist() for name in ("file", "record", "uid", "incident")]
        texts: dict[str, list[str]] = {}
        for (file, record, uid, incident), time in zip(zip(*columns, strict=True), times, strict=True):
            if file is not None:
                if file not in texts:
                    texts[file] = _lines(directory / "logs" / file)
                files.append(file)
                rows.append((_record(texts[file], record, log), uid, time, -1 if incident is None else incident))
    return _standing(log, _actor(log, preset), files, rows, dict(words_of(preset).console.fields))


def _actor(log: str, preset: str) -> re.Pattern[str]:
    if log != "console":
        return LOGS[log].actor
    path = dict(words_of(preset).console.fields)["actor"]
    return re.compile(rf'"{path.rpartition(".")[2]}":"([^"]+)')


def _standing(
    log: str, actor: re.Pattern[str], files: list[str], rows: list[tuple[str, str, int, int]], paths: dict[str, str]
) -> list[Line]:
    """The records with where they stand among all of them."""
    n = len(rows)
    names = {uid: at for at, (_, uid, _, _) in reversed(list(enumerate(rows)))}
    event = np.array([names[uid] for _, uid, _, _ in rows], dtype=np.int64)
    who = np.array([_first(actor.search(text)) for text, *_ in rows])
    time = np.array([time for _, _, time, _ in rows], dtype=np.int64) // (1_000_000 if log in _TO_THE_SECOND else 1000)
    late = np.array(["-late" in file for file in files])
    twice = np.bincount(event, minlength=n)[event] > 1
    # Late lines and second ones stand anywhere.
    latest = np.maximum.accumulate(np.where(twice | late, 0, time))
    disordered = ~twice & ~late & (time < latest)
    begins = np.ones(n, dtype=np.bool_)
    begins[1:] = (np.diff(time) != 0) | (np.array(files[1:]) != np.array(files[:-1]))
    run = np.cumsum(begins) - 1
    length = np.bincount(run)[run]
    tie = np.where(length > 1, (np.arange(n) - np.flatnonzero(begins)[run]) / np.maximum(1, length - 1), 0.5)
    step, later = _steps(np.unique(who, return_inverse=True)[1], time * (1000 if log in _TO_THE_SECOND else 1), event)
    incident = np.array([one for *_, one in rows], dtype=np.int64)
    found = []
    for at in _chosen(incident, _CALLS_MAX if log == "gateway" else _ORDINARY_MAX, whole=log in _POSTGRESQL).tolist():
        fields = _fields(log, rows[at][0])
        if log == "console":
            fields |= {name: fields[key] for name, path in paths.items() if (key := path[2:]) in fields}
        found.append(Line(
            log, rows[at][0], fields, rows[at][1], str(who[at]), int(incident[at]), at, bool(late[at]), bool(twice[at]),
            bool(disordered[at]), float(tie[at]), int(step[at]), int(later[at]),
        ))  # fmt: skip
    return found


def _first(found: re.Match[str] | None) -> str:
    return next(filter(None, found.groups()), "") if found else ""


def _steps(
    who: np.typing.NDArray[np.int64], time: np.typing.NDArray[np.int64], event: np.typing.NDArray[np.int64]
) -> Any:
    """Milliseconds since each one's actor did something before, and until they did again; -1 where they did not."""
    single = np.unique(event)  # a record written twice is one event
    order = single[np.lexsort((time[single], who[single]))]
    step, later = np.full((2, len(who)), -1, dtype=np.int64)
    step[order[1:]] = np.where(who[order[1:]] == who[order[:-1]], np.diff(time[order]), -1)
    later[order[:-1]] = step[order[1:]]
    return step[event], later[event]


def _chosen(incident: np.typing.NDArray[np.int64], most: int, *, whole: bool) -> np.typing.NDArray[np.int64]:
    """Positions of what is looked at."""
    if whole:
        return np.arange(len(incident))
    rng = np.random.default_rng(len(incident))
    parts = [rng.permutation(np.flatnonzero(incident < 0))[:most]]
    parts += [
        rng.permutation(np.flatnonzero(incident == one))[:_OF_ONE_MAX] for one in np.unique(incident[incident >= 0])
    ]
    return np.sort(np.concatenate(parts))


def _lines(path: Path) -> list[str]:
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        return file.read().decode().split("\n")


# What a record says

#: Columns of PostgreSQL's CSV log that are of use here.
_COLUMNS: Final = {
    1: "user", 3: "process", 4: "from", 5: "session", 6: "line", 7: "command", 8: "started", 9: "turn", 10: "changed",
    12: "state", 13: "message", 19: "query", 22: "program",
}  # fmt: skip
_AUDIT: Final = re.compile(r"^AUDIT: SESSION,(\d+),\d+,\w+,[\w ]+,[^,]*,[^,]*,(.*),<not logged>,", re.DOTALL)
_SERVER_AUDIT: Final = re.compile(
    r"^[\d: ]+,[^,]*,(?P<user>[^,]*),[^,]*,(?P<connection>\d+),(?P<query>\d+),(?P<event>\w+),"
)
_TABLES: Final = frozenset({"READ", "WRITE", "CREATE", "DROP", "ALTER"})


def _record(lines: list[str], first: int, log: str) -> str:
    """The text of the record that begins on a line (from 1), or the part of it that has the statement."""
    text, at = lines[first - 1], first
    while log in _POSTGRESQL and text.count('"') % 2:
        text += "\n" + lines[at]
        at += 1
    # server_audit: the tables come first, the statement last, all of one query.
    known = _SERVER_AUDIT.match(text) if log == "orders" else None
    while known is not None and known["event"] in _TABLES:
        further = _SERVER_AUDIT.match(lines[at])
        if further is None or further["query"] != known["query"]:
            break
        text, known, at = lines[at], further, at + 1
    return text


def _fields(log: str, text: str) -> dict[str, str]:
    """What a record says, by name."""
    if log in _POSTGRESQL:
        columns = next(csv.reader(io.StringIO(text)))
        found = {name: columns[at] for at, name in _COLUMNS.items()}
        audited = _AUDIT.match(found.pop("message"))
        said = found.pop("query")
        if audited is not None:
            found["number"], said = audited[1], audited[2].strip('"').replace('""', '"')
    elif log == "orders":
        head = _SERVER_AUDIT.match(text)
        found = head.groupdict() if head else {}
        said = text.partition(",'")[2].rpartition("',")[0].replace("\\n", "\n").replace("\\'", "'")
    else:
        found = dict(_flat(json.loads(text), ""))
        said = found.pop("query_info.query_string", "")
    if "user" in found:
        found["person"] = str("." in found["user"])  # programs' names have no dot
    return found | _written(said) if said else found


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _flat(one, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield from _flat(one, f"{path}.{at}")
    elif value is not None:
        yield path, str(value)


_COMMENT: Final = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_TABLE: Final = re.compile(r"\b(?:from|update|into|table|copy)\s+(?:if\s+exists\s+)?\(?([\w.\"]+)", re.IGNORECASE)
_KEYWORD: Final = re.compile(
    r"\b(?:select|from|where|update|set|copy|to|create|table|insert|into|drop)\b", re.IGNORECASE
)


def _written(sql: str) -> dict[str, str]:
    """How a statement is written down. Its verb and table are behaviour; so is its length."""
    bare = _COMMENT.sub("", sql).strip()
    table = _TABLE.search(bare)
    upper = {word.isupper() for word in _KEYWORD.findall(bare)}
    form = {
        "upper": True in upper, "mixed": len(upper) > 1, "broken": "\n" in bare, "semicolon": bare.endswith(";"),
        "comment": bare != sql.strip(), "spaces": re.search(r"  |\t| \n|\n ", sql) is not None,
        "qualified": "public." in bare,
    }  # fmt: skip
    return {
        "text.verb": bare.split(None, 1)[0].lower() if bare else "",
        "text.table": table[1].lower().strip('"').removeprefix("public.") if table else "",
        **{f"text.{name}": str(int(one)) for name, one in form.items()},
    }
