"""Durable steps of the ledger on a bucket: each is carried out there before it counts here.

What makes writers on several machines safe, without any lock (docs/reference/ledger-format.md has every interleaving):

- Each frame of the write-ahead log is an object of its own, named by its first event's number and created only if there
  is none. Two writers cannot take the same numbers; whoever is second looks again.
- Numbers of sealed events may be free again once their frames are removed. So a frame counts only if, after it was
  written, the manifest still does not cover its numbers.
- Tree head and manifest are replaced only if they are the ones this writer went by.
- A segment's name is its writer's own, and no object of that name is made again. One that no manifest lists is removed
  only after the manifest was replaced: a writer that meant to list it went by the one before, and fails.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

from beholden.core.errors import IntegrityError
from beholden.core.ids import Entropy
from beholden.ledger.disk import TEMPORARY_SUFFIX, Disk, is_temporary, temporary_name
from beholden.ledger.files import StorageError, read_sealed_json
from beholden.ledger.format import FORMAT_VERSION
from beholden.ledger.manifest import Manifest
from beholden.ledger.pruned import cut_tile
from beholden.ledger.storage.client import Missing, Overtaken
from beholden.ledger.storage.mirror import Mirror, is_local

__all__ = ["ObjectDisk"]

_TAG_BYTES: Final = 4
_MANIFEST: Final = "manifest.json"
_INFO: Final = "ledger.json"
#: What is kept of pruned events: meant by a manifest that another writer may be about to write.
_KEPT: Final = ("pruned/", "tile/0/")
#: Of these many are removed at a time.
_MANY: Final = ("wal/", "segments/", "tile/1/", "tile/2/")


class ObjectDisk(Disk):
    """How the ledger changes a bucket, and the directory that mirrors it.

    Steps on files that stay on this machine are not synced: they can be made again.

    Args:
        mirror: where the bucket's content lies as files.
        entropy: for the names of new segments.
    """

    extends_files = False

    def __init__(self, mirror: Mirror, *, entropy: Entropy) -> None:
        self.mirror = mirror
        self._bucket = mirror.bucket
        self._layout = mirror.layout
        self._entropy = entropy
        self._is_probed = False
        self._was_listed: set[str] = set()
        self._doomed: list[str] = []
        self._condemned: set[str] = set()

    def tag(self) -> str:
        """Random: no two segments share a name, even if they hold the same events."""
        return self._entropy(_TAG_BYTES).hex()

    def create(self, path: Path) -> BinaryIO:
        """As on a local disk; a frame is hidden until it is written to the bucket."""
        return super().create(temporary_name(path) if path.parent == self._layout.wal else path)

    def open(self, path: Path) -> BinaryIO:
        """Refused: objects are not changed in place. Only a frame that is cut short would be."""
        raise IntegrityError(
            self._layout.name(path), "is not whole, though an object is written at once",
            advice="it was altered: restore it. See: beholden ledger verify",
        )  # fmt: skip

    def sync(self, file: BinaryIO) -> None:
        """A frame is in the bucket, with numbers that are its own, when this returns.

        Raises:
            Overtaken: another writer took its numbers.
            StorageError: it could not be written, or it is not known whether it was.
        """
        path = Path(file.name)
        if path.parent != self._layout.wal or not is_temporary(path):
            return
        target = path.with_name(path.name.removeprefix(".").removesuffix(TEMPORARY_SUFFIX))
        self._create(path, target)
        if self._is_sealed(int(target.stem)):
            self._discard([self._layout.name(target)])
            raise Overtaken(_MANIFEST)

    def replace(self, source: Path, target: Path) -> None:
        """The object has the file's content when this returns.

        It is created if this writer knows of none, else replaced if it is the one this writer knows.

        Raises:
            Overtaken: another writer created or replaced it.
            StorageError: it could not be written, or it is not known whether it was.
        """
        name = self._layout.name(target)
        if is_local(name):
            source.replace(target)
            return
        if target.parent == self._layout.segments:
            self._create(source, target)
            return
        listed = self._listed() if name == _MANIFEST else set()
        self._put(source, target)
        if name == _MANIFEST:
            self._settle(listed)

    def sync_directory(self, path: Path) -> None:
        """Removals asked for before are carried out when this returns."""
        if path in {self._layout.wal, self._layout.segments} and self._doomed:
            doomed, self._doomed = self._doomed, []
            self._bucket.delete(doomed)

    def truncate(self, file: BinaryIO, size_bytes: int) -> None:
        """Cut a file that is not in the bucket."""
        file.truncate(size_bytes)

    def remove(self, path: Path) -> None:
        """Remove a file and its object; where there may be many, with the next `sync_directory` of log or segments.

        What another writer may be about to list stays: a segment until the manifest was replaced; what is kept of pruned
        events for good, since its name is not its writer's own.
        """
        name = self._layout.name(path)
        if name.startswith(_KEPT) and name not in self._was_listed:
            return
        path.unlink(missing_ok=True)
        if is_local(name):
            return
        self.mirror.drop(name)
        if path.parent == self._layout.segments and name not in self._was_listed:
            self._condemned.add(name)
        elif name.startswith(_MANY):
            self._doomed.append(name)
        else:
            self._bucket.delete([name])

    def make_directory(self, path: Path) -> None:
        """On this machine; a bucket has none."""
        path.mkdir(parents=True, exist_ok=True)

    def _create(self, source: Path, target: Path) -> None:
        """Write an object that nobody has written before."""
        self._probe(_INFO)
        name = self._layout.name(target)
        etag = self._bucket.put(name, source)
        source.replace(target)
        if target.parent != self._layout.segments:
            self.mirror.know(name, etag)

    def _put(self, source: Path, target: Path) -> None:
        """Write an object that this writer knows, or of which it knows that there is none."""
        name = self._layout.name(target)
        etag = self.mirror.etag(name)
        if not etag or not self.mirror.etag(_INFO):  # what lies there before there is a ledger is not this one's
            self._create(source, target)
            self._probe(name)
            return
        if not target.is_file() or target.read_bytes() != source.read_bytes():
            self._probe(_INFO)
            etag = self._bucket.put(name, source, match=etag)
        source.replace(target)
        self.mirror.know(name, etag)

    def _probe(self, name: str) -> None:
        """Before the first write to a ledger, and after the first of a new one: does the server honour conditions?"""
        path = self._layout.root / name
        if not self._is_probed and self.mirror.etag(name):
            self._bucket.probe(name, path.read_bytes())
            self._is_probed = True

    def _is_sealed(self, seq: int) -> bool:
        """Whether the bucket's manifest covers an event: its number was another's, and a frame of it came too late."""
        try:
            got = self._bucket.get(_MANIFEST, unless=self.mirror.etag(_MANIFEST))
        except Missing:
            raise Overtaken(_MANIFEST) from None
        return got is not None and read_sealed_json(got[0], Manifest, _MANIFEST, FORMAT_VERSION).next_seq > seq

    def _listed(self) -> set[str]:
        manifest = self.mirror.manifest()
        cut = cut_tile(self._layout, manifest.first_seq)
        kept = set() if cut is None else {self._layout.name(cut)}
        return kept | {f"segments/{segment.file}" for segment in manifest.segments}

    def _settle(self, before: set[str]) -> None:
        """The manifest was replaced: segments that nobody can list any more may go, and those listed before."""
        listed = self._listed()
        self._was_listed |= before - listed
        self._discard((self.mirror.unlisted | self._condemned | self.mirror.late) - listed)
        for names in (self.mirror.unlisted, self.mirror.late, self._condemned):
            names.clear()

    def _discard(self, names: Iterable[str]) -> None:
        """Remove objects that mean nothing; where that fails, the next writer tries."""
        with contextlib.suppress(StorageError):
            self._bucket.delete(sorted(names))
