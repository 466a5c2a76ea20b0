"""An S3 server for tests: moto over loopback HTTP, one request at a time, so that conditional writes are atomic."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from beholden.core.object_url import parse_object_url
from beholden.ledger.storage import Bucket, BucketLedger, connect, open_bucket_ledger, open_mirror
from tests.support.ledger import ESTATE, NOW, ORIGIN, SIGNER

__all__ = ["ENVIRONMENT", "URL", "Requests", "bucket_at", "object_server", "open_at"]

URL: Final = "s3://records/estate/ledger"
#: Credentials that open nothing; moto takes any.
ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
    "AWS_SECRET_ACCESS_KEY": "not-a-secret",
    "AWS_REGION": "eu-central-1",
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
def object_server() -> Iterator[str]:
    """A server for the block; its address."""
    application = _OneAtATime(DomainDispatcherApplication(create_backend_app))
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


def bucket_at(transport: Any = None, url: str = URL) -> Bucket:
    """The bucket, with pauses left out."""
    place = parse_object_url(url)
    return Bucket(place, transport or connect(place), pause=lambda _seconds: None)


def open_at(cache: Path, transport: Any = None, **options: Any) -> BucketLedger:
    """A ledger in the bucket, as seen from a machine that has this cache."""
    known: dict[str, Any] = {
        "estate_id": ESTATE, "origin": ORIGIN, "signer": SIGNER, "clock": lambda: NOW, "create": True,
    }  # fmt: skip
    return open_bucket_ledger(open_mirror(cache, bucket_at(transport)), **(known | options))
