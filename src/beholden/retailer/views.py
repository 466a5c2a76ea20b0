"""What staff opened in the customer-service console, as columns, and the views that belong to a contact."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from beholden.retailer.chance import SECOND_US, Ints, Rng, moments, stream, weighted
from beholden.retailer.contacts import COLLEAGUE, LATE, NEVER, Contacts
from beholden.retailer.parameters import Parameters
from beholden.retailer.people import People
from beholden.retailer.staff import Staff

__all__ = ["INCIDENT", "LABELS", "OPERATIONS", "SCREENS", "Views", "contact_views", "joined", "label", "make_views"]

SCREENS: Final = ("profile", "orders", "address", "payment")
OPERATIONS: Final = ("view", "edit", "export")
_SCREEN_WEIGHTS: Final = (30, 42, 16, 12)
#: Edits are possible on profile and address only.
_EDITS: Final = 0.12
_EXPORTS: Final = 0.004

#: What an event was, for the truth tables alone.
LABELS: Final = (
    "ordinary",
    "benign:late_contact",
    "benign:colleague_contact",
    "benign:disconnected_call",
    "benign:second_customer",
    "benign:call_back",
    "benign:quality_review",
    "benign:fraud_review",
    "benign:training",
    "benign:celebrity_contact",
    "benign:staff_customer",
    "benign:nightly_etl",
    "benign:backup",
    "benign:schema_migration",
    "benign:period_end_export",
    "incident",
)
INCIDENT: Final = LABELS.index("incident")


def label(name: str) -> int:
    """The position of a label."""
    return LABELS.index(name)


@dataclass(frozen=True, slots=True)
class Views:
    """Console events as columns. ``ticket`` is -1 where the line carries none, ``incident`` where it is of none."""

    time: Ints
    actor: Ints  # positions among the staff
    customer: Ints  # positions
    screen: Ints
    operation: Ints
    ticket: Ints
    label: Ints
    incident: Ints

    def __len__(self) -> int:
        return len(self.time)


def make_views(
    rng: Rng, time: Ints, actor: Ints, customer: Ints, *, what: int | Ints, ticket: Ints | None = None,
    incident: int = -1,
) -> Views:  # fmt: skip
    """Views of those customers at those times; screens and operations are drawn as everyone's are."""
    n = len(time)
    screen = weighted(rng, _SCREEN_WEIGHTS, n)
    draw = rng.random(n)
    editable = (screen == SCREENS.index("profile")) | (screen == SCREENS.index("address"))
    operation = np.select([editable & (draw < _EDITS), draw > 1 - _EXPORTS], [1, 2], 0)
    return Views(
        time=time,
        actor=actor,
        customer=customer,
        screen=screen,
        operation=operation,
        ticket=np.full(n, -1, dtype=np.int64) if ticket is None else ticket,
        label=np.full(n, what, dtype=np.int64) if isinstance(what, int) else what,
        incident=np.full(n, incident, dtype=np.int64),
    )


def joined(parts: list[Views]) -> Views:
    """All events in the order of time, so that nothing in their order tells where they came from."""
    columns = {f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Views)}
    order = np.lexsort((columns["customer"], columns["actor"], columns["time"]))
    return Views(**{name: column[order] for name, column in columns.items()})


def contact_views(parameters: Parameters, people: People, staff: Staff, contacts: Contacts) -> Views:
    """1 + Poisson views for each contact, and a few of another customer where two were touched."""
    rng = stream(parameters.seed, "contact views")
    count = 1 + rng.poisson(parameters.views_per_contact_extra, len(contacts))
    what = _labels_of(people, staff, contacts)
    own = _during(rng, parameters, contacts, np.repeat(np.arange(len(contacts)), count), contacts.customer, what)
    twice = np.flatnonzero(rng.random(len(contacts)) < parameters.second_customer)
    other = np.full(len(contacts), -1, dtype=np.int64)
    other[twice] = _second_customers(rng, people, contacts.customer[twice])
    what = np.full(len(contacts), label("benign:second_customer"), dtype=np.int64)
    more = np.repeat(twice, 1 + rng.poisson(0.2, len(twice)))
    return joined([own, _during(rng, parameters, contacts, more, other, what)])


def _during(rng: Rng, parameters: Parameters, contacts: Contacts, at: Ints, customer: Ints, what: Ints) -> Views:
    """Views within the contacts at positions ``at``, between the greeting and the wrap-up."""
    time = moments(rng, contacts.opened[at] + 4 * SECOND_US, contacts.closed[at] - 5 * SECOND_US)
    ticket = contacts.ticket[at]
    # Before a late ticket exists no line can carry it, and a colleague's is not at hand.
    noted = (rng.random(len(at)) < parameters.ticket_noted) & (contacts.quality[at] != LATE)
    noted &= contacts.quality[at] != COLLEAGUE
    return make_views(rng, time, contacts.agent[at], customer[at], what=what[at], ticket=np.where(noted, ticket, -1))


def _labels_of(people: People, staff: Staff, contacts: Contacts) -> Ints:
    buyers = [member.customer for member in staff.members if member.customer >= 0]
    return np.select(
        [
            contacts.quality == LATE,
            contacts.quality == COLLEAGUE,
            contacts.quality == NEVER,
            np.isin(contacts.customer, people.famous),
            np.isin(contacts.customer, buyers),
        ],
        [
            label("benign:late_contact"),
            label("benign:colleague_contact"),
            label("benign:disconnected_call"),
            label("benign:celebrity_contact"),
            label("benign:staff_customer"),
        ],
        0,
    ).astype(np.int64)


def _second_customers(rng: Rng, people: People, first: Ints) -> Ints:
    """Somebody at the same address, else a wrong match: a number mistyped nearby."""
    near = np.clip(first + rng.integers(1, 90, len(first)) * rng.choice([-1, 1], len(first)), 0, len(people) - 1)
    near = np.where(near == first, (first + 1) % len(people), near)
    housemate = people.housemate[first]
    return np.where(housemate >= 0, housemate, near)
