"""The contact centre's work over some days: contacts, who handles them, what is opened, and how much of it has a reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from beholden.retailer.balance import documented, records_of, shuffled_share
from beholden.retailer.chance import DAY_US, HOUR_US, MINUTE_US, Bools, Floats, Ints
from beholden.retailer.contacts import REASONS, WRAP_UP_US, Contacts
from beholden.retailer.events import label
from beholden.retailer.life.assignments import correction_day
from beholden.retailer.life.console import Views, contact_views
from beholden.retailer.life.records import SHIFT_US
from beholden.retailer.life.seller_desk import desk_acts
from beholden.retailer.life.support_lookalikes import lookalike_views
from beholden.retailer.orders import FIRST_ORDER_ID
from beholden.retailer.parameters.presets import CONTACT_REASONS
from beholden.retailer.realism.bands import Measure, Ratio, ratio
from beholden.retailer.realism.look_alikes import Encounters, relations
from beholden.retailer.world import World

__all__ = [
    "RECENT_DAYS",
    "Worked",
    "handling_minutes",
    "lag_days",
    "measure_of_new_agents",
    "measures_of_service",
    "ordinary_days",
    "worked_on",
]

#: Periods without an encounter that are measured; the source's own is not known.
RECENT_DAYS: Final = (60, 90)
#: A promotion's contacts keep agents busy beyond the ordinary for so long.
_PROMOTION_FELT_DAYS: Final = 40
_WEEK: Final = 7
_MONTH_DAYS: Final = 30
#: The quantile of a normal law one sigma above its median, and the error of the distance between the two times root n.
_ONE_SIGMA: Final = 0.8413447
_SIGMA_ERROR: Final = 1.49


@dataclass(frozen=True, slots=True)
class Worked:
    """What happened in the centre on some days, incidents aside. Arrays of one group are as long as each other."""

    world: World
    days: tuple[int, ...]
    contacts: Contacts
    handled: Views  # in contacts
    views: Views  # these and all look-alikes
    documented: Bools  # of the views
    relation: dict[str, Bools]  # of the views
    unseen_days: Ints  # since the customer's last encounter, of the views
    agents: Ints  # at work, by day
    acts: Ints  # at the seller desk, by day
    reviews: Ints  # by day
    shuffled: Floats  # documented share if subjects are shuffled, by day


def ordinary_days(world: World, count: int) -> list[int]:
    """The last so many days of the window that are like most, in their order.

    No promotion is felt on them, nobody corrects thousands of profiles, and orders go back as far as `RECENT_DAYS`.
    """
    other = {day + i for day in world.calendar.promotions for i in range(_PROMOTION_FELT_DAYS)}
    corrected = correction_day(world)
    if corrected is not None:
        other.add(corrected[0])
    first = world.calendar.first_day + max(RECENT_DAYS)
    return [day for day in world.calendar.window if day >= first and day not in other][-count:]


def worked_on(world: World, days: Sequence[int]) -> Worked:
    """Everything of those days (in their order)."""
    encounters = Encounters(world, days[0] - max(RECENT_DAYS))
    contacts, handled, views, grounds, related, unseen, sums = [], [], [], [], [], [], []
    for day in days:
        in_contacts = contact_views(world, day)
        every = Views.joined([in_contacts, lookalike_views(world, day)])
        every = every.at(every.actor < len(world.staff))
        contacts.append(world.service.on(day))
        handled.append(in_contacts)
        views.append(every)
        grounds.append(documented(world, day, every) > 0)
        related.append(relations(world, day, every))
        unseen.append(encounters.days_since(day, every.customer))
        reviews = len(records_of(world, "review", day))
        agents = len(world.staff.at_work("agent", day))
        sums.append((agents, len(desk_acts(world, day)), reviews, shuffled_share(world, day, every)))
    columns = [np.array(column) for column in zip(*sums, strict=True)]
    return Worked(
        world, tuple(days),
        Contacts(*(np.concatenate([getattr(part, one.name) for part in contacts]) for one in fields(Contacts))),
        Views.joined(handled), Views(*(np.concatenate([getattr(part, one.name) for part in views]) for one in fields(Views))),
        np.concatenate(grounds), {name: np.concatenate([part[name] for part in related]) for name in related[0]},
        np.concatenate(unseen), *columns,
    )  # fmt: skip


def measures_of_service(worked: Worked) -> list[Measure]:
    """What `BANDS` has of contacts, views and look-alikes; best of ordinary days with 90 more before them."""
    return [*_contacts(worked), *_handling(worked), *_workload(worked), *_views(worked), *_looks(worked)]


def _contacts(worked: Worked) -> list[Measure]:
    world, contacts, n = worked.world, worked.contacts, len(worked.contacts)
    # A day's contacts are about the orders of about a week before it.
    week = [[world.calendar.orders_on(day - i) for i in range(_WEEK)] for day in worked.days]
    orders: Floats = np.mean(week, axis=1, dtype=np.float64)
    per_order = _by_days(_on_days(worked), orders)
    lag, called = lag_days(world, contacts)
    # A day's contacts have the busy days before it in common.
    of_day = np.array([np.median(lag[called == day]) for day in worked.days])
    middle = float(np.median(lag))
    lag_error = float(np.std(of_day)) * math.sqrt(_WEEK / len(of_day))
    weights = np.array(CONTACT_REASONS) / sum(CONTACT_REASONS)
    share = np.bincount(contacts.reason, minlength=len(REASONS)) / max(1, n)
    return [
        Measure("contacts per 100 orders", 100 * per_order.value, 100 * per_order.error),
        Measure("lag after the order: median days", middle, lag_error),
        Measure(
            "contact mix: largest deviation of a share",
            float(np.max(np.abs(share - weights))),
            math.sqrt(float(np.max(weights * (1 - weights))) / max(1, n)),
        ),
    ]


def _on_days(worked: Worked) -> Ints:
    """Contacts of each day."""
    return np.array([np.sum(worked.contacts.opened // DAY_US == day) for day in worked.days], dtype=np.int64)


def lag_days(world: World, contacts: Contacts) -> tuple[Floats, Ints]:
    """Days between the order that a contact is about and the contact; and the date of the contact."""
    about = contacts.at(contacts.order_id >= 0)
    before = world.calendar.orders_before
    number = about.order_id - FIRST_ORDER_ID
    at = np.searchsorted(before, number, side="right") - 1
    ordered = world.orders.time(at + world.calendar.first_day, number - before[at])
    return (about.opened - ordered) / DAY_US, about.opened // DAY_US


def handling_minutes(contacts: Contacts) -> Floats:
    """How long each took, without the writing down afterwards."""
    minutes: Floats = (contacts.closed - contacts.opened - WRAP_UP_US) / MINUTE_US
    return minutes


def _handling(worked: Worked) -> list[Measure]:
    contacts, found = worked.contacts, []
    whole = (contacts.closed - contacts.opened) / MINUTE_US
    apart = np.empty(len(contacts))
    for number, reason in enumerate(REASONS):
        mine = contacts.reason == number
        if reason != "other":
            found.append(ratio(whole[mine], np.ones(int(mine.sum()))).measure(f"minutes of a contact: {reason}"))
        logs = np.log(handling_minutes(contacts)[mine])
        apart[mine] = logs - np.median(logs)
    # Above the median only: below it some contacts have the shortest time there is.
    sigma = float(np.quantile(apart, _ONE_SIGMA))
    error = _SIGMA_ERROR * sigma / math.sqrt(len(contacts))
    return [*found, Measure("handling time: sigma of its logarithm", sigma, error)]


def _by_days(over: Ints | Floats, under: Ints | Floats) -> Ratio:
    """A ratio of sums by day. Days near each other have much in common: about one in a week is a draw of its own."""
    found = ratio(over, under)
    return Ratio(found.value, found.error * math.sqrt(_WEEK))


def _workload(worked: Worked) -> list[Measure]:
    contacts, days = worked.contacts, np.array(worked.days)
    by_day = contacts.opened // DAY_US
    busy = (contacts.closed - contacts.opened) / HOUR_US
    count = _on_days(worked)
    shifts: Floats = np.array([float(np.sum(busy[by_day == day])) * HOUR_US / SHIFT_US for day in days])
    # Each contact's time is a draw; the number of an hour is its inverse.
    mean = ratio(busy, np.ones(len(busy)))
    employed = np.array([len(worked.world.staff.of_role("agent", day)) for day in worked.days])
    load = _by_days(count, worked.agents)
    # Reviews are drawn from contacts, and follow how many there are.
    reviews = float(worked.reviews.sum()) / float(employed.sum()) * _MONTH_DAYS
    review_error = math.hypot(1 / math.sqrt(max(1, int(worked.reviews.sum()))), load.error / load.value)
    return [
        Measure("contacts an hour on contacts", 1 / mean.value, mean.error / mean.value**2),
        _by_days(count, np.full(len(days), worked.world.parameters.scale)).measure("contacts a day, at scale 1"),
        load.measure("contacts an agent and working day"),
        _by_days(shifts, worked.agents).measure("occupancy of agents"),
        Measure("reviews of an agent a month", reviews, reviews * review_error),
    ]


def _views(worked: Worked) -> list[Measure]:
    world, contacts, handled, views = worked.world, worked.contacts, worked.handled, worked.views
    second = handled.at(handled.label == label("benign:second_customer"))
    touched = np.unique(np.stack([second.time // DAY_US, second.actor, second.customer]), axis=1)
    twice = _share(touched.shape[1], len(contacts))
    by_day = np.array([np.sum(views.time // DAY_US == day) for day in worked.days]) + worked.acts
    daily = _by_days(by_day / world.parameters.scale, np.ones(len(worked.days)))
    pair = views.actor * len(world.people) + views.customer
    contacts_a_day = len(contacts) / len(worked.days)
    shuffled = float(worked.shuffled.mean())
    # What is found by chance comes in a few hits.
    error = math.sqrt(max(shuffled, 1 / len(views)) * 4 / len(views))
    return [
        _views_a_contact(world, contacts, handled)[0].measure("views a contact"),
        twice.measure("contacts that touch a second customer"),
        daily.measure("record views a day, at scale 1"),
        ratio(worked.documented.astype(np.int64), np.ones(len(views)), pair).measure("views with a documented reason"),
        Measure("chance level: documented if customers are shuffled", shuffled, error),
        Measure("chance level, times contacts a day", shuffled * contacts_a_day, error * contacts_a_day),
    ]  # fmt: skip


def _views_a_contact(world: World, contacts: Contacts, handled: Views) -> tuple[Ratio, Ratio]:
    """Views of the caller's own records a contact, of agents beyond their first weeks and of those within them."""
    n, first = len(world.staff), int(contacts.opened[0] // DAY_US)
    hired = np.array([one.hired for one in world.staff.members])
    own = handled.at(handled.label != label("benign:second_customer"))
    # By agent and day: the views of one day of one agent are one draw.
    at = (contacts.opened // DAY_US - first) * n + contacts.agent
    of = (own.time // DAY_US - first) * n + own.actor
    size = int(max(at.max(), of.max())) + 1
    calls, views = np.bincount(at, minlength=size), np.bincount(of, minlength=size)
    new = first + np.arange(size) // n - hired[np.arange(size) % n] < world.parameters.ramp_days
    return ratio(views[~new], calls[~new]), ratio(views[new], calls[new])


def measure_of_new_agents(world: World, day: int) -> Measure:
    """How much more new agents open than others; a large company has enough of them on one day."""
    usual, eager = _views_a_contact(world, world.service.on(day), contact_views(world, day))
    times = eager.value / usual.value
    error = math.hypot(eager.error, usual.error * times) / usual.value
    return Measure("views of new agents, times the others'", times, error)


def _share(some: int, count: int) -> Ratio:
    share = some / max(1, count)
    return Ratio(share, math.sqrt(share * (1 - share) / max(1, count)))


def _looks(worked: Worked) -> list[Measure]:
    views = worked.views
    contact = (views.actor * len(worked.world.people) + views.customer) * len(worked.days) + views.time // DAY_US
    # What is one draw: a famous person's call; a colleague who is a customer; an agent with relatives near.
    draws = {"famous": contact, "co-worker": views.customer, "family": views.actor, "neighbour": views.actor}
    hits = [(name, worked.relation[name], draw) for name, draw in draws.items()]
    hits += [(f"no encounter for {days} days", worked.unseen_days >= days, contact) for days in RECENT_DAYS]
    found = []
    for name, which, draw in hits:
        rate = ratio(which.astype(np.int64), np.ones(len(views)), draw)
        # Where nothing was seen, one draw of a few views might have been.
        error = max(rate.error, (1 + worked.world.parameters.views_per_contact_extra) / len(views))
        found.append(Measure(f"{name}, per million views", 1e6 * rate.value, 1e6 * error))
    return found
