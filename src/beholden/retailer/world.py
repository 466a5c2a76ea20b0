"""The company before anything happens in it: people, staff, orders, cards and contacts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from beholden.retailer.cards import Cards, make_cards
from beholden.retailer.chance import DAY_US, HOUR_US
from beholden.retailer.contacts import Contacts, make_contacts
from beholden.retailer.orders import Orders, make_orders
from beholden.retailer.parameters import Parameters
from beholden.retailer.people import People, make_people
from beholden.retailer.staff import Staff, make_staff

__all__ = ["WRITE_ROWS", "World", "make_world", "slices"]

#: Rows turned into texts at a time.
WRITE_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class World:
    """Everything that logs, stores, feeds and incidents are made from."""

    parameters: Parameters
    people: People
    staff: Staff
    orders: Orders
    cards: Cards
    contacts: Contacts

    @property
    def gap(self) -> tuple[int, int]:
        """When the console's log was lost: four hours of the afternoon in the middle of the window."""
        start = self.parameters.start + self.parameters.days // 2 * DAY_US + 13 * HOUR_US
        return start, start + 4 * HOUR_US

    @property
    def copied_table(self) -> str:
        """The table of names and card numbers that lies outside its zone."""
        return f"marketing_export_{datetime.fromtimestamp((self.parameters.end - 1) / 1e6, UTC).year}"

    def actor_names(self, positions: list[int]) -> list[str]:
        """Log-ins of staff."""
        return [self.staff.members[i].login for i in positions]


def make_world(parameters: Parameters) -> World:
    """Draw the company."""
    people = make_people(parameters)
    staff = make_staff(parameters, people)
    orders = make_orders(parameters)
    return World(
        parameters, people, staff, orders, make_cards(parameters), make_contacts(parameters, people, staff, orders)
    )


def slices(count: int) -> Iterator[tuple[int, int]]:
    """``[start, stop)`` pairs that cover ``count`` rows, `WRITE_ROWS` at a time."""
    for start in range(0, count, WRITE_ROWS):
        yield start, min(start + WRITE_ROWS, count)
