"""For every SQL text that engines run: what it is asked over. Made from a seed, so that a difference can be replayed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import pyarrow as pa

import beholden
from beholden.core.events import ACTIVITIES, EVENTS, SCOPES
from beholden.engine import Engine, TableSource, load_sql
from beholden.ledger.who import _TARGETS
from beholden.watch.reasons import _CONTACTS

__all__ = ["CASES", "Ask", "sql_of", "texts"]

_ROOT: Final = Path(beholden.__file__).parent
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_START: Final = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # Europe's clocks change within the window
_END: Final = datetime(2026, 3, 29, 4, tzinfo=UTC)
_FIRST: Final = datetime(1971, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_STORES: Final = ("crm", "crm", "wärehouse", 'it\'s \\ "q"', "", None)
_DATASETS: Final = ("public.customer", "public.customer", "public.order", "Public.Customer", "公/a?b:c", "", None)
_FIELDS: Final = ("email", "Email", "naïve", "", "電話", "a,b")
_INTEGERS: Final = (None, 0, 1, 2, 7, -1, 2**63 - 1, 2**63 - 1, -(2**63))


@dataclass(frozen=True)
class Ask:
    """What a text is asked over; ``files`` are tables to be read from files."""

    tables: Mapping[str, pa.Table]
    parameters: Mapping[str, object]
    files: tuple[str, ...] = ()


def texts() -> set[str]:
    """The SQL that engines run; what is below ``stores`` is for the databases that it reads."""
    found = (path.relative_to(_ROOT).as_posix() for path in _ROOT.rglob("*.sql"))
    return {name for name in found if not name.startswith("stores/")}


def sql_of(text: str) -> str:
    room, _, name = text.rpartition("/")
    return load_sql(f"beholden.{room.replace('/', '.')}", name)


def _times(rng: Random) -> Iterator[int]:
    near = [_micros(moment) + shift for moment in (_START, _END) for shift in (-1, 0, 1)]
    far = [_micros(_FIRST), _micros(_LAST) - 1]
    hours = [
        _micros(_START.replace(minute=0) + timedelta(hours=hour)) + shift for hour in range(6) for shift in (-1, 0)
    ]
    while True:
        inside = rng.randrange(_micros(_START), _micros(_END))
        yield rng.choice((inside, inside, inside, rng.choice(near), rng.choice(hours), rng.choice(far)))


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _bytes(name: str, number: int) -> bytes:
    """One of the few values of a column, or of a list's elements; they differ first where signs would."""
    field = EVENTS.field(name).type
    kind = field.value_type if pa.types.is_list(field) else field
    width = kind.byte_width if pa.types.is_fixed_size_binary(kind) else 8
    return bytes([(number * 51) % 256, 0, number % 256]).ljust(width, b"\xff" if number % 2 else b"\0")


def events(rng: Random, count: int) -> pa.Table:
    """Events of every kind that a ledger may hold, with many ties and repetitions."""
    times = _times(rng)
    rows = [_event(rng, seq, next(times)) for seq in range(count)]
    for row in rows[: count // 2]:  # a log tells of a statement twice, or of two that differ in little
        other = _event(rng, len(rows), row["time"])
        changed = rng.choice((None, "statement", "subjects", "rows", "scope", "activity", "actor"))
        rows.append(other | {name: row[name] for name in row if name not in ("seq", "uid", changed)})
    return pa.Table.from_pylist(rows, schema=EVENTS)


def _event(rng: Random, seq: int, time: int) -> dict[str, Any]:
    def few(name: str, values: int) -> bytes | None:
        return _bytes(name, rng.randrange(values)) if rng.random() < 0.85 else None

    def several(values: Any) -> list[Any] | None:
        return None if rng.random() < 0.3 else [rng.choice(values) for _ in range(rng.choice((0, 1, 1, 2, 5)))]

    row: dict[str, Any] = {}
    for field in EVENTS:
        if pa.types.is_binary(field.type) or pa.types.is_fixed_size_binary(field.type):
            row[field.name] = few(field.name, 5) if field.nullable else _bytes(field.name, seq % 256)
        elif pa.types.is_string(field.type):
            row[field.name] = rng.choice(("", "ünïcode", "a'b\\n", None if field.nullable else "z"))
        elif pa.types.is_timestamp(field.type):
            row[field.name] = time
        elif pa.types.is_integer(field.type):
            row[field.name] = rng.choice(_INTEGERS) if field.nullable else 6005
    return row | {
        "seq": seq,
        "uid": _bytes("uid", seq % 256)[:-2] + seq.to_bytes(2, "big"),
        "source": rng.choice(("crm", "CRM", "ä", "z")),
        "activity": rng.choice((*ACTIVITIES, "read", "query", "export")),
        "scope": rng.choice(SCOPES),
        "store": rng.choice(_STORES),
        "dataset": rng.choice(_DATASETS),
        "fields": several(_FIELDS),
        "subjects": several([_bytes("subjects", number) for number in range(6)]),
        "correlation": few("correlation", 40),
    }


def _targets(rng: Random) -> pa.Table:
    """Datasets in question, some twice for two that were asked about."""
    places = itertools.product(dict.fromkeys(_STORES[:-1]), dict.fromkeys(_DATASETS[:-1]))
    rows = [
        {
            "asked": asked,
            "distance": rng.randrange(3),
            "store": store,
            "dataset": dataset,
            "match": rng.choice(("named", "included", "view", "possible")),
            "key": rng.random() < 0.5,
            "mixed": rng.random() < 0.5,
            "part": rng.random() < 0.5,
            "fields": rng.choice((None, [], ["email"], ["naïve", "naïve", "電話"], ["Email", ""])),
        }
        for store, dataset in places
        for asked in rng.sample(("crm/a", "crm/b", "crm/ü"), rng.choice((0, 1, 1, 2)))
    ]
    return pa.Table.from_pylist(rows, schema=_TARGETS)


def _windows() -> Iterator[dict[str, object]]:
    yield {"start": _START, "end": _END}
    yield {"start": _FIRST, "end": _LAST}
    yield {"start": _START + timedelta(microseconds=1), "end": _START + timedelta(microseconds=1)}


def _forgetting(rng: Random, count: int, _: Engine) -> Iterator[Ask]:
    columns = {"actor": 5, "on_behalf_of": 5, "subjects": 6}
    everybody = [_bytes(name, number) for name, values in columns.items() for number in range(values)]
    few = rng.sample(everybody, 4)
    for erased, gone in ((few, everybody), (few, everybody[:-1]), (few, few), (everybody, everybody), ([], few)):
        for many in (0, 2, 100):
            tables = {"events": events(rng, count), "erased": _tokens(erased), "gone": _tokens([*gone, *erased])}
            yield Ask(tables, {"many": many}, ("events",))


def _tokens(values: list[bytes]) -> pa.Table:
    return pa.table({"token": pa.array(sorted(set(values)), pa.binary(16))})


def _who_events(rng: Random, count: int, _: Engine) -> Iterator[Ask]:
    tables = {"events": events(rng, count), "targets": _targets(rng)}
    nobody: dict[str, object] = {
        "subject": None,
        "actors": None,
        "credentials": None,
        "only": None,
        "by_dataset": False,
    }
    windows = list(_windows())
    subject, other = _bytes("subjects", 1), _bytes("subjects", 2)
    some = [_bytes("actor", number) for number in range(3)]
    keys = [_bytes("credential", number) for number in range(4)]
    places = ["crm/public.customer", "wärehouse/公/a?b:c", 'it\'s \\ "q"/public.order', "/", "';--"]
    questions: tuple[dict[str, object], ...] = (
        {},
        {"by_dataset": True},
        {"subject": subject},
        {"subject": other, "only": places, "actors": some},
        {"by_dataset": True, "credentials": keys, "only": places},
        {"actors": []},
        {"credentials": [], "only": []},
        {"actors": some[:1], "credentials": keys[:1]},
        {"subject": bytes(16), "by_dataset": True},
    )
    for place, asked in enumerate(questions):
        yield Ask(tables, nobody | windows[place % 2] | asked, ("events",) if place % 2 else ())
    yield Ask(tables | {"targets": _targets(rng).slice(0, 0)}, nobody | windows[0] | {"by_dataset": True})
    yield Ask(tables, nobody | windows[2])


def _who_groups(rng: Random, count: int, engine: Engine) -> Iterator[Ask]:
    sql = sql_of("ledger/who_events.sql")
    for ask in itertools.islice(_who_events(rng, count, engine), 3):
        sources = {name: TableSource(table=table) for name, table in ask.tables.items()}
        matched = engine.run(sql, ask.parameters, sources)
        yield Ask({"matched": matched}, {})
        place = matched.schema.get_field_index("time")
        same = pa.array([_START] * matched.num_rows, matched.schema.field(place).type)
        yield Ask({"matched": matched.set_column(place, "time", same)}, {})  # groups tie


def _unexplained(rng: Random, count: int, _: Engine) -> Iterator[Ask]:
    table = events(rng, count)
    times = _times(rng)
    slack = timedelta(minutes=30)
    contacts = []
    for _number in range(count):
        opened, closed = next(times), next(times)
        accessed = rng.choice((opened, closed, table["time"][rng.randrange(table.num_rows)].value))
        edge = accessed - slack // timedelta(microseconds=1) + rng.choice((-1, 0, 1))
        contacts.append(
            {
                "feed": rng.choice(("calls", "Cases", "ümlaut", "")),
                "actor": _bytes("actor", rng.randrange(5)),
                "subject": _bytes("subjects", rng.randrange(6)),
                "opened": rng.choice((min(opened, edge), accessed, accessed + 1)),
                "closed": rng.choice((None, closed, edge)),
            }
        )
    tables = {"events": table, "contacts": pa.Table.from_pylist(contacts, schema=_CONTACTS)}
    for window in _windows():
        yield Ask(tables, window | {"slack": slack}, ("events",))


def _rows(rng: Random, count: int, _duck: Engine) -> Iterator[Ask]:
    for first in (0, count // 4):
        yield Ask({"events": events(rng, count)}, {"first": first, "last": first + count // 2}, files=("events",))


CASES: Final[Mapping[str, Callable[[Random, int, Engine], Iterator[Ask]]]] = {
    "ledger/forgetting.sql": _forgetting,
    "ledger/rows.sql": _rows,
    "ledger/who_events.sql": _who_events,
    "ledger/who_groups.sql": _who_groups,
    "watch/unexplained.sql": _unexplained,
}
