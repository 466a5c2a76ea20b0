from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from tests.support.ledger import ESTATE, NOW, ORIGIN, SIGNER, all_rows, batch_of, event, events, open_ledger, uid_of

from beholden.core.errors import BeholdenError, IntegrityError, NotFoundError, SourceError, UsageError
from beholden.core.times import format_time
from beholden.ledger import INPUT_EVENTS, Ed25519Signer, Ledger
from beholden.ledger import log as log_module
from beholden.ledger.files import lock_file, sealed_json
from beholden.ledger.manifest import LedgerInfo
from beholden.ledger.verify import verify

ROOT = Path(__file__).parents[3]


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "below" / "ledger"


@pytest.fixture
def ledger(directory):
    return open_ledger(directory, segment_events_max=1000)


def uids(ledger):
    return [row["uid"] for row in all_rows(ledger)]


def test_a_new_ledger_is_empty_and_signed(ledger, directory):
    status = ledger.status()
    assert (status.events, status.segments, status.tree_size, status.bytes_per_event) == (0, 0, 0, None)
    assert (status.first_time, status.checkpoint_time, status.sources) == (None, None, ())
    assert verify(directory, key=SIGNER).ok
    assert (directory / "key.pub").read_text().startswith(ORIGIN + "+")
    assert ledger.seal().events == 0


def test_events_keep_their_values_and_get_numbers(ledger, directory):
    batch = events(0, 50)
    assert ledger.append(batch) == log_module.AppendResult(50, 0, 0, 50)
    ledger.seal()
    ledger.append(events(50, 60))
    rows = all_rows(open_ledger(directory))
    assert [row["seq"] for row in rows] == list(range(60))
    assert {row["ingested"].timestamp() for row in rows} == {NOW / 1e6}
    assert [{name: row[name] for name in INPUT_EVENTS.names} for row in rows[:50]] == batch.to_pylist()


def test_columns_may_come_in_any_order(ledger):
    batch = events(0, 5)
    ledger.append(batch.select(sorted(batch.schema.names)))
    assert uids(ledger) == [uid_of(i) for i in range(5)]


def test_known_events_are_counted_and_not_added(ledger, directory):
    ledger.append(events(0, 30))
    assert ledger.append(events(20, 40)) == log_module.AppendResult(10, 10, 30, 40)
    ledger.seal()
    for again in (ledger, open_ledger(directory)):
        assert again.append(events(0, 40)) == log_module.AppendResult(0, 40, 40, 40)
    assert ledger.append(events(35, 42)) == log_module.AppendResult(2, 5, 40, 42)
    twice = batch_of([event(1), event(50), event(50, rows=7), event(51)])
    assert ledger.append(twice) == log_module.AppendResult(2, 2, 42, 44)
    assert uids(ledger) == [uid_of(i) for i in (*range(42), 50, 51)]
    assert ledger.append(events(0, 0)) == log_module.AppendResult(0, 0, 44, 44)


def test_the_same_uid_of_another_source_is_another_event(ledger):
    ledger.append(batch_of([event(1, "crm"), event(1, "warehouse")]))
    ledger.seal()
    result = ledger.append(batch_of([event(1, "crm"), event(1, "console"), event(1, "warehouse")]))
    assert (result.new, result.known) == (1, 2)


def test_uids_that_begin_alike_are_told_apart(ledger):
    alike = [event(i, uid=bytes(8) + i.to_bytes(2, "big")) for i in range(40)]
    ledger.append(batch_of(alike[:30]))
    assert ledger.append(batch_of(alike[:35])).new == 5
    ledger.seal()
    assert ledger.append(batch_of(alike)).new == 5


def test_a_full_log_is_sealed_by_the_next_append_into_segments_of_bounded_size(directory):
    ledger = open_ledger(directory, segment_events_max=100)
    ledger.append(events(0, 250))
    assert ledger.status().sealed == 0
    ledger.append(events(250, 260))
    status = ledger.status()
    assert (status.sealed, status.in_wal, status.segments) == (250, 10, 3)
    assert sorted(path.name for path in (directory / "segments").iterdir()) == [
        "0000000000000000-0000000000000099.parquet",
        "0000000000000100-0000000000000199.parquet",
        "0000000000000200-0000000000000249.parquet",
    ]
    assert verify(directory, key=SIGNER).ok


def test_a_log_of_many_bytes_is_sealed_too(ledger, monkeypatch):
    monkeypatch.setattr(log_module, "WAL_BYTES_MAX", 1000)
    ledger.append(events(0, 20))
    ledger.append(events(20, 21))
    assert ledger.status().sealed == 20


def test_status_counts_what_is_there(ledger, directory):
    ledger.append(batch_of([*(event(i, "crm") for i in range(300)), *(event(i, "web") for i in range(5, 9))]))
    ledger.seal()
    ledger.append(batch_of([event(900, "crm"), event(2, "batch")]))
    status = ledger.status()
    assert (status.events, status.sealed, status.in_wal, status.segments, status.tree_size) == (306, 304, 2, 1, 304)
    assert [(span.source, span.events) for span in status.sources] == [("batch", 1), ("crm", 301), ("web", 4)]
    assert (status.first_time, status.last_time) == ("2025-11-13T02:13:20.000000Z", "2025-11-13T02:13:20.900000Z")
    assert status.checkpoint_time == format_time(NOW)
    assert status.segment_bytes == next((directory / "segments").iterdir()).stat().st_size
    assert status.bytes_per_event == (status.segment_bytes + status.tile_bytes) / 304
    assert status.tile_bytes == 32
    assert status.root_hash == ledger.tables().checkpoint.root.hex()


def test_many_small_seals_continue_one_tree(directory):
    ledger = open_ledger(directory)
    for start in range(0, 600, 50):
        (ledger if start % 100 else open_ledger(directory)).append(events(start, start + 50))
        (ledger if start % 150 else open_ledger(directory)).seal()
    report = verify(directory, key=SIGNER)
    assert (report.findings, report.events, report.segments, report.tree_size) == ((), 600, 12, 600)
    other = open_ledger(directory.parent / "at once")
    other.append(events(0, 600))
    assert other.seal().checkpoint.root == ledger.tables().checkpoint.root


def test_partial_tiles_go_when_the_full_one_is_there(directory):
    ledger = open_ledger(directory)
    ledger.append(events(0, 300))
    ledger.seal()
    assert (directory / "tile/1/000.p/1").exists()
    wide = pa.Table.from_pylist([event(0)] * 65_700, schema=INPUT_EVENTS).to_pydict()
    wide["uid"] = [uid_of(1000 + i) for i in range(65_700)]
    ledger.append(pa.RecordBatch.from_pydict(wide, schema=INPUT_EVENTS))
    ledger.seal()
    tiles = sorted(path.relative_to(directory).as_posix() for path in directory.rglob("tile/**/*") if path.is_file())
    assert tiles == ["tile/1/000", "tile/1/001.p/1", "tile/2/000.p/1"]
    assert verify(directory, key=SIGNER).ok


# Refusals


def refuse(ledger, batch, match):
    before = ledger.tables().next_seq
    with pytest.raises(UsageError, match=match) as caught:
        ledger.append(batch)
    assert "nothing of the batch was taken" in caught.value.line().lower()
    assert ledger.tables().next_seq == before


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"activity": "peek"}, "column activity has a value that does not exist"),
        ({"scope": "all"}, "column scope has a value"),
        ({"class_uid": 1}, "column class_uid has a value"),
        ({"time": 5}, "column time has a year out of range"),
        ({"time": 10**16}, "column time has a year out of range"),
        ({"fields": ["a", None]}, "column fields has 1? ?nulls inside"),
        ({"subjects": [None]}, "column subjects has 1? ?nulls inside"),
    ],
)
def test_a_batch_with_one_wrong_value_is_refused_whole(ledger, values, match):
    refuse(ledger, batch_of([event(1), event(2, **values), event(3)]), match)


def test_a_batch_of_another_form_is_refused(ledger):
    batch = events(0, 3)
    refuse(ledger, batch.drop_columns(["uid"]), "columns missing: uid")
    refuse(ledger, batch.append_column("seq", pa.array([1, 2, 3])), "unknown or repeated: seq")
    refuse(ledger, batch.append_column("uid", batch.column("uid")), "unknown or repeated: uid")
    refuse(ledger, batch.set_column(0, "time", pa.array([1, 2, 3])), "column time is int64; expected timestamp")
    empty = pa.nulls(3, pa.binary(10))
    refuse(ledger, batch.set_column(batch.schema.get_field_index("uid"), "uid", empty), "column uid has 3 nulls")
    text = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")])
    bad = batch.slice(0, 1).set_column(batch.schema.get_field_index("status"), "status", text)
    refuse(ledger, bad, "not valid Arrow data")


def test_a_batch_too_large_is_refused(ledger, monkeypatch):
    monkeypatch.setattr("beholden.ledger.accept.SEGMENT_EVENTS_MAX", 10)
    refuse(ledger, events(0, 11), "at most 10 events")


def test_a_ledger_that_is_not_there_is_not_made_by_itself(directory):
    with pytest.raises(NotFoundError, match="there is no ledger in this directory"):
        open_ledger(directory, create=False)
    assert not directory.exists()


@pytest.mark.parametrize(
    ("options", "family", "match"),
    [
        ({"estate_id": "estate-2"}, UsageError, "this ledger belongs to another estate"),
        (
            {"origin": "other.example/l", "signer": Ed25519Signer("other.example/l", bytes(32))},
            UsageError,
            "its origin is test.example/ledger; expected other.example/l",
        ),
        ({"signer": Ed25519Signer("other.example/l", bytes(32))}, UsageError, "its name is other.example/l"),
        ({"signer": Ed25519Signer(ORIGIN, bytes(32))}, IntegrityError, "checkpoint: not signed by this estate's key"),
    ],
)
def test_a_ledger_of_somebody_else_is_refused(ledger, directory, options, family, match):
    with pytest.raises(family, match=match):
        open_ledger(directory, **options)


class _LaterInfo(msgspec.Struct):
    format: int
    something_new: list[int]


def test_an_older_format_is_refused(ledger, directory):
    older = LedgerInfo(format=1, estate_id=ESTATE, origin=ORIGIN, created=1)
    (directory / "ledger.json").write_bytes(sealed_json(older))
    with pytest.raises(BeholdenError, match=r"written by an older format, 1; expected 2\. .*read the logs again"):
        open_ledger(directory)


def test_a_newer_format_is_refused(ledger, directory):
    newer = LedgerInfo(format=3, estate_id=ESTATE, origin=ORIGIN, created=1)
    (directory / "ledger.json").write_bytes(sealed_json(newer))
    for attempt in (lambda: open_ledger(directory), lambda: verify(directory, key=SIGNER)):
        with pytest.raises(BeholdenError, match=r"written by a newer format, 3; expected at most 2\. Update beholden"):
            attempt()
    (directory / "ledger.json").write_bytes(sealed_json(_LaterInfo(format=3, something_new=[1])))
    with pytest.raises(BeholdenError, match="newer format"):
        open_ledger(directory)


def test_a_file_that_is_gone_or_changed_is_named_when_opening(ledger, directory):
    ledger.append(events(0, 300))
    ledger.seal()
    segment = "segments/0000000000000000-0000000000000299.parquet"
    for name in ("manifest.json", "checkpoint", "key.pub", "tile/1/000.p/1", segment):
        path = directory / name
        data = path.read_bytes()
        path.unlink()
        with pytest.raises(IntegrityError, match=f"^{name}"):
            open_ledger(directory)
        path.write_bytes(data[:-1])
        with pytest.raises(IntegrityError, match=f"^{name}"):
            open_ledger(directory)
        path.write_bytes(data)
    shutil.copy(directory / "ledger.json", directory.parent / "kept")
    (directory / "ledger.json").unlink()
    with pytest.raises(IntegrityError, match=r"ledger\.json: is missing beside a ledger's segments"):
        open_ledger(directory)
    shutil.copy(directory.parent / "kept", directory / "ledger.json")
    assert open_ledger(directory).status().events == 300


@pytest.mark.parametrize("names", [["checkpoint"], ["manifest.json"], ["checkpoint", "manifest.json"]])
def test_an_older_file_put_back_is_noticed_and_nothing_is_removed(ledger, directory, names):
    ledger.append(events(0, 10))
    ledger.seal()
    old = {name: (directory / name).read_bytes() for name in names}
    ledger.append(events(10, 20))
    ledger.seal()
    for name, data in old.items():
        (directory / name).write_bytes(data)
    with pytest.raises(IntegrityError):
        open_ledger(directory).append(events(20, 30))
    assert len(list((directory / "segments").iterdir())) == 2
    assert not verify(directory, key=SIGNER).ok


def test_sealing_stops_when_the_record_was_altered(ledger, directory):
    ledger.append(events(0, 10))
    ledger.seal()
    other = open_ledger(directory.parent / "other", segment_events_max=1000)
    other.append(events(100, 110))
    other.seal()
    for name in ("segments/0000000000000000-0000000000000009.parquet", "manifest.json"):
        shutil.copy(directory.parent / "other" / name, directory / name)
    forged = open_ledger(directory)
    forged.append(events(20, 21))
    with pytest.raises(IntegrityError, match="do not have the root that was signed for them"):
        forged.seal()
    assert (directory / "checkpoint").read_text().split("\n")[1] == "10"


# Several writers and readers


def test_writers_in_one_process_take_turns(directory):
    ledgers = [open_ledger(directory, segment_events_max=60) for _ in range(3)]
    for start in range(0, 300, 10):
        writer = ledgers[start // 10 % 3]
        assert writer.append(events(max(0, start - 5), start + 10)).new == 10
        if start % 70 == 0:
            ledgers[(start // 10 + 1) % 3].seal()
    assert uids(ledgers[0]) == [uid_of(i) for i in range(300)]
    assert verify(directory, key=SIGNER).ok


def test_writers_in_several_processes_take_turns_while_a_reader_reads(directory):
    reader, seen = open_ledger(directory), 0
    child = [sys.executable, "-m", "tests.support.ledger_child", directory]
    writers = [
        subprocess.Popen([*child, str(first), str(first + 160)], cwd=ROOT, stdout=subprocess.DEVNULL)
        for first in (0, 80, 200)
    ]
    while any(writer.poll() is None for writer in writers):
        snapshot = reader.tables()
        assert snapshot.recent.column("seq").to_pylist() == list(range(snapshot.manifest.next_seq, snapshot.next_seq))
        assert snapshot.next_seq >= seen
        seen = snapshot.next_seq
        assert verify(directory, key=SIGNER).findings == ()
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert sorted(uids(reader)) == sorted(uid_of(i) for i in range(360))
    assert verify(directory, key=SIGNER).ok


def test_a_second_writer_waits_for_its_turn_and_then_says_so(directory):
    ledger = open_ledger(directory, lock_timeout_s=0.1)
    with (
        lock_file(directory / "lock", 1.0),
        pytest.raises(SourceError, match=r"another process has been writing for 0\.1 s; expected one writer at a time"),
    ):
        ledger.append(events(0, 1))
    patient = open_ledger(directory, lock_timeout_s=10.0)

    def hold():
        with lock_file(directory / "lock", 1.0):
            held.set()
            time.sleep(0.2)

    held = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    assert patient.append(events(0, 1)).new == 1
    holder.join()


def test_threads_of_one_ledger_take_turns(ledger):
    threads = [threading.Thread(target=ledger.append, args=(events(i, i + 20),)) for i in range(0, 100, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(uids(ledger)) == sorted(uid_of(i) for i in range(110))


# After a stop


def test_a_torn_tail_is_cut_by_the_next_writer(ledger, directory):
    ledger.append(events(0, 10))
    path = next((directory / "wal").iterdir())
    whole = path.stat().st_size
    ledger.append(events(10, 20))
    with path.open("r+b") as file:
        file.truncate(whole + 100)
    again = open_ledger(directory)
    assert again.tables().next_seq == 10
    report = verify(directory, key=SIGNER)
    assert report.ok
    assert (
        report.notes[0].reason
        == "100 bytes at its end are of a frame that is not whole: stopped while it was written, or cut off since"
    )
    assert again.append(events(10, 12)).first_seq == 10
    assert again.cut_bytes == 100
    assert uids(again) == [uid_of(i) for i in range(12)]


def test_a_damaged_log_stops_the_ledger(ledger, directory):
    ledger.append(events(0, 10))
    path = next((directory / "wal").iterdir())
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    for attempt in (Ledger.seal, Ledger.tables, lambda ledger: ledger.append(events(0, 1))):
        with pytest.raises(IntegrityError, match=r"^wal/0+\.wal at byte 52: a frame does not match its checksum"):
            attempt(open_ledger(directory))


def test_what_a_stopped_writer_left_is_cleared_and_nothing_else(ledger, directory):
    ledger.append(events(0, 300))
    ledger.seal()
    ledger.append(events(300, 400))
    for name in ("segments/.x.parquet.tmp", "tile/1/.000.tmp", ".manifest.json.tmp", "uids/.y.tmp", "uids/z.uids"):
        (directory / name).write_bytes(b"unfinished")
    orphan = directory / "segments/0000000000000300-0000000000000399.parquet"
    orphan.write_bytes(b"written, not listed")
    assert len(verify(directory, key=SIGNER).notes) == 6
    again = open_ledger(directory)
    again.append(events(400, 401))
    assert not list(directory.rglob("*.tmp"))
    assert not orphan.exists()
    assert not (directory / "uids/z.uids").exists()
    stranger = directory / "segments/0000000000000700-0000000000000800.parquet"
    stranger.write_bytes(b"whose?")
    with pytest.raises(IntegrityError, match=r"0800\.parquet: is not listed in manifest\.json"):
        open_ledger(directory).seal()
    assert stranger.exists()


def test_a_projection_of_uids_is_made_again(ledger, directory):
    ledger.append(events(0, 100))
    ledger.seal()
    projection = next((directory / "uids").iterdir())
    data = projection.read_bytes()
    for broken in (None, b"", data[:50], bytes(len(data))):
        projection.unlink()
        if broken is not None:
            projection.write_bytes(broken)
        assert open_ledger(directory).append(events(50, 110)).known >= 50
        assert projection.read_bytes() == data
    shutil.rmtree(directory / "uids")
    assert verify(directory, key=SIGNER).notes[0].reason == "is missing; the next writer makes it again"
    assert open_ledger(directory).append(events(0, 100)).new == 0
