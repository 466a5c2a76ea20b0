"""Two small files: ``ledger.json``, what this ledger is, and ``manifest.json``, which sealed segments belong to it.

A segment exists only if the manifest lists it; nobody looks for segments by name pattern.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from beholden.core.errors import IntegrityError, NotFoundError, SourceError
from beholden.ledger.files import read_sealed_json, sealed_json
from beholden.ledger.format import FORMAT_VERSION, Layout
from beholden.ledger.records import PruneRecord

__all__ = ["LedgerInfo", "Manifest", "Pruned", "Segment", "SourceSpan", "read_info", "read_manifest", "segment_name"]

#: Longest list of segments that is read: at 2^20 events each, more events than any estate has.
_MANIFEST_BYTES_MAX: Final = 256 * 1024 * 1024
_SEGMENT_FILE: Final = re.compile(r"\d{16}-\d{16}(-[0-9a-f]{8})?\.parquet\Z")


class LedgerInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What this directory is. ``created`` is in microseconds."""

    format: int = FORMAT_VERSION
    estate_id: str
    origin: str
    created: int


class SourceSpan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one source gave to a segment: completeness of an answer is told from these. Times in microseconds."""

    source: str
    events: int
    time_min: int
    time_max: int


class Segment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A sealed segment: events ``first_seq`` to ``last_seq``, both included, in one Parquet file."""

    file: str
    first_seq: int
    last_seq: int
    events: int
    size_bytes: int
    sha256: str
    sealed: int
    time_min: int
    time_max: int
    sources: tuple[SourceSpan, ...]


class Pruned(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The last pruning: the event that tells of it, when that was (microseconds), and what it says word for word."""

    seq: int
    time: int
    record: PruneRecord


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every sealed segment in sequence order, without gaps, from ``first_seq`` (0 until old ones are pruned)."""

    format: int = FORMAT_VERSION
    first_seq: int = 0
    next_seq: int = 0
    segments: tuple[Segment, ...] = ()
    pruned: Pruned | None = None

    def with_segments(self, added: tuple[Segment, ...]) -> Manifest:
        """This manifest and ``added`` after it."""
        return msgspec.structs.replace(self, next_seq=added[-1].last_seq + 1, segments=(*self.segments, *added))

    def merged(self, start: int, stop: int, segment: Segment) -> Manifest:
        """This manifest with one segment in the place of those from ``start`` to before ``stop``."""
        return msgspec.structs.replace(self, segments=(*self.segments[:start], segment, *self.segments[stop:]))

    def pruned_by(self, pruned: Pruned) -> Manifest:
        """This manifest without the segments that ``pruned`` tells of."""
        first_seq = pruned.record.last_seq + 1
        segments = tuple(segment for segment in self.segments if segment.first_seq >= first_seq)
        return msgspec.structs.replace(self, first_seq=first_seq, segments=segments, pruned=pruned)


def segment_name(first_seq: int, last_seq: int, tag: str = "") -> str:
    """The file of a segment below ``segments``; ``tag`` sets it apart from another writer's of the same events."""
    return f"{first_seq:016d}-{last_seq:016d}{'-' if tag else ''}{tag}.parquet"


def read_info(layout: Layout) -> LedgerInfo:
    """Read ``ledger.json``.

    Raises:
        NotFoundError: there is no ledger here.
        IntegrityError: it was altered, or is missing beside what only a ledger's events leave.
        BeholdenError: it was written by a newer format.
    """
    try:
        data = layout.info.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        if left := _remains(layout):
            found = f"is missing beside a ledger's {left}"
            raise IntegrityError("ledger.json", found, advice="restore it from a backup") from None
        raise NotFoundError(
            f"ledger {layout.root.name}", "there is no ledger in this directory", advice="make one with: beholden init"
        ) from None
    except OSError as error:
        raise SourceError("ledger.json", f"cannot be read ({error.strerror})") from None
    return read_sealed_json(data, LedgerInfo, "ledger.json", FORMAT_VERSION)


def _remains(layout: Layout) -> str:
    """What there is of a ledger that held events; empty for none, and for one whose making was stopped."""
    try:
        for directory in (layout.wal, layout.segments, layout.tiles):
            if directory.is_dir() and any(directory.iterdir()):
                return directory.name
        if layout.manifest.read_bytes() != sealed_json(Manifest()):
            return layout.manifest.name
    except OSError:
        return ""
    return ""


def read_manifest(layout: Layout) -> tuple[Manifest, bytes]:
    """Read and check ``manifest.json``; also its bytes, by which a reader notices that it was replaced."""
    try:
        with layout.manifest.open("rb") as file:
            data = file.read(_MANIFEST_BYTES_MAX + 1)
    except FileNotFoundError:
        raise IntegrityError("manifest.json", "is missing", advice="restore it from a backup") from None
    except OSError as error:
        raise SourceError("manifest.json", f"cannot be read ({error.strerror})") from None
    if len(data) > _MANIFEST_BYTES_MAX:
        raise IntegrityError("manifest.json", "is larger than any manifest can be")
    manifest = read_sealed_json(data, Manifest, "manifest.json", FORMAT_VERSION)
    _check(manifest)
    return manifest, data


def _check(manifest: Manifest) -> None:
    seq = manifest.pruned.record.last_seq + 1 if manifest.pruned else 0
    if seq != manifest.first_seq:
        raise IntegrityError("manifest.json", f"begins with event {manifest.first_seq}", expected=f"event {seq}")
    for segment in manifest.segments:
        right = (
            segment.first_seq == seq
            and segment.events == segment.last_seq + 1 - seq > 0
            and _SEGMENT_FILE.match(segment.file)
            and segment.events == sum(span.events for span in segment.sources)
        )
        if not right:
            raise IntegrityError("manifest.json", f"segment {segment.file[:60]} does not follow from {seq}")
        seq = segment.last_seq + 1
    if seq != manifest.next_seq:
        raise IntegrityError("manifest.json", f"its segments end at {seq}", expected=f"{manifest.next_seq}")
