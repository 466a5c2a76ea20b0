"""Compaction: small segments become one, with the same events, leaves and tree.

A ledger that is sealed every minute would have half a million segments a year. So a seal looks at the end of the list,
and when enough small segments stand there it writes them again as one. An event is written again once or twice in its
life. No merged segment holds more than `SPAN_DAYS_MAX` of sealing, since a segment is what retention removes.

Order of the durable steps, and what a stop after each leaves:

1. the merged segment, under its name   an unlisted file; removed by the next writer, its events are in listed ones
2. manifest                             the old segments are unlisted; removed by the next writer
3. the old segments and what was made of them are removed   done
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from beholden.core.errors import IntegrityError
from beholden.ledger.files import Disk, remove_temporaries, replace_file, sealed_json
from beholden.ledger.format import Layout
from beholden.ledger.manifest import Manifest, Segment
from beholden.ledger.segments import UNREADABLE, iterate_segment, write_segment
from beholden.ledger.unchanged import check_segment

__all__ = ["SPAN_DAYS_MAX", "compact", "mergeable", "remove_segments", "tree_sizes"]

#: Merged segments hold at most so many days of sealing: retention can be late by no more.
SPAN_DAYS_MAX: Final = 31
_SPAN_US_MAX: Final = SPAN_DAYS_MAX * 86_400_000_000
#: So many segments in a row are merged, however small they are together.
_MANY: Final = 64
#: So many are merged when that makes a segment that is never merged again.
_SOME: Final = 8
#: Shares of the largest segment below which one is tiny, and below which it is small.
_TINY: Final = 128
_SMALL: Final = 2
#: Key of a merged segment's Parquet metadata: sizes of the tree heads signed inside it, as differences.
_SIZES_KEY: Final = b"beholden.tree_sizes"


def mergeable(segments: Sequence[Segment], events_max: int) -> tuple[int, int] | None:
    """Which segments to merge now, as ``[start, stop)``; None for none. ``stop`` is the end of the list.

    Tiny ones (fewer than 1/128 of a segment's events) when there are 64 in a row; small ones (fewer than half) when 8 or
    more make at least half a segment. Fewer than 64 within `SPAN_DAYS_MAX` stay: a ledger sealed daily has 365 a year.
    """
    stop = len(segments)
    for share, many in ((_TINY, _MANY), (_SMALL, _SOME)):
        start, events = stop, 0
        while start:
            before = segments[start - 1]
            since = segments[start - 2].sealed if start > 1 else before.sealed
            fits = events + before.events <= events_max and segments[-1].sealed - since <= _SPAN_US_MAX
            if before.events * share >= events_max or not fits:
                break
            start, events = start - 1, events + before.events
        if stop - start >= many and (share == _TINY or events * _SMALL >= events_max):
            return start, stop
    return None


def compact(disk: Disk, layout: Layout, manifest: Manifest, events_max: int) -> Manifest:
    """Merge small segments at the end of the list as long as there are enough; returns the manifest that then holds.

    When it returns the merged segment and the manifest are durable. A failed write changes nothing that counts: the
    segments stay as they were, and the next seal tries again. So do altered ones, which who reads or verifies them
    hears of: merging them would hide it. The caller holds the lock.
    """
    while (found := mergeable(manifest.segments, events_max)) is not None:
        start, stop = found
        parts = manifest.segments[start:stop]
        try:
            merged = _merge(disk, layout, parts)
            after = manifest.merged(start, stop, merged)
            replace_file(disk, layout.manifest, sealed_json(after))
        except (OSError, IntegrityError):
            with contextlib.suppress(OSError):
                remove_temporaries(disk, layout.root, layout.segments)
            return manifest
        manifest = after
        with contextlib.suppress(OSError):  # files that stay are not listed, and removed by the next writer
            remove_segments(disk, layout, parts)
    return manifest


def remove_segments(disk: Disk, layout: Layout, segments: Iterable[Segment]) -> None:
    """Remove segments that are listed no more, and the files that were made of them."""
    gone = {segment.file.removesuffix(".parquet") for segment in segments}
    for directory in (layout.segments, *layout.derived):
        if directory.is_dir():
            for path in sorted(directory.rglob("*")):
                if path.is_file() and path.name.partition(".")[0] in gone:
                    disk.remove(path)
    disk.sync_directory(layout.segments)


def tree_sizes(layout: Layout, segments: Sequence[Segment]) -> list[int]:
    """Sizes of the tree heads signed over these consecutive segments, ascending.

    They are the ends of seals, whose segments share a time, and those that merged segments note.

    Raises:
        IntegrityError: a segment is missing or cannot be read.
    """
    found: list[int] = []
    for segment, after in itertools.zip_longest(segments, segments[1:]):
        size = segment.first_seq
        try:
            text = (pq.read_schema(layout.segments / segment.file).metadata or {}).get(_SIZES_KEY, b"")
            for difference in text.split():
                size += int(difference)
                found.append(size)
        except UNREADABLE:
            name = f"segments/{segment.file}"
            raise IntegrityError(name, "is missing or cannot be read as Parquet", advice="restore it") from None
        if after is None or after.sealed != segment.sealed:
            found.append(segment.last_seq + 1)
    return found


def _merge(disk: Disk, layout: Layout, parts: Sequence[Segment]) -> Segment:
    for part in parts:
        check_segment(layout, part)
    sizes = tree_sizes(layout, parts)[:-1]
    batches: list[pa.RecordBatch] = []
    for part in parts:
        batches += iterate_segment(layout.segments / part.file, f"segments/{part.file}")
    events = pa.Table.from_batches(batches)
    differences = [size - before for before, size in zip([parts[0].first_seq, *sizes], sizes, strict=False)]
    text = " ".join(map(str, differences)).encode()
    return write_segment(disk, layout, events.replace_schema_metadata({_SIZES_KEY: text}), parts[-1].sealed)
