"""Where a ledger lives besides a local disk: buckets that speak S3 and honour conditional writes."""

from __future__ import annotations

from beholden.ledger.storage.client import Bucket, Transport, connect
from beholden.ledger.storage.disk import ObjectDisk
from beholden.ledger.storage.ledger import BucketLedger, open_bucket_ledger
from beholden.ledger.storage.mirror import Mirror, fresh_copy, open_mirror
from beholden.ledger.storage.verify import check_frames, verify_bucket

__all__ = [
    "Bucket",
    "BucketLedger",
    "Mirror",
    "ObjectDisk",
    "Transport",
    "check_frames",
    "connect",
    "fresh_copy",
    "open_bucket_ledger",
    "open_mirror",
    "verify_bucket",
]
