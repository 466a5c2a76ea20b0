"""Questions answered by the indexes and by the segments themselves, while a writer appends and seals: always the same."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.support.estate import Rooms, rooms_in
from tests.support.ledger import NOW, SIGNER, open_ledger

from beholden.core.names import DatasetName, Person
from beholden.core.times import Window, parse_time
from beholden.ledger._distinct import DistinctPersons
from beholden.ledger.dossier import DossierRow, dossier
from beholden.ledger.gaps import stores_on_record
from beholden.ledger.touched import nameless_actors, record_of_sources, touched_datasets
from beholden.ledger.unchanged import Indexes
from beholden.ledger.verify import verify
from beholden.ledger.who import Question, Target, ask_events, group, matched_events

_HOUR = 3_600_000_000
_DATASETS = ("customer", "rental", "address", "film", None)
_STORES = ("crm", "crm", "shop", None)
_PEOPLE = ("customer:1", "customer:2", "customer:3", "staff:1")
_ACTORS = ("ann", "bo", "customer:1", None)
_KEYS = ("k1", "k2", None, None)
_FIELDS: tuple[list[str] | None, ...] = (None, [], ["email"], ["id", "email"], ["naïve", ""])


@pytest.fixture
def rooms(tmp_path: Path):
    with rooms_in(tmp_path) as made:
        made.ledger = open_ledger(tmp_path / "small", segment_events_max=40, clock=lambda: NOW)
        yield made


def _event(chance: random.Random, number: int) -> dict[str, Any]:
    scope = chance.choice(("subjects", "predicate", "table", "none"))
    nobody: list[str | None] = [None, None, ""]
    people: list[str] | None = chance.sample(_PEOPLE, chance.randrange(4))
    if scope != "subjects":
        people = [] if chance.choice(nobody) == "" else None
    return {
        "uid": hashlib.sha256(b"%d" % number).digest()[:10],
        "time": NOW - chance.randrange(200) * _HOUR - chance.randrange(5),
        "source": chance.choice(("crm", "web")),
        "activity": chance.choice(("read", "query", "export", "update", "login")),
        "actor": chance.choice(_ACTORS),
        "credential": chance.choice(_KEYS),
        "device": chance.choice(("d1", "d2", None)),
        "app": chance.choice(("psql", None)),
        "ip": chance.choice((b"\n\0\0\1", bytes(16), None)),
        "store": chance.choice(_STORES),
        "dataset": chance.choice(_DATASETS),
        "fields": chance.choice(_FIELDS),
        "subjects": people,
        "scope": scope,
        "subject_count": chance.choice((None, None, 0, 1, 9)),
        "rows": chance.choice((None, 0, 7, -1, 2**40, 2**63 - 1, -(2**63))),
        "statement": chance.choice((None, bytes(16), b"s" * 16)),
        "correlation": chance.choice((None, None, None, f"c{number // 4}", f"c{number // 60}")),
        "literals": chance.choice((None, b"", b"secret")),
    }


def _question(chance: random.Random) -> dict[str, Any]:
    edges = sorted(NOW - chance.randrange(200) * _HOUR for _ in range(2))
    window = chance.choice((Window(), Window(*edges), Window(edges[0], None), Window(None, edges[1])))
    targets = [
        Target(
            DatasetName(chance.choice(("crm", "shop")), chance.choice(_DATASETS[:-1])),
            match=chance.choice(("named", "named", "included", "view", "possible")),
            asked=chance.choice((None, None, DatasetName("crm", "x"))),
            distance=chance.randrange(3),
            key=chance.random() < 0.5,
            mixed=chance.random() < 0.3,
            part=chance.random() < 0.3,
            fields=chance.choice((None, None, ("email",), ())),
        )
        for _ in range(chance.randrange(5))
    ]
    some = {
        "actors": tuple(Person("actor", name) for name in chance.sample(("ann", "bo", "nobody"), 2)),
        "credentials": tuple(Person("credential", name) for name in chance.sample(("k1", "k2", "k9"), 2)),
        "devices": (Person("device", "d1"),),
        "targets": tuple(targets),
        "subject": Person.parse(chance.choice(("customer:1", "customer:3", "customer:99"))),
    }
    asked = {name: value for name, value in some.items() if chance.random() < 0.35}
    if "subject" in asked:
        asked.setdefault("targets", tuple(targets))
        if chance.random() < 0.3:
            asked["only"] = (DatasetName("crm", "customer"),)
    return {"window": window, **asked}


def _without(snapshot):
    object.__setattr__(snapshot, "indexes", Indexes({}, ()))
    return snapshot


def _answers(rooms: Rooms, question: Question, snapshot) -> Any:
    matched = matched_events(question, snapshot, rooms.engine, rooms.vault)
    narrow = matched_events(question, snapshot, rooms.engine, rooms.vault, wide=False)
    assert narrow.equals(matched.select(narrow.column_names))
    told = None if question.subject is not None else dossier(question, snapshot, rooms.engine, rooms.vault)
    groups = sorted(map(repr, group(matched, rooms.engine, rooms.vault)))
    return matched.to_pylist(), ask_events(matched, rooms.vault), groups, told


@pytest.mark.parametrize("seed", range(2))
def test_answers_do_not_depend_on_indexes_nor_on_a_writer(rooms: Rooms, seed: int):
    chance = random.Random(seed)
    number = 0
    for _ in range(4):
        for _ in range(chance.randrange(1, 4)):
            rooms.keep(*(_event(chance, number + i) for i in range(30)))
            number += 30
        before = rooms.ledger.tables()
        if chance.random() < 0.8:
            rooms.ledger.seal()
        after = rooms.ledger.tables()
        bare = _without(rooms.ledger.tables())
        if chance.random() < 0.4 and after.indexes.of:  # an index is lost
            (rooms.directory / "small/index").joinpath(
                Path(chance.choice(sorted(after.indexes.of))).stem + ".index"
            ).unlink()
        holed = rooms.ledger.tables()
        for _ in range(6):
            question = Question(**_question(chance))
            wanted = _answers(rooms, question, bare)
            for snapshot in (before, after, holed):
                assert _answers(rooms, question, snapshot) == wanted
            window = question.window
            for snapshot in (before, after, holed):
                assert touched_datasets(snapshot, window) == touched_datasets(bare, window)
                assert nameless_actors(snapshot, rooms.vault) == nameless_actors(bare, rooms.vault) == 0
                assert stores_on_record(snapshot) == stores_on_record(bare)
                assert record_of_sources(snapshot).packed() == record_of_sources(bare).packed()


@pytest.mark.parametrize("seed", range(2))
def test_a_dossier_adds_up_to_the_accesses(rooms: Rooms, seed: int, monkeypatch):
    chance = random.Random(seed)
    for number in range(0, 200, 25):
        rooms.keep(*(_event(chance, number + i) for i in range(25)))
        if number % 50:
            rooms.ledger.seal()
    monkeypatch.setattr("beholden.ledger.dossier._JUDGED_MAX", 20)
    if seed % 2:  # in several passes
        monkeypatch.setattr("beholden.ledger.dossier.DistinctPersons", lambda: DistinctPersons(held_max=30))
    snapshot = rooms.ledger.tables()
    for _ in range(15):
        question = Question(
            **{name: value for name, value in _question(chance).items() if name not in ("subject", "only")}
        )
        rows = matched_events(question, snapshot, rooms.engine, rooms.vault).to_pylist()
        told = dossier(question, snapshot, rooms.engine, rooms.vault).rows
        if not rows:
            assert told == []
            continue
        assert told[0].of == "all"
        for row in told:
            if row.of in ("device", "app", "ip"):
                continue
            mine = [one for one in rows if _belongs(one, row, rooms)]
            counted = [one["rows"] for one in mine if one["rows"] is not None]
            whole = [one["subject_count"] for one in mine if one["subject_count"] is not None]
            assert (row.events, row.possible) == (len(mine), sum(one["match"] == "possible" for one in mine))
            assert row.rows == (min(max(sum(counted), -(2**63)), 2**63 - 1) if counted else None)
            assert row.whole == max(whole, default=None)
            times = [one["time"].isoformat() for one in mine]
            assert (parse_time(row.first), parse_time(row.last)) == (parse_time(min(times)), parse_time(max(times)))
            if row.of in ("all", "actor"):
                assert row.subjects == len({person for one in mine for person in one["subjects"] or ()})
        shares = Counter(row.of for row in told)
        assert shares["all"] == 1
        for of in ("actor", "dataset", "activity", "credential"):
            assert sum(row.events for row in told if row.of == of) == len(rows)


def _belongs(one: dict[str, Any], row: DossierRow, rooms: Rooms) -> bool:
    if row.of in ("actor", "credential"):
        return _name(one[row.of], rooms) == row.name
    if row.of == "dataset":
        return f"{one['store'] or '?'}/{one['dataset'] or '?'}" == row.name
    if row.of == "field":
        return row.name is None if one["fields"] is None else row.name in one["fields"]
    return row.of == "all" or one["activity"] == row.name


def _name(token: bytes | None, rooms: Rooms) -> str | None:
    if token is None:
        return None
    person = rooms.vault.identities([token])[token]
    return person.identifier if person.kind in ("actor", "credential") else str(person)


def test_an_altered_index_is_not_used_and_is_named(rooms: Rooms, tmp_path: Path):
    chance = random.Random(5)
    rooms.keep(*(_event(chance, i) for i in range(30)))
    rooms.ledger.seal()
    (path,) = (tmp_path / "small/index").iterdir()
    question = Question(targets=(Target(DatasetName("crm", "customer")),))
    wanted = _answers(rooms, question, rooms.ledger.tables())
    assert not rooms.ledger.tables().indexes.refused
    genuine = path.read_bytes()
    places = [0, 9, 40, len(genuine) - 1, *chance.sample(range(len(genuine)), 20)]
    for altered in [*(genuine[:at] + bytes([genuine[at] ^ 1]) + genuine[at + 1 :] for at in places), b"", genuine[:-1]]:
        path.write_bytes(altered)
        snapshot = rooms.ledger.tables()
        assert [error.where for error in snapshot.indexes.refused] == [f"index/{path.name}"]
        assert not snapshot.indexes.of
        assert _answers(rooms, question, snapshot) == wanted
        assert [finding.object for finding in verify(tmp_path / "small", key=SIGNER).findings] == [f"index/{path.name}"]
    path.unlink()
    assert verify(tmp_path / "small", key=SIGNER).ok
    rooms.keep(_event(chance, 31))
    rooms.ledger.seal()
    assert path.read_bytes() == genuine
    shutil.copy(path, path.with_name("other"))
    second = next(one for one in path.parent.glob("*.index") if one != path)
    second.write_bytes(genuine)  # signed, and of another segment
    assert [error.where for error in rooms.ledger.tables().indexes.refused] == [f"index/{second.name}"]


def test_what_was_never_checked_cannot_be_noted_as_checked(rooms: Rooms, tmp_path: Path):
    chance = random.Random(5)
    rooms.keep(*(_event(chance, i) for i in range(30)))
    rooms.ledger.seal()
    rooms.ledger.tables()
    notes = tmp_path / "small/checked.json"
    (path,) = (tmp_path / "small/index").iterdir()
    old = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    new = path.stat()
    text = (
        notes.read_text()
        .replace(str(old.st_mtime_ns), str(new.st_mtime_ns))
        .replace(str(old.st_ctime_ns), str(new.st_ctime_ns))
    )
    notes.write_text(text)
    assert rooms.ledger.tables().indexes.refused
