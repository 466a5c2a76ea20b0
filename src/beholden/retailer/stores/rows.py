"""Rows by meaning: some of the world's customers, orders, sellers or contacts, as the columns that a table asks for.

Columns are made when first asked for, and once for all the tables that hold them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from beholden.retailer.chance import DAY_US, HOUR_US, SECOND_US, Bools, Chance, Ints, below, iso, uniform
from beholden.retailer.contacts import CHANNELS, REASONS
from beholden.retailer.life.seller_desk import TOPICS, seller_cases
from beholden.retailer.life.sql_services import FIRST_PAYMENT_ID
from beholden.retailer.name_lists import STREETS
from beholden.retailer.orders import FIRST_ORDER_ID, STATUSES, OrderColumns, tracking_numbers
from beholden.retailer.people import plain_ascii
from beholden.retailer.render import lines, numbers
from beholden.retailer.words import Words
from beholden.retailer.world import World

__all__ = [
    "STATUS_CODES", "Rows", "contact_rows", "customer_rows", "ibans", "order_rows", "seller_case_rows", "seller_rows", "skus",
]  # fmt: skip

#: Codes of `STATUSES` in the warehouse.
STATUS_CODES: Final = tuple(range(10, 10 * len(STATUSES) + 1, 10))
#: Customers who joined before each day are of that segment; the warehouse's jobs say the same in SQL.
_SEGMENTS: Final = (("2022-01-01", "gold"), ("2024-07-01", "silver"), ("9999", "new"))
_CARRIERS: Final = ("northline", "parcelway", "swiftvan", "seapost")
_PARCEL_CODES: Final = np.array([100, 200, 250, 300, 404])
_SHIPPED: Final = (2, 3, 4)  # of `STATUSES`: those that left the house
#: What becomes of the payment of an order in each status.
_PAYMENTS: Final = np.array(["authorised", "settled", "settled", "settled", "refunded", "refunded"])
_REFUSED: Final = 0.02  # assumed
_SKUS: Final = 40_000
_ORDER_LINES: Final = "order lines"
_NOTE_DAYS: Final = 900  # within which notes were written
_NOTES: Final = (
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
_TRIES: Final = 6
_CAMPAIGNS: Final = ("loyalty", "spring", "win-back")
#: German account numbers of a bank that does not exist: no bank code begins with 0.
_IBAN_BANK: Final = "00000000"


class Rows:
    """Columns by meaning, each made when first asked for.

    ``number`` identifies each row among all of its grain; ``time`` is when it came to be, where tables ask for that.
    """

    def __init__(
        self, number: Ints, makers: Mapping[str, Callable[[], Sequence[Any]]], time: Ints | None = None
    ) -> None:
        self.number = number
        self.time = time
        self._makers = makers
        self._made: dict[str, Sequence[Any]] = {}

    def __len__(self) -> int:
        return len(self.number)

    def __getitem__(self, meaning: str) -> Sequence[Any]:
        found = self._made.get(meaning)
        if found is None:
            found = self._made[meaning] = self._makers[meaning]()
        return found

    def at(self, chosen: Ints | Bools) -> Rows:
        """Those at these positions, or for which the mask is true."""
        which = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        if np.array_equal(which, np.arange(len(self))):
            return self
        places = which.tolist()

        def taken(meaning: str) -> Callable[[], Sequence[Any]]:
            return lambda: [column[i] for column in (self[meaning],) for i in places]

        time = None if self.time is None else self.time[which]
        return Rows(self.number[which], {meaning: taken(meaning) for meaning in self._makers}, time)

    def and_also(self, makers: Mapping[str, Callable[[], Sequence[Any]]], time: Ints | None = None) -> Rows:
        """The same rows with further columns."""
        own = {meaning: self._getter(meaning) for meaning in self._makers}
        return Rows(self.number, {**own, **makers}, self.time if time is None else time)

    def _getter(self, meaning: str) -> Callable[[], Sequence[Any]]:
        return lambda: self[meaning]


# Customers


def customer_rows(world: World, words: Words, position: Ints) -> dict[str, Rows]:
    """Rows of all grains that belong to customers at these positions."""
    p, text = world.parameters, world.people.text(position)

    def full_names() -> list[str]:
        return [f"{first} {last}" for first, last in zip(text.first_name, text.last_name, strict=True)]

    makers: dict[str, Callable[[], Sequence[Any]]] = {
        f"customer.{name}": partial(getattr, text, name) for name in text.__dataclass_fields__
    }
    makers |= {
        "customer.id": lambda: words.customer.values(position + 1),
        "customer.full_name": full_names,
        "customer.segment": lambda: [_segment(created) for created in text.created_at],
    }
    customers = Rows(position, makers)
    noted = uniform(Chance(p.seed, "notes")(position)) < p.customers_noted
    has_card = world.cards.has_card(position)
    mate = world.people.housemate(position)
    home = np.where((mate >= 0) & (mate < position), mate, position)
    return {
        "customer": customers,
        "note": _notes(world, words, customers.at(noted)),
        "card": _cards(world, customers.at(has_card)),
        "move": _moves(world, customers, home),
        "other email": _readdressed(world, customers),
        "member": _members(world, customers.at(mate >= 0), home[mate >= 0]),
    }


def _segment(created: str) -> str:
    return next(segment for before, segment in _SEGMENTS if created < before)


def _notes(world: World, words: Words, rows: Rows) -> Rows:
    p, position = world.parameters, rows.number
    chance = Chance(p.seed, "note")
    joined = world.people.joined(position)
    since = np.maximum(joined, p.end - _NOTE_DAYS * DAY_US)
    time = since + (uniform(chance(position, 0)) * (p.end - since)).astype(np.int64) // SECOND_US * SECOND_US
    kinds = below(chance(position, 1), len(_NOTES)).tolist()

    def bodies() -> list[str]:
        columns = zip(kinds, rows["customer.phone"], rows["customer.email"], rows["customer.first_name"], strict=True)
        notes = [words.told(note) for note in _NOTES]
        return [notes[kind].format(phone=phone, email=email, first=first) for kind, phone, email, first in columns]

    return rows.and_also(
        {
            "note.id": (2_000_001 + 3 * position + below(chance(position, 2), 3)).tolist,
            "staff.login": lambda: _authors(world, position, time // DAY_US),
            "note.time": lambda: iso(time),
            "note.body": bodies,
        },
        time,
    )


def _authors(world: World, position: Ints, day: Ints) -> list[str]:
    """An agent who was there on the day; anybody where none of some tried was."""
    members = world.staff.members
    agents = np.array([i for i, one in enumerate(members) if one.role == "agent"])
    hired = np.array([members[i].hired for i in agents.tolist()])
    left = np.array([1 << 30 if (gone := members[i].left) is None else gone for i in agents.tolist()])
    chance = Chance(world.parameters.seed, "note author")
    found = below(chance(position, 0), len(agents))
    for attempt in range(1, _TRIES):
        there = (hired[found] <= day) & (day < left[found])
        found = np.where(there, found, below(chance(position, attempt), len(agents)))
    return [members[agents[i]].login_on(on) for i, on in zip(found.tolist(), day.tolist(), strict=True)]


def _cards(world: World, rows: Rows) -> Rows:
    p, position, cards = world.parameters, rows.number, world.cards
    first = int(np.datetime64(p.start, "us").astype("datetime64[M]").astype(np.int64))

    def expiries() -> list[str]:
        months = (first + cards.expiry_month(position)).tolist()
        return [f"{month % 12 + 1:02d}/{(1970 + month // 12) % 100:02d}" for month in months]

    def holders() -> list[str]:
        names = zip(rows["customer.first_name"], rows["customer.last_name"], strict=True)
        return [f"{plain_ascii(first)} {plain_ascii(last)}".upper() for first, last in names]

    campaign = below(Chance(p.seed, "campaign")(position), len(_CAMPAIGNS))
    return rows.and_also(
        {
            "card.id": lambda: cards.card_id(position).tolist(),
            "card.holder": holders,
            "card.number": lambda: numbers(cards.number(position)).to_pylist(),
            "card.expiry": expiries,
            "text": lambda: [_CAMPAIGNS[i] for i in campaign.tolist()],
        }
    )


def _moves(world: World, rows: Rows, home: Ints) -> Rows:
    """Those who moved within their town, with those they live with; where they lived before."""
    p, chance = world.parameters, Chance(world.parameters.seed, "moved")
    moved = uniform(chance(home)) < p.customers_moved
    rows, home = rows.at(moved), home[moved]
    joined = world.people.joined(rows.number)
    time = joined + (uniform(chance(home, 1)) * (p.start - joined)).astype(np.int64) // SECOND_US * SECOND_US

    def streets() -> list[str]:
        street = below(chance(home, 2), len(STREETS)).tolist()
        house = (1 + below(chance(home, 3), 239)).tolist()
        return [f"{number} {STREETS[at]}" for number, at in zip(house, street, strict=True)]

    makers = {"move.street": streets, "move.since": lambda: rows["customer.created_at"], "move.time": lambda: iso(time)}
    return rows.and_also(makers, time)


def _readdressed(world: World, rows: Rows) -> Rows:
    """Those whose e-mail address was another one before."""
    p, chance = world.parameters, Chance(world.parameters.seed, "readdressed")
    rows = rows.at(uniform(chance(rows.number)) < p.customers_readdressed)
    joined = world.people.joined(rows.number)
    time = joined + (uniform(chance(rows.number, 1)) * (p.start - joined)).astype(np.int64) // SECOND_US * SECOND_US

    def emails() -> list[str]:
        digits = below(chance(rows.number, 2), 900).tolist()
        names = zip(rows["customer.last_name"], rows["customer.email"], digits, strict=True)
        return [f"{plain_ascii(last)}{number + 100}@{email.partition('@')[2]}" for last, email, number in names]

    return rows.and_also({"past.email": emails, "past.time": lambda: iso(time)}, time)


def _members(world: World, rows: Rows, home: Ints) -> Rows:
    return rows.and_also(
        {
            "household.id": (300_001 + home).tolist,
            "household.since": lambda: iso(world.people.joined(np.maximum(home, rows.number))),
        }
    )


# Orders


def order_rows(world: World, words: Words, orders: OrderColumns) -> dict[str, Rows]:
    """Rows of all grains that belong to these orders."""
    p = world.parameters
    makers: dict[str, Callable[[], Sequence[Any]]] = {
        "order.id": orders.order_id.tolist,
        "customer.id": lambda: words.customer.values(orders.customer + 1),
        "seller.id": (orders.seller + 1).tolist,
        "order.time": lambda: iso(orders.time),
        "order.amount": (orders.cents / 100).tolist,
        "order.status": lambda: [STATUSES[i] for i in orders.status.tolist()],
        "order.status_code": (10 * (orders.status + 1)).tolist,
    }
    rows = Rows(orders.order_id, makers, orders.time)
    shipped = orders.time + (4 * HOUR_US + below(Chance(p.seed, "shipped")(orders.order_id), 56 * 3600) * SECOND_US)
    sent = np.isin(orders.status, _SHIPPED)
    return {
        "order": rows,
        "payment": _payments(world, rows, orders),
        "parcel": _parcels(world, rows.at(sent), shipped[sent]),
        "line": _lines(world, rows, orders),
    }


def _payments(world: World, rows: Rows, orders: OrderColumns) -> Rows:
    """A payment is numbered as its order; it is by card where the customer has one on file."""
    has_card, card = world.cards.has_card(orders.customer), world.cards.card_id(orders.customer)
    refused = uniform(Chance(world.parameters.seed, "payments")(orders.order_id)) < _REFUSED
    return rows.and_also(
        {
            "payment.id": (orders.order_id + (FIRST_PAYMENT_ID - FIRST_ORDER_ID)).tolist,
            "card.id": lambda: [
                one if held else None for one, held in zip(card.tolist(), has_card.tolist(), strict=True)
            ],
            "payment.time": lambda: rows["order.time"],
            "payment.status": np.where(refused, "refused", _PAYMENTS[orders.status]).tolist,
        }
    )


def _parcels(world: World, rows: Rows, shipped: Ints) -> Rows:
    chance = Chance(world.parameters.seed, "parcel")
    return rows.and_also(
        {
            "parcel.tracking_number": lambda: numbers(tracking_numbers(world.parameters.seed, rows.number)).to_pylist(),
            "parcel.carrier": lambda: [_CARRIERS[i] for i in below(chance(rows.number), len(_CARRIERS)).tolist()],
            "parcel.status_code": _PARCEL_CODES[below(chance(rows.number, 1), len(_PARCEL_CODES))].tolist,
            "parcel.time": lambda: iso(shipped),
        },
        shipped,
    )


def _lines(world: World, rows: Rows, orders: OrderColumns) -> Rows:
    count = orders.lines
    order = np.repeat(np.arange(len(orders)), count)
    line = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)
    lined = rows.at(order)
    chance = Chance(world.parameters.seed, _ORDER_LINES)

    return lined.and_also(
        {
            "line.number": (line + 1).tolist,
            "line.sku": lambda: skus(world.parameters.seed, lined.number, line),
            "line.quantity": (1 + below(chance(lined.number, line, 1), 100) // 84).tolist,
        }
    )


def skus(seed: int, order_id: Ints, line: Ints) -> list[str]:
    """The articles of these lines (from 0) of orders."""
    # Few articles are sold much: a Pareto law.
    rank = 50 * ((1 - uniform(Chance(seed, _ORDER_LINES)(order_id, line))) ** (-1 / 1.1) - 1)
    code = np.minimum(rank, 1e15).astype(np.int64) % _SKUS
    found: list[str] = lines("SK-", numbers(code + 100_000)).to_pylist()
    return found


# Contacts, sellers and their cases


def contact_rows(world: World, words: Words, day: int) -> Rows:
    """The contacts of a day that have a ticket, as the ticket system holds them."""
    contacts = world.service.on(day)
    kept = contacts.at(contacts.ticket >= 0)
    logins, reasons = world.staff.logins(day), list(REASONS)
    makers: dict[str, Callable[[], Sequence[Any]]] = {
        "contact.id": kept.ticket.tolist,
        "customer.id": lambda: words.customer.values(kept.customer + 1),
        "order.id": lambda: [order if order >= 0 else None for order in kept.order_id.tolist()],
        "staff.login": lambda: [logins[i] for i in kept.logged_agent.tolist()],
        "contact.channel": lambda: [CHANNELS[i] for i in kept.channel.tolist()],
        "contact.reason": lambda: [reasons[i] for i in kept.reason.tolist()],
        "contact.opened": lambda: iso(kept.logged_opened),
        "contact.closed": lambda: iso(kept.logged_closed),
    }
    return Rows(kept.ticket, makers, kept.logged_opened)


def seller_rows(world: World, position: Ints) -> Rows:
    """Sellers at these positions."""
    p, sellers = world.parameters, world.sellers
    text = sellers.text(position)
    suspended = sellers.suspended(position, p.end)
    chance = Chance(p.seed, "bank account")
    since = sellers.since(position)
    banked = since * DAY_US + (uniform(chance(position)) * (p.start - since * DAY_US)).astype(np.int64)
    makers: dict[str, Callable[[], Sequence[Any]]] = {
        f"seller.{name}": partial(getattr, text, name) for name in text.__dataclass_fields__
    }
    makers |= {
        "seller.id": (position + 1).tolist,
        "seller.since": lambda: iso(since * DAY_US, "D"),
        "seller.state": lambda: np.where(suspended, "suspended", "active").tolist(),
        "seller.iban": lambda: ibans(below(chance(sellers.shared(position, "bank"), 1), 10**10)),
        "seller.banked": lambda: iso(banked),
    }
    return Rows(position, makers)


def seller_case_rows(world: World, words: Words, day: int) -> Rows:
    """The cases of a day that were logged; those still open have no end."""
    cases = seller_cases(world, day)
    kept = cases.at(cases.number >= 0)
    logins = world.staff.logins(day)
    ended = (kept.logged_closed < world.parameters.end).tolist()

    def closed() -> list[str | None]:
        return [text if over else None for text, over in zip(iso(kept.logged_closed), ended, strict=True)]

    makers: dict[str, Callable[[], Sequence[Any]]] = {
        "case.id": lambda: lines("SC-", numbers(kept.number)).to_pylist(),
        "seller.id": (kept.seller + 1).tolist,
        "staff.login": lambda: [logins[i] for i in kept.logged_member.tolist()],
        "case.topic": lambda: [words.told(TOPICS[i]) for i in kept.topic.tolist()],
        "case.opened": lambda: iso(kept.logged_opened),
        "case.closed": closed,
    }
    return Rows(kept.number, makers, kept.logged_opened)


def ibans(account: Ints) -> list[str]:
    """German account numbers of a bank that does not exist, from numbers below ten thousand million."""
    return [_iban(f"{_IBAN_BANK}{number:010d}") for number in account.tolist()]


def _iban(body: str) -> str:
    """With its check digits (ISO 13616): D and E are 13 and 14."""
    return f"DE{98 - int(body + '131400') % 97:02d}{body}"
