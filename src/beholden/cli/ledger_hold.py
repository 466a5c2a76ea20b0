"""``beholden ledger hold``: events that must stay whatever their age, and people who must not be forgotten."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli._lazy import Group
from beholden.cli._times import shown_time
from beholden.cli.output import Column, emit, note, output_options
from beholden.core.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from beholden.ledger.holds import Hold

__all__ = ["HoldRow", "hold"]

_SEQS: Final = re.compile(r"(\d{1,16})-(\d{1,16})\Z")
_TEXT_CHARS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold: on what, since when, by whom and why; and its release. Times are RFC 3339.

    ``on`` is ``subject``, ``actor``, ``dataset``, ``time`` or ``seq``; ``what`` the person, the dataset or the range.
    """

    hold: str
    on: str
    what: str
    since: str
    by: str | None
    reason: str | None
    released: str | None
    released_by: str | None
    released_reason: str | None


@click.group(cls=Group)
def hold() -> None:
    """Legal holds: what a hold is on is neither pruned nor forgotten until it is released."""


@hold.command()
@click.option("--subject", metavar="KIND:ID", help="Accesses that may have reached this person's data.")
@click.option("--actor", metavar="ID", help="Accesses by this actor, or on their behalf.")
@click.option("--dataset", metavar="STORE/PATH", help="Accesses to this dataset; * is any text.")
@click.option("--from", "start", metavar="TIME", help="Accesses from this time on.")
@click.option("--to", "end", metavar="TIME", help="Accesses before this time.")
@click.option("--events", metavar="FIRST-LAST", help="Events of these numbers.")
@click.option("--reason", required=True, help="Why, e.g. the number of the case; kept encrypted.")
@click.option("--by", required=True, help="Who says so; kept encrypted.")
@pass_estate
def add(
    estate: Estate,
    *,
    subject: str | None,
    actor: str | None,
    dataset: str | None,
    start: str | None,
    end: str | None,
    events: str | None,
    reason: str,
    by: str,
) -> None:
    """Hold the events of a person, an actor, a dataset, or a range of time or of numbers.

    Give one of these. While the hold is in force, no segment goes in which an event may be meant, and a person it is on
    cannot be forgotten. The hold is an event of the ledger, signed at once: nobody can drop it unseen.
    """
    from beholden.core.names import DatasetName
    from beholden.core.times import parse_window
    from beholden.ledger.records import HoldRecord

    _check_text("--reason", reason)
    _check_text("--by", by)
    given = [name for name, value in (("subject", subject), ("actor", actor), ("dataset", dataset),
                                      ("time", start or end), ("seq", events)) if value]  # fmt: skip
    if len(given) != 1:
        raise UsageError(
            "ledger hold add", "no one thing to hold is named",
            expected="one of --subject, --actor, --dataset, --events, or --from with --to",
        )  # fmt: skip
    on: Literal["subject", "actor", "dataset", "seq", "time"] = given[0]  # type: ignore[assignment]
    value, first, last = "", None, None
    if on in ("subject", "actor"):
        value = _token(estate, subject, actor).hex()
    elif dataset is not None:
        value = str(DatasetName.parse(dataset))
    elif events is not None:
        first, last = _numbers(events)
    else:
        window = parse_window(start, end, estate.clock)
        first, last = window.start, window.end
    now = estate.clock()
    reason_text, by_text = estate.vault.encrypt([reason.encode(), by.encode()], None)
    hold_id = hashlib.sha256(b"\0".join([reason_text, by_text, str(now).encode()])).hexdigest()[:8]
    estate.ledger.record(
        HoldRecord(
            hold_id=hold_id, on=on, value=value, first=first, end=last, by=by_text, reason=reason_text, since=now
        )
    )
    note(f"hold {hold_id} is in force")


@hold.command(name="list")
@click.option("--all", "every", is_flag=True, help="Those that were released too.")
@output_options
@pass_estate
def list_(estate: Estate, *, every: bool, output: str | None) -> None:
    """The holds in force: on what, since when, by whom and why."""
    rows = [_row(estate, one) for one in estate.ledger.holds().all if every or one.released is None]
    emit(output, "ledger-holds", rows, _COLUMNS, empty="no hold is in force" if not every else "there never was a hold")


@hold.command()
@click.argument("hold_id", metavar="HOLD")
@click.option("--reason", required=True, help="Why it ends; kept encrypted.")
@click.option("--by", required=True, help="Who says so; kept encrypted.")
@pass_estate
def release(estate: Estate, *, hold_id: str, reason: str, by: str) -> None:
    """End a hold. It stays on record, and so do this reason and who gave it."""
    from beholden.ledger.records import ReleaseRecord

    _check_text("--reason", reason)
    _check_text("--by", by)
    found = estate.ledger.holds().named(hold_id)
    reason_text, by_text = estate.vault.encrypt([reason.encode(), by.encode()], None)
    estate.ledger.record(ReleaseRecord(hold_id=found.hold_id, by=by_text, reason=reason_text))
    note(f"hold {found.hold_id} is released")


def _token(estate: Estate, subject: str | None, actor: str | None) -> bytes:
    """The token of a person whom the vault knows: of nobody else can there be events."""
    from beholden.cli._who import build_question

    question = build_question(
        estate, datasets=(), class_=None, subject=subject, actors=() if actor is None else (actor,), credentials=(),
        start=None, end=None,
    )  # fmt: skip
    person = question.subject or (question.actors or ())[0]
    token = estate.vault.find([person])[0]
    if token is None:
        raise NotFoundError("ledger hold add", "the vault does not know this person: no event names them")
    return token


def _numbers(text: str) -> tuple[int, int]:
    found = _SEQS.match(text)
    if found is None or int(found[1]) > int(found[2]):
        raise UsageError("--events", "no range of event numbers", expected="FIRST-LAST, e.g. 1200-1999")
    return int(found[1]), int(found[2]) + 1


def _check_text(option: str, text: str) -> None:
    if not text.strip() or len(text) > _TEXT_CHARS_MAX:
        raise UsageError(option, f"{len(text)} characters", expected=f"1 to {_TEXT_CHARS_MAX}, not all of them blank")


def _row(estate: Estate, one: Hold) -> HoldRow:
    record, release = one.record, one.release
    texts = [record.by, record.reason, *([release.by, release.reason] if release else [])]
    shown = [None if text is None else text.decode("utf-8", "replace") for text in estate.vault.decrypt(texts)]
    return HoldRow(
        record.hold_id, record.on, _what(estate, one), shown_time(record.since), shown[0], shown[1],
        shown_time(one.released), *(shown[2:] or [None, None]),
    )  # fmt: skip


def _what(estate: Estate, one: Hold) -> str:
    record = one.record
    if record.on in ("subject", "actor"):
        token = bytes.fromhex(record.value)
        person = estate.vault.identities([token]).get(token)
        if person is None:
            return estate.vault.nameless([token])[token]
        return person.identifier if person.kind == "actor" else str(person)
    if record.on == "time":
        edges = [shown_time(edge) or "" for edge in (record.first, record.end)]
        return f"from {edges[0]} to {edges[1]}" if all(edges) else f"from {edges[0]}" if edges[0] else f"to {edges[1]}"
    return f"{record.first} to {(record.end or 0) - 1}" if record.on == "seq" else record.value


_COLUMNS = [
    Column("hold", lambda row: row.hold),
    Column("on", lambda row: row.on),
    Column("what", lambda row: row.what, fold=True),
    Column("since", lambda row: row.since[:19]),
    Column("by", lambda row: row.by, fold=True),
    Column("reason", lambda row: row.reason, fold=True),
    Column("released", lambda row: row.released and row.released[:19], rare=True),
]
