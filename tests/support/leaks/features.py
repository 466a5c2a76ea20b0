"""What of a log's records is not behaviour, as numbers.

A record's features say where it stands among others, when to the millisecond, with which ids, in which form. Whatever says
what was done by whom to whom, where from, on what, how often and how large is left out: operation, screen, resource, role,
actor, subject, hour, address, device, size. Where behaviour decides whether there is something to measure at all (a ticket,
an earlier record), a number without meaning stands in for what is missing.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from tests.support.leaks.lines import Line

__all__ = ["Floats", "features_of"]

Floats = npt.NDArray[np.float64]

_ID: Final = re.compile(r"(?=.*\d)[0-9A-Fa-f-]{11,}|mk[0-9a-f]{12,}")
_SERVER: Final = re.compile(r"[A-Za-z][A-Za-z-]*?-?\d")
_DIGITS: Final = re.compile(r"\d+")
_WORDS: Final = re.compile(r"[A-Za-z0-9]+")
_MILLISECONDS: Final = re.compile(r"\d\d:\d\d:\d\d\.(\d+)")
_EPOCH: Final = re.compile(r"\b1[5-9]\d{8}(\d{3})\b")
#: What is cited or counted: its last digits may tell, its size not.
_NUMBERED: Final = frozenset(
    {"ticket", "case", "review", "assignment", "p", "query", "connection", "bytes", "ms", "turn", "changed", "client",
     "bytesTransferredIn", "bytesTransferredOut"}
)  # fmt: skip
#: Who it was is behaviour, in every form of it.
_WHO: Final = re.compile(
    r"user|actor|Identity|account|login|session|^by$|^who$|^key$|assumedRole|roleArn|roleSession|staff"
)
#: Ids are told by this digit from their end, too.
_AWAY: Final = 9


def features_of(lines: Sequence[Line]) -> dict[str, Floats]:
    """Each feature's name and its value for each record; all records of one log of one company."""
    filler = np.array([int(one.uid[:8], 16) for one in lines])
    return _places(lines) | _moments(lines, filler) | _forms(lines) | _ids(lines, filler) | _sessions(lines, filler)


def _column(lines: Sequence[Line], of: Callable[[Line], float]) -> Floats:
    return np.array([of(one) for one in lines], dtype=np.float64)


def _places(lines: Sequence[Line]) -> dict[str, Floats]:
    """Where a record stands: in which file, in what order, once or twice."""
    return {
        "late": _column(lines, lambda one: one.late),
        "written twice": _column(lines, lambda one: one.twice),
        "out of order": _column(lines, lambda one: one.disordered),
        "place in tie": _column(lines, lambda one: one.tie),
        "odd line": _column(lines, lambda one: one.place % 2),
    }


def _moments(lines: Sequence[Line], filler: npt.NDArray[np.int64]) -> dict[str, Floats]:
    """The digits of its time as the line has them, and whether the steps of who did it are round or alike."""
    found = [_MILLISECONDS.search(one.text) or _EPOCH.search(one.text) for one in lines]
    fractions = [one[1] if one else "" for one in found]
    milliseconds = np.array([float(text or 0) for text in fractions])
    columns = {
        "digits of the fraction": np.array([len(text) for text in fractions], dtype=np.float64),
        "zeros of the fraction": np.array([len(text) - len(text.rstrip("0")) for text in fractions], dtype=np.float64),
        "milliseconds": milliseconds,
        "milliseconds' last digit": milliseconds % 10,
    }
    # How soon a program asks again is behaviour, below a second too. Where times are to the second, nearly all steps of programs are alike.
    round_to = 60_000 if lines[0].to_the_second else 1000
    step, later = (np.array([getattr(one, name) for one in lines]) for name in ("step", "next_step"))
    for name, value in (("step", step), ("next step", later)):
        columns[f"{name} round"] = ((value > 0) & (value % round_to == 0)).astype(np.float64)
        if not lines[0].to_the_second:
            columns[f"{name}'s milliseconds"] = np.where(value >= 1000, value % 1000, filler % 1000).astype(np.float64)
            columns["steps alike"] = ((step == later) & (step > 0)).astype(np.float64)
    return columns


def _forms(lines: Sequence[Line]) -> dict[str, Floats]:
    """Its form: fields and their order, its length without their values, texts of a shape that no ordinary record has."""
    seen: Counter[tuple[str, str]] = Counter()
    counted: set[str] = set()
    forms: Counter[tuple[str, ...]] = Counter()
    beside: dict[tuple[str, ...], list[int]] = defaultdict(list)
    lengths = [
        len(one.text) - sum(len(value) for name, value in one.fields.items() if name[:5] != "text.") for one in lines
    ]
    for one, length in zip(lines, lengths, strict=True):
        if one.incident < 0 and one.uid not in counted:
            counted.add(one.uid)
            seen.update((name, _shape(value)) for name, value in one.fields.items())
            forms[tuple(one.fields)] += 1
            beside[tuple(one.fields)].append(length)
    usual = {form: np.median(every) for form, every in beside.items()}
    # Fields that stand there twice under another name, and texts of statements, have lengths of their own.
    measured = lines[0].log in {"seller-desk", "gateway", "accounts", "wiki", "buckets", "sso"}
    return {
        "length beyond the form's": np.array(
            [(length - usual.get(tuple(one.fields), length)) * measured for one, length in zip(lines, lengths, strict=True)]
        ),
        "form unheard of": _column(lines, lambda one: forms[tuple(one.fields)] <= (one.incident < 0)),
        "shapes unheard of": _column(lines, lambda one: sum(
            seen[name, _shape(value)] <= (one.incident < 0) for name, value in one.fields.items() if not _WHO.search(name)
        )),
    }  # fmt: skip


@cache
def _shape(value: str) -> str:
    """A text with its words alike, and its numbers."""
    if _ID.fullmatch(value) is not None:
        return f"id of {len(value)}"
    return _WORDS.sub(lambda word: "0" if word[0].isdigit() else "a", value)


def _ids(lines: Sequence[Line], filler: npt.NDArray[np.int64]) -> dict[str, Floats]:
    """The digits of ids and of numbers that are cited, and the numbers of servers; what is such the values say."""
    found: dict[str, Floats] = {}
    for name in sorted({name for one in lines for name in one.fields}):
        values = [one.fields.get(name, "") for one in lines]
        some = set(filter(None, values))
        if name.startswith("text."):
            if name not in {"text.verb", "text.table"}:
                found[name] = np.array([float(value or 0) for value in values])
        elif name.rpartition(".")[2] in _NUMBERED:
            number = [
                int(_DIGITS.findall(value)[-1]) if _DIGITS.search(value) and value != "0" else -1 for value in values
            ]
            known = np.where(np.array(number) < 0, filler, number)
            found |= {f"{name}, last digit": (known % 10).astype(np.float64), f"{name}, last two": known % 100.0}
        elif not some or all(map(_EPOCH.fullmatch, some)):
            continue
        elif all(map(_ID.fullmatch, some)):
            found |= _digits(name, values, filler)
        elif len(some) < 9 and all(map(_SERVER.fullmatch, some)):
            found[f"{name}, number"] = np.array([float(value[-1:] or 0) for value in values])
    return found


def _digits(name: str, values: list[str], filler: npt.NDArray[np.int64]) -> dict[str, Floats]:
    digits = [value.removeprefix("mk").replace("-", "") for value in values]
    found = {
        f"{name}, {which}": np.where(
            [not value for value in digits],
            filler % 16,
            [int(value[-at : -at + 1 or None] or "0", 16) for value in digits],
        ).astype(np.float64)
        for which, at in (("last", 1), ("early", _AWAY))
    }
    usual = float(np.median([len(value) for value in values if value]))
    found[f"{name}, length"] = np.array([len(value) or usual for value in values], dtype=np.float64)
    found[f"{name}, letters"] = np.array(
        [sum(map(str.isalpha, value)) or 5 + one % 7 for value, one in zip(values, filler, strict=True)],
        dtype=np.float64,
    )
    return found


def _sessions(lines: Sequence[Line], filler: npt.NDArray[np.int64]) -> dict[str, Floats]:
    """Whether the numbers within a database's session go on as they should, its port and its process."""
    if lines[0].log not in {"crm", "payments"}:
        return {}
    found: dict[str, Floats] = {}
    for name in ("line", "number"):
        ahead = np.ones(len(lines))
        last: dict[str, int] = {}
        for at in np.argsort([int(one.fields["line"]) for one in lines], kind="stable").tolist():
            one = lines[at].fields
            # How many there are in a session is behaviour; that they are counted on is not.
            if name in one:
                ahead[at] = int(one[name]) >= last.get(one["session"], 0)
                last[one["session"]] = int(one[name])
        found[f"{name} goes on"] = ahead
    port = np.array([int(one.fields["from"].rpartition(":")[2] or 0) for one in lines])
    process = np.array([int(one.fields["process"] or 0) for one in lines])
    return found | {"port": port / 1.0, "port's parity": port % 2.0, "process": process % 64.0}
