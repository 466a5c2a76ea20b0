from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from tests.support.estate import Rooms, rooms_in

from beholden.core.config_file import parse_config
from beholden.core.errors import SourceError
from beholden.core.names import Person
from beholden.core.times import Window, parse_time
from beholden.feeds import open_feed
from beholden.feeds.feed import INTERVALS
from beholden.watch.reasons import SLACK, ActorReasons, judge, summarise, unexplained

T = parse_time("2026-11-20T10:00:00Z")
MINUTE = 60_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at(micros: int | None) -> datetime | None:
    return None if micros is None else EPOCH + timedelta(microseconds=micros)


class GivenFeed:
    """A feed in memory: rows of actor, subject (kind:identifier), opened, closed."""

    def __init__(self, *rows: tuple[Any, ...], name: str = "tickets", end: Exception | None = None) -> None:
        self.name = name
        self._rows = rows
        self._end = end

    def intervals(self):
        columns = []
        for actor, subject, opened, closed in self._rows:
            kind, _, identifier = (subject or "").partition(":")
            columns.append(
                {
                    "actor": actor,
                    "subject_kind": kind or None,
                    "subject": identifier or None,
                    "opened": at(opened),
                    "closed": at(closed),
                }
            )
        yield pa.RecordBatch.from_pylist(columns, schema=INTERVALS)
        if self._end is not None:
            raise self._end


@pytest.fixture
def rooms(tmp_path):
    with rooms_in(tmp_path) as made:
        yield made


def look(time: int = T, *subjects: str, actor: str | None = "ann", **values) -> dict[str, Any]:
    return {
        "dataset": "customer",
        "actor": actor,
        "time": time,
        "subjects": list(subjects or ("customer:1",)),
        **values,
    }


def judged(rooms: Rooms, *feeds: GivenFeed, window: Window | None = None) -> pa.Table:
    return judge(rooms.ledger.tables(), feeds, rooms.engine, rooms.vault, window or Window())  # type: ignore[arg-type]


def reasons(rooms: Rooms, *feeds: GivenFeed, **options) -> list[str | None]:
    found: list[str | None] = judged(rooms, *feeds, **options).column("reason").to_pylist()
    return found


SLACK_US = SLACK // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("opened", "closed", "explained"),
    [
        (T, T + MINUTE, True),
        (T - MINUTE, T, True),  # within the slack
        (T - MINUTE, None, True),
        (T, None, True),
        (T + 1, T + MINUTE, False),
        (T + 1, None, False),
        (T - MINUTE - SLACK_US, T - SLACK_US + 1, True),
        (T - MINUTE - SLACK_US, T - SLACK_US, False),
        (T - 9 * SLACK_US, T - 8 * SLACK_US, False),
        (None, None, False),  # a feed without opening times gives no reason for a certain time
    ],
)
def test_a_contact_explains_from_its_opening_to_a_little_after_its_end(rooms: Rooms, opened, closed, explained):
    rooms.keep(look(T))
    assert reasons(rooms, GivenFeed(("ann", "customer:1", opened, closed))) == ["tickets" if explained else None]


@pytest.mark.parametrize(
    ("actor", "subject"),
    [
        ("bo", "customer:1"),
        ("ann", "customer:2"),
        ("ann", "seller:1"),
        ("customer:1", "customer:1"),
        ("Ann", "customer:1"),
        (None, "customer:1"),
        ("ann", None),
        ("unheard of", "customer:unheard"),
    ],
)
def test_somebody_elses_contact_explains_nothing(rooms: Rooms, actor, subject):
    rooms.keep(look(T), look(T, "customer:2", actor="bo"), look(T, "seller:1", actor="cy"))
    known = rooms.vault.status().people
    assert reasons(rooms, GivenFeed((actor, subject, T, None)))[0] is None
    assert rooms.vault.status().people == known  # asking makes nobody known


def test_contacts_that_overlap_count_once(rooms: Rooms):
    rooms.keep(look(T))
    feed = GivenFeed(*[("ann", "customer:1", T - i * MINUTE, None) for i in range(5)])
    assert reasons(rooms, feed, GivenFeed(("ann", "customer:1", T, None), name="cases")) == ["cases"]


def test_each_person_of_an_access_needs_a_reason(rooms: Rooms):
    rooms.keep(look(T, "customer:1", "customer:2", "customer:3"))
    table = judged(
        rooms, GivenFeed(("ann", "customer:1", T, None)), GivenFeed(("ann", "customer:3", T, None), name="cases")
    )
    people = rooms.vault.identities(table.column("subject").to_pylist())
    found = {str(people[row["subject"]]): row["reason"] for row in table.to_pylist()}
    assert found == {"customer:1": "tickets", "customer:2": None, "customer:3": "cases"}
    assert summarise(table, rooms.vault) == [ActorReasons("ann", 3, 2, 1, 1)]


def test_one_statement_over_several_datasets_is_one_access(rooms: Rooms):
    rooms.keep(
        look(T, correlation="a"), look(T, correlation="a", dataset="address"), look(T, dataset="rental", session="2")
    )
    (row,) = summarise(judged(rooms), rooms.vault)
    assert (row.accesses, row.unexplained, row.subjects_unexplained) == (2, 2, 1)
    assert [access.dataset for access in unexplained(judged(rooms), rooms.vault)] == ["customer", "rental"]


def test_persons_named_beside_others_count_too(rooms: Rooms):
    rooms.keep(
        look(T, scope="predicate"), look(T, scope="table"), {"dataset": "customer", "actor": "ann", "scope": "table"}
    )
    assert reasons(rooms) == [None, None]


def test_an_access_by_nobody_knows_whom_has_no_reason(rooms: Rooms):
    rooms.keep(look(T, actor=None))
    table = judged(rooms, GivenFeed(("ann", "customer:1", T, None)))
    assert summarise(table, rooms.vault) == [ActorReasons(None, 1, 0, 1, 1)]
    assert unexplained(table, rooms.vault)[0].actor is None


def test_only_the_window_is_judged(rooms: Rooms):
    rooms.keep(*(look(T + i, session=str(i)) for i in range(4)))
    window = Window(T + 1, T + 3)
    assert judged(rooms, window=window).num_rows == 2
    assert judged(rooms, GivenFeed(("ann", "customer:1", T - MINUTE, T)), window=window).num_rows == 2
    assert judged(rooms, window=Window(T + 9, None)).num_rows == 0


def test_no_feed_and_no_event(rooms: Rooms):
    assert summarise(judged(rooms), rooms.vault) == []
    assert unexplained(judged(rooms, GivenFeed()), rooms.vault) == []
    rooms.keep(look(T))
    assert reasons(rooms) == reasons(rooms, GivenFeed()) == [None]


def test_the_most_unexplained_come_first_and_the_explained_too(rooms: Rooms):
    rooms.keep(
        look(T, actor="ann"),
        look(T, "customer:2", "customer:3", actor="bo"),
        look(T, "customer:4", actor="cy"),
        look(T + 1, "customer:4", actor="cy"),
    )
    table = judged(rooms, GivenFeed(("ann", "customer:1", T, None)))
    assert summarise(table, rooms.vault) == [
        ActorReasons("bo", 2, 0, 2, 2),
        ActorReasons("cy", 2, 0, 2, 1),
        ActorReasons("ann", 1, 1, 0, 0),
    ]


def test_what_is_unexplained_is_listed_in_the_ledgers_order(rooms: Rooms):
    rooms.keep(look(T + 5, "customer:2"), look(T, "customer:1"), look(T + 2, "customer:3"))
    rooms.ledger.seal()
    rooms.keep(look(T + 3, "customer:4", actor="bo"))
    found = unexplained(judged(rooms, GivenFeed(("ann", "customer:1", T, None))), rooms.vault)
    assert [(access.seq, access.subject, access.actor) for access in found] == [
        (0, "customer:2", "ann"),
        (2, "customer:3", "ann"),
        (3, "customer:4", "bo"),
    ]
    assert found[0].time == "2026-11-20T10:00:00.000005Z"


def test_forgotten_people_are_shown_as_such_and_no_contact_of_theirs_matters(rooms: Rooms):
    rooms.keep(look(T))
    rooms.vault.forget([Person("customer", "1"), Person("actor", "ann")], reason="asked")
    table = judged(rooms, GivenFeed(("ann", "customer:1", T, None)))
    (access,) = unexplained(table, rooms.vault)
    assert (access.actor, access.subject) == ("forgotten", "forgotten")
    assert summarise(table, rooms.vault) == [ActorReasons("forgotten", 1, 0, 1, 1)]


def test_a_feed_that_breaks_off_gives_no_half_answer(rooms: Rooms):
    rooms.keep(look(T))
    with pytest.raises(SourceError):
        judged(rooms, GivenFeed(("ann", "customer:1", T, None), end=SourceError("feed tickets", "is damaged")))


def test_a_feed_of_a_file(rooms: Rooms, tmp_path):
    (tmp_path / "contacts.csv").write_text(
        "ticket,agent,cust,opened,closed\n"
        "t1, ann ,1,2026-11-20T09:59:00Z,2026-11-20T10:01:00Z\n"
        "t2,ann,2,2026-11-20T11:59:00+02:00,\n"
    )
    config = parse_config(
        '[[feed]]\nname = "tickets"\nkind = "contact"\nsource = "contacts.csv"\nactor = "agent"\n'
        'subject = "customer:cust"\nopened = "opened"\nclosed = "closed"\n',
        tmp_path,
    )
    rooms.keep(look(T), look(T, "customer:2"), look(T, "customer:3"))
    feed = open_feed(config.feed[0], root=tmp_path)
    table = judge(rooms.ledger.tables(), [feed], rooms.engine, rooms.vault, Window())
    assert table.column("reason").to_pylist() == ["tickets", "tickets", None]
