"""``beholden feed``: the company's own records that give accesses their reasons."""

from __future__ import annotations

from dataclasses import dataclass

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli._lazy import Group
from beholden.cli._toml import append_table
from beholden.cli.output import Column, emit, note, output_options
from beholden.core.config import FeedConfig
from beholden.core.errors import BeholdenError, NotFoundError
from beholden.core.unknown import Unknown

__all__ = ["FeedRow", "feed"]


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A feed, how many of its rows can be used, and which cannot and why."""

    feed: str
    kind: str
    rows: int
    problems: dict[str, int]
    assumed: dict[str, int]
    error: str | None


@click.group(cls=Group)
def feed() -> None:
    """The company's own records that give accesses their reasons."""


@feed.command()
@click.argument("name")
@click.argument("source")
@click.option("--kind", metavar="KIND", required=True, help="What the records are; see above.")
@click.option("--key", metavar="COLUMN", help="The column that identifies a record.")
@click.option("--actor", metavar="COLUMN", help="The column with the member of staff, as the logs call them.")
@click.option("--subject", metavar="KIND:COLUMN", help="Of the person concerned, e.g. customer:customer_id.")
@click.option("--opened", metavar="COLUMN", help="The column with the begin.")
@click.option("--closed", metavar="COLUMN", help="The column with the end.")
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
    """Declare the feed NAME read from SOURCE (a Parquet, CSV or JSONL file) in beholden.toml.

    KIND is one of: contact, case, assignment, order, staff, membership, grant, third_party, device, seller, other. The
    first four can explain an access: they say who dealt with whom, and when.
    """
    from beholden.feeds import subject_column

    values = {
        "name": name, "source": source, "kind": kind, "key": key, "actor": actor, "subject": subject,
        "opened": opened, "closed": closed,
    }  # fmt: skip
    subject_kind = None
    if subject is not None:
        subject_kind, _ = subject_column(FeedConfig(name=name, source=source, kind="other", subject=subject))
    append_table(estate.directory, "feed", values)
    note(f"feed {name} declared in {estate.directory / 'beholden.toml'}")
    if (doubt := _doubt(estate, subject_kind)) is not None:
        note(f"feed {name}: {doubt}")
    note(f"next: {estate.command(f'feed check {name}')}")


@feed.command()
@click.argument("names", nargs=-1)
@output_options
@pass_estate
def check(estate: Estate, *, names: tuple[str, ...], output: str | None) -> None:
    """Read every feed (or the NAMES given) and say what can be used. Exit code 4 when one cannot be read."""
    from beholden.feeds import open_feed

    known = {declared.name: declared for declared in estate.config.feed}
    for name in names:
        if name not in known:
            raise NotFoundError(
                f"feed {name}", "is not declared", expected=f"one of: {', '.join(known) or 'none yet'}",
                advice="add it with: beholden feed add",
            )  # fmt: skip
    rows, unknown = [], list[Unknown]()
    for declared in [known[name] for name in names] if names else known.values():
        count, problems, assumed, error = 0, {}, {}, None
        try:
            opened = open_feed(declared, root=estate.directory)
            count = sum(batch.num_rows for batch in opened.intervals())
            problems, assumed = dict(opened.problems), dict(opened.assumed)
            if (doubt := _doubt(estate, opened.subject_kind)) is not None:
                unknown.append(Unknown("feed", declared.name, doubt))
        except BeholdenError as failure:
            error = failure.line()
        rows.append(FeedRow(declared.name, declared.kind, count, problems, assumed, error))
    emit(
        output,
        "feeds",
        rows,
        _COLUMNS,
        empty="no feed is declared in beholden.toml; declare one with: beholden feed add",
        unknown=unknown
        + [Unknown("feed", row.feed, reason, count=n) for row in rows for reason, n in row.problems.items()]
        + [Unknown("feed", row.feed, row.error) for row in rows if row.error],
    )
    if any(row.error for row in rows):
        raise click.exceptions.Exit(4)


def _doubt(estate: Estate, kind: str | None) -> str | None:
    """What is to be said of a feed about persons of a kind that nothing else here knows."""
    from beholden.state.subjects import effective_subjects

    if kind is None:
        return None
    known = sorted({subject.kind for subject in effective_subjects(estate.state, estate.config)})
    if kind in known:
        return None
    return (
        f"its subject kind '{kind}' is neither declared nor proposed by a scan (known: {', '.join(known) or 'none yet'}); "
        "it can explain no access of another kind's persons"
    )


def _counts(table: dict[str, int]) -> str:
    return ", ".join(f"{reason} {n:,}" for reason, n in table.items())


_COLUMNS = [
    Column("feed", lambda row: row.feed),
    Column("kind", lambda row: row.kind),
    Column("rows", lambda row: row.rows, right=True),
    Column("not usable", lambda row: _counts(row.problems), fold=True, spare=1, rare=True),
    Column("assumed", lambda row: _counts(row.assumed), fold=True, spare=2, rare=True),
    Column("error", lambda row: row.error, fold=True, spare=3, rare=True),
]
