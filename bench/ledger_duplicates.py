"""What finding duplicates costs when much is held: CPU us an event, for runs of uids made without their segments.

python bench/ledger_duplicates.py [SEGMENTS]     (48 of 2^20 events unless said: 700 MB of files, half a minute)
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from beholden.core.limits import BATCH_ROWS, SEGMENT_EVENTS_MAX
from beholden.ledger import INPUT_EVENTS
from beholden.ledger.files import Disk
from beholden.ledger.format import Layout
from beholden.ledger.manifest import Manifest
from beholden.ledger.uids import KnownUids

_SOURCES = pa.array([f"source-{i}" for i in range(20)])
_BATCHES = 32


def events(segment: int) -> Iterator[pa.RecordBatch]:
    """The sources and uids of a segment's events, the same every time."""
    chance = np.random.default_rng(segment)
    type_ = INPUT_EVENTS.field("uid").type
    for _ in range(0, SEGMENT_EVENTS_MAX, BATCH_ROWS):
        data = pa.py_buffer(chance.bytes(BATCH_ROWS * type_.byte_width))
        uids = pa.FixedSizeBinaryArray.from_buffers(type_, BATCH_ROWS, [None, data])
        sources = _SOURCES.take(pa.array(chance.integers(0, len(_SOURCES), BATCH_ROWS)))
        yield pa.RecordBatch.from_arrays([sources, uids], ["source", "uid"])


def main(segments: int) -> None:
    """Make the runs and print what questions to them cost."""
    with tempfile.TemporaryDirectory() as name:
        layout = Layout(Path(name))
        known = KnownUids(Disk(), layout)
        spent, longest = 0.0, 0.0
        for segment in range(segments):
            for batch in events(segment):
                known.add(known.keys(batch).sorted_distinct()[0])
            begun = time.process_time()
            known.seal(Manifest(next_seq=(segment + 1) * SEGMENT_EVENTS_MAX))
            seconds = time.process_time() - begun
            spent, longest = spent + seconds, max(longest, seconds)
        files = list(layout.uids.glob("*.uids"))
        held = segments * SEGMENT_EVENTS_MAX
        size = sum(path.stat().st_size for path in files)
        print(f"{held:,} events held in {len(files)} runs, {size / held:.1f} bytes an event")
        print(f"{'make and merge runs':28}{spent / held * 1e6:8.3f} us CPU an event; the longest {longest:.1f} s")
        for label, segment in {
            "unknown": segments,
            "oldest": 0,
            "middle": segments // 2,
            "newest": segments - 1,
        }.items():
            batches = [batch for batch, _ in zip(events(segment), range(_BATCHES), strict=False)]
            begun = time.process_time()
            found = sum(int(known.contains(known.keys(batch).sorted_distinct()[0]).sum()) for batch in batches)
            seconds = (time.process_time() - begun) / _BATCHES / BATCH_ROWS
            print(f"{f'{label}, {found:,} known':28}{seconds * 1e6:8.3f} us CPU an event")
        for label in ("open, hashing all", "open again"):
            begun = time.process_time()
            KnownUids(Disk(), layout).set_segments(Manifest(next_seq=held))
            print(f"{label:28}{time.process_time() - begun:8.3f} s CPU")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 48)
