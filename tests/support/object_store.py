"""An S3 server for tests: moto over loopback HTTP, one request at a time, so that conditional writes are atomic."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from beholden.core.object_url import ObjectPlace, parse_object_url
from beholden.ledger import VerifyReport
from beholden.ledger.storage import (
    Bucket,
    BucketLedger,
    Transport,
    connect,
    open_bucket_ledger,
    open_mirror,
    verify_bucket,
)
from tests.support.ledger import ESTATE, NOW, ORIGIN, SIGNER

__all__ = ["ENVIRONMENT", "Place", "Requests", "make_bucket", "object_server"]

#: Credentials that open nothing; moto takes any.
ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
    "AWS_SECRET_ACCESS_KEY": "not-a-secret",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


class _OneAtATime:
    """S3 decides about writes of one key one after the other; moto's threads do not."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        with self._lock:
            return list(self._application(environ, start))


class _Silent(WSGIRequestHandler):
    def log_request(self, *_arguments: Any) -> None:
        """Requests are counted by who sends them."""


@contextlib.contextmanager
def object_server(middleware: Callable[[Any], Any] = lambda application: application) -> Iterator[str]:
    """A server for the block; its address."""
    application = _OneAtATime(middleware(DomainDispatcherApplication(create_backend_app)))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Requests:
    """A transport that counts requests, and lets a test step in before and after each."""

    def __init__(
        self, transport: Any, *,
        before: Callable[[int, str, dict[str, Any]], None] = lambda *_: None,
        after: Callable[[int, str, dict[str, Any]], None] = lambda *_: None,
    ) -> None:  # fmt: skip
        self._transport = transport
        self._before = before
        self._after = after
        self._lock = threading.Lock()
        self.count = 0
        self.names: list[str] = []

    def __call__(self, operation: str, **parameters: Any) -> dict[str, Any]:
        with self._lock:
            number, self.count = self.count, self.count + 1
            self.names.append(f"{operation} {parameters.get('Key', '')}")
        self._before(number, operation, parameters)
        answer: dict[str, Any] = self._transport(operation, **parameters)
        self._after(number, operation, parameters)
        return answer


@dataclass(frozen=True, slots=True)
class Place:
    """An empty place in a bucket of a running server; the environment leads there."""

    url: str

    def transport(self) -> Transport:
        """What a machine sends its requests by."""
        return _transport(os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_ACCESS_KEY_ID"])

    def bucket(self, transport: Transport | None = None) -> Bucket:
        """The objects, with pauses left out."""
        return Bucket(parse_object_url(self.url), transport or self.transport(), pause=lambda _seconds: None)

    def open(self, cache: Path, transport: Transport | None = None, **options: Any) -> BucketLedger:
        """The ledger as seen from a machine that has this cache."""
        known: dict[str, Any] = {
            "estate_id": ESTATE, "origin": ORIGIN, "signer": SIGNER, "clock": lambda: NOW, "create": True,
            "segment_events_max": 1000,
        }  # fmt: skip
        ledger = open_bucket_ledger(open_mirror(cache, self.bucket(transport)), **(known | options))
        ledger._pause = lambda _seconds: None
        return ledger

    def verify(self, cache: Path, **options: Any) -> VerifyReport:
        """What lies in the bucket, checked in full."""
        return verify_bucket(self.bucket(), cache, key=SIGNER, **options)

    def names(self) -> list[str]:
        """What lies there."""
        return sorted(self.bucket().list())

    def write(self, name: str, data: bytes) -> None:
        """As somebody with the right to write may."""
        place = parse_object_url(self.url)
        self.transport()("put_object", Bucket=place.bucket, Key=place.prefix + name, Body=data)

    def read(self, name: str) -> bytes:
        """An object's bytes."""
        got = self.bucket().get(name)
        assert got is not None
        return got[0]


@functools.cache
def _transport(_address: str, _user: str) -> Transport:
    """Making one takes as long as many requests."""
    return connect(ObjectPlace("records", ""))


def make_bucket(name: str) -> None:
    """A bucket on the server of the environment; servers of one process have their buckets in common."""
    place = ObjectPlace(name, "")
    region = {"LocationConstraint": os.environ["AWS_DEFAULT_REGION"]}
    with contextlib.suppress(ClientError):
        connect(place)("create_bucket", Bucket=name, CreateBucketConfiguration=region)
