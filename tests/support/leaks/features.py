"""What of a log's records is not behaviour, as numbers.

A record's features say where it stands among others, when to the millisecond, with which ids, in which form. Whatever says
what was done by whom to whom, where from, on what, how often and how large is left out: operation, screen, resource, role,
actor, subject, hour, address, device, size. Where behaviour decides whether there is something to measure at all (a ticket,
an earlier record), a number without meaning stands in for what is missing.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from tests.support.leaks.lines import EPOCH, MILLISECONDS, Line

__all__ = ["Floats", "Shapes", "features_of", "shapes_of"]

Floats = npt.NDArray[np.float64]

_ID: Final = re.compile(r"(?=.*\d)[0-9A-Fa-f-]{11,}|mk[0-9a-f]{12,}")
_SERVER: Final = re.compile(r"[A-Za-z][A-Za-z-]*?-?\d")
_DIGITS: Final = re.compile(r"\d+")
_WORDS: Final = re.compile(r"[A-Za-z0-9]+")
#: What is cited or counted: its last digits may tell, its size not.
_NUMBERED: Final = frozenset(
    {"ticket", "case", "review", "assignment", "p", "query", "connection", "bytes", "ms", "turn", "changed", "client",
     "bytesTransferredIn", "bytesTransferredOut"}
)  # fmt: skip
#: Who it was is behaviour, in every form of it.
_WHO: Final = re.compile(
    r"user|actor|Identity|account|login|session|^by$|^who$|^key$|assumedRole|roleArn|roleSession|staff"
)
#: Whether there is such a thing is behaviour.
_OPTIONAL: Final = re.compile(
    r"ticket|case|assignment|help|serviceRequest|review|buyer|^by$|error|detail|copy-source|count"
)
#: Ids are told by this digit from their end, too.
_AWAY: Final = 9
#: Whoever wrote fewer statements has no habits that we know.
_HABIT_MIN: Final = 3


#: How many ordinary records there are of each form (fields and their order), and of each shape of a field's texts.
Shapes = Counter[tuple[str, ...]]


def features_of(lines: Sequence[Line], ordinary: Shapes) -> dict[str, Floats]:
    """Each feature's name and its value for each record.

    Args:
        lines: records of one log of one company.
        ordinary: what `shapes_of` says of all companies.
    """
    return _places(lines) | _moments(lines) | _forms(lines, ordinary) | _ids(lines) | _sessions(lines)


def shapes_of(lines: Sequence[Line]) -> Shapes:
    """The forms and shapes of ordinary records; a record that is written twice counts once."""
    found: Shapes = Counter()
    for one in {one.uid: one for one in lines if one.incident < 0}.values():
        found[_form(one)] += 1
        found.update((name, _shape(value)) for name, value in one.fields.items())
    return found


def _filler(lines: Sequence[Line], name: str) -> npt.NDArray[np.int64]:
    """Numbers that mean nothing, others for each feature: two that were alike would tell what is missing together."""
    return np.array([zlib.crc32(f"{name} {one.uid}".encode()) for one in lines], dtype=np.int64)


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


def _moments(lines: Sequence[Line]) -> dict[str, Floats]:
    """The digits of its time as the line has them, and whether the steps of who did it are round or alike."""
    found = [MILLISECONDS.search(one.text) or EPOCH.search(one.text) for one in lines]
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
            columns[f"{name}'s milliseconds"] = np.where(
                value >= 1000, value % 1000, _filler(lines, name) % 1000
            ).astype(np.float64)
            columns["steps alike"] = ((step == later) & (step > 0)).astype(np.float64)
    return columns


def _forms(lines: Sequence[Line], ordinary: Shapes) -> dict[str, Floats]:
    """Its form: fields and their order, its length without their values, texts of a shape that no ordinary record has."""
    lengths = [
        len(one.text) - sum(len(value) for name, value in one.fields.items() if name[:5] != "text.") for one in lines
    ]
    beside: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for one, length in zip(lines, lengths, strict=True):
        if one.incident < 0:
            beside[tuple(one.fields)].append(length)
    usual = {form: np.median(every) for form, every in beside.items()}
    # Fields that stand there twice under another name, and texts of statements, have lengths of their own.
    measured = lines[0].log in {"seller-desk", "gateway", "accounts", "wiki", "buckets", "sso"}
    beyond = [length - usual.get(tuple(one.fields), length) for one, length in zip(lines, lengths, strict=True)]
    # An ordinary record does not speak for itself.
    return {
        "length beyond the form's": np.array(beyond, dtype=np.float64) * measured,
        "form unheard of": _column(lines, lambda one: ordinary[_form(one)] <= (one.incident < 0)),
        "shapes unheard of": _column(lines, lambda one: sum(
            ordinary[name, _shape(value)] <= (one.incident < 0)
            for name, value in one.fields.items() if not _WHO.search(name)
        )),
    }  # fmt: skip


def _form(line: Line) -> tuple[str, ...]:
    """Its fields in their order, but for those that a reason, an error or a subject brings."""
    return tuple(name for name in line.fields if not _OPTIONAL.search(name))


@cache
def _shape(value: str) -> str:
    """A text with its words alike, and its numbers."""
    if _ID.fullmatch(value) is not None:
        return f"id of {len(value)}"
    return _WORDS.sub(lambda word: "0" if word[0].isdigit() else "a", value)


def _ids(lines: Sequence[Line]) -> dict[str, Floats]:
    """The digits of ids and of numbers that are cited, and the numbers of servers; what is such the values say."""
    found: dict[str, Floats] = {}
    for name in sorted({name for one in lines for name in one.fields}):
        values = [one.fields.get(name, "") for one in lines]
        some = set(filter(None, values))
        if name.startswith("text."):
            if name not in {"text.verb", "text.table"}:
                found[name] = _unlike_them(lines, np.array([float(value or 0) for value in values]))
        elif name.rpartition(".")[2] in _NUMBERED:
            number = [
                int(_DIGITS.findall(value)[-1]) if _DIGITS.search(value) and value != "0" else -1 for value in values
            ]
            known = np.where(np.array(number) < 0, _filler(lines, name), number)
            found[f"{name}, last digit"] = known % 10.0
        elif not some or all(map(EPOCH.fullmatch, some)):
            continue
        elif len(some) > 1 and all(map(_ID.fullmatch, some)):
            found |= _digits(name, values, lines)
        elif len(some) < 9 and all(map(_SERVER.fullmatch, some)):
            found[f"{name}, number"] = np.array([float(value[-1:] or 0) for value in values])
    return found


def _unlike_them(lines: Sequence[Line], written: Floats) -> Floats:
    """Whether somebody's statement differs from how they mostly write: the habit itself tells only who it was."""
    who = np.unique([one.actor for one in lines], return_inverse=True)[1]
    ordinary = np.array([one.incident < 0 and "text.verb" in one.fields for one in lines])
    count = np.bincount(who[ordinary], minlength=who.max() + 1)[who]
    habit = np.bincount(who[ordinary], written[ordinary], minlength=who.max() + 1)[who] / np.maximum(count, 1)
    return np.where(count > _HABIT_MIN, written - np.rint(habit), 0.0)


def _digits(name: str, values: list[str], lines: Sequence[Line]) -> dict[str, Floats]:
    filler = _filler(lines, name)
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


def _sessions(lines: Sequence[Line]) -> dict[str, Floats]:
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
