"""The wiki and the repositories: who opened which page or file, as JSON lines of their own form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa

from beholden.retailer.chance import DAY_US, HOUR_US, MINUTE_US, Floats, Ints, Rng, moments, stream, weighted
from beholden.retailer.events import Events
from beholden.retailer.life.buckets import make_accesses
from beholden.retailer.life.cloudtrail import COPY, GET, LIST, WHO_AM_I, Accesses
from beholden.retailer.life.places import Names, dotted_pieces, identity_names, places_on
from beholden.retailer.life.sso import Logins, make_logins
from beholden.retailer.log_files import LogKind
from beholden.retailer.needs import repositories_of, spaces_of
from beholden.retailer.parameters import Parameters
from beholden.retailer.render import Chosen, instants, lines, matrix
from beholden.retailer.resources import BUCKETS
from beholden.retailer.staff import ROLES
from beholden.retailer.words import words_of
from beholden.retailer.world import World
from beholden.retailer.writings import repository_files, wiki_pages

__all__ = ["ACTIONS", "PageViews", "SecretUse", "make_page_views", "make_secret_use", "views_of_day", "wiki_log"]

ACTIONS: Final = ("view", "edit", "search", "history", "download")
_ACTION_WEIGHTS: Final = (860, 50, 60, 20, 10)
_STATUSES: Final = (200, 403, 404)
_STATUS_WEIGHTS: Final = (985, 8, 7)


@dataclass(frozen=True, slots=True)
class PageViews(Events):
    """What was opened: ``page`` is ``wiki/space/page.md`` or ``repositories/name/file``."""

    page: Names
    action: Ints
    status: Ints
    address: Ints


@dataclass(frozen=True, slots=True)
class SecretUse:
    """A secret read on a page, then used by the same hands: elsewhere, on a device nobody knows, as somebody else."""

    views: PageViews
    logins: Logins
    accesses: Accesses


def make_page_views(
    rng: Rng, world: World, time: Ints, actor: Ints, page: Names, *, what: int | Ints = 0, incident: int = -1,
    action: Ints | None = None, status: Ints | None = None, address: Ints | None = None,
) -> PageViews:  # fmt: skip
    """Views of those pages at those times; what is not given is drawn as everyone's is."""
    n = len(time)
    where = np.empty(n, dtype=np.int64)
    for day in np.unique(time // DAY_US).tolist():
        there = time // DAY_US == day
        where[there] = places_on(world, day).address[actor[there]]
    actions, statuses = weighted(rng, _ACTION_WEIGHTS, n), weighted(rng, _STATUS_WEIGHTS, n)
    return PageViews(
        time=time,
        actor=actor,
        label=np.full(n, what, dtype=np.int64) if isinstance(what, int) else what,
        incident=np.full(n, incident, dtype=np.int64),
        page=page,
        action=actions if action is None else action,
        status=statuses if status is None else status,
        address=where if address is None else address,
    )


def views_of_day(world: World, day: int) -> PageViews:
    """What staff read on a day: pages of their own space mostly, and the files of their repositories."""
    p, staff = world.parameters, world.staff
    rng = stream(p.seed, "page views", day)
    working = np.concatenate([staff.at_work(role, day) for role in ROLES])
    pages, files = _shelves(p)
    spaces = _Choice([spaces_of(p, staff, one, day) for one in working.tolist()], pages)
    sources = _Choice([repositories_of(p, staff, one, day) for one in working.tolist()], files)
    opened = np.repeat(np.arange(len(working)), rng.poisson(p.wiki_views_a_day, len(working)))
    other = np.where(rng.random(len(opened)) < p.wiki_own_space, 0.0, rng.random(len(opened)))
    looked = np.repeat(
        np.arange(len(working)), rng.poisson(p.repository_views_a_day, len(working)) * (sources.count > 0)
    )
    read = np.concatenate([
        spaces.texts(opened, other, rng.random(len(opened)) ** p.wiki_views_exponent),
        sources.texts(looked, rng.random(len(looked)), rng.random(len(looked))),
    ])  # fmt: skip
    who = np.concatenate([opened, looked])
    start = staff.shift_starts(day)[working[who]]
    time = moments(rng, start, np.minimum(start + 8 * HOUR_US, (day + 1) * DAY_US - 1000))
    return PageViews.joined([make_page_views(rng, world, time, working[who], read)])


class _Choice:
    """What each of some people may open: a few shelves of a library, each with its texts."""

    def __init__(self, chosen: list[tuple[str, ...]], library: dict[str, list[str]]) -> None:
        number = {name: at for at, name in enumerate(library)}
        self._shelves = np.array([number[name] for names in chosen for name in names], dtype=np.int64)
        self.count = np.array([len(names) for names in chosen], dtype=np.int64)
        self._begins = np.cumsum(self.count) - self.count
        self._texts: Any = np.array([text for shelf in library.values() for text in shelf], dtype=object)
        self._sizes = np.array([len(shelf) for shelf in library.values()], dtype=np.int64)

    def texts(self, who: Ints, shelf: Floats, place: Floats) -> Names:
        """For each of these people (positions) a text: by shares, which of their shelves and which place on it."""
        found = self._shelves[self._begins[who] + (shelf * self.count[who]).astype(np.int64)]
        begins = np.cumsum(self._sizes) - self._sizes
        texts: Names = self._texts[begins[found] + (place * self._sizes[found]).astype(np.int64)]
        return texts


@lru_cache(maxsize=4)
def _shelves(parameters: Parameters) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Pages of each space and files of each repository, as the log writes them."""
    found: tuple[dict[str, list[str]], dict[str, list[str]]] = {}, {}
    for shelf, writings in zip(found, (wiki_pages(parameters), repository_files(parameters)), strict=True):
        for one in writings:
            shelf.setdefault(one.path.split("/")[1], []).append(one.path)
    return found


def make_secret_use(
    rng: Rng, world: World, reader: int, owner: int, page: str, time: int, *, device: str, address: int, agent: int,
    calls: int, spacing_minutes: float, what: int = 0, incident: int = -1,
) -> SecretUse:  # fmt: skip
    """``reader`` opens ``page``; then the program ``owner``'s key is used from ``device`` at ``address``.

    Args:
        rng: the incident's stream.
        world: the company.
        reader: who read the page (a position).
        owner: the program whose secret stands on it (a position).
        page: as `PageViews.page` has it; `writings.Writing.owner` says whose key a page holds.
        time: when it is read (microseconds).
        device: the hostname of what is used afterwards (`devices.stranger`).
        address: where that is (`places.address`).
        agent: what calls, of `cloudtrail.AGENTS`.
        calls: how many objects are opened.
        spacing_minutes: mean time between them; the first log-in follows within a few hours.
        what: a label.
        incident: its number, or -1.
    """
    views = make_page_views(
        rng, world, np.array([time, time + int(rng.integers(15_000, 240_000)) * 1000]), np.array([reader] * 2),
        np.array([page] * 2, dtype=object), what=what, incident=incident, action=np.zeros(2, dtype=np.int64),
        status=np.zeros(2, dtype=np.int64),
    )  # fmt: skip
    gaps = rng.exponential(spacing_minutes * MINUTE_US, calls).astype(np.int64) // 1000 * 1000
    first = time + int(rng.integers(20, 300)) * MINUTE_US + int(rng.integers(60_000)) * 1000
    begins = first + int(rng.integers(2_000, 90_000)) * 1000
    steps = np.cumsum(np.concatenate([[begins], rng.integers(3_000, 60_000, 1) * 1000, gaps]))
    signed, steps = (each[each < world.parameters.end] for each in (np.array([first]), steps))
    logins = make_logins(
        rng, world, signed, np.full(len(signed), owner), what=what, incident=incident, device=device, address=address,
        result=np.zeros(len(signed), dtype=np.int64),
    )  # fmt: skip
    places = rng.integers(0, len(BUCKETS), len(steps))
    operation = np.where(rng.random(len(steps)) < 0.15, LIST, np.where(rng.random(len(steps)) < 0.1, COPY, GET))
    operation[:1] = WHO_AM_I
    keys = [f"daily/customers-{stamp}.csv.gz" for stamp in _stamps(steps)]
    called: Any = np.where(operation == LIST, "", np.where(operation == WHO_AM_I, "", np.array(keys, dtype=object)))
    source: Any = np.where(operation == COPY, np.array([f"{BUCKETS[0]}/{key}" for key in keys], dtype=object), "")
    accesses = make_accesses(
        rng, world, steps, np.full(len(steps), owner), operation, np.where(operation == WHO_AM_I, -1, places),
        called.astype(object), source=source.astype(object), what=what, incident=incident, address=address, agent=agent,
    )  # fmt: skip
    return SecretUse(views, logins, accesses)


def _stamps(time: Ints) -> list[str]:
    days: list[str] = np.datetime_as_string((time // DAY_US - 1).astype("datetime64[D]")).tolist()
    return days


def wiki_log(world: World, day: int) -> LogKind[PageViews]:
    """The log of a day of the wiki and the repositories."""
    names = identity_names(world, day)
    told = words_of(world.parameters.preset).told
    ends = [f'","status":{status}}}\n' for status in _STATUSES]

    def rendered(views: PageViews, uids: pa.Array) -> pa.Array:
        return lines(
            '{"at":"', instants(views.time), 'Z","request":"', matrix(uids), '","who":"', Chosen(names, views.actor),
            '","ip":"', *dotted_pieces(views.address), '","action":"', Chosen(ACTIONS, views.action), '","page":"',
            pa.array([told(page) for page in views.page.tolist()], pa.string()), Chosen(ends, views.status),
        )  # fmt: skip

    return LogKind("wiki", "wiki-{day}.jsonl", rendered)
