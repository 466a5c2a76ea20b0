"""``beholden map``: where personal data lies, outside its zone, not looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli._lazy import Group
from beholden.cli.output import Column, emit, output_options

if TYPE_CHECKING:
    from beholden.atlas.queries import FieldRow

__all__ = ["found_classes", "map_", "show_coverage"]


def _rows(row: Any) -> str | None:
    """A number of rows, marked where the store only estimates it."""
    return None if row.rows is None else f"{row.rows:,}" if row.rows_exact else f"~{row.rows:,}"


@click.group("map", cls=Group)
def map_() -> None:
    """Where personal data lies, outside its zone, not looked at."""


@map_.command()
@click.option("--store", metavar="NAME", help="Only fields of this store.")
@click.option("--dataset", metavar="STORE/PATH", help="Only fields of this dataset.")
@click.option("--class", "class_", metavar="CLASS", help="Only fields of this class of data and its sub-classes.")
@click.option("--all", "every", is_flag=True, help="In the table, show fields without personal data too.")
@output_options
@pass_estate
def fields(
    estate: Estate, *, store: str | None, dataset: str | None, class_: str | None, every: bool, output: str | None
) -> None:
    """Every field and the class of data it holds, with probability and evidence.

    The table shows fields with personal data and those never looked at; --all, --json and --csv list every field, also
    those where nothing personal was found and those that are empty. Values are never shown, only their shapes.
    """
    from beholden.atlas.queries import fields as query
    from beholden.cli._names import class_name, dataset_name

    if store is not None:
        estate.config.store_named(store)
    if dataset is not None:
        estate.config.store_named(dataset_name(dataset).store)
    wanted = None if class_ is None else class_name(class_)
    rows = query(estate.state, store=store, dataset=dataset, class_=wanted)
    shown = rows if every or output or wanted else [row for row in rows if row.class_ != "none"]
    what = "any field" if every else "a field with personal data" if wanted is None else f"a field of class {wanted}"
    place = f" in {dataset or store}" if dataset or store else ""
    looked = f" among the {len(rows):,} that were" if rows and not shown else ""
    _emit_fields(estate, output, shown, f"no scan found {what}{place}{looked}", store=store, dataset=dataset)


@map_.command()
@click.argument("class_", metavar="CLASS")
@output_options
@pass_estate
def where(estate: Estate, *, class_: str, output: str | None) -> None:
    """Where a CLASS of data lies: each dataset with its fields, rows and zone.

    A class includes its sub-classes: `email`, `payment_card`, `national_id.us_ssn`. See docs/reference/classes.md.
    """
    from beholden.atlas.gaps import field_gaps
    from beholden.atlas.queries import where as query
    from beholden.cli._names import class_name

    wanted = class_name(class_, "CLASS")
    rows = query(estate.state, estate.config, wanted)
    empty = "" if rows else f"no scanned dataset holds {wanted}; found so far: {found_classes(estate) or 'no class'}"
    emit(output, "where", rows, _WHERE, empty=empty, unknown=field_gaps(estate.state, estate.config))


@map_.command()
@click.argument("name", metavar="STORE/PATH")
@output_options
@pass_estate
def dataset(estate: Estate, *, name: str, output: str | None) -> None:
    """One dataset: every field with its class."""
    from beholden.atlas.queries import fields as query
    from beholden.cli._names import dataset_name

    estate.config.store_named(dataset_name(name, "STORE/PATH").store)
    rows = query(estate.state, dataset=name)
    _emit_fields(estate, output, rows, f"no scan found a field in {name}", dataset=name)


@map_.command()
@click.option("--fail-on-findings", is_flag=True, help="Exit with 3 when there is a finding.")
@output_options
@pass_estate
def zones(estate: Estate, *, fail_on_findings: bool, output: str | None) -> None:
    """Classes of data that lie outside the zone they may live in.

    Zones and the classes that may lie nowhere else (only_here) are declared in beholden.toml.
    """
    from beholden.atlas.gaps import field_gaps
    from beholden.atlas.queries import zones as query

    rows = query(estate.state, estate.config)
    claimed = sorted({name for zone in estate.config.zone for name in zone.only_here})
    empty = (
        f"no scanned dataset holds {', '.join(claimed)} outside its zone"
        if claimed
        else "no [[zone]] of beholden.toml says where a class of data may lie, so nothing can lie outside it"
    )
    emit(output, "zones", rows, _ZONES, empty=empty, unknown=field_gaps(estate.state, estate.config))
    if rows and fail_on_findings:
        raise click.exceptions.Exit(3)


@map_.command()
@output_options
@pass_estate
def coverage(estate: Estate, *, output: str | None) -> None:
    """What was looked at and what was not: stores, datasets, reasons, age."""
    show_coverage(estate, output, ())


def show_coverage(estate: Estate, output: str | None, stores: tuple[str, ...], after: Sequence[str] = ()) -> None:
    """Write the coverage of all stores, or of some."""
    from beholden.atlas.queries import coverage as query

    report = query(estate.state, estate.config, now=estate.clock())
    rows = [row for row in report.stores if not stores or row.store in stores]
    unknown = [gap for gap in report.unknown if not stores or gap.object.partition("/")[0] in stores]
    emit(output, "coverage", rows, _COVERAGE, empty="no store is declared", unknown=unknown, after=after)


def found_classes(estate: Estate, stores: Collection[str] = ()) -> str:
    """The classes of data found so far with the number of their fields, the most frequent first."""
    from beholden.atlas.queries import fields as query
    from beholden.core.classes import top_class

    counts = Counter(
        top_class(row.class_)
        for row in query(estate.state)
        if row.class_ not in (None, "none") and (not stores or row.store in stores)
    )
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common())


def _emit_fields(
    estate: Estate, output: str | None, rows: Sequence[FieldRow], empty: str, *, store: str | None = None,
    dataset: str | None = None,
) -> None:  # fmt: skip
    from beholden.atlas.gaps import field_gaps

    unknown = field_gaps(estate.state, estate.config, store=store, dataset=dataset)
    emit(output, "fields", rows, _FIELDS, empty=empty, unknown=unknown)


_FIELDS = [
    Column("field", lambda row: f"{row.store}/{row.dataset}#{row.field}", fold=True),
    Column("type", lambda row: row.type, fold=True, spare=2),
    Column("class", lambda row: row.class_ or "not looked at"),
    Column("p", lambda row: row.probability, right=True),
    Column("evidence", lambda row: "; ".join(f"{part.rule} {part}" for part in row.evidence[:2]), fold=True, spare=3),
    Column("empty", lambda row: row.empty or None, spare=1, rare=True),
]
_WHERE = [
    Column("dataset", lambda row: f"{row.store}/{row.dataset}", fold=True),
    Column("fields", lambda row: row.fields, fold=True),
    Column("rows", _rows, right=True),
    Column("p", lambda row: row.probability, right=True),
    Column("zone", lambda row: row.zone, rare=True),
]
_ZONES = [
    Column("class", lambda row: row.class_),
    Column("dataset", lambda row: f"{row.store}/{row.dataset}", fold=True),
    Column("fields", lambda row: row.fields, fold=True, spare=2),
    Column("rows", _rows, right=True, spare=3),
    Column("lies in", lambda row: row.zone or "no zone"),
    Column("allowed in", lambda row: row.allowed, fold=True),
    Column("first seen", lambda row: row.first_seen[:10], spare=1),
]
_COVERAGE = [
    Column("store", lambda row: row.store),
    Column("reachable", lambda row: row.reachable),
    Column("datasets", lambda row: row.datasets, right=True),
    Column("scanned", lambda row: row.scanned, right=True),
    Column("skipped", lambda row: row.skipped, right=True, spare=2),
    Column("failed", lambda row: row.failed, right=True),
    Column("fields", lambda row: row.fields, right=True, spare=1),
    Column("last looked at", lambda row: (row.last_scanned or "never")[:19]),
]
