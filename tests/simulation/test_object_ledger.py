"""Writers on several machines share a bucket, their requests interleaved and failing by a seed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import object_child as child_module
from tests.support.ledger import NOW, all_rows, events, uid_of
from tests.support.object_stage import Stage
from tests.support.object_store import ENVIRONMENT, Place, make_bucket, object_server

from beholden.core.errors import SourceError
from beholden.core.ids import seeded_entropy
from beholden.core.selectors import Selector
from beholden.ledger import compact
from beholden.ledger.own import LEDGER_SOURCE
from beholden.ledger.retention import Policy
from beholden.ledger.storage import mirror as mirror_module

ROOT = Path(__file__).parents[2]
STEP = 6
BATCHES = 5
TRIES_MAX = 30
DAY_US = 86_400_000_000
POLICY = Policy(Selector.parse("*"), 2, "accountability")


@pytest.fixture(scope="module")
def server():
    with pytest.MonkeyPatch.context() as patch, object_server() as address:
        for name, value in (ENVIRONMENT | {"AWS_ENDPOINT_URL": address}).items():
            patch.setenv(name, value)
        patch.setattr(mirror_module, "_REQUESTS_AT_ONCE", 1)
        make_bucket("records")
        yield address


def insist(work, *arguments):
    """As a user who runs it again when it failed; what was acknowledged before it failed stays so."""
    for _ in range(TRIES_MAX):
        try:
            return work(*arguments)
        except SourceError:
            continue
    raise AssertionError


def play(place, tmp_path, seed, *, machines, fault_share):
    """Every machine appends its own events and some of its neighbour's, and seals; returns what was acknowledged."""
    stage = Stage(seed, fault_share=fault_share)
    acknowledged = {}
    places = {}
    place.open(tmp_path / "first", segment_events_max=25)

    def writer(number):
        def work():
            transport = stage.transport(f"w{number}", place.transport())
            clock = iter(range(NOW + number, NOW + 10**9, machines + 1)).__next__
            options = {"clock": clock, "entropy": seeded_entropy(seed * 10 + number), "segment_events_max": 25}
            ledger = insist(lambda: place.open(tmp_path / f"w{number}", transport, **options))
            for batch in range(BATCHES):
                first = (number * BATCHES + batch) * STEP
                wanted = events(max(0, first - STEP // 2), first + STEP)
                result = insist(ledger.append, wanted)
                for uid in wanted.column("uid").to_pylist():
                    acknowledged[uid] = stage.story[-1]
                places[result.first_seq] = (result.next_seq, {*wanted.column("uid").to_pylist()})
                if seed % 2 or batch % 2:
                    insist(ledger.seal)

        return work

    stage.run(**{f"w{number}": writer(number) for number in range(machines)})
    assert stage.failures == []
    return acknowledged, places, stage.story


def survive(place, tmp_path, seed, *, machines=3, fault_share=0.0):
    acknowledged, places, story = play(place, tmp_path, seed, machines=machines, fault_share=fault_share)
    assert place.verify(tmp_path / "check").findings == (), story
    ledger = place.open(tmp_path / "after", segment_events_max=25)
    rows = all_rows(ledger)
    held = [row["uid"] for row in rows]
    assert [row["seq"] for row in rows] == list(range(len(rows)))
    assert len(set(held)) == len(held), story
    assert acknowledged.keys() <= set(held), story
    for first, (stop, wanted) in places.items():
        assert set(held[first:stop]) <= wanted
    last = machines * BATCHES * STEP
    ledger.append(events(0, last))
    ledger.seal()
    assert sorted(row["uid"] for row in all_rows(ledger)) == sorted(uid_of(number) for number in range(last))
    report = place.verify(tmp_path / "check")
    assert (report.findings, report.tree_size) == ((), last), story
    assert not [name for name in place.names() if name.startswith("wal/")]


@pytest.mark.parametrize("seed", range(4))
def test_writers_on_three_machines_lose_and_double_nothing(server, tmp_path, seed):
    survive(Place(f"s3://records/calm/{os.getpid()}/{seed}"), tmp_path, seed)


@pytest.mark.parametrize("seed", range(6))
def test_lost_late_and_repeated_requests_and_stopped_machines_lose_and_double_nothing(server, tmp_path, seed):
    survive(Place(f"s3://records/rough/{os.getpid()}/{seed}"), tmp_path, seed, fault_share=0.08)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_two_hundred_rough_days_lose_and_double_nothing(server, tmp_path, seed):
    share = 0.02 + seed % 5 * 0.04
    survive(Place(f"s3://records/rough/{os.getpid()}/{seed}"), tmp_path, seed, machines=2 + seed % 3, fault_share=share)


def keep_and_prune(place, tmp_path, seed, fault_share):
    """Three machines append, seal and merge; two of them prune. A day passes with every ten calls of the clock."""
    stage = Stage(seed, fault_share=fault_share)
    acknowledged: set[bytes] = set()
    place.open(tmp_path / "first", segment_events_max=25)
    clock = iter(range(NOW, NOW + 1000 * DAY_US, DAY_US // 10)).__next__

    def writer(number):
        def work():
            transport = stage.transport(f"w{number}", place.transport())
            options = {"clock": clock, "entropy": seeded_entropy(seed * 10 + number), "segment_events_max": 25}
            ledger = insist(lambda: place.open(tmp_path / f"w{number}", transport, **options))
            for batch in range(BATCHES):
                first = (number * BATCHES + batch) * STEP
                insist(ledger.append, events(first, first + STEP))
                acknowledged.update(uid_of(event) for event in range(first, first + STEP))
                insist(ledger.seal)
                if batch >= 2 and number < 2:
                    insist(lambda: ledger.prune([POLICY], trust_clock=True))

        return work

    stage.run(**{f"w{number}": writer(number) for number in range(3)})
    assert stage.failures == [], stage.story
    assert place.verify(tmp_path / "check").findings == (), stage.story
    ledger = place.open(tmp_path / "after", clock=clock, segment_events_max=25)
    first = ledger.tables().manifest.first_seq
    rows = all_rows(ledger)
    assert [row["seq"] for row in rows] == list(range(first, first + len(rows)))
    held = [row["uid"] for row in rows if row["source"] != LEDGER_SOURCE]
    assert len(set(held)) == len(held)
    assert len(acknowledged - set(held)) <= first
    ledger.append(events(1000, 1010))
    ledger.seal()
    assert place.verify(tmp_path / "check").findings == ()
    return first


@pytest.mark.parametrize("seed", range(4))
def test_merging_and_pruning_at_once_lose_nothing_else(server, tmp_path, monkeypatch, seed):
    for name in ("_SOME", "_MANY"):
        monkeypatch.setattr(compact, name, 2)
    keep_and_prune(Place(f"s3://records/kept/{os.getpid()}/{seed}"), tmp_path, seed, 0.05)


@pytest.mark.slow
def test_a_hundred_rough_days_of_merging_and_pruning(server, tmp_path, monkeypatch):
    for name in ("_SOME", "_MANY"):
        monkeypatch.setattr(compact, name, 2)
    place = f"s3://records/kept/{os.getpid()}"
    pruned = [keep_and_prune(Place(f"{place}/{seed}"), tmp_path / str(seed), seed, 0.05) for seed in range(500, 600)]
    assert sum(first > 0 for first in pruned) > 20


def child(place, cache, first, stop, seed, *kill):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.object_child", place.url, cache, *map(str, (first, stop, seed, *kill))],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finished(process, code=0):
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    return [[int(word) for word in line.split()] for line in out.splitlines() if not line.startswith("requests")]


def test_two_processes_append_and_seal_at_once(server, tmp_path):
    place = Place(f"s3://records/processes/{os.getpid()}")
    shared = 5 * child_module.STEP
    writers = [
        child(place, tmp_path / "one", 0, shared + 40, 1),
        child(place, tmp_path / "two", shared, shared + 80, 2),  # begins with what the other ends with
    ]
    told = [line for writer in writers for line in finished(writer)]
    assert sum(new for _, _, new in told) == shared + 80
    ledger = place.open(tmp_path / "after")
    assert sorted(row["uid"] for row in all_rows(ledger)) == sorted(uid_of(i) for i in range(shared + 80))
    assert place.verify(tmp_path / "check").findings == ()


@pytest.mark.parametrize("seed", range(4))
def test_a_kill_loses_and_doubles_nothing(server, tmp_path, seed):
    kill(Place(f"s3://records/killed/{os.getpid()}/{seed}"), tmp_path, random.Random(seed).randrange(2 * 60))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 160))
def test_sixty_kills_lose_and_double_nothing(server, tmp_path, seed):
    kill(Place(f"s3://records/killed/{os.getpid()}/{seed}"), tmp_path, random.Random(seed).randrange(2 * 60))


def kill(place, tmp_path, point):
    stop = 9 * child_module.STEP
    told = finished(child(place, tmp_path / "cache", 0, stop, 1, point), -9)
    acknowledged = max((last for _, last, _ in told), default=0)
    ledger = place.open(tmp_path / "cache", segment_events_max=child_module.SEGMENT_EVENTS_MAX)
    held = [row["uid"] for row in all_rows(ledger)]
    assert held in ([uid_of(i) for i in range(end)] for end in (acknowledged, acknowledged + child_module.STEP))
    assert place.verify(tmp_path / "check").findings == ()
    for start in range(0, stop, child_module.STEP):
        ledger.append(events(start, start + child_module.STEP))
    ledger.seal()
    assert [row["uid"] for row in all_rows(ledger)] == [uid_of(i) for i in range(stop)]
    report = place.verify(tmp_path / "check")
    assert (report.findings, report.notes, report.tree_size) == ((), (), stop)
