"""A witness over HTTP: ``POST /add-checkpoint`` and ``GET /ORIGIN-HASH/checkpoint`` of C2SP tlog-witness.

Meant for a small number of ledgers behind a proxy that has TLS. Bodies, waiting times and connections are bounded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from beholden.core.errors import BeholdenError, SourceError, UsageError
from beholden.ledger.witness import RefusedError, Witness

__all__ = ["WitnessServer", "parse_address"]

#: 63 hashes and a note of 64 KiB fit.
_BODY_BYTES_MAX: Final = 80_000
_TIMEOUT_S: Final = 10.0
_CONNECTIONS_MAX: Final = 64
_TEXT: Final = "text/plain; charset=utf-8"


def parse_address(text: str) -> tuple[str, int]:
    """``127.0.0.1:8620`` or ``[::1]:8620``.

    Raises:
        UsageError: it is no address.
    """
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or int(port) > 65535:
        raise UsageError("--address", "is no address", expected="HOST:PORT, such as 127.0.0.1:8620")
    return host.removeprefix("[").removesuffix("]"), int(port)


class WitnessServer(ThreadingHTTPServer):
    """Serves one witness. ``serve_forever`` until ``shutdown``; port 0 takes any that is free.

    Args:
        address: host and port to listen on.
        witness: who cosigns.
        say: gets a line for each submission that was answered; never what was in it.

    Raises:
        SourceError: the address cannot be listened on.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], witness: Witness, say: Callable[[str], None]) -> None:
        self.witness = witness
        self.say = say
        self._places = threading.BoundedSemaphore(_CONNECTIONS_MAX)
        if ":" in address[0]:
            import socket  # noqa: PLC0415 - for IPv6 alone

            self.address_family = socket.AF_INET6
        try:
            super().__init__(address, _Handler)
        except OSError as error:
            raise SourceError(
                f"address {address[0]}:{address[1]}", f"cannot be listened on ({error.strerror})"
            ) from None

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take the connection if there is a place, else close it: its client may try again."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, then free the place."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "beholden-witness"
    sys_version = ""
    timeout = _TIMEOUT_S
    server: WitnessServer

    def do_POST(self) -> None:
        """``add-checkpoint``."""
        length = self.headers.get("Content-Length") or ""
        if not (length.isascii() and length.isdecimal()):
            self.close_connection = True
            self._answer(HTTPStatus.LENGTH_REQUIRED, "the length of the body is missing\n")
            return
        if int(length) > _BODY_BYTES_MAX:
            self.close_connection = True
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {_BODY_BYTES_MAX} bytes\n")
            return
        body = self.rfile.read(int(length))
        if self.path != "/add-checkpoint":
            self._answer(HTTPStatus.NOT_FOUND, "there is only /add-checkpoint\n")
            return
        try:
            line = self.server.witness.cosign(body)
        except RefusedError as error:
            self._refuse(error)
        except BeholdenError as error:
            self.server.say(error.line())
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, "nothing was cosigned\n")
        else:
            self.server.say("cosigned")
            self._answer(HTTPStatus.OK, line.decode())

    def do_GET(self) -> None:
        """The note that was cosigned last."""
        parts = self.path.split("/")
        try:
            note = self.server.witness.newest(parts[1]) if len(parts) == 3 and parts[2] == "checkpoint" else None
        except BeholdenError as error:
            self.server.say(error.line())
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, "its memory cannot be read\n")
            return
        if note is None:
            self._answer(HTTPStatus.NOT_FOUND, "no tree head of such a log was cosigned\n")
        else:
            self._answer(HTTPStatus.OK, note.decode())

    def log_message(self, *arguments: object) -> None:
        """Addresses of clients are nobody's business here."""

    def _refuse(self, error: RefusedError) -> None:
        self.server.say(f"refused with {error.status}: {error.found}")
        if error.known_size is None:
            self._answer(error.status, f"{error.found}\n")
        else:
            self._answer(error.status, f"{error.known_size}\n", "text/x.tlog.size")

    def _answer(self, status: int, text: str, kind: str = _TEXT) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
