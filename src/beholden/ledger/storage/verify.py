"""Verification of what lies in the bucket, not of what was once fetched from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from beholden.core.errors import IntegrityError
from beholden.ledger.checkpoint import VerifierKey
from beholden.ledger.files import reading
from beholden.ledger.format import Layout
from beholden.ledger.storage.client import Bucket
from beholden.ledger.storage.mirror import fresh_copy, is_local
from beholden.ledger.verify import Finding, VerifyReport, verify
from beholden.ledger.wal import is_whole, wal_files

__all__ = ["check_frames", "verify_bucket"]


def verify_bucket(
    bucket: Bucket, cache: Path, *, key: VerifierKey, estate_id: str | None = None, acknowledged: int = 0
) -> VerifyReport:
    """Fetch every object anew and check it as `verify` does a directory; findings name objects below the prefix.

    A frame that ends too soon is a finding: an object is written at once, so it was cut. Needs as much room in the cache
    as the ledger has; segments and tiles an earlier answer was read from are not taken on trust. What this machine
    derived from segments is compared with them; that it has derived nothing yet is no news.

    Raises:
        SourceError: the bucket cannot be read, or the cache not be written.
        BeholdenError: as `verify`.
    """
    with fresh_copy(bucket, cache) as directory:
        return check_frames(verify(directory, key=key, estate_id=estate_id, acknowledged=acknowledged), directory)


def check_frames(report: VerifyReport, directory: Path) -> VerifyReport:
    """What `verify` says of a `fresh_copy`, as it is to be said of the bucket."""
    with reading():
        cut = tuple(_cut_frames(Layout(directory)))
    names = {finding.object for finding in cut}
    notes = tuple(note for note in report.notes if note.object not in names and not is_local(note.object))
    return replace(report, findings=(*report.findings, *cut), notes=notes)


def _cut_frames(layout: Layout) -> Iterator[Finding]:
    try:
        frames = wal_files(layout.wal)
    except IntegrityError:  # said by `verify`
        return
    for path in frames:
        if not is_whole(path):
            yield Finding(layout.name(path), "is not whole: it was cut after it was written")
