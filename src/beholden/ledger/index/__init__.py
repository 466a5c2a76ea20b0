"""Derived files by which questions are answered without reading the segments."""

from __future__ import annotations

from beholden.ledger.index.build import dataset_key
from beholden.ledger.index.keep import check_index, index_of_events, index_path, open_index, write_indexes
from beholden.ledger.index.segment_index import INDEXED, SegmentIndex
from beholden.ledger.index.summary import HOUR_US, Summary, merged, summarise

__all__ = [
    "HOUR_US",
    "INDEXED",
    "SegmentIndex",
    "Summary",
    "check_index",
    "dataset_key",
    "index_of_events",
    "index_path",
    "merged",
    "open_index",
    "summarise",
    "write_indexes",
]
