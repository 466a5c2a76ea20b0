"""Rooms of an estate for tests that need several of them: state, vault, ledger and engine, and a world to speak of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from beholden.core.events import RAW_EVENTS
from beholden.core.ids import seeded_entropy
from beholden.core.names import Person
from beholden.core.times import parse_time
from beholden.engine import DuckEngine, Engine
from beholden.ledger import Ledger
from beholden.ledger.ingest import Ingest, LogFile
from beholden.ledger.world import StoreView, SubjectFields, World
from beholden.logs import LogBatch, LogContext
from beholden.state import State, open_state
from beholden.vault import MasterKey, Vault, open_vault
from tests.support.ledger import NOW, batch_of, open_ledger

MASTER = MasterKey(bytes(range(32)))
SCHEMA = {
    "public.customer": ("customer_id", "first_name", "last_name", "email", "address_id"),
    "public.address": ("address_id", "street", "phone"),
    "public.rental": ("rental_id", "customer_id", "film_id", "rented"),
    "public.payment": ("payment_id", "customer_id", "rental_id", "amount"),
    "public.film": ("film_id", "title"),
    "public.archive": ("customer_id", "body"),
    "public.customer_list": ("id", "name"),  # a view of customer and address
    "public.orders": ("order_id", "buyer_id", "seller_id", "total"),
    "public.member": ("code", "name"),
    "public.friend": ("a", "b"),
    "public.device": ("device_id", "owner"),
    "public.visit": ("visitor_id", "page"),
    "public.Mixed": ("Id", "Name"),
}
ROWS = {"public.customer": 599, "public.rental": 16044, "public.address": 603}


def fields_of(kind: str, *keys: str, describing: Iterable[str] = (), **more: Any) -> SubjectFields:
    """``keys`` and ``describing`` are written table#field."""

    def places(texts: Iterable[str]) -> frozenset[tuple[str, str, str]]:
        return frozenset(("crm", f"public.{table}", name) for table, _, name in (text.partition("#") for text in texts))

    return SubjectFields(kind, places(keys), places(describing), **more)


CUSTOMER = fields_of(
    "customer",
    "customer#customer_id",
    "rental#customer_id",
    "payment#customer_id",
    "archive#customer_id",
    "customer_list#id",
    "orders#buyer_id",
    describing=("customer#last_name", "customer#email"),
    home=("crm", "public.customer"),
    identifiers="integer",
)
KINDS = (
    CUSTOMER,
    fields_of("seller", "orders#seller_id"),
    fields_of("member", "member#code", "friend#a", "friend#b", identifiers="text"),
    fields_of("device", "device#device_id", identifiers="uuid"),
    fields_of("visitor", "visit#visitor_id"),
)


def make_world(
    *,
    dialect: str = "postgres",
    schema: Mapping[str, tuple[str, ...]] | None = None,
    views: Mapping[str, Mapping[str, str] | None] | None = None,
) -> World:
    view = StoreView("crm", dialect, SCHEMA if schema is None else schema, ROWS, ("public",), views or {})
    return World({"crm": view}, KINDS)


def raw_event(number: int = 1, **values: Any) -> dict[str, Any]:
    """A raw event without content but what is given."""
    given = {"record": number, "identity": b"n%d" % number, "time": NOW + number}
    return dict.fromkeys(RAW_EVENTS.names) | given | values


def raw_batch(rows: Iterable[Mapping[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(rows), schema=RAW_EVENTS)


@dataclass
class GivenReader:
    """A reader that yields what it was given, whatever the file holds; then it raises ``end`` if there is one."""

    batches: list[LogBatch]
    end: BaseException | None = None
    format: str = "given"
    seen: list[LogContext] = field(default_factory=list)

    def read(self, _stream: Any, context: LogContext) -> Iterator[LogBatch]:
        self.seen.append(context)
        yield from self.batches
        if self.end is not None:
            raise self.end


def one_batch(*rows: Mapping[str, Any], **counts: Any) -> LogBatch:
    """A batch whose records each gave one event."""
    return LogBatch(raw_batch(rows), len(rows), len(rows), **counts)


@dataclass
class Rooms:
    """The rooms of an estate in a directory."""

    directory: Path
    state: State
    vault: Vault
    ledger: Ledger
    engine: Engine

    def ingest(self, reader: Any, world: World | None = None, *, path: Path | None = None, **values: Any) -> Any:
        """Read a file (by default an empty one); returns the account and what stopped the reading."""
        if path is None:
            path = self.directory / "given.log"
            path.touch()
        known: dict[str, Any] = {"log": "audit", "path": path, "source": "crm", "store": "crm"}
        worker = Ingest(
            state=self.state,
            vault=self.vault,
            ledger=self.ledger,
            world=make_world() if world is None else world,
            clock=lambda: NOW,
        )
        return worker.file(LogFile(**(known | values)), reader)

    def token(self, text: str) -> bytes:
        return self.vault.tokens([Person.parse(text)])[0]

    def keep(self, *rows: Mapping[str, Any]) -> None:
        """Append events; people are written kind:identifier, an actor without a kind is of kind actor."""
        self.ledger.append(batch_of(self._event(row) for row in rows))

    def _event(self, given: Mapping[str, Any]) -> dict[str, Any]:
        row: dict[str, Any] = {
            "time": NOW,
            "source": "crm",
            "class_uid": 6005,
            "activity": "read",
            "scope": "subjects" if given.get("subjects") else "predicate",
            "store": "crm",
            "uid": hashlib.blake2b(repr(sorted(given.items())).encode(), digest_size=10).digest(),
        } | dict(given)
        if isinstance(row["time"], str):
            row["time"] = parse_time(row["time"])
        for name in ("actor", "credential", "device", "app", "purpose", "assignment", "on_behalf_of"):
            if row.get(name) is not None:
                row[name] = self.token(row[name] if ":" in row[name] else f"{name}:{row[name]}")
        if row.get("subjects") is not None:
            row["subjects"] = [self.token(text) for text in row["subjects"]]
        for name in ("session", "correlation"):
            if isinstance(row.get(name), str):
                row[name] = hashlib.blake2b(row[name].encode(), digest_size=8).digest()
        return row


@contextmanager
def rooms_in(directory: Path, *, state_url: str | None = None) -> Iterator[Rooms]:
    with ExitStack() as stack:
        state = stack.enter_context(open_state(state_url or f"sqlite:///{directory / 'state.db'}", create=True))
        vault = stack.enter_context(
            open_vault(
                f"sqlite:///{directory / 'vault.db'}", MASTER, create=True, entropy=seeded_entropy(7), clock=lambda: NOW
            )
        )
        engine = stack.enter_context(DuckEngine(memory="256MB", threads=1, temp_directory=directory / "spill"))
        yield Rooms(directory, state, vault, open_ledger(directory / "ledger"), engine)
