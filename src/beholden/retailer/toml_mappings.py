"""The mapping files of the company's own logs: where a reader finds which column of an access event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from beholden.retailer.life.accounts import OPERATIONS as ACCOUNT_OPERATIONS
from beholden.retailer.life.gateway import ENDPOINTS
from beholden.retailer.life.seller_desk import OPERATIONS as DESK_OPERATIONS
from beholden.retailer.words import Words

__all__ = ["written_mappings"]

#: What staff do at the seller desk, in an access event's words.
_DESK: Final = dict(zip(DESK_OPERATIONS, ("read", "read", "update", "update", "update", "export"), strict=True))
_ACCOUNTS: Final = dict(
    zip(ACCOUNT_OPERATIONS, ("login", "login", "update", "create", "update", "delete"), strict=True)
)
_GATEWAY: Final = {"submitFeed": "create", "createReport": "create", "token": "login"}
_BUCKETS: Final = {
    "GetObject": "read", "PutObject": "create", "ListObjects": "query", "CopyObject": "export", "HeadObject": "read",
    "DeleteObject": "delete", "AssumeRole": "switch", "GetSecretValue": "read", "Decrypt": "other", "GetCallerIdentity": "other",
}  # fmt: skip
_OUTCOMES: Final = {"ok": "success", "denied": "failure", "error": "failure"}


def _console(words: Words, tables: Mapping[str, str]) -> str:
    """``console.toml``: ``tables`` are those of customers, orders and cards as their stores call them."""
    console, at = words.console, dict(words.console.fields)
    profile, orders, address, payment = console.screens
    stores = {profile: "crm", address: "crm", orders: "orders", payment: "payments"}
    shown = {profile: "customer", address: "customer", orders: "orders", payment: "card"}
    lines = [
        words.told("# How the customer-service console's own log becomes access events."),
        *(['time_format = "epoch_ms"', ""] if console.epoch else []),
        "[event]",
        *(f'{key} = "{at[key]}"' for key in ("time", "uid", "actor", "session", "ip", "assignment")),
        'actor_kind = "staff"',
        'app = "console"',
        f'subject = "{words.name("customer")}:{at["subject"]}"',
        f"activity = {_lookup(at['operation'], dict(zip(console.operations, ('read', 'update', 'export'), strict=True)))}",
        f"store = {_lookup(at['screen'], {screen: words.store(store) for screen, store in stores.items()})}",
        f"dataset = {_lookup(at['screen'], {screen: tables[table] for screen, table in shown.items()})}",
        f"status = {_lookup(at['result'], dict(zip(console.results, ('success', 'failure', 'failure'), strict=True)))}",
    ]
    return "\n".join([*lines, ""])


def written_mappings(words: Words, tables: Mapping[str, str]) -> dict[str, str]:
    """The mapping files by name; ``tables`` as for the console's, and those of sellers' accounts."""
    told = words.told
    shown = {told(name): tables["orders"] for name, (_, path, _, _) in ENDPOINTS.items() if path.startswith("/orders/")}
    calls = {told(name): _GATEWAY.get(name, "read") for name in ENDPOINTS}
    return {
        "console": _console(words, tables),
        told("seller-desk"): told(_DESK_FILE).format(
            account=tables["account"],
            activities=_lookup("$.event.type", {told(name): activity for name, activity in _DESK.items()}),
            outcomes=_lookup("$.outcome", _OUTCOMES),
        ),
        "gateway": told(_GATEWAY_FILE).format(
            activities=_lookup("$.req.op", calls),
            datasets=_lookup("$.req.op", shown, default="partner-api"),
            statuses=_lookup("$.st", {"200": "success"}, default="failure"),
        ),
        "accounts": told(_ACCOUNTS_FILE).format(activities=_lookup("$.event", _ACCOUNTS)),
        "wiki": told(_WIKI_FILE).format(statuses=_lookup("$.status", {"200": "success"}, default="failure")),
        "buckets": told(_BUCKETS_FILE).format(
            activities=_lookup("$.Records[0].eventName", _BUCKETS),
            stores=_lookup("$.Records[0].eventSource", {"s3.amazonaws.com": "exports"}, default="aws"),
        ),
    }


_DESK_FILE: Final = """\
# How the seller-support console's own log becomes access events. Sellers go by their legacy codes there.
time_format = "epoch_ms"

[event]
time = "$.event.at"
uid = "$.event.id"
actor = "$.session.operator.uid"
session = "$.session.id"
ip = "$.session.ip"
app = "seller-desk"
assignment = "$.case"
subject = "seller:$.merchant.code"
dataset = "{account}"
detail = ["$.detail.page", "$.detail.report"]
activity = {activities}
status = {outcomes}
"""
_GATEWAY_FILE: Final = """\
# How the partner API's gateway log becomes access events: an app reads for a seller, now and then about a buyer.
time_format = "epoch_ms"

[event]
time = "$.t"
uid = "$.rid"
actor = "$.app"
actor_kind = "partner"
credential = "$.key"
on_behalf_of = "seller:$.seller"
subject = "customer:$.buyer"
ip = "$.src"
app = "partner-api"
detail = "$.req.m $.req.p"
bytes = "$.bytes"
class_uid = 6003
activity = {activities}
dataset = {datasets}
status = {statuses}
"""
_ACCOUNTS_FILE: Final = """\
# How the shop's log of customers' accounts becomes access events: the customer's own acts, or an agent's on their behalf.
[event]
time = "$.at"
uid = "$.entry"
actor = ["$.by", "$.account"]
actor_kind = {{ path = "$.by", default = "staff", missing = "customer" }}
ip = "$.ip"
app = "$.client"
assignment = "$.ticket"
subject = "customer:$.account"
detail = ["$.event $.review", "$.event"]
activity = {activities}
status = {{ path = "$.result", values = {{ ok = "success" }}, default = "failure" }}
"""
_WIKI_FILE: Final = """\
# How the log of the wiki and the repositories becomes access events.
[event]
time = "$.at"
uid = "$.request"
actor = "$.who"
ip = "$.ip"
app = "wiki"
dataset = "$.page"
activity = {{ path = "$.action", values = {{ view = "read", edit = "update", search = "query", history = "read", download = "export" }} }}
status = {statuses}
"""
_BUCKETS_FILE: Final = """\
# How AWS CloudTrail becomes access events. A line is a document with one record. Objects of buckets lie in the store of exports, the rest is the cloud's own.

[event]
time = "$.Records[0].eventTime"
uid = "$.Records[0].eventID"
actor = ["$.Records[0].userIdentity.userName", "$.Records[0].userIdentity.arn", "$.Records[0].userIdentity.principalId"]
credential = "$.Records[0].userIdentity.accessKeyId"
ip = "$.Records[0].sourceIPAddress"
app = "$.Records[0].userAgent"
detail = "$.Records[0].eventSource $.Records[0].eventName"
bytes = "$.Records[0].additionalEventData.bytesTransferredOut"
class_uid = 6003
store = {stores}
dataset = [
  "$.Records[0].requestParameters.bucketName/$.Records[0].requestParameters.key",
  "$.Records[0].requestParameters.bucketName",
  "secret/$.Records[0].requestParameters.secretId",
  "role/$.Records[0].requestParameters.roleArn",
]
activity = {activities}
status = {{ path = "$.Records[0].errorCode", default = "failure", missing = "success" }}
"""


def _lookup(path: str, values: Mapping[str, str], default: str = "") -> str:
    pairs = ", ".join(f'"{key}" = "{value}"' for key, value in values.items())
    more = f', default = "{default}"' if default else ""
    return f'{{ path = "{path}", values = {{ {pairs} }}{more} }}'
