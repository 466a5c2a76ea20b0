from __future__ import annotations

import hashlib

import pytest
from tests.support.ledger import ESTATE, NOW, events

from beholden.core.errors import IntegrityError, UsageError
from beholden.ledger import wal
from beholden.ledger.accept import check_batch, number_events
from beholden.ledger.wal import WalReader, encode_frame, file_header, scan_wal, wal_name

NAME = "wal/0000000000000005.wal"
SIZES = (3, 1, 40)


@pytest.fixture
def file(tmp_path):
    """Three frames; returns the path and where each ends."""
    data = file_header(5, ESTATE)
    digest = hashlib.sha256(data).digest()
    ends, seq = [len(data)], 5
    for size in SIZES:
        frame, digest = encode_frame(number_events(check_batch(events(seq, seq + size)), seq, NOW), seq, digest)
        data += frame
        seq += size
        ends.append(len(data))
    path = tmp_path / wal_name(5)
    path.write_bytes(data)
    return path, ends


def test_frames_read_back(file):
    path, ends = file
    scan = scan_wal(path, NAME, ESTATE)
    assert [batch.num_rows for batch in scan.batches] == list(SIZES)
    assert scan.position is not None
    assert (scan.position.offset, scan.position.next_seq, scan.torn_bytes) == (ends[-1], 49, 0)
    assert [row["seq"] for batch in scan.batches for row in batch.to_pylist()] == list(range(5, 49))


def test_reading_goes_on_from_a_position(file):
    path, ends = file
    data = path.read_bytes()
    path.write_bytes(data[: ends[1]])
    first = scan_wal(path, NAME, ESTATE)
    path.write_bytes(data)
    rest = scan_wal(path, NAME, ESTATE, first.position)
    assert [batch.num_rows for batch in rest.batches] == [1, 40]
    assert rest.position == scan_wal(path, NAME, ESTATE).position


def test_a_reader_decodes_each_frame_once(file, monkeypatch):
    path, ends = file
    data = path.read_bytes()
    reader, decoded = WalReader(), []
    decode = wal._decode

    def counting(payload, size, events, where):
        decoded.append(events)
        return decode(payload, size, events, where)

    monkeypatch.setattr(wal, "_decode", counting)
    for end in (ends[0], ends[1], ends[1], ends[3], ends[3]):
        path.write_bytes(data[:end])
        scan = reader.scan(path, NAME, ESTATE)
        assert scan == scan_wal(path, NAME, ESTATE) or scan.batches == scan_wal(path, NAME, ESTATE).batches
        del decoded[len(decoded) - sum(stop <= end for stop in ends[1:]) :]  # what the comparison decoded
    assert decoded == list(SIZES)


def test_a_reader_sees_that_a_frame_was_taken_back(file):
    """A writer could not make a frame durable and cut it off; another came in its place, or none."""
    path, ends = file
    data = path.read_bytes()
    first = scan_wal(path, NAME, ESTATE)
    reader = WalReader()
    path.write_bytes(data[: ends[2]])
    before = scan_wal(path, NAME, ESTATE).position
    assert before is not None
    for number in (100, 200):
        other, _ = encode_frame(number_events(check_batch(events(number, number + 3)), 9, NOW), 9, before.digest)
        for content in (data, data[: ends[2]] + other, data[: ends[2]]):
            path.write_bytes(content)
            assert reader.scan(path, NAME, ESTATE).batches == scan_wal(path, NAME, ESTATE).batches
    assert [batch.num_rows for batch in first.batches] == list(SIZES)


def test_every_cut_keeps_the_whole_frames_before_it(file):
    path, ends = file
    data = path.read_bytes()
    for cut in range(0, len(data), 7):
        path.write_bytes(data[:cut])
        scan = scan_wal(path, NAME, ESTATE)
        whole = sum(end <= cut for end in ends) - 1
        if whole < 0:
            assert scan.position is None
            assert scan.torn_bytes == cut
        else:
            assert len(scan.batches) == whole
            assert scan.torn_bytes == cut - ends[whole]


def test_every_flipped_byte_is_damage_and_not_a_torn_tail(file):
    path, ends = file
    data = path.read_bytes()
    for position in [*range(ends[0] + 100), *range(ends[0] + 100, len(data), 11), *range(ends[2], ends[2] + 60)]:
        changed = bytearray(data)
        changed[position] ^= 0x10
        path.write_bytes(changed)
        with pytest.raises(IntegrityError, match=r"^wal/0000000000000005\.wal"):
            scan_wal(path, NAME, ESTATE)


@pytest.mark.parametrize("edit", ["drop", "swap", "repeat"])
def test_frames_that_were_moved_are_damage(file, edit):
    path, ends = file
    data = path.read_bytes()
    parts = [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    head, a, b, c = parts
    path.write_bytes(b"".join({"drop": [head, b, c], "swap": [head, b, a, c], "repeat": [head, a, a, b, c]}[edit]))
    with pytest.raises(IntegrityError, match="does not match its checksum"):
        scan_wal(path, NAME, ESTATE)


def test_sectors_that_power_loss_left_unwritten_are_a_torn_tail(file):
    path, ends = file
    data = path.read_bytes()
    for start, stop in [(ends[2], len(data)), (-(-ends[2] // 512) * 512, -(-ends[2] // 512) * 512 + 512)]:
        path.write_bytes(data[:start] + bytes(stop - start) + data[stop:])
        scan = scan_wal(path, NAME, ESTATE)
        assert len(scan.batches) == 2
        assert scan.torn_bytes == len(data) - ends[2]
    path.write_bytes(bytes(len(data)))
    assert scan_wal(path, NAME, ESTATE).position is None
    path.write_bytes(data[: ends[1]] + bytes(ends[2] - ends[1]) + data[ends[2] :])
    with pytest.raises(IntegrityError):  # zeros before a whole frame were written once
        scan_wal(path, NAME, ESTATE)


def test_a_file_that_lost_acknowledged_bytes_is_damage(file):
    path, ends = file
    known = scan_wal(path, NAME, ESTATE).position
    path.write_bytes(path.read_bytes()[: ends[2]])
    with pytest.raises(IntegrityError, match=f"has {ends[2]} bytes of {ends[3]} that were acknowledged"):
        scan_wal(path, NAME, ESTATE, known)


def test_a_file_of_another_estate_or_name_is_refused(file):
    path, _ = file
    with pytest.raises(IntegrityError, match="belongs to another estate"):
        scan_wal(path, NAME, "estate-2")
    with pytest.raises(IntegrityError, match="begins with event 5, which its name denies"):
        scan_wal(path, "wal/0000000000000006.wal", ESTATE)


def test_a_frame_has_a_limit(monkeypatch):
    monkeypatch.setattr(wal, "APPEND_BYTES_MAX", 100)
    with pytest.raises(UsageError, match="split it"):
        encode_frame(number_events(check_batch(events(0, 9)), 0, NOW), 0, bytes(32))
