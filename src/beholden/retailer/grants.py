"""Who may do what: rights given through nested groups and roles, far more of them than anybody uses.

A member of staff belongs to a team's group, that to a department's, that to a division's, that to everybody's; groups
hold roles, and roles include other roles. Rights are given to roles, to groups and, now and then, to one identity, with
or without an end. Who moves often keeps what they could do; who leaves sometimes does. Among the identities are also
accounts that nobody uses: contractors', tests', programs long replaced.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from beholden.retailer.chance import DAY_US, Bools, Chance, below, iso, stream, uniform
from beholden.retailer.name_lists import GIVEN, SURNAMES
from beholden.retailer.needs import needs_of
from beholden.retailer.parameters import Parameters
from beholden.retailer.people import draw_name, plain_ascii
from beholden.retailer.resources import matches, permissions
from beholden.retailer.role_rights import (
    ALLOWED,
    DEPARTMENTS,
    DIVISIONS,
    EVERYBODY,
    FAVOURS,
    HELD,
    INCLUDED,
    SERVICE_RIGHTS,
)
from beholden.retailer.staff import SERVICES, Member, Staff
from beholden.retailer.tables import write_csv, write_parquet
from beholden.retailer.words import words_of

__all__ = ["Grant", "Grants", "Membership", "write_grants"]

_IDLE_KINDS: Final = (
    "ext.{first}.{last}",
    "test.{word}{n:02d}",
    "job_{word}_{n:02d}",
    "app-{word}-{n}",
    "old_{word}_sync{n}",
)
_IDLE_WORDS: Final = ("catalogue", "invoice", "mailing", "parcel", "rating", "stock", "survey", "tariff", "voucher")
_ACTIVE_SERVICES: Final = 0.4  # share of the unnamed ones that still run; assumed
_LEAD_SHARE: Final = 0.2  # share of agents who were made leads for a season; assumed
_NEVER: Final = 1 << 40
#: From when a right or a membership holds that has no better date.
_FOUNDED_DAYS: Final = 3000


@dataclass(frozen=True, slots=True)
class Membership:
    """``member`` belongs to ``container``: an identity or group to a group or role, or a role includes another."""

    member: str
    container: str
    since: int  # day
    until: int | None  # day from which it does not hold


@dataclass(frozen=True, slots=True)
class Grant:
    """A right on an object, given to an identity, a group or a role."""

    grantee: str
    right: str
    object: str
    granted: int  # microseconds
    expires: int | None
    granted_by: str


@dataclass
class Grants:
    """Identities by position (members, service accounts, then idle accounts), what they belong to, what they may do."""

    parameters: Parameters
    staff: Staff
    _containers: dict[tuple[str, int], frozenset[str]] = field(default_factory=dict, init=False, repr=False)
    _masks: dict[tuple[str, int], Bools] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def permissions(self) -> tuple[tuple[str, str], ...]:
        """Every permission there is: (right, object)."""
        return permissions(self.parameters)

    @cached_property
    def identities(self) -> tuple[str, ...]:
        """What the directory calls every identity at the end of the window, by position."""
        told = words_of(self.parameters.preset).told
        return (*self.staff.logins(self._last_day), *map(told, self._idle))

    @property
    def _last_day(self) -> int:
        return self.parameters.end // DAY_US - 1

    @property
    def _first_day(self) -> int:
        return self.parameters.start // DAY_US

    @cached_property
    def active_services(self) -> Bools:
        """Which service accounts still do anything; the others' rights lie idle."""
        named = np.arange(len(self.staff.services)) < len(SERVICES)
        draw = uniform(Chance(self.parameters.seed, "active services")(np.arange(len(self.staff.services))))
        return named | (draw < _ACTIVE_SERVICES)

    @cached_property
    def left_open(self) -> Bools:
        """Which members' rights outlive their time at the company."""
        draw = uniform(Chance(self.parameters.seed, "accounts left open")(np.arange(len(self.staff))))
        return draw < self.parameters.accounts_left_open

    @cached_property
    def active(self) -> Bools:
        """Which identities use their rights in the window."""
        return np.concatenate([self._came, self.active_services, np.zeros(len(self._idle), dtype=np.bool_)])

    @cached_property
    def holding(self) -> Bools:
        """Which identities have rights at the end of the window."""
        return np.concatenate([self._kept, np.ones(len(self.identities) - len(self.staff), dtype=np.bool_)])

    @cached_property
    def _came(self) -> Bools:
        """Members who worked in the window."""
        first, last = self._first_day, self._last_day
        return np.array([m.hired <= last and (m.left is None or m.left > first) for m in self.staff.members])

    @cached_property
    def _kept(self) -> Bools:
        """Members with rights at the end of the window."""
        members = enumerate(self.staff.members)
        return np.array([m.hired <= self._last_day and (m.left is None or bool(self.left_open[i])) for i, m in members])

    def dormant(self) -> list[int]:
        """Positions of principals with rights that nobody uses: leavers' accounts and idle programs."""
        count = len(self.staff) + len(self.staff.services)
        return np.flatnonzero(self.holding[:count] & ~self.active[:count]).tolist()

    @cached_property
    def _idle(self) -> tuple[str, ...]:
        """So many idle accounts that the stated share of all identities with rights is inactive."""
        p = self.parameters
        active = int((self._kept & self._came).sum() + self.active_services.sum())
        count = round(active / (1 - p.identities_inactive)) - int(self._kept.sum()) - len(self.staff.services)
        rng = stream(p.seed, "idle accounts")
        given, surname = draw_name(rng, max(0, count))
        names = [
            _IDLE_KINDS[int(kind)].format(
                first=plain_ascii(GIVEN[given[i]])[0],
                last=plain_ascii(SURNAMES[surname[i]]) + str(i + 1),
                word=_IDLE_WORDS[i % len(_IDLE_WORDS)],
                n=1 + i // len(_IDLE_WORDS),
            )
            for i, kind in enumerate(rng.integers(0, len(_IDLE_KINDS), max(0, count)))
        ]
        return tuple(names)

    # What belongs to what

    @cached_property
    def memberships(self) -> tuple[Membership, ...]:
        """Every membership there ever was, those that ended included."""
        return tuple(self._memberships())

    def _memberships(self) -> Iterator[Membership]:
        founded = self._first_day - _FOUNDED_DAYS
        teams = {(m.team, m.role) for m in self.staff.members}
        teams |= {(m.new_team, m.new_role) for m in self.staff.members if m.moved is not None}
        for team, role in sorted(teams):
            if f"grp-{team}" != f"grp-{DEPARTMENTS[role]}":
                yield Membership(f"grp-{team}", f"grp-{DEPARTMENTS[role]}", founded, None)
        for department, division in DIVISIONS.items():
            yield Membership(f"grp-{department}", f"grp-div-{division}", founded, None)
        for division in sorted(set(DIVISIONS.values())):
            yield Membership(f"grp-div-{division}", EVERYBODY, founded, None)
        for container in (HELD, INCLUDED):
            for holder, roles in container.items():
                yield from (Membership(holder, role, founded, None) for role in roles)
        for position, member in enumerate(self.staff.members):
            yield from self._of_member(position, member)
        yield from self._of_programs(founded)

    def _of_member(self, position: int, member: Member) -> Iterator[Membership]:
        name = self.identities[position]
        draw = uniform(Chance(self.parameters.seed, "memberships")(position, np.arange(3)))
        left = None if member.left is None or self.left_open[position] else member.left + 1
        kept = member.moved is None or draw[0] < self.parameters.rights_left_behind
        yield Membership(name, f"grp-{member.team}", member.hired, left if kept else member.moved)
        if member.moved is not None:
            yield Membership(name, f"grp-{member.new_team}", member.moved, left)
        if member.role == "supervisor":
            yield Membership(name, "grp-service-leads", member.hired, left)
        elif member.role == "agent" and draw[1] < _LEAD_SHARE:
            # For a season, which half of them outstayed.
            until = None if draw[2] < 0.5 else member.hired + 90
            ends = [day for day in (until, left) if day is not None]
            yield Membership(name, "grp-service-leads", member.hired, min(ends) if ends else None)

    def _of_programs(self, founded: int) -> Iterator[Membership]:
        services = len(self.staff.services)
        names = (*self.staff.services, *self._idle)
        draw = below(Chance(self.parameters.seed, "programs")(np.arange(len(names))), 10)
        for at, name in enumerate(names):
            since = founded + 90 * int(draw[at])
            if at < services:
                if name not in {"console_app", "seller_app", "payments_api", "orders_app"}:
                    yield Membership(name, "role-job", since, None)
            elif name.startswith("ext."):
                # Contractors came for a project; some of their memberships have ended, their accounts have not.
                yield Membership(name, "grp-contractors", since, None)
                yield Membership(name, "role-warehouse-read", since, None if draw[at] < 7 else since + 365)
            elif name.startswith("test."):
                yield Membership(name, "grp-customer-service", since, None)
            else:
                yield Membership(
                    name, ("role-job", "role-data-engineer", "role-warehouse-read")[int(draw[at]) % 3], since, None
                )
        yield Membership("grp-contractors", EVERYBODY, founded, None)

    @cached_property
    def _belongs(self) -> dict[str, list[Membership]]:
        found: dict[str, list[Membership]] = defaultdict(list)
        for one in self.memberships:
            found[one.member].append(one)
        return found

    def containers(self, name: str, day: int) -> frozenset[str]:
        """Every group and role that a name belongs to on a day, directly or through others, and itself."""
        key = name, day
        if key not in self._containers:
            found, open_ = {name}, [name]
            while open_:
                for one in self._belongs.get(open_.pop(), ()):
                    if one.since <= day < (one.until or _NEVER) and one.container not in found:
                        found.add(one.container)
                        open_.append(one.container)
            self._containers[key] = frozenset(found)
        return self._containers[key]

    # What may be done

    @cached_property
    def grants(self) -> tuple[Grant, ...]:
        """Every grant, those that have expired included."""
        return tuple(self._grants())

    def _grants(self) -> Iterator[Grant]:
        administrators = [m.login for m in self.staff.members if m.role == "it"]
        chance = Chance(self.parameters.seed, "grants")
        founded = (self._first_day - _FOUNDED_DAYS) * DAY_US
        rules = [(role, rule) for role, allowed in ALLOWED.items() for rule in allowed]
        rules += [(service, rule) for service, allowed in SERVICE_RIGHTS.items() for rule in allowed]
        for at, (grantee, (right, name)) in enumerate(rules):
            hashes = chance(0, at, np.arange(2))
            when = founded + int(below(hashes[:1], 86_400_000)[0]) * 1000
            yield Grant(
                grantee, right, name, when, None, administrators[int(below(hashes[1:], len(administrators))[0])]
            )
        for position, name in enumerate(self.identities):
            yield from self._favours(chance, position, name, administrators)

    def _favours(self, chance: Chance, position: int, name: str, administrators: list[str]) -> Iterator[Grant]:
        """Rights given to one identity, for a project or a night."""
        p = self.parameters
        draw = uniform(chance(1, position, np.arange(6)))
        if draw[0] >= p.grants_direct:
            return
        member = self.staff.members[position] if position < len(self.staff) else None
        first = member.hired if member else self._first_day - _FOUNDED_DAYS // 2
        end = self._last_day if member is None or member.left is None else member.left
        granted = (first + int(draw[1] * max(1, end - first))) * DAY_US + int(draw[2] * 36_000_000) * 1000
        expires = granted + int(1 + draw[3] * 180) * DAY_US if draw[4] < p.grants_bounded else None
        if member is not None and member.left is not None and not self.left_open[position]:
            expires = min(expires or 1 << 62, (member.left + 1) * DAY_US)
        right, what = FAVOURS[int(draw[5] * len(FAVOURS))]
        yield Grant(name, right, what, granted, expires, administrators[position % len(administrators)])

    @cached_property
    def _given(self) -> dict[str, list[Grant]]:
        found: dict[str, list[Grant]] = defaultdict(list)
        for one in self.grants:
            found[one.grantee].append(one)
        return found

    def can(self, principal: int, right: str, name: str, day: int) -> bool:
        """Whether an identity (by position) may do that to the object at noon of a day."""
        noon = day * DAY_US + DAY_US // 2
        return any(
            one.granted <= noon and (one.expires is None or noon < one.expires)
            and matches(one.right, right) and matches(one.object, name)
            for grantee in self.containers(self.identities[principal], day)
            for one in self._given.get(grantee, ())
        )  # fmt: skip

    def effective(self, principal: int, day: int) -> Bools:
        """Which of `permissions` an identity has at noon of a day."""
        mask: Bools = np.zeros(len(self.permissions), dtype=np.bool_)
        for name in self.containers(self.identities[principal], day):
            mask |= self._mask_of(name, day)
        return mask

    def _mask_of(self, grantee: str, day: int) -> Bools:
        key = grantee, day
        if key not in self._masks:
            noon = day * DAY_US + DAY_US // 2
            held = [
                one for one in self._given.get(grantee, ())
                if one.granted <= noon and (one.expires is None or noon < one.expires)
            ]  # fmt: skip
            self._masks[key] = np.array(
                [
                    any(matches(one.right, right) and matches(one.object, name) for one in held)
                    for right, name in self.permissions
                ],
                dtype=np.bool_,
            )
        return self._masks[key]

    def used(self, principal: int, day: int) -> set[tuple[str, str]]:
        """The permissions that an identity's work takes; none for inactive ones."""
        if not self.active[principal]:
            return set()
        return needs_of(self.parameters, self.staff, principal, day)


def write_grants(grants: Grants, directory: Path) -> None:
    """Write ``groups.csv``, ``roles.csv`` and ``grants.parquet``: what the directory holds at the end of the window."""
    last = grants.parameters.end // DAY_US
    words = words_of(grants.parameters.preset)
    known = [one for one in grants.memberships if one.since < last]
    for name, header in (("groups", ("member", "group")), ("roles", ("member", "role"))):
        mine = [one for one in known if one.container.startswith("role-") is (name == "roles")]
        rows = [
            (words.told(one.member), words.told(one.container), _date(one.since), _date(one.until, last))
            for one in mine
        ]
        write_csv(directory / f"{name}.csv", (*header, "since", "until"), sorted(rows))
    given = sorted(
        (one for one in grants.grants if one.granted < grants.parameters.end),
        key=lambda one: (one.granted, one.grantee),
    )
    stamp = pa.timestamp("us", tz="UTC")
    columns: dict[str, Any] = {
        "principal": pa.array([words.told(one.grantee) for one in given], pa.string()),
        "right": pa.array([one.right for one in given], pa.string()),
        "object": pa.array([words.placed(one.object) for one in given], pa.string()),
        "granted": pa.array([one.granted for one in given], stamp),
        "expires": pa.array([one.expires for one in given], stamp),
        "granted_by": pa.array([one.granted_by for one in given], pa.string()),
    }
    write_parquet(directory / "grants.parquet", pa.table(columns))


def _date(day: int | None, last: int = _NEVER) -> str:
    """A day as text; nothing for what has not ended (yet)."""
    return "" if day is None or day > last else iso(np.array([day * DAY_US]), "D")[0]
