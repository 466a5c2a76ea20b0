"""``beholden feed``: the company's own records that give accesses their reasons."""

from __future__ import annotations

from dataclasses import dataclass

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli._toml import append_table
from beholden.cli.output import Column, emit, note, output_options
from beholden.core.errors import BeholdenError
from beholden.core.unknown import Unknown

__all__ = ["feed"]


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A feed, how many of its rows can be used, and which cannot and why."""

    feed: str
    kind: str
    rows: int
    problems: dict[str, int]
    assumed: dict[str, int]
    error: str | None


@click.group()
def feed() -> None:
    """The company's own records that give accesses their reasons."""


@feed.command()
@click.argument("name")
@click.argument("source")
@click.option("--kind", required=True, help="contact, case, assignment, order, staff, …")
@click.option("--key", help="The column that identifies a record.")
@click.option("--actor", help="The column with the member of staff.")
@click.option("--subject", help="KIND:COLUMN of the person concerned, e.g. customer:customer_id.")
@click.option("--opened", help="The column with the begin.")
@click.option("--closed", help="The column with the end.")
@pass_estate
def add(
    estate: Estate,
    *,
    name: str,
    source: str,
    kind: str,
    key: str | None,
    actor: str | None,
    subject: str | None,
    opened: str | None,
    closed: str | None,
) -> None:
    """Declare the feed NAME read from SOURCE (a Parquet, CSV or JSONL file) in beholden.toml."""
    values = {
        "name": name, "source": source, "kind": kind, "key": key, "actor": actor, "subject": subject,
        "opened": opened, "closed": closed,
    }  # fmt: skip
    append_table(estate.directory, "feed", values)
    note(f"feed {name} declared in beholden.toml; next: beholden feed check {name}")


@feed.command()
@click.argument("names", nargs=-1)
@output_options
@pass_estate
def check(estate: Estate, *, names: tuple[str, ...], output: str | None) -> None:
    """Read every feed (or the NAMES given) and say what can be used. Exit code 4 when one cannot be read."""
    from beholden.feeds import open_feed

    rows = []
    for declared in estate.config.feed:
        if names and declared.name not in names:
            continue
        count, problems, assumed, error = 0, {}, {}, None
        try:
            opened = open_feed(declared, root=estate.directory)
            count = sum(batch.num_rows for batch in opened.intervals())
            problems, assumed = dict(opened.problems), dict(opened.assumed)
        except BeholdenError as failure:
            error = failure.line()
        rows.append(FeedRow(declared.name, declared.kind, count, problems, assumed, error))
    emit(
        output,
        "feeds",
        rows,
        [
            Column("feed", lambda row: row.feed),
            Column("kind", lambda row: row.kind),
            Column("rows", lambda row: row.rows, right=True),
            Column("not usable", lambda row: ", ".join(f"{reason} {n:,}" for reason, n in row.problems.items())),
            Column("assumed", lambda row: ", ".join(f"{reason} {n:,}" for reason, n in row.assumed.items())),
            Column("error", lambda row: row.error),
        ],
        unknown=[Unknown("feed", row.feed, reason, count=n) for row in rows for reason, n in row.problems.items()],
    )
    if any(row.error for row in rows):
        raise click.exceptions.Exit(4)
