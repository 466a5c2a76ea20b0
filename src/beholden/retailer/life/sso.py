"""Log-ins of staff and programs at the single sign-on, and the OCSF Authentication record of each (class 3002).

Form: https://schema.ocsf.io/1.3.0/classes/authentication. Devices go by their hostname.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from beholden.retailer.chance import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    SECOND_US,
    Chance,
    Ints,
    Rng,
    below,
    stream,
    uniform,
    weighted,
)
from beholden.retailer.devices import personal_name
from beholden.retailer.events import Events, label
from beholden.retailer.life.places import (
    COUNTRIES,
    PHONES,
    PHONES_SHARED,
    Names,
    dotted,
    identity_names,
    places_on,
)
from beholden.retailer.life.sql_lookalikes import on_call
from beholden.retailer.log_files import LogKind
from beholden.retailer.parameters import Parameters
from beholden.retailer.render import Chosen, Decimal, lines, matrix
from beholden.retailer.staff import ROLES
from beholden.retailer.words import words_of
from beholden.retailer.world import World

__all__ = ["APPS", "FACTORS", "RESULTS", "Logins", "logins_of_day", "make_logins", "sso_log"]

APPS: Final = ("console", "seller-desk", "warehouse", "wiki", "repositories", "buckets", "mail")
#: The second factor: none, or OCSF's number and name.
FACTORS: Final = ((11, "Password"), (5, "Push Notification"), (7, "OTP"), (10, "WebAuthn"))
_FACTOR_WEIGHTS: Final = (0, 60, 25, 15)
RESULTS: Final = ("success", "wrong password", "second factor denied", "account locked")
_DETAILS: Final = ("", "Invalid credentials", "Second factor denied", "Account locked")
_RESULT_WEIGHTS: Final = (9955, 20, 20, 5)
#: Which applications a role signs in to first.
_FIRST_APP: Final = {"agent": 0, "supervisor": 0, "fraud": 0, "privacy": 0, "seller_support": 1, "engineer": 4}
_ANALYST_APP: Final = 2
_OFFICE: Final = 10  # the company's own addresses begin so
_SERVICE_HOURS: Final = 24  # a program renews its ticket every hour
#: OCSF's types of device, by how hostnames begin.
_DEVICE_TYPES: Final = (("SRV", 1), ("CC", 2), ("DESKTOP", 2), ("WS", 3), ("iPhone", 5), ("android", 5), ("PH", 5))


@dataclass(frozen=True, slots=True)
class Logins(Events):
    """Log-ins, those that failed included."""

    device: Names  # hostnames
    address: Ints
    country: Ints
    factor: Ints  # of `FACTORS`
    result: Ints  # of `RESULTS`
    app: Ints  # of `APPS`


def make_logins(
    rng: Rng, world: World, time: Ints, actor: Ints, *, what: int | Ints = 0, incident: int = -1,
    device: Names | str | None = None, address: Ints | int | None = None, country: Ints | int | None = None,
    factor: Ints | None = None, result: Ints | None = None, app: Ints | int | None = None,
) -> Logins:  # fmt: skip
    """Log-ins of those identities at those times; what is not given is drawn as everyone's is.

    ``actor`` may also be an idle account's position (`Grants.identities`). Wherever they are that day, they use their
    own device, unless ``device`` (hostnames), ``address`` (`places.address`) or ``country`` say otherwise.
    """
    n = len(time)
    day = time // DAY_US
    own = np.empty(n, dtype=object), np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    for one in np.unique(day).tolist():
        there, places = day == one, places_on(world, one)
        for column, values in zip(own, (places.device, places.address, places.country), strict=True):
            column[there] = values[actor[there]]
    person = actor < len(world.staff)
    results = weighted(rng, _RESULT_WEIGHTS, n)
    # No second factor is asked for before the password is right.
    factors = np.where(person & (results != 1), weighted(rng, _FACTOR_WEIGHTS, n), 0)
    apps = rng.integers(0, len(APPS), n)
    return Logins(
        time=time,
        actor=actor,
        label=_filled(what, n),
        incident=np.full(n, incident, dtype=np.int64),
        device=own[0] if device is None else np.full(n, device, dtype=object) if isinstance(device, str) else device,
        address=own[1] if address is None else _filled(address, n),
        country=own[2] if country is None else _filled(country, n),
        factor=factors if factor is None else factor,
        result=results if result is None else result,
        app=apps if app is None else _filled(app, n),
    )


def _filled(value: Ints | int, n: int) -> Ints:
    return np.full(n, value, dtype=np.int64) if isinstance(value, int) else value


def logins_of_day(world: World, day: int) -> Logins:
    """The ordinary log-ins: at the beginning of a shift, after breaks, in the evening, at night when called; programs'."""
    rng = stream(world.parameters.seed, "logins", day)
    who = np.sort(np.concatenate([world.staff.at_work(role, day) for role in ROLES]))
    start = world.staff.shift_starts(day)[who]
    first = _within(day, start + (rng.normal(-3.0, 5.0, len(who)) * MINUTE_US).astype(np.int64))
    app = np.array(
        [_FIRST_APP.get(world.staff.members[i].role_on(day), _ANALYST_APP) for i in who.tolist()], dtype=np.int64
    )
    again = np.repeat(np.arange(len(who)), rng.poisson(world.parameters.logins_again, len(who)))
    later = start[again] + (rng.random(len(again)) * 7.8 * HOUR_US).astype(np.int64)
    new = np.concatenate([world.devices.replaced, np.full(len(world.grants.identities) - len(world.staff), -1)]) == day
    what = new * label("benign:new_device")
    parts = [
        make_logins(rng, world, first, who, what=what[who], app=app),
        make_logins(rng, world, _within(day, later), who[again], what=what[who[again]]),
        _evening(rng, world, day, who),
        _programs(rng, world, day),
        _at_night(rng, world, day),
    ]
    return Logins.joined([*parts, *(_failed(rng, world.parameters, part) for part in parts)])


def _within(day: int, time: Ints) -> Ints:
    """Times in whole milliseconds, none outside the day."""
    return np.clip(time // 1000 * 1000, day * DAY_US, (day + 1) * DAY_US - 1000)


def _evening(rng: Rng, world: World, day: int, who: Ints) -> Logins:
    """Mail on a device of one's own, which no list has."""
    some = who[rng.random(len(who)) < world.parameters.evening_logins]
    time = day * DAY_US + 18 * HOUR_US + rng.integers(0, 5 * 3_600_000, len(some)) * 1000
    numbers_of = below(Chance(world.parameters.seed, "own devices")(some), 1 << 40).tolist()
    own = np.array([personal_name(number) for number in numbers_of], dtype=object)
    where = PHONES + below(Chance(world.parameters.seed, "mobile addresses")(some, day), PHONES_SHARED)
    return make_logins(rng, world, time, some, device=own, address=where, app=APPS.index("mail"))


def _at_night(rng: Rng, world: World, day: int) -> Logins:
    """The one on call signs in from home minutes before the work that `sql_lookalikes` has of such nights."""
    p = world.parameters
    draw = Chance(p.seed, "break glass")(day, np.arange(2))
    who = on_call(world, day)
    called = who >= 0 and uniform(draw)[0] < p.break_glass_a_month / 30
    first = (
        day * DAY_US + HOUR_US + int(below(draw, 3 * 3600)[1]) * SECOND_US - int(rng.integers(60_000, 600_000)) * 1000
    )
    time = np.array([first] if called else [], dtype=np.int64)
    what = label("benign:break_glass")
    return make_logins(rng, world, time, np.full(len(time), who), what=what, app=APPS.index("warehouse"))


def _programs(rng: Rng, world: World, day: int) -> Logins:
    running = len(world.staff) + np.flatnonzero(world.grants.active_services)
    who = np.repeat(running, _SERVICE_HOURS)
    minute = below(Chance(world.parameters.seed, "ticket minute")(who), 60)
    hour = np.tile(np.arange(_SERVICE_HOURS), len(running))
    time = day * DAY_US + hour * HOUR_US + minute * MINUTE_US + rng.integers(0, 4000, len(who)) * 1000
    return make_logins(
        rng, world, time, who, app=np.where(who % 2 == 0, APPS.index("warehouse"), APPS.index("buckets"))
    )


def _failed(rng: Rng, p: Parameters, logins: Logins) -> Logins:
    """The wrong passwords that came before some of the log-ins."""
    some = np.flatnonzero((rng.random(len(logins)) < p.login_failures) & (logins.factor > 0))
    some = np.repeat(some, 1 + rng.poisson(p.login_failures_more, len(some)))
    before = logins.at(some)
    earlier = before.time - rng.integers(4, 90, len(some)) * SECOND_US - rng.integers(0, 1000, len(some)) * 1000
    time = np.maximum(earlier, before.time - before.time % DAY_US)
    return Logins(
        time, before.actor, before.label, before.incident, before.device, before.address, before.country,
        np.zeros(len(some), dtype=np.int64), np.ones(len(some), dtype=np.int64), before.app,
    )  # fmt: skip


def sso_log(world: World, day: int) -> LogKind[Logins]:
    """The sign-on's log of a day: OCSF, one JSON record a line."""
    names = identity_names(world, day)
    told = words_of(world.parameters.preset).told
    domain, apps = told("meridian.example"), [told(name) for name in APPS]
    people = len(world.staff)
    users = [
        f'"user":{{"name":"{name}","email_addr":"{name}@{domain}","type_id":1,"type":"User"}},"session":{{"uid":"{ticket:013x}"}}'
        if at < people or name.startswith(("ext.", "test."))
        else f'"user":{{"name":"{name}","type_id":3,"type":"System"}},"session":{{"uid":"{ticket:013x}"}}'
        for at, (name, ticket) in enumerate(
            zip(
                names,
                below(Chance(world.parameters.seed, "sso session")(day, np.arange(len(names))), 1 << 52).tolist(),
                strict=True,
            )
        )
    ]
    results = [
        '"status_id":1,"status":"Success","severity_id":1,"severity":"Informational"',
        *(
            f'"status_id":2,"status":"Failure","status_detail":"{detail}","severity_id":2,"severity":"Low"'
            for detail in _DETAILS[1:]
        ),
    ]
    factors = [
        f'"is_mfa":{"true" if at else "false"},"auth_factors":[{{"factor_type_id":{number},"factor_type":"{name}"}}]'
        for at, (number, name) in enumerate(FACTORS)
    ]

    def rendered(logins: Logins, uids: pa.Array) -> pa.Array:
        return lines(
            '{"metadata":{"version":"1.3.0","uid":"', matrix(uids), '","product":{"name":"Gatehouse","vendor_name":"Gatehouse"}},'
            '"category_uid":3,"category_name":"Identity & Access Management","class_uid":3002,"class_name":"Authentication",'
            '"activity_id":1,"activity_name":"Logon","type_uid":300201,"time":', Decimal(logins.time // 1000), ",",
            Chosen(results, logins.result), ",", Chosen(users, logins.actor), ",", Chosen(factors, logins.factor),
            ',"auth_protocol_id":5,"auth_protocol":"SAML","is_remote":', Chosen(("false", "true"), (logins.address >> 24 != _OFFICE).astype(np.int64)),
            ',"src_endpoint":{"ip":"', dotted(logins.address), '","location":{"country":"', Chosen(COUNTRIES, logins.country),
            '"}},"device":', _devices(logins.device), ',"service":{"name":"', Chosen(apps, logins.app), '"}}\n',
        )  # fmt: skip

    return LogKind("sso", "sso-{day}.ocsf.jsonl", rendered)


def _devices(hostnames: Sequence[str] | Names) -> pa.Array:
    """Each device as an OCSF object, made once for each name."""
    encoded = pa.array(hostnames, pa.string()).dictionary_encode()
    texts = []
    for name in encoded.dictionary.to_pylist():
        kind = next((number for begin, number in _DEVICE_TYPES if name.startswith(begin)), 0)
        texts.append(f'{{"uid":"{name}","hostname":"{name}","type_id":{kind}}}')
    return pa.array(texts, pa.string()).take(encoded.indices)
