"""``beholden watch``: accesses without a reason. Detectors and cases will join it."""

from __future__ import annotations

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli.output import Column, emit, note, output_options
from beholden.core.errors import BeholdenError, UsageError
from beholden.core.unknown import Unknown

__all__ = ["watch"]

#: Kinds of feed that can say who dealt with whom, and when.
_REASON_KINDS = ("contact", "case", "assignment", "order")


@click.group()
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
    has no ticket.
    """
    from beholden.cli._rooms import engine
    from beholden.core.times import parse_window
    from beholden.feeds import open_feed
    from beholden.watch.reasons import judge, summarise, unexplained

    feeds, unknown = [], []
    for declared in estate.config.feed:
        if declared.kind not in _REASON_KINDS:
            continue
        try:
            feeds.append(open_feed(declared, root=estate.directory))
        except BeholdenError as error:
            note(f"beholden: {error.line()}")
            unknown.append(Unknown("feed", declared.name, error.found))
    if not feeds:
        raise UsageError(
            "watch reasons", "no feed can be read that says who dealt with whom",
            expected=f"a [[feed]] of kind {' or '.join(_REASON_KINDS)}", advice="declare one with: beholden feed add",
        )  # fmt: skip
    window = parse_window(start, end, estate.clock)
    with engine(estate) as running:
        judged = judge(estate.ledger.tables(), feeds, running, estate.vault, window)
    for feed in feeds:
        doubts = {**feed.problems, **feed.assumed}
        unknown += [Unknown("feed", feed.name, reason, count=count) for reason, count in doubts.items()]
    if events:
        accesses = unexplained(judged, estate.vault)
        emit(output, "unexplained", accesses[:limit], _EVENTS, unknown=unknown, truncated=len(accesses) > limit)
        return
    rows = summarise(judged, estate.vault)
    emit(output, "reasons", rows[:limit], _ACTORS, unknown=unknown, truncated=len(rows) > limit)


_ACTORS = [
    Column("actor", lambda row: row.actor),
    Column("accesses", lambda row: row.accesses, right=True),
    Column("explained", lambda row: row.explained, right=True),
    Column("unexplained", lambda row: row.unexplained, right=True),
    Column("of persons", lambda row: row.subjects_unexplained, right=True),
]
_EVENTS = [
    Column("time", lambda row: row.time[:19]),
    Column("actor", lambda row: row.actor),
    Column("subject", lambda row: row.subject),
    Column("dataset", lambda row: f"{row.store}/{row.dataset}"),
    Column("activity", lambda row: row.activity),
    Column("seq", lambda row: str(row.seq), right=True),
]
