"""``stores/crm.db``: the customers, and what agents noted about them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from beholden.retailer.chance import SECOND_US, iso, stream
from beholden.retailer.databases import Columns, new_database
from beholden.retailer.world import World, slices

__all__ = ["write_crm"]

_TABLES: Final = """
create table customer (
  customer_id integer primary key,
  first_name text not null,
  last_name text not null,
  email text,
  phone text,
  street text,
  postal_code text,
  city text,
  country text,
  date_of_birth text,
  created_at text not null
);
create table notes (
  note_id integer primary key,
  customer_id integer not null references customer (customer_id),
  author text not null,
  written_at text not null,
  body text not null
)
"""
_INDEXES: Final = """
create index customer_last_name on customer (last_name);
create index notes_customer_id on notes (customer_id)
"""
#: Share of customers with a note; assumed.
_NOTED: Final = 0.1
_BODIES: Final = (
    "Asked where the parcel is, tracking shows it at the depot.",
    "Wants a refund for the second item, label sent.",
    "Prefers to be called back in the evening on {phone}.",
    "New address of e-mail for invoices: {email}, please use for this order only.",
    "Second call about the same order; promised an answer by Friday.",
    "Parcel left with the neighbour, has been found.",
    "Says {first} from the shop promised a discount of 10 percent.",
    "Spoke with the customer's partner, reachable at {phone} or {email}.",
    "Product question passed on to the seller.",
    "Duplicate payment, returned to the same card.",
)


def write_crm(world: World, path: Path) -> None:
    """Write the database."""
    with new_database(path) as database:
        database.define(_TABLES)
        database.fill("customer", (_people(world, *part) for part in slices(len(world.people))))
        database.fill("notes", _notes(world))
        database.define(_INDEXES)


def _people(world: World, start: int, stop: int) -> Columns:
    text = world.people.text(start, stop)
    return [getattr(text, name) for name in text.__dataclass_fields__]


def _notes(world: World) -> Iterator[Columns]:
    rng = stream(world.parameters.seed, "notes")
    agents = world.staff.role("agent")
    next_id = 1
    for start, stop in slices(len(world.people)):
        chosen = np.flatnonzero(rng.random(stop - start) < _NOTED)
        n = len(chosen)
        text = world.people.text(start, stop)
        span = (world.parameters.end - world.parameters.start) // SECOND_US
        written = world.parameters.start + rng.integers(-30 * span, span, n) * SECOND_US
        bodies = [
            _BODIES[kind].format(phone=text.phone[at], email=text.email[at], first=text.first_name[at])
            for kind, at in zip(rng.integers(0, len(_BODIES), n).tolist(), chosen.tolist(), strict=True)
        ]
        authors = world.actor_names(agents[rng.integers(0, len(agents), n)].tolist())
        ids = list(range(next_id, next_id + n))
        next_id += n
        yield [ids, (chosen + start + 1).tolist(), authors, iso(written), bodies]
