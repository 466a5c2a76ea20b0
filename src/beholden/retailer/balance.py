"""Flows that must balance: if they did not, explanations would hold, or fail, by chance.

Sums are collected day by day and added up in any order, so that days can be made on many machines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from beholden.core.errors import BeholdenError
from beholden.retailer.chance import DAY_US, HOUR_US, SECOND_US, Bools, Chance, Ints, in_order, stream, uniform
from beholden.retailer.contacts import Contacts
from beholden.retailer.events import label
from beholden.retailer.life.assignments import assignments
from beholden.retailer.life.console import Views
from beholden.retailer.life.investigations import fraud_work, privacy_requests
from beholden.retailer.life.records import SHIFT_US, Records
from beholden.retailer.life.support_lookalikes import quality_reviews
from beholden.retailer.world import World

__all__ = [
    "GROUNDS", "Tally", "check", "documented", "records_of", "shuffled_share", "tally_of", "tickets_without_time",
]  # fmt: skip

#: What can stand behind a view. A view covered by several counts under the first of them.
GROUNDS: Final = ("none", "contact", "case", "review", "request", "assignment")
#: Records opened so many days before may still be open: cases three days, requests up to ten; others end on their day,
#: or their work is about no customer. Late tickets and reviews may open after midnight.
_LOOK_BACK_DAYS: Final = {"contact": 1, "case": 4, "review": 1, "request": 11, "assignment": 0}
#: From so many views on shares spread as those of single views would, twice as far; fewer are a few contacts.
_VIEWS_MANY: Final = 2000
#: Nobody reads a screen in less.
_VIEW_US: Final = 10 * SECOND_US
#: Look-alikes, second customers and new agents add so much to what contacts make; in a small team with many new agents
#: it may be twice that.
_VIEWS_BESIDE: Final = 1.11
#: A view whose customer is drawn from the day's has a reason in so many cases of as many as there are contacts a day.
_BY_CHANCE: Final = 3.0
_WEEK: Final = 7
#: No agent works as long as this: shifts last eight hours, queues a little longer.
_WORKED_MAX_US: Final = 11 * HOUR_US


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over some days. ``by_ground`` counts views by `GROUNDS`."""

    days: int = 0
    orders: int = 0
    contacts: int = 0
    contacts_expected: float = 0.0
    agent_days: int = 0  # worked
    busy_us: int = 0  # of agents, with customers
    views: int = 0
    corrections: int = 0  # those of the views that were one batch
    by_ground: tuple[int, ...] = (0,) * len(GROUNDS)
    shuffled: int = 0  # views that would be documented if subjects were shuffled
    longest_us: int = 0  # of the working days of agents

    def __add__(self, other: Tally) -> Tally:
        """The sums over both."""
        return Tally(
            self.days + other.days,
            self.orders + other.orders,
            self.contacts + other.contacts,
            self.contacts_expected + other.contacts_expected,
            self.agent_days + other.agent_days,
            self.busy_us + other.busy_us,
            self.views + other.views,
            self.corrections + other.corrections,
            tuple(one + more for one, more in zip(self.by_ground, other.by_ground, strict=True)),
            self.shuffled + other.shuffled,
            max(self.longest_us, other.longest_us),
        )

    @property
    def documented_share(self) -> float:
        """The share of views with a reason on record."""
        return 1 - self.by_ground[0] / self.views if self.views else 1.0

    @property
    def chance_share(self) -> float:
        """The share that would have one by chance."""
        return self.shuffled / self.views if self.views else 0.0


def tally_of(world: World, day: int, views: Views) -> Tally:
    """The sums of one day, whose views are given."""
    contacts = world.service.on(day)
    on_record = _on_record(world, day)
    by_ground = np.bincount(_grounds(views, on_record, len(world.people)), minlength=len(GROUNDS))
    return Tally(
        days=1,
        orders=world.calendar.orders_on(day),
        contacts=len(contacts),
        contacts_expected=world.service.expected(day),
        agent_days=len(world.staff.at_work("agent", day)),
        busy_us=int(np.sum(contacts.closed - contacts.opened)),
        views=len(views),
        corrections=int(np.sum(views.label == label("benign:mass_correction"))),
        by_ground=tuple(by_ground.tolist()),
        shuffled=round(_shuffled(world, day, views, on_record) * len(views)),
        longest_us=_longest(world, day, contacts, views),
    )


def check(tally: Tally, world: World) -> None:
    """Raise `BeholdenError` if orders, contacts, working days and views do not fit together."""
    p = world.parameters
    _near("contacts", tally.contacts, tally.contacts_expected, 0.08)
    if tally.days >= _WEEK and not world.calendar.promotions:
        # Lags carry contacts over days of other levels: those of a single one say nothing of its orders.
        _near("contacts", tally.contacts, tally.orders * p.contacts_per_order, 0.4)
    expected = tally.contacts * (1 + p.views_per_contact_extra) * _VIEWS_BESIDE
    _near("views", tally.views - tally.corrections, expected, 0.2)
    a_day = tally.contacts / max(1, tally.agent_days)
    if a_day > p.contacts_an_agent_day * 1.4:
        _fail("contacts an agent and working day", f"{a_day:.1f}", f"about {p.contacts_an_agent_day} at most")
    if p.agents > p.agents_min and a_day < p.contacts_an_agent_day * 0.5:
        _fail("contacts an agent and working day", f"{a_day:.1f}", f"about {p.contacts_an_agent_day}")
    busy = tally.busy_us / max(1, tally.agent_days * SHIFT_US)
    if busy > 0.85:
        _fail("share of agents' time on contacts", f"{busy:.2f}", "0.85 at most")
    if tally.longest_us >= _WORKED_MAX_US:
        _fail(
            "an agent's working day",
            f"{tally.longest_us / HOUR_US:.1f} hours",
            f"less than {_WORKED_MAX_US // HOUR_US}",
        )
    each = tally.busy_us / max(1, tally.views - tally.corrections)
    if tally.contacts and each < _VIEW_US:
        _fail("an agent's time for a view", f"{each / SECOND_US:.1f} s", f"{_VIEW_US // SECOND_US} s or more")
    # Views come in contacts, so that shares of few of them spread as far as those of so many contacts would.
    drawn = tally.views if tally.views >= _VIEWS_MANY else tally.contacts
    spread = 6 * math.sqrt(0.07 * 0.93 / max(1, drawn))
    if not 0.90 - spread <= tally.documented_share <= 0.94 + spread:
        _fail("share of views with a documented reason", f"{tally.documented_share:.3f}", "0.90 to 0.94")
    # By chance a view falls to the one who is being served, or to a case under way; a batch explains itself.
    most = tally.views * _BY_CHANCE * tally.days / max(1, tally.contacts) + tally.corrections
    if tally.shuffled > most + 5 * math.sqrt(most) + 5:
        _fail("share of views with a reason if customers are shuffled", f"{tally.chance_share:.3f}",
              f"{most / tally.views:.3f} at most")  # fmt: skip


def _longest(world: World, day: int, contacts: Contacts, views: Views) -> int:
    """The longest time from the first that an agent did to the last, contacts and looks in the console (microseconds)."""
    agents = world.staff.of_role("agent", day)
    seen = views.at(np.isin(views.actor, agents))
    first, last = np.full(len(world.staff), (day + 1) * DAY_US), np.full(len(world.staff), day * DAY_US)
    for who, begins, ends in ((contacts.agent, contacts.opened, contacts.closed), (seen.actor, seen.time, seen.time)):
        np.minimum.at(first, who, begins)
        np.maximum.at(last, who, ends)
    return max(0, int(np.max(last - first, initial=0)))


def records_of(world: World, ground: str, day: int) -> Records:
    """The records of a ground (one of `GROUNDS` other than contacts) that belong to a day."""
    if ground == "case":
        return fraud_work(world, day)[1]
    if ground == "review":
        return quality_reviews(world, day)[1]
    return privacy_requests(world, day) if ground == "request" else assignments(world, day)


def tickets_without_time(world: World, contacts: Contacts) -> Bools:
    """Which tickets' opening time was lost on the way out of the ticket system."""
    draw = uniform(Chance(world.parameters.seed, "ticket time lost")(contacts.ticket))
    return draw < world.parameters.ticket_time_lost


def documented(world: World, day: int, views: Views) -> Ints:
    """For each view of a day what is on record for that actor and that customer at that very moment: of `GROUNDS`."""
    return _grounds(views, _on_record(world, day), len(world.people))


def shuffled_share(world: World, day: int, views: Views) -> float:
    """The chance level: the share of a day's views that would be documented if their customers were shuffled."""
    return _shuffled(world, day, views, _on_record(world, day))


def _on_record(world: World, day: int) -> list[Records]:
    """For each of `GROUNDS` but the first what may be open on a day."""
    found = []
    for ground in GROUNDS[1:]:
        dates = range(day - _LOOK_BACK_DAYS[ground], day + 1)
        made = [_tickets(world, date) if ground == "contact" else records_of(world, ground, date) for date in dates]
        open_ = [one.at((one.customer >= 0) & (one.closed > day * DAY_US)) for one in made]
        found.append(Records(*(np.concatenate([getattr(one, name) for one in open_]) for name in Records.__slots__)))
    return found


def _grounds(views: Views, on_record: list[Records], size: int) -> Ints:
    found = np.zeros(len(views), dtype=np.int64)
    for number, records in enumerate(on_record, 1):
        found[(found == 0) & _covered(views, records, size)] = number
    return found


def _shuffled(world: World, day: int, views: Views, on_record: list[Records]) -> float:
    order = stream(world.parameters.seed, "shuffled subjects", day).permutation(len(views))
    shuffled = replace(views, customer=views.customer[order])
    return float(np.count_nonzero(_grounds(shuffled, on_record, len(world.people)))) / max(1, len(views))


def _tickets(world: World, day: int) -> Records:
    """A day's tickets as the feed has them."""
    contacts = world.service.on(day)
    kept = contacts.at((contacts.ticket >= 0) & ~tickets_without_time(world, contacts))
    nothing = np.zeros(len(kept), dtype=np.int64)
    return Records(kept.logged_agent, kept.customer, nothing, kept.logged_opened, kept.logged_closed)


def _covered(views: Views, records: Records, size: int) -> Bools:
    """Whether a record of that actor and customer is open at that moment."""
    found = np.zeros(len(views), dtype=np.bool_)
    pair = records.actor * size + records.customer
    order = in_order(pair)
    pair, wanted = np.append(pair[order], -1), views.actor * size + views.customer
    place = np.searchsorted(pair[:-1], wanted)
    left = np.flatnonzero(pair[place] == wanted)
    # Few pairs have several records: look at the first of each pair, then the second, and so on.
    while len(left):
        at, time = order[place[left]], views.time[left]
        found[left] |= (records.opened[at] <= time) & (time < records.closed[at])
        place[left] += 1
        left = left[pair[place[left]] == wanted[left]]
    return found


def _near(what: str, found: float, mean: float, share: float) -> None:
    if abs(found - mean) > share * mean + 5 * math.sqrt(mean) + 5:
        _fail(what, f"{found:.0f}", f"about {mean:.0f}")


def _fail(what: str, found: str, expected: str) -> None:
    raise BeholdenError(f"simulated company: {what}", f"{found}: the flows do not balance", expected=expected)
