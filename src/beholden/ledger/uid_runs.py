"""Sorted runs of (source, uid): the file behind "do we hold this event already", and how runs are merged.

A run, ``uids/FIRST-LAST.uids``, has an entry for each event FIRST to LAST, sorted by the first 8 bytes of the uid. In
front of them is a filter, 16 bits an entry, of which the bit for each entry's place in the order of all possible
uids is set. Sorted keys walk through it in one direction, and 15 of 16 unknown ones end there. An entry says all there
is to compare, so a hit needs no segment. Files are memory-mapped: they cost address space, not memory.

Everything is little-endian: magic "BHLDUID" and version 2, FIRST u64, entries u64, bits of the filter u64, bytes of the names u64,
SHA-256; then the names of the sources as a JSON list, the filter (bit i is bit i % 8 of byte i // 8), each padded with
zeros to 8 bytes; the first 8 bytes of each uid, as the number they are in big-endian, u64; the 2 bytes after them, u16;
the number of the source in the list, u16, or u32 where there are more than 65,536. The SHA-256 is of the header before
it and the SHA-256 of all that follows it.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from beholden.ledger.files import Disk, temporary_name

__all__ = ["SUFFIX", "Entries", "UidRun", "is_intact", "open_run", "run_name", "run_range", "write_run"]

SUFFIX: Final = ".uids"
_HEADER: Final = struct.Struct("<8sQQQQ32s")
_MAGIC: Final = b"BHLDUID\x02"
_DIGEST_BYTES: Final = 32
_FILTER_BITS: Final = 16
_FILTER_BITS_MAX: Final = 1 << 32
#: Bits of the filter written at a time: entries for about a million of them are sorted in memory at once.
_STEP_BITS: Final = 1 << 24
_NARROW_SOURCES: Final = 1 << 16
_NAME: Final = re.compile(r"(\d{16})-(\d{16})\.uids\Z")

_U64 = npt.NDArray[np.uint64]
_Unsigned = npt.NDArray[Any]
_Index = npt.NDArray[np.int64]
_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Entries:
    """(source, uid) of some events, sorted by ``high``; ``code`` is a source's place in ``sources``."""

    high: _U64
    low: _Unsigned
    code: _Unsigned
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.high)


@dataclass(frozen=True, slots=True)
class UidRun:
    """What the events ``first_seq`` to ``last_seq`` are known by."""

    first_seq: int
    last_seq: int
    entries: Entries
    filter: npt.NDArray[np.uint8]
    filter_bits: int

    def possible(self, high: _U64) -> _Index:
        """Which of some ascending ``high`` may be held: all that are, and one in sixteen of the others."""
        places = _places(high, self.filter_bits)
        bits = self.filter[places >> 3] >> (places & 7).astype(np.uint8) & 1
        return np.flatnonzero(bits)


def run_name(first_seq: int, last_seq: int) -> str:
    """The file of a run below ``uids``."""
    return f"{first_seq:016d}-{last_seq:016d}{SUFFIX}"


def run_range(name: str) -> tuple[int, int] | None:
    """First and last event of the run with this name; None if it is none."""
    match = _NAME.match(name)
    return (int(match[1]), int(match[2])) if match and int(match[1]) <= int(match[2]) else None


def open_run(path: Path) -> UidRun:
    """Map a run; its digest is not looked at.

    Raises:
        OSError: it cannot be read.
        ValueError: it is none, or of another length than it says.
    """
    found = run_range(path.name)
    with path.open("rb") as file:
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size or found is None:
            raise ValueError("not a run of uids")
        magic, first_seq, count, bits, name_bytes, _ = _HEADER.unpack(header)
        right = magic == _MAGIC and (first_seq, first_seq + count - 1) == found and bits % 64 == 0
        if not right or not 0 < bits <= _FILTER_BITS_MAX or name_bytes > path.stat().st_size:
            raise ValueError("not a run of uids")
        try:
            sources = msgspec.json.decode(file.read(name_bytes), type=tuple[str, ...])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ValueError("not a run of uids") from None
    code = _code_type(len(sources))
    data = np.asarray(np.memmap(path, np.uint8, "r"))
    edges = np.cumsum(
        [_HEADER.size + _padded(name_bytes), bits // 8, 8 * count, 2 * count, code.itemsize * count]
    ).tolist()
    if edges[-1] != len(data):
        raise ValueError("not a run of uids")
    filter_, high, low, codes = (data[start:end] for start, end in itertools.pairwise(edges))
    return UidRun(*found, Entries(high.view("<u8"), low.view("<u2"), codes.view(code), sources), filter_, bits)


def is_intact(path: Path) -> bool:
    """Whether a run has the bytes that were written; reads all of it."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER.size)
            return len(header) == _HEADER.size and header[-_DIGEST_BYTES:] == _digest(header[:-_DIGEST_BYTES], file)
    except OSError:
        return False


def write_run(disk: Disk, path: Path, parts: Sequence[Entries]) -> None:
    """Merge sorted entries into a run.

    When it returns the run is durable under its name. Memory: 2 bytes an entry, and a million entries at a time.
    """
    found, count = run_range(path.name), sum(map(len, parts))
    if found is None or found[1] - found[0] + 1 != count:
        raise ValueError("a run has an entry for each event its name says")
    bits = min(_FILTER_BITS_MAX, -(-count * _FILTER_BITS // 64) * 64)
    sources = tuple(sorted({name for part in parts for name in part.sources}))
    names = msgspec.json.encode(sources)
    code = _code_type(len(sources))
    edges = np.cumsum([_HEADER.size + _padded(len(names)), bits // 8, 8 * count, 2 * count]).tolist()
    temporary = temporary_name(path)
    with disk.create(temporary) as file:
        for at, merged in _merged(parts, bits, sources):
            filter_ = np.zeros(min(_STEP_BITS, bits - at), np.bool_)
            filter_[_places(merged.high, bits) - at] = True
            arrays = np.packbits(filter_, bitorder="little"), merged.high.astype("<u8"), merged.low.astype("<u2")
            for section, array in enumerate((*arrays, merged.code.astype(code))):
                file.seek(edges[section])
                disk.write(file, array.data)
                edges[section] += array.nbytes
        start = _HEADER.pack(_MAGIC, found[0], count, bits, len(names), b"")[:-_DIGEST_BYTES]
        file.seek(_HEADER.size)
        disk.write(file, names.ljust(_padded(len(names)), b"\0"))
        with temporary.open("rb") as written:
            written.seek(_HEADER.size)
            digest = _digest(start, written)
        file.seek(0)
        disk.write(file, start + digest)
        disk.sync(file)
    disk.replace(temporary, path)
    disk.sync_directory(path.parent)


def _merged(parts: Sequence[Entries], bits: int, sources: tuple[str, ...]) -> Iterator[tuple[int, Entries]]:
    """The entries of all parts in order, those for some bits of the filter at a time; and the first of these bits."""
    numbers = {name: number for number, name in enumerate(sources)}
    codes = [np.array([numbers[name] for name in part.sources], np.uint32) for part in parts]
    begin = [0] * len(parts)
    for at in range(0, bits, _STEP_BITS):
        end = [_place_start(part.high, at + _STEP_BITS, bits) for part in parts]
        cuts = list(zip(parts, codes, map(slice, begin, end), strict=True))
        high = np.concatenate([part.high[cut] for part, _, cut in cuts])
        order = np.argsort(high, kind="stable")
        low = np.concatenate([part.low[cut] for part, _, cut in cuts])
        code = np.concatenate([known[part.code[cut]] for part, known, cut in cuts])
        yield at, Entries(high[order], low[order], code[order], sources)
        begin = end


def _places(high: _U64, bits: int) -> _Index:
    """The bits of the filter that stand for some uids: they rise with ``high``."""
    return ((high >> np.uint64(32)) * np.uint64(bits) >> np.uint64(32)).view(np.int64)


def _place_start(high: _U64, place: int, bits: int) -> int:
    """How many of the sorted ``high`` have a bit before ``place``."""
    if place >= bits:
        return len(high)
    return int(np.searchsorted(high, np.uint64(-(-(place << 32) // bits) << 32)))


def _digest(start: bytes, rest: BufferedReader) -> bytes:
    return hashlib.sha256(start + hashlib.file_digest(rest, "sha256").digest()).digest()


def _code_type(sources: int) -> np.dtype[Any]:
    return np.dtype("<u2" if sources <= _NARROW_SOURCES else "<u4")


def _padded(size_bytes: int) -> int:
    return -(-size_bytes // 8) * 8
