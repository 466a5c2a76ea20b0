"""The access event, before and after people become tokens.

``RAW_EVENTS`` is what readers of logs yield: plain identifiers, in memory only. ``EVENTS`` is what the ledger keeps:
people are 16-byte random tokens, and so is what may tell of them: credentials, devices, assignments, and texts in which
anybody may have written anything (applications, purposes). SQL is a template id plus encrypted literals.
Both pass between rooms as Arrow record batches. Field meanings follow OCSF (https://schema.ocsf.io) where it has them.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

__all__ = ["ACTIVITIES", "CLASS_UIDS", "DEFAULT_CLASS_UID", "EVENTS", "RAW_EVENTS", "SCOPES"]

#: What was done. ``export`` is a read that leaves the store as a file or stream.
ACTIVITIES: Final = (
    "read", "query", "export", "create", "update", "delete", "login", "switch", "grant", "revoke", "other",
)  # fmt: skip

#: How far an access reached: named subjects, rows chosen by a predicate, the whole dataset, or no one's rows
#: (definitions, and reads that return only counts).
SCOPES: Final = ("subjects", "predicate", "table", "none")

#: OCSF classes an event may carry; 6005 Datastore Activity is the default.
CLASS_UIDS: Final = (6005, 6003, 6001, 6006, 3002, 3004, 3005, 3007)
DEFAULT_CLASS_UID: Final = 6005

_TIME: Final = pa.timestamp("us", tz="UTC")
_TOKEN: Final = pa.binary(16)
#: 80 bits: among 10^10 events of one source the chance that two share one, and one is lost, is 4 in 100,000.
_UID: Final = pa.binary(10)
#: 64 bits: sessions and statements, of which a wrong pair would only be shown together.
_GROUP: Final = pa.binary(8)

#: What a reader of logs yields, one row an access of one dataset. Plain identifiers: never written down as it is.
RAW_EVENTS: Final = pa.schema(
    [
        pa.field("record", pa.int64(), nullable=False),  # first physical line of the record in its file, from 1
        pa.field("identity", pa.binary(), nullable=False),  # what makes the record itself and no other; see logs
        pa.field("time", _TIME, nullable=False),
        pa.field("actor", pa.string()),  # the source's own identifier
        pa.field("actor_kind", pa.string()),  # "staff", "service", "customer", "partner"; null is not known
        pa.field("on_behalf_of", pa.string()),  # kind:identifier
        pa.field("credential", pa.string()),
        pa.field("session", pa.string()),
        pa.field("device", pa.string()),
        pa.field("ip", pa.string()),
        pa.field("app", pa.string()),
        pa.field("class_uid", pa.int32()),
        pa.field("activity", pa.string()),  # null: the statement decides
        pa.field("store", pa.string()),  # null: the log's own store
        pa.field("object", pa.string()),  # the source's name of the dataset; null: the statement decides
        pa.field("fields", pa.list_(pa.string())),
        pa.field("subjects", pa.list_(pa.string())),  # kind:identifier
        pa.field("scope", pa.string()),
        pa.field("subject_count", pa.int64()),
        pa.field("rows", pa.int64()),
        pa.field("bytes", pa.int64()),
        pa.field("purpose", pa.string()),
        pa.field("assignment", pa.string()),
        pa.field("decision", pa.string()),
        pa.field("status", pa.string()),  # "success", "failure"
        pa.field("statement", pa.string()),  # SQL text
        pa.field("parameters", pa.list_(pa.string())),  # values bound to $1, $2 ..; null is null or not known
        pa.field("statement_ref", pa.string()),  # the same for all records of one statement
        pa.field("database", pa.string()),  # what unqualified names belong to
        pa.field("detail", pa.string()),
    ]
)

#: What the ledger keeps, in this column order (the order is part of the canonical record; see ledger).
EVENTS: Final = pa.schema(
    [
        pa.field("seq", pa.int64(), nullable=False),  # position in the ledger, from 0, without gaps
        pa.field("time", _TIME, nullable=False),
        pa.field("ingested", _TIME, nullable=False),
        pa.field("source", pa.string(), nullable=False),  # the server or application whose record this is
        pa.field("uid", _UID, nullable=False),  # keyed hash of the record's identity
        pa.field("class_uid", pa.int32(), nullable=False),
        pa.field("activity", pa.string(), nullable=False),
        pa.field("actor", _TOKEN),
        pa.field("actor_kind", pa.string()),
        pa.field("on_behalf_of", _TOKEN),
        pa.field("credential", _TOKEN),
        pa.field("session", _GROUP),  # keyed hash
        pa.field("device", _TOKEN),
        pa.field("ip", pa.binary()),  # packed: see ledger/_addresses.py
        pa.field("app", _TOKEN),
        pa.field("store", pa.string()),
        pa.field("dataset", pa.string()),  # PATH within the store
        pa.field("fields", pa.list_(pa.string())),
        pa.field("subjects", pa.list_(_TOKEN)),
        pa.field("scope", pa.string(), nullable=False),
        pa.field("subject_count", pa.int64()),
        pa.field("rows", pa.int64()),
        pa.field("bytes", pa.int64()),
        pa.field("purpose", _TOKEN),
        pa.field("assignment", _TOKEN),
        pa.field("decision", pa.string()),
        pa.field("status", pa.string()),
        pa.field("statement", pa.binary(16)),  # id of the SQL template in state
        pa.field("literals", pa.binary()),  # the statement's literals, encrypted
        pa.field("correlation", _GROUP),  # keyed hash, the same for events of one statement over several datasets
        pa.field("detail", pa.binary()),  # encrypted
    ]
)
