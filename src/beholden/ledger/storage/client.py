"""A bucket as the ledger needs it: whole objects, conditional writes, one clear line for whatever goes wrong.

Works with S3 and with servers that speak it and honour ``If-Match`` and ``If-None-Match`` on ``PutObject``. Needed of
them, as S3 gives it: a read after a write sees it, a list too, and of conditional writes to one key one wins.

A request that got no answer may have been carried out. Reads and deletes are repeated; a write that is repeated finds
itself in its own way, and is told from another writer's by its content.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from beholden.core.errors import UsageError
from beholden.core.object_url import ObjectPlace
from beholden.ledger.storage.failures import foreign_errors, refused

__all__ = ["Bucket", "Listed", "Missing", "Overtaken", "Transport", "connect"]

#: Sends one request, named as boto names it, and returns its answer.
Transport = Callable[..., dict[str, Any]]

_CONNECT_TIMEOUT_S: Final = 5
_READ_TIMEOUT_S: Final = 60
#: Attempts of one request, the first included, with boto's growing pauses between them.
_ATTEMPTS: Final = 5
#: S3 answers 409 to conditional writes of one key that meet; it asks to try again.
_CONFLICT_TRIES: Final = 8
_CONFLICT_PAUSE_S: Final = 0.05
_CONNECTIONS: Final = 16
_DELETE_AT_ONCE: Final = 1000
_PIECE_BYTES: Final = 1 << 20
_NOT_MODIFIED: Final = 304
_MISSING: Final = 404
_CONFLICT: Final = 409
_PRECONDITION: Final = 412
_NO_ETAG: Final = '"00000000000000000000000000000000"'


class Overtaken(Exception):  # noqa: N818 - not an error: another writer was first, and this one looks again
    """A conditional write met another writer's. Nothing was written."""


class Missing(Exception):  # noqa: N818 - for the caller to judge
    """There is no such object."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list says of an object."""

    etag: str
    size_bytes: int


class Bucket:
    """The objects below one place, by their names there."""

    def __init__(
        self, place: ObjectPlace, transport: Transport, *, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self.place = place
        self._transport = transport
        self._pause = pause

    def get(self, name: str, *, unless: str = "") -> tuple[bytes, str] | None:
        """An object's bytes and ETag; None if its ETag is still ``unless``.

        Raises:
            Missing: it is not there.
            StorageError: it could not be read.
        """
        condition = {"IfNoneMatch": unless} if unless else {}
        for _ in range(_ATTEMPTS):
            with foreign_errors(self.place, missing=Missing, answers={_NOT_MODIFIED}) as request:
                answer = self._send("get_object", Key=self._key(name), **condition)
                return answer["Body"].read(), answer["ETag"]
            if request.status == _NOT_MODIFIED:
                return None
            if not request.is_broken:
                break
        raise refused(request)

    def download(self, name: str, path: Path) -> tuple[str, str]:
        """Write an object to a file, a piece at a time; returns its ETag and its SHA-256 in hex.

        Raises:
            Missing: it is not there.
            StorageError: it could not be read.
            OSError: the file could not be written.
        """
        for _ in range(_ATTEMPTS):
            with foreign_errors(self.place, missing=Missing) as request:
                answer = self._send("get_object", Key=self._key(name))
                sha256 = hashlib.sha256()
                with path.open("wb") as file:
                    while piece := answer["Body"].read(_PIECE_BYTES):
                        file.write(piece)
                        sha256.update(piece)
                return answer["ETag"], sha256.hexdigest()
            if not request.is_broken:
                break
        raise refused(request)

    def put(self, name: str, content: bytes | Path, *, match: str = "") -> str:
        """Write an object if its ETag is still ``match``, or if there is none; durable when it returns. Its new ETag.

        An object that has this content already counts as written, since an earlier attempt may have written it.

        Raises:
            Overtaken: another writer was first.
            StorageError: it could not be written, or it is not known whether it was.
        """
        condition = {"IfMatch": match} if match else {"IfNoneMatch": "*"}
        for _ in range(_CONFLICT_TRIES):
            request, etag = self._put(name, content, condition)
            if etag:
                return etag
            if request.status != _CONFLICT:
                break
            self._pause(_CONFLICT_PAUSE_S)
        if (request.error is None or request.is_broken) and (found := self._find(name, content)):
            return found
        if request.error is not None:
            raise refused(request)
        raise Overtaken(name)

    def probe(self, name: str, content: bytes) -> None:
        """See that the server honours conditions, with an object that is there and has this content.

        Raises:
            UsageError: it does not: two writers could overwrite each other.
            StorageError: it could not be asked, or this user may not write.
        """
        for condition in ({"IfNoneMatch": "*"}, {"IfMatch": _NO_ETAG}):
            request, _ = self._put(name, content, condition)
            if request.error is not None:
                raise refused(request)
            if request.status not in {_PRECONDITION, _CONFLICT}:
                raise UsageError(
                    self.place.url, "the server does not honour conditional writes",
                    expected="If-None-Match and If-Match on PutObject", advice="use a server that has them, or a local disk",
                )  # fmt: skip

    def delete(self, names: Iterable[str]) -> None:
        """Remove objects, 1,000 a request; no error for what is gone already.

        Raises:
            StorageError: some could not be removed.
        """
        keys = [{"Key": self._key(name)} for name in names]
        for start in range(0, len(keys), _DELETE_AT_ONCE):
            with foreign_errors(self.place) as request:
                request.is_writing = True
                part = {"Objects": keys[start : start + _DELETE_AT_ONCE], "Quiet": True}
                answer = self._send("delete_objects", Delete=part)
                request.take_deletion_errors(answer.get("Errors", []))
                continue
            raise refused(request)

    def list(self) -> dict[str, Listed]:
        """Every object below the place.

        Raises:
            StorageError: they could not be listed.
        """
        found: dict[str, Listed] = {}
        with foreign_errors(self.place) as request:
            for item in self._pages():
                found[item["Key"].removeprefix(self.place.prefix)] = Listed(item["ETag"], item["Size"])
            return found
        raise refused(request)

    def _pages(self) -> Iterator[dict[str, Any]]:
        more: dict[str, str] = {}
        while True:
            answer = self._send("list_objects_v2", Prefix=self.place.prefix, **more)
            yield from answer.get("Contents", [])
            if not answer.get("IsTruncated"):
                return
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def _put(self, name: str, content: bytes | Path, condition: dict[str, str]) -> tuple[foreign_errors, str]:
        """The new ETag; or what the request came to: a status that says the condition does not hold, or an error."""
        with foreign_errors(self.place, answers={_MISSING, _CONFLICT, _PRECONDITION}) as request:
            request.is_writing = True
            if isinstance(content, Path):
                with content.open("rb") as file:
                    md5 = hashlib.file_digest(file, _md5).digest()
                    file.seek(0)
                    answer = self._send(
                        "put_object", Key=self._key(name), Body=file, ContentMD5=_text(md5), **condition
                    )
            else:
                md5 = _md5(content).digest()
                answer = self._send("put_object", Key=self._key(name), Body=content, ContentMD5=_text(md5), **condition)
            return request, answer["ETag"]
        return request, ""

    def _find(self, name: str, content: bytes | Path) -> str:
        """The ETag of an object that has this content, or nothing."""
        try:
            got = self.get(name)
        except Missing:
            return ""
        data = content.read_bytes() if isinstance(content, Path) else content
        return got[1] if got is not None and got[0] == data else ""

    def _key(self, name: str) -> str:
        return self.place.prefix + name

    def _send(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self._transport(operation, Bucket=self.place.bucket, **parameters)


def connect(place: ObjectPlace) -> Transport:
    """What sends requests, with endpoint, region and credentials as AWS's own settings have them.

    Raises:
        UsageError: the extra ``s3`` is not installed, or the settings make no sense.
    """
    try:
        import botocore.session  # noqa: PLC0415 - an extra, loaded where it is used
        from botocore.config import Config  # noqa: PLC0415 - as above
    except ImportError:
        raise UsageError(
            place.url, "the package botocore is not installed", expected="it beside beholden",
            advice="install it with: pip install 'beholden[s3]'",
        ) from None  # fmt: skip
    with foreign_errors(place) as request:
        session = botocore.session.get_session()
        common: dict[str, Any] = {
            "connect_timeout": _CONNECT_TIMEOUT_S,
            "read_timeout": _READ_TIMEOUT_S,
            "retries": {"mode": "standard", "total_max_attempts": _ATTEMPTS},
            "max_pool_connections": _CONNECTIONS,
            "user_agent_extra": "beholden",
            # Content-MD5, which every server checks, guards what is sent; SHA-256 what is read.
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
        }
        client = session.create_client("s3", config=Config(**common))
        if ".amazonaws." not in client.meta.endpoint_url:
            # other servers seldom have a name for each bucket
            client = session.create_client("s3", config=Config(**common, s3={"addressing_style": "path"}))

        def send(operation: str, **parameters: Any) -> dict[str, Any]:
            answer: dict[str, Any] = getattr(client, operation)(**parameters)
            return answer

        return send
    raise refused(request)


def _md5(data: bytes = b"") -> Any:
    return hashlib.md5(data, usedforsecurity=False)


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
