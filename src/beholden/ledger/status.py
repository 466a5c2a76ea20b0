"""What the ledger holds, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from beholden.core.times import format_time
from beholden.ledger.files import is_temporary
from beholden.ledger.format import Layout
from beholden.ledger.manifest import SourceSpan
from beholden.ledger.segments import source_spans
from beholden.ledger.snapshot import Snapshot

__all__ = ["LedgerStatus", "SourceStatus", "read_status"]


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """What one source of records gave. Times are RFC 3339."""

    source: str
    events: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class LedgerStatus:
    """The ledger in numbers. Times are RFC 3339, null while there is nothing.

    ``in_wal`` events are durable and not yet sealed. ``bytes_per_event`` counts segments and tiles for sealed events.
    ``sources`` is what each source gave, sealed or not. ``checkpoint_time`` is when the last tree head was signed.
    The record begins with event ``first_seq``: 0, or later since old ones were pruned, last at ``pruned``.
    """

    events: int
    sealed: int
    in_wal: int
    segments: int
    segment_bytes: int
    tile_bytes: int
    wal_bytes: int
    uid_bytes: int
    bytes_per_event: float | None
    first_time: str | None
    last_time: str | None
    tree_size: int
    root_hash: str
    checkpoint_time: str | None
    first_seq: int
    pruned: str | None
    sources: tuple[SourceStatus, ...]


def read_status(layout: Layout, snapshot: Snapshot) -> LedgerStatus:
    """The numbers of one snapshot; sizes are of the files as they are now."""
    manifest = snapshot.manifest
    sealed = sum(segment.events for segment in manifest.segments)
    spans = _merge([span for segment in manifest.segments for span in segment.sources], source_spans(snapshot.recent))
    segment_bytes = sum(segment.size_bytes for segment in manifest.segments)
    tile_bytes = _bytes_below(layout.tiles)
    return LedgerStatus(
        events=sealed + snapshot.recent.num_rows,
        sealed=sealed,
        in_wal=snapshot.recent.num_rows,
        segments=len(manifest.segments),
        segment_bytes=segment_bytes,
        tile_bytes=tile_bytes,
        wal_bytes=_bytes_below(layout.wal),
        uid_bytes=_bytes_below(layout.uids),
        bytes_per_event=(segment_bytes + tile_bytes) / sealed if sealed else None,
        first_time=_time(min((span.time_min for span in spans), default=None)),
        last_time=_time(max((span.time_max for span in spans), default=None)),
        tree_size=snapshot.checkpoint.size,
        root_hash=snapshot.checkpoint.root.hex(),
        checkpoint_time=_time(manifest.segments[-1].sealed if manifest.segments else None),
        first_seq=manifest.first_seq,
        pruned=_time(manifest.pruned.time if manifest.pruned else None),
        sources=tuple(
            SourceStatus(span.source, span.events, format_time(span.time_min), format_time(span.time_max))
            for span in spans
        ),
    )


def _time(micros: int | None) -> str | None:
    return None if micros is None else format_time(micros)


def _merge(sealed: list[SourceSpan], recent: tuple[SourceSpan, ...]) -> tuple[SourceSpan, ...]:
    merged: dict[str, SourceSpan] = {}
    for span in (*sealed, *recent):
        known = merged.get(span.source, span)
        merged[span.source] = SourceSpan(
            source=span.source,
            events=span.events + (known.events if known is not span else 0),
            time_min=min(span.time_min, known.time_min),
            time_max=max(span.time_max, known.time_max),
        )
    return tuple(merged[name] for name in sorted(merged))


def _bytes_below(directory: Path) -> int:
    total = 0
    for path in directory.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() and not is_temporary(path) else 0
        except FileNotFoundError:  # a seal removed it meanwhile
            continue
    return total
