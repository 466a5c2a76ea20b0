"""The tables of what is known and decided. SQLAlchemy Core: work here is set-based, never row by row.

Times are microseconds since 1970-01-01 UTC. JSON columns hold evidence for people to read, never values found.
A change here needs a migration in ``migrations/versions``; a test compares the two.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

__all__ = [
    "datasets",
    "estate",
    "fields",
    "grants",
    "ingests",
    "log_problems",
    "metadata",
    "scan_datasets",
    "scans",
    "stores",
    "subject_kinds",
    "templates",
]

metadata: Final = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Text = sa.Text()
_Int = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: One row: which estate this is (a random id that the ledger knows too).
estate = sa.Table(
    "estate",
    metadata,
    sa.Column("estate_id", _Text, primary_key=True),
    sa.Column("created", _Int, nullable=False),
)

#: What the last look at each store found; a store is declared in beholden.toml, not here.
stores = sa.Table(
    "stores",
    metadata,
    sa.Column("store", _Text, primary_key=True),
    sa.Column("kind", _Text),
    sa.Column("server_version", _Text),
    sa.Column("last_tried", _Int, nullable=False),
    sa.Column("last_reached", _Int),
    sa.Column("error", _Text),  # why the last try failed; null when it did not
)

#: Every scan, also those that were stopped.
scans = sa.Table(
    "scans",
    metadata,
    sa.Column("scan_id", _Int, primary_key=True, autoincrement=True),
    sa.Column("started", _Int, nullable=False),
    sa.Column("finished", _Int),  # null: stopped or still running
)

#: Every dataset ever seen. ``gone`` is set when a later scan of a reachable store no longer lists it.
datasets = sa.Table(
    "datasets",
    metadata,
    sa.Column("dataset_id", _Int, primary_key=True, autoincrement=True),
    sa.Column("store", _Text, nullable=False),
    sa.Column("path", _Text, nullable=False),
    sa.Column("kind", _Text, nullable=False),  # table view partition file
    sa.Column("parent", _Text),  # path of the partitioned or inherited table this belongs to
    # of a view: path of each dataset it names -> whole, part or none of its fields; null: not known
    sa.Column("reads", sa.JSON(none_as_null=True)),
    sa.Column("row_count", _Int),
    sa.Column("row_count_exact", sa.Boolean, nullable=False, default=False),
    sa.Column("size_bytes", _Int),
    sa.Column("first_seen", _Int, nullable=False),
    sa.Column("last_seen", _Int, nullable=False),
    sa.Column("gone", _Int),
    sa.UniqueConstraint("store", "path"),
)

#: Every field of a dataset with its latest classification. ``class`` is null when it was never looked at.
fields = sa.Table(
    "fields",
    metadata,
    sa.Column("field_id", _Int, primary_key=True, autoincrement=True),
    sa.Column("dataset_id", _Int, sa.ForeignKey("datasets.dataset_id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("ordinal", _Int, nullable=False),
    sa.Column("field", _Text, nullable=False),
    sa.Column("type", _Text, nullable=False),
    sa.Column("in_key", sa.Boolean, nullable=False),
    sa.Column("refers_to", _Text),  # PATH#field: of a declared foreign key, or what a view passes on
    sa.Column("class", _Text, index=True),
    sa.Column("probability", sa.Float),
    sa.Column("alternatives", sa.JSON),
    sa.Column("evidence", sa.JSON),
    sa.Column("exit", _Text),
    sa.Column("missed_share_max", sa.Float),
    sa.Column("empty", sa.Boolean),
    sa.Column("classified", _Int),  # time of the classification
    sa.UniqueConstraint("dataset_id", "field"),
)

#: What each scan did with each dataset: looked at, or skipped and why.
scan_datasets = sa.Table(
    "scan_datasets",
    metadata,
    sa.Column("scan_id", _Int, sa.ForeignKey("scans.scan_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("store", _Text, primary_key=True),
    sa.Column("path", _Text, primary_key=True),  # '' is the store itself
    sa.Column("outcome", _Text, nullable=False),  # scanned skipped failed
    sa.Column("reason", _Text),
    sa.Column("rows_read", _Int),
    sa.Column("finished", _Int, nullable=False),
)

#: Who may do what, as the store itself says. ``grantee`` is the actor's token in hex, or PUBLIC.
grants = sa.Table(
    "grants",
    metadata,
    sa.Column("store", _Text, primary_key=True),
    sa.Column("path", _Text, primary_key=True),
    sa.Column("field", _Text, primary_key=True, default=""),  # '' is the whole dataset
    sa.Column("grantee", _Text, primary_key=True),
    sa.Column("privilege", _Text, primary_key=True),
    sa.Column("seen", _Int, nullable=False),
)

#: Kinds of data subject that scans propose from keys and classes, until beholden.toml declares them.
subject_kinds = sa.Table(
    "subject_kinds",
    metadata,
    sa.Column("kind", _Text, primary_key=True),
    sa.Column("key", _Text, nullable=False),  # STORE/PATH#field
    sa.Column("names", sa.JSON, nullable=False),
    sa.Column("emails", sa.JSON, nullable=False),
    sa.Column("reason", _Text, nullable=False),
    sa.Column("proposed", _Int, nullable=False),
)

#: SQL templates: statements with their literals taken out. ``template_id`` is hex.
templates = sa.Table(
    "templates",
    metadata,
    sa.Column("template_id", _Text, primary_key=True),
    sa.Column("dialect", _Text, nullable=False),
    sa.Column("text", _Text, nullable=False),
    sa.Column("first_seen", _Int, nullable=False),
)

#: Each reading of a log file: every record is parsed, noise or not understood; duplicates are counted within parsed.
ingests = sa.Table(
    "ingests",
    metadata,
    sa.Column("ingest_id", _Int, primary_key=True, autoincrement=True),
    sa.Column("log", _Text, nullable=False),  # name in beholden.toml, or the path given on the command line
    sa.Column("source", _Text, nullable=False),
    sa.Column("file", _Text, nullable=False),
    sa.Column("format", _Text, nullable=False),
    sa.Column("started", _Int, nullable=False),
    sa.Column("finished", _Int),
    sa.Column("records", _Int, nullable=False, default=0),
    sa.Column("parsed", _Int, nullable=False, default=0),
    sa.Column("noise", sa.JSON, nullable=False),  # reason -> count
    sa.Column("not_understood", sa.JSON, nullable=False),  # reason -> count
    sa.Column("mended", sa.JSON, nullable=False),  # what was put right -> count of records, counted above
    sa.Column("events_new", _Int, nullable=False, default=0),
    sa.Column("events_known", _Int, nullable=False, default=0),
    sa.Column("first_time", _Int),
    sa.Column("last_time", _Int),
    sa.Column("head", _Text, nullable=False, default=""),  # keyed hash of how the file began, in hex; '' is no file
    sa.Column("head_bytes", _Int, nullable=False, default=0),  # how much of it that covers
    # what it lacks is still not known: it was stopped, or left something, and no later reading made that good
    sa.Column("unsettled", sa.Boolean, nullable=False, default=True, index=True),
)

#: Records that were not understood, one by one up to a limit; places and reasons, never contents.
log_problems = sa.Table(
    "log_problems",
    metadata,
    sa.Column("ingest_id", _Int, sa.ForeignKey("ingests.ingest_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("record", _Int, primary_key=True),
    sa.Column("reason", _Text, nullable=False),
)
