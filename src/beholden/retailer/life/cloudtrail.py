"""The object store's log: what a call of the cloud's interfaces is, and its AWS CloudTrail record.

Form: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html.
Each line is a document of its own with one record, as a trail delivers it when little happens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from beholden.retailer.chance import Chance, Ints, below, iso
from beholden.retailer.events import Events
from beholden.retailer.life.places import Names, dotted, identity_names
from beholden.retailer.log_files import LogKind
from beholden.retailer.resources import BUCKETS
from beholden.retailer.words import words_of
from beholden.retailer.world import World

__all__ = [
    "AGENTS", "ASSUME", "COPY", "DECRYPT", "DELETE", "ERRORS", "GET", "HEAD", "LIST", "OPERATIONS", "PUT", "ROLES_ASSUMED",
    "SECRET", "WHO_AM_I", "Accesses", "access_key", "buckets_log",
]  # fmt: skip

#: event: service, whether it only reads, whether it is a data event.
_KINDS: Final = {
    "GetObject": ("s3", True, True), "PutObject": ("s3", False, True), "ListObjects": ("s3", True, True),
    "CopyObject": ("s3", False, True), "HeadObject": ("s3", True, True), "DeleteObject": ("s3", False, True),
    "AssumeRole": ("sts", True, False), "GetCallerIdentity": ("sts", True, False),
    "GetSecretValue": ("secretsmanager", True, False), "Decrypt": ("kms", True, False),
}  # fmt: skip
OPERATIONS: Final = tuple(_KINDS)
GET, PUT, LIST, COPY, HEAD, DELETE, ASSUME, WHO_AM_I, SECRET, DECRYPT = range(len(OPERATIONS))
ERRORS: Final = ("", "AccessDenied", "NoSuchKey")
AGENTS: Final = (
    "[aws-cli/2.15.30 Python/3.11.8 Linux/6.1.79 exe/x86_64 prompt/off command/s3api]",
    "[Boto3/1.34.69 md/Botocore#1.34.69 ua/2.0 os/linux#6.1.79 lang/python#3.11.8]",
    "[S3Console/0.4, aws-internal/3]",
    "[aws-sdk-java/2.25.16 Linux/6.1.79 OpenJDK_64-Bit_Server_VM/21.0.2]",
    "[rclone/v1.66.0]",
    "[SheetLink/3.2 (spreadsheet add-in)]",
)
#: What people act as, by their work.
ROLES_ASSUMED: Final = {
    "analyst": "AnalystAccess",
    "engineer": "EngineerAccess",
    "marketing": "MarketingAccess",
    "it": "AdministratorAccess",
}
_ACCOUNT: Final = "111122223333"  # an account number that documentation uses
_REGION: Final = "eu-central-1"
_BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_MESSAGES: Final = ("", "Access Denied", "The specified key does not exist.")


@dataclass(frozen=True, slots=True)
class Accesses(Events):
    """Calls of the cloud's interfaces. ``key`` is the object, or the role or secret of calls without a bucket."""

    operation: Ints
    bucket: Ints  # of `BUCKETS`, or -1
    key: Names
    source: Names  # of a copy: bucket/key
    bytes: Ints
    error: Ints
    address: Ints
    agent: Ints


def access_key(world: World, principal: int, day: int = -1) -> str:
    """The key id a principal signs with: a program's own for all days, a person's of that day."""
    return _access_keys(world, np.array([principal]), day)[0]


def _access_keys(world: World, principals: Ints, day: int) -> list[str]:
    person = principals < len(world.staff)
    values = Chance(world.parameters.seed, "access keys")(principals, np.where(person, day, -1))
    return [
        ("ASIA" if own else "AKIA") + "".join(_BASE32[value >> 4 * i & 31] for i in range(16))
        for own, value in zip(person.tolist(), values.tolist(), strict=True)
    ]


def buckets_log(world: World, day: int) -> LogKind[Accesses]:
    """The trail of a day: a line for each document, with one record in it."""
    names = identity_names(world, day)
    told = words_of(world.parameters.preset).told

    def rendered(accesses: Accesses, uids: pa.Array) -> pa.Array:
        whole = []
        identities = _identities(world, np.unique(accesses.actor), names, day)
        times, addresses = iso(accesses.time), dotted(accesses.address).to_pylist()
        columns = (accesses.actor, accesses.operation, accesses.bucket, accesses.key, accesses.source, accesses.bytes,
                   accesses.error, accesses.agent)  # fmt: skip
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for uid, time, ip, row in zip(uids.to_pylist(), times, addresses, rows, strict=True):
            actor, kind, bucket, key, source, *rest = row
            place = told(BUCKETS[bucket]) if bucket >= 0 else ""
            record = _record(names[actor], identities[actor], (kind, place, told(key), told(source), *rest))
            record |= {
                "eventTime": f"{time}Z",
                "sourceIPAddress": ip,
                "requestID": hashlib.blake2b(uid.encode(), digest_size=8).hexdigest().upper(),
                "eventID": f"{uid[:8]}-{uid[8:12]}-{uid[12:16]}-{uid[16:20]}-{uid[20:]}",
            }
            whole.append(msgspec.json.encode({"Records": [dict(sorted(record.items()))]}) + b"\n")
        return pa.array(whole, pa.binary()).cast(pa.string())

    return LogKind("buckets", "buckets-{day}.json", rendered)


def _identities(world: World, actors: Ints, names: Sequence[str], day: int) -> dict[int, tuple[str, msgspec.Raw]]:
    """Of each of these the key, and the identity as records have it, which is encoded once."""
    keys = _access_keys(world, actors, day)
    digits = below(Chance(world.parameters.seed, "principal ids")(actors[:, None], np.arange(17)), 32).tolist()
    found = {}
    for at, key, row in zip(actors.tolist(), keys, digits, strict=True):
        identity = _identity(world, at, (names[at], key, "".join(_BASE32[i] for i in row)), day)
        found[at] = key, msgspec.Raw(msgspec.json.encode(identity))
    return found


def _identity(world: World, at: int, called: tuple[str, str, str], day: int) -> dict[str, Any]:
    """``called``: name, key, and id."""
    name, key, uid = called
    if at >= len(world.staff):
        return {
            "type": "IAMUser", "principalId": f"AIDA{uid}", "arn": f"arn:aws:iam::{_ACCOUNT}:user/{name}",
            "accountId": _ACCOUNT, "accessKeyId": key, "userName": name,
        }  # fmt: skip
    role = ROLES_ASSUMED.get(world.staff.members[at].role_on(day), "ReadAccess")
    issuer = {
        "type": "Role", "principalId": f"AROA{uid}", "arn": f"arn:aws:iam::{_ACCOUNT}:role/{role}",
        "accountId": _ACCOUNT, "userName": role,
    }  # fmt: skip
    return {
        "type": "AssumedRole", "principalId": f"AROA{uid}:{name}",
        "arn": f"arn:aws:sts::{_ACCOUNT}:assumed-role/{role}/{name}", "accountId": _ACCOUNT, "accessKeyId": key,
        "sessionContext": {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "true"}},
    }  # fmt: skip


def _record(name: str, identity: tuple[str, msgspec.Raw], row: tuple[Any, ...]) -> dict[str, Any]:
    kind, bucket, key, source, size, error, agent = row
    service, reads, data = _KINDS[OPERATIONS[kind]]
    record: dict[str, Any] = {
        "eventVersion": "1.09", "userIdentity": identity[1], "eventSource": f"{service}.amazonaws.com",
        "eventName": OPERATIONS[kind], "awsRegion": _REGION, "userAgent": AGENTS[agent], "readOnly": reads,
        "eventType": "AwsApiCall", "managementEvent": not data, "recipientAccountId": _ACCOUNT,
        "eventCategory": "Data" if data else "Management", "requestParameters": None, "responseElements": None,
    }  # fmt: skip
    if error:
        record |= {"errorCode": ERRORS[error], "errorMessage": _MESSAGES[error]}
    if service == "s3":
        record |= _object(bucket, kind, key, source, 0 if error else size)
    elif kind == ASSUME:
        role = f"arn:aws:iam::{_ACCOUNT}:role/{key}"
        user = f"arn:aws:iam::{_ACCOUNT}:user/{name}"
        record["userIdentity"] = {"type": "IAMUser", "arn": user, "accountId": _ACCOUNT, "userName": name}
        record["requestParameters"] = {"roleArn": role, "roleSessionName": name, "durationSeconds": 28_800}
        if not error:
            record["responseElements"] = {
                "credentials": {"accessKeyId": identity[0]},
                "assumedRoleUser": {"arn": f"arn:aws:sts::{_ACCOUNT}:assumed-role/{key}/{name}"},
            }
        record["resources"] = [{"ARN": role, "accountId": _ACCOUNT, "type": "AWS::IAM::Role"}]
    elif kind == SECRET:
        record["requestParameters"] = {"secretId": f"arn:aws:secretsmanager:{_REGION}:{_ACCOUNT}:secret:{key}"}
    elif kind == DECRYPT:
        record["requestParameters"] = {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}
        record["resources"] = [
            {"ARN": f"arn:aws:kms:{_REGION}:{_ACCOUNT}:{key}", "accountId": _ACCOUNT, "type": "AWS::KMS::Key"}
        ]
    return record


def _object(bucket: str, kind: int, key: str, source: str, size: int) -> dict[str, Any]:
    asked: dict[str, Any] = {"bucketName": bucket, "Host": f"{bucket}.s3.{_REGION}.amazonaws.com"}
    if kind == LIST:
        asked |= {"list-type": "2", "prefix": ""}
    else:
        asked["key"] = key
    if source:
        asked["x-amz-copy-source"] = source
    whole: list[dict[str, Any]] = [{"accountId": _ACCOUNT, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"}]
    if kind != LIST:
        whole.insert(0, {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{key}"})
    sent = {"bytesTransferredIn": size if kind == PUT else 0, "bytesTransferredOut": size if kind == GET else 0}
    return {"requestParameters": asked, "additionalEventData": sent, "resources": whole}
