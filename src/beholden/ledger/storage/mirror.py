"""A bucket's ledger as a directory on this machine: a cache in which all reading goes by paths as on a local disk.

Each opening has a directory of its own, so none sees another's unfinished work; one that was closed is used again. It
may be deleted at any time when nobody uses it. Segments and what is derived from them are shared by hard links.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import itertools
import os
import re
import shutil
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

import msgspec

from beholden.core.errors import BeholdenError, SourceError
from beholden.ledger.files import is_temporary, reading, temporary_name
from beholden.ledger.format import Layout
from beholden.ledger.manifest import Manifest, read_manifest
from beholden.ledger.storage.client import Bucket, Listed, Missing

__all__ = ["Mirror", "fresh_copy", "is_local", "open_mirror"]

_T = TypeVar("_T")
#: Names below a ledger that never leave this machine: the lock, and what can be made again.
_LOCAL: Final = {"lock", "checked.json", "uids", "index", "mirror.json"}
#: Directories with what can be made again from segments, at some cost.
_DERIVED: Final = ("uids", "index")
_MANIFEST: Final = "manifest.json"
_SEGMENTS: Final = "segments/"
#: Objects that the ledger may be said to have; any other is a stranger's and only listed.
_NAME: Final = re.compile(r"(?![.]{1,2}(/|\Z))[A-Za-z0-9._+-]+(/(?![.]{1,2}(/|\Z))[A-Za-z0-9._+-]+)*\Z")
_FRAME: Final = re.compile(r"wal/[0-9]{16}[.]wal\Z")
_OURS: Final = ("wal/", _SEGMENTS, "tile/", "pruned/")
_STRANGE_BYTES_MAX: Final = 16 << 20
_CHECKPOINT: Final = "checkpoint"
_REQUESTS_AT_ONCE: Final = 8
_TRIES_MAX: Final = 50
_SLOTS_MAX: Final = 1000


class _Known(msgspec.Struct, frozen=True, array_like=True):
    """A file that is an object's copy: the object's ETag and the file's digest."""

    etag: str
    sha256: str


class Mirror:
    """A directory that holds what a bucket held when it was last refreshed.

    Attributes:
        layout: where it lies.
        unlisted: segments that no manifest listed when the bucket was last looked at.
        late: frames whose numbers were sealed before they were written: nobody was told that they count.
        strangers: names of objects that were left there, as no part of a ledger.
    """

    def __init__(self, root: Path, bucket: Bucket, *, everything: bool = False) -> None:
        self.layout = Layout(root)
        self.bucket = bucket
        self.unlisted: set[str] = set()
        self.late: set[str] = set()
        self.strangers: set[str] = set()
        self._everything = everything
        self._noted: dict[str, _Known] = {}
        self._known = self._read_known()

    def etag(self, name: str) -> str:
        """The ETag of the object whose content lies here under this name; empty if there is none."""
        known = self._known.get(name)
        return known.etag if known else ""

    def know(self, name: str, etag: str, content: bytes | None = None) -> None:
        """The file of this name is now the object with this ETag."""
        data = (self.layout.root / name).read_bytes() if content is None else content
        self._known[name] = _Known(etag, hashlib.sha256(data).hexdigest())

    def refresh(self) -> None:
        """Bring the directory to one instant of the bucket's ledger; it is as the bucket has it, damage included.

        The manifest is read before the tree head, that before the list, and looked at again at the end: unless it was
        replaced meanwhile, nothing that it and the tree head need was removed.

        Raises:
            StorageError: the bucket could not be read.
            SourceError: it changed during every attempt.
        """
        for _ in range(_TRIES_MAX):
            before = self._take(_MANIFEST)
            self._take(_CHECKPOINT)
            listed = self.bucket.list()
            try:
                self._fetch(listed)
            except Missing:
                continue
            if self._take(_MANIFEST) == before:
                self._forget(listed)
                if self._known != self._noted:
                    self._write_known()
                return
        raise SourceError(
            self.bucket.place.url, "the ledger changed during every attempt to read it", advice="try again"
        )

    def heal(self) -> bool:
        """Fetch again each segment that differs here from what the manifest says; whether there was any."""
        wrong: list[str] = []
        for segment in self.manifest().segments:
            path = self.layout.segments / segment.file
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() == segment.sha256:
                    continue
            path.unlink(missing_ok=True)
            wrong.append(_SEGMENTS + segment.file)
        with contextlib.suppress(Missing):
            self._each(self._download, wrong)
        return bool(wrong)

    def manifest(self) -> Manifest:
        """What is listed here; nothing where that cannot be read, which whoever opens the ledger says."""
        try:
            return read_manifest(self.layout)[0]
        except BeholdenError:
            return Manifest()

    def drop_unlisted_segments(self) -> None:
        """Remove copies of segments that are not in the manifest here: they were replaced, or never counted."""
        listed = {segment.file for segment in self.manifest().segments}
        for path in self.layout.segments.iterdir():
            if path.name not in listed:
                path.unlink(missing_ok=True)

    def drop(self, name: str) -> None:
        """The object of this name is gone, or soon will be."""
        self._known.pop(name, None)

    def _take(self, name: str) -> str:
        """Make the file as the object is; returns its ETag, or nothing if there is none."""
        path = self.layout.root / name
        try:
            got = self.bucket.get(name, unless=self.etag(name) if path.is_file() else "")
        except Missing:
            path.unlink(missing_ok=True)
            self._known.pop(name, None)
            return ""
        if got is not None:
            data, etag = got
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = temporary_name(path)
            temporary.write_bytes(data)
            temporary.replace(path)
            self.know(name, etag, data)
        return self.etag(name)

    def _fetch(self, listed: dict[str, Listed]) -> None:
        """Fetch what is new. Small files that stand first were taken before the list, and stay as they were."""
        manifest = self.manifest()
        segments = {_SEGMENTS + segment.file: segment.size_bytes for segment in manifest.segments}
        self.unlisted = {name for name in listed if name.startswith(_SEGMENTS)} - segments.keys()
        self.late = {name for name in listed if _is_frame(name) and int(name[4:20]) < manifest.next_seq}
        self.strangers = {name for name, found in listed.items() if not self._is_ours(name, found)}
        small: list[str] = []
        large: list[str] = []
        for name in listed.keys() - self.strangers - self.late - {_MANIFEST, _CHECKPOINT}:
            if not name.startswith(_SEGMENTS):
                small += [name] if self.etag(name) != listed[name].etag else []
            elif self._everything or (name in segments and self._size(name) != segments[name]):
                large.append(name)
        self._each(self._take_listed, sorted(small))
        self._each(self._download, sorted(large))

    def _take_listed(self, name: str) -> None:
        if not self._take(name):
            raise Missing

    def _download(self, name: str) -> None:
        path = self.layout.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_name(path)
        self.bucket.download(name, temporary)
        temporary.replace(path)

    def _forget(self, listed: dict[str, Listed]) -> None:
        """Remove files whose objects are gone."""
        for name in [name for name in self._known if name not in listed or name in self.late]:
            self._known.pop(name)
            (self.layout.root / name).unlink(missing_ok=True)

    def _is_ours(self, name: str, listed: Listed) -> bool:
        if not _NAME.match(name) or is_local(name):
            return False
        known = name in {_MANIFEST, _CHECKPOINT} or name.startswith(_OURS)
        return known or listed.size_bytes <= _STRANGE_BYTES_MAX

    def _size(self, name: str) -> int | None:
        with contextlib.suppress(OSError):
            return (self.layout.root / name).stat().st_size
        return None

    def _each(self, work: Callable[[str], _T], names: list[str]) -> None:
        if len(names) < 2:
            for name in names:
                work(name)
            return
        with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
            list(pool.map(work, names))

    def _read_known(self) -> dict[str, _Known]:
        """What an earlier opening left here, as far as it is whole; the rest goes, but for segments and derived files."""
        root = self.layout.root
        noted: dict[str, _Known] = {}
        with contextlib.suppress(OSError, msgspec.DecodeError):
            noted = msgspec.json.decode((root / "mirror.json").read_bytes(), type=dict[str, _Known])
        known: dict[str, _Known] = {}
        for path in [path for path in root.rglob("*") if path.is_file()]:
            name = self.layout.name(path)
            if is_local(name) or (name.startswith(_SEGMENTS) and not is_temporary(path)):
                continue
            if name in noted and hashlib.sha256(path.read_bytes()).hexdigest() == noted[name].sha256:
                known[name] = noted[name]
            else:
                path.unlink()
        for directory in (self.layout.wal, self.layout.segments, self.layout.uids):
            directory.mkdir(parents=True, exist_ok=True)
        return known

    def _write_known(self) -> None:
        path = self.layout.root / "mirror.json"
        temporary = temporary_name(path)
        temporary.write_bytes(msgspec.json.encode(self._known))
        temporary.replace(path)
        self._noted = dict(self._known)


def open_mirror(cache: Path, bucket: Bucket) -> Mirror:
    """A directory below ``cache`` that no other opening uses; empty, or as an earlier one left it.

    Raises:
        SourceError: the cache cannot be written.
    """
    place = _place(cache, bucket)
    with _cache_errors(place):
        root, lock = _free_slot(place)
        _share(root, _slots(place), ("segments", *_DERIVED))
        mirror = Mirror(root, bucket)
        weakref.finalize(mirror, lock.close)  # until then the directory is this opening's
        return mirror


@contextlib.contextmanager
def fresh_copy(bucket: Bucket, cache: Path) -> Iterator[Path]:
    """A directory with every object as the bucket has it now; removed after the block.

    For a verification: what an earlier answer was read from may have been altered in the bucket since. Needs as much
    room as the ledger. What was derived on this machine is there too. Of objects that are no part of a ledger only the
    name is; a frame that came too late is not.

    Raises:
        SourceError: the bucket cannot be read, or the cache not be written.
    """
    place = _place(cache, bucket)
    with _cache_errors(place):
        root, lock = _free_slot(place.with_name(f"{place.name}-verify"))
        _empty(root)
    try:
        with reading():
            mirror = Mirror(root, bucket, everything=True)
            mirror.refresh()
        with _cache_errors(place):
            for name in mirror.strangers:
                if _NAME.match(name) and not is_local(name):
                    (root / name).parent.mkdir(parents=True, exist_ok=True)
                    (root / name).touch()
            (root / "mirror.json").unlink(missing_ok=True)
            listed = {segment.file.partition(".")[0] for segment in mirror.manifest().segments}
            _share(root, _slots(place), _DERIVED, listed)
        yield root
    finally:
        _empty(root)
        lock.close()


def is_local(name: str) -> bool:
    """Whether a file below a ledger stays on this machine."""
    return name.partition("/")[0] in _LOCAL or is_temporary(Path(name))


def _is_frame(name: str) -> bool:
    return _FRAME.match(name) is not None


def _place(cache: Path, bucket: Bucket) -> Path:
    return cache / hashlib.sha256(bucket.place.url.encode()).hexdigest()[:16]


@contextlib.contextmanager
def _cache_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceError(f"cache {place}", f"cannot be used ({error.strerror})", expected="room to write") from None


def _free_slot(place: Path) -> tuple[Path, BinaryIO]:
    """A directory no other process uses, until the file is closed."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in range(_SLOTS_MAX):
        file = (place / f"{number}.lock").open("ab")
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            if error.errno not in {errno.EAGAIN, errno.EACCES}:
                raise
        else:
            root = place / str(number)
            root.mkdir(exist_ok=True)
            return root, file
    raise OSError(errno.EAGAIN, "too many openings")


def _slots(place: Path) -> list[Path]:
    return [path for path in place.iterdir() if path.is_dir()] if place.is_dir() else []


def _share(root: Path, others: Iterable[Path], names: Iterable[str], stems: Collection[str] | None = None) -> None:
    """Link files that others have and this one lacks. What is wrong with one is found as if it were this one's own."""
    for other, name in itertools.product(others, names):
        for path in sorted((other / name).rglob("*")):
            target = root / path.relative_to(other)
            wanted = path.is_file() and not is_temporary(path) and not target.exists()
            if wanted and (stems is None or path.name.partition(".")[0] in stems):
                target.parent.mkdir(parents=True, exist_ok=True)
                with contextlib.suppress(OSError):
                    os.link(path, target)


def _empty(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(exist_ok=True)
