"""The runs of uids against the segments: what a wrong one says would let events in twice, or keep them out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from beholden.ledger.format import Layout
from beholden.ledger.manifest import Manifest, Segment
from beholden.ledger.uid_runs import UidRun, is_intact, open_run, run_name, run_range
from beholden.ledger.uids import SourceCodes, chosen_runs, find

__all__ = ["UidsCheck"]

_Range = tuple[int, int]


class UidsCheck:
    """Compares the runs that writers would ask with one segment after the other.

    A run has as many entries as events; so it is right if its bytes are those that were written and every event's key is
    in it. Events that were pruned have keys that cannot be compared.
    """

    def __init__(self, layout: Layout, manifest: Manifest) -> None:
        self._layout = layout
        self._manifest = manifest
        self._sources = SourceCodes()
        self._ranges = chosen_runs(self._found(), manifest)
        self._runs: dict[_Range, UidRun] = {}
        self._wrong: set[_Range] = set()
        for key in self._ranges:
            path = self._path(key)
            with contextlib.suppress(FileNotFoundError):  # a writer has merged it meanwhile
                try:
                    self._runs[key] = open_run(path)
                except ValueError:
                    self._wrong.add(key)
                if not is_intact(path):
                    self._wrong.add(key)

    def paths(self) -> set[Path]:
        """The runs that count."""
        return {self._path(key) for key in self._ranges}

    def compare(self, segment: Segment, events: pa.Table) -> None:
        """Look for the events of a segment (columns ``uid`` and ``source``) in the runs that cover them."""
        for key, run in self._runs.items():
            first, last = max(key[0], segment.first_seq), min(key[1], segment.last_seq)
            if key in self._wrong or first > last:
                continue
            keys, _ = self._sources.keys(events.slice(first - segment.first_seq, last - first + 1)).sorted_distinct()
            codes = self._sources.of(run.entries.sources)
            whole = len(keys) == last - first + 1 and len(run.possible(keys.high)) == len(keys)
            if not whole or not find(run.entries, codes, keys).all():
                self._wrong.add(key)

    def findings(self) -> Iterator[tuple[Path, str]]:
        """Runs that are not what the segments say."""
        for key in sorted(self._wrong):
            yield self._path(key), "does not match its segments; remove it, it is made again"

    def missing(self) -> Iterator[Path]:
        """Where runs should be and none is: the range of events between others."""
        seq = self._manifest.first_seq
        for first, last in [*self._ranges, (self._manifest.next_seq, self._manifest.next_seq)]:
            if seq < first:
                yield self._path((seq, first - 1))
            seq = max(seq, last + 1)

    def _path(self, key: _Range) -> Path:
        return self._layout.uids / run_name(*key)

    def _found(self) -> list[_Range]:
        if not self._layout.uids.is_dir():
            return []
        return [found for path in self._layout.uids.iterdir() if (found := run_range(path.name))]
