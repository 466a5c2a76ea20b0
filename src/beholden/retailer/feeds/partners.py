"""``feeds/``: sellers, their cases, developers, apps, keys, consents and audits as the company's registers have them.

Registers are written by people and copied between systems: rows are missing or stand twice, states are those of some
time ago, ids are of two schemes, ranges of addresses are those before the move. All shares of this are assumed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from beholden.retailer.chance import DAY_US, HOUR_US, Bools, Chance, Ints, below, iso, stream, uniform
from beholden.retailer.life.seller_desk import TOPICS, SellerCases, manned, seller_cases
from beholden.retailer.partners import CLOUDS, FAR, App, address_range
from beholden.retailer.render import chosen, iso_of, lines, numbers
from beholden.retailer.sellers import SellerText
from beholden.retailer.words import words_of
from beholden.retailer.world import World, slices

__all__ = ["SellerCaseWriter", "by_old_id", "write_partner_registers"]

_STATUS_STALE: Final = 0.05  # of sellers whose row is some weeks old
_STALE_DAYS: Final = 45
_TWICE: Final = 0.01
_NO_BANK, _NO_DEVICE, _NO_CODE, _NO_NUMBER = 0.06, 0.15, 0.03, 0.01
_SPELLED: Final = 0.08  # of owners whose surname stands first
_NO_ROW: Final = 0.02
_NOT_REVOKED: Final = 0.03  # of keys that ended, in the register's eyes still good
_RANGES_STALE: Final = 0.4  # of developers who moved and never said so
_TOLD_DAYS: Final = 50  # within which the others said so, or an amended need was written down
_AUDITED: Final = 0.45
_BROKE: Final = 0.55  # more than half of the developers who were looked at broke the terms (press reports)
_ATTESTED: Final = 0.6
_TERMS: Final = ("2021-03", "2023-06", "2025-01")
_UTC: Final = pa.timestamp("us", tz="UTC")
_CASES: Final = pa.schema(
    {
        "case_id": pa.string(), "handler": pa.string(), "seller_number": pa.int64(), "seller_code": pa.string(),
        "topic": pa.string(), "opened_at": _UTC, "closed_at": _UTC,
    }
)  # fmt: skip


class SellerCaseWriter:
    """``seller_cases.parquet``, written day by day; the file is whole when it is closed."""

    def __init__(self, world: World, directory: Path) -> None:
        self._world = world
        told = words_of(world.parameters.preset).told
        names = [told(name) for name in _CASES.names]
        self._schema = pa.schema([field.with_name(name) for field, name in zip(_CASES, names, strict=True)])
        path = directory / told("seller_cases.parquet")
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, day: int, extra: Sequence[SellerCases] = ()) -> None:
        """The cases that were logged of a day; some have the seller's number, some the code, most both.

        ``extra`` are cases that others put on record; those opened on the day are among the others.
        """
        world = self._world
        parts = [seller_cases(world, day), *(one.at(one.opened // DAY_US == day) for one in extra)]
        every = SellerCases(
            **{one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(SellerCases)}
        )
        cases = every.at(np.argsort(every.number, kind="stable"))
        cases = cases.at(cases.number >= 0)
        draw = uniform(Chance(world.parameters.seed, "ids of seller cases")(cases.number))
        told = words_of(world.parameters.preset).told
        people = [f"E{member.number}" for member in world.staff.members]
        self._writer.write_table(
            pa.table(
                {
                    "case_id": lines("SC-", numbers(cases.number)),
                    "handler": chosen(people, cases.logged_member),
                    "seller_number": pa.array(cases.seller + 1, mask=draw < 0.2),
                    "seller_code": pa.array(world.sellers.codes(cases.seller), pa.string(), mask=draw > 0.7),
                    "topic": chosen([told(topic) for topic in TOPICS], cases.topic),
                    "opened_at": pa.array(cases.logged_opened, _UTC),
                    "closed_at": pa.array(cases.logged_closed, _UTC, mask=cases.logged_closed >= world.parameters.end),
                },
                schema=_CASES,
            ).rename_columns(self._schema.names)
        )

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()


def write_partner_registers(world: World, directory: Path, states: Sequence[tuple[int, str, int]] = ()) -> None:
    """Write every register as it stands at the end of the window."""
    told = words_of(world.parameters.preset).told

    def written(name: str, header: str, rows: Iterable[Sequence[Any]]) -> None:
        with (directory / told(name)).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(told(header).split())
            writer.writerows(rows)

    written(
        "sellers.csv",
        "seller_number legacy_code brand country owner company bank_fingerprint device_fingerprint street city contact_email "
        "since status",
        (row for start, stop in slices(len(world.sellers)) for row in _sellers(world, start, stop)),
    )
    written("seller_states.csv", "seller state from until decided_by", _states(world, states))
    written(
        "developers.csv",
        "developer_id name contact country since cloud address_ranges terms_version terms_signed",
        sorted(_developers(world)),
    )
    written(
        "apps.csv",
        "app_id developer_id name purpose endpoints fields registered amended",
        sorted(_app(world, at, app) for at, app in enumerate(world.partners.apps)),
    )
    written("consents.csv", "seller app_id scope given_at withdrawn_at", _consents(world))
    written("partner_audits.csv", "developer_id audited_on findings outcome remedied_on", sorted(_audits(world)))
    written("deletion_attestations.csv", "app_id seller ended_on attested_on", _attestations(world))
    _keys(world, directory)


def _date(day: int) -> str:
    return "" if day >= FAR else iso(np.array([day * DAY_US]), "D")[0]


def _sellers(world: World, start: int, stop: int) -> list[Sequence[Any]]:
    sellers, end = world.sellers, world.parameters.end
    position = np.arange(start, stop)
    rng = stream(world.parameters.seed, "seller register", start)
    text = sellers.text(position)
    blank = rng.random((5, len(position)))
    seen = end - np.where(rng.random(len(position)) < _STATUS_STALE, _STALE_DAYS * DAY_US, 0)
    status = np.where(sellers.barred(position, seen), "suspended", "active").tolist()
    since = iso(sellers.since(position) * DAY_US, "D")
    rows: list[Sequence[Any]] = []
    twice = rng.random(len(position)) < _TWICE
    for i, number in enumerate((position + 1).tolist()):
        row = _seller(text, i, blank[:, i].tolist())
        rows.append(("" if blank[4, i] < _NO_NUMBER else number, *row, since[i], status[i]))
        if twice[i]:  # entered again by somebody who did not find it
            rows.append(
                ("", text.code[i], text.name[i].upper(), text.country[i], *[""] * 4, *row[7:9], "", since[i], "active")
            )
    return rows


def _seller(text: SellerText, i: int, blank: list[float]) -> tuple[str, ...]:
    given, _, surname = text.owner[i].partition(" ")
    return (
        # Whoever has no number has a code at least.
        "" if blank[0] < _NO_CODE and blank[4] >= _NO_NUMBER else text.code[i],
        text.name[i], text.country[i], f"{surname}, {given}" if blank[1] < _SPELLED else text.owner[i], text.company[i],
        "" if blank[2] < _NO_BANK else text.bank[i], "" if blank[3] < _NO_DEVICE else text.device[i], text.street[i],
        text.city[i], text.email[i],
    )  # fmt: skip


def by_old_id(world: World, seller: Ints, register: str) -> Bools:
    """Which sellers a register (``consents``, ``states``, ``attestations``) has under their legacy code."""
    old: Bools = uniform(Chance(world.parameters.seed, f"ids of {register}")(seller)) < world.parameters.by_old_id
    return old


def _either_id(world: World, seller: Ints, register: str) -> list[str]:
    """For each row the seller's number or legacy code, as whoever wrote it was used to."""
    codes, old = world.sellers.codes(seller), by_old_id(world, seller, register).tolist()
    return [
        code if is_old else str(number) for code, is_old, number in zip(codes, old, (seller + 1).tolist(), strict=True)
    ]


def _states(world: World, more: Sequence[tuple[int, str, int]]) -> list[tuple[Any, ...]]:
    """Suspensions and reinstatements by when they began; ``more`` are (seller, state, when)."""
    rows = list(_ordinary_states(world))
    sellers = np.array([seller for seller, _, _ in more], dtype=np.int64)
    times = iso(np.array([time for _, _, time in more], dtype=np.int64))
    names = _either_id(world, sellers, "states") if more else []
    rows += [(name, state, time, "", "staff") for name, (_, state, _), time in zip(names, more, times, strict=True)]
    return sorted(rows, key=lambda row: (row[2], row[0]))


def _ordinary_states(world: World) -> Iterator[tuple[Any, ...]]:
    every, end = world.sellers.suspensions, world.parameters.end
    rng = stream(world.parameters.seed, "state register")
    kept = np.flatnonzero((every.start < end) & (rng.random(len(every)) >= _NO_ROW))
    began, ended = every.start[kept], every.end[kept]
    known = (ended >= 0) & (ended < end) & (rng.random(len(kept)) >= _NO_ROW)
    program = world.sellers.by_program(every.seller[kept]) | ~manned(world, began)
    until = np.where(known, np.array(iso(np.maximum(ended, 0), "s")), "").tolist()
    who = np.where(program, "program", "staff").tolist()
    back = np.where(manned(world, ended), "staff", "program").tolist()
    for seller, start, stop, by, ended_by in zip(
        _either_id(world, every.seller[kept], "states"), iso(began), until, who, back, strict=True
    ):
        yield seller, "suspended", start, stop, by
        if stop:
            yield seller, "reinstated", stop, "", ended_by


def _developers(world: World) -> Iterator[tuple[Any, ...]]:
    partners, end = world.partners, world.parameters.end // DAY_US
    rng = stream(world.parameters.seed, "developer register")
    for at, developer in enumerate(partners.developers):
        told = _TOLD_DAYS * rng.random() if rng.random() >= _RANGES_STALE else FAR
        apps = [app for app in partners.apps if app.developer == at]
        moved = [app.moved + told < end for app in apps]
        ranges = [address_range(app.second if new else app.first) for app, new in zip(apps, moved, strict=True)]
        cloud = CLOUDS[apps[0].next_cloud if moved[0] else apps[0].cloud]
        signed = developer.since + int(rng.integers(0, max(1, end - developer.since)))
        yield (
            f"DEV-{developer.number}", developer.name, developer.email, developer.country, _date(developer.since),
            f"{cloud[0]} (AS{cloud[1]})", " ".join(dict.fromkeys(ranges)), _TERMS[int(rng.integers(len(_TERMS)))], _date(signed),
        )  # fmt: skip


def _app(world: World, at: int, app: App) -> tuple[str, ...]:
    """What it declared: an amended need is written down some weeks after the app began to act on it."""
    rng = stream(world.parameters.seed, "app register", at)
    developer, end = world.partners.developers[app.developer], world.parameters.end // DAY_US
    noted = app.amended + int(rng.integers(1, _TOLD_DAYS))
    purpose = app.purpose_on(app.amended if noted < end else app.amended - 1)
    registered = developer.since + int(rng.integers(0, 30))
    told = words_of(world.parameters.preset).told
    return (
        f"APP-{app.number}", f"DEV-{developer.number}", told(app.name), told(purpose.name), told(" ".join(purpose.endpoints)),
        told(" ".join(purpose.fields)), _date(registered), _date(noted) if noted < end else "",
    )  # fmt: skip


def _consents(world: World) -> Iterator[tuple[Any, ...]]:
    """What sellers agreed to; a few of the agreements were never filed, a few withdrawals neither."""
    c, partners, end = world.partners.connections, world.partners, world.parameters.end
    rng = stream(world.parameters.seed, "consent register")
    told = words_of(world.parameters.preset).told
    before = below(Chance(world.parameters.seed, "consents")(c.seller, c.app), 30 * 3600) * 1_000_000
    given = iso(c.since * DAY_US - 6 * HOUR_US - before)
    filed = (rng.random(len(c)) >= _NO_ROW).tolist()
    withdrawn = ((c.until * DAY_US < end) & (rng.random(len(c)) >= _NO_ROW)).tolist()
    sellers, scopes = (
        _either_id(world, c.seller, "consents"),
        [told(" ".join(app.purpose_on(0).endpoints)) for app in partners.apps],
    )
    for at, app in enumerate(c.app.tolist()):
        if filed[at]:
            gone = _date(int(c.until[at])) if withdrawn[at] else ""
            yield sellers[at], f"APP-{partners.apps[app].number}", scopes[app], given[at], gone


def _audits(world: World) -> Iterator[tuple[Any, ...]]:
    rng = stream(world.parameters.seed, "partner audits")
    end = world.parameters.end // DAY_US
    for developer in world.partners.developers:
        # The larger were looked at more often.
        for _ in range(int(rng.random() < _AUDITED) + developer.band // 2):
            on = end - int(rng.integers(1, 700))
            broke = rng.random() < _BROKE
            remedied = on + int(rng.integers(10, 200)) if broke and rng.random() < 0.6 else FAR
            yield (
                f"DEV-{developer.number}", _date(max(on, developer.since)), int(rng.integers(1, 6)) if broke else 0,
                "terms broken" if broke else "terms kept", _date(remedied) if remedied < end else "",
            )  # fmt: skip


def _attestations(world: World) -> Iterator[tuple[Any, ...]]:
    """Who let go of a seller has to say that his customers' data is gone; many never say it."""
    c, end = world.partners.connections, world.parameters.end // DAY_US
    rng = stream(world.parameters.seed, "deletion attestations")
    ended = np.flatnonzero(c.until < end)
    for at, seller in zip(ended.tolist(), _either_id(world, c.seller[ended], "attestations"), strict=True):
        on = int(c.until[at]) + int(rng.integers(1, 40))
        said = rng.random() < _ATTESTED and on < end
        yield (
            f"APP-{world.partners.apps[int(c.app[at])].number}",
            seller,
            _date(int(c.until[at])),
            _date(on) if said else "",
        )


def _keys(world: World, directory: Path) -> None:
    told = words_of(world.parameters.preset).told
    partners, end = world.partners, world.parameters.end
    keys = partners.keys
    rng = stream(world.parameters.seed, "key register")
    draw = rng.random((2, len(keys)))
    # Issued in the hours before the day of the first call.
    issued = (
        keys.issued * DAY_US
        - below(Chance(world.parameters.seed, "keys issued")(np.arange(len(keys))), 18_000) * 1_000_000
    )
    revoked = keys.revoked * DAY_US
    table = pa.table(
        {
            "key_id": partners.key_texts,
            "app_id": chosen([f"APP-{app.number}" for app in partners.apps], keys.app),
            "seller_number": pa.array(keys.seller + 1, mask=draw[0] < 0.1),
            "seller_code": pa.array(world.sellers.codes(keys.seller), pa.string(), mask=draw[0] > 0.6),
            # This register is older and writes its times as text, without a zone.
            "issued_at": iso_of(issued, "s", " "),
            "revoked_at": pa.array(np.where(revoked < end, iso_of(revoked, "s", " ").to_numpy(zero_copy_only=False), None),
                                   pa.string(), mask=(revoked >= end) | (draw[1] < _NOT_REVOKED)),
        }
    )  # fmt: skip
    table = table.rename_columns([told(name) for name in table.column_names])
    pq.write_table(table, directory / "keys.parquet", compression="zstd")
