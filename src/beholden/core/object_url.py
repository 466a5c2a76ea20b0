"""Where objects lie: ``s3://bucket/prefix``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from beholden.core.errors import UsageError

__all__ = ["ObjectPlace", "is_object_url", "parse_object_url"]

_SCHEME: Final = "s3://"
#: Bucket names as S3 allows them, and the longer ones of its early years that it still serves.
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}\Z")
#: Parts of a key that need no escaping anywhere.
_PART: Final = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._=+-]{1,255}\Z")


@dataclass(frozen=True, slots=True)
class ObjectPlace:
    """A bucket and the beginning that all keys of a ledger share: empty, or ending with a slash."""

    bucket: str
    prefix: str

    @property
    def url(self) -> str:
        """As people write it."""
        return f"{_SCHEME}{self.bucket}/{self.prefix}".rstrip("/")


def is_object_url(text: str) -> bool:
    """Whether a ledger's url is meant to name objects, well-formed or not."""
    return text.lower().startswith(_SCHEME)


def parse_object_url(text: str) -> ObjectPlace:
    """Read ``s3://bucket/prefix``.

    Raises:
        UsageError: it is something else. What was given is not repeated: people put keys into URLs.
    """
    bucket, _, rest = text.removeprefix(_SCHEME).partition("/")
    parts = rest.rstrip("/").split("/") if rest.rstrip("/") else []
    if not text.startswith(_SCHEME) or not _BUCKET.match(bucket) or not all(_PART.match(part) for part in parts):
        raise UsageError(
            "[ledger] url", "not the address of a bucket", expected="s3://BUCKET/PREFIX of letters, digits and . _ = + -",
            advice="credentials, region and endpoint come from the usual AWS settings",
        )  # fmt: skip
    return ObjectPlace(bucket, "".join(f"{part}/" for part in parts))
