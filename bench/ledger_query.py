"""What questions to a large ledger cost: who touched a dataset or a person's data, which persons some keys reached.

python bench/ledger_query.py DIRECTORY [EVENTS] [--ledger DIR] [--passes N] [--sqlite EVENTS]

DIRECTORY has the months that the shared generator wrote (ledger_events.py: 12 files of Parquet). A ledger of the first
EVENTS of them (4,000,000 unless said; each further pass repeats them a year later) is built once through `Ledger.append`
and `Ledger.seal`, and kept in DIR for later runs if that is given. ``--sqlite`` asks the same of SQLite with two indexes.
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ledger_query_input import YEAR_US, batches, place_of, token_of

from beholden.core.names import DatasetName, Person
from beholden.core.times import Window
from beholden.engine import DuckEngine
from beholden.ledger import Ed25519Signer, Ledger, Snapshot
from beholden.ledger.candidates import sources_of
from beholden.ledger.dossier import dossier
from beholden.ledger.gaps import _reaches, _silences
from beholden.ledger.touched import record_of_sources
from beholden.ledger.who import Question, Target, group, matched_events, sought

_DAY_US = 86_400_000_000
_START_US = 1_735_689_600_000_000  # 2025-01-01
_SIGNER = Ed25519Signer("bench.example/ledger", bytes(32))
_MONTH = Window(_START_US + 270 * _DAY_US, _START_US + 300 * _DAY_US)
_YEAR = Window(_START_US, _START_US + YEAR_US)


class _Names:
    """Stands for the vault: tokens depend on a person's number alone."""

    def find(self, people: Sequence[Person]) -> list[bytes]:
        return [token_of({"customer": "subject"}.get(one.kind, one.kind), int(one.identifier)) for one in people]

    def identities(self, _tokens: Any) -> dict[bytes, Person]:
        return {}

    def nameless(self, tokens: Any) -> dict[bytes, str]:
        return dict.fromkeys(tokens, "unknown")


def main(arguments: argparse.Namespace) -> None:
    """Build the ledger if it is not there, and print the table."""
    with ExitStack() as stack:
        root = arguments.ledger or Path(stack.enter_context(tempfile.TemporaryDirectory())) / "ledger"
        is_new = not (root / "ledger.json").exists()
        clock = [_START_US]
        ledger = Ledger.open(
            root, estate_id="bench", origin=_SIGNER.name, signer=_SIGNER, clock=lambda: clock[0], create=True
        )
        if is_new:
            _build(ledger, arguments, clock)
        engine = stack.enter_context(DuckEngine(memory="1GB", threads=2, temp_directory=root.parent / "spill"))
        ledger.tables()  # every file is hashed once
        snapshot = measure("open, all files known", ledger.tables)
        held = sum(path.stat().st_size for path in (root / "index").iterdir())
        print(
            f"{snapshot.next_seq:,} events, {len(snapshot.segments)} segments, {held / snapshot.next_seq:.1f} B/event of indexes"
        )
        _ask(snapshot, engine)
        _ask_while_writing(ledger, snapshot, engine, arguments)
        if arguments.sqlite:
            _sqlite(arguments)


def _build(ledger: Ledger, arguments: argparse.Namespace, clock: list[int]) -> None:
    cpu, wall = time.process_time(), time.perf_counter()
    events = 0
    for batch in batches(arguments.directory, arguments.events, arguments.passes):
        clock[0] = batch.column("time")[-1].value + 3_000_000
        ledger.append(batch)
        events += batch.num_rows
    ledger.seal()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"built with the input's making: {cpu / events * 1e6:.2f} us CPU an event, {wall:.0f} s")


def _target(number: int) -> Target:
    return Target(DatasetName(*place_of(number)))


def _ask(snapshot: Snapshot, engine: DuckEngine) -> None:
    vault: Any = _Names()

    def who(**asked: Any) -> list[Any]:
        matched = matched_events(Question(**asked), snapshot, engine, vault, wide=False)
        return group(matched, engine, vault)

    def named(number: int) -> tuple[Person]:
        return (Person("credential", str(number)),)

    keys = tuple(Person("credential", str(number)) for number in range(1000, 1092))
    for name, number in (("a middling dataset", 2000), ("the busiest dataset", 0)):
        measure(f"{name}, 30 days", lambda n=number: who(targets=(_target(n),), window=_MONTH))  # type: ignore[misc]
        wanted = sought(Question(targets=(_target(number),), window=_MONTH), vault)
        measure("   of this: finding its events", lambda w=wanted: sources_of(snapshot, w).table)  # type: ignore[misc]
    three = tuple(_target(n) for n in (2000, 2001, 2002))
    for name, number in (("a frequent subject", 0), ("a rare subject", 23_999_999), ("nobody", 99_999_999)):
        person = Person("customer", str(number))
        measure(f"{name}, a year", lambda p=person: who(subject=p, targets=(), window=_YEAR))  # type: ignore[misc]
        measure("   or reads of 3 datasets", lambda p=person: who(subject=p, targets=three, window=_YEAR))  # type: ignore[misc]
    measure(
        "completeness of all sources",
        lambda: [_silences(one, _YEAR) for one in _reaches(record_of_sources(snapshot), None, 2 * _YEAR.end)],
    )  # type: ignore[operator]
    measure("one key, a year", lambda: who(credentials=named(1000), window=_YEAR), times=1)
    measure(
        "92 keys: persons reached", lambda: dossier(Question(credentials=keys), snapshot, engine, vault).rows, times=1
    )
    measure(
        "dossier of a dataset",
        lambda: dossier(Question(targets=(_target(2000),)), snapshot, engine, vault).rows,
        times=1,
    )
    class_ = Question(targets=tuple(_target(number) for number in range(0, 4000, 8)))
    measure("dossier of 500 datasets", lambda: dossier(class_, snapshot, engine, vault).rows, times=1)
    measure("dossier of everything", lambda: dossier(Question(), snapshot, engine, vault).rows, times=1)


def _ask_while_writing(ledger: Ledger, before: Snapshot, engine: DuckEngine, arguments: argparse.Namespace) -> None:
    """The same answer for the same time while another thread appends events of another year and seals them."""
    vault: Any = _Names()
    question = Question(targets=(_target(2000),), window=_MONTH)
    wanted = matched_events(question, before, engine, vault, wide=False)
    given = list(batches(arguments.directory, 131_072, first=100))  # other records, of a later time
    done = threading.Event()

    def write() -> None:
        for batch in given:
            ledger.append(batch)
        ledger.seal()
        done.set()

    if not arguments.ledger:
        writer = threading.Thread(target=write)
        writer.start()
        asked = 0
        while not done.is_set():
            if not matched_events(question, ledger.tables(), engine, vault, wide=False).equals(wanted):
                raise AssertionError("the answer changed")
            asked += 1
        writer.join()
        print(f"while a writer appended and sealed {sum(b.num_rows for b in given):,} events: {asked} equal answers")


def _sqlite(arguments: argparse.Namespace) -> None:
    """A table with an index on (dataset, time) and one on (subject, time)."""
    with tempfile.TemporaryDirectory() as directory, sqlite3.connect(Path(directory) / "events.db") as database:
        database.execute(
            "create table e (seq integer primary key, time int, actor blob, dataset text, subject blob, rows int)"
        )
        count = 0
        for batch in batches(arguments.directory, arguments.sqlite):
            subjects = [people[0] if people else None for people in batch.column("subjects").to_pylist()]
            names = batch.column("store").to_pylist(), batch.column("dataset").to_pylist()
            times = batch.column("time").cast("int64").to_pylist()
            rows = zip(
                times, batch.column("actor").to_pylist(), (f"{a}/{b}" for a, b in zip(*names, strict=True)), subjects,
                batch.column("rows").to_pylist(), strict=True,
            )  # fmt: skip
            database.executemany("insert into e (time, actor, dataset, subject, rows) values (?, ?, ?, ?, ?)", rows)
            count += batch.num_rows
        database.execute("create index d on e (dataset, time)")
        database.execute("create index s on e (subject, time)")
        database.commit()
        size = (Path(directory) / "events.db").stat().st_size
        print(f"SQLite: {count:,} events, {size / count:.0f} B/event of six columns and two indexes")
        by_dataset = (
            "select actor, count(*), sum(rows), count(distinct subject) from e where dataset = ? group by actor"
        )
        by_subject = "select actor, count(*), sum(rows) from e where subject = ? group by actor"
        everything = "select actor, count(*), sum(rows), count(distinct subject) from e group by actor"
        measure(
            "SQLite: a middling dataset", lambda: database.execute(by_dataset, ["/".join(place_of(2000))]).fetchall()
        )
        measure("SQLite: a frequent subject", lambda: database.execute(by_subject, [token_of("subject", 0)]).fetchall())
        measure("SQLite: dossier of everything", lambda: database.execute(everything).fetchall(), times=1)


def measure(name: str, work: Callable[[], Any], times: int = 3) -> Any:
    """Run some times; print the best CPU and wall time, and the most memory so far."""
    best = [float("inf")] * 2
    result: Any = None
    for _ in range(times):
        cpu, wall = time.process_time(), time.perf_counter()
        result = work()
        best = [min(best[0], time.process_time() - cpu), min(best[1], time.perf_counter() - wall)]
    rows = len(result) if hasattr(result, "__len__") else 1
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name:34}{best[0] * 1e3:9.1f} ms CPU {best[1] * 1e3:9.1f} ms wall {rows:9,} rows {memory:7.0f} MiB",
        flush=True,
    )
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("events", type=int, nargs="?", default=4_000_000)
    parser.add_argument("--ledger", type=Path)
    parser.add_argument("--passes", type=int, default=1)
    parser.add_argument("--sqlite", type=int, default=0)
    main(parser.parse_args())
