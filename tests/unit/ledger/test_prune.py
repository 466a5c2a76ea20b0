"""Old segments go under declared policies: what goes, what stays, what is said, and that proofs stay possible."""

from __future__ import annotations

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest
from tests.support.ledger import NOW, SIGNER, all_rows, batch_of, event, events, open_ledger, uid_of

from beholden.core.errors import BeholdenError, IntegrityError, NotFoundError, SourceError, UsageError
from beholden.core.selectors import Selector
from beholden.ledger.canonical import leaf_hashes
from beholden.ledger.files import sealed_json
from beholden.ledger.format import TILE_WIDTH, Layout
from beholden.ledger.manifest import Pruned, read_manifest
from beholden.ledger.own import LEDGER_SOURCE, read_own
from beholden.ledger.pruned import cut_leaves, head_nodes, node_places
from beholden.ledger.records import PruneRecord
from beholden.ledger.retention import Policy
from beholden.ledger.segments import describe_batches
from beholden.ledger.tree import read_tile
from beholden.ledger.verify import verify

DAY = 86_400_000_000
ALL = Policy(Selector.parse("*"), 30, "accountability")


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def grow(directory: Path, clock: Clock, steps=(100, 200, 256, 300, 344), every=10 * DAY, **options):
    """Events sealed in steps, some days apart; returns the ledger and every tree head."""
    ledger = open_ledger(directory, clock=clock, **options)
    heads, at = [], 0
    for step in steps:
        ledger.append(events(at, at + step))
        heads.append(ledger.seal().checkpoint)
        clock.now += every
        at += step
    return ledger, heads


def held(ledger):
    return [row["uid"] for row in all_rows(ledger) if row["source"] != LEDGER_SOURCE]


def test_without_a_policy_nothing_goes(tmp_path, clock):
    ledger, _ = grow(tmp_path / "ledger", clock)
    clock.now += 10_000 * DAY
    for result in (ledger.plan_prune([]), ledger.prune([], trust_clock=True).plan):
        assert (result.segments, result.reasons) == ((), ("no policy is declared",))
    assert held(ledger) == [uid_of(i) for i in range(1200)]


def test_what_is_past_goes_and_the_ledger_says_so(tmp_path, clock):
    directory = tmp_path / "ledger"
    ledger, heads = grow(directory, clock)
    planned = ledger.plan_prune([ALL])
    result = ledger.prune([ALL])
    assert planned == result.plan
    assert (result.plan.events, result.first_seq) == (556, 556)  # sealed 50, 40 and 30 days ago
    assert result.plan.reasons == ("* for 30 days (accountability) until 2026-01-21",)
    assert held(ledger) == [uid_of(i) for i in range(556, 1200)]
    report = verify(directory, key=SIGNER, acknowledged=1200)
    assert (report.findings, report.notes, report.tree_size) == ((), (), 1201)
    layout = Layout(directory)
    manifest, _ = read_manifest(layout)
    [told] = read_own(layout, manifest, describe_batches([]))
    assert isinstance(told.record, PruneRecord)
    assert manifest.pruned == Pruned(seq=told.seq, time=told.time, record=told.record)
    assert (result.seq, told.record.first_seq, told.record.last_seq) == (told.seq, 0, 555)
    assert [policy.purpose for policy in told.record.policies] == ["accountability"]
    assert {path.stem for path in layout.uids.iterdir()} == {path.stem for path in layout.segments.iterdir()}
    assert [path.name for path in layout.segments.glob("*00000-*")] == []
    assert heads[-1].size == 1200
    again = ledger.prune([ALL])
    assert (again.seq, again.plan.segments) == (None, ())
    assert open_ledger(directory, clock=clock).append(events(600, 620)).known == 20


def test_a_ledger_of_which_all_goes_goes_on(tmp_path, clock):
    directory = tmp_path / "ledger"
    ledger, _ = grow(directory, clock, steps=(5, 6))
    clock.now += 20 * DAY
    assert ledger.prune([ALL]).first_seq == 11
    assert held(ledger) == []
    assert verify(directory, key=SIGNER).findings == ()
    for writer in (ledger, open_ledger(directory, clock=clock)):
        writer.append(events(20, 25))
        writer.seal()
    assert verify(directory, key=SIGNER).findings == ()
    assert held(ledger) == [uid_of(i) for i in range(20, 25)]


def old_root(layout, manifest, size, leaves):
    """The root of an old tree head, from what a pruned ledger still has."""
    block = size - size % TILE_WIDTH
    blocks = [
        read_tile(layout, 1, index // TILE_WIDTH, index % TILE_WIDTH + 1)[-32:] for index in range(block // TILE_WIDTH)
    ]
    if block < size and block + TILE_WIDTH <= manifest.first_seq:
        kept = head_nodes(layout, manifest, size)
        index = block // TILE_WIDTH
        assert whole(kept, block) == read_tile(layout, 1, index // TILE_WIDTH, index % TILE_WIDTH + 1)[-32:]
        return fold(blocks, [(place[1], kept[place]) for place in node_places(size) if place[0] < size])
    cut = cut_leaves(layout, manifest.first_seq)
    start = manifest.first_seq - len(cut) // 32
    at_hand = {start + i: cut[32 * i : 32 * i + 32] for i in range(len(cut) // 32)}
    at_hand |= {seq: leaves[seq] for seq in range(max(block, manifest.first_seq), size)}
    return fold(blocks, [(1, at_hand[seq]) for seq in range(block, size)])


def whole(kept, block):
    """The hash over a block from the nodes that are kept of it."""

    def hash_of(start, width):
        if (start, width) in kept:
            return kept[start, width]
        half = width // 2
        return hashlib.sha256(b"\1" + hash_of(start, half) + hash_of(start + half, half)).digest()

    return hash_of(block, TILE_WIDTH)


def fold(blocks, nodes):
    """RFC 6962's root over blocks of 256 and smaller perfect subtrees, from left to right."""
    stack = []
    for width, node in [*((TILE_WIDTH, block) for block in blocks), *nodes]:
        stack.append((width, node))
        while len(stack) > 1 and stack[-1][0] == stack[-2][0]:
            right, left = stack.pop(), stack.pop()
            stack.append((2 * left[0], hashlib.sha256(b"\1" + left[1] + right[1]).digest()))
    root = b""
    for _, node in reversed(stack):
        root = hashlib.sha256(b"\1" + node + root).digest() if root else node
    return root


@pytest.mark.parametrize(
    "steps", [(100, 200, 256, 300, 344), (256, 256, 30), (7,) * 20 + (500, 3, 3), (1, 254, 1, 1, 600)]
)
def test_every_signed_tree_head_can_be_continued(tmp_path, clock, steps):
    """Whatever goes in however many steps: the root of each tree head ever signed follows from what is kept."""
    directory = tmp_path / "ledger"
    ledger, heads = grow(directory, clock, steps, segment_events_max=400)
    leaves = [leaf for row in _tables(ledger) for leaf in row]
    layout = Layout(directory)
    for _ in range(len(steps)):
        ledger.prune([ALL], trust_clock=True)
        heads.append(ledger.seal().checkpoint)
        report = verify(directory, key=SIGNER)
        assert (report.findings, report.notes) == ((), ())
        manifest, _ = read_manifest(layout)
        known = dict(enumerate(leaves)) | dict(_leaves_now(ledger))
        for head in heads:
            assert old_root(layout, manifest, head.size, known) == head.root
        clock.now += 10 * DAY
    with pytest.raises(NotFoundError):
        head_nodes(layout, manifest, 77 if steps[0] == 100 else 99_999)


def _tables(ledger):
    for path in ledger.tables().segments:
        for batch in pq.ParquetFile(path).iter_batches():
            hashes = leaf_hashes(batch)
            yield [hashes[i : i + 32] for i in range(0, len(hashes), 32)]


def _leaves_now(ledger):
    for path in ledger.tables().segments:
        table = pq.read_table(path)
        hashes = leaf_hashes(table)
        yield from zip(table["seq"].to_pylist(), (hashes[i : i + 32] for i in range(0, len(hashes), 32)), strict=True)


def test_the_longest_policy_that_applies_counts_and_a_selector_keeps_its_segment(tmp_path, clock):
    ledger = open_ledger(tmp_path / "ledger", clock=clock)
    ledger.append(batch_of(event(i, store="crm", dataset="public.a", activity="read") for i in range(5)))
    ledger.seal()
    ledger.append(batch_of(event(i, store="crm", dataset="public.b", activity="read") for i in range(5, 10)))
    ledger.seal()
    ledger.append(batch_of(event(i, "web", store="web", dataset="public.a", activity="update") for i in range(10, 15)))
    ledger.seal()
    clock.now += 40 * DAY

    def goes(*selectors):
        policies = [ALL, *(Policy(Selector.parse(text), 50, "more") for text in selectors)]
        return ledger.plan_prune(policies).events

    assert goes() == 15
    assert goes("dataset:crm/public.b") == goes("dataset:crm/*b") == 5
    assert goes("dataset:web/*") == goes("source:web") == goes("store:w*") == goes("activity:update") == 10
    assert goes("source:crm") == goes("store:crm") == 0
    only = [Policy(Selector.parse("source:crm"), 10, "crm alone")]
    assert ledger.plan_prune(only).events == 10
    assert ledger.plan_prune(only).reasons == ("no policy applies to its events of web (update)",)


@pytest.mark.parametrize("text", ["", "all", "store:", "dataset:crm", "activity:sleep", "seq:1", "source"])
def test_what_is_no_selector(text):
    with pytest.raises(UsageError):
        Selector.parse(text)


def test_an_event_of_a_wrong_clock_ages_from_when_it_came_in(tmp_path, clock):
    ledger = open_ledger(tmp_path / "ledger", clock=clock)
    ledger.append(batch_of([event(0, time=0x1_0000_0000_0000), event(1, time=NOW + 9_000 * DAY)]))
    ledger.seal()
    clock.now += 29 * DAY
    assert ledger.plan_prune([ALL]).events == 0
    clock.now += DAY
    assert ledger.prune([ALL]).plan.events == 2


@pytest.mark.parametrize("days", [-1, 80])
def test_a_clock_far_from_the_record_is_not_believed(tmp_path, clock, days):
    ledger, _ = grow(tmp_path / "ledger", clock, steps=(5,), every=100 * DAY)
    ledger.append(events(5, 6))
    ledger.seal()
    clock.now += days * DAY
    with pytest.raises(UsageError, match="clock"):
        ledger.prune([ALL])
    assert ledger.tables().next_seq == 6
    assert ledger.prune([ALL], trust_clock=True).plan.events in (5, 6)


def test_nothing_goes_that_does_not_verify(tmp_path, clock):
    directory = tmp_path / "ledger"
    grow(directory, clock)
    layout = Layout(directory)
    manifest, data = read_manifest(layout)
    first = manifest.segments[0]
    older = msgspec.structs.replace(first, time_min=first.time_min + 1)
    layout.manifest.write_bytes(
        sealed_json(msgspec.structs.replace(manifest, segments=(older, *manifest.segments[1:])))
    )
    with pytest.raises(IntegrityError, match=r"^manifest\.json"):
        open_ledger(directory, clock=clock).prune([ALL])
    layout.manifest.write_bytes(data)
    tile = next((directory / "tile/1").rglob("4"))
    good = tile.read_bytes()
    tile.write_bytes(bytes([good[0] ^ 1]) + good[1:])
    with pytest.raises(IntegrityError, match="do not give the signed root"):
        open_ledger(directory, clock=clock).prune([ALL])
    tile.write_bytes(good)
    path = layout.segments / first.file
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(IntegrityError, match="segments/"):
        open_ledger(directory, clock=clock).prune([ALL])
    assert read_manifest(layout)[1] == data


def test_a_question_that_a_pruning_overtakes_is_asked_again(tmp_path, clock):
    ledger, _ = grow(tmp_path / "ledger", clock)
    asked = []

    def question(snapshot):
        asked.append(snapshot.next_seq)
        if len(asked) == 1:
            ledger.prune([ALL])
        missing = [path for path in snapshot.segments if not path.exists()]
        if missing:
            raise SourceError(f"file {missing[0].name}", "is missing")
        return sum(pq.read_table(path).num_rows for path in snapshot.segments)

    assert ledger.ask(question) == 645
    assert len(asked) == 2

    def impossible(_):
        raise UsageError("question", "makes no sense")

    with pytest.raises(UsageError):
        ledger.ask(impossible)


def test_readers_meet_merges_and_prunings(tmp_path):
    """While another writes, merges and prunes: every answer is of one instant, and every verification is clean."""
    directory, day = tmp_path / "ledger", 0
    writer = open_ledger(directory, segment_events_max=40, clock=lambda: NOW + day * DAY)
    reader = open_ledger(directory, create=False)
    keep = Policy(Selector.parse("*"), 6, "accountability")

    def write() -> int:
        nonlocal day
        for day in range(30):
            writer.append(events(3 * day, 3 * day + 3))
            writer.seal()
            if day % 5 == 4:
                writer.prune([keep])
        return day

    def count(snapshot):
        held_now = sum(pq.read_table(path).num_rows for path in snapshot.segments) + snapshot.recent.num_rows
        return held_now, snapshot.next_seq - snapshot.manifest.first_seq

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(write)
        while not working.done():
            found, expected = reader.ask(count)
            assert found == expected
            assert verify(directory, key=SIGNER).findings == ()
            open_ledger(directory, create=False)
        assert working.result() == 29


def test_a_manifest_that_claims_what_no_event_says(tmp_path, clock):
    """Who removes segments and writes that they were pruned is found; a copied claim does not help."""
    directory = tmp_path / "ledger"
    ledger, _ = grow(directory, clock)
    ledger.prune([ALL])
    layout = Layout(directory)
    manifest, _ = read_manifest(layout)
    pruned = manifest.pruned
    assert pruned is not None
    gone = manifest.segments[0]
    for record in (
        msgspec.structs.replace(pruned.record, last_seq=gone.last_seq),
        msgspec.structs.replace(pruned.record, first_seq=556, last_seq=gone.last_seq),
    ):
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(directory, copy)
        claim = manifest.pruned_by(msgspec.structs.replace(pruned, record=record))
        Layout(copy).manifest.write_bytes(sealed_json(claim))
        (copy / "segments" / gone.file).unlink()
        found = {finding.object for finding in verify(copy, key=SIGNER).findings}
        assert "manifest.json" in found
        with pytest.raises(BeholdenError):
            open_ledger(copy, clock=clock).append(events(2000, 2001))
    less = msgspec.structs.replace(manifest, pruned=None, first_seq=0)
    layout.manifest.write_bytes(sealed_json(less))
    assert {finding.object for finding in verify(directory, key=SIGNER).findings} == {"manifest.json"}
