from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.estate import MASTER, Rooms, rooms_in
from tests.support.ledger import NOW, SIGNER, all_rows, open_ledger

from beholden.core.errors import NotFoundError, SourceError, UsageError
from beholden.core.names import Person
from beholden.ledger.files import Disk
from beholden.ledger.forgetting import ERASURES, Erased, erased_tokens, forget_people, tell_erasures
from beholden.ledger.verify import verify
from beholden.state.ingests import ingest_rows
from beholden.vault import ErasureSeals

SEALS = ErasureSeals(MASTER)


@pytest.fixture
def rooms(tmp_path) -> Iterator[Rooms]:
    with rooms_in(tmp_path) as opened:
        yield opened


def forget(rooms: Rooms, *people: str, **more: Any) -> Erased:
    known: dict[str, Any] = {"reason": "request 7", "by": Person("actor", "clerk")}
    return forget_people(
        [Person.parse(text) for text in people], vault=rooms.vault, ledger=rooms.ledger, state=rooms.state,
        engine=rooms.engine, clock=lambda: NOW, **(known | more),
    )  # fmt: skip


def named(rooms: Rooms, *texts: str) -> list[bool]:
    return [token is not None for token in rooms.vault.find([Person.parse(text) for text in texts])]


def erasures(rooms: Rooms) -> list[dict[str, Any]]:
    return [row for row in all_rows(rooms.ledger) if row["source"] == ERASURES]


@pytest.mark.parametrize("sealed", [True, False])
def test_an_erasure_is_an_event_and_an_account(rooms, sealed):
    rooms.keep({"actor": "clerk", "subjects": ["customer:1"]}, {"actor": "clerk", "subjects": ["customer:2"]})
    tokens = {rooms.token("customer:1"), rooms.token("customer:2")}
    done = forget(rooms, "customer:1", "customer:2", "customer:1", "customer:99")
    assert done == Erased(2, 1, 0, scrubbed=True)
    if sealed:
        rooms.ledger.seal()
    (event,) = erasures(rooms)
    assert (event["activity"], event["class_uid"], event["scope"]) == ("delete", 3004, "none")
    assert (event["subject_count"], event["subjects"], event["dataset"]) == (2, None, None)
    assert event["actor"] == rooms.token("actor:clerk")
    assert erased_tokens(rooms.directory / "ledger", SIGNER, SEALS) == tokens
    (account,) = [row for row in ingest_rows(rooms.state) if row.source == ERASURES]
    assert (account.events_new, account.unsettled, account.finished) == (1, False, NOW)
    assert verify(rooms.directory / "ledger", key=SIGNER, acknowledged=3 if sealed else 0).findings == ()


def test_whoever_is_forgotten_already_is_unknown_and_makes_no_event(rooms):
    rooms.keep({"subjects": ["customer:1"]})
    forget(rooms, "customer:1")
    assert forget(rooms, "customer:1") == Erased(0, 1, 0, scrubbed=True)
    assert len(erasures(rooms)) == 1


def test_who_is_held_stays_and_the_rest_goes(rooms):
    rooms.keep({"subjects": ["customer:1"], "assignment": "T-1"}, {"subjects": ["customer:2"], "assignment": "T-2"})
    held = rooms.token("customer:1")
    asked = []

    def hold(tokens):
        asked.extend(tokens)
        return {held: "case 12"}

    done = forget(rooms, "customer:3", "customer:1", "customer:2", held=hold)
    assert (done.forgotten, done.unknown, done.also, done.held) == (1, 1, 1, {1: "case 12"})
    assert named(rooms, "customer:1", "assignment:T-1", "customer:2", "assignment:T-2") == [True, True, False, False]
    assert len(asked) == 2


def test_without_a_reason_nobody_is_forgotten(rooms):
    rooms.keep({"subjects": ["customer:1"]})
    with pytest.raises(UsageError):
        forget(rooms, "customer:1", reason="")
    assert named(rooms, "customer:1") == [True]


@pytest.mark.parametrize(
    ("events", "goes"),
    [
        # a ticket
        ([{"subjects": ["customer:1"], "assignment": "x"}], True),
        ([{"subjects": ["customer:1"], "assignment": "x"}, {"subjects": ["customer:2"], "assignment": "x"}], True),
        ([{"subjects": ["customer:1"], "assignment": "x"}, {"actor": "clerk", "assignment": "x"}], True),
        ([{"subjects": ["customer:2"], "assignment": "x"}], False),
        ([{"on_behalf_of": "customer:1", "assignment": "x"}], True),
        ([{"actor": "customer:1", "assignment": "x"}], True),
        (
            [{"subjects": [f"customer:{n}"], "assignment": "x"} for n in (1, *range(1000, 1101))],
            False,
        ),
        ([{"subjects": [f"customer:{n}" for n in (1, *range(1000, 1100))], "assignment": "x"}], True),
        # a device, a key
        ([{"actor": "customer:1", "device": "x"}], True),
        ([{"actor": "customer:1", "device": "x"}, {"device": "x"}], True),
        ([{"actor": "customer:1", "device": "x"}, {"actor": "customer:2", "device": "x"}], False),
        ([{"actor": "clerk", "subjects": ["customer:1"], "device": "x"}], False),
        ([{"actor": "customer:1", "credential": "x"}, {"actor": "customer:3", "credential": "x"}], True),
        # a text
        ([{"subjects": ["customer:1"], "purpose": "x"}], True),
        ([{"subjects": ["customer:1", "customer:3"], "app": "x"}], True),
        ([{"subjects": ["customer:1", "customer:2"], "app": "x"}], False),
        ([{"subjects": ["customer:1"], "purpose": "x"}, {"subjects": ["customer:2"], "purpose": "x"}], False),
        ([{"subjects": ["customer:1"], "app": "x"}, {"actor": "clerk", "app": "x"}], False),
        ([{"subjects": ["customer:1"], "app": "x"}, {"on_behalf_of": "customer:2", "app": "x"}], False),
        ([{"actor": "customer:1", "app": "x"}], True),
    ],
)
@pytest.mark.parametrize("sealed", [True, False])
def test_what_leads_to_the_forgotten_goes_with_them(rooms, events, goes, sealed):
    """Customer 1 is forgotten now, customer 3 was before; customer 2 and others stay."""
    (column,) = {name for event in events for name in event} & {"assignment", "device", "credential", "app", "purpose"}
    rooms.keep(*({"rows": number} | event for number, event in enumerate(events)), {"subjects": ["customer:3"]})
    if sealed:
        rooms.ledger.seal()
    forget(rooms, "customer:3")
    assert named(rooms, f"{column}:x") == [True]
    forget(rooms, "customer:1")
    assert named(rooms, f"{column}:x") == [not goes]
    assert named(rooms, "actor:clerk") == [True]


class Full(Disk):
    """A disk without room."""

    def write(self, _file, _data):
        raise OSError(28, "full")


def test_an_event_the_disk_had_no_room_for_is_written_later(rooms):
    rooms.keep({"subjects": ["customer:1"]})
    rooms.vault.tokens([Person("actor", "clerk")])
    good, rooms.ledger = rooms.ledger, open_ledger(rooms.directory / "ledger", disk=Full())
    done = forget(rooms, "customer:1")
    assert isinstance(done.untold, SourceError)
    assert done.forgotten == 1
    assert named(rooms, "customer:1") == [False]
    rooms.ledger = good
    assert erasures(rooms) == []
    assert tell_erasures(rooms.vault, rooms.ledger, rooms.state, lambda: NOW) == 1
    assert tell_erasures(rooms.vault, rooms.ledger, rooms.state, lambda: NOW) == 0
    assert len(erasures(rooms)) == 1


def test_an_erasure_that_was_told_is_not_told_twice(rooms):
    rooms.keep({"subjects": ["customer:1"]})
    rooms.vault.forget([Person("customer", "1")], reason="request 7")
    erasure = rooms.vault.untold()
    tell_erasures(rooms.vault, rooms.ledger, rooms.state, lambda: NOW)
    rooms.vault.untold = lambda: erasure  # as if it had been stopped before it dropped the note
    tell_erasures(rooms.vault, rooms.ledger, rooms.state, lambda: NOW)
    assert len(erasures(rooms)) == 1
    assert sum(row.events_new for row in ingest_rows(rooms.state)) == 1


def test_a_large_erasure_is_several_events_of_one_batch(rooms):
    people = [f"customer:{number}" for number in range(4100)]
    tokens = {rooms.token(text) for text in people[:1]} | set(
        rooms.vault.tokens([Person.parse(text) for text in people])
    )
    done = forget(rooms, *people)
    assert done.forgotten == 4100
    assert [row["subject_count"] for row in erasures(rooms)] == [4100, 0, 0]
    assert erased_tokens(rooms.directory / "ledger", SIGNER, SEALS) == tokens


def test_a_log_that_calls_itself_so_forgets_nobody(rooms):
    token = rooms.token("customer:1")
    (text,) = rooms.vault.encrypt([token], None)
    rooms.keep({"source": ERASURES, "subjects": ["customer:1"], "detail": text}, {"source": ERASURES})
    assert erased_tokens(rooms.directory / "ledger", SIGNER, SEALS) == set()


def test_there_has_to_be_a_ledger(tmp_path):
    with pytest.raises(NotFoundError):
        erased_tokens(tmp_path, SIGNER, SEALS)
