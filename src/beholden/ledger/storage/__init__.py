"""Where a ledger lives besides a local disk: buckets that speak S3 and honour conditional writes."""

from __future__ import annotations

from beholden.ledger.storage.client import Bucket, Transport, connect
from beholden.ledger.storage.ledger import BucketLedger, frames_are_whole, open_bucket_ledger
from beholden.ledger.storage.mirror import Mirror, fresh_copy, open_mirror

__all__ = ["Bucket", "BucketLedger", "Mirror", "Transport", "connect", "frames_are_whole", "fresh_copy", "open_bucket_ledger", "open_mirror"]
