"""Small segments become larger ones; events, leaves, tree and proofs stay."""

from __future__ import annotations

import itertools

import pytest
from tests.support.ledger import NOW, SIGNER, all_rows, events, open_ledger, uid_of

from beholden.ledger.compact import SPAN_DAYS_MAX, mergeable, tree_sizes
from beholden.ledger.files import Disk
from beholden.ledger.format import Layout
from beholden.ledger.manifest import Segment, read_manifest
from beholden.ledger.verify import verify

MINUTE = 60_000_000
DAY = 86_400_000_000
STOP = 40 * 29


def segment_of(first_seq, events_, sealed):
    return Segment(
        file="", first_seq=first_seq, last_seq=first_seq + events_ - 1, events=events_, size_bytes=0, sha256="",
        sealed=sealed, time_min=0, time_max=0, sources=(),
    )  # fmt: skip


def grow(sizes, every, events_max=1 << 20):
    """The segments that seals leave, and how many times an event was written again."""
    held: list[Segment] = []
    again = seq = 0
    for number, size in enumerate(sizes, 1):
        held.append(segment_of(seq, size, number * every))
        seq += size
        while (found := mergeable(held, events_max)) is not None:
            parts = held[found[0] : found[1]]
            merged = segment_of(parts[0].first_seq, sum(part.events for part in parts), parts[-1].sealed)
            again += merged.events
            held[found[0] : found[1]] = [merged]
    return held, again / seq


@pytest.mark.parametrize(
    ("per_seal", "every", "days"),
    [
        (1, MINUTE, 60),
        (100, MINUTE, 60),
        (1_000, MINUTE, 30),
        (12_000, MINUTE, 20),
        (5_000, 60 * MINUTE, 365),
        (50, DAY, 2000),
    ],
)
def test_seals_leave_few_segments_and_events_are_seldom_written_again(per_seal, every, days):
    held, again = grow([per_seal] * (days * DAY // every), every)
    months = days / SPAN_DAYS_MAX + 1
    full = sum(segment.events for segment in held) / (1 << 20)
    assert len(held) <= 2 * 64 + 64 * months * (every > DAY // 2) + 3 * months + 2 * full
    assert again <= (2.5 if per_seal >= 1_000 else 5 if per_seal >= 100 else 70)
    for before, segment in itertools.pairwise(held):
        assert segment.first_seq == before.last_seq + 1
        assert segment.events == segment.last_seq + 1 - segment.first_seq <= 1 << 20
        assert segment.sealed - before.sealed <= SPAN_DAYS_MAX * DAY or segment.events == per_seal


def test_merging_keeps_events_tree_and_the_sizes_of_tree_heads(tmp_path):
    directory = tmp_path / "ledger"
    clock = itertools.count(NOW, MINUTE)
    ledger = open_ledger(directory, clock=lambda: next(clock), segment_events_max=500)
    roots = []
    for start in range(0, STOP, 29):
        ledger.append(events(start, start + 29))
        roots.append(ledger.seal().checkpoint)
    snapshot = ledger.tables()
    assert len(snapshot.segments) < 10
    assert [row["uid"] for row in all_rows(ledger)] == [uid_of(i) for i in range(STOP)]
    layout = Layout(directory)
    manifest, _ = read_manifest(layout)
    assert tree_sizes(layout, manifest.segments) == [root.size for root in roots]
    assert {path.name for path in layout.segments.iterdir()} == {segment.file for segment in manifest.segments}
    assert {path.stem for path in layout.uids.iterdir()} == {path.stem for path in layout.segments.iterdir()}
    report = verify(directory, key=SIGNER)
    assert (report.findings, report.notes, report.events) == ((), (), STOP)
    assert open_ledger(directory).append(events(0, 20)).new == 0


def test_a_full_disk_leaves_small_segments(tmp_path):
    class FullDisk(Disk):
        def create(self, path):
            if self.full and path.parent.name == "segments" and path.name.startswith(".0000000000000000-"):
                raise OSError(28, "full")
            return super().create(path)

        full = False

    disk = FullDisk()
    ledger = open_ledger(tmp_path / "ledger", disk=disk, segment_events_max=40)
    for start in range(22):
        ledger.append(events(start, start + 1))
        ledger.seal()
        disk.full = True  # only a merged segment begins with the first event from now on
    assert len(ledger.tables().segments) == 22
    assert verify(tmp_path / "ledger", key=SIGNER).notes == ()
    ledger = open_ledger(tmp_path / "ledger", segment_events_max=40)
    ledger.append(events(22, 23))
    ledger.seal()
    assert len(ledger.tables().segments) == 1
    assert verify(tmp_path / "ledger", key=SIGNER).findings == ()


def test_an_altered_segment_is_not_merged_away(tmp_path):
    directory = tmp_path / "ledger"
    ledger = open_ledger(directory, segment_events_max=40)
    for start in range(19):
        ledger.append(events(start, start + 1))
        ledger.seal()
    altered = next(iter(sorted((directory / "segments").iterdir())))
    data = bytearray(altered.read_bytes())
    data[-1] ^= 1
    altered.write_bytes(data)
    ledger.append(events(19, 20))
    ledger.seal()
    assert {finding.object for finding in verify(directory, key=SIGNER).findings} == {f"segments/{altered.name}"}
