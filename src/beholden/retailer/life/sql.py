"""SQL statements of a day: the events, their maker, and the sessions they were said in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from beholden.retailer.chance import DAY_US, MINUTE_US, SECOND_US, Chance, Ints, Rng, below
from beholden.retailer.events import Events
from beholden.retailer.life.sql_text import DATABASES, Sql, mistyped
from beholden.retailer.words import Words, words_of
from beholden.retailer.world import World

__all__ = [
    "APPS", "CONNECT", "CONNECTED", "DISCONNECT", "FAILURES", "SERVICE_APPS", "Statements", "connected", "make_statements",
]  # fmt: skip

Objects = npt.NDArray[np.object_]

_PLACES: Final = {name: place for place, name in enumerate(DATABASES)}
#: Programs by which people and accounts speak to databases.
APPS: Final = (
    "psql", "DBeaver 25.1.2 - SQLEditor", "DataGrip 2025.2", "Tableau", "mysql", "pgAdmin 4", "python-notebook",
    "cs-console", "orders-app", "payments-api", "etl-nightly", "pg_dump", "metabase", "airflow",
)  # fmt: skip
#: Those that people use, by database.
_PEOPLE_APPS: Final = {"crm": (0, 1, 2, 5), "orders": (1, 2, 4, 4), "payments": (0, 1, 2, 0), "warehouse": (1, 2, 3, 6)}
SERVICE_APPS: Final = {
    "console_app": 7, "orders_app": 8, "payments_api": 9, "etl_nightly": 10, "backup": 11, "bi_dashboard": 12,
}  # fmt: skip
_AIRFLOW: Final = APPS.index("airflow")
#: Why a statement failed: SQLSTATE. The first is none.
FAILURES: Final = ("", "42703", "42501", "57014")
_FAILURE_WEIGHTS: Final = (6, 2, 2)
#: Accounts of programs that keep connections open, and how many.
_POOLED: Final = {"console_app": 6, "orders_app": 8, "payments_api": 6, "bi_dashboard": 2}
_PAUSE_US: Final = 40 * MINUTE_US
#: Databases whose logs hold connections.
LOGGED_CONNECTIONS: Final = ("crm", "orders", "payments")
#: Commands of events that are no statements.
CONNECT: Final = "CONNECT"
DISCONNECT: Final = "DISCONNECT"
CONNECTED: Final = frozenset({CONNECT, DISCONNECT})


@dataclass(frozen=True, slots=True)
class Statements(Events):
    """What was said to databases.

    ``said`` holds `Sql` records. ``failure`` indexes `FAILURES`. ``session``, ``number`` (of the statement in it) and
    ``line`` (of its first record) are -1 until `connected` fills them in.
    """

    database: Ints
    said: Objects
    failure: Ints
    app: Ints
    address: Objects
    session: Ints
    number: Ints
    line: Ints
    named: Ints  # 1 where the query gateway names the table

    def by_clock(self, ahead_us: int) -> Self:
        """As above; sessions' numbers tell the second in which they began, by the same clock."""
        moved = super(Statements, self).by_clock(ahead_us)
        return replace(moved, session=self.session + (ahead_us // SECOND_US << 22)) if ahead_us else self

    @property
    def sql(self) -> list[str]:
        """The texts."""
        return [one.text for one in self.said]

    @property
    def object(self) -> list[str]:
        """The table of each."""
        return [one.object for one in self.said]

    @property
    def rows(self) -> Ints:
        """How many rows each gave or changed; -1 where nobody counted, and where it failed."""
        rows = np.array([one.rows for one in self.said], dtype=np.int64)
        return np.where(self.failure > 0, -1, rows)


def make_statements(
    world: World, rng: Rng, day: int, time: Ints | Sequence[int], actor: Ints | Sequence[int], said: Sequence[Sql], *,
    what: int | Ints = 0, incident: int = -1, app: int = -1, address: Sequence[str] | None = None, failing: bool = True,
) -> Statements:  # fmt: skip
    """Statements at those times by those principals; what is not given is as everyone's is.

    Everybody's statements are of one day. A share of people's fail, as they do (``failing``); those of programs do not.
    """
    n, members = len(said), len(world.staff.members)
    actors = np.asarray(actor, dtype=np.int64)
    draw = rng.random((3, n))
    people = actors < members
    failed = people & (draw[0] < world.parameters.statements_failing) & failing
    failure = np.where(failed, 1 + np.searchsorted(np.cumsum(_FAILURE_WEIGHTS) / sum(_FAILURE_WEIGHTS), draw[1]), 0)
    words = words_of(world.parameters.preset)
    texts = list(said) if words.is_first else [_renamed(words, one) for one in said]
    for at in np.flatnonzero(failure == 1).tolist():
        texts[at] = _misspelt(words, texts[at], float(draw[2][at]))
        if not texts[at].wrong:
            failure[at] = 2
    usual = world.staff.addresses
    return Statements(
        time=np.asarray(time, dtype=np.int64),
        actor=actors,
        label=np.full(n, what, dtype=np.int64) if isinstance(what, int) else what,
        incident=np.full(n, incident, dtype=np.int64),
        database=np.array([_PLACES[one.database] for one in texts], dtype=np.int64),
        said=_objects(texts),
        failure=failure.astype(np.int64),
        app=np.full(n, app, dtype=np.int64) if app >= 0 else _apps(world, day, actors, texts),
        address=_objects([usual[i] for i in actors.tolist()] if address is None else address),
        session=np.full(n, -1, dtype=np.int64),
        number=np.full(n, -1, dtype=np.int64),
        line=np.full(n, -1, dtype=np.int64),
        named=(~people | (draw[2] < world.parameters.table_named)).astype(np.int64),
    )


def _objects(values: Sequence[Any]) -> Objects:
    return np.fromiter(values, dtype=np.object_, count=len(values))


def _renamed(words: Words, sql: Sql) -> Sql:
    """The statement as it stands in the company's own words; nothing else renames one."""
    database, text, command, reads, writes, rows, wrong = sql
    return Sql(database, words.said(text), command, words.names(reads), words.names(writes), rows, wrong)


def _misspelt(words: Words, sql: Sql, share: float) -> Sql:
    """With a wrong letter in one of the words between SELECT (or SET) and the first table."""
    plain = {words.name(name) for name in _NAMES}
    found = [word for word in _after_first_word(sql.text) if len(word) > 4 and word.isidentifier() and word.islower()]
    names = [word for word in found if "_" in word or word in plain]
    names = [name for name in names if name not in sql.reads and name not in sql.writes]
    return mistyped(sql, names[int(share * len(names))]) if names else sql


#: Columns without an underscore that people mistype.
_NAMES: Final = frozenset(
    {"email", "phone", "street", "country", "amount", "status", "segment", "carrier", "revenue", "orders"}
)


def _after_first_word(text: str) -> list[str]:
    inside = text.replace(",", " ").replace("(", " ").replace(")", " ").replace(".", " ")
    return [word for word in inside.split() if "'" not in word]


def _apps(world: World, day: int, actor: Ints, said: Sequence[Sql]) -> Ints:
    """People's habits; a program's own name."""
    staff, members = world.staff, len(world.staff.members)
    which, at = np.unique(actor, return_inverse=True)
    habit = below(Chance(world.parameters.seed, "sql apps")(which, day // 90), 4).tolist()
    # What each of those present speaks to each database with.
    usual = [
        {database: apps[place] for database, apps in _PEOPLE_APPS.items()}
        if who < members
        else dict.fromkeys(DATABASES, SERVICE_APPS.get(staff.services[who - members], _AIRFLOW))
        for who, place in zip(which.tolist(), habit, strict=True)
    ]
    return np.array([usual[who][one.database] for who, one in zip(at.tolist(), said, strict=True)], dtype=np.int64)


def connected(world: World, day: int, statements: Statements, database: str) -> Statements:
    """One database's statements of a day, incidents included, with their sessions and the connections these need.

    A person's statements with pauses of less than forty minutes stand in one session; programs that serve customers
    keep some connections open for days. Nothing of this is drawn with the statements, so that it cannot tell how they
    came to be.
    """
    here = statements.at(statements.database == DATABASES.index(database))
    if not len(here):
        return here
    members = len(world.staff.members)
    pools = {members + world.staff.services.index(name): size for name, size in _POOLED.items()}
    place = np.array([pools.get(who, 0) for who in here.actor.tolist()], dtype=np.int64)
    chance = Chance(world.parameters.seed, f"sessions of {database}")
    lane = np.where(place > 0, below(chance(here.time // 1000, here.actor), 1 << 20) % np.maximum(place, 1), 0)
    places: dict[str, int] = {}
    address = np.array([places.setdefault(one, len(places)) for one in here.address.tolist()], dtype=np.int64)
    order = np.lexsort((here.time, lane, here.app, address, here.actor))
    key = np.stack([here.actor, address, here.app, lane])[:, order]
    time = here.time[order]
    begins = np.ones(len(here), dtype=np.bool_)
    same = (key[:, 1:] == key[:, :-1]).all(axis=0)
    begins[1:] = ~(same & ((np.diff(time) < _PAUSE_US) | (place[order][1:] > 0)))
    group = np.cumsum(begins) - 1
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(here)) - 1
    pooled = place[order][first] > 0
    start, process = _starts(chance, day, (time[first], key[:, first], pooled))
    said = here.at(order)
    audited = database in {"crm", "payments"}
    records = np.array([_records(one) for one in said.said] if audited else [1] * len(said), dtype=np.int64)
    before = np.cumsum(records) - records
    rank = np.arange(len(here)) - first[group]
    # What a pool's connection said on earlier days.
    earlier = np.where(pooled, below(chance(process, day), 400_000), 0)
    filled = _with(
        said,
        session=(start // SECOND_US << 22 | process)[group],
        number=1 + rank + earlier[group],
        line=3 + before - before[first][group] + 3 * earlier[group] // 2,
    )
    if database not in LOGGED_CONNECTIONS:
        return Statements.joined([filled])
    own = ~pooled
    ends = time[last] + below(chance(process, start // 1000), 600_000) * 1000
    ends = np.minimum(ends, (day + 1) * DAY_US - 1000)
    opened = _connections(filled.at(first[own]), start[own], CONNECT, np.full(int(own.sum()), 1, dtype=np.int64))
    line = (filled.line[last] + records[last])[own]
    closed = _connections(filled.at(first[own]), np.maximum(ends, time[last])[own], DISCONNECT, line)
    return Statements.joined([filled, opened, closed])


def _starts(chance: Chance, day: int, sessions: tuple[Ints, Ints, Ints | npt.NDArray[np.bool_]]) -> tuple[Ints, Ints]:
    """When each session began, and its process. Those of pools began on an earlier day."""
    time, key, pooled = sessions
    # A pool's connections are the same all day, whatever they say first.
    moment = np.where(pooled, day * DAY_US - (1 + below(chance(key[0], key[3], day), 80_000)) * SECOND_US, 0)
    soon = time - (20 + below(chance(key[0], time // 1000), 900)) * 1000
    process = 2000 + below(chance(key[0], key[3], np.where(pooled, day, time // 1000)), 1 << 21)
    return np.where(pooled, moment, np.maximum(soon, day * DAY_US)), process


def _connections(of: Statements, time: Ints, what: str, line: Ints) -> Statements:
    """The opening or the end of the sessions of these statements; whatever they were, connecting is no offence."""
    n = len(of)
    return _with(
        of, time=time, label=np.zeros(n, dtype=np.int64), incident=np.full(n, -1, dtype=np.int64), line=line,
        said=_objects([Sql(one.database, "", what) for one in of.said]), failure=np.zeros(n, dtype=np.int64),
        number=np.zeros(n, dtype=np.int64),
    )  # fmt: skip


def _with(of: Statements, **columns: Any) -> Statements:
    return Statements(**{name: columns.get(name, getattr(of, name)) for name in Statements.__dataclass_fields__})


def _records(sql: Sql) -> int:
    """How many records PostgreSQL's audit has for it."""
    return max(1, len(sql.reads) + len(sql.writes) + (sql.command == "COPY"))
