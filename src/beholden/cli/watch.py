"""``beholden watch``: accesses without a reason. Detectors and cases will join it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli._lazy import Group
from beholden.cli.output import Column, emit, note, output_options
from beholden.core.errors import BeholdenError, UsageError
from beholden.core.unknown import Unknown

if TYPE_CHECKING:
    import pyarrow as pa

    from beholden.feeds import Feed
    from beholden.ledger import Snapshot

__all__ = ["watch"]

#: Kinds of feed that can say who dealt with whom, and when.
_REASON_KINDS = ("contact", "case", "assignment", "order")


@click.group(cls=Group)
def watch() -> None:
    """Accesses without a reason."""


@watch.command()
@click.option("--from", "start", metavar="TIME", help="From this time on: a date, a time, or an age such as 30d.")
@click.option("--to", "end", metavar="TIME", help="Up to, not including, this time.")
@click.option("--events", is_flag=True, help="One row an unexplained access instead of counts by actor.")
@click.option("--limit", type=click.IntRange(min=1), default=100_000, show_default=True, help="Rows at most.")
@output_options
@pass_estate
def reasons(
    estate: Estate, *, start: str | None, end: str | None, events: bool, limit: int, output: str | None
) -> None:
    """How many accesses to persons' data have an open contact or case behind them, and which have none.

    An access without a reason on record is unexplained, not yet suspicious: contacts are logged late, and some work
    has no ticket. Reasons come from the feeds declared with `beholden feed add`. Exit code 4 when one of them could
    not be read.
    """
    from beholden.cli._rooms import engine
    from beholden.core.times import parse_window
    from beholden.feeds import open_feed
    from beholden.ledger.gaps import gaps
    from beholden.watch.reasons import judge, summarise, unexplained

    feeds: list[Feed] = []
    failed, unknown = 0, list[Unknown]()
    for declared in estate.config.feed:
        if declared.kind not in _REASON_KINDS:
            continue
        try:
            feeds.append(open_feed(declared, root=estate.directory))
        except BeholdenError as error:
            note(f"beholden: {error.line()}")
            failed = error.exit_code
            unknown.append(Unknown("feed", declared.name, error.found))
    if not feeds:
        raise UsageError(
            "watch reasons", "no feed can be read that says who dealt with whom",
            expected=f"a [[feed]] of kind {' or '.join(_REASON_KINDS)}", advice="declare one with: beholden feed add",
        )  # fmt: skip
    window = parse_window(start, end, estate.clock)
    now = estate.clock()

    def ask(snapshot: Snapshot) -> tuple[pa.Table, list[Unknown]]:
        with engine(estate) as running:
            judged = judge(snapshot, feeds, running, estate.vault, window)
        return judged, gaps(estate.state, estate.config, snapshot, window=window, stores=None, now=now)

    judged, missing = estate.ledger.ask(ask)
    unknown += missing
    for feed in feeds:
        doubts = {**feed.problems, **feed.assumed}
        unknown += [Unknown("feed", feed.name, reason, count=count) for reason, count in doubts.items()]
    span = " in that time" if start or end else ""
    if events:
        accesses = unexplained(judged, estate.vault)
        emit(
            output, "unexplained", accesses[:limit], _EVENTS, unknown=unknown, truncated=len(accesses) > limit,
            empty=f"every access to a person's data on record{span} has an open contact or case behind it"
            if judged.num_rows else f"no access to a person's data is on record{span}",
        )  # fmt: skip
    else:
        rows = summarise(judged, estate.vault)
        emit(
            output, "reasons", rows[:limit], _ACTORS, unknown=unknown, truncated=len(rows) > limit,
            empty=f"no access to a person's data is on record{span}",
        )  # fmt: skip
    if failed:
        raise click.exceptions.Exit(failed)


_ACTORS = [
    Column("actor", lambda row: row.actor, fold=True),
    Column("accesses", lambda row: row.accesses, right=True),
    Column("explained", lambda row: row.explained, right=True),
    Column("unexplained", lambda row: row.unexplained, right=True),
    Column("of persons", lambda row: row.subjects_unexplained, right=True),
]
_EVENTS = [
    Column("time", lambda row: row.time[:19]),
    Column("actor", lambda row: row.actor, fold=True),
    Column("subject", lambda row: row.subject, fold=True),
    Column("dataset", lambda row: f"{row.store or '?'}/{row.dataset or '?'}", fold=True),
    Column("activity", lambda row: row.activity, spare=1),
    Column("seq", lambda row: str(row.seq), right=True, spare=2),
]
