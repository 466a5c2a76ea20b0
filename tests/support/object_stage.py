"""Writers on several machines, their requests in an order drawn from a seed, and faults among them.

One writer runs at a time, from one request to its next; then chance says whose request is carried out. So a failure
replays from its seed.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError, ConnectionClosedError

from beholden.ledger.storage import Transport

__all__ = ["FAULTS", "Killed", "Stage"]

#: Never sent; carried out, but the answer lost; repeated below, as boto does; carried out later; the machine stopped.
FAULTS: Final = ("unsent", "lost", "repeated", "delayed", "stopped")
_WRITES: Final = {"put_object", "delete_objects"}


class Killed(BaseException):
    """The machine stopped here."""


class Stage:
    """Runs writers to their end in the order a seed gives."""

    def __init__(self, seed: int, *, fault_share: float) -> None:
        self._chance = random.Random(seed)
        self._fault_share = fault_share
        self._stay_share = self._chance.choice([0.0, 0.5, 0.8, 0.9])
        self._condition = threading.Condition()
        self._live: list[str] = []
        self._turn = ""
        self._delayed: list[Callable[[], Any]] = []
        self.failures: list[BaseException] = []
        self.story: list[str] = []

    def run(self, **writers: Callable[[], None]) -> None:
        """Each writer in a thread of its own; what one raised, other than `Killed`, is in ``failures``."""
        self._live = sorted(writers)
        self._turn = self._chance.choice(self._live)
        threads = [threading.Thread(target=self._play, args=item, daemon=True) for item in writers.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert not any(thread.is_alive() for thread in threads), self.story[-20:]
        while self._delayed:
            self._carry_out_delayed()

    def transport(self, writer: str, transport: Transport) -> Transport:
        """A writer's way to the bucket."""

        def send(operation: str, **parameters: Any) -> dict[str, Any]:
            self._wait_for_turn(writer)
            if self._delayed and self._chance.random() < 0.3:
                self._carry_out_delayed()
            fault = self._chance.choice(FAULTS) if self._chance.random() < self._fault_share else ""
            self.story.append(f"{writer} {operation} {parameters.get('Key', '')} {fault}")
            if fault == "stopped":
                raise Killed
            if fault == "unsent":
                raise ConnectionClosedError(endpoint_url="")
            if fault in {"delayed", "repeated"} and operation in _WRITES:
                kept = parameters | ({"Body": _bytes(parameters["Body"])} if "Body" in parameters else {})
                if fault == "delayed":
                    self._delayed.append(lambda: transport(operation, **kept))
                    raise ConnectionClosedError(endpoint_url="")
                transport(operation, **kept)
                return transport(operation, **kept)
            answer = transport(operation, **parameters)
            if fault == "lost":
                raise ConnectionClosedError(endpoint_url="")
            return answer

        return send

    def _play(self, writer: str, work: Callable[[], None]) -> None:
        try:
            with self._condition:
                self._condition.wait_for(lambda: self._turn == writer)
            work()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - shown by the test
            self.failures.append(error)
        finally:
            with self._condition:
                self._live.remove(writer)
                self._pass_on()

    def _wait_for_turn(self, writer: str) -> None:
        with self._condition:
            self._pass_on()
            self._condition.wait_for(lambda: self._turn == writer)

    def _pass_on(self) -> None:
        """Often the same goes on, so that one's whole work falls between two requests of another."""
        if self._turn not in self._live or self._chance.random() >= self._stay_share:
            self._turn = self._chance.choice(self._live) if self._live else ""
        self._condition.notify_all()

    def _carry_out_delayed(self) -> None:
        try:
            self._delayed.pop(self._chance.randrange(len(self._delayed)))()
        except ClientError:
            self.story.append("delayed request refused")


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else Path(body.name).read_bytes()
