"""``exports/``, ``wiki/`` and ``repositories/``: what lies about, and the truth about it.

Team copies of customers' data and what was taken out of tables in the window (`extracts`), some in the register
(`feeds/copies_register.csv`) and most not; secrets where people
leave them, among texts that only look like secrets. ``truth/copies.jsonl`` and ``truth/secrets.jsonl`` say what is where,
``truth/canaries.jsonl`` which customers are canaries.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa

from beholden.retailer.canaries import canaries
from beholden.retailer.chance import DAY_US, SECOND_US, Chance, Ints, Rng, below, iso, stream
from beholden.retailer.copies import Copy, Extract, planned_copies
from beholden.retailer.extracts import extracts_of, spreadsheet, write_extract
from beholden.retailer.life.cloudtrail import access_key
from beholden.retailer.people import PeopleText
from beholden.retailer.secret_texts import LOOKALIKES, SECRETS
from beholden.retailer.stores import Changes
from beholden.retailer.tables import write_csv, write_parquet
from beholden.retailer.words import Words, words_of
from beholden.retailer.world import World
from beholden.retailer.writing_templates import CHATS, LOGS
from beholden.retailer.writings import Writing, repository_files, wiki_pages

__all__ = ["write_planted"]

#: Customers' ids, as databases hold them.
Ids: TypeAlias = Sequence[int] | Sequence[str]

_MARK: Final = re.compile(r"@@(-|~|json:|own:)?([a-z0-9_]+)@@")
_WORDS: Final = (
    "orders",
    "parcels",
    "refunds",
    "sellers",
    "prices",
    "stock",
    "returns",
    "ratings",
    "invoices",
    "campaigns",
)
_SEGMENTS: Final = ("gold", "silver", "new", "dormant")
#: How much of a damaged file there is.
_DAMAGED_PART: Final = 3
_STALE_DAYS: Final = 400


def write_planted(
    world: World, directory: Path, left: Sequence[Extract] = (), changes: Changes | None = None
) -> None:  # fmt: skip
    """Write every file of the three trees under ``directory``, the register into ``feeds/``, the truth into ``truth/``.

    Args:
        world: the company.
        directory: the company's directory.
        left: what incidents left in buckets.
        changes: what the window's events changed; nothing if it is not given.
    """
    for name in ("exports", "wiki", "repositories", "feeds", "truth"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    told = words_of(world.parameters.preset).told
    copies = planned_copies(world.parameters, world.staff)
    for copy in copies:
        _write_copy(world, copy, _placed(directory, told(copy.place)))
    known = changes or Changes()
    extracts = extracts_of(world, left)
    held = [write_extract(world, one, known, _placed(directory, told(one.place))) for one in extracts]
    _write_register(world, [*copies, *extracts], directory / "feeds" / "copies_register.csv")
    truths = [_truth_of(world, copy, _of_copy(world, copy)) for copy in copies]
    truths += [_truth_of(world, one, count) for one, count in zip(extracts, held, strict=True)]
    _write_lines(directory / "truth" / "copies.jsonl", truths)
    secrets: list[dict[str, Any]] = []
    forgotten = [Writing(f"exports/{bucket}/{key}", text) for bucket, key, text in (*CHATS, *LOGS)]
    for number, writing in enumerate((*forgotten, *wiki_pages(world.parameters), *repository_files(world.parameters))):
        secrets += _write_text(
            world, writing, stream(world.parameters.seed, "writings", number), _placed(directory, told(writing.path))
        )
    _write_lines(directory / "truth" / "secrets.jsonl", secrets)
    watched = words_of(world.parameters.preset)
    _write_lines(
        directory / "truth" / "canaries.jsonl",
        [{"subject": watched.subject(f"customer:{number}")} for number in (canaries(world) + 1).tolist()],
    )


def _placed(directory: Path, place: str) -> Path:
    path = directory / place
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write_lines(path: Path, rows: Iterator[dict[str, Any]] | Sequence[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


# Texts with secrets


def _write_text(world: World, writing: Writing, rng: Rng, path: Path) -> list[dict[str, Any]]:
    """Fill a template in and write it; returns where in it secrets and their look-alikes stand (lines from 1)."""
    words = words_of(world.parameters.preset)
    text, found, end = "", [], 0
    for mark in _MARK.finditer(writing.template):
        text += words.told(writing.template[end : mark.start()])
        end = mark.end()
        form, kind = mark[1] or "", mark[2]
        if form == "~":
            text += _filler(world, rng, kind)
            continue
        found.append(
            {"place": words.told(writing.path), "line": text.count("\n") + 1, "kind": kind, "secret": form != "-"}
        )
        if form == "own:":
            text += access_key(world, world.staff.service(writing.owner))
        else:
            value = (LOOKALIKES if form == "-" else SECRETS)[kind](rng)
            if not words.is_first:  # the company's name stands in addresses and accounts
                value = value.replace("meridian", words.company).replace("Meridian", words.company.capitalize())
            text += json.dumps(value)[1:-1] if form == "json:" else value
    path.write_text(text + words.told(writing.template[end:]), encoding="utf-8", newline="\n")
    return found


def _filler(world: World, rng: Rng, kind: str) -> str:
    if kind == "word":
        return words_of(world.parameters.preset).told(_WORDS[int(rng.integers(len(_WORDS)))])
    if kind == "team":
        members = world.staff.members
        return members[int(rng.integers(len(members)))].team
    if kind == "day":
        return iso(np.array([world.parameters.start - int(rng.integers(1, 300)) * DAY_US]), "D")[0]
    if kind == "colour":
        return rng.bytes(3).hex()
    return str(int(rng.integers(1000, 1_000_000)))


# Copies


def _write_copy(world: World, copy: Copy, path: Path) -> None:
    rng = stream(world.parameters.seed, "copy", copy.number)
    if copy.form in {"orders", "aggregate"}:
        _write_orders(world, copy, rng, path)
        return
    chosen = _customers(world, copy)
    text = world.people.text(chosen)
    words = words_of(world.parameters.preset)
    number = words.customer.values(chosen + 1)
    if copy.form in {"columnar", "damaged"}:
        opened = copy.made * DAY_US - rng.integers(0, 90 * 86_400, len(chosen)) * SECOND_US
        columns = {
            "recipient": pa.array(text.email, pa.string()),
            "list_code": pa.array(rng.integers(10, 40, len(chosen)), pa.int32()),
            "opens": pa.array(rng.poisson(1.4, len(chosen)), pa.int32()),
            "last_open": pa.array(opened, pa.timestamp("us")),
        }
        write_parquet(path, pa.table(columns))
        if copy.form == "damaged":
            whole = path.read_bytes()
            path.write_bytes(whole[: len(whole) // _DAMAGED_PART])
    elif copy.form in {"stale", "log"}:
        _write_lines(path, _nested(words, copy, rng, (text, number)))
    else:
        _write_sheet(copy, rng, text, number, path)


def _customers(world: World, copy: Copy) -> Ints:
    """Positions of the customers in a copy, each once."""
    drawn = below(
        Chance(world.parameters.seed, "copied customers")(copy.number, np.arange(copy.rows)), len(world.people)
    )
    return np.unique(drawn)


def _write_sheet(copy: Copy, rng: Rng, text: PeopleText, number: Ids, path: Path) -> None:
    """Comma-separated files, and what a spreadsheet makes of them."""
    full = [f"{first} {last}" for first, last in zip(text.first_name, text.last_name, strict=True)]
    segment = [_SEGMENTS[i] for i in rng.integers(0, len(_SEGMENTS), len(number)).tolist()]
    if copy.form == "hashed":
        digests = [hashlib.sha256(email.lower().encode()).hexdigest() for email in text.email]
        write_csv(path, ("hashed_email", "segment", "country"), zip(digests, segment, text.country, strict=True))
    elif copy.form == "partial":
        write_csv(path, ("mail", "plz", "segment"), zip(text.email, text.postal_code, segment, strict=True))
    elif copy.form == "spreadsheet":
        rows = list(zip(number, full, text.phone, text.city, segment, strict=True))
        path.write_bytes(spreadsheet(copy.key.rsplit("/", 1)[-1], ("Nr", "Name", "Telefon", "Ort", "Segment"), rows))
    else:
        header = ("cust_no", "client", "email_addr", "tel", "addr1", "zip", "town", "ctry", "dob")
        columns = (
            number,
            full,
            text.email,
            text.phone,
            text.street,
            text.postal_code,
            text.city,
            text.country,
            text.date_of_birth,
        )
        write_csv(path, header, zip(*columns, strict=True))


def _nested(words: Words, copy: Copy, rng: Rng, who: tuple[PeopleText, Ids]) -> Iterator[dict[str, Any]]:
    """Lines of a program with customers inside, or an old dump whose addresses have changed since."""
    text, number = who
    when = iso(np.sort((copy.made - 7) * DAY_US + rng.integers(0, 7 * 86_400, len(number)) * SECOND_US))
    for at, (one, time) in enumerate(zip(number, when, strict=True)):
        if copy.form == "log":
            person = {"id": one, "mail": text.email[at], "tel": text.phone[at]}
            yield {"time": time, "event": "sync", "payload": {words.name("customer"): person, "attempt": 1 + at % 3}}
        else:
            moved = at % 4 == 0  # a quarter has another address by now
            street = (
                f"{1 + (copy.number + 7 * at) % 200} Old {text.street[at].split(' ', 1)[1]}"
                if moved
                else text.street[at]
            )
            yield {
                words.name("customer_id"): one, "name": {"first": text.first_name[at], "last": text.last_name[at]},
                "address": {"street": street, words.name("postal_code"): text.postal_code[at], "city": text.city[at]},
                "as_of": iso(np.array([(copy.made - _STALE_DAYS) * DAY_US]), "D")[0],
            }  # fmt: skip


def _write_orders(world: World, copy: Copy, rng: Rng, path: Path) -> None:
    words = words_of(world.parameters.preset)
    orders = world.orders.on(world.calendar.first_day, 0, copy.rows)
    if copy.form == "aggregate":
        carriers = ("northline", "parcelway", "swiftvan", "seapost")
        days = [iso(np.array([(copy.made - i) * DAY_US]), "D")[0] for i in range(28)]
        rows = [
            (day, carrier, int(rng.poisson(400)), round(float(rng.random()) * 9, 3))
            for day in days
            for carrier in carriers
        ]
        write_csv(path, ("day", "carrier", words.name("parcels"), "mean_delay_hours"), rows)
        return
    columns = {
        words.name("order_ref"): pa.array(orders.order_id),
        words.name("buyer"): pa.array(words.customer.values(orders.customer + 1)),
        words.name("seller"): pa.array(orders.seller + 1),
        "cents": pa.array(orders.cents),
        "placed": pa.array(orders.time, pa.timestamp("us")),
    }
    write_parquet(path, pa.table(columns))


def _write_register(world: World, copies: Sequence[Copy | Extract], path: Path) -> None:
    """The copies that somebody wrote down: what a company knows of."""
    words = words_of(world.parameters.preset)
    rows = []
    for copy in copies:
        if copy.documented:
            member = world.staff.members[copy.made_by]
            made = _day_made(copy)
            purpose = words.told(copy.key.rsplit("/", 1)[-1].split(".")[0].replace("_", " "))
            place = words.told(f"{copy.bucket}/{copy.key}")
            rows.append((place, words.placed(copy.source), member.team, member.login, purpose, made))
    write_csv(path, ("object", "source", "owner_team", "made_by", "purpose", "made"), rows)


def _day_made(copy: Copy | Extract) -> str:
    return iso(np.array([copy.made * DAY_US if isinstance(copy, Copy) else copy.made]), "D")[0]


def _of_copy(world: World, copy: Copy) -> int | None:
    """How many customers are in it, as far as it says whose it is."""
    return None if copy.form in {"aggregate", "orders"} else len(_customers(world, copy))


def _truth_of(world: World, copy: Copy | Extract, customers: int | None) -> dict[str, Any]:
    words = words_of(world.parameters.preset)
    incident = copy.incident if isinstance(copy, Extract) and copy.incident >= 0 else None
    return {
        "place": words.told(copy.place), "kind": copy.form, "source": words.placed(copy.source), "documented": copy.documented,
        "personal": copy.form != "aggregate", "customers": customers, "made_by": world.staff.members[copy.made_by].login,
        "made": _day_made(copy), "incident": incident,
    }  # fmt: skip
