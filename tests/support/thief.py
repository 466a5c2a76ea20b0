"""A thief who wants to know which token in a ledger is whose, with everything there is to steal.

Each attack guesses a token for as many people as it can; `right` counts those it got right. `Loot.names` is the live
vault as the company itself could ask it; whom the thief is after it does not name.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from beholden.ledger.format import Layout
from beholden.ledger.wal import scan_wal, wal_files

__all__ = [
    "KEYLESS", "Guesses", "Line", "Loot", "Visit", "by_address", "by_assignment", "by_device", "by_session", "by_time",
    "by_uid", "by_visits", "forms", "found_in", "read_files", "right", "unpacked_wal",
]  # fmt: skip

Hash = Callable[[str, bytes], bytes]
Guesses = dict[str, bytes]

_WINDOW = 8


@dataclass(frozen=True, slots=True)
class Line:
    """A record of a raw log that names a person: what it says besides, under the names of the ledger's columns.

    ``acts``: the person did it, rather than suffered it.
    """

    person: str
    time: int
    acts: bool
    identity: bytes
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Visit:
    """A row of the company's own list of contacts. Times in microseconds."""

    person: str
    ticket: str
    opened: int
    closed: int


@dataclass(slots=True)
class Loot:
    """What was stolen. ``events`` are the ledger's."""

    events: list[dict[str, Any]]
    lines: Sequence[Line]
    visits: Sequence[Visit]
    names: Mapping[bytes, str]
    _index: dict[str, dict[Any, list[dict[str, Any]]]] = field(default_factory=dict)

    def where(self, column: str, value: Any) -> list[dict[str, Any]]:
        """The events with that value."""
        if column not in self._index:
            index: dict[Any, list[dict[str, Any]]] = defaultdict(list)
            for event in self.events:
                if event[column] is not None:
                    index[event[column]].append(event)
            self._index[column] = dict(index)
        return self._index[column].get(value, [])

    def nameless(self, events: Iterable[Mapping[str, Any]], *, acts: bool = False) -> Iterator[bytes]:
        """Tokens of people in events that the vault does not name: each event's subjects, or who acted."""
        for event in events:
            for token in {event["actor"]} if acts else set(event["subjects"] or ()):
                if token is not None and token not in self.names:
                    yield token


def right(guesses: Guesses, truth: Mapping[str, bytes]) -> int:
    """People whose token was guessed."""
    return sum(truth.get(person) == token for person, token in guesses.items())


def _elected(votes: Mapping[str, Counter[bytes]]) -> Guesses:
    """For each person the token seen most often, where one is."""
    guesses = {}
    for person, counter in votes.items():
        best = counter.most_common(2)
        if best and (len(best) == 1 or best[0][1] > best[1][1]):
            guesses[person] = best[0][0]
    return guesses


def _voted(pairs: Iterable[tuple[str, Iterable[bytes]]]) -> Guesses:
    votes: dict[str, Counter[bytes]] = defaultdict(Counter)
    for person, tokens in pairs:
        votes[person].update(tokens)
    return _elected(votes)


def _unkeyed(name: str) -> Hash:
    return lambda _purpose, data: hashlib.new(name, data, usedforsecurity=False).digest()


#: Hashes that need no key.
KEYLESS: tuple[Hash, ...] = (
    *map(_unkeyed, ("md5", "sha1", "sha256", "sha512", "blake2b", "blake2s")),
    lambda _purpose, data: hashlib.blake2b(data, digest_size=16).digest(),
)


def by_assignment(loot: Loot) -> Guesses:
    """Tickets that the vault still names lead to the company's list of whom they are about."""
    tokens = {name: token for token, name in loot.names.items() if name.startswith("assignment:")}
    found = []
    for visit in loot.visits:
        token = tokens.get(f"assignment:{visit.ticket}")
        if token is not None:
            found.append((visit.person, loot.nameless(loot.where("assignment", token))))
    return _voted(found)


def by_device(loot: Loot) -> Guesses:
    """Devices and credentials that the vault still names, and the raw log or a register says whose they are."""
    named = {name: token for token, name in loot.names.items()}
    return _voted(
        (line.person, loot.nameless(loot.where(column, named[text]), acts=True))
        for line in loot.lines
        if line.acts
        for column in ("device", "credential")
        if column in line.values and (text := f"{column}:{line.values[column]}") in named
    )


def by_address(loot: Loot, hashes: Iterable[Hash] = ()) -> Guesses:
    """Addresses from which people act, in plain, or under hashes that can be computed."""
    pairs: list[tuple[str, Iterable[bytes]]] = []
    for line in loot.lines:
        if line.acts and "ip" in line.values:
            packed = ipaddress.ip_address(line.values["ip"]).packed
            forms_of_it = (packed, *(one("ip", packed)[:10] for one in hashes))
            pairs += [(line.person, loot.nameless(loot.where("ip", form), acts=True)) for form in forms_of_it]
    return _voted(pairs)


def by_session(loot: Loot, hashes: Iterable[Hash] = KEYLESS) -> Guesses:
    """Sessions of the raw log, under hashes that can be computed."""
    return _voted(
        (line.person, loot.nameless(loot.where("session", one("session", line.values["session"].encode())[:8])))
        for line, one in itertools.product(loot.lines, tuple(hashes))
        if "session" in line.values
    )


def by_uid(loot: Loot, hashes: Iterable[Hash] = KEYLESS) -> Guesses:
    """Records of the raw log, under hashes that can be computed."""
    return _voted(
        (line.person, loot.nameless(loot.where("uid", one("uid", line.identity)[:10])))
        for line, one in itertools.product(loot.lines, tuple(hashes))
    )


def by_time(loot: Loot) -> Guesses:
    """A raw line's exact time finds its own event, and that the token. Needs nothing but the line and the ledger."""
    return _voted((line.person, loot.nameless(loot.where("micros", line.time))) for line in loot.lines)


def by_visits(loot: Loot) -> Guesses:
    """The company's list of contacts says when somebody was served: whose token is on record then, each time?"""
    times = np.array([event["micros"] for event in loot.events])
    order = np.argsort(times, kind="stable")
    pairs = []
    for visit in loot.visits:
        low, high = np.searchsorted(times[order], [visit.opened, visit.closed + 1])
        pairs.append((visit.person, loot.nameless(loot.events[place] for place in order[low:high])))
    return _voted(pairs)


def read_files(directory: Path) -> dict[str, bytes]:
    """Every file below a directory; what is compressed also as it reads unpacked."""
    files = {}
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            if path.suffix == ".parquet":
                file = pq.ParquetFile(path)
                data += repr(file.metadata.to_dict()).encode() + _unpacked(file.read())
            files[path.relative_to(directory).as_posix()] = data
    return files


def unpacked_wal(ledger: Path, estate_id: str) -> bytes:
    """The events that wait in a ledger's write-ahead log."""
    files = wal_files(Layout(ledger).wal)
    batches = [batch for path in files for batch in scan_wal(path, path.name, estate_id).batches]
    return _unpacked(pa.Table.from_batches(batches)) if batches else b""


def _unpacked(table: pa.Table) -> bytes:
    buffers = [
        bytes(buffer)
        for column in table.columns
        for chunk in column.chunks
        for buffer in chunk.buffers()
        if buffer is not None
    ]
    return b"\0".join(buffers)


def forms(text: str, *, short: bool = False) -> Iterator[bytes]:
    """What a text may look like in a file: as it is, recoded, hashed. A ``short`` one only hashed."""
    plain = text.encode()
    if not short:
        yield from (plain, plain.upper(), plain.lower(), text.encode("utf-16-le"), plain.hex().encode())
        yield base64.b64encode(plain).rstrip(b"=")[:-1]
    for one in KEYLESS:
        digest = one("", plain)
        yield digest
        yield digest.hex().encode()
        yield base64.b64encode(digest).rstrip(b"=")


def found_in(files: Mapping[str, bytes], patterns: Mapping[str, Iterable[bytes]]) -> dict[str, set[str]]:
    """Of whom something is in which files. Patterns of fewer than 8 bytes are passed over."""
    whose: dict[int, list[tuple[str, bytes]]] = defaultdict(list)
    for person, listed in patterns.items():
        for pattern in listed:
            if len(pattern) >= _WINDOW:
                whose[int.from_bytes(pattern[:_WINDOW], "little")].append((person, pattern))
    heads = np.array(sorted(whose), np.uint64)
    found: dict[str, set[str]] = defaultdict(set)
    for name, data in files.items():
        for place, head in _hits(data, heads):
            for person, pattern in whose[head]:
                if data.startswith(pattern, place):
                    found[person].add(name)
    return dict(found)


def _hits(data: bytes, heads: Any) -> Iterator[tuple[int, int]]:
    """Where one of the heads begins, at any offset."""
    for shift in range(min(_WINDOW, len(data))):
        words = np.frombuffer(data, "<u8", (len(data) - shift) // _WINDOW, shift)
        places = np.minimum(np.searchsorted(heads, words), len(heads) - 1)
        for at in np.flatnonzero(heads[places] == words):
            yield int(at) * _WINDOW + shift, int(words[at])
