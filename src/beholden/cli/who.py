"""``beholden who``: who touched a dataset, a class of data or a person's data."""

from __future__ import annotations

from typing import Any

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli.output import Column, emit, output_options

__all__ = ["who"]

_EMPTY = "no access on record matches what was asked"


def _dataset(row: Any) -> str:
    return f"{row.store or '?'}/{row.dataset or '?'}"


@click.command(short_help="Who touched a dataset, a class of data or a person's data.")
@click.option("--dataset", "datasets", multiple=True, metavar="STORE/PATH", help="Accesses to this dataset.")
@click.option("--class", "class_", metavar="CLASS", help="Accesses to fields of this class of data.")
@click.option("--subject", metavar="KIND:ID", help="Accesses to this person's data, e.g. customer:17.")
@click.option("--actor", "actors", multiple=True, metavar="ID", help="Accesses by this actor.")
@click.option("--credential", "credentials", multiple=True, metavar="ID", help="Accesses with this key.")
@click.option("--device", "devices", multiple=True, metavar="ID", help="Accesses from this device.")
@click.option("--from", "start", metavar="TIME", help="From this time on: a date, a time, or an age such as 30d.")
@click.option("--to", "end", metavar="TIME", help="Up to, not including, this time.")
@click.option("--events", is_flag=True, help="One row an access instead of groups.")
@click.option("--dossier", is_flag=True, help="Add up who reached how many people, which fields, from where, and when.")
@click.option("--resolve", is_flag=True, help="Ask the stores which persons a predicate reached (reads them now).")
@click.option("--limit", type=click.IntRange(min=1), default=100_000, show_default=True, help="Rows at most.")
@output_options
@pass_estate
def who(
    estate: Estate,
    *,
    datasets: tuple[str, ...],
    class_: str | None,
    subject: str | None,
    actors: tuple[str, ...],
    credentials: tuple[str, ...],
    devices: tuple[str, ...],
    start: str | None,
    end: str | None,
    events: bool,
    dossier: bool,
    resolve: bool,
    limit: int,
    output: str | None,
) -> None:
    """Who touched a dataset, a class of data, a person's data, or what an actor touched; and what is not known.

    Give at least one of --dataset, --class, --subject, --actor, --credential and --device; given together, all of them
    must hold. Each row has a match: "named" is this person or dataset itself, "included" a read of the whole that must
    contain it, "possible" a condition that cannot be resolved from the log alone.

    \b
    beholden who --dataset crm/public.customer --from 30d
    beholden who --subject customer:17 --events
    beholden who --actor anna --class payment_card --json
    beholden who --credential key-1 --credential key-2 --from 90d --dossier
    """  # noqa: D301 - click wants the character itself
    from beholden.cli._who import answer, answer_dossier, build_question
    from beholden.core.errors import UsageError

    if resolve and subject is None:
        raise UsageError("--resolve", "needs a person to look for", expected="--subject KIND:ID beside it")
    question = build_question(
        estate,
        datasets=datasets,
        class_=class_,
        subject=subject,
        actors=actors,
        credentials=credentials,
        devices=devices,
        start=start,
        end=end,
    )
    if dossier:
        if events or subject is not None:
            raise UsageError(
                "--dossier", "given with " + ("--events" if events else "--subject"),
                expected="a dataset, class, actor, credential or device alone",
            )  # fmt: skip
        told = answer_dossier(estate, question)
        emit(
            output, "who-dossier", told.rows[:limit], _DOSSIER_COLUMNS, empty=_EMPTY, unknown=told.unknown,
            truncated=len(told.rows) > limit,
        )  # fmt: skip
        return
    result = answer(estate, question, events=events, resolve=resolve)
    rows = result.events if events else result.groups
    unresolved = subject is not None and not resolve and any(row.match == "possible" for row in rows)
    hint = "possible: a condition that may have reached this person; --resolve asks the store which persons it reaches"
    emit(
        output,
        "who-events" if events else "who",
        rows[:limit],
        _EVENT_COLUMNS if events else _GROUP_COLUMNS,
        empty=_EMPTY,
        unknown=result.unknown,
        truncated=len(rows) > limit,
        after=[hint] if unresolved else [],
    )
    if result.unasked:
        raise click.exceptions.Exit(4)


_GROUP_COLUMNS = [
    Column("actor", lambda row: row.actor, fold=True),
    Column("dataset", _dataset, fold=True),
    Column("activity", lambda row: row.activity),
    Column("match", lambda row: row.match),
    Column("events", lambda row: row.events, right=True),
    Column("rows", lambda row: row.rows, right=True, spare=3),
    Column("subjects", lambda row: row.subjects, right=True, spare=1),
    Column("first", lambda row: row.first[:19], spare=2),
    Column("last", lambda row: row.last[:19]),
    Column("with", lambda row: row.also, fold=True, spare=4, rare=True),
]
_DOSSIER_COLUMNS = [
    Column("of", lambda row: row.of),
    Column("name", lambda row: row.name, fold=True),
    Column("events", lambda row: row.events, right=True),
    Column("possible", lambda row: row.possible, right=True, spare=3),
    Column("rows", lambda row: row.rows, right=True, spare=2),
    Column("subjects", lambda row: row.subjects, right=True),
    Column("most in one", lambda row: row.whole, right=True, spare=4),
    Column("first", lambda row: row.first[:19], spare=1),
    Column("last", lambda row: row.last[:19]),
]
_EVENT_COLUMNS = [
    Column("seq", lambda row: str(row.seq), right=True, spare=3),
    Column("time", lambda row: row.time),
    Column("actor", lambda row: row.actor, fold=True),
    Column("dataset", _dataset, fold=True),
    Column("activity", lambda row: row.activity),
    Column("match", lambda row: row.match, spare=1),
    Column("rows", lambda row: row.rows, right=True, spare=2),
    Column("fields", lambda row: row.fields, fold=True, spare=4),
]
