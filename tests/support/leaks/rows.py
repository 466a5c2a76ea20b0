"""Rows of a company's feeds: those that incidents put there, and the ordinary ones, with what of them is not behaviour."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from beholden.retailer.chance import DAY_US
from beholden.retailer.incidents import Incident
from beholden.retailer.words import Words

__all__ = ["FEEDS", "Rows", "rows_of"]

Floats = npt.NDArray[np.float64]
_NUMBER: Final = re.compile(r"\d+$")
_OF_A_DAY: Final = 100_000


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one feed: features by name, the incident of each (-1: none), and what each is about."""

    features: dict[str, Floats]
    incident: npt.NDArray[np.int64]
    actors: list[str]
    cells: Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Feed:
    """A feed: the column of its ids, the one that says what a row is about, and the keys of the rows of an incident.

    ``key`` makes a key of a row: (id, opened in microseconds).
    """

    number: str
    about: str
    who: str
    keys: Callable[[Incident], set[Any]]
    key: Callable[[str, int], Any]


def _tickets(incident: Incident) -> set[Any]:
    return set() if incident.contacts is None else set(incident.contacts.ticket.tolist())


def _seller_cases(incident: Incident) -> set[Any]:
    return set() if incident.seller_cases is None else set(incident.seller_cases.number.tolist())


def _opened(ground: str) -> Callable[[Incident], set[Any]]:
    def keys(incident: Incident) -> set[Any]:
        held = incident.records.get(ground)
        return set() if held is None else set(held.opened.tolist())

    return keys


def _numbered(text: str, _: int) -> Any:
    found = _NUMBER.search(text)
    return int(found[0]) if found else -1


FEEDS: Final = {
    "contacts": _Feed("ticket_id", "reason", "agent_id", _tickets, _numbered),
    "seller_cases": _Feed("case_id", "topic", "handler", _seller_cases, _numbered),
    "cases": _Feed("case_id", "topic", "investigator", _opened("case"), lambda _, opened: opened),
    "assignments": _Feed("assignment_id", "work", "assignee", _opened("assignment"), lambda _, opened: opened),
}


def rows_of(directory: Path, incidents: Sequence[Incident], feed: str, words: Words) -> Rows:
    """The rows of a feed in its order. An incident's are known by its plan: `truth/` is about events."""
    form = FEEDS[feed]
    table = pq.read_table(directory / "feeds" / f"{words.told(feed)}.parquet")
    ours = {words.told(name): name for name in ("customer_id", "seller_number", "seller_code")}
    table = table.rename_columns([ours.get(name, name) for name in table.column_names])
    ids = table[form.number].to_pylist()
    opened, closed = (_microseconds(table[name]) for name in ("opened_at", "closed_at"))
    known = {key: incident.number for incident in incidents for key in form.keys(incident)}
    of = np.array([known.get(form.key(text, at), -1) for text, at in zip(ids, opened.tolist(), strict=True)])
    number = np.array([_numbered(text, 0) for text in ids], dtype=np.int64)
    about = table[form.about].to_pylist()
    # How many there are on a day is behaviour, and gaps of numbers feel it. Of cases and assignments there are too few
    # a day, and a work list, a row for each customer, is written for a day; projects whenever somebody begins one.
    days = (opened // DAY_US).astype(str).tolist()
    person = table["customer_id"].is_valid().to_pylist() if "customer_id" in table.column_names else []
    by_day = feed in {"contacts", "seller_cases"}
    cells = list(zip(days, about, strict=True) if by_day else zip(about, map(str, person), strict=True))
    return Rows(_features(table, number, opened, closed), of, table[form.who].to_pylist(), cells)


def _microseconds(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = column.cast(pa.timestamp("us")).cast("int64").fill_null(-1).to_numpy()
    return found


def _features(
    table: pa.Table, number: npt.NDArray[np.int64], opened: npt.NDArray[np.int64], closed: npt.NDArray[np.int64]
) -> dict[str, Floats]:
    """Order of rows and numbers, gaps, precision of times, rows that came together, lengths and what is missing."""
    n = len(number)
    order = np.argsort(number, kind="stable")
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)
    before, after = np.ones(n), np.ones(n)
    # From one day to the next numbers begin anew.
    gaps = np.where(np.diff(number[order]) < _OF_A_DAY, np.minimum(np.diff(number[order]), 9), 1).astype(np.float64)
    before[order[1:]], after[order[:-1]] = gaps, gaps
    lasting = np.where((closed >= 0) & (opened >= 0), closed - opened, -1)
    together = np.unique(opened, return_inverse=True)[1]
    filler = number * 7919 % 1000
    found = {
        "gap before its number": before,
        "gap after its number": after,
        "number's last digit": number % 10.0,
        "number in the order of rows": (np.abs(place - np.arange(n)) > 0).astype(np.float64),
        "number later than the next row's": np.append(np.diff(number) < 0, 0).astype(np.float64),
        "number earlier than the last row's": np.insert(np.diff(number) < 0, 0, 0).astype(np.float64),
        "opened out of order": np.insert(np.diff(opened) < 0, 0, 0).astype(np.float64),
        "alone at its moment": (np.bincount(together)[together] == 1).astype(np.float64),
        "milliseconds opened": np.where(opened < 0, filler, opened // 1000 % 1000).astype(np.float64),
        "milliseconds closed": np.where(closed < 0, filler, closed // 1000 % 1000).astype(np.float64),
        "microseconds": (opened % 1000 + np.maximum(closed, 0) % 1000).astype(np.float64),
        "lasted whole seconds": (lasting % 1_000_000 == 0).astype(np.float64) * (lasting >= 0),
        "lasted whole minutes": (lasting % 60_000_000 == 0).astype(np.float64) * (lasting >= 0),
        "odd row": np.arange(n) % 2.0,
    }
    for name in table.column_names:
        if pa.types.is_string(table.schema.field(name).type):
            lengths = table[name].combine_chunks()
            found[f"length of {name}"] = _lengths(lengths) if name.endswith("_id") else np.zeros(n)
        if name in {"seller_number", "seller_code", "opened_at"}:
            found[f"no {name}"] = table[name].is_null().to_numpy().astype(np.float64)
    return found


def _lengths(texts: pa.Array) -> Floats:
    return np.array([len(text or "") for text in texts.to_pylist()], dtype=np.float64)
