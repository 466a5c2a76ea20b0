"""The write-ahead log: one file of chained frames that hold acknowledged events until they are sealed.

File header, 52 bytes: magic "BHLDWAL" and version 1; first sequence number, u64; SHA-256 of the estate's id; CRC-32
of these 48 bytes. Frame: header of 28 bytes (magic "BHFR", payload bytes u32, first sequence number u64, events u32,
unpacked bytes u32, CRC-32 of these 24 bytes), digest of 32 bytes, payload. All numbers are big-endian. The digest is
SHA-256(digest of the frame before, or of the file header's bytes || frame header || payload). The payload is the
zstd-compressed Arrow IPC message of one record batch of `beholden.core.events.EVENTS`.

A torn tail and a damaged frame are told apart like this. The last frame was never acknowledged, and is cut, if the
file ends before the frame does (the writer was stopped), or if nothing but zeros follows, or if the frame is whole
but wrong and one 512-byte sector of it is all zeros (power was lost before every sector was written; compressed data
holds no such sector). Everything else that does not match is damage, and the ledger stops. What cannot be told
apart: an acknowledged last frame that was shortened or zeroed afterwards looks like a torn one. From the moment a
checkpoint covers an event, no such doubt is left.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa

from beholden.core.errors import IntegrityError, UsageError
from beholden.core.events import EVENTS
from beholden.ledger.format import APPEND_BYTES_MAX
from beholden.ledger.segments import UNREADABLE

__all__ = ["WalPosition", "WalScan", "encode_frame", "file_header", "is_whole", "scan_wal", "wal_files", "wal_name"]

_FILE: Final = struct.Struct(">8sQ32sI")
_FRAME: Final = struct.Struct(">4sIQIII")
_FILE_MAGIC: Final = b"BHLDWAL\x01"
_FRAME_MAGIC: Final = b"BHFR"
_DIGEST_BYTES: Final = 32
_HEAD_BYTES: Final = _FRAME.size + _DIGEST_BYTES
_SECTOR_BYTES: Final = 512
#: Zero bytes of a sector's part within the frame that count as never written; fewer may be chance.
_ZEROS_MIN: Final = 64
_SUFFIX: Final = ".wal"


@dataclass(frozen=True, slots=True)
class WalPosition:
    """The end of the last whole frame of a file: where the next one goes and what it chains to."""

    path: Path
    offset: int
    digest: bytes
    first_seq: int
    next_seq: int


@dataclass(frozen=True, slots=True)
class WalScan:
    """What a file holds. ``position`` is None if not even its header is whole: it was never acknowledged."""

    position: WalPosition | None
    batches: list[pa.RecordBatch] = field(default_factory=list)
    torn_bytes: int = 0


def wal_name(first_seq: int) -> str:
    """The name of a file whose first event has this sequence number."""
    return f"{first_seq:016d}{_SUFFIX}"


def wal_files(directory: Path) -> list[Path]:
    """The files in sequence order. There is one, or none; two only while a finished seal removes the older."""
    if not directory.is_dir():
        raise IntegrityError("wal", "is missing", advice="restore it from a backup")
    return sorted(path for path in directory.iterdir() if path.suffix == _SUFFIX and not path.name.startswith("."))


def file_header(first_seq: int, estate_id: str) -> bytes:
    """The first bytes of a new file."""
    estate = hashlib.sha256(estate_id.encode()).digest()
    return _with_crc(_FILE.pack(_FILE_MAGIC, first_seq, estate, 0))


def encode_frame(batch: pa.RecordBatch, first_seq: int, previous: bytes) -> tuple[bytes, bytes]:
    """One frame with the digest it chains from; returns the frame and its own digest."""
    message = batch.serialize()
    if message.size > APPEND_BYTES_MAX:
        raise UsageError("append", f"a batch of {message.size} bytes", expected=f"at most {APPEND_BYTES_MAX}; split it")
    payload = pa.Codec("zstd", 1).compress(message, asbytes=True)
    head = _with_crc(_FRAME.pack(_FRAME_MAGIC, len(payload), first_seq, batch.num_rows, message.size, 0))
    digest = hashlib.sha256(previous + head + payload).digest()
    return head + digest + payload, digest


def scan_wal(path: Path, name: str, estate_id: str, start: WalPosition | None = None) -> WalScan:
    """Read and check every frame from ``start``, or from the beginning.

    Bytes that another process is appending at this moment look like a torn tail and are left alone; only the holder
    of the lock may cut it.

    Raises:
        IntegrityError: a frame that was once whole does not match, or the file is of another estate.
        FileNotFoundError: a seal removed the file meanwhile.
    """
    with path.open("rb") as file:
        if start is None:
            header = file.read(_FILE.size)
            if len(header) < _FILE.size or not (any(header) or any(file.read())):
                return WalScan(None, torn_bytes=file.tell())
            first_seq = _check_file_header(header, name, estate_id)
            start = WalPosition(path, _FILE.size, hashlib.sha256(header).digest(), first_seq, first_seq)
        return _read_frames(file, name, start)


def is_whole(path: Path) -> bool:
    """Whether a file of one frame is as long as its header says, as far as the header can be read."""
    with path.open("rb") as file:
        head = file.read(_FILE.size + _HEAD_BYTES)
    if len(head) < _FILE.size + _HEAD_BYTES or not any(head):
        return False
    magic, length, *_ = _FRAME.unpack_from(head, _FILE.size)
    return bool(magic != _FRAME_MAGIC or path.stat().st_size >= _FILE.size + _HEAD_BYTES + length)


def _read_frames(file: BinaryIO, name: str, position: WalPosition) -> WalScan:
    file.seek(0, 2)
    end = file.tell()
    if end < position.offset:
        raise _damaged(name, f"has {end} bytes of {position.offset} that were acknowledged")
    file.seek(position.offset)
    batches: list[pa.RecordBatch] = []
    while end - position.offset >= _HEAD_BYTES:
        head = file.read(_HEAD_BYTES)
        header, stored = head[: _FRAME.size], head[_FRAME.size :]
        magic, length, first_seq, events, size, _ = _FRAME.unpack(header)
        where = f"{name} at byte {position.offset}"
        if magic != _FRAME_MAGIC or header != _with_crc(header):
            if any(head) or any(file.read(end - file.tell())):
                raise _damaged(where, "a frame's header does not match its checksum")
            break
        frame_end = position.offset + _HEAD_BYTES + length
        if frame_end > end:
            break
        payload = file.read(length)
        digest = hashlib.sha256(position.digest + header + payload).digest()
        if digest != stored:
            if frame_end == end and _has_unwritten_sector(head + payload, position.offset):
                break
            raise _damaged(where, "a frame does not match its checksum")
        if first_seq != position.next_seq or size > APPEND_BYTES_MAX:
            raise _damaged(where, f"a frame begins with event {first_seq}, not {position.next_seq}")
        batches.append(_decode(payload, size, events, where))
        position = WalPosition(position.path, frame_end, digest, position.first_seq, first_seq + events)
    return WalScan(position, batches, end - position.offset)


def _decode(payload: bytes, size: int, events: int, where: str) -> pa.RecordBatch:
    try:
        message = pa.Codec("zstd").decompress(payload, size)
        batch = pa.ipc.read_record_batch(message, EVENTS)
    except UNREADABLE:
        raise _damaged(where, "a frame's events cannot be read") from None
    if batch.num_rows != events:
        raise _damaged(where, f"a frame holds {batch.num_rows} events, not {events}")
    return batch


def _check_file_header(header: bytes, name: str, estate_id: str) -> int:
    magic, first_seq, estate, _ = _FILE.unpack(header)
    if magic != _FILE_MAGIC or header != _with_crc(header):
        raise _damaged(name, "the file's header does not match its checksum")
    if estate != hashlib.sha256(estate_id.encode()).digest():
        raise IntegrityError(name, "belongs to another estate", advice="move it back where it came from")
    if Path(name).name != wal_name(first_seq):
        raise _damaged(name, f"begins with event {first_seq}, which its name denies")
    return int(first_seq)


def _has_unwritten_sector(frame: bytes, offset: int) -> bool:
    start = 0
    while start < len(frame):
        stop = min(len(frame), start + _SECTOR_BYTES - (offset + start) % _SECTOR_BYTES)
        if stop - start >= _ZEROS_MIN and not any(frame[start:stop]):
            return True
        start = stop
    return False


def _with_crc(header: bytes) -> bytes:
    return header[:-4] + struct.pack(">I", zlib.crc32(header[:-4]))


def _damaged(where: str, reason: str) -> IntegrityError:
    return IntegrityError(where, reason, advice="see what else is concerned with: beholden ledger verify")
