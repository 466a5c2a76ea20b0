"""The record type behind each noun of ``--json``, and the JSON Schema that follows from it.

The registry is the one place that says what an answer is made of: `beholden.cli.output.emit` refuses a noun that is
not in it, docs/reference/schemas holds the schema of each, and a test compares both with what commands print.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any, Final, Literal

import msgspec

from beholden.core.unknown import Unknown

__all__ = ["NOUNS", "answer_type", "column_names", "json_schema", "record_type"]

#: Noun -> module and type of its items.
NOUNS: Final[dict[str, str]] = {
    "coverage": "beholden.atlas.queries:StoreCoverage",
    "feeds": "beholden.cli.feed:FeedRow",
    "fields": "beholden.atlas.queries:FieldRow",
    "forgotten": "beholden.cli.vault:ForgottenRow",
    "ingested": "beholden.cli._ingested:IngestedFile",
    "ledger-holds": "beholden.cli.ledger_hold:HoldRow",
    "ledger-prune": "beholden.cli.ledger_prune:PruneRow",
    "ledger-proof": "beholden.cli.ledger_prove:EventProofRow",
    "ledger-status": "beholden.ledger.status:LedgerStatus",
    "ledger-verify": "beholden.ledger.verify:Finding",
    "log-formats": "beholden.cli.log:FormatRow",
    "reasons": "beholden.watch.reasons:ActorReasons",
    "stores": "beholden.cli.store:StoreRow",
    "unexplained": "beholden.watch.reasons:UnexplainedAccess",
    "upgrade": "beholden.cli.upgrade:UpgradeRow",
    "vault": "beholden.cli.vault:VaultRow",
    "where": "beholden.atlas.queries:WhereRow",
    "who": "beholden.ledger.who:WhoRow",
    "who-dossier": "beholden.ledger.dossier:DossierRow",
    "who-events": "beholden.ledger.who:EventRow",
    "zones": "beholden.atlas.queries:ZoneRow",
}


def record_type(noun: str) -> type:
    """The type of a noun's items; raises `KeyError` for a noun that is not registered."""
    module, _, name = NOUNS[noun].partition(":")
    found: type = getattr(importlib.import_module(module), name)
    return found


def column_names(noun: str) -> list[str]:
    """The keys of a noun's items in JSON, which are the columns of its CSV."""
    info: Any = msgspec.inspect.type_info(record_type(noun))
    return [field.encode_name for field in info.fields]


def answer_type(noun: str) -> type[msgspec.Struct]:
    """The whole answer of a command: decoding its ``--json`` into this type validates it."""
    return msgspec.defstruct(
        "Answer",
        [
            ("schema", Literal[f"beholden.{noun}/1"]),
            ("items", list[record_type(noun)]),  # type: ignore[misc]
            ("truncated", bool),
            ("unknown", list[Unknown]),
        ],
        forbid_unknown_fields=True,
        frozen=True,
    )


def json_schema(noun: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a noun's answer."""
    schema = msgspec.json.schema(answer_type(noun))
    for part in schema["$defs"].values():
        if "description" in part:  # a docstring, whose indentation depends on Python's version
            part["description"] = inspect.cleandoc(part["description"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"beholden.{noun}/1", **schema}
