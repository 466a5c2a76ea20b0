"""``beholden map``: where personal data lies, outside its zone, not looked at."""

from __future__ import annotations

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli.output import Column, emit, output_options

__all__ = ["map_", "show_coverage"]


@click.group("map")
def map_() -> None:
    """Where personal data lies, outside its zone, not looked at."""


@map_.command()
@click.option("--store", help="Only fields of this store.")
@click.option("--dataset", help="Only fields of this dataset: STORE/PATH.")
@click.option("--class", "class_", metavar="CLASS", help="Only fields of this class of data.")
@click.option("--all", "every", is_flag=True, help="In the table, show fields without personal data too.")
@output_options
@pass_estate
def fields(
    estate: Estate, *, store: str | None, dataset: str | None, class_: str | None, every: bool, output: str | None
) -> None:
    """Every field and the class of data it holds, with probability and evidence.

    --json and --csv always list every field, also those where nothing personal was found and those that are empty.
    """
    from beholden.atlas.gaps import field_gaps
    from beholden.atlas.queries import fields as query

    rows = query(estate.state, store=store, dataset=dataset, class_=class_)
    unknown = field_gaps(estate.state, estate.config, store=store, dataset=dataset)
    shown = rows if every or output or class_ else [row for row in rows if row.class_ not in (None, "none")]
    emit(output, "fields", shown, _FIELDS, unknown=unknown)


@map_.command()
@click.argument("class_", metavar="CLASS")
@output_options
@pass_estate
def where(estate: Estate, *, class_: str, output: str | None) -> None:
    """Where a CLASS of data lies: each dataset with its fields, rows and zone."""
    from beholden.atlas.gaps import field_gaps
    from beholden.atlas.queries import where as query
    from beholden.core.classes import check_class

    rows = query(estate.state, estate.config, check_class(class_))
    emit(output, "where", rows, _WHERE, unknown=field_gaps(estate.state, estate.config))


@map_.command()
@click.argument("name", metavar="STORE/PATH")
@output_options
@pass_estate
def dataset(estate: Estate, *, name: str, output: str | None) -> None:
    """One dataset: every field with its class."""
    from beholden.atlas.gaps import field_gaps
    from beholden.atlas.queries import fields as query
    from beholden.core.names import DatasetName

    DatasetName.parse(name)
    rows = query(estate.state, dataset=name)
    emit(output, "fields", rows, _FIELDS, unknown=field_gaps(estate.state, estate.config, dataset=name))


@map_.command()
@click.option("--fail-on-findings", is_flag=True, help="Exit with 3 when there is a finding.")
@output_options
@pass_estate
def zones(estate: Estate, *, fail_on_findings: bool, output: str | None) -> None:
    """Classes of data that lie outside the zone they may live in."""
    from beholden.atlas.gaps import field_gaps
    from beholden.atlas.queries import zones as query

    rows = query(estate.state, estate.config)
    emit(output, "zones", rows, _ZONES, title="outside their zone", unknown=field_gaps(estate.state, estate.config))
    if rows and fail_on_findings:
        raise click.exceptions.Exit(3)


@map_.command()
@output_options
@pass_estate
def coverage(estate: Estate, *, output: str | None) -> None:
    """What was looked at and what was not: stores, datasets, reasons, age."""
    show_coverage(estate, output, ())


def show_coverage(estate: Estate, output: str | None, stores: tuple[str, ...]) -> None:
    """Write the coverage of all stores, or of some."""
    from beholden.atlas.queries import coverage as query

    report = query(estate.state, estate.config, now=estate.clock())
    rows = [row for row in report.stores if not stores or row.store in stores]
    unknown = [gap for gap in report.unknown if not stores or gap.object.partition("/")[0] in stores]
    emit(output, "coverage", rows, _COVERAGE, unknown=unknown)


_FIELDS = [
    Column("field", lambda row: f"{row.store}/{row.dataset}#{row.field}"),
    Column("type", lambda row: row.type),
    Column("class", lambda row: row.class_ or "not looked at"),
    Column("p", lambda row: row.probability, right=True),
    Column("evidence", lambda row: "; ".join(f"{part.rule} {part.text}".strip() for part in row.evidence[:2])),
    Column("empty", lambda row: row.empty or None),
]
_WHERE = [
    Column("dataset", lambda row: f"{row.store}/{row.dataset}"),
    Column("fields", lambda row: row.fields),
    Column("rows", lambda row: row.rows, right=True),
    Column("p", lambda row: row.probability, right=True),
    Column("zone", lambda row: row.zone),
]
_ZONES = [
    Column("class", lambda row: row.class_),
    Column("dataset", lambda row: f"{row.store}/{row.dataset}"),
    Column("fields", lambda row: row.fields),
    Column("rows", lambda row: row.rows, right=True),
    Column("lies in", lambda row: row.zone or "no zone"),
    Column("allowed in", lambda row: row.allowed),
    Column("first seen", lambda row: row.first_seen[:10]),
]
_COVERAGE = [
    Column("store", lambda row: row.store),
    Column("reachable", lambda row: row.reachable),
    Column("datasets", lambda row: row.datasets, right=True),
    Column("scanned", lambda row: row.scanned, right=True),
    Column("skipped", lambda row: row.skipped, right=True),
    Column("failed", lambda row: row.failed, right=True),
    Column("fields", lambda row: row.fields, right=True),
    Column("last looked at", lambda row: (row.last_scanned or "never")[:19]),
]
