"""The customer-service console: what staff opened there, and the line its own log has for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from beholden.retailer.chance import SECOND_US, Chance, Ints, Rng, below, moments, stream, weighted
from beholden.retailer.contacts import COLLEAGUE, LATE, NEVER, Contacts
from beholden.retailer.events import Events, label
from beholden.retailer.log_files import LogKind
from beholden.retailer.people import People
from beholden.retailer.render import Chosen, Decimal, Text, given, instants, lines, matrix, numbers
from beholden.retailer.staff import Staff
from beholden.retailer.words import words_of
from beholden.retailer.world import World

__all__ = ["OPERATIONS", "SCREENS", "Views", "console_log", "contact_views", "contact_views_a_day", "make_views"]

SCREENS: Final = ("profile", "orders", "address", "payment")
OPERATIONS: Final = ("view", "edit", "export")
_SCREEN_WEIGHTS: Final = (30, 42, 16, 12)
#: Edits are possible on profile and address only.
_EDITS: Final = 0.12
_EXPORTS: Final = 0.004
#: ok, denied, error; assumed. What the log calls screens, operations and results: `beholden.retailer.words`.
_RESULT_WEIGHTS: Final = (994, 3, 3)
_HOSTS: Final = 3


@dataclass(frozen=True, slots=True)
class Views(Events):
    """What was opened in the console. ``ticket`` is -1 where the line carries none."""

    customer: Ints  # positions
    screen: Ints
    operation: Ints
    ticket: Ints
    result: Ints
    host: Ints


def make_views(
    rng: Rng, time: Ints, actor: Ints, customer: Ints, *, what: int | Ints, ticket: Ints | None = None,
    incident: int = -1, screen: Ints | None = None, operation: Ints | None = None,
) -> Views:  # fmt: skip
    """Views of those customers at those times; what is not given is drawn as everyone's is."""
    n = len(time)
    usual = weighted(rng, _SCREEN_WEIGHTS, n)
    screen = usual if screen is None else screen
    draw = rng.random(n)
    editable = (screen == SCREENS.index("profile")) | (screen == SCREENS.index("address"))
    drawn = np.select([editable & (draw < _EDITS), draw > 1 - _EXPORTS], [1, 2], 0).astype(np.int64)
    return Views(
        time=time,
        actor=actor,
        label=np.full(n, what, dtype=np.int64) if isinstance(what, int) else what,
        incident=np.full(n, incident, dtype=np.int64),
        customer=customer,
        screen=screen,
        operation=drawn if operation is None else operation,
        ticket=np.full(n, -1, dtype=np.int64) if ticket is None else ticket,
        result=weighted(rng, _RESULT_WEIGHTS, n),
        host=rng.integers(0, _HOSTS, n),
    )


def contact_views(world: World, day: int) -> Views:
    """1 + Poisson views for each contact, more by new agents, and a few of another customer where two were touched."""
    people, contacts, rng = world.people, world.service.on(day), stream(world.parameters.seed, "contact views", day)
    count, others = _counts(rng, world, day)
    what = _labels_of(people, world.staff, contacts)
    own = _during(rng, world, contacts, np.repeat(np.arange(len(contacts)), count), contacts.customer, what)
    twice = np.flatnonzero(others)
    other = np.full(len(contacts), -1, dtype=np.int64)
    other[twice] = _second_customers(rng, people, contacts.customer[twice])
    what = np.full(len(contacts), label("benign:second_customer"), dtype=np.int64)
    more = np.repeat(np.arange(len(contacts)), others)
    return Views.joined([own, _during(rng, world, contacts, more, other, what)])


def contact_views_a_day(world: World, day: int) -> Ints:
    """How many of a day's contact views each member of the staff has."""
    count, others = _counts(stream(world.parameters.seed, "contact views", day), world, day)
    views: Ints = np.bincount(world.service.on(day).agent, count + others, len(world.staff)).astype(np.int64)
    return views


def _counts(rng: Rng, world: World, day: int) -> tuple[Ints, Ints]:
    """How many views each contact of a day has, of its customer and of another one; drawn before all else."""
    p, staff, contacts = world.parameters, world.staff, world.service.on(day)
    hired = np.array([member.hired for member in staff.members], dtype=np.int64)
    eager = np.where(day - hired[contacts.agent] < p.ramp_days, p.ramp_views, 1.0)
    count = np.maximum(1, np.rint((1 + rng.poisson(p.views_per_contact_extra, len(contacts))) * eager).astype(np.int64))
    twice = rng.random(len(contacts)) < p.second_customer
    return count, np.where(twice, 1 + rng.poisson(0.2, len(contacts)), 0)


def _during(rng: Rng, world: World, contacts: Contacts, at: Ints, customer: Ints, what: Ints) -> Views:
    """Views within the contacts at positions ``at``, between the greeting and the wrap-up."""
    time = moments(rng, contacts.opened[at] + 4 * SECOND_US, contacts.closed[at] - 5 * SECOND_US)
    # Before a late ticket exists no line can carry it, and a colleague's is not at hand.
    noted = (rng.random(len(at)) < world.parameters.ticket_noted) & (contacts.quality[at] != LATE)
    noted &= contacts.quality[at] != COLLEAGUE
    ticket = np.where(noted, contacts.ticket[at], -1)
    return make_views(rng, time, contacts.agent[at], customer[at], what=what[at], ticket=ticket)


def _labels_of(people: People, staff: Staff, contacts: Contacts) -> Ints:
    buyers = [member.customer for member in staff.members if member.customer >= 0]
    names = ("late_contact", "colleague_contact", "disconnected_call", "celebrity_contact", "staff_customer")
    return np.select(
        [
            contacts.quality == LATE,
            contacts.quality == COLLEAGUE,
            contacts.quality == NEVER,
            np.isin(contacts.customer, people.famous),
            np.isin(contacts.customer, buyers),
        ],
        [label(f"benign:{name}") for name in names],
        0,
    ).astype(np.int64)


def _second_customers(rng: Rng, people: People, first: Ints) -> Ints:
    """Somebody at the same address, else a wrong match: a number mistyped nearby."""
    near = np.clip(first + rng.integers(1, 90, len(first)) * rng.choice([-1, 1], len(first)), 0, len(people) - 1)
    near = np.where(near == first, (first + 1) % len(people), near)
    housemate = people.housemate(first)
    return np.where(housemate >= 0, housemate, near)


def console_log(world: World, day: int) -> LogKind[Views]:
    """The console's log of a day: JSON lines in the company's words. Log-ins, ids and addresses need no escaping."""
    words = words_of(world.parameters.preset)
    console = words.console
    pieces = _pieces(console.line, _of_actors(world, day))
    hosts = [str(host + 1) for host in range(_HOSTS)]

    def rendered(views: Views, uids: pa.Array) -> pa.Array:
        columns = {
            "time": Decimal(views.time // 1000) if console.epoch else instants(views.time),
            "uid": matrix(uids),
            "operation": Chosen(console.operations, views.operation),
            "customer": words.customer.texts(views.customer + 1),
            "screen": Chosen(console.screens, views.screen),
            "ticket": given(
                views.ticket >= 0, lambda at: lines(f'"{words.ticket}', numbers(views.ticket[at]), '"'), "null"
            ),
            "host": Chosen(hosts, views.host),
            "result": Chosen(console.results, views.result),
        }
        texts: list[Text] = []
        for column, before in pieces:
            texts.append(Chosen(before, views.actor) if len(before) > 1 else before[0])
            texts += [columns[column]] if column else []
        return lines(*texts)

    return LogKind("console", "console-{day}.jsonl", rendered)


def _of_actors(world: World, day: int) -> dict[str, list[str]]:
    """What a line says of the one at the keyboard, by principal. A session is a person's working day."""
    staff = world.staff
    count = len(staff.addresses)
    sessions = below(Chance(world.parameters.seed, "console session")(day, np.arange(count)), 2**44).tolist()
    return {
        "login": staff.logins(day),
        "team": [member.team_on(day) for member in staff.members] + ["-"] * len(staff.services),
        "ip": staff.addresses,
        "session": [f"{number:011x}" for number in sessions],
    }


def _pieces(line: str, of_actors: dict[str, list[str]]) -> list[tuple[str, list[str]]]:
    """A line's pieces: each what stands before a column, the same in all lines or by principal, and the column's name."""
    events = "|".join(name for name in re.findall(r"<(\w+)>", line) if name not in of_actors)
    parts = [*re.split(f"<({events})>", line), ""]
    found = []
    for part, column in zip(parts[::2], parts[1::2], strict=True):
        names = re.findall(r"<(\w+)>", part)
        form = re.sub(r"<\w+>", "{}", part.replace("{", "{{").replace("}", "}}"))
        whole = [form.format(*row) for row in zip(*(of_actors[name] for name in names), strict=True)]
        found.append((column, whole if names else [part]))
    return found
