"""A ledger whose files are objects of a bucket. What each call promises is what `Ledger` promises, of the bucket."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import pyarrow as pa

from beholden.core.errors import IntegrityError, SourceError
from beholden.core.ids import Entropy, system_entropy
from beholden.core.times import Clock
from beholden.ledger.checkpoint import Signer
from beholden.ledger.files import Disk, reading
from beholden.ledger.format import WAL_BYTES_MAX
from beholden.ledger.log import AppendResult, Ledger, SealResult, Snapshot
from beholden.ledger.prune import PruneResult
from beholden.ledger.records import HoldRecord, ReleaseRecord
from beholden.ledger.retention import Policy
from beholden.ledger.storage.client import Overtaken
from beholden.ledger.storage.disk import ObjectDisk
from beholden.ledger.storage.mirror import Mirror
from beholden.ledger.wal import is_whole, wal_files

__all__ = ["WAL_OBJECTS_MAX", "BucketLedger", "open_bucket_ledger"]

_T = TypeVar("_T")
#: Frames that wait to be sealed: a list of the bucket stays one answer, and a new reader fetches no more than these.
WAL_OBJECTS_MAX: Final = 512
#: How often a writer gives way to others before it says so. They make headway each time.
_TRIES_MAX: Final = 40
_PAUSE_S_MAX: Final = 1.0
#: Two machines may make one ledger at once; who is second finds the first one's.
_CREATE_TRIES: Final = 5


class BucketLedger(Ledger):
    """One estate's record of accesses in a bucket. Make one with `open_bucket_ledger`.

    Writers on several machines need no lock: who is second looks again, and is told only if that never ends.
    """

    _object_disk: ObjectDisk
    _pause: Callable[[float], None] = staticmethod(time.sleep)

    def __init__(self, *arguments: Any, disk: Disk, **options: Any) -> None:
        super().__init__(*arguments, disk=disk, **options)
        if not isinstance(disk, ObjectDisk):
            raise TypeError
        self._object_disk = disk
        self._mirror = disk.mirror
        self._is_fresh = False
        self._whole_frames: set[tuple[str, str]] = set()

    def append(self, batch: pa.RecordBatch) -> AppendResult:
        """As `Ledger.append`: durable in the bucket when it returns.

        If it raises, nothing was acknowledged; a request whose answer was lost may have been carried out all the same,
        and giving the batch again then finds its events known.
        """
        return self._again(super().append, batch)

    def seal(self) -> SealResult:
        """As `Ledger.seal`, of all events in the bucket, other machines' too."""
        self._is_fresh = False
        return self._again(super().seal)

    def prune(self, policies: Sequence[Policy], *, trust_clock: bool = False) -> PruneResult:
        """As `Ledger.prune`; planned anew, with the holds that then are, each time another writer was first."""
        self._is_fresh = False
        return self._again(lambda: super(BucketLedger, self).prune(policies, trust_clock=trust_clock))

    def record(self, record: HoldRecord | ReleaseRecord) -> None:
        """As `Ledger.record`."""
        self._is_fresh = False
        self._again(super().record, record)

    def tables(self) -> Snapshot:
        """As `Ledger.tables`; fetches what this machine has not, and waits for this process's own writers alone."""
        with self._turn, reading():
            self._refresh_mirror()
            try:
                return super().tables()
            except IntegrityError:
                if not self._mirror.heal():
                    raise
                return super().tables()

    def _again(self, work: Callable[..., _T], *arguments: Any) -> _T:
        """Do it, anew each time another writer was first."""
        for tries in range(_TRIES_MAX):
            try:
                return work(*arguments)
            except Overtaken:
                self._is_fresh = False
                self._pause(random.uniform(0, min(_PAUSE_S_MAX, 0.01 * 2**tries)))  # noqa: S311 - only when, never what
            except BaseException:
                self._is_fresh = False
                raise
        raise SourceError(
            self._mirror.bucket.place.url, f"other writers were first {_TRIES_MAX} times in a row",
            expected="a pause between them", advice="nothing is lost; run it again when fewer write",
        )  # fmt: skip

    def _refresh(self, known: Any) -> Any:
        """Look at the bucket, unless this writer was the last to change it as far as it knows: then writing tells."""
        if not self._is_fresh:
            self._refresh_mirror()
            self._mirror.drop_unlisted_segments()
        self._is_fresh = True
        writer = super()._refresh(known)
        self._check_unlisted(writer.next_seq)
        return writer

    def _refresh_mirror(self) -> None:
        self._mirror.refresh()
        for path in wal_files(self._layout.wal):
            name = self._layout.name(path)
            version = (name, self._mirror.etag(name))
            if version not in self._whole_frames:
                if not is_whole(path):
                    self._object_disk.open(path)
                self._whole_frames.add(version)

    def _check_unlisted(self, held_end: int) -> None:
        """A segment nobody lists may be the only copy of its events if they are not held: the ledger stops."""
        for name in sorted(self._mirror.unlisted):
            last = name.removeprefix("segments/").partition("-")[2][:16]
            if not last.isdecimal() or int(last) >= held_end:
                raise IntegrityError(
                    name, "is not listed in manifest.json", advice="restore the manifest it belongs to"
                )

    def _compact(self, writer: Any) -> None:
        """Merging can wait: another writer who is first has merged, or will."""
        try:
            super()._compact(writer)
        except Overtaken:
            self._is_fresh = False

    def _is_wal_full(self, writer: Any) -> bool:
        files = wal_files(self._layout.wal)
        size_bytes = sum(path.stat().st_size for path in files)
        return (
            writer.unsealed >= self._segment_events_max or len(files) >= WAL_OBJECTS_MAX or size_bytes >= WAL_BYTES_MAX
        )


def open_bucket_ledger(
    mirror: Mirror, *, estate_id: str, origin: str, signer: Signer, clock: Clock, create: bool = False,
    entropy: Entropy = system_entropy, **options: Any,
) -> BucketLedger:  # fmt: skip
    """Open the ledger of a bucket and check it cheaply, as `Ledger.open` does one of a directory.

    Args:
        mirror: its directory on this machine, for this opening alone.
        estate_id: whose it is.
        origin: its name in tree heads.
        signer: signs tree heads.
        clock: the present.
        create: make an empty one where there is none.
        entropy: for the names of new segments.
        **options: as `Ledger.open` has them.

    Raises:
        UsageError: the server does not honour conditional writes; or as `Ledger.open`.
        BeholdenError: as `Ledger.open`.
    """
    for _ in range(_CREATE_TRIES):
        with reading():
            mirror.refresh()
            mirror.drop_unlisted_segments()
        disk = ObjectDisk(mirror, entropy=entropy)
        try:
            return BucketLedger.open(
                mirror.layout.root, estate_id=estate_id, origin=origin, signer=signer, clock=clock, create=create,
                disk=disk, **options,
            )  # fmt: skip
        except Overtaken:
            continue
    raise SourceError(
        mirror.bucket.place.url, "holds the beginnings of another ledger", expected="an empty prefix, or a whole ledger",
        advice="choose another prefix",
    )  # fmt: skip
